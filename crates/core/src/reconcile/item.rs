//! What is matched: one amount with what it can be known by.

use crate::currency::Currency;
use crate::day::Day;
use crate::money::Money;

/// Which of the two lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// What the outside says: the gateway, the bank.
    Left,
    /// What the books say.
    Right,
}

/// One amount of one list, ordered by its id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Item {
    /// Unique in its list.
    pub id: Box<str>,
    /// Both sides know it by this: a charge's id, a payout's trace.
    pub reference: Option<Box<str>>,
    /// A normalised descriptor; compared whole.
    pub descriptor: Option<Box<str>>,
    /// Signed, in minor units.
    pub amount_minor: i64,
    /// Of what.
    pub currency: Currency,
    /// When, as a number of days since 1970.
    pub day: i64,
}

impl Item {
    /// An item that is known by its reference.
    #[must_use]
    pub fn new(id: &str, reference: Option<&str>, amount: Money, on: Day) -> Self {
        Self {
            id: id.into(),
            reference: reference.map(Into::into),
            descriptor: None,
            amount_minor: amount.minor,
            currency: amount.currency,
            day: on.number(),
        }
    }

    /// The same item with what a bank wrote beside it: letters and digits only, in capitals, so that spacing and
    /// punctuation of two systems do not matter.
    #[must_use]
    pub fn described(mut self, descriptor: &str) -> Self {
        let plain = descriptor.chars().filter(|sign| sign.is_alphanumeric()).flat_map(char::to_uppercase);
        let plain: String = plain.collect();
        self.descriptor = (!plain.is_empty()).then(|| plain.into());
        self
    }

    /// The amount with its currency.
    #[must_use]
    pub const fn amount(&self) -> Money {
        Money::new(self.amount_minor, self.currency)
    }
}
