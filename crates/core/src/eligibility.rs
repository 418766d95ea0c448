//! The check of what a patient will owe for a service: a session that waits for the policy, then for the payer's word, and
//! ends in a responsibility or in an error that says whether trying again helps.
//!
//! It carries the amount that an estimate charge inherits, and the link by which the charge and the service find each other
//! (FEATURES M124, M126).

use serde::{Deserialize, Serialize};

use crate::id::{EligibilityId, EstimateId, PatientId, PolicyId};
use crate::policy;
use crate::refusal::Refusal;
use crate::time::Timestamp;

mod answer;

pub use answer::{Answer, Condition, Limit, LimitKind, Responsibility, Source, Trouble};

/// Where a check stands (FLOWS §0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Taken in; nothing was asked yet.
    Pending,
    /// The policy is not confirmed yet.
    WaitingForPolicy,
    /// The payer was asked, or a person will answer.
    WaitingForServiceEligibility,
    /// The patient's share is known.
    Eligible,
    /// The plan does not cover it: the self-pay price applies.
    Ineligible,
    /// The policy is not valid.
    PolicyError,
    /// Nobody answered in time.
    Timeout,
    /// The payer could not answer.
    ServerError,
}

impl Status {
    /// The status as written in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::WaitingForPolicy => "waiting_for_policy",
            Self::WaitingForServiceEligibility => "waiting_for_service_eligibility",
            Self::Eligible => "eligible",
            Self::Ineligible => "ineligible",
            Self::PolicyError => "policy_error",
            Self::Timeout => "timeout",
            Self::ServerError => "server_error",
        }
    }

    /// Whether an answer is still awaited.
    #[must_use]
    pub const fn is_waiting(self) -> bool {
        matches!(self, Self::Pending | Self::WaitingForPolicy | Self::WaitingForServiceEligibility)
    }
}

/// What happened to a check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It was asked for.
    Created {
        /// Its id.
        eligibility: EligibilityId,
        /// Whose.
        patient: PatientId,
        /// By which policy; `None`: self-pay.
        policy: Option<PolicyId>,
        /// The link token that the charge and the service share.
        link: String,
        /// X12 service type codes, for example `98`.
        service_types: Vec<String>,
        /// When the answer must be there.
        answer_by: Timestamp,
    },
    /// It waits for the policy.
    PolicyAwaited,
    /// It waits for the payer's word.
    AnswerAwaited,
    /// It was answered.
    Answered {
        /// How.
        answer: Answer,
        /// Where it comes from.
        from: Source,
        /// When.
        at: Timestamp,
    },
    /// The policy turned out invalid.
    PolicyFailed {
        /// Why.
        code: String,
    },
    /// An estimate charge inherited its amount.
    EstimateMade {
        /// Which.
        estimate: EstimateId,
    },
    /// Nobody answered in time.
    TimedOut,
    /// It is checked again, for example within 72 hours of the service (FEATURES M304).
    Reopened {
        /// When the answer must be there.
        answer_by: Timestamp,
    },
}

impl Event {
    /// The event's type in the journal.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Created { .. } => "eligibility.created",
            Self::PolicyAwaited => "eligibility.policy_awaited",
            Self::AnswerAwaited => "eligibility.answer_awaited",
            Self::Answered { .. } => "eligibility.answered",
            Self::PolicyFailed { .. } => "eligibility.policy_failed",
            Self::EstimateMade { .. } => "eligibility.estimate_made",
            Self::TimedOut => "eligibility.timed_out",
            Self::Reopened { .. } => "eligibility.reopened",
        }
    }
}

/// A check as known now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Eligibility {
    /// Its id.
    pub id: EligibilityId,
    /// Whose.
    pub patient: PatientId,
    /// By which policy.
    pub policy: Option<PolicyId>,
    /// The link token that the charge and the service share.
    pub link: String,
    /// X12 service type codes.
    pub service_types: Vec<String>,
    /// Where it stands.
    pub status: Status,
    /// When the answer must be there.
    pub answer_by: Timestamp,
    /// The patient's share, kept while the check runs again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsibility: Option<Responsibility>,
    /// When it was answered last, and from where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<(Timestamp, Source)>,
    /// What went wrong last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
    /// Whether it was answered before and is checked again.
    #[serde(default)]
    pub revalidating: bool,
    /// The estimate charges that inherited its amount.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub estimates: Vec<EstimateId>,
}

/// An order to a check.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Ask.
    Create {
        /// Its id.
        eligibility: EligibilityId,
        /// Whose.
        patient: PatientId,
        /// By which policy.
        policy: Option<PolicyId>,
        /// The link token.
        link: String,
        /// X12 service type codes.
        service_types: Vec<String>,
        /// When the answer must be there.
        answer_by: Timestamp,
    },
    /// Go on with what is known of the policy; `None`: there is none.
    Advance {
        /// How the policy stands.
        policy: Option<(policy::Status, Option<String>)>,
    },
    /// Take an answer in.
    Answer {
        /// How.
        answer: Answer,
        /// Where it comes from.
        from: Source,
    },
    /// Record an estimate charge.
    AddEstimate {
        /// Which.
        estimate: EstimateId,
    },
    /// The time for an answer is over.
    GiveUp,
    /// Ask again.
    Reopen {
        /// When the answer must be there.
        answer_by: Timestamp,
    },
}

