//! Playing the acts of patient billing: patients, cards, consents, checks and estimate charges. Services are in
//! [`super::care`].
//!
//! Called by [`super::Player`]. A refusal is an answer like any other, so any act may come at any time.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use suture_core::consent::Purpose;
use suture_core::eligibility::{Answer, Eligibility, Responsibility};
use suture_core::estimate::Estimate;
use suture_core::id::PatientId;
use suture_core::money::Money;
use suture_core::patient::{Command, Patient};
use suture_core::service::Service;
use suture_core::time::Timestamp;
use suture_engine::billing::{Authorize, NewConsent, NewEligibility, NewEstimate, NewPatient, NewService};
use suture_engine::{Caller, Engine, Error};

use super::acts::{Act, CardFate};
use super::play::answered;
use crate::world::{World, person};

/// The first person who is a patient of the desk: earlier ones have the visits of a schedule.
const FIRST_PERSON: usize = 10;
const DAY_MS: i64 = 86_400_000;

/// What the desk has in its files.
#[derive(Default)]
pub(super) struct Desk {
    pub(super) patients: Vec<(PatientId, usize)>,
    pub(super) checks: Vec<Eligibility>,
    estimates: Vec<Estimate>,
    pub(super) services: Vec<Service>,
    /// Counts claims, rulings and the like, which need names of their own.
    pub(super) count: usize,
}

/// At which engine somebody acts, and as whom.
pub(super) struct Seat {
    pub(super) engine: Engine,
    /// Another engine, for races.
    pub(super) other: Engine,
    pub(super) caller: Caller,
    /// Now.
    pub(super) now: Timestamp,
}

impl Seat {
    pub(super) fn organization(&self) -> &str {
        &self.caller.organization
    }
}

impl Desk {
    /// Plays one act at an engine.
    ///
    /// # Errors
    /// A sentence when something failed that no fault explains.
    pub(super) async fn act(&mut self, world: &World, node: usize, act: Act) -> Result<(), String> {
        self.count += 1;
        let seat = Seat {
            engine: world.engine(node).clone(),
            other: world.engine(node + 1).clone(),
            caller: world.caller(),
            now: world.clock.now(),
        };
        match act {
            Act::Admit { person } => self.admit(world, &seat, person).await,
            Act::StoreCard { patient, card } => self.store_card(world, &seat, patient, card).await,
            Act::Spoil { patient, fate } => self.spoil(world, &seat, patient, fate).await,
            Act::Consent { patient, balance, cap } => self.consent(&seat, patient, balance, cap).await,
            Act::Withdraw { patient } => self.withdraw(&seat, patient).await,
            Act::Check { patient, minor } => self.check(&seat, patient, minor).await,
            Act::Estimate { check, days } => self.estimate(&seat, check, days).await,
            Act::Book { check, days } => self.book(&seat, check, days).await,
            Act::Authorize { .. }
            | Act::CaptureEstimate { .. }
            | Act::CancelEstimate { .. }
            | Act::RefundEstimate { .. }
            | Act::ChangeEstimate { .. } => self.on_estimate(&seat, act).await,
            Act::NextRefund(outcome) => {
                let body = json!({ "outcome": outcome, "seconds": 60 });
                world.outside.at_stripe("refunds", &body).map(|_| ())
            }
            of_service => self.serve(&seat, of_service).await,
        }
    }

    async fn admit(&mut self, world: &World, seat: &Seat, number: usize) -> Result<(), String> {
        let number = FIRST_PERSON + number;
        let new = NewPatient {
            external: BTreeMap::from([("epic".to_owned(), person(number).id.clone())]),
            personal: Vec::new(),
            customer_at: vec![world.stripe.clone()],
        };
        let made = seat.engine.create_patient(&seat.caller, new).await;
        self.patients.extend(made.as_ref().ok().map(|patient| (patient.id, number)));
        answered(made)
    }

    async fn store_card(&self, world: &World, seat: &Seat, patient: usize, card: &str) -> Result<(), String> {
        let Some((patient, _)) = at(&self.patients, patient) else { return Ok(()) };
        let key = self.count.to_string();
        match seat.engine.start_setup(&seat.caller, *patient, &world.stripe, &key).await {
            Ok(started) => {
                let body = json!({ "setup_intent": started.setup, "payment_method": card });
                // What Stripe refuses in the browser did not happen.
                let _said = world.outside.at_stripe("browser_setup", &body);
                Ok(())
            }
            refused => answered(refused),
        }
    }

    async fn spoil(&self, world: &World, seat: &Seat, patient: usize, fate: CardFate) -> Result<(), String> {
        let Some(patient) = self.patient(seat, patient).await? else { return Ok(()) };
        let Some(method) = patient.methods.keys().next_back().cloned() else { return Ok(()) };
        let (verb, body) = match fate {
            CardFate::TakenOff => {
                return answered(seat.engine.remove_method(&seat.caller, patient.id, &method).await);
            }
            CardFate::Expires => {
                ("card", json!({ "payment_method": method, "exp_month": 1, "exp_year": 2020 }))
            }
            CardFate::Refused => ("card", json!({ "payment_method": method, "state": "lost" })),
            CardFate::Replaced => ("replace_card", json!({ "payment_method": method })),
            CardFate::RemovedAtStripe => ("remove_card", json!({ "payment_method": method })),
        };
        // Refused by Stripe: then it did not happen.
        let _said = world.outside.at_stripe(verb, &body);
        Ok(())
    }

