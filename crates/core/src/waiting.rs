//! A place in the waiting list: a patient who would take a released slot. Places are offered a slot in the order in which
//! they were taken (FEATURES M337).

use serde::{Deserialize, Serialize};

use crate::id::{AppointmentId, PatientId, ProviderId, VisitTypeId, WaitingId};
use crate::refusal::Refusal;
use crate::time::Timestamp;

/// What a patient waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// Who.
    pub patient: PatientId,
    /// The type of visit.
    pub visit_type: VisitTypeId,
    /// With whom; `None`: anybody who offers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderId>,
    /// Not before this.
    pub from: Timestamp,
    /// Not after this.
    pub until: Timestamp,
    /// The patient's zone.
    pub zone: String,
}

/// Where a place stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It waits.
    Waiting,
    /// A slot is held for it.
    Offered,
    /// The patient took the offer.
    Booked,
    /// The patient left, or the time is over.
    Left,
}

impl Status {
    /// The status as written in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Offered => "offered",
            Self::Booked => "booked",
            Self::Left => "left",
        }
    }
}

/// What happened to a place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It was taken.
    Joined {
        /// Its id.
        waiting: WaitingId,
        /// What for.
        wish: Wish,
        /// When: the order of the list.
        at: Timestamp,
    },
    /// A released slot is held for it.
    Offered {
        /// The held appointment.
        appointment: AppointmentId,
    },
    /// The offer ran out; the place stays, and this slot goes to the next.
    Passed {
        /// The appointment.
        appointment: AppointmentId,
    },
    /// The offer was taken.
    Booked {
        /// The appointment.
        appointment: AppointmentId,
    },
    /// The patient does not wait any more.
    Left {
        /// Why, as a code.
        reason: String,
    },
}

impl Event {
    /// The event's type in the journal.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Joined { .. } => "waiting.joined",
            Self::Offered { .. } => "waiting.offered",
            Self::Passed { .. } => "waiting.passed",
            Self::Booked { .. } => "waiting.booked",
            Self::Left { .. } => "waiting.left",
        }
    }
}

/// A place as known now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Its id.
    pub id: WaitingId,
    /// What for.
    pub wish: Wish,
    /// Since when.
    pub since: Timestamp,
    /// Where it stands.
    pub status: Status,
    /// The appointment that is offered or was booked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appointment: Option<AppointmentId>,
    /// How many offers ran out.
    pub passed: u32,
}

/// An order to a place.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Take it.
    Join {
        /// Its id.
        waiting: WaitingId,
        /// What for.
        wish: Wish,
    },
    /// Offer it a slot.
    Offer {
        /// The held appointment.
        appointment: AppointmentId,
    },
    /// Its appointment ended without a booking.
    Pass {
        /// The appointment.
        appointment: AppointmentId,
    },
    /// Its appointment was booked.
    Book {
        /// The appointment.
        appointment: AppointmentId,
    },
    /// Leave.
    Leave {
        /// Why.
        reason: String,
    },
}

impl Waiting {
    /// Applies an event. Total.
    #[must_use]
    pub fn evolve(state: Option<Self>, event: &Event) -> Option<Self> {
        match (state, event) {
            (None, Event::Joined { waiting, wish, at }) => Some(Self {
                id: *waiting,
                wish: wish.clone(),
                since: *at,
                status: Status::Waiting,
                appointment: None,
                passed: 0,
            }),
            (None, _) => None,
            (Some(mut waiting), event) => {
                waiting.apply(event);
                Some(waiting)
            }
        }
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Joined { .. } => {}
            Event::Offered { appointment } => {
                self.status = Status::Offered;
                self.appointment = Some(*appointment);
            }
            Event::Passed { .. } => {
                self.status = Status::Waiting;
                self.appointment = None;
                self.passed = self.passed.saturating_add(1);
            }
            Event::Booked { appointment } => {
                self.status = Status::Booked;
                self.appointment = Some(*appointment);
            }
            Event::Left { .. } => self.status = Status::Left,
        }
    }

    /// Whether it wants a slot.
    #[must_use]
    pub fn wants(&self, visit_type: VisitTypeId, provider: ProviderId, starts_at: Timestamp) -> bool {
        self.status == Status::Waiting
            && self.wish.visit_type == visit_type
            && self.wish.provider.is_none_or(|wanted| wanted == provider)
            && self.wish.from <= starts_at
            && starts_at <= self.wish.until
    }
}

