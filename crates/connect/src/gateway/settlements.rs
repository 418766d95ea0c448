//! Gateway payouts: money that a gateway sends to the clinic's bank, and the lines of its balance that each consists of.
//!
//! Used by `engine` for reconciliation. What a gateway pays on to providers is [`crate::gateway::Transfers`].

use suture_core::day::Day;
use suture_core::money::Money;
use suture_core::settlement::{Line, Standing};

use crate::gateway::Part;
use crate::http::{HttpRequest, HttpResponse};
use crate::outcome::Outcome;

/// A gateway payout as seen now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettlementSeen {
    /// The gateway's id.
    pub payout: String,
    /// What goes to the bank; negative when it is taken from there.
    pub amount: Money,
    /// When it was made, in UTC.
    pub created_on: Day,
    /// When the bank should have it, in UTC.
    pub arrives_on: Day,
    /// Whether the gateway can ever list its lines.
    pub linked: bool,
    /// Whether its lines can be listed now.
    pub ready: bool,
    /// Where it stands.
    pub standing: Standing,
    /// The bank's reference.
    pub trace: Option<String>,
    /// Why it failed, in the gateway's code.
    pub failure: Option<String>,
}

/// Read the lines of gateway payouts, and the balance.
pub trait Settlements: Send + Sync {
    /// Builds one page of the lines of a payout, `limit` ≤ 100.
    fn lines(&self, payout: &str, after: Option<&str>, limit: u8) -> HttpRequest;
    /// Reads one page. The payout's own line is left out. A line that cannot be read makes the page unreadable: a sum over
    /// a part of them would be wrong.
    fn read_lines(&self, payout: &str, response: &HttpResponse) -> Outcome<Part<Line>>;
    /// Builds the question for the balance.
    fn balance(&self) -> HttpRequest;
    /// Reads the balance, available and pending together, one amount per currency.
    fn read_balance(&self, response: &HttpResponse) -> Outcome<Vec<Money>>;
}
