//! The refund that we ask for: reason and authorizer first, then the call, then proof.
//!
//! Its money facts live in the payment ([`crate::payment`]); this machine tracks the asking. Refunds that somebody made
//! at the gateway have no such stream: they appear on the payment only.

use serde::{Deserialize, Serialize};

use crate::explain::Reason;
use crate::id::{PaymentId, RefundId};
use crate::money::Money;
use crate::refusal::Refusal;
use crate::time::Timestamp;

/// Where a refund stands (FLOWS §0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Asked for; the key is stored.
    Requested,
    /// Handed to a sender.
    Sent,
    /// The answer was lost; it may have happened.
    Unknown,
    /// Accepted by the gateway, on its way.
    Pending,
    /// Arrived.
    Succeeded,
    /// Did not happen, or came back.
    Failed,
    /// Returned another way after it failed: cheque, other card.
    Rerouted,
}

impl Status {
    /// The status as written in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Sent => "sent",
            Self::Unknown => "unknown",
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Rerouted => "rerouted",
        }
    }
}

/// What happened to a refund.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It was asked for.
    Requested {
        /// Its id.
        refund: RefundId,
        /// The payment.
        payment: PaymentId,
        /// The gateway's charge.
        charge: String,
        /// How much.
        amount: Money,
        /// Who authorized it.
        authorizer: String,
        /// The frozen key.
        key: String,
        /// When.
        at: Timestamp,
    },
    /// It moved on.
    Moved {
        /// Where to.
        to: Status,
        /// The gateway's refund, when known.
        gateway_refund: Option<String>,
        /// Our code for a failure.
        code: Option<String>,
        /// When it was first handed to a sender: the gateway counts the life of its key from then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sent_at: Option<Timestamp>,
    },
}

impl Event {
    /// The event's type in the journal.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Requested { .. } => "refund.requested",
            Self::Moved { .. } => "refund.moved",
        }
    }
}

/// A refund as known now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Refund {
    /// Its id.
    pub id: RefundId,
    /// The payment.
    pub payment: PaymentId,
    /// The gateway's charge.
    pub charge: String,
    /// How much.
    pub amount: Money,
    /// Who authorized it.
    pub authorizer: String,
    /// The frozen key.
    pub key: String,
    /// When it was asked for.
    pub at: Timestamp,
    /// When it was first handed to a sender, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    /// Where it stands.
    pub status: Status,
    /// The gateway's refund, when known.
    pub gateway_refund: Option<String>,
    /// Our code for a failure.
    pub code: Option<String>,
}

impl Refund {
    /// From when the gateway counts the life of the key; `None` while it never left. Refunds that left before the moment was
    /// kept count from their request.
    #[must_use]
    pub fn key_used_at(&self) -> Option<Timestamp> {
        match self.status {
            Status::Requested => None,
            _ => Some(self.sent_at.unwrap_or(self.at)),
        }
    }

    /// Applies an event. Total.
    #[must_use]
    pub fn evolve(state: Option<Self>, event: &Event) -> Option<Self> {
        match (state, event) {
            (None, Event::Requested { refund, payment, charge, amount, authorizer, key, at }) => Some(Self {
                id: *refund,
                payment: *payment,
                charge: charge.clone(),
                amount: *amount,
                authorizer: authorizer.clone(),
                key: key.clone(),
                at: *at,
                sent_at: None,
                status: Status::Requested,
                gateway_refund: None,
                code: None,
            }),
            (None, Event::Moved { .. }) => None,
            (Some(refund), Event::Requested { .. }) => Some(refund),
            (Some(mut refund), Event::Moved { to, gateway_refund, code, sent_at }) => {
                refund.status = *to;
                refund.sent_at = refund.sent_at.or(*sent_at);
                refund.gateway_refund = gateway_refund.clone().or(refund.gateway_refund);
                refund.code.clone_from(code);
                Some(refund)
            }
        }
    }
}

