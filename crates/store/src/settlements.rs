//! The lines of gateway payouts, as the gateway told them, with the entries that explain each.

use suture_core::currency::Currency;
use suture_core::money::Money;
use suture_core::settlement::{Class, Line};

use crate::statement::{Row, Statement};
use crate::{Error, Tx};

const PUT: Statement = Statement::new(
    "put settlement line",
    "insert into settlement_lines \
       (organization, settlement, id, class, kind, source, gross_minor, fee_minor, currency, day, facts, state, left_minor) \
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
     on conflict (organization, settlement, id) do update set facts = $11, state = $12, left_minor = $13",
);
const LIST: Statement = Statement::new(
    "list settlement lines",
    "select id, class, kind, source, gross_minor, fee_minor, currency, day, facts, state, left_minor from settlement_lines \
     where organization = $1 and settlement = $2 and id > $3 order by id limit $4",
);
const SUMS: Statement = Statement::new(
    "sums of settlement lines",
    "select class, count(*), cast(sum(gross_minor) as bigint), cast(sum(fee_minor) as bigint) from settlement_lines \
     where organization = $1 and settlement = $2 group by class order by class",
);

/// A line with what was found for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The line.
    pub line: Line,
    /// Keys of the entries that explain it.
    pub facts: Vec<String>,
    /// `matched`, `booked` or `exception`.
    pub state: String,
    /// What no entry explains, in minor units.
    pub left_minor: i64,
}

/// The sums of one class of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sum {
    /// The class.
    pub class: Class,
    /// How many lines.
    pub lines: i64,
    /// Before fees.
    pub gross_minor: i64,
    /// Fees.
    pub fee_minor: i64,
}

/// Stores a line, or what is newly known of it.
///
/// # Errors
/// [`Error`] of the database.
pub fn put(tx: &mut Tx<'_>, organization: &str, settlement: &str, stored: &Stored) -> Result<(), Error> {
    let corrupt = |_| Error::Corrupt("settlement line".to_owned());
    let facts = serde_json::to_string(&stored.facts).map_err(corrupt)?;
    let line = &stored.line;
    let values = [
        organization.into(),
        settlement.into(),
        line.transaction.as_str().into(),
        class_text(line.class).into(),
        line.kind.as_str().into(),
        line.source.as_deref().into(),
        line.gross.minor.into(),
        line.fee.minor.into(),
        line.gross.currency.code().into(),
        line.on.to_string().into(),
        facts.into(),
        stored.state.as_str().into(),
        stored.left_minor.into(),
    ];
    tx.execute_one(&PUT, &values)
}

/// Lines in order of their ids, after one of them.
///
/// # Errors
/// [`Error`] of the database.
pub fn list(
    tx: &mut Tx<'_>,
    organization: &str,
    settlement: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<Stored>, Error> {
    let rows = tx.query(&LIST, &[organization.into(), settlement.into(), after.into(), limit.into()])?;
    rows.iter().map(read).collect()
}

/// The sums by class.
///
/// # Errors
/// [`Error`] of the database.
pub fn sums(tx: &mut Tx<'_>, organization: &str, settlement: &str) -> Result<Vec<Sum>, Error> {
    let rows = tx.query(&SUMS, &[organization.into(), settlement.into()])?;
    rows.iter()
        .map(|row| {
            let class = class_of(&row.text(0)?).ok_or_else(|| row.corrupt())?;
            Ok(Sum { class, lines: row.int(1)?, gross_minor: row.int(2)?, fee_minor: row.int(3)? })
        })
        .collect()
}

const CLASSES: [(Class, &str); 7] = [
    (Class::Charge, "charge"),
    (Class::Refund, "refund"),
    (Class::Dispute, "dispute"),
    (Class::Transfer, "transfer"),
    (Class::Payout, "payout"),
    (Class::Fee, "fee"),
    (Class::Other, "other"),
];

/// A class as stored and shown.
#[must_use]
pub fn class_text(class: Class) -> &'static str {
    CLASSES.iter().find(|(known, _)| *known == class).map_or("other", |(_, text)| text)
}

fn class_of(text: &str) -> Option<Class> {
    CLASSES.iter().find(|(_, known)| *known == text).map(|(class, _)| *class)
}

fn read(row: &Row) -> Result<Stored, Error> {
    let currency = Currency::parse(&row.text(6)?).map_err(|_| row.corrupt())?;
    let line = Line {
        transaction: row.text(0)?,
        class: class_of(&row.text(1)?).ok_or_else(|| row.corrupt())?,
        kind: row.text(2)?,
        source: row.optional_text(3)?,
        gross: Money::new(row.int(4)?, currency),
        fee: Money::new(row.int(5)?, currency),
        on: row.text(7)?.parse().map_err(|_| row.corrupt())?,
    };
    let facts = serde_json::from_str(&row.text(8)?).map_err(|_| row.corrupt())?;
    Ok(Stored { line, facts, state: row.text(9)?, left_minor: row.int(10)? })
}

/// Every statement of this module, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[PUT, LIST, SUMS];
