//! Payments: take one, read them, try again, capture, cancel, and say whose one is.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use suture_core::id::{DebtId, PaymentId};
use suture_engine::{TakePayment, Taken};
use utoipa::ToSchema;

use super::payment_body::PaymentBody;
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::Money;
use crate::once::{Made, Posted};
use crate::page::{Asked, Page, PageQuery};
use crate::problem::Problem;

/// A payment to take.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct NewPayment {
    /// The link: whose payment it is, and for which act of care.
    link: String,
    amount: Money,
    /// The debt that it collects; a new one of this amount when absent.
    debt: Option<String>,
    /// The connection; the only gateway when absent.
    connection: Option<String>,
    /// The gateway's payment method; without one the payer gives it in the browser.
    method: Option<String>,
    /// Reserve now, capture later.
    #[serde(default)]
    manual_capture: bool,
    /// The payer is not present.
    #[serde(default)]
    off_session: bool,
    /// Keep the method for later.
    #[serde(default)]
    save_method: bool,
    /// Where the payer's browser returns after an action.
    return_url: Option<String>,
    /// Who confirms an amount that is far from the usual, by user name. Takes the permission to refund.
    confirmed_by: Option<String>,
}

impl NewPayment {
    fn understood(self) -> Result<TakePayment, Problem> {
        let debt = self.debt.as_deref().map(DebtId::parse).transpose().map_err(|not_an_id| {
            Problem::invalid("id_invalid", format!("Nothing was charged: `debt` {not_an_id}."))
        })?;
        Ok(TakePayment {
            link: self.link,
            amount: self.amount.try_into()?,
            debt,
            connection: self.connection,
            method: self.method,
            manual_capture: self.manual_capture,
            off_session: self.off_session,
            save_method: self.save_method,
            return_url: self.return_url,
            confirmed_by: self.confirmed_by,
        })
    }
}

/// Another method to try with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAttempt {
    /// The gateway's payment method.
    method: String,
}

/// What to capture.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCapture {
    /// How much; all that is authorized when absent.
    amount: Option<Money>,
}

impl NewCapture {
    /// How much; `None`: all that is authorized.
    pub(super) fn amount(self) -> Result<Option<suture_core::money::Money>, Problem> {
        self.amount.map(TryInto::try_into).transpose()
    }
}

/// Nothing but an empty object, or no body at all.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCancellation {}

/// Whose payment it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewIdentity {
    /// The link.
    link: String,
}

/// Takes a payment and waits for the gateway for a while.
#[utoipa::path(post, path = "/v1/payments", tag = "payments", request_body = NewPayment, responses((status = 201, body = PaymentBody)))]
pub(super) async fn create_payment(
    State(app): State<App>,
    session: Session,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::TakePayments)?;
    let may_confirm = session.has(Permission::RefundPayments);
    let engine = app.engine.clone();
    let work = async move |new: NewPayment| {
        if new.confirmed_by.is_some() && !may_confirm {
            return Err(Problem::forbidden());
        }
        let taken = engine.take_payment(&caller, new.understood()?).await?;
        made(&taken)
    };
    posted.once(&app, &session, work).await
}

/// Payments in order of their ids.
#[utoipa::path(get, path = "/v1/payments", tag = "payments", params(PageQuery), responses((status = 200, body = Page<PaymentBody>)))]
pub(super) async fn list_payments(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<PageQuery>,
) -> Result<Json<Page<PaymentBody>>, Problem> {
    let caller = session.may(Permission::ReadPayments)?;
    let found = app.engine.payments(&caller.organization, &query.id_or(""), query.ask()).await?;
    Ok(Json(query.page(found, |payment| payment.id.to_string(), |payment| PaymentBody::of(&payment))))
}

/// One payment with what was reported about it.
#[utoipa::path(get, path = "/v1/payments/{id}", tag = "payments", params(("id" = String, Path)), responses((status = 200, body = PaymentBody)))]
pub(super) async fn get_payment(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Json<PaymentBody>, Problem> {
    let caller = session.may(Permission::ReadPayments)?;
    let payment = app.engine.payment(&caller.organization, payment_id(&id)?).await?;
    let postings = app.engine.postings_of(&caller.organization, &payment).await?;
    Ok(Json(PaymentBody::of(&payment).with_postings(&postings)))
}

/// Tries again with another method.
#[utoipa::path(post, path = "/v1/payments/{id}/attempts", tag = "payments", params(("id" = String, Path)), request_body = NewAttempt, responses((status = 201, body = PaymentBody)))]
pub(super) async fn retry_payment(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, payment) = (session.may(Permission::TakePayments)?, payment_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: NewAttempt| {
        let taken = engine.retry_payment(&caller, payment, new.method).await?;
        made(&taken)
    };
    posted.once(&app, &session, work).await
}

/// Captures what is authorized.
#[utoipa::path(post, path = "/v1/payments/{id}/capture", tag = "payments", params(("id" = String, Path)), request_body = NewCapture, responses((status = 200, body = PaymentBody)))]
pub(super) async fn capture_payment(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, payment) = (session.may(Permission::TakePayments)?, payment_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: NewCapture| {
        let payment = engine.capture_payment(&caller, payment, new.amount()?).await?;
        Made::ok(&PaymentBody::of(&payment))
    };
    posted.once(&app, &session, work).await
}

/// Cancels a payment that has not moved money.
#[utoipa::path(post, path = "/v1/payments/{id}/cancel", tag = "payments", params(("id" = String, Path)), request_body = NewCancellation, responses((status = 200, body = PaymentBody)))]
pub(super) async fn cancel_payment(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, payment) = (session.may(Permission::TakePayments)?, payment_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |_: NewCancellation| {
        let payment = engine.cancel_payment(&caller, payment).await?;
        Made::ok(&PaymentBody::of(&payment))
    };
    posted.once(&app, &session, work).await
}

/// Says whose money a payment in suspense is.
#[utoipa::path(post, path = "/v1/payments/{id}/identify", tag = "payments", params(("id" = String, Path)), request_body = NewIdentity, responses((status = 200, body = PaymentBody)))]
pub(super) async fn identify_payer(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, payment) = (session.may(Permission::IdentifyPayers)?, payment_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: NewIdentity| {
        let payment = engine.identify_payer(&caller, payment, &new.link).await?;
        Made::ok(&PaymentBody::of(&payment))
    };
    posted.once(&app, &session, work).await
}

/// The payment that a path names. What is no id names nothing.
pub(super) fn payment_id(text: &str) -> Result<PaymentId, Problem> {
    PaymentId::parse(text).map_err(|_| Problem::not_found("payment"))
}

/// A payment that was just made, with what only its maker may see.
pub(super) fn made(taken: &Taken) -> Result<Made, Problem> {
    let secret = taken.client_secret.as_ref().map(|secret| secret.expose().clone());
    let body = PaymentBody::of(&taken.payment).with_client_secret(secret);
    Ok(Made::created(&body)?.show_once(&["clientSecret"]))
}
