//! A customer to find or to create.

use std::fmt;

use serde::{Deserialize, Serialize};
use suture_core::currency::Currency;

use super::fields::{self, Checked};

/// A customer. Looked for by number, then by external id, then by e-mail and name; created only when none is found.
///
/// Use an opaque key and a billing name: nothing clinical belongs in an ERP.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Customer {
    /// Our reference of this document.
    pub reference: String,
    /// The ERP's number, when it is known already (for example from the payment's metadata).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<i64>,
    /// Our own key of the customer: a token of ours or the gateway's id. Two documents with one key are one customer.
    pub external_id: String,
    /// The name on the account. Personal data.
    pub name: String,
    /// The e-mail address. Personal data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Where bills go. Personal data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// The currency in which the customer is billed.
    pub currency: Currency,
    /// The ERP's code of payment terms; without one the connection's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<String>,
    /// The ERP's code of the customer group; without one the connection's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The ERP's code of the territory; without one the connection's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub territory: Option<String>,
}

/// A postal address. Every part may be missing.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Address {
    /// Street and number.
    pub line1: Option<String>,
    /// Suite, floor.
    pub line2: Option<String>,
    /// Whatever is left.
    pub line3: Option<String>,
    /// City.
    pub city: Option<String>,
    /// State or province, as its code.
    pub state: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// Country as its ISO 3166 code of two letters.
    pub country: Option<String>,
}

impl Customer {
    pub(super) fn check(&self) -> Checked {
        fields::optional_number("number", self.number)?;
        fields::reference("external_id", &self.external_id)?;
        fields::text("name", &self.name, 50)?;
        fields::optional_text("email", self.email.as_ref(), 100)?;
        if let Some(email) = &self.email {
            fields::check(email.contains('@') && !email.contains(' '), "email", "is not an e-mail address")?;
        }
        fields::optional_code("terms", self.terms.as_ref(), 4)?;
        fields::optional_code("group", self.group.as_ref(), 8)?;
        fields::optional_code("territory", self.territory.as_ref(), 8)?;
        self.address.as_ref().map_or(Ok(()), Address::check)
    }
}

impl Address {
    fn check(&self) -> Checked {
        let parts = [
            ("address.line1", &self.line1),
            ("address.line2", &self.line2),
            ("address.line3", &self.line3),
            ("address.city", &self.city),
            ("address.state", &self.state),
            ("address.postal_code", &self.postal_code),
        ];
        for (field, part) in parts {
            fields::optional_text(field, part.as_ref(), 50)?;
        }
        let two_letters =
            |code: &String| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
        fields::check(
            self.country.as_ref().is_none_or(two_letters),
            "address.country",
            "must be a country's code of two capital letters, for example US",
        )
    }
}

/// Prints nothing that leads to a person.
impl fmt::Debug for Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Customer")
            .field("reference", &self.reference)
            .field("number", &self.number)
            .field("currency", &self.currency)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(***)")
    }
}
