//! Words that may not stay: leftovers, silenced lints, sleeping tests, glob imports, names that say nothing.

use super::finding::Finding;
use super::imports::imports;
use super::lexer::{Token, begins_with, lex};
use super::tree::{Source, Text, Tree};

/// Where a word is banned.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Everywhere,
    Tests,
    OutsideTests,
}

/// Code as it is written, where it is banned, and what to do instead.
const BANNED: [(&str, Scope, &str); 9] = [
    ("dbg!(", Scope::Everywhere, "delete it"),
    ("todo!(", Scope::Everywhere, "write it, or leave the whole thing out"),
    ("unimplemented!(", Scope::Everywhere, "write it, or leave the whole thing out"),
    ("#[ignore", Scope::Everywhere, "make the test run, or delete it"),
    ("#[allow(", Scope::Everywhere, "use #[expect(lint, reason = \"…\")]"),
    ("#![allow(", Scope::Everywhere, "use #[expect(lint, reason = \"…\")]"),
    ("thread::sleep", Scope::Tests, "wait for an event, or move the clock by hand"),
    ("time::sleep", Scope::Tests, "wait for an event, or move the clock by hand"),
    (".unwrap()", Scope::OutsideTests, "return the error, or `expect` with the proof why it cannot happen"),
];

const LEFTOVER: &str = "FIXME";
const LATER: &str = "TODO";
const EMPTY_NAMES: [&str; 6] = ["helper", "helpers", "util", "utils", "common", "misc"];

/// Texts besides Rust whose comments are read.
const COMMENTED: [&str; 9] = [".sql", ".sh", ".toml", ".yml", ".yaml", ".ts", ".tsx", ".css", "Makefile"];

/// Checks all Rust sources, and the other sources for leftovers.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let bans: Vec<(Vec<Token>, _)> = BANNED.iter().map(|ban| (lex(ban.0).tokens, ban)).collect();
    let mut findings = Vec::new();
    for source in &tree.sources {
        for (tokens, (spelled, scope, remedy)) in &bans {
            let lines = occurrences(source, tokens).into_iter().filter(|line| applies(*scope, source, *line));
            findings
                .extend(lines.map(|line| Finding::new(&source.path, line, format!("`{spelled}`"), *remedy)));
        }
        findings.extend(globs(source));
        findings.extend(names(source));
        for comment in &source.lexed.comments {
            findings.extend(leftovers(&source.path, comment.line, &comment.text));
        }
    }
    let others = tree.texts.iter().filter(|file| COMMENTED.iter().any(|ending| file.path.ends_with(ending)));
    findings.extend(others.flat_map(|Text { path, text }| leftovers(path, 1, text)));
    findings
}

fn occurrences(source: &Source, pattern: &[Token]) -> Vec<usize> {
    let tokens = &source.lexed.tokens;
    let starts = (0..tokens.len()).filter(|index| begins_with(&tokens[*index..], pattern));
    let mut lines: Vec<usize> = starts.map(|index| tokens[index].line).collect();
    // `use tokio::time::{sleep, Duration}` is spelled only after it is written out.
    let path: String = pattern.iter().map(|token| token.text.as_str()).collect();
    let imported = imports(tokens).into_iter().filter(|import| import.path.ends_with(&format!("::{path}")));
    lines.extend(imported.map(|import| import.line));
    lines.sort_unstable();
    lines.dedup();
    lines
}

fn applies(scope: Scope, source: &Source, line: usize) -> bool {
    match scope {
        Scope::Everywhere => true,
        Scope::Tests => source.tests_at(line),
        Scope::OutsideTests => !source.tests_at(line),
    }
}

fn globs(source: &Source) -> Vec<Finding> {
    let all = imports(&source.lexed.tokens);
    let globs = all.iter().filter(|import| import.path == "*" || import.path.ends_with("::*"));
    let banned = globs.filter(|import| import.path != "super::*" || !source.tests_at(import.line));
    banned
        .map(|import| {
            let wrong = format!("`use {}`", import.path);
            Finding::new(
                &source.path,
                import.line,
                wrong,
                "name what is imported; only tests may `use super::*`",
            )
        })
        .collect()
}

