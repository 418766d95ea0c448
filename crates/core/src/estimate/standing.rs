//! Where an estimate charge stands, and what its payment proves about it.

use serde::{Deserialize, Serialize};

use crate::payment::{self, Payment};
use crate::time::Timestamp;

/// Where an estimate charge stands (FLOWS §0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nothing is reserved yet.
    Pending,
    /// The amount is reserved.
    Authorized,
    /// The reservation did not happen; try again or with another method.
    AuthorizationFailed,
    /// The money is taken.
    Captured,
    /// The capture was refused; the reservation may still stand.
    CaptureFailed,
    /// A part went back.
    PartRefunded,
    /// All went back.
    Refunded,
    /// The reservation was released.
    Canceled,
    /// The reservation lapsed.
    Expired,
}

impl Status {
    /// The status as written in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Authorized => "authorized",
            Self::AuthorizationFailed => "authorization_failed",
            Self::Captured => "captured",
            Self::CaptureFailed => "capture_failed",
            Self::PartRefunded => "part_refunded",
            Self::Refunded => "refunded",
            Self::Canceled => "canceled",
            Self::Expired => "expired",
        }
    }

    /// Whether money was taken and not all of it went back.
    #[must_use]
    pub const fn holds_money(self) -> bool {
        matches!(self, Self::Captured | Self::PartRefunded)
    }
}

/// What the latest payment proves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Where the charge stands.
    pub status: Status,
    /// The payment's own status: says what is in flight, or needs the patient.
    pub payment_status: payment::Status,
    /// Reserved, in minor units.
    pub authorized_minor: i64,
    /// Taken, in minor units.
    pub captured_minor: i64,
    /// Gone back, in minor units.
    pub refunded_minor: i64,
    /// The reservation lapses then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture_before: Option<Timestamp>,
}

/// What a payment proves about its estimate charge.
#[must_use]
pub fn standing_of(payment: &Payment) -> Standing {
    let payment_status = payment.status();
    let status = match payment_status {
        payment::Status::Created | payment::Status::Processing | payment::Status::Unknown => Status::Pending,
        payment::Status::RequiresMethod | payment::Status::RequiresAction | payment::Status::Failed => {
            Status::AuthorizationFailed
        }
        payment::Status::Authorized if payment.captures > 0 && payment.capturing.is_none() => {
            Status::CaptureFailed
        }
        payment::Status::Authorized => Status::Authorized,
        payment::Status::Captured
        | payment::Status::Settled
        | payment::Status::Disputed
        | payment::Status::Lost => Status::Captured,
        payment::Status::PartRefunded => Status::PartRefunded,
        payment::Status::Refunded => Status::Refunded,
        payment::Status::Canceled => Status::Canceled,
        payment::Status::Expired => Status::Expired,
    };
    Standing {
        status,
        payment_status,
        authorized_minor: payment.authorized_minor,
        captured_minor: payment.captured_minor,
        refunded_minor: payment.refunded_minor(),
        capture_before: payment.capture_before,
    }
}
