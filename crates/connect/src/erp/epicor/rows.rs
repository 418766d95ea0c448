//! Rows as they travel: built and read without a float, because amounts are exact decimals (EPICOR.md §7).

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use suture_core::calendar::LocalDate;
use suture_core::currency::Currency;
use suture_core::money::Money;

/// A row, or the arguments of a method, to send. Members keep their order.
#[derive(Default)]
pub(super) struct Row {
    members: Vec<(String, Box<RawValue>)>,
}

impl Row {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Anything that serializes. A member that cannot be written is left out; none of ours can fail.
    pub(super) fn with(mut self, name: &str, value: &impl Serialize) -> Self {
        if let Ok(raw) = serde_json::value::to_raw_value(value) {
            self.members.push((name.to_owned(), raw));
        }
        self
    }

    pub(super) fn maybe(self, name: &str, value: Option<&impl Serialize>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// A decimal number with all decimals of its currency.
    pub(super) fn amount(self, name: &str, minor: i64, currency: Currency) -> Self {
        let text = Money::new(minor, currency).to_decimal();
        self.number(name, &text)
    }

    /// A number from decimal text that was checked before.
    pub(super) fn number(mut self, name: &str, text: &str) -> Self {
        if let Ok(raw) = RawValue::from_string(text.to_owned()) {
            self.members.push((name.to_owned(), raw));
        }
        self
    }

    /// A day as Epicor reads it (EPICOR.md §3).
    pub(super) fn date(self, name: &str, date: LocalDate) -> Self {
        self.with(name, &format!("{date}T00:00:00"))
    }

    /// Whether a member was set.
    pub(super) fn has(&self, name: &str) -> bool {
        self.members.iter().any(|(member, _)| member == name)
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        // Texts and raw values always serialize.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.members.len()))?;
        for (name, value) in &self.members {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// A row that Epicor sent.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Record {
    members: BTreeMap<String, Box<RawValue>>,
}

impl Record {
    fn raw(&self, name: &str) -> Option<&RawValue> {
        self.members.get(name).map(AsRef::as_ref)
    }

    fn read<'a, T: Deserialize<'a>>(&'a self, name: &str) -> Option<T> {
        serde_json::from_str(self.raw(name)?.get()).ok()
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.read(name)
    }

    /// Text that says something: not missing, not null, not blank.
    pub(super) fn word(&self, name: &str) -> Option<String> {
        self.text(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.read(name)
    }

    /// A number that Epicor gave out: zero means none.
    pub(super) fn key(&self, name: &str) -> Option<i64> {
        self.number(name).filter(|number| *number > 0)
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.read(name)
    }

    /// An exact amount. More decimals than the currency has are read only when they are zeros.
    pub(super) fn amount(&self, name: &str, currency: Currency) -> Option<Money> {
        Money::from_decimal(self.raw(name)?.get(), currency).ok()
    }

    /// A decimal number as text.
    pub(super) fn decimal(&self, name: &str) -> Option<String> {
        let text = self.raw(name)?.get();
        text.bytes().all(|byte| byte.is_ascii_digit() || b"-.".contains(&byte)).then(|| text.to_owned())
    }

    /// The day of `2025-01-31T00:00:00`, with or without an offset, or `2025-01-31`.
    pub(super) fn date(&self, name: &str) -> Option<LocalDate> {
        LocalDate::parse(self.text(name)?.get(..10)?).ok()
    }

    /// An object inside the row.
    pub(super) fn row(&self, name: &str) -> Option<Self> {
        self.read(name)
    }

    pub(super) fn rows(&self, name: &str) -> Option<Vec<Self>> {
        self.read(name)
    }

    /// The named members as JSON, for events. A decimal becomes its text, so that no float is ever made.
    pub(super) fn only(&self, names: &[&str]) -> serde_json::Value {
        let member = |name: &&str| {
            let value = match self.decimal(name).filter(|text| text.contains('.')) {
                Some(text) => serde_json::Value::String(text),
                None => self.read(name)?,
            };
            Some(((*name).to_owned(), value))
        };
        serde_json::Value::Object(names.iter().filter_map(member).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The row of a BAQ: its columns are `Table_Field` (EPICOR.md §3); each is also known as `Field`.
    fn with_short_names(mut self) -> Self {
        let short: Vec<(String, Box<RawValue>)> = self
            .members
            .iter()
            .filter_map(|(name, value)| Some((name.split_once('_')?.1.to_owned(), value.clone())))
            .collect();
        for (name, value) in short {
            self.members.entry(name).or_insert(value);
        }
        self
    }
}

#[derive(Deserialize)]
struct Set {
    value: Vec<Record>,
}

/// The rows of `{"@odata.context":…,"value":[…]}`; `None` when the answer is something else.
pub(super) fn read_set(body: &[u8], is_baq: bool) -> Option<Vec<Record>> {
    let set = serde_json::from_slice::<Set>(body).ok()?;
    Some(if is_baq { set.value.into_iter().map(Record::with_short_names).collect() } else { set.value })
}

/// A bare entity.
pub(super) fn read_entity(body: &[u8]) -> Option<Record> {
    serde_json::from_slice::<Record>(body).ok().filter(|record| !record.is_empty())
}

#[derive(Deserialize)]
struct Method {
    #[serde(rename = "returnObj")]
    return_obj: Option<BTreeMap<String, Box<RawValue>>>,
}

/// The rows of one table in a method's `returnObj`; `None` when they are not there.
pub(super) fn read_table(body: &[u8], table: &str) -> Option<Vec<Record>> {
    let answer = serde_json::from_slice::<Method>(body).ok()?;
    serde_json::from_str(answer.return_obj?.get(table)?.get()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_go_out_and_come_back_exactly() {
        let row = Row::new().amount("A", -10_005, Currency::USD).with("B", &"x").number("Q", "1.5");
        assert_eq!(String::from_utf8(row.bytes()).unwrap(), r#"{"A":-100.05,"B":"x","Q":1.5}"#);
        let record =
            read_entity(br#"{"A":100.05000,"B":" ","C":null,"D":"2026-11-21T00:00:00-06:00","E":0}"#)
                .unwrap();
        assert_eq!(record.amount("A", Currency::USD), Some(Money::usd(10_005)));
        assert_eq!((record.word("B"), record.word("C"), record.key("E")), (None, None, None));
        assert_eq!(record.date("D"), LocalDate::parse("2026-11-21").ok());
    }

    #[test]
    fn rows_are_found_in_sets_in_queries_and_in_methods() {
        let set =
            read_set(br#"{"@odata.context":"x","value":[{"CashHead_HeadNum":3,"Calculated_At_c":1}]}"#, true);
        assert_eq!(set.unwrap()[0].key("HeadNum"), Some(3));
        assert!(read_set(br#"{"value":null}"#, false).is_none());
        let table =
            read_table(br#"{"returnObj":{"CustomerList":[{"CustNum":7}]},"parameters":{}}"#, "CustomerList");
        assert_eq!(table.unwrap()[0].number("CustNum"), Some(7));
    }
}
