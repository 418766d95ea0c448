//! Core, flow and connect are pure: no runtime, no input or output, no clock, no chance.
//!
//! `edges` keeps the crates out; this check keeps out what the standard library and `ring` would offer anyway.

use super::finding::Finding;
use super::imports::imports;
use super::lexer::{Token, begins_with, lex};
use super::tree::{Source, Tree};

const PURE: [&str; 3] = ["core", "flow", "connect"];

const SHELL: &str = "move it to engine, store or api, and pass the result in as a value";
const CLOCK: &str = "take `now` as an argument";
const CHANCE: &str = "take the generator or the id as an argument";

/// A path or a word as it is written in code, and what to do instead.
const BANNED: [(&str, &str); 17] = [
    ("tokio", SHELL),
    ("sqlx", SHELL),
    ("reqwest", SHELL),
    ("axum", SHELL),
    ("rusqlite", SHELL),
    ("tokio_postgres", SHELL),
    ("std::env", SHELL),
    ("std::fs", SHELL),
    ("std::net", SHELL),
    ("std::thread", SHELL),
    ("async", SHELL),
    ("await", SHELL),
    ("SystemTime", CLOCK),
    ("Instant::now", CLOCK),
    ("SystemRandom", CHANCE),
    ("ring::rand", CHANCE),
    ("rand::", CHANCE),
];

struct Ban {
    spelled: &'static str,
    tokens: Vec<Token>,
    remedy: &'static str,
}

/// Checks all sources of the pure crates, tests excepted.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let bans: Vec<Ban> = BANNED
        .iter()
        .map(|&(spelled, remedy)| Ban { spelled, tokens: lex(spelled).tokens, remedy })
        .collect();
    let pure = tree.sources.iter().filter(|source| PURE.iter().any(|name| source.belongs_to(name)));
    pure.flat_map(|source| bans.iter().flat_map(|ban| uses(source, ban))).collect()
}

fn uses(source: &Source, ban: &Ban) -> Vec<Finding> {
    let tokens = &source.lexed.tokens;
    let written = (0..tokens.len()).filter(|index| begins_with(&tokens[*index..], &ban.tokens));
    let mut lines: Vec<usize> = written.map(|index| tokens[index].line).collect();
    lines.extend(
        imports(tokens).iter().filter(|import| imported(&import.path, ban.spelled)).map(|import| import.line),
    );
    lines.sort_unstable();
    lines.dedup();
    lines.retain(|line| !source.tests_at(*line));
    let wrong = format!("`{}` in a pure crate", ban.spelled);
    lines.into_iter().map(|line| Finding::new(&source.path, line, wrong.clone(), ban.remedy)).collect()
}

fn imported(path: &str, banned: &str) -> bool {
    let banned = banned.trim_end_matches("::");
    path.strip_prefix(banned).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, source: &str) -> Vec<String> {
        check(&Tree::of(&[(path, source)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_banned_word_is_found() {
        for (spelled, _) in BANNED {
            let source = format!("fn a() {{\n    {spelled} x;\n}}");
            let findings = found("crates/core/src/a.rs", &source);
            assert!(findings.iter().any(|text| text.contains(&format!("a.rs:2: `{spelled}`"))), "{spelled}");
        }
    }

    #[test]
    fn a_group_does_not_hide_an_import() {
        let findings = found("crates/flow/src/a.rs", "use std::{\n    fmt,\n    fs::File,\n    env,\n};");
        assert_eq!(findings.len(), 2);
        assert!(findings[0].contains("a.rs:4: `std::env`") && findings[1].contains("a.rs:3: `std::fs`"));
    }

    #[test]
    fn comments_strings_tests_and_other_crates_are_free() {
        let source =
            "//! tokio\nconst A: &str = \"std::fs\";\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}";
        assert_eq!(found("crates/connect/src/a.rs", source), Vec::<String>::new());
        assert_eq!(found("crates/engine/src/a.rs", "use tokio::time;"), Vec::<String>::new());
    }

    #[test]
    fn words_that_only_look_alike_are_fine() {
        let source = "fn operand(brand: u8) { let a = std::environment; now(Instant); my_tokio(); }";
        assert_eq!(found("crates/core/src/a.rs", source), Vec::<String>::new());
    }
}
