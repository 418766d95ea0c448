//! What may be done with a provider's payout, and what follows. Refusals come in a fixed order: identity, shape, state.

use crate::explain::Reason;
use crate::id::ProviderPayoutId;
use crate::money::Money;
use crate::refusal::Refusal;
use crate::time::Timestamp;

use super::event::Event;
use super::state::ProviderPayout;
use super::terms::{Accrual, HoldReason, Share};
use super::transfer::Step;

/// What became of a call that moves money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It happened.
    Done {
        /// The gateway's object.
        id: String,
    },
    /// The answer was lost.
    Unknown,
    /// Proven not to have happened.
    Declined {
        /// Our code.
        code: String,
        /// When another try may help; `None`: a person must act.
        again_at: Option<Timestamp>,
    },
}

/// An order to a payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Earn it. It is held until the payment clears.
    Accrue(Box<Accrual>),
    /// Take in that the whole charge is another one (FLOWS 3e, 3f).
    Adjust {
        /// The whole charge now.
        gross: Money,
    },
    /// Say where it goes.
    SetDestination {
        /// The account at the gateway.
        destination: String,
    },
    /// Hold it for a reason.
    Hold {
        /// Why.
        reason: HoldReason,
        /// Until when, when that is known.
        until: Option<Timestamp>,
        /// Who, for a person.
        by: Option<String>,
    },
    /// Take a reason away: what it waited for is true, or a person lifts it.
    Unhold {
        /// Which.
        reason: HoldReason,
        /// Who, for a person.
        by: Option<String>,
    },
    /// Let it go out. A rule waits for every hold; a person lifts those that may be lifted.
    Release {
        /// Who, for a person.
        by: Option<String>,
    },
    /// Share what was written off, in all (FLOWS 3d).
    WriteOffShare {
        /// The sum of the write-offs that stand.
        lost: Money,
    },
    /// Take back what a dispute took (FLOWS 3h).
    ClawBack {
        /// The gateway's dispute.
        dispute: String,
        /// What is gone for good.
        lost: Money,
    },
    /// Freeze the next transfer.
    PlanTransfer {
        /// The charge to take it from, when one charge holds it.
        source: Option<String>,
    },
    /// A transfer is about to leave; it is withdrawn if anything changed since it was planned.
    BeginTransfer {
        /// Which.
        number: u32,
    },
    /// A transfer was answered.
    AnswerTransfer {
        /// Which.
        number: u32,
        /// How.
        answer: Answer,
    },
    /// Keep a part for what the provider owes from another payout.
    Deduct {
        /// The other.
        owed_from: ProviderPayoutId,
        /// How much.
        amount: Money,
    },
    /// Take in that another payout kept what is owed from this one.
    Net {
        /// The other.
        against: ProviderPayoutId,
        /// How much.
        amount: Money,
    },
    /// Freeze the next reversal.
    PlanReversal,
    /// A reversal is about to leave; it is withdrawn if it is not owed any more.
    BeginReversal {
        /// Which.
        number: u32,
    },
    /// A reversal was answered.
    AnswerReversal {
        /// Which.
        number: u32,
        /// How.
        answer: Answer,
    },
}

/// Decides what follows from a command. Changes nothing.
///
/// # Errors
/// A [`Refusal`] that says what did not happen and what to do.
pub fn decide(
    state: Option<&ProviderPayout>,
    command: &Command,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let payout = match (state, command) {
        (None, Command::Accrue(accrual)) => return accrue(accrual),
        (None, _) => {
            return Err(Refusal::state("payout_missing", "There is no such payout; nothing was changed."));
        }
        (Some(_), Command::Accrue(_)) => {
            return Err(Refusal::state("payout_exists", "This payout exists already; nothing was changed."));
        }
        (Some(payout), _) => payout,
    };
    match command {
        Command::Accrue(_) => Ok(Vec::new()),
        Command::Adjust { gross } => adjust(payout, *gross),
        Command::SetDestination { destination } => set_destination(payout, destination),
        Command::Hold { reason, until, by } => hold(payout, *reason, *until, by.as_deref()),
        Command::Unhold { reason, by } => unhold(payout, *reason, by.as_deref()),
        Command::Release { by } => release(payout, by.as_deref()),
        Command::WriteOffShare { lost } => share_loss(payout, "write_offs", *lost),
        Command::ClawBack { dispute, lost } => share_loss(payout, &format!("dispute:{dispute}"), *lost),
        Command::PlanTransfer { source } => plan_transfer(payout, source.as_deref(), now),
        Command::BeginTransfer { number } => Ok(begin_transfer(payout, *number, now)),
        Command::AnswerTransfer { number, answer } => Ok(answer_transfer(payout, (*number, answer), now)),
        Command::Deduct { owed_from, amount } => {
            limited(payout, *amount, payout.to_send_minor())?;
            Ok(vec![Event::Deducted { owed_from: *owed_from, amount: *amount }])
        }
        Command::Net { against, amount } => {
            limited(payout, *amount, payout.owes_minor())?;
            Ok(vec![Event::Netted { against: *against, amount: *amount }])
        }
        Command::PlanReversal => Ok(plan_reversal(payout, now)),
        Command::BeginReversal { number } => Ok(begin_reversal(payout, *number, now)),
        Command::AnswerReversal { number, answer } => Ok(answer_reversal(payout, (*number, answer), now)),
    }
}

