//! What may be asked of a gateway payout, and what follows.

use serde::{Deserialize, Serialize};

use crate::audit::chain::Hash;
use crate::day::Day;
use crate::id::SettlementId;
use crate::ledger::Account;
use crate::money::Money;
use crate::refusal::Refusal;

use super::event::{Booking, Event, Resolution};
use super::lines::Judged;
use super::state::{Settlement, Standing};

/// What the gateway said first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// Our id.
    pub settlement: SettlementId,
    /// The connection: one reconciliation per account of a gateway.
    pub connection: String,
    /// The gateway's name.
    pub gateway: String,
    /// The gateway's id, for example `po_…`.
    pub payout: String,
    /// What goes to the bank; negative when the gateway takes it from there (FLOWS 8d).
    pub amount: Money,
    /// When it was made.
    pub created_on: Day,
    /// When the bank should have it.
    pub arrives_on: Day,
    /// Whether the gateway can list its lines: it cannot for payouts that a person made.
    pub linked: bool,
    /// Where it stood then.
    pub standing: Standing,
    /// The bank's reference, when it was known then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// What matching found, over all pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matching {
    /// How many lines there are.
    pub lines: i64,
    /// How many facts explain.
    pub matched: i64,
    /// Their sum.
    pub net: Money,
    /// The hash of all lines and matches.
    pub digest: Hash,
    /// Lines that no fact explains whole.
    pub booked: Vec<Judged>,
}

/// A line of the bank that belongs to a payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bank {
    /// Our id of the line.
    pub line: String,
    /// What the bank booked.
    pub amount: Money,
    /// What it kept.
    pub kept: Money,
    /// Its day.
    pub on: Day,
}

/// What may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// The gateway told of it.
    Hear(Box<Heard>),
    /// The gateway says where it stands.
    See {
        /// Where.
        standing: Standing,
        /// The bank's reference.
        trace: Option<String>,
        /// Why it failed.
        code: Option<String>,
        /// Today.
        today: Day,
    },
    /// Some lines are judged; others follow. Book what no fact explains.
    Book(Vec<Judged>),
    /// All lines are judged.
    Match(Box<Matching>),
    /// The bank shows it.
    SeeBank(Bank),
    /// Somebody looks after an exception.
    Assign {
        /// The gateway's line.
        transaction: String,
        /// Who.
        owner: String,
    },
    /// An exception is explained.
    Resolve {
        /// The gateway's line.
        transaction: String,
        /// As what.
        resolution: Resolution,
    },
}

/// Decides.
///
/// # Errors
/// A refusal; nothing was changed then.
pub fn decide(state: Option<&Settlement>, command: &Command) -> Result<Vec<Event>, Refusal> {
    let mut events = match (state, command) {
        (None, Command::Hear(heard)) => vec![Event::Heard(heard.clone())],
        (Some(_), Command::Hear(_)) => Vec::new(),
        (None, _) => return Err(unknown()),
        (Some(known), Command::See { standing, trace, code, .. }) => see(known, *standing, trace, code),
        (Some(known), Command::Book(judged)) => book(known, judged),
        (Some(known), Command::Match(matching)) => matched(known, matching)?,
        (Some(known), Command::SeeBank(bank)) => see_bank(known, bank)?,
        (Some(known), Command::Assign { transaction, owner }) => {
            exception(known, transaction)?;
            vec![Event::Assigned { transaction: transaction.clone(), owner: owner.clone() }]
        }
        (Some(known), Command::Resolve { transaction, resolution }) => {
            resolve(known, transaction, resolution)?
        }
    };
    let today = match command {
        Command::See { today, .. } => Some(*today),
        _ => None,
    };
    let after = events.iter().fold(state.cloned(), Settlement::evolve_ref);
    if let Some(after) = after {
        go_on(after, today, &mut events);
    }
    Ok(events)
}

impl Settlement {
    fn evolve_ref(state: Option<Self>, event: &Event) -> Option<Self> {
        Self::evolve(state, event)
    }
}

