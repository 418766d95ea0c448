//! What patients and providers are told of a visit: each message planned in the transaction of what it tells, once.

use std::time::Duration;

use suture_core::appointment::{Appointment, Paid, Party, Role, Status as Standing};
use suture_core::attempt::State;
use suture_core::id::{AppointmentId, ServiceId};
use suture_core::money::Money;
use suture_core::notice::{About, Placeholder, Recipient, Template, Values, local_time};
use suture_core::pass::Purpose;
use suture_core::payment::{Payment, Status};
use suture_core::practice::{Clinic, Provider, VisitType};
use suture_core::service::Service;
use suture_core::time::Timestamp;

use crate::Error;
use crate::change::Change;
use crate::notices::{NewNotice, Which, link, plan, shift, visit_link, withdraw};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
/// A link to pay a balance works this long.
const BALANCE_LINK: Duration = Duration::from_secs(30 * 86_400);

/// A message about an appointment.
struct Said {
    template: Template,
    key: String,
    values: Values,
    due_at: Timestamp,
    /// After this it makes no sense any more; by the template when absent.
    not_after: Option<Timestamp>,
    urgent: bool,
}

fn about(appointment: &Appointment) -> About {
    About {
        patient: Some(appointment.context.patient),
        appointment: Some(appointment.id),
        service: appointment.service,
        ..About::default()
    }
}

fn to_patient(change: &mut Change<'_, '_>, appointment: &Appointment, said: Said) -> Result<(), Error> {
    say(change, appointment, Recipient::Patient(appointment.context.patient), said)
}

fn to_provider(change: &mut Change<'_, '_>, appointment: &Appointment, said: Said) -> Result<(), Error> {
    say(change, appointment, Recipient::Provider(appointment.context.provider), said)
}

fn say(
    change: &mut Change<'_, '_>,
    appointment: &Appointment,
    to: Recipient,
    said: Said,
) -> Result<(), Error> {
    let new = NewNotice {
        to,
        template: said.template,
        about: about(appointment),
        values: said.values,
        due_at: said.due_at,
        not_after: said.not_after,
        zone: Some(appointment.zone.clone()),
        urgent: said.urgent,
        key: format!("{}/{}", appointment.id, said.key),
    };
    plan(change, new).map(|_| ())
}

fn when(appointment: &Appointment) -> String {
    local_time(appointment.context.starts_at, &appointment.zone)
}

/// Provider, clinic and time, as most messages need them.
fn values(change: &mut Change<'_, '_>, appointment: &Appointment) -> Result<Values, Error> {
    let (_, provider) = change.existing::<Provider>(&appointment.context.provider.to_string())?;
    let (_, clinic) = change.existing::<Clinic>(&appointment.clinic.to_string())?;
    Ok(Values::new()
        .with(Placeholder::Provider, provider.name)
        .with(Placeholder::Clinic, clinic.name)
        .with(Placeholder::When, when(appointment)))
}

/// The link to look at, move or cancel a visit, and for a video visit the door of its room.
fn manage(change: &Change<'_, '_>, appointment: &Appointment) -> Result<String, Error> {
    link(change, Purpose::ManageBooking, &appointment.id.to_string(), appointment.ends_at + DAY)
}

fn plain(template: Template, key: &str, values: Values, due_at: Timestamp) -> Said {
    Said { template, key: key.to_owned(), values, due_at, not_after: None, urgent: false }
}

/// A booking stands: the confirmation now, the reminders later, the door of a video visit at once (FEATURES M165, M172,
/// M173).
pub(super) fn confirmed(change: &mut Change<'_, '_>, appointment: &Appointment) -> Result<(), Error> {
    let now = change.order.now;
    let values = values(change, appointment)?.with(Placeholder::Link, manage(change, appointment)?);
    let said = plain(Template::BookingConfirmed, "confirmed", values.clone(), now);
    to_patient(change, appointment, said)?;
    reminders(change, appointment, &values)?;
    let (_, visit) = change.existing::<VisitType>(&appointment.context.visit_type.to_string())?;
    if visit.video {
        let door = visit_link(change, &appointment.id.to_string(), appointment.ends_at + HOUR)?;
        let values = values.with(Placeholder::Link, door);
        let said = plain(Template::VisitLink, "visit-link", values, now);
        to_patient(change, appointment, Said { not_after: Some(appointment.ends_at), ..said })?;
    }
    Ok(())
}

/// Reminders of the present time of a visit; those whose time is over are not made.
fn reminders(change: &mut Change<'_, '_>, appointment: &Appointment, values: &Values) -> Result<(), Error> {
    let begins = appointment.context.starts_at;
    for (template, name, ahead) in
        [(Template::VisitReminderDay, "day", DAY), (Template::VisitReminderHour, "hour", HOUR)]
    {
        let due_at = begins - ahead;
        if due_at > change.order.now {
            let key = format!("reminder/{name}/{}", appointment.moves);
            to_patient(change, appointment, plain(template, &key, values.clone(), due_at))?;
        }
    }
    Ok(())
}

