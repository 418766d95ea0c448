//! Elements of one segment read strictly, with errors that name loop, claim, segment and element.
//!
//! Called by the X12 readers. Must stay true: no error text repeats an element, except the codes of a kind of file.

use suture_core::currency::Currency;
use suture_core::money::{self, Money};

use crate::x12::decimal::Decimal;
use crate::x12::error::{Error, Kind, Place};
use crate::x12::segments::Segment;

/// The longest identifier or code that is taken. The longest of the guides has 80 characters (REF02, EB05 has 50).
pub(crate) const IDENTIFIER_CHARS_MAX: usize = 80;

pub(crate) struct Fields<'a> {
    segment: Segment<'a>,
    loop_id: &'static str,
    claim: Option<u64>,
}

impl<'a> Fields<'a> {
    pub(crate) const fn new(segment: &Segment<'a>, loop_id: &'static str) -> Self {
        Self { segment: *segment, loop_id, claim: None }
    }

    pub(crate) const fn of_claim(mut self, claim: u64) -> Self {
        self.claim = Some(claim);
        self
    }

    pub(crate) const fn segment(&self) -> &Segment<'a> {
        &self.segment
    }

    pub(crate) const fn index(&self) -> u64 {
        self.segment.index()
    }

    pub(crate) fn text(&self, element: usize) -> &'a str {
        self.segment.element(element)
    }

    pub(crate) fn place(&self, element: Option<usize>) -> Place {
        Place { claim: self.claim, element, ..self.segment.place(self.loop_id) }
    }

    pub(crate) fn error(&self, kind: Kind, element: Option<usize>, what: impl Into<String>) -> Error {
        Error::new(kind, what, self.place(element))
    }

    /// An identifier or code that must be there.
    pub(crate) fn identifier(&self, element: usize) -> Result<&'a str, Error> {
        let text = self.optional(element)?;
        text.ok_or_else(|| self.error(Kind::Missing, Some(element), "a required element is empty"))
    }

    /// An identifier or code that may be absent.
    pub(crate) fn optional(&self, element: usize) -> Result<Option<&'a str>, Error> {
        self.bounded(element, self.text(element))
    }

    /// A piece of an element, held to the same bound.
    pub(crate) fn bounded(&self, element: usize, text: &'a str) -> Result<Option<&'a str>, Error> {
        let text = text.trim();
        if text.chars().count() > IDENTIFIER_CHARS_MAX {
            return Err(self.error(
                Kind::TooLarge,
                Some(element),
                "the element is longer than 80 characters",
            ));
        }
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    pub(crate) fn owned(&self, element: usize) -> Result<Option<String>, Error> {
        Ok(self.optional(element)?.map(str::to_owned))
    }

    /// A short code: at most `chars` ASCII letters and digits. Longer text is a shifted element, perhaps a name.
    pub(crate) fn code(&self, element: usize, text: &'a str, chars: usize) -> Result<&'a str, Error> {
        if text.is_empty() {
            return Err(self.error(Kind::Missing, Some(element), "a required code is empty"));
        }
        if text.len() <= chars && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Ok(text);
        }
        Err(self.error(Kind::BadValue, Some(element), "the element is not a code"))
    }

    /// An amount that must be there.
    pub(crate) fn amount(&self, element: usize, currency: Currency) -> Result<Money, Error> {
        let amount = self.optional_amount(element, currency)?;
        amount.ok_or_else(|| self.error(Kind::Missing, Some(element), "a required amount is empty"))
    }

    pub(crate) fn optional_amount(&self, element: usize, currency: Currency) -> Result<Option<Money>, Error> {
        let text = self.text(element);
        if text.is_empty() {
            return Ok(None);
        }
        money_of(text, currency).map(Some).map_err(|what| self.error(Kind::BadValue, Some(element), what))
    }

    pub(crate) fn optional_decimal(&self, element: usize) -> Result<Option<Decimal>, Error> {
        match self.text(element) {
            "" => Ok(None),
            text => Decimal::parse(text).map(Some).map_err(|_| {
                self.error(Kind::BadValue, Some(element), "the element is not a decimal number")
            }),
        }
    }

    pub(crate) fn must_count(&self, element: usize, found: u64, of: &str) -> Result<(), Error> {
        let stated = self.text(element).trim();
        if stated.parse() == Ok(found) {
            return Ok(());
        }
        Err(self.error(
            Kind::Count,
            Some(element),
            format!("there are {found} {of}, and the file says otherwise"),
        ))
    }

    pub(crate) fn must_repeat(&self, element: usize, begun: &str, name: &str) -> Result<(), Error> {
        if self.text(element).trim() == begun {
            return Ok(());
        }
        Err(self.error(
            Kind::ControlNumber,
            Some(element),
            format!("the control number is not that of {name}"),
        ))
    }

    pub(crate) fn must_be_kind(&self, element: usize, expected: &str, good: bool) -> Result<(), Error> {
        if good {
            return Ok(());
        }
        let code = self.text(element);
        let plain = code.len() <= 12 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let found = if plain && !code.is_empty() { code } else { "something else" };
        let what = format!("this is another kind of file: {expected} is expected and {found} was found");
        Err(self.error(Kind::WrongSet, Some(element), what))
    }
}

/// X12 leaves the zero before the point away: `.5` is 50 cents.
pub(crate) fn money_of(text: &str, currency: Currency) -> Result<Money, &'static str> {
    let parsed = match text.strip_prefix('-').unwrap_or(text) {
        unsigned if unsigned.starts_with('.') => {
            let sign = if text.starts_with('-') { "-" } else { "" };
            Money::from_decimal(&format!("{sign}0{unsigned}"), currency)
        }
        _ => Money::from_decimal(text, currency),
    };
    parsed.map_err(|error| match error {
        money::Error::TooPrecise { .. } => "the amount has more decimals than its currency",
        money::Error::Overflow => "the amount is too large",
        money::Error::NotDecimal(_) | money::Error::CurrencyMismatch { .. } | money::Error::Currency(_) => {
            "the element is not an amount such as 120.5"
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_exact_or_refused() {
        let usd = |text| money_of(text, Currency::USD);
        assert_eq!(usd("-.5"), Ok(Money::usd(-50)));
        assert_eq!(usd(".05"), Ok(Money::usd(5)));
        assert_eq!(usd("1500"), Ok(Money::usd(150_000)));
        for text in ["1.005", "1,000", ".", "-", "-.", "JANE DOE", "5.", "--.5", "123456789012345678901"] {
            let what = usd(text).unwrap_err();
            assert!(!what.contains(text) || text.len() < 3, "{what}");
        }
    }
}
