//! Invoices from draft to their end: states, amounts, events (FACTS §b, §d).

use super::stage::{Story, id};
use crate::wire::Request;
use serde_json::{Value, json};

/// A customer with a saved card.
fn patient(story: &mut Story) -> (String, String) {
    let customer = id(&story.done("/v1/customers", "name=A+Patient"));
    let card = story.done("/v1/payment_methods/pm_card_visa/attach", &format!("customer={customer}"));
    (customer, id(&card))
}

fn draft(story: &mut Story, customer: &str, amounts: &[i64], more: &str) -> String {
    let invoice = id(&story.done("/v1/invoices", &format!("customer={customer}{more}")));
    for amount in amounts {
        let form = format!(
            "customer={customer}&invoice={invoice}&amount={amount}&currency=usd&description=Line+{amount}"
        );
        story.done("/v1/invoiceitems", &form);
    }
    invoice
}

fn opened(story: &mut Story, customer: &str, amounts: &[i64]) -> Value {
    let invoice = draft(story, customer, amounts, "");
    story.done(&format!("/v1/invoices/{invoice}/finalize"), "")
}

fn refused(story: &mut Story, path: &str, form: &str) -> String {
    let (status, body) = story.post(path, form);
    assert_eq!(status, 400, "{path}: {body}");
    assert_eq!(body["error"].get("code"), None, "{path}");
    body["error"]["message"].as_str().unwrap().to_owned()
}

fn captured(story: &mut Story, customer: &str, amount: i64) -> String {
    let form = format!(
        "amount={amount}&currency=usd&customer={customer}&confirm=true&payment_method=pm_card_visa\
         &setup_future_usage=off_session&capture_method=automatic"
    );
    id(&story.done("/v1/payment_intents", &form))
}

fn balance(story: &mut Story, customer: &str) -> i64 {
    story.get(&format!("/v1/customers/{customer}"))["balance"].as_i64().unwrap()
}

#[test]
fn a_draft_counts_its_items_and_has_no_page() {
    let mut story = Story::new();
    let (customer, _) = patient(&mut story);
    let invoice = draft(&mut story, &customer, &[3500, -1000], "&footer=Thank+you&metadata[link]=l-1");
    let shown = story.get(&format!("/v1/invoices/{invoice}"));
    assert_eq!(
        (&shown["status"], &shown["total"], &shown["amount_due"]),
        (&json!("draft"), &json!(2500), &json!(2500))
    );
    assert_eq!(shown["lines"]["data"][0]["amount"], -1000, "newest first");
    assert_eq!((&shown["footer"], &shown["metadata"]["link"]), (&json!("Thank you"), &json!("l-1")));
    assert_eq!((&shown["hosted_invoice_url"], &shown["invoice_pdf"]), (&Value::Null, &Value::Null));
    assert_eq!((&shown["number"], &shown["auto_advance"]), (&Value::Null, &json!(false)));
}

#[test]
fn pending_items_wait_until_an_invoice_asks_for_them() {
    let mut story = Story::new();
    let (customer, _) = patient(&mut story);
    story.done(
        "/v1/invoiceitems",
        &format!("customer={customer}&unit_amount_decimal=700&quantity=3&currency=usd"),
    );
    let without = story.done("/v1/invoices", &format!("customer={customer}"));
    assert_eq!(without["total"], 0);
    let with = format!("customer={customer}&pending_invoice_items_behavior=include");
    assert_eq!(story.done("/v1/invoices", &with)["total"], 2100);
    assert_eq!(story.done("/v1/invoices", &with)["total"], 0, "an item is billed once");
    let pending = story.get(&format!("/v1/invoiceitems?customer={customer}&pending=true"));
    assert_eq!(pending["data"], json!([]));
}

#[test]
fn finalizing_gives_a_number_and_pages_but_takes_no_money() {
    let mut story = Story::new();
    let (customer, _) = patient(&mut story);
    let first = opened(&mut story, &customer, &[3500]);
    assert_eq!((&first["status"], &first["attempted"]), (&json!("open"), &json!(false)));
    assert_eq!(first["amount_remaining"], 3500);
    let second = opened(&mut story, &customer, &[100]);
    let number = first["number"].as_str().unwrap();
    assert!(number.ends_with("-0001"), "{number}");
    assert_eq!(second["number"].as_str().unwrap(), number.replace("-0001", "-0002"));
    assert!(story.world.movements().is_empty());
}

