//! Use cases of estimate charges: make, authorize, capture, cancel, refund, and the manager of authorizations' lives.

use serde::{Deserialize, Serialize};
use suture_core::consent::{Intended, Purpose as Consented};
use suture_core::debt::{self, Debt};
use suture_core::eligibility::{Eligibility, Status as Checked};
use suture_core::estimate::{self, Command, Estimate, Override, Status, authorize_at, life_of};
use suture_core::explain::{Actor, Reason};
use suture_core::id::{DebtId, EligibilityId, EstimateId, PatientId, PaymentId};
use suture_core::money::Money;
use suture_core::patient::{self, Patient};
use suture_core::payment::{self, Opening, Payment, Purpose, Source};
use suture_core::refund::Refund;
use suture_core::refusal::Refusal;
use suture_core::service::{self, Service};
use suture_core::time::Timestamp;
use suture_store::effects::{self, NewEffect, State};

use crate::Error;
use crate::change::{Change, Loaded};
use crate::engine::Engine;
use crate::facts::Origin;
use crate::job::Job;
use crate::payments::{AttemptOptions, Caller, Taken, plan_attempt, plan_command, start_payment};
use crate::worker::{After, Working};

use super::eligibilities::care;
use super::patients::{decide_patient, method_on_file};

/// An estimate charge to make.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewEstimate {
    /// The check whose amount it inherits.
    pub eligibility: EligibilityId,
    /// The patient; must be the check's.
    pub patient: PatientId,
    /// Another amount than the check's, with who set it and why.
    pub instead: Option<(Money, String, String)>,
    /// When the service is.
    pub service_at: Option<Timestamp>,
}

/// How to authorize an estimate charge.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Authorize {
    /// The connection; the only gateway when absent.
    pub connection: Option<String>,
    /// The gateway's method; without one the payer gives it in the browser, or the one on file is used off session.
    pub method: Option<String>,
    /// The payer is not present: needs a consent.
    pub off_session: bool,
    /// Where the payer's browser returns after an action.
    pub return_url: Option<String>,
}

impl Engine {
    /// Makes an estimate charge with the amount of its eligibility check.
    ///
    /// # Errors
    /// [`Error::Refused`] when the check has no amount yet, or is another patient's.
    pub async fn create_estimate(&self, caller: &Caller, new: NewEstimate) -> Result<Estimate, Error> {
        let order = self.order_of(caller, Reason::of("estimate_made"));
        self.apply(&new.eligibility.to_string(), order, move |change| create(change, &new)).await
    }

