//! Encounters: write a draft, sign it, add to it, record how the care turned out.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use suture_core::id::EncounterId;
use suture_engine::scheduling::{Signature, Written};
use utoipa::ToSchema;

use super::encounter_body::{CodeBody, EncounterBody};
use super::services::code;
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::{Personal, PurposeQuery, in_path, short};
use crate::once::{Made, Posted};
use crate::page::Asked;
use crate::problem::Problem;

/// A draft.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EncounterDraft)]
pub(super) struct DraftToKeep {
    /// The SOAP note: 1 to 100000 bytes, sealed when stored.
    #[schema(value_type = String, write_only)]
    text: Personal,
    /// The procedure codes so far.
    #[serde(default)]
    codes: Vec<CodeBody>,
}

/// A note to sign. It cannot change afterwards.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewEncounterSignature)]
pub(super) struct EncounterToSign {
    /// The SOAP note: 1 to 100000 bytes, sealed when stored.
    #[schema(value_type = String, write_only)]
    text: Personal,
    /// 1 to 50 procedure codes, each once.
    codes: Vec<CodeBody>,
    /// Who signs.
    signer: String,
}

/// An addition to sign.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewEncounterAddendum)]
pub(super) struct AddendumToSign {
    /// The addition: 1 to 100000 bytes, sealed when stored.
    #[schema(value_type = String, write_only)]
    text: Personal,
    /// The procedure codes from now on; as before when absent. Others charge or pay back the difference.
    codes: Option<Vec<CodeBody>>,
    /// Who signs.
    signer: String,
}

/// How the care turned out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewOutcome)]
pub(super) struct OutcomeToRecord {
    /// As a code.
    outcome: String,
    /// Who says so.
    by: String,
}

/// What was written in an encounter.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EncounterTexts {
    /// Until it is signed.
    draft: Option<String>,
    notes: Vec<NoteText>,
}

/// A signed text.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NoteText {
    note: String,
    text: String,
}

fn encounter_id(text: &str) -> Result<EncounterId, Problem> {
    in_path(EncounterId::parse, text, "encounter")
}

fn written(text: Personal, codes: Option<Vec<CodeBody>>) -> Written {
    let codes = codes.map(|codes| codes.into_iter().map(CodeBody::understood).collect());
    Written { text: text.into_inner(), codes }
}

/// One encounter, without its texts.
#[utoipa::path(get, path = "/v1/encounters/{id}", tag = "encounters", params(("id" = String, Path), PurposeQuery), responses((status = 200, body = EncounterBody)))]
pub(super) async fn get_encounter(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    Asked(query): Asked<PurposeQuery>,
) -> Result<Json<EncounterBody>, Problem> {
    let (caller, id) = (session.may(Permission::ReadSchedule)?, encounter_id(&id)?);
    let why = query.code()?;
    let state = app.engine.encounter(&caller.organization, id).await?;
    let patient = state.patient.to_string();
    app.engine.log_access(&caller, "read", &patient, &format!("encounter/{id}"), &why).await?;
    Ok(Json(EncounterBody::of(&state)))
}

/// What was written in an encounter: for those who document care.
#[utoipa::path(get, path = "/v1/encounters/{id}/texts", tag = "encounters", params(("id" = String, Path), PurposeQuery), responses((status = 200, body = EncounterTexts)))]
pub(super) async fn get_encounter_texts(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    Asked(query): Asked<PurposeQuery>,
) -> Result<Json<EncounterTexts>, Problem> {
    let (caller, id) = (session.may(Permission::DocumentCare)?, encounter_id(&id)?);
    let why = query.code()?;
    let texts = app.engine.encounter_texts(&caller.organization, id).await?;
    let patient = texts.patient.to_string();
    app.engine.log_access(&caller, "read", &patient, &format!("encounter/{id}/texts"), &why).await?;
    let notes = texts.notes.into_iter();
    Ok(Json(EncounterTexts {
        draft: texts.draft.map(suture_core::redact::Phi::into_exposed),
        notes: notes
            .map(|(note, text)| NoteText { note: note.to_string(), text: text.into_exposed() })
            .collect(),
    }))
}

/// Keeps a draft, in place of the one before. Refused with `note_signed`, `note_invalid` and `codes_invalid`.
#[utoipa::path(put, path = "/v1/encounters/{id}", tag = "encounters", params(("id" = String, Path)), request_body = DraftToKeep, responses((status = 200, body = EncounterBody)))]
pub(super) async fn put_draft(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Json<EncounterBody>, Problem> {
    let (caller, id) = (session.may(Permission::DocumentCare)?, encounter_id(&id)?);
    let new: DraftToKeep = posted.parse()?;
    let state = app.engine.document_encounter(&caller, id, written(new.text, Some(new.codes))).await?;
    Ok(Json(EncounterBody::of(&state)))
}

/// Signs an encounter: the visit is over, and its codes are charged as the appointment's terms say. Refused with
/// `note_signed`, `note_invalid` and `codes_invalid`.
#[utoipa::path(post, path = "/v1/encounters/{id}/sign", tag = "encounters", params(("id" = String, Path)), request_body = EncounterToSign, responses((status = 200, body = EncounterBody)))]
pub(super) async fn sign_encounter(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::DocumentCare)?, encounter_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: EncounterToSign| {
        let by = Signature { signer: short("signer", new.signer)? };
        let words = (written(new.text, Some(new.codes)), by);
        Made::ok(&EncounterBody::of(&engine.finalize_encounter(&caller, id, words).await?))
    };
    posted.once(&app, &session, work).await
}

/// Adds to a signed encounter. Refused with `note_missing`, `note_invalid` and `codes_invalid`.
#[utoipa::path(post, path = "/v1/encounters/{id}/addenda", tag = "encounters", params(("id" = String, Path)), request_body = AddendumToSign, responses((status = 201, body = EncounterBody)))]
pub(super) async fn addend_encounter(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::DocumentCare)?, encounter_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: AddendumToSign| {
        let by = Signature { signer: short("signer", new.signer)? };
        let words = (written(new.text, new.codes), by);
        Made::created(&EncounterBody::of(&engine.addend_encounter(&caller, id, words).await?))
    };
    posted.once(&app, &session, work).await
}

/// Records how the care turned out. Refused with `reason_required`.
#[utoipa::path(post, path = "/v1/encounters/{id}/outcome", tag = "encounters", params(("id" = String, Path)), request_body = OutcomeToRecord, responses((status = 200, body = EncounterBody)))]
pub(super) async fn record_outcome(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::DocumentCare)?, encounter_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: OutcomeToRecord| {
        let (outcome, by) = (code(&new.outcome)?, short("by", new.by)?);
        Made::ok(&EncounterBody::of(&engine.record_outcome(&caller, id, (&outcome, &by)).await?))
    };
    posted.once(&app, &session, work).await
}
