//! Finds the step that a name in a test means: `link`, `lines[3].part`, `lines.part` (for every item), `ship.order`.

use crate::step::{Step, StepKind};

/// What a name means.
pub(super) enum Named<'a> {
    Step(&'a Step),
    /// A step of a called flow that is not read yet.
    Below,
}

/// What a test wants of a step.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Want {
    Lookup,
    Call,
    Wait,
    Approval,
    Any,
}

impl Want {
    /// The word for texts.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Lookup => "lookup step",
            Self::Call => "call step",
            Self::Wait => "wait step",
            Self::Approval => "approve step",
            Self::Any => "step",
        }
    }

    /// Whether a step is of the wanted kind.
    pub(super) const fn fits(self, step: &Step) -> bool {
        match self {
            Self::Lookup => matches!(step.kind, StepKind::Lookup { .. }),
            Self::Call => {
                matches!(step.kind, StepKind::Call(_) | StepKind::WriteBack { .. })
            }
            Self::Wait => matches!(step.kind, StepKind::Wait { .. }),
            Self::Approval => matches!(step.kind, StepKind::Approve { .. }),
            Self::Any => !matches!(step.kind, StepKind::Slot),
        }
    }
}

/// The step of a name.
pub(super) fn find<'a>(steps: &'a [Step], name: &str) -> Option<Named<'a>> {
    find_below(steps, None, name)
}

fn find_below<'a>(steps: &'a [Step], parent: Option<usize>, name: &str) -> Option<Named<'a>> {
    let (first, rest) = name.split_once('.').map_or((name, None), |(first, rest)| (first, Some(rest)));
    let (base, number) = match first.split_once('[') {
        Some((base, number)) => (base, Some(number.strip_suffix(']')?)),
        None => (first, None),
    };
    let is_it =
        |step: &Step| step.name == base && step.parent == parent && !matches!(step.kind, StepKind::Slot);
    let index = steps.iter().position(is_it)?;
    let step = steps.get(index)?;
    if let Some(number) = number
        && (number.parse::<usize>().is_err() || !matches!(step.kind, StepKind::ForEach { .. }))
    {
        return None;
    }
    match (&step.kind, rest) {
        (_, None) => Some(Named::Step(step)),
        (StepKind::Call(_), Some("undo")) => Some(Named::Step(step)),
        (StepKind::ForEach { .. }, Some(rest)) => find_below(steps, Some(index), rest),
        (StepKind::Flow { callee: Some(callee), .. }, Some(rest)) => find(&callee.steps, rest),
        (StepKind::Flow { callee: None, .. }, Some(_)) => Some(Named::Below),
        _ => None,
    }
}
