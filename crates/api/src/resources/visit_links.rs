//! What the holder of a link sees and does, without a key: a booking, an offer, a payment, the door of a video visit.
//!
//! The pass in the path is the proof, so answers hold what its owner knows and no more: no name, no id of a patient.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use suture_core::money;
use suture_core::pass::Purpose;
use suture_core::patient::Method;
use suture_core::time::Timestamp;
use suture_engine::Taken;
use suture_engine::scheduling::{Checkout, Door, LinkedBalance, LinkedVisit, PayByLink, Search};
use utoipa::{IntoParams, ToSchema};

use super::appointment_body::{AppointmentStatus, VisitPaymentStatus};
use super::openings::{Opening, opening};
use super::visit_policy_body::VerdictBody;
use super::visit_time::{LocalBody, LocalMoment, moment_of, moment_of_query};
use crate::app::App;
use crate::bodies::{Money, field_invalid, time};
use crate::once;
use crate::page::Asked;
use crate::problem::Problem;

/// Bytes of a body at most.
const BYTES_MAX: usize = 16 * 1024;

/// A booking as its patient knows it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LinkedVisit)]
pub(super) struct VisitBody {
    provider: String,
    clinic: String,
    visit_type: String,
    starts_at: String,
    ends_at: String,
    local: Option<LocalMoment>,
    video: bool,
    status: AppointmentStatus,
    /// `confirmed`, `pay_to_keep` or `released`.
    standing: &'static str,
    /// What is due now.
    due: Option<Money>,
    /// Until when it must be paid, or taken.
    deadline: Option<String>,
    /// What cancelling costs now, and what goes back; absent when it cannot be cancelled any more.
    cancel: Option<VerdictBody>,
    can_move: bool,
    saved_method: Option<SavedMethod>,
}

/// The method on file that works at the gateway.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SavedMethod {
    kind: String,
    brand: Option<String>,
    last4: Option<String>,
}

/// The balance of a visit that took place.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LinkedBalance)]
pub(super) struct BalanceBody {
    /// What is due now; absent when nothing is, or a payment is on its way.
    due: Option<Money>,
    saved_method: Option<SavedMethod>,
}

/// What a link to a payment leads to: one of both.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LinkedCheckout)]
pub(super) struct CheckoutBody {
    visit: Option<VisitBody>,
    balance: Option<BalanceBody>,
}

/// The door of a visit by video.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = VideoDoor)]
pub(super) struct DoorBody {
    visit: VisitBody,
    opens_at: String,
    closes_at: String,
    /// The room's name, while the door is open.
    room: Option<String>,
}

/// A payment by a link.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LinkedPayment)]
pub(super) struct PaymentByLink {
    status: VisitPaymentStatus,
    amount: Money,
    /// What is still due; absent when nothing is.
    due: Option<Money>,
    /// For the gateway's form in the browser, when the payer must do something there.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
}

/// How to pay.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = NewLinkedPayment)]
pub(super) struct PaymentToMake {
    /// The gateway's method, made in the browser; without one the browser asks for it with `clientSecret`.
    method: Option<String>,
    /// Pay with the method on file.
    #[serde(default)]
    use_saved: bool,
    /// Keep the method for later.
    #[serde(default)]
    save_method: bool,
    /// Where the browser returns after a bank's check: an address of this server.
    return_url: Option<String>,
}

/// Cancelling by a link.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewLinkedCancellation)]
pub(super) struct CancellationByLink {
    /// The fee that the patient has seen and agrees to; none when absent.
    fee: Option<Money>,
    /// Why, as a code.
    reason: Option<String>,
}

/// Another time.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = NewLinkedTime)]
pub(super) struct MoveByLink {
    /// When it begins; or `local`.
    starts_at: Option<String>,
    /// When it begins on a wall; or `startsAt`.
    local: Option<LocalBody>,
}

/// Which openings.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SpanQuery {
    /// Not before this; now when absent. The 14 days after it are looked through.
    from: Option<String>,
}

