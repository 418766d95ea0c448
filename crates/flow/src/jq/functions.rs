//! The functions that flows have beyond jq's own, and replacements for those of jq that are not bounded or not exact.
//!
//! | function | result |
//! | --- | --- |
//! | `money_decimal(minor; currency)` | exact decimal text: `12000; "USD"` → `"120.00"` |
//! | `money_minor(decimal; currency)` | integer minor units: `"1.234"; "KWD"` → `1234` |
//! | `money_compare(a; b)` | `"less"`, `"equal"`, `"greater"`; two currencies are an error |
//! | `table(name; key)`, `table(name; key; default)` | the row; without default an unknown key parks the run |
//! | `value_in_set(set; value)` | true or false |
//! | `require_in_set(set; value)` | the value; a value outside the set parks the run |
//! | `coding(set; value)` | `{system, code, display}`; a value outside the set parks the run |
//! | `concat_address(fields)`, `split_address(text)` | one line of text; its five fields |
//! | `date_format(moment; zone; format)` | text in that zone |
//! | `rfc3339(moment)`, `timestamp_millis(moment)` | UTC text; integer milliseconds since 1970 |
//! | `drop_nulls` | the object without its null fields |

use jaq_core::box_iter::box_once;
use jaq_core::native::{Fun, bome, run, v};
use jaq_core::{Exn, Native, RunPtr, ValXs};
use jaq_json::{Error, Map, Num, Rc, Val, ValR};
use suture_core::currency::Currency;
use suture_core::money::Money;

use super::addresses;
use super::environment::{Environment, FlowTypes, Tables};
use super::fuel::{PLUS, RANGE, TICK, TIMES, WEIGH};
use super::limits::{BYTES_MAX, NODES_MAX, weigh};
use super::times;
use super::value::{key_text, text_of, to_jq};

/// Exit code of a filter that ran out of fuel; `try` cannot catch it.
pub(crate) const OUT_OF_FUEL: i32 = 1;
/// Exit code of a filter that built too large a value; `try` cannot catch it.
pub(crate) const TOO_LARGE: i32 = 2;

/// The marker field of the errors that park a run. Its value names the reason.
pub(crate) const MARKER: &str = "suture";

/// All native functions of a flow that are not jaq's.
pub(crate) fn natives() -> Vec<Fun<FlowTypes>> {
    let tick =
        Native::<FlowTypes>::new(tick_run)
            .with_paths(|cv| {
                if cv.0.data().burn(1) { box_once(Ok(cv.1)) } else { box_once(Err(Exn::halt(OUT_OF_FUEL))) }
            })
            .with_update(|cv, update| {
                if cv.0.data().burn(1) { update(cv.1) } else { box_once(Err(Exn::halt(OUT_OF_FUEL))) }
            });
    let mut natives = vec![(TICK, v(0), tick)];
    natives.extend(charging().map(run::<FlowTypes>));
    natives.extend(ours().map(run::<FlowTypes>));
    natives
}

