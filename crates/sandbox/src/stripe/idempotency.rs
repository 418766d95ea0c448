//! Idempotency keys (FACTS §a): the first result of a call that began is kept for 24 hours and replayed.
//!
//! What must stay true: a key never executes twice within 24 hours, and refusals before execution are not kept.

use super::object::Snapshot;
use super::random::Id;
use super::refusal::{Kind, Refusal};
use super::world::StripeWorld;
use crate::wire::Request;
use ring::digest;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

const KEPT_MS: i64 = 24 * 3_600 * 1_000;

/// The body of an answer: an object that can be rendered again, or text.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    Object(Snapshot),
    Text(Arc<str>),
}

/// An answer before it becomes HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) status: u16,
    pub(crate) body: Body,
    /// The request that made it.
    pub(crate) request_id: Id,
}

#[derive(Debug, Clone)]
struct Kept {
    fingerprint: [u8; 16],
    at_ms: i64,
    /// Until then the first call counts as running.
    busy_until_ms: i64,
    stored: Stored,
}

/// All kept answers.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    kept: BTreeMap<Arc<str>, Kept>,
    by_age: VecDeque<(i64, Arc<str>)>,
}

/// What a key says about a call.
pub(crate) enum Verdict {
    /// Not seen: execute.
    New,
    /// Seen: answer this.
    Replay(Stored),
    /// Not executed.
    Refused(Box<Refusal>),
}

/// Method, path and parameters, in any order, in sixteen bytes.
pub(crate) fn fingerprint(request: &Request) -> [u8; 16] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in [request.method.as_bytes(), request.path.as_bytes()] {
        context.update(part);
        context.update(&[0]);
    }
    let mut pairs = super::route::parameters(request);
    pairs.sort();
    for (name, value) in &pairs {
        context.update(name.as_bytes());
        context.update(&[0]);
        context.update(value.as_bytes());
        context.update(&[0]);
    }
    let mut short = [0; 16];
    short.copy_from_slice(&context.finish().as_ref()[..16]);
    short
}

impl StripeWorld {
    /// Looks a key up.
    pub(crate) fn look_up_key(&mut self, key: &str, fingerprint: [u8; 16]) -> Verdict {
        let now = self.now_ms;
        while let Some((at_ms, oldest)) = self.keys.by_age.front() {
            if at_ms.saturating_add(KEPT_MS) > now {
                break;
            }
            self.keys.kept.remove(oldest);
            self.keys.by_age.pop_front();
        }
        let Some(kept) = self.keys.kept.get(key) else { return Verdict::New };
        if kept.fingerprint != fingerprint {
            return Verdict::Refused(Refusal::new(
                400,
                Kind::Idempotency,
                format!(
                    "Keys for idempotent requests can only be used with the same parameters they were first used \
                     with. Try using a key other than '{key}' if you meant to execute a different request."
                ),
            ));
        }
        if now < kept.busy_until_ms {
            return Verdict::Refused(
                Refusal::new(
                    409,
                    Kind::Idempotency,
                    format!(
                        "There is currently another in-progress request using this Idempotent Key (that probably \
                         means you submitted twice, and the other request is still going through): {key}."
                    ),
                )
                .code("idempotency_key_in_use"),
            );
        }
        Verdict::Replay(kept.stored.clone())
    }

    /// Keeps the answer of a call that began.
    pub(crate) fn keep_answer(&mut self, key: &str, fingerprint: [u8; 16], stored: &Stored) {
        let key: Arc<str> = key.into();
        let kept = Kept {
            fingerprint,
            at_ms: self.now_ms,
            busy_until_ms: self
                .now_ms
                .saturating_add(i64::try_from(self.knobs.latency_ms).unwrap_or(i64::MAX)),
            stored: stored.clone(),
        };
        self.keys.by_age.push_back((kept.at_ms, Arc::clone(&key)));
        self.keys.kept.insert(key, kept);
    }
}
