//! What a repair of a stopped delivery may change, and what it leaves behind.
//!
//! A delivery carries what its facts said when it was planned. Whoever mends one may mend codes and ids of the other system,
//! never the money: that is compared with the payment's and the posting's own streams, when somebody edits and again before
//! anything is sent. Every repair stays in the history of the delivery and in the access log, with its actor.

use std::collections::BTreeSet;

use serde_json::Value;
use suture_core::audit::chain::Hash;
use suture_core::id::{AccessId, Mint, PaymentId};
use suture_core::order::Order;
use suture_core::payment::{Event, Payment};
use suture_core::posting::Posting;
use suture_core::refusal::Refusal;
use suture_core::time::Timestamp;
use suture_store::effects::Effect;
use suture_store::{Tx, access, journal};

use crate::Error;
use crate::job::Job;
use crate::payments::Caller;
use crate::told::is_told;

/// Work that moves money at a gateway, or decides whether some is moved.
const MOVES_MONEY: [&str; 12] = [
    "attempt",
    "capture",
    "cancel",
    "refund",
    "authorize_estimate",
    "capture_estimate",
    "charge_visit",
    "retry_collection",
    "collect_balance",
    "capture_deposit",
    "transfer_payout",
    "reverse_transfer",
];

/// Whether a delivery of this kind moves money at a gateway: to set it going again, or to give it up, takes the permission to
/// refund.
#[must_use]
pub fn moves_money(kind: &str) -> bool {
    MOVES_MONEY.contains(&kind)
}

