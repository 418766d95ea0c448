//! The daily compare: differences with the documents that put the ERP right.

use std::collections::BTreeMap;

use suture_connect::erp::compare::{
    Context, Difference, Field, Movement, Recorded, Rules, Said, Sides, compare,
};
use suture_connect::erp::document::ReceiptId;
use suture_core::calendar::LocalDate;
use suture_core::money::Money;

fn day(text: &str) -> LocalDate {
    LocalDate::parse(text).unwrap()
}

fn said(reference: &str, movement: Movement, minor: i64) -> Said {
    let date = day("2026-11-20");
    Said {
        reference: reference.to_owned(),
        movement,
        amount: Money::usd(minor),
        date,
        customer_number: Some(17),
    }
}

fn paid(reference: &str, minor: i64) -> Said {
    said(reference, Movement::Payment, minor)
}

fn recorded(said: Said) -> Recorded {
    let receipt = Some(ReceiptId { group: "S261120A".to_owned(), head: 1 });
    Recorded { said, context: Context { receipt, invoice_number: Some(501), ..Context::default() } }
}

struct World {
    gateway: Vec<Said>,
    ours: Vec<Said>,
    erp: Vec<Recorded>,
    known: BTreeMap<String, Context>,
    reversals: BTreeMap<String, String>,
}

impl World {
    fn of(gateway: &[Said], ours: &[Said], erp: &[Recorded]) -> Self {
        let (known, reversals) = (BTreeMap::new(), BTreeMap::new());
        Self { gateway: gateway.to_vec(), ours: ours.to_vec(), erp: erp.to_vec(), known, reversals }
    }

    fn compare(&self) -> Vec<Difference> {
        let rules = Rules { days_off: 1, today: day("2026-11-21"), reason_code: "FIX".to_owned() };
        let sides = Sides {
            gateway: &self.gateway,
            ours: &self.ours,
            erp: &self.erp,
            known: &self.known,
            reversals: &self.reversals,
        };
        let found = compare(&sides, &rules);
        assert_eq!(found, compare(&sides, &rules), "the same lists give the same result");
        for document in found.iter().filter_map(|difference| difference.correction.as_ref()) {
            document.check().unwrap();
        }
        found
    }

    fn only(&self) -> Difference {
        let mut found = self.compare();
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }
}

fn correction(difference: &Difference) -> (&'static str, &str, i64) {
    let document = difference.correction.as_ref().unwrap();
    (document.kind(), document.reference(), document.amount().unwrap().minor)
}

#[test]
fn three_sides_that_agree_differ_in_nothing() {
    let mut late = recorded(paid("p", 100));
    late.said.date = day("2026-11-21");
    late.said.customer_number = None;
    assert_eq!(World::of(&[paid("p", 100)], &[paid("p", 100)], &[late]).compare(), []);
}

#[test]
fn a_payment_that_the_erp_lacks_is_recorded_under_its_own_reference() {
    let difference = World::of(&[paid("p", 100)], &[paid("p", 100)], &[]).only();
    assert_eq!((difference.field, correction(&difference)), (Field::Presence, ("cash_receipt", "p", 100)));
    assert_eq!((difference.gateway.as_deref(), difference.erp), (Some("1.00 USD"), None));
}

#[test]
fn without_a_customer_nothing_can_be_proposed() {
    let mut payment = paid("p", 100);
    payment.customer_number = None;
    let difference = World::of(&[payment.clone()], &[payment], &[]).only();
    assert_eq!(difference.correction, None);
    assert!(difference.sentence.contains("Link the customer"));
}

#[test]
fn a_refund_that_the_erp_lacks_goes_to_the_invoice_or_the_receipt() {
    let refund = said("r", Movement::Refund, 40);
    let mut world = World::of(std::slice::from_ref(&refund), std::slice::from_ref(&refund), &[]);
    assert_eq!(world.only().correction, None);
    let receipt = Some(ReceiptId { group: "S261120A".to_owned(), head: 1 });
    world.known.insert("r".to_owned(), Context { receipt, ..Context::default() });
    assert_eq!(correction(&world.only()), ("receipt_reversal", "r", 40));
    world.known.get_mut("r").unwrap().invoice_number = Some(501);
    assert_eq!(correction(&world.only()), ("credit_memo", "r", 40));
}

#[test]
fn a_dispute_that_the_erp_lacks_is_charged() {
    let dispute = said("d", Movement::Dispute, 100);
    let difference = World::of(std::slice::from_ref(&dispute), std::slice::from_ref(&dispute), &[]).only();
    assert_eq!(correction(&difference), ("debit_memo", "d", 100));
}

