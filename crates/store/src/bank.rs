//! Statements of banks and their lines. What a bank wrote beside an amount is sealed; a line is stored once, however many
//! files show it.

use suture_core::currency::Currency;
use suture_core::day::Day;
use suture_core::money::Money;
use suture_core::redact::Phi;
use suture_core::time::Timestamp;

use crate::statement::{Row, Statement};
use crate::{Error, Keyring, Tx};

const PUT: Statement = Statement::new(
    "put bank statement",
    "insert into bank_statements (organization, id, account, currency, format, proof, opening_minor, closing_minor, \
       closes_on, lines, repeated, imported_by, imported_at) \
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
);
const GET: Statement = Statement::new(
    "get bank statement",
    "select id, account, currency, format, proof, opening_minor, closing_minor, closes_on, lines, repeated, imported_by, \
       imported_at from bank_statements where organization = $1 and id = $2",
);
const LIST: Statement = Statement::new(
    "list bank statements",
    "select id, account, currency, format, proof, opening_minor, closing_minor, closes_on, lines, repeated, imported_by, \
       imported_at from bank_statements where organization = $1 order by imported_at desc, id limit $2",
);
const PUT_LINE: Statement = Statement::new(
    "put bank line",
    "insert into bank_lines (organization, account, id, statement, day, amount_minor, currency, key_id, words, state, \
       settlements) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'open', '[]') \
     on conflict (organization, account, id) do nothing",
);
const LINES: Statement = Statement::new(
    "bank lines in state",
    "select account, id, statement, day, amount_minor, currency, key_id, words, state, settlements, owner, note \
     from bank_lines where organization = $1 and state = $2 order by day, account, id limit $3",
);
const MOVE: Statement = Statement::new(
    "move bank line",
    "update bank_lines set state = $4, settlements = $5, owner = coalesce($6, owner), note = coalesce($7, note) \
     where organization = $1 and account = $2 and id = $3 and state = 'open'",
);
const SUMS: Statement = Statement::new(
    "sums of bank lines",
    "select state, currency, cast(sum(amount_minor) as bigint), count(*) from bank_lines \
     where organization = $1 and day <= $2 group by state, currency order by state, currency",
);

/// A statement as kept.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Kept {
    /// Its fingerprint: the same statement is imported once.
    pub id: String,
    /// The account, as a hash and its last four signs.
    pub account: String,
    /// Its currency.
    pub currency: Currency,
    /// The format.
    pub format: String,
    /// What the file proved: `totals`, `closing_only`, `none`.
    pub proof: String,
    /// The balance before, in minor units.
    pub opening_minor: Option<i64>,
    /// The balance after, in minor units.
    pub closing_minor: Option<i64>,
    /// When that holds.
    pub closes_on: Option<String>,
    /// Lines in the file.
    pub lines: i64,
    /// Of those, lines that another file had shown.
    pub repeated: i64,
    /// Who.
    pub imported_by: String,
    /// When.
    pub imported_at: Timestamp,
}

/// What the bank wrote beside an amount, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The descriptor.
    pub descriptor: Phi<String>,
    /// The reference.
    pub reference: Option<Phi<String>>,
}

/// A line as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptLine {
    /// The account.
    pub account: String,
    /// Its id.
    pub id: String,
    /// The statement that showed it first.
    pub statement: String,
    /// The bank's day.
    pub day: Day,
    /// Money in is positive.
    pub amount: Money,
    /// What the bank wrote.
    pub words: Words,
    /// `open`, `matched` or `resolved`.
    pub state: String,
    /// Gateway payouts that it belongs to.
    pub settlements: Vec<String>,
    /// Who looks after it.
    pub owner: Option<String>,
    /// Why it was resolved.
    pub note: Option<String>,
}

/// Keeps a statement.
///
/// # Errors
/// [`Error::Conflict`] when it is kept already.
pub fn put(tx: &mut Tx<'_>, organization: &str, kept: &Kept) -> Result<(), Error> {
    let values = [
        organization.into(),
        kept.id.as_str().into(),
        kept.account.as_str().into(),
        kept.currency.code().into(),
        kept.format.as_str().into(),
        kept.proof.as_str().into(),
        kept.opening_minor.into(),
        kept.closing_minor.into(),
        kept.closes_on.as_deref().into(),
        kept.lines.into(),
        kept.repeated.into(),
        kept.imported_by.as_str().into(),
        kept.imported_at.millis().into(),
    ];
    tx.execute_one(&PUT, &values)
}

/// One statement.
///
/// # Errors
/// [`Error`] of the database.
pub fn get(tx: &mut Tx<'_>, organization: &str, id: &str) -> Result<Option<Kept>, Error> {
    tx.query_optional(&GET, &[organization.into(), id.into()])?.as_ref().map(read).transpose()
}

/// Statements, latest import first.
///
/// # Errors
/// [`Error`] of the database.
pub fn list(tx: &mut Tx<'_>, organization: &str, limit: i64) -> Result<Vec<Kept>, Error> {
    tx.query(&LIST, &[organization.into(), limit.into()])?.iter().map(read).collect()
}

