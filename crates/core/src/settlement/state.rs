//! What is known about a gateway payout, and the status that follows from it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::day::Day;
use crate::money::Money;

use super::command::Heard;
use super::event::{Booking, Event};

/// Where the gateway says that it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Not sent yet.
    Pending,
    /// On its way.
    InTransit,
    /// The gateway expects that the bank has it.
    Paid,
    /// Canceled before it left.
    Canceled,
    /// The bank refused it, or sent it back.
    Failed,
}

/// Where the reconciliation stands (FLOWS §0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Its lines are not matched yet.
    Open,
    /// Its lines are matched, and some are not explained.
    Exception,
    /// Every line is explained; the bank does not show it yet.
    Matched,
    /// It came back, and money of it is still on its way.
    Returned,
    /// It came back, or was canceled, and nothing of it is on its way.
    Failed,
    /// Everything is explained and at the bank.
    Closed,
}

impl Status {
    /// The status as written in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Exception => "exception",
            Self::Matched => "matched",
            Self::Returned => "returned",
            Self::Failed => "failed",
            Self::Closed => "closed",
        }
    }
}

/// A line that nothing explains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// The line in words.
    pub label: String,
    /// What stands in `susp:unknown` for it, as it changed the gateway's balance.
    pub amount: Money,
    /// Who looks after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// A gateway payout as known now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// What was heard first.
    pub heard: Heard,
    /// Where the gateway says that it stands.
    pub standing: Standing,
    /// The bank's reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// How many lines there are; `None` until they are matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<i64>,
    /// How many of them facts of the books explain.
    pub matched: i64,
    /// Exceptions by the gateway's line.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub exceptions: BTreeMap<String, Open>,
    /// Whether it left the gateway.
    pub departed: bool,
    /// Whether it came back.
    pub returned: bool,
    /// What is on its way to the bank, in minor units; negative on its way back.
    pub transit_minor: i64,
    /// Bank lines that belong to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bank_lines: Vec<String>,
    /// Whether it is closed.
    pub closed: bool,
}

impl Settlement {
    /// The status that follows from what is known.
    #[must_use]
    pub fn status(&self) -> Status {
        let is_gone = self.returned || self.standing >= Standing::Canceled;
        match (self.closed, self.lines, self.exceptions.is_empty()) {
            (true, ..) if is_gone => Status::Failed,
            (true, ..) => Status::Closed,
            (false, _, false) => Status::Exception,
            _ if is_gone && self.transit_minor == 0 => Status::Failed,
            _ if is_gone => Status::Returned,
            (false, None, true) => Status::Open,
            (false, Some(_), true) => Status::Matched,
        }
    }

    /// What is not explained: the sum over its exceptions.
    #[must_use]
    pub fn unexplained(&self) -> Money {
        let sum = self.exceptions.values().fold(0_i64, |sum, open| sum.saturating_add(open.amount.minor));
        Money::new(sum, self.heard.amount.currency)
    }

    /// The remainder in words: `explained 100 %`, `unexplained 3.12: …`, or that its lines are not known yet.
    #[must_use]
    pub fn remainder(&self) -> String {
        match (self.lines, self.exceptions.is_empty()) {
            (None, _) => "not explained yet: its lines are not known".to_owned(),
            (Some(_), true) => "explained 100 %".to_owned(),
            (Some(_), false) => {
                let named = self.exceptions.values().take(5);
                let named: Vec<String> =
                    named.map(|open| format!("{} {}", open.label, open.amount.to_decimal())).collect();
                let more = self.exceptions.len().saturating_sub(5);
                let more = if more == 0 { String::new() } else { format!(" and {more} more") };
                format!("unexplained {}: {}{more}", self.unexplained().to_decimal(), named.join(", "))
            }
        }
    }

    /// What is on its way.
    #[must_use]
    pub const fn transit(&self) -> Money {
        Money::new(self.transit_minor, self.heard.amount.currency)
    }

    /// The day that its money counts for.
    #[must_use]
    pub const fn day(&self) -> Day {
        self.heard.arrives_on
    }

    /// Applies an event. Total.
    #[must_use]
    pub fn evolve(state: Option<Self>, event: &Event) -> Option<Self> {
        match (state, event) {
            (None, Event::Heard(heard)) => Some(Self {
                heard: (**heard).clone(),
                standing: heard.standing,
                trace: heard.trace.clone(),
                failure: None,
                lines: None,
                matched: 0,
                exceptions: BTreeMap::new(),
                departed: false,
                returned: false,
                transit_minor: 0,
                bank_lines: Vec::new(),
                closed: false,
            }),
            (None, _) => None,
            (Some(mut settlement), event) => {
                settlement.apply(event);
                Some(settlement)
            }
        }
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Heard(_) => {}
            Event::StandingSeen { standing, trace, code } => {
                self.standing = *standing;
                self.trace = trace.clone().or(self.trace.take());
                self.failure = code.clone().or(self.failure.take());
            }
            Event::LineBooked { transaction, label, amount, booking: Booking::Unexplained, .. } => {
                let open = Open { label: label.clone(), amount: *amount, owner: None };
                self.exceptions.insert(transaction.clone(), open);
            }
            Event::LineBooked { .. } => {}
            Event::LinesMatched { lines, matched, .. } => {
                self.lines = Some(*lines);
                self.matched = *matched;
            }
            Event::Departed { .. } => {
                self.departed = true;
                self.transit_minor = self.transit_minor.saturating_add(self.heard.amount.minor);
            }
            Event::Returned { .. } => {
                self.returned = true;
                self.closed = false;
                self.transit_minor = self.transit_minor.saturating_sub(self.heard.amount.minor);
            }
            Event::BankMatched { line, amount, kept, .. } => {
                let arrived = amount.minor.saturating_add(kept.minor);
                self.transit_minor = self.transit_minor.saturating_sub(arrived);
                self.bank_lines.push(line.clone());
                self.closed = false;
            }
            Event::Assigned { transaction, owner } => {
                if let Some(open) = self.exceptions.get_mut(transaction) {
                    open.owner = Some(owner.clone());
                }
            }
            Event::Resolved { transaction, .. } => {
                self.exceptions.remove(transaction);
            }
            Event::Closed => self.closed = true,
        }
    }
}
