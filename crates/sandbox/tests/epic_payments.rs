//! The external-payment service of the pretend Epic: postings, duplicates, refusals, lost answers, balances.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use suture_sandbox::epic::{EpicWorld, Mode};
use suture_sandbox::wire::{Request, Response};

const NOW_MS: i64 = 1_767_225_600_000;
const DAY_MS: i64 = 86_400_000;
const POST: &str = "/interconnect/api/epic/2017/Billing/External/PostTransactionResult";
const SESSION: &str = "/interconnect/api/epic/2017/Billing/External/GetPaymentSessionData";

struct Stage {
    world: EpicWorld,
    now_ms: i64,
}

impl Stage {
    fn new() -> Self {
        let mut stage = Self { world: EpicWorld::new(7, Mode::Real), now_ms: NOW_MS };
        stage.control("register_client", &json!({ "client_id": "clinic", "jwks": { "keys": [] } }));
        stage.control("register_user", &json!({ "user": "emp$PAY", "password": "sandbox" }));
        stage.control("balance", &json!({ "account": "eSbxAccount001", "amount": "500.00" }));
        stage
    }

    fn control(&mut self, verb: &str, body: &Value) -> Value {
        self.world.control(NOW_MS, verb, body).expect("the verb is taken")
    }

    fn send(&mut self, path: &str, body: &Value) -> Response {
        self.send_text(path, &body.to_string())
    }

    fn send_text(&mut self, path: &str, body: &str) -> Response {
        let request = Request::new("POST", path)
            .with_header("authorization", &format!("Basic {}", STANDARD.encode("emp$PAY:sandbox")))
            .with_header("epic-client-id", "clinic")
            .with_body(body);
        self.world.handle(self.now_ms, &request)
    }

    /// Sends a body whose digits must not be touched.
    fn post_text(&mut self, body: &str) -> Response {
        self.send_text(POST, body)
    }

    fn look_up(&mut self, reference: &str) -> String {
        text_of(&self.send(SESSION, &json!({ "TransactionID": reference })))
    }

    fn post(&mut self, body: &Value) -> Response {
        self.send(POST, body)
    }

    fn balance(&self) -> i64 {
        self.world.snapshot()["balances"]["eSbxAccount001"]["USD"].as_i64().expect("a balance")
    }

    fn posted(&mut self, reference: &str) -> Value {
        self.control("state", &json!({ "reference": reference }))["posting"].clone()
    }

    /// Posts something that must be refused with this code, and checks that nothing moved.
    #[track_caller]
    fn refused(&mut self, body: &Value, code: &str) {
        let before = self.balance();
        let answer = self.post(body);
        assert_eq!(codes(&answer), [code], "{}", answer.body_json());
        assert_eq!(self.balance(), before);
    }

    #[track_caller]
    fn refused_field(&mut self, name: &str, value: Value, code: &str) {
        let mut body = payment("sut_1", "120.00");
        body[name] = value;
        self.refused(&body, code);
    }
}

fn payment(reference: &str, amount: &str) -> Value {
    json!({
        "TransactionID": reference, "PatientID": "eSbxPatient001", "AccountID": "eSbxAccount001",
        "ClaimID": "eSbxClaim001", "Amount": amount, "Currency": "USD", "TransactionType": "Payment",
        "PatientIDType": "FHIR", "TransactionDateTime": "2025-12-31T18:00:00-06:00",
        "EncounterID": "eSbxEncounter001", "PractitionerID": "eSbxPractitioner01",
        "TransactionStatus": "paid", "Queue": "partial",
    })
}

fn refund(reference: &str, original: &str, amount: &str) -> Value {
    let mut body = payment(reference, amount);
    body["TransactionType"] = json!("Refund");
    body["OriginalTransactionID"] = json!(original);
    body
}

fn text_of(answer: &Response) -> String {
    String::from_utf8(answer.body.to_vec()).expect("text")
}

