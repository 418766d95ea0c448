//! Refunds that came back, and what is done about them.

use super::*;

/// A deposit of 120.00, captured.
fn deposit() -> Story {
    let mut story = Story::attempted(false);
    story.see(charge(12_000), 3);
    story.payment = story.payment.map(|payment| Payment { purpose: Some(Purpose::Deposit), ..payment });
    story.balances = Balances::default();
    story
}

#[test]
fn a_refund_made_again_after_a_failed_one_goes_out_of_the_credit() {
    let mut story = deposit();
    story.see(refund("re_1", 9_000, RefundStatus::Succeeded), 5);
    story.see(refund("re_1", 9_000, RefundStatus::Failed), 6);
    assert_eq!(story.payment.as_ref().unwrap().in_credit_minor(), 9_000);
    story.see(refund("re_2", 12_000, RefundStatus::Succeeded), 7);
    // 30.00 of the deposit, and the 90.00 that had come back.
    assert_eq!(story.shown_balances(), vec!["deposit:patient 120.00 USD", "gw:stripe -120.00 USD"]);
    assert_eq!(story.payment.as_ref().unwrap().in_credit_minor(), 0);
    let replayed = story.journal.iter().fold(None, Payment::evolve).unwrap();
    assert_eq!(replayed.refunds, story.payment.unwrap().refunds);
}

#[test]
fn a_refund_made_again_that_is_heard_of_before_the_failure_of_the_first_leaves_no_credit() {
    let mut story = deposit();
    story.see(refund("re_1", 12_000, RefundStatus::Succeeded), 5);
    story.see(refund("re_2", 12_000, RefundStatus::Succeeded), 7);
    story.see(refund("re_1", 12_000, RefundStatus::Failed), 6);
    assert_eq!(story.shown_balances(), vec!["deposit:patient 120.00 USD", "gw:stripe -120.00 USD"]);
}

#[test]
fn what_came_back_and_was_paid_at_the_desk_is_no_credit_any_more() {
    let mut story = deposit();
    story.see(refund("re_1", 4_000, RefundStatus::Failed), 5);
    story.run(&Command::PayBackElsewhere { amount: Money::usd(9_000) }, 6).unwrap();
    let payment = story.payment.as_ref().unwrap();
    assert_eq!((payment.came_back_minor(), payment.in_credit_minor()), (4_000, 0), "no more than came back");
    story.see(refund("re_2", 8_000, RefundStatus::Succeeded), 7);
    // The desk's posting is the service's: here the credit still shows it.
    assert_eq!(
        story.shown_balances(),
        vec!["credit:patient -40.00 USD", "deposit:patient 120.00 USD", "gw:stripe -80.00 USD"]
    );
}

#[test]
fn journals_from_before_the_parts_were_kept_mean_the_same() {
    let text =
        r#"{"event":"refunded","refund":"re_1","refund_id":null,"amount":{"minor":100,"currency":"USD"}}"#;
    let event: Event = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&event).unwrap(), text);
    let before = Payment { purpose: Some(Purpose::Deposit), ..deposit().payment.unwrap() };
    let posted = postings(Some(&before), &event).unwrap();
    let lines: Vec<String> =
        posted[0].lines().iter().map(|line| format!("{} {}", line.account, line.amount.minor)).collect();
    assert_eq!(lines, ["deposit:patient 100", "gw:stripe -100"]);
}
