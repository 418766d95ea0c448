//! How a person can be reached, and what they said about it. Addresses go in and never come out here.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use suture_engine::notices::{Addresses, Contact, NewChoice};
use utoipa::ToSchema;

use super::notice_body::{Channel, Topic};
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::{Personal, PurposeQuery, time};
use crate::once::{Made, Posted};
use crate::page::Asked;
use crate::problem::Problem;

/// Addresses to keep, sealed. What is absent stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAddresses {
    /// A mailbox.
    #[serde(default)]
    #[schema(value_type = Option<String>, write_only)]
    email: Option<Personal>,
    /// A phone number with its country, such as +15551234567.
    #[serde(default)]
    #[schema(value_type = Option<String>, write_only)]
    phone: Option<Personal>,
}

/// What somebody said about a channel.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewContactChoice {
    channel: Channel,
    /// What it is about; everything when absent.
    topic: Option<Topic>,
    /// Yes or no.
    wants: bool,
}

/// How somebody can be reached.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Contact)]
pub(super) struct ContactBody {
    /// Channels with an address that can be written to.
    channels: Vec<Channel>,
    choices: Vec<ChoiceBody>,
}

/// A choice, as written down.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ContactChoice)]
pub(super) struct ChoiceBody {
    channel: String,
    /// What it is about; everything when absent.
    topic: Option<String>,
    wants: bool,
    since: String,
    /// Who wrote it down: a key, `link` for a click in an e-mail, `text` for a text such as STOP.
    by: String,
}

impl From<Contact> for ContactBody {
    fn from(contact: Contact) -> Self {
        let choice = |choice: suture_engine::notices::Choice| ChoiceBody {
            channel: choice.channel,
            topic: Some(choice.topic).filter(|topic| !topic.is_empty()),
            wants: choice.wants,
            since: time(choice.since),
            by: choice.by,
        };
        Self {
            channels: contact.channels.into_iter().map(Into::into).collect(),
            choices: contact.choices.into_iter().map(choice).collect(),
        }
    }
}

/// How a patient or provider can be reached. Logged.
#[utoipa::path(get, path = "/v1/contacts/{id}", tag = "notices", params(("id" = String, Path), PurposeQuery), responses((status = 200, body = ContactBody)))]
pub(super) async fn get_contact(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    Asked(query): Asked<PurposeQuery>,
) -> Result<Json<ContactBody>, Problem> {
    let caller = session.may(Permission::ReadPatients)?;
    let why = query.code()?;
    let contact = app.engine.contact(&caller, &id).await?;
    app.engine.log_access(&caller, "read", &id, "contact", &why).await?;
    Ok(Json(contact.into()))
}

/// Keeps addresses of a patient or provider. Refused with `address_invalid`.
#[utoipa::path(post, path = "/v1/contacts/{id}", tag = "notices", params(("id" = String, Path)), request_body = NewAddresses, responses((status = 200, body = ContactBody)))]
pub(super) async fn put_addresses(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::ManagePatients)?;
    let engine = app.engine.clone();
    let work = async move |new: NewAddresses| {
        let addresses = Addresses {
            email: new.email.map(Personal::into_inner),
            phone: new.phone.map(Personal::into_inner),
        };
        Made::ok(&ContactBody::from(engine.put_addresses(&caller, &id, addresses).await?))
    };
    posted.once(&app, &session, work).await
}

/// Writes down what a patient or provider said about a channel: a no for everything or one topic, or a yes.
#[utoipa::path(post, path = "/v1/contacts/{id}/choices", tag = "notices", params(("id" = String, Path)), request_body = NewContactChoice, responses((status = 200, body = ContactBody)))]
pub(super) async fn choose_contact(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::ManagePatients)?;
    let engine = app.engine.clone();
    let work = async move |new: NewContactChoice| {
        let choice =
            NewChoice { channel: new.channel.into(), topic: new.topic.map(Into::into), wants: new.wants };
        Made::ok(&ContactBody::from(engine.choose_contact(&caller, &id, choice).await?))
    };
    posted.once(&app, &session, work).await
}
