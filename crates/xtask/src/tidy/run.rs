//! Runs every check on the working tree and prints what was found.
//!
//! Called by `main`. Reads the tree and asks cargo; the checks themselves only see values.

use std::path::Path;
use std::process::ExitCode;

use super::finding::Finding;
use super::metadata::{self, Built, Metadata};
use super::tree::Tree;
use super::{allow, duplicates, edges, layout, licences, problems, purity, size, sql, texts, words};

/// Prints all findings, one per line; fails when there is one, or when the checks could not run.
pub(crate) fn report() -> ExitCode {
    match look() {
        Ok(findings) if findings.is_empty() => {
            println!("tidy: nothing to do");
            ExitCode::SUCCESS
        }
        Ok(findings) => {
            for finding in &findings {
                println!("{finding}");
            }
            println!("tidy: {} to mend", findings.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("tidy could not run: {error}");
            ExitCode::FAILURE
        }
    }
}

fn look() -> Result<Vec<Finding>, String> {
    let everything = metadata::load()?;
    let built = metadata::built()?;
    let root = Path::new(&everything.workspace_root);
    let tree = Tree::read(root).map_err(|error| format!("cannot read {}: {error}", root.display()))?;
    Ok(all(&tree, &everything, &built))
}

/// All checks, sorted by place.
fn all(tree: &Tree, metadata: &Metadata, built: &[Built]) -> Vec<Finding> {
    let mut findings = edges::check(metadata, tree);
    findings.extend(licences::check(metadata, tree));
    for check in [purity::check, words::check, layout::check, sql::check, texts::check, problems::check] {
        findings.extend(check(tree));
    }
    let mut measures = size::measure(tree);
    measures.extend(duplicates::measure(built, tree));
    findings.extend(allow::ratchet(&measures, tree.text(allow::PATH).unwrap_or_default()));
    findings.sort();
    findings.dedup();
    findings
}
