//! The invariants that hold after every move (FLOWS §0): I1, I2, I3, I5, I8, and I6 every so often.
//!
//! The judge believes the sandbox's movements, never what the engine says about itself.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use suture_core::audit::chain::Entry;
use suture_engine::Error;
use suture_store::journal;

use super::books::Books;
use super::visit_books::VisitBooks;
use crate::world::World;

/// The audit trail is verified after this many moves.
const AUDIT_EVERY: usize = 25;

/// What the judge has seen so far.
#[derive(Debug, Default)]
pub struct Watch {
    position: i64,
    checks: usize,
    /// The kinds of events that the journal holds.
    kinds: BTreeSet<String>,
    /// What is owed by debt, in minor units.
    owed: BTreeMap<String, i64>,
    /// The debt of each of our payments.
    debt_of: BTreeMap<String, String>,
    /// Payments whose owner is known.
    owned: BTreeMap<String, bool>,
    /// What the journal says was captured, by charge.
    captured: BTreeMap<String, i64>,
    /// What the journal says was refunded, by refund.
    refunded: BTreeMap<String, i64>,
    /// Patient billing.
    books: Books,
    /// Visits.
    visits: VisitBooks,
    /// Where the journal ended when visits were checked.
    visits_checked: i64,
}

impl Watch {
    /// Checks the world after a move.
    ///
    /// # Errors
    /// The broken invariant, as a sentence.
    pub async fn check(&mut self, world: &World) -> Result<(), String> {
        if let Some(place) = world.outside.leak() {
            return Err(format!("I8: a patient value reached Stripe in {place}"));
        }
        self.read_journal(world).await?;
        let movements = world.movements();
        self.check_debts(&movements)?;
        self.check_facts(&movements)?;
        check_epic(world)?;
        let proof = world.engine(0).proof(&world.organization, world.clock.now()).await.map_err(text)?;
        if !proof.balanced {
            return Err(format!("I1: the ledger does not sum to zero: {:?}", proof.sums));
        }
        self.checks += 1;
        if self.checks.is_multiple_of(AUDIT_EVERY) {
            check_audit(world).await?;
        }
        Ok(())
    }

    /// The kinds of events that happened: what a run has reached.
    #[must_use]
    pub const fn kinds(&self) -> &BTreeSet<String> {
        &self.kinds
    }

    /// The books of patient billing, and the debt of each payment.
    pub(super) const fn books(&self) -> (&Books, &BTreeMap<String, String>) {
        (&self.books, &self.debt_of)
    }

    /// The books of visits.
    pub(super) const fn visits(&self) -> &VisitBooks {
        &self.visits
    }

    /// Whether nothing happened since visits were checked. The next call says yes until something happens.
    pub(super) const fn visits_are_checked(&mut self) -> bool {
        let same = self.visits_checked == self.position;
        self.visits_checked = self.position;
        same
    }

    /// Our payments of a debt.
    pub(super) fn payments_of_debt(&self, debt: Option<&str>) -> impl Iterator<Item = &String> {
        let of = move |(_, known): &(&String, &String)| Some(known.as_str()) == debt;
        self.debt_of.iter().filter(of).map(|(payment, _)| payment)
    }

    async fn read_journal(&mut self, world: &World) -> Result<(), String> {
        let (organization, since) = (world.organization.clone(), self.position);
        let read = world
            .store()
            .read(move |tx| journal::list_since(tx, &organization, since, 10_000).map_err(Error::from));
        for stored in read.await.map_err(text)? {
            self.position = stored.position;
            self.visits.read(&stored.entry, stored.position)?;
            self.read_entry(&stored.entry)?;
        }
        Ok(())
    }

    fn read_entry(&mut self, entry: &Entry) -> Result<(), String> {
        self.kinds.insert(entry.kind.clone());
        self.books.read(entry);
        let body = &entry.body;
        let minor = |value: &Value| value["minor"].as_i64().unwrap_or(0);
        match entry.kind.as_str() {
            "debt.recorded" | "debt.adjusted" => {
                self.owed.insert(entry.stream.clone(), minor(&body["owed"]));
            }
            "payment.opened" => {
                if let Some(debt) = body["debt"].as_str() {
                    self.debt_of.insert(entry.stream.clone(), debt.to_owned());
                }
                self.owned.insert(entry.stream.clone(), !body["purpose"].is_null());
            }
            "payment.link_resolved" => {
                if let Some(debt) = body["debt"].as_str() {
                    self.debt_of.insert(entry.stream.clone(), debt.to_owned());
                }
                self.owned.insert(entry.stream.clone(), true);
            }
            "payment.captured" => {
                let charge = body["charge"].as_str().unwrap_or_default().to_owned();
                *self.captured.entry(charge).or_default() += minor(&body["amount"]);
            }
            "payment.refunded" => {
                let refund = body["refund"].as_str().unwrap_or_default().to_owned();
                if self.refunded.insert(refund.clone(), minor(&body["amount"])).is_some() {
                    return Err(format!("I3: refund {refund} became a fact twice"));
                }
            }
            _ => {}
        }
        self.check_explained(entry)
    }

