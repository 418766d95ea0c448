//! The ledger on disk: one row per posting, one per line. Immutable.

use suture_core::currency::Currency;
use suture_core::day::Day;
use suture_core::ledger::{Line, Posting};
use suture_core::money::Money;
use suture_core::time::Timestamp;

use crate::statement::{Row, Statement};
use crate::{Error, Tx};

// The one place where a locked period is kept closed: a day up to the lock becomes the next open day, and the entry keeps
// its original day. In the statement itself, so that no posting can forget it and none needs another round trip.
const ENTRY: Statement = Statement::new(
    "post entry",
    "insert into ledger_entries (organization, key, stream, version, at, lines, day, original_day) \
     values ($1, $2, $3, $4, $5, $6, \
       coalesce((select next_open from period_locks where organization = $1 and through >= $7), $7), \
       (select $7 from period_locks where organization = $1 and through >= $7))",
);
const LINE: Statement = Statement::new(
    "post line",
    "insert into ledger_lines (organization, account, currency, at, key, line, amount_minor, party, day) \
     values ($1, $2, $3, $4, $5, $6, $7, $8, \
       coalesce((select next_open from period_locks where organization = $1 and through >= $9), $9))",
);
const OF_DAY: Statement = Statement::new(
    "ledger of day",
    "select coalesce(party, ''), account, currency, cast(sum(amount_minor) as bigint), count(*) from ledger_lines \
     where organization = $1 and day = $2 group by coalesce(party, ''), account, currency order by 1, 2, 3",
);
const THROUGH: Statement = Statement::new(
    "balances through day",
    "select account, currency, cast(sum(amount_minor) as bigint) from ledger_lines where organization = $1 and day <= $2 \
     group by account, currency order by account, currency",
);
const MOVED: Statement = Statement::new(
    "entries moved to day",
    "select key, original_day from ledger_entries where organization = $1 and day = $2 and original_day is not null \
     order by key limit 1000",
);
const BALANCES: Statement = Statement::new(
    "balances",
    "select account, currency, cast(sum(amount_minor) as bigint) from ledger_lines where organization = $1 and at <= $2 \
     group by account, currency order by account, currency",
);
const PARTY: Statement = Statement::new(
    "balances of party",
    "select account, currency, cast(sum(amount_minor) as bigint) from ledger_lines where organization = $1 and party = $2 \
     group by account, currency order by account, currency",
);
const OPEN_PARTIES: Statement = Statement::new(
    "open parties of account",
    "select party, currency, cast(sum(amount_minor) as bigint), max(at) from ledger_lines \
     where organization = $1 and account = $2 and party is not null \
     group by party, currency having sum(amount_minor) < 0 order by 4, 1 limit $3",
);
const PARTY_LINES: Statement = Statement::new(
    "lines of party",
    "select key, at, amount_minor, currency, account from ledger_lines where organization = $1 and party = $2 \
     order by at, key, line limit 10000",
);
const ENTRIES: Statement = Statement::new(
    "list entries",
    "select key, stream, version, at, lines from ledger_entries where organization = $1 and key > $2 order by key limit $3",
);
const OF_ACCOUNT: Statement = Statement::new(
    "lines of account",
    "select key, at, amount_minor, currency, party from ledger_lines where organization = $1 and account = $2 and at <= $3 \
     order by currency, at desc, key desc limit $4",
);
const GET: Statement = Statement::new(
    "get entry",
    "select key, stream, version, at, lines from ledger_entries where organization = $1 and key = $2",
);
const COUNT: Statement = Statement::new(
    "count ledger",
    "select count(*), (select count(*) from ledger_lines where organization = $1) from ledger_entries where organization = $1",
);

/// A posting as stored.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The fact it records.
    pub key: String,
    /// The stream whose event caused it.
    pub stream: String,
    /// That event's version.
    pub version: i64,
    /// When it was posted.
    pub at: Timestamp,
    /// Its lines.
    pub lines: Vec<Line>,
}

