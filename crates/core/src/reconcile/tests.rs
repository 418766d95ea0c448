//! Matching, told by examples.

use super::{By, Item, Outcome, Rule, Shape, Side, Why, reconcile};
use crate::currency::Currency;
use crate::day::Day;
use crate::money::Money;

fn day(number: i8) -> Day {
    Day::of(2026, 11, number).unwrap()
}

fn item(id: &str, reference: &str, minor: i64, on: i8) -> Item {
    Item::new(id, Some(reference).filter(|text| !text.is_empty()), Money::usd(minor), day(on))
}

fn label(outcome: &Outcome, names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    outcome.remainders[&Currency::USD].label(&names)
}

#[test]
fn ids_match_whatever_the_days_are() {
    let left = [item("txn_1", "ch_1", 1000, 30), item("txn_2", "re_1", -200, 1)];
    let right = [item("refund:re_1", "re_1", -200, 30), item("capture:ch_1", "ch_1", 1000, 1)];
    let outcome = reconcile(&left, &right, &[Rule::exact("by id")]).unwrap();
    assert_eq!((outcome.matches.len(), outcome.exceptions.len()), (2, 0));
    assert_eq!(label(&outcome, &[]), "explained 100 %");
}

#[test]
fn what_only_one_side_has_is_named_with_its_amount() {
    let left = [item("txn_1", "ch_1", 1000, 1), item("txn_2", "", 312, 1)];
    let right = [item("capture:ch_1", "ch_1", 1000, 1)];
    let outcome = reconcile(&left, &right, &[Rule::exact("by id")]).unwrap();
    assert_eq!(outcome.exceptions.len(), 1);
    assert_eq!((outcome.exceptions[0].position, outcome.exceptions[0].why), (1, Why::NoCounterpart));
    assert_eq!(label(&outcome, &["capital_repayment 3.12"]), "unexplained 3.12: capital_repayment 3.12");
}

#[test]
fn exceptions_that_cancel_each_other_out_explain_nothing() {
    let left = [item("a", "x", 312, 1), item("b", "y", -312, 1)];
    let outcome = reconcile(&left, &[], &[Rule::exact("by id")]).unwrap();
    assert_eq!(label(&outcome, &["a", "b"]), "unexplained 0.00: a, b");
}

#[test]
fn a_payout_of_many_lines_is_one_line_at_the_bank() {
    let left: Vec<Item> = (0..214).map(|n| item(&format!("txn_{n}"), "po_1", 100 + n, 1)).collect();
    let total = left.iter().map(|item| item.amount_minor).sum::<i64>();
    let right = [item("bank_1", "po_1", total - 1500, 3)];
    let rule = Rule::exact("payout").shaped(Shape::ManyToOne).within(1500).days(3);
    let outcome = reconcile(&left, &right, &[rule]).unwrap();
    assert_eq!(outcome.matches[0].left.positions().len(), 214);
    assert_eq!(outcome.matches[0].difference_minor, 1500);
    assert_eq!(outcome.remainders[&Currency::USD].tolerated, Money::usd(1500));
}

#[test]
fn one_payout_that_the_bank_splits_is_matched_by_its_descriptor() {
    let bank = [
        item("b1", "", 100_000, 2).described("Stripe Payout"),
        item("b2", "", 75_110, 3).described("STRIPE-PAYOUT"),
    ];
    let payout = [item("po_1", "", 175_110, 1).described("stripe payout")];
    let rule = Rule::exact("split").by(By::Descriptor).shaped(Shape::ManyToOne).days(3);
    let outcome = reconcile(&bank, &payout, &[rule]).unwrap();
    assert_eq!((outcome.matches.len(), outcome.exceptions.len()), (1, 0));
}

#[test]
fn a_tolerance_never_takes_what_fits_another_exactly() {
    let bank = [item("b1", "", 995, 2), item("b2", "", 1000, 2)];
    let payouts = [item("p1", "", 1000, 1)];
    let rule = Rule::exact("amount").by(By::Amount).within(5).days(2);
    let outcome = reconcile(&bank, &payouts, &[rule]).unwrap();
    assert_eq!(outcome.matches[0].left.positions(), [1]);
    assert_eq!((outcome.exceptions[0].side, outcome.exceptions[0].position), (Side::Left, 0));
}

#[test]
fn of_equal_amounts_the_nearest_day_is_taken() {
    let bank = [item("b1", "", 1000, 9)];
    let payouts = [item("p1", "", 1000, 1), item("p2", "", 1000, 8), item("p3", "", 1000, 28)];
    let outcome = reconcile(&bank, &payouts, &[Rule::exact("amount").by(By::Amount).days(5)]).unwrap();
    assert_eq!(outcome.matches[0].right.positions(), [1]);
}

#[test]
fn the_reason_of_an_exception_is_the_nearest_to_a_match() {
    let left = [item("a", "ch_1", 1000, 1), item("b", "ch_2", 500, 1), item("a", "ch_3", 7, 1)];
    let right = [item("c", "ch_1", 990, 1), item("d", "ch_2", 500, 20)];
    let outcome = reconcile(&left, &right, &[Rule::exact("by id").days(3)]).unwrap();
    let whys: Vec<Why> = outcome.exceptions.iter().map(|exception| exception.why).collect();
    let expected = [
        Why::AmountDiffers { by_minor: 10 },
        Why::TooFarApart { days: 19 },
        Why::Repeated,
        Why::AmountDiffers { by_minor: -10 },
        Why::TooFarApart { days: 19 },
    ];
    assert_eq!(whys, expected);
}

#[test]
fn two_currencies_never_explain_each_other() {
    let yen = Currency::parse("JPY").unwrap();
    let left = [Item::new("a", Some("x"), Money::usd(5), day(1))];
    let right = [Item::new("b", Some("x"), Money::new(5, yen), day(1))];
    let rules = [Rule::exact("by id"), Rule::exact("amount").by(By::Amount)];
    let outcome = reconcile(&left, &right, &rules).unwrap();
    assert_eq!((outcome.matches.len(), outcome.remainders.len()), (0, 2));
}
