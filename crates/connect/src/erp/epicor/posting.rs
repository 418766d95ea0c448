//! Posting a group of receipts: an act of the general ledger, done only where the connection allows it (EPICOR.md §6.6).
//!
//! A step machine like filing: look at the group, ask Epicor whether something stands against it, submit it to its task
//! agent, and look again until it is gone. Invariants: a group is submitted at most once; what Epicor asks is asked of a
//! person; after an unknown outcome the next request is a look. Same state and input ⇒ same step.

use serde::{Deserialize, Serialize};

use super::call::{Caller, Identity, Query, RECEIPT_GROUPS, equals};
use super::errors::{self, Asked, Failed};
use super::rows::{self, Row};
use super::settings::Epicor;
use crate::erp::filing::FilingInput;
use crate::http::{HttpRequest, HttpResponse};
use crate::outcome::{Failure, Outcome, Retry};

/// How often a submitted group is looked at before a person must look.
const LOOKS_MAX: u16 = 200;

/// The posting of one group of receipts.
#[derive(Debug, Clone, Copy)]
pub struct GroupPosting<'a> {
    /// The company; its `auto_post` must be on.
    pub epicor: &'a Epicor,
    /// Who calls.
    pub identity: &'a Identity,
    /// The group's name.
    pub group: &'a str,
}

/// Where a posting is. Stored before each request leaves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupPostingState {
    leg: Leg,
    /// Whether the group may have been submitted.
    submitted: bool,
    looks: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Leg {
    Looking,
    Asking,
    Submitting,
}

/// What to do next. Store the state first, always.
#[derive(Debug, Clone, PartialEq)]
pub enum GroupPostingStep {
    /// Send the request, come back with its answer.
    Send {
        /// The new state.
        state: GroupPostingState,
        /// The request.
        request: HttpRequest,
    },
    /// Come back with `Go` when `failure.retry` allows.
    Wait {
        /// The new state.
        state: GroupPostingState,
        /// Why.
        failure: Failure,
    },
    /// The group is posted.
    Posted,
    /// A person must look.
    WaitingForPerson(Failure),
}

impl GroupPostingState {
    /// The beginning.
    #[must_use]
    pub const fn begin() -> Self {
        Self { leg: Leg::Looking, submitted: false, looks: 0 }
    }
}

