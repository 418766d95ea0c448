//! What the holder of a link may see and do: look at a booking, move or cancel it, take an offer, pay what is due.
//!
//! The link is the only proof, so that every answer stays within what its owner knows: the visit, its provider and its
//! money. What must stay true: a link that serves once is written down in the transaction of what it does; one that leads
//! to a payment is written down when nothing is due any more, so that a declined card leaves the way open.

use std::time::Duration;

use suture_core::appointment::{Appointment, Command, Party, Status};
use suture_core::explain::{Actor, Reason};
use suture_core::id::{AppointmentId, ProviderId, ServiceId};
use suture_core::money::Money;
use suture_core::pass::{Pass, Purpose, used};
use suture_core::patient::{Method, Patient};
use suture_core::refusal::Refusal;
use suture_core::time::Timestamp;
use suture_core::visit::{Occasion, Verdict};
use suture_store::passes;

use crate::Error;
use crate::billing::{self, Authorize};
use crate::change::Change;
use crate::engine::Engine;
use crate::notices::redeem;
use crate::payments::{Caller, Taken};

use super::deposits::PayVisit;
use super::moving::Move;
use super::reading::due;
use super::{ending, holds};

/// Why a patient cancels or moves, when the patient does not say.
const BY_PATIENT: &str = "patient_request";
/// The door of a visit by video opens so long before it, and closes so long after its end.
const EARLY: Duration = Duration::from_secs(15 * 60);
const LATE: Duration = Duration::from_secs(60 * 60);

/// A booking as the holder of its link sees it.
#[derive(Debug, Clone)]
pub struct LinkedVisit {
    /// The appointment.
    pub appointment: Appointment,
    /// The provider's name.
    pub provider: String,
    /// The clinic's name.
    pub clinic: String,
    /// What the visit is called.
    pub visit_type: String,
    /// Whether it is by video.
    pub video: bool,
    /// What is due now.
    pub due: Option<Money>,
    /// Until when it must be paid, or taken.
    pub deadline: Option<Timestamp>,
    /// What cancelling costs now; `None` when it cannot be cancelled.
    pub cancel: Option<Verdict>,
    /// The patient's method on file that works at the gateway.
    pub saved: Option<Method>,
}

/// The balance of a visit that took place, as the holder of its link sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedBalance {
    /// The service.
    pub service: ServiceId,
    /// What is due now; `None`: nothing, or a payment is on its way.
    pub due: Option<Money>,
    /// The patient's method on file that works at the gateway.
    pub saved: Option<Method>,
}

/// What a link to a payment leads to.
#[derive(Debug, Clone)]
pub enum Checkout {
    /// A deposit, or what is due before the visit.
    Visit(Box<LinkedVisit>),
    /// The balance after it.
    Balance(LinkedBalance),
}

/// How the holder of a link pays.
#[derive(Debug, Clone, Default)]
pub struct PayByLink {
    /// The gateway's method, made in the browser; without one the browser asks for it.
    pub method: Option<String>,
    /// Pay with the method on file.
    pub use_saved: bool,
    /// Keep the method for later.
    pub save_method: bool,
    /// Where the browser returns, on our own address.
    pub return_url: Option<String>,
}

/// The door of a visit by video.
#[derive(Debug, Clone)]
pub struct Door {
    /// The visit.
    pub visit: LinkedVisit,
    /// When it opens.
    pub opens_at: Timestamp,
    /// When it closes.
    pub closes_at: Timestamp,
    /// The room's name, while the door is open.
    pub room: Option<String>,
}

impl Engine {
    /// What a link of a booking leads to.
    ///
    /// # Errors
    /// [`Error::Refused`]: `link_forged`, `link_expired`, `link_used`.
    pub async fn linked_visit(&self, token: &str, purpose: Purpose) -> Result<LinkedVisit, Error> {
        let (caller, id) = self.appointment_of(token, purpose).await?;
        self.look(&caller, id).await
    }

    /// What a link to a payment leads to. One whose debt is paid is used.
    ///
    /// # Errors
    /// [`Error::Refused`]: `link_forged`, `link_expired`, `link_used`.
    pub async fn checkout(&self, token: &str) -> Result<Checkout, Error> {
        let pass = self.open_pass(token, Purpose::ReturnToCheckout).await?;
        let caller = caller_of(&pass);
        if let Ok(id) = AppointmentId::parse(&pass.subject) {
            return Ok(Checkout::Visit(Box::new(self.look(&caller, id).await?)));
        }
        let service = ServiceId::parse(&pass.subject).map_err(|_| nothing_there(&pass))?;
        let state = self.service(&caller.organization, service).await?;
        self.log_access(&caller, "read", &state.patient.to_string(), &format!("service/{service}"), "link")
            .await?;
        let patient = self.state::<Patient>(&caller.organization, &state.patient.to_string()).await?;
        let saved = self.saved_method(&caller.organization, &patient);
        let due = self.payable(&caller.organization, &state).await?;
        Ok(Checkout::Balance(LinkedBalance { service, due, saved }))
    }

