//! From payment to care and back: everything that happened around one appointment, in one order, with its hashes
//! (FEATURES M216 to M226), and the money events whose explanation lacks something.
//!
//! Nothing here changes anything. Whoever reads a sequence has logged the access before.

use std::collections::BTreeSet;

use suture_core::appointment::Appointment;
use suture_core::encounter::Encounter;
use suture_core::id::AppointmentId;
use suture_core::payment::Payment;
use suture_core::service::Service;
use suture_core::time::Timestamp;
use suture_store::journal::{self, Stored};
use suture_store::{Tx, events, notices};

use crate::Error;
use crate::engine::Engine;

/// One link of the chain: what it is, or why it is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// `patient`, `appointment`, `payment`, `encounter`, `outcome`.
    pub name: &'static str,
    /// The ids.
    pub ids: Vec<String>,
    /// Why there is none.
    pub missing: Option<&'static str>,
}

/// The sequence of an appointment.
#[derive(Debug, Clone)]
pub struct Sequence {
    /// Which.
    pub appointment: AppointmentId,
    /// The five links.
    pub chain: Vec<Link>,
    /// Every event of every object of it, in the order of commits, each with its hash.
    pub events: Vec<Stored>,
    /// When it was read.
    pub at: Timestamp,
}

/// A money event whose explanation lacks something.
#[derive(Debug, Clone)]
pub struct Lacking {
    /// The event.
    pub event: Stored,
    /// What it lacks.
    pub missing: Vec<&'static str>,
}

/// Objects of one appointment at most.
const OBJECTS_MAX: usize = 500;
/// Notices of one appointment at most.
const NOTICES_MAX: i64 = 200;
/// Events that one page of the linter looks at.
const PAGE: i64 = 1_000;
/// Kinds of events that move money.
const MONEY: &[&str] = &[
    "payment.captured",
    "payment.refunded",
    "payment.refund_failed",
    "payment.charge_failed",
    "payment.dispute_withdrawn",
    "payment.dispute_reinstated",
    "payment.dispute_lost",
    "refund.requested",
];

impl Engine {
    /// The payment-to-care sequence of an appointment.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn sequence(&self, organization: &str, id: AppointmentId) -> Result<Sequence, Error> {
        let (organization, now) = (organization.to_owned(), self.now());
        self.0.store.read_long(move |tx| sequence(tx, &organization, id, now)).await
    }

    /// Money events whose explanation lacks a patient, an appointment or account, a payment or a reason; and, once the visit
    /// was documented, an encounter. Money whose owner nobody knows yet stands in suspense and asks a person; it is not
    /// listed here. Says also how many money events were looked at.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn lint_money(&self, organization: &str) -> Result<(u64, Vec<Lacking>), Error> {
        let organization = organization.to_owned();
        self.0.store.read_long(move |tx| lint(tx, &organization)).await
    }
}

fn state<S: serde::de::DeserializeOwned>(
    tx: &mut Tx<'_>,
    organization: &str,
    id: &str,
) -> Result<Option<S>, Error> {
    Ok(journal::load::<S>(tx, organization, id)?.map(|found| found.state))
}