#[test]
fn the_saved_card_pays_and_every_step_is_told_once() {
    let mut story = Story::new();
    let (customer, card) = patient(&mut story);
    let invoice = id(&opened(&mut story, &customer, &[3500]));
    let known = story.events().len();
    let paid = story.done(&format!("/v1/invoices/{invoice}/pay"), &format!("payment_method={card}"));
    assert_eq!(
        (&paid["status"], &paid["amount_paid"], &paid["amount_remaining"]),
        (&json!("paid"), &json!(3500), &json!(0))
    );
    assert_eq!((&paid["attempted"], &paid["attempt_count"]), (&json!(true), &json!(1)));
    assert_eq!(
        story.events_after(known),
        [
            "payment_intent.succeeded",
            "charge.succeeded",
            "invoice_payment.paid",
            "invoice.updated",
            "invoice.updated",
            "invoice.paid",
            "invoice.payment_succeeded"
        ]
    );
    let payments =
        story.get(&format!("/v1/invoice_payments?invoice={invoice}&expand[]=data.payment.payment_intent"));
    assert_eq!(payments["data"][0]["status"], "paid");
    assert_eq!(payments["data"][0]["payment"]["payment_intent"]["status"], "succeeded");
    assert_eq!(refused(&mut story, &format!("/v1/invoices/{invoice}/pay"), ""), "Invoice is already paid");
}

#[test]
fn a_draft_is_finalized_by_paying_it_but_not_by_a_missing_card() {
    let mut story = Story::new();
    let (customer, card) = patient(&mut story);
    let invoice = draft(&mut story, &customer, &[3500], "");
    let pay = format!("/v1/invoices/{invoice}/pay");
    let (status, body) = story.post(&pay, "");
    assert_eq!((status, &body["error"]["code"]), (400, &json!("resource_missing")));
    assert_eq!(story.get(&format!("/v1/invoices/{invoice}"))["status"], "draft");
    story.done(
        &format!("/v1/customers/{customer}"),
        &format!("invoice_settings[default_payment_method]={card}"),
    );
    assert_eq!(story.done(&pay, "")["status"], "paid");
}

#[test]
fn a_declined_card_leaves_the_invoice_open() {
    let mut story = Story::new();
    let (customer, card) = patient(&mut story);
    let invoice = id(&opened(&mut story, &customer, &[3500]));
    story.control(
        "card",
        json!({ "payment_method": card, "state": "insufficient_funds", "for_seconds": 86_400 }),
    );
    let known = story.events().len();
    let pay = format!("/v1/invoices/{invoice}/pay");
    let (status, body) = story.post(&pay, &format!("payment_method={card}"));
    assert_eq!((status, &body["error"]["decline_code"]), (402, &json!("insufficient_funds")));
    assert_eq!(
        story.events_after(known),
        ["payment_intent.payment_failed", "charge.failed", "invoice.payment_failed"]
    );
    assert_eq!(story.get(&format!("/v1/invoices/{invoice}"))["attempt_count"], 1);
    story.pass(86_400);
    assert_eq!(story.done(&pay, &format!("payment_method={card}"))["status"], "paid");
}

#[test]
fn a_card_that_wants_its_holder_asks_for_the_hosted_page() {
    let mut story = Story::new();
    let customer = id(&story.done("/v1/customers", ""));
    let card = story
        .done("/v1/payment_methods/pm_card_authenticationRequired/attach", &format!("customer={customer}"));
    let invoice = id(&opened(&mut story, &customer, &[3500]));
    let form = format!("payment_method={}", id(&card));
    let (status, body) = story.post(&format!("/v1/invoices/{invoice}/pay"), &form);
    assert_eq!(
        (status, &body["error"]["code"]),
        (402, &json!("authentication_required")),
        "off-session by default"
    );
    let form = format!("{form}&off_session=false");
    let (_, body) = story.post(&format!("/v1/invoices/{invoice}/pay"), &form);
    assert_eq!(body["error"]["code"], "invoice_payment_intent_requires_action");
    let intent = id(&body["error"]["payment_intent"]);
    story.control("complete_3ds", json!({ "payment_intent": intent }));
    assert_eq!(story.get(&format!("/v1/invoices/{invoice}"))["status"], "paid");
}

