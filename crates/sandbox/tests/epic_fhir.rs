//! The FHIR side of the pretend Epic: discovery, reads, searches with their traps, the permissive mode.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use suture_sandbox::epic::{EpicWorld, Mode};
use suture_sandbox::wire::{Request, Response};

const NOW_MS: i64 = 1_767_225_600_000;
const FHIR: &str = "/interconnect/api/FHIR/R4";

struct Stage {
    world: EpicWorld,
    token: String,
    now_ms: i64,
}

impl Stage {
    fn new(mode: Mode) -> Self {
        let mut world = EpicWorld::new(7, mode);
        let token = token(&mut world);
        Self { world, token, now_ms: NOW_MS }
    }

    fn control(&mut self, verb: &str, body: &Value) -> Value {
        self.world.control(NOW_MS, verb, body).expect("the verb is taken")
    }

    fn bare(&mut self, request: Request) -> Response {
        let request = request.with_header("authorization", &format!("Bearer {}", self.token));
        self.world.handle(self.now_ms, &request)
    }

    fn send(&mut self, request: Request) -> Response {
        self.bare(request.with_header("accept", "application/fhir+json"))
    }

    fn get(&mut self, path: &str) -> Response {
        self.send(Request::new("GET", &format!("{FHIR}/{path}")))
    }

    fn create(&mut self, kind: &str, body: &Value) -> Response {
        self.create_text(kind, &body.to_string())
    }

    fn create_text(&mut self, kind: &str, body: &str) -> Response {
        self.send(Request::new("POST", &format!("{FHIR}/{kind}")).with_body(body))
    }

    fn balance(&self) -> i64 {
        self.world.snapshot()["balances"]["eSbxAccount001"]["USD"].as_i64().expect("a balance")
    }
}

