//! The shape that a target expects of a document, and the differences of a document from it.
//!
//! A map step names a shape; a document that differs parks the run before anything is sent. Differences name fields and
//! kinds, never values, so they can be shown and logged.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use suture_core::currency::Currency;

use crate::problem::Place;

/// What a value must look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// Text that is not empty.
    Text,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// An ISO 4217 code that this system knows.
    Currency,
    /// Anything but null.
    Any,
    /// One of these texts.
    OneOf(Vec<String>),
    /// A list of such values.
    List(Box<Shape>),
    /// An object with exactly these fields.
    Object(Vec<Field>),
    /// An object with at least these fields.
    Open(Vec<Field>),
}

/// A field of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Whether it must be there.
    pub required: bool,
    /// Its shape.
    pub shape: Shape,
}

/// One place where a document differs from its shape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The field, for example `.amount.minor`.
    pub path: String,
    /// What the shape wants there.
    pub expected: String,
    /// What kind of thing is there.
    pub found: String,
    /// Where the flow writes that field, or the expression that makes the document; none when no flow made it.
    #[serde(default)]
    pub place: Option<Place>,
}

fn field(name: &str, required: bool, shape: Shape) -> Field {
    Field { name: name.to_owned(), required, shape }
}

/// The shapes that are built in, by name.
#[must_use]
pub fn built_in(name: &str) -> Option<Shape> {
    match name {
        "epic.posting" => Some(epic_posting()),
        "erp.document" => Some(erp_document()),
        _ => None,
    }
}

/// Names of the shapes that are built in.
pub const BUILT_IN: [&str; 2] = ["epic.posting", "erp.document"];

/// A payment or reversal to be posted in Epic by whatever route the site allows. `paid_at` is integer milliseconds since
/// 1970, the serialized form of [`suture_core::time::Timestamp`].
fn epic_posting() -> Shape {
    let one_of = |texts: &[&str]| Shape::OneOf(texts.iter().map(|text| (*text).to_owned()).collect());
    let amount =
        Shape::Object(vec![field("minor", true, Shape::Integer), field("currency", true, Shape::Currency)]);
    Shape::Object(vec![
        field("reference", true, Shape::Text),
        field("kind", true, one_of(&["payment", "reversal"])),
        field("amount", true, amount),
        field("patient", true, Shape::Text),
        field("account", false, Shape::Text),
        field("claim", false, Shape::Text),
        field("encounter", false, Shape::Text),
        field("practitioner", false, Shape::Text),
        field("paid_at", true, Shape::Integer),
        field("status", true, Shape::Text),
        field("queue", false, Shape::Text),
        field("original_reference", false, Shape::Text),
    ])
}

/// A document for an ERP: which fact it is about and what kind it is. The connector knows the fields of each kind.
fn erp_document() -> Shape {
    Shape::Open(vec![field("reference", true, Shape::Text), field("kind", true, Shape::Text)])
}

impl Shape {
    /// Where a document differs; empty when it fits.
    #[must_use]
    pub fn differences(&self, document: &Value) -> Vec<Difference> {
        let mut differences = Vec::new();
        self.compare(document, At::Document, &mut differences);
        differences
    }

    fn compare(&self, value: &Value, at: At<'_>, differences: &mut Vec<Difference>) {
        match (self, value) {
            (Self::Text, Value::String(text)) if !text.is_empty() => {}
            (Self::Integer, Value::Number(number)) if number.is_i64() => {}
            (Self::Boolean, Value::Bool(_)) => {}
            (Self::Currency, Value::String(code)) if Currency::parse(code).is_ok() => {}
            (Self::OneOf(texts), Value::String(text)) if texts.contains(text) => {}
            (Self::Any, value) if !value.is_null() => {}
            (Self::List(shape), Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    shape.compare(item, At::Item(&at, index), differences);
                }
            }
            (Self::Object(fields), Value::Object(entries)) => {
                compare_fields(fields, entries, at, differences);
                refuse_others(fields, entries, at, differences);
            }
            (Self::Open(fields), Value::Object(entries)) => {
                compare_fields(fields, entries, at, differences);
            }
            _ => differences.push(difference(at, self.expected(), found(value))),
        }
    }

    fn expected(&self) -> String {
        match self {
            Self::Text => "text that is not empty".to_owned(),
            Self::Integer => "a whole number".to_owned(),
            Self::Boolean => "true or false".to_owned(),
            Self::Currency => "an ISO 4217 currency code".to_owned(),
            Self::Any => "a value".to_owned(),
            Self::OneOf(texts) => format!("one of {}", texts.join(", ")),
            Self::List(_) => "a list".to_owned(),
            Self::Object(_) | Self::Open(_) => "an object".to_owned(),
        }
    }
}

/// Where a comparison is. Written out only for a difference, because a document mostly has none.
#[derive(Clone, Copy)]
enum At<'a> {
    Document,
    Field(&'a At<'a>, &'a str),
    Item(&'a At<'a>, usize),
}

impl At<'_> {
    fn path(self) -> String {
        match self {
            Self::Document => String::new(),
            Self::Field(parent, name) => format!("{}.{name}", parent.path()),
            Self::Item(parent, index) => format!("{}[{index}]", parent.path()),
        }
    }
}

fn compare_fields(
    fields: &[Field],
    entries: &serde_json::Map<String, Value>,
    at: At<'_>,
    differences: &mut Vec<Difference>,
) {
    for field in fields {
        let at = At::Field(&at, &field.name);
        match entries.get(&field.name) {
            Some(value) => field.shape.compare(value, at, differences),
            None if field.required => differences.push(difference(at, field.shape.expected(), "nothing")),
            None => {}
        }
    }
}

fn refuse_others(
    fields: &[Field],
    entries: &serde_json::Map<String, Value>,
    at: At<'_>,
    differences: &mut Vec<Difference>,
) {
    for (name, value) in entries {
        if !fields.iter().any(|field| field.name == *name) {
            differences.push(difference(At::Field(&at, name), "no such field".to_owned(), found(value)));
        }
    }
}

fn difference(at: At<'_>, expected: String, found: &str) -> Difference {
    let path = at.path();
    let path = if path.is_empty() { ".".to_owned() } else { path };
    Difference { path, expected, found: found.to_owned(), place: None }
}

fn found(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_i64() || number.is_u64() => "a whole number",
        Value::Number(_) => "a number with a fraction",
        Value::String(text) if text.is_empty() => "empty text",
        Value::String(_) => "another text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_that_differs_is_told_field_by_field_without_its_values() {
        let shape = built_in("epic.posting").unwrap();
        let document = json!({
            "reference": "charge:ch_1", "kind": "payment", "amount": {"minor": 1.5, "currency": "USD"},
            "patient": "", "paid_at": "yesterday", "status": "posted", "surname": "Example",
        });
        let differences = shape.differences(&document);
        let paths: Vec<&str> = differences.iter().map(|difference| difference.path.as_str()).collect();
        assert_eq!(paths, [".amount.minor", ".patient", ".paid_at", ".surname"]);
        assert!(!format!("{differences:?}").contains("Example"));
    }
}
