//! A type of visit: how long it takes, what it costs, and how it is paid.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::calendar::Need;
use crate::id::{ClinicId, VisitTypeId};
use crate::money::Money;
use crate::refusal::Refusal;
use crate::visit::{Choice, Terms, Timing};

use super::define;

/// A type of visit as defined now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VisitType {
    /// Its id.
    pub id: VisitTypeId,
    /// The clinic.
    pub clinic: ClinicId,
    /// Its name, as patients read it. It goes into no message and no gateway.
    pub name: String,
    /// The specialty that a provider needs for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub specialty: Option<String>,
    /// How long the visit is.
    pub duration_minutes: u16,
    /// Time that stays free before it.
    #[serde(default)]
    pub before_minutes: u16,
    /// Time that stays free after it.
    #[serde(default)]
    pub after_minutes: u16,
    /// A visit may begin every so many minutes.
    pub interval_minutes: u16,
    /// The latest booking before the start.
    #[serde(default)]
    pub notice_minutes: u32,
    /// How many days ahead it can be booked.
    pub horizon_days: u32,
    /// When it is paid, and why; the provider's or the clinic's choice when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timing: Option<Choice>,
    /// What it is expected to cost.
    pub price: Money,
    /// The deposit, where the timing wants one.
    pub deposit: Money,
    /// A reserved deposit books already.
    #[serde(default)]
    pub reserve_only: bool,
    /// How long a selected slot is held.
    pub hold_minutes: u32,
    /// How much longer while the bank's check is open.
    #[serde(default)]
    pub extend_minutes: u32,
    /// The rest of the price is charged this long before the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge_before_minutes: Option<u32>,
    /// How long after a declined charge the slot is released.
    pub rescue_minutes: u32,
    /// How long a slot is offered to one patient of the waiting list.
    pub offer_minutes: u32,
    /// Whether it is booked only with a payment method on file.
    #[serde(default)]
    pub method_required: bool,
    /// Whether the visit is by video.
    #[serde(default)]
    pub video: bool,
    /// Whether it can be booked.
    pub active: bool,
}

/// What happened to a type of visit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It is defined like this from now on.
    Defined(Box<VisitType>),
}

impl Event {
    /// The event's type in the journal.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Defined(_) => "visit_type.defined",
        }
    }
}

impl VisitType {
    /// Applies an event. Total.
    #[must_use]
    pub fn evolve(_state: Option<Self>, event: &Event) -> Option<Self> {
        match event {
            Event::Defined(visit_type) => Some(visit_type.as_ref().clone()),
        }
    }

    /// Defines it. The same definition again changes nothing.
    ///
    /// # Errors
    /// `definition_invalid`, `terms_invalid`, or the refusal of its times.
    pub fn define(state: Option<&Self>, to: Self) -> Result<Vec<Event>, Refusal> {
        define::name(&to.name)?;
        define::choice(to.timing.as_ref())?;
        to.need().check()?;
        if let Some(choice) = &to.timing {
            to.terms(choice.timing).check()?;
        }
        if state.is_some_and(|known| known.clinic != to.clinic) {
            return Err(define::invalid("A type of visit stays with its clinic."));
        }
        if state.is_some_and(|known| known.price.currency != to.price.currency) {
            return Err(define::invalid("A type of visit keeps its currency; make another one."));
        }
        Ok(match state == Some(&to) {
            true => Vec::new(),
            false => vec![Event::Defined(Box::new(to))],
        })
    }

    /// What it needs of a calendar.
    #[must_use]
    pub fn need(&self) -> Need {
        Need {
            duration_minutes: self.duration_minutes,
            before_minutes: self.before_minutes,
            after_minutes: self.after_minutes,
            interval_minutes: self.interval_minutes,
            minimum_notice: Duration::from_secs(u64::from(self.notice_minutes) * 60),
            horizon: Duration::from_secs(u64::from(self.horizon_days) * 86_400),
        }
    }

    /// The terms of a booking now, under a timing.
    #[must_use]
    pub fn terms(&self, timing: Timing) -> Terms {
        let deposit = match timing {
            Timing::PostVisit => Money::zero(self.price.currency),
            Timing::DepositToBook | Timing::Hybrid => self.deposit,
        };
        Terms {
            timing,
            price: self.price,
            deposit,
            reserve_only: self.reserve_only,
            hold_minutes: self.hold_minutes,
            extend_minutes: self.extend_minutes,
            charge_before_minutes: self.charge_before_minutes.filter(|_| timing == Timing::DepositToBook),
            rescue_minutes: self.rescue_minutes,
            offer_minutes: self.offer_minutes,
        }
    }
}