type Entry = (&'static str, Box<[jaq_core::Bind]>, RunPtr<FlowTypes>);

fn charging() -> impl Iterator<Item = Entry> {
    let functions: [Entry; 6] = [
        (WEIGH, v(0), |cv| weighed(*cv.0.data(), Ok(cv.1))),
        (PLUS, v(2), |mut cv| {
            let (right, left) = (cv.0.pop_var(), cv.0.pop_var());
            plus(*cv.0.data(), left, right)
        }),
        (TIMES, v(2), |mut cv| {
            let (right, left) = (cv.0.pop_var(), cv.0.pop_var());
            product(*cv.0.data(), left, right)
        }),
        (RANGE, v(3), |mut cv| {
            let (by, to, from) = (cv.0.pop_var(), cv.0.pop_var(), cv.0.pop_var());
            range(*cv.0.data(), &from, &to, &by)
        }),
        ("tonumber", v(0), |cv| bome(whole_number(cv.1))),
        ("fromjson", v(0), |cv| weighed(*cv.0.data(), from_json(&cv.1))),
    ];
    functions.into_iter()
}

fn ours() -> impl Iterator<Item = Entry> {
    let functions: [Entry; 14] = [
        ("money_decimal", v(2), |mut cv| {
            let (currency, minor) = (cv.0.pop_var(), cv.0.pop_var());
            bome(money_decimal(&minor, &currency))
        }),
        ("money_minor", v(2), |mut cv| {
            let (currency, decimal) = (cv.0.pop_var(), cv.0.pop_var());
            bome(money_minor(&decimal, &currency))
        }),
        ("money_compare", v(2), |mut cv| {
            let (right, left) = (cv.0.pop_var(), cv.0.pop_var());
            bome(money_compare(&left, &right))
        }),
        ("table", v(2), |mut cv| {
            let (key, name) = (cv.0.pop_var(), cv.0.pop_var());
            bome(row(cv.0.data().tables, &name, &key))
        }),
        ("table", v(3), |mut cv| {
            let (default, key, name) = (cv.0.pop_var(), cv.0.pop_var(), cv.0.pop_var());
            bome(table(cv.0.data().tables, &name, &key, Some(default)))
        }),
        ("value_in_set", v(2), |mut cv| {
            let (value, set) = (cv.0.pop_var(), cv.0.pop_var());
            bome(value_in_set(cv.0.data().tables, &set, &value))
        }),
        ("require_in_set", v(2), |mut cv| {
            let (value, set) = (cv.0.pop_var(), cv.0.pop_var());
            bome(require_in_set(cv.0.data().tables, &set, value))
        }),
        ("date_format", v(3), |mut cv| {
            let (format, zone, moment) = (cv.0.pop_var(), cv.0.pop_var(), cv.0.pop_var());
            bome(date_format(&moment, &zone, &format))
        }),
        ("rfc3339", v(1), |mut cv| {
            let moment = cv.0.pop_var();
            bome(rfc3339(moment))
        }),
        ("timestamp_millis", v(1), |mut cv| {
            let moment = cv.0.pop_var();
            bome(timestamp_millis(moment))
        }),
        ("drop_nulls", v(0), |cv| bome(drop_nulls(cv.1))),
        ("coding", v(2), |mut cv| {
            let (value, set) = (cv.0.pop_var(), cv.0.pop_var());
            bome(coding(cv.0.data().tables, &set, &value))
        }),
        ("concat_address", v(1), |mut cv| bome(addresses::concat(&cv.0.pop_var()))),
        ("split_address", v(1), |mut cv| bome(addresses::split(&cv.0.pop_var()))),
    ];
    functions.into_iter()
}

fn tick_run<'a>(cv: jaq_core::Cv<'a, FlowTypes>) -> ValXs<'a, Val> {
    if cv.0.data().burn(1) { box_once(Ok(cv.1)) } else { box_once(Err(Exn::halt(OUT_OF_FUEL))) }
}

/// Passes a value on when it is not too large and its weight can be paid.
fn weighed<'a>(environment: Environment<'_>, value: ValR) -> ValXs<'a, Val> {
    let value = match value {
        Ok(value) => value,
        Err(error) => return box_once(Err(error.into())),
    };
    let Some(weight) = weigh(&value) else { return box_once(Err(Exn::halt(TOO_LARGE))) };
    if environment.burn(1 + weight.nodes / 4 + weight.bytes / 256) {
        return box_once(Ok(value));
    }
    box_once(Err(Exn::halt(OUT_OF_FUEL)))
}

fn plus<'a>(environment: Environment<'_>, left: Val, right: Val) -> ValXs<'a, Val> {
    let too_large = match (&left, &right) {
        (Val::TStr(left), Val::TStr(right)) => left.len() + right.len() > BYTES_MAX,
        (Val::Arr(left), Val::Arr(right)) => left.len() + right.len() > NODES_MAX,
        (Val::Obj(left), Val::Obj(right)) => left.len() + right.len() > NODES_MAX,
        (Val::Num(_), Val::Num(_)) => return bome((left + right).and_then(within_64_bits)),
        _ => false,
    };
    if too_large { box_once(Err(Exn::halt(TOO_LARGE))) } else { weighed(environment, left + right) }
}

fn product<'a>(environment: Environment<'_>, left: Val, right: Val) -> ValXs<'a, Val> {
    let repeated = match (&left, &right) {
        (Val::Num(_), Val::Num(_)) => return bome((left * right).and_then(within_64_bits)),
        (Val::TStr(text), Val::Num(count)) | (Val::Num(count), Val::TStr(text)) => {
            let count = count.as_isize().map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(0));
            text.len().saturating_mul(count)
        }
        _ => 0,
    };
    if repeated > BYTES_MAX {
        box_once(Err(Exn::halt(TOO_LARGE)))
    } else {
        weighed(environment, left * right)
    }
}

