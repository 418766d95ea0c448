//! What happened to a gateway payout: past-tense facts, as they stand in the journal.

use serde::{Deserialize, Serialize};

use crate::audit::chain::Hash;
use crate::day::Day;
use crate::ledger::Account;
use crate::money::Money;

use super::command::Heard;
use super::state::Standing;

/// What a line means that the books do not know by another fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "as", rename_all = "snake_case")]
pub enum Booking {
    /// A fee of the gateway that belongs to no payment.
    Fee,
    /// The gateway exchanged what the books hold in another currency.
    Exchange {
        /// What the books hold.
        booked: Money,
    },
    /// Nothing explains it. It stands in `susp:unknown`, and somebody must say what it is.
    Unexplained,
}

/// What a person, or a later fact, said of an exception.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "as", rename_all = "snake_case")]
pub enum Resolution {
    /// A fact that came later explains it: it goes back to the gateway's account, where the fact is.
    Fact,
    /// It belongs to this account.
    Account {
        /// Which.
        account: Account,
    },
}

/// One fact about one gateway payout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It was heard of for the first time.
    Heard(Box<Heard>),
    /// The gateway says where it stands.
    StandingSeen {
        /// Where.
        standing: Standing,
        /// The bank's reference, when the gateway knows it.
        trace: Option<String>,
        /// Why it failed.
        code: Option<String>,
    },
    /// A line is booked by itself, because no other fact tells of it.
    LineBooked {
        /// The gateway's line.
        transaction: String,
        /// The line in words: `unknown: capital_repayment`.
        label: String,
        /// What it changes the gateway's balance by, beyond what the books say.
        amount: Money,
        /// As what.
        booking: Booking,
        /// The line's day.
        on: Day,
    },
    /// Every line is judged.
    LinesMatched {
        /// How many lines there are, the payout's own left out.
        lines: i64,
        /// How many were explained by facts of the books.
        matched: i64,
        /// The sum of the lines.
        net: Money,
        /// The hash of all lines with what each was matched with.
        digest: Hash,
    },
    /// It left the gateway.
    Departed {
        /// The day that it counts for.
        on: Day,
    },
    /// The gateway took it back.
    Returned {
        /// The day that it counts for.
        on: Day,
    },
    /// The bank shows it, or a part of it, or its return.
    BankMatched {
        /// Our id of the bank's line.
        line: String,
        /// What the bank booked.
        amount: Money,
        /// What the bank kept, within the tolerance.
        kept: Money,
        /// The bank's day.
        on: Day,
    },
    /// Somebody looks after an exception.
    Assigned {
        /// The gateway's line.
        transaction: String,
        /// Who.
        owner: String,
    },
    /// An exception is explained.
    Resolved {
        /// The gateway's line.
        transaction: String,
        /// As what.
        resolution: Resolution,
    },
    /// Everything is explained and at the bank.
    Closed,
}

impl Event {
    /// The event's type in the journal.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Heard(_) => "settlement.heard",
            Self::StandingSeen { .. } => "settlement.standing_seen",
            Self::LineBooked { .. } => "settlement.line_booked",
            Self::LinesMatched { .. } => "settlement.lines_matched",
            Self::Departed { .. } => "settlement.departed",
            Self::Returned { .. } => "settlement.returned",
            Self::BankMatched { .. } => "settlement.bank_matched",
            Self::Assigned { .. } => "settlement.assigned",
            Self::Resolved { .. } => "settlement.resolved",
            Self::Closed => "settlement.closed",
        }
    }
}
