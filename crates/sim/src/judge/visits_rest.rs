//! The reference model of visits: what slots, appointments and money must have come to when the world is at rest, predicted
//! from what callers were told, what Stripe moved, and when.
//!
//! Where faults leave more than one end possible, each of them is allowed, and no other.

use std::collections::{BTreeMap, BTreeSet};

use suture_core::id::AppointmentId;
use suture_store::effects::{Effect, State};

use super::visit_books::{Ended, Occupied, VisitBook, VisitBooks};
use super::visits::{Held, held};
use super::watch::{Watch, text};
use crate::schedule::{Accepted, Front};
use crate::world::World;

/// Before people repair anything: what Stripe told us is stored, whatever the desk thinks of it. A fact that is refused comes
/// back only by luck.
///
/// # Errors
/// The message that nobody could store.
pub async fn facts_are_stored(world: &World) -> Result<(), String> {
    const TOLD: [&str; 3] = ["apply_message", "fetch", "poll"];
    let dead = world.effects(State::Dead).await.map_err(text)?;
    let outage = |error: &Option<String>| error.as_ref().is_some_and(|error| error.contains("given up"));
    let stopped = |effect: &&Effect| TOLD.contains(&effect.kind.as_str()) && !outage(&effect.error);
    match dead.iter().find(stopped) {
        Some(effect) => {
            Err(format!("V10: {} ({}) can never be stored: {:?}", effect.id, effect.kind, effect.error))
        }
        None => Ok(()),
    }
}

/// What the checks share.
struct Case<'a> {
    watch: &'a Watch,
    books: &'a VisitBooks,
    held: BTreeMap<String, Held>,
    /// Streams of effects that wait for a person.
    asked: BTreeSet<String>,
    now_ms: i64,
    strict: bool,
}

/// Checks visits in a world at rest.
///
/// # Errors
/// The broken rule, as a sentence.
pub async fn visits_at_rest(world: &World, front: &Front, watch: &Watch) -> Result<(), String> {
    let mut asked = BTreeSet::new();
    for state in [State::Dead, State::Parked] {
        asked
            .extend(world.effects(state).await.map_err(text)?.into_iter().filter_map(|effect| effect.stream));
    }
    let (practice, accepted) = front.told();
    let case = Case {
        watch,
        books: watch.visits(),
        held: held(world)?,
        asked,
        now_ms: world.clock.millis(),
        strict: practice.policy.version.starts_with("strict"),
    };
    for (id, told) in accepted {
        case.check_accepted(id, told)?;
    }
    for (id, visit) in &case.books.visits {
        case.check_timers(id, visit)?;
        case.check_deposit(id, visit)?;
        case.check_before(id, visit)?;
        case.check_verdict(id, visit)?;
    }
    Ok(())
}