fn sequence(
    tx: &mut Tx<'_>,
    organization: &str,
    id: AppointmentId,
    at: Timestamp,
) -> Result<Sequence, Error> {
    let appointment = state::<Appointment>(tx, organization, &id.to_string())?
        .ok_or_else(|| Error::not_found("appointment", &id.to_string()))?;
    let mut objects = BTreeSet::from([id.to_string()]);
    let mut payments: BTreeSet<String> = appointment.payments.keys().cloned().collect();
    if let Some(debt) = appointment.deposit_debt {
        objects.insert(debt.to_string());
    }
    if let Some((debt, _)) = appointment.visit_due {
        objects.insert(debt.to_string());
    }
    if let Some(service) = appointment.service {
        objects.insert(service.to_string());
        if let Some(service) = state::<Service>(tx, organization, &service.to_string())? {
            payments.extend(service.payments.keys().cloned());
            objects.extend(service.invoice.map(|invoice| invoice.to_string()));
            objects.extend(service.eligibility.map(|eligibility| eligibility.to_string()));
        }
        let payout = journal::referred(tx, organization, &format!("payout-of/{service}"))?;
        objects.extend(payout);
    }
    let encounter = match appointment.encounter {
        Some(encounter) => state::<Encounter>(tx, organization, &encounter.to_string())?,
        None => None,
    };
    objects.extend(appointment.encounter.map(|encounter| encounter.to_string()));
    objects.extend(appointment.waiting.map(|waiting| waiting.to_string()));
    for payment in &payments {
        let known = state::<Payment>(tx, organization, payment)?;
        objects.extend(known.and_then(|known| known.debt).map(|debt| debt.to_string()));
    }
    objects.extend(payments.iter().cloned());
    objects.extend(notices::list_about(tx, organization, &id.to_string(), "", NOTICES_MAX)?);
    let mut told = Vec::new();
    for object in objects.iter().take(OBJECTS_MAX) {
        told.extend(journal::list_stream(tx, organization, object)?);
    }
    for refund in refunds_of(&told) {
        told.extend(journal::list_stream(tx, organization, &refund)?);
    }
    told.sort_by_key(|event| event.position);
    told.dedup_by_key(|event| event.position);
    let chain = chain(&appointment, &payments, encounter.as_ref());
    Ok(Sequence { appointment: id, chain, events: told, at })
}

/// Our own refunds of payments: their events name them.
fn refunds_of(told: &[Stored]) -> BTreeSet<String> {
    told.iter()
        .filter(|event| event.entry.kind == "payment.refund_reserved")
        .filter_map(|event| event.entry.body["refund_id"].as_str().map(ToOwned::to_owned))
        .collect()
}

fn chain(appointment: &Appointment, payments: &BTreeSet<String>, encounter: Option<&Encounter>) -> Vec<Link> {
    let link = |name, ids: Vec<String>, why: &'static str| {
        let missing = ids.is_empty().then_some(why);
        Link { name, ids, missing }
    };
    let note = encounter.and_then(|encounter| encounter.signed.first());
    let outcome = encounter.and_then(|encounter| encounter.outcome.clone());
    let outcome = outcome.or_else(|| note.map(|signed| signed.note.to_string()));
    let unpaid = match appointment.terms.timing.needs_deposit() {
        true => "nothing was paid for it",
        false => "it is paid after the visit, and the visit was not charged yet",
    };
    let unseen = match appointment.status.occupies() {
        true => "the visit was not documented yet",
        false => "the visit did not take place",
    };
    vec![
        link("patient", vec![appointment.context.patient.to_string()], ""),
        link("appointment", vec![appointment.id.to_string()], ""),
        link("payment", payments.iter().cloned().collect(), unpaid),
        link("encounter", appointment.encounter.map(|id| id.to_string()).into_iter().collect(), unseen),
        link("outcome", outcome.into_iter().collect(), unseen),
    ]
}

fn lint(tx: &mut Tx<'_>, organization: &str) -> Result<(u64, Vec<Lacking>), Error> {
    let mut looked_at = 0;
    let mut found = Vec::new();
    for kind in MONEY {
        let which = events::Which { object: None, kind: Some((*kind).to_owned()) };
        let mut before = i64::MAX;
        loop {
            let page = events::list_before(tx, organization, &which, before, PAGE)?;
            let Some(last) = page.last() else { break };
            before = last.position;
            looked_at += u64::try_from(page.len()).unwrap_or(0);
            for event in page {
                let missing = lacking(tx, organization, &event)?;
                if !missing.is_empty() {
                    found.push(Lacking { event, missing });
                }
            }
        }
    }
    Ok((looked_at, found))
}

fn lacking(tx: &mut Tx<'_>, organization: &str, event: &Stored) -> Result<Vec<&'static str>, Error> {
    let care = &event.entry.care;
    let mut missing = Vec::new();
    if event.entry.reason.as_str().is_empty() {
        missing.push("reason");
    }
    if care.patient.is_none() {
        // Nobody knows whose money it is: it stands in suspense, and a person is asked.
        let known = state::<Payment>(tx, organization, &event.entry.stream)?;
        if known.is_some_and(|payment| payment.purpose.is_none()) {
            return Ok(missing);
        }
        missing.push("patient");
    }
    if care.appointment.is_none() && care.account.is_none() {
        missing.push("appointment or account");
    }
    if care.payment.is_none() {
        missing.push("payment");
    }
    Ok(missing)
}
