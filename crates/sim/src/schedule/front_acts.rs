//! What patients and staff do about visits in a run: who selects, pays, cancels, moves, comes, waits and signs (FLOWS 1, 2,
//! 3).
//!
//! Made by `make_front`, played by [`super::front`]. Numbers of patients, slots, appointments and places wrap around what
//! there is; the latest appointment is number 0.

use std::fmt;

use suture_core::appointment::Party;
use suture_core::consent::Purpose;

/// A moment in the life of an appointment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// A second before the hold ends.
    LastSecondOfHold,
    /// A second after the hold ended.
    HoldOver,
    /// When what is left of the price is charged.
    ChargeBefore,
    /// A second after the deadline of a visit at risk.
    DeadlineOver,
    /// When the visit begins.
    Begin,
    /// A day after it ended.
    DayAfter,
}

/// One act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrontAct {
    /// A patient selects a slot.
    Select {
        /// The patient.
        patient: usize,
        /// The provider.
        provider: usize,
        /// The type of visit.
        visit: usize,
        /// Which half hour.
        slot: usize,
        /// Another patient selects the same at another engine in the same moment.
        raced: bool,
        /// It is an emergency.
        emergency: bool,
    },
    /// What is due for an appointment is paid.
    Pay {
        /// The appointment.
        appointment: usize,
        /// With this card; `None`: off session.
        card: Option<&'static str>,
        /// At two engines in the same moment.
        twice: bool,
    },
    /// The bank's check of an appointment's payment ends.
    Check {
        /// The appointment.
        appointment: usize,
        /// Well.
        passed: bool,
    },
    /// An appointment is cancelled.
    Cancel {
        /// The appointment.
        appointment: usize,
        /// By whom.
        by: Party,
        /// Somebody waives the fee.
        waived: bool,
    },
    /// An appointment is moved.
    Shift {
        /// The appointment.
        appointment: usize,
        /// To which half hour.
        slot: usize,
        /// By whom.
        by: Party,
    },
    /// The patient is here.
    Arrive {
        /// The appointment.
        appointment: usize,
    },
    /// The patient did not come.
    Miss {
        /// The appointment.
        appointment: usize,
    },
    /// The provider sees the patient anyway.
    Override {
        /// The appointment.
        appointment: usize,
    },
    /// It is an emergency, or no longer.
    Emergency {
        /// The appointment.
        appointment: usize,
        /// It is.
        on: bool,
    },
    /// The encounter is opened where it is not, and signed.
    Sign {
        /// The appointment.
        appointment: usize,
        /// With which codes.
        codes: usize,
        /// At two engines in the same moment.
        twice: bool,
    },
    /// A signed encounter gets an addendum.
    Addend {
        /// The appointment.
        appointment: usize,
        /// With which codes.
        codes: usize,
    },
    /// A missing price is stored.
    Price,
    /// A patient joins the waiting list.
    Wait {
        /// The patient.
        patient: usize,
        /// The type of visit.
        visit: usize,
        /// Only with this provider.
        provider: Option<usize>,
    },
    /// A patient leaves the waiting list.
    Leave {
        /// The place.
        place: usize,
    },
    /// An offer that costs nothing now is taken.
    Accept {
        /// The appointment.
        appointment: usize,
    },
    /// A patient allows charges.
    Allow {
        /// The patient.
        patient: usize,
        /// For what.
        purpose: Purpose,
        /// How much in all, in minor units.
        cap: i64,
    },
    /// Time passes until a moment of an appointment.
    Until {
        /// The appointment.
        appointment: usize,
        /// Which moment.
        moment: Moment,
    },
}

impl fmt::Display for FrontAct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let twice = |twice: bool| if twice { ", at two engines at once" } else { "" };
        match self {
            Self::Select { patient, provider, visit, slot, raced, emergency } => {
                let race = if *raced { ", and so does the next patient at once" } else { "" };
                let urgent = if *emergency { ", an emergency" } else { "" };
                write!(
                    f,
                    "patient {patient} selects half hour {slot} of provider {provider} for a {}{urgent}{race}",
                    name_of(*visit)
                )
            }
            Self::Pay { appointment, card: Some(card), twice: at_two } => {
                write!(f, "appointment {appointment} is paid with {card}{}", twice(*at_two))
            }
            Self::Pay { appointment, card: None, twice: at_two } => {
                write!(f, "appointment {appointment} is paid off session{}", twice(*at_two))
            }
            Self::Check { appointment, passed } => {
                let how = if *passed { "passed" } else { "failed" };
                write!(f, "the bank's check for appointment {appointment} is {how}")
            }
            Self::Cancel { appointment, by, waived } => {
                let fee = if *waived { ", any fee waived" } else { "" };
                write!(f, "appointment {appointment} is cancelled by the {}{fee}", by.name())
            }
            Self::Shift { appointment, slot, by } => {
                write!(f, "appointment {appointment} is moved to half hour {slot} by the {}", by.name())
            }
            other => other.of_the_day(f),
        }
    }
}

impl FrontAct {
    fn of_the_day(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arrive { appointment } => write!(f, "the patient of appointment {appointment} is here"),
            Self::Miss { appointment } => write!(f, "the patient of appointment {appointment} did not come"),
            Self::Override { appointment } => {
                write!(f, "the patient of appointment {appointment} is seen anyway")
            }
            Self::Emergency { appointment, on } => {
                let is = if *on { "an" } else { "no" };
                write!(f, "appointment {appointment} is {is} emergency")
            }
            Self::Sign { appointment, codes, twice } => {
                let race = if *twice { ", at two engines at once" } else { "" };
                write!(f, "the encounter of appointment {appointment} is signed with codes {codes}{race}")
            }
            Self::Addend { appointment, codes } => {
                write!(f, "an addendum for appointment {appointment} with codes {codes}")
            }
            Self::Price => write!(f, "a missing price is stored"),
            Self::Wait { patient, visit, provider } => {
                write!(f, "patient {patient} waits for a {} with {provider:?}", name_of(*visit))
            }
            Self::Leave { place } => write!(f, "place {place} of the waiting list is given up"),
            Self::Accept { appointment } => write!(f, "the offer {appointment} is taken"),
            Self::Allow { patient, purpose, cap } => {
                write!(f, "patient {patient} allows {} up to {cap}", purpose.name())
            }
            Self::Until { appointment, moment } => {
                write!(f, "time passes for appointment {appointment}: {moment:?}")
            }
            other => write!(f, "{other:?}"),
        }
    }
}

/// The types of visit of a run, by number.
pub(super) const VISITS: [&str; 5] = [
    "visit with a deposit",
    "visit charged before",
    "visit with a reserved deposit",
    "visit paid after",
    "hybrid visit",
];

fn name_of(visit: usize) -> &'static str {
    VISITS[visit % VISITS.len()]
}
