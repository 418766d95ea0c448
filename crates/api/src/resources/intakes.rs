//! Intake forms: submit one, which makes a policy and begins the check of its coverage, and read it again.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use suture_core::id::{IntakeId, PatientId};
use suture_core::intake::Intake;
use suture_core::redact::Phi;
use suture_engine::billing::NewIntake as Submitted;
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::{Personal, PurposeQuery, field_invalid, in_field, in_path, short};
use crate::once::{Made, Posted};
use crate::page::Asked;
use crate::problem::Problem;

/// Insurance as the patient told it.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = IntakeInsurance)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct NewInsurance {
    /// The payer's id.
    payer: String,
    /// The member id: sealed when stored, and never part of an answer.
    #[schema(value_type = String, write_only)]
    member_id: Personal,
}

/// An intake form to submit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct NewIntake {
    patient: String,
    /// The form and its version, for example `new-patient-3`.
    form: String,
    /// Answers by question: sealed when stored.
    #[schema(value_type = BTreeMap<String, String>, write_only)]
    answers: BTreeMap<String, Personal>,
    insurance: Option<NewInsurance>,
    /// X12 service type codes that the check asks for; `98` when absent.
    service_types: Option<Vec<String>>,
}

/// A submitted form. Its answers are read apart.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Intake)]
#[serde(rename_all = "camelCase")]
pub(super) struct IntakeBody {
    id: String,
    patient: String,
    form: String,
    /// SHA-256 of the answers.
    hash: String,
    /// The policy that it made.
    policy: Option<String>,
    /// The check that began with it.
    eligibility: Option<String>,
    submitted_at: String,
}

/// The answers of a form.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct IntakeAnswers {
    answers: BTreeMap<String, String>,
}

impl IntakeBody {
    fn of(intake: &Intake) -> Self {
        Self {
            id: intake.id.to_string(),
            patient: intake.patient.to_string(),
            form: intake.form.clone(),
            hash: intake.hash.clone(),
            policy: intake.policy.map(|policy| policy.to_string()),
            eligibility: intake.eligibility.map(|eligibility| eligibility.to_string()),
            submitted_at: intake.at.to_rfc3339(),
        }
    }
}

fn intake_id(text: &str) -> Result<IntakeId, Problem> {
    in_path(IntakeId::parse, text, "intake")
}

/// Submits an intake form. With insurance it makes a policy and begins an eligibility check at once. Refused with
/// `form_invalid` or `payer_invalid`.
#[utoipa::path(post, path = "/v1/intakes", tag = "patients", request_body = NewIntake, responses((status = 201, body = IntakeBody)))]
pub(super) async fn submit_intake(
    State(app): State<App>,
    session: Session,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::ManagePatients)?;
    let engine = app.engine.clone();
    let work = async move |new: NewIntake| {
        let patient = in_field(PatientId::parse, &new.patient, "patient")?;
        let types = new.service_types.unwrap_or_else(|| vec!["98".to_owned()]);
        if types.len() > 20 {
            return Err(field_invalid("serviceTypes", "has at most 20 codes"));
        }
        let answers = new
            .answers
            .into_iter()
            .map(|(question, answer)| (question, answer.into_inner().expose().clone()));
        let submitted = Submitted {
            patient,
            form: short("form", new.form)?,
            answers: Phi::new(answers.collect()),
            insurance: new.insurance.map(|insurance| (insurance.payer, insurance.member_id.into_inner())),
            service_types: types,
        };
        Made::created(&IntakeBody::of(&engine.submit_intake(&caller, submitted).await?))
    };
    posted.once(&app, &session, work).await
}

/// One submitted form, without its answers.
#[utoipa::path(get, path = "/v1/intakes/{id}", tag = "patients", params(("id" = String, Path), PurposeQuery), responses((status = 200, body = IntakeBody)))]
pub(super) async fn get_intake(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    Asked(query): Asked<PurposeQuery>,
) -> Result<Json<IntakeBody>, Problem> {
    let (caller, id) = (session.may(Permission::ReadPatients)?, intake_id(&id)?);
    let why = query.code()?;
    let intake = app.engine.intake(&caller.organization, id).await?;
    let subject = intake.patient.to_string();
    app.engine.log_access(&caller, "read", &subject, &format!("intake/{id}"), &why).await?;
    Ok(Json(IntakeBody::of(&intake)))
}

/// The answers of a form. Looking is logged.
#[utoipa::path(get, path = "/v1/intakes/{id}/answers", tag = "patients", params(("id" = String, Path), PurposeQuery), responses((status = 200, body = IntakeAnswers)))]
pub(super) async fn get_intake_answers(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    Asked(query): Asked<PurposeQuery>,
) -> Result<Json<IntakeAnswers>, Problem> {
    let (caller, id) = (session.may(Permission::ReadPatients)?, intake_id(&id)?);
    let why = query.code()?;
    let intake = app.engine.intake(&caller.organization, id).await?;
    let subject = intake.patient.to_string();
    app.engine.log_access(&caller, "read", &subject, &format!("intake/{id}/answers"), &why).await?;
    let answers = app.engine.intake_answers(&caller.organization, id).await?;
    Ok(Json(IntakeAnswers { answers: answers.expose().clone() }))
}