impl GroupPosting<'_> {
    /// Takes one step.
    #[must_use]
    pub fn step(&self, state: &GroupPostingState, input: FilingInput<'_>) -> GroupPostingStep {
        if !self.epicor.auto_post {
            let message =
                "Groups of receipts are not posted by us on this connection. A person posts them in Epicor.";
            return person("erp_posting_not_allowed", message);
        }
        match (input, state.leg) {
            (FilingInput::Go, _) => self.look(state),
            (FilingInput::NotSent, Leg::Submitting) => wait(
                &GroupPostingState { leg: Leg::Looking, submitted: false, ..state.clone() },
                unreachable(),
            ),
            (FilingInput::NotSent, Leg::Looking | Leg::Asking) => wait(state, unreachable()),
            (FilingInput::Lost, _) => wait(&looking(state), no_answer()),
            (FilingInput::Answer(response), Leg::Looking) => self.looked(state, response),
            (FilingInput::Answer(response), Leg::Asking) => self.asked(state, response),
            (FilingInput::Answer(response), Leg::Submitting) => self.submitted(state, response),
        }
    }

    fn look(&self, state: &GroupPostingState) -> GroupPostingStep {
        if state.looks >= LOOKS_MAX {
            let message = "The group was submitted to Epicor's task agent and is still not posted. A person must look \
                           at the system monitor in Epicor.";
            return person("erp_posting_stuck", message);
        }
        let next =
            GroupPostingState { leg: Leg::Looking, looks: state.looks.saturating_add(1), ..state.clone() };
        let query = Query { filter: equals("GroupID", self.group), top: 1, ..Query::default() };
        GroupPostingStep::Send { state: next, request: self.caller().read(RECEIPT_GROUPS, &query) }
    }

    fn looked(&self, state: &GroupPostingState, response: &HttpResponse) -> GroupPostingStep {
        if response.status != 200 {
            return stopped(state, errors::failed(&self.epicor.words, response, Asked::Read, None));
        }
        let is_baq = self.epicor.reads.baqs.contains_key(RECEIPT_GROUPS.name);
        let Some(rows) = rows::read_set(&response.body, is_baq) else {
            return stopped(state, errors::unreadable(Asked::Read));
        };
        // A posted group is gone (EPICOR.md §6.6).
        let Some(row) = rows.first() else { return GroupPostingStep::Posted };
        if let Some(log) = row.word("PostErrorLog") {
            let message = "Epicor could not post the group and says why in its log. A person must correct it in Epicor.";
            let why = Failure::new("erp_posting_failed", message, Retry::Never);
            return GroupPostingStep::WaitingForPerson(
                why.with_raw(serde_json::json!({"PostErrorLog": log})),
            );
        }
        if state.submitted {
            let message = "Epicor is posting the group. It is looked at again later.";
            return wait(state, Failure::new("erp_posting", message, Retry::Later));
        }
        let arguments = Row::new().with("groupID", &self.group);
        let request = self.caller().method(RECEIPT_GROUPS.service, "PrePostGroup", &arguments);
        GroupPostingStep::Send { state: GroupPostingState { leg: Leg::Asking, ..state.clone() }, request }
    }

    fn asked(&self, state: &GroupPostingState, response: &HttpResponse) -> GroupPostingStep {
        if response.status != 200 {
            return stopped(&looking(state), errors::failed(&self.epicor.words, response, Asked::Read, None));
        }
        let Some(parameters) = rows::read_entity(&response.body).and_then(|it| it.row("parameters")) else {
            return stopped(&looking(state), errors::unreadable(Asked::Read));
        };
        let asks = |name: &str| parameters.word(name).map(|text| (name.to_owned(), text));
        let questions: Vec<_> =
            ["vQuestion", "vTaxQuestion", "lnMessage"].into_iter().filter_map(asks).collect();
        if !questions.is_empty() {
            let message =
                "Epicor asks something before it posts the group. A person must answer it in Epicor.";
            let why = Failure::new("erp_posting_question", message, Retry::Never);
            return GroupPostingStep::WaitingForPerson(
                why.with_raw(serde_json::json!({"questions": questions})),
            );
        }
        let parameters = Row::new().with("GroupID", &self.group).with("RowMod", &"A");
        let arguments = Row::new()
            .with("ds", &Row::new().with("CashRecPostParam", &[parameters]))
            .with("agentID", &self.epicor.receipts.agent)
            .with("agentSchedNum", &0)
            .with("agentTaskNum", &0)
            .with("maintProgram", &self.epicor.receipts.posting_program);
        let request = self.caller().method("Erp.PROC.CashRecPostSvc", "SubmitToAgent", &arguments);
        let next = GroupPostingState { leg: Leg::Submitting, submitted: true, ..state.clone() };
        GroupPostingStep::Send { state: next, request }
    }

    fn submitted(&self, state: &GroupPostingState, response: &HttpResponse) -> GroupPostingStep {
        if matches!(response.status, 200 | 201 | 204) {
            return self.look(state);
        }
        let failed = errors::failed(&self.epicor.words, response, Asked::Write, None);
        let was_sent = !matches!(failed.outcome, Outcome::NotSent(_) | Outcome::Declined(_));
        stopped(&GroupPostingState { submitted: was_sent, ..looking(state) }, failed)
    }

    fn caller(&self) -> Caller<'_> {
        Caller { epicor: self.epicor, identity: self.identity }
    }
}

fn looking(state: &GroupPostingState) -> GroupPostingState {
    GroupPostingState { leg: Leg::Looking, ..state.clone() }
}

fn stopped(state: &GroupPostingState, failed: Failed) -> GroupPostingStep {
    match failed.outcome {
        Outcome::Done(never) => match never {},
        Outcome::Declined(failure) => GroupPostingStep::WaitingForPerson(failure),
        Outcome::NotSent(failure) | Outcome::Unknown(failure) => wait(state, failure),
    }
}

fn wait(state: &GroupPostingState, failure: Failure) -> GroupPostingStep {
    GroupPostingStep::Wait { state: state.clone(), failure }
}

fn person(code: &str, message: &str) -> GroupPostingStep {
    GroupPostingStep::WaitingForPerson(Failure::new(code, message, Retry::Never))
}

fn unreachable() -> Failure {
    Failure::new("erp_unreachable", "Epicor could not be reached. It is tried again later.", Retry::Later)
}

fn no_answer() -> Failure {
    let message = "No whole answer came from Epicor. The group is looked at before anything is sent again.";
    Failure::new("erp_no_answer", message, Retry::Later)
}
