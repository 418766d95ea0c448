//! `use` declarations, written out: `use std::{env, fs::File}` is `std::env` and `std::fs::File`.
//!
//! Called by `purity` and `words`, so that a grouped import cannot hide a banned path.

use super::lexer::{Kind, Token, closing};

/// One imported path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Import {
    /// Without a leading `::` and without `as …`; a glob ends in `*`.
    pub(crate) path: String,
    pub(crate) line: usize,
}

/// All imports of a file.
pub(crate) fn imports(tokens: &[Token]) -> Vec<Import> {
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        // `use<'a>` in a return type captures lifetimes; it imports nothing.
        let captures = tokens.get(index + 1).is_some_and(|next| next.is_sign("<"));
        if token.is_word("use") && !captures {
            let end = tokens[index..]
                .iter()
                .position(|next| next.is_sign(";"))
                .map_or(tokens.len(), |at| index + at);
            expand("", &tokens[index + 1..end], &mut found);
        }
    }
    found
}

fn expand(prefix: &str, tokens: &[Token], found: &mut Vec<Import>) {
    for branch in branches(tokens) {
        let group = branch.iter().position(|token| token.is_sign("{"));
        let own = &branch[..group.unwrap_or(branch.len())];
        let path = join(prefix, own);
        match group {
            Some(open) => expand(&path, &branch[open + 1..closing(branch, open)], found),
            None => found.extend(branch.last().map(|token| Import { path, line: token.line })),
        }
    }
}

/// The parts between the commas of one level.
fn branches(tokens: &[Token]) -> Vec<&[Token]> {
    let mut parts = Vec::new();
    let (mut start, mut index) = (0, 0);
    while index < tokens.len() {
        if tokens[index].is_sign("{") {
            index = closing(tokens, index);
        } else if tokens[index].is_sign(",") {
            parts.push(&tokens[start..index]);
            start = index + 1;
        }
        index += 1;
    }
    parts.push(&tokens[start.min(tokens.len())..]);
    parts.retain(|part| !part.is_empty());
    parts
}

fn join(prefix: &str, tokens: &[Token]) -> String {
    let named = tokens.iter().take_while(|token| !token.is_word("as"));
    let words =
        named.filter(|token| token.kind == Kind::Word || token.is_sign("*")).map(|token| token.text.as_str());
    let mut parts: Vec<&str> = if prefix.is_empty() { Vec::new() } else { vec![prefix] };
    // `a::{self, b}` imports `a` itself.
    parts.extend(words.filter(|word| prefix.is_empty() || *word != "self"));
    parts.join("::")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::lexer::lex;

    #[test]
    fn groups_are_written_out() {
        let tokens = lex("pub use ::std::{env, io::{self, Read as _, *}};\nuse a::b;").tokens;
        let paths: Vec<_> = imports(&tokens).into_iter().map(|import| import.path).collect();
        assert_eq!(paths, ["std::env", "std::io", "std::io::Read", "std::io::*", "a::b"]);
    }

    #[test]
    fn captured_lifetimes_are_no_import() {
        assert_eq!(imports(&lex("fn a<'a>() -> impl Sized + use<'a> { 1 }").tokens), []);
    }
}
