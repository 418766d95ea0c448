//! The judge's own books of visits: who holds which time, on which terms, ended how, and who waits for what, read from the
//! journal's facts with a state machine of its own.
//!
//! Filled by [`super::Watch`] entry by entry, read by [`super::visits`].

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use suture_core::audit::chain::Entry;

use super::books::text;

/// So many are asked about one slot.
const OFFERS: usize = 3;
/// At most so much time stays free around a visit.
const AROUND_MS: i64 = 10 * 60_000;

/// What is known about an appointment.
#[derive(Debug, Clone, Default)]
pub(super) struct VisitBook {
    pub(super) provider: String,
    pub(super) visit_type: String,
    pub(super) starts_ms: i64,
    pub(super) ends_ms: i64,
    /// As the engine's rows say it.
    pub(super) status: &'static str,
    pub(super) timing: String,
    pub(super) price: i64,
    pub(super) deposit: i64,
    pub(super) reserve_only: bool,
    /// Minutes before the start at which what is left of the price is charged.
    pub(super) charge_before: Option<i64>,
    pub(super) held_until_ms: i64,
    pub(super) deposit_debt: Option<String>,
    pub(super) service: Option<String>,
    /// Payments whose money came after the slot was lost.
    pub(super) lost: BTreeSet<String>,
    pub(super) has_visit_due: bool,
    /// The deadline while it is at risk.
    pub(super) risk_ms: Option<i64>,
    pub(super) emergency: bool,
    pub(super) overridden: bool,
    pub(super) ended: Option<Ended>,
    /// The times that it occupied, each from one position of the journal to another.
    pub(super) occupied: Vec<Occupied>,
    /// When it lapsed: the journal's position and the time.
    pub(super) lapsed: Option<(i64, i64)>,
}

/// How an appointment ended.
#[derive(Debug, Clone, Default)]
pub(super) struct Ended {
    pub(super) at_ms: i64,
    /// Who ended it; `patient_missed` when nobody came.
    pub(super) by: String,
    pub(super) waived: bool,
    pub(super) fee: i64,
    pub(super) refund: i64,
    pub(super) charge: i64,
}

/// A time that an appointment occupied, in milliseconds and in positions of the journal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Occupied {
    pub(super) starts_ms: i64,
    pub(super) ends_ms: i64,
    pub(super) until_position: Option<i64>,
}

impl VisitBook {
    /// Whether its time is held or booked.
    pub(super) fn occupies(&self) -> bool {
        !matches!(self.status, "canceled" | "no_show" | "lapsed")
    }

    /// Whether it stands by a deposit.
    pub(super) fn stands_by_deposit(&self) -> bool {
        self.deposit > 0 && self.occupies() && self.status != "pending_payment"
    }

    fn take_time(&mut self) {
        let (starts_ms, ends_ms) = (self.starts_ms, self.ends_ms);
        self.occupied.push(Occupied { starts_ms, ends_ms, until_position: None });
    }

    fn leave_time(&mut self, position: i64) {
        if let Some(last) = self.occupied.last_mut() {
            last.until_position = Some(position);
        }
    }

    fn end(&mut self, entry: &Entry, position: i64, by: String) {
        let money = |name: &str| entry.body["verdict"][name]["minor"].as_i64().unwrap_or(0);
        self.ended = Some(Ended {
            at_ms: entry.at.millis(),
            by,
            waived: !entry.body["waived"].is_null(),
            fee: money("fee"),
            refund: money("refund"),
            charge: money("charge"),
        });
        self.risk_ms = None;
        self.leave_time(position);
    }
}

/// A place of the waiting list.
#[derive(Debug, Clone, Default)]
pub(super) struct PlaceBook {
    visit_type: String,
    provider: Option<String>,
    from_ms: i64,
    until_ms: i64,
    since_ms: i64,
    status: &'static str,
    /// The journal's position when it began to wait, at first or again.
    idle_since: i64,
    offered: BTreeSet<(String, i64)>,
}

impl PlaceBook {
    fn wants(&self, slot: &VisitBook) -> bool {
        self.status == "waiting"
            && self.visit_type == slot.visit_type
            && self.provider.as_ref().is_none_or(|wanted| *wanted == slot.provider)
            && self.from_ms <= slot.starts_ms
            && slot.starts_ms <= self.until_ms
            && !self.offered.contains(&(slot.provider.clone(), slot.starts_ms))
    }
}

