//! Reads the top of a document: its names, trigger, tables and sets.

use std::collections::{BTreeMap, BTreeSet};

use super::fields::{self, Fields, expression};
use super::set::CALLABLE;
use super::{shapes, steps, tests};
use crate::flow::{Fingerprint, Parts, Trigger};
use crate::jq::{Program, Scope, Tables, ValueSet, fits, listed, to_jq};
use crate::problem::{Place, Problems};
use crate::shape::Shape;
use crate::step::{Step, StepKind};
use crate::vocabulary::Vocabulary;
use crate::yaml::{self, Key, Node, Tree};

/// Reads a whole document. The result is complete only when `problems` stays empty.
pub(crate) fn flow(source: &str, vocabulary: &Vocabulary, problems: &mut Problems) -> Option<Parts> {
    let root = yaml::parse(source, problems)?;
    // What cannot be JSON is reported where it is used.
    let document = root.to_json(&mut Problems::none(""));
    let mut fields = Fields::of(root, "the flow", problems)?;
    let name = fields.must_text("flow", problems).and_then(|named| flow_name(named, problems));
    let version = fields.must("version", problems).and_then(|node| version(&node, problems));
    let description = fields.text("description", problems).map_or_else(String::new, |(text, _)| text);
    let trigger_node = fields.must("trigger", problems);
    let (inline, external) = tables(fields.map("tables", problems), problems);
    let tables = Tables { tables: inline, external, sets: sets(fields.map("sets", problems), problems) };
    let callable = Callable { inputs: fields.take("inputs"), result: fields.jq("result", problems) };
    let step_list = fields.list("steps", problems);
    let test_list = fields.list("tests", problems);
    let trigger = trigger_node.and_then(|node| trigger(source, node, &tables, vocabulary, problems));
    if step_list.is_empty() {
        problems.add(fields.place, "the flow has no steps", "add `steps:` with at least one step");
    }
    fields.finish(problems);
    let steps = steps::Reader { source, vocabulary, tables: &tables }.steps(step_list, problems);
    let mut reader = tests::TestReader { steps: &steps, below: Vec::new() };
    let read: Vec<_> = test_list.into_iter().filter_map(|node| reader.test(node, problems)).collect();
    let below = reader.below;
    let (name, version, trigger) = (name?, version?, trigger?);
    let (inputs, result) = callable.read((source, &trigger), &tables, &steps, problems);
    Some(Parts {
        name,
        version,
        description,
        fingerprint: Fingerprint::of(source),
        document,
        trigger,
        tables,
        inputs,
        result,
        steps,
        tests: read,
        below,
    })
}

/// What only a callable flow has.
struct Callable {
    inputs: Option<Node>,
    result: Option<(String, Node)>,
}

impl Callable {
    fn read(
        self,
        (source, trigger): (&str, &Trigger),
        tables: &Tables,
        steps: &[Step],
        problems: &mut Problems,
    ) -> (Option<Shape>, Option<Program>) {
        if trigger.source != CALLABLE {
            let result = self.result.as_ref().map(|(_, node)| node);
            for node in self.inputs.iter().chain(result) {
                let fix = format!("remove it, or write trigger: {{ source: {CALLABLE} }}");
                problems.add(node.place, "only a callable flow has `inputs` and `result`", fix);
            }
            return (None, None);
        }
        let inputs = self.inputs.and_then(|node| shapes::shape(node, problems));
        let seen = |step: &Step| {
            let inside = step.parent.is_some() || matches!(step.kind, StepKind::Slot);
            if inside { String::new() } else { step.name.clone() }
        };
        let names: Vec<String> = steps.iter().map(seen).collect();
        let scope = Scope { earlier: &names, all: &names, tables };
        (inputs, self.result.and_then(|text| expression(source, &text, &scope, problems)))
    }
}

fn flow_name((text, node): (String, Node), problems: &mut Problems) -> Option<String> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !text.is_empty() && text.len() <= 64 && text.chars().all(allowed) {
        return Some(text);
    }
    problems.add(
        node.place,
        format!("{text:?} is not a flow name"),
        "use lower-case letters, digits and `-`, at most 64",
    );
    None
}

fn version(node: &Node, problems: &mut Problems) -> Option<u32> {
    match node.tree {
        Tree::Integer(number) if number > 0 => u32::try_from(number).ok(),
        _ => None,
    }
    .or_else(|| {
        problems.add(
            node.place,
            "`version` is not a whole number from 1",
            "count every saved version: 1, 2, 3",
        );
        None
    })
}

