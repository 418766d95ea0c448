//! Links: the opaque token that is all a gateway ever learns about a patient. Reading one is logged.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use suture_core::payment::Purpose;
use suture_engine::Link;
use suture_engine::links::NewLink;
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::{Money, time, word};
use crate::once::{Made, Posted};
use crate::page::{Asked, Page};
use crate::problem::Problem;

/// A link to make. Ids are the EHR's opaque ids; names and record numbers do not belong here.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = NewLink)]
pub(super) struct LinkToMake {
    patient: String,
    /// The guarantor account.
    account: Option<String>,
    claim: Option<String>,
    encounter: Option<String>,
    practitioner: Option<String>,
    appointment: Option<String>,
    coverage: Option<String>,
    purpose: LinkPurpose,
    /// What is due, when known.
    due: Option<Money>,
    /// Procedure codes of the service.
    #[serde(default)]
    service_codes: Vec<String>,
}

/// What payments by a link are for.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Purpose)]
pub(super) enum LinkPurpose {
    /// What a patient owes.
    Balance,
    /// A deposit for care to come.
    Deposit,
}

impl LinkToMake {
    fn understood(self) -> Result<NewLink, Problem> {
        Ok(NewLink {
            patient: self.patient,
            account: self.account,
            claim: self.claim,
            encounter: self.encounter,
            practitioner: self.practitioner,
            appointment: self.appointment,
            coverage: self.coverage,
            purpose: match self.purpose {
                LinkPurpose::Balance => Purpose::Balance,
                LinkPurpose::Deposit => Purpose::Deposit,
            },
            due: self.due.map(TryInto::try_into).transpose()?,
            service_codes: self.service_codes,
        })
    }
}

/// A link.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Link)]
#[serde(rename_all = "camelCase")]
pub(super) struct LinkBody {
    /// The token.
    id: String,
    patient: String,
    account: Option<String>,
    claim: Option<String>,
    encounter: Option<String>,
    practitioner: Option<String>,
    appointment: Option<String>,
    coverage: Option<String>,
    /// `balance` or `deposit`.
    purpose: String,
    due: Option<Money>,
    service_codes: Vec<String>,
    created_by: String,
    created_at: String,
}

impl From<Link> for LinkBody {
    fn from(link: Link) -> Self {
        Self {
            id: link.id,
            patient: link.patient,
            account: link.account,
            claim: link.claim,
            encounter: link.encounter,
            practitioner: link.practitioner,
            appointment: link.appointment,
            coverage: link.coverage,
            purpose: word(&link.purpose),
            due: link.due.map(Into::into),
            service_codes: link.service_codes,
            created_by: link.created_by,
            created_at: time(link.created_at),
        }
    }
}

/// Whose links.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LinkQuery {
    /// The patient's opaque id.
    patient: String,
}

/// Makes a link.
#[utoipa::path(post, path = "/v1/links", tag = "links", request_body = LinkToMake, responses((status = 201, body = LinkBody)))]
pub(super) async fn make_link(
    State(app): State<App>,
    session: Session,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::MakeLinks)?;
    let engine = app.engine.clone();
    let work = async move |new: LinkToMake| {
        let link = engine.make_link(&caller, new.understood()?).await?;
        Made::created(&LinkBody::from(link))
    };
    posted.once(&app, &session, work).await
}

/// Links of a patient, at most 200.
#[utoipa::path(get, path = "/v1/links", tag = "links", params(LinkQuery), responses((status = 200, body = Page<LinkBody>)))]
pub(super) async fn list_links(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<LinkQuery>,
) -> Result<Json<Page<LinkBody>>, Problem> {
    let caller = session.may(Permission::ReadLinks)?;
    let found = app.engine.links_of(&caller, &query.patient, "api").await?;
    Ok(Json(Page { items: found.into_iter().map(LinkBody::from).collect(), next: None }))
}

/// One link.
#[utoipa::path(get, path = "/v1/links/{id}", tag = "links", params(("id" = String, Path)), responses((status = 200, body = LinkBody)))]
pub(super) async fn get_link(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Json<LinkBody>, Problem> {
    let caller = session.may(Permission::ReadLinks)?;
    let link = app.engine.link(&caller, &id, "api").await?;
    Ok(Json(link.into()))
}
