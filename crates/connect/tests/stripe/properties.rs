//! Whatever arrives, nothing panics and nothing is taken for money.

use proptest::prelude::{Just, Strategy, any, prop, prop_assert, prop_oneof, proptest};
use suture_connect::gateway::{Fetch, History, Invoices, Payments, Refunds, Vault, Webhooks};
use suture_connect::http::HttpResponse;
use suture_connect::kit;
use suture_connect::outcome::Outcome;
use suture_core::time::Timestamp;

use crate::support::{fixture, stripe};

/// Bytes without sense, and good bodies with one byte changed or cut off.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let mut good: Vec<String> = fixture("events.jsonl").lines().map(str::to_owned).collect();
    let single = ["intent-succeeded", "intent-declined", "refund", "customer", "method", "setup", "invoice"];
    good.extend(single.map(|name| fixture(&format!("{name}.json"))));
    good.extend(["invoice-item.json", "invoice-payment.json", "credit-note.json"].map(fixture));
    let bent = (prop::sample::select(good), any::<prop::sample::Index>(), any::<u8>(), any::<bool>())
        .prop_map(|(text, at, byte, cut)| {
            let mut bytes = text.into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if cut {
                bytes.truncate(at);
            }
            bytes
        });
    prop_oneof![prop::collection::vec(any::<u8>(), 0..400), bent]
}

fn headers() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        Just(None),
        any::<String>().prop_map(Some),
        "[tv01=, \u{e9}-]{0,40}".prop_map(Some),
        "t=[0-9]{0,22},v1=[0-9a-f]{0,70}".prop_map(Some),
    ]
}

proptest! {
    #[test]
    fn no_delivery_panics_and_no_forged_one_passes(header in headers(), body in bodies(), now in any::<i64>()) {
        let verified = stripe().verify(header.as_deref(), &body, Timestamp::from_millis(now));
        prop_assert!(verified.is_err());
        let _ = stripe().read(&body);
    }

    #[test]
    fn no_answer_panics_and_no_failed_status_is_done(status in 100_u16..600, body in bodies()) {
        let stripe = stripe();
        let response = HttpResponse { status, headers: Vec::new(), body };
        let paid = stripe.read_payment(&response);
        let refunded = stripe.read_refund(&response);
        for what in kit::fetches() {
            let _ = stripe.read_fetched(&what, &response);
        }
        for list in kit::lists() {
            let _ = stripe.read_list(list, &response);
        }
        let billed = stripe.read_pay(&response);
        let done = [
            matches!(stripe.read_customer(&response), Outcome::Done(_)),
            matches!(stripe.read_customers(&response), Outcome::Done(_)),
            matches!(stripe.read_setup_result(&response), Outcome::Done(_)),
            matches!(stripe.read_method(&response), Outcome::Done(_)),
            matches!(stripe.read_methods(&response), Outcome::Done(_)),
            matches!(stripe.read_invoice(&response), Outcome::Done(_)),
            matches!(stripe.read_item(&response), Outcome::Done(_)),
            matches!(stripe.read_payments(&response), Outcome::Done(_)),
            matches!(stripe.read_credit_note(&response), Outcome::Done(_)),
        ];
        let success = (200..300).contains(&status);
        prop_assert!(success || !done.contains(&true));
        prop_assert!(success || status == 402 || !matches!(billed, Outcome::Done(_)));
        prop_assert!(success || status == 402 || !matches!(paid, Outcome::Done(_)));
        prop_assert!(success || !matches!(refunded, Outcome::Done(_)));
        prop_assert!(status < 500 || matches!(paid, Outcome::Unknown(_)));
    }

    #[test]
    fn an_id_stays_one_segment_of_the_path(id in any::<String>()) {
        let request = History::fetch(&stripe(), &Fetch::Charge(id));
        let target = request.url.strip_prefix("https://api.stripe.com/v1/charges/").unwrap().to_owned();
        let (id, query) = target.split_once('?').unwrap();
        prop_assert!(!id.contains(['/', '#', '&', ' ']));
        prop_assert!(query == "expand[0]=balance_transaction");
    }
}
