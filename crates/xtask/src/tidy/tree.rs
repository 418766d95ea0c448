//! The files of the repository, read once: all texts, and the Rust sources cut into tokens.
//!
//! `run` reads the tree from the disk; tests of the checks build one from small texts.

use std::fs;
use std::io;
use std::path::Path;

use super::lexer::{Lexed, lex};
use super::test_code::{TestCode, is_test_path, module_folder, test_code};

/// Folders that hold nothing that people wrote: at the root, and at any depth.
const SKIPPED_AT_ROOT: [&str; 3] = [".git", "target", "var"];
const SKIPPED: [&str; 2] = ["node_modules", "dist"];

/// A text file.
#[derive(Debug)]
pub(crate) struct Text {
    /// From the root of the repository, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A Rust source.
#[derive(Debug)]
pub(crate) struct Source {
    /// From the root of the repository, with `/`.
    pub(crate) path: String,
    pub(crate) line_count: usize,
    pub(crate) lexed: Lexed,
    /// The whole file is test code.
    pub(crate) is_test: bool,
    pub(crate) test_code: TestCode,
}

impl Source {
    fn parse(file: &Text) -> Self {
        let lexed = lex(&file.text);
        let test_code = test_code(&lexed.tokens);
        let line_count = file.text.lines().count();
        Self { path: file.path.clone(), line_count, lexed, is_test: is_test_path(&file.path), test_code }
    }

    /// Whether this line is test code.
    pub(crate) fn tests_at(&self, line: usize) -> bool {
        self.is_test || self.test_code.lines.iter().any(|range| range.contains(&line))
    }

    /// Whether the file belongs to the crate in `crates/<name>/src`.
    pub(crate) fn belongs_to(&self, name: &str) -> bool {
        self.path.starts_with(&format!("crates/{name}/src/"))
    }

    /// Code that only feeds other tests, such as a compile-fail case, is not held to the rules.
    fn is_fixture(path: &str) -> bool {
        path.contains("/fixtures/")
    }
}

/// All files.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) texts: Vec<Text>,
    pub(crate) sources: Vec<Source>,
}

impl Tree {
    /// Reads everything under `root` except build results; files that are not UTF-8 are not texts.
    ///
    /// # Errors
    /// A folder or a file that cannot be read.
    pub(crate) fn read(root: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        walk(root, "", &mut files)?;
        Ok(Self::new(files))
    }

    /// From paths and texts.
    pub(crate) fn new(mut texts: Vec<Text>) -> Self {
        texts.sort_by(|one, other| one.path.cmp(&other.path));
        let rust = texts.iter().filter(|file| file.path.ends_with(".rs") && !Source::is_fixture(&file.path));
        let mut sources: Vec<Source> = rust.map(Source::parse).collect();
        mark_declared_tests(&mut sources);
        Self { texts, sources }
    }

    /// The text at `path`.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.texts.iter().find(|file| file.path == path).map(|file| file.text.as_str())
    }

    /// A tree of small texts.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let text = |(path, text): &(&str, &str)| Text { path: (*path).to_owned(), text: (*text).to_owned() };
        Self::new(files.iter().map(text).collect())
    }
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<Text>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let kind = entry.file_type()?;
        let skipped = SKIPPED.contains(&name.as_str()) || SKIPPED_AT_ROOT.contains(&path.as_str());
        if kind.is_dir() && !skipped {
            walk(&entry.path(), &format!("{path}/"), files)?;
        } else if kind.is_file()
            && let Ok(text) = String::from_utf8(fs::read(entry.path())?)
        {
            files.push(Text { path, text });
        }
    }
    Ok(())
}

/// A file declared by `#[cfg(test)] mod name;` is test code, and so is everything beneath it.
fn mark_declared_tests(sources: &mut [Source]) {
    let declared = |source: &Source| {
        let folder = module_folder(&source.path);
        source.test_code.modules.iter().map(|name| format!("{folder}{name}")).collect::<Vec<_>>()
    };
    let modules: Vec<String> = sources.iter().flat_map(declared).collect();
    for source in sources {
        let beneath = |module: &String| {
            source
                .path
                .strip_prefix(module.as_str())
                .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        };
        source.is_test |= modules.iter().any(beneath);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_declared_as_test_modules_are_tests() {
        let tree = Tree::of(&[
            ("crates/a/src/lib.rs", "#[cfg(test)]\nmod stories;\nmod code;\n"),
            ("crates/a/src/stories.rs", "fn a() {}"),
            ("crates/a/src/stories/more.rs", "fn a() {}"),
            ("crates/a/src/code.rs", "fn a() {}"),
        ]);
        let tests: Vec<_> =
            tree.sources.iter().filter(|file| file.is_test).map(|file| file.path.as_str()).collect();
        assert_eq!(tests, ["crates/a/src/stories.rs", "crates/a/src/stories/more.rs"]);
    }
}
