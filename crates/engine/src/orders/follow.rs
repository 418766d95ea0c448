//! The reaction to a payment of an order, in the payment's transaction; and the facts that flows are told.

use suture_core::id::OrderId;
use suture_core::order::{self, Command, Event, Order};
use suture_core::payment::{Payment, Status};
use suture_store::orders;

use crate::Error;
use crate::change::Change;
use crate::facts::{self, Origin};
use crate::told::Told;

use super::place::care;
use super::sync::wake;

/// Decides a command on an order and writes its row. Gives the order as it then is, and whether anything happened.
pub(super) fn decide(
    change: &mut Change<'_, '_>,
    id: OrderId,
    command: &Command,
) -> Result<(Order, Vec<Event>), Error> {
    let (mut loaded, state) = change.existing::<Order>(&id.to_string())?;
    let events = order::decide(Some(&state), command, change.order.now)?;
    change.record_all(&mut loaded, &events, &care(&state.buyer, id))?;
    let after = loaded.state.unwrap_or(state);
    if !events.is_empty() {
        let organization = change.order.organization.clone();
        orders::put(change.tx, &organization, &after, change.order.now)?;
    }
    Ok((after, events))
}

/// Lets an order follow one of its payments. A payment that was declined tells the flows: the order may be in the ERP already,
/// and waits there (FLOWS 7d).
pub(crate) fn follow(
    change: &mut Change<'_, '_>,
    payment: &Payment,
    (version, origin): (i64, &Origin),
) -> Result<(), Error> {
    let Some(id) = payment.care.account.as_deref().and_then(|id| OrderId::parse(id).ok()) else {
        return Ok(());
    };
    let (after, events) = decide(change, id, &Command::Follow { payment: Box::new(payment.clone()) })?;
    if events.is_empty() {
        return Ok(());
    }
    if after.net_minor() >= after.total.minor {
        wake(change, "order.paid", id)?;
    }
    let declined = matches!(payment.status(), Status::RequiresMethod | Status::Failed)
        && payment.captured_minor == 0
        && payment.attempts.last().is_none_or(|last| !last.state.is_open());
    if declined && after.net_minor() == 0 && after.held.is_none() {
        decide(change, id, &Command::Hold { reason: "payment_declined".to_owned() })?;
        let told = Told::declined(payment);
        facts::tell_flows(change, payment, &told, version, origin)?;
    }
    if after.held.is_some() && after.net_minor() >= after.total.minor {
        decide(change, id, &Command::Release)?;
    }
    Ok(())
}

/// The name that flows know a payment's fact by when it pays an order.
pub(crate) fn tell(kind: &'static str) -> &'static str {
    match kind {
        "payment.captured" => "order.paid",
        "payment.refunded" => "order.refunded",
        "payment.refund_failed" => "order.refund_failed",
        "payment.disputed" => "order.disputed",
        other => other,
    }
}