/// What somebody did to a stopped delivery.
pub(crate) enum Repair<'a> {
    /// Set it going, with this payload.
    Retry(&'a str),
    /// Gave it up, for this reason.
    Skip(&'a str),
}

/// The job of an edited payload.
///
/// # Errors
/// A refusal when it is not of the effect's kind, or says something else than its facts.
pub(crate) fn edited(tx: &mut Tx<'_>, effect: &Effect, payload: &str) -> Result<Job, Error> {
    let job = Job::parse(payload).filter(|job| job.kind() == effect.kind).ok_or_else(|| {
        Refusal::invalid(
            "payload_not_of_kind",
            format!("Nothing was changed. The edited payload is not a {} job.", effect.kind),
        )
    })?;
    if payload == effect.payload {
        return Ok(job);
    }
    let wrong = match (&job, Job::parse(&effect.payload)) {
        (Job::Post { .. }, Some(before)) if place_of(&job) != place_of(&before) => {
            Some("who or what it posts for, or how far it got".to_owned())
        }
        (Job::Post { .. } | Job::RunFlow { .. }, _) => contradiction(tx, &effect.organization, &job)?,
        // The payload of everything else names streams of ours; there is nothing in it to mend.
        _ => Some(format!("the payload of a {} delivery", effect.kind)),
    };
    match wrong {
        None => Ok(job),
        Some(what) => Err(Error::Refused(Refusal::invalid(
            "payload_contradicts_facts",
            format!("Nothing was changed: an edit cannot change {what}. Mend what is wrong at its source."),
        ))),
    }
}

/// What of a posting no edit may change.
fn place_of(job: &Job) -> Option<Value> {
    let Job::Post { posting, document, state, run, step, .. } = job else { return None };
    serde_json::to_value((posting, document.kind, &document.patient, state, run, step)).ok()
}

/// What a job says about money that its facts do not prove; `None` when it fits, or says nothing about money.
pub(crate) fn contradiction(tx: &mut Tx<'_>, organization: &str, job: &Job) -> Result<Option<String>, Error> {
    match job {
        Job::RunFlow { event, .. } => fact_differs(tx, organization, event),
        Job::Post { posting, document, .. } => {
            let known = journal::load::<Posting>(tx, organization, &posting.to_string())?;
            let same = known.is_some_and(|known| {
                let known = known.state;
                known.amount == document.amount
                    && known.reference == document.reference
                    && known.reverses == document.original_reference
            });
            Ok((!same).then(|| "the amount or the reference of a posting".to_owned()))
        }
        _ => Ok(None),
    }
}

/// Why a delivery that contradicts its facts is not carried out.
pub(crate) fn contradicts(what: &str) -> String {
    format!(
        "nothing was sent: its payload was changed, and {what} is not what happened; skip it, and post by hand what is \
         missing"
    )
}

/// Whether an event of a payment says what the payment's own stream does not.
pub(crate) fn fact_differs(
    tx: &mut Tx<'_>,
    organization: &str,
    event: &Value,
) -> Result<Option<String>, Error> {
    if let Some(order) = event["order"].as_str().filter(|_| event["payment"].is_null()) {
        return order_differs(tx, organization, (order, event));
    }
    let Some(id) = event["payment"].as_str().filter(|id| PaymentId::parse(id).is_ok()) else {
        return Ok(Some("the payment of an event".to_owned()));
    };
    let Some(payment) = journal::load::<Payment>(tx, organization, id)? else {
        return Ok(Some("the payment of an event".to_owned()));
    };
    let events: Vec<Event> = journal::list_stream(tx, organization, id)?
        .into_iter()
        .filter_map(|stored| serde_json::from_value(stored.entry.body).ok())
        .collect();
    if !is_told(&payment.state, &events, event) {
        return Ok(Some("the fact, the amount or the status of an event".to_owned()));
    }
    let links = events.iter().filter_map(link_of);
    let is_its_link = links.chain(payment.state.link.as_deref()).any(|link| event["link"] == link);
    Ok((!is_its_link).then(|| "the link of an event".to_owned()))
}

/// The same for an event of an order that the ERP told of: what shipped, or what was invoiced for how much.
fn order_differs(
    tx: &mut Tx<'_>,
    organization: &str,
    (order, event): (&str, &Value),
) -> Result<Option<String>, Error> {
    let differs = Ok(Some("the order of an event".to_owned()));
    let Some(order) = journal::load::<Order>(tx, organization, order)?.map(|found| found.state) else {
        return differs;
    };
    let known = match event["event"].as_str() {
        Some("shipped") => {
            order.shipments.iter().any(|known| event["shipment"]["number"] == known.number.as_str())
        }
        Some("invoiced") => order.invoices.iter().any(|known| {
            let told = &event["invoice"];
            told["number"] == known.number
                && told["total_minor"] == known.total_minor
                && told["tax_minor"] == known.tax_minor
        }),
        _ => false,
    };
    match known && event["link"] == order.link.as_str() {
        true => Ok(None),
        false => differs,
    }
}

fn link_of(event: &Event) -> Option<&str> {
    match event {
        Event::Opened { link, .. } => link.as_deref(),
        Event::LinkResolved { link, .. } | Event::Relinked { link, .. } => Some(link),
        _ => None,
    }
}

/// Writes a repair down: a line of the effect's history, which is returned, and an entry of the access log.
pub(crate) fn record(
    tx: &mut Tx<'_>,
    caller: &Caller,
    (effect, repair): (&Effect, &Repair<'_>),
    (mint, now): (Mint<'_>, Timestamp),
) -> Result<String, Error> {
    let (_, actor) = caller.actor.parts();
    let mut line = serde_json::json!({ "at": now.to_rfc3339(), "by": actor });
    let (did, purpose) = match repair {
        Repair::Skip(reason) => {
            line["reason"] = (*reason).into();
            ("skip", format!("skip: {reason}"))
        }
        Repair::Retry(payload) if **payload == effect.payload => ("retry", "retry".to_owned()),
        Repair::Retry(payload) => {
            let changed = changed(&effect.payload, payload);
            let before = Hash::of(effect.payload.as_bytes()).to_string();
            let after = Hash::of(payload.as_bytes()).to_string();
            let purpose = format!("edit of {}", changed.join(", "));
            line["changed"] = changed.into();
            (line["before"], line["after"]) = (before.into(), after.into());
            ("edit", purpose)
        }
    };
    line["did"] = did.into();
    let resource = format!("delivery/{}", effect.id);
    let entry = access::by(&caller.actor, now, "repair", "*", &resource, &purpose);
    access::insert(tx, &effect.organization, &AccessId::mint(mint).to_string(), &entry)?;
    let line = line.to_string();
    Ok(effect.history.as_ref().map_or(line.clone(), |before| format!("{before}\n{line}")))
}

/// The names of the fields that differ between two payloads.
fn changed(before: &str, after: &str) -> Vec<String> {
    let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let mut names = Vec::new();
    differ(("", &parse(before)), &parse(after), &mut names);
    names
}

fn differ((name, before): (&str, &Value), after: &Value, names: &mut Vec<String>) {
    let (Value::Object(one), Value::Object(other)) = (before, after) else {
        if before != after {
            names.push(name.to_owned());
        }
        return;
    };
    let keys: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    for key in keys {
        let inner = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
        let (left, right) = (one.get(key), other.get(key));
        differ((&inner, left.unwrap_or(&Value::Null)), right.unwrap_or(&Value::Null), names);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_is_named_by_its_fields_and_not_by_their_content() {
        let before = r#"{"do":"post","document":{"account":"a","amount":{"minor":1}},"run":null}"#;
        let after = r#"{"do":"post","document":{"account":"b","amount":{"minor":2}},"run":"r"}"#;
        assert_eq!(changed(before, after), ["document.account", "document.amount.minor", "run"]);
        assert!(changed(before, before).is_empty());
    }
}
