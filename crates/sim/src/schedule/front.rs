//! Playing the acts of visits: selecting, paying, cancelling, moving, waiting. What happens on the day is in
//! [`super::front_day`].
//!
//! Called by [`super::Player`]. A refusal is an answer like any other. What the engine accepted is noted for the judge:
//! nothing accepted may be lost.

use std::collections::BTreeMap;

use serde_json::json;
use suture_core::appointment::{Appointment, Party, Status};
use suture_core::id::{AppointmentId, PaymentId, WaitingId};
use suture_core::money::Money;
use suture_core::payment;
use suture_core::practice::VisitType;
use suture_core::time::Timestamp;
use suture_core::waiting::Wish;
use suture_engine::billing::NewConsent;
use suture_engine::scheduling::{Ending, Move, PayVisit, Select};
use suture_engine::{Engine, Error};

use super::desk::{Desk, Seat, at};
use super::front_acts::{FrontAct, Moment};
use super::play::answered;
use crate::world::{Practice, World, person};

const MINUTE_MS: i64 = 60_000;
const HALF_HOUR_MS: i64 = 30 * MINUTE_MS;
const DAY_MS: i64 = 86_400_000;

/// What the engine accepted about an appointment, as its callers were told.
#[derive(Debug, Clone, Default)]
pub struct Accepted {
    /// Its id, when its selection was answered.
    pub selected: bool,
    /// Cancelled, or not come.
    pub ended: Option<&'static str>,
    /// The patient is here.
    pub arrived: bool,
    /// It took place.
    pub signed: bool,
    /// It moved to here.
    pub moved_to: Option<Timestamp>,
}

/// What the front desk knows.
pub struct Front {
    pub(super) practice: Practice,
    pub(super) appointments: Vec<AppointmentId>,
    places: Vec<WaitingId>,
    /// The first half hour that is selected.
    base_ms: i64,
    /// What was accepted.
    pub(super) accepted: BTreeMap<AppointmentId, Accepted>,
}

impl Front {
    /// A practice with nobody in its calendars.
    ///
    /// # Errors
    /// The engine's refusal, as a sentence.
    pub(super) async fn open(world: &mut World, strict: bool) -> Result<Self, String> {
        let practice = world.busy_practice(strict).await.map_err(|error| error.to_string())?;
        let (appointments, places, accepted) = (Vec::new(), Vec::new(), BTreeMap::new());
        Ok(Self { practice, appointments, places, base_ms: 0, accepted })
    }

    /// The practice, and what was accepted: for the judge.
    #[must_use]
    pub const fn told(&self) -> (&Practice, &BTreeMap<AppointmentId, Accepted>) {
        (&self.practice, &self.accepted)
    }

    /// Plays one act at an engine.
    ///
    /// # Errors
    /// A sentence when something failed that no fault explains.
    pub(super) async fn act(
        &mut self,
        (world, desk): (&World, &mut Desk),
        node: usize,
        act: FrontAct,
    ) -> Result<(), String> {
        let seat = Seat {
            engine: world.engine(node).clone(),
            other: world.engine(node + 1).clone(),
            caller: world.caller(),
            now: world.clock.now(),
        };
        self.notice_offers(&seat).await?;
        match act {
            FrontAct::Select { .. } => self.select(&seat, desk, act).await,
            FrontAct::Pay { appointment, card, twice } => self.pay(&seat, appointment, card, twice).await,
            FrontAct::Check { appointment, passed } => self.check(world, &seat, appointment, passed).await,
            FrontAct::Cancel { appointment, by, waived } => self.cancel(&seat, appointment, by, waived).await,
            FrontAct::Shift { appointment, slot, by } => self.shift(&seat, appointment, slot, by).await,
            FrontAct::Wait { patient, visit, provider } => {
                self.wait(&seat, desk, (patient, visit, provider)).await
            }
            FrontAct::Leave { place } => {
                let Some(place) = at(&self.places, place) else { return Ok(()) };
                answered(seat.engine.leave_waiting_list(&seat.caller, *place, "found_another").await)
            }
            FrontAct::Accept { appointment } => {
                let Some(id) = self.number(appointment) else { return Ok(()) };
                answered(seat.engine.accept_offer(&seat.caller, id).await)
            }
            FrontAct::Allow { patient, purpose, cap } => {
                let Some((patient, _)) = at(&desk.patients, patient) else { return Ok(()) };
                let new = NewConsent {
                    method: None,
                    purpose,
                    cap: Money::usd(cap),
                    text_version: "v3".to_owned(),
                    text_hash: "c0".repeat(32),
                    given_by: "web".to_owned(),
                    valid_for: std::time::Duration::from_secs(365 * 86_400),
                };
                answered(seat.engine.give_consent(&seat.caller, *patient, new).await)
            }
            FrontAct::Until { appointment, moment } => {
                let Some(known) = self.known(&seat, appointment).await? else { return Ok(()) };
                world.clock.reach(moment_of(&known, moment));
                Ok(())
            }
            of_the_day => self.on_the_day(&seat, desk, of_the_day).await,
        }
    }

