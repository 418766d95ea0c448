//! An intake form as a patient filled it in: which form, and the policy and the check that came of it.
//!
//! The answers are personal and kept sealed elsewhere; here is their hash. A form is submitted once and does not change; who
//! has something to correct submits another.

use serde::{Deserialize, Serialize};

use crate::id::{EligibilityId, IntakeId, PatientId, PolicyId};
use crate::refusal::Refusal;
use crate::time::Timestamp;

/// What happened to a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It was submitted.
    Submitted(Intake),
}

impl Event {
    /// The event's type in the journal.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Submitted(_) => "intake.submitted",
        }
    }
}

/// A submitted form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intake {
    /// Its id.
    pub id: IntakeId,
    /// Who.
    pub patient: PatientId,
    /// The form and its version, for example `new-patient-3`.
    pub form: String,
    /// SHA-256 of the answers, 64 hexadecimal digits.
    pub hash: String,
    /// The policy that it told of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyId>,
    /// The check that began with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eligibility: Option<EligibilityId>,
    /// When.
    pub at: Timestamp,
}

impl Intake {
    /// Applies an event. Total.
    #[must_use]
    pub fn evolve(state: Option<Self>, event: &Event) -> Option<Self> {
        match (state, event) {
            (None, Event::Submitted(intake)) => Some(intake.clone()),
            (known, Event::Submitted(_)) => known,
        }
    }

    /// Submits a form.
    ///
    /// # Errors
    /// `form_invalid` for a name of a form that is none.
    pub fn submit(self) -> Result<Event, Refusal> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        match (1..=64).contains(&self.form.len()) && self.form.bytes().all(plain) {
            true => Ok(Event::Submitted(self)),
            false => Err(Refusal::invalid(
                "form_invalid",
                "The form was not taken. Name the form and its version in 1 to 64 letters, digits, '-', '_' or '.'.",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Mint, Random};

    struct Fixed;

    impl Random for Fixed {
        fn ten_bytes(&self) -> [u8; 10] {
            [4; 10]
        }
    }

    fn intake(form: &str) -> Intake {
        let mint = Mint::new(Timestamp::from_seconds(1), &Fixed);
        Intake {
            id: IntakeId::mint(mint),
            patient: PatientId::mint(mint),
            form: form.to_owned(),
            hash: "ab".repeat(32),
            policy: None,
            eligibility: None,
            at: Timestamp::from_seconds(1),
        }
    }

    #[test]
    fn a_form_is_submitted_once_and_does_not_change() {
        let first = intake("new-patient-3").submit().unwrap();
        let known = Intake::evolve(None, &first);
        let other = intake("other").submit().unwrap();
        assert_eq!(Intake::evolve(known.clone(), &other), known);
    }

    #[test]
    fn a_form_without_a_name_is_refused() {
        for wrong in ["", "with space", &"x".repeat(65)] {
            assert_eq!(intake(wrong).submit().unwrap_err().code, "form_invalid", "{wrong}");
        }
    }
}
