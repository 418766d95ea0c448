//! Credit notes: what comes off before payment, what goes back after it (FACTS §d, FLOWS story 5).

use super::stage::{Story, id};
use serde_json::{Value, json};

/// A customer with an open invoice of this amount, and the saved card.
fn open(story: &mut Story, amount: i64) -> (String, String, String) {
    let customer = id(&story.done("/v1/customers", ""));
    let card = id(&story.done("/v1/payment_methods/pm_card_visa/attach", &format!("customer={customer}")));
    let invoice = id(&story.done("/v1/invoices", &format!("customer={customer}")));
    let form = format!("customer={customer}&invoice={invoice}&amount={amount}&currency=usd");
    story.done("/v1/invoiceitems", &form);
    story.done(&format!("/v1/invoices/{invoice}/finalize"), "");
    (customer, card, invoice)
}

fn paid(story: &mut Story, amount: i64) -> (String, String) {
    let (customer, card, invoice) = open(story, amount);
    story.done(&format!("/v1/invoices/{invoice}/pay"), &format!("payment_method={card}"));
    (customer, invoice)
}

fn refused(story: &mut Story, form: &str) -> String {
    let (status, body) = story.post("/v1/credit_notes", form);
    assert_eq!(status, 400, "{form}: {body}");
    body["error"]["message"].as_str().unwrap().to_owned()
}

fn refunded(story: &mut Story) -> Vec<i64> {
    let page = story.get("/v1/refunds");
    page["data"].as_array().unwrap().iter().map(|row| row["amount"].as_i64().unwrap()).collect()
}

#[test]
fn a_note_on_an_open_invoice_lowers_what_is_due() {
    let mut story = Story::new();
    let (_, _, invoice) = open(&mut story, 6000);
    let known = story.events().len();
    let note = story.done("/v1/credit_notes", &format!("invoice={invoice}&amount=2500&memo=Too+much"));
    assert_eq!((&note["type"], &note["pre_payment_amount"]), (&json!("pre_payment"), &json!(2500)));
    assert_eq!(story.events_after(known), ["credit_note.created", "invoice.updated"]);
    let shown = story.get(&format!("/v1/invoices/{invoice}?expand[]=payments"));
    assert_eq!((&shown["amount_due"], &shown["amount_remaining"]), (&json!(3500), &json!(3500)));
    assert_eq!(shown["pre_payment_credit_notes_amount"], 2500);
    assert_eq!(shown["payments"]["data"][0]["amount_requested"], 3500);
    let number = format!("{}-CN-01", shown["number"].as_str().unwrap());
    assert_eq!(note["number"], number.as_str());
}

#[test]
fn a_note_over_everything_open_ends_the_invoice() {
    let mut story = Story::new();
    let (_, _, invoice) = open(&mut story, 6000);
    story.done("/v1/credit_notes", &format!("invoice={invoice}&amount=6000"));
    assert_eq!(story.get(&format!("/v1/invoices/{invoice}"))["status"], "paid");
    assert!(story.world.movements().is_empty());
}

#[test]
fn a_voided_note_is_owed_again() {
    let mut story = Story::new();
    let (_, _, invoice) = open(&mut story, 6000);
    let note = id(&story.done("/v1/credit_notes", &format!("invoice={invoice}&amount=2500")));
    let gone = story.done(&format!("/v1/credit_notes/{note}/void"), "");
    assert_eq!(gone["status"], "void");
    assert_eq!(story.get(&format!("/v1/invoices/{invoice}"))["amount_remaining"], 6000);
    assert_eq!(story.events().last().unwrap(), "credit_note.voided");
    assert_eq!(story.post(&format!("/v1/credit_notes/{note}/void"), "").0, 400);
}

#[test]
fn a_note_on_a_paid_invoice_refunds_credits_and_hands_over() {
    let mut story = Story::new();
    let (customer, invoice) = paid(&mut story, 6000);
    let form =
        format!("invoice={invoice}&amount=2500&refund_amount=1000&credit_amount=900&out_of_band_amount=600");
    let note = story.done("/v1/credit_notes", &format!("{form}&reason=order_change&expand[]=refunds.refund"));
    assert_eq!((&note["type"], &note["post_payment_amount"]), (&json!("post_payment"), &json!(2500)));
    assert_eq!(
        (&note["refunds"][0]["amount_refunded"], &note["refunds"][0]["refund"]["amount"]),
        (&json!(1000), &json!(1000))
    );
    assert_eq!(refunded(&mut story), [1000]);
    assert_eq!(story.get(&format!("/v1/customers/{customer}"))["balance"], -900);
    let shown = story.get(&format!("/v1/invoices/{invoice}"));
    assert_eq!(
        (&shown["post_payment_credit_notes_amount"], &shown["status"]),
        (&json!(2500), &json!("paid"))
    );
    let kind = story.get(&format!("/v1/customers/{customer}/balance_transactions"))["data"][0].clone();
    assert_eq!((&kind["type"], &kind["credit_note"]), (&json!("credit_note"), &note["id"]));
}

