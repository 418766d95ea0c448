//! When a visit is paid, and the terms that an appointment keeps from the moment it was booked: a later change of the visit
//! type touches new bookings only (FEATURES M159).

use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::refusal::Refusal;

/// When the patient pays (FLOWS 1, 2, 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timing {
    /// A deposit makes the booking; without it there is none.
    DepositToBook,
    /// Nothing before the visit; the signed encounter is charged.
    PostVisit,
    /// A deposit from verified coverage, and the balance after the payer's decision.
    Hybrid,
}

impl Timing {
    /// The timing as written in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DepositToBook => "deposit_to_book",
            Self::PostVisit => "post_visit",
            Self::Hybrid => "hybrid",
        }
    }

    /// Whether money must be there before the booking stands (I4).
    #[must_use]
    pub const fn needs_deposit(self) -> bool {
        match self {
            Self::DepositToBook | Self::Hybrid => true,
            Self::PostVisit => false,
        }
    }
}

/// A timing with who chose it, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Which.
    pub timing: Timing,
    /// Why, as a code, for example `no_shows_cost_most`.
    pub reason: String,
    /// Who.
    pub by: String,
}

/// The choice that holds: the visit type's, else the provider's, else the clinic's.
#[must_use]
pub fn choose<'a>(
    visit_type: Option<&'a Choice>,
    provider: Option<&'a Choice>,
    clinic: &'a Choice,
) -> &'a Choice {
    visit_type.or(provider).unwrap_or(clinic)
}

/// The terms of one booking. All times are in minutes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// When it is paid.
    pub timing: Timing,
    /// What the visit is expected to cost.
    pub price: Money,
    /// The deposit; zero under post-visit.
    pub deposit: Money,
    /// A reserved deposit books already; it is captured at the visit.
    #[serde(default)]
    pub reserve_only: bool,
    /// How long a selected slot is held.
    pub hold_minutes: u32,
    /// How much longer when the bank's check is open at the end (FLOWS 1c); 0: not.
    pub extend_minutes: u32,
    /// The rest of the price is charged this long before the start; `None`: not before the visit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge_before_minutes: Option<u32>,
    /// How long after a declined charge the slot is released; never after the start of the visit.
    pub rescue_minutes: u32,
    /// How long a slot from the waiting list is offered.
    pub offer_minutes: u32,
}

impl Terms {
    /// Checks the limits.
    ///
    /// # Errors
    /// `terms_invalid`, with the limit that is broken.
    pub fn check(&self) -> Result<(), Refusal> {
        let wrong = |what: &str| {
            Err(Refusal::invalid("terms_invalid", format!("The visit type was not stored: {what}.")))
        };
        let deposit = self.deposit.minor;
        if self.price.minor < 0 || deposit < 0 || self.price.currency != self.deposit.currency {
            return wrong("price and deposit are zero or more, in one currency");
        }
        // A price of zero says that the encounter will tell; a deposit above a known price would be owed back at once.
        if self.price.minor > 0 && deposit > self.price.minor {
            return wrong("the deposit is above the price");
        }
        match self.timing {
            Timing::DepositToBook if deposit == 0 => return wrong("deposit to book needs a deposit"),
            Timing::PostVisit if deposit != 0 => return wrong("post-visit takes no deposit"),
            _ => {}
        }
        if !(1..=120).contains(&self.hold_minutes) || self.extend_minutes > 30 {
            return wrong("a hold lasts 1 to 120 minutes, and is extended by at most 30");
        }
        if !(1..=1440).contains(&self.rescue_minutes) || !(1..=1440).contains(&self.offer_minutes) {
            return wrong("the time to pay after a decline, and that of an offer, is 1 to 1440 minutes");
        }
        match self.charge_before_minutes {
            Some(0) => wrong("the charge before the visit is at least a minute before it"),
            Some(minutes) if minutes > 10_080 => {
                wrong("the charge before the visit is at most a week before it")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::currency::Currency;

    fn terms(timing: Timing, price: i64, deposit: i64) -> Terms {
        let money = |minor| Money::new(minor, Currency::USD);
        Terms {
            timing,
            price: money(price),
            deposit: money(deposit),
            reserve_only: false,
            hold_minutes: 10,
            extend_minutes: 5,
            charge_before_minutes: None,
            rescue_minutes: 10,
            offer_minutes: 10,
        }
    }

    #[test]
    fn a_deposit_fits_its_timing_and_its_price() {
        assert_eq!(terms(Timing::DepositToBook, 12_000, 5_000).check(), Ok(()));
        assert_eq!(terms(Timing::Hybrid, 30_000, 0).check(), Ok(()), "coverage says how much");
        assert_eq!(terms(Timing::PostVisit, 0, 0).check(), Ok(()));
        for wrong in [
            terms(Timing::DepositToBook, 12_000, 0),
            terms(Timing::DepositToBook, 4_000, 5_000),
            terms(Timing::PostVisit, 12_000, 1),
            Terms { hold_minutes: 0, ..terms(Timing::PostVisit, 0, 0) },
            Terms { rescue_minutes: 0, ..terms(Timing::PostVisit, 0, 0) },
            Terms { charge_before_minutes: Some(0), ..terms(Timing::PostVisit, 0, 0) },
        ] {
            assert_eq!(wrong.check().unwrap_err().code, "terms_invalid", "{wrong:?}");
        }
    }

    #[test]
    fn the_nearest_choice_holds() {
        let choice = |timing| Choice { timing, reason: "r".into(), by: "b".into() };
        let (clinic, provider) = (choice(Timing::PostVisit), choice(Timing::Hybrid));
        let own = choice(Timing::DepositToBook);
        assert_eq!(choose(None, None, &clinic).timing, Timing::PostVisit);
        assert_eq!(choose(None, Some(&provider), &clinic).timing, Timing::Hybrid);
        assert_eq!(choose(Some(&own), Some(&provider), &clinic).timing, Timing::DepositToBook);
    }
}
