//! Samples that others wrote (see the licence beside them), read when they are there.

use suture_connect::x12::eligibility::{self, Coverage};
use suture_connect::x12::error::Kind;
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

#[test]
fn an_eligibility_answer_is_no_remittance_and_the_reverse() {
    let Some(answer) = sample("271_benefits.271") else { return };
    let Some(remittance) = sample("835_all_cases.835") else { return };
    assert_eq!(verify(&answer).unwrap_err().kind, Kind::WrongSet);
    assert_eq!(eligibility::read(&remittance).unwrap_err().kind, Kind::WrongSet);
}

#[test]
fn samples_of_eligibility_are_read() {
    let names =
        ["271_005010X279A1__subscriber-health-benefit-check.271", "271_benefits.271", "271_not_found.271"];
    let expected = [(5, 0, Coverage::Active), (14, 0, Coverage::Active), (0, 1, Coverage::Unknown)];
    for (name, (benefits, rejections, coverage)) in names.into_iter().zip(expected) {
        let Some(bytes) = sample(name) else { return };
        let answer = eligibility::read(&bytes).unwrap().remove(0);
        assert_eq!((answer.benefits.len(), answer.rejections.len()), (benefits, rejections), "{name}");
        assert_eq!(answer.coverage(), coverage, "{name}");
    }
}

#[test]
fn an_answer_whose_end_names_another_number_is_refused() {
    let Some(bytes) = sample("271_005010X279A1__subscriber-health-benefit-check-error.271") else { return };
    assert_eq!(eligibility::read(&bytes).unwrap_err().kind, Kind::ControlNumber);
}
