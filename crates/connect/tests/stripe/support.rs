//! Builders shared by the stories about Stripe.

use std::path::PathBuf;

use serde_json::Value;
use suture_connect::gateway::Note;
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

/// A note as one line that a person can compare.
pub(crate) fn note(note: &Note) -> String {
    match note {
        Note::Authorization(hold) => format!(
            "hold {} {:?} until {:?} on {:?} growing {:?} in parts {:?} extended {:?}",
            hold.charge,
            hold.held,
            hold.capture_before,
            hold.network,
            hold.growing,
            hold.in_parts,
            hold.extended
        ),
        Note::Customer(seen) => format!(
            "customer {} deleted {} link {:?} default {:?} balance {:?}",
            seen.customer, seen.deleted, seen.link, seen.default_method, seen.balance
        ),
        Note::Setup(seen) => format!(
            "setup {} {:?} method {:?} error {:?} canceled {:?}",
            seen.setup,
            seen.status,
            seen.method,
            seen.error.as_ref().map(|error| (error.code.as_str(), error.advice)),
            seen.cancel_reason
        ),
        Note::MethodChanged(seen) => format!("method {seen:?}"),
        Note::MethodGone { id } => format!("method {id} gone"),
        Note::Invoice(seen) => format!(
            "invoice {} {:?} total {:?} due {:?} paid {:?} remaining {:?} overpaid {:?} finalized {:?} voided {:?}",
            seen.id,
            seen.status,
            seen.total,
            seen.amount_due,
            seen.amount_paid,
            seen.amount_remaining,
            seen.amount_overpaid,
            seen.finalized_at,
            seen.voided_at
        ),
        Note::InvoiceGone { id } => format!("invoice {id} gone"),
        Note::InvoicePayment(seen) => {
            format!(
                "payment {} of {} {:?} {:?} by {:?}",
                seen.id, seen.invoice, seen.status, seen.paid, seen.intent
            )
        }
        Note::CreditNote(seen) => format!(
            "credit note {} of {} {:?} {:?} before {:?} after {:?} refunds {}",
            seen.id,
            seen.invoice,
            seen.status,
            seen.amount,
            seen.before_payment,
            seen.after_payment,
            seen.refunds.len()
        ),
        Note::Settlement(seen) => format!("{seen:?}"),
        Note::EarlyFraudWarning(seen) => format!("fraud warning {seen:?}"),
    }
}
