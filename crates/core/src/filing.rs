//! The filing of a business document in an ERP: what was sent, and how sure we are that it is there.
//!
//! Like a posting in the EHR, but of any kind: a customer, a sales order, a cash receipt, a credit memo. The document itself is
//! not in the journal: it is kept in the effect, and may hold what a person is called. The journal holds the reference, the
//! kind, the amount and the ERP's keys.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::FilingId;
use crate::money::Money;

/// Where a filing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Planned; the reference is stored.
    Planned,
    /// The answer was lost; it is looked up before anything is sent again.
    Unknown,
    /// The ERP has it, and told its keys.
    Filed,
    /// Refused; the ERP recorded nothing.
    Rejected,
    /// A person must act.
    WaitingForPerson,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Planned, Self::Unknown, Self::Filed, Self::Rejected, Self::WaitingForPerson];

    /// The status as written in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Unknown => "unknown",
            Self::Filed => "filed",
            Self::Rejected => "rejected",
            Self::WaitingForPerson => "waiting_for_person",
        }
    }
}

/// What a filing says of its document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// Its id.
    pub filing: FilingId,
    /// The connection to the ERP.
    pub connection: String,
    /// The reference by which the ERP finds the document.
    pub reference: String,
    /// The kind of document, for example `sales_order`.
    pub kind: String,
    /// How much, when it is about money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// The stream that it is about, for example an order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// The flow and version that made it.
    pub flow: String,
}

/// What happened to a filing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Planned.
    Planned(Planned),
    /// It moved on.
    Moved {
        /// Where to.
        to: Status,
        /// The ERP's keys of the document.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        keys: Option<Value>,
        /// Whether the document was there before.
        #[serde(default)]
        existing: bool,
        /// Our code for a failure.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        /// The field that was refused, in the ERP's word.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        field: Option<String>,
    },
}

impl Event {
    /// The event's type in the journal.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Planned(_) => "filing.planned",
            Self::Moved { to, .. } => match to {
                Status::Planned => "filing.planned_again",
                Status::Unknown => "filing.unknown",
                Status::Filed => "filing.filed",
                Status::Rejected => "filing.rejected",
                Status::WaitingForPerson => "filing.waiting_for_person",
            },
        }
    }
}

/// A filing as known now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Filing {
    /// What it says of its document.
    #[serde(flatten)]
    pub planned: Planned,
    /// Where it stands.
    pub status: Status,
    /// The ERP's keys of the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Value>,
    /// Whether the document was there before.
    #[serde(default)]
    pub existing: bool,
    /// Our code for a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The field that was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl Filing {
    /// Applies an event. Total.
    #[must_use]
    pub fn evolve(state: Option<Self>, event: &Event) -> Option<Self> {
        match (state, event) {
            (None, Event::Planned(planned)) => Some(Self {
                planned: planned.clone(),
                status: Status::Planned,
                keys: None,
                existing: false,
                code: None,
                field: None,
            }),
            (None, Event::Moved { .. }) => None,
            (Some(filing), Event::Planned(_)) => Some(filing),
            (Some(mut filing), Event::Moved { to, keys, existing, code, field }) => {
                filing.status = *to;
                filing.keys = keys.clone().or(filing.keys);
                filing.existing = *existing || filing.existing;
                filing.code.clone_from(code);
                filing.field.clone_from(field);
                Some(filing)
            }
        }
    }
}

/// What is known when a filing moves.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Told {
    /// The ERP's keys.
    pub keys: Option<Value>,
    /// Whether it was there before.
    pub existing: bool,
    /// Our code for a failure.
    pub code: Option<String>,
    /// The field that was refused.
    pub field: Option<String>,
}

/// The move to a status, or nothing when it is not legal or not news. What is filed stays filed.
#[must_use]
pub fn move_to(filing: &Filing, to: Status, told: Told) -> Option<Event> {
    use Status::{Filed, Planned, Rejected, Unknown, WaitingForPerson};
    let legal = match (filing.status, to) {
        (Planned | Unknown, Unknown | Filed | Rejected | WaitingForPerson) => filing.status != to,
        // A person mended the cause, or the look-up found it after all.
        (Rejected | WaitingForPerson, Planned | Filed | Unknown) => true,
        _ => false,
    };
    let Told { keys, existing, code, field } = told;
    legal.then_some(Event::Moved { to, keys, existing, code, field })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Mint, Random};
    use crate::time::Timestamp;

    struct Fixed;

    impl Random for Fixed {
        fn ten_bytes(&self) -> [u8; 10] {
            [6; 10]
        }
    }

    fn filing(status: Status) -> Filing {
        let planned = Planned {
            filing: FilingId::mint(Mint::new(Timestamp::from_seconds(1), &Fixed)),
            connection: "con1".into(),
            reference: "ord_1:order".into(),
            kind: "sales_order".into(),
            amount: Some(Money::usd(10_800)),
            about: None,
            flow: "order-to-cash@1".into(),
        };
        Filing { status, ..Filing::evolve(None, &Event::Planned(planned)).unwrap() }
    }

    #[test]
    fn the_transition_table_is_the_one_in_the_repository() {
        let cell = |from: Status, to: Status| {
            let before = filing(from);
            let event = move_to(&before, to, Told::default());
            event.map_or("-", |event| Filing::evolve(Some(before), &event).unwrap().status.name()).to_owned()
        };
        let rows: Vec<(String, Vec<String>)> = Status::ALL
            .iter()
            .map(|from| (from.name().to_owned(), Status::ALL.iter().map(|to| cell(*from, *to)).collect()))
            .collect();
        crate::tables::check("filing", &Status::ALL.map(Status::name), &rows);
    }

    #[test]
    fn keys_are_kept_and_what_is_filed_stays_filed() {
        let told = Told { keys: Some(serde_json::json!({ "order_number": 7 })), ..Told::default() };
        let event = move_to(&filing(Status::Unknown), Status::Filed, told.clone()).unwrap();
        let filed = Filing::evolve(Some(filing(Status::Unknown)), &event).unwrap();
        assert_eq!((filed.status, filed.keys.clone()), (Status::Filed, told.keys));
        for to in Status::ALL {
            assert_eq!(move_to(&filed, to, Told::default()), None, "{to:?}");
        }
    }
}