fn accrue(accrual: &Accrual) -> Result<Vec<Event>, Refusal> {
    not_negative(accrual.gross)?;
    let right = match accrual.terms.share {
        Share::BasisPoints(points) => points <= 10_000,
        Share::Fixed(fee) => fee >= 0,
    };
    if !right || accrual.terms.hold_days > 365 {
        return Err(Refusal::invalid(
            "payout_terms_invalid",
            "Nothing was accrued. The platform keeps 0 to 10000 basis points or a fee of zero or more, and holds a \
             payout for at most 365 days.",
        ));
    }
    if let Some(destination) = &accrual.destination {
        check_destination(destination)?;
    }
    let held = |reason| Event::Held { reason, until: None, by: None };
    let mut events = vec![Event::Accrued(Box::new(accrual.clone())), held(HoldReason::PaymentNotCleared)];
    if accrual.terms.wait_for_note {
        events.push(held(HoldReason::NoteIncomplete));
    }
    if accrual.destination.is_none() {
        events.push(held(HoldReason::NoAccount));
    }
    Ok(events)
}

fn adjust(payout: &ProviderPayout, gross: Money) -> Result<Vec<Event>, Refusal> {
    not_negative(gross)?;
    same_currency(payout, gross)?;
    if gross.minor == payout.gross_minor {
        return Ok(Vec::new());
    }
    let mut events = vec![Event::Adjusted { gross, number: payout.adjustments.saturating_add(1) }];
    // What the provider bears of a loss depends on the charge.
    let mut after = ProviderPayout::evolve(Some(payout.clone()), &events[0]);
    for (cause, loss) in &payout.losses {
        let Some(state) = &after else { break };
        let shared = shared(state, cause, loss.lost_minor);
        after = shared.iter().fold(after.clone(), ProviderPayout::evolve);
        events.extend(shared);
    }
    Ok(events)
}

fn set_destination(payout: &ProviderPayout, destination: &str) -> Result<Vec<Event>, Refusal> {
    check_destination(destination)?;
    if payout.destination.as_deref() == Some(destination) {
        return Ok(Vec::new());
    }
    let mut events = vec![Event::DestinationSet { destination: destination.to_owned() }];
    if payout.holds.contains_key(&HoldReason::NoAccount) {
        events.push(Event::Unheld { reason: HoldReason::NoAccount, waived: false, by: None });
    }
    Ok(events)
}

fn hold(
    payout: &ProviderPayout,
    reason: HoldReason,
    until: Option<Timestamp>,
    by: Option<&str>,
) -> Result<Vec<Event>, Refusal> {
    let by = by.map(person).transpose()?;
    let waived = by.is_none() && payout.waived.contains(&reason);
    let known = payout.holds.get(&reason);
    if waived || known.is_some_and(|known| known.until == until && known.by == by) {
        return Ok(Vec::new());
    }
    Ok(vec![Event::Held { reason, until, by }])
}

fn unhold(payout: &ProviderPayout, reason: HoldReason, by: Option<&str>) -> Result<Vec<Event>, Refusal> {
    let by = by.map(person).transpose()?;
    if by.is_some() && !reason.is_waivable() {
        return Err(still_held(payout, reason));
    }
    if !payout.holds.contains_key(&reason) {
        return Ok(Vec::new());
    }
    Ok(vec![Event::Unheld { reason, waived: by.is_some() && is_rule(reason), by }])
}

