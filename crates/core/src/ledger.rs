//! The double-entry ledger: accounts, lines, and postings that always balance.
//!
//! A posting is immutable and has a key that names the fact it records (`capture:ch_…`), so the same fact can be posted
//! only once (invariant I3). Debits are positive, credits negative; every posting sums to zero per currency (I1).

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::day::Day;
use crate::money::Money;

/// The accounts of the books (FLOWS §0).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// Money at a gateway, by the gateway's name: `gw:stripe`.
    Gateway(String),
    /// Money at the bank.
    Bank,
    /// Money that left a gateway and is not at the bank yet.
    BankTransit,
    /// What patients owe.
    ArPatient,
    /// What payers owe.
    ArPayer,
    /// Deposits of patients: a liability until care is given.
    DepositPatient,
    /// What we owe to patients.
    CreditPatient,
    /// Revenue from services.
    RevService,
    /// Revenue of the platform.
    RevPlatform,
    /// Contractual adjustments.
    AdjContractual,
    /// Write-offs.
    AdjWriteoff,
    /// Fees of gateways.
    ExpFee,
    /// Fees of banks.
    ExpBank,
    /// What a gateway exchanged of one currency for another. Its balance per currency is what the exchange is open by.
    FxExchange,
    /// What we owe to providers.
    OwedProvider,
    /// Money held because of a dispute.
    HoldDispute,
    /// Money whose owner is not known yet.
    SuspUnapplied,
    /// Money whose fate is not known yet.
    SuspUnknown,
    /// What customers owe (commerce).
    ArCustomer,
    /// Deposits of customers (commerce).
    DepositCustomer,
    /// Taxes to be paid.
    TaxPayable,
}

impl Account {
    const NAMED: [(Self, &'static str); 20] = [
        (Self::Bank, "bank"),
        (Self::BankTransit, "bank:transit"),
        (Self::ArPatient, "ar:patient"),
        (Self::ArPayer, "ar:payer"),
        (Self::DepositPatient, "deposit:patient"),
        (Self::CreditPatient, "credit:patient"),
        (Self::RevService, "rev:service"),
        (Self::RevPlatform, "rev:platform"),
        (Self::AdjContractual, "adj:contractual"),
        (Self::AdjWriteoff, "adj:writeoff"),
        (Self::ExpFee, "exp:fee"),
        (Self::ExpBank, "exp:bank"),
        (Self::FxExchange, "fx:exchange"),
        (Self::OwedProvider, "owed:provider"),
        (Self::HoldDispute, "hold:dispute"),
        (Self::SuspUnapplied, "susp:unapplied"),
        (Self::SuspUnknown, "susp:unknown"),
        (Self::ArCustomer, "ar:customer"),
        (Self::DepositCustomer, "deposit:customer"),
        (Self::TaxPayable, "tax:payable"),
    ];

    /// The account's code as stored and shown.
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::Gateway(name) => format!("gw:{name}"),
            other => Self::NAMED
                .iter()
                .find(|(account, _)| account == other)
                .map_or_else(String::new, |(_, code)| (*code).to_owned()),
        }
    }

    /// Parses a code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        match code.strip_prefix("gw:") {
            Some(name) if !name.is_empty() => Some(Self::Gateway(name.to_owned())),
            Some(_) => None,
            None => Self::NAMED.iter().find(|(_, known)| *known == code).map(|(account, _)| account.clone()),
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code())
    }
}

impl Serialize for Account {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Account {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&code).ok_or_else(|| serde::de::Error::custom(format!("unknown account {code:?}")))
    }
}

/// One line of a posting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The account.
    pub account: Account,
    /// Debit positive, credit negative; never zero.
    pub amount: Money,
    /// Whose money it is: the link token or patient the line belongs to, for balances per patient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<String>,
}

impl Line {
    /// A debit.
    #[must_use]
    pub const fn debit(account: Account, amount: Money) -> Self {
        Self { account, amount, party: None }
    }

    /// A credit.
    #[must_use]
    pub const fn credit(account: Account, amount: Money) -> Self {
        let amount = Money::new(amount.minor.saturating_neg(), amount.currency);
        Self { account, amount, party: None }
    }

    /// The same line for a party.
    #[must_use]
    pub fn of(mut self, party: Option<&str>) -> Self {
        self.party = party.map(ToOwned::to_owned);
        self
    }
}

/// Lines that do not make a posting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Debits and credits differ.
    #[error("posting {key} does not balance: {difference} is left over")]
    Unbalanced {
        /// The posting's key.
        key: String,
        /// What is left over.
        difference: Money,
    },
    /// Fewer than two lines, or a line of nothing.
    #[error("posting {0} has an empty line or fewer than two lines")]
    Empty(String),
    /// The sum does not fit.
    #[error("posting {0} is too large")]
    Overflow(String),
}

