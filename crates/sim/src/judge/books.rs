//! The judge's own books of patient billing: what was ordered and decided, read from the journal's facts, with arithmetic
//! of its own. Nothing here calls the engine's worksheet.
//!
//! Filled by [`super::Watch`] entry by entry, read by [`super::billing`] when the world is at rest.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use suture_core::audit::chain::Entry;

/// How far a service has come, as far as money cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Stage {
    /// Nothing is settled.
    #[default]
    Open,
    /// It is being settled.
    Settling,
    /// Everything is paid and proven, it says.
    Completed,
    /// It does not take place.
    Canceled,
}

/// A payer's ruling that stands, in minor units.
#[derive(Debug, Clone, Copy)]
struct Standing {
    charge: i64,
    paid: i64,
    patient: i64,
}

/// What is ordered and decided about a service.
#[derive(Debug, Default)]
pub(super) struct ServiceBook {
    pub(super) link: String,
    pub(super) stage: Stage,
    standing: Vec<Standing>,
    /// Whether a payer ever ruled.
    is_ruled: bool,
    set_by_hand: Option<i64>,
    elsewhere: i64,
    written_off: BTreeMap<i64, i64>,
}

impl ServiceBook {
    /// What the patient owes after everything but payments, in minor units.
    pub(super) fn owed(&self) -> i64 {
        let ruled: i64 = self.standing.iter().map(|ruling| ruling.patient).sum();
        self.set_by_hand.unwrap_or(ruled) - self.elsewhere - self.written_off.values().sum::<i64>()
    }

    /// Whether the payer took back all that it had ruled: what the patient owes is not known then, and nothing need follow.
    pub(super) const fn is_undecided(&self) -> bool {
        self.is_ruled && self.standing.is_empty() && self.set_by_hand.is_none()
    }

    fn rule(&mut self, decision: &Value) {
        self.is_ruled = true;
        let (charge, paid) = (minor(&decision["charge"]), minor(&decision["paid"]));
        let stated: i64 = list(&decision["adjustments"])
            .filter(|adjustment| adjustment["group"] == "patient")
            .map(|adjustment| minor(&adjustment["amount"]))
            .sum();
        match decision["outcome"].as_str() {
            Some("reversal") => {
                let same = |known: &Standing| known.charge == -charge && known.paid == -paid;
                match self.standing.iter().rposition(same) {
                    Some(index) => {
                        self.standing.remove(index);
                    }
                    None => self.standing.push(Standing { charge, paid, patient: stated }),
                }
            }
            // The next payer may cover the patient's part.
            Some("forwarded") => self.standing.push(Standing { charge, paid, patient: 0 }),
            _ => self.standing.push(Standing { charge, paid, patient: stated }),
        }
    }
}

/// What is ordered about an estimate charge.
#[derive(Debug, Default)]
pub(super) struct EstimateBook {
    pub(super) link: String,
    pub(super) service: Option<String>,
    /// One per authorization, oldest first.
    pub(super) payments: Vec<String>,
    /// It was given up when nothing was reserved.
    pub(super) abandoned: bool,
    /// What it says of itself.
    pub(super) status: String,
}

/// Everything about patient billing.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) services: BTreeMap<String, ServiceBook>,
    pub(super) estimates: BTreeMap<String, EstimateBook>,
    /// The debts of services, by debt.
    pub(super) service_of_debt: BTreeMap<String, String>,
    /// The appointment of each debt that one owns, and the service of each appointment that stood.
    pub(super) visit_of_debt: BTreeMap<String, String>,
    pub(super) service_of_visit: BTreeMap<String, String>,
    /// The payment of each intent: one that Stripe made for an invoice does not name it.
    pub(super) payment_of_intent: BTreeMap<String, String>,
    /// The link of each payment whose owner was found later.
    pub(super) link_of: BTreeMap<String, String>,
    /// Caps of consents in minor units.
    pub(super) caps: BTreeMap<String, i64>,
    /// The consent that a payment was made under, also when it was given back later.
    pub(super) consent_of: BTreeMap<String, String>,
    /// Refunds that we asked for: payment and amount.
    pub(super) refunds: BTreeMap<String, (String, i64)>,
    /// Those that failed or came back.
    pub(super) failed_refunds: BTreeSet<String>,
}

