//! Typed ids with a prefix: `pay_018f…`. A payment's id cannot be passed where a refund's is wanted.
//!
//! Ids are UUIDv7, minted from the moment and the random bits that the caller passes in, so a simulation mints the
//! same ids from the same seed.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::time::Timestamp;

/// Random bits for ids, passed in by the shell. The simulator passes a seeded one.
pub trait Random: Send + Sync {
    /// Ten fresh bytes.
    fn ten_bytes(&self) -> [u8; 10];
}

/// Mints UUIDv7 values for one command: its moment and a source of random bits.
#[derive(Clone, Copy)]
pub struct Mint<'a> {
    now: Timestamp,
    random: &'a dyn Random,
}

impl<'a> Mint<'a> {
    /// A mint for commands at `now`.
    #[must_use]
    pub fn new(now: Timestamp, random: &'a dyn Random) -> Self {
        Self { now, random }
    }

    fn uuid(&self) -> Uuid {
        let millis = u64::try_from(self.now.millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &self.random.ten_bytes()).into_uuid()
    }
}

/// Text that is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an id of the form {prefix}_ followed by 32 hexadecimal digits")]
pub struct NotAnId {
    /// The refused text, shortened.
    pub text: String,
    /// The prefix that was expected.
    pub prefix: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// The prefix of this kind of id.
            pub const PREFIX: &'static str = $prefix;

            /// A fresh id.
            #[must_use]
            pub fn mint(mint: Mint<'_>) -> Self {
                Self(mint.uuid())
            }

            /// Parses the text form.
            ///
            /// # Errors
            /// [`NotAnId`] when prefix or digits are wrong.
            pub fn parse(text: &str) -> Result<Self, NotAnId> {
                text.strip_prefix(concat!($prefix, "_"))
                    .filter(|rest| rest.len() == 32)
                    .and_then(|rest| Uuid::try_parse(rest).ok())
                    .map(Self)
                    .ok_or_else(|| NotAnId { text: text.chars().take(48).collect(), prefix: $prefix })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// One payment: the collection of one amount for one debt.
    PaymentId = "pay";
    /// One debt: what a patient owes for an act of care, or a consented deposit.
    DebtId = "deb";
    /// One refund.
    RefundId = "ref";
    /// One dispute.
    DisputeId = "dis";
    /// One posting to an EHR, an ERP or a general ledger.
    PostingId = "pos";
    /// One filing of a document in an ERP.
    FilingId = "fil";
    /// One order of a customer.
    OrderId = "ord";
    /// An opaque link token: all that a gateway ever learns about a patient.
    LinkId = "lnk";
    /// One patient.
    PatientId = "pat";
    /// One consent to a charge.
    ConsentId = "cns";
    /// One intake form as a patient filled it in.
    IntakeId = "itk";
    /// One insurance policy of a patient.
    PolicyId = "pol";
    /// One check of what a patient will owe.
    EligibilityId = "elg";
    /// One estimate charge.
    EstimateId = "est";
    /// One service given to a patient.
    ServiceId = "svc";
    /// One signed note or addendum.
    NoteId = "nte";
    /// One invoice.
    InvoiceId = "inv";
    /// One remittance file.
    RemittanceId = "rem";
    /// One clinic: a place with a zone, and the rules that its visits follow.
    ClinicId = "cli";
    /// One provider: a person who gives care.
    ProviderId = "prv";
    /// One type of visit: how long, for how much, paid when.
    VisitTypeId = "vty";
    /// One appointment.
    AppointmentId = "apt";
    /// One place in the waiting list.
    WaitingId = "wai";
    /// One encounter: what happened at a visit, as the provider documents it.
    EncounterId = "enc";
    /// One provider's share of one visit, from accrual to transfer.
    ProviderPayoutId = "ppo";
    /// One gateway payout to the clinic's bank, from hearing of it to the bank's line.
    SettlementId = "stl";
    /// One message to a patient or provider.
    NoticeId = "ntc";
    /// One connection to another system.
    ConnectionId = "con";
    /// One run of a flow.
    RunId = "run";
    /// One message in the inbox.
    MessageId = "msg";
    /// One API key.
    ApiKeyId = "key";
    /// One endpoint that our own events are sent to.
    EndpointId = "whk";
    /// One entry of the access log.
    AccessId = "acc";
    /// One seal of the audit trail.
    SealId = "sea";
    /// One tenant.
    OrganizationId = "org";
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;

    impl Random for Fixed {
        fn ten_bytes(&self) -> [u8; 10] {
            [7; 10]
        }
    }

    #[test]
    fn an_id_round_trips_and_keeps_its_kind() {
        let mint = Mint::new(Timestamp::from_seconds(1_760_000_000), &Fixed);
        let id = PaymentId::mint(mint);
        assert_eq!(PaymentId::parse(&id.to_string()), Ok(id));
        assert!(RefundId::parse(&id.to_string()).is_err());
        assert_eq!(PaymentId::mint(mint), id, "same moment and bits, same id");
    }
}
