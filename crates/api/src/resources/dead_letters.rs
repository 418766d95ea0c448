//! Dead letters: deliveries that need a person. Look, edit and retry, skip; one, or all of a destination.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use suture_engine::{EffectState, moves_money};
use utoipa::ToSchema;

use super::deliveries::{self, DeliveryBody};
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::once::{Made, Posted};
use crate::page::{Asked, Page, PageQuery};
use crate::problem::Problem;

/// How to retry a dead letter.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Revival {
    /// The edited payload; as it was when absent.
    #[schema(value_type = Option<Object>)]
    payload: Option<Value>,
}

/// Why a dead letter is given up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Skip {
    /// Why, as a code such as `posted_by_hand`. No personal data.
    reason: String,
}

/// Whose dead letters are retried.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MassRevival {
    /// The connection, or `suture`.
    destination: String,
}

/// How many were retried.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Revived)]
pub(super) struct RevivedBody {
    retried: usize,
}

/// Dead letters, newest first.
#[utoipa::path(get, path = "/v1/dead-letters", tag = "deliveries", params(PageQuery), responses((status = 200, body = Page<DeliveryBody>)))]
pub(super) async fn list_dead_letters(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<PageQuery>,
) -> Result<Json<Page<DeliveryBody>>, Problem> {
    // `deliveries::list` asks for Permission::ReadDeliveries.
    deliveries::list(&app, &session, Some(EffectState::Dead), query).await
}

/// Makes a dead letter ready again. Its id may hold slashes; write them as `%2F`. To edit one, to set one going that moves
/// money, or to let an unusual amount go on takes the permission to refund. Refused with `payload_contradicts_facts`.
#[utoipa::path(post, path = "/v1/dead-letters/{id}/retry", tag = "deliveries", params(("id" = String, Path)), request_body = Revival, responses((status = 200, body = DeliveryBody)))]
pub(super) async fn retry_dead_letter(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::RepairDeliveries)?;
    let may_move_money = session.has(Permission::RefundPayments);
    let kind = app.engine.effect(&caller.organization, &id).await?.kind;
    let engine = app.engine.clone();
    let work = async move |revival: Revival| {
        if (revival.payload.is_some() || moves_money(&kind)) && !may_move_money {
            return Err(Problem::forbidden());
        }
        // An unusual amount goes on only by the word of somebody who may move money.
        let effect = match may_move_money {
            true => engine.retry_effect(&caller, &id, revival.payload).await?,
            false => engine.retry_as_it_stands(&caller, &id).await?,
        };
        Made::ok(&DeliveryBody::from(effect))
    };
    posted.once(&app, &session, work).await
}

/// Gives a dead letter up, with a reason. One that moves money takes the permission to refund.
#[utoipa::path(post, path = "/v1/dead-letters/{id}/skip", tag = "deliveries", params(("id" = String, Path)), request_body = Skip, responses((status = 200, body = DeliveryBody)))]
pub(super) async fn skip_dead_letter(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::RepairDeliveries)?;
    if moves_money(&app.engine.effect(&caller.organization, &id).await?.kind) {
        session.may(Permission::RefundPayments)?;
    }
    let engine = app.engine.clone();
    let work = async move |skip: Skip| {
        let effect = engine.skip_effect(&caller, &id, &skip.reason).await?;
        Made::ok(&DeliveryBody::from(effect))
    };
    posted.once(&app, &session, work).await
}

/// Makes all dead letters of a destination ready again as they stand, at most 1000; those that move money only for a key
/// that may refund.
#[utoipa::path(post, path = "/v1/dead-letters/retry-all", tag = "deliveries", request_body = MassRevival, responses((status = 200, body = RevivedBody)))]
pub(super) async fn retry_all_dead_letters(
    State(app): State<App>,
    session: Session,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::RepairDeliveries)?;
    let may_move_money = session.has(Permission::RefundPayments);
    let engine = app.engine.clone();
    let work = async move |revival: MassRevival| {
        let retried = engine.retry_all(&caller, &revival.destination, may_move_money).await?;
        Made::ok(&RevivedBody { retried })
    };
    posted.once(&app, &session, work).await
}
