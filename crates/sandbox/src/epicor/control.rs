//! The control verbs of the Epicor world, for tests and simulators.
//!
//! Called by `EpicorWorld::control`. What must stay true: a verb that answers an error has changed nothing. All verbs
//! about records take `company`; without it the first company is meant. Amounts are texts like `120.00`.
//!
//! | verb | body | effect |
//! | --- | --- | --- |
//! | `company` | `company` | adds an empty company |
//! | `api_key`, `remove_api_key` | `key`, `services` | a key and its access scope; all services without one |
//! | `user` | `user`, `password`, `companies` | a user for Basic and tokens |
//! | `client` | `client_id`, `client_secret` | a client of the token service |
//! | `expire_tokens`, `end_sessions`, `token_lifetime` | –; `seconds` | 401; 410; life of the next tokens |
//! | `outage` | `on` | 503 with Retry-After and no effect |
//! | `heavy_reads_fail` | `on` | 500 for reading sets of heavy services; methods and BAQs work |
//! | `latency` | `milliseconds` | how long answers take |
//! | `lose_answers` | `count`, `probability`, `endpoint`, `method` | executes and cuts the connection |
//! | `fail` | `status`, `count`, `acts`, `endpoint`, `method`, `retry_after` | answers a status; before or after the commit |
//! | `calls` | `forget` | counts of calls by method and name |
//! | `hook`, `remove_hooks` | `url`, `secret`, `header`, `events` | where BPM callbacks go |
//! | `hook_faults` | `lose`, `duplicate` (counts), `lose_probability`, `duplicate_probability`, `delay_ms` | callbacks |
//! | `baq` | `id`, `table` | a query over one table |
//! | `state` | – | the snapshot |
//!
//! The verbs about records are in `acts`.

use serde_json::{Value, json};
use std::collections::BTreeSet;

use super::acts;
use super::bpm::{Hook, HookFaults, SIGNATURE_HEADER};
use super::faults::{Failure, Losses};
use super::schema::Id;
use super::world::{DEFAULT_COMPANY, EpicorWorld};

/// Executes one verb.
pub(super) fn turn(world: &mut EpicorWorld, verb: &str, body: &Value) -> Result<Value, String> {
    match verb {
        "company" => {
            let added = world.add_company(text(body, "company")?);
            Ok(json!({ "added": added }))
        }
        "expire_tokens" => Ok(json!({ "expired": world.authority.expire_tokens() })),
        "end_sessions" => Ok(json!({ "ended": world.authority.end_sessions() })),
        "token_lifetime" => {
            let seconds = body["seconds"].as_i64().filter(|seconds| *seconds > 0);
            world.authority.lifetime_s = seconds.ok_or(refusal("seconds", "a positive number"))?;
            done()
        }
        "api_key" | "remove_api_key" | "user" | "client" => turn_access(world, verb, body),
        "outage" => {
            world.faults.outage = flag(body, "on")?;
            done()
        }
        "heavy_reads_fail" => {
            world.faults.heavy_reads_fail = flag(body, "on")?;
            done()
        }
        "latency" => {
            world.faults.latency_ms =
                body["milliseconds"].as_u64().ok_or(refusal("milliseconds", "a number"))?;
            done()
        }
        "lose_answers" => lose_answers(world, body),
        "fail" => fail(world, body),
        "calls" => {
            let calls = world.faults.calls();
            if body["forget"].as_bool().unwrap_or(false) {
                world.faults.forget_calls();
            }
            Ok(calls)
        }
        "hook" | "remove_hooks" | "hook_faults" => turn_hooks(world, verb, body),
        "baq" => {
            let id = text(body, "id")?.to_owned();
            let table = Id::named(text(body, "table")?).ok_or(refusal("table", "the name of a table"))?;
            world.baqs.insert(id, table);
            done()
        }
        "state" => Ok(world.snapshot()),
        _ => {
            let name = body["company"].as_str().unwrap_or(DEFAULT_COMPANY).to_owned();
            let books = world.companies.get_mut(&name);
            let books = books.ok_or_else(|| refusal("company", "the name of a company"))?;
            acts::turn(books, verb, body)
        }
    }
}

pub(super) fn done() -> Result<Value, String> {
    Ok(json!({}))
}

pub(super) fn refusal(name: &str, wanted: &str) -> String {
    format!("`{name}` must be {wanted}; nothing was changed")
}

