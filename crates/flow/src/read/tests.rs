//! Reads the tests that a flow document carries.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::Fields;
use super::names::{Named, Want, find};
use crate::jq::listed;
use crate::problem::{Place, Problems};
use crate::rehearsal::{Expectation, Test};
use crate::run::Answer;
use crate::step::Step;
use crate::yaml::{Key, Node, Tree};

/// Words for the reasons of parking, as [`Parked::word`](crate::run::Parked::word) gives them.
const REASONS: [&str; 7] =
    ["missing", "unknown_key", "not_in_set", "shape", "timed_out", "rejected", "refused"];

/// A name in a test that can be checked when the called flows are known.
pub(crate) type Below = (String, Place, Want);

/// Reads the tests of one document.
pub(super) struct TestReader<'a> {
    pub(super) steps: &'a [Step],
    pub(super) below: Vec<Below>,
}

impl TestReader<'_> {
    pub(super) fn test(&mut self, node: Node, problems: &mut Problems) -> Option<Test> {
        let place = node.place;
        let mut fields = Fields::of(node, "the test", problems)?;
        let name = fields.must_text("name", problems).map(|(name, _)| name);
        let event = fields.must("event", problems).map(|node| node.to_json(problems));
        let answers = self.answers(&mut fields, problems);
        let enable = self.names(fields.list("enable", problems), problems);
        let expect = fields.must("expect", problems).and_then(|node| self.expectation(node, problems));
        fields.finish(problems);
        Some(Test { name: name?, place, event: event?, answers, enable, expect: expect? })
    }

    fn answers(&mut self, fields: &mut Fields, problems: &mut Problems) -> BTreeMap<String, Answer> {
        let mut answers = BTreeMap::new();
        for (key, node) in fields.map("lookups", problems) {
            let answer = match &node.tree {
                Tree::Null => Answer::Missing,
                _ => Answer::Found(node.to_json(problems)),
            };
            self.exists(&key, Want::Lookup, problems);
            answers.insert(key.text, answer);
        }
        for (key, node) in fields.map("waits", problems) {
            let answer = match &node.tree {
                Tree::Null => Answer::TimedOut,
                _ => Answer::Happened(node.to_json(problems)),
            };
            self.exists(&key, Want::Wait, problems);
            answers.insert(key.text, answer);
        }
        for (key, node) in fields.map("approvals", problems) {
            self.exists(&key, Want::Approval, problems);
            let answer = decision(node, problems).unwrap_or(Answer::TimedOut);
            answers.insert(key.text, answer);
        }
        for (key, node) in fields.map("calls", problems) {
            self.exists(&key, Want::Call, problems);
            let what = format!("the answer of {:?}", key.text);
            let Some(mut fields) = Fields::of(node, what, problems) else { continue };
            let answer = match fields.text("refused", problems) {
                Some((text, _)) => Answer::Refused(text),
                None => Answer::Done(fields.json("done", problems).unwrap_or_default()),
            };
            fields.finish(problems);
            answers.insert(key.text, answer);
        }
        answers
    }

    fn expectation(&mut self, node: Node, problems: &mut Problems) -> Option<Expectation> {
        let mut fields = Fields::of(node, "the expectation", problems)?;
        let fields = &mut fields;
        let mut expect = Expectation {
            starts: fields.flag("starts", problems).unwrap_or(true),
            calls: pairs(fields, "calls", ["target", "document"], problems),
            write_backs: pairs(fields, "write_backs", ["target", "document"], problems),
            undone: pairs(fields, "undone", ["target", "document"], problems),
            waits: pairs(fields, "waits", ["event", "key"], problems),
            approvals: pairs(fields, "approvals", ["by", "question"], problems),
            result: fields.json("result", problems),
            ..Expectation::default()
        };
        if fields.has("lookups") {
            expect.lookups = Some(self.names(fields.list("lookups", problems), problems));
        }
        for (key, node) in fields.map("branches", problems) {
            self.exists(&key, Want::Any, problems);
            match &node.tree {
                Tree::Text(word) if word == "then" || word == "else" => {
                    expect.branches.insert(key.text, word == "then");
                }
                _ => problems.add(node.place, "a branch is neither `then` nor `else`", "write then or else"),
            }
        }
        if let Some((step, node)) = fields.text("waiting", problems) {
            self.exists(&Key { text: step.clone(), place: node.place }, Want::Any, problems);
            expect.waiting = Some(step);
        }
        if let Some(node) = fields.take("parked") {
            expect.parked = self.parked(node, problems);
        }
        if let Some((step, node)) = fields.text("failed", problems) {
            if step != "trigger" {
                self.exists(&Key { text: step.clone(), place: node.place }, Want::Any, problems);
            }
            expect.failed = Some(step);
        }
        fields.report(problems);
        Some(expect)
    }

    fn parked(&mut self, node: Node, problems: &mut Problems) -> Option<(String, String)> {
        let mut fields = Fields::of(node, "`parked`", problems)?;
        let step = fields.must_text("step", problems);
        let reason = fields.must_text("reason", problems);
        fields.finish(problems);
        let ((step, step_node), (reason, reason_node)) = (step?, reason?);
        if step != "trigger" {
            self.exists(&Key { text: step.clone(), place: step_node.place }, Want::Any, problems);
        }
        if !REASONS.contains(&reason.as_str()) {
            problems.add(
                reason_node.place,
                format!("{reason:?} is no reason"),
                format!("use one of: {}", listed(REASONS)),
            );
        }
        Some((step, reason))
    }

    fn names(&mut self, nodes: Vec<Node>, problems: &mut Problems) -> Vec<String> {
        let mut names = Vec::new();
        for node in nodes {
            if let Some((name, node)) = super::fields::text(node, "step", problems) {
                self.exists(&Key { text: name.clone(), place: node.place }, Want::Any, problems);
                names.push(name);
            }
        }
        names
    }

    /// Whether a name means a step of the wanted kind.
    fn exists(&mut self, name: &Key, want: Want, problems: &mut Problems) {
        match find(self.steps, &name.text) {
            Some(Named::Step(step)) if want.fits(step) => {}
            Some(Named::Below) => self.below.push((name.text.clone(), name.place, want)),
            Some(Named::Step(_)) | None => {
                let known = listed(self.steps.iter().filter(|step| want.fits(step)).map(|step| &step.name));
                let what = format!("there is no {} {:?}", want.word(), name.text);
                problems.add(name.place, what, format!("use one of: {known}"));
            }
        }
    }
}

