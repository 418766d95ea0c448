//! Runs the tests that a flow document carries: canned answers in, requests and branches out.
//!
//! Every request is asked twice, every answer is taken by a run that was stored and loaded again, and every step is
//! tried once more after a lost answer. So a document whose tests pass also survives a crash at each of its steps.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::compiled::Compiled;
use crate::flow::Flow;
use crate::problem::Place;
use crate::run::{Answer, Next, Run};

/// One test of a document.
pub(crate) struct Test {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) event: Value,
    /// Answers by step.
    pub(crate) answers: BTreeMap<String, Answer>,
    /// Write-backs to switch on.
    pub(crate) enable: Vec<String>,
    pub(crate) expect: Expectation,
}

/// What a test expects. What it does not mention is not compared.
#[derive(Default)]
pub(crate) struct Expectation {
    pub(crate) starts: bool,
    pub(crate) calls: Option<Vec<(String, Value)>>,
    pub(crate) write_backs: Option<Vec<(String, Value)>>,
    pub(crate) lookups: Option<Vec<String>>,
    /// Events waited for, with their keys.
    pub(crate) waits: Option<Vec<(String, Value)>>,
    /// Questions to persons, with the role that may answer.
    pub(crate) approvals: Option<Vec<(String, Value)>>,
    /// Calls that undid earlier ones.
    pub(crate) undone: Option<Vec<(String, Value)>>,
    /// What a callable flow gives back.
    pub(crate) result: Option<Value>,
    /// The step that the run waits at when the test is over.
    pub(crate) waiting: Option<String>,
    pub(crate) branches: BTreeMap<String, bool>,
    pub(crate) parked: Option<(String, String)>,
    pub(crate) failed: Option<String>,
}

/// How one test of a document went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The test's name.
    pub name: String,
    /// The test's place in the document.
    pub place: Place,
    /// What was not as expected; empty when the test passed. Test events are not personal data.
    pub differences: Vec<String>,
}

/// What happened in one test.
#[derive(Default)]
struct Observed {
    calls: Vec<(String, Value)>,
    write_backs: Vec<(String, Value)>,
    lookups: Vec<String>,
    waits: Vec<(String, Value)>,
    approvals: Vec<(String, Value)>,
    undone: Vec<(String, Value)>,
    result: Option<Value>,
    waiting: Option<String>,
    branches: BTreeMap<String, bool>,
    parked: Option<(String, String)>,
    failed: Option<(String, String)>,
    problems: Vec<String>,
}

pub(crate) fn rehearse(flow: &Flow) -> Vec<Outcome> {
    let run = |test: &Test| {
        let compiled = test.enable.iter().fold(flow.compile(), |flow, step| flow.with_write_back(step, true));
        let callable = compiled.trigger().1.is_empty();
        let begun =
            if callable { Some(compiled.start_with(&test.event)) } else { compiled.start(&test.event) };
        let differences = match begun {
            None if test.expect.starts => vec!["the event did not start the flow".to_owned()],
            None => Vec::new(),
            Some(_) if !test.expect.starts => vec!["the event started the flow".to_owned()],
            Some(run) => observe(&compiled, run, test).compare(&test.expect),
        };
        Outcome { name: test.name.clone(), place: test.place, differences }
    };
    flow.parts.tests.iter().map(run).collect()
}

fn observe(flow: &Compiled, mut run: Run, test: &Test) -> Observed {
    let mut seen = Observed::default();
    let mut next = flow.advance(&mut run, None);
    // Each answer moves the run forward by a step at least, so the loop ends.
    loop {
        // A parked run that is advanced again tries its step again, which is another request by design.
        let waits = !matches!(next, Next::Parked { .. } | Next::Failed { .. });
        if waits && next != flow.advance(&mut run, None) {
            seen.problems.push("asking again gave another request".to_owned());
        }
        let Some(step) = seen.note(&next, flow, &run) else { return seen };
        let known = test.answers.get(&step).or_else(|| test.answers.get(&without_numbers(&step)));
        let answer = match (known, &next) {
            (Some(answer), _) => answer.clone(),
            (None, Next::Lookup { .. }) => Answer::Missing,
            // What a test does not say happens has not happened yet.
            (None, Next::Wait { .. } | Next::Approve { .. }) => {
                seen.waiting = Some(step);
                seen.branches(flow, &run);
                return seen;
            }
            (None, _) => Answer::Done(Value::Null),
        };
        let Some(mut loaded) = stored_and_loaded(&run) else {
            seen.problems.push("the run could not be stored".to_owned());
            return seen;
        };
        let again = flow.advance(&mut loaded, Some(answer.clone()));
        next = flow.advance(&mut run, Some(answer));
        if next != again || run != loaded || !answered_once(flow, &mut run, &step, &next) {
            seen.problems.push(format!("after a crash at {step} the run went another way"));
        }
    }
}