#[test]
fn the_patient_pays_on_the_hosted_page() {
    let mut story = Story::new();
    let (customer, _) = patient(&mut story);
    let invoice = id(&opened(&mut story, &customer, &[3500]));
    let secret = story.get(&format!("/v1/invoices/{invoice}?expand[]=confirmation_secret&expand[]=payments"));
    let intent = secret["payments"]["data"][0]["payment"]["payment_intent"].as_str().unwrap().to_owned();
    assert!(secret["confirmation_secret"]["client_secret"].as_str().unwrap().starts_with(&intent));
    let (status, body) = story.post(&format!("/v1/payment_intents/{intent}/cancel"), "");
    assert_eq!((status, &body["error"]["code"]), (400, &json!("payment_intent_unexpected_state")));
    let typed = json!({ "invoice": invoice, "number": "4242424242424242", "exp_month": 1, "exp_year": 2030 });
    assert_eq!(story.control("pay_hosted", typed)["status"], "succeeded");
    assert_eq!(story.get(&format!("/v1/invoices/{invoice}"))["status"], "paid");
}

#[test]
fn money_taken_elsewhere_pays_without_an_attempt() {
    let mut story = Story::new();
    let (customer, _) = patient(&mut story);
    let invoice = id(&opened(&mut story, &customer, &[3500]));
    let known = story.events().len();
    let paid = story.done(&format!("/v1/invoices/{invoice}/pay"), "paid_out_of_band=true");
    assert_eq!((&paid["status"], &paid["amount_paid_off_stripe"]), (&json!("paid"), &json!(3500)));
    assert_eq!((&paid["attempted"], &paid["amount_remaining"]), (&json!(false), &json!(0)));
    assert_eq!(story.events_after(known), ["payment_intent.canceled", "invoice.updated", "invoice.paid"]);
    assert!(story.world.movements().is_empty());
}

#[test]
fn an_attached_payment_covers_an_invoice_and_the_rest_becomes_credit() {
    let mut story = Story::new();
    let (customer, _) = patient(&mut story);
    let intent = captured(&mut story, &customer, 6000);
    let invoice = id(&opened(&mut story, &customer, &[3500]));
    let known = story.events().len();
    let attach = format!("/v1/invoices/{invoice}/attach_payment");
    let paid = story.done(&attach, &format!("payment_intent={intent}"));
    assert_eq!(
        (&paid["status"], &paid["amount_paid"], &paid["amount_overpaid"]),
        (&json!("paid"), &json!(3500), &json!(2500))
    );
    assert_eq!(balance(&mut story, &customer), -2500);
    let told = story.events_after(known);
    assert_eq!(told.iter().filter(|kind| *kind == "invoice.overpaid").count(), 1);
    assert!(!told.contains(&"invoice.payment_succeeded".to_owned()), "nothing was attempted: {told:?}");
    let lines = story.get(&format!("/v1/customers/{customer}/balance_transactions"));
    assert_eq!(
        (&lines["data"][0]["type"], &lines["data"][0]["amount"]),
        (&json!("invoice_overpaid"), &json!(-2500))
    );
}

#[test]
fn attached_payments_add_up_and_the_hosted_page_asks_for_the_rest() {
    let mut story = Story::new();
    let (customer, _) = patient(&mut story);
    let (first, second) = (captured(&mut story, &customer, 2000), captured(&mut story, &customer, 1500));
    let invoice = id(&opened(&mut story, &customer, &[3500]));
    let attach = format!("/v1/invoices/{invoice}/attach_payment");
    let part = story.done(&attach, &format!("payment_intent={first}&expand[]=payments"));
    assert_eq!((&part["status"], &part["amount_remaining"]), (&json!("open"), &json!(1500)));
    let asked = part["payments"]["data"].as_array().unwrap();
    let asked = asked.iter().find(|payment| payment["is_default"] == true).unwrap();
    assert_eq!(asked["amount_requested"], 1500);
    let again = refused(&mut story, &attach, &format!("payment_intent={first}"));
    assert!(again.contains("attached to the invoice"), "{again}");
    assert!(refused(&mut story, &format!("/v1/invoices/{invoice}/void"), "").contains("`paid` payments"));
    assert_eq!(story.done(&attach, &format!("payment_intent={second}"))["status"], "paid");
}

