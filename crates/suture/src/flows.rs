//! The flows that a server runs: those of a folder, or the shipped ones.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use suture_flow::compiled::Compiled;
use suture_flow::flow::Flow;
use suture_flow::vocabulary::Vocabulary;

use crate::failure::Failure;

const SHIPPED: [(&str, &str); 5] = [
    ("stripe-to-epic.yaml", include_str!("../../../flows/stripe-to-epic.yaml")),
    ("order-to-cash.yaml", include_str!("../../../flows/order-to-cash.yaml")),
    ("order-declined.yaml", include_str!("../../../flows/order-declined.yaml")),
    ("order-invoiced.yaml", include_str!("../../../flows/order-invoiced.yaml")),
    ("order-refunded.yaml", include_str!("../../../flows/order-refunded.yaml")),
];

/// Compiles all flows of a folder once; without a folder the flows that ship with the program.
///
/// # Errors
/// Every problem of every document with its file, line and column; or a name that two documents share.
pub(crate) fn load(folder: Option<&Path>) -> Result<Vec<Compiled>, Failure> {
    let documents = match folder {
        Some(folder) => read(folder)?,
        None => SHIPPED.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
    };
    let set: Vec<(&str, &str)> =
        documents.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let flows = match Flow::parse_set(&set, &Vocabulary::built_in()) {
        Ok(flows) => flows,
        Err(found) => {
            let problems: Vec<String> = found.iter().map(ToString::to_string).collect();
            return Err(Failure::new(format!("the flows cannot be used:\n{}", problems.join("\n"))));
        }
    };
    let mut names = BTreeSet::new();
    match flows.iter().find(|flow| !names.insert(flow.name().to_owned())) {
        Some(twice) => {
            Err(Failure::new(format!("two files have the flow name {}; rename one", twice.name())))
        }
        None => Ok(flows.iter().map(Flow::compile).collect()),
    }
}

fn read(folder: &Path) -> Result<Vec<(String, String)>, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::of(format!("the flows folder {} cannot be read", folder.display()), &error)
    };
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            files.push(path);
        }
    }
    files.sort();
    let text =
        |path: PathBuf| Ok((path.display().to_string(), std::fs::read_to_string(&path).map_err(unreadable)?));
    files.into_iter().map(text).collect()
}
