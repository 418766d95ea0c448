//! Which crate may use which: the table of rooms in the architecture, checked against the manifests.
//!
//! What must stay true: the pure crates (core, flow, connect) cannot reach the network, a database or a runtime, and
//! the sandbox shares no code with what it tests.

use super::finding::Finding;
use super::metadata::{Dependency, Metadata, Package};
use super::tree::Tree;

/// One row of the table.
struct Room {
    package: &'static str,
    may_use: &'static [&'static str],
    /// What its tests may use besides.
    tests_may_use: &'static [&'static str],
}

const NONE: &[&str] = &[];
const WORLD: &[&str] = &["suture-sandbox", "suture-sim"];
/// Tests of the API open a fresh database themselves.
const STORED_WORLD: &[&str] = &["suture-sandbox", "suture-sim", "suture-store"];

/// The table of rooms.
///
/// Amendments: `suture` may use `suture-sim`, because the simulate command ships in the binary; `suture-sim` may use
/// every room that it judges.
const TABLE: &[Room] = &[
    Room { package: "suture-core", may_use: NONE, tests_may_use: NONE },
    Room { package: "suture-flow", may_use: &["suture-core"], tests_may_use: NONE },
    Room { package: "suture-connect", may_use: &["suture-core"], tests_may_use: NONE },
    Room { package: "suture-store", may_use: &["suture-core"], tests_may_use: NONE },
    Room {
        package: "suture-engine",
        may_use: &["suture-core", "suture-flow", "suture-connect", "suture-store"],
        tests_may_use: WORLD,
    },
    Room { package: "suture-api", may_use: &["suture-engine", "suture-core"], tests_may_use: STORED_WORLD },
    Room { package: "suture-sandbox", may_use: NONE, tests_may_use: NONE },
    Room {
        package: "suture",
        may_use: &[
            "suture-core",
            "suture-flow",
            "suture-connect",
            "suture-store",
            "suture-engine",
            "suture-api",
            "suture-sandbox",
            "suture-sim",
        ],
        tests_may_use: WORLD,
    },
    Room {
        package: "suture-sim",
        may_use: &[
            "suture-core",
            "suture-flow",
            "suture-connect",
            "suture-store",
            "suture-engine",
            "suture-sandbox",
        ],
        tests_may_use: NONE,
    },
    Room { package: "xtask", may_use: NONE, tests_may_use: NONE },
];

/// Crates without input and output, and what would bring it in.
const PURE: [&str; 3] = ["suture-core", "suture-flow", "suture-connect"];
const IMPURE: [&str; 9] =
    ["tokio", "sqlx", "reqwest", "axum", "hyper", "rusqlite", "tokio-postgres", "rand", "getrandom"];

/// Checks every declared dependency of every crate of the workspace.
pub(crate) fn check(metadata: &Metadata, tree: &Tree) -> Vec<Finding> {
    let members: Vec<&Package> =
        metadata.packages.iter().filter(|package| metadata.workspace_members.contains(&package.id)).collect();
    let mut findings = Vec::new();
    for package in &members {
        let manifest = relative(&package.manifest_path, &metadata.workspace_root);
        let Some(room) = TABLE.iter().find(|room| room.package == package.name) else {
            let wrong = format!("the crate {} is not in the table of crates", package.name);
            findings.push(Finding::new(
                manifest,
                1,
                wrong,
                "add its rule to docs/ARCHITECTURE.md and to tidy/edges.rs",
            ));
            continue;
        };
        for dependency in &package.dependencies {
            let ours = members.iter().any(|member| member.name == dependency.name);
            if let Some((wrong, remedy)) = fault(room, dependency, ours) {
                let line = line_of(tree.text(manifest), &dependency.name);
                findings.push(Finding::new(manifest, line, wrong, remedy));
            }
        }
    }
    findings
}

fn fault(room: &Room, dependency: &Dependency, ours: bool) -> Option<(String, &'static str)> {
    let Dependency { name, kind } = dependency;
    let for_tests = kind.as_deref() == Some("dev");
    let allowed =
        room.may_use.contains(&name.as_str()) || for_tests && room.tests_may_use.contains(&name.as_str());
    if ours && !allowed {
        let how = if for_tests { "in its tests " } else { "" };
        let wrong = format!("{} uses {name} {how}and the table of crates forbids it", room.package);
        return Some((
            wrong,
            "remove the dependency, or change docs/ARCHITECTURE.md and tidy/edges.rs in one commit",
        ));
    }
    if PURE.contains(&room.package) && !for_tests && IMPURE.contains(&name.as_str()) {
        let wrong = format!("{} is pure and uses {name}", room.package);
        return Some((wrong, "move what needs it to engine, store or api"));
    }
    None
}

