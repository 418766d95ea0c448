//! What happened to an appointment: past-tense facts, as they stand in the journal.

use serde::{Deserialize, Serialize};

use crate::id::{
    AppointmentId, ClinicId, DebtId, EligibilityId, EncounterId, PatientId, PaymentId, ProviderId, ServiceId,
    VisitTypeId, WaitingId,
};
use crate::money::Money;
use crate::time::Timestamp;
use crate::visit::{Terms, Verdict};

use super::state::{Paid, Role};

/// Who moved or ended an appointment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// The patient.
    Patient,
    /// The provider.
    Provider,
    /// The clinic's staff.
    Clinic,
    /// A rule.
    System,
    /// The EHR told us.
    Ehr,
}

impl Party {
    /// The party as written in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Patient => "patient",
            Self::Provider => "provider",
            Self::Clinic => "clinic",
            Self::System => "system",
            Self::Ehr => "ehr",
        }
    }
}

/// What confirmed a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Confirmation {
    /// The proven deposit.
    Deposit {
        /// The payment.
        payment: PaymentId,
    },
    /// A payment that was proven only after the hold had ended, while the slot was still free (FLOWS 1d).
    LatePayment {
        /// The payment.
        payment: PaymentId,
    },
    /// No money is due before the visit.
    NothingDue,
}

/// The four things that every booking event tells (FEATURES M158).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// The patient.
    pub patient: PatientId,
    /// The provider.
    pub provider: ProviderId,
    /// The type of visit.
    pub visit_type: VisitTypeId,
    /// When it begins.
    pub starts_at: Timestamp,
}

/// One fact about one appointment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A slot was selected and is held.
    SlotSelected {
        /// Its id.
        appointment: AppointmentId,
        /// Who, with whom, what and when.
        #[serde(flatten)]
        context: Context,
        /// The clinic.
        clinic: ClinicId,
        /// When it ends.
        ends_at: Timestamp,
        /// The patient's zone, for showing.
        zone: String,
        /// The link token that its charges carry.
        link: String,
        /// The debt of the deposit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        debt: Option<DebtId>,
        /// The terms, as they were.
        terms: Terms,
        /// Until when the slot is held.
        held_until: Timestamp,
        /// The coverage that the deposit was computed from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        eligibility: Option<EligibilityId>,
        /// The place in the waiting list that the slot was offered to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waiting: Option<WaitingId>,
    },
    /// The hold was made longer: the bank's check is open.
    HoldExtended {
        /// Until when.
        until: Timestamp,
    },
    /// One of its payments proved something new.
    PaymentMoved {
        /// The payment.
        payment: PaymentId,
        /// What it holds.
        paid: Paid,
    },
    /// It stands.
    BookingConfirmed {
        /// Who, with whom, what and when.
        #[serde(flatten)]
        context: Context,
        /// What confirmed it.
        confirmation: Confirmation,
        /// The service that its care and money belong to.
        service: ServiceId,
    },
    /// The hold ended without money; the slot is free.
    Lapsed,
    /// Money came after the hold had ended, and the slot was taken: it goes back.
    SlotLost {
        /// The payment.
        payment: PaymentId,
    },
    /// A charge before the visit is to be collected.
    VisitDue {
        /// Its debt.
        debt: DebtId,
        /// How much.
        amount: Money,
    },
    /// A charge before the visit failed; it is released at the deadline.
    PutAtRisk {
        /// Until when it may be paid.
        deadline: Timestamp,
        /// Why, as a code.
        reason: String,
    },
    /// It was paid in time.
    Secured,
    /// The provider sees the patient anyway; what is due stays owed.
    Overridden {
        /// Who.
        by: String,
        /// Why, as a code.
        reason: String,
    },
    /// It is an emergency, or part of care that must go on: it is never released for money. Or it no longer is.
    EmergencyMarked {
        /// Whether it is.
        emergency: bool,
        /// Who says so.
        by: String,
    },
    /// It moved to another time. Its payments stay with it.
    Moved {
        /// Who, with whom, what and when, from now on.
        #[serde(flatten)]
        context: Context,
        /// When it ends now.
        ends_at: Timestamp,
        /// When it was.
        from: Timestamp,
        /// Who moved it.
        by: Party,
        /// Why, as a code.
        reason: String,
    },
    /// The patient is here.
    Arrived {
        /// When.
        at: Timestamp,
    },
    /// The provider documents it in this encounter.
    EncounterOpened {
        /// Which.
        encounter: EncounterId,
    },
    /// The visit took place.
    VisitCompleted {
        /// When.
        at: Timestamp,
    },
    /// The patient did not come.
    PatientMissed {
        /// What the policy says.
        verdict: Verdict,
        /// Who says so.
        by: Party,
    },
    /// It will not take place.
    BookingCanceled {
        /// Who, with whom, what and when.
        #[serde(flatten)]
        context: Context,
        /// Who cancelled it.
        by: Party,
        /// Why, as a code.
        reason: String,
        /// What the policy says.
        verdict: Verdict,
        /// Who waived the fee, and why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waived: Option<(String, String)>,
    },
}

impl Event {
    /// The event's type in the journal.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::SlotSelected { .. } => "appointment.slot_selected",
            Self::HoldExtended { .. } => "appointment.hold_extended",
            Self::PaymentMoved { paid, .. } => match paid.role {
                Role::Deposit => "appointment.deposit_moved",
                Role::Visit => "appointment.visit_payment_moved",
            },
            Self::BookingConfirmed { .. } => "appointment.booking_confirmed",
            Self::Lapsed => "appointment.lapsed",
            Self::SlotLost { .. } => "appointment.slot_lost",
            Self::VisitDue { .. } => "appointment.visit_due",
            Self::PutAtRisk { .. } => "appointment.put_at_risk",
            Self::Secured => "appointment.secured",
            Self::Overridden { .. } => "appointment.overridden",
            Self::EmergencyMarked { .. } => "appointment.emergency_marked",
            Self::Moved { .. } => "appointment.moved",
            Self::Arrived { .. } => "appointment.arrived",
            Self::EncounterOpened { .. } => "appointment.encounter_opened",
            Self::VisitCompleted { .. } => "appointment.completed",
            Self::PatientMissed { .. } => "appointment.missed",
            Self::BookingCanceled { .. } => "appointment.booking_canceled",
        }
    }
}
