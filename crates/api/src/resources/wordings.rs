//! The words of messages: ours, or an organization's own, which pass the linter first.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use suture_core::notice::{Placeholder, Template, Wording};
use suture_engine::notices::WordingView;
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::{Permission, Session};
use crate::once::{Made, Posted};
use crate::page::Page;
use crate::problem::Problem;

/// The words of a template, with placeholders such as `{when}`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewWording {
    /// The subject of the e-mail.
    subject: String,
    /// The e-mail's text, plain.
    email: String,
    /// The text message, of about 320 characters with its values at most.
    sms: String,
}

/// The words of a template.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Wording)]
#[serde(rename_all = "camelCase")]
pub(super) struct WordingBody {
    template: String,
    /// What they are about, for consent and opt-out.
    topic: &'static str,
    subject: String,
    email: String,
    sms: String,
    /// Placeholders that they may use.
    placeholders: Vec<&'static str>,
    /// Whether they are the organization's own.
    own: bool,
}

impl From<WordingView> for WordingBody {
    fn from(view: WordingView) -> Self {
        let known = view.template.needs().iter().chain(&[Placeholder::Clinic]);
        Self {
            template: view.template.name().to_owned(),
            topic: view.template.topic().name(),
            placeholders: known.map(|placeholder| placeholder.name()).collect(),
            subject: view.wording.subject,
            email: view.wording.email,
            sms: view.wording.sms,
            own: view.is_own,
        }
    }
}

fn template(name: &str) -> Result<Template, Problem> {
    Template::parse(name).ok_or_else(|| Problem::not_found("template"))
}

/// The words of every template.
#[utoipa::path(get, path = "/v1/wordings", tag = "notices", responses((status = 200, body = Page<WordingBody>)))]
pub(super) async fn list_wordings(
    State(app): State<App>,
    session: Session,
) -> Result<Json<Page<WordingBody>>, Problem> {
    let caller = session.may(Permission::ReadConnections)?;
    let found = app.engine.wordings(&caller.organization).await?;
    Ok(Json(Page { items: found.into_iter().map(WordingBody::from).collect(), next: None }))
}

/// Gives a template words of the organization's own. Refused with `template_refused`, which names the word that could tell
/// too much and what to write instead.
#[utoipa::path(post, path = "/v1/wordings/{template}", tag = "notices", params(("template" = String, Path)), request_body = NewWording, responses((status = 200, body = WordingBody)))]
pub(super) async fn put_wording(
    State(app): State<App>,
    session: Session,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, template) = (session.may(Permission::ManageConnections)?, template(&name)?);
    let engine = app.engine.clone();
    let work = async move |new: NewWording| {
        let words = Wording { subject: new.subject, email: new.email, sms: new.sms };
        Made::ok(&WordingBody::from(engine.put_wording(&caller, template, Some(words)).await?))
    };
    posted.once(&app, &session, work).await
}

/// Goes back to our words.
#[utoipa::path(delete, path = "/v1/wordings/{template}", tag = "notices", params(("template" = String, Path)), responses((status = 200, body = WordingBody)))]
pub(super) async fn remove_wording(
    State(app): State<App>,
    session: Session,
    Path(name): Path<String>,
) -> Result<Json<WordingBody>, Problem> {
    let (caller, template) = (session.may(Permission::ManageConnections)?, template(&name)?);
    Ok(Json(app.engine.put_wording(&caller, template, None).await?.into()))
}
