//! A provider: who gives care, where, when, and whose insurance is accepted.

use serde::{Deserialize, Serialize};

use crate::calendar::Rules;
use crate::id::{ClinicId, ProviderId, VisitTypeId};
use crate::refusal::Refusal;
use crate::visit::Choice;

use super::define;

/// A provider as defined now. The name is a professional's, as patients read it when they choose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Provider {
    /// Its id.
    pub id: ProviderId,
    /// The clinic.
    pub clinic: ClinicId,
    /// The name.
    pub name: String,
    /// Specialties, for example `acupuncture`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub specialties: Vec<String>,
    /// Payers whose insurance is accepted, by the payers' ids; every payer when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payers: Vec<String>,
    /// The types of visit that are offered; all of the clinic when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub visit_types: Vec<VisitTypeId>,
    /// When patients are seen.
    pub rules: Rules,
    /// When visits are paid, unless the type of visit says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timing: Option<Choice>,
    /// The account at the gateway that the provider's share goes to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The id in the EHR.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<String>,
    /// Whether patients can be booked.
    pub active: bool,
}

/// What happened to a provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It is defined like this from now on.
    Defined(Box<Provider>),
}

impl Event {
    /// The event's type in the journal.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Defined(_) => "provider.defined",
        }
    }
}

impl Provider {
    /// Applies an event. Total.
    #[must_use]
    pub fn evolve(_state: Option<Self>, event: &Event) -> Option<Self> {
        match event {
            Event::Defined(provider) => Some(provider.as_ref().clone()),
        }
    }

    /// Defines it. The same definition again changes nothing.
    ///
    /// # Errors
    /// `definition_invalid`, or the refusal of its hours.
    pub fn define(state: Option<&Self>, to: Self) -> Result<Vec<Event>, Refusal> {
        define::name(&to.name)?;
        define::codes("specialties", &to.specialties)?;
        define::codes("payers", &to.payers)?;
        define::choice(to.timing.as_ref())?;
        to.rules.check()?;
        if to.visit_types.len() > 200 {
            return Err(define::invalid("A provider offers at most 200 types of visit."));
        }
        let account = to.account.iter().chain(&to.external).cloned().collect::<Vec<_>>();
        define::codes("ids of other systems", &account)?;
        if state.is_some_and(|known| known.clinic != to.clinic) {
            return Err(define::invalid(
                "A provider stays with its clinic; make another one for the other clinic.",
            ));
        }
        Ok(match state == Some(&to) {
            true => Vec::new(),
            false => vec![Event::Defined(Box::new(to))],
        })
    }

    /// Whether a type of visit is offered.
    #[must_use]
    pub fn offers(&self, visit_type: VisitTypeId) -> bool {
        self.visit_types.is_empty() || self.visit_types.contains(&visit_type)
    }

    /// Whether patients are ever seen at a location.
    #[must_use]
    pub fn works_at(&self, location: &str) -> bool {
        self.rules.weekly.iter().any(|hours| hours.location.as_deref() == Some(location))
    }

    /// Whether a payer's insurance is accepted.
    #[must_use]
    pub fn accepts(&self, payer: &str) -> bool {
        self.payers.is_empty() || self.payers.iter().any(|known| known == payer)
    }
}