    async fn consent(&self, seat: &Seat, patient: usize, balance: bool, cap: i64) -> Result<(), String> {
        let Some((patient, _)) = at(&self.patients, patient) else { return Ok(()) };
        let new = NewConsent {
            method: None,
            purpose: if balance { Purpose::BalanceAfterInsurance } else { Purpose::Estimate },
            cap: Money::usd(cap),
            text_version: "v3".to_owned(),
            text_hash: "c0".repeat(32),
            given_by: "web".to_owned(),
            valid_for: Duration::from_secs(365 * 86_400),
        };
        answered(seat.engine.give_consent(&seat.caller, *patient, new).await)
    }

    async fn withdraw(&self, seat: &Seat, patient: usize) -> Result<(), String> {
        let Some(patient) = self.patient(seat, patient).await? else { return Ok(()) };
        let Some(consent) = patient.consents.last().map(|consent| consent.id) else { return Ok(()) };
        let command = Command::Withdraw { consent };
        answered(seat.engine.change_patient(&seat.caller, patient.id, command, "consent_withdrawn").await)
    }

    async fn check(&mut self, seat: &Seat, patient: usize, minor: i64) -> Result<(), String> {
        let Some((patient, number)) = at(&self.patients, patient) else { return Ok(()) };
        let new = NewEligibility {
            patient: *patient,
            policy: None,
            service_types: vec!["98".to_owned()],
            account: Some(person(*number).account_id.clone()),
            appointment: None,
        };
        let asked = match seat.engine.create_eligibility(&seat.caller, new).await {
            Ok(asked) => asked,
            refused => return answered(refused),
        };
        let answer = Answer::Covered { responsibility: copay(minor) };
        let told = seat.engine.answer_eligibility(&seat.caller, asked.id, answer, "front desk").await;
        self.checks.extend(told.as_ref().ok().cloned());
        answered(told)
    }

    async fn estimate(&mut self, seat: &Seat, check: usize, days: i64) -> Result<(), String> {
        let Some(check) = at(&self.checks, check) else { return Ok(()) };
        let service_at = in_days(seat, days);
        let new = NewEstimate { eligibility: check.id, patient: check.patient, instead: None, service_at };
        let made = seat.engine.create_estimate(&seat.caller, new).await;
        self.estimates.extend(made.as_ref().ok().cloned());
        answered(made)
    }

    async fn book(&mut self, seat: &Seat, check: usize, days: i64) -> Result<(), String> {
        let Some(check) = at(&self.checks, check) else { return Ok(()) };
        let new = NewService {
            patient: check.patient,
            eligibility: Some(check.id),
            at: in_days(seat, days),
            currency: Money::usd(0).currency,
            account: None,
        };
        let made = seat.engine.create_service(&seat.caller, new).await;
        self.services.extend(made.as_ref().ok().cloned());
        answered(made)
    }

    async fn on_estimate(&self, seat: &Seat, act: Act) -> Result<(), String> {
        let (Seat { engine, caller, .. }, estimates) = (seat, &self.estimates);
        match act {
            Act::Authorize { estimate, card } => {
                let Some(estimate) = at(estimates, estimate) else { return Ok(()) };
                answered(engine.authorize_estimate(caller, estimate.id, how(card)).await)
            }
            Act::CaptureEstimate { estimate, percent } => {
                let Some(estimate) = at(estimates, estimate) else { return Ok(()) };
                let amount = (percent < 100).then(|| part(estimate.amount.minor, percent));
                answered(engine.capture_estimate(caller, estimate.id, amount).await)
            }
            Act::CancelEstimate { estimate } => {
                let Some(estimate) = at(estimates, estimate) else { return Ok(()) };
                answered(engine.cancel_estimate(caller, estimate.id).await)
            }
            Act::RefundEstimate { estimate, percent } => {
                let Some(estimate) = at(estimates, estimate) else { return Ok(()) };
                let amount = (percent < 100).then(|| part(estimate.amount.minor, percent));
                let why = ("visit_cancelled", "manager");
                answered(engine.refund_estimate(caller, estimate.id, amount, why).await)
            }
            Act::ChangeEstimate { estimate, minor } => {
                let Some(estimate) = at(estimates, estimate) else { return Ok(()) };
                let change = (Money::usd(minor), "desk", "plan_changed");
                answered(engine.change_estimate(caller, estimate.id, change).await)
            }
            _ => Ok(()),
        }
    }

    async fn patient(&self, seat: &Seat, number: usize) -> Result<Option<Patient>, String> {
        let Some((patient, _)) = at(&self.patients, number) else { return Ok(None) };
        match seat.engine.patient(seat.organization(), *patient).await {
            Ok(patient) => Ok(Some(patient)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// One of several; numbers wrap around what there is.
pub(super) fn at<T>(all: &[T], number: usize) -> Option<&T> {
    all.get(number.checked_rem(all.len())?)
}

/// How to charge: with a card while the patient is there, or off session.
pub(super) fn how(card: Option<&'static str>) -> Authorize {
    Authorize { method: card.map(ToOwned::to_owned), off_session: card.is_none(), ..Authorize::default() }
}

/// Hundredths of an amount, one cent at least.
pub(super) fn part(minor: i64, percent: i64) -> Money {
    Money::usd((minor * percent / 100).max(1))
}

fn in_days(seat: &Seat, days: i64) -> Option<Timestamp> {
    (days > 0).then(|| Timestamp::from_millis(seat.now.millis() + days * DAY_MS))
}

fn copay(minor: i64) -> Responsibility {
    let zero = Money::usd(0);
    Responsibility {
        total: Money::usd(minor),
        copay: Money::usd(minor),
        coinsurance: zero,
        deductible: zero,
        not_covered: zero,
        out_of_pocket_left: None,
        low: Money::usd(minor),
        high: Money::usd(minor),
        notes: Vec::new(),
        conditions: Vec::new(),
        limits: Vec::new(),
    }
}
