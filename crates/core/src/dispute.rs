//! The dispute as a task for people: what stage it is in, by when to answer, and what we decided.
//!
//! Its money facts live in the payment ([`crate::payment`]).

use serde::{Deserialize, Serialize};

use crate::evidence::DisputeStatus;
use crate::id::{DisputeId, PaymentId};
use crate::money::Money;
use crate::refusal::Refusal;
use crate::time::Timestamp;

/// Where a dispute stands (FLOWS §0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Asked about; no funds moved.
    Inquiry,
    /// Waits for our answer.
    Opened,
    /// We answered.
    Challenged,
    /// We accepted the loss.
    Accepted,
    /// The deadline passed without an answer.
    Expired,
    /// Ended in our favour.
    Won,
    /// Ended against us.
    Lost,
}

impl Status {
    /// The status as written in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inquiry => "inquiry",
            Self::Opened => "opened",
            Self::Challenged => "challenged",
            Self::Accepted => "accepted",
            Self::Expired => "expired",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }
}

/// What happened to a dispute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// First seen.
    Opened {
        /// Our id.
        dispute: DisputeId,
        /// The disputed payment.
        payment: PaymentId,
        /// The gateway's id.
        gateway_dispute: String,
        /// How much.
        amount: Money,
        /// Answer by then.
        due_by: Option<Timestamp>,
        /// The stage.
        status: Status,
    },
    /// It moved on.
    Moved {
        /// Where to.
        to: Status,
    },
}

impl Event {
    /// The event's type in the journal.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "dispute.opened",
            Self::Moved { .. } => "dispute.moved",
        }
    }
}

/// A dispute as known now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dispute {
    /// Our id.
    pub id: DisputeId,
    /// The disputed payment.
    pub payment: PaymentId,
    /// The gateway's id.
    pub gateway_dispute: String,
    /// How much.
    pub amount: Money,
    /// Answer by then.
    pub due_by: Option<Timestamp>,
    /// The stage.
    pub status: Status,
}

impl Dispute {
    /// Applies an event. Total.
    #[must_use]
    pub fn evolve(state: Option<Self>, event: &Event) -> Option<Self> {
        match (state, event) {
            (None, Event::Opened { dispute, payment, gateway_dispute, amount, due_by, status }) => {
                Some(Self {
                    id: *dispute,
                    payment: *payment,
                    gateway_dispute: gateway_dispute.clone(),
                    amount: *amount,
                    due_by: *due_by,
                    status: *status,
                })
            }
            (None, Event::Moved { .. }) => None,
            (Some(dispute), Event::Opened { .. }) => Some(dispute),
            (Some(dispute), Event::Moved { to }) => Some(Self { status: *to, ..dispute }),
        }
    }
}

/// The stage that a gateway's word means.
#[must_use]
pub const fn stage(seen: DisputeStatus) -> Status {
    match seen {
        DisputeStatus::Inquiry | DisputeStatus::InquiryClosed => Status::Inquiry,
        DisputeStatus::Opened => Status::Opened,
        DisputeStatus::Challenged => Status::Challenged,
        DisputeStatus::Won => Status::Won,
        DisputeStatus::Lost => Status::Lost,
    }
}

/// What the gateway's word changes. Outcomes are final, except that a won dispute may reopen (pre-arbitration).
#[must_use]
pub fn see(dispute: &Dispute, seen: Status) -> Option<Event> {
    let rank = |status| match status {
        Status::Inquiry => 0,
        Status::Opened => 1,
        Status::Challenged => 2,
        Status::Accepted | Status::Expired => 3,
        Status::Won => 4,
        Status::Lost => 5,
    };
    (rank(seen) > rank(dispute.status)).then_some(Event::Moved { to: seen })
}

/// Accepts the loss.
///
/// # Errors
/// A refusal when the dispute has ended.
pub fn accept(dispute: &Dispute) -> Result<Event, Refusal> {
    match dispute.status {
        Status::Inquiry | Status::Opened | Status::Challenged => Ok(Event::Moved { to: Status::Accepted }),
        Status::Accepted | Status::Expired | Status::Won | Status::Lost => Err(Refusal::state(
            "dispute_ended",
            format!("Nothing was changed: the dispute is {}.", dispute.status.name()),
        )),
    }
}

/// Marks a dispute whose deadline passed without an answer.
#[must_use]
pub fn expire(dispute: &Dispute, now: Timestamp) -> Option<Event> {
    let late = dispute.status == Status::Opened && dispute.due_by.is_some_and(|due| due < now);
    late.then_some(Event::Moved { to: Status::Expired })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Mint, Random};

    struct Fixed;

    impl Random for Fixed {
        fn ten_bytes(&self) -> [u8; 10] {
            [4; 10]
        }
    }

    #[test]
    fn the_transition_table_is_the_one_in_the_repository() {
        use Status::{Accepted, Challenged, Expired, Inquiry, Lost, Opened, Won};
        let now = Timestamp::from_seconds(100);
        let mint = Mint::new(now, &Fixed);
        let dispute = |status| Dispute {
            id: DisputeId::mint(mint),
            payment: PaymentId::mint(mint),
            gateway_dispute: "dp_1".into(),
            amount: Money::usd(7500),
            due_by: Some(Timestamp::from_seconds(99)),
            status,
        };
        let name = |status, event: Option<Event>| match event {
            Some(event) => Dispute::evolve(Some(dispute(status)), &event).unwrap().status.name(),
            None => "-",
        };
        let columns = ["see opened", "see challenged", "see won", "see lost", "accept", "deadline passes"];
        let row = |status| {
            let seen = [Opened, Challenged, Won, Lost].map(|word| name(status, see(&dispute(status), word)));
            let accepted =
                accept(&dispute(status)).map_or("- dispute_ended", |event| name(status, Some(event)));
            let expired = name(status, expire(&dispute(status), now));
            seen.into_iter().chain([accepted, expired]).map(ToOwned::to_owned).collect()
        };
        let all = [Inquiry, Opened, Challenged, Accepted, Expired, Won, Lost];
        let rows: Vec<(String, Vec<String>)> =
            all.iter().map(|at| (at.name().to_owned(), row(*at))).collect();
        crate::tables::check("dispute", &columns, &rows);
    }
}
