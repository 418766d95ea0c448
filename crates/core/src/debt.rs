//! The debt: what a patient owes for an act of care, or a deposit that the patient agreed to. It holds the lock.
//!
//! Invariants: one open attempt per debt over all gateways (FEATURES M382); captured − refunded ≤ owed (I2). The engine
//! changes a debt only in the transaction that changes its payment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::explain::Care;
use crate::id::{DebtId, PaymentId};
use crate::ledger::{Account, Error, Posting};
use crate::money::Money;
use crate::payment::Purpose;
use crate::refusal::Refusal;

/// What happened to a debt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It was recorded.
    Recorded {
        /// Its id.
        debt: DebtId,
        /// Whose, and for which act of care.
        care: Care,
        /// The link token.
        link: String,
        /// A balance or a deposit.
        purpose: Purpose,
        /// How much is owed, or was consented to.
        owed: Money,
        /// The stream that this debt belongs to: an estimate charge or an invoice. It follows the debt's payments, and books
        /// what is owed itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owner: Option<String>,
    },
    /// What is owed changed.
    Adjusted {
        /// The new amount.
        owed: Money,
    },
    /// A payment has an open attempt: nobody else may collect.
    Locked {
        /// The payment.
        payment: PaymentId,
        /// Its connection.
        connection: String,
        /// How much it may collect.
        amount: Money,
    },
    /// The attempt ended.
    Unlocked {
        /// The payment.
        payment: PaymentId,
    },
    /// Money was collected, net of what went back.
    Collected {
        /// By which payment.
        payment: PaymentId,
        /// The payment's net total now.
        net: Money,
    },
}

impl Event {
    /// The event's type in the journal.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Recorded { .. } => "debt.recorded",
            Self::Adjusted { .. } => "debt.adjusted",
            Self::Locked { .. } => "debt.locked",
            Self::Unlocked { .. } => "debt.unlocked",
            Self::Collected { .. } => "debt.collected",
        }
    }
}

/// Where a debt stands; follows from what is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Something is owed.
    Open,
    /// A payment is on its way.
    Locked,
    /// A part was collected.
    PartPaid,
    /// All was collected.
    Paid,
    /// More was collected than is owed: we owe the patient.
    Overpaid,
}

impl Status {
    /// The status as written in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Locked => "locked",
            Self::PartPaid => "part_paid",
            Self::Paid => "paid",
            Self::Overpaid => "overpaid",
        }
    }
}

/// The lock on a debt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// The payment with the open attempt.
    pub payment: PaymentId,
    /// Its connection.
    pub connection: String,
    /// How much it may collect.
    pub amount: Money,
}

/// A debt as known now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Debt {
    /// Its id.
    pub id: DebtId,
    /// For which act of care.
    pub care: Care,
    /// The link token.
    pub link: String,
    /// A balance or a deposit.
    pub purpose: Purpose,
    /// How much is owed, or was consented to.
    pub owed: Money,
    /// The stream that this debt belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Who may collect now.
    pub lock: Option<Lock>,
    /// Net collected by payment, in minor units.
    pub collected: BTreeMap<String, i64>,
}

/// An order to a debt.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Record it.
    Record {
        /// Its id.
        debt: DebtId,
        /// Whose, and for which act of care.
        care: Care,
        /// The link token.
        link: String,
        /// A balance or a deposit.
        purpose: Purpose,
        /// How much.
        owed: Money,
        /// The stream that it belongs to.
        owner: Option<String>,
    },
    /// Change what is owed.
    Adjust {
        /// The new amount.
        owed: Money,
    },
    /// Begin an attempt.
    Lock {
        /// The payment.
        payment: PaymentId,
        /// Its connection.
        connection: String,
        /// How much.
        amount: Money,
    },
    /// The attempt ended.
    Unlock {
        /// The payment.
        payment: PaymentId,
    },
    /// A payment's net total changed.
    Collect {
        /// The payment.
        payment: PaymentId,
        /// Captured less refunded.
        net: Money,
    },
}

impl Debt {
    /// Net collected over all payments, in minor units.
    #[must_use]
    pub fn collected_minor(&self) -> i64 {
        self.collected.values().sum()
    }

    /// What is still owed; never below zero.
    #[must_use]
    pub fn due(&self) -> Money {
        Money::new((self.owed.minor - self.collected_minor()).max(0), self.owed.currency)
    }

    /// The status that follows from what is known.
    #[must_use]
    pub fn status(&self) -> Status {
        let collected = self.collected_minor();
        match collected.cmp(&self.owed.minor) {
            std::cmp::Ordering::Greater => Status::Overpaid,
            std::cmp::Ordering::Equal => Status::Paid,
            std::cmp::Ordering::Less if self.lock.is_some() => Status::Locked,
            std::cmp::Ordering::Less if collected > 0 => Status::PartPaid,
            std::cmp::Ordering::Less => Status::Open,
        }
    }

