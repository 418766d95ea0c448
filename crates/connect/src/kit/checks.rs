//! The checks of the kit: what must hold for every connector.
//!
//! Each panics with a sentence that names what was broken.

use std::fmt::Debug;

use suture_core::time::Timestamp;

use crate::gateway::{Gateway, WebhookRefusal, Webhooks};
use crate::http::{HeaderValue, HttpResponse, Method};
use crate::kit::requests::requests;
use crate::kit::samples::SAMPLE_KEY;
use crate::outcome::{Outcome, Retry};

/// Same call, same bytes: nothing random and no time in a request.
///
/// # Panics
/// When two builds of one call differ.
pub fn builds_the_same_bytes_twice(gateway: &dyn Gateway) {
    for ((name, first), (_, second)) in requests(gateway).into_iter().zip(requests(gateway)) {
        assert!(first == second, "{name}: two builds of the same call differ");
    }
}

/// Every POST carries the stored key, and no GET carries a body.
///
/// # Panics
/// When a POST has no key or another one, or a GET has a body.
pub fn every_post_carries_its_key(gateway: &dyn Gateway, header: &str) {
    for (name, request) in requests(gateway) {
        let keys: Vec<_> = request.headers.iter().filter(|(key, _)| *key == header).collect();
        match request.method {
            Method::Post => {
                let expected = HeaderValue::Text(SAMPLE_KEY.to_owned());
                assert!(
                    keys.len() == 1 && keys[0].1 == expected,
                    "{name}: the stored key is not in {header}"
                );
            }
            Method::Get => assert!(request.body.is_empty(), "{name}: a GET has a body"),
            Method::Put | Method::Patch | Method::Delete => {}
        }
    }
}

/// No credential is in the `Debug` text, the URL or an open header of any request, nor in the given values.
///
/// # Panics
/// When one of `secrets` shows.
pub fn shows_no_secret(gateway: &dyn Gateway, values: &[&dyn Debug], secrets: &[&str]) {
    let mut shown: Vec<(String, String)> =
        requests(gateway).into_iter().map(|(name, request)| (name, format!("{request:?}"))).collect();
    shown.extend(values.iter().enumerate().map(|(at, value)| (format!("value {at}"), format!("{value:?}"))));
    for (name, text) in shown {
        assert!(!secrets.iter().any(|secret| text.contains(secret)), "{name}: a secret is in the Debug text");
    }
}

/// Answers that prove nothing: server errors, nothing, HTML, not JSON, not the expected object, and the given answer
/// cut off.
#[must_use]
pub fn lost_answers(good_body: &[u8]) -> Vec<(String, HttpResponse)> {
    let answer = |status, body: &[u8]| HttpResponse { status, headers: Vec::new(), body: body.to_vec() };
    let html = b"<html><body>Bad gateway</body></html>";
    let mut answers = Vec::new();
    for status in [500, 502, 503, 504, 520, 599] {
        for (kind, body) in
            [("empty", &b""[..]), ("html", html), ("whole", good_body), ("error", b"{\"error\":{}}")]
        {
            answers.push((format!("{status} {kind}"), answer(status, body)));
        }
    }
    let bodies: [(&str, &[u8]); 7] = [
        ("empty", b""),
        ("html", html),
        ("null", b"null"),
        ("empty object", b"{}"),
        ("empty list", b"[]"),
        ("text", b"\"ok\""),
        ("not UTF-8", b"\xff\xfe{}"),
    ];
    for (kind, body) in bodies {
        for status in [200, 201, 204, 302, 400, 402, 409, 429] {
            answers.push((format!("{status} {kind}"), answer(status, body)));
        }
    }
    let whole = good_body.trim_ascii_end();
    let step = (whole.len() / 40).max(1);
    for kept in (0..whole.len()).step_by(step).chain(whole.len().checked_sub(1)) {
        answers.push((format!("200 cut off after {kept} bytes"), answer(200, &whole[..kept])));
    }
    answers
}

/// A lost answer is `Unknown`, to be looked up first.
///
/// # Panics
/// When `read` takes the good answer for anything but `Done`, or a lost one for anything but `Unknown`.
pub fn takes_a_lost_answer_for_unknown<T: Debug>(
    good_body: &[u8],
    read: impl Fn(&HttpResponse) -> Outcome<T>,
) {
    let good = HttpResponse { status: 200, headers: Vec::new(), body: good_body.to_vec() };
    let outcome = read(&good);
    assert!(matches!(outcome, Outcome::Done(_)), "the good answer is not Done but {outcome:?}");
    for (name, response) in lost_answers(good_body) {
        let outcome = read(&response);
        let unknown = matches!(&outcome, Outcome::Unknown(failure) if failure.retry == Retry::LookUpFirst);
        assert!(unknown, "{name}: not Unknown with a look-up but {outcome:?}");
    }
}

/// One flipped bit in the body or in the header fails the signature.
///
/// # Panics
/// When the untouched delivery is refused, or a changed one is accepted.
pub fn refuses_one_flipped_bit(webhooks: &dyn Webhooks, header: &str, body: &[u8], now: Timestamp) {
    let verified = webhooks.verify(Some(header), body, now);
    assert!(verified.is_ok(), "the untouched delivery is refused: {verified:?}");
    for at in 0..body.len() {
        let mut changed = body.to_vec();
        changed[at] ^= 1 << (at % 8);
        let refused = webhooks.verify(Some(header), &changed, now);
        assert!(refused == Err(WebhookRefusal::NoMatch), "byte {at} of the body was changed and not noticed");
    }
    for at in 0..header.len() {
        for bit in 0..7 {
            let mut changed = header.as_bytes().to_vec();
            changed[at] ^= 1 << bit;
            let Ok(changed) = String::from_utf8(changed) else { continue };
            let refused = webhooks.verify(Some(&changed), body, now);
            assert!(refused.is_err(), "bit {bit} of byte {at} of the header was changed and not noticed");
        }
    }
}