#[test]
fn a_record_of_the_erp_alone_is_taken_back() {
    let difference = World::of(&[], &[], &[recorded(paid("p", 100))]).only();
    assert_eq!(correction(&difference), ("receipt_reversal", "p#1", 100));
    let difference = World::of(&[], &[], &[recorded(said("r", Movement::Refund, 100))]).only();
    assert_eq!(correction(&difference), ("debit_memo", "r#1", 100));
    let difference = World::of(&[], &[], &[recorded(said("d", Movement::Dispute, 100))]).only();
    assert_eq!(correction(&difference), ("credit_memo", "d#1", 100));
}

#[test]
fn a_receipt_recorded_twice_keeps_the_first() {
    let mut second = recorded(paid("p", 100));
    second.context.receipt.as_mut().unwrap().head = 2;
    let difference =
        World::of(&[paid("p", 100)], &[paid("p", 100)], &[recorded(paid("p", 100)), second]).only();
    assert_eq!((difference.field, correction(&difference)), (Field::Count, ("receipt_reversal", "p#2", 100)));
}

#[test]
fn another_amount_in_the_erp_is_corrected_by_the_difference() {
    let amount = |erp: Recorded| World::of(&[paid("p", 100)], &[paid("p", 100)], &[erp]).only();
    assert_eq!(correction(&amount(recorded(paid("p", 90)))), ("cash_receipt", "p#1", 10));
    let more = amount(recorded(paid("p", 130)));
    assert_eq!((more.field, correction(&more)), (Field::Amount, ("receipt_reversal", "p#1", 30)));
    assert_eq!((more.ours.as_deref(), more.erp.as_deref()), (Some("1.00 USD"), Some("1.30 USD")));
    let mut posted = recorded(paid("p", 130));
    posted.context.posted = true;
    assert_eq!(correction(&amount(posted)), ("debit_memo", "p#1", 30));
    let refund = said("r", Movement::Refund, 100);
    let short = recorded(said("r", Movement::Refund, 60));
    let difference = World::of(std::slice::from_ref(&refund), std::slice::from_ref(&refund), &[short]).only();
    assert_eq!(correction(&difference), ("credit_memo", "r#1", 40));
}

#[test]
fn what_only_our_books_have_wrong_is_not_corrected_in_the_erp() {
    let difference = World::of(&[paid("p", 100)], &[paid("p", 90)], &[recorded(paid("p", 100))]).only();
    assert_eq!((difference.field, difference.correction.is_none()), (Field::Amount, true));
    assert!(difference.sentence.contains("our own entry"));
    for (gateway, ours) in [(vec![paid("p", 100)], vec![]), (vec![], vec![paid("p", 100)])] {
        assert_eq!(World::of(&gateway, &ours, &[]).only().correction, None);
    }
    let three = World::of(&[paid("p", 100)], &[paid("p", 90)], &[recorded(paid("p", 80))]).only();
    assert_eq!(three.correction, None, "all three differ");
}

#[test]
fn other_currencies_customers_and_days_go_to_a_person() {
    let mut other = recorded(paid("p", 100));
    other.said.customer_number = Some(18);
    other.said.date = day("2026-11-25");
    let found = World::of(&[paid("p", 100)], &[paid("p", 100)], &[other]).compare();
    let fields: Vec<Field> = found.iter().map(|difference| difference.field).collect();
    assert_eq!(fields, [Field::Date, Field::Customer]);
    assert!(found.iter().all(|difference| difference.correction.is_none()));
}

#[test]
fn a_refund_taken_from_its_receipt_counts_against_the_payment() {
    let lists = [paid("p", 100), said("r", Movement::Refund, 40)];
    let mut world = World::of(&lists, &lists, &[recorded(paid("p", 60))]);
    world.reversals.insert("r".to_owned(), "p".to_owned());
    assert_eq!(world.compare(), [], "lowered");
    let lists = [paid("p", 100), said("r", Movement::Refund, 100)];
    let mut world = World::of(&lists, &lists, &[]);
    world.reversals.insert("r".to_owned(), "p".to_owned());
    assert_eq!(world.compare(), [], "deleted");
    world.erp.push(recorded(paid("p", 100)));
    assert_eq!(correction(&world.only()).0, "receipt_reversal", "it is there after all");
}

#[test]
fn a_correction_that_was_filed_is_counted_in_and_not_proposed_again() {
    let payment = [paid("p", 100)];
    let mut rest = recorded(paid("p#1", 10));
    rest.context.receipt.as_mut().unwrap().head = 2;
    let mut world = World::of(&payment, &payment, &[recorded(paid("p", 90)), rest]);
    assert_eq!(world.compare(), []);
    world.erp[0].said.amount = Money::usd(80);
    assert_eq!(correction(&world.only()), ("cash_receipt", "p#2", 10), "another one gets another reference");

    let charged = recorded(said("p#1", Movement::Dispute, 30));
    assert_eq!(World::of(&payment, &payment, &[recorded(paid("p", 130)), charged]).compare(), []);
    let charged = recorded(said("r#1", Movement::Dispute, 100));
    assert_eq!(World::of(&[], &[], &[recorded(said("r", Movement::Refund, 100)), charged]).compare(), []);
}
