//! The estimate charge: what the patient is expected to owe, reserved before the service and taken when it is given.
//!
//! The money is in payments ([`crate::payment`]), one per authorization, all under one debt, so that at most one of them
//! may collect. This machine follows them: it holds the amount with its origin, the attempts, and what stands now. It never
//! says more than its payments prove; what is not answered yet is shown as `in_flight`.

use serde::{Deserialize, Serialize};

use crate::id::{DebtId, EligibilityId, EstimateId, PatientId, PaymentId, ServiceId};
use crate::money::Money;
use crate::payment;
use crate::time::Timestamp;

mod command;
mod life;
mod standing;

pub use command::{Command, decide};
pub use life::{authorize_at, life_of};
pub use standing::{Standing, Status, standing_of};

/// Who set an amount that is not the eligibility's, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// Who.
    pub by: String,
    /// Why, as a code.
    pub reason: String,
}

/// What happened to an estimate charge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It was made.
    Created {
        /// Its id.
        estimate: EstimateId,
        /// Whose share it is for.
        eligibility: EligibilityId,
        /// The patient.
        patient: PatientId,
        /// The link token that it shares with the service.
        link: String,
        /// The debt that its payments collect.
        debt: DebtId,
        /// How much.
        amount: Money,
        /// Who set another amount than the eligibility's.
        overridden: Option<Override>,
        /// When the service is.
        service_at: Option<Timestamp>,
    },
    /// The amount changed.
    AmountChanged {
        /// The new amount.
        amount: Money,
        /// Who set it; `None`: the eligibility changed.
        overridden: Option<Override>,
    },
    /// The service moved to another time.
    Rescheduled {
        /// When it is now.
        service_at: Timestamp,
    },
    /// A payment was made to reserve the amount.
    AttemptStarted {
        /// 1 for the first.
        number: u32,
        /// The payment.
        payment: PaymentId,
    },
    /// The latest payment proved something new.
    Moved {
        /// The payment.
        payment: PaymentId,
        /// What stands now.
        standing: Standing,
    },
    /// Another authorization is planned.
    AuthorizationPlanned {
        /// When.
        at: Timestamp,
    },
    /// It was given up before any money was reserved.
    Abandoned,
    /// It pays for the care of another eligibility check of the same patient.
    Relinked {
        /// That check.
        eligibility: EligibilityId,
        /// That care's link token.
        link: String,
        /// Who says so.
        by: String,
    },
    /// It belongs to a service.
    Attached {
        /// The service.
        service: ServiceId,
    },
    /// It belongs to no service any more.
    Detached {
        /// The service it belonged to.
        service: ServiceId,
    },
}

impl Event {
    /// The event's type in the journal.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Created { .. } => "estimate.created",
            Self::AmountChanged { .. } => "estimate.amount_changed",
            Self::Rescheduled { .. } => "estimate.rescheduled",
            Self::AttemptStarted { .. } => "estimate.attempt_started",
            Self::Moved { standing, .. } => match standing.status {
                Status::Pending => "estimate.pending",
                Status::Authorized => "estimate.authorized",
                Status::AuthorizationFailed => "estimate.authorization_failed",
                Status::Captured => "estimate.captured",
                Status::CaptureFailed => "estimate.capture_failed",
                Status::PartRefunded => "estimate.part_refunded",
                Status::Refunded => "estimate.refunded",
                Status::Canceled => "estimate.canceled",
                Status::Expired => "estimate.expired",
            },
            Self::AuthorizationPlanned { .. } => "estimate.authorization_planned",
            Self::Abandoned => "estimate.abandoned",
            Self::Relinked { .. } => "estimate.relinked",
            Self::Attached { .. } => "estimate.attached",
            Self::Detached { .. } => "estimate.detached",
        }
    }
}

