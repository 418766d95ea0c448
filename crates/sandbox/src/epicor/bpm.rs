//! Callbacks of BPM directives: a signed POST after the commit, tried once (EPICOR.md §8).
//!
//! What must stay true: the signature is HMAC-SHA256 over the raw body; a callback that fails is not sent again; two
//! copies of one callback have the same body.

use std::collections::BTreeMap;

use ring::hmac;
use serde_json::{Value, json};

use super::books::Books;
use super::cell;
use super::happening::Happening;
use super::odata::value_of;
use super::schema::Id;
use crate::stripe::{Random, hex};

/// The header that carries the signature when nothing else is set.
pub const SIGNATURE_HEADER: &str = "x-epicor-signature";

/// One callback.
#[derive(Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Number to report with [`super::EpicorWorld::delivered`].
    pub id: u64,
    /// Where to.
    pub url: String,
    /// Header pairs with the signature.
    pub headers: Vec<(String, String)>,
    /// What happened, as JSON.
    pub body: Vec<u8>,
}

/// Bodies name customers, so only the number and the length are printed.
impl std::fmt::Debug for Delivery {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Delivery").field("id", &self.id).field("length", &self.body.len()).finish()
    }
}

/// The value of the signature header: HMAC-SHA256 of the body with the secret, in lower-case hexadecimal digits.
#[must_use]
pub fn sign(secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hex(hmac::sign(&key, body).as_ref())
}

/// Where callbacks of a company go.
pub(super) struct Hook {
    pub(super) company: String,
    pub(super) url: String,
    pub(super) secret: String,
    pub(super) header: String,
    /// Events that are told; all when empty.
    pub(super) events: Vec<String>,
    /// Whether the directive writes the short body with the number, the revision and the reference of an order.
    pub(super) short: bool,
}

/// What goes wrong on the way. Probabilities are per million.
#[derive(Debug, Clone, Default)]
pub(super) struct HookFaults {
    pub(super) lose_next: u64,
    pub(super) lose_per_million: u64,
    pub(super) duplicate_next: u64,
    pub(super) duplicate_per_million: u64,
    pub(super) delay_ms: i64,
}

/// The directives of all companies, and the callbacks that wait.
#[derive(Default)]
pub(super) struct Hooks {
    pub(super) hooks: Vec<Hook>,
    pub(super) faults: HookFaults,
    waiting: BTreeMap<(i64, u64), Delivery>,
    made: u64,
    answers: BTreeMap<String, u64>,
}

impl Hooks {
    /// Queues the callbacks for something that happened, as the faults of the moment have it.
    pub(super) fn queue(&mut self, now_ms: i64, books: &Books, happening: &Happening, random: &mut Random) {
        for at in 0..self.hooks.len() {
            let Some(hook) = self.hooks.get(at).filter(|hook| wants(hook, books, happening)) else {
                continue;
            };
            let body = match hook.short {
                true => short_body(now_ms, books, happening),
                false => body(now_ms, books, happening, self.made + 1),
            };
            let header = (hook.header.clone(), sign(&hook.secret, &body));
            let url = hook.url.clone();
            let content = ("content-type".to_owned(), "application/json; charset=utf-8".to_owned());
            let headers = vec![content, header];
            let copies = self.copies(random);
            for _ in 0..copies {
                self.made += 1;
                let (id, due_ms) = (self.made, now_ms.saturating_add(self.faults.delay_ms));
                let (url, headers, body) = (url.clone(), headers.clone(), body.clone());
                self.waiting.insert((due_ms, id), Delivery { id, url, headers, body });
            }
            self.made += u64::from(copies == 0);
        }
    }

    fn copies(&mut self, random: &mut Random) -> u64 {
        if self.faults.lose_next > 0 {
            self.faults.lose_next -= 1;
            return 0;
        }
        if random.chance(self.faults.lose_per_million) {
            return 0;
        }
        if self.faults.duplicate_next > 0 {
            self.faults.duplicate_next -= 1;
            return 2;
        }
        1 + u64::from(random.chance(self.faults.duplicate_per_million))
    }

    /// Takes what is due.
    pub(super) fn due(&mut self, now_ms: i64) -> Vec<Delivery> {
        let later = self.waiting.split_off(&(now_ms.saturating_add(1), 0));
        std::mem::replace(&mut self.waiting, later).into_values().collect()
    }

    pub(super) fn next_due_ms(&self) -> Option<i64> {
        self.waiting.keys().next().map(|(due_ms, _)| *due_ms)
    }

    pub(super) fn report(&mut self, _id: u64, outcome: &Result<u16, String>) {
        let name = outcome.as_ref().map_or_else(|_| "none".to_owned(), u16::to_string);
        *self.answers.entry(name).or_default() += 1;
    }

    pub(super) fn state(&self) -> Value {
        json!({ "made": self.made, "waiting": self.waiting.len(), "answers": self.answers })
    }
}

fn wants(hook: &Hook, books: &Books, happening: &Happening) -> bool {
    hook.company == books.company
        && (hook.events.is_empty() || hook.events.iter().any(|event| event == happening.event))
}

fn body(now_ms: i64, books: &Books, happening: &Happening, number: u64) -> Vec<u8> {
    let table = happening.id.table();
    let row = books.store.get(happening.id, &happening.key);
    let key: serde_json::Map<String, Value> = table
        .keys
        .iter()
        .zip(&happening.key)
        .map(|(name, cell)| ((*name).to_owned(), value_of(cell)))
        .collect();
    json!({
        "id": format!("bpm-{}-{number}", books.company),
        "event": happening.event,
        "company": books.company,
        "occurred_at": format!("{}Z", cell::moment_of(now_ms)),
        "table": table.name,
        "key": key,
        "sys_row_id": row.map(|row| row.text("SysRowID")),
        "sys_rev_id": row.map(|row| row.number("SysRevID")),
    })
    .to_string()
    .into_bytes()
}

/// The short body: what a directive of a few lines writes. `OrderNum` and `reference` are of the order that it is about.
fn short_body(now_ms: i64, books: &Books, happening: &Happening) -> Vec<u8> {
    let row = books.store.get(happening.id, &happening.key);
    let number = row.and_then(|row| happening.id.table().keys.last().map(|name| row.number(name)));
    let order = row.map(|row| row.number("OrderNum")).filter(|order| *order > 0);
    let head = order.and_then(|order| books.one(Id::OrderHed, order));
    let event = match happening.event {
        "order.created" => "order_created",
        "order.changed" => "order_changed",
        "order.shipped" => "shipped",
        "invoice.posted" => "invoiced",
        "receipt.posted" => "receipt_posted",
        _ => "customer_changed",
    };
    json!({
        "event": event,
        "company": books.company,
        "number": number,
        "revision": row.map_or(0, |row| row.number("SysRevID")),
        "at": format!("{}Z", cell::moment_of(now_ms)),
        "reference": head.map(|head| head.text("SutureRef_c")),
        "body": { "OrderNum": order },
    })
    .to_string()
    .into_bytes()
}
