//! The parts of one camt.053 statement: account, balances, summary, entries.
//!
//! `CdtDbtInd` is the direction of the booking itself, also for a reversal, so `RvslInd` turns nothing around. Entries that
//! are pending or informational are not booked and are left out.

use suture_core::currency::Currency;
use suture_core::day::Day;
use suture_core::money::Money;

use super::camt::check_sum;
use super::error::{Error, Kind, Place};
use super::statement::{Draft, RawLine, Statement};
use super::text;

/// An element as a small tree.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) currency: Option<String>,
    pub(super) text: String,
    pub(super) children: Vec<Self>,
    pub(super) line: u64,
}

impl Element {
    pub(super) const fn new(name: String, currency: Option<String>, line: u64) -> Self {
        Self { name, currency, text: String::new(), children: Vec::new(), line }
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first element at the end of a path.
    fn find(&self, path: &[&str]) -> Option<&Self> {
        let Some((first, rest)) = path.split_first() else { return Some(self) };
        self.children.iter().filter(|child| child.name == *first).find_map(|child| child.find(rest))
    }

    fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.find(path).map(|found| found.text.trim()).filter(|text| !text.is_empty())
    }

    /// `Dt` or the day of `DtTm`, as the bank writes it.
    fn day(&self, name: &str) -> Option<Day> {
        let text = self.text_at(&[name, "Dt"]).or_else(|| self.text_at(&[name, "DtTm"]))?;
        text.get(..10)?.parse().ok()
    }

    /// `Amt` with `CdtDbtInd`: money in is positive.
    fn amount(&self, record: &'static str) -> Result<Money, Error> {
        let place = |field| Place::at(self.line, record, field);
        let amount = self.find(&["Amt"]).ok_or_else(|| Error::missing(place("Amt")))?;
        let code = amount.currency.as_deref().ok_or_else(|| Error::missing(place("Amt/@Ccy")))?;
        let money = text::decimal(&amount.text, text::currency(code, place("Amt/@Ccy"))?, place("Amt"))?;
        match self.text_at(&["CdtDbtInd"]) {
            Some("CRDT") => Ok(money),
            Some("DBIT") => Ok(Money::new(money.minor.saturating_neg(), money.currency)),
            Some(_) => Err(Error::bad("A direction is neither CRDT nor DBIT", place("CdtDbtInd"))),
            None => Err(Error::missing(place("CdtDbtInd"))),
        }
    }
}

/// What the file says about its own entries.
#[derive(Debug, Default)]
struct Stated {
    count: Option<(i64, Place)>,
    credits: Option<(String, Place)>,
    debits: Option<(String, Place)>,
}

/// A statement while it is read.
#[derive(Debug)]
pub(super) struct Parts {
    at: u64,
    account: Option<String>,
    currency: Option<Currency>,
    opening: Option<Money>,
    closing: Option<(Money, Option<Day>)>,
    stated: Stated,
    all: i64,
    lines: Vec<RawLine>,
}

impl Parts {
    pub(super) fn new(at: u64) -> Self {
        let stated = Stated::default();
        Self {
            at,
            account: None,
            currency: None,
            opening: None,
            closing: None,
            stated,
            all: 0,
            lines: Vec::new(),
        }
    }

    /// Takes a child of `Stmt`.
    pub(super) fn take(&mut self, element: &Element) -> Result<(), Error> {
        match element.name.as_str() {
            "Acct" => self.account(element),
            "Bal" => self.balance(element),
            "TxsSummry" => {
                self.summary(element);
                Ok(())
            }
            "Ntry" => self.entry(element),
            _ => Ok(()),
        }
    }

    fn account(&mut self, element: &Element) -> Result<(), Error> {
        let id = element.text_at(&["Id", "IBAN"]).or_else(|| element.text_at(&["Id", "Othr", "Id"]));
        self.account = id.map(ToOwned::to_owned);
        if let Some(code) = element.text_at(&["Ccy"]) {
            self.currency = Some(text::currency(code, Place::at(element.line, "Acct", "Ccy"))?);
        }
        Ok(())
    }