#[test]
fn a_payment_of_somebody_else_or_in_other_money_is_not_attached() {
    let mut story = Story::new();
    let (customer, _) = patient(&mut story);
    let (other, _) = patient(&mut story);
    let theirs = captured(&mut story, &other, 3500);
    let euros =
        id(&story.done("/v1/payment_intents", &format!("amount=3500&currency=eur&customer={customer}")));
    let invoice = id(&opened(&mut story, &customer, &[3500]));
    let attach = format!("/v1/invoices/{invoice}/attach_payment");
    assert!(refused(&mut story, &attach, &format!("payment_intent={theirs}")).contains("same customer"));
    assert!(refused(&mut story, &attach, &format!("payment_intent={euros}")).contains("currency"));
}

#[test]
fn a_payment_attached_before_it_succeeds_counts_when_it_does() {
    let mut story = Story::new();
    let (customer, card) = patient(&mut story);
    let form = format!(
        "amount=3500&currency=usd&customer={customer}&payment_method={card}&capture_method=manual&confirm=true"
    );
    let held = id(&story.done("/v1/payment_intents", &form));
    let invoice = id(&opened(&mut story, &customer, &[3500]));
    let open =
        story.done(&format!("/v1/invoices/{invoice}/attach_payment"), &format!("payment_intent={held}"));
    assert_eq!(open["status"], "open");
    story.done(&format!("/v1/payment_intents/{held}/capture"), "");
    assert_eq!(story.get(&format!("/v1/invoices/{invoice}"))["status"], "paid");
}

#[test]
fn zero_negative_and_tiny_totals_are_paid_when_they_are_finalized() {
    for (amount, carried) in [(0, 0), (-2500, -2500), (49, 49)] {
        let mut story = Story::new();
        let (customer, _) = patient(&mut story);
        let paid = opened(&mut story, &customer, &[amount]);
        assert_eq!((&paid["status"], &paid["amount_due"]), (&json!("paid"), &json!(0)), "{amount}");
        assert_eq!(paid["ending_balance"], carried, "{amount}");
        assert_eq!(balance(&mut story, &customer), carried, "{amount}");
    }
}

