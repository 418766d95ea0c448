//! Stories about the path from the policy to the settled balance over HTTP, and what is refused on the way.

use serde_json::{Value, json};

use crate::kit::Api;

fn usd(minor: i64) -> Value {
    json!({ "minor": minor, "currency": "USD" })
}

async fn patient(api: &Api, key: &str) -> String {
    api.made("/v1/patients", key, &json!({})).await["id"].as_str().unwrap().to_owned()
}

async fn check(api: &Api, key: &str, patient: &str) -> String {
    let ask = json!({ "patient": patient, "serviceTypes": ["98"] });
    api.made("/v1/eligibilities", key, &ask).await["id"].as_str().unwrap().to_owned()
}

async fn answered(api: &Api, key: &str, patient: &str, minor: i64) -> String {
    let id = check(api, key, patient).await;
    let share = json!({
        "total": usd(minor), "copay": usd(minor), "coinsurance": usd(0), "deductible": usd(0), "notCovered": usd(0),
    });
    let answer = json!({ "author": "kim", "answer": { "covered": share } });
    let known = api.made(&format!("/v1/eligibilities/{id}/answer"), key, &answer).await;
    assert_eq!((&known["status"], &known["answeredBy"]), (&json!("eligible"), &json!("kim")));
    id
}

/// A service whose claim was sent, for 300.00.
async fn billed(api: &Api, key: &str, patient: &str, claim: &str) -> String {
    let book = json!({ "patient": patient, "currency": "USD", "at": "2026-11-28T09:00:00Z" });
    let made = api.made("/v1/services", key, &book).await;
    assert_eq!(made["status"], "scheduled");
    let id = made["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/services/{id}");
    let lines = json!({ "lines": [{ "code": "99214", "charge": usd(30_000) }] });
    api.made(&format!("{path}/deliver"), key, &lines).await;
    let note = json!({ "kind": "note", "signer": "dr-house", "text": "Ann has a cough." });
    let signed = api.made(&format!("{path}/notes"), key, &note).await;
    assert!(!signed.to_string().contains("cough"), "a note's text is never shown");
    api.made(&format!("{path}/bill"), key, &json!({ "claim": claim })).await;
    id
}

#[tokio::test]
async fn a_wrong_order_is_refused_with_the_step_that_is_missing() {
    let api = Api::open().await;
    let (admin, desk) = (api.key("admin").await, api.key("front_desk").await);
    let patient = patient(&api, &desk).await;
    let check = check(&api, &desk, &patient).await;
    let estimate = json!({ "eligibility": check, "patient": patient });
    let (status, code, detail) = api.refused("/v1/estimates", &desk, &estimate).await;
    assert_eq!((status, code.as_str()), (409, "eligibility_not_answered"));
    assert!(detail.contains("eligibility check is pending"), "{detail}");
    let (_, code, detail) = api.refused("/v1/estimates", &desk, &json!({ "patient": patient })).await;
    assert_eq!(code, "body_invalid");
    assert!(detail.contains("`eligibility`"), "{detail}");

    let book = json!({ "patient": patient, "currency": "USD" });
    let service = api.made("/v1/services", &desk, &book).await;
    let path = format!("/v1/services/{}", service["id"].as_str().unwrap());
    let note = json!({ "kind": "note", "signer": "dr", "text": "x" });
    for (step, body, expected) in [
        ("notes", note, ("not_allowed_now", "Record the care first")),
        ("bill", json!({ "claim": "C1" }), ("note_missing", "Sign it first")),
        (
            "responsibility",
            json!({ "amount": usd(1), "author": "kim" }),
            ("not_allowed_now", "note is not signed"),
        ),
        ("settle", json!({}), ("not_allowed_now", "final responsibility is not known")),
    ] {
        let (status, code, detail) = api.refused(&format!("{path}/{step}"), &admin, &body).await;
        assert_eq!((status, code.as_str()), (409, expected.0), "{step}");
        assert!(detail.contains(expected.1), "{step}: {detail}");
    }
}