pub(super) fn text<'a>(body: &'a Value, name: &str) -> Result<&'a str, String> {
    body[name].as_str().filter(|text| !text.is_empty()).ok_or_else(|| refusal(name, "a text"))
}

pub(super) fn flag(body: &Value, name: &str) -> Result<bool, String> {
    body[name].as_bool().ok_or_else(|| refusal(name, "true or false"))
}

pub(super) fn number(body: &Value, name: &str) -> Result<i64, String> {
    body[name].as_i64().ok_or_else(|| refusal(name, "a number"))
}

fn texts(body: &Value, name: &str) -> Result<Vec<String>, String> {
    let Some(list) = body[name].as_array() else { return Ok(Vec::new()) };
    let texts: Option<Vec<String>> = list.iter().map(|item| item.as_str().map(str::to_owned)).collect();
    texts.ok_or_else(|| refusal(name, "a list of texts"))
}

fn turn_access(world: &mut EpicorWorld, verb: &str, body: &Value) -> Result<Value, String> {
    match verb {
        "api_key" => {
            let services: BTreeSet<String> = texts(body, "services")?.into_iter().collect();
            world.authority.add_key(text(body, "key")?, services);
            done()
        }
        "remove_api_key" => Ok(json!({ "removed": world.authority.remove_key(text(body, "key")?) })),
        "user" => {
            let companies = texts(body, "companies")?.into_iter().collect();
            world.authority.add_user(text(body, "user")?, text(body, "password")?, companies);
            done()
        }
        _ => {
            world.authority.add_client(text(body, "client_id")?, text(body, "client_secret")?);
            done()
        }
    }
}

fn per_million(body: &Value, name: &str) -> Result<u64, String> {
    if body[name].is_null() {
        return Ok(0);
    }
    // The number is read as text: a probability is a decimal with at most five places.
    let units = super::cell::decimal(&body[name].to_string()).filter(|units| (0..=100_000).contains(units));
    let units = units.and_then(|units| u64::try_from(units).ok());
    units.map(|units| units * 10).ok_or_else(|| refusal(name, "a decimal from 0 to 1"))
}

fn optional(body: &Value, name: &str) -> String {
    body[name].as_str().unwrap_or_default().to_owned()
}

fn lose_answers(world: &mut EpicorWorld, body: &Value) -> Result<Value, String> {
    world.faults.losses = Losses {
        left: body["count"].as_u64().unwrap_or(0),
        per_million: per_million(body, "probability")?,
        endpoint: optional(body, "endpoint"),
        method: optional(body, "method"),
    };
    done()
}

fn fail(world: &mut EpicorWorld, body: &Value) -> Result<Value, String> {
    let status = body["status"].as_u64().and_then(|status| u16::try_from(status).ok());
    let status = status.filter(|status| (400..600).contains(status));
    let status = status.ok_or(refusal("status", "an HTTP status from 400 to 599"))?;
    world.faults.failures.push_back(Failure {
        status,
        left: body["count"].as_u64().unwrap_or(1).max(1),
        acts: body["acts"].as_bool().unwrap_or(false),
        endpoint: optional(body, "endpoint"),
        method: optional(body, "method"),
        retry_after: body["retry_after"].as_u64(),
    });
    done()
}

fn turn_hooks(world: &mut EpicorWorld, verb: &str, body: &Value) -> Result<Value, String> {
    match verb {
        "hook" => {
            let hook = Hook {
                company: body["company"].as_str().unwrap_or(DEFAULT_COMPANY).to_owned(),
                url: text(body, "url")?.to_owned(),
                secret: text(body, "secret")?.to_owned(),
                header: body["header"].as_str().unwrap_or(SIGNATURE_HEADER).to_ascii_lowercase(),
                events: texts(body, "events")?,
                short: body["short"].as_bool().unwrap_or(false),
            };
            world.hooks.hooks.push(hook);
            done()
        }
        "remove_hooks" => {
            world.hooks.hooks.clear();
            done()
        }
        _ => {
            world.hooks.faults = HookFaults {
                lose_next: body["lose"].as_u64().unwrap_or(0),
                lose_per_million: per_million(body, "lose_probability")?,
                duplicate_next: body["duplicate"].as_u64().unwrap_or(0),
                duplicate_per_million: per_million(body, "duplicate_probability")?,
                delay_ms: body["delay_ms"].as_i64().unwrap_or(0).max(0),
            };
            done()
        }
    }
}
