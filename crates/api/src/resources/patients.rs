//! Patients: record one, find and read them, and connect them to a gateway. Reading one is logged with its purpose.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use suture_core::id::PatientId;
use suture_engine::billing::NewPatient;
use utoipa::{IntoParams, ToSchema};

use super::patient_body::PatientBody;
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::{Personal, PurposeQuery, field_invalid, in_path, purpose};
use crate::once::{Made, Posted};
use crate::page::{Asked, Page};
use crate::problem::Problem;

/// Ids in other systems, and gateways, that one patient may have.
const ENTRIES_MAX: usize = 20;
/// Personal fields of one patient.
const PERSONAL_MAX: usize = 50;
/// Bytes of one personal field.
const PERSONAL_BYTES_MAX: usize = 4_096;

/// A patient to record.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = NewPatient)]
pub(super) struct PatientToMake {
    /// Ids in other systems by system, for example `epic`. Opaque ids; names do not belong here.
    #[serde(default)]
    external: BTreeMap<String, String>,
    /// Names, birth date, record numbers: at most 50 fields, sealed when stored, and never part of an answer.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>, write_only)]
    personal: BTreeMap<String, Personal>,
    /// Connections at which a customer is made at once.
    #[serde(default)]
    customer_at: Vec<String>,
}

/// Where the patient is to have a customer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCustomer {
    /// The connection.
    connection: String,
}

/// Which patient.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PatientQuery {
    /// An id in another system.
    external: String,
    /// Why, as a code such as `check_in`, for the access log; `api` when absent.
    purpose: Option<String>,
}

impl PatientToMake {
    fn understood(self) -> Result<NewPatient, Problem> {
        if self.external.len() > ENTRIES_MAX || self.customer_at.len() > ENTRIES_MAX {
            return Err(field_invalid("external` or `customerAt", "has more than 20 entries"));
        }
        let is_name = |name: &String| {
            (1..=64).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        };
        let personal: Vec<_> =
            self.personal.into_iter().map(|(name, content)| (name, content.into_inner())).collect();
        let fits = personal.iter().all(|(name, content)| {
            is_name(name) && (1..=PERSONAL_BYTES_MAX).contains(&content.expose().len())
        });
        if personal.len() > PERSONAL_MAX || !fits {
            return Err(field_invalid(
                "personal",
                "has at most 50 fields, named by up to 64 lower-case letters, digits or underscores, with 1 to 4096 bytes \
                 each",
            ));
        }
        Ok(NewPatient { external: self.external, personal, customer_at: self.customer_at })
    }
}

/// Records a patient and plans a customer at each named connection. Refused with `not_an_opaque_id` and `patient_exists`.
#[utoipa::path(post, path = "/v1/patients", tag = "patients", request_body = PatientToMake, responses((status = 201, body = PatientBody)))]
pub(super) async fn create_patient(
    State(app): State<App>,
    session: Session,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::ManagePatients)?;
    let engine = app.engine.clone();
    let work = async move |new: PatientToMake| {
        let patient = engine.create_patient(&caller, new.understood()?).await?;
        Made::created(&PatientBody::of(&patient, engine.now()))
    };
    posted.once(&app, &session, work).await
}

/// The patient of an id in another system: one item, or none.
#[utoipa::path(get, path = "/v1/patients", tag = "patients", params(PatientQuery), responses((status = 200, body = Page<PatientBody>)))]
pub(super) async fn find_patient(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<PatientQuery>,
) -> Result<Json<Page<PatientBody>>, Problem> {
    let caller = session.may(Permission::ReadPatients)?;
    let why = purpose(query.purpose.as_deref())?;
    let found = app.engine.find_patient(&caller.organization, &query.external).await?;
    if let Some(patient) = &found {
        app.engine.log_access(&caller, "read", &patient.id.to_string(), "patient", &why).await?;
    }
    let items = found.iter().map(|patient| PatientBody::of(patient, app.engine.now())).collect();
    Ok(Json(Page { items, next: None }))
}

/// One patient's record.
#[utoipa::path(get, path = "/v1/patients/{id}", tag = "patients", params(("id" = String, Path), PurposeQuery), responses((status = 200, body = PatientBody)))]
pub(super) async fn get_patient(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    Asked(query): Asked<PurposeQuery>,
) -> Result<Json<PatientBody>, Problem> {
    let (caller, id) = (session.may(Permission::ReadPatients)?, patient_id(&id)?);
    let why = query.code()?;
    let patient = app.engine.patient(&caller.organization, id).await?;
    app.engine.log_access(&caller, "read", &id.to_string(), "patient", &why).await?;
    Ok(Json(PatientBody::of(&patient, app.engine.now())))
}

/// Plans a customer at a gateway; the answer shows it as `requested` until the gateway has it.
#[utoipa::path(post, path = "/v1/patients/{id}/customers", tag = "patients", params(("id" = String, Path)), request_body = NewCustomer, responses((status = 201, body = PatientBody)))]
pub(super) async fn connect_patient(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::ManagePatients)?, patient_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: NewCustomer| {
        let patient = engine.connect_patient(&caller, id, &new.connection).await?;
        Made::created(&PatientBody::of(&patient, engine.now()))
    };
    posted.once(&app, &session, work).await
}

/// The patient that a path names.
pub(super) fn patient_id(text: &str) -> Result<PatientId, Problem> {
    in_path(PatientId::parse, text, "patient")
}
