//! The fields of one map of a document: taken one by one, typed, and none left over.

use serde_json::Value;

use crate::jq::{Fault, Program, Scope, listed};
use crate::problem::{Place, Problems};
use crate::yaml::{Key, Node, Tree};

/// The fields of a map that were not taken yet.
pub(super) struct Fields {
    pub(super) place: Place,
    /// What the map is, for texts: `the flow`, `step "link"`.
    what: String,
    entries: Vec<(Key, Node)>,
    known: Vec<&'static str>,
}

impl Fields {
    /// The fields of a node that must be a map.
    pub(super) fn of(node: Node, what: impl Into<String>, problems: &mut Problems) -> Option<Self> {
        let what = what.into();
        match node.tree {
            Tree::Map(entries) => Some(Self { place: node.place, what, entries, known: Vec::new() }),
            other => {
                problems.add(
                    node.place,
                    format!("{what} is {}, not a map", other.kind()),
                    "write `key: value` lines",
                );
                None
            }
        }
    }

    /// Takes a field; null counts as absent.
    pub(super) fn take(&mut self, name: &'static str) -> Option<Node> {
        self.known.push(name);
        let index = self.entries.iter().position(|(key, _)| key.text == name)?;
        let (_, node) = self.entries.remove(index);
        (!matches!(node.tree, Tree::Null)).then_some(node)
    }

    /// Takes a field that may be null; the outer option says whether it is there.
    pub(super) fn take_any(&mut self, name: &'static str) -> Option<Node> {
        self.known.push(name);
        let index = self.entries.iter().position(|(key, _)| key.text == name)?;
        Some(self.entries.remove(index).1)
    }

    /// Whether a field is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|(key, _)| key.text == name)
    }

    /// The text of a field that is not taken by looking at it.
    pub(super) fn peek_text(&self, name: &str) -> Option<String> {
        let (_, node) = self.entries.iter().find(|(key, _)| key.text == name)?;
        match &node.tree {
            Tree::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    /// Takes a field that must be there.
    pub(super) fn must(&mut self, name: &'static str, problems: &mut Problems) -> Option<Node> {
        let node = self.take(name);
        if node.is_none() {
            problems.add(self.place, format!("{} has no `{name}`", self.what), format!("add `{name}: …`"));
        }
        node
    }

    /// Takes a field that must be text.
    pub(super) fn must_text(
        &mut self,
        name: &'static str,
        problems: &mut Problems,
    ) -> Option<(String, Node)> {
        let node = self.must(name, problems)?;
        text(node, name, problems)
    }

    /// Takes a field that is text when it is there.
    pub(super) fn text(&mut self, name: &'static str, problems: &mut Problems) -> Option<(String, Node)> {
        let node = self.take(name)?;
        text(node, name, problems)
    }

    /// Takes an expression that must be there.
    pub(super) fn must_jq(&mut self, name: &'static str, problems: &mut Problems) -> Option<(String, Node)> {
        let node = self.must(name, problems)?;
        jq(node, name, problems)
    }

    /// Takes an expression when it is there.
    pub(super) fn jq(&mut self, name: &'static str, problems: &mut Problems) -> Option<(String, Node)> {
        let node = self.take(name)?;
        jq(node, name, problems)
    }

    /// Takes a field that is true or false when it is there.
    pub(super) fn flag(&mut self, name: &'static str, problems: &mut Problems) -> Option<bool> {
        let node = self.take(name)?;
        match node.tree {
            Tree::Bool(flag) => Some(flag),
            other => {
                problems.add(node.place, format!("`{name}` is {}", other.kind()), "write true or false");
                None
            }
        }
    }

    /// Takes a field that is a list when it is there.
    pub(super) fn list(&mut self, name: &'static str, problems: &mut Problems) -> Vec<Node> {
        match self.take(name) {
            None => Vec::new(),
            Some(Node { tree: Tree::List(items), .. }) => items,
            Some(Node { tree, place }) => {
                problems.add(place, format!("`{name}` is {}, not a list", tree.kind()), "write `- …` lines");
                Vec::new()
            }
        }
    }

    /// Takes a field that is a map when it is there.
    pub(super) fn map(&mut self, name: &'static str, problems: &mut Problems) -> Vec<(Key, Node)> {
        match self.take(name) {
            None => Vec::new(),
            Some(Node { tree: Tree::Map(entries), .. }) => entries,
            Some(Node { tree, place }) => {
                problems.add(
                    place,
                    format!("`{name}` is {}, not a map", tree.kind()),
                    "write `key: value` lines",
                );
                Vec::new()
            }
        }
    }

    /// Takes a field as JSON.
    pub(super) fn json(&mut self, name: &'static str, problems: &mut Problems) -> Option<Value> {
        self.take_any(name).map(|node| node.to_json(problems))
    }

    /// Reports the fields that nobody took.
    pub(super) fn finish(self, problems: &mut Problems) {
        self.report(problems);
    }

    /// Reports the fields that nobody took yet.
    pub(super) fn report(&self, problems: &mut Problems) {
        for (key, _) in &self.entries {
            let what = format!("{} has no key `{}`", self.what, key.text);
            problems.add(key.place, what, format!("remove it or use one of: {}", listed(&self.known)));
        }
    }
}

/// An expression. `when: true` and `map: 1` are jq too, although YAML reads them as something else.
fn jq(mut node: Node, name: &str, problems: &mut Problems) -> Option<(String, Node)> {
    match node.tree {
        Tree::Bool(flag) => node.tree = Tree::Text(flag.to_string()),
        Tree::Integer(number) => node.tree = Tree::Text(number.to_string()),
        Tree::Null | Tree::Fraction | Tree::Text(_) | Tree::List(_) | Tree::Map(_) => {}
    }
    text(node, name, problems)
}

/// A node that must be text.
pub(super) fn text(node: Node, name: &str, problems: &mut Problems) -> Option<(String, Node)> {
    match &node.tree {
        Tree::Text(text) => Some((text.clone(), node)),
        other => {
            problems.add(
                node.place,
                format!("`{name}` is {}, not text", other.kind()),
                "write text; put codes in quotes",
            );
            None
        }
    }
}

/// Compiles an expression; its problems get their places in the document.
pub(super) fn expression(
    source: &str,
    (text, node): &(String, Node),
    scope: &Scope<'_>,
    problems: &mut Problems,
) -> Option<Program> {
    match Program::compile(text, scope) {
        Ok(program) => Some(program),
        Err(faults) => {
            for Fault { offset, what, fix } in faults {
                problems.add(node.place_of(source, text, offset), what, fix);
            }
            None
        }
    }
}
