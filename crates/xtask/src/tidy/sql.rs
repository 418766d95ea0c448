//! SQL of the store: columns are named, both engines have the same migrations, and few statements differ by engine.

use std::collections::BTreeMap;

use super::finding::Finding;
use super::lexer::{Kind, Token};
use super::tree::{Source, Text, Tree};

const STORE: &str = "crates/store/";
const MIGRATIONS: [&str; 2] = ["crates/store/migrations/sqlite/", "crates/store/migrations/postgres/"];
/// How many statements may have one text for each engine.
const DIALECTS: usize = 10;

/// Checks the store's sources and migrations.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = all_columns(tree);
    findings.extend(dialects(tree));
    findings.extend(migrations(tree));
    findings
}

fn all_columns(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree.sources.iter().filter(|source| source.path.starts_with(STORE)) {
        for token in source.lexed.tokens.iter().filter(|token| token.kind == Kind::Text) {
            findings.extend(stars(&source.path, token.line, &token.text));
        }
    }
    let scripts =
        tree.texts.iter().filter(|file| file.path.starts_with(STORE) && file.path.ends_with(".sql"));
    findings.extend(scripts.flat_map(|Text { path, text }| stars(path, 1, text)));
    findings
}

/// Finds `select *`, `select distinct *`, `select t.*` and `returning *`, however they are spaced; `count(*)` is fine.
fn stars(path: &str, first_line: usize, statement: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut previous = String::new();
    for (index, line) in statement.lines().enumerate() {
        for word in line.split_whitespace().filter(|word| !["\\", "\\n"].contains(word)) {
            let word = word.trim_start_matches('(').to_lowercase();
            let star = word.trim_end_matches([',', ')', ';']);
            let all = star == "*" || star.ends_with(".*");
            if all && ["select", "distinct", "returning"].contains(&previous.as_str()) {
                let wrong = format!("`{previous} {star}`");
                findings.push(Finding::new(path, first_line + index, wrong, "list the columns"));
            }
            previous = word;
        }
    }
    findings
}

fn dialects(tree: &Tree) -> Vec<Finding> {
    let mut places = Vec::new();
    for source in tree.sources.iter().filter(|source| source.belongs_to("store")) {
        let calls = calls(&source.lexed.tokens);
        places.extend(calls.into_iter().filter(|line| !source.tests_at(*line)).map(|line| (source, line)));
    }
    let count = places.len();
    let over = places.into_iter().skip(DIALECTS);
    over.map(|(Source { path, .. }, line)| {
        let wrong = format!("{count} statements differ by engine, at most {DIALECTS}");
        Finding::new(path, line, wrong, "find one text for both engines")
    })
    .collect()
}

/// The lines of `dialect(…)` and `dialect!(…)`; the definition is not a call.
fn calls(tokens: &[Token]) -> Vec<usize> {
    let is_call = |index: &usize| {
        let bang = usize::from(tokens.get(index + 1).is_some_and(|token| token.is_sign("!")));
        let defined = *index > 0 && tokens[index - 1].is_word("fn");
        tokens[*index].is_word("dialect")
            && !defined
            && tokens.get(index + 1 + bang).is_some_and(|token| token.is_sign("("))
    };
    (0..tokens.len()).filter(is_call).map(|index| tokens[index].line).collect()
}

fn migrations(tree: &Tree) -> Vec<Finding> {
    let names = |folder: &str| -> Vec<String> {
        let inside = tree.texts.iter().filter_map(|file| file.path.strip_prefix(folder));
        inside.map(str::to_owned).collect()
    };
    let [sqlite, postgres] = MIGRATIONS.map(names);
    let mut findings = missing(MIGRATIONS[1], &postgres, &sqlite);
    findings.extend(missing(MIGRATIONS[0], &sqlite, &postgres));
    findings.extend(numbering(MIGRATIONS[0], &sqlite));
    findings.extend(numbering(MIGRATIONS[1], &postgres));
    findings
}

