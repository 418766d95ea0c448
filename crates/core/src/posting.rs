//! A posting to another system: what was sent to the EHR (later: ERP, general ledger), and how sure we are that it is
//! there (FEATURES M371).
//!
//! The document itself is not in the journal: it is rebuilt from the flow run, or kept in the effect. The journal holds
//! the reference, the route and the evidence.

use serde::{Deserialize, Serialize};

use crate::id::PostingId;
use crate::money::Money;

/// Where a posting stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Planned; the reference is stored.
    Planned,
    /// The answer was lost; it is looked up before anything is sent again.
    Unknown,
    /// Sent; the other side offers no proof.
    Accepted,
    /// Proven: read back, or a receipt was given.
    Confirmed,
    /// Refused by the other side.
    Rejected,
    /// A person must act.
    WaitingForPerson,
    /// Taken back by a later posting.
    Reversed,
}

impl Status {
    /// The status as written in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Unknown => "unknown",
            Self::Accepted => "accepted",
            Self::Confirmed => "confirmed",
            Self::Rejected => "rejected",
            Self::WaitingForPerson => "waiting_for_person",
            Self::Reversed => "reversed",
        }
    }

    /// What a person reads.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Planned => "not sent yet",
            Self::Unknown => "sent, answer lost: being looked up",
            Self::Accepted => "posted, not confirmable",
            Self::Confirmed => "posted and read back",
            Self::Rejected => "refused by the other system",
            Self::WaitingForPerson => "waiting for person",
            Self::Reversed => "taken back",
        }
    }
}

/// What happened to a posting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Planned.
    Planned {
        /// Its id.
        posting: PostingId,
        /// The connection to the other system.
        connection: String,
        /// The fact it reports: the reference that makes it findable over there.
        reference: String,
        /// The fact it takes back, for a reversal.
        reverses: Option<String>,
        /// How much.
        amount: Money,
        /// The flow and version that made it.
        flow: String,
    },
    /// It moved on.
    Moved {
        /// Where to.
        to: Status,
        /// The route it took, when known.
        route: Option<String>,
        /// The proof: a receipt number or what was read back.
        evidence: Option<String>,
        /// Our code for a failure.
        code: Option<String>,
    },
}

impl Event {
    /// The event's type in the journal.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Planned { .. } => "posting.planned",
            Self::Moved { to, .. } => match to {
                Status::Planned => "posting.planned_again",
                Status::Unknown => "posting.unknown",
                Status::Accepted => "posting.accepted",
                Status::Confirmed => "posting.confirmed",
                Status::Rejected => "posting.rejected",
                Status::WaitingForPerson => "posting.waiting_for_person",
                Status::Reversed => "posting.reversed",
            },
        }
    }
}

/// A posting as known now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Posting {
    /// Its id.
    pub id: PostingId,
    /// The connection.
    pub connection: String,
    /// The fact it reports.
    pub reference: String,
    /// The fact it takes back.
    pub reverses: Option<String>,
    /// How much.
    pub amount: Money,
    /// The flow and version that made it.
    pub flow: String,
    /// Where it stands.
    pub status: Status,
    /// The route it took.
    pub route: Option<String>,
    /// The proof.
    pub evidence: Option<String>,
    /// Our code for a failure.
    pub code: Option<String>,
}

impl Posting {
    /// Applies an event. Total.
    #[must_use]
    pub fn evolve(state: Option<Self>, event: &Event) -> Option<Self> {
        match (state, event) {
            (None, Event::Planned { posting, connection, reference, reverses, amount, flow }) => Some(Self {
                id: *posting,
                connection: connection.clone(),
                reference: reference.clone(),
                reverses: reverses.clone(),
                amount: *amount,
                flow: flow.clone(),
                status: Status::Planned,
                route: None,
                evidence: None,
                code: None,
            }),
            (None, Event::Moved { .. }) => None,
            (Some(posting), Event::Planned { .. }) => Some(posting),
            (Some(mut posting), Event::Moved { to, route, evidence, code }) => {
                posting.status = *to;
                posting.route = route.clone().or(posting.route);
                posting.evidence = evidence.clone().or(posting.evidence);
                posting.code.clone_from(code);
                Some(posting)
            }
        }
    }
}

/// The move to a status, or nothing when it is not legal or not news. Proof never goes back to doubt.
#[must_use]
pub fn move_to(
    posting: &Posting,
    to: Status,
    route: Option<&str>,
    evidence: Option<&str>,
    code: Option<&str>,
) -> Option<Event> {
    use Status::{Accepted, Confirmed, Planned, Rejected, Reversed, Unknown, WaitingForPerson};
    let legal = match (posting.status, to) {
        (Planned | Unknown, Unknown | Accepted | Confirmed | Rejected | WaitingForPerson) => {
            posting.status != to
        }
        // A person mended the cause, or the look-up found it after all.
        (Rejected | WaitingForPerson, Planned | Confirmed | Accepted | Unknown) => true,
        (Accepted, Confirmed) | (Accepted | Confirmed, Reversed) => true,
        _ => false,
    };
    let owned = |text: Option<&str>| text.map(ToOwned::to_owned);
    legal.then(|| Event::Moved { to, route: owned(route), evidence: owned(evidence), code: owned(code) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Mint, Random};
    use crate::time::Timestamp;

    struct Fixed;

    impl Random for Fixed {
        fn ten_bytes(&self) -> [u8; 10] {
            [5; 10]
        }
    }

    #[test]
    fn the_transition_table_is_the_one_in_the_repository() {
        use Status::{Accepted, Confirmed, Planned, Rejected, Reversed, Unknown, WaitingForPerson};
        let all = [Planned, Unknown, Accepted, Confirmed, Rejected, WaitingForPerson, Reversed];
        let posting = Posting {
            id: PostingId::mint(Mint::new(Timestamp::from_seconds(1), &Fixed)),
            connection: "con1".into(),
            reference: "charge:ch_1".into(),
            reverses: None,
            amount: Money::usd(12000),
            flow: "stripe-to-epic@1".into(),
            status: Planned,
            route: None,
            evidence: None,
            code: None,
        };
        let cell = |from, to| {
            let before = Posting { status: from, ..posting.clone() };
            let event = move_to(&before, to, None, None, None);
            event.map_or("-", |event| Posting::evolve(Some(before), &event).unwrap().status.name()).to_owned()
        };
        let columns: Vec<&str> = all.iter().map(|status| status.name()).collect();
        let rows: Vec<(String, Vec<String>)> = all
            .iter()
            .map(|from| (from.name().to_owned(), all.iter().map(|to| cell(*from, *to)).collect()))
            .collect();
        crate::tables::check("posting", &columns, &rows);
    }
}
