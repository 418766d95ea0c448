//! Checks the parameters of a call against Stripe's request schemas and gives them their types.
//!
//! `schema.json` holds the supported calls, taken from the published request types of API 2026-10-28.endive
//! (`request-schemas.json`); parameters of methods other than cards are accepted without looking inside.
//! Called once per request, before anything is executed. What must stay true: a parameter that Stripe does not
//! know is refused, never ignored.

use super::form::{self, Key, Node};
use super::refusal::Refusal;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// What a parameter may be.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Schema {
    String,
    /// A text that may be empty, which unsets the field.
    Clearable,
    /// Only the empty text: unset.
    Empty,
    Integer,
    Boolean,
    Number,
    /// Free keys with texts: metadata.
    Map,
    /// Not looked into.
    Any,
    OneOf(Vec<String>),
    List(Box<Schema>),
    Either(Vec<Schema>),
    Object(Shape),
}

/// The parameters of a call or of a nested object.
#[derive(Debug, Deserialize)]
pub(crate) struct Shape {
    fields: BTreeMap<String, Schema>,
    #[serde(default)]
    required: Vec<String>,
}

/// The shape of a call, named as `POST /v1/payment_intents/{id}/confirm`.
pub(crate) fn shape(call: &str) -> Option<&'static Shape> {
    static SHAPES: OnceLock<BTreeMap<String, Shape>> = OnceLock::new();
    SHAPES
        .get_or_init(|| {
            serde_json::from_str(include_str!("schema.json"))
                .expect("schema.json is checked by a test of this file")
        })
        .get(call)
}

/// Decodes and checks the pairs of a request.
///
/// # Errors
/// The refusal Stripe would answer with: `parameter_unknown`, `parameter_missing`, `parameter_invalid_…`.
pub(crate) fn check(shape: &Shape, pairs: &[(String, String)]) -> Result<Params, Box<Refusal>> {
    let tree = form::decode(pairs).map_err(|name| {
        Refusal::invalid(format!("Invalid request: the parameter {name} cannot be read.")).param(&name)
    })?;
    object(shape, &tree, "").map(Params)
}

fn object(shape: &Shape, tree: &BTreeMap<Key, Node>, path: &str) -> Result<Map<String, Value>, Box<Refusal>> {
    let mut checked = Map::new();
    for (key, node) in tree {
        let name = key.text();
        let path = if path.is_empty() { name.clone() } else { format!("{path}[{name}]") };
        let Some(schema) = shape.fields.get(&name) else { return Err(unknown(&path)) };
        checked.insert(name, value(schema, node, &path)?);
    }
    for name in &shape.required {
        if !checked.contains_key(name) {
            let path = if path.is_empty() { name.clone() } else { format!("{path}[{name}]") };
            return Err(Refusal::parameter_missing(&path));
        }
    }
    Ok(checked)
}

fn value(schema: &Schema, node: &Node, path: &str) -> Result<Value, Box<Refusal>> {
    match (schema, node) {
        (Schema::Either(choices), _) => either(choices, node, path),
        (Schema::Any, _) => Ok(raw(node)),
        (Schema::Object(shape), Node::Nest(nest)) => Ok(Value::Object(object(shape, nest, path)?)),
        (Schema::Map, Node::Nest(nest)) => metadata(nest, path),
        (Schema::List(item), Node::Nest(nest)) => {
            nest.values().enumerate().map(|(at, node)| value(item, node, &format!("{path}[{at}]"))).collect()
        }
        (Schema::Object(_) | Schema::Map, Node::Text(_)) => {
            Err(Refusal::invalid("Invalid object").param(path))
        }
        (Schema::List(_), Node::Text(_)) => Err(Refusal::invalid("Invalid array").param(path)),
        (Schema::Clearable | Schema::Empty, Node::Text(text)) => Ok(Value::String(text.clone())),
        (_, Node::Text(text)) if text.is_empty() => Err(empty(path)),
        (_, Node::Text(text)) => scalar(schema, text, path),
        (_, Node::Nest(_)) => Err(Refusal::invalid(format!("Invalid string: {path} is a hash")).param(path)),
    }
}

fn scalar(schema: &Schema, text: &str, path: &str) -> Result<Value, Box<Refusal>> {
    match schema {
        Schema::Integer => text.parse::<i64>().map(Value::from).map_err(|_| {
            Refusal::invalid(format!("Invalid integer: {text}")).code("parameter_invalid_integer").param(path)
        }),
        Schema::Boolean => match text {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(Refusal::invalid(format!("Invalid boolean: {text}")).param(path)),
        },
        Schema::OneOf(choices) if !choices.iter().any(|choice| choice == text) => {
            Err(Refusal::invalid(format!("Invalid {path}: must be one of {}", listed(choices))).param(path))
        }
        _ => Ok(Value::String(text.to_owned())),
    }
}

/// Takes the first choice that fits; the refusal of the last one when none does.
fn either(choices: &[Schema], node: &Node, path: &str) -> Result<Value, Box<Refusal>> {
    let mut refused = Refusal::invalid("Invalid parameter").param(path);
    for choice in choices {
        match (choice, node) {
            (Schema::Empty, Node::Text(text)) if text.is_empty() => return Ok(Value::String(String::new())),
            (Schema::Empty, _) => {}
            _ => match value(choice, node, path) {
                Ok(value) => return Ok(value),
                Err(refusal) => refused = refusal,
            },
        }
    }
    Err(refused)
}