/// An estimate charge as known now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Its id.
    pub id: EstimateId,
    /// Whose share it is for.
    pub eligibility: EligibilityId,
    /// The patient.
    pub patient: PatientId,
    /// The link token.
    pub link: String,
    /// The debt that its payments collect.
    pub debt: DebtId,
    /// How much.
    pub amount: Money,
    /// Who set another amount than the eligibility's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overridden: Option<Override>,
    /// When the service is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_at: Option<Timestamp>,
    /// Every payment, oldest first: each is one attempt.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payments: Vec<PaymentId>,
    /// What the latest payment proves.
    pub standing: Standing,
    /// The amount changed while the old one was authorized: its release is no end, the next authorization follows.
    #[serde(default)]
    pub replacing: bool,
    /// When another authorization is planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorize_at: Option<Timestamp>,
    /// The service that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceId>,
}

impl Estimate {
    /// Applies an event. Total.
    #[must_use]
    pub fn evolve(state: Option<Self>, event: &Event) -> Option<Self> {
        match (state, event) {
            (
                None,
                Event::Created { estimate, eligibility, patient, link, debt, amount, overridden, service_at },
            ) => Some(Self {
                id: *estimate,
                eligibility: *eligibility,
                patient: *patient,
                link: link.clone(),
                debt: *debt,
                amount: *amount,
                overridden: overridden.clone(),
                service_at: *service_at,
                payments: Vec::new(),
                standing: Standing {
                    status: Status::Pending,
                    payment_status: payment::Status::Created,
                    authorized_minor: 0,
                    captured_minor: 0,
                    refunded_minor: 0,
                    capture_before: None,
                },
                replacing: false,
                authorize_at: None,
                service: None,
            }),
            (None, _) => None,
            (Some(mut estimate), event) => {
                estimate.apply(event);
                Some(estimate)
            }
        }
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Created { .. } => {}
            Event::AmountChanged { amount, overridden } => {
                self.amount = *amount;
                self.replacing |= matches!(self.standing.status, Status::Authorized | Status::CaptureFailed);
                self.overridden.clone_from(overridden);
            }
            Event::Rescheduled { service_at } => self.service_at = Some(*service_at),
            Event::AttemptStarted { payment, .. } => {
                self.payments.push(*payment);
                self.replacing = false;
                self.authorize_at = None;
            }
            Event::Moved { standing, .. } => self.standing = standing.clone(),
            Event::AuthorizationPlanned { at } => self.authorize_at = Some(*at),
            Event::Abandoned => self.standing.status = Status::Canceled,
            Event::Relinked { eligibility, link, .. } => {
                self.eligibility = *eligibility;
                self.link.clone_from(link);
            }
            Event::Attached { service } => self.service = Some(*service),
            Event::Detached { .. } => self.service = None,
        }
    }

    /// The payment that stands for the charge now.
    #[must_use]
    pub fn payment(&self) -> Option<PaymentId> {
        self.payments.last().copied()
    }

    /// What was taken and did not go back, in minor units.
    #[must_use]
    pub const fn net_minor(&self) -> i64 {
        self.standing.captured_minor.saturating_sub(self.standing.refunded_minor)
    }

    /// What is in flight, for people: `None` when nothing is.
    #[must_use]
    pub fn in_flight(&self) -> Option<&'static str> {
        self.payment()?;
        match self.standing.payment_status {
            payment::Status::Unknown => Some("the last answer was lost; it is being looked up"),
            payment::Status::Processing => Some("the gateway has not decided yet"),
            payment::Status::RequiresAction => Some("waiting for patient: the bank asks for a check"),
            payment::Status::Created => Some("on its way to the gateway"),
            _ => None,
        }
    }

    /// Whether the hold of an old amount is proven released.
    fn is_released(&self) -> bool {
        self.replacing && self.standing.payment_status == payment::Status::Canceled
    }

    /// Whether a new authorization may be tried.
    #[must_use]
    pub fn may_attempt(&self) -> bool {
        match self.standing.status {
            Status::Pending => self.payments.is_empty() || self.is_released(),
            Status::AuthorizationFailed | Status::Expired => true,
            Status::Authorized
            | Status::Captured
            | Status::CaptureFailed
            | Status::PartRefunded
            | Status::Refunded
            | Status::Canceled => false,
        }
    }
}

#[cfg(test)]
mod tests;
