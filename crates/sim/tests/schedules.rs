//! Two thousand schedules on SQLite and twenty on PostgreSQL. Every invariant holds after every move of each.
//!
//! Split in four, so that the test runner can use several processors.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use suture_sim::Options;
use suture_sim::run::run;

fn hold(seeds: std::ops::Range<u64>, store: &'static str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    for seed in seeds {
        let outcome = runtime.block_on(run(seed, Options { store, ..Options::default() })).unwrap();
        assert_eq!(outcome.violation, None, "{outcome}");
    }
}

mod two_thousand_schedules_hold_the_invariants {
    #[test]
    fn the_first_five_hundred() {
        super::hold(0..500, "sqlite");
    }

    #[test]
    fn the_second_five_hundred() {
        super::hold(500..1_000, "sqlite");
    }

    #[test]
    fn the_third_five_hundred() {
        super::hold(1_000..1_500, "sqlite");
    }

    #[test]
    fn the_last_five_hundred() {
        super::hold(1_500..2_000, "sqlite");
    }
}

#[test]
fn a_hundred_schedules_reach_every_fact_about_money() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut reached = std::collections::BTreeSet::new();
    for seed in 0..100 {
        reached.extend(runtime.block_on(run(seed, Options::default())).unwrap().reached);
    }
    for kind in [
        "payment.authorized",
        "payment.captured",
        "payment.cancel_requested",
        "payment.capture_requested",
        "payment.charge_failed",
        "payment.refunded",
        "payment.refund_failed",
        "payment.dispute_withdrawn",
        "payment.dispute_reinstated",
        "payment.dispute_lost",
        "payment.fee_known",
        "payment.link_resolved",
        "posting.confirmed",
        "posting.unknown",
        "patient.method_stored",
        "patient.consent_used",
        "estimate.authorized",
        "estimate.captured",
        "estimate.expired",
        "estimate.part_refunded",
        "invoice.paid",
        "service.adjudicated",
        "service.applied",
        "service.completed",
        "service.canceled",
        "service.written_off",
        "service.missed",
        "appointment.hold_extended",
        "appointment.booking_confirmed",
        "appointment.lapsed",
        "appointment.slot_lost",
        "appointment.put_at_risk",
        "appointment.secured",
        "appointment.moved",
        "appointment.completed",
        "appointment.booking_canceled",
        "encounter.addended",
        "waiting.offered",
        "waiting.booked",
    ] {
        assert!(reached.contains(kind), "no schedule reaches {kind}; reached: {reached:?}");
    }
}

#[test]
fn twenty_schedules_hold_the_invariants_on_postgres() {
    hold(0..20, "postgres");
}
