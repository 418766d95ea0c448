//! One company: its tables, settings, what happened in this call, and how a write becomes one transaction.
//!
//! Used by the rules, OData and methods. What must stay true: a transaction that is refused leaves no trace but
//! used-up numbers.

use std::collections::{BTreeMap, BTreeSet};

use super::cell::{self, Cell};
use super::happening::Happening;
use super::refusal::Refusal;
use super::row::{Fields, Key, Row};
use super::schema::Id;
use super::store::Store;
use super::{customer, invoice, journal, order, part, receipt};
use crate::stripe::Random;

/// What a site can set up.
pub(super) struct Settings {
    /// Fiscal periods that nothing may be posted to, as year and month.
    pub(super) closed: BTreeSet<(i64, i64)>,
    /// Columns whose values may not come twice.
    pub(super) unique: BTreeSet<(Id, String)>,
    /// User-defined columns.
    pub(super) user_columns: BTreeSet<(Id, String)>,
    /// Tax per category, in hundred-thousandths of the price.
    pub(super) tax_rates: BTreeMap<String, i64>,
    pub(super) banks: BTreeSet<String>,
    pub(super) plants: BTreeSet<String>,
    pub(super) currency: String,
    /// How long a submitted posting takes.
    pub(super) post_delay_ms: i64,
}

impl Settings {
    fn new() -> Self {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        let user_tables = [Id::Customer, Id::OrderHed, Id::InvcHead, Id::CashHead, Id::GlJrnHed, Id::Part];
        Self {
            closed: BTreeSet::new(),
            unique: BTreeSet::new(),
            user_columns: user_tables.map(|id| (id, "SutureRef_c".to_owned())).into(),
            tax_rates: [("TAXABLE".to_owned(), 7_250), ("EXEMPT".to_owned(), 0)].into(),
            banks: texts(&["MAIN", "LOCKBOX"]),
            plants: texts(&["MfgSys", "CLINIC"]),
            currency: "USD".to_owned(),
            post_delay_ms: 0,
        }
    }
}

/// One company.
pub(super) struct Books {
    pub(super) company: String,
    pub(super) store: Store,
    pub(super) settings: Settings,
    /// What the transaction of the moment has made happen.
    pub(super) happenings: Vec<Happening>,
    pub(super) now_ms: i64,
    /// The site and the user of the call.
    pub(super) plant: String,
    pub(super) user: String,
    /// Submitted postings: when, and which cash or invoice group.
    pub(super) submitted: BTreeSet<(i64, Id, String)>,
    /// How many transactions are open, one inside the other.
    depth: usize,
    numbers: BTreeMap<Id, i64>,
    random: Random,
}

impl Books {
    pub(super) fn new(company: &str, seed: u64) -> Self {
        Self {
            company: company.to_owned(),
            store: Store::default(),
            settings: Settings::new(),
            happenings: Vec::new(),
            now_ms: 0,
            plant: "MfgSys".to_owned(),
            user: String::new(),
            submitted: BTreeSet::new(),
            depth: 0,
            numbers: BTreeMap::new(),
            random: Random::new(seed),
        }
    }

    /// Runs one transaction: all of it, or nothing. Inside another one it is a part that can be undone alone.
    pub(super) fn transact<T>(
        &mut self,
        act: impl FnOnce(&mut Self) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let (mark, happened) = (self.store.mark(), self.happenings.len());
        self.depth += 1;
        let outcome = act(self);
        self.depth -= 1;
        if outcome.is_err() {
            self.store.roll_back(mark);
            self.happenings.truncate(happened);
        } else if self.depth == 0 {
            self.store.commit();
        }
        outcome
    }

    /// A new row with the defaults of its table, not stored.
    pub(super) fn fresh(&self, id: Id) -> Row {
        let mut row = Row::new(id.table(), &self.company);
        match id {
            Id::Customer | Id::ShipTo => customer::defaults(self, &mut row),
            Id::Part => part::defaults(&mut row),
            Id::OrderHed | Id::OrderDtl | Id::OrderRel => order::defaults(self, &mut row),
            Id::InvcGrp | Id::InvcHead | Id::InvcDtl => invoice::defaults(self, &mut row),
            Id::CashGrp | Id::CashHead | Id::CashDtl => receipt::defaults(self, &mut row),
            Id::GlJrnGrp | Id::GlJrnHed | Id::GlJrnDtlMnl | Id::GlJrnDtl => journal::defaults(self, &mut row),
        }
        row
    }

