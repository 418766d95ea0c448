//! An appointment as JSON: who, with whom, what and when; where its money stands; and what can be done now.

use serde::Serialize;
use suture_core::appointment::{self, Appointment, Confirmation, Paid, Party, Role, Status};
use suture_core::money;
use suture_core::payment;
use suture_core::visit::Terms;
use suture_engine::scheduling::{Preview, Visit, due};
use utoipa::ToSchema;

use super::practice_body::VisitTiming;
use super::visit_policy_body::{CaseBody, VerdictBody};
use super::visit_time::LocalMoment;
use crate::bodies::{Money, time, words};

words! {
    /// Where an appointment stands.
    AppointmentStatus = appointment::Status {
        PendingPayment, Confirmed, AtRisk, InVisit, Completed, Canceled, NoShow, Lapsed,
    }
}

words! {
    /// Who moved or ended an appointment.
    VisitParty = Party { Patient, Provider, Clinic, System, Ehr }
}

words! {
    /// What a payment of an appointment is for.
    VisitPaymentRole = Role { Deposit, Visit }
}

words! {
    /// Where a payment of an appointment stands.
    VisitPaymentStatus = payment::Status {
        Created, RequiresMethod, RequiresAction, Processing, Authorized, Captured, Settled, Unknown, Failed,
        Canceled, Expired, PartRefunded, Refunded, Disputed, Lost,
    }
}

/// What can be done with an appointment now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum AppointmentAction {
    /// Pay what is due.
    Pay,
    /// Take an offer of the waiting list that costs nothing now.
    Accept,
    /// Cancel it; look at `cancel/preview` before.
    Cancel,
    /// Move it to another time.
    Move,
    /// See the patient although a payment failed.
    Override,
    /// Say that the patient is here.
    Arrive,
    /// Say that the patient did not come.
    NoShow,
    /// Open its encounter.
    OpenEncounter,
}

/// An appointment as known now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Appointment)]
#[serde(rename_all = "camelCase")]
pub(super) struct AppointmentBody {
    id: String,
    patient: String,
    provider: String,
    visit_type: String,
    clinic: String,
    starts_at: String,
    ends_at: String,
    /// The beginning in the patient's zone.
    local: Option<LocalMoment>,
    status: AppointmentStatus,
    /// `confirmed`, `pay_to_keep` or `released`: whether it stands, in one word for the patient.
    standing: &'static str,
    actions: Vec<AppointmentAction>,
    /// What is due now.
    due: Option<Money>,
    /// Until when the slot is held, while it is.
    held_until: Option<String>,
    terms: TermsBody,
    /// The link that its payments carry.
    link: String,
    payments: Vec<PaidBody>,
    confirmation: Option<ConfirmationBody>,
    service: Option<String>,
    encounter: Option<String>,
    eligibility: Option<String>,
    /// The place in the waiting list that it came from.
    waiting: Option<String>,
    risk: Option<RiskBody>,
    /// It is never released for money.
    emergency: bool,
    overridden: Option<OverrideBody>,
    /// How often it moved.
    moves: u32,
    /// Payments that came too late and go back.
    lost_payments: Vec<String>,
    ended: Option<EndedBody>,
}

/// The terms of a booking, as they were when it was selected.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VisitTerms)]
#[serde(rename_all = "camelCase")]
pub(super) struct TermsBody {
    timing: VisitTiming,
    price: Money,
    deposit: Money,
    reserve_only: bool,
    charge_before_minutes: Option<u32>,
    rescue_minutes: u32,
}

/// What a payment of an appointment proves.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VisitPayment)]
#[serde(rename_all = "camelCase")]
pub(super) struct PaidBody {
    payment: String,
    role: VisitPaymentRole,
    status: VisitPaymentStatus,
    reserved: Money,
    /// Captured, less what went back.
    net: Money,
    /// Whether it may still collect.
    collecting: bool,
}

/// What confirmed a booking.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VisitConfirmation)]
pub(super) struct ConfirmationBody {
    /// `deposit`, `late_payment` or `nothing_due`.
    by: &'static str,
    payment: Option<String>,
}

/// A charge before the visit that failed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VisitRisk)]
pub(super) struct RiskBody {
    /// Until when it may be paid.
    deadline: String,
    reason: String,
}

/// Who sees the patient anyway.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VisitOverride)]
pub(super) struct OverrideBody {
    by: String,
    reason: String,
}

/// How an appointment ended.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VisitEnd)]
pub(super) struct EndedBody {
    by: VisitParty,
    reason: String,
    verdict: VerdictBody,
}

/// One appointment, as listed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AppointmentRow)]
#[serde(rename_all = "camelCase")]
pub(super) struct VisitRow {
    id: String,
    patient: String,
    provider: String,
    visit_type: String,
    clinic: String,
    starts_at: String,
    ends_at: String,
    status: AppointmentStatus,
    updated_at: String,
}