/// Whether a rule would hold it again at once.
const fn is_rule(reason: HoldReason) -> bool {
    matches!(reason, HoldReason::NoteIncomplete | HoldReason::HoldDays)
}

fn release(payout: &ProviderPayout, by: Option<&str>) -> Result<Vec<Event>, Refusal> {
    let by = by.map(person).transpose()?;
    if by.is_none() && (payout.released || !payout.holds.is_empty()) {
        return Ok(Vec::new());
    }
    if let Some(reason) = payout.holds.keys().find(|reason| !reason.is_waivable()) {
        return Err(still_held(payout, *reason));
    }
    let lifted = payout.holds.keys().map(|reason| Event::Unheld {
        reason: *reason,
        waived: is_rule(*reason),
        by: by.clone(),
    });
    let mut events: Vec<Event> = lifted.collect();
    if !payout.released {
        events.push(Event::Released { by });
    }
    Ok(events)
}

fn share_loss(payout: &ProviderPayout, cause: &str, lost: Money) -> Result<Vec<Event>, Refusal> {
    not_negative(lost)?;
    same_currency(payout, lost)?;
    let known = payout.losses.get(cause).map_or(0, |loss| loss.lost_minor);
    match known == lost.minor {
        true => Ok(Vec::new()),
        false => Ok(shared(payout, cause, lost.minor)),
    }
}

/// The sharing of a loss, when it differs from what is known.
fn shared(payout: &ProviderPayout, cause: &str, lost_minor: i64) -> Vec<Event> {
    let rule = payout.accrual.terms.loss;
    let borne_minor = payout.borne_minor(cause, lost_minor, rule);
    let known = payout.losses.get(cause);
    if known.is_some_and(|known| (known.lost_minor, known.borne_minor) == (lost_minor, borne_minor)) {
        return Vec::new();
    }
    vec![Event::LossShared {
        cause: cause.to_owned(),
        lost: payout.money(lost_minor),
        rule,
        borne: payout.money(borne_minor),
        number: payout.sharings.saturating_add(1),
    }]
}

fn plan_transfer(
    payout: &ProviderPayout,
    source: Option<&str>,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    if let Some(reason) = payout.holds.keys().next() {
        return Err(still_held(payout, *reason));
    }
    let amount = payout.to_send_minor();
    let (Some(destination), true) = (&payout.destination, payout.released && amount > 0) else {
        return Err(not_now("Nothing was sent to the provider.", payout));
    };
    let number = next(payout.transfers.last().map(|transfer| transfer.number));
    Ok(vec![Event::TransferPlanned {
        number,
        amount: payout.money(amount),
        destination: destination.clone(),
        source: source.map(ToOwned::to_owned),
        key: format!("{}:transfer:{number}:{}", payout.accrual.payout, now.millis()),
        at: now,
    }])
}

fn begin_transfer(payout: &ProviderPayout, number: u32, now: Timestamp) -> Vec<Event> {
    let Some(transfer) = payout.transfers.iter().find(|transfer| transfer.number == number) else {
        return Vec::new();
    };
    let to = match transfer.step {
        Step::Planned if payout.still_stands(transfer) => Step::Sent,
        Step::Planned => Step::Withdrawn,
        Step::Sent | Step::Unknown | Step::Done | Step::Declined | Step::Withdrawn => return Vec::new(),
    };
    vec![Event::TransferMoved { number, to, transfer: None, code: None, at: now }]
}

fn answer_transfer(payout: &ProviderPayout, (number, answer): (u32, &Answer), now: Timestamp) -> Vec<Event> {
    let Some(transfer) = payout.transfers.iter().find(|transfer| transfer.number == number) else {
        return Vec::new();
    };
    let (to, id, code) = step_of(answer);
    if !transfer.step.may_become(to) {
        return Vec::new();
    }
    let mut events = vec![Event::TransferMoved { number, to, transfer: id, code, at: now }];
    if let Answer::Declined { again_at, .. } = answer {
        // Another key would ask again at once: a person, or the time, comes first.
        events.push(Event::Held { reason: HoldReason::TransferDeclined, until: *again_at, by: None });
    }
    events
}

fn plan_reversal(payout: &ProviderPayout, now: Timestamp) -> Vec<Event> {
    let Some((transfer, amount)) = payout.to_reverse() else { return Vec::new() };
    let number = next(payout.reversals.last().map(|reversal| reversal.number));
    vec![Event::ReversalPlanned {
        number,
        transfer: transfer.number,
        amount: payout.money(amount),
        key: format!("{}:reversal:{number}:{}", payout.accrual.payout, now.millis()),
        at: now,
    }]
}