/// Keeps a line unless it is known. Says whether it was new.
///
/// # Errors
/// [`Error`] of the database.
pub fn put_line(
    tx: &mut Tx<'_>,
    keyring: &Keyring,
    organization: &str,
    line: &KeptLine,
) -> Result<bool, Error> {
    let reference = line.words.reference.as_ref().map(|reference| reference.expose().as_str());
    let words = serde_json::json!({ "d": line.words.descriptor.expose(), "r": reference }).to_string();
    let sealed = keyring.seal(&place(organization, &line.account, &line.id), words.as_bytes())?;
    let values = [
        organization.into(),
        line.account.as_str().into(),
        line.id.as_str().into(),
        line.statement.as_str().into(),
        line.day.to_string().into(),
        line.amount.minor.into(),
        line.amount.currency.code().into(),
        keyring.current().to_owned().into(),
        sealed.into(),
    ];
    Ok(tx.execute(&PUT_LINE, &values)? == 1)
}

/// Lines in a state, oldest first.
///
/// # Errors
/// [`Error`] of the database; [`Error::Corrupt`] when one cannot be opened.
pub fn lines(
    tx: &mut Tx<'_>,
    keyring: &Keyring,
    organization: &str,
    state: &str,
    limit: i64,
) -> Result<Vec<KeptLine>, Error> {
    let rows = tx.query(&LINES, &[organization.into(), state.into(), limit.into()])?;
    rows.iter().map(|row| read_line(row, keyring, organization)).collect()
}

/// Moves an open line: to `matched` with its payouts, to `resolved` with a note, or to an owner. Says whether it was open.
///
/// # Errors
/// [`Error`] of the database.
pub fn move_line(
    tx: &mut Tx<'_>,
    organization: &str,
    (account, id): (&str, &str),
    state: &str,
    settlements: &[String],
    (owner, note): (Option<&str>, Option<&str>),
) -> Result<bool, Error> {
    let settlements =
        serde_json::to_string(settlements).map_err(|_| Error::Corrupt("bank line".to_owned()))?;
    let values = [
        organization.into(),
        account.into(),
        id.into(),
        state.into(),
        settlements.into(),
        owner.into(),
        note.into(),
    ];
    Ok(tx.execute(&MOVE, &values)? == 1)
}

/// Sums of lines up to a day: state, amount, number.
///
/// # Errors
/// [`Error`] of the database.
pub fn sums(tx: &mut Tx<'_>, organization: &str, day: Day) -> Result<Vec<(String, Money, i64)>, Error> {
    let rows = tx.query(&SUMS, &[organization.into(), day.to_string().into()])?;
    rows.iter()
        .map(|row| {
            let currency = Currency::parse(&row.text(1)?).map_err(|_| row.corrupt())?;
            Ok((row.text(0)?, Money::new(row.int(2)?, currency), row.int(3)?))
        })
        .collect()
}

fn place(organization: &str, account: &str, id: &str) -> String {
    format!("bank/{organization}/{account}/{id}")
}

fn read(row: &Row) -> Result<Kept, Error> {
    Ok(Kept {
        id: row.text(0)?,
        account: row.text(1)?,
        currency: Currency::parse(&row.text(2)?).map_err(|_| row.corrupt())?,
        format: row.text(3)?,
        proof: row.text(4)?,
        opening_minor: row.optional_int(5)?,
        closing_minor: row.optional_int(6)?,
        closes_on: row.optional_text(7)?,
        lines: row.int(8)?,
        repeated: row.int(9)?,
        imported_by: row.text(10)?,
        imported_at: Timestamp::from_millis(row.int(11)?),
    })
}

fn read_line(row: &Row, keyring: &Keyring, organization: &str) -> Result<KeptLine, Error> {
    let (account, id) = (row.text(0)?, row.text(1)?);
    let opened = keyring.open(&row.text(6)?, &place(organization, &account, &id), row.blob(7)?)?;
    let words: serde_json::Value = serde_json::from_slice(&opened).map_err(|_| row.corrupt())?;
    let text = |name: &str| words.get(name).and_then(serde_json::Value::as_str).map(ToOwned::to_owned);
    let currency = Currency::parse(&row.text(5)?).map_err(|_| row.corrupt())?;
    Ok(KeptLine {
        account,
        id,
        statement: row.text(2)?,
        day: row.text(3)?.parse().map_err(|_| row.corrupt())?,
        amount: Money::new(row.int(4)?, currency),
        words: Words {
            descriptor: Phi::new(text("d").unwrap_or_default()),
            reference: text("r").map(Phi::new),
        },
        state: row.text(8)?,
        settlements: serde_json::from_str(&row.text(9)?).map_err(|_| row.corrupt())?,
        owner: row.optional_text(10)?,
        note: row.optional_text(11)?,
    })
}

/// Every statement of this module, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[PUT, GET, LIST, PUT_LINE, LINES, MOVE, SUMS];