    /// An estimate charge as known now.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn estimate(&self, organization: &str, id: EstimateId) -> Result<Estimate, Error> {
        self.state::<Estimate>(organization, &id.to_string()).await
    }

    /// Authorizes an estimate charge: a new attempt of a new payment, or the next attempt of the one that waits for a
    /// method. Waits for the gateway's answer for a while.
    ///
    /// # Errors
    /// [`Error::Refused`] while an attempt is open, or without consent when the payer is not present.
    pub async fn authorize_estimate(
        &self,
        caller: &Caller,
        id: EstimateId,
        how: Authorize,
    ) -> Result<(Estimate, Taken), Error> {
        let connection = self.gateway_for(&caller.organization, how.connection.as_deref())?;
        let open = self.connection(&connection)?;
        let origin = self.origin(&open, Source::Fetched, self.now());
        let order = self.order_of(caller, Reason::of("estimate_authorized"));
        let work = move |change: &mut Change<'_, '_>| authorize(change, id, &how, &origin);
        let ((payment, effect), held) =
            self.apply_in(&id.to_string(), order, self.0.slots.slot(), work).await?;
        let waiting = self.wait_for(&effect);
        self.hand_over(held);
        self.patience(waiting).await;
        let taken = self.taken(&caller.organization, payment).await?;
        Ok((self.estimate(&caller.organization, id).await?, taken))
    }

    /// Captures an estimate charge; `None`: all that is authorized. Capturing less releases the rest.
    ///
    /// # Errors
    /// [`Error::Refused`], for example after the authorization lapsed.
    pub async fn capture_estimate(
        &self,
        caller: &Caller,
        id: EstimateId,
        amount: Option<Money>,
    ) -> Result<Estimate, Error> {
        let payment = self.payment_of(caller, id, "Nothing was captured.").await?;
        self.capture_payment(caller, payment, amount).await?;
        self.estimate(&caller.organization, id).await
    }

    /// Releases an authorization, or gives an estimate charge up that nothing reserves.
    ///
    /// # Errors
    /// [`Error::Refused`] once the money is taken.
    pub async fn cancel_estimate(&self, caller: &Caller, id: EstimateId) -> Result<Estimate, Error> {
        let state = self.estimate(&caller.organization, id).await?;
        let nothing_reserved = matches!(state.standing.status, Status::AuthorizationFailed | Status::Expired)
            || state.payments.is_empty();
        if let Some(payment) = state.payment()
            && state.standing.status != Status::Expired
        {
            self.cancel_payment(caller, payment).await?;
        }
        if nothing_reserved && state.payments.is_empty() || state.standing.status == Status::Expired {
            let order = self.order_of(caller, Reason::of("estimate_canceled"));
            self.apply(&id.to_string(), order, move |change| {
                decide(change, id, &Command::Abandon).map(|_| ())
            })
            .await?;
        }
        self.estimate(&caller.organization, id).await
    }

    /// Refunds a captured estimate charge, with reason and authorizer.
    ///
    /// # Errors
    /// [`Error::Refused`] beyond what can still be refunded.
    pub async fn refund_estimate(
        &self,
        caller: &Caller,
        id: EstimateId,
        amount: Option<Money>,
        why: (&str, &str),
    ) -> Result<Refund, Error> {
        let payment = self.payment_of(caller, id, "Nothing was refunded.").await?;
        self.refund_payment(caller, payment, amount, why).await
    }

    /// Changes the amount. What is authorized for the old amount is released; authorize again (FLOWS 4d).
    ///
    /// # Errors
    /// [`Error::Refused`] once the money is taken.
    pub async fn change_estimate(
        &self,
        caller: &Caller,
        id: EstimateId,
        (amount, by, reason): (Money, &str, &str),
    ) -> Result<Estimate, Error> {
        let overridden =
            Some(Override { by: by.to_owned(), reason: Reason::parse(reason)?.as_str().to_owned() });
        let order = self.order_of(caller, Reason::of("estimate_changed"));
        let origin = self.any_origin(&caller.organization);
        let work = move |change: &mut Change<'_, '_>| {
            change_amount(change, id, (amount, overridden.clone()), &origin)
        };
        let (effect, held) = self.apply_in(&id.to_string(), order, self.0.slots.slot(), work).await?;
        let waiting = effect.map(|effect| self.wait_for(&effect));
        self.hand_over(held);
        if let Some(waiting) = waiting {
            self.patience(waiting).await;
        }
        self.estimate(&caller.organization, id).await
    }

    async fn payment_of(&self, caller: &Caller, id: EstimateId, what: &str) -> Result<PaymentId, Error> {
        let state = self.estimate(&caller.organization, id).await?;
        state.payment().ok_or_else(|| {
            Error::Refused(Refusal::state(
                "not_allowed_now",
                format!("{what} The estimate charge is pending: authorize it first."),
            ))
        })
    }

    /// Authorizes at the planned time, off session with the method on file and its consent.
    pub(crate) async fn authorize_planned(
        &self,
        working: &Working,
        id: EstimateId,
        number: u32,
    ) -> Result<After, Error> {
        let organization = working.effect.organization.clone();
        let state = self.estimate(&organization, id).await?;
        if !state.may_attempt() || state.payments.len() >= usize::try_from(number).unwrap_or(usize::MAX) {
            return self.finish(working, "not needed any more").await;
        }
        let caller = Caller { organization, actor: Actor::System("billing".to_owned()) };
        let how = Authorize { off_session: true, ..Authorize::default() };
        match self.authorize_estimate(&caller, id, how).await {
            Ok(_) => self.finish(working, "authorized as planned").await,
            // Without card or consent the patient must act (FLOWS 4a).
            Err(Error::Refused(refusal)) => Ok(After::Parked { error: refusal.detail }),
            Err(error) => Err(error),
        }
    }

    /// Captures on the day of the service.
    pub(crate) async fn capture_planned(&self, working: &Working, id: EstimateId) -> Result<After, Error> {
        let organization = working.effect.organization.clone();
        let state = self.estimate(&organization, id).await?;
        if state.standing.status != Status::Authorized {
            return self.finish(working, "not authorized; nothing to capture").await;
        }
        let actor = Actor::System("billing".to_owned());
        match self.capture_estimate(&Caller { organization, actor }, id, None).await {
            Ok(_) => self.finish(working, "captured on the day of the service").await,
            Err(Error::Refused(refusal)) => Ok(After::Parked { error: refusal.detail }),
            Err(error) => Err(error),
        }
    }
}