impl Eligibility {
    /// Applies an event. Total.
    #[must_use]
    pub fn evolve(state: Option<Self>, event: &Event) -> Option<Self> {
        match (state, event) {
            (None, Event::Created { eligibility, patient, policy, link, service_types, answer_by }) => {
                Some(Self {
                    id: *eligibility,
                    patient: *patient,
                    policy: *policy,
                    link: link.clone(),
                    service_types: service_types.clone(),
                    status: Status::Pending,
                    answer_by: *answer_by,
                    responsibility: None,
                    answered: None,
                    trouble: None,
                    revalidating: false,
                    estimates: Vec::new(),
                })
            }
            (None, _) => None,
            (Some(mut check), event) => {
                check.apply(event);
                Some(check)
            }
        }
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Created { .. } => {}
            Event::PolicyAwaited => self.status = Status::WaitingForPolicy,
            Event::AnswerAwaited => self.status = Status::WaitingForServiceEligibility,
            Event::Answered { answer, from, at } => {
                self.answered = Some((*at, from.clone()));
                self.take(answer);
            }
            Event::PolicyFailed { code } => {
                let hint =
                    "Correct the policy, or ask the patient for the current insurance card.".to_owned();
                self.fail(Status::PolicyError, code, &hint, true);
            }
            Event::EstimateMade { estimate } => self.estimates.push(*estimate),
            Event::TimedOut => {
                self.fail(Status::Timeout, "no_answer", "Ask again, or enter the answer by hand.", true);
            }
            Event::Reopened { answer_by } => {
                self.revalidating = self.responsibility.is_some();
                self.answer_by = *answer_by;
                self.status = Status::Pending;
                self.trouble = None;
            }
        }
    }

    fn take(&mut self, answer: &Answer) {
        self.revalidating = false;
        self.trouble = None;
        match answer {
            Answer::Covered { responsibility } => {
                self.status = Status::Eligible;
                self.responsibility = Some(responsibility.clone());
            }
            Answer::NotCovered { code } => {
                self.responsibility = None;
                let hint = "Offer the self-pay price with a good-faith estimate.";
                self.fail(Status::Ineligible, code, hint, false);
            }
            Answer::PolicyRejected { code, hint, retryable } => {
                self.fail(Status::PolicyError, code, hint, *retryable);
            }
            Answer::Failed { code, hint, retryable } => {
                self.fail(Status::ServerError, code, hint, *retryable);
            }
        }
    }

    fn fail(&mut self, status: Status, code: &str, hint: &str, retryable: bool) {
        self.status = status;
        self.trouble = Some(Trouble { code: code.to_owned(), hint: hint.to_owned(), retryable });
    }
}

/// Decides what follows from a command. Changes nothing.
///
/// # Errors
/// A [`Refusal`] that says what did not happen and what to do.
pub fn decide(state: Option<&Eligibility>, command: &Command, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    match (state, command) {
        (None, Command::Create { eligibility, patient, policy, link, service_types, answer_by }) => {
            let is_code = |code: &String| {
                (1..=3).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric())
            };
            if service_types.is_empty() || service_types.len() > 20 || !service_types.iter().all(is_code) {
                return Err(Refusal::invalid(
                    "service_types_invalid",
                    "Nothing was asked. Give 1 to 20 X12 service type codes, for example `98` for an office visit.",
                ));
            }
            Ok(vec![Event::Created {
                eligibility: *eligibility,
                patient: *patient,
                policy: *policy,
                link: link.clone(),
                service_types: service_types.clone(),
                answer_by: *answer_by,
            }])
        }
        (None, _) => Err(Refusal::state(
            "eligibility_missing",
            "There is no such eligibility check; nothing was changed.",
        )),
        (Some(_), Command::Create { .. }) => Err(Refusal::state(
            "eligibility_exists",
            "This eligibility check exists already; nothing was changed.",
        )),
        (Some(check), Command::Advance { policy }) => Ok(advance(check, policy.as_ref())),
        (Some(check), Command::Answer { answer, from }) => match &check.answered {
            // The same word again.
            Some((_, known)) if known == from && !check.status.is_waiting() => Ok(Vec::new()),
            _ => {
                answer::check_parts(answer)?;
                Ok(vec![Event::Answered { answer: answer.clone(), from: from.clone(), at: now }])
            }
        },
        (Some(check), Command::AddEstimate { estimate }) => Ok(match check.estimates.contains(estimate) {
            true => Vec::new(),
            false => vec![Event::EstimateMade { estimate: *estimate }],
        }),
        (Some(check), Command::GiveUp) => Ok(match check.status.is_waiting() && check.answer_by <= now {
            true => vec![Event::TimedOut],
            false => Vec::new(),
        }),
        (Some(check), Command::Reopen { answer_by }) => Ok(match check.status.is_waiting() {
            true => Vec::new(),
            false => vec![Event::Reopened { answer_by: *answer_by }],
        }),
    }
}

fn advance(check: &Eligibility, policy: Option<&(policy::Status, Option<String>)>) -> Vec<Event> {
    if !check.status.is_waiting() {
        return Vec::new();
    }
    let next = match policy {
        Some((policy::Status::Pending | policy::Status::Revalidating, _)) => Status::WaitingForPolicy,
        Some((policy::Status::Invalid, code)) => {
            let code = code.clone().unwrap_or_else(|| "policy_invalid".to_owned());
            return vec![Event::PolicyFailed { code }];
        }
        Some((policy::Status::Confirmed, _)) | None => Status::WaitingForServiceEligibility,
    };
    match next {
        same if same == check.status => Vec::new(),
        Status::WaitingForPolicy => vec![Event::PolicyAwaited],
        _ => vec![Event::AnswerAwaited],
    }
}

#[cfg(test)]
mod tests;
