//! BAI2: file, groups, accounts, transactions, each closed by a trailer with a control total and counts, all of them proven.
//!
//! Type codes of transactions: 101–399 money in, 401–699 money out (BAI2 uniform BAI balance reporting codes); 010 is the
//! opening and 015 the closing ledger balance. Control totals are sums as written, whatever the direction.

use suture_core::currency::Currency;
use suture_core::day::Day;
use suture_core::money::Money;

use super::bai2_records::{Fields, Record, records};
use super::error::{Error, Kind, Place};
use super::statement::{Draft, RawLine, Statement};
use super::text;

/// An account while it is read.
struct Account {
    draft: Draft,
    control: i64,
    physical: i64,
}

/// A group while it is read.
struct Group {
    currency: Currency,
    as_of: Day,
    control: i64,
    accounts: i64,
    physical: i64,
}

/// The file while it is read.
#[derive(Default)]
struct File {
    begun: bool,
    ended: bool,
    control: i64,
    groups: i64,
    physical: i64,
    group: Option<Group>,
    account: Option<Account>,
    statements: Vec<Statement>,
}

pub(super) fn read(content: &str) -> Result<Vec<Statement>, Error> {
    let mut file = File::default();
    for record in records(content)? {
        file.take(&record)?;
    }
    match (file.begun, file.ended) {
        (true, true) => Ok(file.statements),
        (true, false) => {
            Err(Error::new(Kind::Truncated, "The file ends before its trailer", Place::at(0, "99", "")))
        }
        (false, _) => Err(Error::new(Kind::WrongFormat, "The file does not begin with 01", Place::default())),
    }
}

impl File {
    fn take(&mut self, record: &Record) -> Result<(), Error> {
        let mut fields = record.fields();
        self.physical += record.physical;
        if let Some(group) = &mut self.group {
            group.physical += record.physical;
        }
        if let Some(account) = &mut self.account {
            account.physical += record.physical;
        }
        let in_group = self.group.is_some();
        match (record.code, in_group, self.account.is_some()) {
            ("01", false, false) if !self.begun => {
                self.begun = true;
                Ok(())
            }
            ("02", false, false) if self.begun && !self.ended => {
                self.group = Some(group(&mut fields, record.physical)?);
                Ok(())
            }
            ("03", true, false) => self.begin_account(&mut fields, record),
            ("16", true, true) => self.transaction(&mut fields, record),
            ("49", true, true) => self.end_account(&mut fields),
            ("98", true, false) => self.end_group(&mut fields),
            ("99", false, false) if self.begun && !self.ended => self.end(&mut fields),
            _ => Err(Error::new(Kind::WrongFormat, "A record stands where it cannot be", fields.at(""))),
        }
    }

    fn begin_account(&mut self, fields: &mut Fields<'_>, record: &Record) -> Result<(), Error> {
        let Some(group) = &mut self.group else { return Ok(()) };
        group.accounts += 1;
        let number = fields.filled().ok_or_else(|| Error::missing(fields.at("account")))?.to_owned();
        let currency = match fields.filled() {
            Some(code) => text::currency(code, fields.at("currency"))?,
            None => group.currency,
        };
        let at = Place::at(record.line, "03", "balances");
        let draft = Draft {
            account: number,
            currency,
            opening: None,
            closing: None,
            closes_on: Some(group.as_of),
            lines: Vec::new(),
            at,
        };
        let mut account = Account { draft, control: 0, physical: record.physical };
        while !fields.is_over() {
            let code = fields.filled();
            let amount = fields.amount(currency, "amount")?;
            fields.next();
            fields.pass_funds_type()?;
            let (Some(code), Some(amount)) = (code, amount) else { continue };
            account.control = added(account.control, amount.minor, &fields.at("amount"))?;
            match code {
                "010" => account.draft.opening = Some(amount),
                "015" => account.draft.closing = Some(amount),
                _ => {}
            }
        }
        self.account = Some(account);
        Ok(())
    }

