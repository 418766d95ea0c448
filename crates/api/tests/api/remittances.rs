//! Stories about files from payers over HTTP: 835 remittances and 271 answers.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::kit::{Answer, Api};

const EXACT: &str = include_str!("../../../connect/tests/fixtures/x12/2c-exact.835");
const BENEFITS: &str = include_str!("../../../connect/tests/fixtures/x12/benefits.271");
const X12: &str = "application/edi-x12";

async fn import(api: &Api, key: &str, idempotency_key: &str, file: &str) -> Answer {
    api.post_file("/v1/remittances", key, (idempotency_key, X12), file.to_owned()).await
}

#[tokio::test]
async fn a_file_is_taken_in_once_and_shows_codes_and_amounts_without_names() {
    let api = Api::open().await;
    let billing = api.key("billing").await;
    let taken = import(&api, &billing, "a", EXACT).await;
    assert_eq!(taken.status, StatusCode::CREATED, "{}", taken.text);
    let id = taken.json()["remittances"][0].as_str().unwrap().to_owned();
    assert_eq!(import(&api, &billing, "a", EXACT).await.headers["idempotent-replayed"], "true");
    let again = import(&api, &billing, "b", EXACT).await;
    assert_eq!(again.problem(), (409, "remittance_known".to_owned()));
    assert!(again.text.contains(&id), "the answer names the one that came before");

    let shown = api.get(&format!("/v1/remittances/{id}"), &billing).await;
    assert_eq!(shown.json()["total"], json!({ "minor": 14_000, "currency": "USD" }));
    assert_eq!(shown.json()["status"], "received");
    let claims = api.get(&format!("/v1/remittances/{id}/claims"), &billing).await;
    let claim = &claims.json()["items"][0];
    assert_eq!((&claim["claim"], &claim["state"]), (&json!("CLM-2C"), &json!("received")));
    assert_eq!(claim["sheet"]["patientResponsibility"]["minor"], 4_000);
    assert_eq!(claim["sheet"]["lines"][0]["adjustments"][0]["group"], "CO");
    for text in [&shown.text, &claims.text, &taken.text] {
        assert!(!text.contains("SAMPLE") && !text.contains("M-0001"), "{text}");
    }
}

#[tokio::test]
async fn a_file_that_does_not_balance_is_refused_with_loop_and_segment() {
    let api = Api::open().await;
    let billing = api.key("billing").await;
    let wrong = EXACT.replace("CAS*PR*1*30**3*10", "CAS*PR*1*30**3*11");
    let refused = import(&api, &billing, "a", &wrong).await;
    assert_eq!(refused.problem(), (422, "remittance_refused".to_owned()));
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("2110") || detail.contains("2100"), "the loop: {detail}");
    assert!(detail.contains("segment"), "the segment: {detail}");
    assert!(!detail.contains("SAMPLE"), "{detail}");
    assert_eq!(api.get("/v1/remittances", &billing).await.json()["items"], json!([]));
    let cut = import(&api, &billing, "b", EXACT.split("SE*").next().unwrap()).await;
    assert_eq!(cut.problem(), (422, "remittance_refused".to_owned()));
}

#[tokio::test]
async fn a_key_stands_for_one_file() {
    let api = Api::open().await;
    let billing = api.key("billing").await;
    import(&api, &billing, "a", EXACT).await;
    let other = EXACT.replace("EFT-00203", "EFT-00999");
    let answer = import(&api, &billing, "a", &other).await;
    assert_eq!(answer.problem(), (422, "idempotency_key_reused".to_owned()));
}

#[tokio::test]
async fn files_of_another_kind_or_size_and_callers_who_may_not_are_refused() {
    let api = Api::open().await;
    let (billing, desk) = (api.key("billing").await, api.key("front_desk").await);
    let json = api.post_file("/v1/remittances", &billing, ("a", "application/json"), "{}").await;
    assert_eq!(json.problem(), (415, "content_type_refused".to_owned()));
    let large = api.post_file("/v1/remittances", &billing, ("b", X12), vec![b'A'; (64 << 20) + 1]).await;
    assert_eq!(large.problem(), (413, "body_too_large".to_owned()));
    assert!(large.text.contains("64 MiB"), "{}", large.text);
    assert_eq!(import(&api, &desk, "c", EXACT).await.problem(), (403, "forbidden".to_owned()));
}

