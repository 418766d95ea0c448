//! All texts: nothing of one machine, no private registry, no private keys, an architecture that can be read.

use super::finding::Finding;
use super::tree::{Text, Tree};

/// A folder that exists on the machine of one developer. Written in two parts, so that this line is not a finding.
const MACHINE_PATH: &str = concat!("/wo", "rk/");
const ARCHITECTURE: &str = "docs/ARCHITECTURE.md";
const ARCHITECTURE_LINES: usize = 300;

/// Where packages come from, as lock files spell it.
const PUBLIC_SOURCES: [&str; 2] =
    ["registry+https://github.com/rust-lang/crates.io-index", "https://registry.npmjs.org/"];
/// First labels of hosts that are registries, and the public hosts that may be named.
const REGISTRY_LABELS: [&str; 6] =
    ["artifactory", "nexus", "devpi", "verdaccio", "crates-mirror", "registry"];
const PUBLIC_HOSTS: [&str; 2] = ["registry.npmjs.org", "registry.terraform.io"];

/// What a key in a fixture must say about itself, in the file or in a README.md beside it.
const TEST_MARK: &str = "test material";

/// Checks every text file.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.texts {
        findings.extend(by_line(
            file,
            MACHINE_PATH,
            stands_alone,
            "a path of one machine",
            "write it from the root of the repository",
        ));
        findings.extend(registries(file));
        findings.extend(private_keys(file, tree));
    }
    findings.extend(long_architecture(tree));
    findings
}

fn by_line(file: &Text, word: &str, wanted: fn(&str) -> bool, wrong: &str, remedy: &str) -> Vec<Finding> {
    let lines = file.text.lines().enumerate();
    let hits = lines.filter(|(_, line)| line.match_indices(word).any(|(at, _)| wanted(&line[..at])));
    hits.map(|(index, _)| Finding::new(&file.path, index + 1, wrong, remedy)).collect()
}

/// A path begins where no other path goes on: `docs` before it makes it a part of a longer one.
fn stands_alone(before: &str) -> bool {
    !before.ends_with(|next: char| next.is_alphanumeric() || "_-.}".contains(next))
}

fn registries(file: &Text) -> Vec<Finding> {
    let mut findings = Vec::new();
    let name = file.path.rsplit('/').next().unwrap_or_default();
    for (index, line) in file.text.lines().enumerate() {
        let wrong = match name {
            "Cargo.lock" => private_source(line, "source = \""),
            "package-lock.json" => private_source(line, "\"resolved\": \""),
            ".npmrc" | "config.toml" if file.path.contains(".cargo/") || name == ".npmrc" => redirect(line),
            _ => None,
        };
        if let Some(wrong) = wrong.or_else(|| registry_host(line)) {
            findings.push(Finding::new(
                &file.path,
                index + 1,
                wrong,
                "use the public registry; redirect in your own home folder",
            ));
        }
    }
    findings
}

fn private_source(line: &str, key: &str) -> Option<String> {
    let source = line.trim_start().strip_prefix(key)?.trim_end_matches([',', '"']);
    let public = PUBLIC_SOURCES.iter().any(|public| source.starts_with(public));
    (!public).then(|| format!("a package from `{source}`"))
}

/// Settings of cargo and npm that send everybody to another registry.
fn redirect(line: &str) -> Option<String> {
    let key = line.split('=').next().unwrap_or_default().trim();
    let redirects = ["replace-with", "registry", "index"].contains(&key)
        || key.starts_with("[source")
        || key.starts_with("[registr");
    redirects.then(|| format!("`{key}` redirects where packages come from"))
}

fn registry_host(line: &str) -> Option<String> {
    line.split("://").skip(1).find_map(|rest| {
        let end = rest.find(|next: char| !(next.is_ascii_alphanumeric() || "-.".contains(next)))?;
        let host = &rest[..end];
        let label = host.split('.').next().unwrap_or_default();
        let private = REGISTRY_LABELS.contains(&label) && !PUBLIC_HOSTS.contains(&host);
        private.then(|| format!("the registry host `{host}`"))
    })
}

fn private_keys(file: &Text, tree: &Tree) -> Vec<Finding> {
    let fixture = file.path.contains("tests/") || file.path.contains("fixtures/");
    if fixture && marked(file, tree) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (at, _) in file.text.match_indices("PRIVATE KEY-----") {
        let (before, after) = (&file.text[..at], &file.text[at + "PRIVATE KEY-----".len()..]);
        let header = before.rsplit('\n').next().is_some_and(|line| line.contains("-----BEGIN"));
        if header && has_key_body(after) {
            let line = before.matches('\n').count() + 1;
            let remedy = format!(
                "generate it at run time, or keep it in tests/fixtures with the words `{TEST_MARK}` in it or in a README.md beside it"
            );
            findings.push(Finding::new(&file.path, line, "a private key", remedy));
        }
    }
    findings
}

