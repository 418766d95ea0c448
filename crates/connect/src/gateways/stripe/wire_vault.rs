//! Stripe's customers, setups, stored methods and fraud warnings as they come over the wire (OBJECTS.md).
//!
//! The rules of `wire` hold. Personal fields (`name`, `email`, `phone`, `address`, `shipping`, `billing_details`) are
//! never read.

use serde_json::Value;

use crate::gateways::stripe::wire::{Charge, Created, Intent, Linked, Metadata, object};

object!(Customer, "customer");
object!(Method, "payment_method");
object!(Setup, "setup_intent");
object!(Warning, "radar.early_fraud_warning");

#[derive(serde::Deserialize)]
pub(super) struct Customer {
    pub(super) id: Option<String>,
    pub(super) object: Option<String>,
    pub(super) balance: Option<i64>,
    pub(super) created: Option<i64>,
    pub(super) currency: Option<String>,
    #[serde(default)]
    pub(super) deleted: bool,
    pub(super) invoice_settings: Option<InvoiceSettings>,
    pub(super) metadata: Option<Metadata>,
}

#[derive(serde::Deserialize)]
pub(super) struct InvoiceSettings {
    pub(super) default_payment_method: Option<Linked<Created>>,
}

#[derive(serde::Deserialize)]
pub(super) struct Method {
    pub(super) id: Option<String>,
    pub(super) object: Option<String>,
    pub(super) acss_debit: Option<Bank>,
    pub(super) au_becs_debit: Option<Bank>,
    pub(super) bacs_debit: Option<Bank>,
    pub(super) card: Option<MethodCard>,
    pub(super) card_present: Option<MethodCard>,
    pub(super) created: Option<i64>,
    pub(super) customer: Option<Linked<Created>>,
    pub(super) sepa_debit: Option<Bank>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) us_bank_account: Option<Bank>,
}

#[derive(serde::Deserialize)]
pub(super) struct MethodCard {
    pub(super) brand: Option<String>,
    pub(super) exp_month: Option<u8>,
    pub(super) exp_year: Option<u16>,
    pub(super) fingerprint: Option<String>,
    pub(super) funding: Option<String>,
    pub(super) last4: Option<String>,
    pub(super) wallet: Option<Wallet>,
}

#[derive(serde::Deserialize)]
pub(super) struct Wallet {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
}

/// A bank account, of whatever scheme.
#[derive(serde::Deserialize)]
pub(super) struct Bank {
    pub(super) account_type: Option<String>,
    pub(super) fingerprint: Option<String>,
    pub(super) last4: Option<String>,
}

#[derive(serde::Deserialize)]
pub(super) struct Setup {
    pub(super) id: Option<String>,
    pub(super) object: Option<String>,
    pub(super) cancellation_reason: Option<String>,
    pub(super) created: Option<i64>,
    pub(super) customer: Option<Linked<Created>>,
    pub(super) last_setup_error: Option<Value>,
    pub(super) mandate: Option<Linked<Created>>,
    pub(super) metadata: Option<Metadata>,
    pub(super) next_action: Option<Value>,
    pub(super) payment_method: Option<Linked<Created>>,
    pub(super) status: Option<String>,
}

/// Not in OBJECTS.md: the five fields are those of Stripe's public object reference.
#[derive(serde::Deserialize)]
pub(super) struct Warning {
    pub(super) id: Option<String>,
    pub(super) object: Option<String>,
    pub(super) actionable: Option<bool>,
    pub(super) charge: Option<Linked<Charge>>,
    pub(super) fraud_type: Option<String>,
    pub(super) payment_intent: Option<Linked<Intent>>,
}
