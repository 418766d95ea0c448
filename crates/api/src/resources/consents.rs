//! Consents: what a patient allowed us to charge while not present. No such charge happens outside of one.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use suture_core::id::ConsentId;
use suture_core::patient::Command;
use suture_engine::billing::NewConsent;
use utoipa::ToSchema;

use super::patient_body::{ConsentBody, ConsentPurpose, PatientBody};
use super::patients::patient_id;
use super::payments::NewCancellation;
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::{Money, in_path, short};
use crate::once::{Made, Posted};
use crate::problem::Problem;

/// A consent to record.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = NewConsent)]
pub(super) struct ConsentToGive {
    /// The gateway's method; any method on file when absent.
    method: Option<String>,
    purpose: ConsentPurpose,
    /// How much may be charged in all.
    cap: Money,
    /// The version of the text that was shown.
    text_version: String,
    /// SHA-256 of that text, 64 hexadecimal digits.
    text_hash: String,
    /// How it was given, for example `web`, `desk`, `phone`.
    given_by: String,
    /// For how many days it holds.
    #[schema(minimum = 1)]
    valid_for_days: u16,
}

impl ConsentToGive {
    fn understood(self) -> Result<NewConsent, Problem> {
        Ok(NewConsent {
            method: self.method,
            purpose: self.purpose.into(),
            cap: self.cap.try_into()?,
            text_version: short("textVersion", self.text_version)?,
            text_hash: self.text_hash,
            given_by: short("givenBy", self.given_by)?,
            valid_for: Duration::from_secs(u64::from(self.valid_for_days) * 86_400),
        })
    }
}

/// Records a consent. Refused with `consent_invalid`, `method_missing` and `health_card_refused`.
#[utoipa::path(post, path = "/v1/patients/{id}/consents", tag = "patients", params(("id" = String, Path)), request_body = ConsentToGive, responses((status = 201, body = ConsentBody)))]
pub(super) async fn give_consent(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::ManagePatients)?, patient_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: ConsentToGive| {
        let consent = engine.give_consent(&caller, id, new.understood()?).await?;
        Made::created(&ConsentBody::of(&consent, engine.now()))
    };
    posted.once(&app, &session, work).await
}

/// Takes a consent back, at once. Refused with `consent_missing`.
#[utoipa::path(post, path = "/v1/patients/{id}/consents/{consent}/withdraw", tag = "patients", params(("id" = String, Path), ("consent" = String, Path)), request_body = NewCancellation, responses((status = 200, body = PatientBody)))]
pub(super) async fn withdraw_consent(
    State(app): State<App>,
    session: Session,
    Path((id, consent)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::ManagePatients)?, patient_id(&id)?);
    let consent = in_path(ConsentId::parse, &consent, "consent")?;
    let engine = app.engine.clone();
    let work = async move |_: NewCancellation| {
        let command = Command::Withdraw { consent };
        let patient = engine.change_patient(&caller, id, command, "consent_withdrawn").await?;
        Made::ok(&PatientBody::of(&patient, engine.now()))
    };
    posted.once(&app, &session, work).await
}
