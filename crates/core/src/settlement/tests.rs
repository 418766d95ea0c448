//! Gateway payouts, told by the example of FLOWS §8, and the transition table.

use super::{
    Bank, Booking, Class, Command, Fact, Heard, Line, Matching, Resolution, Settlement, Standing, Status,
    decide, eliminate, judge, postings,
};
use crate::audit::chain::Hash;
use crate::currency::Currency;
use crate::day::Day;
use crate::id::{Mint, Random, SettlementId};
use crate::ledger::{Account, Balances};
use crate::money::Money;
use crate::reconcile::Item;
use crate::time::Timestamp;

struct Fixed;

impl Random for Fixed {
    fn ten_bytes(&self) -> [u8; 10] {
        [8; 10]
    }
}

pub(super) fn day(number: i8) -> Day {
    Day::of(2026, 11, number).unwrap()
}

pub(super) fn heard(minor: i64) -> Heard {
    Heard {
        settlement: SettlementId::mint(Mint::new(Timestamp::from_seconds(1), &Fixed)),
        connection: "con_1".into(),
        gateway: "stripe".into(),
        payout: "po_1".into(),
        amount: Money::usd(minor),
        created_on: day(18),
        arrives_on: day(20),
        linked: true,
        standing: Standing::Pending,
        trace: None,
    }
}

pub(super) fn line(transaction: &str, class: Class, source: &str, gross: i64, fee: i64) -> Line {
    Line {
        transaction: transaction.into(),
        class,
        kind: format!("{class:?}").to_lowercase(),
        source: Some(source.to_owned()).filter(|source| !source.is_empty()),
        gross: Money::usd(gross),
        fee: Money::usd(fee),
        on: day(18),
    }
}

pub(super) fn fact(key: &str, transaction: &str, is_fee: bool, minor: i64) -> Fact {
    Fact { key: key.into(), transaction: transaction.into(), is_fee, amount: Money::usd(minor), on: day(1) }
}

pub(super) fn matching(net: i64, booked: Vec<super::Judged>) -> Command {
    Command::Match(Box::new(Matching {
        lines: 5,
        matched: 5,
        net: Money::usd(net),
        digest: Hash::ZERO,
        booked,
    }))
}

/// The state and the books after commands; a refusal ends the story.
pub(super) fn after(commands: &[Command]) -> (Settlement, Balances) {
    let (mut state, mut books) = (None, Balances::default());
    for command in commands {
        for event in decide(state.as_ref(), command).unwrap() {
            for posting in postings(state.as_ref(), &event).unwrap() {
                books.add(&posting).unwrap();
            }
            state = Settlement::evolve(state, &event);
        }
    }
    (state.unwrap(), books)
}

fn see(standing: Standing) -> Command {
    Command::See { standing, trace: None, code: None, today: day(21) }
}

fn bank(line: &str, minor: i64, kept: i64) -> Command {
    Command::SeeBank(Bank {
        line: line.into(),
        amount: Money::usd(minor),
        kept: Money::usd(kept),
        on: day(20),
    })
}

fn hear(minor: i64) -> Command {
    Command::Hear(Box::new(heard(minor)))
}

fn balance(books: &Balances, account: &Account) -> i64 {
    books.get(account, Currency::USD)
}

/// Charges 1,000 + 600 + 400, fees 58.90, a refund of 100 and a dispute of 75 with its fee of 15.
fn example() -> (Vec<Line>, Vec<Fact>) {
    let lines = vec![
        line("txn_1", Class::Charge, "ch_1", 100_000, 2_930),
        line("txn_2", Class::Charge, "ch_2", 60_000, 1_770),
        line("txn_3", Class::Charge, "ch_3", 40_000, 1_190),
        line("txn_4", Class::Refund, "re_1", -10_000, 0),
        line("txn_5", Class::Dispute, "dp_1", -7_500, 1_500),
    ];
    let facts = vec![
        fact("capture:ch_1", "txn_1", false, 100_000),
        fact("capture:ch_2", "txn_2", false, 50_000),
        fact("capture:ch_2:60000", "txn_2", false, 10_000),
        fact("capture:ch_3", "txn_3", false, 40_000),
        fact("fee:txn_1", "txn_1", true, -2_930),
        fact("fee:txn_2", "txn_2", true, -1_770),
        fact("fee:txn_3", "txn_3", true, -1_190),
        fact("refund:re_1", "txn_4", false, -10_000),
        fact("dispute:dp_1", "txn_5", false, -7_500),
        fact("dispute_fee:dp_1", "txn_5", true, -1_500),
    ];
    (lines, facts)
}

