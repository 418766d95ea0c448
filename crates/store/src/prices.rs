//! The fee schedule of a clinic: what a procedure code costs on a day, for one payer or for everybody.

use suture_core::currency::Currency;
use suture_core::id::ClinicId;
use suture_core::money::Money;

use crate::statement::{Row, Statement};
use crate::{Error, Tx};

const PUT: Statement = Statement::new(
    "put price",
    "insert into prices (organization, clinic, code, payer, from_day, until_day, amount_minor, currency) \
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (organization, clinic, code, payer, from_day) do update set \
     until_day = excluded.until_day, amount_minor = excluded.amount_minor, currency = excluded.currency",
);
const FIND: Statement = Statement::new(
    "find price",
    "select code, payer, from_day, until_day, amount_minor, currency from prices where organization = $1 and clinic = $2 \
     and code = $3 and payer in ($4, '') and from_day <= $5 and until_day >= $6 order by payer desc, from_day desc limit 1",
);
const LIST: Statement = Statement::new(
    "list prices",
    "select code, payer, from_day, until_day, amount_minor, currency from prices where organization = $1 and clinic = $2 \
     and code > $3 order by code, payer, from_day limit $4",
);

/// One price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// The procedure code.
    pub code: String,
    /// The payer's id; empty for everybody.
    pub payer: String,
    /// The first day, in days since 1970-01-01 in the clinic's zone.
    pub from_day: i64,
    /// The last day.
    pub until_day: i64,
    /// The price of one unit.
    pub amount: Money,
}

/// Stores a price; one of the same code, payer and first day is replaced.
///
/// # Errors
/// [`Error`] of the database.
pub fn put(tx: &mut Tx<'_>, organization: &str, clinic: ClinicId, price: &Price) -> Result<(), Error> {
    let clinic = clinic.to_string();
    let values = [
        organization.into(),
        (&clinic).into(),
        (&price.code).into(),
        (&price.payer).into(),
        price.from_day.into(),
        price.until_day.into(),
        price.amount.minor.into(),
        price.amount.currency.code().into(),
    ];
    tx.execute_one(&PUT, &values)
}

/// The price of a code on a day: the payer's own, else everybody's; of several, the one that began last.
///
/// # Errors
/// [`Error`] of the database.
pub fn find(
    tx: &mut Tx<'_>,
    organization: &str,
    clinic: ClinicId,
    (code, payer, day): (&str, &str, i64),
) -> Result<Option<Price>, Error> {
    let clinic = clinic.to_string();
    let values = [organization.into(), (&clinic).into(), code.into(), payer.into(), day.into(), day.into()];
    tx.query_optional(&FIND, &values)?.as_ref().map(read).transpose()
}

/// Prices in order of their codes, after one of them.
///
/// # Errors
/// [`Error`] of the database.
pub fn list(
    tx: &mut Tx<'_>,
    organization: &str,
    clinic: ClinicId,
    after: &str,
    limit: i64,
) -> Result<Vec<Price>, Error> {
    let clinic = clinic.to_string();
    tx.query(&LIST, &[organization.into(), (&clinic).into(), after.into(), limit.into()])?
        .iter()
        .map(read)
        .collect()
}

fn read(row: &Row) -> Result<Price, Error> {
    let currency = Currency::parse(&row.text(5)?).map_err(|_| row.corrupt())?;
    Ok(Price {
        code: row.text(0)?,
        payer: row.text(1)?,
        from_day: row.int(2)?,
        until_day: row.int(3)?,
        amount: Money::new(row.int(4)?, currency),
    })
}

/// Every statement of this module, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[PUT, FIND, LIST];
