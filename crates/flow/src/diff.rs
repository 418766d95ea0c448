//! What changed between two versions of a flow, in words for a person who decides about it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::flow::Flow;
use crate::jq::keys;

impl Flow {
    /// What a newer version of this flow changes: one line for each change of the trigger, a table's row, a set's code, a
    /// step or a mapping's field. Empty when both do the same. Lines quote names and keys, no values.
    #[must_use]
    pub fn diff(&self, newer: &Self) -> Vec<String> {
        let (old, new) = (&self.parts.document, &newer.parts.document);
        let mut lines = Vec::new();
        if self.name() != newer.name() {
            lines.push(format!("the flow {} is compared with another one, {}", self.name(), newer.name()));
        }
        for (key, word) in
            [("description", "the description"), ("inputs", "the inputs"), ("result", "the result")]
        {
            if old.get(key) != new.get(key) {
                lines.push(format!("{word}: changed"));
            }
        }
        entries("the trigger", (old.get("trigger"), new.get("trigger")), &mut lines);
        for (key, word, row) in [("tables", "table", "row"), ("sets", "set", "code")] {
            named_parts((old.get(key), new.get(key)), (word, row), &mut lines);
        }
        steps(list(old, "steps"), list(new, "steps"), "", &mut lines);
        let tests = (by_name(list(old, "tests")), by_name(list(new, "tests")));
        entries("the tests", (Some(&tests.0), Some(&tests.1)), &mut lines);
        lines
    }
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn name(value: &Value) -> &str {
    value.get("name").and_then(Value::as_str).unwrap_or_default()
}

fn by_name(values: &[Value]) -> Value {
    let named = values.iter().map(|value| (name(value).to_owned(), value.clone()));
    Value::Object(named.collect::<Map<_, _>>())
}

/// The entries of two maps: which were added, removed and changed.
fn entries(what: &str, (old, new): (Option<&Value>, Option<&Value>), lines: &mut Vec<String>) {
    let empty = Map::new();
    let map = |value: Option<&'_ Value>| value.and_then(Value::as_object).cloned();
    let (old, new) = (map(old).unwrap_or_else(|| empty.clone()), map(new).unwrap_or(empty));
    let all: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for key in all {
        let word = match (old.get(key), new.get(key)) {
            (None, _) => "added",
            (_, None) => "removed",
            (Some(before), Some(after)) if before != after => "changed",
            _ => continue,
        };
        lines.push(format!("{what}: {key} {word}"));
    }
}

/// Tables or sets: which were added and removed, and which of their rows changed.
fn named_parts(
    (old, new): (Option<&Value>, Option<&Value>),
    (word, row): (&str, &str),
    lines: &mut Vec<String>,
) {
    let map = |value: Option<&Value>| value.and_then(Value::as_object).cloned().unwrap_or_default();
    let (old, new) = (map(old), map(new));
    let all: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for key in all {
        match (old.get(key), new.get(key)) {
            (None, _) => lines.push(format!("{word} {key}: added")),
            (_, None) => lines.push(format!("{word} {key}: removed")),
            (Some(before), Some(after)) if before != after => {
                let (before, after) = (rows(before), rows(after));
                entries(&format!("{word} {key}: {row}"), (Some(&before), Some(&after)), lines);
            }
            _ => {}
        }
    }
}

/// The rows of a table, or the codes of a set, as a map.
fn rows(value: &Value) -> Value {
    match value {
        Value::Array(codes) => {
            let code = |code: &Value| Some((code.as_str()?.to_owned(), Value::Null));
            Value::Object(codes.iter().filter_map(code).collect())
        }
        Value::Object(fields) => match fields.get("codes") {
            Some(codes) if fields.contains_key("system") => {
                let mut map = rows(codes);
                map["(system)"] = fields.get("system").cloned().unwrap_or_default();
                map
            }
            _ => value.clone(),
        },
        other => serde_json::json!({ "(kind)": other }),
    }
}

fn steps(old: &[Value], new: &[Value], prefix: &str, lines: &mut Vec<String>) {
    let has = |steps: &[Value], step: &Value| steps.iter().any(|other| name(other) == name(step));
    for step in old.iter().filter(|step| !has(new, step)) {
        lines.push(format!("step {prefix}{}: removed", name(step)));
    }
    let kept_before: Vec<&str> = old.iter().filter(|step| has(new, step)).map(name).collect();
    let kept_after: Vec<&str> = new.iter().filter(|step| has(old, step)).map(name).collect();
    if kept_before != kept_after {
        let prefix = prefix.trim_end_matches('.');
        let of = if prefix.is_empty() { String::new() } else { format!(" of {prefix}") };
        lines.push(format!("the order of the steps{of}: changed"));
    }
    for step in new {
        match old.iter().find(|other| name(other) == name(step)) {
            None => lines.push(format!("step {prefix}{}: added", name(step))),
            Some(before) => step_changes(before, step, &format!("{prefix}{}", name(step)), lines),
        }
    }
}

fn step_changes(old: &Value, new: &Value, path: &str, lines: &mut Vec<String>) {
    let map = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let (before, after) = (map(old), map(new));
    let all: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for key in all {
        match (before.get(key), after.get(key)) {
            (before, after) if before == after => {}
            _ if key == "steps" => steps(list(old, "steps"), list(new, "steps"), &format!("{path}."), lines),
            (Some(Value::String(before)), Some(Value::String(after))) => {
                let fields = fields_changed(before, after);
                if fields.is_empty() {
                    lines.push(format!("step {path}: `{key}` changed"));
                }
                lines.extend(fields.into_iter().map(|field| format!("step {path}: `{key}` {field}")));
            }
            (None, _) => lines.push(format!("step {path}: `{key}` added")),
            (_, None) => lines.push(format!("step {path}: `{key}` removed")),
            _ => lines.push(format!("step {path}: `{key}` changed")),
        }
    }
}

/// Which fields of a mapping changed, when its text says so.
fn fields_changed(before: &str, after: &str) -> Vec<String> {
    let (old, new) = (fields(before), fields(after));
    let mut changed = Vec::new();
    for (path, text) in &new {
        match old.iter().find(|(known, _)| known == path) {
            None => changed.push(format!("{path} added")),
            Some((_, known)) if known != text => changed.push(format!("{path} changed")),
            Some(_) => {}
        }
    }
    let gone = old.iter().filter(|(path, _)| !new.iter().any(|(known, _)| known == path));
    changed.extend(gone.map(|(path, _)| format!("{path} removed")));
    changed
}

/// The fields that a mapping writes, each with its text up to the next one, without spaces and commas.
fn fields(text: &str) -> Vec<(String, String)> {
    let mut found = keys(text);
    found.sort_by_key(|(_, offset)| *offset);
    let ends: Vec<usize> = found.iter().skip(1).map(|(_, offset)| *offset).chain([text.len()]).collect();
    let written = found.into_iter().zip(ends).map(|((path, from), to)| {
        let part = text.get(from..to).unwrap_or_default();
        (path, part.split([' ', '\n', ',']).collect::<String>())
    });
    written.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "flow: f
version: 1
trigger: { source: stripe, event: order.paid }
tables: { unit: { each: EA, box: BX } }
sets: { vitals: { system: s, codes: { a: A, b: B } }, plain: [x] }
steps:
  - name: m
    map: '{ a: .x, b: { c: .y }, gone: 1 }'
  - name: old
    map: .x
  - name: lines
    for_each: .lines
    steps:
      - name: line
        map: '{ n: $item }'
  - name: filed
    call: epicor.file_document
    with: m
tests:
  - name: one
    event: { event: order.paid }
    expect: {}
";

    fn flow(text: &str) -> Flow {
        Flow::parse(text, "f").unwrap_or_else(|problems| panic!("{problems}"))
    }

    #[test]
    fn a_version_that_differs_in_its_looks_only_changes_nothing() {
        let new = OLD.replace("version: 1", "# newer\nversion: 2");
        assert_eq!(flow(OLD).diff(&flow(&new)), Vec::<String>::new());
        let new = OLD.replace("b: { c: .y }, gone", "b: {  c: .y  }, gone");
        assert_eq!(flow(OLD).diff(&flow(&new)), ["step m: `map` changed"], "the text is another one");
    }

    #[test]
    fn every_change_is_one_line() {
        let new = OLD
            .replace("event: order.paid }\ntables", "event: order.paid, filter: .x }\ntables")
            .replace("box: BX", "box: BOX, can: CN")
            .replace("b: B }", "c: C }")
            .replace("[x]", "[x, y]")
            .replace("c: .y }, gone: 1", "c: .z }, here: 1")
            .replace("  - name: old\n    map: .x\n", "")
            .replace("{ n: $item }", "{ n: $index }")
            .replace("    with: m\n", "    with: m\n    on_refused: continue\n  - name: told\n    write_back: order.status\n    with: m\n")
            .replace("- name: one", "- name: two");
        let wanted = [
            "the trigger: filter added",
            "table unit: row: box changed",
            "table unit: row: can added",
            "set plain: code: y added",
            "set vitals: code: b removed",
            "set vitals: code: c added",
            "step old: removed",
            "step m: `map` .b.c changed",
            "step m: `map` .here added",
            "step m: `map` .gone removed",
            "step lines.line: `map` .n changed",
            "step filed: `on_refused` added",
            "step told: added",
            "the tests: one removed",
            "the tests: two added",
        ];
        assert_eq!(flow(OLD).diff(&flow(&new)), wanted);
    }

    #[test]
    fn a_step_that_moves_is_told() {
        let moved = "  - name: old\n    map: .x\n";
        let new =
            OLD.replace(moved, "").replace("steps:\n  - name: m", &format!("steps:\n{moved}  - name: m"));
        assert_eq!(flow(OLD).diff(&flow(&new)), ["the order of the steps: changed"]);
    }
}