/// `{ approved: ann }`, `{ rejected: ann, reason: … }`, or nothing when nobody answered in time.
fn decision(node: Node, problems: &mut Problems) -> Option<Answer> {
    if matches!(node.tree, Tree::Null) {
        return None;
    }
    let mut fields = Fields::of(node, "the decision", problems)?;
    let approved = fields.text("approved", problems).map(|(by, _)| by);
    let rejected = fields.text("rejected", problems).map(|(by, _)| by);
    let reason = fields.text("reason", problems).map_or_else(String::new, |(reason, _)| reason);
    let place = fields.place;
    fields.finish(problems);
    match (approved, rejected) {
        (Some(by), None) => Some(Answer::Approved { by }),
        (None, Some(by)) => Some(Answer::Rejected { by, reason }),
        _ => {
            let fix = "write `approved: name`, or `rejected: name` with `reason: …`";
            problems.add(place, "the decision is neither yes nor no", fix);
            None
        }
    }
}

/// A list of two-field maps, when the field is there: a word and a value.
fn pairs(
    fields: &mut Fields,
    name: &'static str,
    [word, value]: [&'static str; 2],
    problems: &mut Problems,
) -> Option<Vec<(String, Value)>> {
    if !fields.has(name) {
        fields.take(name);
        return None;
    }
    let mut pairs = Vec::new();
    for node in fields.list(name, problems) {
        let Some(mut fields) = Fields::of(node, format!("an entry of `{name}`"), problems) else { continue };
        let word = fields.must_text(word, problems).map(|(word, _)| word);
        let value = fields.must(value, problems).map(|node| node.to_json(problems));
        fields.finish(problems);
        pairs.extend(word.zip(value));
    }
    Some(pairs)
}