/// Registers a client with a fresh key and gets it a token that lives long.
fn token(world: &mut EpicWorld) -> String {
    let (random, algorithm) = (SystemRandom::new(), &ECDSA_P384_SHA384_FIXED_SIGNING);
    let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).expect("the same key");
    let point = pair.public_key().as_ref();
    let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..49]), URL_SAFE_NO_PAD.encode(&point[49..]));
    let jwks = json!({ "keys": [{ "kty": "EC", "crv": "P-384", "kid": "k", "x": x, "y": y }] });
    for (verb, body) in [
        ("base_url", json!({ "url": "https://epic.test" })),
        ("register_client", json!({ "client_id": "clinic", "jwks": jwks })),
        ("token_lifetime", json!({ "seconds": 86_400 })),
    ] {
        world.control(NOW_MS, verb, &body).expect("the verb is taken");
    }
    let claims = json!({
        "iss": "clinic", "sub": "clinic", "aud": "https://epic.test/interconnect/oauth2/token",
        "jti": "one", "exp": NOW_MS / 1_000 + 240,
    });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({ "alg": "ES384", "typ": "JWT", "kid": "k" })), part(&claims));
    let signature = URL_SAFE_NO_PAD.encode(pair.sign(&random, signed.as_bytes()).expect("a signature"));
    let request = Request::new("POST", "/interconnect/oauth2/token")
        .with_header("content-type", "application/x-www-form-urlencoded")
        .with_body(format!(
            "grant_type=client_credentials&client_assertion={signed}.{signature}\
             &client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        ));
    let answer = world.handle(NOW_MS, &request).body_json();
    answer["access_token"].as_str().expect("a token").to_owned()
}

fn codes(body: &Value) -> Vec<String> {
    let issues = body["issue"].as_array().cloned().unwrap_or_default();
    issues
        .iter()
        .map(|issue| issue["details"]["coding"][0]["code"].as_str().unwrap_or("").to_owned())
        .collect()
}

/// Ids of the matches and codes of the outcome entries.
fn parts(bundle: &Value) -> (Vec<String>, Vec<String>) {
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    let (outcomes, matches): (Vec<_>, Vec<_>) =
        entries.iter().partition(|entry| entry["search"]["mode"] == "outcome");
    let ids = matches.iter().map(|entry| entry["resource"]["id"].as_str().unwrap_or("").to_owned()).collect();
    (ids, outcomes.iter().flat_map(|entry| codes(&entry["resource"])).collect())
}

fn next_of(bundle: &Value) -> Option<String> {
    let links = bundle["link"].as_array()?;
    let next = links.iter().find(|link| link["relation"] == "next")?;
    Some(next["url"].as_str()?.trim_start_matches("https://epic.test").to_owned())
}

#[test]
fn discovery_is_open_and_offers_no_payment_resources() {
    let mut world = EpicWorld::new(7, Mode::Real);
    let metadata =
        Request::new("GET", &format!("{FHIR}/metadata?_format=json")).with_header("host", "127.0.0.1:9");
    let statement = world.handle(NOW_MS, &metadata).body_json();
    let resources = statement["rest"][0]["resource"].as_array().cloned().expect("resources");
    assert_eq!(resources.len(), 59);
    let account = resources.iter().find(|one| one["type"] == "Account").expect("Account");
    assert_eq!(account["interaction"], json!([{ "code": "read" }, { "code": "search-type" }]));
    assert!(!resources.iter().any(|one| one["type"] == "PaymentNotice"));
    let smart = Request::new("GET", &format!("{FHIR}/.well-known/smart-configuration"))
        .with_header("host", "127.0.0.1:9");
    let token_endpoint = world.handle(NOW_MS, &smart).body_json()["token_endpoint"].clone();
    assert_eq!(token_endpoint, "http://127.0.0.1:9/interconnect/oauth2/token");
}

#[test]
fn an_unknown_type_gets_html_and_an_interaction_that_is_not_offered_gets_405() {
    let mut stage = Stage::new(Mode::Real);
    let answer = stage.create("PaymentNotice", &json!({ "resourceType": "PaymentNotice" }));
    assert_eq!((answer.status, answer.header("content-type")), (404, Some("text/html")));
    assert_eq!(stage.get("Group/eGroup/$export").status, 404);
    assert_eq!(stage.create("Account", &json!({ "resourceType": "Account" })).status, 405);
    let delete = Request::new("DELETE", &format!("{FHIR}/Patient/eSbxPatient001"));
    assert_eq!(stage.send(delete).status, 405);
}

#[test]
fn without_a_json_accept_the_answer_is_xml() {
    let mut stage = Stage::new(Mode::Real);
    for (path, text) in [("Patient/eSbxPatient001", "<Patient "), ("Patient/none", "value=\"4102\"")] {
        let answer = stage.bare(Request::new("GET", &format!("{FHIR}/{path}")).with_header("accept", "*/*"));
        assert!(answer.header("content-type").expect("a type").contains("xml"));
        assert!(String::from_utf8_lossy(&answer.body).contains(text));
    }
}

#[test]
fn every_held_type_can_be_read_and_refers_relatively() {
    let mut stage = Stage::new(Mode::Real);
    for path in [
        "Patient/eSbxPatient001",
        "Account/eSbxAccount001",
        "Claim/eSbxClaim001",
        "Coverage/eSbxCoverage001",
        "Encounter/eSbxEncounter001",
        "ExplanationOfBenefit/eSbxClaim001-eob",
        "Practitioner/eSbxPractitioner01",
        "Organization/eSbxOrganization01",
    ] {
        let answer = stage.get(path);
        assert_eq!(answer.status, 200, "{path}");
        let body = answer.body_json();
        assert_eq!(
            format!("{}/{}", body["resourceType"].as_str().unwrap(), body["id"].as_str().unwrap()),
            path
        );
    }
    let account = stage.get("Account/eSbxAccount001").body_json();
    assert_eq!(account["subject"][0]["reference"], "Patient/eSbxPatient001");
    assert!(account.get("balance").is_none() && account.get("meta").is_none());
}

#[test]
fn an_unknown_id_is_refused_with_the_system_of_the_site() {
    let mut stage = Stage::new(Mode::Real);
    stage.control("site", &json!({ "site": "861.1" }));
    let answer = stage.get("Claim/none");
    assert_eq!(answer.status, 404);
    let coding = answer.body_json()["issue"][0]["details"]["coding"][0].clone();
    assert_eq!(coding["code"], "4102");
    assert_eq!(coding["system"], "urn:oid:1.2.840.114350.1.13.861.1.7.2.657369");
}

#[test]
fn a_patient_is_found_by_record_number_and_names() {
    let mut stage = Stage::new(Mode::Real);
    let bundle = stage.get("Patient?identifier=SBX100037").body_json();
    assert_eq!(parts(&bundle), (vec!["eSbxPatient001".to_owned()], vec![]));
    assert_eq!(bundle["total"], 1);
    assert_eq!(parts(&stage.get("Patient?identifier=urn:oid:1|SBX100037").body_json()).1, ["4101"]);
    assert!(!parts(&stage.get("Patient?family=alder&gender=female").body_json()).0.is_empty());
}

#[test]
fn a_birth_date_alone_finds_nothing_and_unknown_parameters_fail_for_patients() {
    let mut stage = Stage::new(Mode::Real);
    let birth_date =
        stage.get("Patient/eSbxPatient001").body_json()["birthDate"].as_str().unwrap().to_owned();
    assert_eq!(parts(&stage.get(&format!("Patient?birthdate={birth_date}")).body_json()).1, ["4101"]);
    let answer = stage.get("Patient?shoe=9");
    assert_eq!(
        (answer.status, codes(&answer.body_json())),
        (400, vec!["59100".to_owned(), "4122".to_owned()])
    );
    assert_eq!(codes(&stage.get("Patient").body_json()), ["4110"]);
    assert_eq!(codes(&stage.get("Patient?family=a&_count=x").body_json()), ["4100"]);
}

#[test]
fn other_types_ignore_unknown_parameters_with_a_warning() {
    let mut stage = Stage::new(Mode::Real);
    let bundle = stage.get("Coverage?patient=eSbxPatient001&shoe=9").body_json();
    assert_eq!(parts(&bundle), (vec!["eSbxCoverage001".to_owned()], vec!["4122".to_owned()]));
    let all = stage.get("Practitioner?shoe=9").body_json();
    assert_eq!(parts(&all).0.len(), 10);
}

#[test]
fn accounts_and_claims_are_found_by_id_only() {
    let mut stage = Stage::new(Mode::Real);
    assert_eq!(parts(&stage.get("Claim?_id=eSbxClaim001,eSbxClaim002").body_json()).0.len(), 2);
    let answer = stage.get("Account?patient=eSbxPatient001");
    assert_eq!((answer.status, codes(&answer.body_json())), (400, vec!["59159".to_owned()]));
    assert_eq!(codes(&stage.get("Encounter").body_json()), ["59159"]);
}

#[test]
fn pages_show_their_own_size_and_end_after_ten_minutes() {
    let mut stage = Stage::new(Mode::Real);
    let mut bundle = stage.get("Patient?gender=female&_count=10").body_json();
    let first_next = next_of(&bundle).expect("a next page");
    let mut ids = parts(&bundle).0;
    while let Some(url) = next_of(&bundle) {
        assert_eq!(bundle["total"], 10);
        bundle = stage.send(Request::new("GET", &url)).body_json();
        ids.extend(parts(&bundle).0);
    }
    assert_eq!((ids.len(), &bundle["total"]), (25, &json!(5)));
    let counted = stage.get("Patient?gender=female&_count=10&_summary=count").body_json();
    assert_eq!(counted["total"], 25);
    stage.now_ms = NOW_MS + 600_000;
    let late = stage.send(Request::new("GET", &first_next)).body_json();
    assert_eq!(codes(&late), ["4113"]);
}

#[test]
fn a_short_page_still_has_a_next_link() {
    let mut stage = Stage::new(Mode::Real);
    stage.control("short_pages", &json!({ "on": true }));
    let bundle = stage.get("Patient?gender=female&_count=10").body_json();
    assert_eq!(parts(&bundle).0.len(), 9);
    assert!(next_of(&bundle).is_some());
}

#[test]
fn too_many_patients_are_refused() {
    let mut stage = Stage::new(Mode::Real);
    stage.control("patient_search_limit", &json!({ "hits": 10 }));
    assert_eq!(codes(&stage.get("Patient?gender=female").body_json()), ["4127"]);
}

#[test]
fn a_search_by_form_ignores_the_query_string() {
    let mut stage = Stage::new(Mode::Real);
    let request = Request::new("POST", &format!("{FHIR}/Claim/_search?_id=eSbxClaim002"));
    let bundle = stage.send(request.with_body("_id=eSbxClaim001")).body_json();
    assert_eq!(parts(&bundle).0, ["eSbxClaim001"]);
}

#[test]
fn a_merged_patient_points_to_the_survivor_and_takes_the_records_along() {
    let mut stage = Stage::new(Mode::Real);
    stage.control("merge", &json!({ "from": "eSbxPatient001", "into": "eSbxPatient002" }));
    let answer = stage.get("Patient/eSbxPatient001");
    assert_eq!(codes(&answer.body_json()), ["4107"]);
    assert_eq!(answer.header("location"), Some("Patient/eSbxPatient002"));
    assert_eq!(parts(&stage.get("Patient?identifier=SBX100037").body_json()).1, ["4101"]);
    let claim = stage.get("Claim/eSbxClaim001").body_json();
    assert_eq!(claim["patient"]["reference"], "Patient/eSbxPatient002");
    assert_eq!(parts(&stage.get("Coverage?patient=eSbxPatient002").body_json()).0.len(), 2);
    assert_eq!(codes(&stage.get("Coverage?patient=Patient/eSbxPatient001").body_json()), ["4107"]);
}

#[test]
fn break_the_glass_covers_reads_and_hides_search_results() {
    let mut stage = Stage::new(Mode::Real);
    stage.control("break_the_glass", &json!({ "patient": "eSbxPatient001" }));
    assert_eq!(codes(&stage.get("Patient/eSbxPatient001").body_json()), ["4130"]);
    assert_eq!(codes(&stage.get("Account/eSbxAccount001").body_json()), ["4130"]);
    assert_eq!(parts(&stage.get("Patient?identifier=SBX100037").body_json()).1, ["59204", "4101"]);
}

#[test]
fn a_warning_can_be_put_into_the_next_bundle() {
    let mut stage = Stage::new(Mode::Real);
    stage.control("warn", &json!({ "code": 4119 }));
    assert_eq!(parts(&stage.get("Claim?_id=eSbxClaim001").body_json()).1, ["4119"]);
    assert!(parts(&stage.get("Claim?_id=eSbxClaim001").body_json()).1.is_empty());
}

#[test]
fn a_document_can_be_created_read_and_moves_no_money() {
    let mut stage = Stage::new(Mode::Real);
    let before = stage.balance();
    let body = json!({ "resourceType": "DocumentReference", "status": "current", "content": [] });
    let answer = stage.create("DocumentReference", &body);
    assert_eq!((answer.status, answer.body.len()), (201, 0));
    let location = answer.header("location").expect("a location").to_owned();
    assert_eq!(stage.get(&location).body_json()["status"], "current");
    assert_eq!(codes(&stage.create_text("DocumentReference", "{").body_json()), ["59105"]);
    assert_eq!(stage.balance(), before);
}

fn reconciliation() -> Value {
    json!({
        "resourceType": "PaymentReconciliation", "status": "active", "created": "2026-01-01",
        "identifier": [{ "system": "urn:suture", "value": "rec_1" }], "paymentDate": "2026-01-01",
        "paymentAmount": { "value": 120, "currency": "USD" },
    })
}

fn notice(payment: &str, amount: &str) -> String {
    let mut body = json!({
        "resourceType": "PaymentNotice", "status": "active", "created": "2026-01-01T00:00:00Z",
        "identifier": [{ "system": "urn:suture", "value": "sut_1" }],
        "request": { "reference": "Claim/eSbxClaim001" }, "payment": { "reference": payment },
        "recipient": { "reference": "Organization/eSbxOrganization01" }, "amount": "AMOUNT",
    });
    body["paymentStatus"] = json!({ "text": "paid" });
    body.to_string().replace("\"AMOUNT\"", &format!("{{\"value\":{amount},\"currency\":\"USD\"}}"))
}

#[test]
fn in_permissive_mode_a_notice_moves_the_balance_once() {
    let mut stage = Stage::new(Mode::Permissive);
    let before = stage.balance();
    let created = stage.create("PaymentReconciliation", &reconciliation());
    let payment = created.header("location").expect("a location").to_owned();
    assert_eq!((created.status, created.body.len()), (201, 0));
    let answer = stage.create_text("PaymentNotice", &notice(&payment, "120.00"));
    assert_eq!(answer.status, 201);
    assert_eq!(stage.balance(), before - 12_000);
    assert_eq!(
        codes(&stage.create_text("PaymentNotice", &notice(&payment, "120.00")).body_json()),
        ["59141"]
    );
    stage.control("duplicate_style", &json!({ "style": "already_posted" }));
    let again = stage.create_text("PaymentNotice", &notice(&payment, "120.00"));
    assert_eq!((again.status, again.header("location")), (200, answer.header("location")));
    assert_eq!(stage.balance(), before - 12_000);
}

#[test]
fn a_created_notice_is_found_by_identifier_and_keeps_its_digits() {
    let mut stage = Stage::new(Mode::Permissive);
    let created = stage.create("PaymentReconciliation", &reconciliation());
    let payment = created.header("location").expect("a location").to_owned();
    stage.create_text("PaymentNotice", &notice(&payment, "120.00"));
    let found = stage.get("PaymentNotice?identifier=urn:suture|sut_1");
    assert!(String::from_utf8_lossy(&found.body).contains("\"value\":120.00"));
    assert_eq!(parts(&stage.get("PaymentNotice?identifier=urn:other|sut_1").body_json()).1, ["4101"]);
}

#[test]
fn a_notice_needs_its_reconciliation_its_organization_and_an_account() {
    let mut stage = Stage::new(Mode::Permissive);
    let before = stage.balance();
    let missing = stage.create_text("PaymentNotice", &notice("PaymentReconciliation/none", "120.00"));
    assert_eq!(codes(&missing.body_json()), ["59144"]);
    let created = stage.create("PaymentReconciliation", &reconciliation());
    let payment = created.header("location").expect("a location").to_owned();
    for (wrong, code) in [
        (notice(&payment, "120.00").replace("eSbxOrganization01", "none"), "59144"),
        (notice(&payment, "120.00").replace("Claim/eSbxClaim001", "Claim/none"), "59108"),
        (notice(&payment, "120.00").replace("\"active\"", "\"posted\""), "59111"),
        (notice(&payment, "120.00").replace("\"created\"", "\"made\""), "59105"),
        (notice(&payment, "120.005"), "59111"),
        (notice(&payment, "\"120.00\""), "59111"),
    ] {
        assert_eq!(codes(&stage.create_text("PaymentNotice", &wrong).body_json())[0], code, "{wrong}");
    }
    assert_eq!(stage.balance(), before);
}

#[test]
fn a_reconciliation_is_checked_by_the_cardinalities_of_r4() {
    let mut stage = Stage::new(Mode::Permissive);
    for name in ["status", "created", "paymentDate", "paymentAmount"] {
        let mut body = reconciliation();
        body[name] = Value::Null;
        assert_eq!(codes(&stage.create("PaymentReconciliation", &body).body_json()), ["59108"], "{name}");
    }
    let mut body = reconciliation();
    body["detail"] = json!([{ "amount": { "value": 1, "currency": "USD" } }]);
    assert_eq!(codes(&stage.create("PaymentReconciliation", &body).body_json()), ["59108"]);
    body = reconciliation();
    body["outcome"] = json!("done");
    assert_eq!(codes(&stage.create("PaymentReconciliation", &body).body_json()), ["59102"]);
}

#[test]
fn a_negative_notice_raises_the_balance_and_the_mode_can_be_changed() {
    let mut stage = Stage::new(Mode::Permissive);
    let before = stage.balance();
    let created = stage.create("PaymentReconciliation", &reconciliation());
    let payment = created.header("location").expect("a location").to_owned();
    assert_eq!(stage.create_text("PaymentNotice", &notice(&payment, "-20.5")).status, 201);
    assert_eq!(stage.balance(), before + 2_050);
    stage.control("mode", &json!({ "mode": "real" }));
    assert_eq!(stage.create_text("PaymentNotice", &notice(&payment, "1.00")).status, 404);
}