fn relative<'a>(path: &'a str, root: &str) -> &'a str {
    path.strip_prefix(root).map_or(path, |rest| rest.trim_start_matches('/'))
}

/// The line that declares the dependency; 1 when it is written in a way that does not begin with its name.
fn line_of(manifest: Option<&str>, name: &str) -> usize {
    let declares = |line: &str| {
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '.', '=']))
            || line.starts_with('[') && line.trim_end().ends_with(&format!("dependencies.{name}]"))
    };
    manifest.and_then(|text| text.lines().position(declares)).map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `(dependency, kind)`.
    type Uses<'a> = &'a [(&'a str, Option<&'a str>)];

    /// Packages as `(name, uses)`, all of the workspace.
    fn found(packages: &[(&str, Uses<'_>)]) -> Vec<String> {
        let package = |(name, uses): &(&str, Uses<'_>)| Package {
            id: (*name).to_owned(),
            name: (*name).to_owned(),
            version: "0.1.0".to_owned(),
            license: None,
            manifest_path: format!("/src/crates/{name}/Cargo.toml"),
            dependencies: uses
                .iter()
                .map(|(name, kind)| Dependency { name: (*name).to_owned(), kind: kind.map(str::to_owned) })
                .collect(),
        };
        let metadata = Metadata {
            packages: packages.iter().map(package).collect(),
            workspace_members: packages.iter().map(|(name, _)| (*name).to_owned()).collect(),
            workspace_root: "/src".to_owned(),
        };
        let manifest = "[dependencies]\nsuture-core-more = 1\nsuture-core.workspace = true\n";
        let tree = Tree::of(&[("crates/suture-sandbox/Cargo.toml", manifest)]);
        check(&metadata, &tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_sandbox_may_not_use_a_crate_of_ours() {
        let findings = found(&[("suture-core", &[]), ("suture-sandbox", &[("suture-core", None)])]);
        assert_eq!(findings.len(), 1);
        assert!(
            findings[0].starts_with("crates/suture-sandbox/Cargo.toml:3: suture-sandbox uses suture-core")
        );
    }

    #[test]
    fn edges_of_the_table_are_fine() {
        let engine: &[_] = &[("suture-core", None), ("suture-sandbox", Some("dev")), ("tokio", None)];
        let packages: &[(&str, &[_])] =
            &[("suture-core", &[]), ("suture-sandbox", &[]), ("suture-engine", engine)];
        assert_eq!(found(packages), Vec::<String>::new());
    }

    #[test]
    fn the_simulator_may_use_every_room_that_it_judges_and_no_surface() {
        let uses: &[_] = &[("suture-store", None), ("suture-connect", None), ("suture-flow", None)];
        let rooms: &[(&str, &[_])] = &[
            ("suture-store", &[]),
            ("suture-connect", &[]),
            ("suture-flow", &[]),
            ("suture-api", &[]),
            ("suture-sim", uses),
        ];
        assert_eq!(found(rooms), Vec::<String>::new());
        assert_eq!(found(&[("suture-api", &[]), ("suture-sim", &[("suture-api", None)])]).len(), 1);
    }

    #[test]
    fn only_named_crates_may_test_against_the_sandbox() {
        assert_eq!(
            found(&[("suture-sandbox", &[]), ("suture-store", &[("suture-sandbox", Some("dev"))])]).len(),
            1
        );
        assert_eq!(
            found(&[("suture-sandbox", &[]), ("suture-engine", &[("suture-sandbox", None)])]).len(),
            1
        );
        assert_eq!(
            found(&[("suture-sandbox", &[]), ("suture-engine", &[("suture-sandbox", Some("build"))])]).len(),
            1
        );
    }

    #[test]
    fn a_pure_crate_may_not_declare_a_runtime_and_may_test_with_anything() {
        assert_eq!(found(&[("suture-core", &[("tokio", None)])]).len(), 1);
        assert_eq!(found(&[("suture-core", &[("proptest", Some("dev"))])]), Vec::<String>::new());
    }

    #[test]
    fn a_crate_without_a_rule_is_a_finding() {
        assert_eq!(found(&[("suture-extra", &[])]).len(), 1);
    }
}
