//! Reads the tests that a flow document carries.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::Fields;
use crate::flow::{Step, StepKind};
use crate::jq::listed;
use crate::problem::{Place, Problems};
use crate::rehearsal::{Expectation, Test};
use crate::run::Answer;
use crate::yaml::{Key, Node, Tree};

/// Words for the reasons of parking, as [`Parked::word`](crate::run::Parked::word) gives them.
const REASONS: [&str; 6] = ["missing", "unknown_key", "not_in_set", "shape", "timed_out", "refused"];

/// Reads all tests.
pub(super) fn tests(nodes: Vec<Node>, steps: &[Step], problems: &mut Problems) -> Vec<Test> {
    nodes.into_iter().filter_map(|node| test(node, steps, problems)).collect()
}

fn test(node: Node, steps: &[Step], problems: &mut Problems) -> Option<Test> {
    let place = node.place;
    let mut fields = Fields::of(node, "the test", problems)?;
    let name = fields.must_text("name", problems).map(|(name, _)| name);
    let event = fields.must("event", problems).map(|node| node.to_json(problems));
    let mut answers = BTreeMap::new();
    for (key, node) in fields.map("lookups", problems) {
        let answer = match &node.tree {
            Tree::Null => Answer::Missing,
            _ => Answer::Found(node.to_json(problems)),
        };
        answer_for(&key, answer, "lookup", steps, &mut answers, problems);
    }
    for (key, node) in fields.map("waits", problems) {
        let answer = match &node.tree {
            Tree::Null => Answer::TimedOut,
            _ => Answer::Happened(node.to_json(problems)),
        };
        answer_for(&key, answer, "wait", steps, &mut answers, problems);
    }
    for (key, node) in fields.map("calls", problems) {
        let mut fields = Fields::of(node, format!("the answer of {:?}", key.text), problems)?;
        let answer = match fields.text("refused", problems) {
            Some((text, _)) => Answer::Refused(text),
            None => Answer::Done(fields.json("done", problems).unwrap_or_default()),
        };
        fields.finish(problems);
        answer_for(&key, answer, "call", steps, &mut answers, problems);
    }
    let enable = names(fields.list("enable", problems), steps, problems);
    let expect = fields.must("expect", problems).and_then(|node| expectation(node, steps, problems));
    fields.finish(problems);
    Some(Test { name: name?, place, event: event?, answers, enable, expect: expect? })
}

fn answer_for(
    key: &Key,
    answer: Answer,
    kind: &str,
    steps: &[Step],
    answers: &mut BTreeMap<String, Answer>,
    problems: &mut Problems,
) {
    let fits = |step: &&Step| match &step.kind {
        StepKind::Lookup { .. } => kind == "lookup",
        StepKind::Call { .. } | StepKind::WriteBack { .. } => kind == "call",
        StepKind::Wait { .. } => kind == "wait",
        StepKind::Map { .. } | StepKind::Condition { .. } => false,
    };
    if steps.iter().filter(fits).any(|step| step.name == key.text) {
        answers.insert(key.text.clone(), answer);
    } else {
        let known = listed(steps.iter().filter(fits).map(|step| &step.name));
        problems.add(
            key.place,
            format!("there is no {kind} step {:?}", key.text),
            format!("use one of: {known}"),
        );
    }
}

fn expectation(node: Node, steps: &[Step], problems: &mut Problems) -> Option<Expectation> {
    let mut fields = Fields::of(node, "the expectation", problems)?;
    let mut expect =
        Expectation { starts: fields.flag("starts", problems).unwrap_or(true), ..Expectation::default() };
    if fields.has("calls") {
        let calls = fields.list("calls", problems).into_iter();
        expect.calls = Some(calls.filter_map(|node| request(node, problems)).collect());
    }
    if fields.has("write_backs") {
        let write_backs = fields.list("write_backs", problems).into_iter();
        expect.write_backs = Some(write_backs.filter_map(|node| request(node, problems)).collect());
    }
    if fields.has("lookups") {
        expect.lookups = Some(names(fields.list("lookups", problems), steps, problems));
    }
    if fields.has("waits") {
        let waits = fields.list("waits", problems).into_iter();
        expect.waits = Some(waits.filter_map(|node| wait(node, problems)).collect());
    }
    if let Some((step, node)) = fields.text("waiting", problems) {
        step_exists(&step, node.place, steps, problems);
        expect.waiting = Some(step);
    }
    for (key, node) in fields.map("branches", problems) {
        step_exists(&key.text, key.place, steps, problems);
        match &node.tree {
            Tree::Text(word) if word == "then" || word == "else" => {
                expect.branches.insert(key.text, word == "then");
            }
            _ => problems.add(node.place, "a branch is neither `then` nor `else`", "write then or else"),
        }
    }
    if let Some(node) = fields.take("parked") {
        expect.parked = parked(node, steps, problems);
    }
    if let Some((step, node)) = fields.text("failed", problems) {
        if step != "trigger" {
            step_exists(&step, node.place, steps, problems);
        }
        expect.failed = Some(step);
    }
    fields.finish(problems);
    Some(expect)
}

fn parked(node: Node, steps: &[Step], problems: &mut Problems) -> Option<(String, String)> {
    let mut fields = Fields::of(node, "`parked`", problems)?;
    let step = fields.must_text("step", problems);
    let reason = fields.must_text("reason", problems);
    fields.finish(problems);
    let ((step, step_node), (reason, reason_node)) = (step?, reason?);
    step_exists(&step, step_node.place, steps, problems);
    if !REASONS.contains(&reason.as_str()) {
        problems.add(
            reason_node.place,
            format!("{reason:?} is no reason"),
            format!("use one of: {}", listed(REASONS)),
        );
    }
    Some((step, reason))
}

fn request(node: Node, problems: &mut Problems) -> Option<(String, Value)> {
    let mut fields = Fields::of(node, "the expected call", problems)?;
    let target = fields.must_text("target", problems).map(|(target, _)| target);
    let document = fields.must("document", problems).map(|node| node.to_json(problems));
    fields.finish(problems);
    Some((target?, document?))
}

fn wait(node: Node, problems: &mut Problems) -> Option<(String, Value)> {
    let mut fields = Fields::of(node, "the expected wait", problems)?;
    let event = fields.must_text("event", problems).map(|(event, _)| event);
    let key = fields.must("key", problems).map(|node| node.to_json(problems));
    fields.finish(problems);
    Some((event?, key?))
}

fn names(nodes: Vec<Node>, steps: &[Step], problems: &mut Problems) -> Vec<String> {
    let mut names = Vec::new();
    for node in nodes {
        if let Some((name, node)) = super::fields::text(node, "step", problems) {
            step_exists(&name, node.place, steps, problems);
            names.push(name);
        }
    }
    names
}

fn step_exists(name: &str, place: Place, steps: &[Step], problems: &mut Problems) {
    if !steps.iter().any(|step| step.name == name) {
        let known = listed(steps.iter().map(|step| &step.name));
        problems.add(place, format!("there is no step {name:?}"), format!("use one of: {known}"));
    }
}
