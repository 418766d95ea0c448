//! Every test card of FACTS §h does what the table says.

use super::stage::{Story, id};
use serde_json::{Value, json};

fn declined(card: &str) -> (u16, Value) {
    Story::new().pay(card, "")
}

#[test]
fn every_declining_card_yields_its_error_body() {
    let table = [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline", "Your card was declined."),
        (
            "pm_card_visa_chargeDeclinedInsufficientFunds",
            "card_declined",
            "insufficient_funds",
            "Your card has insufficient funds.",
        ),
        ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card", "Your card was declined."),
        ("pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card", "Your card was declined."),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card", "Your card has expired."),
        (
            "pm_card_chargeDeclinedIncorrectCvc",
            "incorrect_cvc",
            "incorrect_cvc",
            "Your card's security code is incorrect.",
        ),
        (
            "pm_card_chargeDeclinedProcessingError",
            "processing_error",
            "processing_error",
            "An error occurred while processing your card. Try again in a little bit.",
        ),
        (
            "pm_card_visa_chargeDeclinedVelocityLimitExceeded",
            "card_declined",
            "card_velocity_exceeded",
            "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
        ),
        ("pm_card_chargeCustomerFail", "card_declined", "generic_decline", "Your card was declined."),
        ("pm_card_radarBlock", "card_declined", "fraudulent", "Your card was declined."),
        (
            "pm_card_threeDSecureRequiredProcessingError",
            "card_declined",
            "generic_decline",
            "Your card was declined.",
        ),
    ];
    for (card, code, decline_code, message) in table {
        let (status, body) = declined(card);
        let error = &body["error"];
        assert_eq!(status, 402, "{card}");
        assert_eq!(error["type"], "card_error", "{card}");
        assert_eq!(error["code"], code, "{card}");
        assert_eq!(error["decline_code"], decline_code, "{card}");
        assert_eq!(error["message"], message, "{card}");
        assert_eq!(error["payment_intent"]["status"], "requires_payment_method", "{card}");
        assert_eq!(error["payment_intent"]["payment_method"], Value::Null, "{card}");
        assert_eq!(error["payment_intent"]["last_payment_error"]["code"], code, "{card}");
        assert_eq!(error["charge"], error["payment_intent"]["latest_charge"], "{card}");
        assert!(error["payment_method"]["card"]["last4"].is_string(), "{card}");
        assert!(error["doc_url"].as_str().unwrap().ends_with(&code.replace('_', "-")), "{card}");
    }
}

#[test]
fn succeeding_cards_show_their_brand_and_funding() {
    let table = [
        ("pm_card_visa", "visa", "4242", "credit", Value::Null),
        ("pm_card_mastercard_debit", "mastercard", "8210", "debit", Value::Null),
        ("pm_card_amex", "amex", "0005", "credit", Value::Null),
        ("pm_card_debit_visaHsaProductCode", "visa", "0072", "debit", json!("Visa HSA")),
        ("pm_card_debit_visaFsaProductCode", "visa", "0072", "debit", json!("Visa FSA")),
    ];
    for (token, brand, last4, funding, description) in table {
        let mut story = Story::new();
        let intent = story.paid(token);
        let charge = story.get(&format!("/v1/charges/{}", intent["latest_charge"].as_str().unwrap()));
        let card = &charge["payment_method_details"]["card"];
        assert_eq!(card["brand"], brand, "{token}");
        assert_eq!(card["last4"], last4, "{token}");
        assert_eq!(card["funding"], funding, "{token}");
        assert_eq!(card["description"], description, "{token}");
    }
}

#[test]
fn a_declining_card_cannot_be_attached_but_the_customer_fail_card_can() {
    let mut story = Story::new();
    let customer = id(&story.done("/v1/customers", ""));
    let form = format!("customer={customer}");
    let (status, body) = story.post("/v1/payment_methods/pm_card_visa_chargeDeclined/attach", &form);
    assert_eq!((status, &body["error"]["code"]), (402, &json!("card_declined")));
    let method = story.done("/v1/payment_methods/pm_card_chargeCustomerFail/attach", &form);
    assert_eq!(method["customer"], customer.as_str());
    let more = format!("&customer={customer}&off_session=true");
    assert_eq!(story.pay(&id(&method), &more).0, 402);
}

#[test]
fn a_card_without_a_customer_is_used_up_by_one_payment() {
    let mut story = Story::new();
    let method = story.paid("pm_card_visa")["payment_method"].as_str().unwrap().to_owned();
    let (status, body) = story.pay(&method, "");
    assert_eq!(status, 400);
    assert_eq!(body["error"]["param"], "payment_method");
}

