//! The control verbs of the Epic world, for tests and simulators.
//!
//! Called by `EpicWorld::control`. What must stay true: a verb that answers an error has changed nothing.
//!
//! | verb | body | effect |
//! | --- | --- | --- |
//! | `register_client` | `client_id`, `jwks` or `jwks_url` (`plain_http`), `scope` | a backend service |
//! | `register_user` | `user`, `password` | a background user for Basic authentication |
//! | `jwks_fetched`, `jwks_failed` | `client_id`, `jwks` | outcome of a fetch that was wanted |
//! | `base_url` | `url` | scheme and host that the audience and links carry |
//! | `site` | `site` | the part of the error system that differs by site |
//! | `mode` | `mode`: `real`, `permissive` | which Epic answers |
//! | `expire_tokens`, `token_lifetime` | –; `seconds` | ends all tokens; life of the next ones |
//! | `outage` | `on` | 503 and no effect |
//! | `lose_answers` | `count`, `probability`, `endpoint` | executes and cuts the connection |
//! | `fail` | `code`, `count`, `acts`, `endpoint` | answers Epic's code or an HTTP status |
//! | `warn` | `code`, `count` | adds a warning to the next search bundles |
//! | `ceiling` | `calls_per_day` or null, `time_zone` | 4135 until the next local day |
//! | `merge` | `from`, `into` | 4107 for the first patient |
//! | `break_the_glass` | `patient`, `code`, `on` | 4130, 4131 or 4134 |
//! | `close_claim` | `claim`, `on` | postings to the claim are refused with 59159 |
//! | `balance` | `account`, `amount`, `currency` | sets what is due |
//! | `duplicate_style` | `style`: `error`, `already_posted`, `post_again` | answer to a repeated posting |
//! | `patient_search_limit`, `short_pages` | `hits`; `on` | 4127; pages one entry short |
//! | `state` | `reference`, or `after` and `limit` | one posting, or a page of the state |

use serde_json::{Value, json};

use super::amount::{self, Currency};
use super::book::DuplicateStyle;
use super::capability::{self, Mode};
use super::codes;
use super::faults::{Failure, Losses};
use super::keys;
use super::records::Held;
use super::state::POSTINGS_DEFAULT;
use super::world::EpicWorld;

/// Executes one verb.
pub(super) fn turn(world: &mut EpicWorld, now_ms: i64, verb: &str, body: &Value) -> Result<Value, String> {
    match verb {
        "register_client" => register_client(world, now_ms, body),
        "register_user" => {
            world.authority.register_user(text(body, "user")?, text(body, "password")?);
            done()
        }
        "jwks_fetched" => {
            let count = world.authority.take_keys(text(body, "client_id")?, &body["jwks"], now_ms)?;
            Ok(json!({ "keys": count }))
        }
        "jwks_failed" => {
            world.authority.give_up_keys(text(body, "client_id")?)?;
            done()
        }
        "base_url" => {
            world.base_url = Some(text(body, "url")?.trim_end_matches('/').to_owned());
            done()
        }
        "site" => {
            text(body, "site")?.clone_into(&mut world.site);
            done()
        }
        "mode" => {
            world.mode = mode(text(body, "mode")?)?;
            done()
        }
        "expire_tokens" => Ok(json!({ "expired": world.authority.expire_tokens() })),
        "token_lifetime" => {
            let seconds = body["seconds"].as_i64().filter(|seconds| *seconds > 0);
            world.authority.lifetime_s = seconds.ok_or(refusal("seconds", "a positive number"))?;
            done()
        }
        "outage" => {
            world.faults.outage = flag(body, "on")?;
            done()
        }
        "lose_answers" => lose_answers(world, body),
        "fail" => fail(world, body),
        "warn" => warn(world, body),
        "ceiling" => ceiling(world, body),
        "state" => state(world, body),
        _ => turn_records(world, verb, body),
    }
}