impl Case<'_> {
    /// What callers were told is what came of it.
    fn check_accepted(&self, id: &AppointmentId, told: &Accepted) -> Result<(), String> {
        let id = id.to_string();
        let Some(visit) = self.books.visits.get(&id) else {
            return Err(format!("V5: {id} was answered, and does not exist"));
        };
        let lost = |what: &str| Err(format!("V5: {id} is {}; its caller was told: {what}", visit.status));
        if let Some(ended) = told.ended
            && visit.status != ended
        {
            return lost(ended);
        }
        if told.signed && visit.status != "completed" {
            return lost("completed");
        }
        if told.arrived && !matches!(visit.status, "in_visit" | "completed") {
            return lost("in_visit");
        }
        if told.moved_to.is_some_and(|to| to.millis() != visit.starts_ms) {
            return Err(format!("V5: {id} begins at {}; its caller was told otherwise", visit.starts_ms));
        }
        if told.selected && visit.deposit == 0 && matches!(visit.status, "pending_payment" | "lapsed") {
            return lost("confirmed");
        }
        Ok(())
    }

    /// Nothing is held after its time, and no visit at risk outlives its deadline.
    fn check_timers(&self, id: &str, visit: &VisitBook) -> Result<(), String> {
        if visit.status == "pending_payment" && visit.held_until_ms <= self.now_ms {
            return Err(format!("V6: {id} is still held; it ended at {}", visit.held_until_ms));
        }
        let due = visit.risk_ms.is_some_and(|deadline| deadline <= self.now_ms);
        match visit.status == "at_risk" && due && !visit.emergency {
            true => Err(format!("V6: {id} is still at risk; its deadline was {:?}", visit.risk_ms)),
            false => Ok(()),
        }
    }

    fn of_deposit(&self, visit: &VisitBook) -> Vec<(&String, Held)> {
        let payments = self.watch.payments_of_debt(visit.deposit_debt.as_deref());
        payments.map(|payment| (payment, self.held.get(payment).copied().unwrap_or_default())).collect()
    }

    /// A deposit that Stripe took books the visit, or goes back; one that it did not take books nothing.
    fn check_deposit(&self, id: &str, visit: &VisitBook) -> Result<(), String> {
        if visit.deposit == 0 {
            return Ok(());
        }
        let payments = self.of_deposit(visit);
        let is_asked = payments.iter().any(|(payment, held)| self.asked.contains(*payment) || held.troubled);
        if is_asked || self.asked.contains(id) {
            return Ok(());
        }
        if visit.service.is_none() && !visit.occupies() {
            let net: i64 = payments.iter().map(|(_, held)| held.net).sum();
            let reserved: i64 = payments.iter().map(|(_, held)| held.reserved).sum();
            if net > 0 || reserved > 0 {
                return Err(format!(
                    "V7: {id} is {} and never stood; {net} is held and {reserved} reserved, and nobody is asked",
                    visit.status
                ));
            }
            return self.check_lost_slot(id, visit, &payments);
        }
        let stands = matches!(visit.status, "confirmed" | "at_risk") && visit.starts_ms > self.now_ms;
        let secured = |held: &Held| held.charged >= visit.deposit || held.reserved >= visit.deposit;
        if stands && !payments.iter().any(|(_, held)| secured(held)) {
            return Err(format!("I4: {id} stands, and its deposit is neither taken nor reserved any more"));
        }
        Ok(())
    }

    /// Money that came late went back although nobody else had the slot.
    fn check_lost_slot(
        &self,
        id: &str,
        visit: &VisitBook,
        payments: &[(&String, Held)],
    ) -> Result<(), String> {
        let Some((lapsed_position, _)) = visit.lapsed.filter(|_| visit.status == "lapsed") else {
            return Ok(());
        };
        for (payment, held) in payments {
            let known = self.books.captured.get(*payment).copied();
            let Some((captured, known_ms)) = known.filter(|_| held.charged >= visit.deposit) else {
                continue;
            };
            let in_time = known_ms < visit.starts_ms && captured >= visit.deposit;
            if in_time && !held.external && !self.was_taken(id, visit, lapsed_position) {
                return Err(format!(
                    "V7: {payment} was taken and given back; the slot of {id} was free, and it was not booked again"
                ));
            }
        }
        Ok(())
    }

    /// Whether anybody else had a part of the slot after it lapsed, or so close that nothing fits between.
    fn was_taken(&self, id: &str, visit: &VisitBook, since: i64) -> bool {
        const AROUND_MS: i64 = 10 * 60_000;
        let overlaps = |time: &Occupied| {
            time.starts_ms < visit.ends_ms + AROUND_MS
                && visit.starts_ms < time.ends_ms + AROUND_MS
                && time.until_position.is_none_or(|until| until > since)
        };
        let others = self
            .books
            .visits
            .iter()
            .filter(|(other, known)| other.as_str() != id && known.provider == visit.provider);
        others.flat_map(|(_, known)| &known.occupied).any(overlaps)
    }

    /// What is left of a price was asked for before the visit, and money that came in time keeps it.
    fn check_before(&self, id: &str, visit: &VisitBook) -> Result<(), String> {
        const SLACK_MS: i64 = 60_000;
        let Some(minutes) = visit.charge_before else { return Ok(()) };
        let due_ms = visit.starts_ms - minutes * 60_000;
        let stands = matches!(visit.status, "confirmed" | "at_risk");
        let left = visit.price - visit.deposit;
        if stands && due_ms + SLACK_MS < self.now_ms && !visit.has_visit_due && left > 0 {
            let deposits = self.of_deposit(visit);
            if !deposits.iter().any(|(_, held)| held.charged >= visit.price) {
                return Err(format!(
                    "V6: {id} begins at {}, and the rest was never asked for",
                    visit.starts_ms
                ));
            }
        }
        Ok(())
    }

    /// The clinic keeps what its rules say, by arithmetic of the judge's own.
    fn check_verdict(&self, id: &str, visit: &VisitBook) -> Result<(), String> {
        let Some(ended) = visit.ended.as_ref().filter(|_| visit.service.is_some()) else { return Ok(()) };
        let paid = ended.refund + ended.fee - ended.charge;
        let owed = self.fee(visit, ended, paid);
        match ended.fee == owed {
            true => Ok(()),
            false => {
                Err(format!("V9: {id} ended by {} costs {}; by the rules it is {owed}", ended.by, ended.fee))
            }
        }
    }

    fn fee(&self, visit: &VisitBook, ended: &Ended, paid: i64) -> i64 {
        let late = visit.starts_ms - ended.at_ms < 48 * 3_600_000;
        match ended.by.as_str() {
            _ if !self.strict || ended.waived => 0,
            "patient" if late => 2_500,
            "patient_missed" => visit.price / 2,
            "system" => paid,
            _ => 0,
        }
    }
}
