//! Functions of a file: where each begins and ends and how many arguments it takes.
//!
//! Called by `size`. A declaration without a body (in a trait) has its arguments counted and one line.

use super::lexer::{Kind, Token, closing};

/// One function, method or declared method.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// The line of `fn`.
    pub(crate) line: usize,
    /// From the line of `fn` to the line of its closing brace, both counted.
    pub(crate) lines: usize,
    /// With `self`, as clippy counts them.
    pub(crate) arguments: usize,
}

/// All functions of a file, nested ones too.
pub(crate) fn functions(tokens: &[Token]) -> Vec<Function> {
    (0..tokens.len()).filter_map(|index| function_at(tokens, index)).collect()
}

fn function_at(tokens: &[Token], index: usize) -> Option<Function> {
    if !tokens[index].is_word("fn") {
        return None;
    }
    // `fn(u8) -> u8` is a type and `fn $name` a macro's pattern: neither has a name here.
    let name = tokens.get(index + 1).filter(|token| token.kind == Kind::Word)?;
    let open = after_generics(tokens, index + 2);
    tokens.get(open).filter(|token| token.is_sign("("))?;
    let close = closing(tokens, open);
    let last = end_of_body(tokens, close + 1);
    Some(Function {
        name: name.text.clone(),
        line: tokens[index].line,
        lines: tokens[last].line - tokens[index].line + 1,
        arguments: count_arguments(&tokens[open + 1..close]),
    })
}

/// The index after `<…>`, or `from` when there is none. The arrow of `Fn() -> T` does not close it.
fn after_generics(tokens: &[Token], from: usize) -> usize {
    if !tokens.get(from).is_some_and(|token| token.is_sign("<")) {
        return from;
    }
    let mut depth = 0_usize;
    for index in from..tokens.len() {
        depth = angle_depth(tokens, index, depth);
        if depth == 0 {
            return index + 1;
        }
    }
    tokens.len()
}

fn angle_depth(tokens: &[Token], index: usize, depth: usize) -> usize {
    let arrow = index > 0 && tokens[index - 1].is_sign("-");
    if tokens[index].is_sign("<") {
        depth + 1
    } else if tokens[index].is_sign(">") && !arrow {
        depth.saturating_sub(1)
    } else {
        depth
    }
}

/// The index of the closing brace, or of the `;` of a declaration. Skips brackets of the return type.
fn end_of_body(tokens: &[Token], from: usize) -> usize {
    let mut index = from;
    while let Some(token) = tokens.get(index) {
        match token.text.as_str() {
            "{" if token.kind == Kind::Sign => return closing(tokens, index),
            ";" if token.kind == Kind::Sign => return index,
            "(" | "[" if token.kind == Kind::Sign => index = closing(tokens, index) + 1,
            _ => index += 1,
        }
    }
    tokens.len().saturating_sub(1)
}

fn count_arguments(tokens: &[Token]) -> usize {
    let mut count = 0_usize;
    let mut in_argument = false;
    let mut angles = 0_usize;
    let mut index = 0;
    while index < tokens.len() {
        let token = &tokens[index];
        if token.is_sign(",") && angles == 0 {
            in_argument = false;
        } else if !in_argument {
            in_argument = true;
            count += 1;
        }
        angles = angle_depth(tokens, index, angles);
        let opens = token.kind == Kind::Sign && ["(", "[", "{"].contains(&token.text.as_str());
        index = if opens { closing(tokens, index) + 1 } else { index + 1 };
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::lexer::lex;

    fn only(source: &str) -> Function {
        functions(&lex(source).tokens).remove(0)
    }

    #[test]
    fn a_function_ends_at_its_own_brace() {
        let source = "fn a() -> [u8; 2] {\n  if x { \"}\" } else { '}' };\n  // }\n}\nfn b() {}\n";
        let found = functions(&lex(source).tokens);
        assert_eq!(
            found.iter().map(|f| (f.name.as_str(), f.lines)).collect::<Vec<_>>(),
            [("a", 4), ("b", 1)]
        );
    }

    #[test]
    fn commas_of_types_do_not_count_as_arguments() {
        let source = "fn a<T: Fn(u8, u8) -> u8>(&self, m: BTreeMap<A, Vec<B>>, f: impl Fn(u8, u8) -> u8, (x, y): (u8, u8),) {}";
        assert_eq!(only(source).arguments, 4);
        assert_eq!(only("fn none() {}").arguments, 0);
    }

    #[test]
    fn a_declaration_and_a_function_type_have_no_body() {
        let found = functions(&lex("trait T { fn a(&self) -> u8; } type F = fn(u8) -> u8;").tokens);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].lines, found[0].arguments), (1, 1));
    }

    #[test]
    fn a_where_clause_belongs_to_the_function() {
        assert_eq!(only("fn a<T>(t: T)\nwhere\n    T: Into<[u8; 3]>,\n{\n}\n").lines, 5);
    }
}
