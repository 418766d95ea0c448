//! Stripe's objects as they come over the wire (OBJECTS.md). Private, lenient mirrors of Stripe's names.
//!
//! Every field is optional and unknown fields are skipped, because webhooks may be rendered by an older API version
//! (FACTS §0). Enums stay text. What is required is decided in `translate`. No `Debug`: a payment intent carries its
//! browser secret. Personal fields (`billing_details`, `receipt_email`, `shipping`) are never read.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// An object with an id and a kind.
pub(super) trait Object: serde::de::DeserializeOwned {
    /// The text of the `object` field.
    const KIND: &'static str;
    fn id(&self) -> Option<&str>;
    fn object(&self) -> Option<&str>;
}

macro_rules! object {
    ($type:ident, $kind:literal) => {
        impl $crate::gateways::stripe::wire::Object for $type {
            const KIND: &'static str = $kind;
            fn id(&self) -> Option<&str> {
                self.id.as_deref()
            }
            fn object(&self) -> Option<&str> {
                self.object.as_deref()
            }
        }
    };
}

pub(super) use object;

object!(Intent, "payment_intent");
object!(Charge, "charge");
object!(Refund, "refund");
object!(Dispute, "dispute");
object!(Created, "");

/// A reference: an id, or the object itself when it was expanded.
pub(super) enum Linked<T> {
    Id(String),
    Object(Box<T>),
}

