//! Cash that was too much is given back in cash, and what may not be.

use super::*;

pub(super) fn give_back(reference: &str, minor: i64) -> Command {
    Command::GiveBack {
        reference: reference.into(),
        amount: Money::usd(minor),
        approver: "manager".into(),
        reason: "paid_too_much".into(),
    }
}

fn paid_at_desk(minor: i64) -> Command {
    Command::RecordElsewhere { reference: "desk-1".into(), amount: Money::usd(minor), author: "desk".into() }
}

#[test]
fn cash_that_was_too_much_is_given_back_in_cash() {
    let mut story = Story::billed();
    story.must(&paid_at_desk(7_000));
    story.decided("d1", Outcome::Processed, 13_000, &[(CO, "45", 12_000), (PR, "2", 5_000)]);
    story.must(&Command::Settle);
    assert_eq!(story.run(&give_back("till-2", 2_001)).unwrap_err().code, "given_back_exceeds_owed");
    story.must(&give_back("till-2", 2_000)).must(&give_back("till-2", 2_000)).must(&Command::Complete);
    assert_eq!(story.state().status, Status::Completed);
    assert_eq!(story.balance(&Account::ArPatient), 0);
    assert_eq!(story.balance(&Account::Bank), 13_000 + 5_000);
}

#[test]
fn cash_may_be_given_back_before_anything_is_decided_but_a_deposit_by_card_may_not() {
    let mut story = with_deposit();
    story.must(&paid_at_desk(1_000));
    assert_eq!(story.run(&give_back("till-2", 1_001)).unwrap_err().code, "given_back_exceeds_owed");
    story.must(&give_back("till-2", 1_000));
    assert_eq!((story.balance(&Account::ArPatient), story.balance(&Account::DepositPatient)), (0, -4_000));
}

#[test]
fn nothing_is_given_back_in_cash_while_a_refund_is_on_its_way() {
    let mut story = with_deposit();
    story.decided("d1", Outcome::Processed, 18_000, &[(CO, "45", 12_000)]).must(&Command::Settle);
    let held = Held { returning_minor: 4_000, ..story.held[&2] };
    story.see(2, held);
    assert_eq!(story.run(&give_back("till-2", 1)).unwrap_err().code, "given_back_exceeds_owed");
}

#[test]
fn a_refund_that_failed_is_made_good_by_a_cheque_out_of_the_credit() {
    let mut story = with_deposit();
    story.decided("d1", Outcome::Processed, 18_000, &[(CO, "45", 12_000)]).must(&Command::Settle);
    let held = Held { failed_refunds: 1, came_back_minor: 4_000, ..story.held[&2] };
    story.see(2, held);
    assert_eq!(story.balance(&Account::CreditPatient), -4_000);
    story.must(&give_back("cheque-9", 4_000)).must(&Command::Complete);
    assert_eq!(story.state().status, Status::Completed);
    assert_eq!((story.balance(&Account::CreditPatient), story.balance(&Account::ArPatient)), (0, 0));
    // The payer decides otherwise after all: what was given back is owed, and comes from no deposit.
    story.must(&Command::SetResponsibility { responsibility: Money::usd(1_500), author: "biller".into() });
    assert_eq!((story.difference(), story.balance(&Account::ArPatient)), (1_500, 1_500));
}