/// The money of an appointment moved: a receipt for what was taken, a link after a decline.
pub(super) fn payment_moved(
    change: &mut Change<'_, '_>,
    appointment: &Appointment,
    payment: &Payment,
    paid: Paid,
) -> Result<(), Error> {
    let now = change.order.now;
    if paid.net_minor > 0 {
        let amount = Money::new(paid.net_minor, payment.amount.currency);
        let values = values(change, appointment)?.with(Placeholder::Amount, amount.to_string());
        let key = format!("receipt/{}", payment.id);
        return to_patient(change, appointment, plain(Template::Receipt, &key, values, now));
    }
    let declined = paid.status == Status::RequiresMethod
        && payment.attempts.last().is_some_and(|last| !last.state.is_open() || is_unanswered(payment));
    if declined && paid.role == Role::Deposit && appointment.status == Standing::PendingPayment {
        let key = format!("declined/{}/{}", payment.id, payment.attempts.len());
        return ask_to_pay(change, appointment, (&key, payment.amount, appointment.held_until));
    }
    Ok(())
}

/// The bank's question was not passed: the intent waits for another method, and says so by its error.
pub(super) fn is_unanswered(payment: &Payment) -> bool {
    let waits = payment.attempts.last().is_some_and(|last| last.state == State::Waiting);
    waits && payment.intent_known.as_ref().is_some_and(|known| known.error.is_some())
}

/// One click back to the payment, with everything as it was (FEATURES M205, M208).
fn ask_to_pay(
    change: &mut Change<'_, '_>,
    appointment: &Appointment,
    (key, amount, deadline): (&str, Money, Timestamp),
) -> Result<(), Error> {
    let ends = deadline.max(change.order.now) + Duration::from_secs(60);
    let link = link(change, Purpose::ReturnToCheckout, &appointment.id.to_string(), ends)?;
    let values = values(change, appointment)?
        .with(Placeholder::Amount, amount.to_string())
        .with(Placeholder::Deadline, local_time(deadline, &appointment.zone))
        .with(Placeholder::Link, link);
    let due_at = change.order.now;
    let said = Said { urgent: true, ..plain(Template::PaymentDeclined, key, values, due_at) };
    to_patient(change, appointment, said)
}

/// A charge before the visit failed: both sides learn it at once (FLOWS T1).
pub(super) fn at_risk(change: &mut Change<'_, '_>, appointment: &Appointment) -> Result<(), Error> {
    let Some((deadline, _)) = appointment.risk.clone() else { return Ok(()) };
    let amount = super::due(appointment).unwrap_or(appointment.terms.deposit);
    let key = format!("risk/{}", deadline.millis());
    ask_to_pay(change, appointment, (&key, amount, deadline))?;
    let values = values(change, appointment)?;
    let said = plain(Template::ProviderPaymentRisk, &key, values, change.order.now);
    // The keys of patient and provider differ by the recipient's part.
    to_provider(change, appointment, Said { key: format!("provider/{key}"), urgent: true, ..said })
}

/// A visit that was at risk stands again: the links and alerts of the risk are over.
pub(super) fn secured(change: &mut Change<'_, '_>, appointment: &Appointment) -> Result<(), Error> {
    let over = vec![Template::PaymentDeclined, Template::ProviderPaymentRisk];
    withdraw(change, &Which::About(appointment.id.to_string(), over), "visit_secured").map(|_| ())
}

/// A hold ended without money. Who only looked is not written to; who tried to pay is.
pub(super) fn lapsed(change: &mut Change<'_, '_>, appointment: &Appointment) -> Result<(), Error> {
    withdraw_all(change, appointment.id, "hold_ended")?;
    match appointment.payments.is_empty() && appointment.waiting.is_none() {
        true => Ok(()),
        false => released(change, appointment, "lapsed"),
    }
}

/// Money came too late and goes back (FLOWS 1d).
pub(super) fn slot_lost(change: &mut Change<'_, '_>, appointment: &Appointment) -> Result<(), Error> {
    released(change, appointment, "slot-lost")?;
    refund_started(change, appointment, appointment.paid_before())
}

fn released(change: &mut Change<'_, '_>, appointment: &Appointment, key: &str) -> Result<(), Error> {
    let values = values(change, appointment)?;
    let due_at = change.order.now;
    to_patient(change, appointment, plain(Template::VisitReleased, key, values, due_at))
}

fn refund_started(
    change: &mut Change<'_, '_>,
    appointment: &Appointment,
    amount: Money,
) -> Result<(), Error> {
    if amount.minor <= 0 {
        return Ok(());
    }
    let values = values(change, appointment)?.with(Placeholder::Amount, amount.to_string());
    let due_at = change.order.now;
    to_patient(change, appointment, plain(Template::RefundStarted, "refund", values, due_at))
}