/// A balanced, immutable entry in the books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Posting {
    key: String,
    lines: Vec<Line>,
    #[serde(skip)]
    on: Option<Day>,
}

impl Posting {
    /// A posting, if its lines balance in every currency.
    ///
    /// # Errors
    /// [`Error`] when it does not balance, is empty, or overflows.
    pub fn try_new(key: String, lines: Vec<Line>) -> Result<Self, Error> {
        if lines.len() < 2 || lines.iter().any(|line| line.amount.minor == 0) {
            return Err(Error::Empty(key));
        }
        let mut sums = BTreeMap::new();
        for line in &lines {
            let sum = sums.entry(line.amount.currency).or_insert(Money::zero(line.amount.currency));
            *sum = sum.plus(line.amount).map_err(|_| Error::Overflow(key.clone()))?;
        }
        match sums.into_values().find(|sum| sum.minor != 0) {
            Some(difference) => Err(Error::Unbalanced { key, difference }),
            None => Ok(Self { key, lines, on: None }),
        }
    }

    /// A movement of one positive amount from one account to another, for one party.
    ///
    /// # Errors
    /// [`Error::Empty`] when the amount is zero.
    pub fn transfer(
        key: String,
        debit: Account,
        credit: Account,
        amount: Money,
        party: Option<&str>,
    ) -> Result<Self, Error> {
        Self::try_new(key, vec![Line::debit(debit, amount).of(party), Line::credit(credit, amount).of(party)])
    }

    /// The same posting, dated: the fact belongs to this day, whenever it is posted. A locked day moves it to the next open
    /// one when it is stored.
    #[must_use]
    pub const fn dated(mut self, on: Day) -> Self {
        self.on = Some(on);
        self
    }

    /// The day the fact belongs to, when it is not the day of posting.
    #[must_use]
    pub const fn on(&self) -> Option<Day> {
        self.on
    }

    /// The fact this posting records. Unique.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The lines.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }
}

/// Balances by account and currency: the sum of lines. Used by reports, the simulator and tests.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Balances(BTreeMap<(String, crate::currency::Currency), i64>);

impl Balances {
    /// Adds a posting.
    ///
    /// # Errors
    /// [`Error::Overflow`] when a balance no longer fits 64 bits.
    pub fn add(&mut self, posting: &Posting) -> Result<(), Error> {
        for line in posting.lines() {
            let balance = self.0.entry((line.account.code(), line.amount.currency)).or_insert(0);
            *balance = balance
                .checked_add(line.amount.minor)
                .ok_or_else(|| Error::Overflow(posting.key().to_owned()))?;
        }
        Ok(())
    }

    /// The balance of one account; debit positive.
    #[must_use]
    pub fn get(&self, account: &Account, currency: crate::currency::Currency) -> i64 {
        self.0.get(&(account.code(), currency)).copied().unwrap_or(0)
    }

    /// Accounts that are not zero, in order of their codes.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Money)> {
        self.0
            .iter()
            .filter(|(_, minor)| **minor != 0)
            .map(|((code, currency), minor)| (code.as_str(), Money::new(*minor, *currency)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    use super::*;
    use crate::currency::Currency;

    #[test]
    fn a_posting_that_does_not_balance_cannot_be_made() {
        let lines = vec![
            Line::debit(Account::Bank, Money::usd(100)),
            Line::credit(Account::ArPatient, Money::usd(99)),
        ];
        assert!(matches!(Posting::try_new("k".into(), lines), Err(Error::Unbalanced { .. })));
    }

    #[test]
    fn two_currencies_do_not_balance_each_other() {
        let yen = Money::new(100, Currency::parse("JPY").unwrap());
        let lines = vec![Line::debit(Account::Bank, Money::usd(100)), Line::credit(Account::ArPatient, yen)];
        assert!(matches!(Posting::try_new("k".into(), lines), Err(Error::Unbalanced { .. })));
    }

    #[test]
    fn every_account_code_parses_back() {
        for (account, code) in Account::NAMED {
            assert_eq!(Account::parse(code), Some(account.clone()));
            assert_eq!(account.code(), code);
        }
        assert_eq!(Account::parse("gw:stripe"), Some(Account::Gateway("stripe".into())));
        assert_eq!(Account::parse("gw:"), None);
    }

    proptest! {
        #[test]
        fn whatever_becomes_a_posting_sums_to_zero(amounts in proptest::collection::vec(-1000i64..1000, 0..6)) {
            let lines = amounts.iter().map(|minor| Line::debit(Account::Bank, Money::usd(*minor))).collect();
            let sum: i64 = amounts.iter().sum();
            match Posting::try_new("k".into(), lines) {
                Ok(posting) => prop_assert_eq!(posting.lines().iter().map(|line| line.amount.minor).sum::<i64>(), 0),
                Err(_) => prop_assert!(sum != 0 || amounts.len() < 2 || amounts.contains(&0)),
            }
        }
    }
}
