//! A clinic: a place with a zone, holidays, the timing that holds unless something nearer says otherwise, and the policy of
//! missed visits.

use serde::{Deserialize, Serialize};

use crate::calendar::{Exception, Rules, Zone};
use crate::id::ClinicId;
use crate::refusal::Refusal;
use crate::visit::{Choice, Policy};

use super::define;
use super::provider::Provider;

/// A clinic as defined now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Clinic {
    /// Its id.
    pub id: ClinicId,
    /// Its name, as patients read it.
    pub name: String,
    /// Its zone.
    pub zone: Zone,
    /// When visits are paid, unless provider or type of visit say otherwise.
    pub timing: Choice,
    /// What missed visits cost.
    pub policy: Policy,
    /// Days on which nobody is seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<Exception>,
    /// Hundredths of a per cent of a post-visit charge that the platform keeps; `None`: there is no split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_share: Option<u32>,
    /// How many days a provider's share waits after its payment cleared.
    #[serde(default)]
    pub payout_hold_days: u32,
}

/// What happened to a clinic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It is defined like this from now on.
    Defined(Box<Clinic>),
    /// Its fee schedule changed.
    PricesChanged {
        /// How many prices were stored.
        count: u32,
        /// SHA-256 of them.
        hash: String,
    },
}

impl Event {
    /// The event's type in the journal.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Defined(_) => "clinic.defined",
            Self::PricesChanged { .. } => "clinic.prices_changed",
        }
    }
}

impl Clinic {
    /// Applies an event. Total.
    #[must_use]
    pub fn evolve(state: Option<Self>, event: &Event) -> Option<Self> {
        match event {
            Event::Defined(clinic) => Some(clinic.as_ref().clone()),
            Event::PricesChanged { .. } => state,
        }
    }

    /// Defines it. The same definition again changes nothing.
    ///
    /// # Errors
    /// `definition_invalid`, or the refusal of its policy: an example that fails keeps the old policy.
    pub fn define(state: Option<&Self>, to: Self) -> Result<Vec<Event>, Refusal> {
        define::name(&to.name)?;
        define::choice(Some(&to.timing))?;
        to.policy.check()?;
        Rules { zone: to.zone.clone(), weekly: Vec::new(), exceptions: to.holidays.clone() }.check()?;
        if to.platform_share.is_some_and(|share| share > 10_000) || to.payout_hold_days > 365 {
            return Err(define::invalid(
                "The platform keeps at most 10000 hundredths of a per cent, and payouts wait at most 365 days.",
            ));
        }
        Ok(match state == Some(&to) {
            true => Vec::new(),
            false => vec![Event::Defined(Box::new(to))],
        })
    }

    /// When a provider of this clinic can be seen: the provider's hours without the clinic's holidays. A provider who opens
    /// on a holiday is open.
    #[must_use]
    pub fn rules_of(&self, provider: &Provider) -> Rules {
        let mut rules = provider.rules.clone();
        let free = |holiday: &&Exception| {
            let meets = |own: &Exception| own.from <= holiday.until && holiday.from <= own.until;
            !provider.rules.exceptions.iter().any(meets)
        };
        rules.exceptions.extend(self.holidays.iter().filter(free).cloned());
        rules
    }
}