/// Asks for a refund.
///
/// # Errors
/// A refusal when the authorizer is missing. Amount limits are the payment's ([`crate::payment::Command::ReserveRefund`]).
pub fn request(
    refund: RefundId,
    (payment, charge): (PaymentId, &str),
    amount: Money,
    authorizer: &str,
    now: Timestamp,
) -> Result<Event, Refusal> {
    if Reason::parse(authorizer).is_err() {
        return Err(Refusal::invalid(
            "authorizer_required",
            "Nothing was refunded. Name who authorizes the refund by user name or rule, 1 to 64 letters, digits or \
             underscores.",
        ));
    }
    Ok(Event::Requested {
        refund,
        payment,
        charge: charge.to_owned(),
        amount,
        authorizer: authorizer.to_owned(),
        key: format!("{refund}:{}", now.millis()),
        at: now,
    })
}

/// Hands the refund to a sender: from now on it may have happened, and its key lives for as long as the gateway remembers it.
#[must_use]
pub fn send(refund: &Refund, now: Timestamp) -> Option<Event> {
    match move_to(refund, Status::Sent, None, None)? {
        Event::Moved { to, gateway_refund, code, .. } => {
            Some(Event::Moved { to, gateway_refund, code, sent_at: Some(now) })
        }
        requested @ Event::Requested { .. } => Some(requested),
    }
}

/// The move to a status, or nothing when it is not news. Proof only moves forward; `Failed` may follow `Succeeded`,
/// because a refund can come back weeks later.
#[must_use]
pub fn move_to(
    refund: &Refund,
    to: Status,
    gateway_refund: Option<&str>,
    code: Option<&str>,
) -> Option<Event> {
    let rank = |status| match status {
        Status::Requested => 0,
        Status::Sent => 1,
        Status::Unknown => 2,
        Status::Pending => 3,
        Status::Succeeded => 4,
        Status::Failed => 5,
        Status::Rerouted => 6,
    };
    let rerouted_early = to == Status::Rerouted && refund.status != Status::Failed;
    if rank(to) <= rank(refund.status) || rerouted_early {
        return None;
    }
    let gateway_refund = gateway_refund.map(ToOwned::to_owned);
    Some(Event::Moved { to, gateway_refund, code: code.map(ToOwned::to_owned), sent_at: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Mint, Random};

    struct Fixed;

    impl Random for Fixed {
        fn ten_bytes(&self) -> [u8; 10] {
            [3; 10]
        }
    }

    fn requested(authorizer: &str) -> Result<Event, Refusal> {
        let now = Timestamp::from_seconds(1);
        let mint = Mint::new(now, &Fixed);
        request(RefundId::mint(mint), (PaymentId::mint(mint), "ch_1"), Money::usd(100), authorizer, now)
    }

    #[test]
    fn a_refund_without_an_authorizer_is_impossible() {
        assert_eq!(requested("").unwrap_err().code, "authorizer_required");
    }

    #[test]
    fn the_life_of_a_key_begins_when_it_first_leaves() {
        let refund = Refund::evolve(None, &requested("dr_who").unwrap()).unwrap();
        assert_eq!(refund.key_used_at(), None);
        let later = Timestamp::from_seconds(500_000);
        let sent = Refund::evolve(Some(refund.clone()), &send(&refund, later).unwrap()).unwrap();
        assert_eq!((sent.status, sent.key_used_at()), (Status::Sent, Some(later)));
        assert_eq!(send(&sent, Timestamp::from_seconds(900_000)), None);
        let before = Refund { sent_at: None, ..sent };
        assert_eq!(before.key_used_at(), Some(refund.at), "one that left before the moment was kept");
    }

    #[test]
    fn the_transition_table_is_the_one_in_the_repository() {
        use Status::{Failed, Pending, Requested, Rerouted, Sent, Succeeded, Unknown};
        let all = [Requested, Sent, Unknown, Pending, Succeeded, Failed, Rerouted];
        let refund = Refund::evolve(None, &requested("dr_who").unwrap()).unwrap();
        let cell = |from: Status, to: Status| {
            let before = Refund { status: from, ..refund.clone() };
            match move_to(&before, to, None, None) {
                Some(event) => Refund::evolve(Some(before), &event).unwrap().status.name().to_owned(),
                None => "-".to_owned(),
            }
        };
        let columns: Vec<&str> = all[1..].iter().map(|status| status.name()).collect();
        let rows: Vec<(String, Vec<String>)> = all
            .iter()
            .map(|from| (from.name().to_owned(), all[1..].iter().map(|to| cell(*from, *to)).collect()))
            .collect();
        crate::tables::check("refund", &columns, &rows);
    }
}