/// Openings that a booking can be moved to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LinkedOpenings {
    items: Vec<Opening>,
}

impl SavedMethod {
    fn of(method: &Method) -> Self {
        Self { kind: method.kind.clone(), brand: method.brand.clone(), last4: method.last4.clone() }
    }
}

impl VisitBody {
    fn of(visit: &LinkedVisit) -> Self {
        use suture_core::appointment::Status;
        let state = &visit.appointment;
        Self {
            provider: visit.provider.clone(),
            clinic: visit.clinic.clone(),
            visit_type: visit.visit_type.clone(),
            starts_at: time(state.context.starts_at),
            ends_at: time(state.ends_at),
            local: LocalMoment::in_zone(state.context.starts_at, &state.zone),
            video: visit.video,
            status: state.status.into(),
            standing: state.standing(),
            due: visit.due.map(Into::into),
            deadline: visit.deadline.map(time),
            cancel: visit.cancel.as_ref().map(Into::into),
            can_move: state.status == Status::Confirmed,
            saved_method: visit.saved.as_ref().map(SavedMethod::of),
        }
    }
}

impl PaymentToMake {
    fn understood(self, public_url: &str) -> Result<PayByLink, Problem> {
        let own = |url: &String| url.len() <= 500 && url.starts_with(&format!("{public_url}/"));
        if self.return_url.as_ref().is_some_and(|url| !own(url)) {
            return Err(field_invalid("returnUrl", "is an address of this server, at most 500 characters"));
        }
        if self.method.as_ref().is_some_and(|method| method.is_empty() || method.len() > 255) {
            return Err(field_invalid("method", "is a method of the gateway, at most 255 characters"));
        }
        Ok(PayByLink {
            method: self.method,
            use_saved: self.use_saved,
            save_method: self.save_method,
            return_url: self.return_url,
        })
    }
}

/// Reads a body. Nobody but the holder of a link sends one, so it is short.
async fn body<B: serde::de::DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<B, Problem> {
    once::parse(&once::read(headers, body, BYTES_MAX).await?)
}

/// Refuses a link that asks too often, before anything is looked up.
fn calm(app: &App, token: &str, purpose: Purpose) -> Result<(), Problem> {
    let pass = app.engine.read_pass(token, purpose).map_err(suture_engine::Error::from)?;
    app.link_may_ask(&pass.subject)
}

fn paid((taken, left): (Taken, Option<money::Money>)) -> Json<PaymentByLink> {
    Json(PaymentByLink {
        status: taken.payment.status().into(),
        amount: taken.payment.amount.into(),
        due: left.map(Into::into),
        client_secret: taken.client_secret.as_ref().map(|secret| secret.expose().clone()),
    })
}

/// A booking, by the link in its confirmation. Refused with `link_forged` and `link_expired`.
#[utoipa::path(get, path = "/booking/{token}", tag = "links", params(("token" = String, Path)), responses((status = 200, body = VisitBody)))]
pub(super) async fn get_booking(
    State(app): State<App>,
    Path(token): Path<String>,
) -> Result<Json<VisitBody>, Problem> {
    calm(&app, &token, Purpose::ManageBooking)?;
    Ok(Json(VisitBody::of(&app.engine.linked_visit(&token, Purpose::ManageBooking).await?)))
}