    /// An appointment by its number: the latest is number 0.
    pub(super) fn number(&self, number: usize) -> Option<AppointmentId> {
        let last = self.appointments.len().checked_sub(1)?;
        self.appointments.get(last - number % self.appointments.len()).copied()
    }

    /// An appointment as known now.
    pub(super) async fn known(&self, seat: &Seat, number: usize) -> Result<Option<Appointment>, String> {
        let Some(id) = self.number(number) else { return Ok(None) };
        let known = seat.engine.appointment(seat.organization(), id).await;
        known.map(Some).map_err(|error| error.to_string())
    }

    /// Patients hear of slots that are held for them.
    async fn notice_offers(&mut self, seat: &Seat) -> Result<(), String> {
        for place in &self.places {
            let known = seat.engine.waiting(seat.organization(), *place).await;
            let offer = known.map_err(|error| error.to_string())?.appointment;
            if let Some(offer) = offer.filter(|offer| !self.appointments.contains(offer)) {
                self.appointments.push(offer);
            }
        }
        Ok(())
    }

    /// A half hour that lies ahead. The same number means the same half hour until it is close; the last number is more
    /// than a week ahead.
    fn half_hour(&mut self, now: Timestamp, slot: usize) -> Timestamp {
        if self.base_ms < now.millis() + 20 * MINUTE_MS {
            self.base_ms = (now.millis() / HALF_HOUR_MS + 3) * HALF_HOUR_MS;
        }
        let ahead = match slot {
            FAR => 8 * DAY_MS,
            near => i64::try_from(near).unwrap_or(0) * HALF_HOUR_MS,
        };
        Timestamp::from_millis(self.base_ms + ahead)
    }

    fn selection(&mut self, seat: &Seat, desk: &Desk, act: FrontAct) -> Option<Select> {
        let FrontAct::Select { patient, provider, visit, slot, emergency, .. } = act else { return None };
        let (patient, number) = *at(&desk.patients, patient)?;
        let checks: Vec<_> = desk.checks.iter().filter(|check| check.patient == patient).collect();
        let hybrid = self.practice.visits.get(visit % self.practice.visits.len())?;
        let is_hybrid = is_hybrid(hybrid);
        // Mostly the latest check; sometimes one that another appointment uses already.
        let check = if slot % 3 == 2 { checks.first() } else { checks.last() };
        Some(Select {
            patient,
            provider: *at(&self.practice.providers, provider)?,
            visit_type: hybrid.id,
            starts_at: self.half_hour(seat.now, slot),
            zone: None,
            eligibility: check.filter(|_| is_hybrid).map(|check| check.id),
            account: Some(person(number).account_id.clone()),
            emergency,
        })
    }

    async fn select(&mut self, seat: &Seat, desk: &Desk, act: FrontAct) -> Result<(), String> {
        let FrontAct::Select { patient, raced, .. } = act else { return Ok(()) };
        let Some(select) = self.selection(seat, desk, act) else { return Ok(()) };
        if !raced {
            let held = seat.engine.select_slot(&seat.caller, select).await;
            return self.selected(held);
        }
        let Some((rival, _)) = at(&desk.patients, patient + 1) else { return Ok(()) };
        let check = desk.checks.iter().rev().find(|check| check.patient == *rival);
        let eligibility = select.eligibility.and(check).map(|check| check.id);
        let theirs = Select { patient: *rival, eligibility, ..select.clone() };
        let (one, other) = tokio::join!(
            seat.engine.select_slot(&seat.caller, select),
            seat.other.select_slot(&seat.caller, theirs)
        );
        if one.is_ok() && other.is_ok() {
            return Err("V1: two patients hold one slot at two engines".to_owned());
        }
        self.selected(one)?;
        self.selected(other)
    }

    fn selected(&mut self, held: Result<Appointment, Error>) -> Result<(), String> {
        if let Ok(held) = &held {
            self.appointments.push(held.id);
            self.accepted.entry(held.id).or_default().selected = true;
        }
        answered(held)
    }