/// Verbs about patients, claims, accounts and searches.
fn turn_records(world: &mut EpicWorld, verb: &str, body: &Value) -> Result<Value, String> {
    match verb {
        "merge" => {
            let (from, into) =
                (record(world, body, "from", Held::Patient)?, record(world, body, "into", Held::Patient)?);
            world.records.merge(from, into)?;
            done()
        }
        "break_the_glass" => {
            let patient = record(world, body, "patient", Held::Patient)?;
            let code = body["code"].as_u64().unwrap_or(4130);
            let code = u32::try_from(code).ok().filter(|code| matches!(code, 4130 | 4131 | 4134));
            let code = code.ok_or(refusal("code", "4130, 4131 or 4134"))?;
            let on = body["on"].as_bool().unwrap_or(true);
            world.records.break_the_glass(patient, on.then_some(code));
            done()
        }
        "close_claim" => {
            let claim = record(world, body, "claim", Held::Claim)?;
            world.records.close_claim(claim, body["on"].as_bool().unwrap_or(true));
            done()
        }
        "balance" => set_balance(world, body),
        "duplicate_style" => {
            let style = DuplicateStyle::parse(text(body, "style")?);
            world.book.duplicates =
                style.ok_or(refusal("style", "`error`, `already_posted` or `post_again`"))?;
            done()
        }
        "patient_search_limit" => {
            world.sessions.patients_max = count(body, "hits")?;
            done()
        }
        "short_pages" => {
            world.sessions.short_pages = flag(body, "on")?;
            done()
        }
        _ => Err(format!("there is no verb `{verb}`; nothing was changed")),
    }
}

fn done() -> Result<Value, String> {
    Ok(json!({}))
}

fn refusal(name: &str, wanted: &str) -> String {
    format!("`{name}` must be {wanted}; nothing was changed")
}

fn text<'a>(body: &'a Value, name: &str) -> Result<&'a str, String> {
    body[name].as_str().filter(|text| !text.is_empty()).ok_or_else(|| refusal(name, "a text"))
}

fn flag(body: &Value, name: &str) -> Result<bool, String> {
    body[name].as_bool().ok_or_else(|| refusal(name, "true or false"))
}

fn count(body: &Value, name: &str) -> Result<usize, String> {
    body[name].as_u64().and_then(|count| usize::try_from(count).ok()).ok_or_else(|| refusal(name, "a number"))
}

fn record(world: &EpicWorld, body: &Value, name: &str, held: Held) -> Result<usize, String> {
    let id = text(body, name)?;
    world.records.find(held, id).ok_or_else(|| refusal(name, &format!("the id of a {}", held.name())))
}

fn mode(name: &str) -> Result<Mode, String> {
    match name {
        "real" => Ok(Mode::Real),
        "permissive" => Ok(Mode::Permissive),
        _ => Err(refusal("mode", "`real` or `permissive`")),
    }
}

/// The endpoint a fault is limited to, as `PostTransactionResult`, `Patient` or `Patient.read`.
fn endpoint(body: &Value) -> Option<String> {
    body["endpoint"].as_str().map(str::to_owned)
}

fn register_client(world: &mut EpicWorld, now_ms: i64, body: &Value) -> Result<Value, String> {
    let client_id = text(body, "client_id")?;
    let default = capability::default_scopes(world.mode);
    let scopes = body["scope"].as_str().unwrap_or(&default);
    if let Some(url) = body["jwks_url"].as_str() {
        check_address(url, body["plain_http"].as_bool().unwrap_or(false))?;
        world.authority.register(client_id, scopes, now_ms)?;
        world.authority.publish_at(client_id, url);
        return Ok(json!({ "keys": 0 }));
    }
    keys::parse_set(&body["jwks"])?;
    world.authority.register(client_id, scopes, now_ms)?;
    Ok(json!({ "keys": world.authority.take_keys(client_id, &body["jwks"], now_ms)? }))
}

