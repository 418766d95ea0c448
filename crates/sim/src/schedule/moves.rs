//! One thing that happens in a run. Everything is written in the move, so a schedule can be shortened and played again.

use std::fmt;

use super::acts::Act;
use super::front_acts::FrontAct;
use crate::world::{Fate, Fault, Pause};

/// One thing that happens. Numbers of people, payments and engines wrap around what there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// The front desk takes a payment for a visit.
    Take {
        /// Whose visit.
        visit: usize,
        /// The test card.
        card: &'static str,
        /// Reserve now, take later.
        manual: bool,
    },
    /// A second click: another payment for the debt of a payment.
    TakeAgain {
        /// The payment whose debt it is.
        payment: usize,
        /// The test card.
        card: &'static str,
    },
    /// The patient tries another card.
    Retry {
        /// The payment.
        payment: usize,
        /// The test card.
        card: &'static str,
    },
    /// Staff captures a part, in hundredths.
    Capture {
        /// The payment.
        payment: usize,
        /// How much of it.
        percent: i64,
    },
    /// Staff cancels.
    Cancel {
        /// The payment.
        payment: usize,
    },
    /// Staff refunds a part, in hundredths.
    Refund {
        /// The payment.
        payment: usize,
        /// How much of it.
        percent: i64,
    },
    /// The card holder passes or fails a challenge.
    Challenge {
        /// The payment.
        payment: usize,
        /// Whether it is passed.
        passed: bool,
    },
    /// Somebody pays at Stripe without us.
    PayOutside {
        /// Whose visit; nobody's when the link is unknown.
        visit: Option<usize>,
    },
    /// Somebody refunds at Stripe without us.
    RefundOutside {
        /// The payment.
        payment: usize,
        /// How much of it, in hundredths.
        percent: i64,
    },
    /// The card holder's bank disputes.
    Dispute {
        /// The payment.
        payment: usize,
    },
    /// The latest dispute ends.
    EndDispute {
        /// Whether it is won.
        won: bool,
    },
    /// Staff says whose money a payment is.
    Identify {
        /// The payment.
        payment: usize,
        /// The visit.
        visit: usize,
    },
    /// Somebody acts at the desk of patient billing.
    Desk {
        /// The engine.
        node: usize,
        /// What.
        act: Act,
    },
    /// An engine does one unit of work.
    Step {
        /// The engine.
        node: usize,
    },
    /// An engine works until nothing is due.
    Work {
        /// The engine.
        node: usize,
    },
    /// An engine does one unit of work and dies at a look at the clock.
    StepAndDie {
        /// The engine.
        node: usize,
        /// Which look.
        looks: u32,
    },
    /// An engine's next request stands still.
    Hold {
        /// The engine.
        node: usize,
        /// Where it stands.
        pause: Pause,
    },
    /// A standing request goes on.
    GoOn {
        /// The engine.
        node: usize,
    },
    /// An engine dies between two steps, or while its request stands.
    Crash {
        /// The engine.
        node: usize,
    },
    /// Webhooks meet their fate.
    Deliver {
        /// Their fate.
        fate: Fate,
        /// The engine that takes them.
        node: usize,
    },
    /// A webhook arrives at an engine that dies at a look at the clock.
    DeliverAndDie {
        /// The engine.
        node: usize,
        /// Which look.
        looks: u32,
    },
    /// Something happens to the next request on the line.
    Line(Fault),
    /// Time passes in one jump.
    Jump(i64),
    /// Epic goes away or comes back.
    EpicOutage(bool),
    /// A patient or the staff act on a visit.
    Front {
        /// At which engine.
        node: usize,
        /// What.
        act: FrontAct,
    },
    /// A sweep of Stripe's lists begins.
    Sweep,
    /// The audit trail is sealed.
    Seal,
    /// A webhook with a forged signature arrives.
    Spoof,
    /// A webhook that a thief of the signing secret made up arrives.
    StolenSecret,
}

impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Take { visit, card, manual } => {
                let how = if *manual { "reserve" } else { "take" };
                write!(f, "{how} the payment of visit {visit} with {card}")
            }
            Self::TakeAgain { payment, card } => {
                write!(f, "pay the debt of payment {payment} once more with {card}")
            }
            Self::Retry { payment, card } => write!(f, "try payment {payment} again with {card}"),
            Self::Capture { payment, percent } => write!(f, "capture {percent} % of payment {payment}"),
            Self::Cancel { payment } => write!(f, "cancel payment {payment}"),
            Self::Refund { payment, percent } => write!(f, "refund {percent} % of payment {payment}"),
            Self::Challenge { payment, passed } => {
                write!(
                    f,
                    "the challenge of payment {payment} is {}",
                    if *passed { "passed" } else { "failed" }
                )
            }
            Self::PayOutside { visit: Some(visit) } => {
                write!(f, "visit {visit} is paid at Stripe without us")
            }
            Self::PayOutside { visit: None } => write!(f, "somebody unknown pays at Stripe without us"),
            Self::RefundOutside { payment, percent } => {
                write!(f, "{percent} % of payment {payment} is refunded at Stripe without us")
            }
            Self::Dispute { payment } => write!(f, "payment {payment} is disputed"),
            Self::EndDispute { won } => {
                write!(f, "the latest dispute is {}", if *won { "won" } else { "lost" })
            }
            Self::Identify { payment, visit } => {
                write!(f, "payment {payment} is said to be of visit {visit}")
            }
            Self::Desk { node, act } => write!(f, "{act} (engine {node})"),
            Self::Front { node, act } => write!(f, "{act} (engine {node})"),
            other => other.machinery(f),
        }
    }
}

impl Move {
    fn machinery(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step { node } => write!(f, "engine {node} does one unit of work"),
            Self::Work { node } => write!(f, "engine {node} works until nothing is due"),
            Self::StepAndDie { node, looks } => {
                write!(f, "engine {node} works and dies at clock look {looks}")
            }
            Self::Hold { node, pause: Pause::Before } => {
                write!(f, "engine {node} is held before a request leaves")
            }
            Self::Hold { node, pause: Pause::After } => {
                write!(f, "engine {node} is held after a request was executed")
            }
            Self::GoOn { node } => write!(f, "engine {node} goes on"),
            Self::Crash { node } => write!(f, "engine {node} dies and starts again"),
            Self::Deliver { fate, node } => write!(f, "webhooks to engine {node}: {fate:?}"),
            Self::DeliverAndDie { node, looks } => {
                write!(f, "a webhook reaches engine {node}, which dies at clock look {looks}")
            }
            Self::Line(fault) => write!(f, "the next request meets {fault:?}"),
            Self::Jump(millis) => write!(f, "{} s pass", millis / 1000),
            Self::EpicOutage(true) => write!(f, "Epic goes away"),
            Self::EpicOutage(false) => write!(f, "Epic comes back"),
            Self::Sweep => write!(f, "a sweep begins"),
            Self::Seal => write!(f, "the audit trail is sealed"),
            Self::Spoof => write!(f, "a webhook with a forged signature arrives"),
            Self::StolenSecret => write!(f, "a made-up webhook with a right signature arrives"),
            other => write!(f, "{other:?}"),
        }
    }
}
