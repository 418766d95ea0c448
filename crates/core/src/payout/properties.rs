//! What holds for every payout, whatever happens to it in whatever order.

use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::tests::{Story, accrual, at, other};
use super::*;
use crate::money::Money;

fn share() -> impl Strategy<Value = Share> {
    prop_oneof![(0_u16..=10_000).prop_map(Share::BasisPoints), (0_i64..50_000).prop_map(Share::Fixed)]
}

fn rule() -> impl Strategy<Value = LossRule> {
    prop_oneof![Just(LossRule::PlatformBears), Just(LossRule::ProviderBears), Just(LossRule::ProRata)]
}

fn reason() -> impl Strategy<Value = HoldReason> {
    (0..HoldReason::ALL.len()).prop_map(|index| HoldReason::ALL[index])
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        3 => Just(Answer::Done { id: "x_1".into() }),
        1 => Just(Answer::Unknown),
        1 => Just(Answer::Declined { code: "balance_insufficient".into(), again_at: None }),
    ]
}

/// The gateway gives each object an id of its own.
fn named(prefix: &str, number: u32, answer: Answer) -> Answer {
    match answer {
        Answer::Done { .. } => Answer::Done { id: format!("{prefix}_{number}") },
        other => other,
    }
}

fn command() -> impl Strategy<Value = Command> {
    let by = prop_oneof![Just(None), Just(Some("ops_ann".to_owned()))];
    let number = 1_u32..4;
    prop_oneof![
        3 => (0_i64..40_000).prop_map(|minor| Command::Adjust { gross: Money::usd(minor) }),
        1 => Just(Command::SetDestination { destination: "acct_2".into() }),
        1 => reason().prop_map(|reason| Command::Hold { reason, until: None, by: None }),
        4 => (reason(), by.clone()).prop_map(|(reason, by)| Command::Unhold { reason, by }),
        4 => by.prop_map(|by| Command::Release { by }),
        2 => (0_i64..40_000).prop_map(|minor| Command::WriteOffShare { lost: Money::usd(minor) }),
        1 => (0_i64..40_000, 0_u8..3).prop_map(|(minor, dispute)| Command::ClawBack {
            dispute: format!("dp_{dispute}"),
            lost: Money::usd(minor),
        }),
        6 => Just(Command::PlanTransfer { source: None }),
        6 => number.clone().prop_map(|number| Command::BeginTransfer { number }),
        6 => (number.clone(), answer()).prop_map(|(number, answer)| Command::AnswerTransfer {
            number,
            answer: named("tr", number, answer),
        }),
        1 => (1_i64..9_000).prop_map(|minor| Command::Deduct { owed_from: other(7), amount: Money::usd(minor) }),
        1 => (1_i64..9_000).prop_map(|minor| Command::Net { against: other(8), amount: Money::usd(minor) }),
        4 => Just(Command::PlanReversal),
        4 => number.clone().prop_map(|number| Command::BeginReversal { number }),
        4 => (number, answer()).prop_map(|(number, answer)| Command::AnswerReversal {
            number,
            answer: named("trr", number, answer),
        }),
    ]
}

proptest! {
    #[test]
    fn the_parts_always_sum_to_the_charge(gross in 0_i64..i64::MAX, share in share()) {
        let (platform, provider) = (share.platform_minor(gross), share.provider_minor(gross));
        prop_assert!(platform >= 0 && provider >= 0);
        prop_assert_eq!(platform.checked_add(provider), Some(gross));
    }

    #[test]
    fn the_books_say_what_the_payout_says_and_nothing_is_sent_beyond_what_is_owed(
        gross in 0_i64..40_000,
        share in share(),
        rule in rule(),
        commands in proptest::collection::vec(command(), 0..60),
    ) {
        let mut story = Story::of(accrual(gross, share, rule));
        for command in commands {
            let Ok(events) = story.run(&command) else { continue };
            let payout = story.state();
            story_holds(&story)?;
            for event in &events {
                if let Event::TransferPlanned { amount, .. } = event {
                    prop_assert!(payout.holds.is_empty() && payout.released);
                    let there = payout.settled_minor().saturating_add(amount.minor);
                    prop_assert!(there <= payout.entitled_minor(), "{} is planned beyond {}", there, payout.entitled_minor());
                }
                if let Event::TransferMoved { to: Step::Sent, .. } = event {
                    let open = payout.open_transfer().map_or(0, |transfer| transfer.amount_minor);
                    prop_assert!(payout.settled_minor() + open <= payout.entitled_minor());
                }
            }
        }
    }

    #[test]
    fn the_same_command_again_changes_nothing_more(
        commands in proptest::collection::vec(command(), 0..40),
        rule in rule(),
    ) {
        let mut story = Story::of(accrual(24_000, Share::BasisPoints(1_500), rule));
        for command in commands {
            let _ = story.run(&command);
            let twice = decide(story.payout.as_ref(), &command, at(0));
            // A set-off is a new order each time; its caller names the pair once.
            let is_set_off = matches!(command, Command::Deduct { .. } | Command::Net { .. });
            prop_assert!(is_set_off || !matches!(twice, Ok(ref events) if !events.is_empty()), "{:?} twice: {:?}", command, twice);
        }
    }

    #[test]
    fn a_state_survives_its_storage(commands in proptest::collection::vec(command(), 0..30), seed in any::<bool>()) {
        let rule = if seed { LossRule::ProRata } else { LossRule::ProviderBears };
        let mut story = Story::of(accrual(24_000, Share::BasisPoints(1_500), rule));
        for command in commands {
            let _ = story.run(&command);
        }
        let stored = serde_json::to_string(story.state()).unwrap();
        prop_assert_eq!(&serde_json::from_str::<ProviderPayout>(&stored).unwrap(), story.state());
    }
}

fn story_holds(story: &Story) -> Result<(), proptest::test_runner::TestCaseError> {
    let payout = story.state();
    prop_assert_eq!(payout.platform_minor() + payout.provider_minor(), payout.gross_minor);
    let borne: i64 = payout.losses.values().map(|loss| loss.borne_minor).sum();
    prop_assert!(borne <= payout.provider_minor(), "nobody bears more than there is");
    prop_assert_eq!(story.balance("rev:platform"), -payout.platform_minor());
    prop_assert_eq!(story.balance("adj:writeoff"), -borne);
    prop_assert_eq!(story.balance("gw:stripe"), -payout.transferred_minor());
    prop_assert_eq!(story.balance("owed:provider"), payout.transferred_minor() - payout.entitled_minor());
    prop_assert_eq!(story.books.iter().map(|(_, amount)| amount.minor).sum::<i64>(), 0);
    for transfer in &payout.transfers {
        prop_assert!(transfer.reversed_minor <= transfer.amount_minor, "no more comes back than was sent");
    }
    let open = payout.transfers.iter().filter(|transfer| transfer.step.is_open()).count();
    prop_assert!(open <= 1, "one transfer at a time");
    prop_assert!(payout.owes_minor() <= payout.owed_back_minor());
    Ok(())
}