fn codes(answer: &Response) -> Vec<String> {
    let body = answer.body_json();
    let issues = body["issue"].as_array().cloned().unwrap_or_default();
    issues
        .iter()
        .map(|issue| issue["details"]["coding"][0]["code"].as_str().unwrap_or("").to_owned())
        .collect()
}

#[test]
fn a_payment_lowers_the_balance_and_gets_a_receipt() {
    let mut stage = Stage::new();
    let answer = stage.post(&payment("sut_1", "120.00"));
    let body = answer.body_json();
    assert_eq!((answer.status, &body["Result"]), (200, &json!("Posted")));
    assert!(body.get("Warnings").is_none());
    let posting = stage.posted("sut_1");
    assert_eq!(posting["receipt"], body["ReceiptNumber"]);
    assert_eq!((&posting["count"], &posting["amount"]), (&json!(1), &json!("120.00")));
    assert_eq!(posting["work_queue"], "partial");
    assert_eq!(stage.world.snapshot()["claim_status"]["eSbxClaim001"], "paid");
}

#[test]
fn an_amount_may_be_a_json_number_and_comes_back_with_every_decimal() {
    let mut stage = Stage::new();
    let sent = concat!(
        r#"{"TransactionID":"sut_1","TransactionType":"Payment","Amount":120.00,"PatientID":"eSbxPatient001","#,
        r#""Currency":"USD","PatientIDType":"FHIR","AccountID":"eSbxAccount001","ClaimID":"eSbxClaim001","#,
        r#""TransactionDateTime":"2026-11-20T21:30:00-06:00","TransactionStatus":"paid","Queue":"partial"}"#,
    );
    let answer = stage.post_text(sent);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let expected = concat!(
        r#"{"Status":"Accepted","Result":"Posted","TransactionID":"sut_1","ReceiptNumber":"RCPT0000000001","#,
        r#""TransactionType":"Payment","Amount":120.00,"Currency":"USD","AccountBalance":380.00}"#,
    );
    assert_eq!(text_of(&answer), expected);
    let again = sent.replace("sut_1", "sut_2").replace("120.00", "120.5");
    assert!(text_of(&stage.post_text(&again)).contains(r#""Amount":120.50,"#));
    assert_eq!(stage.balance(), 25_950);
}

#[test]
fn a_number_that_is_not_exact_is_refused_and_never_rounded() {
    let mut stage = Stage::new();
    let body = payment("sut_1", "120.00").to_string();
    for number in ["120.005", "0", "-1.00", "1e2", "120.00000000000000000001", "true", "{}", "[1]"] {
        let answer = stage.post_text(&body.replace(r#""120.00""#, number));
        assert_eq!(codes(&answer), ["59111"], "{number}");
    }
    let exact = body.replace(r#""120.00""#, "120.0000000000000000");
    assert_eq!(stage.post_text(&exact).status, 200);
    assert_eq!(stage.balance(), 38_000);
}

#[test]
fn the_look_up_proves_absence_with_an_empty_list_and_presence_with_the_transaction() {
    let mut stage = Stage::new();
    assert_eq!(stage.look_up("sut_1"), r#"{"Transactions":[]}"#);
    stage.post(&payment("sut_1", "120.00"));
    stage.post(&refund("sut_2", "sut_1", "20.00"));
    let expected = concat!(
        r#"{"Transactions":[{"TransactionID":"sut_1","ReceiptNumber":"RCPT0000000001","Amount":120.00,"#,
        r#""Currency":"USD","TransactionType":"Payment","Status":"Posted","RefundedAmount":20.00,"#,
        r#""AccountID":"eSbxAccount001"}]}"#,
    );
    assert_eq!(stage.look_up("sut_1"), expected);
    assert!(stage.look_up("sut_2").contains(r#""Amount":20.00,"Currency":"USD","TransactionType":"Refund""#));
}

#[test]
fn former_member_names_are_taken_and_a_member_given_twice_is_refused() {
    let mut stage = Stage::new();
    let text = payment("sut_1", "120.00").to_string();
    let twice = text.replacen('{', r#"{"WorkQueue":"other","#, 1);
    assert_eq!(codes(&stage.post_text(&twice)), ["59105"]);
    let former = text
        .replace("TransactionDateTime", "DateTime")
        .replace("TransactionStatus", "Status")
        .replace(r#""Queue""#, r#""WorkQueue""#);
    assert_eq!(stage.post_text(&former).status, 200);
    assert_eq!(stage.posted("sut_1")["work_queue"], "partial");
    assert_eq!(stage.world.snapshot()["claim_status"]["eSbxClaim001"], "paid");
}

#[test]
fn a_payment_without_an_account_goes_to_the_patients_own() {
    let mut stage = Stage::new();
    let mut body = payment("sut_1", "120.00");
    body["AccountID"] = Value::Null;
    assert_eq!(stage.post(&body).status, 200);
    assert_eq!(stage.balance(), 38_000);
}

#[test]
fn a_refusal_says_its_number_and_says_rejected_only_when_nothing_can_have_been_done() {
    let mut stage = Stage::new();
    stage.post(&payment("sut_1", "120.00"));
    let duplicate = stage.post(&payment("sut_1", "120.00"));
    let body = duplicate.body_json();
    assert_eq!(
        (duplicate.status, &body["ErrorCode"], &body["Status"]),
        (400, &json!(59141), &json!("Rejected"))
    );
    assert_eq!(body["resourceType"], "OperationOutcome");
    for code in [59133, 59177] {
        stage.control("fail", &json!({ "code": code }));
        let body = stage.post(&payment("sut_2", "1.00")).body_json();
        assert_eq!((&body["ErrorCode"], body.get("Status")), (&json!(code), None));
    }
}

#[test]
fn session_data_shows_what_is_due_and_what_was_posted() {
    let mut stage = Stage::new();
    let ask = json!({ "PatientID": "eSbxPatient001", "TransactionID": "sut_1" });
    let before = text_of(&stage.send(SESSION, &ask));
    assert!(
        before.contains(r#""BalanceDue":500.00,"#) && before.contains(r#""Transactions":[]"#),
        "{before}"
    );
    stage.post(&payment("sut_1", "120.00"));
    let after = text_of(&stage.send(SESSION, &ask));
    assert!(after.contains(r#""BalanceDue":380.00,"#), "{after}");
    assert!(after.contains(r#""Balances":[{"Currency":"USD","Amount":380.00}]"#), "{after}");
    assert!(after.contains(r#""ReceiptNumber":"RCPT0000000001","Amount":120.00,"#), "{after}");
    let only_due = stage.send(SESSION, &json!({ "PatientID": "eSbxPatient001" })).body_json();
    assert!(only_due.get("Transactions").is_none());
    assert_eq!(codes(&stage.send(SESSION, &json!({ "PatientID": "nobody" }))), ["4102"]);
    assert_eq!(codes(&stage.send(SESSION, &json!({}))), ["59108"]);
}

#[test]
fn each_currency_has_a_balance_of_its_own() {
    let mut stage = Stage::new();
    let mut body = payment("sut_1", "12000");
    body["Currency"] = json!("JPY");
    let answer = text_of(&stage.post(&body));
    assert!(answer.contains(r#""Amount":12000,"Currency":"JPY","AccountBalance":-12000}"#), "{answer}");
    let mut body = payment("sut_2", "1.250");
    body["Currency"] = json!("KWD");
    let answer = text_of(&stage.post(&body));
    assert!(answer.contains(r#""Amount":1.250,"Currency":"KWD","AccountBalance":-1.250}"#), "{answer}");
    assert_eq!(stage.balance(), 50_000);
}

#[test]
fn a_duplicate_is_refused_and_counted_as_an_attempt_only() {
    let mut stage = Stage::new();
    stage.post(&payment("sut_1", "120.00"));
    stage.refused(&payment("sut_1", "120.00"), "59141");
    let posting = stage.posted("sut_1");
    assert_eq!((&posting["count"], &posting["attempts"]), (&json!(1), &json!(2)));
}

#[test]
fn a_duplicate_can_be_answered_with_the_first_receipt() {
    let mut stage = Stage::new();
    stage.control("duplicate_style", &json!({ "style": "already_posted" }));
    let first = stage.post(&payment("sut_1", "120.00")).body_json();
    let second = stage.post(&payment("sut_1", "120.00")).body_json();
    assert_eq!((&second["Result"], &second["Status"]), (&json!("AlreadyPosted"), &json!("Accepted")));
    assert_eq!(second["ReceiptNumber"], first["ReceiptNumber"]);
    assert_eq!(stage.balance(), 38_000);
}

#[test]
fn a_site_that_knows_no_duplicates_posts_twice() {
    let mut stage = Stage::new();
    stage.control("duplicate_style", &json!({ "style": "post_again" }));
    stage.post(&payment("sut_1", "120.00"));
    stage.post(&payment("sut_1", "120.00"));
    assert_eq!(stage.posted("sut_1")["count"], 2);
    let seen = stage.look_up("sut_1");
    assert!(seen.contains("RCPT0000000001") && seen.contains("RCPT0000000002"), "{seen}");
    assert_eq!(stage.balance(), 26_000);
}

#[test]
fn the_same_reference_with_another_amount_is_refused_in_every_style() {
    for style in ["error", "already_posted", "post_again"] {
        let mut stage = Stage::new();
        stage.control("duplicate_style", &json!({ "style": style }));
        stage.post(&payment("sut_1", "120.00"));
        stage.refused(&payment("sut_1", "120.01"), "59159");
    }
}

#[test]
fn a_refund_raises_the_balance_up_to_what_was_paid() {
    let mut stage = Stage::new();
    stage.post(&payment("sut_1", "120.00"));
    assert_eq!(stage.post(&refund("sut_2", "sut_1", "60.00")).status, 200);
    assert_eq!(stage.balance(), 44_000);
    stage.refused(&refund("sut_3", "sut_1", "60.01"), "59159");
    stage.refused(&refund("sut_3", "sut_2", "1.00"), "59144");
    stage.refused(&refund("sut_3", "unknown", "1.00"), "59144");
    assert_eq!(stage.posted("sut_1")["refunded_minor"], 6_000);
}

#[test]
fn a_missing_or_wrong_field_is_refused_with_its_code() {
    let mut stage = Stage::new();
    for name in ["TransactionID", "PatientID", "Amount", "Currency", "TransactionType", "TransactionDateTime"]
    {
        stage.refused_field(name, Value::Null, "59108");
    }
    for amount in ["120", "120.5", "120.005", "0.00", "-1.00", "1e2", "12,00"] {
        stage.refused_field("Amount", json!(amount), "59111");
    }
    stage.refused_field("Queue", json!(7), "59105");
    stage.refused_field("PatientIDType", json!("EPI"), "59111");
    stage.refused_field("Currency", json!("usd"), "59111");
    stage.refused_field("TransactionType", json!("Void"), "59111");
    stage.refused_field("TransactionType", json!("Refund"), "59108");
    stage.refused_field("TransactionDateTime", json!("yesterday"), "59111");
    stage.refused_field("TransactionID", json!("x".repeat(51)), "59111");
}

#[test]
fn an_unknown_or_foreign_record_is_refused() {
    let mut stage = Stage::new();
    stage.refused_field("PatientID", json!("nobody"), "59144");
    stage.refused_field("AccountID", json!("none"), "59144");
    stage.refused_field("ClaimID", json!("none"), "59144");
    stage.refused_field("AccountID", json!("eSbxAccount002"), "59159");
    stage.refused_field("ClaimID", json!("eSbxClaim002"), "59159");
    stage.control("close_claim", &json!({ "claim": "eSbxClaim001" }));
    stage.refused(&payment("sut_1", "120.00"), "59159");
}

#[test]
fn unknown_enrichment_is_ignored_with_a_warning() {
    let mut stage = Stage::new();
    let mut body = payment("sut_1", "120.00");
    body["EncounterID"] = json!("none");
    let answer = stage.post(&body).body_json();
    assert_eq!((&answer["Result"], &answer["Warnings"][0]["Code"]), (&json!("Posted"), &json!("59109")));
}

#[test]
fn a_merged_patient_points_to_the_survivor_who_can_pay_the_old_account() {
    let mut stage = Stage::new();
    stage.control("merge", &json!({ "from": "eSbxPatient001", "into": "eSbxPatient002" }));
    let answer = stage.post(&payment("sut_1", "120.00"));
    assert_eq!(codes(&answer), ["4107"]);
    assert_eq!(answer.header("location"), Some("Patient/eSbxPatient002"));
    assert!(text_of(&answer).contains("merged into Patient/eSbxPatient002."));
    let mut body = payment("sut_1", "120.00");
    body["PatientID"] = json!("eSbxPatient002");
    assert_eq!(stage.post(&body).status, 200);
    assert_eq!(stage.balance(), 38_000);
    let mut body = refund("sut_2", "sut_1", "20.00");
    body["PatientID"] = json!("eSbxPatient002");
    body["AccountID"] = Value::Null;
    body["ClaimID"] = Value::Null;
    assert_eq!(stage.post(&body).status, 200);
    assert_eq!(stage.balance(), 40_000);
    let back = json!({ "from": "eSbxPatient002", "into": "eSbxPatient001" });
    assert!(stage.world.control(NOW_MS, "merge", &back).is_err());
}

#[test]
fn a_patient_behind_break_the_glass_takes_no_payment() {
    let mut stage = Stage::new();
    stage.control("break_the_glass", &json!({ "patient": "eSbxPatient001" }));
    stage.refused(&payment("sut_1", "120.00"), "4130");
    stage.control("break_the_glass", &json!({ "patient": "eSbxPatient001", "code": 4131 }));
    stage.refused(&payment("sut_1", "120.00"), "4131");
    stage.control("break_the_glass", &json!({ "patient": "eSbxPatient001", "on": false }));
    assert_eq!(stage.post(&payment("sut_1", "120.00")).status, 200);
}

#[test]
fn the_daily_ceiling_holds_until_the_next_local_day() {
    let mut stage = Stage::new();
    stage.control("ceiling", &json!({ "calls_per_day": 1, "time_zone": "America/Chicago" }));
    assert_eq!(stage.post(&payment("sut_1", "1.00")).status, 200);
    stage.refused(&payment("sut_2", "1.00"), "4135");
    // Midnight in Chicago is 06:00 UTC in winter.
    stage.now_ms = NOW_MS + DAY_MS / 4 - 1;
    stage.refused(&payment("sut_2", "1.00"), "4135");
    stage.now_ms = NOW_MS + DAY_MS / 4;
    assert_eq!(stage.post(&payment("sut_2", "1.00")).status, 200);
}

#[test]
fn a_lost_answer_is_posted_all_the_same() {
    let mut stage = Stage::new();
    stage.control("lose_answers", &json!({ "count": 1 }));
    assert!(stage.post(&payment("sut_1", "120.00")).is_cut());
    assert_eq!(stage.balance(), 38_000);
    assert!(stage.look_up("sut_1").contains(r#""Status":"Posted""#));
}

#[test]
fn answers_are_lost_by_chance_and_the_same_seed_loses_the_same_ones() {
    let run = || {
        let mut stage = Stage::new();
        stage.control("lose_answers", &json!({ "probability": 0.25, "endpoint": "PostTransactionResult" }));
        (0..200).map(|at| stage.post(&payment(&format!("sut_{at}"), "0.01")).is_cut()).collect::<Vec<_>>()
    };
    let lost = run();
    assert!((20..80).contains(&lost.iter().filter(|cut| **cut).count()));
    assert_eq!(lost, run());
}

#[test]
fn a_failure_may_act_or_not_and_ends_after_its_count() {
    let mut stage = Stage::new();
    stage.control("fail", &json!({ "code": 59177, "count": 2 }));
    stage.refused(&payment("sut_1", "120.00"), "59177");
    assert_eq!(stage.post(&payment("sut_1", "120.00")).status, 500);
    stage.control("fail", &json!({ "code": 59177, "acts": true, "endpoint": "PostTransactionResult" }));
    assert_eq!(stage.post(&payment("sut_1", "120.00")).status, 500);
    assert_eq!(stage.balance(), 38_000);
    stage.refused(&payment("sut_1", "120.00"), "59141");
}

#[test]
fn every_code_of_the_registry_and_plain_statuses_can_be_asked_for() {
    let mut stage = Stage::new();
    for code in [
        4100, 4101, 4102, 4103, 4107, 4110, 4111, 4112, 4113, 4115, 4118, 4119, 4122, 4127, 4130, 4131, 4134,
        4135, 40000, 59100, 59101, 59102, 59105, 59108, 59109, 59111, 59133, 59141, 59144, 59159, 59177,
        59204,
    ] {
        stage.control("fail", &json!({ "code": code }));
        stage.refused(&payment("sut_1", "120.00"), &code.to_string());
    }
    for status in [429, 500, 503] {
        stage.control("fail", &json!({ "code": status }));
        assert_eq!(stage.post(&payment("sut_1", "120.00")).status, status);
    }
    assert!(stage.world.control(NOW_MS, "fail", &json!({ "code": 12 })).is_err());
    assert_eq!(stage.post(&payment("sut_1", "120.00")).status, 200);
}

#[test]
fn an_outage_answers_html_and_acts_on_nothing() {
    let mut stage = Stage::new();
    stage.control("outage", &json!({ "on": true }));
    let answer = stage.post(&payment("sut_1", "120.00"));
    assert_eq!((answer.status, answer.header("content-type")), (503, Some("text/html")));
    stage.control("outage", &json!({ "on": false }));
    assert_eq!(stage.posted("sut_1"), Value::Null);
}

#[test]
fn a_stranger_posts_nothing() {
    let mut stage = Stage::new();
    let body = payment("sut_1", "120.00").to_string();
    let wrong = format!("Basic {}", STANDARD.encode("emp$PAY:wrong"));
    for request in [
        Request::new("POST", POST),
        Request::new("POST", POST)
            .with_header("authorization", &wrong)
            .with_header("epic-client-id", "clinic"),
        Request::new("POST", POST).with_header("authorization", "Bearer made-up"),
    ] {
        assert_eq!(stage.world.handle(NOW_MS, &request.with_body(body.clone())).status, 401);
    }
    assert_eq!(stage.balance(), 50_000);
}

#[test]
fn many_postings_stay_countable_page_by_page_and_the_log_stays_short() {
    let mut stage = Stage::new();
    for at in 0..5_000 {
        assert_eq!(stage.post(&payment(&format!("sut_{at:06}"), "0.01")).status, 200);
    }
    let state = stage.control("state", &json!({ "limit": 3_000 }));
    assert_eq!((&state["references_total"], &state["postings_total"]), (&json!(5_000), &json!(5_000)));
    assert_eq!(state["calls"]["PostTransactionResult"], 5_000);
    assert_eq!(state["next_after"], "sut_002999");
    let rest = stage.control("state", &json!({ "limit": 3_000, "after": state["next_after"] }));
    assert_eq!(rest["postings"].as_object().map(serde_json::Map::len), Some(2_000));
    assert_eq!(rest["next_after"], Value::Null);
    assert_eq!(stage.balance(), 50_000 - 5_000);
    assert!(state["last_calls"].as_array().is_some_and(|log| log.len() == 50));
}
