//! Joins flows that call each other: finds the called ones, refuses endless loops, and checks names of called steps.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::names::{Named, find};
use crate::flow::Parts;
use crate::jq::listed;
use crate::problem::{Place, Problems};
use crate::step::StepKind;

/// How many flows may stand inside one another below the first.
const DEPTH_MAX: usize = 4;

/// The trigger source of a callable flow.
pub(super) const CALLABLE: &str = "flow";

/// One document that was read.
pub(crate) struct Document {
    pub(crate) parts: Option<Parts>,
    pub(crate) problems: Problems,
}

/// Joins documents; gives them back in their order, or all problems of those that have some.
pub(crate) fn resolve(mut documents: Vec<Document>) -> Result<Vec<Arc<Parts>>, Vec<Problems>> {
    let callable = callable(&mut documents);
    let calls: Vec<Calls> = documents.iter().map(calls_of).collect();
    let heights = heights(&calls, &callable);
    check_calls(&mut documents, &calls, &callable, &heights);
    if documents.iter().all(|document| document.problems.is_empty()) {
        let mut order: Vec<usize> = (0..documents.len()).collect();
        order.sort_by_key(|index| heights.get(*index).copied());
        let mut built = BTreeMap::new();
        for index in order {
            let Some(document) = documents.get_mut(index) else { continue };
            if let Some(parts) = document.parts.take() {
                built.insert(index, join(parts, &built, &callable, &mut document.problems));
            }
        }
        if documents.iter().all(|document| document.problems.is_empty()) {
            return Ok(built.into_values().collect());
        }
    }
    let with_problems = documents.into_iter().map(|document| document.problems);
    Err(with_problems.filter(|problems| !problems.is_empty()).map(Problems::sorted).collect())
}

/// Names and places of the flows that a document calls.
type Calls = Vec<(String, Place)>;

fn calls_of(document: &Document) -> Calls {
    let steps = document.parts.iter().flat_map(|parts| &parts.steps);
    let call = |step: &crate::step::Step| match &step.kind {
        StepKind::Flow { flow, .. } => Some((flow.clone(), step.place)),
        _ => None,
    };
    steps.filter_map(call).collect()
}

/// The callable flows by name.
fn callable(documents: &mut [Document]) -> BTreeMap<String, usize> {
    let mut callable = BTreeMap::new();
    for (index, document) in documents.iter_mut().enumerate() {
        let Some(parts) = document.parts.as_ref().filter(|parts| parts.trigger.source == CALLABLE) else {
            continue;
        };
        if callable.insert(parts.name.clone(), index).is_some() {
            let what = format!("two callable flows are called {:?}", parts.name);
            document.problems.add(Place::START, what, "give every callable flow its own name");
        }
    }
    callable
}

fn check_calls(
    documents: &mut [Document],
    calls: &[Calls],
    callable: &BTreeMap<String, usize>,
    heights: &[usize],
) {
    for (index, (document, own)) in documents.iter_mut().zip(calls).enumerate() {
        for (name, place) in own {
            let Some(callee) = callable.get(name) else {
                let what = format!("there is no callable flow {name:?}");
                let fix = format!(
                    "use one of: {}; a flow is callable when its trigger is {{ source: {CALLABLE} }}",
                    listed(callable.keys())
                );
                document.problems.add(*place, what, fix);
                continue;
            };
            if reaches(*callee, index, calls, callable) {
                let what = format!("the flow {name:?} calls this one again: endless loop refused");
                document.problems.add(*place, what, "remove one of the calls");
            } else if heights.get(*callee).is_some_and(|below| *below >= DEPTH_MAX) {
                let what = format!("more than {DEPTH_MAX} flows stand inside one another");
                document.problems.add(*place, what, "join some of them");
            }
        }
    }
}

/// Whether a flow calls another, itself or through others.
fn reaches(from: usize, to: usize, calls: &[Calls], callable: &BTreeMap<String, usize>) -> bool {
    let mut seen = vec![false; calls.len()];
    let mut waiting = vec![from];
    while let Some(index) = waiting.pop() {
        if index == to {
            return true;
        }
        if let Some(seen) = seen.get_mut(index)
            && !std::mem::replace(seen, true)
        {
            let own = calls.get(index).into_iter().flatten();
            waiting.extend(own.filter_map(|(name, _)| callable.get(name)));
        }
    }
    false
}

/// How many flows stand inside one another below each one; a number above the most that is allowed may be too small.
fn heights(calls: &[Calls], callable: &BTreeMap<String, usize>) -> Vec<usize> {
    let mut heights = vec![0; calls.len()];
    // One round for each level; a loop, which is refused, just keeps growing.
    for _ in 0..=DEPTH_MAX {
        let above = |(name, _): &(String, Place)| Some(1 + heights.get(*callable.get(name)?)?);
        heights = calls.iter().map(|own| own.iter().filter_map(above).max().unwrap_or(0)).collect();
    }
    heights
}

/// Gives a flow the flows that it calls.
fn join(
    mut parts: Parts,
    built: &BTreeMap<usize, Arc<Parts>>,
    callable: &BTreeMap<String, usize>,
    problems: &mut Problems,
) -> Arc<Parts> {
    for step in &mut parts.steps {
        if let StepKind::Flow { flow, callee, .. } = &mut step.kind {
            *callee = callable.get(flow).and_then(|index| built.get(index)).cloned();
            if let Some(callee) = callee {
                parts.fingerprint = parts.fingerprint.and(callee.fingerprint);
            }
        }
    }
    for (name, place, want) in &parts.below {
        let fits = match find(&parts.steps, name) {
            Some(Named::Step(step)) => want.fits(step),
            Some(Named::Below) | None => false,
        };
        if !fits {
            let what = format!("there is no {} {name:?}", want.word());
            problems.add(*place, what, "name a step of the called flow, for example `ship.order`");
        }
    }
    Arc::new(parts)
}
