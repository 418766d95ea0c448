//! Stories about messages over HTTP: who may read what one said, what people choose, whose words are refused.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;
use suture_core::explain::Actor;
use suture_core::id::{Mint, PatientId};
use suture_core::notice::{About, Placeholder, Recipient, Template, Values};
use suture_core::pass::Purpose;
use suture_engine::Caller;
use suture_engine::notices::{NewNotice, NewPass};

use crate::kit::Api;

fn caller(api: &Api) -> Caller {
    Caller { organization: api.organization.clone(), actor: Actor::System("test".to_owned()) }
}

async fn patient(api: &Api, desk: &str) -> String {
    let patient = PatientId::mint(Mint::new(api.engine.now(), api.engine.random())).to_string();
    let body = json!({ "email": "ann@example.org", "phone": "+1 555 123 4567" });
    let contact = api.made(&format!("/v1/contacts/{patient}"), desk, &body).await;
    assert_eq!(contact["channels"], json!(["email", "sms"]));
    patient
}

async fn receipt(api: &Api, patient: &str) -> String {
    let values = Values::new().with(Placeholder::Amount, "40.00 USD").with(Placeholder::When, "Tue 24 Nov");
    let new = NewNotice {
        to: Recipient::Patient(PatientId::parse(patient).unwrap()),
        template: Template::Receipt,
        about: About::default(),
        values,
        due_at: api.engine.now(),
        not_after: None,
        zone: None,
        urgent: false,
        key: format!("receipt/{patient}"),
    };
    let notice = api.engine.plan_notice(&caller(api), new).await.unwrap();
    while api.engine.step(api.engine.now()).await.unwrap() {}
    notice.plan.notice.to_string()
}