    /// The door of a visit by video.
    ///
    /// # Errors
    /// [`Error::Refused`]: `link_forged`, `link_expired`.
    pub async fn door(&self, token: &str) -> Result<Door, Error> {
        let (caller, id) = self.appointment_of(token, Purpose::VisitLink).await?;
        let visit = self.look(&caller, id).await?;
        let (now, state) = (self.now(), &visit.appointment);
        let (opens_at, closes_at) = (state.context.starts_at - EARLY, state.ends_at + LATE);
        let stands = matches!(state.status, Status::Confirmed | Status::AtRisk | Status::InVisit);
        let open = visit.video && stands && opens_at <= now && now < closes_at;
        let room = open.then(|| self.0.office.room(&caller.organization, &id.to_string()));
        Ok(Door { visit, opens_at, closes_at, room })
    }

    /// Cancels the booking of a link, for at most the fee that its holder has seen.
    ///
    /// # Errors
    /// [`Error::Refused`]: `fee_changed` when it costs more than that by now, and whatever cancelling is refused with.
    pub async fn cancel_by_link(
        &self,
        token: &str,
        (seen_fee, reason): (Option<Money>, Option<&str>),
    ) -> Result<LinkedVisit, Error> {
        let (caller, id) = self.appointment_of(token, Purpose::ManageBooking).await?;
        let order = self.order_of(&caller, Reason::parse(reason.unwrap_or(BY_PATIENT))?);
        let (origin, billing) = (self.any_origin(&caller.organization), self.0.settings.billing.clone());
        let provider = self.appointment(&caller.organization, id).await?.context.provider;
        let token = token.to_owned();
        let work = move |change: &mut Change<'_, '_>| {
            redeem(change, &token, Purpose::ManageBooking)?;
            let command = cancellation(change, id, seen_fee)?;
            ending::end(change, id, &command, (&billing, &origin))
        };
        self.apply(&holds::calendar_of(provider), order, work).await?;
        self.look(&caller, id).await
    }

    /// Moves the booking of a link to another opening of its provider.
    ///
    /// # Errors
    /// [`Error::Refused`]: `slot_taken`, `move_costs_fee`, and those of the link.
    pub async fn move_by_link(&self, token: &str, starts_at: Timestamp) -> Result<LinkedVisit, Error> {
        let (caller, id) = self.appointment_of(token, Purpose::ManageBooking).await?;
        let to = Move { starts_at, by: Party::Patient, reason: BY_PATIENT.to_owned() };
        self.move_appointment(&caller, id, to).await?;
        self.look(&caller, id).await
    }

    /// Takes the offer of a link, when nothing is due for it now. The link is used in the same transaction.
    ///
    /// # Errors
    /// [`Error::Refused`]: `deposit_required` for an offer that is taken by paying it, and those of the link.
    pub async fn accept_by_link(&self, token: &str) -> Result<LinkedVisit, Error> {
        let (caller, id) = self.appointment_of(token, Purpose::WaitlistOffer).await?;
        let order = self.order_of(&caller, Reason::of("offer_accepted"));
        let (origin, token) = (self.any_origin(&caller.organization), token.to_owned());
        let work = move |change: &mut Change<'_, '_>| {
            redeem(change, &token, Purpose::WaitlistOffer)?;
            holds::confirm(change, id, &origin)
        };
        self.apply(&id.to_string(), order, work).await?;
        self.look(&caller, id).await
    }

    /// Declines the offer of a link: the slot goes to the next. The link is used in the same transaction.
    ///
    /// # Errors
    /// [`Error::Refused`]: those of the link, and whatever cancelling is refused with.
    pub async fn decline_by_link(&self, token: &str) -> Result<LinkedVisit, Error> {
        let (caller, id) = self.appointment_of(token, Purpose::WaitlistOffer).await?;
        let order = self.order_of(&caller, Reason::of("offer_declined"));
        let (origin, billing) = (self.any_origin(&caller.organization), self.0.settings.billing.clone());
        let provider = self.appointment(&caller.organization, id).await?.context.provider;
        let token = token.to_owned();
        let work = move |change: &mut Change<'_, '_>| {
            redeem(change, &token, Purpose::WaitlistOffer)?;
            let command = refuse_offer(change, id)?;
            ending::end(change, id, &command, (&billing, &origin))
        };
        self.apply(&holds::calendar_of(provider), order, work).await?;
        self.look(&caller, id).await
    }