    async fn pay(
        &self,
        seat: &Seat,
        appointment: usize,
        card: Option<&'static str>,
        twice: bool,
    ) -> Result<(), String> {
        let Some(id) = self.number(appointment) else { return Ok(()) };
        let pay = |engine: Engine| async move {
            let how = PayVisit {
                method: card.map(ToOwned::to_owned),
                off_session: card.is_none(),
                ..PayVisit::default()
            };
            engine.pay_appointment(&seat.caller, id, how).await
        };
        if !twice {
            return answered(pay(seat.engine.clone()).await);
        }
        let (one, other) = tokio::join!(pay(seat.engine.clone()), pay(seat.other.clone()));
        answered(one)?;
        answered(other)
    }

    /// The patient finishes, or fails, the bank's check in the browser.
    async fn check(&self, world: &World, seat: &Seat, number: usize, passed: bool) -> Result<(), String> {
        let Some(known) = self.known(seat, number).await? else { return Ok(()) };
        let outcome = if passed { "success" } else { "fail" };
        for id in known.payments.keys().filter_map(|id| PaymentId::parse(id).ok()) {
            let payment = seat.engine.payment(seat.organization(), id).await;
            let payment = payment.map_err(|error| error.to_string())?;
            let Some(intent) = payment.intent.as_ref() else { continue };
            if payment.status() == payment::Status::RequiresAction {
                let body = json!({ "payment_intent": intent, "outcome": outcome });
                // Refused by Stripe: then it did not happen.
                let _said = world.outside.at_stripe("complete_3ds", &body);
            }
        }
        Ok(())
    }

    async fn cancel(&mut self, seat: &Seat, number: usize, by: Party, waived: bool) -> Result<(), String> {
        let Some(id) = self.number(number) else { return Ok(()) };
        let waived_by = waived.then(|| "manager".to_owned());
        let ending = Ending { by, reason: "changed_mind".to_owned(), waived_by };
        let ended = seat.engine.cancel_appointment(&seat.caller, id, ending).await;
        if ended.is_ok() {
            self.accepted.entry(id).or_default().ended = Some(Status::Canceled.name());
        }
        answered(ended)
    }

    async fn shift(&mut self, seat: &Seat, number: usize, slot: usize, by: Party) -> Result<(), String> {
        let Some(id) = self.number(number) else { return Ok(()) };
        let starts_at = self.half_hour(seat.now, slot);
        let to = Move { starts_at, by, reason: "other_time".to_owned() };
        let moved = seat.engine.move_appointment(&seat.caller, id, to).await;
        if moved.is_ok() {
            self.accepted.entry(id).or_default().moved_to = Some(starts_at);
        }
        answered(moved)
    }

    async fn wait(
        &mut self,
        seat: &Seat,
        desk: &Desk,
        (patient, visit, provider): (usize, usize, Option<usize>),
    ) -> Result<(), String> {
        let Some((patient, _)) = at(&desk.patients, patient).copied() else { return Ok(()) };
        let Some(visit) = at(&self.practice.visits, visit) else { return Ok(()) };
        let provider = provider.and_then(|provider| at(&self.practice.providers, provider).copied());
        let until = Timestamp::from_millis(seat.now.millis() + DAY_MS);
        let (visit_type, from) = (visit.id, seat.now);
        let zone = "America/Chicago".to_owned();
        let wish = Wish { patient, visit_type, provider, from, until, zone };
        let place = seat.engine.join_waiting_list(&seat.caller, wish).await;
        self.places.extend(place.as_ref().ok().map(|place| place.id));
        answered(place)
    }
}

/// The slot of this number is more than a week ahead: longer than a bank keeps a reservation.
pub(super) const FAR: usize = 9;

fn is_hybrid(visit: &VisitType) -> bool {
    visit.timing.as_ref().is_some_and(|choice| choice.timing == suture_core::visit::Timing::Hybrid)
}

fn moment_of(known: &Appointment, moment: Moment) -> i64 {
    let (begins, held_until) = (known.context.starts_at.millis(), known.held_until.millis());
    let minutes = i64::from(known.terms.charge_before_minutes.unwrap_or(10));
    match moment {
        Moment::LastSecondOfHold => held_until - 1_000,
        Moment::HoldOver => held_until + 1_000,
        Moment::ChargeBefore => begins - minutes * MINUTE_MS,
        Moment::DeadlineOver => known.risk.as_ref().map_or(0, |(deadline, _)| deadline.millis() + 1_000),
        Moment::Begin => begins,
        Moment::DayAfter => known.ends_at.millis() + DAY_MS,
    }
}
