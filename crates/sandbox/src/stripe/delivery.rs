//! Webhook deliveries: signing, the retry ladder, and the ways in which delivery can go wrong (FACTS §e).
//!
//! A shell takes `due_deliveries`, posts them, and reports each with `delivered`. What must stay true: every try of
//! one event has the same event id and body, and its own time and signature.

use super::random::Id;
use super::world::StripeWorld;
use ring::hmac;
use std::fmt::Write;

/// Waits between tries, seconds. Live mode tries for three days, test mode three times over hours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ladder {
    /// Growing waits, for up to three days.
    #[default]
    Live,
    /// Three tries over hours.
    Test,
}

impl Ladder {
    /// The wait after the failed try number `tries` (from 1), or `None` when Stripe gives up.
    #[must_use]
    pub fn wait_seconds(self, tries: usize) -> Option<i64> {
        const LIVE: [i64; 11] =
            [300, 1_800, 7_200, 18_000, 36_000, 36_000, 36_000, 36_000, 36_000, 36_000, 14_400];
        const TEST: [i64; 2] = [3_600, 10_800];
        let waits: &[i64] = match self {
            Self::Live => &LIVE,
            Self::Test => &TEST,
        };
        waits.get(tries.checked_sub(1)?).copied()
    }
}

/// What goes wrong on the way to an endpoint. Probabilities are per million.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct WebhookFaults {
    pub(crate) duplicate_per_million: u64,
    /// Every event is sent this many times more.
    pub(crate) extra_copies: u64,
    pub(crate) drop_per_million: u64,
    pub(crate) drop_all: bool,
    /// Deliveries are shuffled within this window.
    pub(crate) reorder_ms: u64,
    pub(crate) delay_ms: i64,
}

/// One POST to an endpoint.
#[derive(Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Number to report with [`StripeWorld::delivered`].
    pub id: u64,
    /// Where to.
    pub url: String,
    /// Header pairs with the signature.
    pub headers: Vec<(String, String)>,
    /// The event as JSON.
    pub body: Vec<u8>,
}

/// Bodies carry patient links, so only the number and the length are printed.
impl std::fmt::Debug for Delivery {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Delivery").field("id", &self.id).field("length", &self.body.len()).finish()
    }
}

/// A delivery that is not done yet.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    event: Id,
    endpoint: Id,
    tries: usize,
    /// A duplicate: its success says nothing about the event.
    copy: bool,
}

/// The value of `Stripe-Signature` for one secret: `t=…,v1=…` over `t.body`.
#[must_use]
pub fn sign(secret: &str, t: i64, body: &[u8]) -> String {
    format!("t={t},v1={}", digest(secret, t, body))
}

fn digest(secret: &str, t: i64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(t.to_string().as_bytes());
    context.update(b".");
    context.update(body);
    hex(context.sign().as_ref())
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a String cannot fail.
        let _written = write!(text, "{byte:02x}");
        text
    })
}

impl StripeWorld {
    /// Queues an event for an endpoint, as the faults of the moment have it.
    pub(crate) fn queue_delivery(&mut self, event: &Id, endpoint: &Id) {
        let faults = self.knobs.webhooks.clone();
        if faults.drop_all || self.random.chance(faults.drop_per_million) {
            return;
        }
        let copies = faults.extra_copies + u64::from(self.random.chance(faults.duplicate_per_million));
        for number in 0..=copies {
            let shuffle = i64::try_from(self.random.below(faults.reorder_ms)).unwrap_or(0);
            let due_ms = self.now_ms.saturating_add(faults.delay_ms).saturating_add(shuffle);
            let waiting = Waiting {
                event: Id::clone(event),
                endpoint: Id::clone(endpoint),
                tries: 0,
                copy: number > 0,
            };
            self.deliveries_made += 1;
            self.waiting.insert(self.deliveries_made, waiting);
            self.delivery_queue.insert((due_ms, self.deliveries_made));
        }
    }

    /// Takes all deliveries that are due. Each must be reported with `delivered`, or it is never tried again.
    pub fn due_deliveries(&mut self, now_ms: i64) -> Vec<Delivery> {
        self.advance(now_ms);
        let mut due = Vec::new();
        while let Some(&(due_ms, id)) = self.delivery_queue.first() {
            if due_ms > self.now_ms {
                break;
            }
            self.delivery_queue.pop_first();
            due.extend(self.signed(id));
        }
        due
    }

    fn signed(&self, id: u64) -> Option<Delivery> {
        let waiting = self.waiting.get(&id)?;
        let endpoint = self.webhook_endpoints.get(&waiting.endpoint).filter(|endpoint| !endpoint.deleted)?;
        let body =
            self.events.get(&waiting.event)?.render(self, &endpoint.api_version).to_string().into_bytes();
        let t = self.now_seconds();
        let mut signature = format!("t={t}");
        let active =
            endpoint.secrets.iter().filter(|secret| secret.until_ms.is_none_or(|until| until >= self.now_ms));
        for secret in active {
            signature.push_str(",v1=");
            signature.push_str(&digest(&secret.text, t, &body));
        }
        let headers = vec![
            ("content-type".to_owned(), "application/json; charset=utf-8".to_owned()),
            ("user-agent".to_owned(), "Stripe/1.0 (+https://stripe.com/docs/webhooks)".to_owned()),
            ("stripe-signature".to_owned(), signature),
        ];
        Some(Delivery { id, url: endpoint.url.to_string(), headers, body })
    }

    /// Reports how a delivery went: an HTTP status, or why there was none. Anything but 2xx climbs the ladder.
    pub fn delivered(&mut self, id: u64, now_ms: i64, outcome: &Result<u16, String>) {
        self.advance(now_ms);
        let Some(waiting) = self.waiting.get_mut(&id) else { return };
        waiting.tries += 1;
        let done = matches!(outcome, Ok(status) if (200..300).contains(status));
        match self.ladder.wait_seconds(waiting.tries) {
            Some(seconds) if !done => {
                self.delivery_queue.insert((self.now_ms.saturating_add(seconds.saturating_mul(1000)), id));
            }
            _ => {
                let Some(waiting) = self.waiting.remove(&id) else { return };
                if done && !waiting.copy {
                    self.events
                        .change(&waiting.event, |event| event.pending = event.pending.saturating_sub(1));
                }
            }
        }
    }

    /// When something will happen by itself next: a timer or a delivery. Milliseconds since 1970.
    #[must_use]
    pub fn next_due_ms(&self) -> Option<i64> {
        let timer = self.timers.first_key_value().map(|((at_ms, _), _)| *at_ms);
        let delivery = self.delivery_queue.first().map(|(due_ms, _)| *due_ms);
        [timer, delivery].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_hmac_of_time_and_body() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"whsec_test");
        let wanted = hex(hmac::sign(&key, b"1700000000.{}").as_ref());
        assert_eq!(sign("whsec_test", 1_700_000_000, b"{}"), format!("t=1700000000,v1={wanted}"));
    }

    #[test]
    fn the_live_ladder_ends_within_three_days() {
        let total: i64 = (1..).map_while(|tries| Ladder::Live.wait_seconds(tries)).sum();
        assert!(total <= 3 * 86_400, "{total}");
        assert_eq!(Ladder::Test.wait_seconds(3), None);
    }
}
