//! A statement in neutral words, with its proof.
//!
//! Readers make a [`Draft`]; [`Draft::finish`] proves its totals and gives every line its id. Nothing else makes a
//! [`Statement`].

use std::collections::BTreeMap;

use suture_core::audit::canonical;
use suture_core::audit::chain::Hash;
use suture_core::currency::Currency;
use suture_core::day::Day;
use suture_core::money::Money;
use suture_core::redact::Phi;

use super::error::{Error, Kind, Place};
use super::text::check_count;

/// What the file itself proves about its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// Opening and lines give closing.
    Totals,
    /// The file names no opening balance: only the statement before it can prove that no line is missing.
    ClosingOnly,
    /// The file names no balance at all.
    None,
}

/// One line of a bank account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The bank's id when it is one of a kind in the file, otherwise a hash of the content. The same line in another file
    /// has the same id.
    pub id: String,
    /// When the bank booked it.
    pub booked_on: Day,
    /// When it counts for interest, when the bank says so.
    pub value_on: Option<Day>,
    /// Money in is positive, money out negative.
    pub amount: Money,
    /// What the bank wrote beside it. May hold names.
    pub descriptor: Phi<String>,
    /// A reference: end-to-end id, trace, check number. May hold anything a payer typed.
    pub reference: Option<Phi<String>>,
    /// The line of the file where it begins.
    pub at: u64,
}

/// A statement of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The account's number as the bank writes it. Not personal data, and not for logs.
    pub account: Phi<String>,
    /// Its currency.
    pub currency: Currency,
    /// Before the first line.
    pub opening: Option<Money>,
    /// After the last line.
    pub closing: Option<Money>,
    /// When the closing balance holds, when the file says so.
    pub closes_on: Option<Day>,
    /// In the order of the file.
    pub lines: Vec<Line>,
    /// What the file proves.
    pub proof: Proof,
    /// The hash of all of this: the same statement twice is known by it.
    pub fingerprint: Hash,
}

impl Statement {
    /// The sum of the lines.
    ///
    /// # Errors
    /// [`Error`] when it does not fit.
    pub fn sum(&self) -> Result<Money, Error> {
        sum(&self.lines, self.currency)
    }
}

/// A line as read, before it has an id.
#[derive(Debug)]
pub(super) struct RawLine {
    pub(super) bank_id: Option<String>,
    pub(super) booked_on: Day,
    pub(super) value_on: Option<Day>,
    pub(super) amount: Money,
    pub(super) descriptor: String,
    pub(super) reference: Option<String>,
    pub(super) at: u64,
}

/// A statement as read, before its proof.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) account: String,
    pub(super) currency: Currency,
    pub(super) opening: Option<Money>,
    pub(super) closing: Option<Money>,
    pub(super) closes_on: Option<Day>,
    pub(super) lines: Vec<RawLine>,
    /// Where a difference of the totals is reported.
    pub(super) at: Place,
}

impl Draft {
    /// Proves the totals and gives the lines their ids.
    pub(super) fn finish(self) -> Result<Statement, Error> {
        check_count(self.lines.len())?;
        let Self { account, currency, opening, closing, closes_on, lines, at } = self;
        let ids = ids(&account, &lines);
        let lines: Vec<Line> = lines.into_iter().zip(ids).map(|(raw, id)| line(raw, id)).collect();
        let total = sum(&lines, currency)?;
        let proof = match (opening, closing) {
            (Some(opening), Some(closing)) => {
                prove(opening, total, closing, at)?;
                Proof::Totals
            }
            (_, Some(_)) => Proof::ClosingOnly,
            (_, None) => Proof::None,
        };
        let fingerprint = fingerprint(&account, currency, (opening, closing), &lines);
        let account = Phi::new(account);
        Ok(Statement { account, currency, opening, closing, closes_on, lines, proof, fingerprint })
    }
}

fn line(raw: RawLine, id: String) -> Line {
    Line {
        id,
        booked_on: raw.booked_on,
        value_on: raw.value_on,
        amount: raw.amount,
        descriptor: Phi::new(raw.descriptor),
        reference: raw.reference.map(Phi::new),
        at: raw.at,
    }
}

fn sum(lines: &[Line], currency: Currency) -> Result<Money, Error> {
    lines.iter().try_fold(Money::zero(currency), |sum, line| {
        let at = Place::at(line.at, "line", "amount");
        sum.plus(line.amount).map_err(|_| Error::bad("An amount is too large or of another currency", at))
    })
}

fn prove(opening: Money, total: Money, closing: Money, at: Place) -> Result<(), Error> {
    let reached = opening.plus(total).map_err(|_| Error::bad("A balance is too large", at.clone()))?;
    if reached == closing {
        return Ok(());
    }
    let what =
        format!("The balances do not hold: {opening} and lines of {total} give {reached}, not {closing}");
    Err(Error::new(Kind::Unbalanced, what, at))
}

/// The bank's id where it is one of a kind; otherwise a hash of the content and of how many like it came before. Files of
/// whole days that overlap therefore agree about their lines.
fn ids(account: &str, lines: &[RawLine]) -> Vec<String> {
    let mut given: BTreeMap<&str, u32> = BTreeMap::new();
    for id in lines.iter().filter_map(|line| line.bank_id.as_deref()) {
        *given.entry(id).or_default() += 1;
    }
    let mut alike: BTreeMap<Hash, u32> = BTreeMap::new();
    lines
        .iter()
        .map(|line| match line.bank_id.as_deref().filter(|id| given.get(id) == Some(&1)) {
            Some(id) => format!("b:{id}"),
            None => {
                let content = content(account, line);
                let before = alike.entry(content).or_default();
                let id = format!("h:{content}:{before}");
                *before += 1;
                id
            }
        })
        .collect()
}

fn content(account: &str, line: &RawLine) -> Hash {
    let mut out = b"suture.bank.line.1".to_vec();
    canonical::bytes(&mut out, account.as_bytes());
    canonical::bytes(&mut out, line.booked_on.to_string().as_bytes());
    canonical::optional(&mut out, line.bank_id.as_deref());
    canonical::bytes(&mut out, line.amount.to_string().as_bytes());
    canonical::bytes(&mut out, line.descriptor.as_bytes());
    canonical::optional(&mut out, line.reference.as_deref());
    Hash::of(&out)
}

fn fingerprint(
    account: &str,
    currency: Currency,
    balances: (Option<Money>, Option<Money>),
    lines: &[Line],
) -> Hash {
    let mut out = b"suture.bank.statement.1".to_vec();
    canonical::bytes(&mut out, account.as_bytes());
    canonical::bytes(&mut out, currency.code().as_bytes());
    for balance in [balances.0, balances.1] {
        canonical::optional(&mut out, balance.map(Money::to_decimal).as_deref());
    }
    for line in lines {
        canonical::bytes(&mut out, line.id.as_bytes());
        canonical::bytes(&mut out, line.booked_on.to_string().as_bytes());
        canonical::bytes(&mut out, line.amount.to_decimal().as_bytes());
    }
    Hash::of(&out)
}
