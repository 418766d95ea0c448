//! The periods of the books: up to which day they are locked.
//!
//! One stream per organization. The store keeps a locked day closed where entries are posted; this machine says who locked
//! and reopened what, and why. What must stay true: a lock moves forward, and backward only by a named person's reopening.

use serde::{Deserialize, Serialize};

use crate::day::Day;
use crate::refusal::Refusal;

/// What happened to the periods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Days up to this one are locked.
    Locked {
        /// The last locked day.
        through: Day,
    },
    /// Days after this one are open again.
    Reopened {
        /// The last day that stays locked.
        through: Day,
    },
}

impl Event {
    /// The event's type in the journal.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "period.locked",
            Self::Reopened { .. } => "period.reopened",
        }
    }
}

/// Up to where the books are locked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// The last locked day.
    pub through: Day,
}

impl Period {
    /// Applies an event. Total.
    #[must_use]
    pub fn evolve(_state: Option<Self>, event: &Event) -> Option<Self> {
        match event {
            Event::Locked { through } | Event::Reopened { through } => Some(Self { through: *through }),
        }
    }
}

/// Locks days up to one that has ended.
///
/// # Errors
/// A refusal when the day has not ended. Nothing when it is locked already.
pub fn lock(state: Option<&Period>, through: Day, today: Day) -> Result<Vec<Event>, Refusal> {
    if through >= today {
        return Err(Refusal::invalid(
            "period_not_over",
            format!("Nothing was locked: {through} has not ended. Lock a day before {today}."),
        ));
    }
    match state {
        Some(period) if period.through >= through => Ok(Vec::new()),
        _ => Ok(vec![Event::Locked { through }]),
    }
}

/// Opens the days from one on again.
///
/// # Errors
/// A refusal when the day is not locked.
pub fn reopen(state: Option<&Period>, from: Day) -> Result<Event, Refusal> {
    match state {
        Some(period) if period.through >= from => Ok(Event::Reopened { through: from.plus(-1) }),
        _ => Err(Refusal::state("period_not_locked", format!("Nothing was changed: {from} is not locked."))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn the_transition_table_is_the_one_in_the_repository() {
        let locked = Period { through: day("2026-11-10") };
        let name = |state: Option<Period>| {
            state.map_or("open".to_owned(), |period| format!("locked {}", period.through))
        };
        let row = |state: Option<&Period>| {
            let after = |events: Vec<Event>| {
                let mut state = state.cloned();
                for event in &events {
                    state = Period::evolve(state, event);
                }
                state
            };
            ["2026-11-09", "2026-11-19", "2026-11-20"]
                .map(|through| match lock(state, day(through), day("2026-11-20")) {
                    Ok(events) if events.is_empty() => "-".to_owned(),
                    Ok(events) => name(after(events)),
                    Err(refusal) => format!("- {}", refusal.code),
                })
                .into_iter()
                .chain([match reopen(state, day("2026-11-10")) {
                    Ok(event) => name(after(vec![event])),
                    Err(refusal) => format!("- {}", refusal.code),
                }])
                .collect()
        };
        let columns = ["lock 09", "lock 19 (yesterday)", "lock 20 (today)", "reopen 10"];
        let rows = [None, Some(locked)].map(|state| (name(state.clone()), row(state.as_ref())));
        crate::tables::check("period", &columns, &rows);
    }
}
