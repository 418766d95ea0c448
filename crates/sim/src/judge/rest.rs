//! What must have come out when the world is at rest: I6, I7, and the predictions of the reference model.

use std::collections::BTreeSet;

use suture_core::payment::{Payment, Status};
use suture_store::effects::{Effect, State};

use super::model::{self, Truth};
use super::watch::{check_audit, text};
use crate::world::World;

/// What is planned for days ahead of services is no work that was left.
const PLANNED: [&str; 10] = [
    "authorize_estimate",
    "capture_estimate",
    "collect_balance",
    "revalidate",
    "charge_visit",
    "capture_deposit",
    "end_risk",
    "retry_collection",
    "send_notice",
    "follow_payout",
];

/// Checks a world at rest.
///
/// # Errors
/// The broken invariant or prediction, as a sentence.
pub async fn at_rest(world: &World) -> Result<(), String> {
    while world.engine(0).seal(&world.organization).await.map_err(text)? {}
    check_audit(world).await?;
    let ready = world.effects(State::Ready).await.map_err(text)?;
    let ahead =
        |effect: &&Effect| PLANNED.contains(&effect.kind.as_str()) && effect.due_at > world.clock.now();
    if let Some(effect) = ready.iter().find(|effect| !ahead(effect)) {
        return Err(format!(
            "effect {} ({}) is still to be done: {:?}",
            effect.id, effect.kind, effect.error
        ));
    }
    let dead = world.effects(State::Dead).await.map_err(text)?;
    let owned: BTreeSet<String> = dead.iter().filter_map(|effect| effect.stream.clone()).collect();
    let stopped = dead.iter().map(|effect| format!("{}: {:?}", effect.id, effect.error)).collect();
    let payments = world.payments().await.map_err(text)?;
    check_known(world, &payments, &owned)?;
    let (truths, balance) = model::truths(world)?;
    let mut expected = Vec::new();
    for (intent, truth) in &truths {
        let ours: Vec<&Payment> =
            payments.iter().filter(|payment| payment.intent.as_deref() == Some(intent)).collect();
        check_payment(intent, truth, &ours, &owned)?;
        if ours.iter().any(|payment| payment.purpose.is_some()) {
            expected.extend(model::expected_postings(truth));
        }
    }
    model::check_postings(world, &expected, &stopped)?;
    let ledger = world.balance("gw:stripe").await.map_err(text)?;
    if ledger != balance {
        return Err(format!("gw:stripe stands at {ledger} and Stripe's own balance at {balance}"));
    }
    Ok(())
}

/// I7: nothing is unknown without an owner.
fn check_known(world: &World, payments: &[Payment], owned: &BTreeSet<String>) -> Result<(), String> {
    let now = world.clock.now();
    for payment in payments {
        if payment.status() == Status::Unknown && !owned.contains(&payment.id.to_string()) {
            return Err(format!("I7: {} is still unknown at {now}, and nobody is asked", payment.id));
        }
        if !payment.reserved.is_empty() && !owned.contains(&payment.id.to_string()) {
            return Err(format!("I7: a refund of {} is still on its way at {now}", payment.id));
        }
    }
    Ok(())
}

fn check_payment(
    intent: &str,
    truth: &Truth,
    ours: &[&Payment],
    owned: &BTreeSet<String>,
) -> Result<(), String> {
    let [payment] = ours else {
        return Err(format!("{} payments of ours have the intent {intent}", ours.len()));
    };
    if payment.captured_minor != truth.charged || payment.refunded_minor() != truth.refunded {
        return Err(format!(
            "{} has {} captured and {} refunded; at Stripe it is {} and {}",
            payment.id,
            payment.captured_minor,
            payment.refunded_minor(),
            truth.charged,
            truth.refunded
        ));
    }
    let (status, expected) = (payment.status(), truth.expected());
    let is_owned = status == Status::Unknown && owned.contains(&payment.id.to_string());
    if expected.contains(&status) || is_owned {
        return Ok(());
    }
    Err(format!("{} is {}; by Stripe it should be {expected:?}", payment.id, status.name()))
}