    /// Applies an event. Total.
    #[must_use]
    pub fn evolve(state: Option<Self>, event: &Event) -> Option<Self> {
        match (state, event) {
            (None, Event::Recorded { debt, care, link, purpose, owed, owner }) => Some(Self {
                id: *debt,
                care: care.clone(),
                link: link.clone(),
                purpose: *purpose,
                owed: *owed,
                owner: owner.clone(),
                lock: None,
                collected: BTreeMap::new(),
            }),
            (None, _) => None,
            (Some(mut debt), event) => {
                match event {
                    Event::Recorded { .. } => {}
                    Event::Adjusted { owed } => debt.owed = *owed,
                    Event::Locked { payment, connection, amount } => {
                        debt.lock =
                            Some(Lock { payment: *payment, connection: connection.clone(), amount: *amount });
                    }
                    Event::Unlocked { .. } => debt.lock = None,
                    Event::Collected { payment, net } => {
                        debt.collected.insert(payment.to_string(), net.minor);
                    }
                }
                Some(debt)
            }
        }
    }
}

/// Decides what follows from a command. Changes nothing.
///
/// # Errors
/// A [`Refusal`] that says what did not happen and what to do.
pub fn decide(state: Option<&Debt>, command: &Command) -> Result<Vec<Event>, Refusal> {
    match (state, command) {
        (None, Command::Record { debt, care, link, purpose, owed, owner }) => {
            record((*debt, owner.as_deref()), care, link, *purpose, *owed)
        }
        (None, _) => Err(Refusal::state("debt_missing", "There is no such debt; nothing was changed.")),
        (Some(_), Command::Record { .. }) => {
            Err(Refusal::state("debt_exists", "This debt exists already; nothing was changed."))
        }
        (Some(debt), Command::Adjust { owed }) => {
            same_currency(debt, *owed)?;
            Ok(if *owed == debt.owed { Vec::new() } else { vec![Event::Adjusted { owed: *owed }] })
        }
        (Some(debt), Command::Lock { payment, connection, amount }) => {
            lock(debt, *payment, connection, *amount)
        }
        (Some(debt), Command::Unlock { payment }) => match &debt.lock {
            Some(lock) if lock.payment == *payment => Ok(vec![Event::Unlocked { payment: *payment }]),
            _ => Ok(Vec::new()),
        },
        (Some(debt), Command::Collect { payment, net }) => {
            same_currency(debt, *net)?;
            match debt.collected.get(&payment.to_string()).copied().unwrap_or(0) == net.minor {
                true => Ok(Vec::new()),
                false => Ok(vec![Event::Collected { payment: *payment, net: *net }]),
            }
        }
    }
}

fn record(
    (debt, owner): (DebtId, Option<&str>),
    care: &Care,
    link: &str,
    purpose: Purpose,
    owed: Money,
) -> Result<Vec<Event>, Refusal> {
    if owed.minor <= 0 {
        return Err(Refusal::invalid(
            "amount_not_positive",
            "Nothing was recorded. Give an amount above zero.",
        ));
    }
    if !care.explains_money() {
        return Err(Refusal::invalid(
            "care_missing",
            "Nothing was recorded. A debt needs a patient, and an appointment or account, that explain it.",
        ));
    }
    Ok(vec![Event::Recorded {
        debt,
        care: care.clone(),
        link: link.to_owned(),
        purpose,
        owed,
        owner: owner.map(ToOwned::to_owned),
    }])
}

fn lock(debt: &Debt, payment: PaymentId, connection: &str, amount: Money) -> Result<Vec<Event>, Refusal> {
    same_currency(debt, amount)?;
    if let Some(lock) = &debt.lock {
        if lock.payment == payment {
            return Ok(Vec::new());
        }
        return Err(Refusal::state(
            "debt_locked",
            format!(
                "Nothing was charged: payment {} at connection {} has an open attempt for this debt. Wait until it is \
                 answered, or cancel it.",
                lock.payment, lock.connection
            ),
        ));
    }
    if amount.minor > debt.due().minor {
        return Err(Refusal::invalid(
            "amount_exceeds_debt",
            format!("The charge of {amount} was not sent. Only {} of this debt is still due.", debt.due()),
        ));
    }
    Ok(vec![Event::Locked { payment, connection: connection.to_owned(), amount }])
}

fn same_currency(debt: &Debt, amount: Money) -> Result<(), Refusal> {
    if amount.currency == debt.owed.currency {
        return Ok(());
    }
    Err(Refusal::invalid(
        "currency_mismatch",
        format!(
            "Nothing was changed: the debt is in {}, the amount in {}.",
            debt.owed.currency, amount.currency
        ),
    ))
}

