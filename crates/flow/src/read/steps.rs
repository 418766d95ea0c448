//! Reads the steps: their kinds, their expressions, and where each leads. Jumps go forward only, so a flow ends.

use super::fields::{Fields, expression};
use super::shapes;
use crate::flow::{Document, LookupSource, OnMissing, Step, StepKind};
use crate::jq::{Program, Scope, Tables, listed, to_jq};
use crate::problem::{Place, Problems};
use crate::vocabulary::Vocabulary;
use crate::yaml::{Node, Tree};

/// Most steps in one flow.
const STEPS_MAX: usize = 200;

const KINDS: [&str; 6] = ["lookup", "map", "condition", "call", "write_back", "wait"];

/// Words that cannot name a step because jq or a jump uses them.
#[rustfmt::skip]
const RESERVED: [&str; 21] = [
    "and", "as", "break", "catch", "def", "elif", "else", "end", "event", "foreach", "if", "import", "include", "label", "next",
    "or", "reduce", "start", "then", "trigger", "try",
];

/// What all steps of a document share while they are read.
pub(super) struct Reader<'a> {
    pub(super) source: &'a str,
    pub(super) vocabulary: &'a Vocabulary,
    pub(super) tables: &'a Tables,
}

/// Where one step stands.
pub(super) struct Position<'a> {
    pub(super) index: usize,
    pub(super) names: &'a [String],
}

impl Reader<'_> {
    /// Reads all steps. Steps with problems are left out, which is harmless: the document is refused.
    pub(super) fn steps(&self, nodes: Vec<Node>, problems: &mut Problems) -> Vec<Step> {
        if let Some(node) = nodes.get(STEPS_MAX) {
            problems.add(
                node.place,
                format!("the flow has more than {STEPS_MAX} steps"),
                "split it into several flows",
            );
            return Vec::new();
        }
        let names = names(&nodes, problems);
        let mut steps = Vec::with_capacity(nodes.len());
        for (index, node) in nodes.into_iter().enumerate() {
            steps.extend(self.step(node, &Position { index, names: &names }, problems));
        }
        steps
    }

    fn step(&self, node: Node, at: &Position<'_>, problems: &mut Problems) -> Option<Step> {
        let place = node.place;
        let name = at.names.get(at.index).cloned().unwrap_or_default();
        let mut fields = Fields::of(node, format!("step {name:?}"), problems)?;
        fields.take("name");
        let kinds: Vec<&str> = KINDS.into_iter().filter(|kind| fields.has(kind)).collect();
        let [kind] = kinds.as_slice() else {
            let what = match kinds.as_slice() {
                [] => format!("step {name:?} does nothing"),
                _ => format!("step {name:?} does several things: {}", listed(&kinds)),
            };
            problems.add(place, what, format!("write exactly one of: {}", listed(KINDS)));
            return None;
        };
        let is_condition = *kind == "condition";
        let when = if is_condition { None } else { fields.jq("when", problems) };
        let when = when.map(|text| self.program(&text, at, problems));
        let next =
            if is_condition { Some(at.index + 1) } else { self.jump(&mut fields, "next", at, problems) };
        let kind = match *kind {
            "lookup" => self.lookup(&mut fields, at, problems),
            "map" => self.map(&mut fields, at, problems),
            "condition" => self.condition(&mut fields, at, problems),
            "call" => self.call(&mut fields, at, problems),
            "wait" => self.wait(&mut fields, at, problems),
            _ => self.write_back(&mut fields, at, problems),
        };
        fields.finish(problems);
        let when = match when {
            None => None,
            Some(compiled) => Some(compiled?),
        };
        Some(Step { name, place, when, kind: kind?, next: next? })
    }

    pub(super) fn program(
        &self,
        text: &(String, Node),
        at: &Position<'_>,
        problems: &mut Problems,
    ) -> Option<Program> {
        let earlier = at.names.get(..at.index).unwrap_or_default();
        expression(self.source, text, &Scope { earlier, all: at.names, tables: self.tables }, problems)
    }

    fn lookup(&self, fields: &mut Fields, at: &Position<'_>, problems: &mut Problems) -> Option<StepKind> {
        let (word, node) = fields.must_text("lookup", problems)?;
        let source = if word == "table" {
            let (table, node) = fields.must_text("table", problems)?;
            if !self.tables.tables.contains_key(&table) {
                let fix = format!("add it under `tables:`; there are: {}", listed(self.tables.tables.keys()));
                problems.add(node.place, format!("there is no table {table:?}"), fix);
            }
            LookupSource::Table(table)
        } else {
            one_of(&word, node.place, "lookup source", &self.vocabulary.sources, problems);
            LookupSource::Outside(word)
        };
        let key = fields.must_jq("key", problems);
        let key = key.and_then(|text| self.program(&text, at, problems));
        let on_missing = on_missing(fields, problems);
        Some(StepKind::Lookup { source, key: key?, on_missing: on_missing? })
    }

    fn map(&self, fields: &mut Fields, at: &Position<'_>, problems: &mut Problems) -> Option<StepKind> {
        let text = fields.must_jq("map", problems);
        let document = text.and_then(|text| self.program(&text, at, problems));
        let shape = fields.take("schema").map(|node| shapes::shape(node, problems));
        let shape = match shape {
            None => None,
            Some(shape) => Some(shape?),
        };
        Some(StepKind::Map { document: document?, shape })
    }

    fn condition(&self, fields: &mut Fields, at: &Position<'_>, problems: &mut Problems) -> Option<StepKind> {
        let text = fields.must_jq("condition", problems);
        if !fields.has("then") && !fields.has("else") {
            problems.add(
                fields.place,
                "the condition leads nowhere",
                "add `then:` or `else:` with the name of a later step",
            );
        }
        let then = self.jump(fields, "then", at, problems);
        let otherwise = self.jump(fields, "else", at, problems);
        let text = text?;
        let test = self.program(&text, at, problems);
        Some(StepKind::Condition {
            test: test?,
            text: text.0.trim().to_owned(),
            then: then?,
            otherwise: otherwise?,
        })
    }

    fn call(&self, fields: &mut Fields, at: &Position<'_>, problems: &mut Problems) -> Option<StepKind> {
        let (target, node) = fields.must_text("call", problems)?;
        one_of(&target, node.place, "call target", &self.vocabulary.targets, problems);
        let document = self.document(fields, at, problems);
        Some(StepKind::Call { target, document: document? })
    }

    fn write_back(
        &self,
        fields: &mut Fields,
        at: &Position<'_>,
        problems: &mut Problems,
    ) -> Option<StepKind> {
        let (target, node) = fields.must_text("write_back", problems)?;
        one_of(&target, node.place, "write-back target", &self.vocabulary.write_backs, problems);
        let enabled = fields.flag("enabled", problems).unwrap_or(true);
        let document = self.document(fields, at, problems);
        Some(StepKind::WriteBack { target, document: document?, enabled })
    }

    /// `with:` names an earlier step, or is an expression.
    fn document(&self, fields: &mut Fields, at: &Position<'_>, problems: &mut Problems) -> Option<Document> {
        let text = fields.must_jq("with", problems)?;
        let word = text.0.trim();
        if let Some(index) = at.names.iter().position(|name| name == word) {
            if index < at.index {
                return Some(Document::Step(index));
            }
            let what = format!("`with` names the step {word:?}, which does not come before this one");
            problems.add(text.1.place, what, "name an earlier step; move this step down");
            return None;
        }
        if !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        {
            let fix =
                format!("name an earlier step: {}", listed(at.names.get(..at.index).unwrap_or_default()));
            problems.add(text.1.place, format!("there is no step {word:?}"), fix);
            return None;
        }
        self.program(&text, at, problems).map(Document::Expression)
    }

    /// Where a field leads; the next step when it is not there.
    pub(super) fn jump(
        &self,
        fields: &mut Fields,
        field: &'static str,
        at: &Position<'_>,
        problems: &mut Problems,
    ) -> Option<usize> {
        let Some((target, node)) =
            fields.take(field).and_then(|node| super::fields::text(node, field, problems))
        else {
            return Some(at.index + 1);
        };
        match at.names.iter().position(|name| *name == target) {
            _ if target == "end" => Some(at.names.len()),
            _ if target == "next" => Some(at.index + 1),
            Some(index) if index > at.index => Some(index),
            Some(_) => {
                let what = format!("`{field}` jumps back to {target:?}");
                problems.add(node.place, what, "jump to a later step only: a flow must end");
                None
            }
            None => {
                let later = listed(at.names.get(at.index + 1..).unwrap_or_default());
                let fix = format!("name a later step ({later}), `next` or `end`");
                problems.add(node.place, format!("`{field}` leads to {target:?}, which is not a step"), fix);
                None
            }
        }
    }
}

