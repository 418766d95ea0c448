//! API keys: make one, list them, revoke one. A key's secret is shown once.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use suture_engine::ApiKey;
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::{Permission, Role, Session};
use crate::once::{Made, Posted};
use crate::page::Page;
use crate::problem::Problem;

/// A key to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewApiKey {
    /// What people call it.
    name: String,
    /// `admin`, `billing`, `front_desk`, `auditor`, `integrator` or `provider`.
    role: String,
}

/// An API key.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub(super) struct ApiKeyBody {
    id: String,
    name: String,
    role: String,
    /// The key itself; in the first answer to its maker only.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl ApiKeyBody {
    fn of(key: ApiKey, secret: Option<String>) -> Self {
        Self { id: key.id, name: key.name, role: key.role, secret }
    }
}

/// Makes an API key.
#[utoipa::path(post, path = "/v1/api-keys", tag = "api keys", request_body = NewApiKey, responses((status = 201, body = ApiKeyBody)))]
pub(super) async fn create_api_key(
    State(app): State<App>,
    session: Session,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::ManageKeys)?;
    let engine = app.engine.clone();
    let work = async move |new: NewApiKey| {
        if Role::parse(&new.role).is_none() {
            let detail = "No key was made. A role is one of admin, billing, front_desk, auditor, integrator and provider.";
            return Err(Problem::invalid("role_unknown", detail));
        }
        let (key, secret) = engine.make_api_key(&caller.organization, &new.name, &new.role).await?;
        let body = ApiKeyBody::of(key, Some(secret.expose().clone()));
        Ok(Made::created(&body)?.show_once(&["secret"]))
    };
    posted.once(&app, &session, work).await
}

/// Keys of the organization.
#[utoipa::path(get, path = "/v1/api-keys", tag = "api keys", responses((status = 200, body = Page<ApiKeyBody>)))]
pub(super) async fn list_api_keys(
    State(app): State<App>,
    session: Session,
) -> Result<Json<Page<ApiKeyBody>>, Problem> {
    let caller = session.may(Permission::ManageKeys)?;
    let found = app.engine.api_keys(&caller.organization).await?;
    Ok(Json(Page { items: found.into_iter().map(|key| ApiKeyBody::of(key, None)).collect(), next: None }))
}

/// Revokes a key. It stops working at once.
#[utoipa::path(delete, path = "/v1/api-keys/{id}", tag = "api keys", params(("id" = String, Path)), responses((status = 204)))]
pub(super) async fn revoke_api_key(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let caller = session.may(Permission::ManageKeys)?;
    app.engine.revoke_api_key(&caller.organization, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