    /// I5: every event that moves money is explained, unless its owner is not known yet.
    fn check_explained(&self, entry: &Entry) -> Result<(), String> {
        const MONEY: [&str; 7] = [
            "payment.captured",
            "payment.refunded",
            "payment.refund_failed",
            "payment.dispute_withdrawn",
            "payment.dispute_reinstated",
            "payment.dispute_lost",
            "payment.authorized",
        ];
        let owned = self.owned.get(&entry.stream).copied().unwrap_or(true);
        let moves = MONEY.contains(&entry.kind.as_str()) && owned;
        if moves && (!entry.care.explains_money() || entry.reason.as_str().is_empty()) {
            return Err(format!("I5: {} of {} is not explained by an act of care", entry.kind, entry.stream));
        }
        Ok(())
    }

    /// I2 and I3 by the movements: a debt is never collected beyond what is owed, a payment never by two charges.
    fn check_debts(&self, movements: &[Value]) -> Result<(), String> {
        let mut net: BTreeMap<&str, i64> = BTreeMap::new();
        let mut charge_of: BTreeMap<&str, &str> = BTreeMap::new();
        for movement in movements {
            let attempt = movement["metadata"]["suture_attempt"].as_str();
            let Some(payment) = attempt.and_then(|attempt| attempt.split('/').next()) else { continue };
            let amount = movement["amount"].as_i64().unwrap_or(0);
            let signed = match movement["motion"].as_str().unwrap_or_default() {
                "charge" => amount,
                // One that comes back later is a credit that we owe the patient (FLOWS 4g); the debt stays as it was.
                "refund" => -amount,
                _ => continue,
            };
            let charge = movement["charge"].as_str().unwrap_or_default();
            if *charge_of.entry(payment).or_insert(charge) != charge {
                return Err(format!("I3: {payment} was charged twice at Stripe"));
            }
            let Some(debt) = self.debt_of.get(payment) else {
                return Err(format!("I2: Stripe moved money for {payment}, which no debt explains"));
            };
            *net.entry(debt).or_default() += signed;
        }
        for (debt, net) in net {
            let owed = self.owed.get(debt).copied().unwrap_or(0);
            if net > owed {
                return Err(format!("I2: {net} was collected for {debt}, which owes {owed}"));
            }
        }
        Ok(())
    }

    /// I3 the other way round: every fact of ours is a movement at Stripe, and no larger.
    fn check_facts(&self, movements: &[Value]) -> Result<(), String> {
        let moved = |motion: &str, object: &str| -> i64 {
            let of = |movement: &&Value| movement["motion"] == motion && movement["object"] == object;
            movements.iter().filter(of).filter_map(|movement| movement["amount"].as_i64()).sum()
        };
        for (charge, amount) in &self.captured {
            let truth = moved("charge", charge);
            if *amount > truth {
                return Err(format!("I3: we hold {amount} of charge {charge}; at Stripe {truth} was taken"));
            }
        }
        for (refund, amount) in &self.refunded {
            let truth = moved("refund", refund);
            if *amount != truth {
                return Err(format!("I3: we hold {amount} of refund {refund}; at Stripe {truth} went back"));
            }
        }
        Ok(())
    }
}

/// No fact is posted twice in Epic.
fn check_epic(world: &World) -> Result<(), String> {
    let snapshot = world.outside.epic().snapshot();
    for (reference, posting) in snapshot["postings"].as_object().into_iter().flatten() {
        if posting["count"] != 1 {
            return Err(format!("Epic has {reference} {} times", posting["count"]));
        }
    }
    Ok(())
}

/// I6: the audit trail verifies.
pub(super) async fn check_audit(world: &World) -> Result<(), String> {
    let verdict = world.engine(0).verify_audit(&world.organization).await.map_err(text)?;
    match verdict.broken {
        Some(broken) => Err(format!("I6: the audit trail is broken: {broken}")),
        None => Ok(()),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
pub(super) fn text(error: Error) -> String {
    error.to_string()
}
