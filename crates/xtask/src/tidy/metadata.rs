//! What cargo knows: packages, their declared dependencies and licences, and what is built here.
//!
//! Called by `run`. The shape is format version 1 of `cargo metadata` (The Cargo Book, "cargo metadata").

use std::process::Command;

use serde::Deserialize;

/// The packages of the workspace and everything they use.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    /// Package ids.
    pub(crate) workspace_members: Vec<String>,
    pub(crate) workspace_root: String,
}

/// One version of a package.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    /// An SPDX expression.
    pub(crate) license: Option<String>,
    /// Absolute.
    pub(crate) manifest_path: String,
    pub(crate) dependencies: Vec<Dependency>,
}

/// A dependency as the manifest declares it.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    /// The package's name, also when the manifest renames it.
    pub(crate) name: String,
    /// `None` is a normal one; otherwise `dev` or `build`.
    pub(crate) kind: Option<String>,
}

/// A package that is built on this machine's platform for normal dependencies.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Built {
    pub(crate) name: String,
    pub(crate) version: String,
}

/// Asks cargo for all packages on all platforms. Without a network first, as a check should run.
///
/// # Errors
/// Cargo's own words when it fails both ways, or why its answer could not be read.
pub(crate) fn load() -> Result<Metadata, String> {
    let json = cargo(&["metadata", "--format-version", "1"])?;
    serde_json::from_slice(&json)
        .map_err(|error| format!("cannot read the answer of cargo metadata: {error}"))
}

/// Asks cargo what it builds here. `cargo metadata` cannot say: its graph holds optional dependencies nobody enabled.
///
/// # Errors
/// Cargo's own words when it fails.
pub(crate) fn built() -> Result<Vec<Built>, String> {
    let tree = cargo(&["tree", "--workspace", "--edges", "normal", "--prefix", "none", "--format", "{p}"])?;
    Ok(String::from_utf8_lossy(&tree).lines().filter_map(built_line).collect())
}

/// `syn v3.0.9 (proc-macro) (*)`.
fn built_line(line: &str) -> Option<Built> {
    let mut words = line.split_whitespace();
    let name = words.next()?.to_owned();
    let version = words.next()?.strip_prefix('v')?.to_owned();
    Some(Built { name, version })
}

fn cargo(arguments: &[&str]) -> Result<Vec<u8>, String> {
    output(Command::new("cargo").args(arguments).arg("--offline"))
        .or_else(|_| output(Command::new("cargo").args(arguments)))
}

fn output(command: &mut Command) -> Result<Vec<u8>, String> {
    let output = command.output().map_err(|error| format!("cannot start {command:?}: {error}"))?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(format!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_tree_is_a_name_and_a_version() {
        let built = Built { name: "syn".to_owned(), version: "3.0.9".to_owned() };
        assert_eq!(built_line("syn v3.0.9 (proc-macro) (*)"), Some(built));
        assert_eq!(built_line(""), None);
    }
}