/// Files, folders and inline modules with a name that says nothing.
fn names(source: &Source) -> Vec<Finding> {
    let empty = |name: &str| name.split('_').any(|part| EMPTY_NAMES.contains(&part));
    let mut found = Vec::new();
    if let Some(part) = source.path.trim_end_matches(".rs").split('/').find(|part| empty(part)) {
        found.push((1, part));
    }
    for pair in source.lexed.tokens.windows(2) {
        if pair[0].is_word("mod") && empty(&pair[1].text) {
            found.push((pair[0].line, pair[1].text.as_str()));
        }
    }
    let finding = |(line, name): (usize, &str)| {
        Finding::new(&source.path, line, format!("the name `{name}` says nothing"), "name the topic")
    };
    found.into_iter().map(finding).collect()
}

fn leftovers(path: &str, first_line: usize, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let at = first_line + index;
        if has_word(line, LEFTOVER, |_| true) {
            findings.push(Finding::new(path, at, format!("`{LEFTOVER}`"), "fix it"));
        }
        if has_word(line, LATER, |rest| !(rest.starts_with("(when ") && rest.contains("):"))) {
            let wrong = format!("`{LATER}` without a condition");
            findings.push(Finding::new(path, at, wrong, format!("write `{LATER}(when …): …`, or do it")));
        }
    }
    findings
}

/// Whether `word` stands alone in `line` and what follows it is as `wanted`.
fn has_word(line: &str, word: &str, wanted: impl Fn(&str) -> bool) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + word.len()..]);
        let inside = |next: char| next.is_alphanumeric() || next == '_';
        !before.ends_with(inside) && !after.starts_with(inside) && wanted(after)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, source: &str) -> Vec<String> {
        check(&Tree::of(&[(path, source)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_banned_word_is_found_where_it_is_banned() {
        for (spelled, scope, _) in BANNED {
            let inside = format!("#[cfg(test)]\nmod tests {{\nfn a() {{ x {spelled} }}\n}}");
            let outside = format!("fn a() {{\nx {spelled} }}");
            assert_eq!(found("a.rs", &inside).is_empty(), scope == Scope::OutsideTests, "{spelled}");
            assert_eq!(found("a.rs", &outside).is_empty(), scope == Scope::Tests, "{spelled}");
        }
    }

    #[test]
    fn words_in_strings_and_comments_are_no_code() {
        assert_eq!(
            found("a.rs", "//! dbg!(x) and .unwrap()\nconst A: &str = \"todo!() #[allow(x)]\";"),
            Vec::<String>::new()
        );
        assert_eq!(found("a.rs", "fn a() { x.unwrap_or(1); y.unwrap_or_default(); }"), Vec::<String>::new());
    }

    #[test]
    fn an_imported_sleep_is_found_in_tests() {
        let source = "use tokio::time::{Duration, sleep};";
        assert_eq!(found("crates/a/tests/story.rs", source).len(), 1);
        assert_eq!(found("crates/a/src/worker.rs", source), Vec::<String>::new());
    }

    #[test]
    fn only_tests_may_import_everything_from_above() {
        assert_eq!(found("a.rs", "#[cfg(test)]\nmod tests { use super::*; }"), Vec::<String>::new());
        assert_eq!(found("a.rs", "use super::*;").len(), 1);
        assert_eq!(found("crates/a/tests/b.rs", "use proptest::prelude::*;").len(), 1);
    }

    #[test]
    fn later_needs_a_condition() {
        let text = |rest: &str| format!("// {LATER}{rest}\n");
        assert_eq!(
            found("a.rs", &text("(when the ERP sends partials): split the line")),
            Vec::<String>::new()
        );
        for rest in [": soon", "", "(me): soon", "(when soon)"] {
            assert_eq!(found("a.rs", &text(rest)).len(), 1, "{rest}");
        }
        assert_eq!(found("a.sql", &format!("-- {LEFTOVER} index\n")).len(), 1);
        assert_eq!(found("a.rs", "// TODOS and METODO are other words\n"), Vec::<String>::new());
    }

    #[test]
    fn names_that_say_nothing_are_found_in_paths_and_modules() {
        assert_eq!(found("crates/a/src/money_helpers.rs", "").len(), 1);
        assert_eq!(found("crates/a/tests/common/mod.rs", "").len(), 1);
        assert_eq!(found("a.rs", "mod util {}").len(), 1);
        assert_eq!(found("crates/a/src/utility_bill.rs", ""), Vec::<String>::new());
    }
}
