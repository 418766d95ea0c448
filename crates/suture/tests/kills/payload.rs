//! Webhooks as Stripe sends them, numbered: a whole charge, signed with the connection's secret.

use ring::hmac;
use serde_json::{Value, json};

/// The signing secret of the connection.
pub(crate) const SECRET: &str = "whsec_kills";

/// The id of a numbered charge.
pub(crate) fn charge_id(number: usize) -> String {
    format!("ch_3Kills{number:016}")
}

/// The id of the event that tells about a numbered charge.
pub(crate) fn event_id(number: usize) -> String {
    format!("evt_3Kills{number:016}")
}

/// A captured charge of 120.00 USD, as the gateway has it. `created` is seconds since 1970.
pub(crate) fn charge(number: usize, link: &str, created: i64) -> Value {
    json!({
        "id": charge_id(number), "object": "charge", "amount": 12_000, "amount_captured": 12_000,
        "amount_refunded": 0, "application_fee_amount": null, "balance_transaction": null,
        "billing_details": { "address": { "postal_code": "60601" }, "email": null, "name": null, "phone": null },
        "captured": true, "created": created, "currency": "usd", "customer": null, "description": null,
        "dispute": null, "disputed": false, "failure_code": null, "failure_message": null, "livemode": false,
        "metadata": { "suture_link": link }, "on_behalf_of": null,
        "outcome": {
            "network_status": "approved_by_network", "reason": null, "risk_level": "normal", "risk_score": 12,
            "seller_message": "Payment complete.", "type": "authorized"
        },
        "paid": true, "payment_intent": format!("pi_3Kills{number:016}"),
        "payment_method": format!("pm_1Kills{number:016}"),
        "payment_method_details": {
            "card": {
                "brand": "visa", "country": "US", "exp_month": 8, "exp_year": 2030, "funding": "credit",
                "last4": "4242", "network": "visa", "three_d_secure": null, "wallet": null
            },
            "type": "card"
        },
        "receipt_email": null, "refunded": false, "status": "succeeded", "transfer_group": null
    })
}

/// The event about a charge.
pub(crate) fn charge_succeeded(number: usize, charge: &Value, created: i64) -> Vec<u8> {
    let event = json!({
        "id": event_id(number), "object": "event", "api_version": "2026-10-28.endive", "created": created,
        "data": { "object": charge }, "livemode": false, "pending_webhooks": 1,
        "request": { "id": null, "idempotency_key": null }, "type": "charge.succeeded"
    });
    event.to_string().into_bytes()
}

/// A delivery of a body, signed at a moment in seconds since 1970, ready to be written.
pub(crate) fn delivery(path: &str, body: &[u8], signed_at: i64) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let signature = hmac::sign(&key, &[format!("{signed_at}.").as_bytes(), body].concat());
    let digits: String = signature.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: suture\r\ncontent-type: application/json\r\n\
         stripe-signature: t={signed_at},v1={digits}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}