/// Openings that the booking can be moved to.
#[utoipa::path(get, path = "/booking/{token}/openings", tag = "links", params(("token" = String, Path), SpanQuery), responses((status = 200, body = LinkedOpenings)))]
pub(super) async fn get_booking_openings(
    State(app): State<App>,
    Path(token): Path<String>,
    Asked(query): Asked<SpanQuery>,
) -> Result<Json<LinkedOpenings>, Problem> {
    const AHEAD: std::time::Duration = std::time::Duration::from_secs(14 * 86_400);
    calm(&app, &token, Purpose::ManageBooking)?;
    let pass = app.engine.read_pass(&token, Purpose::ManageBooking).map_err(suture_engine::Error::from)?;
    let state = app.engine.linked_visit(&token, Purpose::ManageBooking).await?.appointment;
    let from: Timestamp = moment_of_query("from", query.from.as_deref())?.unwrap_or_else(|| app.engine.now());
    let search = Search {
        visit_type: state.context.visit_type,
        provider: Some(state.context.provider),
        specialty: None,
        payer: None,
        name: None,
        location: None,
        from,
        until: from + AHEAD,
        limit: 200,
    };
    let found = app.engine.find_openings(&pass.organization, &search).await?;
    let zone = super::practice_body::zone(&state.zone)?;
    let starts = found.into_iter().flat_map(|one| one.starts);
    Ok(Json(LinkedOpenings { items: starts.map(|start| opening(start, &zone)).collect() }))
}