#[test]
fn the_example_of_the_flows_is_explained_whole() {
    let (lines, facts) = example();
    let (matched, left) = judge(&lines, &facts).unwrap();
    assert_eq!((matched.len(), left.len()), (5, 0));
    assert_eq!(matched["txn_2"].len(), 3, "two captures and a fee");
    assert_eq!(lines.iter().map(Line::net_minor).sum::<i64>(), 175_110);
}

#[test]
fn a_line_without_a_word_is_an_exception_with_its_label() {
    let mut unknown = line("txn_9", Class::Other, "", -312, 0);
    unknown.kind = "capital_repayment".into();
    let (_, left) = judge(&[unknown], &[]).unwrap();
    let (state, books) = after(&[hear(174_798), matching(174_798, left)]);
    assert_eq!(state.remainder(), "unexplained -3.12: unknown: capital_repayment -3.12");
    assert_eq!(state.status(), Status::Exception);
    assert_eq!(balance(&books, &Account::SuspUnknown), 312);
}

#[test]
fn what_is_left_of_a_line_is_its_amount_less_what_the_books_have() {
    let (_, left) = judge(
        &[line("txn_1", Class::Charge, "ch_1", 1_000, 59)],
        &[fact("capture:ch_1", "txn_1", false, 990)],
    )
    .unwrap();
    let told: Vec<(&str, i64, bool)> = left
        .iter()
        .map(|judged| (judged.transaction.as_str(), judged.amount.minor, judged.booking == Booking::Fee))
        .collect();
    assert_eq!(told, [("txn_1", 10, false), ("txn_1:fee", -59, true)]);
}

#[test]
fn a_line_in_another_currency_is_exchanged_and_every_currency_balances() {
    let euro = Currency::parse("EUR").unwrap();
    let held = Fact { amount: Money::new(9_000, euro), ..fact("capture:ch_1", "txn_1", false, 0) };
    let (_, left) = judge(&[line("txn_1", Class::Charge, "ch_1", 10_000, 0)], &[held]).unwrap();
    assert_eq!(left[0].booking, Booking::Exchange { booked: Money::new(9_000, euro) });
    let (state, books) = after(&[hear(10_000), matching(10_000, left)]);
    assert_eq!(state.status(), Status::Matched);
    assert_eq!(books.get(&Account::FxExchange, euro), 9_000);
    assert_eq!(
        books.get(&Account::Gateway("stripe".into()), euro),
        -9_000,
        "what the capture booked is gone"
    );
    assert_eq!(balance(&books, &Account::FxExchange), -10_000);
}

#[test]
fn lines_that_do_not_add_up_are_never_trimmed() {
    let (state, books) = after(&[hear(1_000), matching(900, Vec::new())]);
    assert_eq!(state.remainder(), "unexplained 1.00: unknown: the lines do not add up to the payout 1.00");
    assert_eq!(balance(&books, &Account::Gateway("stripe".into())), -900);
}

#[test]
fn the_money_is_at_the_bank_when_the_bank_says_so() {
    let (state, books) = after(&[hear(175_110), matching(175_110, Vec::new())]);
    assert_eq!((state.status(), balance(&books, &Account::BankTransit)), (Status::Matched, 175_110));
    let (state, books) = after(&[hear(175_110), matching(175_110, Vec::new()), bank("b", 175_110, 0)]);
    assert_eq!((state.status(), balance(&books, &Account::BankTransit)), (Status::Closed, 0));
    assert_eq!(balance(&books, &Account::Bank), 175_110);
}

#[test]
fn a_bank_that_splits_and_keeps_a_fee_still_closes() {
    let steps =
        [hear(175_110), matching(175_110, Vec::new()), bank("b1", 100_000, 0), bank("b2", 73_610, 1_500)];
    let (state, books) = after(&steps);
    assert_eq!(state.status(), Status::Closed);
    assert_eq!((balance(&books, &Account::ExpBank), balance(&books, &Account::Bank)), (1_500, 173_610));
}

#[test]
fn a_payout_that_fails_after_it_was_paid_is_reversed_and_waits_for_its_return() {
    let (state, books) =
        after(&[hear(500), matching(500, Vec::new()), bank("b1", 500, 0), see(Standing::Failed)]);
    assert_eq!((state.status(), state.transit_minor), (Status::Returned, -500));
    assert_eq!(balance(&books, &Account::Gateway("stripe".into())), 0);
    let steps = [
        hear(500),
        matching(500, Vec::new()),
        bank("b1", 500, 0),
        see(Standing::Failed),
        bank("b2", -500, 0),
    ];
    let (state, books) = after(&steps);
    assert_eq!((state.status(), balance(&books, &Account::Bank)), (Status::Failed, 0));
}

