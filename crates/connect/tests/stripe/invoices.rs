//! What an answer about an invoice, its payments or a credit note says.

use serde_json::{Value, json as object};
use suture_connect::gateway::{
    CreditNoteStatus, Fetch, History, InvoiceLine, InvoicePaymentStatus, InvoiceSeen, InvoiceStatus,
    Invoices, LinkedRefund, Note,
};
use suture_connect::outcome::{Outcome, Retry};
use suture_core::evidence::Evidence;
use suture_core::money::Money;
use suture_core::time::Timestamp;

use crate::support::{answer, fixture, json, note, refusal, stripe};

fn done<T: std::fmt::Debug>(outcome: Outcome<T>) -> T {
    let Outcome::Done(value) = outcome else { panic!("not done: {outcome:?}") };
    value
}

fn invoice(body: &Value) -> InvoiceSeen {
    done(stripe().read_invoice(&answer(200, body.to_string())))
}

#[test]
fn an_invoice_is_seen_with_its_amounts_its_lines_and_our_ids() {
    let seen = invoice(&json("invoice.json"));
    assert_eq!((seen.id.as_str(), seen.status.clone()), ("in_1", InvoiceStatus::Open));
    assert_eq!(
        (seen.total, seen.amount_due, seen.amount_paid),
        (Money::usd(3_000), Money::usd(3_000), Money::usd(0))
    );
    assert_eq!((seen.amount_remaining, seen.amount_overpaid), (Money::usd(3_000), Money::usd(0)));
    assert_eq!((seen.link.as_deref(), seen.invoice_id.as_deref()), (Some("lnk_7"), Some("inv_3")));
    assert_eq!((seen.number.as_deref(), seen.customer.as_deref()), (Some("ABC-0001"), Some("cus_1")));
    assert_eq!(seen.finalized_at, Some(Timestamp::from_seconds(1_795_254_060)));
    assert_eq!((seen.paid_at, seen.voided_at), (None, None));
    let lines: Vec<(Money, Option<&str>)> = seen
        .lines
        .iter()
        .flatten()
        .map(|line: &InvoiceLine| (line.amount, line.line_id.as_deref()))
        .collect();
    assert_eq!(lines, [(Money::usd(9_000), Some("lin_1")), (Money::usd(-6_000), Some("lin_2"))]);
}

#[test]
fn neither_texts_nor_links_nor_names_of_an_invoice_are_printed() {
    let seen = invoice(&json("invoice.json"));
    let printed = format!("{seen:?}");
    assert!(!printed.contains("idden"), "{printed}");
    assert!(seen.hosted_url.is_some_and(|url| url.expose().ends_with("hidden_hosted")));
    assert!(seen.pdf_url.is_some_and(|url| url.expose().ends_with("hidden_pdf")));
    let credit = done(stripe().read_credit_note(&answer(200, fixture("credit-note.json"))));
    assert!(!format!("{credit:?}").contains("idden"));
}

#[test]
fn a_part_of_the_lines_is_not_taken_for_all() {
    let mut body = json("invoice.json");
    body["lines"]["has_more"] = true.into();
    assert_eq!(invoice(&body).lines, None);
}

#[test]
fn a_status_that_is_new_is_kept_and_a_missing_amount_is_unknown() {
    let mut body = json("invoice.json");
    body["status"] = "in_dispute".into();
    assert_eq!(invoice(&body).status, InvoiceStatus::Other("in_dispute".to_owned()));
    for name in ["status", "currency", "total", "amount_due", "amount_paid", "amount_remaining"] {
        let mut body = json("invoice.json");
        body.as_object_mut().unwrap().remove(name);
        let outcome = stripe().read_invoice(&answer(200, body.to_string()));
        assert!(matches!(outcome, Outcome::Unknown(_)), "{name}: {outcome:?}");
    }
}

