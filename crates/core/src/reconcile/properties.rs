//! What holds for any lists and rules.

use std::collections::BTreeSet;

use proptest::prelude::{Just, Strategy, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::{By, Item, Outcome, Rule, Shape, Side, reconcile};
use crate::currency::Currency;
use crate::day::Day;
use crate::money::Money;

fn items() -> impl Strategy<Value = Vec<Item>> {
    let one = (0..60_u32, 0..12_u32, -6..12_i64, 0..10_i32, 0..3_u32).prop_map(
        |(id, reference, minor, day, kind)| {
            let currency = if kind == 0 { Currency::parse("JPY").unwrap() } else { Currency::USD };
            let on = Day::of(2026, 11, 1).unwrap().plus(day);
            let reference = (reference < 9).then(|| format!("ref_{reference}"));
            Item::new(&format!("id_{id}"), reference.as_deref(), Money::new(minor, currency), on)
                .described(&format!("text {}", minor.rem_euclid(3)))
        },
    );
    proptest::collection::vec(one, 0..40)
}

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let shape = prop_oneof![Just(Shape::OneToOne), Just(Shape::OneToMany), Just(Shape::ManyToOne)];
    let by = prop_oneof![Just(By::Reference), Just(By::Amount), Just(By::Descriptor)];
    let one =
        (shape, by, 0..4_i64, proptest::option::of(0..5_i64)).prop_map(|(shape, by, tolerance, window)| {
            let rule = Rule::exact("rule").shaped(shape).by(by).within(tolerance);
            window.map_or(rule.clone(), |days| rule.days(days))
        });
    proptest::collection::vec(one, 0..4)
}

/// Matches as sets of ids, so that positions do not matter.
fn told(outcome: &Outcome, left: &[Item], right: &[Item]) -> Vec<String> {
    let ids = |items: &[Item], positions: &[u32]| {
        let mut ids: Vec<String> =
            positions.iter().map(|p| format!("{:?}", &items[usize::try_from(*p).unwrap()])).collect();
        ids.sort();
        ids.join(",")
    };
    let matched = outcome.matches.iter().map(|found| {
        format!(
            "{} {} = {}",
            found.rule,
            ids(left, found.left.positions()),
            ids(right, found.right.positions())
        )
    });
    let excepted = outcome.exceptions.iter().map(|exception| {
        let items = if exception.side == Side::Left { left } else { right };
        format!("{:?} {} {:?}", exception.side, ids(items, &[exception.position]), exception.why)
    });
    let mut all: Vec<String> = matched.chain(excepted).collect();
    all.sort();
    all
}

proptest! {
    #[test]
    fn every_item_is_in_one_match_or_one_exception(left in items(), right in items(), rules in rules()) {
        let outcome = reconcile(&left, &right, &rules).unwrap();
        let mut seen = BTreeSet::new();
        for found in &outcome.matches {
            for position in found.left.positions() {
                prop_assert!(seen.insert((Side::Left, *position)));
            }
            for position in found.right.positions() {
                prop_assert!(seen.insert((Side::Right, *position)));
            }
        }
        for exception in &outcome.exceptions {
            prop_assert!(seen.insert((exception.side, exception.position)));
        }
        prop_assert_eq!(seen.len(), left.len() + right.len());
    }

    #[test]
    fn a_match_keeps_its_rule(left in items(), right in items(), rules in rules()) {
        for found in reconcile(&left, &right, &rules).unwrap().matches {
            let rule = &rules[found.rule];
            let at = |items: &[Item], positions: &[u32]| -> Vec<Item> {
                positions.iter().map(|p| items[usize::try_from(*p).unwrap()].clone()).collect()
            };
            let (ls, rs) = (at(&left, found.left.positions()), at(&right, found.right.positions()));
            let sum = |items: &[Item]| items.iter().map(|item| item.amount_minor).sum::<i64>();
            prop_assert_eq!(sum(&ls) - sum(&rs), found.difference_minor);
            prop_assert!(found.difference_minor.abs() <= rule.tolerance_minor);
            for (l, r) in ls.iter().flat_map(|l| rs.iter().map(move |r| (l, r))) {
                prop_assert_eq!(l.currency, r.currency);
                prop_assert!(rule.window_days.is_none_or(|window| (l.day - r.day).abs() <= window));
                prop_assert!(rule.by != By::Reference || l.reference.is_some() && l.reference == r.reference);
            }
            prop_assert!(rule.shape != Shape::OneToOne || ls.len() == 1 && rs.len() == 1);
        }
    }

    #[test]
    fn the_remainder_is_what_is_left_and_nothing_is_lost(left in items(), right in items(), rules in rules()) {
        let outcome = reconcile(&left, &right, &rules).unwrap();
        for remainder in outcome.remainders.values() {
            let difference = remainder.left.minor - remainder.right.minor;
            prop_assert_eq!(remainder.tolerated.minor + remainder.unexplained.minor, difference);
        }
    }

    #[test]
    fn the_order_of_the_lists_changes_nothing(left in items(), right in items(), rules in rules()) {
        let (mut left_turned, mut right_turned) = (left.clone(), right.clone());
        left_turned.reverse();
        right_turned.rotate_left(right.len() / 2);
        let (first, other) =
            (reconcile(&left, &right, &rules).unwrap(), reconcile(&left_turned, &right_turned, &rules).unwrap());
        prop_assert_eq!(told(&first, &left, &right), told(&other, &left_turned, &right_turned));
    }
}
