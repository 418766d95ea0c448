//! Runs of flows and their traces. Inputs and outputs may name patients: they are shown to those who repair flows, and
//! showing them is logged.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use serde_json::Value;
use suture_engine::RunSummary;
use suture_engine::queries::RunTrace;
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::{time, word};
use crate::page::{Asked, Page, PageQuery};
use crate::problem::Problem;

/// A run of a flow.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Run)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunBody {
    id: String,
    /// The flow and version.
    flow: String,
    /// The fact that started it.
    fact: String,
    /// `running`, `waiting`, `finished`, `parked` or `failed`.
    state: String,
    /// A sentence about where it stands.
    note: Option<String>,
    started_at: String,
    finished_at: Option<String>,
}

/// A run with its steps.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RunTrace)]
#[serde(rename_all = "camelCase")]
pub(super) struct TraceBody {
    #[serde(flatten)]
    run: RunBody,
    /// Whether inputs and outputs are left out, because the key's role may not see them.
    masked: bool,
    /// Empty when the flow was changed since the run.
    steps: Vec<StepBody>,
}

/// What one step did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RunStep)]
pub(super) struct StepBody {
    step: String,
    kind: String,
    /// `skipped`, `found`, `missing`, `mapped`, `then`, `else`, `done` or `refused`.
    outcome: String,
    /// The condition's text.
    condition: Option<String>,
    /// The step that the condition led to.
    branch: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    input: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    output: Option<Value>,
}

impl From<RunSummary> for RunBody {
    fn from(run: RunSummary) -> Self {
        Self {
            id: run.id,
            flow: run.flow,
            fact: run.fact,
            state: run.state,
            note: run.note,
            started_at: time(run.started_at),
            finished_at: run.finished_at.map(time),
        }
    }
}

impl TraceBody {
    fn of(trace: RunTrace, masked: bool) -> Self {
        let run = RunBody {
            id: trace.run.id,
            flow: trace.run.flow,
            fact: trace.run.fact,
            state: trace.run.state,
            note: trace.run.note,
            started_at: time(trace.run.started_at),
            finished_at: trace.run.finished_at.map(time),
        };
        let steps = trace.steps.into_iter().map(|line| StepBody {
            step: line.step,
            kind: line.kind.to_owned(),
            outcome: word(&line.outcome),
            condition: line.condition,
            branch: line.branch,
            input: (!masked).then(|| line.input.into_exposed()),
            output: (!masked).then(|| line.output.into_exposed()),
        });
        Self { run, masked, steps: steps.collect() }
    }
}

/// After every run's id, in any collation.
const LAST: &str = "zzzz";

/// Runs, newest first.
#[utoipa::path(get, path = "/v1/runs", tag = "flows", params(PageQuery), responses((status = 200, body = Page<RunBody>)))]
pub(super) async fn list_runs(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<PageQuery>,
) -> Result<Json<Page<RunBody>>, Problem> {
    let caller = session.may(Permission::ReadDeliveries)?;
    let found = app.engine.runs(&caller.organization, &query.id_or(LAST), query.ask()).await?;
    Ok(Json(query.page(found, |run| run.id.clone(), RunBody::from)))
}

/// One run, step by step.
#[utoipa::path(get, path = "/v1/runs/{id}", tag = "flows", params(("id" = String, Path)), responses((status = 200, body = TraceBody)))]
pub(super) async fn get_run(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Json<TraceBody>, Problem> {
    let caller = session.may(Permission::ReadDeliveries)?;
    let masked = !session.has(Permission::SeeRunContent);
    let trace = app.engine.run_trace(&caller.organization, &id).await?;
    if !masked {
        app.engine.log_access(&caller, "read", "*", &format!("run/{id}"), "api").await?;
    }
    Ok(Json(TraceBody::of(trace, masked)))
}
