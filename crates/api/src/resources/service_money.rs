//! The money of a service: a payer's decision by hand, the responsibility, settling, charging, write-offs, and why it costs
//! what it does.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use suture_core::adjudication::{Adjudication, Adjustment, Group};
use suture_core::service::Command;
use suture_engine::billing::Explained;
use utoipa::ToSchema;

use super::estimates::HowToCharge;
use super::payment_body::PaymentBody;
use super::payments::{self, NewCancellation};
use super::service_allocation::AllocationBody;
use super::service_body::{AdjustmentBody, ClaimOutcome, ServiceBody, WorksheetBody};
use super::services::{changed, code, service_id};
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::{Money, PurposeQuery, field_invalid, opaque, short};
use crate::once::{Made, Posted};
use crate::page::Asked;
use crate::problem::Problem;

/// Adjustments of one decision by hand.
const ADJUSTMENTS_MAX: usize = 200;

/// A payer's decision that came on paper or by telephone.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewDecision)]
pub(super) struct DecisionToBook {
    /// What makes it unique, for example the number of the letter: the same decision is booked once. An opaque id.
    reference: String,
    outcome: ClaimOutcome,
    charge: Money,
    paid: Money,
    /// Everything between the two.
    #[serde(default)]
    adjustments: Vec<AdjustmentBody>,
}

/// What the patient owes in all.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewResponsibility {
    amount: Money,
    /// Who says so.
    author: String,
}

/// A payment that was made elsewhere.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewElsewhere {
    /// What makes it unique, for example the number of the receipt. An opaque id.
    reference: String,
    amount: Money,
    /// Who records it.
    author: String,
}

/// Money that was given back outside of a gateway: cash at the desk, or a cheque.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewGivenBack {
    /// What makes it unique, for example the number of the receipt or cheque. An opaque id.
    reference: String,
    amount: Money,
    /// Who approves.
    approver: String,
    /// Why, as a code. No personal data.
    reason: String,
}

/// A part to give up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewWriteOff {
    amount: Money,
    /// Who approves.
    approver: String,
    /// Why, as a code. No personal data.
    reason: String,
}

/// Who takes a write-off back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WriteOffUndoing {
    /// Who approves.
    approver: String,
}

/// Why a service costs its patient what it does. The amounts add up to the worksheet's difference.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Explanation)]
pub(super) struct ExplanationBody {
    worksheet: WorksheetBody,
    sentences: Vec<SentenceBody>,
    allocation: AllocationBody,
}

/// One sentence about some cents.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplainedAmount)]
pub(super) struct SentenceBody {
    /// Positive: the patient owes it.
    amount: Money,
    /// What it is.
    because: String,
    /// What proves it.
    proof: String,
}

impl From<Explained> for SentenceBody {
    fn from(explained: Explained) -> Self {
        Self { amount: explained.amount.into(), because: explained.because, proof: explained.proof }
    }
}

/// An opaque id that must be there.
fn reference(text: String) -> Result<String, Problem> {
    Ok(opaque("reference", Some(text))?.unwrap_or_default())
}

impl DecisionToBook {
    fn understood(self) -> Result<Adjudication, Problem> {
        if self.adjustments.len() > ADJUSTMENTS_MAX {
            return Err(field_invalid("adjustments", "has at most 200 entries"));
        }
        let adjustments = self.adjustments.into_iter().map(AdjustmentBody::understood);
        let reference = reference(self.reference)?;
        Ok(Adjudication {
            key: format!("manual/{reference}"),
            source: "manual".to_owned(),
            outcome: self.outcome.into(),
            charge: self.charge.try_into()?,
            paid: self.paid.try_into()?,
            adjustments: adjustments.collect::<Result<_, _>>()?,
        })
    }
}

impl AdjustmentBody {
    fn understood(self) -> Result<Adjustment, Problem> {
        let group = match self.group.as_str() {
            "PR" => Group::Patient,
            "CO" => Group::Contractual,
            "OA" => Group::Other,
            "PI" => Group::PayerInitiated,
            _ => return Err(field_invalid("group", "is one of PR, CO, OA and PI")),
        };
        let is_code = |text: &str| {
            (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        if !is_code(&self.reason) {
            return Err(field_invalid("reason", "is an adjustment reason code of 1 to 5 letters or digits"));
        }
        Ok(Adjustment { line: self.line, group, reason: self.reason, amount: self.amount.try_into()? })
    }
}

/// Books a payer's decision by hand. A final one begins to settle. Refused with `adjudication_unbalanced`,
/// `currency_mismatch`, and `not_allowed_now` before the claim was sent.
#[utoipa::path(post, path = "/v1/services/{id}/adjudicate", tag = "services", params(("id" = String, Path)), request_body = DecisionToBook, responses((status = 200, body = ServiceBody)))]
pub(super) async fn adjudicate_service(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::SettleServices)?, service_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: DecisionToBook| {
        let command = Command::Adjudicate(new.understood()?);
        changed(&engine, (&caller, id), command, "decision_entered").await
    };
    posted.once(&app, &session, work).await
}

/// Sets what the patient owes in all, by a person's word. Refused with `amount_not_positive`, and `not_allowed_now` before
/// the note is signed.
#[utoipa::path(post, path = "/v1/services/{id}/responsibility", tag = "services", params(("id" = String, Path)), request_body = NewResponsibility, responses((status = 200, body = ServiceBody)))]
pub(super) async fn set_responsibility(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::SettleServices)?, service_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: NewResponsibility| {
        let (responsibility, author) = (new.amount.try_into()?, short("author", new.author)?);
        let command = Command::SetResponsibility { responsibility, author };
        changed(&engine, (&caller, id), command, "responsibility_set").await
    };
    posted.once(&app, &session, work).await
}