/// Integers beyond 64 bits are refused, so that no amount silently becomes something that JSON readers round.
fn within_64_bits(value: Val) -> ValR {
    match value {
        Val::Num(Num::BigInt(_)) => Err(Error::str("the integer does not fit 64 bits")),
        other => Ok(other),
    }
}

fn range<'a>(environment: Environment<'a>, from: &Val, to: &Val, by: &Val) -> ValXs<'a, Val> {
    let integer = |value: &Val| match value {
        Val::Num(Num::Int(integer)) => Some(*integer),
        _ => None,
    };
    let (Some(mut next), Some(to), Some(by)) = (integer(from), integer(to), integer(by)) else {
        return box_once(Err(Error::str("range needs whole numbers").into()));
    };
    let mut over = by == 0;
    Box::new(std::iter::from_fn(move || {
        if over || (by > 0 && next >= to) || (by < 0 && next <= to) {
            return None;
        }
        if !environment.burn(1) {
            over = true;
            return Some(Err(Exn::halt(OUT_OF_FUEL)));
        }
        let current = next;
        match next.checked_add(by) {
            Some(following) => next = following,
            None => over = true,
        }
        Some(Ok(Val::from(current)))
    }))
}

/// `tonumber` for whole numbers only: `"12.50" | tonumber` would be a float, which amounts must never be.
fn whole_number(value: Val) -> ValR {
    let refused = || Error::str("tonumber reads whole numbers only; use money_minor for decimal amounts");
    match &value {
        Val::Num(_) => Ok(value),
        Val::TStr(_) => {
            let integer =
                text_of(&value).and_then(|text| text.trim().parse::<i64>().ok()).ok_or_else(refused)?;
            Ok(Val::Num(Num::from_integral(integer)))
        }
        _ => Err(refused()),
    }
}

/// jaq's own `fromjson` recurses as deep as the text says; this one stops at 128 levels.
fn from_json(value: &Val) -> ValR {
    let text = text_of(value).ok_or_else(|| Error::str("fromjson needs text"))?;
    let parsed = serde_json::from_str(text).map_err(|_| Error::str("the text is not JSON"))?;
    Ok(to_jq(&parsed))
}

fn currency_of(value: &Val) -> Result<Currency, Error> {
    let code = text_of(value).ok_or_else(|| Error::str("the currency is not text"))?;
    Currency::parse(code).map_err(Error::str)
}

fn minor_of(value: &Val) -> Result<i64, Error> {
    let refused = || Error::str("the amount is not a whole number of minor units");
    match value {
        Val::Num(Num::Int(minor)) => i64::try_from(*minor).map_err(|_| refused()),
        _ => Err(refused()),
    }
}

pub(crate) fn money_decimal(minor: &Val, currency: &Val) -> ValR {
    Ok(Val::from(Money::new(minor_of(minor)?, currency_of(currency)?).to_decimal()))
}

fn money_minor(decimal: &Val, currency: &Val) -> ValR {
    let text = match decimal {
        Val::TStr(_) => text_of(decimal).map(str::to_owned),
        Val::Num(Num::Int(whole)) => Some(whole.to_string()),
        Val::Num(Num::Dec(text)) => Some(text.as_str().to_owned()),
        _ => None,
    };
    let text = text.ok_or_else(|| Error::str("the amount is not decimal text such as \"120.00\""))?;
    let money = Money::from_decimal(&text, currency_of(currency)?).map_err(Error::str)?;
    Ok(Val::Num(Num::from_integral(money.minor)))
}

fn money_of(value: &Val) -> Result<Money, Error> {
    let Val::Obj(fields) = value else {
        return Err(Error::str("expected an amount such as {\"minor\": 12000, \"currency\": \"USD\"}"));
    };
    let field = |name: &'static str| fields.get(&Val::utf8_str(name)).unwrap_or(&Val::Null);
    Ok(Money::new(minor_of(field("minor"))?, currency_of(field("currency"))?))
}

pub(crate) fn money_compare(left: &Val, right: &Val) -> ValR {
    let (left, right) = (money_of(left)?, money_of(right)?);
    if left.currency != right.currency {
        return Err(Error::str(format!("cannot compare {} with {}", left.currency, right.currency)));
    }
    let word = match left.minor.cmp(&right.minor) {
        std::cmp::Ordering::Less => "less",
        std::cmp::Ordering::Equal => "equal",
        std::cmp::Ordering::Greater => "greater",
    };
    Ok(Val::utf8_str(word))
}