/// Everything about visits.
#[derive(Debug, Default)]
pub(super) struct VisitBooks {
    pub(super) visits: BTreeMap<String, VisitBook>,
    pub(super) places: BTreeMap<String, PlaceBook>,
    /// The appointment of each debt that one owns.
    pub(super) visit_of_debt: BTreeMap<String, String>,
    /// What we know was captured of each payment, in minor units, and when we knew.
    pub(super) captured: BTreeMap<String, (i64, i64)>,
    /// Who authorized refunds, by refund, with the payment and when.
    pub(super) authorized: BTreeMap<String, (String, String, i64)>,
    /// The position of the latest entry.
    pub(super) position: i64,
}

impl VisitBooks {
    /// Takes an entry of the journal in.
    ///
    /// # Errors
    /// A rule of the waiting list that the entry breaks.
    pub(super) fn read(&mut self, entry: &Entry, position: i64) -> Result<(), String> {
        self.position = position;
        let (stream, body) = (&entry.stream, &entry.body);
        match entry.kind.as_str() {
            "debt.recorded" => {
                if let Some(owner) = body["owner"].as_str().filter(|owner| owner.starts_with("apt_")) {
                    self.visit_of_debt.insert(stream.clone(), owner.to_owned());
                }
                Ok(())
            }
            "payment.captured" => {
                let known = self.captured.entry(stream.clone()).or_default();
                *known = (known.0 + minor(&body["amount"]), entry.at.millis());
                Ok(())
            }
            "refund.requested" => {
                let who = (text(&body["payment"]), text(&body["authorizer"]), entry.at.millis());
                self.authorized.insert(stream.clone(), who);
                Ok(())
            }
            kind if kind.starts_with("appointment.") => {
                self.read_visit(entry, position);
                Ok(())
            }
            kind if kind.starts_with("waiting.") => self.read_place(entry, position),
            _ => Ok(()),
        }
    }

    fn read_visit(&mut self, entry: &Entry, position: i64) {
        let body = &entry.body;
        let book = self.visits.entry(entry.stream.clone()).or_default();
        let millis = |name: &str| body[name].as_i64().unwrap_or(0);
        match entry.kind.as_str() {
            "appointment.slot_selected" => selected(book, body),
            "appointment.hold_extended" => book.held_until_ms = millis("until"),
            "appointment.booking_confirmed" => {
                if book.status == "lapsed" {
                    book.take_time();
                }
                (book.status, book.service) = ("confirmed", body["service"].as_str().map(ToOwned::to_owned));
            }
            "appointment.lapsed" => {
                book.status = "lapsed";
                book.lapsed = Some((position, entry.at.millis()));
                book.leave_time(position);
            }
            "appointment.slot_lost" => {
                book.lost.insert(text(&body["payment"]));
            }
            "appointment.visit_due" => book.has_visit_due = true,
            "appointment.put_at_risk" => {
                (book.status, book.risk_ms) = ("at_risk", Some(millis("deadline")));
            }
            "appointment.secured" => (book.status, book.risk_ms) = ("confirmed", None),
            "appointment.overridden" => {
                (book.status, book.risk_ms, book.overridden) = ("confirmed", None, true);
            }
            "appointment.emergency_marked" => book.emergency = body["emergency"] == true,
            "appointment.moved" => {
                book.leave_time(position);
                (book.starts_ms, book.ends_ms) = (millis("starts_at"), millis("ends_at"));
                book.take_time();
            }
            "appointment.arrived" => book.status = "in_visit",
            "appointment.completed" => book.status = "completed",
            "appointment.missed" => {
                book.status = "no_show";
                book.end(entry, position, "patient_missed".to_owned());
            }
            "appointment.booking_canceled" => {
                book.status = "canceled";
                book.end(entry, position, text(&body["by"]));
            }
            _ => {}
        }
    }

