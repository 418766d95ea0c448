//! The records of a BAI2 file: physical lines joined with their continuations, and fields taken one after the other.
//!
//! Source: BAI2 Cash Management Balance Reporting Specifications, version 2: fields are divided by commas, records end
//! with a slash, a record `88` continues the one before it.

use suture_core::currency::Currency;
use suture_core::money::Money;

use super::error::{Error, Kind, Place};

/// Joins physical lines; no bank can write it into a field.
const JOINT: char = '\n';

/// A record with its continuations.
#[derive(Debug)]
pub(super) struct Record {
    /// `01`, `02`, `03`, `16`, `49`, `98`, `99`.
    pub(super) code: &'static str,
    /// The line where it begins.
    pub(super) line: u64,
    /// How many physical records it is.
    pub(super) physical: i64,
    rest: String,
}

/// The records of a file, in order.
pub(super) fn records(content: &str) -> Result<Vec<Record>, Error> {
    let mut found: Vec<Record> = Vec::new();
    for (index, line) in content.lines().enumerate() {
        let number = u64::try_from(index).unwrap_or(u64::MAX).saturating_add(1);
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let (code, rest) = line.split_once(',').unwrap_or((line.trim_end_matches('/'), ""));
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if code == "88" {
            let Some(before) = found.last_mut() else { return Err(no_record(number)) };
            before.physical += 1;
            before.rest.push(JOINT);
            before.rest.push_str(rest);
            continue;
        }
        let known = ["01", "02", "03", "16", "49", "98", "99"].into_iter().find(|known| *known == code);
        let code = known.ok_or_else(|| no_record(number))?;
        found.push(Record { code, line: number, physical: 1, rest: rest.to_owned() });
    }
    Ok(found)
}

fn no_record(line: u64) -> Error {
    Error::new(Kind::WrongFormat, "A line begins with no record code of BAI2", Place::at(line, "record", ""))
}

impl Record {
    /// Its fields.
    pub(super) fn fields(&self) -> Fields<'_> {
        Fields { rest: Some(&self.rest), code: self.code, line: self.line }
    }
}

/// Fields that are taken one after the other.
pub(super) struct Fields<'a> {
    rest: Option<&'a str>,
    code: &'static str,
    line: u64,
}

impl<'a> Fields<'a> {
    /// A place in this record.
    pub(super) const fn at(&self, field: &'static str) -> Place {
        Place::at(self.line, self.code, field)
    }

    /// The next field, trimmed; `None` at the end of the record.
    pub(super) fn next(&mut self) -> Option<&'a str> {
        let rest = self.rest?;
        match rest.split_once([',', JOINT]) {
            Some((field, rest)) => {
                self.rest = Some(rest);
                Some(field.trim())
            }
            None => {
                self.rest = None;
                Some(rest.trim())
            }
        }
    }

    /// The next field, when it is filled.
    pub(super) fn filled(&mut self) -> Option<&'a str> {
        self.next().filter(|field| !field.is_empty())
    }

    /// The next field as a whole number.
    pub(super) fn number(&mut self, field: &'static str) -> Result<i64, Error> {
        let text = self.filled().ok_or_else(|| Error::missing(self.at(field)))?;
        text.parse().map_err(|_| Error::bad("A field is not a whole number", self.at(field)))
    }

    /// The next field as an amount in minor units: BAI2 implies the decimals of the currency.
    pub(super) fn amount(&mut self, currency: Currency, field: &'static str) -> Result<Option<Money>, Error> {
        let Some(text) = self.filled() else { return Ok(None) };
        let minor =
            text.parse().map_err(|_| Error::bad("An amount is not a whole number", self.at(field)))?;
        Ok(Some(Money::new(minor, currency)))
    }

    /// Passes the funds type and what belongs to it: when the money can be used.
    pub(super) fn pass_funds_type(&mut self) -> Result<(), Error> {
        let passed = match self.filled() {
            None | Some("0" | "1" | "2" | "Z") => 0,
            Some("S") => 3,
            Some("V") => 2,
            Some("D") => usize::try_from(self.number("distributions")?).unwrap_or(0).min(100) * 2,
            Some(_) => return Err(Error::bad("A funds type is not known", self.at("funds type"))),
        };
        for _ in 0..passed {
            self.next();
        }
        Ok(())
    }

    /// Everything that is left: text may hold commas.
    pub(super) fn text(&mut self) -> String {
        self.rest.take().unwrap_or_default().replace(JOINT, " ")
    }

    /// Whether nothing is left.
    pub(super) const fn is_over(&self) -> bool {
        self.rest.is_none()
    }
}
