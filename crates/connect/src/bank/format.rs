//! Which format a file has, and the one entry to all readers.

use serde::{Deserialize, Serialize};

use super::csv_mapping::Mapping;
use super::error::{Error, Kind, Place};
use super::statement::Statement;
use super::text::decode;
use super::{bai2, camt, csv, ofx};

/// A format of statements.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Comma-separated values, read by a mapping of the account.
    Csv(Box<Mapping>),
    /// ISO 20022 camt.053, any version.
    Camt053,
    /// BAI2, as United States banks send it.
    Bai2,
    /// OFX 1.x (SGML) and 2.x (XML), also as QFX.
    Ofx,
}

impl Format {
    /// The format's name as shown.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Csv(_) => "csv",
            Self::Camt053 => "camt053",
            Self::Bai2 => "bai2",
            Self::Ofx => "ofx",
        }
    }

    /// What the beginning of a file says. CSV has no beginning of its own and is never guessed.
    #[must_use]
    pub fn guess(bytes: &[u8]) -> Option<Self> {
        let head = String::from_utf8_lossy(bytes.get(..bytes.len().min(2_000)).unwrap_or_default());
        let head = head.trim_start_matches('\u{feff}').trim_start();
        if head.starts_with("01,") {
            Some(Self::Bai2)
        } else if head.starts_with("OFXHEADER") || head.contains("<?OFX") || head.starts_with("<OFX>") {
            Some(Self::Ofx)
        } else if head.contains("camt.053") || head.contains("BkToCstmrStmt") {
            Some(Self::Camt053)
        } else {
            None
        }
    }
}

/// Reads a file: one statement per account and period in it.
///
/// ```
/// use suture_connect::bank::{Format, read};
/// let file = "01,BANK,CLINIC,261121,0900,1,80,,2/\n02,CLINIC,BANK,1,261120,,USD,2/\n\
///     03,1234,USD,010,100,,,015,150,,/\n16,142,50,,TRACE1,,STRIPE PAYOUT\n49,300,3/\n98,300,1,5/\n99,300,1,7/\n";
/// let statements = read(&Format::Bai2, file.as_bytes()).unwrap();
/// assert_eq!(statements[0].lines[0].amount.minor, 50);
/// ```
///
/// # Errors
/// [`Error`] with the place; nothing of the file is given then.
pub fn read(format: &Format, bytes: &[u8]) -> Result<Vec<Statement>, Error> {
    let text = decode(bytes)?;
    let statements = match format {
        Format::Csv(mapping) => csv::read(mapping, &text).map(|statement| vec![statement])?,
        Format::Camt053 => camt::read(&text)?,
        Format::Bai2 => bai2::read(&text)?,
        Format::Ofx => ofx::read(&text)?,
    };
    if statements.is_empty() {
        return Err(Error::new(Kind::WrongFormat, "The file holds no statement", Place::default()));
    }
    Ok(statements)
}
