//! Between jq values and JSON, without losing a digit.
//!
//! Integers up to 64 bits stay integers in both directions; larger ones, infinities, bytes and non-text keys are refused.

use std::fmt;

use jaq_json::{Map, Num, Val};
use serde::ser::{Error as _, SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Number, Value};

/// A jq value inside a run. It may hold personal data, so `Debug` prints `***`; serialized it is plain JSON.
#[derive(Clone, Default)]
pub(crate) struct Held(pub(crate) Val);

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Serialize for Held {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Borrowed(&self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Held {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(to_jq(&Value::deserialize(deserializer)?)))
    }
}

struct Borrowed<'a>(&'a Val);

impl Serialize for Borrowed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Val::Null => serializer.serialize_unit(),
            Val::Bool(value) => serializer.serialize_bool(*value),
            Val::Num(number) => number_to_json(number).map_err(S::Error::custom)?.serialize(serializer),
            Val::TStr(_) | Val::BStr(_) => {
                serializer.serialize_str(text_of(self.0).ok_or_else(|| S::Error::custom(NOT_TEXT))?)
            }
            Val::Arr(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(&Borrowed(item)))?;
                list.end()
            }
            Val::Obj(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries.iter() {
                    let key = text_of(key).ok_or_else(|| S::Error::custom(NOT_KEY))?;
                    map.serialize_entry(key, &Borrowed(value))?;
                }
                map.end()
            }
        }
    }
}

const NOT_TEXT: &str = "the result holds bytes that are not UTF-8 text";
const NOT_KEY: &str = "the result has an object key that is not text";
const NOT_NUMBER: &str = "the result holds a number that does not fit 64 bits";

/// The text of a text value.
pub(crate) fn text_of(value: &Val) -> Option<&str> {
    match value {
        Val::TStr(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}

/// A value as a key of a table: text, or the digits of an integer.
pub(crate) fn key_text(value: &Val) -> Option<String> {
    match value {
        Val::TStr(_) => text_of(value).map(str::to_owned),
        Val::Num(Num::Int(number)) => Some(number.to_string()),
        _ => None,
    }
}

/// A JSON value as a jq value.
pub(crate) fn to_jq(value: &Value) -> Val {
    match value {
        Value::Null => Val::Null,
        Value::Bool(value) => Val::Bool(*value),
        Value::Number(number) => Val::Num(number_to_jq(number)),
        Value::String(text) => Val::utf8_str(text.clone().into_bytes()),
        Value::Array(items) => items.iter().map(to_jq).collect(),
        Value::Object(entries) => {
            let mut map = Map::with_capacity_and_hasher(entries.len(), foldhash_state());
            for (key, value) in entries {
                map.insert(Val::utf8_str(key.clone().into_bytes()), to_jq(value));
            }
            Val::obj(map)
        }
    }
}

/// The hasher of jaq's maps, without naming its crate.
fn foldhash_state<S: Default>() -> S {
    S::default()
}

fn number_to_jq(number: &Number) -> Num {
    if let Some(integer) = number.as_i64() {
        return Num::from_integral(integer);
    }
    if let Some(integer) = number.as_u64() {
        return Num::from_integral(integer);
    }
    Num::Float(number.as_f64().unwrap_or_default())
}

/// A jq value as a JSON value.
///
/// # Errors
/// A text that says what JSON cannot hold; it quotes nothing of the value.
pub(crate) fn to_json(value: &Val) -> Result<Value, &'static str> {
    Ok(match value {
        Val::Null => Value::Null,
        Val::Bool(value) => Value::Bool(*value),
        Val::Num(number) => Value::Number(number_to_json(number)?),
        Val::TStr(_) | Val::BStr(_) => Value::String(text_of(value).ok_or(NOT_TEXT)?.to_owned()),
        Val::Arr(items) => Value::Array(items.iter().map(to_json).collect::<Result<_, _>>()?),
        Val::Obj(entries) => {
            let entry = |(key, value)| Ok((text_of(key).ok_or(NOT_KEY)?.to_owned(), to_json(value)?));
            Value::Object(entries.iter().map(entry).collect::<Result<_, &'static str>>()?)
        }
    })
}

fn number_to_json(number: &Num) -> Result<Number, &'static str> {
    match number {
        Num::Int(integer) => i64::try_from(*integer).map(Number::from).map_err(|_| NOT_NUMBER),
        Num::BigInt(integer) => integer.to_string().parse::<u64>().map(Number::from).map_err(|_| NOT_NUMBER),
        Num::Float(float) => Number::from_f64(*float).ok_or(NOT_NUMBER),
        Num::Dec(text) => text.parse::<f64>().ok().and_then(Number::from_f64).ok_or(NOT_NUMBER),
    }
}