/// What follows by itself: it leaves when its lines are judged, comes back when it failed, closes when nothing is open.
fn go_on(mut state: Settlement, today: Option<Day>, events: &mut Vec<Event>) {
    let mut then = |state: Settlement, event: Event| {
        let after = Settlement::evolve(Some(state.clone()), &event).unwrap_or(state);
        events.push(event);
        after
    };
    if state.lines.is_some() && !state.departed && state.standing != Standing::Canceled {
        let on = state.day();
        state = then(state, Event::Departed { on });
    }
    if state.departed && !state.returned && state.standing >= Standing::Canceled {
        let on = today.unwrap_or(state.heard.arrives_on);
        state = then(state, Event::Returned { on });
    }
    let arrived = state.departed && state.transit_minor == 0;
    let never_left = state.standing == Standing::Canceled && !state.departed;
    if !state.closed && state.exceptions.is_empty() && (arrived || never_left) {
        then(state, Event::Closed);
    }
}

/// Later words win, but none leads back: a late `paid` after `failed` says nothing new (webhooks come in any order).
fn see(known: &Settlement, standing: Standing, trace: &Option<String>, code: &Option<String>) -> Vec<Event> {
    let standing = standing.max(known.standing);
    let is_new = standing != known.standing
        || trace.is_some() && *trace != known.trace
        || code.is_some() && *code != known.failure;
    let seen = || Event::StandingSeen { standing, trace: trace.clone(), code: code.clone() };
    is_new.then(seen).into_iter().collect()
}

fn book(known: &Settlement, judged: &[Judged]) -> Vec<Event> {
    let is_new = |judged: &&Judged| judged.amount.minor != 0 && known.lines.is_none();
    judged.iter().filter(is_new).map(Judged::event).collect()
}

fn matched(known: &Settlement, matching: &Matching) -> Result<Vec<Event>, Refusal> {
    if known.lines.is_some() {
        return Ok(Vec::new());
    }
    let mut events = book(known, &matching.booked);
    let difference = known.heard.amount.minus(matching.net).map_err(|_| wrong_currency())?;
    if difference.minor != 0 {
        let words =
            if known.heard.linked { "the lines do not add up to the payout" } else { "no lines are told" };
        events.push(Event::LineBooked {
            transaction: format!("{}:difference", known.heard.payout),
            label: format!("unknown: {words}"),
            amount: difference,
            booking: Booking::Unexplained,
            on: known.heard.created_on,
        });
    }
    events.push(Event::LinesMatched {
        lines: matching.lines,
        matched: matching.matched,
        net: matching.net,
        digest: matching.digest,
    });
    Ok(events)
}

fn see_bank(known: &Settlement, bank: &Bank) -> Result<Vec<Event>, Refusal> {
    if known.bank_lines.contains(&bank.line) {
        return Ok(Vec::new());
    }
    if bank.amount.currency != known.heard.amount.currency {
        return Err(wrong_currency());
    }
    let arrived = bank.amount.minor.saturating_add(bank.kept.minor);
    // A line of nothing moves nothing, whatever the bank says that it kept.
    let is_on_its_way = bank.amount.minor != 0
        && arrived != 0
        && known.transit_minor.signum() == arrived.signum()
        && arrived.unsigned_abs() <= known.transit_minor.unsigned_abs();
    if !is_on_its_way {
        return Err(Refusal::state(
            "bank_line_does_not_fit",
            format!(
                "Nothing was matched: the line is {}, and {} of this payout is on its way. Match another payout, or \
                 resolve the line with a reason.",
                bank.amount,
                known.transit()
            ),
        ));
    }
    let Bank { line, amount, kept, on } = bank.clone();
    Ok(vec![Event::BankMatched { line, amount, kept, on }])
}

fn exception<'a>(known: &'a Settlement, transaction: &str) -> Result<&'a super::state::Open, Refusal> {
    known.exceptions.get(transaction).ok_or_else(|| {
        Refusal::state(
            "exception_not_open",
            "Nothing was changed: this line is no open exception of this payout.",
        )
    })
}

fn resolve(known: &Settlement, transaction: &str, resolution: &Resolution) -> Result<Vec<Event>, Refusal> {
    exception(known, transaction)?;
    if let Resolution::Account { account: Account::SuspUnknown | Account::Bank | Account::BankTransit } =
        resolution
    {
        return Err(Refusal::invalid(
            "account_explains_nothing",
            "Nothing was changed: this account explains no line of a gateway. Name the account that it belongs to.",
        ));
    }
    Ok(vec![Event::Resolved { transaction: transaction.to_owned(), resolution: resolution.clone() }])
}

fn unknown() -> Refusal {
    Refusal::state("settlement_unknown", "Nothing was changed: this gateway payout was not heard of yet.")
}

fn wrong_currency() -> Refusal {
    Refusal::invalid("currency_mismatch", "Nothing was matched: the payout has another currency.")
}