/// Whether an answer that comes a second time changes nothing.
fn answered_once(flow: &Compiled, run: &mut Run, step: &str, next: &Next) -> bool {
    // A run that stopped still stands at the step and would take the answer as a new one.
    let stopped = matches!(next, Next::Parked { .. } | Next::Failed { .. });
    stopped || *next == flow.answer(run, step, Answer::Missing)
}

/// `lines[3].part` as `lines.part`, for an answer that is meant for every item.
fn without_numbers(step: &str) -> String {
    let mut inside = false;
    let kept = step.chars().filter(|c| {
        inside = (inside || *c == '[') && *c != ']';
        !inside && *c != ']'
    });
    kept.collect()
}

fn stored_and_loaded(run: &Run) -> Option<Run> {
    serde_json::from_slice(&serde_json::to_vec(run).ok()?).ok()
}

impl Observed {
    /// Notes a request; gives the step that waits for an answer, or nothing when the run stopped.
    fn note(&mut self, next: &Next, flow: &Compiled, run: &Run) -> Option<String> {
        match next {
            Next::Lookup { step, .. } => {
                self.lookups.push(step.clone());
                return Some(step.clone());
            }
            Next::Call { step, target, document, undoes, .. } => {
                let list = if undoes.is_some() { &mut self.undone } else { &mut self.calls };
                list.push((target.clone(), document.expose().clone()));
                return Some(step.clone());
            }
            Next::WriteBack { step, target, document } => {
                self.write_backs.push((target.clone(), document.expose().clone()));
                return Some(step.clone());
            }
            Next::Wait { step, event, key, .. } => {
                self.waits.push((event.clone(), key.expose().clone()));
                return Some(step.clone());
            }
            Next::Approve { step, question, by, .. } => {
                self.approvals.push((by.clone(), Value::from(question.expose().as_str())));
                return Some(step.clone());
            }
            Next::Finished { .. } => self.result = Some(flow.result(run).into_exposed()),
            Next::Parked { reason, step, .. } => self.parked = Some((step.clone(), reason.word().to_owned())),
            Next::Failed { error, step, .. } => {
                let detail = error.detail.as_ref().map_or("", |detail| detail.expose());
                self.failed = Some((step.clone(), format!("{} ({detail})", error.text)));
            }
        }
        self.branches(flow, run);
        None
    }

    fn branches(&mut self, flow: &Compiled, run: &Run) {
        for line in flow.trace(run).into_iter().filter(|line| line.condition.is_some()) {
            self.branches.insert(line.step, line.outcome == crate::run::Outcome::Then);
        }
    }

    fn compare(self, expect: &Expectation) -> Vec<String> {
        let mut differences = self.problems;
        let mut differ = |what: &str, expected: String, found: String| {
            if expected != found {
                differences.push(format!("{what}: expected {expected}, found {found}"));
            }
        };
        if let Some(calls) = &expect.calls {
            differ("calls", shown(calls), shown(&self.calls));
        }
        if let Some(write_backs) = &expect.write_backs {
            differ("write-backs", shown(write_backs), shown(&self.write_backs));
        }
        if let Some(lookups) = &expect.lookups {
            differ("lookups", lookups.join(", "), self.lookups.join(", "));
        }
        if let Some(waits) = &expect.waits {
            differ("waits", shown(waits), shown(&self.waits));
        }
        if let Some(approvals) = &expect.approvals {
            differ("approvals", shown(approvals), shown(&self.approvals));
        }
        if let Some(undone) = &expect.undone {
            differ("undone", shown(undone), shown(&self.undone));
        }
        if let Some(result) = &expect.result {
            differ("result", result.to_string(), self.result.unwrap_or_default().to_string());
        }
        let waiting = |step: Option<&String>| {
            step.map_or_else(|| "not waiting".to_owned(), |step| format!("waiting at {step}"))
        };
        differ("wait", waiting(expect.waiting.as_ref()), waiting(self.waiting.as_ref()));
        for (step, then) in &expect.branches {
            let word = |then: Option<&bool>| match then {
                Some(true) => "then".to_owned(),
                Some(false) => "else".to_owned(),
                None => "not reached".to_owned(),
            };
            differ(&format!("branch at {step}"), word(Some(then)), word(self.branches.get(step)));
        }
        let ended = |parked: Option<&(String, String)>| {
            parked.map_or_else(
                || "not parked".to_owned(),
                |(step, reason)| format!("parked at {step}: {reason}"),
            )
        };
        differ("end", ended(expect.parked.as_ref()), ended(self.parked.as_ref()));
        let failed = |step: Option<&String>| {
            step.map_or_else(|| "no failure".to_owned(), |step| format!("failed at {step}"))
        };
        differ("failure", failed(expect.failed.as_ref()), failed(self.failed.as_ref().map(|(step, _)| step)));
        if let Some((step, text)) = self.failed.filter(|_| expect.failed.is_none()) {
            differences.push(format!("{step}: {text}"));
        }
        differences
    }
}

fn shown(requests: &[(String, Value)]) -> String {
    let shown: Vec<String> =
        requests.iter().map(|(target, document)| format!("{target} {document}")).collect();
    shown.join("; ")
}
