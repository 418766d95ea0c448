//! A run of a flow inside a transaction: moves on as far as the store can answer, and leaves behind what goes on with it.
//!
//! Called by the start of a flow and by everything that ends a step of one. Invariant: the run, the end of the effect that
//! did the step, and the effect that does the next one are one transaction; so a crash repeats a step or goes on after it, and
//! never skips one. Effects hold the run's id, not its documents: those may say what people are called, and the run is sealed.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use suture_core::id::{FilingId, RunId};
use suture_core::redact::Phi;
use suture_core::time::Timestamp;
use suture_flow::compiled::Compiled;
use suture_flow::run::{Answer, Next, Parked, Run};
use suture_store::effects::NewEffect;
use suture_store::{Keyring, lanes, links, lookup_rows, runs};

use crate::Error;
use crate::change::Change;
use crate::filings;
use crate::job::Job;
use crate::orders;
use crate::run_flow::{label, shown, stored_run};

/// How long a wait without an end lasts before a person is asked.
const WAIT_MAX: Duration = Duration::from_secs(400 * 86_400);

/// What going on with runs needs besides the transaction.
#[derive(Clone)]
pub(crate) struct Runner {
    pub(crate) keyring: Keyring,
    /// The ERP that documents are filed in; `None`: none is connected.
    pub(crate) erp: Option<String>,
}

/// A run in a transaction.
#[derive(Clone)]
pub(crate) struct Live {
    pub(crate) compiled: Arc<Compiled>,
    pub(crate) run: Run,
    pub(crate) id: String,
    pub(crate) fact: String,
    /// Whether it is in the database already.
    pub(crate) stored: bool,
}

impl Live {
    /// The stream that the run is about: an order, when its event names one.
    pub(crate) fn about(&self) -> Option<String> {
        self.run.event().expose()["order"].as_str().map(ToOwned::to_owned)
    }

    pub(crate) fn flow(&self) -> String {
        label(&self.compiled)
    }
}

/// Goes on with a run: feeds the answer to its step, moves on as far as the store can answer, stores the run, and plans what
/// does the next step.
pub(crate) fn go_on(
    change: &mut Change<'_, '_>,
    runner: &Runner,
    mut live: Live,
    answer: Option<(String, Answer)>,
) -> Result<(), Error> {
    let compiled = live.compiled.clone();
    let mut next = match answer {
        Some((step, answer)) => compiled.answer(&mut live.run, &step, answer),
        None => compiled.advance(&mut live.run, None),
    };
    // Bounded by the flow's length: every answer moves the run on.
    loop {
        let answer = match &next {
            Next::Lookup { source, key, .. } => look_up(change, runner, (source, key.expose()), &live)?,
            Next::Call { target, document, .. } if target == filings::TARGET => {
                filings::known(change, runner, document)?
            }
            Next::Wait { event, key, .. } => {
                happened(change, runner, event, key.expose())?.map(Answer::Happened)
            }
            Next::WriteBack { .. } => {
                Some(Answer::Refused("write-back is not available in this version".to_owned()))
            }
            _ => None,
        };
        let (Some(answer), Some(step)) = (answer, step_of(&next)) else { break };
        next = compiled.answer(&mut live.run, &step, answer);
    }
    stand(change, runner, &live, &next)
}

fn step_of(next: &Next) -> Option<String> {
    match next {
        Next::Lookup { step, .. }
        | Next::Call { step, .. }
        | Next::WriteBack { step, .. }
        | Next::Wait { step, .. } => Some(step.clone()),
        _ => None,
    }
}

/// What the store knows; `None` when somebody else must be asked.
fn look_up(
    change: &mut Change<'_, '_>,
    runner: &Runner,
    (source, key): (&str, &Value),
    live: &Live,
) -> Result<Option<Answer>, Error> {
    let found = |value: Option<Value>| Some(value.map_or(Answer::Missing, Answer::Found));
    if let Some(table) = source.strip_prefix("table:") {
        return table_row(change, table, key).map(found);
    }
    if source == PARTS {
        return parts(change, key).map(|found| Some(found.map_or(Answer::Missing, Answer::Found)));
    }
    let organization = change.order.organization.clone();
    match (source, key.as_str()) {
        ("order", Some(id)) => orders::shown(change, &runner.keyring, id).map(found),
        ("order", None) => Ok(Some(Answer::Missing)),
        ("link", Some(token)) => {
            let link = links::get(change.tx, &organization, token)?;
            Ok(found(link.as_ref().map(shown)))
        }
        ("link", None) => Ok(found(live.run.event().expose()["link"].as_str().map(|_| Value::Null))),
        _ => Ok(None),
    }
}

