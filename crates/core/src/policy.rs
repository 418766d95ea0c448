//! An insurance policy of a patient: claimed, confirmed or found invalid, checked again before a service.
//!
//! The member id and names are personal data and live elsewhere, sealed; the journal holds the payer's id.

use serde::{Deserialize, Serialize};

use crate::id::{EligibilityId, PatientId, PolicyId};
use crate::refusal::Refusal;

/// Where a policy stands (FLOWS §0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not checked yet.
    Pending,
    /// The payer knows it.
    Confirmed,
    /// The payer does not know it, or it has ended.
    Invalid,
    /// It was confirmed once and is being checked again.
    Revalidating,
}

impl Status {
    /// The status as written in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Invalid => "invalid",
            Self::Revalidating => "revalidating",
        }
    }
}

/// What happened to a policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It was recorded.
    Created {
        /// Its id.
        policy: PolicyId,
        /// Whose.
        patient: PatientId,
        /// The payer's id, as payers and clearing houses use it.
        payer: String,
    },
    /// The payer, or a person who asked the payer, confirmed it.
    Confirmed {
        /// Where the word comes from: a 271's trace, or `manual`.
        evidence: String,
    },
    /// It is not valid.
    Invalidated {
        /// Why: a rejection code of the payer (AAA03) or a reason code.
        code: String,
        /// Where the word comes from.
        evidence: String,
    },
    /// It is being checked again.
    RevalidationBegun,
    /// An eligibility check waits for it, or was made with it.
    CheckAdded {
        /// Which.
        eligibility: EligibilityId,
    },
}

impl Event {
    /// The event's type in the journal.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Created { .. } => "policy.created",
            Self::Confirmed { .. } => "policy.confirmed",
            Self::Invalidated { .. } => "policy.invalidated",
            Self::RevalidationBegun => "policy.revalidation_begun",
            Self::CheckAdded { .. } => "policy.check_added",
        }
    }
}

/// A policy as known now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// Its id.
    pub id: PolicyId,
    /// Whose.
    pub patient: PatientId,
    /// The payer's id.
    pub payer: String,
    /// Where it stands.
    pub status: Status,
    /// Why it is invalid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Where the last word comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// The eligibility checks that were made with it: they go on when it moves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<EligibilityId>,
}

/// An order to a policy.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Record it.
    Create {
        /// Its id.
        policy: PolicyId,
        /// Whose.
        patient: PatientId,
        /// The payer's id.
        payer: String,
    },
    /// Confirm it.
    Confirm {
        /// Where the word comes from.
        evidence: String,
    },
    /// Find it invalid.
    Invalidate {
        /// Why.
        code: String,
        /// Where the word comes from.
        evidence: String,
    },
    /// Check it again.
    Revalidate,
    /// Remember an eligibility check that depends on it.
    AddCheck {
        /// Which.
        eligibility: EligibilityId,
    },
}

impl Policy {
    /// Applies an event. Total.
    #[must_use]
    pub fn evolve(state: Option<Self>, event: &Event) -> Option<Self> {
        match (state, event) {
            (None, Event::Created { policy, patient, payer }) => Some(Self {
                id: *policy,
                patient: *patient,
                payer: payer.clone(),
                status: Status::Pending,
                code: None,
                evidence: None,
                checks: Vec::new(),
            }),
            (None, _) => None,
            (Some(mut policy), event) => {
                match event {
                    Event::Created { .. } => {}
                    Event::Confirmed { evidence } => {
                        policy.status = Status::Confirmed;
                        policy.code = None;
                        policy.evidence = Some(evidence.clone());
                    }
                    Event::Invalidated { code, evidence } => {
                        policy.status = Status::Invalid;
                        policy.code = Some(code.clone());
                        policy.evidence = Some(evidence.clone());
                    }
                    Event::RevalidationBegun => policy.status = Status::Revalidating,
                    Event::CheckAdded { eligibility } => policy.checks.push(*eligibility),
                }
                Some(policy)
            }
        }
    }
}

