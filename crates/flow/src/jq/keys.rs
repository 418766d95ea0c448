//! Where an expression writes the fields of its result, as far as its text says so.
//!
//! For texts about a document that does not fit: the line of the field is where its author looks. What cannot be told from
//! the text (a field by a computed name, a result of an earlier step) has no place here; the expression's own place serves.

use jaq_core::load::parse::{BinaryOp, Term};
use jaq_core::ops::Math;

use super::program::{offset_of, parse};
use super::terms::literal;

/// Field paths such as `.amount.minor` and `.lines[].sku`, with their offsets in the text.
pub(crate) fn keys(text: &str) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    if let Ok(term) = parse(text) {
        collect(text, &term, "", &mut found);
    }
    found
}

/// The path with every index taken out, as [`keys`] writes it.
pub(crate) fn without_indices(path: &str) -> String {
    let mut inside = false;
    let kept = path.chars().filter(|c| {
        let digit = inside && c.is_ascii_digit();
        inside = *c == '[' || digit;
        !digit
    });
    kept.collect()
}

fn collect(text: &str, term: &Term<&str>, path: &str, found: &mut Vec<(String, usize)>) {
    match term {
        Term::Obj(entries) => {
            for (key, value) in entries {
                let Some(name) = literal(key) else { continue };
                let path = format!("{path}.{name}");
                if let Some(value) = value {
                    collect(text, value, &path, found);
                }
                found.push((path, offset_of(text, name)));
            }
        }
        Term::Arr(Some(inner)) => collect(text, inner, &format!("{path}[]"), found),
        Term::Call("map", arguments) => {
            arguments.iter().for_each(|inner| collect(text, inner, &format!("{path}[]"), found));
        }
        Term::Call("first" | "select" | "drop_nulls", arguments) => {
            arguments.iter().for_each(|inner| collect(text, inner, path, found));
        }
        Term::BinOp(left, BinaryOp::Pipe(_) | BinaryOp::Math(Math::Add) | BinaryOp::Alt, right) => {
            // The right side wins in jq, so it is told first.
            collect(text, right, path, found);
            collect(text, left, path, found);
        }
        Term::BinOp(left, BinaryOp::Comma, right) => {
            collect(text, left, path, found);
            collect(text, right, path, found);
        }
        Term::IfThenElse(branches, otherwise) => {
            branches.iter().for_each(|(_, then)| collect(text, then, path, found));
            otherwise.iter().for_each(|otherwise| collect(text, otherwise, path, found));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_a_result_are_found_where_the_text_writes_them() {
        let text = "$p + {a: .x, b: {c: 1}} | if .y then {d: [.z[] | {e: .}]} else {f: .l | map({g: .})} end | drop_nulls";
        let found = keys(text);
        let paths: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, [".d[].e", ".d", ".f[].g", ".f", ".a", ".b.c", ".b"]);
        for (path, offset) in &found {
            let name = path.rsplit('.').next().unwrap();
            assert!(text[*offset..].starts_with(name), "{path}");
        }
        assert_eq!(without_indices(".d[12].e[0]"), ".d[].e[]");
    }
}