#[tokio::test]
async fn a_claim_that_no_service_knows_cannot_be_booked_and_the_answer_says_why() {
    let api = Api::open().await;
    let billing = api.key("billing").await;
    let taken = import(&api, &billing, "a", EXACT).await.json();
    let id = taken["remittances"][0].as_str().unwrap();
    let path = format!("/v1/remittances/{id}/claims/1/book");
    let (status, code, detail) = api.refused(&path, &billing, &json!({})).await;
    assert_eq!((status, code.as_str()), (409, "claim_not_booked"));
    assert!(detail.contains("no service has this claim control number"), "{detail}");
    let missing = format!("/v1/remittances/{id}/claims/2/book");
    assert_eq!(api.refused(&missing, &billing, &json!({})).await.0, 404);
    let other = api.get("/v1/remittance-claims?state=booked", &billing).await;
    assert_eq!(other.problem(), (422, "query_invalid".to_owned()));
}

async fn check_with_member(api: &Api, desk: &str, member: &str) -> String {
    let patient = api.made("/v1/patients", desk, &json!({})).await["id"].clone();
    let policy = json!({ "patient": patient, "payer": "88888", "memberId": member });
    let policy = api.made("/v1/policies", desk, &policy).await["id"].clone();
    let ask = json!({ "patient": patient, "policy": policy, "serviceTypes": ["98"] });
    let check: Value = api.made("/v1/eligibilities", desk, &ask).await;
    assert_eq!(check["status"], "pending", "a check answers at once");
    check["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_271_for_another_patient_is_refused_and_one_for_this_patient_gives_the_share() {
    let api = Api::open().await;
    let desk = api.key("front_desk").await;
    let member = BENEFITS.split("*MI*").nth(1).unwrap().split('~').next().unwrap();
    let stranger = check_with_member(&api, &desk, "SOMEBODY-ELSE").await;
    let path = format!("/v1/eligibilities/{stranger}/x12?allowedMinor=18000&network=in&choose=highest");
    let refused = api.post_file(&path, &desk, ("a", X12), BENEFITS).await;
    assert_eq!(refused.problem(), (422, "answer_for_another_patient".to_owned()));
    assert!(!refused.text.contains(member), "{}", refused.text);

    let own = check_with_member(&api, &desk, member).await;
    let path = format!("/v1/eligibilities/{own}/x12?allowedMinor=18000");
    let taken = api.post_file(&path, &desk, ("b", "text/x12"), BENEFITS).await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.text);
    let body = taken.json();
    assert_eq!((&body["status"], &body["answeredFrom"]), (&json!("eligible"), &json!("x12")));
    let share = &body["responsibility"];
    let parts = ["copay", "coinsurance", "deductible", "notCovered"];
    let sum: i64 = parts.iter().map(|part| share[part]["minor"].as_i64().unwrap()).sum();
    assert_eq!(share["total"]["minor"], sum);
    assert!(!taken.text.contains(member), "{}", taken.text);
}

#[tokio::test]
async fn a_271_that_cannot_be_read_or_is_too_large_changes_nothing() {
    let api = Api::open().await;
    let desk = api.key("front_desk").await;
    let check = check_with_member(&api, &desk, "M-1").await;
    let path = format!("/v1/eligibilities/{check}/x12?allowedMinor=18000");
    let unread = api.post_file(&path, &desk, ("a", X12), "no X12").await;
    assert_eq!(unread.problem(), (422, "x12_refused".to_owned()));
    let large = api.post_file(&path, &desk, ("b", X12), vec![b'A'; (1 << 20) + 1]).await;
    assert_eq!(large.problem(), (413, "body_too_large".to_owned()));
    let query = api.post_file(&path.replace("allowedMinor", "allowed"), &desk, ("c", X12), BENEFITS).await;
    assert_eq!(query.problem(), (422, "query_invalid".to_owned()));
    let shown = api.get(&format!("/v1/eligibilities/{check}"), &desk).await.json();
    assert_eq!(shown["status"], "pending");
}
