//! Any order, subset and repetition of what a gateway tells ends in the same state and books (FLOWS §10).

use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, proptest};

use super::*;

/// Evidence by index into E1…E8, shuffled, repeated, and with at least one piece per fact.
fn any_telling(last: usize) -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(0..last, 0..24).prop_flat_map(move |mut told| {
        // At least one per fact: the charge (E2 or E4), the refund's outcome (the last of E5…E8).
        told.push(1);
        told.push(last - 1);
        Just(told).prop_shuffle()
    })
}

fn tell(order: &[usize]) -> Story {
    let events = events_of_one_payment();
    let mut story = Story::attempted(false);
    for index in order {
        let (evidence, second) = events[*index].clone();
        story.see(evidence, second);
    }
    story
}

proptest! {
    #[test]
    fn any_order_subset_and_repetition_of_e1_to_e7_is_refunded_once(order in any_telling(7)) {
        let story = tell(&order);
        prop_assert_eq!(story.status(), Status::Refunded);
        prop_assert_eq!(story.shown_balances(), vec!["exp:fee 3.78 USD", "gw:stripe -3.78 USD"]);
        prop_assert_eq!(story.keys.len(), 3);
    }

    #[test]
    fn any_order_of_e1_to_e8_ends_captured_with_a_credit(order in any_telling(8)) {
        let story = tell(&order);
        prop_assert_eq!(story.status(), Status::Captured);
        prop_assert_eq!(
            story.shown_balances(),
            vec!["credit:patient -120.00 USD", "exp:fee 3.78 USD", "gw:stripe 116.22 USD"]
        );
        prop_assert_eq!(story.keys.len(), 4);
    }

    #[test]
    fn replaying_the_journal_gives_the_state(order in any_telling(8)) {
        let story = tell(&order);
        let replayed = story.journal.iter().fold(None, Payment::evolve);
        prop_assert_eq!(replayed, story.payment);
    }

    #[test]
    fn whatever_happens_no_more_is_refundable_than_was_captured(
        steps in proptest::collection::vec((0usize..8, any::<bool>(), 1i64..15000), 0..20),
    ) {
        let events = events_of_one_payment();
        let mut story = Story::attempted(false);
        for (index, ask, minor) in steps {
            if ask {
                let _ = story.run(&Command::ReserveRefund { refund_id: refund_id(), amount: Money::usd(minor) }, 15);
            } else {
                story.see(events[index].0.clone(), events[index].1);
            }
            let payment = story.payment.as_ref().unwrap();
            let reserved: i64 = payment.reserved.values().map(|amount| amount.minor).sum();
            prop_assert!(payment.refundable().minor + reserved <= payment.captured_minor.max(0));
        }
    }
}
