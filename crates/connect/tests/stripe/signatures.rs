//! Signatures, judged as Stripe's own libraries judge them.

use suture_connect::gateway::{WebhookRefusal, Webhooks};
use suture_connect::gateways::stripe::settings::{Settings, Stripe};
use suture_core::time::Timestamp;

use crate::support::{WEBHOOK_SECRET, json, secret, settings};

struct Case {
    id: String,
    stripe: Stripe,
    header: Option<String>,
    body: Vec<u8>,
    now: Timestamp,
    expected: Option<String>,
}

fn cases(change: impl Fn(&mut Settings)) -> Vec<Case> {
    let recorded = json("signatures.json");
    let cases = recorded["cases"].as_array().unwrap().iter().map(|case| {
        let mut settings = settings();
        settings.webhook_secrets = vec![secret(case["secret"].as_str().unwrap())];
        settings.tolerance_seconds = case["tolerance"].as_i64().unwrap();
        change(&mut settings);
        let text = |name: &str| case[name].as_str().map(str::to_owned);
        Case {
            id: text("id").unwrap(),
            stripe: Stripe::try_new(settings).unwrap(),
            header: text("header"),
            body: text("payload").unwrap().into_bytes(),
            now: Timestamp::from_seconds(case["now"].as_i64().unwrap()),
            expected: text("expect_error"),
        }
    });
    cases.collect()
}

/// The vectors' words for ours.
fn word(refusal: &WebhookRefusal) -> &'static str {
    match refusal {
        WebhookRefusal::MissingHeader => "missing_header",
        WebhookRefusal::UnreadableHeader => "unparsable_header",
        WebhookRefusal::NoSignature => "no_v1_signature",
        WebhookRefusal::NoMatch => "no_matching_signature",
        WebhookRefusal::OutsideTolerance { .. } => "timestamp_too_old",
        WebhookRefusal::NoSecret => "no_secret",
        WebhookRefusal::NotAnEvent(_) => "empty_or_invalid_payload",
    }
}

#[test]
fn every_recorded_case_is_judged_like_stripes_own_libraries() {
    let cases = cases(|settings| settings.future_tolerance_seconds = None);
    assert_eq!(cases.len(), 23);
    for case in cases {
        let verified = case.stripe.verify(case.header.as_deref(), &case.body, case.now);
        let judged = verified.and_then(|()| case.stripe.read(&case.body)).err();
        assert_eq!(judged.as_ref().map(word), case.expected.as_deref(), "{}", case.id);
    }
}

#[test]
fn by_default_a_signature_from_the_future_is_refused_too() {
    let differing: Vec<String> = cases(|_| ())
        .iter()
        .filter(|case| case.expected.is_none())
        .filter(|case| case.stripe.verify(case.header.as_deref(), &case.body, case.now).is_err())
        .map(|case| case.id.clone())
        .collect();
    assert_eq!(differing, ["future_timestamp_1h"]);
}

#[test]
fn the_tolerance_is_inclusive_on_both_sides() {
    let case = cases(|settings| settings.future_tolerance_seconds = Some(300)).remove(0);
    let at =
        |seconds| case.stripe.verify(case.header.as_deref(), &case.body, Timestamp::from_seconds(seconds));
    let signed_at = 1_760_000_000;
    assert_eq!((at(signed_at + 300), at(signed_at - 300)), (Ok(()), Ok(())));
    let outside = |seconds_off| Err(WebhookRefusal::OutsideTolerance { seconds_off, tolerance_seconds: 300 });
    assert_eq!((at(signed_at + 301), at(signed_at - 301)), (outside(301), outside(-301)));
}

#[test]
fn while_a_secret_is_rolled_both_are_valid() {
    for secrets in [["whsec_other", WEBHOOK_SECRET], [WEBHOOK_SECRET, "whsec_other"]] {
        let case = cases(|settings| settings.webhook_secrets = secrets.map(secret).to_vec()).remove(0);
        assert_eq!(case.stripe.verify(case.header.as_deref(), &case.body, case.now), Ok(()));
    }
}

#[test]
fn a_blank_secret_opens_nothing() {
    for secrets in [vec![], vec![secret("")], vec![secret("  "), secret("\n")]] {
        let case = cases(|settings| settings.webhook_secrets.clone_from(&secrets)).remove(0);
        let verified = case.stripe.verify(case.header.as_deref(), &case.body, case.now);
        assert_eq!(verified, Err(WebhookRefusal::NoSecret));
    }
}

#[test]
fn a_time_that_does_not_fit_is_unreadable() {
    let case = cases(|_| ()).remove(0);
    for header in ["t=99999999999999999999,v1=00", "t=-1,v1=00", "t=,v1=00", "t,v1=00", "v1=00,x=1"] {
        let verified = case.stripe.verify(Some(header), &case.body, case.now);
        assert_eq!(verified, Err(WebhookRefusal::UnreadableHeader), "{header}");
    }
}