/// A key set address must be TLS (EPIC.md §3). A local one may be plain, others only when asked for.
fn check_address(url: &str, plain_http: bool) -> Result<(), String> {
    if url.starts_with("https://") {
        return Ok(());
    }
    let host = url.strip_prefix("http://").and_then(|rest| rest.split(['/', ':']).next());
    match host {
        Some("127.0.0.1" | "localhost") => Ok(()),
        Some(_) if plain_http => Ok(()),
        _ => Err(refusal("jwks_url", "an https address, a local address, or come with `plain_http`: true")),
    }
}

fn lose_answers(world: &mut EpicWorld, body: &Value) -> Result<Value, String> {
    let per_million = match &body["probability"] {
        Value::Null => 0,
        // The number is read as text: a probability is a decimal with at most six places.
        number => millionths(&number.to_string()).ok_or(refusal("probability", "a decimal from 0 to 1"))?,
    };
    let left = match &body["count"] {
        Value::Null => 0,
        number => number.as_u64().ok_or(refusal("count", "a number"))?,
    };
    world.faults.losses = Losses { left, per_million, endpoint: endpoint(body) };
    done()
}

fn millionths(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.len() > 6 {
        return None;
    }
    let millionths: u64 = format!("{whole}{fraction:0<6}").parse().ok()?;
    (millionths <= 1_000_000).then_some(millionths)
}

fn fail(world: &mut EpicWorld, body: &Value) -> Result<Value, String> {
    let code = body["code"].as_u64().and_then(|code| u32::try_from(code).ok());
    let known = |code: &u32| (400..600).contains(code) || codes::find(*code).is_some();
    let code =
        code.filter(known).ok_or(refusal("code", "one of Epic's numbers or an HTTP status from 400"))?;
    let left = body["count"].as_u64().unwrap_or(1).max(1);
    let acts = body["acts"].as_bool().unwrap_or(false);
    world.faults.add_failure(Failure { code, left, acts, endpoint: endpoint(body) });
    done()
}

fn warn(world: &mut EpicWorld, body: &Value) -> Result<Value, String> {
    let code = body["code"].as_u64().and_then(|code| u32::try_from(code).ok());
    let is_warning = |code: &u32| codes::find(*code).is_some_and(|row| row.status == 200);
    let code = code.filter(is_warning).ok_or(refusal("code", "the number of one of Epic's warnings"))?;
    world.sessions.warnings.push_back((code, body["count"].as_u64().unwrap_or(1).max(1)));
    done()
}

fn ceiling(world: &mut EpicWorld, body: &Value) -> Result<Value, String> {
    let calls = match &body["calls_per_day"] {
        Value::Null => None,
        number => Some(number.as_u64().ok_or(refusal("calls_per_day", "a number or null"))?),
    };
    if let Some(name) = body["time_zone"].as_str() {
        world.faults.set_time_zone(name)?;
    }
    world.faults.calls_per_day = calls;
    world.faults.reset_day();
    done()
}

fn set_balance(world: &mut EpicWorld, body: &Value) -> Result<Value, String> {
    let account = record(world, body, "account", Held::Account)?;
    let currency = Currency::parse(body["currency"].as_str().unwrap_or("USD"));
    let currency = currency.ok_or(refusal("currency", "three capital letters"))?;
    let minor = amount::parse(text(body, "amount")?, currency, currency.decimals());
    let minor = minor.ok_or(refusal("amount", "a decimal text like 120.00"))?;
    world.book.set_balance(account, currency, minor);
    done()
}

/// The whole state, a page of it, or one posting.
fn state(world: &EpicWorld, body: &Value) -> Result<Value, String> {
    if let Some(reference) = body["reference"].as_str() {
        let posting = world.book.posting(reference).map(|posting| world.posting(posting));
        return Ok(json!({ "reference": reference, "posting": posting }));
    }
    let limit = body["limit"].as_u64().and_then(|limit| usize::try_from(limit).ok());
    Ok(world.state(body["after"].as_str().unwrap_or_default(), limit.unwrap_or(POSTINGS_DEFAULT)))
}