/// Posts an entry for an event.
///
/// # Errors
/// [`Error::Conflict`] when the fact is posted already.
pub fn post(
    tx: &mut Tx<'_>,
    organization: &str,
    posting: &Posting,
    (stream, version): (&str, i64),
    at: Timestamp,
) -> Result<(), Error> {
    let lines = serde_json::to_string(posting.lines()).map_err(|_| Error::Corrupt("posting".to_owned()))?;
    let day = posting.on().unwrap_or_else(|| Day::utc(at)).to_string();
    let values = [
        organization.into(),
        posting.key().into(),
        stream.into(),
        version.into(),
        at.millis().into(),
        lines.into(),
        (&day).into(),
    ];
    tx.execute_one(&ENTRY, &values)?;
    for (index, line) in posting.lines().iter().enumerate() {
        let account = line.account.code();
        let values = [
            organization.into(),
            account.into(),
            line.amount.currency.code().into(),
            at.millis().into(),
            posting.key().into(),
            i64::try_from(index).unwrap_or(i64::MAX).into(),
            line.amount.minor.into(),
            line.party.as_deref().into(),
            (&day).into(),
        ];
        tx.execute_one(&LINE, &values)?;
    }
    Ok(())
}

/// Balances as of a moment, by account code; debit positive.
///
/// # Errors
/// [`Error`] of the database.
pub fn balances(tx: &mut Tx<'_>, organization: &str, at: Timestamp) -> Result<Vec<(String, Money)>, Error> {
    let rows = tx.query(&BALANCES, &[organization.into(), at.millis().into()])?;
    rows.iter().map(sum).collect()
}

/// Balances of one party (a link token), by account code.
///
/// # Errors
/// [`Error`] of the database.
pub fn party_balances(
    tx: &mut Tx<'_>,
    organization: &str,
    party: &str,
) -> Result<Vec<(String, Money)>, Error> {
    let rows = tx.query(&PARTY, &[organization.into(), party.into()])?;
    rows.iter().map(sum).collect()
}

/// Postings in order of their keys, after one of them.
///
/// # Errors
/// [`Error`] of the database.
pub fn list(tx: &mut Tx<'_>, organization: &str, after: &str, limit: i64) -> Result<Vec<Entry>, Error> {
    let rows = tx.query(&ENTRIES, &[organization.into(), after.into(), limit.into()])?;
    rows.iter().map(read).collect()
}

/// One posting.
///
/// # Errors
/// [`Error`] of the database.
pub fn get(tx: &mut Tx<'_>, organization: &str, key: &str) -> Result<Option<Entry>, Error> {
    tx.query_optional(&GET, &[organization.into(), key.into()])?.as_ref().map(read).transpose()
}

/// One sum of a day: of a party on an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaySum {
    /// Whose; `None` for nobody's.
    pub party: Option<String>,
    /// The account's code.
    pub account: String,
    /// Debit positive.
    pub amount: Money,
    /// Of how many lines.
    pub lines: i64,
}

/// What was booked on a day, by party and account.
///
/// # Errors
/// [`Error`] of the database.
pub fn of_day(tx: &mut Tx<'_>, organization: &str, day: Day) -> Result<Vec<DaySum>, Error> {
    let rows = tx.query(&OF_DAY, &[organization.into(), day.to_string().into()])?;
    rows.iter()
        .map(|row| {
            let party = Some(row.text(0)?).filter(|party| !party.is_empty());
            let amount = Money::new(row.int(3)?, currency(row, 2)?);
            Ok(DaySum { party, account: row.text(1)?, amount, lines: row.int(4)? })
        })
        .collect()
}

/// Balances of everything that belongs to days up to one, by account code; debit positive.
///
/// # Errors
/// [`Error`] of the database.
pub fn balances_through(
    tx: &mut Tx<'_>,
    organization: &str,
    day: Day,
) -> Result<Vec<(String, Money)>, Error> {
    let rows = tx.query(&THROUGH, &[organization.into(), day.to_string().into()])?;
    rows.iter().map(sum).collect()
}

/// Entries of a day that belong to an earlier, locked one: key and original day. A thousand at most.
///
/// # Errors
/// [`Error`] of the database.
pub fn moved_to(tx: &mut Tx<'_>, organization: &str, day: Day) -> Result<Vec<(String, String)>, Error> {
    let rows = tx.query(&MOVED, &[organization.into(), day.to_string().into()])?;
    rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
}