#[test]
fn credit_of_the_customer_is_applied_and_given_back_by_voiding() {
    let mut story = Story::new();
    let (customer, _) = patient(&mut story);
    let lines = format!("/v1/customers/{customer}/balance_transactions");
    let line = story.done(&lines, "amount=-2000&currency=usd&description=Good+will");
    assert_eq!((&line["type"], &line["ending_balance"]), (&json!("adjustment"), &json!(-2000)));
    let invoice = opened(&mut story, &customer, &[3500]);
    assert_eq!((&invoice["amount_due"], &invoice["starting_balance"]), (&json!(1500), &json!(-2000)));
    assert_eq!(balance(&mut story, &customer), 0);
    story.done(&format!("/v1/invoices/{}/void", id(&invoice)), "");
    assert_eq!(balance(&mut story, &customer), -2000);
    let kinds = story.get(&lines)["data"].clone();
    let kinds: Vec<&str> =
        kinds.as_array().unwrap().iter().map(|row| row["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["unapplied_from_invoice", "applied_to_invoice", "adjustment"]);
}

#[test]
fn illegal_moves_are_refused_in_stripes_words() {
    let mut story = Story::new();
    let (customer, _) = patient(&mut story);
    let invoice = draft(&mut story, &customer, &[3500], "");
    let path = |verb: &str| format!("/v1/invoices/{invoice}/{verb}");
    let not_open = "You can only pass in open invoices. This invoice isn't open.";
    assert_eq!(refused(&mut story, &path("void"), ""), not_open);
    assert_eq!(refused(&mut story, &path("mark_uncollectible"), ""), not_open);
    assert_eq!(refused(&mut story, &path("attach_payment"), "payment_intent=pi_1"), not_open);
    story.done(&path("finalize"), "");
    assert!(refused(&mut story, &path("finalize"), "").contains("can't re-finalize"));
    let update = format!("/v1/invoices/{invoice}");
    assert_eq!(refused(&mut story, &update, "footer=x"), "Finalized invoices can't be updated in this way");
    assert_eq!(story.done(&update, "metadata[seen]=yes")["metadata"]["seen"], "yes");
    let form = format!("customer={customer}&invoice={invoice}&amount=1&currency=usd");
    assert_eq!(story.post("/v1/invoiceitems", &form).1["error"]["code"], "invoice_not_editable");
    let delete = story.send(Request::new("DELETE", &update));
    assert_eq!(delete.body_json()["error"]["message"], "You can only delete draft invoices.");
    story.done(&path("void"), "");
    for verb in ["void", "mark_uncollectible"] {
        assert_eq!(refused(&mut story, &path(verb), ""), not_open);
    }
    assert_eq!(refused(&mut story, &path("pay"), ""), "Invoice is no longer payable");
}

#[test]
fn an_uncollectible_invoice_can_still_be_paid_or_voided() {
    let mut story = Story::new();
    let (customer, card) = patient(&mut story);
    for verb in ["pay", "void"] {
        let invoice = id(&opened(&mut story, &customer, &[3500]));
        let known = story.events().len();
        story.done(&format!("/v1/invoices/{invoice}/mark_uncollectible"), "");
        assert_eq!(story.events_after(known), ["invoice.updated", "invoice.marked_uncollectible"]);
        let again = refused(&mut story, &format!("/v1/invoices/{invoice}/mark_uncollectible"), "");
        assert_eq!(again, "This invoice has already been marked uncollectible.");
        let form = if verb == "pay" { format!("payment_method={card}") } else { String::new() };
        story.done(&format!("/v1/invoices/{invoice}/{verb}"), &form);
    }
}

#[test]
fn voiding_cancels_the_intent_of_the_invoice() {
    let mut story = Story::new();
    let (customer, _) = patient(&mut story);
    let invoice = id(&opened(&mut story, &customer, &[3500]));
    let known = story.events().len();
    let gone = story.done(&format!("/v1/invoices/{invoice}/void"), "");
    assert_eq!((&gone["status"], &gone["amount_due"]), (&json!("void"), &json!(3500)));
    assert_eq!(story.events_after(known), ["payment_intent.canceled", "invoice.updated", "invoice.voided"]);
    let intent = story.get(&format!("/v1/payment_intents?customer={customer}"))["data"][0].clone();
    assert_eq!(
        (&intent["status"], &intent["cancellation_reason"]),
        (&json!("canceled"), &json!("void_invoice"))
    );
}

#[test]
fn a_mailed_invoice_needs_a_due_date_and_is_told_as_sent() {
    let mut story = Story::new();
    let (customer, _) = patient(&mut story);
    let form = format!("customer={customer}&collection_method=send_invoice");
    let message = refused(&mut story, "/v1/invoices", &form);
    assert!(message.starts_with("If invoice collection method is 'send_invoice'"), "{message}");
    let invoice = draft(&mut story, &customer, &[3500], "&collection_method=send_invoice&days_until_due=30");
    let sent = story.done(&format!("/v1/invoices/{invoice}/send"), "");
    assert_eq!(sent["status"], "open");
    assert_eq!(sent["due_date"], story.now_ms / 1000 + 30 * 86_400);
    assert_eq!(story.events().last().unwrap(), "invoice.sent");
}

#[test]
fn a_draft_that_advances_by_itself_is_charged_after_an_hour() {
    let mut story = Story::new();
    let (customer, card) = patient(&mut story);
    let more = format!("&auto_advance=true&default_payment_method={card}");
    let invoice = draft(&mut story, &customer, &[3500], &more);
    story.pass(3600);
    assert_eq!(story.get(&format!("/v1/invoices/{invoice}"))["status"], "draft");
    story.pass(1);
    assert_eq!(story.get(&format!("/v1/invoices/{invoice}"))["status"], "paid");
}

#[test]
fn an_automatic_charge_without_a_card_is_told_as_failed() {
    let mut story = Story::new();
    let (customer, _) = patient(&mut story);
    let invoice = draft(&mut story, &customer, &[3500], "&auto_advance=true");
    story.pass(3601);
    assert_eq!(story.get(&format!("/v1/invoices/{invoice}"))["status"], "open");
    assert_eq!(story.events().last().unwrap(), "invoice.payment_failed");
}

#[test]
fn a_balance_in_other_money_is_not_applied() {
    let mut story = Story::new();
    let (customer, _) = patient(&mut story);
    let invoice = draft(&mut story, &customer, &[3500], "");
    let lines = format!("/v1/customers/{customer}/balance_transactions");
    story.done(&lines, "amount=-2000&currency=eur");
    let open = story.done(&format!("/v1/invoices/{invoice}/finalize"), "");
    assert_eq!((&open["amount_due"], &open["starting_balance"]), (&json!(3500), &json!(0)));
    assert_eq!(balance(&mut story, &customer), -2000);
}

#[test]
fn a_deleted_draft_is_gone_and_its_items_are_not_billed_again() {
    let mut story = Story::new();
    let (customer, _) = patient(&mut story);
    let invoice = draft(&mut story, &customer, &[3500], "");
    let path = format!("/v1/invoices/{invoice}");
    let gone = story.send(Request::new("DELETE", &path)).body_json();
    assert_eq!(gone, json!({ "id": invoice, "object": "invoice", "deleted": true }));
    assert_eq!(story.send(Request::new("GET", &path)).status, 404);
    assert_eq!(story.get(&format!("/v1/invoices?customer={customer}"))["data"], json!([]));
    let form = format!("customer={customer}&pending_invoice_items_behavior=include");
    assert_eq!(story.done("/v1/invoices", &form)["total"], 0);
}

#[test]
fn invoices_are_listed_by_customer_and_status() {
    let mut story = Story::new();
    let (customer, _) = patient(&mut story);
    let (other, _) = patient(&mut story);
    let open = id(&opened(&mut story, &customer, &[3500]));
    draft(&mut story, &customer, &[100], "");
    opened(&mut story, &other, &[200]);
    let page = story.get(&format!("/v1/invoices?customer={customer}&status=open"));
    assert_eq!(
        (page["data"].as_array().unwrap().len(), page["data"][0]["id"].as_str()),
        (1, Some(open.as_str()))
    );
}

#[test]
fn the_pages_of_an_invoice_and_a_receipt_open_without_a_key() {
    let mut story = Story::new();
    story.world.serve_at("http://127.0.0.1:1/");
    let (customer, card) = patient(&mut story);
    let open = opened(&mut story, &customer, &[3500]);
    let url =
        open["hosted_invoice_url"].as_str().unwrap().strip_prefix("http://127.0.0.1:1").unwrap().to_owned();
    let fetch = |story: &mut Story, url: &str| story.world.handle(story.now_ms, &Request::new("GET", url));
    let page = fetch(&mut story, &url);
    let html = String::from_utf8(page.body.clone()).unwrap();
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(html.contains("Amount remaining: $35.00") && html.contains("Line 3500: $35.00"), "{html}");
    story.done(&format!("/v1/invoices/{}/pay", id(&open)), &format!("payment_method={card}"));
    let pdf = fetch(&mut story, &format!("{url}/pdf"));
    assert_eq!(pdf.header("content-type"), Some("application/pdf"));
    assert!(pdf.body.starts_with(b"%PDF-1.4\n") && pdf.body.ends_with(b"%%EOF\n"));
    assert!(String::from_utf8(pdf.body).unwrap().contains("Amount remaining: $0.00"));
    let charge = story.get(&format!("/v1/charges?customer={customer}"))["data"][0].clone();
    let receipt =
        charge["receipt_url"].as_str().unwrap().strip_prefix("http://127.0.0.1:1").unwrap().to_owned();
    assert!(String::from_utf8(fetch(&mut story, &receipt).body).unwrap().contains("Amount charged: $35.00"));
    assert_eq!(fetch(&mut story, &format!("{receipt}x")).status, 404);
    assert_eq!(fetch(&mut story, &url.replace("/i/in_", "/i/in_0")).status, 404);
}