#[test]
fn a_negative_payout_is_taken_from_the_bank() {
    let (state, books) = after(&[hear(-2_000), matching(-2_000, Vec::new()), bank("b", -2_000, 0)]);
    assert_eq!((state.status(), balance(&books, &Account::Bank)), (Status::Closed, -2_000));
    assert_eq!(balance(&books, &Account::Gateway("stripe".into())), 2_000);
}

#[test]
fn an_exception_is_resolved_by_a_fact_or_by_an_account() {
    let unknown = line("txn_9", Class::Other, "", -312, 0);
    let (_, left) = judge(&[unknown], &[]).unwrap();
    let resolve = |resolution| Command::Resolve { transaction: "txn_9".into(), resolution };
    let base = [hear(-312), matching(-312, left), bank("b", -312, 0)];
    let fee = Resolution::Account { account: Account::ExpFee };
    let (state, books) = after(&[&base[..], &[resolve(fee)]].concat());
    assert_eq!((state.status(), state.remainder().as_str()), (Status::Closed, "explained 100 %"));
    assert_eq!((balance(&books, &Account::SuspUnknown), balance(&books, &Account::ExpFee)), (0, 312));
    let (_, books) = after(&[&base[..], &[resolve(Resolution::Fact)]].concat());
    assert_eq!(
        balance(&books, &Account::Gateway("stripe".into())),
        312,
        "the fact itself books the other side"
    );
}

#[test]
fn transfers_of_one_house_are_eliminated_pair_by_pair() {
    let out = [
        Item::new("t1", Some("tr_1"), Money::usd(-500), day(1)),
        Item::new("t2", Some("tr_2"), Money::usd(-70), day(1)),
    ];
    let arrived = [Item::new("p1", Some("tr_1"), Money::usd(500), day(2))];
    let (pairs, alone) = eliminate(&out, &arrived).unwrap();
    assert_eq!((pairs, alone.len()), (vec![(0, 0)], 1));
}

#[test]
fn the_transition_table_is_the_one_in_the_repository() {
    let unknown = judge(&[line("txn_9", Class::Other, "", 5, 0)], &[]).unwrap().1;
    let states: Vec<(&str, Vec<Command>)> = vec![
        ("open", vec![hear(500)]),
        ("matched", vec![hear(500), matching(500, Vec::new())]),
        ("exception", vec![hear(500), matching(500, unknown)]),
        ("closed", vec![hear(500), matching(500, Vec::new()), bank("b", 500, 0)]),
        ("failed before", vec![hear(500), see(Standing::Failed)]),
        (
            "failed after bank",
            vec![hear(500), matching(500, Vec::new()), bank("b", 500, 0), see(Standing::Failed)],
        ),
        ("canceled", vec![hear(500), see(Standing::Canceled)]),
    ];
    let columns: Vec<(&str, Command)> = vec![
        ("paid", see(Standing::Paid)),
        ("failed", see(Standing::Failed)),
        ("lines", matching(500, Vec::new())),
        ("bank +5.00", bank("b9", 500, 0)),
        ("bank -5.00", bank("b9", -500, 0)),
        ("resolve", Command::Resolve { transaction: "txn_9".into(), resolution: Resolution::Fact }),
    ];
    let cell = |state: &Settlement, command: &Command| match decide(Some(state), command) {
        Err(refusal) => format!("- {}", refusal.code),
        Ok(events) if events.is_empty() => "-".to_owned(),
        Ok(events) => {
            let mut after = Some(state.clone());
            for event in &events {
                after = Settlement::evolve(after, event);
            }
            after.unwrap().status().name().to_owned()
        }
    };
    let rows: Vec<(String, Vec<String>)> = states
        .iter()
        .map(|(name, commands)| {
            let (state, _) = after(commands);
            ((*name).to_owned(), columns.iter().map(|(_, command)| cell(&state, command)).collect())
        })
        .collect();
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    crate::tables::check("settlement", &names, &rows);
}

#[test]
fn a_bank_line_of_nothing_matches_no_payout() {
    let (state, _) = after(&[hear(1_000), matching(900, Vec::new())]);
    for (minor, kept) in [(0, 1), (0, 0), (1, -1)] {
        assert_eq!(
            decide(Some(&state), &bank("line", minor, kept)).unwrap_err().code,
            "bank_line_does_not_fit"
        );
    }
}
