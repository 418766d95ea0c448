//! Reads the steps that ask the shell for something at once: lookups, calls, write-backs, called flows.

use super::durations::duration;
use super::fields::Fields;
use super::layout::Position;
use super::steps::{Reader, one_of};
use crate::jq::{Program, listed, to_jq};
use crate::problem::Problems;
use crate::run::{Retry, RetryClass};
use crate::step::{Call, Document, LookupSource, OnMissing, StepKind};
use crate::yaml::{Node, Tree};

/// Most attempts that a document may ask for.
const ATTEMPTS_MAX: i64 = 100;

impl Reader<'_> {
    pub(super) fn lookup(
        &self,
        fields: &mut Fields,
        at: &Position<'_>,
        problems: &mut Problems,
    ) -> Option<StepKind> {
        let (word, node) = fields.must_text("lookup", problems)?;
        let source = if word == "table" {
            self.table(fields, problems)?
        } else {
            one_of(&word, node.place, "lookup source", &self.vocabulary.sources, problems);
            LookupSource::Outside(word)
        };
        let key = fields.must_jq("key", problems);
        let key = key.and_then(|text| self.program(&text, at, problems));
        let on_missing = match &source {
            LookupSource::Table(_) | LookupSource::ExternalTable(_) if fields.has("on_unknown") => {
                on_unknown(fields, problems)
            }
            _ => on_missing(fields, problems),
        };
        let cache = duration(fields, "cache", problems)?;
        if cache.is_some() && matches!(source, LookupSource::Table(_)) {
            problems.add(node.place, "an inline table needs no `cache`", "remove `cache`");
        }
        Some(StepKind::Lookup { source, key: key?, on_missing: on_missing?, cache })
    }

    fn table(&self, fields: &mut Fields, problems: &mut Problems) -> Option<LookupSource> {
        let (table, node) = fields.must_text("table", problems)?;
        if self.tables.external.contains(&table) {
            return Some(LookupSource::ExternalTable(table));
        }
        if !self.tables.tables.contains_key(&table) {
            let known = self.tables.tables.keys().chain(&self.tables.external);
            let fix = format!("add it under `tables:`; there are: {}", listed(known));
            problems.add(node.place, format!("there is no table {table:?}"), fix);
        }
        Some(LookupSource::Table(table))
    }

    pub(super) fn call(
        &self,
        fields: &mut Fields,
        at: &Position<'_>,
        problems: &mut Problems,
    ) -> Option<StepKind> {
        let (target, node) = fields.must_text("call", problems)?;
        one_of(&target, node.place, "call target", &self.vocabulary.targets, problems);
        let document = self.document(fields, at, problems);
        let on_refused = self.otherwise(fields, "on_refused", at, problems);
        let retry = fields.take("retry").map(|node| retry(node, problems));
        let undo = fields.take("compensate").map(|node| self.undo(node, at, problems));
        let (retry, undo) = (given(retry)?, given(undo)?);
        let call = Call { target, document: document?, retry, on_refused: on_refused?, undo };
        Some(StepKind::Call(Box::new(call)))
    }

    /// The call that undoes a call; it sees that call's result.
    fn undo(&self, node: Node, at: &Position<'_>, problems: &mut Problems) -> Option<(String, Program)> {
        let mut fields = Fields::of(node, "`compensate`", problems)?;
        let target = fields.must_text("call", problems);
        if let Some((target, node)) = &target {
            one_of(target, node.place, "call target", &self.vocabulary.targets, problems);
        }
        let document = fields.must_jq("with", problems);
        let seen = at.earlier_and_own();
        let document = document.and_then(|text| self.program_seeing(&text, &seen, at, problems));
        fields.finish(problems);
        Some((target?.0, document?))
    }

    pub(super) fn write_back(
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

    /// A call of another flow. Which flow that is, is known when all documents are read.
    pub(super) fn flow(
        &self,
        fields: &mut Fields,
        at: &Position<'_>,
        problems: &mut Problems,
    ) -> Option<StepKind> {
        let (flow, _) = fields.must_text("flow", problems)?;
        let document = self.document(fields, at, problems);
        Some(StepKind::Flow { flow, document: document?, callee: None })
    }

    pub(super) fn compensate(
        fields: &mut Fields,
        kind: &'static str,
        problems: &mut Problems,
    ) -> Option<StepKind> {
        if kind == "end" {
            let (word, node) = fields.must_text("end", problems)?;
            if word != "compensated" {
                let fix = "write `end: compensated`, or `next: end` at the step before";
                problems.add(node.place, format!("`end` is {word:?}"), fix);
            }
        } else {
            let place = fields.place;
            if fields.flag("compensate", problems) == Some(false) {
                problems.add(place, "`compensate: false` does nothing", "remove the step");
            }
        }
        Some(StepKind::Compensate)
    }

    /// `with:` names an earlier step, or is an expression.
    fn document(&self, fields: &mut Fields, at: &Position<'_>, problems: &mut Problems) -> Option<Document> {
        let text = fields.must_jq("with", problems)?;
        let word = text.0.trim();
        let earlier = at.earlier();
        if let Some(index) = earlier.iter().position(|name| !name.is_empty() && name == word) {
            return Some(Document::Step(index));
        }
        if at.level.iter().any(|(name, _)| !name.is_empty() && name == word) {
            let what = format!("`with` names the step {word:?}, which does not come before this one");
            problems.add(text.1.place, what, "name an earlier step; move this step down");
            return None;
        }
        if !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        {
            let known = earlier.iter().filter(|name| !name.is_empty());
            let fix = format!("name an earlier step: {}", listed(known));
            problems.add(text.1.place, format!("there is no step {word:?}"), fix);
            return None;
        }
        self.program(&text, at, problems).map(Document::Expression)
    }
}