#[test]
fn a_challenge_is_asked_on_session_and_refused_off_session() {
    let mut story = Story::new();
    let (_, asked) = story.pay("pm_card_authenticationRequired", "&return_url=https://clinic.example/back");
    assert_eq!(asked["status"], "requires_action");
    assert_eq!(asked["next_action"]["redirect_to_url"]["return_url"], "https://clinic.example/back");
    let (status, refused) = story.pay("pm_card_authenticationRequired", "&off_session=true");
    assert_eq!(status, 402);
    assert_eq!(refused["error"]["code"], "authentication_required");
    assert_eq!(refused["error"]["decline_code"], "authentication_required");
    assert_eq!(refused["error"]["payment_intent"]["status"], "requires_payment_method");
    let (status, refused) = story.pay("pm_card_threeDSecure2Required", "&error_on_requires_action=true");
    assert_eq!((status, &refused["error"]["code"]), (402, &json!("authentication_required")));
}

#[test]
fn a_passed_challenge_pays_and_a_failed_one_does_not() {
    let mut story = Story::new();
    let first = id(&story.pay("pm_card_threeDSecure2Required", "").1);
    let paid = story.control("complete_3ds", json!({ "payment_intent": first }));
    assert_eq!(paid["status"], "succeeded");
    let second = id(&story.pay("pm_card_threeDSecure2Required", "").1);
    let failed = story.control("complete_3ds", json!({ "payment_intent": second, "outcome": "fail" }));
    assert_eq!(failed["status"], "requires_payment_method");
    assert_eq!(failed["last_payment_error"]["code"], "payment_intent_authentication_failure");
    assert_eq!(failed["latest_charge"], Value::Null);
    let third = id(&story.pay("pm_card_threeDSecureRequiredChargeDeclined", "").1);
    let declined = story.control("complete_3ds", json!({ "payment_intent": third }));
    assert_eq!(declined["error"]["code"], "card_declined");
}

#[test]
fn a_card_that_was_set_up_pays_later_without_the_holder() {
    let mut story = Story::new();
    let customer = id(&story.done("/v1/customers", "email=a@example.com&metadata[link]=l-1"));
    let form =
        format!("customer={customer}&payment_method=pm_card_authenticationRequiredOnSetup&confirm=true");
    let setup = story.done("/v1/setup_intents", &form);
    assert_eq!(setup["status"], "requires_action");
    let setup = story.control("complete_3ds", json!({ "setup_intent": id(&setup) }));
    assert_eq!(setup["status"], "succeeded");
    let method = setup["payment_method"].as_str().unwrap().to_owned();
    let (status, paid) = story.pay(&method, &format!("&customer={customer}&off_session=true"));
    assert_eq!((status, &paid["status"]), (200, &json!("succeeded")));
    let saved = story.get(&format!("/v1/customers/{customer}/payment_methods"));
    assert_eq!(saved["data"][0]["id"], method.as_str());
    assert_eq!(
        story.get("/v1/customers/search?query=metadata%5B%22link%22%5D%3A%22l-1%22")["data"][0]["id"],
        customer.as_str()
    );
}

#[test]
fn a_card_of_another_customer_is_refused() {
    let mut story = Story::new();
    let customer = id(&story.done("/v1/customers", ""));
    let method = id(&story.done("/v1/payment_methods/pm_card_visa/attach", &format!("customer={customer}")));
    assert_eq!(story.pay(&method, "").0, 400);
}

#[test]
fn another_card_at_confirmation_replaces_the_first() {
    let mut story = Story::new();
    let form = "amount=5000&currency=usd&payment_method=pm_card_visa_chargeDeclined";
    let intent = id(&story.done("/v1/payment_intents", form));
    let paid = story.done(&format!("/v1/payment_intents/{intent}/confirm"), "payment_method=pm_card_visa");
    assert_eq!(paid["status"], "succeeded");
}

#[test]
fn a_customer_is_not_made_with_a_card_that_declines() {
    let mut story = Story::new();
    assert_eq!(story.post("/v1/customers", "payment_method=pm_card_visa_chargeDeclined").0, 402);
    assert!(story.events().is_empty());
}

#[test]
fn typed_card_details_are_checked_in_the_browser() {
    let mut story = Story::new();
    let intent = id(&story.done("/v1/payment_intents", "amount=5000&currency=usd"));
    let wrong = json!({ "payment_intent": intent, "number": "4242424242424241" });
    assert_eq!(story.control("browser_confirm", wrong)["error"]["code"], "incorrect_number");
    let month = json!({ "payment_intent": intent, "number": "4242424242424242", "exp_month": 13 });
    assert_eq!(story.control("browser_confirm", month)["error"]["code"], "invalid_expiry_month");
    let right =
        json!({ "payment_intent": intent, "number": "4242424242424242", "exp_month": 12, "cvc": "123" });
    assert_eq!(story.control("browser_confirm", right)["status"], "succeeded");
}