/// Decides what follows from a command. Changes nothing.
///
/// # Errors
/// A [`Refusal`] that says what did not happen and what to do.
pub fn decide(state: Option<&Policy>, command: &Command) -> Result<Vec<Event>, Refusal> {
    match (state, command) {
        (None, Command::Create { policy, patient, payer }) => {
            if payer.is_empty() || payer.len() > 80 || !payer.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(Refusal::invalid(
                    "payer_invalid",
                    "The policy was not recorded. Give the payer's id: 1 to 80 letters, digits or signs, no spaces.",
                ));
            }
            Ok(vec![Event::Created { policy: *policy, patient: *patient, payer: payer.clone() }])
        }
        (None, _) => Err(Refusal::state("policy_missing", "There is no such policy; nothing was changed.")),
        (Some(_), Command::Create { .. }) => {
            Err(Refusal::state("policy_exists", "This policy exists already; nothing was changed."))
        }
        (Some(policy), Command::Confirm { evidence }) => Ok(match policy.status {
            Status::Confirmed if policy.evidence.as_ref() == Some(evidence) => Vec::new(),
            _ => vec![Event::Confirmed { evidence: evidence.clone() }],
        }),
        (Some(policy), Command::Invalidate { code, evidence }) => Ok(match policy.status {
            Status::Invalid if policy.code.as_ref() == Some(code) => Vec::new(),
            _ => vec![Event::Invalidated { code: code.clone(), evidence: evidence.clone() }],
        }),
        (Some(policy), Command::AddCheck { eligibility }) => Ok(match policy.checks.contains(eligibility) {
            true => Vec::new(),
            false => vec![Event::CheckAdded { eligibility: *eligibility }],
        }),
        (Some(policy), Command::Revalidate) => Ok(match policy.status {
            Status::Pending | Status::Revalidating => Vec::new(),
            Status::Confirmed | Status::Invalid => vec![Event::RevalidationBegun],
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Mint, Random};
    use crate::time::Timestamp;

    struct Fixed;

    impl Random for Fixed {
        fn ten_bytes(&self) -> [u8; 10] {
            [3; 10]
        }
    }

    fn create(payer: &str) -> Command {
        let mint = Mint::new(Timestamp::from_seconds(1), &Fixed);
        Command::Create {
            policy: PolicyId::mint(mint),
            patient: PatientId::mint(mint),
            payer: payer.to_owned(),
        }
    }

    fn after(commands: &[Command]) -> Option<Policy> {
        commands.iter().fold(None, |state, command| {
            decide(state.as_ref(), command).unwrap().iter().fold(state, Policy::evolve)
        })
    }

    #[test]
    fn a_policy_without_a_payer_is_refused() {
        for payer in ["", "with space", &"x".repeat(81)] {
            assert_eq!(decide(None, &create(payer)).unwrap_err().code, "payer_invalid", "{payer}");
        }
    }

    #[test]
    fn the_transition_table_is_the_one_in_the_repository() {
        let confirm = Command::Confirm { evidence: "trace1".into() };
        let invalidate = Command::Invalidate { code: "75".into(), evidence: "trace2".into() };
        let create = create("PAYER1");
        let states = [
            None,
            after(std::slice::from_ref(&create)),
            after(&[create.clone(), confirm.clone()]),
            after(&[create.clone(), invalidate.clone()]),
            after(&[create.clone(), confirm.clone(), Command::Revalidate]),
        ];
        let commands = [
            ("create", create),
            ("confirm", confirm),
            ("invalidate", invalidate),
            ("revalidate", Command::Revalidate),
        ];
        let rows: Vec<(String, Vec<String>)> = states
            .iter()
            .map(|state| {
                let cell = |(_, command): &(&str, Command)| match decide(state.as_ref(), command) {
                    Ok(events) if events.is_empty() => "=".to_owned(),
                    Ok(events) => events
                        .iter()
                        .fold(state.clone(), Policy::evolve)
                        .map_or_else(String::new, |policy| policy.status.name().to_owned()),
                    Err(refusal) => format!("- {}", refusal.code),
                };
                let name = state.as_ref().map_or("nothing", |policy| policy.status.name());
                (name.to_owned(), commands.iter().map(cell).collect())
            })
            .collect();
        let columns: Vec<&str> = commands.iter().map(|(name, _)| *name).collect();
        crate::tables::check("policy", &columns, &rows);
    }
}
