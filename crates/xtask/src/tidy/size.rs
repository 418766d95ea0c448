//! Sizes: functions, files, test files and argument lists that fit a head and a screen.
//!
//! Also counts floats outside tests, which have no place near money. All of it goes through the ratchet of `allow`.

use super::allow::Measure;
use super::functions::functions;
use super::lexer::{Kind, Token};
use super::tree::{Source, Tree};

const FUNCTION_LINES: usize = 70;
const FILE_LINES: usize = 500;
const TEST_LINES: usize = 800;
const ARGUMENTS: usize = 6;

/// Counts everything that has a limit.
pub(crate) fn measure(tree: &Tree) -> Vec<Measure> {
    tree.sources.iter().flat_map(measure_source).collect()
}

fn measure_source(source: &Source) -> Vec<Measure> {
    let mut measures = measure_functions(source);
    measures.extend(measure_lines(source));
    measures.push(measure_floats(source));
    measures
}

fn measure_functions(source: &Source) -> Vec<Measure> {
    let mut measures = Vec::new();
    for function in functions(&source.lexed.tokens) {
        let one = |rule, actual, limit, what, remedy| Measure {
            rule,
            subject: format!("{}#{}", source.path, function.name),
            path: source.path.clone(),
            line: function.line,
            actual,
            limit,
            what: format!("{what} of function `{}`", function.name),
            remedy,
        };
        let split = "move whole steps to functions with names";
        measures.push(one("function", function.lines, FUNCTION_LINES, "lines", split));
        let gather = "pass a struct with named fields";
        measures.push(one("arguments", function.arguments, ARGUMENTS, "arguments", gather));
    }
    measures
}

/// A file with tests inside has two sizes: without its tests, and its tests.
fn measure_lines(source: &Source) -> [Measure; 2] {
    let inside: usize = source.test_code.lines.iter().map(|range| range.end() - range.start() + 1).sum();
    let tests = if source.is_test { source.line_count } else { inside };
    let one = |rule, actual, limit, what: &str| Measure {
        rule,
        subject: source.path.clone(),
        path: source.path.clone(),
        line: 1,
        actual,
        limit,
        what: what.to_owned(),
        remedy: "split it by topic",
    };
    [
        one("file", source.line_count.saturating_sub(tests), FILE_LINES, "lines without tests"),
        one("tests", tests, TEST_LINES, "lines of tests"),
    ]
}

fn measure_floats(source: &Source) -> Measure {
    let mut lines: Vec<usize> =
        source.lexed.tokens.iter().filter(|token| is_float(token)).map(|token| token.line).collect();
    lines.retain(|line| !source.tests_at(*line));
    lines.dedup();
    Measure {
        rule: "float",
        subject: source.path.clone(),
        path: source.path.clone(),
        line: lines.first().copied().unwrap_or(1),
        actual: lines.len(),
        limit: 0,
        what: "lines with f32 or f64".to_owned(),
        remedy: "count in whole units, or keep the number as text",
    }
}

fn is_float(token: &Token) -> bool {
    let suffixed = token.text.ends_with("f64") || token.text.ends_with("f32");
    match token.kind {
        Kind::Word => ["f32", "f64"].contains(&token.text.as_str()),
        Kind::Number => suffixed && !token.text.starts_with("0x"),
        Kind::Text | Kind::Character | Kind::Lifetime | Kind::Sign => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::allow::ratchet;

    fn found(path: &str, source: &str) -> Vec<String> {
        ratchet(&measure(&Tree::of(&[(path, source)])), "").iter().map(ToString::to_string).collect()
    }

    #[test]
    fn seventy_lines_fit_and_seventy_one_do_not() {
        let function = |lines: usize| format!("fn a() {{\n{}}}\n", "\n".repeat(lines - 2));
        assert_eq!(found("a.rs", &function(70)), Vec::<String>::new());
        assert!(found("a.rs", &function(71))[0].starts_with("a.rs:1: 71 lines of function `a`, at most 70;"));
    }

    #[test]
    fn tests_inside_a_file_do_not_count_towards_the_file() {
        let source = format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", "\n".repeat(499), "\n".repeat(700));
        assert_eq!(found("a.rs", &source), Vec::<String>::new());
        let code = "\n".repeat(501);
        assert!(found("a.rs", &code)[0].contains("501 lines without tests, at most 500"));
        assert_eq!(found("crates/a/tests/story.rs", &code), Vec::<String>::new());
        assert!(
            found("crates/a/tests/story.rs", &"\n".repeat(801))[0]
                .contains("801 lines of tests, at most 800")
        );
    }

    #[test]
    fn a_seventh_argument_is_one_too_many() {
        assert_eq!(found("a.rs", "fn a(&self, b: u8, c: u8, d: u8, e: u8, f: u8) {}"), Vec::<String>::new());
        let findings = found("a.rs", "fn a(&self, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8) {}");
        assert!(findings[0].contains("7 arguments of function `a`, at most 6"));
    }

    #[test]
    fn floats_count_by_line_outside_tests() {
        assert!(
            found("a.rs", "fn a() -> f64 { 1_f64 as f64 }\nfn b(c: f32) {}")[0].contains("2 lines with f32")
        );
        let fine = "const A: u32 = 0x1f32; // f64\n#[cfg(test)]\nmod tests { const B: f64 = 1.0; }";
        assert_eq!(found("a.rs", fine), Vec::<String>::new());
    }
}