#[test]
fn the_parts_of_a_note_must_add_up_and_nothing_is_refunded_when_they_do_not() {
    let mut story = Story::new();
    let (_, invoice) = paid(&mut story, 6000);
    let message = refused(&mut story, &format!("invoice={invoice}&amount=2500&refund_amount=1000"));
    assert_eq!(
        message,
        "The sum of credit amount, refund amount and out of band amount ($10.00) must equal the credit note amount \
         ($25.00)."
    );
    let large = refused(&mut story, &format!("invoice={invoice}&amount=6001&refund_amount=6001"));
    assert!(large.contains("greater than what can still be credited"), "{large}");
    assert!(refunded(&mut story).is_empty());
}

#[test]
fn a_refund_made_before_is_linked_once_and_counts_against_what_is_creditable() {
    let mut story = Story::new();
    let (customer, invoice) = paid(&mut story, 6000);
    let charge = id(&story.get(&format!("/v1/charges?customer={customer}"))["data"][0]);
    let refund = id(&story.done("/v1/refunds", &format!("charge={charge}&amount=2500")));
    let large = refused(&mut story, &format!("invoice={invoice}&amount=4000&refund_amount=4000"));
    assert!(large.contains("($35.00)"), "{large}");
    let form = format!("invoice={invoice}&amount=2500&refunds[0][refund]={refund}");
    story.done("/v1/credit_notes", &form);
    assert_eq!(refunded(&mut story), [2500]);
    let twice = refused(&mut story, &form);
    assert!(twice.starts_with("Only $0.00 of the refund"), "{twice}");
    story.done("/v1/credit_notes", &format!("invoice={invoice}&amount=3500&refund_amount=3500"));
    assert_eq!(refunded(&mut story), [3500, 2500]);
}

#[test]
fn a_refund_of_another_invoice_is_not_linked() {
    let mut story = Story::new();
    let (_, invoice) = paid(&mut story, 6000);
    let stranger = story.paid("pm_card_visa");
    let refund = id(&story.done("/v1/refunds", &format!("payment_intent={}", id(&stranger))));
    let form =
        format!("invoice={invoice}&amount=6000&refunds[0][refund]={refund}&refunds[0][amount_refunded]=6000");
    assert!(refused(&mut story, &form).contains("does not belong"));
}

#[test]
fn a_note_on_a_part_paid_invoice_is_mixed() {
    let mut story = Story::new();
    let (customer, card, invoice) = open(&mut story, 6000);
    let form = format!("amount=4000&currency=usd&customer={customer}&payment_method={card}&confirm=true");
    let intent = id(&story.done("/v1/payment_intents", &form));
    story.done(&format!("/v1/invoices/{invoice}/attach_payment"), &format!("payment_intent={intent}"));
    let form = format!("invoice={invoice}&amount=2500&refund_amount=500");
    let note = story.done("/v1/credit_notes", &form);
    let parts = (&note["type"], &note["pre_payment_amount"], &note["post_payment_amount"]);
    assert_eq!(parts, (&json!("mixed"), &json!(2000), &json!(500)));
    assert_eq!(story.get(&format!("/v1/invoices/{invoice}"))["status"], "paid");
}

#[test]
fn drafts_and_void_invoices_get_no_note() {
    let mut story = Story::new();
    let (customer, _, invoice) = open(&mut story, 6000);
    let missing = refused(&mut story, &format!("invoice={invoice}"));
    assert_eq!(missing, "You must specify one of these parameters: amount, lines.");
    story.done(&format!("/v1/invoices/{invoice}/void"), "");
    assert!(refused(&mut story, &format!("invoice={invoice}&amount=100")).ends_with("This invoice is void."));
    let draft = id(&story.done("/v1/invoices", &format!("customer={customer}")));
    assert!(refused(&mut story, &format!("invoice={draft}&amount=100")).ends_with("This invoice is draft."));
}

#[test]
fn lines_of_the_invoice_are_credited_and_shown_on_the_paper() {
    let mut story = Story::new();
    let (_, _, invoice) = open(&mut story, 6000);
    let line = id(&story.get(&format!("/v1/invoices/{invoice}"))["lines"]["data"][0]);
    let form = format!(
        "invoice={invoice}&lines[0][type]=invoice_line_item&lines[0][invoice_line_item]={line}&lines[0][amount]=700\
         &lines[1][type]=custom_line_item&lines[1][unit_amount]=150&lines[1][quantity]=2&lines[1][description]=Late"
    );
    let note = story.done("/v1/credit_notes", &form);
    assert_eq!((&note["amount"], &note["lines"]["data"][1]["amount"]), (&json!(1000), &json!(300)));
    let listed = story.get(&format!("/v1/credit_notes?invoice={invoice}"));
    assert_eq!(listed["data"][0]["id"], note["id"]);
    let path = note["pdf"].as_str().unwrap().strip_prefix("https://pay.stripe.com").unwrap().to_owned();
    let pdf = story.world.handle(story.now_ms, &crate::wire::Request::new("GET", &path));
    assert!(String::from_utf8(pdf.body).unwrap().contains("(Late: $3.00) Tj"));
    assert_eq!(note["refunds"], Value::Array(Vec::new()));
}