    fn transaction(&mut self, fields: &mut Fields<'_>, record: &Record) -> Result<(), Error> {
        let (Some(group), Some(account)) = (&self.group, &mut self.account) else { return Ok(()) };
        let currency = account.draft.currency;
        let code = fields.number("type code")?;
        let amount = fields.amount(currency, "amount")?;
        fields.pass_funds_type()?;
        let bank_id = fields.filled().and_then(text::optional);
        let reference = fields.filled().and_then(text::optional);
        let Some(amount) = amount else { return Ok(()) };
        account.control = added(account.control, amount.minor, &fields.at("amount"))?;
        let minor = match code {
            101..=399 => amount.minor,
            401..=699 => amount.minor.saturating_neg(),
            // 890 and 9xx carry words or the bank's own codes, which say no direction.
            _ if amount.minor == 0 => return Ok(()),
            _ => return Err(Error::bad("A type code has no direction", fields.at("type code"))),
        };
        account.draft.lines.push(RawLine {
            bank_id: bank_id.clone(),
            booked_on: group.as_of,
            value_on: None,
            amount: Money::new(minor, currency),
            descriptor: text::tidy(&fields.text()),
            reference: reference.or(bank_id),
            at: record.line,
        });
        text::check_count(account.draft.lines.len())
    }

    fn end_account(&mut self, fields: &mut Fields<'_>) -> Result<(), Error> {
        let (Some(group), Some(account)) = (&mut self.group, self.account.take()) else { return Ok(()) };
        check(fields, "control total", account.control, Kind::Unbalanced)?;
        check(fields, "number of records", account.physical, Kind::Count)?;
        group.control = added(group.control, account.control, &fields.at("control total"))?;
        self.statements.push(account.draft.finish()?);
        Ok(())
    }

    fn end_group(&mut self, fields: &mut Fields<'_>) -> Result<(), Error> {
        let Some(group) = self.group.take() else { return Ok(()) };
        check(fields, "control total", group.control, Kind::Unbalanced)?;
        check(fields, "number of accounts", group.accounts, Kind::Count)?;
        check(fields, "number of records", group.physical, Kind::Count)?;
        self.control = added(self.control, group.control, &fields.at("control total"))?;
        self.groups += 1;
        Ok(())
    }

    fn end(&mut self, fields: &mut Fields<'_>) -> Result<(), Error> {
        check(fields, "control total", self.control, Kind::Unbalanced)?;
        check(fields, "number of groups", self.groups, Kind::Count)?;
        check(fields, "number of records", self.physical, Kind::Count)?;
        self.ended = true;
        Ok(())
    }
}

fn group(fields: &mut Fields<'_>, physical: i64) -> Result<Group, Error> {
    // Receiver, originator, group status, then the day that the group tells of.
    for _ in 0..3 {
        fields.next();
    }
    let day = fields.filled().ok_or_else(|| Error::missing(fields.at("as-of date")))?;
    // YYMMDD; some banks write the century.
    let day = if day.len() == 6 { format!("20{day}") } else { day.to_owned() };
    let as_of = Day::parse_compact(&day)
        .ok_or_else(|| Error::bad("The as-of date is not a day", fields.at("as-of date")))?;
    fields.next();
    let currency = match fields.filled() {
        Some(code) => text::currency(code, fields.at("currency"))?,
        None => Currency::USD,
    };
    Ok(Group { currency, as_of, control: 0, accounts: 0, physical })
}

fn added(sum: i64, minor: i64, at: &Place) -> Result<i64, Error> {
    sum.checked_add(minor).ok_or_else(|| Error::bad("A total is too large", at.clone()))
}

fn check(fields: &mut Fields<'_>, name: &'static str, found: i64, kind: Kind) -> Result<(), Error> {
    let stated = fields.number(name)?;
    if stated == found {
        return Ok(());
    }
    Err(Error::new(kind, format!("The file states {stated} and holds {found}"), fields.at(name)))
}
