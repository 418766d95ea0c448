//! Messages to people: find them, and read what one said. Reading the text is logged with its purpose.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use suture_core::id::NoticeId;
use utoipa::IntoParams;

use super::notice_body::NoticeBody;
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::{PurposeQuery, in_path};
use crate::page::{Asked, Page, PageQuery};
use crate::problem::Problem;

/// Which notices.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct NoticeQuery {
    /// Only those about this thing or for this person: the id of an appointment, patient, provider, payment, service or
    /// place in the waiting list.
    about: Option<String>,
    /// `next` of the page before; absent for the first page.
    cursor: Option<String>,
    /// How many items, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
}

/// Notices, oldest first. Without texts.
#[utoipa::path(get, path = "/v1/notices", tag = "notices", params(NoticeQuery), responses((status = 200, body = Page<NoticeBody>)))]
pub(super) async fn list_notices(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<NoticeQuery>,
) -> Result<Json<Page<NoticeBody>>, Problem> {
    let caller = session.may(Permission::ReadBilling)?;
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    let found = app.engine.notices(&caller.organization, query.about, &page.id_or(""), page.ask()).await?;
    Ok(Json(page.page(
        found,
        |notice| notice.plan.notice.to_string(),
        |notice| NoticeBody::of(&notice, None),
    )))
}

/// One notice. With what it said for a key that may read patients; that is logged.
#[utoipa::path(get, path = "/v1/notices/{id}", tag = "notices", params(("id" = String, Path), PurposeQuery), responses((status = 200, body = NoticeBody)))]
pub(super) async fn get_notice(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    Asked(query): Asked<PurposeQuery>,
) -> Result<Json<NoticeBody>, Problem> {
    let (caller, id) = (session.may(Permission::ReadBilling)?, in_path(NoticeId::parse, &id, "notice")?);
    let why = query.code()?;
    let notice = app.engine.notice(&caller.organization, id).await?;
    if !session.has(Permission::ReadPatients) {
        return Ok(Json(NoticeBody::of(&notice, None)));
    }
    app.engine.log_access(&caller, "read", &notice.plan.to.id(), &id.to_string(), &why).await?;
    let copies = app.engine.notice_copies(&caller.organization, id).await?;
    Ok(Json(NoticeBody::of(&notice, Some(copies))))
}