fn begin_reversal(payout: &ProviderPayout, number: u32, now: Timestamp) -> Vec<Event> {
    let Some(reversal) = payout.reversals.iter().find(|reversal| reversal.number == number) else {
        return Vec::new();
    };
    let owed = payout.owed_back_minor().saturating_sub(payout.refused_minor);
    let to = match reversal.step {
        Step::Planned if owed >= reversal.amount_minor => Step::Sent,
        Step::Planned => Step::Withdrawn,
        Step::Sent | Step::Unknown | Step::Done | Step::Declined | Step::Withdrawn => return Vec::new(),
    };
    vec![Event::ReversalMoved { number, to, reversal: None, code: None, at: now }]
}

fn answer_reversal(payout: &ProviderPayout, (number, answer): (u32, &Answer), now: Timestamp) -> Vec<Event> {
    let Some(reversal) = payout.reversals.iter().find(|reversal| reversal.number == number) else {
        return Vec::new();
    };
    let (to, id, code) = step_of(answer);
    match reversal.step.may_become(to) {
        true => vec![Event::ReversalMoved { number, to, reversal: id, code, at: now }],
        false => Vec::new(),
    }
}

fn step_of(answer: &Answer) -> (Step, Option<String>, Option<String>) {
    match answer {
        Answer::Done { id } => (Step::Done, Some(id.clone()), None),
        Answer::Unknown => (Step::Unknown, None, None),
        Answer::Declined { code, .. } => (Step::Declined, None, Some(code.clone())),
    }
}

fn next(last: Option<u32>) -> u32 {
    last.unwrap_or(0).saturating_add(1)
}

fn person(by: &str) -> Result<String, Refusal> {
    match Reason::parse(by) {
        Ok(_) => Ok(by.to_owned()),
        Err(_) => Err(Refusal::invalid(
            "authorizer_required",
            "Nothing was changed. Say who decides it by user name, 1 to 64 letters, digits or underscores.",
        )),
    }
}

fn check_destination(destination: &str) -> Result<(), Refusal> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if (1..=64).contains(&destination.len()) && destination.bytes().all(plain) {
        return Ok(());
    }
    Err(Refusal::invalid(
        "destination_invalid",
        "Nothing was changed. Give the provider's account at the gateway by its id, for example `acct_1Provider`.",
    ))
}

fn not_negative(amount: Money) -> Result<(), Refusal> {
    match amount.minor >= 0 {
        true => Ok(()),
        false => Err(Refusal::invalid("amount_not_positive", "Nothing was changed. Give zero or more.")),
    }
}

fn same_currency(payout: &ProviderPayout, amount: Money) -> Result<(), Refusal> {
    let own = payout.accrual.gross.currency;
    match amount.currency == own {
        true => Ok(()),
        false => Err(Refusal::invalid(
            "currency_mismatch",
            format!("Nothing was changed: the payout is in {own}, the amount in {}.", amount.currency),
        )),
    }
}

fn limited(payout: &ProviderPayout, amount: Money, most: i64) -> Result<(), Refusal> {
    same_currency(payout, amount)?;
    match amount.minor > 0 && amount.minor <= most {
        true => Ok(()),
        false => Err(not_now(&format!("{amount} was not set off against another payout."), payout)),
    }
}

fn still_held(payout: &ProviderPayout, reason: HoldReason) -> Refusal {
    let next = match reason {
        HoldReason::PaymentNotCleared => "Wait until the patient's payment clears.",
        HoldReason::NoteIncomplete => "Let the provider sign the note, or release it by hand.",
        HoldReason::HoldDays => "Wait until the days have passed, or release it by hand.",
        HoldReason::Disputed => "Wait until the dispute ends.",
        HoldReason::NoAccount => "Say first which account at the gateway is the provider's.",
        HoldReason::TransferDeclined => "Mend what the gateway refused, then release it by hand.",
        HoldReason::Person => "Let a person release it.",
    };
    Refusal::held(
        "payout_held",
        format!(
            "Nothing was sent to the provider: payout {} is held ({}). {next}",
            payout.accrual.payout,
            reason.name()
        ),
    )
}

fn not_now(what: &str, payout: &ProviderPayout) -> Refusal {
    Refusal::state("not_allowed_now", format!("{what} The payout is {}.", payout.status().name()))
}
