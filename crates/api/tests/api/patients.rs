//! Stories about patients over HTTP: what goes in and never comes out, who looked, and what allows a charge.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::kit::Api;

fn ann() -> Value {
    json!({
        "external": { "epic": "p-1" },
        "personal": { "name": "Ann Example", "birth_date": "1980-02-03", "mrn": "MRN-77" },
    })
}

async fn delete(api: &Api, path: &str, key: &str) -> crate::kit::Answer {
    let request = Request::delete(path).header("authorization", format!("Bearer {key}"));
    api.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn personal_fields_go_in_and_never_come_out() {
    let api = Api::open().await;
    let (desk, auditor) = (api.key("front_desk").await, api.key("auditor").await);
    let made = api.made("/v1/patients", &desk, &ann()).await;
    let id = made["id"].as_str().unwrap();
    let policy = json!({ "patient": id, "payer": "88888", "memberId": "M-0001" });
    let policy = api.made("/v1/policies", &desk, &policy).await;
    let mut shown = vec![made.to_string(), policy.to_string()];
    for path in [
        format!("/v1/patients/{id}"),
        format!("/v1/patients/{id}/methods"),
        format!("/v1/patients/{id}/statement"),
        format!("/v1/patients/{id}/checklist"),
        "/v1/patients?external=p-1".to_owned(),
        format!("/v1/policies/{}", policy["id"].as_str().unwrap()),
    ] {
        let answer = api.get(&path, &desk).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        shown.push(answer.text);
    }
    shown.push(api.get("/v1/audit/export", &auditor).await.text);
    for text in shown {
        for personal in ["Ann Example", "1980-02-03", "MRN-77", "M-0001"] {
            assert!(!text.contains(personal), "{personal} in {text}");
        }
    }
}

#[tokio::test]
async fn a_personal_field_that_is_no_text_is_refused_without_its_value() {
    let api = Api::open().await;
    let desk = api.key("front_desk").await;
    let body = json!({ "personal": { "mrn": 771_234 } });
    let (status, code, detail) = api.refused("/v1/patients", &desk, &body).await;
    assert_eq!((status, code.as_str()), (422, "body_invalid"));
    assert!(!detail.contains("771234"), "{detail}");
    for personal in [json!({ "Full Name": "x" }), json!({ "name": "" }), json!({ "name": "x".repeat(5_000) })]
    {
        let (_, code, _) = api.refused("/v1/patients", &desk, &json!({ "personal": personal })).await;
        assert_eq!(code, "field_invalid");
    }
}

#[tokio::test]
async fn every_look_at_a_patient_is_in_the_access_log_with_its_purpose() {
    let api = Api::open().await;
    let (desk, auditor) = (api.key("front_desk").await, api.key("auditor").await);
    let id = api.made("/v1/patients", &desk, &ann()).await["id"].as_str().unwrap().to_owned();
    for path in ["", "/methods", "/statement", "/checklist"] {
        api.get(&format!("/v1/patients/{id}{path}?purpose=check-in"), &desk).await;
    }
    let log = api.get(&format!("/v1/access?patient={id}"), &auditor).await.json();
    let mut seen: Vec<(String, String)> = log["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|look| (look["resource"].as_str().unwrap().into(), look["purpose"].as_str().unwrap().into()))
        .filter(|(resource, _)| resource != "access_log")
        .collect();
    seen.sort();
    let expected =
        ["checklist", "methods", "patient", "statement"].map(|name| (name.into(), "check_in".into()));
    assert_eq!(seen, expected);
    let path = format!("/v1/patients/{id}?purpose=Ann%20Example%21");
    assert_eq!(api.get(&path, &desk).await.problem(), (422, "query_invalid".to_owned()));
}

#[tokio::test]
async fn the_same_id_in_another_system_is_not_given_to_two_patients() {
    let api = Api::open().await;
    let desk = api.key("front_desk").await;
    let first = api.made("/v1/patients", &desk, &ann()).await;
    let (status, code, _) = api.refused("/v1/patients", &desk, &ann()).await;
    assert_eq!((status, code.as_str()), (409, "patient_exists"));
    let found = api.get("/v1/patients?external=p-1", &desk).await.json();
    assert_eq!(found["items"], json!([first]));
    let named = json!({ "external": { "epic": "Ann Example" } });
    assert_eq!(api.refused("/v1/patients", &desk, &named).await.1, "not_an_opaque_id");
}

#[tokio::test]
async fn nobody_sees_or_changes_what_belongs_to_another_organization() {
    let (api, other) = (Api::open().await, Api::open().await);
    let (desk, stranger) = (api.key("front_desk").await, other.key("admin").await);
    let id = api.made("/v1/patients", &desk, &ann()).await["id"].as_str().unwrap().to_owned();
    for path in ["", "/methods", "/statement", "/checklist"] {
        let answer = other.get(&format!("/v1/patients/{id}{path}"), &stranger).await;
        assert_eq!(answer.problem(), (404, "not_found".to_owned()), "{path}");
    }
    let connection = api.stripe(&api.key("admin").await).await;
    let second = api.engine.make_organization("Other", suture_engine::admin::Mode::Sandbox).await.unwrap().id;
    let (_, secret) = api.engine.make_api_key(&second, "other", "admin").await.unwrap();
    let key = secret.expose();
    assert_eq!(api.get(&format!("/v1/patients/{id}"), key).await.problem().0, 404);
    let body = json!({ "customerAt": [connection] });
    assert_eq!(api.refused("/v1/patients", key, &body).await.0, 404, "a connection of somebody else");
}

#[tokio::test]
async fn a_setup_before_the_customer_names_the_step_that_is_missing() {
    let api = Api::open().await;
    let (admin, desk) = (api.key("admin").await, api.key("front_desk").await);
    let connection = api.stripe(&admin).await;
    let mut body = ann();
    body["customerAt"] = json!([connection]);
    let made = api.made("/v1/patients", &desk, &body).await;
    assert_eq!(made["customers"][0]["status"], "requested");
    let path = format!("/v1/patients/{}/setups", made["id"].as_str().unwrap());
    let (status, code, detail) = api.refused(&path, &desk, &json!({ "connection": connection })).await;
    assert_eq!((status, code.as_str()), (409, "customer_missing"));
    assert!(detail.contains("Connect the patient first"), "{detail}");
}

#[tokio::test]
async fn a_consent_is_given_shown_and_taken_back() {
    let api = Api::open().await;
    let desk = api.key("front_desk").await;
    let id = api.made("/v1/patients", &desk, &ann()).await["id"].as_str().unwrap().to_owned();
    let consent = json!({
        "purpose": "balance_after_insurance", "cap": { "minor": 20_000, "currency": "USD" },
        "textVersion": "v3", "textHash": "a".repeat(64), "givenBy": "web", "validForDays": 365,
    });
    let given = api.made(&format!("/v1/patients/{id}/consents"), &desk, &consent).await;
    assert_eq!((&given["status"], &given["left"]["minor"]), (&json!("active"), &json!(20_000)));
    let path = format!("/v1/patients/{id}/consents/{}/withdraw", given["id"].as_str().unwrap());
    let after = api.made(&path, &desk, &json!({})).await;
    assert_eq!(after["consents"][0]["status"], "withdrawn");
    for (field, value) in [
        ("textHash", json!("no hash")),
        ("validForDays", json!(0)),
        ("cap", json!({ "minor": 0, "currency": "USD" })),
    ] {
        let mut wrong = consent.clone();
        wrong[field] = value;
        let (_, code, _) = api.refused(&format!("/v1/patients/{id}/consents"), &desk, &wrong).await;
        assert_eq!(code, "consent_invalid", "{field}");
    }
}

#[tokio::test]
async fn a_method_that_is_not_on_file_is_neither_removed_nor_marked() {
    let api = Api::open().await;
    let desk = api.key("front_desk").await;
    let id = api.made("/v1/patients", &desk, &ann()).await["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/patients/{id}/methods/pm_1");
    assert_eq!(delete(&api, &path, &desk).await.problem(), (404, "not_found".to_owned()));
    let mark = Request::put(format!("{path}/health-card")).header("authorization", format!("Bearer {desk}"));
    let answer = api.send(mark.body(Body::from(r#"{"healthCard":"yes"}"#)).unwrap()).await;
    assert_eq!(answer.problem(), (409, "method_missing".to_owned()));
}