fn missing(folder: &str, names: &[String], wanted: &[String]) -> Vec<Finding> {
    let absent = wanted.iter().filter(|name| !names.contains(name));
    absent
        .map(|name| {
            let remedy = "give both engines a migration with the same number and name";
            Finding::new(
                &format!("{folder}{name}"),
                1,
                "the migration exists for the other engine only",
                remedy,
            )
        })
        .collect()
}

/// `0001_name.sql`, each number once.
fn numbering(folder: &str, names: &[String]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut numbers: BTreeMap<&str, &str> = BTreeMap::new();
    for name in names {
        let path = format!("{folder}{name}");
        let Some(number) = number_of(name) else {
            findings.push(Finding::new(
                &path,
                1,
                "not the name of a migration",
                "name it `NNNN_what_it_does.sql`",
            ));
            continue;
        };
        if let Some(other) = numbers.insert(number, name) {
            findings.push(Finding::new(
                &path,
                1,
                format!("{other} has the same number"),
                "take the next number",
            ));
        }
    }
    findings
}

fn number_of(name: &str) -> Option<&str> {
    let (number, rest) = name.strip_suffix(".sql")?.split_once('_')?;
    let plain = |next: char| next.is_ascii_lowercase() || next.is_ascii_digit() || next == '_';
    (number.len() == 4
        && number.chars().all(|next| next.is_ascii_digit())
        && !rest.is_empty()
        && rest.chars().all(plain))
    .then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::of(files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn columns_are_listed() {
        for text in [
            "select * from a",
            "SELECT\\n  *\\nfrom a",
            "select distinct t.* from t",
            "(select *) x",
            "delete from a returning *;",
        ] {
            let source = format!("const A: &str = \"{}\";", text.replace("\\n", "\n"));
            assert_eq!(found(&[("crates/store/src/a.rs", &source)]).len(), 1, "{text}");
        }
        assert_eq!(
            found(&[("crates/store/src/a.rs", "const A: &str = \"select count(*), a * 2 from t\";")]),
            Vec::<String>::new()
        );
        assert_eq!(found(&[("crates/store/src/a.rs", "//! never select *\n")]), Vec::<String>::new());
        assert_eq!(
            found(&[("crates/engine/src/a.rs", "const A: &str = \"select * from a\";")]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_star_is_reported_on_its_own_line() {
        let source = "const A: &str = \"\nselect\n  *\nfrom a\";";
        assert!(found(&[("crates/store/src/a.rs", source)])[0].starts_with("crates/store/src/a.rs:3:"));
    }

    #[test]
    fn ten_statements_may_differ_by_engine() {
        let source = |count: usize| {
            format!("fn dialect() {{}}\n{}", "const A: &str = dialect!(a, b);\n".repeat(count))
        };
        assert_eq!(found(&[("crates/store/src/a.rs", &source(10))]), Vec::<String>::new());
        let findings = found(&[("crates/store/src/a.rs", &source(11))]);
        assert!(findings[0].starts_with("crates/store/src/a.rs:12: 11 statements differ"));
    }

    #[test]
    fn both_engines_have_the_same_migrations() {
        let pair = [
            ("crates/store/migrations/sqlite/0001_start.sql", ""),
            ("crates/store/migrations/postgres/0001_start.sql", ""),
        ];
        assert_eq!(found(&pair), Vec::<String>::new());
        assert_eq!(found(&pair[..1]).len(), 1);
        let renamed = [pair[0], ("crates/store/migrations/postgres/0001_begin.sql", "")];
        assert_eq!(found(&renamed).len(), 2);
    }

    #[test]
    fn a_number_is_used_once_and_written_with_four_digits() {
        let both = |name: &str| MIGRATIONS.map(|folder| format!("{folder}{name}"));
        for name in ["1_start.sql", "0001.sql", "0001_Start.sql", "notes.txt"] {
            let paths = both(name);
            assert_eq!(found(&[(&paths[0], ""), (&paths[1], "")]).len(), 2, "{name}");
        }
        let (one, two) = (both("0001_a.sql"), both("0001_b.sql"));
        assert_eq!(found(&[(&one[0], ""), (&one[1], ""), (&two[0], ""), (&two[1], "")]).len(), 2);
    }
}
