//! The judge notices an engine that is broken on purpose, from outside of it.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use suture_sim::run::run;
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
    let outcome = first_violation(Sabotage::FreshKeyPerRefund, 5).await.unwrap();
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