/// A visit ended before it took place.
pub(super) fn ended(
    change: &mut Change<'_, '_>,
    before: &Appointment,
    after: &Appointment,
) -> Result<(), Error> {
    withdraw_all(change, after.id, "visit_ended")?;
    let now = change.order.now;
    let Some((by, reason, verdict)) = after.ended.clone() else { return Ok(()) };
    if after.status == Standing::Canceled {
        let template =
            if reason == "payment_sla" { Template::VisitReleased } else { Template::VisitCanceled };
        let values = values(change, after)?;
        to_patient(change, after, plain(template, "ended", values.clone(), now))?;
        if by != Party::Provider && before.status != Standing::PendingPayment {
            let said = plain(Template::ProviderVisitCanceled, "provider/ended", values, now);
            to_provider(change, after, Said { urgent: by == Party::System, ..said })?;
        }
    }
    let captured = verdict.refund.minor.min(after.paid_before().minor);
    refund_started(change, after, Money::new(captured, verdict.refund.currency))
}

/// A visit has another time: its reminders move with it (FEATURES M173, M339).
pub(super) fn moved(change: &mut Change<'_, '_>, appointment: &Appointment) -> Result<(), Error> {
    let reminders_of_old = vec![Template::VisitReminderDay, Template::VisitReminderHour];
    withdraw(change, &Which::About(appointment.id.to_string(), reminders_of_old), "visit_moved")?;
    let values = values(change, appointment)?.with(Placeholder::Link, manage(change, appointment)?);
    reminders(change, appointment, &values)?;
    let key = format!("moved/{}", appointment.moves);
    let values = values.with(Placeholder::Before, "the earlier time");
    let now = change.order.now;
    to_patient(change, appointment, plain(Template::VisitMoved, &key, values.clone(), now))?;
    // A door that was sent opens until the old time; the visit has a new one.
    let door = format!("{}/visit-link", appointment.id);
    shift(change, &door, now, &values).map(|_| ())
}

/// A slot is offered to a patient of the waiting list.
pub(super) fn offered(change: &mut Change<'_, '_>, appointment: &Appointment) -> Result<(), Error> {
    let until = appointment.held_until;
    let link = link(change, Purpose::WaitlistOffer, &appointment.id.to_string(), until)?;
    let values = values(change, appointment)?
        .with(Placeholder::Deadline, local_time(until, &appointment.zone))
        .with(Placeholder::Link, link);
    let due_at = change.order.now;
    let said = plain(Template::WaitlistOffer, "offer", values, due_at);
    to_patient(change, appointment, Said { urgent: true, not_after: Some(until), ..said })
}

/// The patient is here, or the visit is over: nobody is reminded of it any more.
pub(super) fn over(change: &mut Change<'_, '_>, appointment: &Appointment) -> Result<(), Error> {
    withdraw_all(change, appointment.id, "visit_begun")
}

/// A charge for a visit that took place did not go through: the patient gets a link (FLOWS 3b, 3c).
pub(super) fn collection_failed(
    change: &mut Change<'_, '_>,
    service: ServiceId,
    payment: &Payment,
) -> Result<(), Error> {
    let Some(id) = payment.care.appointment.as_deref().and_then(|id| AppointmentId::parse(id).ok()) else {
        return Ok(());
    };
    let key = format!("collection/{}/{}", payment.id, payment.attempts.len());
    balance_link(change, id, service, (&key, payment.amount))
}

/// Nothing could be charged to a method on file: the patient gets a link (FLOWS 3c).
pub(super) fn nothing_on_file(change: &mut Change<'_, '_>, service: ServiceId) -> Result<(), Error> {
    let (_, state) = change.existing::<Service>(&service.to_string())?;
    let organization = change.order.organization.clone();
    let of_link = suture_store::links::get(change.tx, &organization, &state.link)?;
    let id = of_link.and_then(|link| link.appointment).and_then(|id| AppointmentId::parse(&id).ok());
    match (id, state.to_collect()) {
        (Some(id), Some(due)) => {
            balance_link(change, id, service, (&format!("collection/{}/{}", state.version, due.minor), due))
        }
        _ => Ok(()),
    }
}

fn balance_link(
    change: &mut Change<'_, '_>,
    id: AppointmentId,
    service: ServiceId,
    (key, amount): (&str, Money),
) -> Result<(), Error> {
    let (_, appointment) = change.existing::<Appointment>(&id.to_string())?;
    let ends = change.order.now + BALANCE_LINK;
    let link = link(change, Purpose::ReturnToCheckout, &service.to_string(), ends)?;
    let values = values(change, &appointment)?
        .with(Placeholder::Amount, amount.to_string())
        .with(Placeholder::Deadline, local_time(ends, &appointment.zone))
        .with(Placeholder::Link, link);
    let due_at = change.order.now;
    to_patient(change, &appointment, plain(Template::PaymentDeclined, key, values, due_at))
}

fn withdraw_all(change: &mut Change<'_, '_>, id: AppointmentId, reason: &'static str) -> Result<(), Error> {
    let over = vec![
        Template::BookingConfirmed,
        Template::VisitReminderDay,
        Template::VisitReminderHour,
        Template::PaymentDeclined,
        Template::ProviderPaymentRisk,
        Template::WaitlistOffer,
        Template::VisitLink,
    ];
    withdraw(change, &Which::About(id.to_string(), over), reason).map(|_| ())
}
