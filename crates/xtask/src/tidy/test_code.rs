//! Which lines of a file are test code.
//!
//! Test code is what follows `#[cfg(test)]`, a function with a `#[test]` attribute of any runtime, and whole files:
//! under `tests/`, named `tests.rs` or `…_tests.rs`, or declared by a `#[cfg(test)] mod name;` elsewhere.

use std::ops::RangeInclusive;

use super::lexer::{Kind, Token, closing};

/// What the tokens of one file say about tests.
#[derive(Debug, Default)]
pub(crate) struct TestCode {
    /// The lines of test items, attributes included.
    pub(crate) lines: Vec<RangeInclusive<usize>>,
    /// Modules declared as `#[cfg(test)] mod name;`.
    pub(crate) modules: Vec<String>,
}

/// Finds the test items of a file.
pub(crate) fn test_code(tokens: &[Token]) -> TestCode {
    let mut found = TestCode::default();
    let mut index = 0;
    while index < tokens.len() {
        if !is_attribute(tokens, index) {
            index += 1;
            continue;
        }
        let close = closing(tokens, index + 1);
        if !marks_test(&tokens[index + 2..close]) {
            index = close + 1;
            continue;
        }
        let item = after_attributes(tokens, close + 1);
        let end = item_end(tokens, item);
        found.lines.push(tokens[index].line..=tokens[end].line);
        found.modules.extend(declared_module(tokens, item));
        index = end + 1;
    }
    found
}

/// Whether a file is test code as a whole, judged by its path.
pub(crate) fn is_test_path(path: &str) -> bool {
    let stem = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".rs");
    path.contains("/tests/") || path.starts_with("tests/") || stem == "tests" || stem.ends_with("_tests")
}

/// The folder in which the modules declared by the file at `path` lie, with its final `/`.
pub(crate) fn module_folder(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    match name {
        "mod.rs" | "lib.rs" | "main.rs" => format!("{folder}/"),
        _ => format!("{folder}/{}/", name.trim_end_matches(".rs")),
    }
}

fn is_attribute(tokens: &[Token], index: usize) -> bool {
    tokens[index].is_sign("#") && tokens.get(index + 1).is_some_and(|next| next.is_sign("["))
}

/// `test`, `tokio::test(…)`, `cfg(test)`, `cfg(all(test, …))`; not `cfg(not(test))`, not `cfg(any(test, …))`.
fn marks_test(attribute: &[Token]) -> bool {
    let spelled: String = attribute.iter().map(|token| token.text.as_str()).collect();
    let path = spelled.split('(').next().unwrap_or_default();
    path == "test"
        || path.ends_with("::test")
        || spelled == "cfg(test)"
        || spelled.starts_with("cfg(all(test,")
}

fn after_attributes(tokens: &[Token], from: usize) -> usize {
    let mut index = from;
    while index < tokens.len() && is_attribute(tokens, index) {
        index = closing(tokens, index + 1) + 1;
    }
    index
}

/// The index of the `}` or `;` that ends the item at `from`; a test-only field ends with the braces around it.
fn item_end(tokens: &[Token], from: usize) -> usize {
    let mut index = from;
    while let Some(token) = tokens.get(index) {
        if token.is_sign(";") || token.is_sign("}") {
            return index;
        }
        if token.is_sign("{") {
            return closing(tokens, index);
        }
        let opens = token.is_sign("(") || token.is_sign("[");
        index = if opens { closing(tokens, index) + 1 } else { index + 1 };
    }
    tokens.len().saturating_sub(1)
}

fn declared_module(tokens: &[Token], item: usize) -> Option<String> {
    let word = tokens.get(item..)?.iter().position(|token| token.is_word("mod"))? + item;
    // Only `pub`, `pub(crate)` may stand between the attributes and `mod`.
    let name = tokens.get(word + 1).filter(|token| token.kind == Kind::Word)?;
    let ends = tokens.get(word + 2).is_some_and(|token| token.is_sign(";"));
    (word - item <= 4 && ends).then(|| name.text.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::lexer::lex;

    fn lines(source: &str) -> Vec<RangeInclusive<usize>> {
        test_code(&lex(source).tokens).lines
    }

    #[test]
    fn a_test_module_is_found_with_its_attributes() {
        assert_eq!(
            lines("fn a() {}\n#[cfg(test)]\n#[path = \"x\"]\nmod tests {\n  fn b() {}\n}\nfn c() {}"),
            [2..=6]
        );
    }

    #[test]
    fn functions_of_any_test_runtime_are_tests() {
        assert_eq!(
            lines("#[tokio::test(flavor = \"x\")]\nasync fn a() {\n}\n#[test]\nfn b() {}"),
            [1..=3, 4..=5]
        );
    }

    #[test]
    fn code_for_other_configurations_is_no_test() {
        assert_eq!(
            lines(
                "#[cfg(not(test))]\nfn a() {}\n#[cfg(any(test, unix))]\nfn b() {}\n#[derive(Debug)]\nstruct S;"
            ),
            []
        );
    }

    #[test]
    fn declared_test_modules_are_named() {
        let found =
            test_code(&lex("#[cfg(test)]\npub(crate) mod stories;\n#[cfg(test)]\nmod inline { }").tokens);
        assert_eq!(found.modules, ["stories"]);
    }

    #[test]
    fn modules_lie_beside_mod_rs_and_beneath_other_files() {
        assert_eq!(module_folder("crates/core/src/lib.rs"), "crates/core/src/");
        assert_eq!(module_folder("crates/core/src/ledger.rs"), "crates/core/src/ledger/");
    }
}