/// Decides what follows from a command. Changes nothing.
///
/// # Errors
/// A [`Refusal`] that says what did not happen and what to do.
pub fn decide(state: Option<&Waiting>, command: &Command, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    match (state, command) {
        (None, Command::Join { waiting, wish }) => {
            if wish.until <= wish.from || wish.until <= now {
                return Err(Refusal::invalid(
                    "time_invalid",
                    "The patient was not put on the waiting list: the wished time is over or ends before it begins.",
                ));
            }
            Ok(vec![Event::Joined { waiting: *waiting, wish: wish.clone(), at: now }])
        }
        (None, _) => Err(Refusal::state(
            "waiting_missing",
            "There is no such place in the waiting list; nothing was changed.",
        )),
        (Some(_), Command::Join { .. }) => Err(Refusal::state(
            "waiting_exists",
            "This place in the waiting list exists already; nothing was changed.",
        )),
        (Some(waiting), Command::Offer { appointment }) => Ok(match waiting.status {
            Status::Waiting => vec![Event::Offered { appointment: *appointment }],
            Status::Offered | Status::Booked | Status::Left => Vec::new(),
        }),
        (Some(waiting), Command::Pass { appointment }) => {
            Ok(match waiting.status == Status::Offered && waiting.appointment == Some(*appointment) {
                true => vec![Event::Passed { appointment: *appointment }],
                false => Vec::new(),
            })
        }
        // Money that came late books too, whatever the list thought meanwhile.
        (Some(waiting), Command::Book { appointment }) => Ok(match waiting.status {
            Status::Booked => Vec::new(),
            Status::Waiting | Status::Offered | Status::Left => {
                vec![Event::Booked { appointment: *appointment }]
            }
        }),
        (Some(waiting), Command::Leave { reason }) => {
            let reason = crate::explain::Reason::parse(reason)?.as_str().to_owned();
            Ok(match waiting.status {
                Status::Waiting | Status::Offered => vec![Event::Left { reason }],
                Status::Booked | Status::Left => Vec::new(),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Mint, Random};

    struct Fixed(u8);

    impl Random for Fixed {
        fn ten_bytes(&self) -> [u8; 10] {
            [self.0; 10]
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn mint(salt: &Fixed) -> Mint<'_> {
        Mint::new(at(1), salt)
    }

    fn join() -> Command {
        let wish = Wish {
            patient: PatientId::mint(mint(&Fixed(1))),
            visit_type: VisitTypeId::mint(mint(&Fixed(1))),
            provider: None,
            from: at(100),
            until: at(200),
            zone: "America/New_York".into(),
        };
        Command::Join { waiting: WaitingId::mint(mint(&Fixed(1))), wish }
    }

    fn after(commands: &[Command]) -> Option<Waiting> {
        commands.iter().fold(None, |state, command| {
            decide(state.as_ref(), command, at(10)).unwrap().iter().fold(state, Waiting::evolve)
        })
    }

    #[test]
    fn a_place_wants_what_its_patient_wished() {
        let place = after(&[join()]).unwrap();
        let (visit, provider) = (place.wish.visit_type, ProviderId::mint(mint(&Fixed(2))));
        assert!(place.wants(visit, provider, at(100)) && place.wants(visit, provider, at(200)));
        assert!(!place.wants(visit, provider, at(201)));
        assert!(!place.wants(VisitTypeId::mint(mint(&Fixed(9))), provider, at(150)));
    }

    #[test]
    fn the_transition_table_is_the_one_in_the_repository() {
        let appointment = AppointmentId::mint(mint(&Fixed(3)));
        let offer = Command::Offer { appointment };
        let book = Command::Book { appointment };
        let leave = Command::Leave { reason: "found another".into() };
        let states = [
            None,
            after(&[join()]),
            after(&[join(), offer.clone()]),
            after(&[join(), offer.clone(), book.clone()]),
            after(&[join(), leave.clone()]),
        ];
        let commands = [
            ("join", join()),
            ("offer", offer),
            ("pass", Command::Pass { appointment }),
            ("book", book),
            ("leave", leave),
        ];
        let rows: Vec<(String, Vec<String>)> = states
            .iter()
            .map(|state| {
                let cell = |(_, command): &(&str, Command)| match decide(state.as_ref(), command, at(10)) {
                    Ok(events) if events.is_empty() => "=".to_owned(),
                    Ok(events) => events
                        .iter()
                        .fold(state.clone(), Waiting::evolve)
                        .map_or_else(String::new, |place| place.status.name().to_owned()),
                    Err(refusal) => format!("- {}", refusal.code),
                };
                let name = state.as_ref().map_or("nothing", |place| place.status.name());
                (name.to_owned(), commands.iter().map(cell).collect())
            })
            .collect();
        let columns: Vec<&str> = commands.iter().map(|(name, _)| *name).collect();
        crate::tables::check("waiting", &columns, &rows);
    }
}
