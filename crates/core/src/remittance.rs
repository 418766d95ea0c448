//! One remittance file of a payer (X12 835): taken in whole or refused whole, then booked claim by claim.

use serde::{Deserialize, Serialize};

use crate::id::RemittanceId;
use crate::ledger::{Account, Error, Line, Posting};
use crate::money::Money;

/// Money that the payer adds or withholds for the provider as a whole (X12 PLB). It belongs to no patient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderAdjustment {
    /// The payer's code: `WO` overpayment recovery, `FB` forwarding balance, `L6` interest, …
    pub code: String,
    /// Positive: withheld; negative: added (X12 facts §3).
    pub amount: Money,
}

/// What happened to a remittance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It was read whole, and balances.
    Received {
        /// Its id.
        remittance: RemittanceId,
        /// SHA-256 of the file, 64 hexadecimal digits.
        hash: String,
        /// The payer's id.
        payer: String,
        /// The trace number, by which the bank's line is found.
        trace: String,
        /// What the payer pays in all.
        total: Money,
        /// How many claims it holds.
        claims: u64,
        /// Money for the provider as a whole.
        adjustments: Vec<ProviderAdjustment>,
    },
    /// Every claim of it was looked at.
    Booked {
        /// Claims that were booked on a service.
        booked: u64,
        /// Claims that wait for a person.
        waiting: u64,
    },
}

impl Event {
    /// The event's type in the journal.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Received { .. } => "remittance.received",
            Self::Booked { .. } => "remittance.booked",
        }
    }
}

/// A remittance as known now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Remittance {
    /// Its id.
    pub id: RemittanceId,
    /// SHA-256 of the file.
    pub hash: String,
    /// The payer's id.
    pub payer: String,
    /// The trace number.
    pub trace: String,
    /// What the payer pays in all.
    pub total: Money,
    /// How many claims it holds.
    pub claims: u64,
    /// Money for the provider as a whole.
    pub adjustments: Vec<ProviderAdjustment>,
    /// Claims that were booked, and claims that wait for a person, once all were looked at.
    pub booked: Option<(u64, u64)>,
}

impl Remittance {
    /// Applies an event. Total.
    #[must_use]
    pub fn evolve(state: Option<Self>, event: &Event) -> Option<Self> {
        match (state, event) {
            (None, Event::Received { remittance, hash, payer, trace, total, claims, adjustments }) => {
                Some(Self {
                    id: *remittance,
                    hash: hash.clone(),
                    payer: payer.clone(),
                    trace: trace.clone(),
                    total: *total,
                    claims: *claims,
                    adjustments: adjustments.clone(),
                    booked: None,
                })
            }
            (None, Event::Booked { .. }) => None,
            (Some(remittance), Event::Received { .. }) => Some(remittance),
            (Some(mut remittance), Event::Booked { booked, waiting }) => {
                remittance.booked = Some((*booked, *waiting));
                Some(remittance)
            }
        }
    }
}

/// The ledger entries of an event: what is withheld stays owed by the payer, what is added is no longer (FLOWS 2H). No
/// patient is billed for it.
///
/// # Errors
/// [`Error`] when an amount does not fit.
pub fn postings(before: Option<&Remittance>, event: &Event) -> Result<Vec<Posting>, Error> {
    let (None, Event::Received { remittance, adjustments, .. }) = (before, event) else {
        return Ok(Vec::new());
    };
    let moved = adjustments.iter().enumerate().filter(|(_, adjustment)| adjustment.amount.minor != 0);
    moved
        .map(|(number, adjustment)| {
            let lines = vec![
                Line::debit(Account::ArPayer, adjustment.amount),
                Line::credit(Account::Bank, adjustment.amount),
            ];
            Posting::try_new(format!("provider_adjustment:{remittance}:{}", number + 1), lines)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Mint, Random};
    use crate::ledger::Balances;
    use crate::time::Timestamp;

    struct Fixed;

    impl Random for Fixed {
        fn ten_bytes(&self) -> [u8; 10] {
            [3; 10]
        }
    }

    #[test]
    fn case_2h_a_take_back_moves_money_between_payer_and_bank_only() {
        let event = Event::Received {
            remittance: RemittanceId::mint(Mint::new(Timestamp::from_seconds(1), &Fixed)),
            hash: "c".repeat(64),
            payer: "PAYER1".into(),
            trace: "T1".into(),
            total: Money::usd(0),
            claims: 0,
            adjustments: vec![
                ProviderAdjustment { code: "WO".into(), amount: Money::usd(13_000) },
                ProviderAdjustment { code: "FB".into(), amount: Money::usd(-1_000) },
            ],
        };
        let mut books = Balances::default();
        for posting in postings(None, &event).unwrap() {
            books.add(&posting).unwrap();
        }
        let usd = Money::usd(0).currency;
        assert_eq!(books.get(&Account::ArPayer, usd), 12_000);
        assert_eq!(books.get(&Account::Bank, usd), -12_000);
        assert_eq!(books.get(&Account::ArPatient, usd), 0);
    }

    #[test]
    fn the_transition_table_is_the_one_in_the_repository() {
        let received = Event::Received {
            remittance: RemittanceId::mint(Mint::new(Timestamp::from_seconds(1), &Fixed)),
            hash: "c".repeat(64),
            payer: "PAYER1".into(),
            trace: "T1".into(),
            total: Money::usd(1),
            claims: 1,
            adjustments: Vec::new(),
        };
        let booked = Event::Booked { booked: 1, waiting: 0 };
        let name = |state: &Option<Remittance>| match state {
            None => "nothing",
            Some(Remittance { booked: None, .. }) => "received",
            Some(_) => "booked",
        };
        let states = [
            None,
            Remittance::evolve(None, &received),
            Remittance::evolve(Remittance::evolve(None, &received), &booked),
        ];
        let events = [("received", received), ("booked", booked)];
        let rows: Vec<(String, Vec<String>)> = states
            .iter()
            .map(|state| {
                let cells = events
                    .iter()
                    .map(|(_, event)| name(&Remittance::evolve(state.clone(), event)).to_owned());
                (name(state).to_owned(), cells.collect())
            })
            .collect();
        let columns: Vec<&str> = events.iter().map(|(name, _)| *name).collect();
        crate::tables::check("remittance", &columns, &rows);
    }
}
