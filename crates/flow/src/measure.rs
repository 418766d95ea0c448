//! How long a mapping takes: a card charge of Stripe (3 kB as Stripe writes it) as a FHIR resource, compiled once.
//!
//! Called by `suture bench` and by this crate's example. The clock comes in as a function, because this crate has none.

use serde_json::Value;

use crate::flow::Flow;
use crate::jq::{Held, Setting, to_jq};
use crate::problem::Problems;
use crate::run::Next;
use crate::step::StepKind;

const FLOW: &str = include_str!("measure/stripe-to-fhir.yaml");
const EVENT: &str = include_str!("measure/charge-succeeded.json");

/// Times of one kind of work, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// Half of the rounds were at most this slow.
    pub p50: u64,
    /// 99 of 100 rounds were at most this slow.
    pub p99: u64,
}

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// The expression alone, from a value that is in memory.
    pub mapping: Times,
    /// A whole run: the event's JSON taken over, the mapping, and the end of the run.
    pub run: Times,
}

/// Measures the mapping in this many rounds; `nanos` is a clock that only goes forward, in nanoseconds.
///
/// # Errors
/// The problems of the measured flow, which are a defect of this crate.
pub fn stripe_to_fhir(rounds: u32, nanos: &dyn Fn() -> u64) -> Result<Measured, Problems> {
    let compiled = Flow::parse(FLOW, "stripe-to-fhir.yaml")?.compile();
    let event: Value = serde_json::from_str(EVENT).unwrap_or_default();
    let (held, none) = (Held(to_jq(&event)), []);
    let setting = Setting::of(&compiled.parts.tables);
    let program = compiled.parts.steps.iter().find_map(|step| match &step.kind {
        StepKind::Map { document, .. } => Some(document),
        _ => None,
    });
    let mapping = times(rounds, nanos, &mut || {
        program.is_some_and(|program| program.run(&held.0, &none, setting).is_ok())
    });
    let run = times(rounds, nanos, &mut || {
        let Some(mut run) = compiled.start(&event) else { return false };
        matches!(compiled.advance(&mut run, None), Next::Finished { .. })
    });
    match (mapping, run) {
        (Some(mapping), Some(run)) => Ok(Measured { mapping, run }),
        _ => {
            let mut problems = Problems::none("stripe-to-fhir.yaml");
            let what = "the measured mapping gave no result";
            problems.add(crate::problem::Place::START, what, "repair the mapping or its event");
            Err(problems)
        }
    }
}

/// The times of some work; nothing when a round of it failed.
fn times(rounds: u32, nanos: &dyn Fn() -> u64, work: &mut dyn FnMut() -> bool) -> Option<Times> {
    let mut taken = Vec::new();
    for _ in 0..rounds.max(1) {
        let begin = nanos();
        let done = work();
        taken.push(nanos().saturating_sub(begin));
        if !done {
            return None;
        }
    }
    taken.sort_unstable();
    let at = |percent: usize| taken.get((taken.len() * percent / 100).min(taken.len() - 1)).copied();
    Some(Times { p50: at(50)?, p99: at(99)? })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use serde_json::json;

    use super::*;
    use crate::jq::to_json;

    #[test]
    fn the_measured_mapping_makes_the_whole_resource_of_a_large_event() {
        let compiled = Flow::parse(FLOW, "f").unwrap_or_else(|problems| panic!("{problems}")).compile();
        let event: Value = serde_json::from_str(EVENT).unwrap();
        assert!((3_000..4_000).contains(&EVENT.len()), "{}", EVENT.len());
        let mut run = compiled.start(&event).unwrap();
        let next = compiled.advance(&mut run, None);
        assert!(matches!(next, Next::Finished { .. }), "{next:?}");
        let made = to_json(&run.frame.values[0].0).unwrap();
        assert_eq!(made["paymentAmount"], json!({"value": "120.00", "currency": "USD"}));
        assert_eq!(made["paymentIdentifier"]["type"]["coding"][0]["display"], "Credit card");
        assert_eq!(made["processNote"][0]["text"], "visa 4242");
        assert_eq!(made["requestor"]["reference"], "Patient/pat_018f2c6e");
        assert_eq!(made["paymentDate"], "2026-11-21");
        assert_eq!(made.as_object().unwrap().len(), 13);
    }

    #[test]
    fn the_middle_and_the_slow_end_are_told_apart() {
        let clock = Cell::new(0);
        let round = Cell::new(0);
        let nanos = || clock.get();
        let found = times(100, &nanos, &mut || {
            round.set(round.get() + 1);
            clock.set(clock.get() + if round.get() == 100 { 1_000 } else { round.get() });
            true
        });
        assert_eq!(found, Some(Times { p50: 51, p99: 1_000 }));
        assert_eq!(times(3, &nanos, &mut || false), None);
    }
}
