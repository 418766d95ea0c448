//! Refunds: ask for one, and see where it stands.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use suture_core::id::RefundId;
use suture_core::refund::Refund;
use utoipa::ToSchema;

use super::payments::payment_id;
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::{Money, time};
use crate::once::{Made, Posted};
use crate::problem::Problem;

/// A refund to ask for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRefund {
    /// How much; all that can still be refunded when absent.
    amount: Option<Money>,
    /// Why, as a code such as `visit_cancelled_by_clinic`. No personal data.
    reason: String,
    /// Who authorized it.
    authorizer: String,
}

impl NewRefund {
    /// Amount, reason and authorizer.
    pub(super) fn understood(self) -> Result<(Option<suture_core::money::Money>, String, String), Problem> {
        Ok((self.amount.map(TryInto::try_into).transpose()?, self.reason, self.authorizer))
    }
}

/// A refund as known now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Refund)]
#[serde(rename_all = "camelCase")]
pub(super) struct RefundBody {
    id: String,
    payment: String,
    amount: Money,
    /// `requested`, `sent`, `unknown`, `pending`, `succeeded`, `failed` or `rerouted`.
    status: String,
    authorizer: String,
    requested_at: String,
    /// The gateway's charge.
    charge: String,
    /// The gateway's refund, when known.
    gateway_refund: Option<String>,
    /// Our code for a failure.
    code: Option<String>,
}

impl RefundBody {
    pub(super) fn of(refund: &Refund) -> Self {
        Self {
            id: refund.id.to_string(),
            payment: refund.payment.to_string(),
            amount: refund.amount.into(),
            status: refund.status.name().to_owned(),
            authorizer: refund.authorizer.clone(),
            requested_at: time(refund.at),
            charge: refund.charge.clone(),
            gateway_refund: refund.gateway_refund.clone(),
            code: refund.code.clone(),
        }
    }
}

/// Asks for a refund and waits for the gateway for a while.
#[utoipa::path(post, path = "/v1/payments/{id}/refunds", tag = "payments", params(("id" = String, Path)), request_body = NewRefund, responses((status = 201, body = RefundBody)))]
pub(super) async fn refund_payment(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, payment) = (session.may(Permission::RefundPayments)?, payment_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: NewRefund| {
        let (amount, reason, authorizer) = new.understood()?;
        let refund = engine.refund_payment(&caller, payment, amount, (&reason, &authorizer)).await?;
        Made::created(&RefundBody::of(&refund))
    };
    posted.once(&app, &session, work).await
}

/// One refund.
#[utoipa::path(get, path = "/v1/refunds/{id}", tag = "payments", params(("id" = String, Path)), responses((status = 200, body = RefundBody)))]
pub(super) async fn get_refund(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Json<RefundBody>, Problem> {
    let caller = session.may(Permission::ReadPayments)?;
    let id = RefundId::parse(&id).map_err(|_| Problem::not_found("refund"))?;
    let refund = app.engine.refund(&caller.organization, id).await?;
    Ok(Json(RefundBody::of(&refund)))
}
