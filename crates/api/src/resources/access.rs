//! The access log: who looked at a patient's records, or what somebody looked at. Looking here is logged too.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use suture_engine::Access;
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::time;
use crate::page::{Asked, Page};
use crate::problem::Problem;

/// Whose records, or whose looks: exactly one of both.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AccessQuery {
    /// The patient's opaque id.
    patient: Option<String>,
    /// The id of who looked, for example an API key's.
    actor: Option<String>,
}

/// One look at somebody's records.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Access)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccessBody {
    at: String,
    actor_kind: String,
    actor_id: String,
    /// `read`, `export` or `report`.
    action: String,
    /// The patient, or `*` for many.
    subject: String,
    resource: String,
    purpose: String,
}

impl From<Access> for AccessBody {
    fn from(access: Access) -> Self {
        Self {
            at: time(access.at),
            actor_kind: access.actor_kind,
            actor_id: access.actor_id,
            action: access.action,
            subject: access.subject,
            resource: access.resource,
            purpose: access.purpose,
        }
    }
}

/// The access log of a patient or an actor, latest first, at most 1000.
#[utoipa::path(get, path = "/v1/access", tag = "audit", params(AccessQuery), responses((status = 200, body = Page<AccessBody>)))]
pub(super) async fn list_access(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<AccessQuery>,
) -> Result<Json<Page<AccessBody>>, Problem> {
    let caller = session.may(Permission::ReadAccess)?;
    let found = match (query.patient, query.actor) {
        (Some(patient), None) => app.engine.access_report(&caller, &patient).await?,
        (None, Some(actor)) => app.engine.access_by(&caller, &actor).await?,
        _ => {
            let detail = "Nothing was read. Ask for either `patient` or `actor`.";
            return Err(Problem::invalid("query_invalid", detail));
        }
    };
    Ok(Json(Page { items: found.into_iter().map(AccessBody::from).collect(), next: None }))
}