/// A header alone is a parser's constant; a key has base64 after it.
fn has_key_body(after: &str) -> bool {
    let unescaped = after.replace("\\n", "\n");
    let body = unescaped.trim_start_matches(|next: char| next.is_whitespace() || "\"\\,".contains(next));
    let base64 = |next: &char| next.is_ascii_alphanumeric() || "+/=".contains(*next);
    body.chars().take_while(base64).count() >= 32
}

fn marked(file: &Text, tree: &Tree) -> bool {
    let says = |text: &str| text.to_lowercase().contains(TEST_MARK);
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    says(&file.text) || tree.text(&format!("{folder}/README.md")).is_some_and(says)
}

fn long_architecture(tree: &Tree) -> Option<Finding> {
    let lines = tree.text(ARCHITECTURE)?.lines().count();
    let wrong = format!("{lines} lines, at most {ARCHITECTURE_LINES}");
    (lines > ARCHITECTURE_LINES)
        .then(|| Finding::new(ARCHITECTURE, lines, wrong, "keep what a newcomer needs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::of(files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_path_of_one_machine_is_found_and_a_part_of_a_path_is_not() {
        for text in ["see /wo{}rk/main", "\"/wo{}rk/x\"", "`/wo{}rk/`"] {
            assert_eq!(found(&[("a.md", &text.replace("{}", ""))]).len(), 1, "{text}");
        }
        let fine = "docs/wo{}rk/flow.md https://example.com/wo{}rk/1 /wo{}rkers/".replace("{}", "");
        assert_eq!(found(&[("a.md", &fine)]), Vec::<String>::new());
    }

    #[test]
    fn packages_come_from_public_registries() {
        let lock = |source: &str| format!("[[package]]\nname = \"a\"\nsource = \"{source}\"\n");
        assert_eq!(found(&[("Cargo.lock", &lock(PUBLIC_SOURCES[0]))]), Vec::<String>::new());
        assert_eq!(found(&[("Cargo.lock", &lock("sparse+https://crates.example.com/"))]).len(), 1);
        let npm = "  \"resolved\": \"https://npm.example.com/a.tgz\",\n";
        assert_eq!(found(&[("web/package-lock.json", npm)]).len(), 1);
        assert_eq!(
            found(&[(".cargo/config.toml", "[source.crates-io]\nreplace-with = \"near\"\n")]).len(),
            2
        );
        assert_eq!(found(&[(".cargo/config.toml", "[alias]\nxtask = \"run\"\n")]), Vec::<String>::new());
        let host = concat!("curl https://artifac", "tory.example.com/x");
        assert_eq!(found(&[("a.sh", host)]).len(), 1);
        assert_eq!(
            found(&[("a.sh", "curl https://registry.npmjs.org/x https://docs.stripe.com/")]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_private_key_needs_the_mark_of_a_fixture() {
        let key = format!("-----BEGIN RSA {}-----\n{}\n", "PRIVATE KEY", "A".repeat(64));
        assert_eq!(found(&[("crates/a/src/key.pem", &key)]).len(), 1);
        assert_eq!(found(&[("crates/a/tests/fixtures/key.pem", &key)]).len(), 1);
        let marked = format!("Test material: opens nothing.\n{key}");
        assert_eq!(found(&[("crates/a/tests/fixtures/key.pem", &marked)]), Vec::<String>::new());
        assert_eq!(found(&[("crates/a/src/key.pem", &marked)]).len(), 1);
        let readme = ("crates/a/tests/fixtures/README.md", "The keys here are test material.");
        assert_eq!(found(&[("crates/a/tests/fixtures/key.pem", &key), readme]), Vec::<String>::new());
    }

    #[test]
    fn a_key_in_a_string_is_a_key_and_a_header_alone_is_not() {
        let string = format!("const A: &str = \"-----BEGIN {}-----\\n{}\";", "PRIVATE KEY", "A".repeat(64));
        assert_eq!(found(&[("crates/a/src/a.rs", &string)]).len(), 1);
        let parser = format!("pem.strip_prefix(\"-----BEGIN {}-----\")", "PRIVATE KEY");
        assert_eq!(found(&[("crates/a/src/a.rs", &parser)]), Vec::<String>::new());
    }

    #[test]
    fn the_architecture_stays_short() {
        assert_eq!(found(&[(ARCHITECTURE, &"x\n".repeat(300))]), Vec::<String>::new());
        assert_eq!(found(&[(ARCHITECTURE, &"x\n".repeat(301))]).len(), 1);
    }
}
