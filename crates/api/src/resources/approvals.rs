//! What a run of a flow asks a person, and the answer. The question may name things of the event: it is shown to those who
//! repair flows, and showing it is logged. Only the role that the flow names, or an admin, decides.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use suture_engine::approvals::Asked;
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::{Permission, Session};
use crate::once::{Made, Posted};
use crate::problem::Problem;

/// What a run asks.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RunApproval)]
pub(super) struct ApprovalBody {
    /// May hold personal data.
    question: String,
    /// The role that may decide, besides `admin`.
    by: String,
}

impl From<Asked> for ApprovalBody {
    fn from(asked: Asked) -> Self {
        Self { question: asked.question, by: asked.by }
    }
}

/// Why something is decided so.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RunDecision {
    /// Why, as a code such as `amount_checked`. No personal data.
    #[schema(example = "amount_checked")]
    reason: String,
}

/// What was decided.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RunDecided)]
pub(super) struct DecidedBody {
    /// The run, which goes on.
    run: String,
    approved: bool,
}

/// What a run asks of a person. Refused with `nothing_to_approve`.
#[utoipa::path(get, path = "/v1/runs/{id}/approval", tag = "flows", params(("id" = String, Path)), responses((status = 200, body = ApprovalBody)))]
pub(super) async fn get_approval(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Json<ApprovalBody>, Problem> {
    let caller = session.may(Permission::SeeRunContent)?;
    let asked = app.engine.asked_by_run(&caller.organization, &id).await?;
    app.engine.log_access(&caller, "read", "*", &format!("run/{id}/approval"), "api").await?;
    Ok(Json(asked.into()))
}

/// Lets a run go on. Refused with `nothing_to_approve`, and with `forbidden` for another role than the flow names.
#[utoipa::path(post, path = "/v1/runs/{id}/approve", tag = "flows", params(("id" = String, Path)), request_body = RunDecision, responses((status = 200, body = DecidedBody)))]
pub(super) async fn approve_run(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    decide(&app, session, (id, true), posted).await
}

/// Says no to what a run asks. Refused with `nothing_to_approve`, and with `forbidden` for another role than the flow names.
#[utoipa::path(post, path = "/v1/runs/{id}/reject", tag = "flows", params(("id" = String, Path)), request_body = RunDecision, responses((status = 200, body = DecidedBody)))]
pub(super) async fn reject_run(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    decide(&app, session, (id, false), posted).await
}

async fn decide(
    app: &App,
    session: Session,
    (run, approved): (String, bool),
    posted: Posted,
) -> Result<Response, Problem> {
    let (engine, decider) = (app.engine.clone(), session.clone());
    let work = async move |decision: RunDecision| {
        let asked = engine.asked_by_run(decider.organization(), &run).await?;
        let caller = decider.as_role(&asked.by)?;
        engine.decide_run(&caller, &run, (approved, &decision.reason)).await?;
        Made::ok(&DecidedBody { run, approved })
    };
    posted.once(app, &session, work).await
}
