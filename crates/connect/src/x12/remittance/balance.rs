//! The sums that must hold in an 835: of a line, of a claim, of the remittance.
//!
//! Called by the reader before an item leaves it. Must stay true: a difference of one cent is a refusal that names the
//! loop, the claim, the segment and the difference.

use suture_core::money::Money;

use super::model::{Adjustment, Claim, ServiceLine};
use crate::x12::error::{Error, Kind, Place};

/// Charge less adjustments must be what was paid (SVC02 − ΣCAS = SVC03).
///
/// # Errors
/// [`Kind::Unbalanced`] at the SVC segment.
pub fn check_line(claim: u64, line: &ServiceLine) -> Result<(), Error> {
    let at = place("2110", claim, line.segment, "SVC", 3);
    let expected = less(line.charge, line.adjustments.iter(), &at)?;
    holds(expected, line.paid, "the service line", "charge less adjustments", at)
}

/// All lines must balance, and the charge less all adjustments of claim and lines must be what was paid
/// (CLP03 − ΣCAS = CLP04).
///
/// # Errors
/// [`Kind::Unbalanced`] at the SVC or CLP segment.
pub fn check_claim(claim: &Claim) -> Result<(), Error> {
    for line in &claim.lines {
        check_line(claim.position, line)?;
    }
    let at = place("2100", claim.position, claim.segment, "CLP", 4);
    let expected = less(claim.charge, claim.all_adjustments(), &at)?;
    holds(expected, claim.paid, "the claim", "charge less adjustments of claim and lines", at)
}

/// Claims less provider adjustments must be the payment (ΣCLP04 − ΣPLB = BPR02).
pub(super) fn check_total(
    total: Money,
    paid: Money,
    provider: Money,
    bpr: u64,
    set: &str,
) -> Result<(), Error> {
    let at = Place { loop_id: "header", claim: None, segment: bpr, name: "BPR".to_owned(), element: Some(2) };
    let expected = paid.minus(provider).map_err(|_| too_large(&at))?;
    // The control number helps to find the remittance among several in a file; it is a number of the sender.
    let what = if set.len() <= 9 && set.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        format!("the remittance {set}")
    } else {
        "the remittance".to_owned()
    };
    holds(expected, total, &what, "claims less provider adjustments", at)
}

pub(super) fn too_large(at: &Place) -> Error {
    Error::new(Kind::TooLarge, "the sum of the amounts is too large", at.clone())
}

fn less<'a>(
    charge: Money,
    mut adjustments: impl Iterator<Item = &'a Adjustment>,
    at: &Place,
) -> Result<Money, Error> {
    adjustments.try_fold(charge, |left, adjustment| left.minus(adjustment.amount)).map_err(|_| too_large(at))
}

fn holds(expected: Money, stated: Money, what: &str, sum: &str, at: Place) -> Result<(), Error> {
    if expected == stated {
        return Ok(());
    }
    let difference = stated.minus(expected).map_err(|_| too_large(&at))?;
    let what = format!(
        "{what} does not balance: {sum} is {expected}, {stated} is stated as paid, the difference is {difference}"
    );
    Err(Error::new(Kind::Unbalanced, what, at))
}

fn place(loop_id: &'static str, claim: u64, segment: u64, name: &str, element: usize) -> Place {
    Place { loop_id, claim: Some(claim), segment, name: name.to_owned(), element: Some(element) }
}
