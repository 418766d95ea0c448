//! The list of scenarios, and how one is run: on a world and a thread of its own, so that one that breaks breaks alone.

use std::future::Future;
use std::pin::Pin;

use super::scene::{Interrupted, Scene};
use super::told::{Outcome, Step};
use super::{after_visit, booking, endings, hybrid, late, method, remittance, shares, side_by_side, window};
use crate::run::{apart, template};
use crate::world::{Home, Setup, World};

/// A scenario being walked through.
pub(super) type Walk<'a> = Pin<Box<dyn Future<Output = Result<(), Interrupted>> + 'a>>;

/// A scenario of the plan.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// Its group, as a code.
    pub group: &'static str,
    /// Its name, as a code.
    pub name: &'static str,
    /// What it shows, as a sentence.
    pub claim: &'static str,
    pub(super) walk: for<'a> fn(&'a mut Scene) -> Walk<'a>,
}

/// Every scenario of the plan, in the order in which they are told.
#[must_use]
pub fn scenarios() -> Vec<Scenario> {
    [
        side_by_side::SCENARIOS,
        booking::SCENARIOS,
        late::SCENARIOS,
        window::SCENARIOS,
        method::SCENARIOS,
        endings::SCENARIOS,
        after_visit::SCENARIOS,
        shares::SCENARIOS,
        hybrid::SCENARIOS,
        remittance::SCENARIOS,
    ]
    .concat()
}

/// The scenario of a name.
#[must_use]
pub fn scenario(name: &str) -> Option<Scenario> {
    scenarios().into_iter().find(|scenario| scenario.name == name)
}

/// Runs a scenario to its end, or until it cannot go on.
#[must_use]
pub fn run(scenario: &Scenario) -> Outcome {
    let walked = apart(|| Box::pin(walk(*scenario)));
    let (steps, stopped) = walked.unwrap_or_else(|why| (Vec::new(), Some(why)));
    let mut outcome = Outcome {
        name: scenario.name.to_owned(),
        group: scenario.group.to_owned(),
        claim: scenario.claim.to_owned(),
        held: false,
        stopped,
        steps,
    };
    // A scenario that found nothing has shown nothing.
    outcome.held =
        outcome.stopped.is_none() && outcome.findings().count() > 0 && outcome.findings().all(|one| one.held);
    outcome
}

async fn walk(scenario: Scenario) -> Result<(Vec<Step>, Option<String>), String> {
    let world = Box::pin(World::open(Setup::at(Home::copy_of(template()?)?))).await?;
    let mut scene = Box::pin(Scene::open(world)).await.map_err(|Interrupted(why)| why)?;
    if let Err(Interrupted(why)) = (scenario.walk)(&mut scene).await {
        return Ok((scene.steps, Some(why)));
    }
    match Box::pin(scene.close()).await {
        Ok(steps) => Ok((steps, None)),
        Err(Interrupted(why)) => Err(why),
    }
}