    /// Adds a row from what was sent; the key comes back.
    pub(super) fn create(&mut self, id: Id, fields: &Fields) -> Result<Key, Refusal> {
        let mut row = self.fresh(id);
        row.lay(fields);
        match id {
            Id::Customer => customer::create(self, row),
            Id::ShipTo => customer::create_ship_to(self, row),
            Id::Part => part::create(self, row),
            Id::OrderHed => order::create(self, row),
            Id::OrderDtl => order::create_line(self, row, fields),
            Id::InvcHead => invoice::create(self, row),
            Id::InvcDtl => invoice::create_line(self, row, fields),
            Id::CashHead => receipt::create(self, row, fields),
            Id::CashDtl => receipt::allocate(self, row, fields),
            Id::GlJrnHed => journal::create(self, row),
            Id::GlJrnDtlMnl => journal::create_line(self, row, fields),
            Id::InvcGrp | Id::CashGrp | Id::GlJrnGrp => super::group::create(self, id, row),
            Id::OrderRel | Id::GlJrnDtl => {
                Err(Refusal::business(format!("{} rows are made by the system.", id.table().name)))
            }
        }
    }

    /// Changes a row by what was sent.
    pub(super) fn change(&mut self, id: Id, key: &Key, fields: &Fields) -> Result<(), Refusal> {
        let before = self.find(id, key)?.clone();
        let mut row = before.clone();
        row.lay(fields);
        if row.key(id.table()) != *key {
            return Err(Refusal::business("Key fields cannot be changed.").at(id.table().name, ""));
        }
        match id {
            Id::Customer => customer::change(self, &before, row),
            Id::OrderHed => order::change(self, &before, row),
            Id::OrderDtl => order::change_line(self, &before, row, fields),
            Id::InvcHead => invoice::change(self, &before, row),
            Id::InvcDtl => invoice::change_line(self, &before, row, fields),
            Id::CashHead => receipt::change(self, &before, row, fields),
            Id::CashDtl => receipt::reallocate(self, &before, row, fields),
            Id::GlJrnHed | Id::GlJrnDtlMnl => journal::change(self, id, &before, row, fields),
            Id::InvcGrp | Id::CashGrp | Id::GlJrnGrp => super::group::change(self, id, &before, row),
            Id::Part | Id::ShipTo => self.keep(id, row),
            Id::OrderRel => order::change_release(self, row),
            Id::GlJrnDtl => Err(Refusal::business("The general ledger cannot be changed.")),
        }
    }

    /// Deletes a row, where the rules allow it.
    pub(super) fn delete(&mut self, id: Id, key: &Key) -> Result<(), Refusal> {
        let row = self.find(id, key)?.clone();
        match id {
            Id::Customer => customer::delete(self, &row),
            Id::OrderHed => order::delete(self, &row),
            Id::OrderDtl => order::delete_line(self, &row),
            Id::InvcHead => invoice::delete(self, &row),
            Id::InvcDtl => invoice::delete_line(self, &row),
            Id::CashHead => receipt::delete(self, &row),
            Id::CashDtl => receipt::release(self, &row),
            Id::GlJrnHed | Id::GlJrnDtlMnl => journal::delete(self, id, &row),
            Id::InvcGrp | Id::CashGrp | Id::GlJrnGrp => super::group::delete(self, id, &row),
            Id::Part | Id::ShipTo => {
                self.store.remove(id, key);
                Ok(())
            }
            Id::OrderRel | Id::GlJrnDtl => {
                Err(Refusal::business(format!("{} rows cannot be deleted.", id.table().name)))
            }
        }
    }

    /// The row of a key.
    pub(super) fn find(&self, id: Id, key: &Key) -> Result<&Row, Refusal> {
        let missing = || Refusal::missing("Record not found.").at(id.table().name, "");
        self.store.get(id, key).ok_or_else(missing)
    }

    /// The key of this company with these own parts.
    pub(super) fn key<const N: usize>(&self, own: [Cell; N]) -> Key {
        let mut key = vec![Cell::from(self.company.as_str())];
        key.extend(own);
        key
    }

    /// The row with this number or text as its own key.
    pub(super) fn one(&self, id: Id, own: impl Into<Cell>) -> Option<&Row> {
        self.store.get(id, &self.key([own.into()]))
    }

    /// Stores a new row: its key must be free, and it gets its identity.
    pub(super) fn enter(&mut self, id: Id, mut row: Row) -> Result<Key, Refusal> {
        let key = row.key(id.table());
        if self.store.get(id, &key).is_some() {
            return Err(Refusal::duplicate("Duplicate entry. Record already exists.").at(id.table().name, ""));
        }
        row.set("SysRowID", self.guid());
        self.keep(id, row)?;
        Ok(key)
    }