    fn balance(&mut self, element: &Element) -> Result<(), Error> {
        let code = element.text_at(&["Tp", "CdOrPrtry", "Cd"]);
        // Pages of one statement begin with an interim balance; the first and the last of all are what counts.
        match code {
            Some("OPBD") => self.opening = Some(element.amount("Bal")?),
            Some("PRCD") if self.opening.is_none() => self.opening = Some(element.amount("Bal")?),
            Some("CLBD") => self.closing = Some((element.amount("Bal")?, element.day("Dt"))),
            _ => {}
        }
        Ok(())
    }

    fn summary(&mut self, element: &Element) {
        let place = |field| Place::at(element.line, "TxsSummry", field);
        let count = element.text_at(&["TtlNtries", "NbOfNtries"]).and_then(|text| text.parse().ok());
        self.stated.count = count.map(|count| (count, place("TtlNtries/NbOfNtries")));
        let sum = |name: &'static str, field| {
            element.text_at(&[name, "Sum"]).map(|text| (text.to_owned(), place(field)))
        };
        self.stated.credits = sum("TtlCdtNtries", "TtlCdtNtries/Sum");
        self.stated.debits = sum("TtlDbtNtries", "TtlDbtNtries/Sum");
    }

    fn entry(&mut self, element: &Element) -> Result<(), Error> {
        self.all += 1;
        let status = element.text_at(&["Sts", "Cd"]).or_else(|| element.text_at(&["Sts"]));
        if status.is_some_and(|status| status != "BOOK") {
            return Ok(());
        }
        let place = |field| Place::at(element.line, "Ntry", field);
        let booked_on = element.day("BookgDt").ok_or_else(|| Error::missing(place("BookgDt")))?;
        let mut details = element.all("NtryDtls").flat_map(|details| details.all("TxDtls"));
        // A line of many payments has no reference of one of them.
        let only = details.next().filter(|_| details.next().is_none());
        let told =
            |path: &[&str]| only.and_then(|only| only.text_at(path)).filter(|text| *text != "NOTPROVIDED");
        let reference = told(&["Refs", "EndToEndId"]).or_else(|| told(&["Refs", "InstrId"]));
        let words = [element.text_at(&["AddtlNtryInf"]), told(&["RmtInf", "Ustrd"]), told(&["AddtlTxInf"])];
        self.lines.push(RawLine {
            bank_id: element.text_at(&["AcctSvcrRef"]).map(ToOwned::to_owned),
            booked_on,
            value_on: element.day("ValDt"),
            amount: element.amount("Ntry")?,
            descriptor: text::tidy(&words.into_iter().flatten().collect::<Vec<_>>().join(" ")),
            reference: reference.or_else(|| element.text_at(&["NtryRef"])).and_then(text::optional),
            at: element.line,
        });
        text::check_count(self.lines.len())
    }

    /// The end of `Stmt`: everything that the file states must hold.
    pub(super) fn finish(self) -> Result<Statement, Error> {
        let at = Place::at(self.at, "Stmt", "");
        let account = self.account.ok_or_else(|| Error::missing(Place::at(self.at, "Stmt", "Acct/Id")))?;
        let (closing, closes_on) = self.closing.unzip();
        let from_balance = closing.or(self.opening).map(|money| money.currency);
        let currency = from_balance.or(self.currency);
        let currency = currency.ok_or_else(|| Error::missing(Place::at(self.at, "Stmt", "Acct/Ccy")))?;
        if let Some((count, place)) = self.stated.count
            && count != self.all
        {
            let what = format!("The file states {count} entries and holds {}", self.all);
            return Err(Error::new(Kind::Count, what, place));
        }
        // Sums are of all entries, also of those that are not booked; they are compared where all are booked.
        if i64::try_from(self.lines.len()) == Ok(self.all) {
            let sum = |wanted: fn(i64) -> bool| {
                let minors = self.lines.iter().map(|line| line.amount.minor).filter(|minor| wanted(*minor));
                Money::new(
                    minors.fold(0_i64, |sum, minor| sum.saturating_add(minor.saturating_abs())),
                    currency,
                )
            };
            for (stated, found) in
                [(self.stated.credits, sum(|minor| minor > 0)), (self.stated.debits, sum(|minor| minor < 0))]
            {
                if let Some((text, place)) = stated {
                    check_sum(Some(text::decimal(&text, currency, place.clone())?), found, &place)?;
                }
            }
        }
        let closes_on = closes_on.flatten();
        Draft { account, currency, opening: self.opening, closing, closes_on, lines: self.lines, at }.finish()
    }
}
