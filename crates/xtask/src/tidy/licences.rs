//! Licences of everything that is linked or run to build: only permissive ones.
//!
//! The same list stands in `deny.toml`; a test compares them.

use super::finding::Finding;
use super::metadata::{Metadata, Package};
use super::spdx;
use super::tree::Tree;

/// Licences that ask for no more than to be named.
const PERMISSIVE: [&str; 12] = [
    "MIT",
    "Apache-2.0",
    "ISC",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "Unicode-3.0",
    "Zlib",
    "CC0-1.0",
    "Unlicense",
    "BSL-1.0",
    "0BSD",
    "CDLA-Permissive-2.0",
];
/// Exceptions that only give more.
const EXCEPTIONS: [&str; 1] = ["LLVM-exception"];

/// Checks every package of the graph, on every platform.
pub(crate) fn check(metadata: &Metadata, tree: &Tree) -> Vec<Finding> {
    metadata
        .packages
        .iter()
        .filter_map(|package| fault(package).map(|wrong| finding(package, wrong, tree)))
        .collect()
}

fn fault(package: &Package) -> Option<String> {
    let named = format!("{} {}", package.name, package.version);
    let Some(expression) = &package.license else {
        return Some(format!("{named} names no licence"));
    };
    match spdx::satisfied(expression, &permits) {
        Ok(true) => None,
        Ok(false) => Some(format!("{named} is licensed `{expression}`, which is not permissive")),
        Err(error) => Some(format!("{named} has the licence `{expression}` that cannot be read: {error}")),
    }
}

fn permits(licence: &str, exception: Option<&str>) -> bool {
    PERMISSIVE.contains(&licence) && exception.is_none_or(|name| EXCEPTIONS.contains(&name))
}

fn finding(package: &Package, wrong: String, tree: &Tree) -> Finding {
    let line = lock_line(tree, &package.name, Some(&package.version));
    Finding::new("Cargo.lock", line, wrong, "use another crate")
}

/// The line of a package in the lock file; 1 when it is not there.
pub(crate) fn lock_line(tree: &Tree, name: &str, version: Option<&str>) -> usize {
    let lines: Vec<&str> = tree.text("Cargo.lock").unwrap_or_default().lines().collect();
    let (name, version) =
        (format!("name = \"{name}\""), version.map(|version| format!("version = \"{version}\"")));
    let is_it = |pair: &[&str]| pair[0] == name && version.as_ref().is_none_or(|version| pair[1] == version);
    lines.windows(2).position(is_it).map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(license: Option<&str>) -> Package {
        Package {
            id: "a".to_owned(),
            name: "a".to_owned(),
            version: "1.0.0".to_owned(),
            license: license.map(str::to_owned),
            manifest_path: String::new(),
            dependencies: Vec::new(),
        }
    }

    #[test]
    fn permissive_licences_are_fine() {
        for license in [
            "MIT OR Apache-2.0",
            "Apache-2.0 WITH LLVM-exception",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "MIT OR LGPL-2.1-or-later",
        ] {
            assert_eq!(fault(&package(Some(license))), None, "{license}");
        }
    }

    #[test]
    fn licences_that_ask_for_more_are_findings() {
        for license in [
            "MPL-2.0",
            "AGPL-3.0-only",
            "MIT AND GPL-2.0-only",
            "BUSL-1.1",
            "Apache-2.0 WITH Odd-exception",
            "see file",
        ] {
            assert!(fault(&package(Some(license))).is_some(), "{license}");
        }
        assert!(fault(&package(None)).is_some());
    }

    #[test]
    fn a_finding_points_into_the_lock_file() {
        let lock = "[[package]]\nname = \"a\"\nversion = \"0.9.0\"\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n";
        let tree = Tree::of(&[("Cargo.lock", lock)]);
        assert_eq!(lock_line(&tree, "a", Some("1.0.0")), 6);
        assert_eq!(lock_line(&tree, "a", None), 2);
    }

    #[test]
    fn cargo_deny_has_the_same_list() {
        let deny = include_str!("../../../../deny.toml");
        let list =
            deny.split_once("\nallow = [").and_then(|(_, rest)| rest.split_once(']')).map(|(list, _)| list);
        let mut listed: Vec<&str> = list.expect("a list of licences").split('"').skip(1).step_by(2).collect();
        let exceptions = listed.iter().position(|name| *name == "Apache-2.0 WITH LLVM-exception");
        listed.remove(exceptions.expect("the one exception"));
        assert_eq!(listed, PERMISSIVE);
    }
}
