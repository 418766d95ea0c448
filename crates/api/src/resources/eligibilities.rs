//! Eligibility checks: ask, read, answer by hand or with a payer's X12 271, and ask again.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use suture_core::id::{EligibilityId, PatientId, PolicyId};
use suture_core::money;
use suture_engine::billing::{self, NewEligibility};
use utoipa::{IntoParams, ToSchema};

use super::eligibility_body::{AnswerToTake, EligibilityBody};
use super::payments::NewCancellation;
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::{Money, PurposeQuery, in_field, in_path, opaque};
use crate::once::{Made, Posted, PostedFile};
use crate::page::Asked;
use crate::problem::Problem;

/// A 271 is a few kilobytes.
const X12_BYTES_MAX: usize = 1 << 20;

/// A check to ask for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = NewEligibility)]
pub(super) struct EligibilityToAsk {
    patient: String,
    /// The policy; self-pay when absent.
    policy: Option<String>,
    /// 1 to 20 X12 service type codes, for example `98` for an office visit.
    service_types: Vec<String>,
    /// The guarantor account, an opaque id.
    account: Option<String>,
    /// The appointment, an opaque id.
    appointment: Option<String>,
}

/// What a person learned from the payer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ManualAnswer {
    /// Who learned it.
    author: String,
    answer: AnswerToTake,
}

/// How a 271 is to be read.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct X12Query {
    /// What the payer allows for the visit, in minor units: from the fee schedule or past remittances.
    allowed_minor: i64,
    /// The currency of that amount; `USD` when absent.
    currency: Option<String>,
    /// Whether the provider is in the plan's network; `in` when absent.
    #[param(inline)]
    network: Option<NetworkWord>,
    /// Which of several estimates counts; `highest` when absent.
    #[param(inline)]
    choose: Option<ChooseWord>,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum NetworkWord {
    In,
    Out,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum ChooseWord {
    Highest,
    Lowest,
}

impl EligibilityToAsk {
    fn understood(self) -> Result<NewEligibility, Problem> {
        let policy = self.policy.as_deref().map(|id| in_field(PolicyId::parse, id, "policy"));
        Ok(NewEligibility {
            patient: in_field(PatientId::parse, &self.patient, "patient")?,
            policy: policy.transpose()?,
            service_types: self.service_types,
            account: opaque("account", self.account)?,
            appointment: opaque("appointment", self.appointment)?,
        })
    }
}

impl X12Query {
    fn understood(self) -> Result<(money::Money, (billing::Network, billing::Choose)), Problem> {
        let currency = self.currency.unwrap_or_else(|| "USD".to_owned());
        let network = match self.network.unwrap_or(NetworkWord::In) {
            NetworkWord::In => billing::Network::In,
            NetworkWord::Out => billing::Network::Out,
        };
        let choose = match self.choose.unwrap_or(ChooseWord::Highest) {
            ChooseWord::Highest => billing::Choose::Highest,
            ChooseWord::Lowest => billing::Choose::Lowest,
        };
        Ok((Money { minor: self.allowed_minor, currency }.try_into()?, (network, choose)))
    }
}

fn eligibility_id(text: &str) -> Result<EligibilityId, Problem> {
    in_path(EligibilityId::parse, text, "eligibility")
}

/// Asks for a check. Answers at once with `pending`; the check goes on by itself. Refused with `policy_of_another_patient`
/// and `service_types_invalid`.
#[utoipa::path(post, path = "/v1/eligibilities", tag = "billing", request_body = EligibilityToAsk, responses((status = 201, body = EligibilityBody)))]
pub(super) async fn create_eligibility(
    State(app): State<App>,
    session: Session,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::ManagePatients)?;
    let engine = app.engine.clone();
    let work = async move |new: EligibilityToAsk| {
        let check = engine.create_eligibility(&caller, new.understood()?).await?;
        Made::created(&EligibilityBody::of(&check))
    };
    posted.once(&app, &session, work).await
}

/// One check.
#[utoipa::path(get, path = "/v1/eligibilities/{id}", tag = "billing", params(("id" = String, Path), PurposeQuery), responses((status = 200, body = EligibilityBody)))]
pub(super) async fn get_eligibility(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    Asked(query): Asked<PurposeQuery>,
) -> Result<Json<EligibilityBody>, Problem> {
    let (caller, id) = (session.may(Permission::ReadBilling)?, eligibility_id(&id)?);
    let why = query.code()?;
    let check = app.engine.eligibility(&caller.organization, id).await?;
    let subject = check.patient.to_string();
    app.engine.log_access(&caller, "read", &subject, &format!("eligibility/{id}"), &why).await?;
    Ok(Json(EligibilityBody::of(&check)))
}

/// Takes in what a person learned from the payer. Refused with `responsibility_does_not_add_up` and `author_required`.
#[utoipa::path(post, path = "/v1/eligibilities/{id}/answer", tag = "billing", params(("id" = String, Path)), request_body = ManualAnswer, responses((status = 200, body = EligibilityBody)))]
pub(super) async fn answer_eligibility(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::ManagePatients)?, eligibility_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: ManualAnswer| {
        let check = engine.answer_eligibility(&caller, id, new.answer.understood()?, &new.author).await?;
        Made::ok(&EligibilityBody::of(&check))
    };
    posted.once(&app, &session, work).await
}

/// Takes in a payer's X12 271, at most 1 MiB. Refused with `x12_refused`, and with `answer_for_another_patient` when its
/// member is not the policy's.
#[utoipa::path(post, path = "/v1/eligibilities/{id}/x12", tag = "billing", params(("id" = String, Path), X12Query), request_body(content = String, content_type = "application/edi-x12"), responses((status = 200, body = EligibilityBody)))]
pub(super) async fn answer_eligibility_x12(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    Asked(query): Asked<X12Query>,
    posted: PostedFile<X12_BYTES_MAX>,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::ManagePatients)?, eligibility_id(&id)?);
    let (engine, (allowed, how)) = (app.engine.clone(), query.understood()?);
    let work = async move |text: Vec<u8>| {
        let check = engine.answer_eligibility_x12(&caller, id, &text, allowed, how).await?;
        Made::ok(&EligibilityBody::of(&check))
    };
    posted.once(&app, &session, work).await
}

/// Asks again, for example before the service. What was known stays known meanwhile.
#[utoipa::path(post, path = "/v1/eligibilities/{id}/recheck", tag = "billing", params(("id" = String, Path)), request_body = NewCancellation, responses((status = 200, body = EligibilityBody)))]
pub(super) async fn recheck_eligibility(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::ManagePatients)?, eligibility_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |_: NewCancellation| {
        Made::ok(&EligibilityBody::of(&engine.reopen_eligibility(&caller, id).await?))
    };
    posted.once(&app, &session, work).await
}
