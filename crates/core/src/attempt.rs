//! One try to collect money: planned with a frozen key, sent, answered, or unknown.
//!
//! Used by [`crate::payment`]. Invariant: the key is stored before the first byte leaves and never changes; a new attempt
//! needs the former one [closed](State::is_open) (FLOWS §0, FEATURES R4).

use serde::{Deserialize, Serialize};

use crate::evidence::PaymentError;
use crate::refusal::Refusal;
use crate::time::Timestamp;

/// Where an attempt stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// The key is stored; nothing was handed to a sender.
    Planned,
    /// Handed to a sender: from now on it may have arrived.
    Sent,
    /// The answer was lost. It may have happened; nobody may try again until it is looked up.
    Unknown {
        /// Since when.
        since: Timestamp,
    },
    /// The gateway has it and waits: for the payer, for a bank, or for a method.
    Waiting,
    /// Approved.
    Approved,
    /// Declined; no money moved.
    Declined {
        /// Why.
        error: Box<PaymentError>,
    },
    /// Ended without money: canceled, expired or given up.
    Ended,
}

impl State {
    /// Whether money may still move by this attempt.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        match self {
            Self::Planned | Self::Sent | Self::Unknown { .. } | Self::Waiting => true,
            Self::Approved | Self::Declined { .. } | Self::Ended => false,
        }
    }

    /// The state's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Sent => "sent",
            Self::Unknown { .. } => "unknown",
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Declined { .. } => "declined",
            Self::Ended => "ended",
        }
    }
}

/// What happens to an attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Handed to a sender.
    Sent,
    /// The answer was lost.
    AnswerLost,
    /// The gateway has it and waits.
    Waits,
    /// Approved.
    Approved,
    /// Declined.
    Declined {
        /// Why.
        error: Box<PaymentError>,
    },
    /// Ended without money.
    Ended,
}

/// The state after a step, or why the step is not legal.
///
/// # Errors
/// A refusal that names the present state.
pub fn next(state: &State, step: &Step, at: Timestamp) -> Result<State, Refusal> {
    match (state, step) {
        (State::Planned | State::Sent, Step::Sent) => Ok(State::Sent),
        (State::Unknown { since }, Step::Sent | Step::AnswerLost) => Ok(State::Unknown { since: *since }),
        (State::Planned | State::Sent | State::Waiting, Step::AnswerLost) => Ok(State::Unknown { since: at }),
        (open, Step::Waits) if open.is_open() => Ok(State::Waiting),
        (open, Step::Declined { error }) if open.is_open() => Ok(State::Declined { error: error.clone() }),
        (open, Step::Ended) if open.is_open() => Ok(State::Ended),
        // A late success beats a decline: the payer used the same intent with another card.
        (_, Step::Approved) => Ok(State::Approved),
        (state, _) => Err(Refusal::state(
            "attempt_closed",
            format!("The attempt is already {}; nothing was changed.", state.name()),
        )),
    }
}

/// One attempt within a payment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// 1 for the first.
    pub number: u32,
    /// The frozen idempotency key.
    pub key: String,
    /// When it was planned; part of the key and never recomputed.
    pub planned_at: Timestamp,
    /// The gateway's payment method; `None` when the payer gives it in the browser.
    pub method: Option<String>,
    /// Where it stands.
    #[serde(flatten)]
    pub state: State,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::DeclineAdvice;

    fn error() -> Box<PaymentError> {
        Box::new(PaymentError {
            code: "card_declined".into(),
            decline_code: None,
            advice: DeclineAdvice::SoftDecline,
            message: "The bank declined the card.".into(),
            raw: serde_json::Value::Null,
        })
    }

    #[test]
    fn the_transition_table_is_the_one_in_the_repository() {
        let now = Timestamp::from_seconds(1);
        let states = [
            State::Planned,
            State::Sent,
            State::Unknown { since: now },
            State::Waiting,
            State::Approved,
            State::Declined { error: error() },
            State::Ended,
        ];
        let steps = [
            ("sent", Step::Sent),
            ("answer lost", Step::AnswerLost),
            ("waits", Step::Waits),
            ("approved", Step::Approved),
            ("declined", Step::Declined { error: error() }),
            ("ended", Step::Ended),
        ];
        let cell = |state: &State, step: &Step| match next(state, step, now) {
            Ok(after) => after.name().to_owned(),
            Err(refusal) => format!("- {}", refusal.code),
        };
        let columns: Vec<&str> = steps.iter().map(|(name, _)| *name).collect();
        let rows: Vec<(String, Vec<String>)> = states
            .iter()
            .map(|state| (state.name().to_owned(), steps.iter().map(|(_, step)| cell(state, step)).collect()))
            .collect();
        crate::tables::check("attempt", &columns, &rows);
    }
}
