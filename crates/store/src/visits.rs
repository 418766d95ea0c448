//! Appointments by provider, patient and time: the rows that calendars, feeds and reports read. The truth is in the
//! appointments' streams; a row changes in the transaction of its stream.

use suture_core::appointment::{Appointment, Status};
use suture_core::id::{AppointmentId, ClinicId, PatientId, ProviderId, VisitTypeId};
use suture_core::time::Timestamp;

use crate::statement::{Row, Statement};
use crate::{Error, Tx};

const PUT: Statement = Statement::new(
    "put visit",
    "insert into visits (organization, appointment, patient, provider, visit_type, clinic, timing, status, starts_at, ends_at, \
     updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (organization, appointment) do update set \
     status = excluded.status, starts_at = excluded.starts_at, ends_at = excluded.ends_at, updated_at = excluded.updated_at",
);
const OF_PROVIDER: Statement = Statement::new(
    "visits of provider",
    "select appointment, patient, provider, visit_type, clinic, timing, status, starts_at, ends_at, updated_at from visits \
     where organization = $1 and provider = $2 and starts_at >= $3 and starts_at < $4 order by starts_at, appointment limit $5",
);
const OF_PATIENT: Statement = Statement::new(
    "visits of patient",
    "select appointment, patient, provider, visit_type, clinic, timing, status, starts_at, ends_at, updated_at from visits \
     where organization = $1 and patient = $2 and starts_at >= $3 and starts_at < $4 order by starts_at, appointment limit $5",
);
const BETWEEN: Statement = Statement::new(
    "visits between",
    "select appointment, patient, provider, visit_type, clinic, timing, status, starts_at, ends_at, updated_at from visits \
     where organization = $1 and starts_at >= $2 and starts_at < $3 order by starts_at, appointment limit $4",
);
const MISSED: Statement = Statement::new(
    "missed visits of patient",
    "select count(*) from visits where organization = $1 and patient = $2 and status = 'no_show'",
);
const RATES: Statement = Statement::new(
    "visits by timing and status",
    "select timing, status, count(*) from visits where organization = $1 and clinic = $2 and starts_at >= $3 \
     and starts_at < $4 group by timing, status order by timing, status",
);

/// One appointment, as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// Which.
    pub appointment: AppointmentId,
    /// The patient.
    pub patient: PatientId,
    /// The provider.
    pub provider: ProviderId,
    /// The type of visit.
    pub visit_type: VisitTypeId,
    /// The clinic.
    pub clinic: ClinicId,
    /// When it is paid, as written in JSON.
    pub timing: String,
    /// Where it stands.
    pub status: Status,
    /// When it begins.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Whose visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// One provider's.
    Provider(ProviderId),
    /// One patient's.
    Patient(PatientId),
    /// Everybody's.
    All,
}

/// Writes how an appointment stands.
///
/// # Errors
/// [`Error`] of the database.
pub fn put(
    tx: &mut Tx<'_>,
    organization: &str,
    appointment: &Appointment,
    now: Timestamp,
) -> Result<(), Error> {
    let context = appointment.context;
    let ids = [
        appointment.id.to_string(),
        context.patient.to_string(),
        context.provider.to_string(),
        context.visit_type.to_string(),
        appointment.clinic.to_string(),
    ];
    let [id, patient, provider, visit_type, clinic] = &ids;
    let values = [
        organization.into(),
        id.into(),
        patient.into(),
        provider.into(),
        visit_type.into(),
        clinic.into(),
        appointment.terms.timing.name().into(),
        appointment.status.name().into(),
        context.starts_at.millis().into(),
        appointment.ends_at.millis().into(),
        now.millis().into(),
    ];
    tx.execute_one(&PUT, &values)
}

/// Visits that begin within a time, in order of their beginnings.
///
/// # Errors
/// [`Error`] of the database.
pub fn list(
    tx: &mut Tx<'_>,
    organization: &str,
    whose: Whose,
    (from, until): (Timestamp, Timestamp),
    limit: i64,
) -> Result<Vec<Visit>, Error> {
    let (from, until) = (from.millis().into(), until.millis().into());
    let rows = match whose {
        Whose::Provider(provider) => {
            let provider = provider.to_string();
            tx.query(&OF_PROVIDER, &[organization.into(), (&provider).into(), from, until, limit.into()])?
        }
        Whose::Patient(patient) => {
            let patient = patient.to_string();
            tx.query(&OF_PATIENT, &[organization.into(), (&patient).into(), from, until, limit.into()])?
        }
        Whose::All => tx.query(&BETWEEN, &[organization.into(), from, until, limit.into()])?,
    };
    rows.iter().map(read).collect()
}

/// How many visits a patient missed.
///
/// # Errors
/// [`Error`] of the database.
pub fn missed(tx: &mut Tx<'_>, organization: &str, patient: PatientId) -> Result<i64, Error> {
    let patient = patient.to_string();
    tx.query_optional(&MISSED, &[organization.into(), (&patient).into()])?.map_or(Ok(0), |row| row.int(0))
}

/// How many visits of a clinic there are by timing and status.
///
/// # Errors
/// [`Error`] of the database.
pub fn rates(
    tx: &mut Tx<'_>,
    organization: &str,
    clinic: ClinicId,
    (from, until): (Timestamp, Timestamp),
) -> Result<Vec<(String, String, i64)>, Error> {
    let clinic = clinic.to_string();
    let values = [organization.into(), (&clinic).into(), from.millis().into(), until.millis().into()];
    tx.query(&RATES, &values)?.iter().map(|row| Ok((row.text(0)?, row.text(1)?, row.int(2)?))).collect()
}

fn read(row: &Row) -> Result<Visit, Error> {
    let status = row.text(6)?;
    Ok(Visit {
        appointment: AppointmentId::parse(&row.text(0)?).map_err(|_| row.corrupt())?,
        patient: PatientId::parse(&row.text(1)?).map_err(|_| row.corrupt())?,
        provider: ProviderId::parse(&row.text(2)?).map_err(|_| row.corrupt())?,
        visit_type: VisitTypeId::parse(&row.text(3)?).map_err(|_| row.corrupt())?,
        clinic: ClinicId::parse(&row.text(4)?).map_err(|_| row.corrupt())?,
        timing: row.text(5)?,
        status: Status::ALL.into_iter().find(|known| known.name() == status).ok_or_else(|| row.corrupt())?,
        starts_at: Timestamp::from_millis(row.int(7)?),
        ends_at: Timestamp::from_millis(row.int(8)?),
        updated_at: Timestamp::from_millis(row.int(9)?),
    })
}

/// Every statement of this module, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[PUT, OF_PROVIDER, OF_PATIENT, BETWEEN, MISSED, RATES];