/// Cancels the booking, for at most the fee that was seen. Again changes nothing. Refused with `fee_changed` when it costs
/// more than that by now, and `not_allowed_now`.
#[utoipa::path(post, path = "/booking/{token}/cancel", tag = "links", params(("token" = String, Path)), request_body = CancellationByLink, responses((status = 200, body = VisitBody)))]
pub(super) async fn cancel_booking(
    State(app): State<App>,
    Path(token): Path<String>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Json<VisitBody>, Problem> {
    calm(&app, &token, Purpose::ManageBooking)?;
    let asked: CancellationByLink = body(&headers, sent).await?;
    let seen = asked.fee.map(money::Money::try_from).transpose()?;
    let visit = app.engine.cancel_by_link(&token, (seen, asked.reason.as_deref())).await?;
    Ok(Json(VisitBody::of(&visit)))
}

/// Moves the booking. The same time again changes nothing. Refused with `slot_taken`, `move_costs_fee`,
/// `time_does_not_exist` and `not_allowed_now`.
#[utoipa::path(post, path = "/booking/{token}/move", tag = "links", params(("token" = String, Path)), request_body = MoveByLink, responses((status = 200, body = VisitBody)))]
pub(super) async fn move_booking(
    State(app): State<App>,
    Path(token): Path<String>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Json<VisitBody>, Problem> {
    calm(&app, &token, Purpose::ManageBooking)?;
    let asked: MoveByLink = body(&headers, sent).await?;
    let starts_at = moment_of(asked.starts_at.as_deref(), asked.local.as_ref())?;
    Ok(Json(VisitBody::of(&app.engine.move_by_link(&token, starts_at).await?)))
}

/// A slot that is offered to a patient of the waiting list. Refused with `link_forged`, `link_expired` and `link_used`.
#[utoipa::path(get, path = "/offer/{token}", tag = "links", params(("token" = String, Path)), responses((status = 200, body = VisitBody)))]
pub(super) async fn get_offer(
    State(app): State<App>,
    Path(token): Path<String>,
) -> Result<Json<VisitBody>, Problem> {
    calm(&app, &token, Purpose::WaitlistOffer)?;
    Ok(Json(VisitBody::of(&app.engine.linked_visit(&token, Purpose::WaitlistOffer).await?)))
}

/// Takes the offer, when it costs nothing now. Refused with `deposit_required`: pay it instead.
#[utoipa::path(post, path = "/offer/{token}", tag = "links", params(("token" = String, Path)), responses((status = 200, body = VisitBody)))]
pub(super) async fn take_offer(
    State(app): State<App>,
    Path(token): Path<String>,
) -> Result<Json<VisitBody>, Problem> {
    calm(&app, &token, Purpose::WaitlistOffer)?;
    Ok(Json(VisitBody::of(&app.engine.accept_by_link(&token).await?)))
}

/// Takes the offer by paying its deposit. Refused with `nothing_due`, `hold_ended`, `debt_locked` and `method_missing`.
#[utoipa::path(post, path = "/offer/{token}/pay", tag = "links", params(("token" = String, Path)), request_body = PaymentToMake, responses((status = 200, body = PaymentByLink)))]
pub(super) async fn pay_offer(
    State(app): State<App>,
    Path(token): Path<String>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Json<PaymentByLink>, Problem> {
    pay(&app, (&token, Purpose::WaitlistOffer), (&headers, sent)).await
}

/// Declines the offer: the slot goes to the next patient at once.
#[utoipa::path(post, path = "/offer/{token}/decline", tag = "links", params(("token" = String, Path)), responses((status = 200, body = VisitBody)))]
pub(super) async fn decline_offer(
    State(app): State<App>,
    Path(token): Path<String>,
) -> Result<Json<VisitBody>, Problem> {
    calm(&app, &token, Purpose::WaitlistOffer)?;
    Ok(Json(VisitBody::of(&app.engine.decline_by_link(&token).await?)))
}

/// What is to be paid by a link, and for what. Refused with `link_forged`, `link_expired`, and `link_used` once it is paid.
#[utoipa::path(get, path = "/checkout/{token}", tag = "links", params(("token" = String, Path)), responses((status = 200, body = CheckoutBody)))]
pub(super) async fn get_checkout(
    State(app): State<App>,
    Path(token): Path<String>,
) -> Result<Json<CheckoutBody>, Problem> {
    calm(&app, &token, Purpose::ReturnToCheckout)?;
    Ok(Json(match app.engine.checkout(&token).await? {
        Checkout::Visit(visit) => CheckoutBody { visit: Some(VisitBody::of(&visit)), balance: None },
        Checkout::Balance(LinkedBalance { due, saved, .. }) => {
            let saved_method = saved.as_ref().map(SavedMethod::of);
            let balance = BalanceBody { due: due.map(Into::into), saved_method };
            CheckoutBody { visit: None, balance: Some(balance) }
        }
    }))
}

/// Pays by a link. A declined card leaves the link open for another one. Refused with `nothing_due`, `hold_ended`,
/// `debt_locked` and `method_missing`.
#[utoipa::path(post, path = "/checkout/{token}", tag = "links", params(("token" = String, Path)), request_body = PaymentToMake, responses((status = 200, body = PaymentByLink)))]
pub(super) async fn pay_checkout(
    State(app): State<App>,
    Path(token): Path<String>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Json<PaymentByLink>, Problem> {
    pay(&app, (&token, Purpose::ReturnToCheckout), (&headers, sent)).await
}

/// Runs to its end even when the browser goes away: a payment that began must be followed.
async fn pay(
    app: &App,
    (token, purpose): (&str, Purpose),
    (headers, sent): (&HeaderMap, Body),
) -> Result<Json<PaymentByLink>, Problem> {
    calm(app, token, purpose)?;
    let asked: PaymentToMake = body(headers, sent).await?;
    let how = asked.understood(app.engine.public_url())?;
    let (engine, token) = (app.engine.clone(), token.to_owned());
    let working = tokio::spawn(async move { engine.pay_by_link(&token, purpose, how).await });
    let done = working.await.map_err(|_| Problem::internal("the work of a link panicked"))?;
    Ok(paid(done?))
}

/// The door of a visit by video: its room is named from 15 minutes before the visit to an hour after it.
#[utoipa::path(get, path = "/visit/{token}", tag = "links", params(("token" = String, Path)), responses((status = 200, body = DoorBody)))]
pub(super) async fn get_door(
    State(app): State<App>,
    Path(token): Path<String>,
) -> Result<Json<DoorBody>, Problem> {
    calm(&app, &token, Purpose::VisitLink)?;
    let Door { visit, opens_at, closes_at, room } = app.engine.door(&token).await?;
    let (opens_at, closes_at) = (time(opens_at), time(closes_at));
    Ok(Json(DoorBody { visit: VisitBody::of(&visit), opens_at, closes_at, room }))
}
