//! Orders to a notice, and what follows from them.

use super::event::{Channel, Event, Plan, Skip};
use super::state::{Notice, Progress, Status};
use crate::refusal::Refusal;
use crate::time::Timestamp;

/// Characters of a caller's key at most.
const KEY_MAX: usize = 160;
/// Characters of a code or reference at most; a longer one of a provider is cut.
const CODE_MAX: usize = 80;

/// An order to a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Send it when it is due.
    Plan(Box<Plan>),
    /// Send it at another time.
    Move {
        /// When.
        due_at: Timestamp,
        /// After this it is not sent any more.
        not_after: Option<Timestamp>,
    },
    /// Do not send it. What left already cannot be taken back.
    Withdraw {
        /// Why, as a code.
        reason: String,
    },
    /// Do not take a channel.
    Suppress {
        /// Which.
        channel: Channel,
        /// Why.
        reason: Skip,
    },
    /// Take the next channel.
    Try {
        /// Which.
        channel: Channel,
    },
    /// It is proven not to have left.
    RecordNotSent {
        /// By which channel.
        channel: Channel,
        /// Our code for why.
        code: String,
    },
    /// The other side took it.
    RecordSent {
        /// By which channel.
        channel: Channel,
        /// The other side's name for it.
        reference: String,
    },
    /// The answer was lost.
    RecordUnknown {
        /// By which channel.
        channel: Channel,
        /// Our code for why.
        code: String,
    },
    /// It did not arrive.
    RecordFailed {
        /// By which channel.
        channel: Channel,
        /// Our code, or the provider's.
        code: String,
    },
    /// It arrived.
    RecordDelivered {
        /// By which channel.
        channel: Channel,
    },
}

/// Decides what follows from a command. Changes nothing.
///
/// # Errors
/// A [`Refusal`] that says what did not happen and what to do.
pub fn decide(state: Option<&Notice>, command: &Command) -> Result<Vec<Event>, Refusal> {
    match (state, command) {
        (None, Command::Plan(plan)) => planned(plan),
        (None, _) => Err(Refusal::state("notice_missing", "There is no such notice; nothing was changed.")),
        (Some(_), Command::Plan(_)) => {
            Err(Refusal::state("notice_exists", "This notice is planned already; nothing was changed."))
        }
        (Some(notice), Command::Move { due_at, not_after }) => moved(notice, *due_at, *not_after),
        (Some(notice), Command::Withdraw { reason }) => Ok(withdrawn(notice, reason)),
        (Some(notice), Command::Suppress { channel, reason }) => {
            only_next(notice, *channel)?;
            Ok(vec![Event::Suppressed { channel: *channel, reason: *reason }])
        }
        (Some(notice), Command::Try { channel }) => {
            only_next(notice, *channel)?;
            Ok(vec![Event::Tried { channel: *channel }])
        }
        (Some(notice), outcome) => Ok(learned(notice, outcome)),
    }
}

fn planned(plan: &Plan) -> Result<Vec<Event>, Refusal> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b':');
    let key = (1..=KEY_MAX).contains(&plan.key.len()) && plan.key.bytes().all(plain);
    let twice = plan.channels.iter().enumerate().any(|(at, channel)| plan.channels[..at].contains(channel));
    if !key || plan.channels.is_empty() || twice {
        return Err(Refusal::invalid(
            "notice_invalid",
            "No message was planned. It needs a key of 1 to 160 letters, digits or `_-./:`, and each of its channels \
             once.",
        ));
    }
    Ok(vec![Event::Planned(Box::new(plan.clone()))])
}

fn moved(notice: &Notice, due_at: Timestamp, not_after: Option<Timestamp>) -> Result<Vec<Event>, Refusal> {
    if notice.status() != Status::Planned {
        return Err(ended());
    }
    let same = (notice.plan.due_at, notice.plan.not_after) == (due_at, not_after);
    Ok(if same { Vec::new() } else { vec![Event::Moved { due_at, not_after }] })
}

/// What was sent but not proven to have arrived is withdrawn too: when it did not arrive, no other channel is taken.
fn withdrawn(notice: &Notice, reason: &str) -> Vec<Event> {
    let over = match notice.status() {
        Status::Planned | Status::Sending | Status::Sent | Status::Unknown => notice.withdrawn.is_some(),
        Status::Delivered | Status::Failed | Status::Suppressed | Status::Withdrawn => true,
    };
    if over { Vec::new() } else { vec![Event::Withdrawn { reason: short(reason) }] }
}

fn only_next(notice: &Notice, channel: Channel) -> Result<(), Refusal> {
    if notice.next_channels().contains(&channel) { Ok(()) } else { Err(ended()) }
}

fn ended() -> Refusal {
    Refusal::state(
        "notice_ended",
        "The notice was left as it is: it was sent, withdrawn or given up already. Plan a new one.",
    )
}

/// What an outcome adds to what is known: toward proof only. Delivered is proof; a failure that is reported afterwards is
/// old news.
fn learned(notice: &Notice, outcome: &Command) -> Vec<Event> {
    use Progress as P;
    let of = |channel: &Channel| notice.progress(*channel);
    let news = match outcome {
        Command::RecordNotSent { channel, code } => match of(channel) {
            Some(P::Trying { .. }) => Some(Event::NotSent { channel: *channel, code: short(code) }),
            _ => None,
        },
        Command::RecordSent { channel, reference } => match of(channel) {
            Some(P::Trying { .. } | P::Unknown { .. }) => {
                Some(Event::Sent { channel: *channel, reference: short(reference) })
            }
            _ => None,
        },
        Command::RecordUnknown { channel, code } => match of(channel) {
            Some(P::Trying { .. }) => Some(Event::Unknown { channel: *channel, code: short(code) }),
            _ => None,
        },
        Command::RecordFailed { channel, code } => match of(channel) {
            Some(P::Waiting { .. } | P::Trying { .. } | P::Sent { .. } | P::Unknown { .. }) => {
                Some(Event::ChannelFailed { channel: *channel, code: short(code) })
            }
            _ => None,
        },
        Command::RecordDelivered { channel } => match of(channel) {
            Some(P::Trying { .. } | P::Sent { .. } | P::Unknown { .. } | P::Failed { .. }) => {
                Some(Event::Delivered { channel: *channel })
            }
            _ => None,
        },
        Command::Plan(_)
        | Command::Move { .. }
        | Command::Withdraw { .. }
        | Command::Suppress { .. }
        | Command::Try { .. } => None,
    };
    news.into_iter().collect()
}

/// A code as the journal may keep it: what another system says can be anything.
fn short(code: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
    code.chars().map(|c| if plain(c) { c } else { '_' }).take(CODE_MAX).collect()
}
