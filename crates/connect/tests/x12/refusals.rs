//! Files that are refused whole, with the place and what to do.

use suture_connect::x12::error::{Error, Kind};
use suture_connect::x12::remittance::verify;

use crate::support::fixture;

const GOOD: &str = "2a-underpaid-deposit.835";

/// The error for a good file in which one text is replaced.
fn without(from: &str, to: &str) -> Error {
    let text = fixture(GOOD);
    assert!(text.contains(from), "{from}");
    verify(text.replacen(from, to, 1).as_bytes()).unwrap_err()
}

fn check(from: &str, to: &str, kind: Kind, place: &str) {
    let error = without(from, to);
    assert_eq!((error.kind, error.at.to_string().as_str()), (kind, place), "{error}");
}

#[test]
fn the_good_file_is_good() {
    verify(fixture(GOOD).as_bytes()).unwrap();
}

#[test]
fn another_kind_of_file_is_named() {
    check("GS*HP", "GS*HB", Kind::WrongSet, "loop envelope, segment 2 GS01");
    check("ST*835", "ST*837", Kind::WrongSet, "loop envelope, segment 3 ST01");
    check("005010X221A1", "004010X091A1", Kind::WrongSet, "loop envelope, segment 2 GS08");
    assert!(without("GS*HP", "GS*HB").what.ends_with("HP is expected and HB was found"));
    assert!(without("GS*HP", "GS*JANE DOE").what.ends_with("something else was found"));
}

#[test]
fn control_numbers_and_counts_must_hold() {
    check("SE*22*0201", "SE*22*0202", Kind::ControlNumber, "loop envelope, segment 24 SE02");
    check("SE*22*", "SE*21*", Kind::Count, "loop envelope, segment 24 SE01");
    check("GE*1*201", "GE*1*9", Kind::ControlNumber, "loop envelope, segment 25 GE02");
    check("GE*1*201", "GE*2*201", Kind::Count, "loop envelope, segment 25 GE01");
    check("IEA*1*", "IEA*1*9", Kind::ControlNumber, "loop envelope, segment 26 IEA02");
    check("IEA*1*", "IEA*2*", Kind::Count, "loop envelope, segment 26 IEA01");
}

#[test]
fn a_line_a_claim_and_a_file_that_do_not_balance_are_told_apart() {
    check(
        "SVC*HC:99214:25*300",
        "SVC*HC:99214:25*300.01",
        Kind::Unbalanced,
        "claim 1, loop 2110, segment 18 SVC03",
    );
    check("CLP*CLM-2A*1*300", "CLP*CLM-2A*1*299", Kind::Unbalanced, "claim 1, loop 2100, segment 13 CLP04");
    check("BPR*I*130", "BPR*I*130.5", Kind::Unbalanced, "loop header, segment 4 BPR02");
    let text = without("CAS*PR*2*50", "CAS*PR*2*49.99").to_string();
    assert_eq!(
        text,
        "the service line does not balance: charge less adjustments is 130.01 USD, 130.00 USD is stated as paid, the \
         difference is -0.01 USD (claim 1, loop 2110, segment 18 SVC03). Nothing of the file was applied. Do not post \
         it by hand: send this place to the payer and ask for a corrected file."
    );
}

#[test]
fn amounts_are_exact_or_refused() {
    check("*130*50*12", "*130.001*50*12", Kind::BadValue, "claim 1, loop 2100, segment 13 CLP04");
    check("*130*50*12", "*130*1,000*12", Kind::BadValue, "claim 1, loop 2100, segment 13 CLP05");
    check("CAS*CO*45*120", "CAS*CO*45", Kind::Missing, "claim 1, loop 2110, segment 20 CAS03");
    check("CAS*CO*45*120", "CAS*CO*45*120**2", Kind::Missing, "claim 1, loop 2110, segment 20 CAS06");
    check("BPR*I*130", "BPR*I*x", Kind::BadValue, "loop header, segment 4 BPR02");
    check(
        "*130*50*12",
        "*99999999999999999999*50*12",
        Kind::BadValue,
        "claim 1, loop 2100, segment 13 CLP04",
    );
}

#[test]
fn segments_where_they_cannot_be_are_refused() {
    check("LX*1~\nCLP", "CLQ", Kind::Structure, "loop header, segment 13 NM1");
    check("TRN*1*EFT-00201*1777777777~\n", "", Kind::Missing, "loop header, segment 11 LX");
    check("N1*PE*EXAMPLE CLINIC*XX*1234567893", "N4*X", Kind::Missing, "loop header, segment 12 LX");
    check("REF*6R*L1", "BPR*I*1*C*ACH", Kind::Structure, "claim 1, loop 2110, segment 22 BPR");
    check("ST*835*0201~\n", "", Kind::Structure, "loop envelope, segment 3 BPR");
    check("AMT*B6*180", "PLB*1*20261231*WO:1*0~\nREF*6R*2", Kind::Structure, "loop summary, segment 24 REF");
}

#[test]
fn something_after_the_interchange_is_refused() {
    let text = fixture(GOOD);
    let twice = verify(format!("{text}{text}").as_bytes()).unwrap_err();
    assert_eq!((twice.kind, twice.at.segment), (Kind::Structure, 27));
    assert_eq!(verify(format!("{text}rest").as_bytes()).unwrap_err().kind, Kind::Truncated);
}

#[test]
fn a_shifted_element_is_never_repeated_in_an_error() {
    let name = "JANE Q DOE";
    for at in [
        "*300*130*50",
        "CAS*CO*45*120",
        "HP*HARBOR",
        "835*0201",
        "*C*ACH",
        "*20261005",
        "CLM-2A*1",
        "ACH*CCP",
    ] {
        let Err(error) = verify(fixture(GOOD).replacen(at, &format!("*{name}*"), 1).as_bytes()) else {
            continue;
        };
        assert!(!format!("{error} {error:?}").contains("JANE"), "{error}");
    }
}

#[test]
fn a_segment_of_adjustments_holds_six() {
    let six = "*1*0*".repeat(6);
    check("CAS*PR*2*50", &format!("CAS*PR{six}*2*50"), Kind::Structure, "claim 1, loop 2110, segment 21 CAS");
}

#[test]
fn a_claim_is_bounded() {
    let many = "QTY*CA*1~\n".repeat(20_001);
    let error = without("REF*6R*L1~\n", &many);
    assert_eq!((error.kind, error.at.claim), (Kind::TooLarge, Some(1)));
}
