//! The OpenAPI document in the repository is the one that the code gives, and every code that can come out has a page.

use std::path::{Path, PathBuf};

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the one setting of this test")]
fn the_document_in_the_repository_is_the_one_that_the_code_gives() {
    let made = suture_api::openapi();
    if std::env::var("SUTURE_UPDATE_OPENAPI").is_ok() {
        std::fs::write(here("openapi.json"), &made).unwrap();
    }
    let kept = std::fs::read_to_string(here("openapi.json")).unwrap_or_default();
    assert!(kept == made, "the API changed: look at the difference after SUTURE_UPDATE_OPENAPI=1 cargo test");
}

#[test]
fn every_operation_has_its_own_id_and_knows_problems() {
    let document: serde_json::Value = serde_json::from_str(&suture_api::openapi()).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut ids = Vec::new();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            ids.push(operation["operationId"].as_str().unwrap().to_owned());
            assert!(operation["responses"]["default"].is_object());
        }
    }
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

#[test]
fn every_refusal_of_the_core_and_the_engine_has_a_page() {
    let mut sources = Vec::new();
    for folder in ["../core/src", "../engine/src"] {
        collect(&here(folder), &mut sources);
    }
    let mut seen = 0;
    for source in sources {
        let text = std::fs::read_to_string(&source).unwrap();
        for kind in ["Refusal::state(", "Refusal::invalid(", "Refusal::held("] {
            for rest in text.split(kind).skip(1) {
                let Some(rest) = rest.trim_start().strip_prefix('"') else { continue };
                let code = rest.split('"').next().unwrap();
                assert!(
                    suture_api::problem::page(code).is_some(),
                    "{code} in {} has no page",
                    source.display()
                );
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "the sources are where they were");
}

#[test]
fn every_page_begins_with_its_code_and_tells_what_to_do() {
    for (code, page) in suture_api::problem::PAGES {
        assert!(page.starts_with(&format!("# {code}\n")), "{code}");
        for heading in ["## What happened", "## What did not happen", "## What to do"] {
            assert!(page.contains(heading), "{code}");
        }
    }
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// Gives every source of a folder to somebody who reads it.
pub(crate) fn each_source(folder: &str, read: &mut dyn FnMut(&str)) {
    let mut sources = Vec::new();
    collect(&here(folder), &mut sources);
    for source in sources {
        read(&std::fs::read_to_string(&source).unwrap());
    }
}
