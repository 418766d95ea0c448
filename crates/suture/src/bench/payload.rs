//! Webhooks as Stripe sends them: a whole charge object of about 3 kB, signed.

use ring::hmac;

/// The signing secret of the benchmark's connection.
pub(super) const SECRET: &str = "whsec_bench";

/// Everything that a real event carries and we do not need is there too: it must be parsed.
const EVENT: &str = r#"{
  "id": "evt_3Bench@N@", "object": "event", "api_version": "2026-10-28.endive", "created": @T@,
  "data": { "object": {
    "id": "ch_3Bench@N@", "object": "charge", "amount": 12000, "amount_captured": 12000, "amount_refunded": 0,
    "application": null, "application_fee": null, "application_fee_amount": null, "authorization_code": "224517",
    "balance_transaction": "txn_3Bench@N@",
    "billing_details": { "address": { "city": null, "country": null, "line1": null, "line2": null,
      "postal_code": "60601", "state": null }, "email": null, "name": null, "phone": null, "tax_id": null },
    "calculated_statement_descriptor": "CLINIC", "captured": true, "created": @T@, "currency": "usd",
    "customer": null, "description": null, "destination": null, "dispute": null, "disputed": false,
    "failure_balance_transaction": null, "failure_code": null, "failure_message": null, "fraud_details": {},
    "livemode": false, "metadata": { "suture_link": "@L@" }, "on_behalf_of": null, "order": null,
    "outcome": { "advice_code": null, "network_advice_code": null, "network_decline_code": null,
      "network_status": "approved_by_network", "reason": null, "risk_level": "normal", "risk_score": 12,
      "seller_message": "Payment complete.", "type": "authorized" },
    "paid": true, "payment_intent": "pi_3Bench@N@", "payment_method": "pm_1Bench@N@",
    "payment_method_details": { "card": { "amount_authorized": 12000, "authorization_code": "224517", "brand": "visa",
      "checks": { "address_line1_check": null, "address_postal_code_check": "pass", "cvc_check": "pass" },
      "country": "US", "exp_month": 8, "exp_year": 2030, "extended_authorization": { "status": "disabled" },
      "fingerprint": "mToisGZ01V71BCos", "funding": "credit",
      "incremental_authorization": { "status": "unavailable" }, "installments": null, "last4": "4242",
      "mandate": null, "multicapture": { "status": "unavailable" }, "network": "visa",
      "network_token": { "used": false }, "network_transaction_id": "107110155112101",
      "overcapture": { "maximum_amount_capturable": 12000, "status": "unavailable" },
      "regulated_status": "unregulated", "three_d_secure": null, "wallet": null }, "type": "card" },
    "radar_options": {}, "receipt_email": null, "receipt_number": null,
    "receipt_url": "https://pay.stripe.com/receipts/payment/CAcaFwoVYWNjdF8xTTJKVGtMa2RJd0h1N2l4KP7m8rkGMgZj9o3",
    "refunded": false, "review": null, "shipping": null, "source": null, "source_transfer": null,
    "statement_descriptor": null, "statement_descriptor_suffix": null, "status": "succeeded", "transfer_data": null,
    "transfer_group": null
  } },
  "livemode": false, "pending_webhooks": 1, "request": { "id": "req_Bench", "idempotency_key": "bench" },
  "type": "charge.succeeded"
}"#;

/// A `charge.succeeded` event.
pub(super) fn charge_succeeded(number: u64, link: &str, created: i64) -> Vec<u8> {
    let number = format!("{number:016}");
    EVENT.replace("@N@", &number).replace("@T@", &created.to_string()).replace("@L@", link).into_bytes()
}

/// The signature header of a body.
pub(super) fn signature(body: &[u8], t: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(format!("{t}.").as_bytes());
    context.update(body);
    let digits: String = context.sign().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={t},v1={digits}")
}

/// A whole HTTP request, ready to be written.
pub(super) fn request(path: &str, body: &[u8], t: i64) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\nstripe-signature: {}\r\n\
         content-length: {}\r\n\r\n",
        signature(body, t),
        body.len()
    );
    [head.as_bytes(), body].concat()
}
