//! What holds whatever the gateway and the bank say, in any order.

use proptest::prelude::{Just, Strategy, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::tests::{day, fact, heard, line, matching};
use super::{
    Bank, Booking, Class, Command, Line, Resolution, Settlement, Standing, Status, decide, judge, postings,
};
use crate::currency::Currency;
use crate::ledger::{Account, Balances};
use crate::money::Money;

fn command() -> impl Strategy<Value = Command> {
    let standing = prop_oneof![
        Just(Standing::Pending),
        Just(Standing::InTransit),
        Just(Standing::Paid),
        Just(Standing::Failed),
        Just(Standing::Canceled)
    ];
    let unknown = || judge(&[line("txn_9", Class::Other, "", 300, 0)], &[]).unwrap().1;
    prop_oneof![
        Just(Command::Hear(Box::new(heard(1_000)))),
        standing.prop_map(|standing| Command::See { standing, trace: None, code: None, today: day(22) }),
        (900..1_100_i64, 0..2_u8)
            .prop_map(move |(net, odd)| { matching(net, if odd == 1 { unknown() } else { Vec::new() }) }),
        (0..4_u8, -1_000..1_000_i64, 0..30_i64).prop_map(|(id, minor, kept)| {
            let minor = if id == 0 { 1_000 } else { minor };
            let kept = if id == 0 { 0 } else { kept };
            let line = format!("bank_{id}_{minor}");
            Command::SeeBank(Bank { line, amount: Money::usd(minor), kept: Money::usd(kept), on: day(20) })
        }),
        Just(Command::Resolve { transaction: "txn_9".into(), resolution: Resolution::Fact }),
        Just(Command::Resolve {
            transaction: "po_1:difference".into(),
            resolution: Resolution::Account { account: Account::ExpFee }
        }),
    ]
}

proptest! {
    #[test]
    fn the_books_say_what_the_payout_says(commands in proptest::collection::vec(command(), 0..14)) {
        let (mut state, mut books) = (None, Balances::default());
        for command in &commands {
            let Ok(events) = decide(state.as_ref(), command) else { continue };
            for event in events {
                for posting in postings(state.as_ref(), &event).unwrap() {
                    books.add(&posting).unwrap();
                }
                state = Settlement::evolve(state, &event);
            }
            let Some(state) = &state else { continue };
            let of = |account: &Account| books.get(account, Currency::USD);
            prop_assert_eq!(of(&Account::BankTransit), state.transit_minor);
            prop_assert_eq!(of(&Account::SuspUnknown), -state.unexplained().minor);
            if state.status() == Status::Closed {
                prop_assert!(state.exceptions.is_empty() && state.transit_minor == 0);
            }
            // The same word twice changes nothing.
            if !matches!(command, Command::Resolve { .. }) {
                prop_assert_eq!(decide(Some(state), command).unwrap_or_default(), Vec::new());
            }
        }
    }

    #[test]
    fn every_minor_unit_of_a_line_is_matched_or_booked(
        lines in proptest::collection::vec((0..4_u8, -50..50_i64, 0..20_i64), 0..12),
        known in proptest::collection::vec((0..12_usize, proptest::bool::ANY, -50..50_i64), 0..20),
    ) {
        let classes = [Class::Charge, Class::Refund, Class::Fee, Class::Other];
        let lines: Vec<Line> = lines
            .iter()
            .enumerate()
            .map(|(n, (class, gross, fee))| line(&format!("txn_{n}"), classes[usize::from(*class)], "x", *gross, *fee))
            .collect();
        let facts: Vec<_> = known
            .iter()
            .enumerate()
            .map(|(n, (of, is_fee, minor))| fact(&format!("fact_{n}"), &format!("txn_{of}"), *is_fee, *minor))
            .collect();
        let (matched, left) = judge(&lines, &facts).unwrap();
        // What is booked makes the books' account change by what the line says, for every part that was judged.
        for judged in &left {
            let is_fee = judged.transaction.ends_with(":fee");
            let id = judged.transaction.trim_end_matches(":fee");
            let line = lines.iter().find(|line| line.transaction == id).unwrap();
            let part = if is_fee { -line.fee.minor } else { line.gross.minor };
            let told: i64 = facts
                .iter()
                .filter(|fact| fact.transaction == id && fact.is_fee == is_fee)
                .map(|fact| fact.amount.minor)
                .sum();
            let has_match = matched.get(id).is_some_and(|keys| keys.iter().any(|key| {
                facts.iter().any(|fact| fact.key == *key && fact.is_fee == is_fee)
            }));
            prop_assert!(!has_match, "a part is matched or judged, never both");
            prop_assert_eq!(judged.amount.minor + told, part);
            let is_exchange = matches!(judged.booking, Booking::Exchange { .. });
            prop_assert!(!is_exchange);
        }
    }
}