fn trigger(
    source: &str,
    node: Node,
    tables: &Tables,
    vocabulary: &Vocabulary,
    problems: &mut Problems,
) -> Option<Trigger> {
    let place = node.place;
    let mut fields = Fields::of(node, "the trigger", problems)?;
    let system = fields.must_text("source", problems);
    if system.as_ref().is_some_and(|(system, _)| system == CALLABLE) {
        fields.finish(problems);
        return Some(Trigger { source: CALLABLE.to_owned(), events: Vec::new(), filter: None, place });
    }
    let events = fields.must("event", problems).map(|node| event_names(node, problems)).unwrap_or_default();
    let scope = Scope { earlier: &[], all: &[], tables };
    let filter = fields.jq("filter", problems);
    let filter = filter.map(|filter| expression(source, &filter, &scope, problems));
    fields.finish(problems);
    let (system, system_node) = system?;
    let Some((_, known)) = vocabulary.events.iter().find(|(known, _)| *known == system) else {
        let sources = listed(vocabulary.events.iter().map(|(known, _)| known.as_str()).chain([CALLABLE]));
        problems.add(
            system_node.place,
            format!("there is no trigger source {system:?}"),
            format!("use one of: {sources}"),
        );
        return None;
    };
    for (event, place) in events.iter().filter(|(event, _)| !known.contains(event)) {
        problems.add(
            *place,
            format!("{system} has no event {event:?}"),
            format!("use one of: {}", listed(known)),
        );
    }
    let filter = match filter {
        None => None,
        Some(compiled) => Some(compiled?),
    };
    Some(Trigger {
        source: system,
        events: events.into_iter().map(|(event, _)| event).collect(),
        filter,
        place,
    })
}

fn event_names(node: Node, problems: &mut Problems) -> Vec<(String, Place)> {
    let nodes = match node.tree {
        Tree::List(items) => items,
        _ => vec![node],
    };
    let name = |node| fields::text(node, "event", problems).map(|(text, node)| (text, node.place));
    nodes.into_iter().filter_map(name).collect()
}

/// Inline tables by name → key → row.
type Inline = BTreeMap<String, BTreeMap<String, jaq_json::Val>>;

/// The inline tables, and the names of the external ones.
fn tables(entries: Vec<(Key, Node)>, problems: &mut Problems) -> (Inline, BTreeSet<String>) {
    let (mut tables, mut external) = (BTreeMap::new(), BTreeSet::new());
    for (key, node) in entries {
        if matches!(&node.tree, Tree::Text(word) if word == "external") {
            external.insert(key.text);
            continue;
        }
        let Tree::Map(rows) = node.tree else {
            problems.add(
                node.place,
                format!("table {:?} is {}", key.text, node.tree.kind()),
                "write `key: value` rows, or `external` for a table that is kept outside the flow",
            );
            continue;
        };
        let mut table = BTreeMap::new();
        for (row_key, row) in rows {
            let value = to_jq(&row.to_json(problems));
            if !fits(&value) {
                problems.add(
                    row.place,
                    "the row is larger than 256 kB",
                    "keep large values outside the flow",
                );
            }
            table.insert(row_key.text, value);
        }
        tables.insert(key.text, table);
    }
    (tables, external)
}

fn sets(entries: Vec<(Key, Node)>, problems: &mut Problems) -> BTreeMap<String, ValueSet> {
    let mut sets = BTreeMap::new();
    for (key, node) in entries {
        let set = match node.tree {
            Tree::List(_) => ValueSet { system: None, codes: codes(node, problems) },
            Tree::Map(_) => {
                let what = format!("set {:?}", key.text);
                let Some(mut fields) = Fields::of(node, what, problems) else { continue };
                let system = fields.must_text("system", problems).map(|(system, _)| system);
                let codes = fields.must("codes", problems).map(|node| codes(node, problems));
                fields.finish(problems);
                ValueSet { system, codes: codes.unwrap_or_default() }
            }
            other => {
                problems.add(
                    node.place,
                    format!("set {:?} is {}", key.text, other.kind()),
                    "write `- \"code\"` lines, or `system:` and `codes:`",
                );
                continue;
            }
        };
        sets.insert(key.text, set);
    }
    sets
}

/// A list of codes, or codes with what they mean.
fn codes(node: Node, problems: &mut Problems) -> BTreeMap<String, Option<String>> {
    match node.tree {
        Tree::List(items) => {
            let member = |item| fields::text(item, "member", problems).map(|(text, _)| (text, None));
            items.into_iter().filter_map(member).collect()
        }
        Tree::Map(entries) => {
            let mut meaning = |(key, node): (Key, Node)| {
                let (text, _) = fields::text(node, "meaning", problems)?;
                Some((key.text, Some(text)))
            };
            entries.into_iter().filter_map(&mut meaning).collect()
        }
        other => {
            let what = format!("`codes` is {}", other.kind());
            problems.add(node.place, what, "write `- \"code\"` lines, or `\"code\": meaning`");
            BTreeMap::new()
        }
    }
}
