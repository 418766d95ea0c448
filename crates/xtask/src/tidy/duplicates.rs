//! Packages that are built in several incompatible versions: more to compile, more to review, types that do not meet.
//!
//! Looks at normal dependencies on this machine's platform. What cannot be avoided stands in the ratchet of `allow`,
//! and `deny.toml` skips the same packages; a test compares them.

use std::collections::{BTreeMap, BTreeSet};

use super::allow::Measure;
use super::licences::lock_line;
use super::metadata::Built;
use super::tree::Tree;

/// Counts the incompatible versions of every package.
pub(crate) fn measure(built: &[Built], tree: &Tree) -> Vec<Measure> {
    let mut versions: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for package in built {
        versions.entry(&package.name).or_default().insert(compatible(&package.version));
    }
    versions.into_iter().map(|(name, versions)| one(name, &versions, tree)).collect()
}

fn one(name: &str, versions: &BTreeSet<String>, tree: &Tree) -> Measure {
    let listed: Vec<&str> = versions.iter().map(String::as_str).collect();
    Measure {
        rule: "duplicate",
        subject: name.to_owned(),
        path: "Cargo.lock".to_owned(),
        line: lock_line(tree, name, None),
        actual: versions.len(),
        limit: 1,
        what: format!("incompatible versions of {name} ({})", listed.join(", ")),
        remedy: "agree on one version; `cargo tree --duplicates --edges normal` shows who uses which",
    }
}

/// The part of a version that must agree: `1`, `0.22`, `0.0.3`.
fn compatible(version: &str) -> String {
    let parts: Vec<&str> = version.split(['.', '-', '+']).take(3).collect();
    let zeros = parts.iter().take(2).take_while(|part| **part == "0").count();
    parts.into_iter().take(zeros + 1).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::allow::{PATH, ratchet};

    fn found(built: &[(&str, &str)], allow: &str) -> Vec<String> {
        let built: Vec<Built> = built
            .iter()
            .map(|(name, version)| Built { name: (*name).to_owned(), version: (*version).to_owned() })
            .collect();
        ratchet(&measure(&built, &Tree::of(&[])), allow).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn two_incompatible_versions_are_a_finding_and_may_be_an_exception() {
        let uses = [("syn", "2.0.1"), ("syn", "3.1.0")];
        assert!(found(&uses, "")[0].contains("2 incompatible versions of syn (2, 3), at most 1"));
        assert_eq!(found(&uses, "duplicate syn 2"), Vec::<String>::new());
    }

    #[test]
    fn compatible_versions_are_fine() {
        assert_eq!(found(&[("a", "1.2.0"), ("a", "1.9.3"), ("b", "2.0.0")], ""), Vec::<String>::new());
    }

    #[test]
    fn zeros_count_as_part_of_what_must_agree() {
        for (version, wanted) in [("1.2.3", "1"), ("0.22.1", "0.22"), ("0.0.3", "0.0.3"), ("2.0.0-rc.1", "2")]
        {
            assert_eq!(compatible(version), wanted);
        }
    }

    #[test]
    fn cargo_deny_skips_the_same_packages() {
        let allow = include_str!("../../tidy-allow.txt");
        let excepted: BTreeSet<&str> =
            allow.lines().filter_map(|line| line.strip_prefix("duplicate ")?.split(' ').next()).collect();
        let deny = include_str!("../../../../deny.toml");
        let skips = deny.split("crate = \"").skip(1).filter_map(|rest| rest.split(['@', '"']).next());
        assert_eq!(skips.collect::<BTreeSet<_>>(), excepted, "{PATH} and deny.toml differ");
    }
}
