//! Samples that others wrote (see the licence beside them), read when they are there.

use suture_connect::x12::remittance::{Note, verify};
use suture_core::money::Money;

use crate::support::{remittances, sample};

#[test]
fn a_managed_care_remittance_with_a_day_that_does_not_exist_is_read() {
    let Some(bytes) = sample("835_005010X221A1__managed-care.835") else { return };
    let remittance = remittances(&bytes).unwrap().remove(0);
    assert_eq!((remittance.header.payment_date, remittance.header.notes.len()), (None, 1));
    let claim = &remittance.claims[0];
    assert_eq!((claim.paid, claim.lines[0].paid), (Money::usd(45_000), Money::usd(50_000)));
    assert_eq!(claim.patient_responsibility().unwrap(), Money::usd(30_000));
}

#[test]
fn a_hospital_remittance_with_interest_balances() {
    let Some(bytes) = sample("835_005010X221A1__medicare-part-a.835") else { return };
    let totals = verify(&bytes).unwrap().remove(0);
    assert_eq!(totals.trailer.total, Money::usd(15_000_000));
    assert_eq!(totals.trailer.provider_adjustments, Money::usd(-127));
    assert_eq!((totals.trailer.claims, totals.trailer.lines), (2, 0));
}

#[test]
fn procedures_that_use_another_separator_than_declared_are_not_guessed() {
    let Some(bytes) = sample("835_005010X221A1__secondary-payment.835") else { return };
    let remittance = remittances(&bytes).unwrap().remove(0);
    let claim = &remittance.claims[1];
    assert_eq!(claim.lines[0].procedure.text, "HC>12345>26");
    assert_eq!(claim.lines[0].procedure.code, "");
    let told = claim.notes.iter().filter(|note| matches!(note, Note::ProcedureNotSplit { .. })).count();
    assert_eq!(told, 2);
    assert_eq!(claim.patient_responsibility().unwrap(), Money::usd(22_000));
    assert_eq!(remittance.claims[0].difference, None);
}

#[test]
fn the_remittance_of_all_cases_nets_its_reversal() {
    let Some(bytes) = sample("835_all_cases.835") else { return };
    let remittance = remittances(&bytes).unwrap().remove(0);
    let owed: Vec<_> =
        remittance.claims.iter().map(|one| one.patient_responsibility().unwrap().minor).collect();
    assert_eq!(owed, [8_000, 2_500, 12_000, -2_000, 2_500]);
    assert_eq!(remittance.trailer.total, Money::usd(25_500));
}