#[tokio::test]
async fn an_estimate_inherits_the_amount_and_another_one_needs_a_name_and_a_reason() {
    let api = Api::open().await;
    let desk = api.key("front_desk").await;
    let patient = patient(&api, &desk).await;
    let check = answered(&api, &desk, &patient, 6_000).await;
    let body = json!({ "eligibility": check, "patient": patient });
    let made = api.made("/v1/estimates", &desk, &body).await;
    assert_eq!((&made["amount"], &made["status"]), (&usd(6_000), &json!("pending")));
    assert_eq!(made["actions"], json!(["authorize", "change", "cancel"]));
    let path = format!("/v1/estimates/{}", made["id"].as_str().unwrap());
    let change = json!({ "amount": usd(8_500), "by": "kim", "reason": "second procedure" });
    let changed = api.made(&format!("{path}/change"), &desk, &change).await;
    assert_eq!((&changed["amount"], &changed["overridden"]["by"]), (&usd(8_500), &json!("kim")));
    let unnamed = json!({ "amount": usd(1), "by": " ", "reason": "x" });
    assert_eq!(api.refused(&format!("{path}/change"), &desk, &unnamed).await.1, "field_invalid");
    for step in ["capture", "refund"] {
        let body = if step == "refund" { json!({ "reason": "x", "authorizer": "kim" }) } else { json!({}) };
        let key = api.key("admin").await;
        let (status, code, detail) = api.refused(&format!("{path}/{step}"), &key, &body).await;
        assert_eq!((status, code.as_str()), (409, "not_allowed_now"), "{step}");
        assert!(detail.contains("authorize it first"), "{detail}");
    }
    let (_, code, _) = api.refused(&format!("{path}/authorize"), &desk, &json!({})).await;
    assert_eq!(code, "no_gateway");
    let canceled = api.made(&format!("{path}/cancel"), &desk, &json!({})).await;
    assert_eq!((&canceled["status"], &canceled["actions"]), (&json!("canceled"), &json!([])));
    let refund = json!({ "reason": "x", "authorizer": "kim" });
    assert_eq!(api.refused(&format!("{path}/refund"), &desk, &refund).await.1, "forbidden");
}

#[tokio::test]
async fn things_of_another_patient_do_not_mix() {
    let api = Api::open().await;
    let desk = api.key("front_desk").await;
    let (one, two) = (patient(&api, &desk).await, patient(&api, &desk).await);
    let check = answered(&api, &desk, &one, 6_000).await;
    let policy = json!({ "patient": one, "payer": "88888", "memberId": "M-1" });
    let policy = api.made("/v1/policies", &desk, &policy).await["id"].clone();
    let ask = json!({ "patient": two, "policy": policy, "serviceTypes": ["98"] });
    assert_eq!(api.refused("/v1/eligibilities", &desk, &ask).await.1, "policy_of_another_patient");
    let estimate = json!({ "eligibility": check, "patient": two });
    assert_eq!(api.refused("/v1/estimates", &desk, &estimate).await.1, "eligibility_of_another_patient");
    let book = json!({ "patient": two, "eligibility": check, "currency": "USD" });
    assert_eq!(api.refused("/v1/services", &desk, &book).await.1, "eligibility_of_another_patient");
    let wrong = json!({ "patient": check, "serviceTypes": ["98"] });
    let (_, code, detail) = api.refused("/v1/eligibilities", &desk, &wrong).await;
    assert_eq!(code, "id_invalid");
    assert!(detail.contains("`patient`") && detail.contains("pat_"), "{detail}");
    let named = json!({ "patient": one, "serviceTypes": ["98"], "account": "Ann Example" });
    assert_eq!(api.refused("/v1/eligibilities", &desk, &named).await.1, "not_an_opaque_id");
}

#[tokio::test]
async fn an_answer_whose_parts_do_not_add_up_is_not_recorded() {
    let api = Api::open().await;
    let desk = api.key("front_desk").await;
    let patient = patient(&api, &desk).await;
    let id = check(&api, &desk, &patient).await;
    let share = json!({
        "total": usd(6_000), "copay": usd(1), "coinsurance": usd(0), "deductible": usd(0), "notCovered": usd(0),
    });
    let path = format!("/v1/eligibilities/{id}/answer");
    let answer = json!({ "author": "kim", "answer": { "covered": share } });
    assert_eq!(api.refused(&path, &desk, &answer).await.1, "responsibility_does_not_add_up");
    let unsigned = json!({ "author": "", "answer": { "notCovered": { "code": "96" } } });
    assert_eq!(api.refused(&path, &desk, &unsigned).await.1, "author_required");
    assert_eq!(api.get(&format!("/v1/eligibilities/{id}"), &desk).await.json()["status"], "pending");
}