/// An error that parks the run instead of failing it, because a person can repair its cause.
fn parking(reason: &'static str, fields: [(&'static str, String); 2]) -> Error {
    let mut map = Map::default();
    map.insert(Val::utf8_str(MARKER), Val::utf8_str(reason));
    for (name, text) in fields {
        map.insert(Val::utf8_str(name), Val::from(text));
    }
    Error::new(Val::obj(map))
}

pub(crate) fn row(tables: &Tables, name: &Val, key: &Val) -> ValR {
    table(tables, name, key, None)
}

fn table(tables: &Tables, name: &Val, key: &Val, default: Option<Val>) -> ValR {
    let name = text_of(name).unwrap_or_default();
    let rows = tables.tables.get(name).ok_or_else(|| Error::str(format!("there is no table {name:?}")))?;
    let key = key_text(key).unwrap_or_else(|| "(neither text nor a whole number)".to_owned());
    match (rows.get(&key), default) {
        (Some(row), _) => Ok(row.clone()),
        (None, Some(default)) => Ok(default),
        (None, None) => Err(parking("unknown_key", [("table", name.to_owned()), ("key", key)])),
    }
}

pub(crate) fn value_in_set(tables: &Tables, set: &Val, value: &Val) -> ValR {
    in_set(tables, set, value).map(Val::from)
}

fn in_set(tables: &Tables, set: &Val, value: &Val) -> Result<bool, Error> {
    let name = text_of(set).unwrap_or_default();
    let members = tables.sets.get(name).ok_or_else(|| Error::str(format!("there is no set {name:?}")))?;
    Ok(match text_of(value) {
        Some(text) => members.codes.contains_key(text),
        None => key_text(value).is_some_and(|text| members.codes.contains_key(&text)),
    })
}

fn require_in_set(tables: &Tables, set: &Val, value: Val) -> ValR {
    if in_set(tables, set, &value)? {
        return Ok(value);
    }
    let shown = key_text(&value).unwrap_or_else(|| "(neither text nor a whole number)".to_owned());
    Err(parking("not_in_set", [("set", text_of(set).unwrap_or_default().to_owned()), ("value", shown)]))
}

/// A code as FHIR's `Coding` has it (<https://hl7.org/fhir/R4/datatypes.html#Coding>, read 2026-11-21): system, code and
/// display, without those that the set does not know.
pub(crate) fn coding(tables: &Tables, set: &Val, value: &Val) -> ValR {
    let code = require_in_set(tables, set, value.clone())?;
    let code = key_text(&code).unwrap_or_default();
    let known = tables.sets.get(text_of(set).unwrap_or_default());
    let mut coding = Map::default();
    if let Some(system) = known.and_then(|set| set.system.clone()) {
        coding.insert(Val::utf8_str("system"), Val::from(system));
    }
    let display = known.and_then(|set| set.codes.get(&code).cloned().flatten());
    coding.insert(Val::utf8_str("code"), Val::from(code));
    if let Some(display) = display {
        coding.insert(Val::utf8_str("display"), Val::from(display));
    }
    Ok(Val::obj(coding))
}

#[expect(clippy::needless_pass_by_value, reason = "all functions of one value take it alike")]
pub(crate) fn rfc3339(moment: Val) -> ValR {
    times::moment(&moment).map(|moment| Val::from(moment.to_rfc3339())).map_err(Error::str)
}

#[expect(clippy::needless_pass_by_value, reason = "all functions of one value take it alike")]
pub(crate) fn timestamp_millis(moment: Val) -> ValR {
    let millis = times::moment(&moment).map(|moment| Val::Num(Num::from_integral(moment.millis())));
    millis.map_err(Error::str)
}

pub(crate) fn date_format(moment: &Val, zone: &Val, format: &Val) -> ValR {
    let (Some(zone), Some(format)) = (text_of(zone), text_of(format)) else {
        return Err(Error::str("the time zone and the format of date_format are text"));
    };
    times::date_format(moment, zone, format).map(Val::from).map_err(Error::str)
}

pub(crate) fn drop_nulls(value: Val) -> ValR {
    match value {
        Val::Obj(mut fields) => {
            Rc::make_mut(&mut fields).retain(|_, field| !matches!(field, Val::Null));
            Ok(Val::Obj(fields))
        }
        _ => Err(Error::str("drop_nulls needs an object")),
    }
}