impl Books {
    /// Whether there is anything to judge.
    pub(super) fn is_empty(&self) -> bool {
        self.services.is_empty() && self.estimates.is_empty()
    }

    /// Takes an entry of the journal in.
    pub(super) fn read(&mut self, entry: &Entry) {
        let (stream, body) = (&entry.stream, &entry.body);
        match entry.kind.as_str() {
            "debt.recorded" => {
                let owner = text(&body["owner"]);
                if owner.starts_with("svc_") {
                    self.service_of_debt.insert(stream.clone(), owner);
                } else if owner.starts_with("apt_") {
                    self.visit_of_debt.insert(stream.clone(), owner);
                }
            }
            "appointment.booking_confirmed" => {
                self.service_of_visit.insert(stream.clone(), text(&body["service"]));
            }
            "patient.consent_given" => {
                self.caps.insert(text(&body["id"]), minor(&body["cap"]));
            }
            "patient.consent_used" => {
                self.consent_of.insert(text(&body["payment"]), text(&body["consent"]));
            }
            "payment.intent_moved" => {
                self.payment_of_intent.insert(text(&body["intent"]), stream.clone());
            }
            "payment.link_resolved" => {
                self.link_of.insert(stream.clone(), text(&body["link"]));
            }
            "refund.requested" => {
                self.refunds.insert(stream.clone(), (text(&body["payment"]), minor(&body["amount"])));
            }
            "refund.moved" if body["to"] == "failed" => {
                self.failed_refunds.insert(stream.clone());
            }
            kind if kind.starts_with("estimate.") => self.read_estimate(entry),
            kind if kind.starts_with("service.") => self.read_service(entry),
            _ => {}
        }
    }

    fn read_estimate(&mut self, entry: &Entry) {
        let (book, body) = (self.estimates.entry(entry.stream.clone()).or_default(), &entry.body);
        match entry.kind.as_str() {
            "estimate.created" => book.link = text(&body["link"]),
            "estimate.attempt_started" => book.payments.push(text(&body["payment"])),
            "estimate.attached" => book.service = Some(text(&body["service"])),
            "estimate.detached" => book.service = None,
            "estimate.abandoned" => {
                book.abandoned = true;
                "canceled".clone_into(&mut book.status);
            }
            _ => {}
        }
        if let Some(status) = body["standing"]["status"].as_str() {
            status.clone_into(&mut book.status);
        }
    }

    fn read_service(&mut self, entry: &Entry) {
        let (book, body) = (self.services.entry(entry.stream.clone()).or_default(), &entry.body);
        let number = body["number"].as_i64().unwrap_or(0);
        match entry.kind.as_str() {
            "service.created" => book.link = text(&body["link"]),
            "service.adjudicated" => book.rule(&body["decision"]),
            "service.responsibility_set" => book.set_by_hand = Some(minor(&body["responsibility"])),
            "service.missed" => book.set_by_hand = Some(minor(&body["fee"])),
            "service.paid_elsewhere" => book.elsewhere += minor(&body["amount"]),
            "service.given_back" => book.elsewhere -= minor(&body["amount"]),
            "service.written_off" => {
                book.written_off.insert(number, minor(&body["amount"]));
            }
            "service.write_off_undone" => {
                book.written_off.remove(&number);
            }
            "service.settling_begun" => book.stage = Stage::Settling,
            "service.completed" => book.stage = Stage::Completed,
            "service.canceled" => book.stage = Stage::Canceled,
            _ => {}
        }
    }
}

fn minor(money: &Value) -> i64 {
    money["minor"].as_i64().unwrap_or(0)
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub(super) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
