//! Links: an opaque token ⇄ patient, account, claim, encounter, practitioner, appointment. Ids and codes only.

use suture_core::currency::Currency;
use suture_core::money::Money;
use suture_core::payment::Purpose;
use suture_core::time::Timestamp;

use crate::statement::{Ask, Row, Statement};
use crate::{Error, Tx};

const INSERT: Statement = Statement::new(
    "insert link",
    "insert into links (organization, id, patient, account, claim, encounter, practitioner, appointment, coverage, purpose, \
     due_minor, due_currency, service_codes, created_by, created_at) \
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
);
const UPDATE: Statement = Statement::new(
    "update link",
    "update links set patient = $1, account = $2, claim = $3, encounter = $4, practitioner = $5, appointment = $6, \
     coverage = $7, purpose = $8, due_minor = $9, due_currency = $10, service_codes = $11 \
     where organization = $12 and id = $13",
);
const GET: Statement = Statement::new(
    "get link",
    "select id, patient, account, claim, encounter, practitioner, appointment, coverage, purpose, due_minor, due_currency, \
     service_codes, created_by, created_at from links where organization = $1 and id = $2",
);
const OF_PATIENT: Statement = Statement::new(
    "links of patient",
    "select id, patient, account, claim, encounter, practitioner, appointment, coverage, purpose, due_minor, due_currency, \
     service_codes, created_by, created_at from links where organization = $1 and patient = $2 order by id limit $3",
);
const LIST: Statement = Statement::new(
    "list links",
    "select id, patient, account, claim, encounter, practitioner, appointment, coverage, purpose, due_minor, due_currency, \
     service_codes, created_by, created_at from links where organization = $1 and id > $2 order by id limit $3",
);

/// A link as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The token: all that a gateway ever learns.
    pub id: String,
    /// The patient's opaque id in the EHR.
    pub patient: String,
    /// The guarantor account.
    pub account: Option<String>,
    /// The claim.
    pub claim: Option<String>,
    /// The encounter.
    pub encounter: Option<String>,
    /// The practitioner.
    pub practitioner: Option<String>,
    /// The appointment.
    pub appointment: Option<String>,
    /// The coverage.
    pub coverage: Option<String>,
    /// What payments by this link are for.
    pub purpose: Purpose,
    /// What is due, when known.
    pub due: Option<Money>,
    /// Procedure codes of the service.
    pub service_codes: Vec<String>,
    /// Who made the link.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
}

/// Stores a new link.
///
/// # Errors
/// [`Error::Conflict`] when the token exists.
pub fn insert(tx: &mut Tx<'_>, organization: &str, link: &Link) -> Result<(), Error> {
    let values = [
        organization.into(),
        (&link.id).into(),
        (&link.patient).into(),
        link.account.as_deref().into(),
        link.claim.as_deref().into(),
        link.encounter.as_deref().into(),
        link.practitioner.as_deref().into(),
        link.appointment.as_deref().into(),
        link.coverage.as_deref().into(),
        purpose_name(link.purpose).into(),
        link.due.map(|due| due.minor).into(),
        link.due.map(|due| due.currency.code().to_owned()).into(),
        link.service_codes.join(" ").into(),
        (&link.created_by).into(),
        link.created_at.millis().into(),
    ];
    tx.execute_one(&INSERT, &values)
}

/// Stores what changed about a link, for example after a merge of patients.
///
/// # Errors
/// [`Error::Conflict`] when there is no such link.
pub fn update(tx: &mut Tx<'_>, organization: &str, link: &Link) -> Result<(), Error> {
    let values = [
        (&link.patient).into(),
        link.account.as_deref().into(),
        link.claim.as_deref().into(),
        link.encounter.as_deref().into(),
        link.practitioner.as_deref().into(),
        link.appointment.as_deref().into(),
        link.coverage.as_deref().into(),
        purpose_name(link.purpose).into(),
        link.due.map(|due| due.minor).into(),
        link.due.map(|due| due.currency.code().to_owned()).into(),
        link.service_codes.join(" ").into(),
        organization.into(),
        (&link.id).into(),
    ];
    tx.execute_one(&UPDATE, &values)
}

/// The question that [`get`] asks.
#[must_use]
pub fn ask_get(organization: &str, id: &str) -> Ask {
    Ask { statement: GET, values: vec![organization.to_owned().into(), id.to_owned().into()] }
}

/// One link.
///
/// # Errors
/// [`Error`] of the database.
pub fn get(tx: &mut Tx<'_>, organization: &str, id: &str) -> Result<Option<Link>, Error> {
    tx.query_optional(&GET, &[organization.into(), id.into()])?.as_ref().map(read).transpose()
}

/// Links of a patient.
///
/// # Errors
/// [`Error`] of the database.
pub fn list_patient(
    tx: &mut Tx<'_>,
    organization: &str,
    patient: &str,
    limit: i64,
) -> Result<Vec<Link>, Error> {
    tx.query(&OF_PATIENT, &[organization.into(), patient.into(), limit.into()])?.iter().map(read).collect()
}

/// Links in order of their tokens, after one of them.
///
/// # Errors
/// [`Error`] of the database.
pub fn list(tx: &mut Tx<'_>, organization: &str, after: &str, limit: i64) -> Result<Vec<Link>, Error> {
    tx.query(&LIST, &[organization.into(), after.into(), limit.into()])?.iter().map(read).collect()
}

const fn purpose_name(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Balance => "balance",
        Purpose::Deposit => "deposit",
        Purpose::Credit => "credit",
        Purpose::Order => "order",
    }
}

fn read(row: &Row) -> Result<Link, Error> {
    let due = match (row.optional_int(9)?, row.optional_text(10)?) {
        (Some(minor), Some(code)) => {
            Some(Money::new(minor, Currency::parse(&code).map_err(|_| row.corrupt())?))
        }
        _ => None,
    };
    let purpose = match row.text(8)?.as_str() {
        "balance" => Purpose::Balance,
        "deposit" => Purpose::Deposit,
        "credit" => Purpose::Credit,
        "order" => Purpose::Order,
        _ => return Err(row.corrupt()),
    };
    Ok(Link {
        id: row.text(0)?,
        patient: row.text(1)?,
        account: row.optional_text(2)?,
        claim: row.optional_text(3)?,
        encounter: row.optional_text(4)?,
        practitioner: row.optional_text(5)?,
        appointment: row.optional_text(6)?,
        coverage: row.optional_text(7)?,
        purpose,
        due,
        service_codes: row.text(11)?.split_whitespace().map(ToOwned::to_owned).collect(),
        created_by: row.text(12)?,
        created_at: Timestamp::from_millis(row.int(13)?),
    })
}

/// Every statement of this module, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[INSERT, UPDATE, GET, OF_PATIENT, LIST];