#[tokio::test]
async fn a_service_goes_from_booking_to_settled_and_explains_every_cent() {
    let api = Api::open().await;
    let (billing, desk) = (api.key("billing").await, api.key("front_desk").await);
    let patient = patient(&api, &desk).await;
    let id = billed(&api, &desk, &patient, "CLM-9").await;
    let path = format!("/v1/services/{id}");
    let decision = json!({
        "reference": "letter-1", "outcome": "processed", "charge": usd(30_000), "paid": usd(14_000),
        "adjustments": [
            { "line": 1, "group": "CO", "reason": "45", "amount": usd(12_000) },
            { "line": 1, "group": "PR", "reason": "1", "amount": usd(4_000) },
        ],
    });
    assert_eq!(api.refused(&format!("{path}/adjudicate"), &desk, &decision).await.1, "forbidden");
    let mut unbalanced = decision.clone();
    unbalanced["paid"] = usd(14_001);
    let (_, code, _) = api.refused(&format!("{path}/adjudicate"), &billing, &unbalanced).await;
    assert_eq!(code, "adjudication_unbalanced");
    let settling = api.made(&format!("{path}/adjudicate"), &billing, &decision).await;
    assert_eq!(settling["status"], "settling", "a final decision begins to settle");
    assert_eq!(settling["worksheet"]["difference"], usd(4_000));
    assert_eq!(settling["toCollect"], usd(4_000));
    let listed = api.get("/v1/services?status=settling", &billing).await.json();
    assert_eq!((&listed["items"][0]["id"], &listed["next"]), (&json!(id), &json!(null)));
    assert_eq!(api.get("/v1/services?status=completed", &billing).await.json()["items"], json!([]));

    let told = api.get(&format!("{path}/explanation"), &billing).await.json();
    let sum: i64 = told["sentences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["amount"]["minor"].as_i64().unwrap())
        .sum();
    assert_eq!(told["worksheet"]["difference"]["minor"], sum);
    let invoice = settling["invoice"].as_str().unwrap();
    let shown = api.get(&format!("/v1/invoices/{invoice}"), &billing).await.json();
    assert_eq!((&shown["service"], &shown["balance"]), (&json!(id), &usd(4_000)));
    let document = api.get(&format!("/v1/invoices/{invoice}/document"), &billing).await;
    assert_eq!(document.problem(), (404, "not_found".to_owned()), "nothing is archived before completion");

    let too_much = json!({ "amount": usd(4_001), "approver": "kim", "reason": "hardship" });
    assert_eq!(
        api.refused(&format!("{path}/write-offs"), &billing, &too_much).await.1,
        "write_off_exceeds_due"
    );
    let part = json!({ "amount": usd(1_000), "approver": "kim", "reason": "hardship" });
    let after = api.made(&format!("{path}/write-offs"), &billing, &part).await;
    assert_eq!(
        (&after["writeOffs"][0]["number"], &after["worksheet"]["difference"]),
        (&json!(1), &usd(3_000))
    );
    let undone =
        api.made(&format!("{path}/write-offs/1/undo"), &billing, &json!({ "approver": "kim" })).await;
    assert_eq!(undone["worksheet"]["difference"], usd(4_000));
    let again =
        api.refused(&format!("{path}/write-offs/1/undo"), &billing, &json!({ "approver": "kim" })).await;
    assert_eq!(again.1, "write_off_missing");
    let back = |minor| json!({ "reference": "receipt-8", "amount": usd(minor), "approver": "kim", "reason": "change" });
    let path_back = format!("{path}/given-back");
    let nothing = api.refused(&path_back, &billing, &back(1)).await;
    assert_eq!(nothing.1, "given_back_exceeds_owed");
    let elsewhere = json!({ "reference": "receipt-7", "amount": usd(4_000), "author": "kim" });
    let done = api.made(&format!("{path}/elsewhere"), &billing, &elsewhere).await;
    assert_eq!(done["status"], "completed");
    assert_eq!(api.refused(&format!("{path}/charge"), &billing, &json!({})).await.1, "no_gateway");
    let statement = api.get(&format!("/v1/patients/{patient}/statement"), &billing).await.json();
    assert_eq!((&statement["owed"], &statement["credits"]), (&json!([]), &json!([])));
    let proof = api.get("/v1/ledger/proof", &billing).await.json();
    assert_eq!(proof["balanced"], true);
}

#[tokio::test]
async fn the_checklist_names_the_next_step_from_what_is_known() {
    let api = Api::open().await;
    let desk = api.key("front_desk").await;
    let patient = patient(&api, &desk).await;
    let path = format!("/v1/patients/{patient}/checklist");
    let steps = |list: &Value| -> Vec<(String, String)> {
        let pair =
            |step: &Value| (step["step"].as_str().unwrap().into(), step["state"].as_str().unwrap().into());
        list["steps"].as_array().unwrap().iter().map(pair).collect()
    };
    let fresh = api.get(&path, &desk).await.json();
    let order: Vec<String> = steps(&fresh).into_iter().map(|(step, _)| step).collect();
    assert_eq!(order, ["policy", "eligibility", "patient", "customer", "method", "estimate", "service"]);
    assert_eq!(fresh["next"], "policy");
    let policy = json!({ "patient": patient, "payer": "88888", "memberId": "M-1" });
    let policy = api.made("/v1/policies", &desk, &policy).await["id"].as_str().unwrap().to_owned();
    api.made(&format!("/v1/policies/{policy}/confirm"), &desk, &json!({})).await;
    assert_eq!(api.get(&path, &desk).await.json()["next"], "eligibility");
    let check = answered(&api, &desk, &patient, 6_000).await;
    let after = api.get(&path, &desk).await.json();
    assert_eq!(after["next"], "customer");
    assert_eq!(after["steps"][1]["objects"], json!([{ "id": check, "status": "eligible" }]));
}
