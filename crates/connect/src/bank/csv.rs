//! CSV by a mapping. The balance column, when there is one, is proven line by line.

use csv::{ReaderBuilder, StringRecord};
use suture_core::currency::Currency;
use suture_core::day::Day;
use suture_core::money::Money;

use super::csv_mapping::{AmountColumns, DateOrder, Mapping};
use super::error::{Error, Kind, Place};
use super::statement::{Draft, RawLine, Statement};
use super::text;

/// Where the columns of a mapping stand.
struct Columns {
    booked_on: usize,
    value_on: Option<usize>,
    signed: Option<usize>,
    credit: Option<usize>,
    debit: Option<usize>,
    balance: Option<usize>,
    descriptor: Vec<usize>,
    reference: Option<usize>,
    id: Option<usize>,
}

pub(super) fn read(mapping: &Mapping, content: &str) -> Result<Statement, Error> {
    let currency = text::currency(&mapping.currency, Place::at(0, "mapping", "currency"))?;
    let delimiter = u8::try_from(mapping.delimiter)
        .map_err(|_| Error::bad("The delimiter is not one byte", Place::at(0, "mapping", "delimiter")))?;
    let skipped = u64::from(mapping.skip_lines);
    let rest = content.split_inclusive('\n').take(mapping.skip_lines as usize).map(str::len).sum();
    let body = content.get(rest..).unwrap_or_default();
    let mut reader = ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(body.as_bytes());
    let header = reader.headers().map_err(|error| unreadable(&error, skipped))?.clone();
    let columns = Columns::find(mapping, &header, skipped + 1)?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| unreadable(&error, skipped))?;
        let at = skipped + record.position().map_or(0, csv::Position::line);
        if record.iter().all(|field| field.trim().is_empty()) {
            continue;
        }
        rows.push(row(mapping, &columns, &record, (currency, at))?);
        text::check_count(rows.len())?;
    }
    if mapping.newest_first {
        rows.reverse();
    }
    let (opening, closing) = running(&rows)?;
    let draft = Draft {
        account: mapping.account.trim().to_owned(),
        currency,
        opening,
        closing,
        closes_on: rows.last().filter(|_| closing.is_some()).map(|(line, _)| line.booked_on),
        lines: rows.into_iter().map(|(line, _)| line).collect(),
        at: Place::at(0, "row", "balance"),
    };
    draft.finish()
}

fn unreadable(error: &csv::Error, skipped: u64) -> Error {
    let line = error.position().map_or(0, |position| skipped + position.line());
    Error::new(Kind::WrongFormat, "A line is not comma-separated text", Place::at(line, "row", ""))
}

impl Columns {
    fn find(mapping: &Mapping, header: &StringRecord, line: u64) -> Result<Self, Error> {
        let find = |name: &str, field: &'static str| {
            let fits = |column: &str| column.trim().eq_ignore_ascii_case(name.trim());
            let found = header.iter().position(fits);
            found.ok_or_else(|| {
                let what = "A column of the mapping is not in the header";
                Error::new(Kind::Missing, what, Place::at(line, "header", field))
            })
        };
        let maybe = |name: &Option<String>, field| name.as_deref().map(|name| find(name, field)).transpose();
        let (signed, credit, debit) = match &mapping.amount {
            AmountColumns::Signed(name) | AmountColumns::Inverted(name) => {
                (Some(find(name, "amount")?), None, None)
            }
            AmountColumns::Split { credit, debit } => {
                (None, Some(find(credit, "credit")?), Some(find(debit, "debit")?))
            }
        };
        Ok(Self {
            booked_on: find(&mapping.booked_on, "bookedOn")?,
            value_on: maybe(&mapping.value_on, "valueOn")?,
            signed,
            credit,
            debit,
            balance: maybe(&mapping.balance, "balance")?,
            descriptor: mapping
                .descriptor
                .iter()
                .map(|name| find(name, "descriptor"))
                .collect::<Result<_, _>>()?,
            reference: maybe(&mapping.reference, "reference")?,
            id: maybe(&mapping.id, "id")?,
        })
    }
}