/// The look-up of all parts of an order at once.
const PARTS: &str = "epicor.part";
/// The table that leads from the shop's product to the ERP's part.
const PART_TABLE: &str = "part";

/// The parts of products, by product; nothing when one has none.
fn parts(change: &mut Change<'_, '_>, products: &Value) -> Result<Option<Value>, Error> {
    let mut found = serde_json::Map::new();
    for product in products.as_array().into_iter().flatten() {
        let (Some(row), Some(name)) = (table_row(change, PART_TABLE, product)?, product.as_str()) else {
            return Ok(None);
        };
        found.insert(name.to_owned(), row);
    }
    Ok(Some(Value::Object(found)))
}

/// The first product that has no part.
fn without_part(change: &mut Change<'_, '_>, products: &Value) -> Result<Option<String>, Error> {
    for product in products.as_array().into_iter().flatten() {
        if table_row(change, PART_TABLE, product)?.is_none() {
            return Ok(product.as_str().map(ToOwned::to_owned));
        }
    }
    Ok(None)
}

/// A row of a table that people keep.
pub(crate) fn table_row(
    change: &mut Change<'_, '_>,
    table: &str,
    key: &Value,
) -> Result<Option<Value>, Error> {
    let text = match key {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let organization = change.order.organization.clone();
    let row = lookup_rows::get(change.tx, &organization, table, &text)?;
    Ok(row.and_then(|row| serde_json::from_str(&row).ok()))
}

/// Whether what a run waits for is there: read from the state, so nothing that came before the wait is missed.
pub(crate) fn happened(
    change: &mut Change<'_, '_>,
    runner: &Runner,
    event: &str,
    key: &Value,
) -> Result<Option<Value>, Error> {
    let Some(id) = key.as_str() else { return Ok(None) };
    let Some(order) = orders::shown(change, &runner.keyring, id)? else { return Ok(None) };
    let some = |list: &Value| list.as_array().is_some_and(|list| !list.is_empty());
    let is_there = match event {
        "epicor.shipped" => some(&order["shipments"]),
        "epicor.invoiced" => some(&order["invoices"]),
        "epicor.receipt_posted" => order["documents"]["cash_receipt"].is_object(),
        "order.paid" => order["status"] == "paid",
        _ => false,
    };
    Ok(is_there.then_some(order))
}

/// The lane of effects that wait for an event of a thing.
pub(crate) fn waiting_lane(event: &str, key: &str) -> String {
    format!("wait/{event}/{key}")
}

/// The lane of the effect that ends the time of an approval.
pub(crate) fn approval_lane(run: &str) -> String {
    format!("wait/approval/{run}")
}

/// The lane of runs that wait for a row of a table.
pub(crate) fn table_lane(table: &str, key: &str) -> String {
    format!("table/{table}/{key}")
}

/// Stores where a run stands, and plans what goes on with it.
fn stand(change: &mut Change<'_, '_>, runner: &Runner, live: &Live, next: &Next) -> Result<(), Error> {
    let step = |step: &str, place: u32, what: String| format!("step {step} (line {place}) {what}");
    let now = change.order.now;
    match next {
        Next::Finished { .. } => keep(change, runner, live, ("finished", None)),
        Next::Call { step, target, document, .. } if target == filings::TARGET => {
            filings::plan(change, runner, live, (step, document))
        }
        Next::Lookup { .. } | Next::Call { .. } | Next::WriteBack { .. } => {
            keep(change, runner, live, ("running", None))?;
            plan(change, live, (None, now, "suture".to_owned())).map(|_| ())
        }
        Next::Wait { event, key, within, .. } => {
            keep(change, runner, live, ("waiting", Some(format!("waits for {event}"))))?;
            let key = key.expose().as_str().map_or_else(|| key.expose().to_string(), ToOwned::to_owned);
            let within = within.map_or(WAIT_MAX, Duration::from_millis);
            plan(change, live, (Some(waiting_lane(event, &key)), now + within, "waits".to_owned()))
                .map(|_| ())
        }
        Next::Approve { by, within, .. } => {
            keep(change, runner, live, ("waiting", Some(format!("waits for the approval of {by}"))))?;
            let within = within.map_or(WAIT_MAX, Duration::from_millis);
            plan(change, live, (Some(approval_lane(&live.id)), now + within, "approvals".to_owned()))
                .map(|_| ())
        }
        Next::Parked { reason: Parked::UnknownKey { table, key }, .. } => {
            wait_for_row(change, runner, live, (table, key))
        }
        Next::Parked { reason: Parked::Missing { source, key }, step: name, place } if source == PARTS => {
            match without_part(change, key.expose())? {
                Some(product) => wait_for_row(change, runner, live, (PART_TABLE, &product)),
                None => stop(change, runner, live, &step(name, place.line, "found no parts".to_owned())),
            }
        }
        Next::Parked { reason, step: name, place } => {
            stop(change, runner, live, &step(name, place.line, format!("waits: {}", reason.word())))
        }
        Next::Failed { error, step: name, place } => {
            let error = step(name, place.line, format!("failed: {}", error.text));
            keep(change, runner, live, ("failed", Some(error.clone())))?;
            let effect = plan(change, live, (None, now + WAIT_MAX, "flows".to_owned()))?;
            park(change, &effect, &error)
        }
    }
}

/// Lets a run wait for a row that a person must write: the row wakes everything that waits for it, and nothing else.
fn wait_for_row(
    change: &mut Change<'_, '_>,
    runner: &Runner,
    live: &Live,
    (table, key): (&str, &str),
) -> Result<(), Error> {
    let error = format!(
        "the table {table} has no row {key}; nothing was sent; save the row, and everything that waits for it goes on"
    );
    keep(change, runner, live, ("parked", Some(error.clone())))?;
    let (lane, due_at) = (Some(table_lane(table, key)), change.order.now + WAIT_MAX);
    let effect = plan(change, live, (lane, due_at, format!("table:{table}")))?;
    park(change, &effect, &error)
}

/// Stops a run at its step, with a sentence for a person; an effect keeps it, and can be tried again.
pub(crate) fn stop(
    change: &mut Change<'_, '_>,
    runner: &Runner,
    live: &Live,
    error: &str,
) -> Result<(), Error> {
    keep(change, runner, live, ("parked", Some(error.to_owned())))?;
    let now = change.order.now;
    let effect = plan(change, live, (None, now + WAIT_MAX, "flows".to_owned()))?;
    park(change, &effect, error)
}

fn park(change: &mut Change<'_, '_>, effect: &str, error: &str) -> Result<(), Error> {
    let (organization, now) = (change.order.organization.clone(), change.order.now);
    Ok(lanes::park(change.tx, &organization, effect, (error, now))?)
}

/// Stores a run, once in a transaction.
pub(crate) fn keep(
    change: &mut Change<'_, '_>,
    runner: &Runner,
    live: &Live,
    (state, note): (&str, Option<String>),
) -> Result<(), Error> {
    let organization = change.order.organization.clone();
    let run = stored_run(&live.run, (&live.id, &live.fact), &live.flow(), (state, note), change.order.now);
    match live.stored {
        true => runs::update(change.tx, &runner.keyring, &organization, &run)?,
        false => runs::insert(change.tx, &runner.keyring, &organization, &run)?,
    }
    Ok(())
}

/// Inserts the effect that goes on with a run. Returns its id.
fn plan(
    change: &mut Change<'_, '_>,
    live: &Live,
    (lane, due_at, destination): (Option<String>, Timestamp, String),
) -> Result<String, Error> {
    let job = Job::GoOn { run: live.id.clone(), filing: None, state: None };
    let id = format!("{}/{}", live.id, RunId::mint(change.mint()));
    change.effect(NewEffect {
        id: id.clone(),
        kind: job.kind(),
        lane,
        destination,
        stream: live.about(),
        due_at,
        payload: job.payload(),
    })?;
    Ok(id)
}

/// The effect that files the document of a run's call.
pub(crate) fn filing_effect(
    change: &mut Change<'_, '_>,
    live: &Live,
    (filing, connection, lane): (FilingId, &str, String),
) -> Result<(), Error> {
    let job = Job::GoOn { run: live.id.clone(), filing: Some(filing), state: None };
    change.effect(NewEffect {
        // Two runs may want one document: each has an effect of its own, and the second finds what the first filed.
        id: format!("{filing}/{}", live.id),
        kind: job.kind(),
        lane: Some(lane),
        destination: connection.to_owned(),
        stream: live.about(),
        due_at: change.order.now,
        payload: job.payload(),
    })
}

/// A document that is hidden in a call.
pub(crate) type Hidden = Phi<Value>;
