//! The judge notices an engine that is broken on purpose, from outside of it.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use suture_sim::run::run;
use suture_sim::schedule::{Kind, kind_of};
use suture_sim::{Options, Outcome, Sabotage};

/// The first violation among some seeds.
async fn first_violation(sabotage: Sabotage, seeds: u64) -> Option<Outcome> {
    for seed in 0..seeds {
        let options = Options { sabotage, ..Options::default() };
        let outcome = run(seed, options).await.unwrap();
        if outcome.violation.is_some() {
            return Some(outcome);
        }
    }
    None
}

#[tokio::test]
async fn a_fresh_key_per_resend_is_found_as_a_double_charge() {
    let outcome = first_violation(Sabotage::FreshKeyPerResend, 60).await.unwrap();
    println!("{outcome}");
    let violation = outcome.violation.unwrap();
    assert!(violation.what.starts_with("I3") || violation.what.starts_with("I2"), "{}", violation.what);
}

#[tokio::test]
async fn a_fresh_key_per_refund_is_found_as_a_refund_that_nobody_asked_for_twice() {
    let outcome = first_violation(Sabotage::FreshKeyPerRefund, 20).await.unwrap();
    println!("{outcome}");
    let violation = outcome.violation.unwrap();
    assert!(violation.what.starts_with("B8"), "{}", violation.what);
}

#[tokio::test]
async fn spoofed_evidence_that_nobody_checks_is_found_as_money_that_never_moved() {
    let outcome = first_violation(Sabotage::SpoofedEvidence, 5).await.unwrap();
    println!("{outcome}");
    let violation = outcome.violation.unwrap();
    assert!(violation.what.contains("ch_forged"), "{}", violation.what);
}

#[tokio::test]
async fn spoofed_evidence_that_is_checked_by_a_fetch_changes_nothing() {
    assert_eq!(first_violation(Sabotage::SpoofedEvidenceGuarded, 5).await, None);
}

#[tokio::test]
async fn a_seed_plays_the_same_run_again() {
    let options = Options { sabotage: Sabotage::FreshKeyPerResend, ..Options::default() };
    for seed in 0..12 {
        assert_eq!(run(seed, options).await, run(seed, options).await);
    }
}

/// The first violation among the seeds of visits.
async fn first_violation_of_visits(sabotage: Sabotage, seeds: u64) -> String {
    for seed in (0..seeds).filter(|seed| kind_of(*seed) == Kind::Visits) {
        let options = Options { sabotage, shrinks_max: 30, ..Options::default() };
        if let Some(violation) = run(seed, options).await.unwrap().violation {
            println!("seed {seed}: {}", violation.what);
            return violation.what;
        }
    }
    "nothing was noticed".to_owned()
}

#[tokio::test]
async fn a_booking_without_money_is_found_as_unproven() {
    let what = first_violation_of_visits(Sabotage::UnprovenBooking, 30).await;
    assert!(what.starts_with("I4"), "{what}");
}

#[tokio::test]
async fn a_cancellation_that_keeps_the_slot_is_found_in_the_table() {
    let what = first_violation_of_visits(Sabotage::ForgottenSlot, 60).await;
    assert!(what.starts_with("V3"), "{what}");
}

#[tokio::test]
async fn a_hold_that_nobody_ends_is_found_at_rest() {
    let what = first_violation_of_visits(Sabotage::ForgottenHoldEnd, 60).await;
    assert!(what.starts_with("V6"), "{what}");
}

#[tokio::test]
async fn late_money_that_neither_books_nor_goes_back_is_found() {
    let what = first_violation_of_visits(Sabotage::ForgottenRefund, 90).await;
    assert!(["I7", "V7", "B3", "B5"].iter().any(|rule| what.starts_with(rule)), "{what}");
}
