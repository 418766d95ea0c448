//! Prints how long the shipped flow takes from the event to the call, and how long a mapping to FHIR takes: `cargo run --release -p suture-flow --example measure`.

use std::hint::black_box;
use std::time::Instant;

use serde_json::json;
use suture_flow::flow::Flow;
use suture_flow::run::{Answer, Next};

const ROUNDS: u32 = 20_000;

fn main() {
    let flow = Flow::parse(include_str!("../../../flows/stripe-to-epic.yaml"), "stripe-to-epic.yaml");
    let flow = flow.unwrap_or_else(|problems| panic!("{problems}"));
    let compiled = flow.compile();
    let event = json!({
        "event": "payment.captured", "fact": "charge:ch_1", "payment": "pay_1",
        "amount": {"minor": 12000, "currency": "USD"}, "occurred_at": "2026-11-21T09:30:00Z", "link": "lnk_1",
        "status": "succeeded", "original_fact": null,
        "gateway": {"connection": "main", "kind": "stripe", "charge": "ch_1", "intent": "pi_1", "customer": null},
    });
    let link = json!({
        "link": "lnk_1", "patient": "pat_1", "account": "acc_1", "claim": null, "encounter": "enc_1",
        "practitioner": "prac_1", "appointment": "app_1", "due": {"minor": 12000, "currency": "USD"},
        "service_codes": ["99214"],
    });
    #[expect(clippy::disallowed_methods, reason = "a measurement outside the product")]
    let begin = Instant::now();
    for _ in 0..ROUNDS {
        let Some(mut run) = compiled.start(black_box(&event)) else {
            panic!("the event does not start the flow")
        };
        let asked = compiled.advance(&mut run, None);
        assert!(matches!(asked, Next::Lookup { .. }));
        let called = compiled.advance(&mut run, Some(Answer::Found(link.clone())));
        assert!(matches!(black_box(called), Next::Call { .. }));
    }
    let nanos = begin.elapsed().as_nanos() / u128::from(ROUNDS);
    println!("event to call: {}.{:03} µs", nanos / 1000, nanos % 1000);
    let clock = || u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX);
    let measured = suture_flow::measure::stripe_to_fhir(ROUNDS, &clock);
    println!("{:?} (nanoseconds)", measured.unwrap_or_else(|problems| panic!("{problems}")));
}