/// What an ending would cost now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EndingPreview)]
pub(super) struct PreviewBody {
    /// The policy's version.
    policy: String,
    /// The case as the policy sees it.
    case: CaseBody,
    verdict: VerdictBody,
}

impl AppointmentBody {
    pub(super) fn of(state: &Appointment) -> Self {
        let context = state.context;
        let held = state.status == Status::PendingPayment;
        Self {
            id: state.id.to_string(),
            patient: context.patient.to_string(),
            provider: context.provider.to_string(),
            visit_type: context.visit_type.to_string(),
            clinic: state.clinic.to_string(),
            starts_at: time(context.starts_at),
            ends_at: time(state.ends_at),
            local: LocalMoment::in_zone(context.starts_at, &state.zone),
            status: state.status.into(),
            standing: state.standing(),
            actions: actions(state),
            due: due(state).map(Into::into),
            held_until: held.then(|| time(state.held_until)),
            terms: TermsBody::of(&state.terms),
            link: state.link.clone(),
            payments: state.payments.iter().map(|(id, paid)| PaidBody::of(id, paid, state)).collect(),
            confirmation: state.confirmation.map(ConfirmationBody::of),
            service: state.service.map(|id| id.to_string()),
            encounter: state.encounter.map(|id| id.to_string()),
            eligibility: state.eligibility.map(|id| id.to_string()),
            waiting: state.waiting.map(|id| id.to_string()),
            risk: state
                .risk
                .as_ref()
                .map(|(deadline, reason)| RiskBody { deadline: time(*deadline), reason: reason.clone() }),
            emergency: state.emergency,
            overridden: state
                .overridden
                .as_ref()
                .map(|(by, reason)| OverrideBody { by: by.clone(), reason: reason.clone() }),
            moves: state.moves,
            lost_payments: state.lost.iter().map(ToString::to_string).collect(),
            ended: state.ended.as_ref().map(|(by, reason, verdict)| EndedBody {
                by: (*by).into(),
                reason: reason.clone(),
                verdict: verdict.into(),
            }),
        }
    }
}

/// What the machine of the appointment lets through now.
fn actions(state: &Appointment) -> Vec<AppointmentAction> {
    use AppointmentAction as A;
    let own: &[A] = match state.status {
        Status::PendingPayment if state.terms.deposit.minor == 0 => &[A::Accept, A::Cancel],
        Status::PendingPayment => &[A::Cancel],
        Status::Confirmed => &[A::Cancel, A::Move, A::Arrive, A::NoShow],
        Status::AtRisk => &[A::Override, A::Cancel, A::Arrive, A::NoShow],
        Status::InVisit | Status::Completed | Status::Canceled | Status::NoShow | Status::Lapsed => &[],
    };
    let pays = due(state).map(|_| A::Pay);
    let stands = matches!(state.status, Status::Confirmed | Status::AtRisk | Status::InVisit);
    let opens = (stands && state.encounter.is_none()).then_some(A::OpenEncounter);
    pays.into_iter().chain(own.iter().copied()).chain(opens).collect()
}

impl TermsBody {
    fn of(terms: &Terms) -> Self {
        Self {
            timing: terms.timing.into(),
            price: terms.price.into(),
            deposit: terms.deposit.into(),
            reserve_only: terms.reserve_only,
            charge_before_minutes: terms.charge_before_minutes,
            rescue_minutes: terms.rescue_minutes,
        }
    }
}

impl PaidBody {
    fn of(payment: &str, paid: &Paid, state: &Appointment) -> Self {
        let money = |minor| money::Money::new(minor, state.terms.deposit.currency).into();
        Self {
            payment: payment.to_owned(),
            role: paid.role.into(),
            status: paid.status.into(),
            reserved: money(paid.reserved_minor),
            net: money(paid.net_minor),
            collecting: paid.collecting,
        }
    }
}

impl ConfirmationBody {
    fn of(confirmation: Confirmation) -> Self {
        match confirmation {
            Confirmation::Deposit { payment } => Self { by: "deposit", payment: Some(payment.to_string()) },
            Confirmation::LatePayment { payment } => {
                Self { by: "late_payment", payment: Some(payment.to_string()) }
            }
            Confirmation::NothingDue => Self { by: "nothing_due", payment: None },
        }
    }
}

impl VisitRow {
    pub(super) fn of(row: &Visit) -> Self {
        Self {
            id: row.appointment.to_string(),
            patient: row.patient.to_string(),
            provider: row.provider.to_string(),
            visit_type: row.visit_type.to_string(),
            clinic: row.clinic.to_string(),
            starts_at: time(row.starts_at),
            ends_at: time(row.ends_at),
            status: row.status.into(),
            updated_at: time(row.updated_at),
        }
    }
}

impl PreviewBody {
    pub(super) fn of(preview: &Preview) -> Self {
        Self {
            policy: preview.policy.clone(),
            case: CaseBody::of(&preview.case),
            verdict: (&preview.verdict).into(),
        }
    }
}