    /// Stores a changed row.
    pub(super) fn keep(&mut self, id: Id, mut row: Row) -> Result<(), Refusal> {
        self.check_unique(id, &row)?;
        row.set_moment("ChangeDate", &cell::moment_of(self.now_ms));
        self.store.put(id, row);
        Ok(())
    }

    fn check_unique(&self, id: Id, row: &Row) -> Result<(), Refusal> {
        for (_, name) in self.settings.unique.iter().filter(|(table, _)| *table == id) {
            let Some(value) = row.cell(name).filter(|value| !value.is_empty()) else { continue };
            let key = row.key(id.table());
            if self.store.with(id, name, value).any(|other| other.key(id.table()) != key) {
                let message = format!("Duplicate entry. A record with this {name} already exists.");
                return Err(Refusal::duplicate(message).at(id.table().name, name));
            }
        }
        Ok(())
    }

    /// Notes that something happened; once per transaction and row is enough.
    pub(super) fn tell(&mut self, event: &'static str, id: Id, key: &Key) {
        let happening = Happening { event, id, key: key.clone() };
        if !self.happenings.contains(&happening) {
            self.happenings.push(happening);
        }
    }

    /// The next number of a table, counting from `first`.
    pub(super) fn next_number(&mut self, id: Id, first: i64) -> i64 {
        let number = self.numbers.entry(id).or_insert(first - 1);
        *number += 1;
        *number
    }

    /// The number of the next child: one above the last.
    pub(super) fn next_line(&self, id: Id, parent: (&str, i64), name: &str) -> i64 {
        let children = self.store.with(id, parent.0, &Cell::Whole(parent.1));
        children.map(|row| row.number(name)).max().unwrap_or(0) + 1
    }

    pub(super) fn guid(&mut self) -> String {
        let (one, other) = (self.random.next(), self.random.next());
        let digits = format!("{one:016x}{other:016x}");
        let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
        format!("{}-{}-4{}-a{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
    }

    pub(super) fn today(&self) -> String {
        cell::day_of(self.now_ms)
    }

    /// The open fiscal period of a day.
    pub(super) fn period(&self, day: &str) -> Result<(i64, i64), Refusal> {
        let part = |from: usize, to: usize| day.get(from..to).and_then(|text| text.parse::<i64>().ok());
        let (Some(year), Some(month)) = (part(0, 4), part(5, 7)) else {
            return Err(Refusal::business("A date is required."));
        };
        if self.settings.closed.contains(&(year, month)) {
            let day = day.get(..10).unwrap_or(day);
            return Err(Refusal::business(format!("The fiscal period {year}/{month} of {day} is closed.")));
        }
        Ok((year, month))
    }

    /// The currency must be the company's: the sandbox has no exchange rates.
    pub(super) fn check_currency(&self, id: Id, row: &Row) -> Result<(), Refusal> {
        let code = row.text("CurrencyCode");
        if code == self.settings.currency {
            return Ok(());
        }
        Err(Refusal::business(format!("Currency '{code}' is not valid.")).at(id.table().name, "CurrencyCode"))
    }
}

/// A field that must have a value.
pub(super) fn required(id: Id, row: &Row, name: &str, label: &str) -> Result<(), Refusal> {
    if row.cell(name).is_some_and(|cell| !cell.is_empty()) {
        return Ok(());
    }
    Err(Refusal::business(format!("{label} is required.")).at(id.table().name, name))
}

/// Whether a value was sent; a tableset carries zeros for what nobody has filled in.
pub(super) fn is_given(fields: &Fields, names: &[&str]) -> bool {
    names.iter().any(|name| fields.get(*name).is_some_and(|cell| !cell.is_empty()))
}

/// Brings an amount and its twin in the currency of the document together: whichever was sent counts.
pub(super) fn pair(
    row: &mut Row,
    fields: &Fields,
    plain: &'static str,
    document: &'static str,
) -> Result<(), Refusal> {
    match (fields.get(plain), fields.get(document)) {
        (Some(one), Some(other)) if one != other && !one.is_empty() && !other.is_empty() => {
            Err(Refusal::business(format!("{plain} and {document} differ and the exchange rate is 1.")))
        }
        (_, Some(amount)) if !amount.is_empty() => {
            row.set(plain, amount.clone());
            Ok(())
        }
        (Some(amount), _) => {
            row.set(document, amount.clone());
            Ok(())
        }
        (None, Some(amount)) => {
            row.set(plain, amount.clone());
            Ok(())
        }
        (None, None) => Ok(()),
    }
}
