//! How a file is laid out: it begins with a module doc, and `mod.rs` only lists modules.

use super::finding::Finding;
use super::lexer::{Kind, Token, closing};
use super::tree::{Source, Tree};

/// Checks all Rust sources.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in &tree.sources {
        findings.extend(missing_doc(source));
        if source.path.ends_with("/mod.rs") {
            findings.extend(logic_in_list(source));
        }
    }
    findings
}

fn missing_doc(source: &Source) -> Option<Finding> {
    let doc = source.lexed.comments.first().filter(|comment| {
        let inner = comment.text.strip_prefix("//!").or_else(|| comment.text.strip_prefix("/*!"));
        inner.is_some_and(|text| !text.trim().is_empty())
    });
    let first_code = source.lexed.tokens.first().map_or(usize::MAX, |token| token.line);
    let begins = doc.is_some_and(|comment| comment.line < first_code);
    let remedy = "begin with `//!`: what this is, who calls it, what must stay true";
    (!begins).then(|| Finding::new(&source.path, 1, "no module doc", remedy))
}

fn logic_in_list(source: &Source) -> Option<Finding> {
    let tokens = &source.lexed.tokens;
    let mut index = 0;
    while index < tokens.len() {
        match list_item_end(tokens, index) {
            Some(end) => index = end + 1,
            None => {
                let wrong = "mod.rs holds more than `mod`, `pub use`, docs and attributes";
                return Some(Finding::new(
                    &source.path,
                    tokens[index].line,
                    wrong,
                    "move it to a file with a topic",
                ));
            }
        }
    }
    None
}

/// The last index of the attribute, `mod name;` or `pub use …;` that begins at `index`.
fn list_item_end(tokens: &[Token], index: usize) -> Option<usize> {
    if tokens[index].is_sign("#") {
        let bang = usize::from(tokens.get(index + 1).is_some_and(|token| token.is_sign("!")));
        return Some(closing(tokens, index + 1 + bang));
    }
    let public = tokens[index].is_word("pub");
    let mut at = index + usize::from(public);
    if public && tokens.get(at).is_some_and(|token| token.is_sign("(")) {
        at = closing(tokens, at) + 1;
    }
    let ends_at =
        |offset: usize| tokens.get(at + offset).filter(|token| token.is_sign(";")).map(|_| at + offset);
    match tokens.get(at)? {
        token if token.is_word("mod") => {
            tokens.get(at + 1).filter(|name| name.kind == Kind::Word).and_then(|_| ends_at(2))
        }
        token if token.is_word("use") && public => {
            tokens[at..].iter().position(|next| next.is_sign(";")).map(|offset| at + offset)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, source: &str) -> Vec<String> {
        check(&Tree::of(&[(path, source)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_file_begins_with_its_module_doc() {
        assert_eq!(found("a.rs", "//! Money.\n#![forbid(unsafe_code)]\nfn a() {}"), Vec::<String>::new());
        for source in
            ["", "fn a() {}\n//! late", "// plain\nfn a() {}", "/// outer\nfn a() {}", "//!\nfn a() {}"]
        {
            assert_eq!(found("a.rs", source).len(), 1, "{source}");
        }
    }

    #[test]
    fn a_list_of_modules_is_fine() {
        let list = "//! Gateways.\n#![warn(x)]\n/// One.\n#[cfg(test)]\nmod a;\npub mod b;\npub(crate) mod c;\npub use a::{B, C};\n";
        assert_eq!(found("x/mod.rs", list), Vec::<String>::new());
    }

    #[test]
    fn anything_else_in_a_list_is_a_finding() {
        for item in [
            "fn a() {}",
            "mod a { }",
            "use a::B;",
            "pub const A: u8 = 1;",
            "pub struct A;",
            "macro_rules! a { }",
        ] {
            let findings = found("x/mod.rs", &format!("//! List.\nmod b;\n{item}\n"));
            assert_eq!(findings.len(), 1, "{item}");
            assert!(findings[0].starts_with("x/mod.rs:3:"), "{item}");
            assert_eq!(found("x/other.rs", &format!("//! Other.\n{item}\n")), Vec::<String>::new());
        }
    }
}
