//! The plan itself: every scenario holds, and one that does not is seen.

use std::collections::BTreeSet;

use super::program::{Scenario, run, scenarios};
use super::scene::{Interrupted, Scene};

#[test]
fn every_scenario_of_the_plan_holds() {
    let wrong = |scenario: &Scenario| {
        let outcome = run(scenario);
        (!outcome.held).then(|| (scenario.name, outcome.differences()))
    };
    let wrong: Vec<_> = scenarios().iter().filter_map(wrong).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn names_are_used_once() {
    let all = scenarios();
    let names: BTreeSet<&str> = all.iter().map(|scenario| scenario.name).collect();
    assert_eq!(names.len(), all.len());
}

async fn wrong(scene: &mut Scene) -> Result<(), Interrupted> {
    scene.step("nothing happens", &[]).await?;
    scene.expect_books("and yet there is money", &[("gw:stripe", 1)]);
    Ok(())
}

async fn stopping(scene: &mut Scene) -> Result<(), Interrupted> {
    scene.step("nothing happens", &[]).await?;
    Err(Interrupted("the payer is on strike".to_owned()))
}

fn made_up(walk: for<'a> fn(&'a mut Scene) -> super::program::Walk<'a>) -> Scenario {
    Scenario { group: "test", name: "made_up", claim: "Made up", walk }
}

#[test]
fn an_expectation_that_is_not_met_is_a_difference() {
    let outcome = run(&made_up(|scene| Box::pin(wrong(scene))));
    assert!(!outcome.held);
    let told = outcome.differences();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("there is money: expected {\"gw:stripe\": 1}, saw {}"), "{told:?}");
}

#[test]
fn a_scenario_that_stops_or_panics_does_not_hold() {
    let stopped = run(&made_up(|scene| Box::pin(stopping(scene))));
    assert_eq!((stopped.held, stopped.stopped.as_deref()), (false, Some("the payer is on strike")));
    let panicked = run(&made_up(|_| Box::pin(async { panic!("broken on purpose") })));
    assert!(!panicked.held && panicked.stopped.is_some(), "{panicked:?}");
}