/// Parties whose balance on an account is a credit, with how much (positive) and since when it last changed, oldest first.
///
/// # Errors
/// [`Error`] of the database.
pub fn open_parties(
    tx: &mut Tx<'_>,
    organization: &str,
    account: &str,
    limit: i64,
) -> Result<Vec<(String, Money, Timestamp)>, Error> {
    let rows = tx.query(&OPEN_PARTIES, &[organization.into(), account.into(), limit.into()])?;
    rows.iter()
        .map(|row| {
            let currency = Currency::parse(&row.text(1)?).map_err(|_| row.corrupt())?;
            let owed = Money::new(row.int(2)?.saturating_neg(), currency);
            Ok((row.text(0)?, owed, Timestamp::from_millis(row.int(3)?)))
        })
        .collect()
}

/// A line of a party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartyLine {
    /// The fact's key.
    pub key: String,
    /// When it was booked.
    pub at: Timestamp,
    /// Debit positive.
    pub amount: Money,
    /// The account's code.
    pub account: String,
}

/// The lines of a party, oldest first, 10,000 at most.
///
/// # Errors
/// [`Error`] of the database.
pub fn list_party(tx: &mut Tx<'_>, organization: &str, party: &str) -> Result<Vec<PartyLine>, Error> {
    let rows = tx.query(&PARTY_LINES, &[organization.into(), party.into()])?;
    rows.iter()
        .map(|row| {
            let currency = Currency::parse(&row.text(3)?).map_err(|_| row.corrupt())?;
            Ok(PartyLine {
                key: row.text(0)?,
                at: Timestamp::from_millis(row.int(1)?),
                amount: Money::new(row.int(2)?, currency),
                account: row.text(4)?,
            })
        })
        .collect()
}

/// A line of an account.
#[derive(Debug, Clone)]
pub struct AccountLine {
    /// The posting.
    pub key: String,
    /// When.
    pub at: Timestamp,
    /// Debit positive.
    pub amount: Money,
    /// Whose.
    pub party: Option<String>,
}

/// The latest lines of an account up to a moment.
///
/// # Errors
/// [`Error`] of the database.
pub fn list_account(
    tx: &mut Tx<'_>,
    organization: &str,
    account: &str,
    at: Timestamp,
    limit: i64,
) -> Result<Vec<AccountLine>, Error> {
    let rows =
        tx.query(&OF_ACCOUNT, &[organization.into(), account.into(), at.millis().into(), limit.into()])?;
    rows.iter()
        .map(|row| {
            let amount = Money::new(row.int(2)?, currency(row, 3)?);
            let at = Timestamp::from_millis(row.int(1)?);
            Ok(AccountLine { key: row.text(0)?, at, amount, party: row.optional_text(4)? })
        })
        .collect()
}

/// How many entries and lines there are.
///
/// # Errors
/// [`Error`] of the database.
pub fn count(tx: &mut Tx<'_>, organization: &str) -> Result<(i64, i64), Error> {
    let rows = tx.query(&COUNT, &[organization.into()])?;
    rows.first().map_or(Ok((0, 0)), |row| Ok((row.int(0)?, row.int(1)?)))
}

fn sum(row: &Row) -> Result<(String, Money), Error> {
    Ok((row.text(0)?, Money::new(row.int(2)?, currency(row, 1)?)))
}

fn currency(row: &Row, column: usize) -> Result<Currency, Error> {
    Currency::parse(&row.text(column)?).map_err(|_| row.corrupt())
}

fn read(row: &Row) -> Result<Entry, Error> {
    let lines = serde_json::from_str(&row.text(4)?).map_err(|_| row.corrupt())?;
    let at = Timestamp::from_millis(row.int(3)?);
    Ok(Entry { key: row.text(0)?, stream: row.text(1)?, version: row.int(2)?, at, lines })
}

/// Every statement of this module, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    ENTRY,
    LINE,
    OF_DAY,
    THROUGH,
    MOVED,
    BALANCES,
    PARTY,
    OPEN_PARTIES,
    PARTY_LINES,
    ENTRIES,
    OF_ACCOUNT,
    GET,
    COUNT,
];