/// Limits of FACTS §a: 50 keys, 40 characters per key, 500 per value.
fn metadata(nest: &BTreeMap<Key, Node>, path: &str) -> Result<Value, Box<Refusal>> {
    let mut map = Map::new();
    for (key, node) in nest {
        let key = key.text();
        let Node::Text(text) = node else {
            return Err(Refusal::invalid("Metadata values must be strings").param(&format!("{path}[{key}]")));
        };
        if key.chars().count() > 40 {
            return Err(Refusal::invalid(format!(
                "Metadata keys can have up to 40 characters, but you passed in a key that is {} characters.",
                key.chars().count()
            ))
            .param(path));
        }
        if text.chars().count() > 500 {
            return Err(Refusal::invalid(format!(
                "Metadata values can have up to 500 characters, but you passed in a value that is {} characters.",
                text.chars().count()
            ))
            .param(&format!("{path}[{key}]")));
        }
        map.insert(key, Value::String(text.clone()));
    }
    if map.len() > 50 {
        return Err(Refusal::invalid("Metadata can have up to 50 keys.").param(path));
    }
    Ok(Value::Object(map))
}

fn raw(node: &Node) -> Value {
    match node {
        Node::Text(text) => Value::String(text.clone()),
        Node::Nest(nest) => Value::Object(nest.iter().map(|(key, node)| (key.text(), raw(node))).collect()),
    }
}

fn listed(choices: &[String]) -> String {
    match choices {
        [] => String::new(),
        [only] => only.clone(),
        [first, second] => format!("{first} or {second}"),
        [start @ .., last] => format!("{}, or {last}", start.join(", ")),
    }
}

fn unknown(path: &str) -> Box<Refusal> {
    Refusal::invalid(format!("Received unknown parameter: {path}")).code("parameter_unknown").param(path)
}

fn empty(path: &str) -> Box<Refusal> {
    Refusal::invalid(format!(
        "You passed an empty string for '{path}'. We assume empty values are an attempt to unset a parameter; \
         however '{path}' cannot be unset. You should remove '{path}' from your request or supply a non-empty value."
    ))
    .code("parameter_invalid_empty")
    .param(path)
}

/// The checked parameters of a call.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Params(pub(crate) Map<String, Value>);

impl Params {
    /// Any parameter, absent when it was not sent.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A text, absent when it was not sent or was sent empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// A whole number.
    pub(crate) fn integer(&self, name: &str) -> Option<i64> {
        self.get(name)?.as_i64()
    }

    /// A switch; false when absent.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A text below other parameters.
    pub(crate) fn text_at(&self, path: &[&str]) -> Option<&str> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.get(first)?, |value, step| value.get(step))?.as_str()
    }

    /// The texts of a list.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let Some(Value::Array(items)) = self.get(name) else { return Vec::new() };
        items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::decode_pairs;

    fn refused(call: &str, form: &str) -> Value {
        check(shape(call).unwrap(), &decode_pairs(form)).unwrap_err().error()
    }

    #[test]
    fn a_parameter_that_stripe_does_not_know_is_refused() {
        let error = refused("POST /v1/payment_intents", "amount=1&currency=usd&payment_method_types[]=card");
        assert_eq!(error["code"], "parameter_unknown");
        assert_eq!(error["param"], "payment_method_types");
        assert_eq!(error["message"], "Received unknown parameter: payment_method_types");
    }

    #[test]
    fn types_are_checked() {
        let call = "POST /v1/payment_intents";
        assert_eq!(refused(call, "amount=1.5&currency=usd")["code"], "parameter_invalid_integer");
        assert_eq!(refused(call, "currency=usd")["code"], "parameter_missing");
        assert_eq!(refused(call, "amount=1&currency=usd&confirm=yes")["message"], "Invalid boolean: yes");
        assert_eq!(refused(call, "amount=1&currency=")["code"], "parameter_invalid_empty");
        assert_eq!(
            refused(call, "amount=1&currency=usd&capture_method=later")["message"],
            "Invalid capture_method: must be one of automatic, automatic_async, or manual"
        );
    }

    #[test]
    fn nested_values_get_their_types() {
        let pairs = decode_pairs(
            "amount=1&currency=usd&metadata[a]=b&automatic_payment_methods[enabled]=true&off_session=true",
        );
        let params = check(shape("POST /v1/payment_intents").unwrap(), &pairs).unwrap();
        assert_eq!(params.integer("amount"), Some(1));
        assert_eq!(params.get("automatic_payment_methods").unwrap()["enabled"], true);
        assert_eq!(params.text_at(&["metadata", "a"]), Some("b"));
        assert!(params.flag("off_session"));
    }

    #[test]
    fn metadata_has_limits() {
        let long = format!("metadata[k]={}", "x".repeat(501));
        assert_eq!(refused("POST /v1/customers", &long)["param"], "metadata[k]");
    }
}
