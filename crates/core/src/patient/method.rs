//! A payment method on file.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Whether a card is for medical spending only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthCard {
    /// It is an HSA or FSA card.
    Yes,
    /// It is not.
    No,
    /// Nobody has said.
    Unknown,
}

/// A payment method on file. No card number ever reaches us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Method {
    /// The connection whose gateway keeps it.
    pub connection: String,
    /// The gateway's id.
    pub id: String,
    /// `card`, `us_bank_account`, …, as the gateway says.
    pub kind: String,
    /// The card's brand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// The last four digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last4: Option<String>,
    /// Year and month of expiry; it works to the end of that month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<(u16, u8)>,
    /// `credit`, `debit`, `prepaid`, as the gateway says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub funding: Option<String>,
    /// Whether it is an HSA or FSA card.
    pub health_card: HealthCard,
    /// When it was taken off file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_at: Option<Timestamp>,
}

impl Method {
    /// Whether its expiry has passed at a moment, in UTC.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        let rfc3339 = now.to_rfc3339();
        let year = rfc3339.get(0..4).and_then(|text| text.parse::<u16>().ok());
        let month = rfc3339.get(5..7).and_then(|text| text.parse::<u8>().ok());
        match (self.expires, year, month) {
            (Some(expires), Some(year), Some(month)) => (year, month) > expires,
            _ => false,
        }
    }
}