fn create(change: &mut Change<'_, '_>, new: &NewEstimate) -> Result<Estimate, Error> {
    let (_, check) = change.existing::<Eligibility>(&new.eligibility.to_string())?;
    if check.patient != new.patient {
        return Err(Error::Refused(Refusal::invalid(
            "eligibility_of_another_patient",
            "No estimate charge was made: the eligibility check belongs to another patient.",
        )));
    }
    let share = check.responsibility.as_ref().filter(|_| check.status == Checked::Eligible);
    let instead = match &new.instead {
        Some((amount, by, reason)) => {
            let reason = Reason::parse(reason)?.as_str().to_owned();
            Some((*amount, Override { by: by.clone(), reason }))
        }
        None => None,
    };
    let expected = match (share, &instead) {
        (Some(share), _) => share.total,
        // Self-pay, or a payer that does not answer: a person sets the amount and is recorded.
        (None, Some((amount, _))) if !check.status.is_waiting() => Money::zero(amount.currency),
        (None, _) => {
            return Err(Error::Refused(Refusal::state(
                "eligibility_not_answered",
                format!(
                    "No estimate charge was made: the eligibility check is {}, and has no amount yet.",
                    check.status.name()
                ),
            )));
        }
    };
    let (id, debt) = (EstimateId::mint(change.mint()), DebtId::mint(change.mint()));
    let command = Command::Create {
        estimate: id,
        eligibility: check.id,
        patient: check.patient,
        link: check.link.clone(),
        debt,
        expected,
        instead,
        service_at: new.service_at,
    };
    let events = estimate::decide(None, &command)?;
    let care = care(change, &check.link)?;
    let mut loaded = Loaded::<Estimate>::fresh(id.to_string());
    change.record_all(&mut loaded, &events, &care)?;
    let Some(state) = loaded.state else { return Err(Error::not_found("estimate", &id.to_string())) };
    let record = debt::Command::Record {
        debt,
        care: care.clone(),
        link: check.link,
        purpose: Purpose::Deposit,
        owed: state.amount,
        owner: Some(id.to_string()),
    };
    let mut stream = Loaded::<Debt>::fresh(debt.to_string());
    change.record_all(&mut stream, &debt::decide(None, &record)?, &care)?;
    super::eligibilities::add_estimate(change, state.eligibility, id)?;
    plan_authorization(change, &state)?;
    Ok(state)
}

/// Plans the authorization so that it still stands at the service; nothing without a known time.
fn plan_authorization(change: &mut Change<'_, '_>, state: &Estimate) -> Result<(), Error> {
    let Some(service_at) = state.service_at else { return Ok(()) };
    let at = authorize_at(service_at, life_of(None, true), change.order.now);
    let number = u32::try_from(state.payments.len()).unwrap_or(u32::MAX).saturating_add(1);
    // The first authorization is made with the patient present; only what would lapse before the service is planned.
    if number == 1 && at <= change.order.now {
        return Ok(());
    }
    decide(change, state.id, &Command::PlanAuthorization { at })?;
    let job = Job::AuthorizeEstimate { estimate: state.id, number };
    change.effect(NewEffect {
        id: format!("{}/authorize/{number}", state.id),
        kind: job.kind(),
        lane: None,
        destination: "billing".to_owned(),
        stream: Some(state.id.to_string()),
        due_at: at,
        payload: job.payload(),
    })
}

/// Plans what follows when an authorization lapsed: another one, a day before the service.
pub(super) fn after_lapse(change: &mut Change<'_, '_>, id: EstimateId) -> Result<(), Error> {
    let (_, state) = change.existing::<Estimate>(&id.to_string())?;
    let ahead = state.service_at.is_some_and(|at| at > change.order.now);
    match state.standing.status {
        Status::Expired if ahead => plan_authorization(change, &state),
        _ => Ok(()),
    }
}

/// Decides a command on an estimate charge and saves it.
pub(super) fn decide(
    change: &mut Change<'_, '_>,
    id: EstimateId,
    command: &Command,
) -> Result<Estimate, Error> {
    let (mut loaded, state) = change.existing::<Estimate>(&id.to_string())?;
    let events = estimate::decide(Some(&state), command)?;
    let care = care(change, &state.link)?;
    change.record_all(&mut loaded, &events, &care)?;
    Ok(loaded.state.unwrap_or(state))
}

/// Changes the amount and plans the release of the old hold with it: a hold of an amount that nobody owes must not outlive
/// a crash. Returns the effect that releases.
fn change_amount(
    change: &mut Change<'_, '_>,
    id: EstimateId,
    (amount, overridden): (Money, Option<Override>),
    origin: &Origin,
) -> Result<Option<String>, Error> {
    refuse_while_capturing(change, id)?;
    let (_, before) = change.existing::<Estimate>(&id.to_string())?;
    let state = decide(change, id, &Command::Change { amount, overridden })?;
    if state.amount == before.amount {
        return Ok(None);
    }
    let (mut loaded, debt) = change.existing::<Debt>(&state.debt.to_string())?;
    let events = debt::decide(Some(&debt), &debt::Command::Adjust { owed: amount })?;
    change.record_all(&mut loaded, &events, &debt.care)?;
    let holds = matches!(state.standing.status, Status::Authorized | Status::CaptureFailed);
    match state.payment().filter(|_| holds) {
        Some(payment) => plan_command(change, payment, &payment::Command::Cancel, origin),
        None => Ok(None),
    }
}