/// A field that may be absent, but not wrong.
#[expect(clippy::option_option, reason = "absent, wrong and given are three things")]
fn given<T>(field: Option<Option<T>>) -> Option<Option<T>> {
    match field {
        None => Some(None),
        Some(read) => read.map(Some),
    }
}

fn retry(node: Node, problems: &mut Problems) -> Option<Retry> {
    let place = node.place;
    let mut fields = Fields::of(node, "`retry`", problems)?;
    let class = fields.must_text("class", problems);
    let attempts = fields.must("attempts", problems);
    let within = duration(&mut fields, "within", problems);
    fields.finish(problems);
    let (word, node) = class?;
    let class = match word.as_str() {
        "retryable" => RetryClass::Retryable,
        "not" => RetryClass::Not,
        "unknown_looks_up" => RetryClass::UnknownLooksUp,
        _ => {
            let fix = "use retryable, not or unknown_looks_up";
            problems.add(node.place, format!("`class` is {word:?}"), fix);
            return None;
        }
    };
    let attempts = attempts?;
    let count = match attempts.tree {
        Tree::Integer(count) if (1..=ATTEMPTS_MAX).contains(&count) => u32::try_from(count).ok(),
        _ => None,
    };
    if count.is_none() {
        let fix = format!("write a whole number from 1 to {ATTEMPTS_MAX}");
        problems.add(attempts.place, "`attempts` is not such a number", fix);
    }
    if class == RetryClass::Not && count.is_some_and(|count| count > 1) {
        problems.add(place, "`class: not` with more than one attempt", "write `attempts: 1`");
    }
    Some(Retry { class, attempts: count?, within: within? })
}

/// `on_unknown: queue` is the word for a table: the run waits for the row.
fn on_unknown(fields: &mut Fields, problems: &mut Problems) -> Option<OnMissing> {
    let (word, node) = fields.text("on_unknown", problems)?;
    if word == "queue" && !fields.has("on_missing") && !fields.has("default") {
        return Some(OnMissing::Park);
    }
    let fix = "write `on_unknown: queue`, or `on_missing: park`, `continue` or `default` instead";
    problems.add(node.place, format!("`on_unknown` is {word:?}, or stands beside `on_missing`"), fix);
    None
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