/// The ledger entries that an event means: a balance accrues when it is recorded; a deposit does not, and neither does a
/// debt whose owner has booked it.
///
/// # Errors
/// [`Error`] when an amount does not fit; `decide` never emits such an event.
pub fn postings(before: Option<&Debt>, event: &Event) -> Result<Vec<Posting>, Error> {
    let accrue = |key: String, amount: Money, link: &str| {
        let (debit, credit) = (Account::ArPatient, Account::RevService);
        Posting::transfer(key, debit, credit, amount, Some(link)).map(|posting| vec![posting])
    };
    match (before, event) {
        (None, Event::Recorded { debt, link, purpose: Purpose::Balance, owed, owner: None, .. }) => {
            accrue(format!("accrual:{debt}"), *owed, link)
        }
        (Some(debt), Event::Adjusted { owed })
            if debt.purpose == Purpose::Balance && debt.owner.is_none() =>
        {
            let change = Money::new(owed.minor.saturating_sub(debt.owed.minor), owed.currency);
            accrue(format!("accrual:{}:{}:{}", debt.id, debt.owed.minor, owed.minor), change, &debt.link)
        }
        _ => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Mint, Random};
    use crate::time::Timestamp;

    struct Seeded(u8);

    impl Random for Seeded {
        fn ten_bytes(&self) -> [u8; 10] {
            [self.0; 10]
        }
    }

    fn payment(seed: u8) -> PaymentId {
        PaymentId::mint(Mint::new(Timestamp::from_seconds(1), &Seeded(seed)))
    }

    fn record() -> Command {
        Command::Record {
            debt: DebtId::mint(Mint::new(Timestamp::from_seconds(1), &Seeded(9))),
            care: Care { patient: Some("p".into()), account: Some("a".into()), ..Care::default() },
            link: "lnk".into(),
            purpose: Purpose::Balance,
            owed: Money::usd(8000),
            owner: None,
        }
    }

    fn lock_by(seed: u8, minor: i64) -> Command {
        Command::Lock { payment: payment(seed), connection: format!("con{seed}"), amount: Money::usd(minor) }
    }

    fn after(commands: &[Command]) -> Option<Debt> {
        commands.iter().fold(None, |state, command| {
            decide(state.as_ref(), command).unwrap().iter().fold(state, Debt::evolve)
        })
    }

    #[test]
    fn a_second_gateway_is_refused_while_the_first_attempt_is_open() {
        let debt = after(&[record(), lock_by(1, 8000)]);
        let refused = decide(debt.as_ref(), &lock_by(2, 8000)).unwrap_err();
        assert_eq!(refused.code, "debt_locked");
        assert!(refused.detail.contains("con1"), "{refused}");
        assert_eq!(
            decide(debt.as_ref(), &lock_by(1, 8000)),
            Ok(Vec::new()),
            "the same payment holds the lock"
        );
    }

    #[test]
    fn no_more_than_is_due_may_be_collected() {
        let paid = Command::Collect { payment: payment(1), net: Money::usd(5000) };
        let debt = after(&[record(), lock_by(1, 5000), Command::Unlock { payment: payment(1) }, paid]);
        assert_eq!(decide(debt.as_ref(), &lock_by(2, 3001)).unwrap_err().code, "amount_exceeds_debt");
        assert!(decide(debt.as_ref(), &lock_by(2, 3000)).is_ok());
    }

    #[test]
    fn the_transition_table_is_the_one_in_the_repository() {
        let collect = |minor| Command::Collect { payment: payment(1), net: Money::usd(minor) };
        let states = [
            after(&[record()]),
            after(&[record(), lock_by(1, 8000)]),
            after(&[record(), collect(100)]),
            after(&[record(), collect(8000)]),
            after(&[record(), collect(9000)]),
        ];
        let commands = [
            ("lock by 1", lock_by(1, 7000)),
            ("lock by 2", lock_by(2, 7000)),
            ("unlock by 1", Command::Unlock { payment: payment(1) }),
            ("collect part", collect(100)),
            ("collect all", collect(8000)),
            ("return all", collect(0)),
            ("owe more", Command::Adjust { owed: Money::usd(9500) }),
        ];
        let cell = |state: &Option<Debt>, command: &Command| match decide(state.as_ref(), command) {
            Ok(events) => events.iter().fold(state.clone(), Debt::evolve).unwrap().status().name().to_owned(),
            Err(refusal) => format!("- {}", refusal.code),
        };
        let columns: Vec<&str> = commands.iter().map(|(name, _)| *name).collect();
        let row = |state: &Option<Debt>| commands.iter().map(|(_, command)| cell(state, command)).collect();
        let rows: Vec<(String, Vec<String>)> = states
            .iter()
            .map(|state| (state.as_ref().unwrap().status().name().to_owned(), row(state)))
            .collect();
        crate::tables::check("debt", &columns, &rows);
    }
}
