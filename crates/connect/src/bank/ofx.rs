//! OFX statements of bank accounts and credit cards: `STMTRS` and `CCSTMTRS`.
//!
//! OFX names the closing balance (`LEDGERBAL`) and no opening one, so a file alone proves nothing about its lines; the
//! statement before it does. `TRNAMT` has its sign already, whatever `TRNTYPE` says.

use suture_core::currency::Currency;
use suture_core::day::Day;
use suture_core::money::Money;

use super::error::{Error, Kind, Place};
use super::ofx_tags::{Tag, Tags};
use super::statement::{Draft, RawLine, Statement};
use super::text;

/// A transaction while it is read.
#[derive(Default)]
struct Transaction {
    line: u64,
    id: Option<String>,
    posted: Option<Day>,
    available: Option<Day>,
    amount: Option<(String, u64)>,
    name: String,
    memo: String,
    reference: Option<String>,
}

/// A statement while it is read.
#[derive(Default)]
struct Open {
    line: u64,
    currency: Option<Currency>,
    account: Option<String>,
    balance: Option<(String, u64)>,
    balance_on: Option<Day>,
    in_balance: bool,
    transaction: Option<Transaction>,
    lines: Vec<Transaction>,
}

pub(super) fn read(content: &str) -> Result<Vec<Statement>, Error> {
    let mut tags = Tags::new(content)?;
    let mut statements = Vec::new();
    let mut open: Option<Open> = None;
    let mut ended = false;
    while let Some(tag) = tags.next()? {
        let line = tags.line();
        match (tag, &mut open) {
            (Tag::Begins("STMTRS" | "CCSTMTRS"), None) => open = Some(Open { line, ..Open::default() }),
            (Tag::Ends("STMTRS" | "CCSTMTRS"), Some(_)) => {
                statements.extend(open.take().map(Open::finish).transpose()?);
            }
            (Tag::Ends("OFX"), None) => ended = true,
            (tag, Some(statement)) => statement.take(tag, line)?,
            (_, None) => {}
        }
    }
    if !ended {
        return Err(Error::new(
            Kind::Truncated,
            "The file ends before </OFX>",
            Place::at(tags.line(), "OFX", ""),
        ));
    }
    Ok(statements)
}

impl Open {
    fn take(&mut self, tag: Tag<'_>, line: u64) -> Result<(), Error> {
        match tag {
            Tag::Begins("STMTTRN") if self.transaction.is_some() => Err(Error::new(
                Kind::WrongFormat,
                "A transaction begins inside another",
                Place::at(line, "STMTTRN", ""),
            )),
            Tag::Begins("STMTTRN") => {
                self.transaction = Some(Transaction { line, ..Transaction::default() });
                Ok(())
            }
            Tag::Ends("STMTTRN") => {
                self.lines.extend(self.transaction.take());
                text::check_count(self.lines.len())
            }
            Tag::Begins("LEDGERBAL") => {
                self.in_balance = true;
                Ok(())
            }
            Tag::Ends("LEDGERBAL") => {
                self.in_balance = false;
                Ok(())
            }
            Tag::Leaf(name, value) => match &mut self.transaction {
                Some(transaction) => transaction.take(name, value, line),
                None => self.leaf(name, value, line),
            },
            Tag::Begins(_) | Tag::Ends(_) => Ok(()),
        }
    }

    fn leaf(&mut self, name: &str, value: String, line: u64) -> Result<(), Error> {
        match name {
            "CURDEF" => self.currency = Some(text::currency(&value, Place::at(line, "STMTRS", "CURDEF"))?),
            "ACCTID" if self.account.is_none() => self.account = Some(value),
            "BALAMT" if self.in_balance => self.balance = Some((value, line)),
            "DTASOF" if self.in_balance => {
                self.balance_on = Some(day(&value, Place::at(line, "LEDGERBAL", "DTASOF"))?);
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(self) -> Result<Statement, Error> {
        let at = Place::at(self.line, "STMTRS", "");
        let place = |field| Place::at(self.line, "STMTRS", field);
        if self.transaction.is_some() {
            return Err(Error::new(Kind::Truncated, "A transaction does not end", at));
        }
        let currency = self.currency.ok_or_else(|| Error::missing(place("CURDEF")))?;
        let account = self.account.ok_or_else(|| Error::missing(place("ACCTID")))?;
        let closing = match self.balance {
            Some((amount, line)) => {
                Some(text::decimal(&amount, currency, Place::at(line, "LEDGERBAL", "BALAMT"))?)
            }
            None => None,
        };
        let lines = self
            .lines
            .into_iter()
            .map(|one| one.finish(currency))
            .collect::<Result<Vec<RawLine>, Error>>()?;
        Draft { account, currency, opening: None, closing, closes_on: self.balance_on, lines, at }.finish()
    }
}

impl Transaction {
    fn take(&mut self, name: &str, value: String, line: u64) -> Result<(), Error> {
        let place = |field| Place::at(line, "STMTTRN", field);
        match name {
            "FITID" => self.id = Some(value),
            "DTPOSTED" => self.posted = Some(day(&value, place("DTPOSTED"))?),
            "DTAVAIL" => self.available = Some(day(&value, place("DTAVAIL"))?),
            "TRNAMT" => self.amount = Some((value, line)),
            "NAME" => self.name = value,
            "MEMO" => self.memo = value,
            "REFNUM" => self.reference = text::optional(&value),
            "CHECKNUM" if self.reference.is_none() => self.reference = text::optional(&value),
            _ => {}
        }
        Ok(())
    }

    fn finish(self, currency: Currency) -> Result<RawLine, Error> {
        let place = |field| Place::at(self.line, "STMTTRN", field);
        let (amount, line) = self.amount.ok_or_else(|| Error::missing(place("TRNAMT")))?;
        let amount: Money = text::decimal(&amount, currency, Place::at(line, "STMTTRN", "TRNAMT"))?;
        Ok(RawLine {
            bank_id: self.id,
            booked_on: self.posted.ok_or_else(|| Error::missing(place("DTPOSTED")))?,
            value_on: self.available,
            amount,
            descriptor: text::tidy(&format!("{} {}", self.name, self.memo)),
            reference: self.reference,
            at: self.line,
        })
    }
}

/// `20260131`, with or without a time and a zone behind it. The bank's day is the bank's, whatever the zone.
fn day(text: &str, at: Place) -> Result<Day, Error> {
    let digits = text.trim().get(..8).unwrap_or_default();
    Day::parse_compact(digits).ok_or_else(|| Error::bad("A date is not a day", at))
}
