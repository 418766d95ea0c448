//! Builders shared by the stories about Stripe.

use std::path::PathBuf;

use serde_json::Value;
use suture_connect::gateways::stripe::settings::{Settings, Stripe};
use suture_connect::http::HttpResponse;
use suture_core::redact::Secret;

pub(crate) const KEY: &str = "sk_test_51HiddenKey";
pub(crate) const WEBHOOK_SECRET: &str = "whsec_test_5WbX5kEWLlfzsGNjH64I8lOOqUB6e8FH";

pub(crate) fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

pub(crate) fn settings() -> Settings {
    Settings::new(secret(KEY), vec![secret(WEBHOOK_SECRET)])
}

pub(crate) fn stripe() -> Stripe {
    Stripe::try_new(settings()).unwrap()
}

pub(crate) fn fixture(name: &str) -> String {
    std::fs::read_to_string(fixture_path(name)).unwrap()
}

fn fixture_path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/stripe").join(name)
}

pub(crate) fn json(name: &str) -> Value {
    serde_json::from_str(&fixture(name)).unwrap()
}

pub(crate) fn answer(status: u16, body: impl Into<Vec<u8>>) -> HttpResponse {
    HttpResponse { status, headers: Vec::new(), body: body.into() }
}

pub(crate) fn refusal(status: u16, error: &Value) -> HttpResponse {
    answer(status, serde_json::json!({ "error": error }).to_string())
}

/// Compares a whole output with the file that a person has reviewed. On a difference the new text is left beside the
/// build output, to be read and, if right, copied over.
pub(crate) fn matches_the_reviewed_file(name: &str, actual: &str) {
    let expected = std::fs::read_to_string(fixture_path(name)).unwrap_or_default();
    if expected == actual {
        return;
    }
    let left = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&left, actual).unwrap();
    let line = expected.lines().zip(actual.lines()).position(|(old, new)| old != new);
    panic!("{name} differs (first in line index {line:?}); the new text is in {}", left.display());
}