/// A capture that is on its way takes the old amount.
fn refuse_while_capturing(change: &mut Change<'_, '_>, id: EstimateId) -> Result<(), Error> {
    let (_, state) = change.existing::<Estimate>(&id.to_string())?;
    let Some(payment) = state.payment() else { return Ok(()) };
    let (_, payment) = change.existing::<Payment>(&payment.to_string())?;
    match payment.capturing {
        None => Ok(()),
        Some(_) => Err(Error::Refused(Refusal::state(
            "capture_in_progress",
            "The amount was not changed: a capture is on its way. If it succeeds, a difference is settled with the \
             invoice.",
        ))),
    }
}

/// Begins an attempt: the next one of the payment that waits for a method, or the first of a new payment.
fn authorize(
    change: &mut Change<'_, '_>,
    id: EstimateId,
    how: &Authorize,
    origin: &Origin,
) -> Result<(PaymentId, String), Error> {
    let (_, state) = change.existing::<Estimate>(&id.to_string())?;
    let (_, patient) = change.existing::<Patient>(&state.patient.to_string())?;
    let on_file = || method_on_file(&patient, &origin.connection, change.order.now);
    let method = how.method.clone().or_else(|| if how.off_session { on_file() } else { None });
    let options = AttemptOptions {
        method: method.clone(),
        save_method: false,
        off_session: how.off_session,
        return_url: how.return_url.clone(),
    };
    refuse_canceled_service(change, &state)?;
    let waiting = waiting_payment(change, &state)?;
    let payment = waiting.unwrap_or_else(|| PaymentId::mint(change.mint()));
    if how.off_session {
        charge_under_consent(change, &state, payment, method)?;
    }
    if let Some(waiting) = waiting {
        let (mut loaded, _) = change.existing::<Payment>(&waiting.to_string())?;
        let effect = plan_attempt(change, &mut loaded, options, origin)?;
        return Ok((waiting, effect));
    }
    decide(change, id, &Command::Attempt { payment })?;
    let opening = Opening {
        payment,
        debt: Some(state.debt),
        connection: origin.connection.clone(),
        gateway: origin.gateway.clone(),
        link: Some(state.link.clone()),
        purpose: Some(Purpose::Deposit),
        care: care(change, &state.link)?,
        amount: state.amount,
        manual_capture: true,
        customer: patient.customers.get(&origin.connection).cloned(),
        confirmed_by: None,
    };
    start_payment(change, opening, options, origin)
}

fn refuse_canceled_service(change: &mut Change<'_, '_>, state: &Estimate) -> Result<(), Error> {
    let Some(service) = state.service else { return Ok(()) };
    let (_, service) = change.existing::<Service>(&service.to_string())?;
    match service.status {
        service::Status::Canceled => Err(Error::Refused(Refusal::state(
            "service_canceled",
            "Nothing was authorized: the service of this estimate charge was cancelled.",
        ))),
        _ => Ok(()),
    }
}

/// Every attempt without the payer needs a method on file and a consent of its own, also when its payment waited for a
/// method: what was allowed before may be used up or withdrawn.
fn charge_under_consent(
    change: &mut Change<'_, '_>,
    state: &Estimate,
    payment: PaymentId,
    method: Option<String>,
) -> Result<(), Error> {
    let method = method.ok_or_else(|| {
        Refusal::state(
            "method_missing",
            "Nothing was authorized: the patient has no working method on file at this gateway.",
        )
    })?;
    decide_patient(change, state.patient, &patient::Command::Return { payment })?;
    let charge = Intended { method, purpose: Consented::Estimate, amount: state.amount };
    decide_patient(change, state.patient, &patient::Command::Charge { payment, charge }).map(|_| ())
}

/// The payment that only waits for another method: the same charge goes on with its next attempt.
fn waiting_payment(change: &mut Change<'_, '_>, state: &Estimate) -> Result<Option<PaymentId>, Error> {
    let Some(id) = state.payment() else { return Ok(None) };
    let (_, payment) = change.existing::<Payment>(&id.to_string())?;
    let waits = payment.status() == payment::Status::RequiresMethod && payment.amount == state.amount;
    Ok(waits.then_some(id))
}

/// Ends the effect of a planned step.
pub(crate) fn finish(
    change: &mut Change<'_, '_>,
    lease: &effects::Lease,
    note: Option<&str>,
) -> Result<(), Error> {
    effects::finish(change.tx, lease, State::Done, note, change.order.now).map_err(Error::from)
}
