//! Reads the steps: their kinds, their expressions, and where each leads. Jumps go forward only, so a flow ends.

use super::fields::{Fields, expression};
use super::layout::{Layout, Position};
use super::shapes;
use crate::jq::{Program, Scope, Tables, keys, listed};
use crate::problem::{Place, Problems};
use crate::step::{Otherwise, Step, StepKind, Wanted};
use crate::vocabulary::Vocabulary;
use crate::yaml::Node;

/// Most steps in one flow.
const STEPS_MAX: usize = 200;

const KINDS: [&str; 11] = [
    "lookup",
    "map",
    "condition",
    "call",
    "write_back",
    "wait",
    "approve",
    "for_each",
    "flow",
    "compensate",
    "end",
];

/// Kinds that may stand inside a `for_each`.
const INNER_KINDS: [&str; 4] = ["lookup", "map", "condition", "call"];

/// What all steps of a document share while they are read.
pub(super) struct Reader<'a> {
    pub(super) source: &'a str,
    pub(super) vocabulary: &'a Vocabulary,
    pub(super) tables: &'a Tables,
}

impl Reader<'_> {
    /// Reads all steps. Steps with problems are left out, which is harmless: the document is refused.
    pub(super) fn steps(&self, nodes: Vec<Node>, problems: &mut Problems) -> Vec<Step> {
        let layout = Layout::of(&nodes, problems);
        if layout.len() > STEPS_MAX {
            let place = nodes.last().map_or(Place::START, |node| node.place);
            let what = format!("the flow has more than {STEPS_MAX} steps");
            problems.add(place, what, "split it into several flows");
            return Vec::new();
        }
        let mut steps = Vec::with_capacity(layout.len());
        let (level, end) = (layout.top.as_slice(), layout.len());
        for (place, node) in nodes.into_iter().enumerate() {
            let at = Position { layout: &layout, level, place, parent: None, end };
            self.step(node, &at, &mut steps, problems);
        }
        steps
    }

    fn step(
        &self,
        node: Node,
        at: &Position<'_>,
        steps: &mut Vec<Step>,
        problems: &mut Problems,
    ) -> Option<()> {
        let place = node.place;
        let name = at.name().to_owned();
        let mut fields = Fields::of(node, format!("step {name:?}"), problems)?;
        fields.take("name");
        let kind = kind_of(&fields, &name, at, problems)?;
        let is_condition = kind == "condition";
        let when = if is_condition { None } else { fields.jq("when", problems) };
        let when = when.map(|text| self.program(&text, at, problems));
        let next = match kind {
            "condition" => Some(at.after()),
            "end" => Some(at.end),
            _ => self.jump(&mut fields, "next", at, problems),
        };
        let mut inner = Vec::new();
        let kind = match kind {
            "lookup" => self.lookup(&mut fields, at, problems),
            "map" => self.map(&mut fields, at, problems),
            "condition" => self.condition(&mut fields, at, problems),
            "call" => self.call(&mut fields, at, problems),
            "wait" => self.wait(&mut fields, at, problems),
            "approve" => self.approve(&mut fields, at, problems),
            "for_each" => self.for_each(&mut fields, at, &mut inner, problems),
            "flow" => self.flow(&mut fields, at, problems),
            "compensate" | "end" => Self::compensate(&mut fields, kind, problems),
            _ => self.write_back(&mut fields, at, problems),
        };
        fields.finish(problems);
        let when = match when {
            None => None,
            Some(compiled) => Some(compiled?),
        };
        steps.push(Step { name, place, parent: at.parent, when, kind: kind?, next: next? });
        steps.extend(inner);
        Some(())
    }

    pub(super) fn program(
        &self,
        text: &(String, Node),
        at: &Position<'_>,
        problems: &mut Problems,
    ) -> Option<Program> {
        self.program_seeing(text, &at.earlier(), at, problems)
    }

    /// An expression that sees these results.
    pub(super) fn program_seeing(
        &self,
        text: &(String, Node),
        earlier: &[String],
        at: &Position<'_>,
        problems: &mut Problems,
    ) -> Option<Program> {
        let scope = Scope { earlier, all: &at.all(), tables: self.tables };
        expression(self.source, text, &scope, problems)
    }

    fn map(&self, fields: &mut Fields, at: &Position<'_>, problems: &mut Problems) -> Option<StepKind> {
        let text = fields.must_jq("map", problems);
        let document = text.as_ref().and_then(|text| self.program(text, at, problems));
        let shape = fields.take("schema").map(|node| shapes::shape(node, problems));
        let (text, node) = text?;
        let shape = match shape {
            None => None,
            Some(shape) => {
                let place = |offset| node.place_of(self.source, &text, offset);
                let fields = keys(&text).into_iter().map(|(path, offset)| (path, place(offset)));
                Some(Wanted { shape: shape?, place: node.place, fields: fields.collect() })
            }
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

    fn for_each(
        &self,
        fields: &mut Fields,
        at: &Position<'_>,
        inner: &mut Vec<Step>,
        problems: &mut Problems,
    ) -> Option<StepKind> {
        let items = fields.must_jq("for_each", problems);
        let items = items.and_then(|text| self.program(&text, at, problems));
        let place = fields.place;
        let nodes = fields.list("steps", problems);
        if nodes.is_empty() {
            problems.add(place, "the `for_each` has no steps", "add `steps:` with at least one step");
        }
        let (level, end) = at.body();
        let (parent, next) = (Some(at.index()), at.index() + crate::run::BODY);
        for name in ["item", "index"] {
            let (name, kind) = (name.to_owned(), StepKind::Slot);
            inner.push(Step { name, place, parent, when: None, kind, next });
        }
        for (place, node) in nodes.into_iter().enumerate() {
            let at = Position { layout: at.layout, level, place, parent, end };
            self.step(node, &at, inner, problems);
        }
        Some(StepKind::ForEach { items: items?, end })
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
            return Some(at.after());
        };
        match at.level.iter().position(|(name, _)| *name == target) {
            _ if target == "end" => Some(at.end),
            _ if target == "next" => Some(at.after()),
            Some(place) if place > at.place => at.level.get(place).map(|(_, index)| *index),
            Some(_) => {
                let what = format!("`{field}` jumps back to {target:?}");
                problems.add(node.place, what, "jump to a later step only: a flow must end");
                None
            }
            None => {
                let fix = format!("name a later step ({}), `next` or `end`", at.later());
                problems.add(node.place, format!("`{field}` leads to {target:?}, which is not a step"), fix);
                None
            }
        }
    }

    /// What follows an answer that was not hoped for: `park` when the field is not there.
    pub(super) fn otherwise(
        &self,
        fields: &mut Fields,
        field: &'static str,
        at: &Position<'_>,
        problems: &mut Problems,
    ) -> Option<Otherwise> {
        match fields.peek_text(field).as_deref() {
            Some("park") => {
                fields.take(field);
                Some(Otherwise::Park)
            }
            Some("continue") => {
                fields.take(field);
                Some(Otherwise::Continue)
            }
            _ if !fields.has(field) => {
                fields.take(field);
                Some(Otherwise::Park)
            }
            _ => self.jump(fields, field, at, problems).map(Otherwise::Go),
        }
    }
}

/// The one kind that a step has.
fn kind_of(fields: &Fields, name: &str, at: &Position<'_>, problems: &mut Problems) -> Option<&'static str> {
    // `compensate` is also a key of a call.
    let is_kind = |kind: &&str| fields.has(kind) && !(*kind == "compensate" && fields.has("call"));
    let kinds: Vec<&'static str> = KINDS.into_iter().filter(is_kind).collect();
    let [kind] = kinds.as_slice() else {
        let what = match kinds.as_slice() {
            [] => format!("step {name:?} does nothing"),
            _ => format!("step {name:?} does several things: {}", listed(&kinds)),
        };
        problems.add(fields.place, what, format!("write exactly one of: {}", listed(KINDS)));
        return None;
    };
    if at.parent.is_some() && !INNER_KINDS.contains(kind) {
        let what = format!("`{kind}` cannot stand inside a `for_each`");
        let fix = format!("use {} there, and put this step after it", listed(INNER_KINDS));
        problems.add(fields.place, what, fix);
        return None;
    }
    Some(kind)
}

/// Whether a word is one of those that are known.
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
