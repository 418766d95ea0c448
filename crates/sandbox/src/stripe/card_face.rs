//! A card over time: what is printed on it, whether it has expired, and what its bank thinks of it today.
//!
//! Read by `attempt` and `setup_intent` before the test card's own behaviour; changed by the control API, which plays
//! the bank and the holder. What must stay true: a charge keeps the face that the card had when it was charged.

use super::card::{self, Decline, TestCard};
use super::payment_method::PaymentMethod;
use super::random::derived;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::sync::Arc;

/// What is printed on a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Face {
    pub(crate) last4: Arc<str>,
    /// 1 to 12.
    pub(crate) exp_month: i64,
    pub(crate) exp_year: i64,
}

impl Face {
    /// The face of a fresh test card: December 2034.
    pub(crate) fn of(card: &TestCard) -> Self {
        Self { last4: card.last4().into(), exp_month: 12, exp_year: 2034 }
    }

    /// The same for the whole life of a number, another one once the bank gave out a new number.
    pub(crate) fn fingerprint(&self, card: &TestCard) -> String {
        if *self.last4 == *card.last4() {
            derived(card.number, 16)
        } else {
            derived(&format!("{}{}", card.number, self.last4), 16)
        }
    }

    /// True once the month on the card is over, by UTC.
    pub(crate) fn expired(&self, now: i64) -> bool {
        after_month(self.exp_year, self.exp_month).is_some_and(|end| now >= end)
    }
}

/// The first unix second after a month; none for a month that does not exist.
fn after_month(year: i64, month: i64) -> Option<i64> {
    let (year, month) = if month == 12 { (year.checked_add(1)?, 1) } else { (year, month.checked_add(1)?) };
    let first = Date::new(year.try_into().ok()?, month.try_into().ok()?, 1).ok()?;
    first.to_zoned(TimeZone::UTC).ok().map(|moment| moment.timestamp().as_second())
}

/// What the bank thinks of a card.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Condition {
    /// The test card behaves as its table says.
    #[default]
    Good,
    /// Every payment is refused, until a unix second when one is given.
    Refused(&'static Decline, Option<i64>),
}

impl Condition {
    /// The condition of a word of the control API.
    pub(crate) fn parse(word: &str, until: Option<i64>) -> Option<Self> {
        let decline = match word {
            "good" => return Some(Self::Good),
            "lost" => &card::LOST,
            "stolen" => &card::STOLEN,
            "insufficient_funds" => &card::INSUFFICIENT,
            "declined" => &card::GENERIC,
            "processing_error" => &card::PROCESSING,
            _ => return None,
        };
        Some(Self::Refused(decline, until))
    }
}

impl PaymentMethod {
    /// Why the bank refuses this card now, whatever its test card would do.
    pub(crate) fn refused_now(&self, now: i64) -> Option<&'static Decline> {
        match self.condition {
            Condition::Refused(decline, until) if until.is_none_or(|until| now < until) => Some(decline),
            Condition::Refused(..) | Condition::Good => self.face.expired(now).then_some(&card::EXPIRED),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_good_through_the_last_second_of_its_month() {
        let face = Face { last4: "4242".into(), exp_month: 12, exp_year: 2026 };
        // 2027-01-01T00:00:00Z
        assert!(!face.expired(1_798_761_599));
        assert!(face.expired(1_798_761_600));
        assert!(!Face { exp_year: 2027, exp_month: 1, ..face.clone() }.expired(1_798_761_600));
        assert!(!Face { exp_month: 13, ..face }.expired(1_798_761_600), "no such month");
    }

    #[test]
    fn a_new_number_has_a_new_fingerprint() {
        let card = card::by_token("pm_card_visa").unwrap();
        let face = Face::of(card);
        let later = Face { exp_year: 2040, ..face.clone() };
        let other = Face { last4: "1111".into(), ..face.clone() };
        assert_eq!(face.fingerprint(card), later.fingerprint(card));
        assert_ne!(face.fingerprint(card), other.fingerprint(card));
    }
}