impl<T: Object> Linked<T> {
    pub(super) fn id(&self) -> Option<&str> {
        match self {
            Self::Id(id) => Some(id),
            Self::Object(object) => object.id(),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Linked<T> {
    // By hand, because serde's `untagged` would buffer the whole object first.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = Linked<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id or an object")
            }
            fn visit_str<E>(self, id: &str) -> Result<Self::Value, E> {
                Ok(Linked::Id(id.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(|object| Linked::Object(Box::new(object)))
            }
        }
        deserializer.deserialize_any(Either(PhantomData))
    }
}

pub(super) type Metadata = BTreeMap<String, String>;

/// A list, or one page of it (FACTS §j).
#[derive(serde::Deserialize)]
pub(super) struct List<T> {
    pub(super) object: Option<String>,
    #[serde(default = "Vec::new")]
    pub(super) data: Vec<T>,
    #[serde(default)]
    pub(super) has_more: bool,
    /// Of a search (FACTS §j).
    pub(super) next_page: Option<String>,
}

#[derive(serde::Deserialize)]
pub(super) struct Intent {
    pub(super) id: Option<String>,
    pub(super) object: Option<String>,
    pub(super) amount: Option<i64>,
    pub(super) amount_capturable: Option<i64>,
    pub(super) amount_received: Option<i64>,
    pub(super) cancellation_reason: Option<String>,
    /// Before 2022-11-15, instead of `latest_charge`; newest first.
    pub(super) charges: Option<List<Charge>>,
    pub(super) client_secret: Option<String>,
    pub(super) created: Option<i64>,
    pub(super) currency: Option<String>,
    pub(super) customer: Option<Linked<Created>>,
    pub(super) last_payment_error: Option<Value>,
    pub(super) latest_charge: Option<Linked<Charge>>,
    pub(super) metadata: Option<Metadata>,
    pub(super) next_action: Option<Value>,
    pub(super) payment_method: Option<Linked<Created>>,
    pub(super) status: Option<String>,
}

#[derive(serde::Deserialize)]
pub(super) struct Charge {
    pub(super) id: Option<String>,
    pub(super) object: Option<String>,
    pub(super) amount: Option<i64>,
    pub(super) amount_captured: Option<i64>,
    pub(super) amount_refunded: Option<i64>,
    pub(super) balance_transaction: Option<Linked<BalanceTransaction>>,
    pub(super) captured: Option<bool>,
    pub(super) created: Option<i64>,
    pub(super) currency: Option<String>,
    pub(super) customer: Option<Linked<Created>>,
    pub(super) disputed: Option<bool>,
    pub(super) failure_code: Option<String>,
    pub(super) failure_message: Option<String>,
    pub(super) metadata: Option<Metadata>,
    pub(super) outcome: Option<Box<RawValue>>,
    pub(super) payment_intent: Option<Linked<Created>>,
    pub(super) payment_method: Option<String>,
    pub(super) payment_method_details: Option<MethodDetails>,
    pub(super) receipt_url: Option<String>,
    /// Before 2022-11-15; newest first.
    pub(super) refunds: Option<List<Refund>>,
    pub(super) status: Option<String>,
}

#[derive(serde::Deserialize)]
pub(super) struct MethodDetails {
    pub(super) card: Option<Card>,
    pub(super) card_present: Option<Card>,
}

#[derive(serde::Deserialize)]
pub(super) struct Card {
    pub(super) amount_authorized: Option<i64>,
    pub(super) brand: Option<String>,
    pub(super) capture_before: Option<i64>,
    pub(super) exp_month: Option<u8>,
    pub(super) exp_year: Option<u16>,
    pub(super) extended_authorization: Option<CardOption>,
    pub(super) funding: Option<String>,
    pub(super) incremental_authorization: Option<CardOption>,
    pub(super) last4: Option<String>,
    pub(super) multicapture: Option<CardOption>,
    pub(super) network: Option<String>,
    pub(super) overcapture: Option<CardOption>,
}

/// Whether a card allows something beyond a plain hold (FACTS §c.4–6).
#[derive(serde::Deserialize)]
pub(super) struct CardOption {
    pub(super) maximum_amount_capturable: Option<i64>,
    pub(super) status: Option<String>,
}

#[derive(serde::Deserialize)]
pub(super) struct BalanceTransaction {
    pub(super) id: Option<String>,
    pub(super) amount: Option<i64>,
    pub(super) currency: Option<String>,
    pub(super) fee: Option<i64>,
}

#[derive(serde::Deserialize)]
pub(super) struct Refund {
    pub(super) id: Option<String>,
    pub(super) object: Option<String>,
    pub(super) amount: Option<i64>,
    pub(super) charge: Option<Linked<Created>>,
    pub(super) created: Option<i64>,
    pub(super) currency: Option<String>,
    pub(super) failure_reason: Option<String>,
    pub(super) metadata: Option<Metadata>,
    pub(super) payment_intent: Option<Linked<Created>>,
    pub(super) reason: Option<String>,
    pub(super) status: Option<String>,
}

#[derive(serde::Deserialize)]
pub(super) struct Dispute {
    pub(super) id: Option<String>,
    pub(super) object: Option<String>,
    pub(super) amount: Option<i64>,
    #[serde(default)]
    pub(super) balance_transactions: Vec<BalanceTransaction>,
    pub(super) charge: Option<Linked<Created>>,
    pub(super) created: Option<i64>,
    pub(super) currency: Option<String>,
    pub(super) evidence_details: Option<EvidenceDetails>,
    pub(super) payment_intent: Option<Linked<Created>>,
    pub(super) reason: Option<String>,
    pub(super) status: Option<String>,
}

#[derive(serde::Deserialize)]
pub(super) struct EvidenceDetails {
    pub(super) due_by: Option<i64>,
}

/// Any object of which only the identity matters, or what a creation gives back once.
#[derive(serde::Deserialize)]
pub(super) struct Created {
    pub(super) id: Option<String>,
    pub(super) object: Option<String>,
    /// Of a setup intent.
    pub(super) client_secret: Option<String>,
    /// Of a webhook endpoint.
    pub(super) secret: Option<String>,
}

#[derive(serde::Deserialize)]
pub(super) struct Balance {
    pub(super) object: String,
    pub(super) livemode: bool,
}

/// A snapshot event (FACTS §e). The object is read in a second step, by its type.
#[derive(serde::Deserialize)]
pub(super) struct Event<'a> {
    pub(super) id: String,
    pub(super) object: String,
    #[serde(rename = "type")]
    pub(super) event_type: String,
    pub(super) created: i64,
    pub(super) livemode: bool,
    pub(super) account: Option<String>,
    pub(super) api_version: Option<String>,
    #[serde(borrow)]
    pub(super) data: EventBody<'a>,
}

#[derive(serde::Deserialize)]
pub(super) struct EventBody<'a> {
    #[serde(borrow)]
    pub(super) object: &'a RawValue,
}

/// What a body that is no snapshot event says it is.
#[derive(serde::Deserialize)]
pub(super) struct Kind {
    pub(super) object: Option<String>,
}

/// The envelope of a refusal (FACTS §a).
#[derive(serde::Deserialize)]
pub(super) struct Refused {
    pub(super) error: serde_json::Map<String, Value>,
}
