//! What banks send, in each format.

use suture_connect::bank::{Format, Proof, read};
use suture_core::money::Money;

use crate::support::{BAI2, CAMT, CSV, OFX1, files, mapping, one};

#[test]
fn every_format_tells_the_same_two_lines() {
    for (format, content) in files() {
        let statement = one(&format, content).unwrap();
        let name = format.name();
        let amounts: Vec<i64> = statement.lines.iter().map(|line| line.amount.minor).collect();
        assert_eq!(amounts, [175_110, -1_250], "{name}");
        assert_eq!(statement.closing, Some(Money::usd(183_860)), "{name}");
        assert_eq!(statement.account.expose(), "123456789", "{name}");
        assert!(statement.lines[0].descriptor.expose().starts_with("STRIPE PAYOUT"), "{name}");
        for line in &statement.lines {
            assert_eq!(line.booked_on.to_string(), "2026-11-20", "{name}");
        }
        let expected = if format == Format::Ofx { Proof::ClosingOnly } else { Proof::Totals };
        assert_eq!(statement.proof, expected, "{name}");
    }
}

#[test]
fn the_same_file_twice_has_the_same_fingerprint_and_line_ids() {
    for (format, content) in files() {
        let (first, again) = (one(&format, content).unwrap(), one(&format, content).unwrap());
        assert_eq!(first, again, "{}", format.name());
        let windows = one(&format, &content.replace('\n', "\r\n")).unwrap();
        assert_eq!(first.fingerprint, windows.fingerprint, "{}", format.name());
    }
}

#[test]
fn what_the_bank_wrote_is_never_printed() {
    for (format, content) in files() {
        let printed = format!("{:?}", one(&format, content).unwrap());
        assert!(!printed.contains("STRIPE") && !printed.contains("123456789"), "{}", format.name());
    }
}

#[test]
fn the_banks_id_is_kept_when_it_is_one_of_a_kind_and_replaced_by_content_otherwise() {
    let statement = one(&Format::Ofx, OFX1).unwrap();
    assert_eq!(statement.lines[0].id, "b:TRACE-77");
    let reused = one(&Format::Ofx, &OFX1.replace("<FITID>F2", "<FITID>TRACE-77")).unwrap();
    assert!(reused.lines.iter().all(|line| line.id.starts_with("h:")));
    assert_ne!(reused.lines[0].id, reused.lines[1].id);
}

#[test]
fn two_equal_lines_of_one_day_are_two_lines() {
    let twice = "Date,Description,Money In,Money Out,Balance,Ref\n11/20/2026,COPAY,20.00,,20.00,\n11/20/2026,COPAY,20.00,,40.00,\n";
    let mut mapping = mapping();
    mapping.skip_lines = 0;
    let statement = one(&Format::Csv(Box::new(mapping)), twice).unwrap();
    assert_ne!(statement.lines[0].id, statement.lines[1].id);
    assert_eq!(statement.opening, Some(Money::usd(0)));
}

#[test]
fn a_csv_of_europe_is_read_by_its_mapping_alone() {
    use suture_connect::bank::{AmountColumns, DateOrder};
    let mut mapping = mapping();
    mapping.currency = "EUR".into();
    mapping.delimiter = ';';
    mapping.skip_lines = 0;
    mapping.decimal = ',';
    mapping.dates = DateOrder::DayMonthYear;
    mapping.booked_on = "Buchung".into();
    mapping.amount = AmountColumns::Signed("Betrag".into());
    mapping.balance = None;
    mapping.descriptor = vec!["Text".into()];
    mapping.reference = None;
    let bytes = b"Buchung;Text;Betrag\n20.11.2026;Geb\xfchr;-1.012,50\n";
    let statement = read(&Format::Csv(Box::new(mapping)), bytes).unwrap().remove(0);
    assert_eq!(statement.lines[0].amount.to_string(), "-1012.50 EUR");
    assert_eq!(statement.lines[0].descriptor.expose(), "Gebühr");
    assert_eq!(statement.proof, Proof::None);
}

#[test]
fn the_newest_line_may_stand_first() {
    let mut mapping = mapping();
    mapping.newest_first = true;
    let lines: Vec<&str> = CSV.lines().collect();
    let turned = format!("{}\n{}\n{}\n{}\n{}\n", lines[0], lines[1], lines[2], lines[4], lines[3]);
    let statement = one(&Format::Csv(Box::new(mapping)), &turned).unwrap();
    assert_eq!(
        (statement.opening, statement.lines[0].amount),
        (Some(Money::usd(10_000)), Money::usd(175_110))
    );
}

#[test]
fn a_format_is_known_by_its_beginning() {
    assert_eq!(Format::guess(BAI2.as_bytes()), Some(Format::Bai2));
    assert_eq!(Format::guess(CAMT.as_bytes()), Some(Format::Camt053));
    assert_eq!(Format::guess(OFX1.as_bytes()), Some(Format::Ofx));
    assert_eq!(Format::guess(CSV.as_bytes()), None);
}

#[test]
fn text_of_a_bai2_line_may_hold_commas_and_go_on() {
    let statement = one(&Format::Bai2, BAI2).unwrap();
    assert_eq!(statement.lines[0].descriptor.expose(), "STRIPE PAYOUT, CLINIC /A ST-X1Y2");
    assert_eq!(statement.lines[0].id, "b:TRACE-77");
    assert_eq!(statement.lines[1].descriptor.expose(), "MONTHLY FEE");
}