    /// Pays what is due by a link: of an offer, of a booking, or of a balance. A lost answer is no second payment: the debt
    /// is locked until the first is known. The link is used once nothing is due.
    ///
    /// # Errors
    /// [`Error::Refused`]: `nothing_due`, `hold_ended`, `debt_locked`, `method_missing`, and those of the link.
    pub async fn pay_by_link(
        &self,
        token: &str,
        purpose: Purpose,
        how: PayByLink,
    ) -> Result<(Taken, Option<Money>), Error> {
        let pass = self.open_pass(token, purpose).await?;
        let caller = caller_of(&pass);
        let (taken, left) = match AppointmentId::parse(&pass.subject) {
            Ok(id) => self.pay_visit(&caller, id, how).await?,
            Err(_) => self.pay_balance(&caller, &pass, how).await?,
        };
        if left.is_none() {
            // Who paid in another window has used it.
            match self.redeem_pass(token, purpose).await {
                Ok(_) | Err(Error::Refused(_)) => {}
                Err(other) => return Err(other),
            }
        }
        Ok((taken, left))
    }

    async fn pay_visit(
        &self,
        caller: &Caller,
        id: AppointmentId,
        how: PayByLink,
    ) -> Result<(Taken, Option<Money>), Error> {
        let state = self.appointment(&caller.organization, id).await?;
        let method = self.method_of(caller, &state.context.patient.to_string(), &how).await?;
        let pay = PayVisit {
            connection: None,
            method,
            save_method: how.save_method,
            off_session: false,
            return_url: how.return_url,
        };
        let (after, taken) = self.pay_appointment(caller, id, pay).await?;
        Ok((taken, due(&after)))
    }

    async fn pay_balance(
        &self,
        caller: &Caller,
        pass: &Pass,
        how: PayByLink,
    ) -> Result<(Taken, Option<Money>), Error> {
        let service = ServiceId::parse(&pass.subject).map_err(|_| nothing_there(pass))?;
        let state = self.service(&caller.organization, service).await?;
        let method = self.method_of(caller, &state.patient.to_string(), &how).await?;
        let pay = Authorize { connection: None, method, off_session: false, return_url: how.return_url };
        let before = self.payable(&caller.organization, &state).await?;
        let taken = self.charge_balance(caller, service, pay).await?;
        let after = self.service(&caller.organization, service).await?;
        // What is on its way is not paid yet, and the link still leads to it.
        let left = if taken.payment.captured_minor > 0 { after.to_collect() } else { before };
        Ok((taken, left))
    }

    async fn method_of(
        &self,
        caller: &Caller,
        patient: &str,
        how: &PayByLink,
    ) -> Result<Option<String>, Error> {
        if !how.use_saved {
            return Ok(how.method.clone());
        }
        let patient = self.state::<Patient>(&caller.organization, patient).await?;
        let saved = self.saved_method(&caller.organization, &patient);
        let saved = saved.ok_or_else(|| {
            Refusal::state(
                "method_missing",
                "Nothing was charged: no working payment method is on file. Pay with another one.",
            )
        })?;
        Ok(Some(saved.id))
    }

    fn saved_method(&self, organization: &str, patient: &Patient) -> Option<Method> {
        let connection = self.gateway_for(organization, None).ok()?;
        let now = self.now();
        let id = billing::method_on_file(patient, &connection, now)?;
        patient.usable_methods(now).find(|method| method.id == id).cloned()
    }

    /// The appointment of a link, for the one who holds it.
    async fn appointment_of(&self, token: &str, purpose: Purpose) -> Result<(Caller, AppointmentId), Error> {
        let pass = self.open_pass(token, purpose).await?;
        let id = AppointmentId::parse(&pass.subject).map_err(|_| nothing_there(&pass))?;
        Ok((caller_of(&pass), id))
    }

    /// What a token says, when it was not used.
    async fn open_pass(&self, token: &str, purpose: Purpose) -> Result<Pass, Error> {
        let pass = self.read_pass(token, purpose)?;
        if !purpose.is_single_use() {
            return Ok(pass);
        }
        let (organization, mark) = (pass.organization.clone(), pass.mark());
        let read =
            self.0.store.read(move |tx| passes::is_used(tx, &organization, &mark).map_err(Error::from));
        match read.await? {
            true => Err(used().into()),
            false => Ok(pass),
        }
    }

