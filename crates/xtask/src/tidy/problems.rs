//! Problem codes: every code that the API can answer has a page, and every page is about the code in its name.
//!
//! Codes are read from `Problem::new("code"` anywhere in the API and from `const …: &str` and `const …: [&str]` in
//! `crates/api/src/problem.rs` and the files below it. While there are none, there is nothing to check.

use super::finding::Finding;
use super::lexer::{Kind, Token, begins_with, lex};
use super::tree::Tree;

const PAGES: &str = "docs/problems/";
const INDEX: &str = "docs/problems/README.md";
const CODES: [&str; 2] = ["crates/api/src/problem.rs", "crates/api/src/problem/pages.rs"];

/// Checks pages, index and codes against each other.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = pages(tree);
    findings.extend(index(tree));
    findings.extend(codes(tree));
    findings
}

fn page_names(tree: &Tree) -> Vec<(&str, &str)> {
    let name =
        |path: &'_ str| -> Option<String> { Some(path.strip_prefix(PAGES)?.strip_suffix(".md")?.to_owned()) };
    let files = tree
        .texts
        .iter()
        .filter(|file| name(&file.path).is_some_and(|name| name != "README" && !name.contains('/')));
    files.map(|file| (file.path.as_str(), file.text.as_str())).collect()
}

fn code_of(path: &str) -> &str {
    path.trim_start_matches(PAGES).trim_end_matches(".md")
}

/// The title of a page is its code, so that a search for the code finds the page.
fn pages(tree: &Tree) -> Vec<Finding> {
    let pages = page_names(tree);
    let wrong = pages.into_iter().filter(|(path, text)| {
        let title = text.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap_or_default();
        title.trim().trim_matches('`') != code_of(path)
    });
    wrong
        .map(|(path, _)| {
            Finding::new(path, 1, "the title is not the code", format!("begin with `# {}`", code_of(path)))
        })
        .collect()
}

/// The index links every page and nothing else.
fn index(tree: &Tree) -> Vec<Finding> {
    let Some(text) = tree.text(INDEX) else { return Vec::new() };
    let mut linked = Vec::new();
    let mut findings = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for rest in line.split("](").skip(1) {
            let target = rest.split([')', '#']).next().unwrap_or_default().trim_start_matches("./");
            if !target.ends_with(".md") || target.contains('/') {
                continue;
            }
            linked.push(target);
            if tree.text(&format!("{PAGES}{target}")).is_none() {
                findings.push(Finding::new(
                    INDEX,
                    number + 1,
                    format!("{target} does not exist"),
                    "write the page",
                ));
            }
        }
    }
    let pages = page_names(tree);
    let unlisted =
        pages.iter().filter(|(path, _)| !linked.iter().any(|name| path.strip_prefix(PAGES) == Some(name)));
    let finding = |(path, _): &(&str, &str)| {
        Finding::new(path, 1, "the page is not in the index", format!("link it in {INDEX}"))
    };
    findings.extend(unlisted.map(finding));
    findings
}

fn codes(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree.sources.iter().filter(|source| source.belongs_to("api")) {
        let mut found = constructed(&source.lexed.tokens);
        if CODES.contains(&source.path.as_str()) {
            found.extend(declared(&source.lexed.tokens));
        }
        for token in found.into_iter().filter(|token| !source.tests_at(token.line)) {
            let page = format!("{PAGES}{}.md", token.text);
            if tree.text(&page).is_none() {
                let wrong = format!("the problem `{}` has no page", token.text);
                findings.push(Finding::new(&source.path, token.line, wrong, format!("write {page}")));
            }
        }
    }
    findings
}

fn constructed(tokens: &[Token]) -> Vec<&Token> {
    let pattern = lex("Problem::new(").tokens;
    let starts = (0..tokens.len()).filter(|index| begins_with(&tokens[*index..], &pattern));
    starts
        .filter_map(|index| tokens.get(index + pattern.len()))
        .filter(|token| token.kind == Kind::Text)
        .collect()
}

/// The texts of constants of type `&str`, `&[&str]` or `[&str; N]` that look like a code.
fn declared(tokens: &[Token]) -> Vec<&Token> {
    let mut found = Vec::new();
    for (index, _) in tokens.iter().enumerate().filter(|(_, token)| token.is_word("const")) {
        let rest = &tokens[index..];
        let Some(equals) = rest.iter().position(|token| token.is_sign("=")) else { continue };
        let of_text = rest[..equals].iter().any(|token| token.is_word("str"));
        // The type of an array holds a `;` too; the value ends at the first one after `=`.
        let value = rest[equals..].iter().take_while(|token| !token.is_sign(";"));
        if of_text {
            found.extend(value.filter(|token| token.kind == Kind::Text && is_code(&token.text)));
        }
    }
    found
}

fn is_code(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.chars().all(|next| next.is_ascii_lowercase() || next.is_ascii_digit() || "-_".contains(next))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: (&str, &str) = ("docs/problems/refund-too-large.md", "# refund-too-large\n\nText.\n");

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::of(files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_empty_api_has_nothing_to_explain() {
        assert_eq!(found(&[("crates/api/src/lib.rs", "//! HTTP API.\n")]), Vec::<String>::new());
    }

    #[test]
    fn a_code_without_a_page_is_a_finding() {
        let source = ("crates/api/src/refund.rs", "fn a() {\n  Problem::new(\"refund-too-large\", 409)\n}");
        assert!(
            found(&[source])[0]
                .starts_with("crates/api/src/refund.rs:2: the problem `refund-too-large` has no page")
        );
        assert_eq!(found(&[source, PAGE]), Vec::<String>::new());
    }

    #[test]
    fn constants_of_the_problem_module_are_codes() {
        let source = "const MEDIA: &str = \"application/problem+json\";\nconst CODES: [&str; 2] = [\"refund-too-large\", \"not-found\"];\nconst ONE: &str = \"conflict\";";
        let findings = found(&[(CODES[1], source), PAGE]);
        assert_eq!(findings.len(), 2);
        assert!(findings[0].contains("`not-found`") && findings[1].contains("`conflict`"));
    }

    #[test]
    fn a_page_is_titled_with_its_code() {
        assert_eq!(found(&[(PAGE.0, "# Refund too large\n")]).len(), 1);
        assert_eq!(found(&[(PAGE.0, "# `refund-too-large`\n")]), Vec::<String>::new());
    }

    #[test]
    fn the_index_and_the_pages_agree() {
        let index = |text| (INDEX, text);
        assert_eq!(found(&[PAGE, index("- [a](refund-too-large.md): text")]), Vec::<String>::new());
        assert_eq!(found(&[PAGE, index("nothing")]).len(), 1);
        assert_eq!(
            found(&[index("- [a](gone.md)")]),
            [format!("{INDEX}:1: gone.md does not exist; write the page")]
        );
    }
}
