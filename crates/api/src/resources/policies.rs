//! Insurance policies: record one, confirm it or find it invalid, check it again. The member id is sealed and never shown.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use suture_core::explain::Reason;
use suture_core::id::{PatientId, PolicyId};
use suture_core::policy::{self, Command, Policy};
use utoipa::ToSchema;

use super::payments::NewCancellation;
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::{Personal, PurposeQuery, field_invalid, in_field, in_path, short, words};
use crate::once::{Made, Posted};
use crate::page::Asked;
use crate::problem::Problem;

/// Bytes of a member id.
const MEMBER_BYTES_MAX: usize = 80;

words! {
    /// Where a policy stands.
    PolicyStatus = policy::Status { Pending, Confirmed, Invalid, Revalidating }
}

/// A policy to record.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct NewPolicy {
    patient: String,
    /// The payer's id, as payers and clearing houses use it.
    payer: String,
    /// The member id: sealed when stored, and never part of an answer.
    #[schema(value_type = String, write_only)]
    member_id: Personal,
}

/// Who says that a policy is valid.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Confirmation {
    /// Where the word comes from, for example `phone`; `manual` when absent.
    evidence: Option<String>,
}

/// Why a policy is not valid.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Invalidation {
    /// The payer's rejection code, or a reason as a code.
    code: String,
    /// Where the word comes from; `manual` when absent.
    evidence: Option<String>,
}

/// A policy as known now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Policy)]
pub(super) struct PolicyBody {
    id: String,
    patient: String,
    payer: String,
    status: PolicyStatus,
    /// Why it is invalid.
    code: Option<String>,
    /// Where the last word comes from.
    evidence: Option<String>,
}

impl PolicyBody {
    pub(super) fn of(policy: &Policy) -> Self {
        Self {
            id: policy.id.to_string(),
            patient: policy.patient.to_string(),
            payer: policy.payer.clone(),
            status: policy.status.into(),
            code: policy.code.clone(),
            evidence: policy.evidence.clone(),
        }
    }
}

fn policy_id(text: &str) -> Result<PolicyId, Problem> {
    in_path(PolicyId::parse, text, "policy")
}

fn evidence(given: Option<String>) -> Result<String, Problem> {
    given.map_or_else(|| Ok("manual".to_owned()), |text| short("evidence", text))
}

/// Records a policy as `pending`. Refused with `payer_invalid`.
#[utoipa::path(post, path = "/v1/policies", tag = "patients", request_body = NewPolicy, responses((status = 201, body = PolicyBody)))]
pub(super) async fn create_policy(
    State(app): State<App>,
    session: Session,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::ManagePatients)?;
    let engine = app.engine.clone();
    let work = async move |new: NewPolicy| {
        let patient = in_field(PatientId::parse, &new.patient, "patient")?;
        let member = new.member_id.into_inner();
        if !(1..=MEMBER_BYTES_MAX).contains(&member.expose().trim().len()) {
            return Err(field_invalid("memberId", "has 1 to 80 characters"));
        }
        let policy = engine.create_policy(&caller, patient, &new.payer, member).await?;
        Made::created(&PolicyBody::of(&policy))
    };
    posted.once(&app, &session, work).await
}

/// One policy.
#[utoipa::path(get, path = "/v1/policies/{id}", tag = "patients", params(("id" = String, Path), PurposeQuery), responses((status = 200, body = PolicyBody)))]
pub(super) async fn get_policy(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    Asked(query): Asked<PurposeQuery>,
) -> Result<Json<PolicyBody>, Problem> {
    let (caller, id) = (session.may(Permission::ReadPatients)?, policy_id(&id)?);
    let why = query.code()?;
    let policy = app.engine.policy(&caller.organization, id).await?;
    let subject = policy.patient.to_string();
    app.engine.log_access(&caller, "read", &subject, &format!("policy/{id}"), &why).await?;
    Ok(Json(PolicyBody::of(&policy)))
}

/// Confirms a policy by a person's word.
#[utoipa::path(post, path = "/v1/policies/{id}/confirm", tag = "patients", params(("id" = String, Path)), request_body = Confirmation, responses((status = 200, body = PolicyBody)))]
pub(super) async fn confirm_policy(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::ManagePatients)?, policy_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: Confirmation| {
        let command = Command::Confirm { evidence: evidence(new.evidence)? };
        Made::ok(&PolicyBody::of(&engine.move_policy(&caller, id, command).await?))
    };
    posted.once(&app, &session, work).await
}

/// Finds a policy invalid by a person's word. Refused with `reason_required` when the code is none.
#[utoipa::path(post, path = "/v1/policies/{id}/invalidate", tag = "patients", params(("id" = String, Path)), request_body = Invalidation, responses((status = 200, body = PolicyBody)))]
pub(super) async fn invalidate_policy(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::ManagePatients)?, policy_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: Invalidation| {
        let code = Reason::parse(&new.code).map_err(suture_engine::Error::from)?.as_str().to_owned();
        let command = Command::Invalidate { code, evidence: evidence(new.evidence)? };
        Made::ok(&PolicyBody::of(&engine.move_policy(&caller, id, command).await?))
    };
    posted.once(&app, &session, work).await
}

/// Begins to check a policy again.
#[utoipa::path(post, path = "/v1/policies/{id}/revalidate", tag = "patients", params(("id" = String, Path)), request_body = NewCancellation, responses((status = 200, body = PolicyBody)))]
pub(super) async fn revalidate_policy(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::ManagePatients)?, policy_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |_: NewCancellation| {
        Made::ok(&PolicyBody::of(&engine.move_policy(&caller, id, Command::Revalidate).await?))
    };
    posted.once(&app, &session, work).await
}