#[tokio::test]
async fn only_who_may_read_patients_reads_what_a_message_said_and_it_is_logged() {
    let api = Api::open().await;
    let (desk, auditor, admin) =
        (api.key("front_desk").await, api.key("auditor").await, api.key("admin").await);
    let patient = patient(&api, &desk).await;
    let notice = receipt(&api, &patient).await;

    let path = format!("/v1/notices/{notice}?purpose=complaint");
    let seen = api.get(&path, &desk).await.json();
    assert_eq!((seen["status"].as_str(), seen["template"].as_str()), (Some("sent"), Some("receipt")));
    assert_eq!(seen["copies"][0]["to"], "ann@example.org");
    assert!(seen["copies"][0]["text"].as_str().unwrap().contains("40.00 USD"));
    let audited = api.get(&path, &auditor).await;
    assert_eq!(audited.status, StatusCode::OK);
    assert!(audited.json().get("copies").is_none() && !audited.text.contains("ann@"), "{}", audited.text);
    let access = api.get(&format!("/v1/access?patient={patient}"), &admin).await.json();
    assert_eq!(
        (access["items"][1]["resource"].as_str(), access["items"][1]["purpose"].as_str()),
        (Some(&*notice), Some("complaint"))
    );

    for about in ["", &format!("?about={patient}")] {
        let list = api.get(&format!("/v1/notices{about}"), &desk).await;
        assert_eq!(list.json()["items"].as_array().map(Vec::len), Some(1));
        assert!(!list.text.contains("ann@") && !list.text.contains("40.00"), "{}", list.text);
    }
    assert_eq!(api.get("/v1/notices?about=apt_1", &desk).await.json()["items"], json!([]));
    let integrator = api.key("integrator").await;
    assert_eq!(api.get(&path, &integrator).await.status, StatusCode::FORBIDDEN);
    assert_eq!(api.get("/v1/notices/ntc_1", &desk).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_choice_is_kept_and_addresses_never_come_out() {
    let api = Api::open().await;
    let desk = api.key("front_desk").await;
    let patient = patient(&api, &desk).await;
    let path = format!("/v1/contacts/{patient}");
    let choice = json!({ "channel": "sms", "topic": "offers", "wants": true });
    api.made(&format!("{path}/choices"), &desk, &choice).await;
    let contact = api.get(&path, &desk).await;
    assert_eq!(contact.json()["choices"][0]["topic"], "offers");
    assert!(!contact.text.contains("ann@") && !contact.text.contains("555"), "{}", contact.text);
    for (body, code) in [
        (json!({ "phone": "555 1234" }), "address_invalid"),
        (json!({ "email": "ann@example.org, bob@example.org" }), "address_invalid"),
        (json!({ "email": 5 }), "body_invalid"),
    ] {
        let (_, found, detail) = api.refused(&path, &desk, &body).await;
        assert_eq!(found, code);
        assert!(!detail.contains("555 1234") && !detail.contains("ann@"), "{detail}");
    }
    let (status, _, _) = api.refused("/v1/contacts/pay_1", &desk, &json!({})).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn words_that_could_tell_too_much_are_refused_with_better_ones() {
    let api = Api::open().await;
    let admin = api.key("admin").await;
    let words = |sms: &str| json!({ "subject": "Thanks", "email": "We received {amount}.", "sms": sms });
    let (status, code, detail) =
        api.refused("/v1/wordings/receipt", &admin, &words("Your chemo of {when} is paid")).await;
    assert_eq!((status, code.as_str()), (422, "template_refused"));
    assert!(detail.contains("chemo") && detail.contains("your visit"), "{detail}");
    let own = api.made("/v1/wordings/receipt", &admin, &words("Thanks for {amount}")).await;
    assert_eq!((own["own"].as_bool(), own["placeholders"][0].as_str()), (Some(true), Some("amount")));
    let all = api.get("/v1/wordings", &admin).await.json();
    assert_eq!(all["items"].as_array().map(Vec::len), Some(15));
    let request = Request::delete("/v1/wordings/receipt").header("authorization", format!("Bearer {admin}"));
    let back = api.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(back.json()["own"], false);
    assert_eq!(api.refused("/v1/wordings/birthday", &admin, &words("x")).await.0, 404);
}

async fn click(api: &Api, method: &str, token: &str) -> crate::kit::Answer {
    let request = Request::builder().method(method).uri(format!("/opt-out/{token}"));
    api.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn opening_an_opt_out_link_changes_nothing_and_its_button_stops_mails() {
    let api = Api::open().await;
    let desk = api.key("front_desk").await;
    let patient = patient(&api, &desk).await;
    let until = api.engine.now() + std::time::Duration::from_secs(60);
    let pass = NewPass { purpose: Purpose::OptOut, subject: patient.clone(), expires_at: until };
    let link = api.engine.issue_link(&caller(&api), pass).await.unwrap();
    let token = link.rsplit('/').next().unwrap();
    let asked = click(&api, "GET", token).await;
    assert!(
        asked.status == StatusCode::OK && asked.text.contains("<form method=\"post\">"),
        "{}",
        asked.text
    );
    let path = format!("/v1/contacts/{patient}");
    assert_eq!(api.get(&path, &desk).await.json()["choices"], json!([]));
    for _ in 0..2 {
        assert_eq!(click(&api, "POST", token).await.status, StatusCode::OK);
    }
    let choices = api.get(&path, &desk).await.json()["choices"].clone();
    assert_eq!((choices[0]["channel"].as_str(), choices[0]["by"].as_str()), (Some("email"), Some("link")));
    for method in ["GET", "POST"] {
        assert_eq!(click(&api, method, "nonsense").await.problem(), (422, "link_forged".to_owned()));
    }
}

#[tokio::test]
async fn without_a_provider_of_texts_nobody_is_heard() {
    let api = Api::open().await;
    let request = Request::post(format!("/hooks/sms/{}", api.organization)).body(Body::from("{}")).unwrap();
    assert_eq!(api.send(request).await.problem(), (404, "not_found".to_owned()));
}