fn on_missing(fields: &mut Fields, problems: &mut Problems) -> Option<OnMissing> {
    let default = fields.json("default", problems);
    let Some((word, node)) = fields.text("on_missing", problems) else {
        if default.is_some() {
            problems.add(fields.place, "`default` is never used", "add `on_missing: default`");
        }
        return Some(OnMissing::Park);
    };
    match (word.as_str(), default) {
        ("park", None) => Some(OnMissing::Park),
        ("continue", None) => Some(OnMissing::Continue),
        ("default", Some(value)) => Some(OnMissing::Default(to_jq(&value))),
        ("default", None) => {
            problems.add(node.place, "`on_missing: default` has no default", "add `default: …`");
            None
        }
        ("park" | "continue", Some(_)) => {
            problems.add(
                node.place,
                "`default` is never used",
                "write `on_missing: default` or remove `default`",
            );
            None
        }
        _ => {
            problems.add(node.place, format!("`on_missing` is {word:?}"), "use park, continue or default");
            None
        }
    }
}

pub(super) fn one_of(word: &str, place: Place, what: &str, known: &[String], problems: &mut Problems) {
    if !known.iter().any(|known| known == word) {
        let table = if what == "lookup source" { ", table" } else { "" };
        problems.add(
            place,
            format!("there is no {what} {word:?}"),
            format!("use one of: {}{table}", listed(known)),
        );
    }
}

/// The names of all steps, in order. A step without a usable name gets an empty one, which nothing can refer to.
fn names(nodes: &[Node], problems: &mut Problems) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let (name, place) = match &node.tree {
            Tree::Map(entries) => {
                match entries.iter().find(|(key, _)| key.text == "name").map(|(_, node)| node) {
                    Some(Node { tree: Tree::Text(name), place }) => (name.clone(), *place),
                    _ => (String::new(), node.place),
                }
            }
            _ => (String::new(), node.place),
        };
        let first = name.chars().next().is_some_and(|c| c.is_ascii_lowercase());
        let rest = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !first || !rest || name.len() > 40 || RESERVED.contains(&name.as_str()) {
            let fix = "give it a `name` of lower-case letters, digits and `_` that is no word of jq";
            problems.add(place, format!("{name:?} is not a name for a step"), fix);
            names.push(String::new());
        } else if names.contains(&name) {
            problems.add(place, format!("two steps are called {name:?}"), "give every step its own name");
            names.push(String::new());
        } else {
            names.push(name);
        }
    }
    names
}