fn row(
    mapping: &Mapping,
    columns: &Columns,
    record: &StringRecord,
    (currency, at): (Currency, u64),
) -> Result<(RawLine, Option<Money>), Error> {
    let place = |field| Place::at(at, "row", field);
    let field = |column: usize| record.get(column).unwrap_or_default().trim();
    let filled = |column: Option<usize>| column.map(field).filter(|text| !text.is_empty());
    let day = |text: &str, name| {
        parse_day(text, mapping.dates).ok_or_else(|| Error::bad("A date is not a day", place(name)))
    };
    let money = |text: &str, name| amount(text, mapping.decimal, currency, place(name));
    let amount = match (filled(columns.signed), filled(columns.credit), filled(columns.debit)) {
        (Some(text), ..) => match mapping.amount {
            AmountColumns::Inverted(_) => negated(money(text, "amount")?),
            AmountColumns::Signed(_) | AmountColumns::Split { .. } => money(text, "amount")?,
        },
        (None, Some(text), None) => money(text, "credit")?,
        (None, None, Some(text)) => negated(unsigned(money(text, "debit")?)),
        (None, Some(credit), Some(debit)) => one_of_two(money(credit, "credit")?, money(debit, "debit")?)
            .ok_or_else(|| Error::bad("A line is both money in and money out", place("credit")))?,
        (None, None, None) => return Err(Error::missing(place("amount"))),
    };
    let descriptor = columns.descriptor.iter().map(|column| field(*column)).collect::<Vec<_>>().join(" ");
    let line = RawLine {
        bank_id: filled(columns.id).map(ToOwned::to_owned),
        booked_on: day(field(columns.booked_on), "bookedOn")?,
        value_on: filled(columns.value_on).map(|text| day(text, "valueOn")).transpose()?,
        amount,
        descriptor: text::tidy(&descriptor),
        reference: filled(columns.reference).and_then(text::optional),
        at,
    };
    let balance = filled(columns.balance).map(|text| money(text, "balance")).transpose()?;
    Ok((line, balance))
}

/// Banks that fill both columns write a zero into the one that does not count.
fn one_of_two(credit: Money, debit: Money) -> Option<Money> {
    match (credit.minor, debit.minor) {
        (_, 0) => Some(credit),
        (0, _) => Some(negated(unsigned(debit))),
        _ => None,
    }
}

const fn negated(money: Money) -> Money {
    Money::new(money.minor.saturating_neg(), money.currency)
}

const fn unsigned(money: Money) -> Money {
    Money::new(money.minor.saturating_abs(), money.currency)
}

/// The balances before the first and after the last line, when every line names one and they follow from each other.
fn running(rows: &[(RawLine, Option<Money>)]) -> Result<(Option<Money>, Option<Money>), Error> {
    let mut before: Option<Money> = None;
    let mut opening = None;
    for (line, balance) in rows {
        let at = Place::at(line.at, "row", "balance");
        let Some(balance) = *balance else {
            return match before {
                None => Ok((None, None)),
                Some(_) => Err(Error::missing(at)),
            };
        };
        let too_large = |_| Error::bad("A balance is too large", at.clone());
        let reached = balance.minus(line.amount).map_err(too_large)?;
        match before {
            None => opening = Some(reached),
            Some(known) if known == reached => {}
            Some(known) => {
                let what =
                    format!("The balance does not follow: {known} and {} are not {balance}", line.amount);
                return Err(Error::new(Kind::Unbalanced, what, at));
            }
        }
        before = Some(balance);
    }
    Ok((opening, before))
}

/// An amount as people write it: groups of digits, a minus before or behind, parentheses, a currency sign.
fn amount(text: &str, decimal: char, currency: Currency, at: Place) -> Result<Money, Error> {
    let negative = text.contains('-') || text.starts_with('(') && text.ends_with(')');
    let group = if decimal == ',' { '.' } else { ',' };
    let mut plain = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '0'..='9' => plain.push(sign),
            _ if sign == decimal => plain.push('.'),
            '-' | '+' | '(' | ')' | '$' | '€' | '£' | '\'' => {}
            _ if sign == group || sign.is_whitespace() => {}
            _ => return Err(Error::bad("An amount holds something that is no number", at)),
        }
    }
    let money = text::decimal(&plain, currency, at)?;
    Ok(if negative { negated(money) } else { money })
}

fn parse_day(text: &str, order: DateOrder) -> Option<Day> {
    // A time behind the date is of no use here.
    let date = text.split([' ', 'T']).next().unwrap_or_default();
    if order == DateOrder::YearMonthDay && date.len() == 8 {
        return Day::parse_compact(date);
    }
    let mut parts =
        date.split(|sign: char| !sign.is_ascii_digit()).map(|part| (part.len(), part.parse().ok()));
    let mut next = || parts.next().and_then(|(length, number): (usize, Option<i16>)| Some((length, number?)));
    let (first, second, third) = (next()?, next()?, next()?);
    let (year, month, day) = match order {
        DateOrder::YearMonthDay => (first, second, third),
        DateOrder::MonthDayYear => (third, first, second),
        DateOrder::DayMonthYear => (third, second, first),
    };
    let year = if year.0 == 2 { 2000 + year.1 } else { year.1 };
    Day::of(year, i8::try_from(month.1).ok()?, i8::try_from(day.1).ok()?).filter(|_| parts.next().is_none())
}