    async fn look(&self, caller: &Caller, id: AppointmentId) -> Result<LinkedVisit, Error> {
        let appointment = self.appointment(&caller.organization, id).await?;
        let context = appointment.context;
        let resource = format!("appointment/{id}");
        self.log_access(caller, "read", &context.patient.to_string(), &resource, "link").await?;
        let practice = self.practice(&caller.organization).await?;
        let visit = practice.visit_types.get(&context.visit_type);
        let patient = self.state::<Patient>(&caller.organization, &context.patient.to_string()).await?;
        let cancel = match appointment.status {
            Status::PendingPayment | Status::Confirmed | Status::AtRisk => {
                let asked = (Party::Patient, BY_PATIENT);
                Some(self.preview_cancellation(&caller.organization, id, asked).await?.verdict)
            }
            _ => None,
        };
        let deadline = match appointment.status {
            Status::PendingPayment => Some(appointment.held_until),
            _ => appointment.risk.as_ref().map(|(deadline, _)| *deadline),
        };
        Ok(LinkedVisit {
            provider: name_of(practice.providers.get(&context.provider).map(|provider| &provider.name)),
            clinic: name_of(practice.clinics.get(&appointment.clinic).map(|clinic| &clinic.name)),
            visit_type: name_of(visit.map(|visit| &visit.name)),
            video: visit.is_some_and(|visit| visit.video),
            due: due(&appointment),
            deadline,
            cancel,
            saved: self.saved_method(&caller.organization, &patient),
            appointment,
        })
    }

    /// The provider of a feed's token, with the organization.
    ///
    /// # Errors
    /// `link_forged` or `link_expired`.
    pub fn feed_of(&self, token: &str) -> Result<(String, ProviderId), Error> {
        let pass = self.read_pass(token, Purpose::CalendarFeed)?;
        let provider = ProviderId::parse(&pass.subject).map_err(|_| nothing_there(&pass))?;
        Ok((pass.organization, provider))
    }

    /// Our address as patients know it, without a slash at the end.
    #[must_use]
    pub fn public_url(&self) -> &str {
        &self.0.office.settings.public_url
    }
}

fn name_of(name: Option<&String>) -> String {
    name.cloned().unwrap_or_default()
}

/// Whoever holds the link acts as the link.
fn caller_of(pass: &Pass) -> Caller {
    Caller { organization: pass.organization.clone(), actor: Actor::System("link".to_owned()) }
}

fn nothing_there(pass: &Pass) -> Error {
    Error::not_found("link", pass.purpose.name())
}

/// The patient's cancellation, unless it costs more than the patient has seen.
fn cancellation(
    change: &mut Change<'_, '_>,
    id: AppointmentId,
    seen_fee: Option<Money>,
) -> Result<Command, Error> {
    let (_, state) = change.existing::<Appointment>(&id.to_string())?;
    let reason = change.order.reason.as_str().to_owned();
    let verdict = ending::verdict_of(change, &state, (Occasion::PatientCancels, &reason))?;
    let verdict = match state.status {
        Status::PendingPayment => ending::free(&state, verdict),
        _ => verdict,
    };
    let seen = seen_fee.filter(|seen| seen.currency == verdict.fee.currency).map_or(0, |seen| seen.minor);
    let stands = matches!(state.status, Status::Confirmed | Status::AtRisk);
    if stands && verdict.fee.minor > seen {
        return Err(Error::Refused(Refusal::held(
            "fee_changed",
            format!(
                "The appointment was not cancelled: by rule {} cancelling it now costs {}. Cancel with this fee, or keep \
                 the appointment.",
                verdict.rule, verdict.fee
            ),
        )));
    }
    Ok(Command::Cancel { by: Party::Patient, reason, verdict, waived: None })
}

/// The end of an offer that is not wanted. A slot that was taken meanwhile is a booking and stays.
fn refuse_offer(change: &mut Change<'_, '_>, id: AppointmentId) -> Result<Command, Error> {
    let (_, state) = change.existing::<Appointment>(&id.to_string())?;
    if state.status != Status::PendingPayment {
        return Err(Error::Refused(Refusal::state(
            "not_allowed_now",
            format!("Nothing was declined: the offer is {} already.", state.status.name()),
        )));
    }
    let reason = change.order.reason.as_str().to_owned();
    let verdict = ending::verdict_of(change, &state, (Occasion::PatientCancels, &reason))?;
    let verdict = ending::free(&state, verdict);
    Ok(Command::Cancel { by: Party::Patient, reason, verdict, waived: None })
}
