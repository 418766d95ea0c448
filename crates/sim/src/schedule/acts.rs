//! What the desk of patient billing does in a run, and what happens to cards and coverage meanwhile (FLOWS 2, 4, 5).
//!
//! Made by `make`, played by [`super::desk`]. Numbers of patients, checks, estimates and services wrap around what there is.

use std::fmt;

/// How a payer rules on a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    /// Processed; nobody else will pay.
    Processed,
    /// Refused for reasons that are not the patient's.
    Denied,
    /// Processed, and another payer is asked next.
    Forwarded,
    /// The latest ruling is taken back.
    Reversed,
    /// The latest ruling comes once more.
    Repeated,
}

/// What happens to a patient's card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardFate {
    /// Its date passes.
    Expires,
    /// Its bank refuses it.
    Refused,
    /// Its bank replaces it.
    Replaced,
    /// Somebody removes it at Stripe.
    RemovedAtStripe,
    /// The patient lets us take it off file.
    TakenOff,
}

/// One act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// A patient is recorded, with a customer at Stripe.
    Admit {
        /// Which person.
        person: usize,
    },
    /// A patient stores a card in the browser.
    StoreCard {
        /// The patient.
        patient: usize,
        /// The test card.
        card: &'static str,
    },
    /// Something happens to a card.
    Spoil {
        /// The patient.
        patient: usize,
        /// What.
        fate: CardFate,
    },
    /// A patient allows charges, of estimates or of balances.
    Consent {
        /// The patient.
        patient: usize,
        /// Balances after insurance, not estimates.
        balance: bool,
        /// How much in all, in minor units.
        cap: i64,
    },
    /// A patient takes the latest consent back.
    Withdraw {
        /// The patient.
        patient: usize,
    },
    /// Eligibility is checked and answered.
    Check {
        /// The patient.
        patient: usize,
        /// The patient's share in minor units.
        minor: i64,
    },
    /// An estimate charge is made.
    Estimate {
        /// The check.
        check: usize,
        /// The service is in so many days; 0: nobody knows.
        days: i64,
    },
    /// An estimate charge is authorized.
    Authorize {
        /// The estimate.
        estimate: usize,
        /// With this card, the patient present; `None`: off session with the card on file.
        card: Option<&'static str>,
    },
    /// An estimate charge is captured, in hundredths.
    CaptureEstimate {
        /// The estimate.
        estimate: usize,
        /// How much of it.
        percent: i64,
    },
    /// An estimate charge is given up.
    CancelEstimate {
        /// The estimate.
        estimate: usize,
    },
    /// An estimate charge is refunded, in hundredths.
    RefundEstimate {
        /// The estimate.
        estimate: usize,
        /// How much of it.
        percent: i64,
    },
    /// An estimate charge gets another amount.
    ChangeEstimate {
        /// The estimate.
        estimate: usize,
        /// In minor units.
        minor: i64,
    },
    /// A service is booked with a check.
    Book {
        /// The check.
        check: usize,
        /// In so many days; 0: nobody knows.
        days: i64,
    },
    /// A service goes one step further along its usual way.
    Further {
        /// The service.
        service: usize,
    },
    /// The payer rules.
    Rule {
        /// The service.
        service: usize,
        /// How.
        ruling: Ruling,
        /// Group PR, in hundredths of the charge.
        patient: i64,
        /// CO-45, in hundredths of the charge.
        contractual: i64,
        /// CO-16 and OA-23, in hundredths of the charge.
        refused: i64,
    },
    /// A person sets what the patient owes.
    SetByHand {
        /// The service.
        service: usize,
        /// In minor units.
        minor: i64,
    },
    /// Settling begins.
    Settle {
        /// The service.
        service: usize,
        /// At two engines in the same moment.
        twice: bool,
    },
    /// What is left is charged.
    Charge {
        /// The service.
        service: usize,
        /// With this card, the patient present; `None`: off session with the card on file.
        card: Option<&'static str>,
        /// At two engines in the same moment.
        twice: bool,
    },
    /// The patient pays a part at the desk.
    PayAtDesk {
        /// The service.
        service: usize,
        /// In minor units.
        minor: i64,
    },
    /// A part of what is left is given up, in hundredths.
    WriteOff {
        /// The service.
        service: usize,
        /// How much of it.
        percent: i64,
    },
    /// The latest write-off is taken back.
    UndoWriteOff {
        /// The service.
        service: usize,
    },
    /// A service is cancelled.
    CancelService {
        /// The service.
        service: usize,
    },
    /// The next refund at Stripe goes this way.
    NextRefund(&'static str),
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Admit { person } => write!(f, "person {person} is recorded as a patient"),
            Self::StoreCard { patient, card } => write!(f, "patient {patient} stores {card}"),
            Self::Spoil { patient, fate } => write!(f, "the card of patient {patient}: {fate:?}"),
            Self::Consent { patient, balance, cap } => {
                let what = if *balance { "balances" } else { "estimates" };
                write!(f, "patient {patient} allows {what} up to {cap}")
            }
            Self::Withdraw { patient } => write!(f, "patient {patient} takes a consent back"),
            Self::Check { patient, minor } => write!(f, "patient {patient} is eligible and owes {minor}"),
            Self::Estimate { check, days } => {
                write!(f, "an estimate of check {check}, for a service in {days} days")
            }
            Self::Authorize { estimate, card } => {
                write!(f, "estimate {estimate} is authorized {}", with(*card))
            }
            Self::CaptureEstimate { estimate, percent } => {
                write!(f, "capture {percent} % of estimate {estimate}")
            }
            Self::CancelEstimate { estimate } => write!(f, "cancel estimate {estimate}"),
            Self::RefundEstimate { estimate, percent } => {
                write!(f, "refund {percent} % of estimate {estimate}")
            }
            Self::ChangeEstimate { estimate, minor } => write!(f, "estimate {estimate} becomes {minor}"),
            Self::Book { check, days } => write!(f, "a service of check {check} is booked in {days} days"),
            other => other.of_service(f),
        }
    }
}

impl Act {
    fn of_service(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at_two = |twice: bool| if twice { ", at two engines at once" } else { "" };
        match self {
            Self::Further { service } => write!(f, "service {service} goes one step further"),
            Self::Rule { service, ruling, patient, contractual, refused } => write!(
                f,
                "the payer rules on service {service}: {ruling:?}, PR {patient} %, CO-45 {contractual} %, CO-16 and \
                 OA {refused} %"
            ),
            Self::SetByHand { service, minor } => write!(f, "service {service} is said to cost {minor}"),
            Self::Settle { service, twice } => write!(f, "service {service} is settled{}", at_two(*twice)),
            Self::Charge { service, card, twice } => {
                write!(f, "what is left of service {service} is charged {}{}", with(*card), at_two(*twice))
            }
            Self::PayAtDesk { service, minor } => {
                write!(f, "{minor} of service {service} is paid at the desk")
            }
            Self::WriteOff { service, percent } => {
                write!(f, "{percent} % of what is left of service {service} is given up")
            }
            Self::UndoWriteOff { service } => write!(f, "a write-off of service {service} is taken back"),
            Self::CancelService { service } => write!(f, "service {service} is cancelled"),
            Self::NextRefund(outcome) => write!(f, "the next refund at Stripe: {outcome}"),
            other => write!(f, "{other:?}"),
        }
    }
}

fn with(card: Option<&'static str>) -> String {
    card.map_or_else(|| "off session".to_owned(), |card| format!("with {card}"))
}
