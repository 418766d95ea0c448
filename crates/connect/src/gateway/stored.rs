//! Customers, setups and stored methods as a gateway shows them.
//!
//! Made by connectors; `engine` keeps what it needs. Invariant: names, addresses and other texts about a person are
//! either not read at all or wrapped, so that they are never printed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use suture_core::evidence::PaymentError;
use suture_core::money::Money;
use suture_core::redact::Phi;
use suture_core::time::Timestamp;

/// A customer at the gateway.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomerSeen {
    /// The gateway's id, for example `cus_…`.
    pub customer: String,
    /// Whether it was deleted there. Then nothing else is known.
    pub deleted: bool,
    /// Our link token, from metadata.
    pub link: Option<String>,
    /// All metadata. An earlier system may have put a person's data there.
    pub metadata: Phi<BTreeMap<String, String>>,
    /// The method that the gateway charges when none is named.
    pub default_method: Option<String>,
    /// The customer's balance at the gateway; negative is credit that the patient has there. `None` when no currency
    /// is known yet.
    pub balance: Option<Money>,
    /// When the gateway created it.
    pub created: Option<Timestamp>,
}

/// A stored payment method.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredMethod {
    /// The gateway's id, for example `pm_…`.
    pub id: String,
    /// The customer it belongs to; `None` when it belongs to nobody and cannot be charged later.
    pub customer: Option<String>,
    /// The gateway's word for its kind: `card`, `us_bank_account` …
    pub kind: String,
    /// `visa`, `mastercard` …
    pub brand: Option<String>,
    /// The last four digits.
    pub last4: Option<String>,
    /// Month of expiry, 1 to 12.
    pub exp_month: Option<u8>,
    /// Year of expiry, four digits.
    pub exp_year: Option<u16>,
    /// `credit`, `debit`, `prepaid` or `unknown` of a card; `checking` or `savings` of a bank account.
    pub funding: Option<String>,
    /// Whether it is a health savings or flexible spending card.
    pub hsa_fsa: HsaFsa,
    /// The gateway's name for the number behind it: the same for the same card, stored twice.
    pub fingerprint: Option<String>,
    /// `apple_pay`, `google_pay` …, when it came through a wallet.
    pub wallet: Option<String>,
    /// When the gateway created it.
    pub created: Option<Timestamp>,
}

/// Whether a card draws on a health savings account or a flexible spending arrangement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum HsaFsa {
    /// It does.
    Yes {
        /// Who says so, for example a field of the gateway's object.
        source: String,
    },
    /// It does not.
    No {
        /// Who says so.
        source: String,
    },
    /// Nobody says.
    Unknown,
}

/// Where a setup stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetupStatus {
    /// Waits for a (new) method. After a failure it comes back here.
    RequiresMethod,
    /// Has a method, waits for confirmation.
    RequiresConfirmation,
    /// The payer must act.
    RequiresAction,
    /// On its way.
    Processing,
    /// The method is stored.
    Succeeded,
    /// Canceled; stores nothing.
    Canceled,
    /// A word that is not known here.
    Other(String),
}

/// A setup intent as seen: storing a method without charging it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetupSeen {
    /// The gateway's id, for example `seti_…`.
    pub setup: String,
    /// Where it stands.
    pub status: SetupStatus,
    /// The customer the method is stored for.
    pub customer: Option<String>,
    /// The method.
    pub method: Option<String>,
    /// The payer's mandate, when the method has one.
    pub mandate: Option<String>,
    /// Our link token, from metadata.
    pub link: Option<String>,
    /// Why the latest try failed.
    pub error: Option<PaymentError>,
    /// What the payer must do next: the gateway's object, verbatim.
    pub next_action: Option<serde_json::Value>,
    /// Why it was canceled, in the gateway's word.
    pub cancel_reason: Option<String>,
    /// When the gateway created it.
    pub created: Option<Timestamp>,
}