/// Records a payment that was made elsewhere; the same reference counts once. Refused with `amount_not_positive`.
#[utoipa::path(post, path = "/v1/services/{id}/elsewhere", tag = "services", params(("id" = String, Path)), request_body = NewElsewhere, responses((status = 200, body = ServiceBody)))]
pub(super) async fn record_elsewhere(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::SettleServices)?, service_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: NewElsewhere| {
        let (amount, author) = (new.amount.try_into()?, short("author", new.author)?);
        let command = Command::RecordElsewhere { reference: reference(new.reference)?, amount, author };
        changed(&engine, (&caller, id), command, "paid_elsewhere").await
    };
    posted.once(&app, &session, work).await
}

/// Records money that was given back to the patient outside of a gateway; the same reference counts once. Before settling at
/// most what was paid elsewhere, afterwards at most what is owed back, and nothing while a refund is on its way. Refused with
/// `given_back_exceeds_owed`, `authorizer_required`, `amount_not_positive` and `reason_required`.
#[utoipa::path(post, path = "/v1/services/{id}/given-back", tag = "services", params(("id" = String, Path)), request_body = NewGivenBack, responses((status = 200, body = ServiceBody)))]
pub(super) async fn record_given_back(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::SettleServices)?, service_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: NewGivenBack| {
        let (amount, reason) = (new.amount.try_into()?, code(&new.reason)?);
        let (reference, approver) = (reference(new.reference)?, short("approver", new.approver)?);
        let command = Command::GiveBack { reference, amount, approver, reason: reason.clone() };
        changed(&engine, (&caller, id), command, &reason).await
    };
    posted.once(&app, &session, work).await
}

/// Begins to settle: what is too much goes back, what is even completes, what is left is charged after the notice. Refused
/// with `not_allowed_now` while the final responsibility is not known.
#[utoipa::path(post, path = "/v1/services/{id}/settle", tag = "services", params(("id" = String, Path)), request_body = NewCancellation, responses((status = 200, body = ServiceBody)))]
pub(super) async fn settle_service(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::SettleServices)?, service_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |_: NewCancellation| {
        Made::ok(&ServiceBody::of(&engine.settle_service(&caller, id).await?))
    };
    posted.once(&app, &session, work).await
}

/// Charges what is left. Refused with `nothing_due`, and off session with `method_missing`, `method_expired`,
/// `consent_missing`, `consent_ended` and `consent_cap_exceeded`.
#[utoipa::path(post, path = "/v1/services/{id}/charge", tag = "services", params(("id" = String, Path)), request_body = HowToCharge, responses((status = 201, body = PaymentBody)))]
pub(super) async fn charge_balance(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::TakePayments)?, service_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |how: HowToCharge| {
        let taken = engine.charge_balance(&caller, id, how.into()).await?;
        payments::made(&taken)
    };
    posted.once(&app, &session, work).await
}

/// Gives up a part of what the patient still owes. Refused with `write_off_exceeds_due`, `authorizer_required`,
/// `amount_not_positive` and `reason_required`.
#[utoipa::path(post, path = "/v1/services/{id}/write-offs", tag = "services", params(("id" = String, Path)), request_body = NewWriteOff, responses((status = 200, body = ServiceBody)))]
pub(super) async fn write_off(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::SettleServices)?, service_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: NewWriteOff| {
        let (amount, reason) = (new.amount.try_into()?, code(&new.reason)?);
        let approver = short("approver", new.approver)?;
        let command = Command::WriteOff { amount, approver, reason: reason.clone() };
        changed(&engine, (&caller, id), command, &reason).await
    };
    posted.once(&app, &session, work).await
}

/// Takes a write-off back. Refused with `write_off_missing`.
#[utoipa::path(post, path = "/v1/services/{id}/write-offs/{number}/undo", tag = "services", params(("id" = String, Path), ("number" = u32, Path)), request_body = WriteOffUndoing, responses((status = 200, body = ServiceBody)))]
pub(super) async fn undo_write_off(
    State(app): State<App>,
    session: Session,
    Path((id, number)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::SettleServices)?, service_id(&id)?);
    let number: u32 = number.parse().map_err(|_| Problem::not_found("write-off"))?;
    let engine = app.engine.clone();
    let work = async move |new: WriteOffUndoing| {
        let approver = short("approver", new.approver)?;
        let command = Command::UndoWriteOff { number, approver };
        changed(&engine, (&caller, id), command, "write_off_undone").await
    };
    posted.once(&app, &session, work).await
}

/// Why a service costs its patient what it does: every cent, with what proves it.
#[utoipa::path(get, path = "/v1/services/{id}/explanation", tag = "services", params(("id" = String, Path), PurposeQuery), responses((status = 200, body = ExplanationBody)))]
pub(super) async fn explain_bill(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    Asked(query): Asked<PurposeQuery>,
) -> Result<Json<ExplanationBody>, Problem> {
    let (caller, id) = (session.may(Permission::ReadBilling)?, service_id(&id)?);
    let (sheet, told, by_line) = app.engine.explain_bill(&caller, id, &query.code()?).await?;
    let sentences = told.into_iter().map(SentenceBody::from).collect();
    Ok(Json(ExplanationBody { worksheet: sheet.into(), sentences, allocation: by_line.into() }))
}
