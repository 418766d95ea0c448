//! The steps from the insurance policy to the service of one patient, in order, with what is missing. Derived from what is
//! known each time; nothing is stored, so another person can go on where one stopped.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use suture_core::time::Timestamp;
use suture_core::{eligibility, estimate, policy, service};
use suture_engine::billing;
use utoipa::ToSchema;

use super::patients::patient_id;
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::PurposeQuery;
use crate::page::Asked;
use crate::problem::Problem;

/// The steps of a patient.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Checklist)]
pub(super) struct ChecklistBody {
    patient: String,
    /// In order: `policy`, `eligibility`, `patient`, `customer`, `method`, `estimate`, `service`.
    steps: Vec<StepBody>,
    /// The first step that is not done; absent when all are.
    next: Option<&'static str>,
}

/// One step.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChecklistStep)]
pub(super) struct StepBody {
    step: &'static str,
    state: StepState,
    /// The objects of this step, oldest first.
    objects: Vec<StepObject>,
    /// What is missing, as a sentence.
    missing: Option<&'static str>,
}

/// Whether a step is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum StepState {
    /// Nothing is there yet.
    Missing,
    /// It is on its way, or a person must act.
    Open,
    /// It is done.
    Done,
}

/// An object of a step.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChecklistObject)]
pub(super) struct StepObject {
    id: String,
    status: String,
}

impl ChecklistBody {
    fn of(path: &billing::Path, now: Timestamp) -> Self {
        let patient = StepBody {
            step: "patient",
            state: StepState::Done,
            objects: vec![object(&path.patient.id, "recorded")],
            missing: None,
        };
        let steps = vec![
            policies(path),
            eligibilities(path),
            patient,
            customers(path),
            methods(path, now),
            estimates(path),
            services(path),
        ];
        let next = steps.iter().find(|step| step.state != StepState::Done).map(|step| step.step);
        Self { patient: path.patient.id.to_string(), steps, next }
    }
}

fn object(id: &impl ToString, status: &str) -> StepObject {
    StepObject { id: id.to_string(), status: status.to_owned() }
}

/// A step from its objects: done when one of them is, open when there are any.
fn step(
    step: &'static str,
    objects: Vec<StepObject>,
    done: bool,
    (missing, open): (&'static str, &'static str),
) -> StepBody {
    let (state, missing) = match (done, objects.is_empty()) {
        (true, _) => (StepState::Done, None),
        (false, true) => (StepState::Missing, Some(missing)),
        (false, false) => (StepState::Open, Some(open)),
    };
    StepBody { step, state, objects, missing }
}

fn policies(path: &billing::Path) -> StepBody {
    let objects: Vec<_> = path.policies.iter().map(|one| object(&one.id, one.status.name())).collect();
    // Who pays alone has a check and no policy.
    let self_pay = path.eligibilities.iter().any(|check| check.policy.is_none());
    let done = self_pay || path.policies.iter().any(|one| one.status == policy::Status::Confirmed);
    let texts = (
        "Record the insurance policy, or check eligibility without one for self-pay.",
        "Confirm the policy, or wait for the payer's word.",
    );
    step("policy", objects, done, texts)
}

fn eligibilities(path: &billing::Path) -> StepBody {
    use eligibility::Status;
    let objects = path.eligibilities.iter().map(|one| object(&one.id, one.status.name())).collect();
    let done =
        path.eligibilities.iter().any(|one| matches!(one.status, Status::Eligible | Status::Ineligible));
    let texts =
        ("Ask for an eligibility check.", "Wait for the payer's answer, enter it by hand, or ask again.");
    step("eligibility", objects, done, texts)
}

fn customers(path: &billing::Path) -> StepBody {
    let connected = path.patient.customers.values().map(|customer| object(customer, "connected"));
    let requested = path.patient.requested.keys().map(|connection| object(connection, "requested"));
    let texts = (
        "Connect the patient to a gateway.",
        "Wait for the gateway; if it stays so, look at the deliveries.",
    );
    step("customer", connected.chain(requested).collect(), !path.patient.customers.is_empty(), texts)
}

fn methods(path: &billing::Path, now: Timestamp) -> StepBody {
    let status = |method: &suture_core::patient::Method| match method.removed_at {
        Some(_) => "removed",
        None if method.is_expired(now) => "expired",
        None => "usable",
    };
    let objects = path.patient.methods.values().map(|method| object(&method.id, status(method))).collect();
    let done = path.patient.usable_methods(now).next().is_some();
    let texts = (
        "Start a setup and let the patient enter a card, or take the card with the charge.",
        "No method on file works any more; start a setup again.",
    );
    step("method", objects, done, texts)
}

fn estimates(path: &billing::Path) -> StepBody {
    use estimate::Status;
    let objects = path.estimates.iter().map(|one| object(&one.id, one.standing.status.name())).collect();
    let done = path.estimates.iter().any(|one| {
        matches!(one.standing.status, Status::Authorized | Status::Captured | Status::PartRefunded)
    });
    let texts = (
        "Make an estimate charge from the eligibility check.",
        "Authorize the estimate charge, or solve what the gateway asks for.",
    );
    step("estimate", objects, done, texts)
}

fn services(path: &billing::Path) -> StepBody {
    let objects = path.services.iter().map(|one| object(&one.id, one.status.name())).collect();
    let done = path.services.iter().any(|one| one.status != service::Status::Canceled);
    let texts = (
        "Book the service with the same eligibility check, so that the estimate attaches.",
        "Every service was cancelled; book another one.",
    );
    step("service", objects, done, texts)
}

/// The steps of a patient, in order, with what is missing.
#[utoipa::path(get, path = "/v1/patients/{id}/checklist", tag = "patients", params(("id" = String, Path), PurposeQuery), responses((status = 200, body = ChecklistBody)))]
pub(super) async fn get_checklist(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    Asked(query): Asked<PurposeQuery>,
) -> Result<Json<ChecklistBody>, Problem> {
    let (caller, id) = (session.may(Permission::ReadPatients)?, patient_id(&id)?);
    let path = app.engine.path_of(&caller, id, &query.code()?).await?;
    Ok(Json(ChecklistBody::of(&path, app.engine.now())))
}
