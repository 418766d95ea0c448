//! The sums of a file in one pass, so that it can be refused before anything is applied.
//!
//! Called with a file that has just arrived. Must stay true: totals are given only for a file that is complete and
//! balances, and memory does not grow with the number of claims.

use std::collections::BTreeMap;

use serde::Serialize;
use suture_core::money::Money;

use super::codes::Group;
use super::model::{Claim, Difference, Header, Item, Trailer};
use super::reader::Reader;
use crate::x12::error::{Error, Place};

use super::balance::too_large;

/// How many differences are listed by claim; all are counted.
pub const DIFFERENCES_KEPT_MAX: usize = 100;

/// The sums of one remittance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Totals {
    /// Its header.
    pub header: Header,
    /// Its end.
    pub trailer: Trailer,
    /// The sum of what claims charged.
    pub charge: Money,
    /// The sums of adjustments by who bears them.
    pub by_group: BTreeMap<Group, Money>,
    /// Claims that take back an earlier answer.
    pub reversals: u64,
    /// Claims that were denied.
    pub denials: u64,
    /// Claims whose stated patient responsibility is not the sum of their `PR` adjustments.
    pub differences: u64,
    /// The first of them, by position of the claim.
    pub first_differences: Vec<(u64, Difference)>,
    /// Notes in header and claims.
    pub notes: u64,
}

/// Passes over a file and keeps only its sums.
#[derive(Debug, Default)]
pub struct Verifier {
    reader: Reader,
    open: Option<Totals>,
    complete: Vec<Totals>,
}

/// The sums of a file that is whole in memory.
///
/// # Errors
/// The [`Error`] for which the whole file is refused.
pub fn verify(bytes: &[u8]) -> Result<Vec<Totals>, Error> {
    let mut verifier = Verifier::new();
    verifier.feed(bytes)?;
    verifier.finish()
}

impl Totals {
    fn begin(header: Header) -> Self {
        let zero = Money::zero(header.total.currency);
        let trailer = Trailer {
            control: header.control.clone(),
            claims: 0,
            lines: 0,
            paid: zero,
            provider_adjustments: zero,
            total: header.total,
        };
        let notes = count(header.notes.len());
        Self {
            header,
            trailer,
            charge: zero,
            by_group: BTreeMap::new(),
            reversals: 0,
            denials: 0,
            differences: 0,
            first_differences: Vec::new(),
            notes,
        }
    }

    /// What patients owe by this remittance: the sum of the `PR` adjustments.
    #[must_use]
    pub fn patient_responsibility(&self) -> Money {
        let sum = self.by_group.get(&Group::PatientResponsibility);
        sum.copied().unwrap_or(Money::zero(self.header.total.currency))
    }

    fn add(&mut self, claim: &Claim) -> Result<(), Error> {
        let zero = Money::zero(self.header.total.currency);
        let overflow = |_| too_large(&place(claim));
        self.charge = self.charge.plus(claim.charge).map_err(overflow)?;
        for adjustment in claim.all_adjustments() {
            let sum = self.by_group.entry(adjustment.group.clone()).or_insert(zero);
            *sum = sum.plus(adjustment.amount).map_err(overflow)?;
        }
        self.reversals += u64::from(claim.is_reversal());
        self.denials += u64::from(claim.is_denial());
        self.notes += count(claim.notes.len());
        if let Some(difference) = claim.difference {
            self.differences += 1;
            if self.first_differences.len() < DIFFERENCES_KEPT_MAX {
                self.first_differences.push((claim.position, difference));
            }
        }
        Ok(())
    }
}

impl Verifier {
    /// A pass over one file from its first byte.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes and reads what they complete.
    ///
    /// # Errors
    /// The [`Error`] for which the whole file is refused.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.reader.feed(bytes);
        self.drain()
    }

    /// The sums, one per remittance of the file.
    ///
    /// # Errors
    /// The [`Error`] for which the whole file is refused.
    pub fn finish(mut self) -> Result<Vec<Totals>, Error> {
        self.reader.finish();
        self.drain()?;
        Ok(self.complete)
    }

    fn drain(&mut self) -> Result<(), Error> {
        while let Some(item) = self.reader.next_item()? {
            match item {
                Item::Header(header) => self.open = Some(Totals::begin(*header)),
                Item::Claim(claim) => {
                    if let Some(totals) = &mut self.open {
                        totals.add(&claim)?;
                    }
                }
                Item::Provider(_) => {}
                Item::Trailer(trailer) => {
                    self.complete.extend(self.open.take().map(|totals| Totals { trailer, ..totals }));
                }
            }
        }
        Ok(())
    }
}

fn place(claim: &Claim) -> Place {
    let name = "CLP".to_owned();
    Place { loop_id: "2100", claim: Some(claim.position), segment: claim.segment, name, element: Some(3) }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
