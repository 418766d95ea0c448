//! Who did something, why, and for which act of care. Every event carries these three.
//!
//! Invariant I5: an event that moves money names a patient, an appointment or account, and a reason, or it is
//! explicitly money whose owner is not known yet, which sits in `susp:unapplied`.

use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;

/// Who caused an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Actor {
    /// Suture itself: a timer, a sweep, a rule.
    System(String),
    /// A holder of an API key.
    ApiKey(String),
    /// A gateway or other connected system, by connection.
    Connection(String),
    /// A person at the command line of the server.
    Operator(String),
}

impl Actor {
    /// The parts as stored: kind and id.
    #[must_use]
    pub fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::System(id) => ("system", id),
            Self::ApiKey(id) => ("api_key", id),
            Self::Connection(id) => ("connection", id),
            Self::Operator(id) => ("operator", id),
        }
    }
}

/// A reason as a code: lower-case letters, digits and underscores. Free text stays in encrypted rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reason(String);

impl Reason {
    /// A reason that the program itself gives.
    ///
    /// # Panics
    /// Never for the literals in this workspace; a test of each machine runs them.
    #[must_use]
    pub fn of(code: &'static str) -> Self {
        debug_assert!(is_code(code), "reason codes are snake_case");
        Self(code.to_owned())
    }

    /// A reason that a caller gives. Spaces and hyphens become underscores.
    ///
    /// # Errors
    /// A refusal when it is empty, longer than 64 characters or holds anything but letters, digits, space, `_`, `-`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let code = text.trim().to_ascii_lowercase().replace([' ', '-'], "_");
        if is_code(&code) {
            return Ok(Self(code));
        }
        Err(Refusal::invalid(
            "reason_required",
            "Nothing was changed. Give a reason of 1 to 64 letters, digits or underscores, for example \
             `visit_cancelled_by_clinic`. Notes with personal data do not belong here.",
        ))
    }

    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_code(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}

/// The chain from patient to outcome that an event belongs to (FEATURES M216). Opaque ids only.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Care {
    /// The patient, by our or the EHR's opaque id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patient: Option<String>,
    /// The appointment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appointment: Option<String>,
    /// The guarantor account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The payment, on events of its refunds, disputes and postings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<String>,
    /// The encounter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encounter: Option<String>,
    /// The clinical outcome or signed note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}

impl Care {
    /// Whether it explains a movement of money: a patient, and an appointment or account.
    #[must_use]
    pub const fn explains_money(&self) -> bool {
        self.patient.is_some() && (self.appointment.is_some() || self.account.is_some())
    }

    /// The links of the chain that are missing, for the audit page.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        let links = [
            ("patient", self.patient.is_some()),
            ("appointment or account", self.appointment.is_some() || self.account.is_some()),
            ("encounter", self.encounter.is_some()),
            ("outcome", self.outcome.is_some()),
        ];
        links.into_iter().filter(|(_, present)| !present).map(|(name, _)| name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_a_code_and_never_empty() {
        assert_eq!(Reason::parse("Slot lost").unwrap().as_str(), "slot_lost");
        for text in ["", "  ", "paid by Ann O'Hara", &"x".repeat(65)] {
            assert!(Reason::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn money_is_explained_by_a_patient_and_an_appointment_or_account() {
        let patient = Some("p".to_owned());
        assert!(!Care { patient: patient.clone(), ..Care::default() }.explains_money());
        assert!(Care { patient, account: Some("a".to_owned()), ..Care::default() }.explains_money());
    }
}
