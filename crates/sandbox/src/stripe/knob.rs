//! Knobs: how the world misbehaves on request. Turned by the control API, read on every call.

use super::delivery::WebhookFaults;
use super::refund::RefundPlan;
use super::refusal::{Kind, Refusal};
use super::world::StripeWorld;
use serde_json::Value;

/// How an answer gets lost after the call was executed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Loss {
    /// The connection is cut.
    #[default]
    Cut,
    /// 500 without a body; a retry with the same key gets the true answer.
    Empty,
    /// 500 that is kept under the key, so that every retry gets it too, although the call was executed.
    Kept,
}

/// Calls that a fault is for: the next few, or by chance; all calls, or one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) next: u64,
    pub(crate) per_million: u64,
    /// A call such as `POST /v1/refunds`; all when absent.
    pub(crate) only: Option<String>,
}

/// All knobs of the Stripe world.
#[derive(Debug, Clone, Default)]
pub(crate) struct Knobs {
    pub(crate) webhooks: WebhookFaults,
    pub(crate) lose: Target,
    pub(crate) loss: Loss,
    pub(crate) refuse: Target,
    pub(crate) refuse_status: u16,
    /// 429 for this many calls.
    pub(crate) storm_calls: u64,
    /// 429 until this time.
    pub(crate) storm_until_ms: i64,
    /// Lapsed authorizations say `automatic` instead of `expired`.
    pub(crate) lapse_automatic: bool,
    /// How the next refunds go.
    pub(crate) refunds: RefundPlan,
    /// How long the shell waits before it answers.
    pub(crate) latency_ms: u64,
}

impl StripeWorld {
    /// The refusal that a knob wants for this call, before anything is executed.
    pub(crate) fn knob_refusal(&mut self, call: &str) -> Option<Box<Refusal>> {
        if self.knobs.storm_calls > 0 || self.now_ms < self.knobs.storm_until_ms {
            self.knobs.storm_calls = self.knobs.storm_calls.saturating_sub(1);
            return Some(failure(429));
        }
        let mut target = std::mem::take(&mut self.knobs.refuse);
        let hit = self.hits(&mut target, call);
        self.knobs.refuse = target;
        hit.then(|| failure(self.knobs.refuse_status))
    }

    /// How the answer of this call gets lost, if it does.
    pub(crate) fn knob_loss(&mut self, call: &str) -> Option<Loss> {
        let mut target = std::mem::take(&mut self.knobs.lose);
        let hit = self.hits(&mut target, call);
        self.knobs.lose = target;
        hit.then_some(self.knobs.loss)
    }

    fn hits(&mut self, target: &mut Target, call: &str) -> bool {
        if target.only.as_deref().is_some_and(|only| only != call) {
            return false;
        }
        if target.next > 0 {
            target.next -= 1;
            return true;
        }
        self.random.chance(target.per_million)
    }
}

/// A refusal of Stripe's own making.
pub(crate) fn failure(status: u16) -> Box<Refusal> {
    match status {
        429 => Refusal::new(
            429,
            Kind::InvalidRequest,
            "Request rate limit exceeded. Learn more about rate limits here https://docs.stripe.com/rate-limits.",
        )
        .code("rate_limit"),
        409 => Refusal::new(
            409,
            Kind::InvalidRequest,
            "This object cannot be accessed right now because another API request or Stripe process is currently \
             accessing it.",
        )
        .code("lock_timeout"),
        401 => Refusal::new(401, Kind::InvalidRequest, "Invalid API Key provided."),
        403 => Refusal::new(403, Kind::InvalidRequest, "The provided key does not have the required permissions."),
        status => Refusal::new(status, Kind::Api, "An unknown error occurred. The request was not executed."),
    }
}

/// Reads a probability between 0 and 1, without floating point.
pub(crate) fn per_million(value: Option<&Value>) -> Result<u64, String> {
    let Some(value) = value else { return Ok(0) };
    let text = value.to_string();
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let digits: String = part.chars().chain(std::iter::repeat('0')).take(6).collect();
    match (whole.parse::<u64>(), digits.parse::<u64>()) {
        (Ok(0), Ok(part)) => Ok(part),
        (Ok(1), Ok(0)) => Ok(1_000_000),
        _ => Err(format!("{text} is no probability: give a number from 0 to 1, such as 0.05.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn probabilities_are_read_without_floats() {
        assert_eq!(per_million(Some(&json!(0.05))), Ok(50_000));
        assert_eq!(per_million(Some(&json!(1))), Ok(1_000_000));
        assert_eq!(per_million(None), Ok(0));
        assert!(per_million(Some(&json!(2))).is_err());
    }
}
