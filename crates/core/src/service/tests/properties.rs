//! Whatever happens in whatever order: the books and the worksheet.

use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

use super::cash::give_back;
use super::*;
use crate::service::allocation_tests::adds_up;

proptest! {
    /// Whatever happens in whatever order, the books say what the worksheet says, and a completed service is even.
    #[test]
    fn the_books_always_say_what_the_worksheet_says(steps in proptest::collection::vec((0u8..10, 0u8..4, 1i64..9_000), 1..24)) {
        let mut story = Story::billed();
        let mut keys = 0;
        for (step, which, minor) in steps {
            match step {
                0 => { if !story.held.contains_key(&(10 + which)) { story.captured(10 + which, Kind::Estimate, minor); } }
                1 => { if !story.held.contains_key(&(20 + which)) { story.captured(20 + which, Kind::Balance, minor); } }
                2 => {
                    let known: Vec<u8> = story.held.keys().copied().collect();
                    if let Some(seed) = known.get(usize::from(which)) {
                        let part = minor.min(story.held[seed].net_minor);
                        if part > 0 { story.refunded(*seed, part); }
                    }
                }
                3 => {
                    keys += 1;
                    let _ = story.run(&Command::Adjudicate(decision(&format!("p{keys}"), Outcome::Processed, 30_000 - minor, &[(PR, "2", minor)])));
                }
                4 => {
                    keys += 1;
                    let last = story.state().decisions.iter().rev().find(|(known, _)| known.outcome != Outcome::Reversal).cloned();
                    if let Some((known, _)) = last {
                        let _ = story.run(&Command::Adjudicate(Adjudication { key: format!("p{keys}"), ..known.reversed() }));
                    }
                }
                5 => { let _ = story.run(&Command::Settle); }
                6 => {
                    let due = story.difference().min(minor);
                    let _ = story.run(&Command::WriteOff { amount: Money::usd(due), approver: "cfo".into(), reason: "x".into() });
                }
                7 => {
                    keys += 1;
                    let _ = story.run(&Command::RecordElsewhere { reference: format!("e{keys}"), amount: Money::usd(minor), author: "desk".into() });
                }
                8 => {
                    keys += 1;
                    let most = story.state().to_give_back_minor();
                    prop_assert!(story.run(&give_back(&format!("g{keys}"), most + 1)).is_err(), "never more than that");
                    let _ = story.run(&give_back(&format!("g{keys}"), minor.min(most)));
                }
                _ => { let _ = story.run(&Command::Complete); }
            }
            let sheet = story.state().worksheet();
            adds_up(story.state());
            let patient = story.balance(&Account::ArPatient) + story.balance(&Account::CreditPatient) + story.balance(&Account::DepositPatient);
            prop_assert_eq!(patient, sheet.difference.minor);
            if story.state().status == Status::Completed {
                prop_assert_eq!(sheet.difference.minor, 0);
            }
            if story.state().version > 0 {
                prop_assert_eq!(story.balance(&Account::DepositPatient), 0, "settled deposits are used up");
                prop_assert!(story.balance(&Account::CreditPatient) <= 0, "we never owe less than nothing");
            }
        }
    }
}
