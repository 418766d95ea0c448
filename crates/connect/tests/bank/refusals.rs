//! What is refused, and whether the place is the right one.

use suture_connect::bank::{Format, Kind};

use crate::support::{BAI2, CAMT, CSV, OFX1, mapping, one};

fn refused(format: &Format, content: &str) -> (Kind, String) {
    let error = one(format, content).unwrap_err();
    assert!(error.to_string().contains("Nothing of the file was applied"));
    (error.kind, error.at.to_string())
}

#[test]
fn a_changed_amount_breaks_the_control_total_of_its_account() {
    let changed = BAI2.replace("16,698,1250,", "16,698,1260,");
    assert_eq!(refused(&Format::Bai2, &changed), (Kind::Unbalanced, "line 8, 49, control total".into()));
}

#[test]
fn balances_that_do_not_hold_are_refused_even_when_control_totals_do() {
    let changed = BAI2.replace("010,10000", "010,10001").replace("546580", "546581");
    assert_eq!(refused(&Format::Bai2, &changed), (Kind::Unbalanced, "line 3, 03, balances".into()));
}

#[test]
fn a_record_that_was_cut_out_breaks_a_count() {
    let without: String = BAI2
        .lines()
        .filter(|line| !line.starts_with("88,ST"))
        .fold(String::new(), |all, line| all + line + "\n");
    assert_eq!(refused(&Format::Bai2, &without), (Kind::Count, "line 7, 49, number of records".into()));
}

#[test]
fn a_camt_entry_that_was_removed_breaks_the_count_and_a_changed_one_the_balance() {
    let changed = CAMT.replace("1751.10", "1751.11");
    assert_eq!(refused(&Format::Camt053, &changed), (Kind::Unbalanced, "line 3, Stmt".into()));
    let removed = CAMT.replace(
        "<Ntry><Amt Ccy=\"USD\">9.99</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>PDNG</Sts><NtryDtls/></Ntry>\n",
        "",
    );
    assert_eq!(
        refused(&Format::Camt053, &removed),
        (Kind::Count, "line 6, TxsSummry, TtlNtries/NbOfNtries".into())
    );
}

#[test]
fn a_camt_field_that_is_not_there_is_named_with_its_line() {
    let changed = CAMT.replace("<BookgDt><Dt>2026-11-20</Dt></BookgDt>", "");
    assert_eq!(refused(&Format::Camt053, &changed), (Kind::Missing, "line 7, Ntry, BookgDt".into()));
}

#[test]
fn a_csv_balance_that_does_not_follow_is_refused_at_its_line() {
    let changed = CSV.replace(",12.50,", ",12.51,");
    let format = Format::Csv(Box::new(mapping()));
    assert_eq!(refused(&format, &changed), (Kind::Unbalanced, "line 5, row, balance".into()));
    let no_column = CSV.replace("Money Out", "Paid Out");
    assert_eq!(refused(&format, &no_column), (Kind::Missing, "line 3, header, debit".into()));
    let bad = CSV.replace("11/20/26", "20/11/26");
    assert_eq!(refused(&format, &bad), (Kind::BadValue, "line 5, row, bookedOn".into()));
}

#[test]
fn an_ofx_transaction_without_an_amount_is_refused_at_its_line() {
    let changed = OFX1.replace("<TRNAMT>-12.50\n", "");
    assert_eq!(refused(&Format::Ofx, &changed), (Kind::Missing, "line 19, STMTTRN, TRNAMT".into()));
    let bad = OFX1.replace("-12.50", "-12.5x");
    assert_eq!(refused(&Format::Ofx, &bad), (Kind::BadValue, "line 22, STMTTRN, TRNAMT".into()));
}

#[test]
fn a_refusal_repeats_nothing_that_the_bank_wrote() {
    let shifted = CSV.replace("\"$1,751.10\"", "ANN EXAMPLE");
    let error = one(&Format::Csv(Box::new(mapping())), &shifted).unwrap_err();
    assert!(!error.to_string().contains("ANN"));
}

#[test]
fn a_document_type_is_refused_so_no_entity_grows() {
    let bomb = CAMT.replace("<Document", "<!DOCTYPE x [<!ENTITY a \"b\">]><Document");
    assert_eq!(refused(&Format::Camt053, &bomb).0, Kind::WrongFormat);
}