    /// A slot goes to the first who wants it and was not asked before.
    fn read_place(&mut self, entry: &Entry, position: i64) -> Result<(), String> {
        let body = &entry.body;
        if entry.kind == "waiting.offered" {
            self.check_order(&entry.stream, &text(&body["appointment"]))?;
        }
        let offered = self.visits.get(&text(&body["appointment"]));
        let slot = offered.map(|visit| (visit.provider.clone(), visit.starts_ms));
        let place = self.places.entry(entry.stream.clone()).or_default();
        match entry.kind.as_str() {
            "waiting.joined" => {
                let wish = &body["wish"];
                let millis = |name: &str| wish[name].as_i64().unwrap_or(0);
                *place = PlaceBook {
                    visit_type: text(&wish["visit_type"]),
                    provider: wish["provider"].as_str().map(ToOwned::to_owned),
                    from_ms: millis("from"),
                    until_ms: millis("until"),
                    since_ms: body["at"].as_i64().unwrap_or(0),
                    status: "waiting",
                    idle_since: position,
                    offered: BTreeSet::new(),
                };
            }
            "waiting.offered" => {
                place.offered.extend(slot);
                place.status = "offered";
            }
            "waiting.passed" => (place.status, place.idle_since) = ("waiting", position),
            "waiting.booked" => place.status = "booked",
            "waiting.left" => place.status = "left",
            _ => {}
        }
        Ok(())
    }

    /// A time that was freed goes to somebody who waits for it, until three were asked.
    ///
    /// # Errors
    /// The slot that nobody was asked about.
    pub(super) fn check_offers(&self, now_ms: i64) -> Result<(), String> {
        let ahead = |(_, visit): &(&String, &VisitBook)| visit.starts_ms > now_ms && !visit.occupies();
        for (id, visit) in self.visits.iter().filter(ahead) {
            let slot = (visit.provider.clone(), visit.starts_ms);
            let asked = self.places.values().filter(|place| place.offered.contains(&slot)).count();
            let freed = visit.occupied.last().and_then(|last| last.until_position).unwrap_or(i64::MAX);
            // A hybrid visit needs a check that a place does not name, so nobody can be offered one.
            if visit.timing == "hybrid" || asked >= OFFERS || self.is_taken(visit) {
                continue;
            }
            let waiting =
                self.places.iter().find(|(_, place)| place.idle_since < freed && place.wants(visit));
            if let Some((place, _)) = waiting {
                return Err(format!(
                    "V8: the slot of {id} is free again, and {place}, which wants it, was not asked"
                ));
            }
        }
        Ok(())
    }

    /// Whether somebody else is there, or so close that no visit fits between.
    fn is_taken(&self, freed: &VisitBook) -> bool {
        let overlaps = |visit: &VisitBook| {
            visit.provider == freed.provider
                && visit.starts_ms < freed.ends_ms + AROUND_MS
                && freed.starts_ms < visit.ends_ms + AROUND_MS
        };
        self.visits.values().any(|visit| visit.occupies() && overlaps(visit))
    }

    fn check_order(&self, to: &str, appointment: &str) -> Result<(), String> {
        let (Some(place), Some(slot)) = (self.places.get(to), self.visits.get(appointment)) else {
            return Err(format!("V8: {appointment} is offered to {to}, and one of them does not exist"));
        };
        // A hybrid visit needs a check that a place does not name, so nobody can be offered one.
        let earlier = self.places.iter().find(|(id, other)| {
            let order = (other.since_ms, id.as_str()) < (place.since_ms, to);
            order && other.wants(slot)
        });
        match earlier {
            Some((other, _)) => Err(format!(
                "V8: {appointment} is offered to {to}, and {other}, which waits longer, was not asked"
            )),
            None => Ok(()),
        }
    }
}

fn selected(book: &mut VisitBook, body: &Value) {
    let (terms, millis) = (&body["terms"], |name: &str| body[name].as_i64().unwrap_or(0));
    *book = VisitBook {
        provider: text(&body["provider"]),
        visit_type: text(&body["visit_type"]),
        starts_ms: millis("starts_at"),
        ends_ms: millis("ends_at"),
        status: "pending_payment",
        timing: text(&terms["timing"]),
        price: minor(&terms["price"]),
        deposit: minor(&terms["deposit"]),
        reserve_only: terms["reserve_only"] == true,
        charge_before: terms["charge_before_minutes"].as_i64(),
        held_until_ms: millis("held_until"),
        deposit_debt: body["debt"].as_str().map(ToOwned::to_owned),
        ..VisitBook::default()
    };
    book.take_time();
}

fn minor(money: &Value) -> i64 {
    money["minor"].as_i64().unwrap_or(0)
}