#[test]
fn a_deleted_draft_is_missing_and_not_unknown() {
    let body = answer(200, r#"{"id":"in_1","object":"invoice","deleted":true}"#);
    let Outcome::Declined(failure) = stripe().read_invoice(&body) else { panic!("not declined") };
    assert_eq!((failure.code.as_str(), failure.retry), ("resource_missing", Retry::Never));
    let fetched = stripe().read_fetched(&Fetch::Invoice("in_1".to_owned()), &body);
    assert!(matches!(fetched, Outcome::Declined(failure) if failure.code == "resource_missing"));
    let other = stripe().read_fetched(&Fetch::Invoice("in_2".to_owned()), &body);
    assert!(matches!(other, Outcome::Unknown(_)), "not the one that was asked for");
}

#[test]
fn a_paid_invoice_is_noted_and_its_payments_are_looked_up() {
    let seen = done(stripe().read_pay(&answer(200, fixture("invoice.json"))));
    assert!(matches!(&seen.notes[..], [Note::Invoice(invoice)] if invoice.id == "in_1"));
    assert_eq!(seen.fetch, [Fetch::InvoicePayments("in_1".to_owned())]);
}

#[test]
fn a_declined_payment_of_an_invoice_is_its_intent_with_the_error() {
    let seen = done(stripe().read_pay(&answer(402, fixture("intent-declined.json"))));
    let [Evidence::Intent(intent)] = &seen.evidence[..] else { panic!("expected one intent") };
    assert_eq!(intent.error.as_ref().map(|error| error.code.as_str()), Some("card_declined"));
    let bare = object!({ "type": "card_error", "code": "card_declined", "decline_code": "lost_card" });
    let Outcome::Declined(failure) = stripe().read_pay(&refusal(402, &bare)) else { panic!("not declined") };
    assert_eq!((failure.code.as_str(), failure.retry), ("card_declined", Retry::Never));
}

#[test]
fn a_final_invoice_that_was_to_be_changed_points_to_the_credit_note() {
    let error = object!({ "type": "invalid_request_error", "code": "invoice_not_editable" });
    let Outcome::Declined(failure) = stripe().read_invoice(&refusal(400, &error)) else {
        panic!("not declined")
    };
    assert!(failure.message.contains("credit note"), "{}", failure.message);
}

#[test]
fn a_line_is_seen_as_stripe_took_it() {
    let item = done(stripe().read_item(&answer(200, fixture("invoice-item.json"))));
    assert_eq!((item.id.as_str(), item.invoice.as_deref()), ("ii_1", Some("in_1")));
    assert_eq!(item.amount, Money::usd(-6_000));
}

#[test]
fn payments_of_an_invoice_are_walked_page_by_page() {
    let body = object!({ "object": "list", "data": [json("invoice-payment.json")], "has_more": true });
    let part = done(stripe().read_payments(&answer(200, body.to_string())));
    assert_eq!(part.next.as_deref(), Some("inpay_1"));
    let payment = &part.items[0];
    assert_eq!((payment.invoice.as_str(), payment.status.clone()), ("in_1", InvoicePaymentStatus::Paid));
    assert_eq!((payment.asked, payment.paid), (Money::usd(3_000), Some(Money::usd(3_000))));
    assert_eq!((payment.intent.as_deref(), payment.is_default), (Some("pi_3S1"), true));
}

#[test]
fn the_fetched_payments_of_an_invoice_are_noted_only_when_they_are_its_own() {
    let mut foreign = json("invoice-payment.json");
    foreign["invoice"] = "in_other".into();
    let body =
        object!({ "object": "list", "data": [json("invoice-payment.json"), foreign], "has_more": false });
    let what = Fetch::InvoicePayments("in_1".to_owned());
    let seen = done(stripe().read_fetched(&what, &answer(200, body.to_string())));
    let notes: Vec<String> = seen.notes.iter().map(note).collect();
    assert_eq!(notes, ["payment inpay_1 of in_1 Paid Some(30.00 USD) by Some(\"pi_3S1\")"]);
}

#[test]
fn a_credit_note_says_what_became_of_each_part() {
    let seen = done(stripe().read_credit_note(&answer(200, fixture("credit-note.json"))));
    assert_eq!(
        (seen.id.as_str(), seen.invoice.as_str(), seen.status),
        ("cn_1", "in_1", CreditNoteStatus::Issued)
    );
    assert_eq!((seen.amount, seen.before_payment), (Money::usd(2_500), Money::usd(300)));
    assert_eq!((seen.after_payment, seen.out_of_band), (Money::usd(2_200), Money::usd(300)));
    assert_eq!(seen.refunds, [LinkedRefund { refund: "re_3S1".to_owned(), amount: Money::usd(1_600) }]);
    assert_eq!(seen.balance_entry.as_deref(), Some("cbtxn_1"));
    assert_eq!(seen.credit_note_id.as_deref(), Some("crn_2"));
}

#[test]
fn the_refunds_behind_a_fetched_credit_note_are_fetched_as_facts() {
    let what = Fetch::CreditNote("cn_1".to_owned());
    let seen = done(stripe().read_fetched(&what, &answer(200, fixture("credit-note.json"))));
    assert_eq!(seen.fetch, [Fetch::Refund("re_3S1".to_owned())]);
    assert!(seen.evidence.is_empty(), "the refund's own object is the evidence");
}
