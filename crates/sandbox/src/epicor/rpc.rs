//! Methods of services: their arguments and the envelopes of `returnObj` and `parameters` (EPICOR.md §3 and §6).
//!
//! What must stay true: names of methods and arguments are case-sensitive; GET is for reading only; a method is one
//! transaction.

use serde_json::{Map, Value};

use super::books::Books;
use super::cell::{self, push_text};
use super::odata::{json, object};
use super::refusal::Refusal;
use super::schema;
use super::{methods_of_cash, methods_of_rows, methods_of_sales};
use crate::wire::{Request, Response};

/// One call of a method.
pub(super) struct Call<'a> {
    pub(super) service: &'a str,
    pub(super) method: &'a str,
    arguments: Map<String, Value>,
}

/// What a method answers; the parts are JSON texts.
#[derive(Debug, Default)]
pub(super) struct Reply {
    object: Option<String>,
    parameters: Vec<(&'static str, String)>,
}

impl Reply {
    /// An answer that says nothing but that it worked.
    pub(super) fn nothing() -> Self {
        Self::default()
    }

    /// A return value.
    pub(super) fn of(object: impl Into<String>) -> Self {
        Self { object: Some(object.into()), parameters: Vec::new() }
    }

    /// The same with an output parameter.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.parameters.push((name, value.into()));
        self
    }

    /// The tableset of the call, changed.
    pub(super) fn tableset(ds: &Value) -> Self {
        Self::nothing().with("ds", ds.to_string())
    }

    fn render(&self) -> String {
        let mut out = String::from("{");
        if let Some(object) = &self.object {
            out.push_str("\"returnObj\":");
            out.push_str(object);
        }
        if !self.parameters.is_empty() {
            out.push_str(if self.object.is_some() { ",\"parameters\":{" } else { "\"parameters\":{" });
            for (at, (name, value)) in self.parameters.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                push_text(&mut out, name);
                out.push(':');
                out.push_str(value);
            }
            out.push('}');
        }
        out.push('}');
        out
    }
}

/// The outcome of a method; `None` when it does not know the name.
pub(super) type Known = Option<Result<Reply, Refusal>>;

impl Call<'_> {
    fn missing(&self, name: &str) -> Refusal {
        Refusal::odata(format!("Parameter {name} is not found in the input object of {}.", self.method))
    }

    /// A text.
    pub(super) fn text(&self, name: &str) -> Result<&str, Refusal> {
        self.arguments.get(name).and_then(Value::as_str).ok_or_else(|| self.missing(name))
    }

    /// A whole number; in a query string it is a text.
    pub(super) fn number(&self, name: &str) -> Result<i64, Refusal> {
        let value = self.arguments.get(name).ok_or_else(|| self.missing(name))?;
        let number = value.as_i64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
        number.ok_or_else(|| Refusal::odata(format!("Parameter {name} is not a whole number.")))
    }

    /// An amount in hundred-thousandths.
    pub(super) fn amount(&self, name: &str) -> Result<i64, Refusal> {
        let value = self.arguments.get(name).ok_or_else(|| self.missing(name))?;
        let units = value.as_number().and_then(|number| cell::decimal(&number.to_string()));
        let units = units.filter(|units| units % cell::CENT == 0);
        units.ok_or_else(|| Refusal::odata(format!("Parameter {name} is not an amount.")))
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.arguments.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// The tableset.
    pub(super) fn ds(&self) -> Result<Value, Refusal> {
        let ds = self.arguments.get("ds").filter(|ds| ds.is_object());
        ds.cloned().ok_or_else(|| self.missing("ds"))
    }

    pub(super) fn arguments(&self) -> &Map<String, Value> {
        &self.arguments
    }
}

/// Answers a method.
pub(super) fn serve(
    books: &mut Books,
    request: &Request,
    service: &str,
    method: &str,
) -> Result<Response, Refusal> {
    let arguments = match request.method.as_str() {
        "GET" => {
            request.query.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect()
        }
        "POST" if request.body.is_empty() => Map::new(),
        "POST" => object(&request.body)?,
        other => return Err(Refusal::unknown(format!("The method {other} is not allowed here."))),
    };
    if request.method == "GET" && !reads(method) {
        return Err(Refusal::unknown(format!(
            "{service}/{method} was not found, or it must be called with POST."
        )));
    }
    let call = Call { service, method, arguments };
    let reply = books.transact(|books| dispatch(books, &call))?;
    Ok(json(200, reply.render()))
}

fn reads(method: &str) -> bool {
    let is_new = method.starts_with("GetNew") && method != "GetNewParameters";
    (method.starts_with("Get") && !is_new) || method == "ReceiptGroupExists"
}

fn dispatch(books: &mut Books, call: &Call<'_>) -> Result<Reply, Refusal> {
    let known = methods_of_cash::call(books, call)
        .or_else(|| methods_of_sales::call(books, call))
        .or_else(|| methods_of_rows::call(books, call));
    known.unwrap_or_else(|| {
        let text = if schema::tables_of(call.service).is_empty() {
            format!("Service {} was not found.", call.service)
        } else {
            format!("Method {} was not found in {}.", call.method, call.service)
        };
        Err(Refusal::unknown(text))
    })
}
