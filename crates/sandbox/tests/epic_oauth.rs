//! The token endpoint of the pretend Epic, rule by rule.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use suture_sandbox::epic::{EpicWorld, Mode};
use suture_sandbox::wire::{Request, Response};

const NOW_MS: i64 = 1_767_225_600_000;
const NOW_S: i64 = NOW_MS / 1_000;
const TOKEN_URL: &str = "https://epic.test/interconnect/oauth2/token";
const CLIENT: &str = "clinic-nonprod";

/// Public half of a 2048-bit key that was made for this one test vector; the private half was thrown away.
const VECTOR_MODULUS: &str = "mqKZnlzpGdOwQ5tpAWEP0n70r1g1AiN_2AyYn03RL1X0qObX5Soqj2rPPB_ck2X_sBpbeO3V86SAITolWGV6Km5fs4S7coqnoUEVFEfVL_p7YJbGPvqgp5vCbGYJNv9QM_0pHTorezw3aEL2DB2k3iusFeGAcfbOYShpN_3o7NH6EGHz3ryafR7UR1hsqwfvwBYBw8NcArUBBmHQrhInaNd1Od8LP5Hm930XajAEd2MuiaqOET8AHFmRNxblgPmkpeaoaQgUoFHUAkgwDW3Vg9-KMys497RGH2m6t3VmKkVgxOJJFf_CstHh-FQOcRGCgzPxbW36Ob3kda-a9E7QwQ";
const VECTOR_ASSERTION: &str = "eyJhbGciOiAiUlMzODQiLCAidHlwIjogIkpXVCIsICJraWQiOiAidmVjdG9yIn0.eyJpc3MiOiAidmVjdG9yLWNsaWVudCIsICJzdWIiOiAidmVjdG9yLWNsaWVudCIsICJhdWQiOiAiaHR0cHM6Ly9lcGljLnRlc3QvaW50ZXJjb25uZWN0L29hdXRoMi90b2tlbiIsICJqdGkiOiAidmVjdG9yLTEiLCAiZXhwIjogMTc2NzIyNTg0MCwgImlhdCI6IDE3NjcyMjU1OTB9.ZnWb44F-pTQvqZMQ5yR-tVCWFPNhoEz66pZb4mNhnQsZqVYjTG5eKiGCr6I8chcxHQkUSevBOe-blPFKjj0EVgl6PPtK8QAMSKx6fS8Jg9USuKdoyj-8mat00hvtY7YpYwKo2cTQg8RwTncEVfmqlLAuqWgrcpsWdJgvghQ-Awu_wqkHJAF8QHob0LL9aOz-gsEzg9vmWEOxt74v6Gr5cnkEzHFDuSJWQEaofxlEGm9tWehVvkIpWndbXdnWEiuVqTLe3gCan2cLV4Ml5xAKdGO7plYLBAI506NEHkcSnO8ttVsLnSRsCiarhxxgMoW__2ZslX0pc5-PRS3L8ocdnA";

struct Signer {
    pair: EcdsaKeyPair,
    kid: &'static str,
}

impl Signer {
    fn new(kid: &'static str) -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P384_SHA384_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).expect("the same key");
        Self { pair, kid }
    }

    fn jwk(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..49]), URL_SAFE_NO_PAD.encode(&point[49..]));
        json!({ "kty": "EC", "crv": "P-384", "alg": "ES384", "use": "sig", "kid": self.kid, "x": x, "y": y })
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).expect("a signature");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn header(&self) -> Value {
        json!({ "alg": "ES384", "typ": "JWT", "kid": self.kid })
    }
}

fn claims(jti: &str) -> Value {
    json!({ "iss": CLIENT, "sub": CLIENT, "aud": TOKEN_URL, "jti": jti, "exp": NOW_S + 240, "nbf": NOW_S - 10, "iat": NOW_S - 10 })
}

struct Stage {
    world: EpicWorld,
    signer: Signer,
}

impl Stage {
    fn new() -> Self {
        let mut stage = Self { world: EpicWorld::new(7, Mode::Real), signer: Signer::new("first") };
        stage.control("base_url", &json!({ "url": "https://epic.test" }));
        let jwks = json!({ "keys": [stage.signer.jwk()] });
        stage.control("register_client", &json!({ "client_id": CLIENT, "jwks": jwks }));
        stage
    }

    fn control(&mut self, verb: &str, body: &Value) -> Value {
        self.world.control(NOW_MS, verb, body).expect("the verb is taken")
    }

    fn ask(&mut self, assertion: &str, scope: &str) -> Response {
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let body = format!(
            "grant_type=client_credentials&client_assertion_type={kind}&client_assertion={assertion}&scope={scope}"
        );
        self.post(&body)
    }

    fn post(&mut self, body: &str) -> Response {
        let request = Request::new("POST", "/interconnect/oauth2/token")
            .with_header("content-type", "application/x-www-form-urlencoded")
            .with_body(body);
        self.world.handle(NOW_MS, &request)
    }

    fn token(&mut self, jti: &str) -> String {
        let assertion = self.signer.sign(&self.signer.header(), &claims(jti));
        let answer = self.ask(&assertion, "");
        assert_eq!(answer.status, 200);
        answer.body_json()["access_token"].as_str().expect("a token").to_owned()
    }

    /// Sends an assertion that must be refused, and checks that the rule is kept from the caller.
    #[track_caller]
    fn refused(&mut self, header: &Value, claims: &Value, rule: &str) {
        let assertion = self.signer.sign(header, claims);
        let answer = self.ask(&assertion, "");
        assert_eq!(answer.status, 400);
        assert_eq!(answer.body, br#"{"error":"invalid_client","error_description":null}"#);
        assert_eq!(self.world.snapshot()["last_token_refusal"], rule);
    }

    #[track_caller]
    fn refuses_header(&mut self, name: &str, value: Value, rule: &str) {
        let mut header = self.signer.header();
        header[name] = value;
        self.refused(&header, &claims("one"), rule);
    }

    #[track_caller]
    fn refuses_claim(&mut self, name: &str, value: Value, rule: &str) {
        let mut claims = claims("one");
        claims[name] = value;
        let header = self.signer.header();
        self.refused(&header, &claims, rule);
    }

    fn read_patient(&mut self, now_ms: i64, token: &str) -> Response {
        let request = Request::new("GET", "/interconnect/api/FHIR/R4/Patient/eSbxPatient001")
            .with_header("accept", "application/fhir+json")
            .with_header("authorization", &format!("Bearer {token}"));
        self.world.handle(now_ms, &request)
    }
}

#[test]
fn a_correct_assertion_gets_a_token_that_opens_a_patient() {
    let mut stage = Stage::new();
    let token = stage.token("one");
    assert_eq!(stage.read_patient(NOW_MS, &token).body_json()["id"], "eSbxPatient001");
}

#[test]
fn the_token_answer_has_the_shape_of_epic() {
    let mut stage = Stage::new();
    let assertion = stage.signer.sign(&stage.signer.header(), &claims("one"));
    let answer = stage.ask(&assertion, "system/Patient.read+system/Claim.read+system/Observation.read");
    let body = answer.body_json();
    assert_eq!(body["token_type"], "bearer");
    assert_eq!(body["expires_in"], 3_600);
    assert_eq!(body["scope"], "system/Claim.read system/Patient.read");
    assert!(body.get("refresh_token").is_none());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[test]
fn an_rs384_assertion_made_by_another_tool_is_accepted() {
    let mut stage = Stage::new();
    let key = json!({ "kty": "RSA", "alg": "RS384", "kid": "vector", "n": VECTOR_MODULUS, "e": "AQAB" });
    stage.control("register_client", &json!({ "client_id": "vector-client", "jwks": { "keys": [key] } }));
    assert_eq!(stage.ask(VECTOR_ASSERTION, "").status, 200);
}

#[test]
fn an_assertion_with_a_changed_signature_is_refused() {
    let mut stage = Stage::new();
    let header = stage.signer.header();
    stage.signer = Signer::new("first");
    stage.refused(&header, &claims("one"), "signature");
}

#[test]
fn the_header_must_name_an_allowed_algorithm_a_jwt_and_a_known_key() {
    let mut stage = Stage::new();
    stage.refuses_header("alg", json!("none"), "alg");
    stage.refuses_header("alg", json!("HS256"), "alg");
    stage.refuses_header("alg", json!("RS384"), "signature");
    stage.refuses_header("typ", Value::Null, "typ");
    stage.refuses_header("kid", json!("other"), "kid");
    stage.refuses_header("kid", Value::Null, "kid");
    stage.refuses_header("jku", json!("https://elsewhere.test/jwks.json"), "jku");
}

#[test]
fn issuer_subject_and_audience_must_be_exact() {
    let mut stage = Stage::new();
    stage.refuses_claim("iss", json!("clinic-prod"), "iss");
    stage.refuses_claim("sub", json!("clinic-prod"), "sub");
    stage.refuses_claim("aud", json!("https://epic.test/interconnect/oauth2/token/"), "aud");
    stage.refuses_claim("aud", json!("https://proxy.test/interconnect/oauth2/token"), "aud");
}

#[test]
fn the_life_of_an_assertion_is_at_most_five_minutes() {
    let mut stage = Stage::new();
    stage.refuses_claim("exp", json!(NOW_S), "exp");
    stage.refuses_claim("exp", json!(NOW_S + 301), "exp");
    stage.refuses_claim("exp", Value::Null, "exp");
    stage.refuses_claim("exp", json!("soon"), "exp");
    stage.refuses_claim("nbf", json!(NOW_S - 61), "nbf");
    stage.refuses_claim("iat", json!(NOW_S - 61), "iat");
}

#[test]
fn an_assertion_from_the_future_is_refused() {
    let mut stage = Stage::new();
    stage.refuses_claim("nbf", json!(NOW_S + 1), "nbf");
    stage.refuses_claim("iat", json!(NOW_S + 1), "iat");
}

#[test]
fn nbf_and_iat_may_be_absent() {
    let mut stage = Stage::new();
    let mut sparse = claims("one");
    sparse.as_object_mut().expect("an object").retain(|name, _| name != "nbf" && name != "iat");
    let assertion = stage.signer.sign(&stage.signer.header(), &sparse);
    assert_eq!(stage.ask(&assertion, "").status, 200);
}

#[test]
fn the_jti_must_be_a_short_text() {
    let mut stage = Stage::new();
    stage.refuses_claim("jti", json!(17), "jti");
    stage.refuses_claim("jti", json!(""), "jti");
    stage.refuses_claim("jti", json!("x".repeat(152)), "jti");
    stage.token(&"x".repeat(151));
}

#[test]
fn a_jti_is_good_once() {
    let mut stage = Stage::new();
    stage.token("one");
    let header = stage.signer.header();
    stage.refused(&header, &claims("one"), "jti reused");
    stage.token("two");
}

#[test]
fn a_refused_assertion_does_not_use_up_its_jti() {
    let mut stage = Stage::new();
    stage.refuses_claim("aud", json!("https://elsewhere.test"), "aud");
    stage.token("one");
}

#[test]
fn other_grants_and_broken_requests_have_errors_of_their_own() {
    let mut stage = Stage::new();
    assert_eq!(stage.post("grant_type=authorization_code").body_json()["error"], "unsupported_grant_type");
    assert_eq!(stage.post("grant_type=client_credentials").body_json()["error"], "invalid_request");
    let request = Request::new("POST", "/interconnect/oauth2/token").with_body("{}");
    assert_eq!(stage.world.handle(NOW_MS, &request).body_json()["error"], "invalid_request");
    assert_eq!(stage.world.handle(NOW_MS, &Request::new("GET", "/interconnect/oauth2/token")).status, 405);
    assert_eq!(stage.ask("no.jwt", "").body_json()["error"], "invalid_client");
}

#[test]
fn a_scope_that_is_not_registered_is_not_granted() {
    let mut stage = Stage::new();
    let assertion = stage.signer.sign(&stage.signer.header(), &claims("one"));
    assert_eq!(stage.ask(&assertion, "system/PaymentNotice.cruds").body_json()["error"], "invalid_scope");
}

#[test]
fn a_token_ends_at_its_time() {
    let mut stage = Stage::new();
    stage.control("token_lifetime", &json!({ "seconds": 60 }));
    let token = stage.token("one");
    assert_eq!(stage.read_patient(NOW_MS + 59_999, &token).status, 200);
    let late = stage.read_patient(NOW_MS + 60_000, &token);
    assert_eq!(late.status, 401);
    assert!(late.header("www-authenticate").expect("a challenge").contains("invalid_token"));
}

#[test]
fn all_tokens_can_be_ended_at_once() {
    let mut stage = Stage::new();
    let token = stage.token("one");
    assert_eq!(stage.control("expire_tokens", &json!({}))["expired"], 1);
    assert_eq!(stage.read_patient(NOW_MS, &token).status, 401);
}

#[test]
fn a_request_without_a_token_is_challenged_and_a_narrow_token_is_forbidden() {
    let mut stage = Stage::new();
    let request = Request::new("GET", "/interconnect/api/FHIR/R4/Patient/eSbxPatient001");
    let answer = stage.world.handle(NOW_MS, &request);
    assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer realm=\"Epic\"")));

    let assertion = stage.signer.sign(&stage.signer.header(), &claims("one"));
    let narrow = stage.ask(&assertion, "system/Claim.rs").body_json();
    let answer = stage.read_patient(NOW_MS, narrow["access_token"].as_str().expect("a token"));
    assert_eq!(answer.status, 403);
    assert_eq!(answer.body_json()["issue"][0]["details"]["coding"][0]["code"], "4118");
}

#[test]
fn a_rotated_key_is_refused_once_and_then_fetched() {
    let mut stage = Stage::new();
    let url = "https://clinic.test/.well-known/jwks.json";
    stage.control("register_client", &json!({ "client_id": CLIENT, "jwks_url": url }));
    assert_eq!(stage.world.wanted_jwks_url(), Some((CLIENT.to_owned(), url.to_owned())));
    let first = stage.signer.jwk();
    stage.control("jwks_fetched", &json!({ "client_id": CLIENT, "jwks": { "keys": [first] } }));
    assert_eq!(stage.world.wanted_jwks_url(), None);
    stage.token("one");

    stage.signer = Signer::new("second");
    let mut header = stage.signer.header();
    header["jku"] = json!(url);
    stage.refused(&header, &claims("two"), "kid");
    assert!(stage.world.wanted_jwks_url().is_some());
    let both = json!({ "keys": [first, stage.signer.jwk()] });
    stage.control("jwks_fetched", &json!({ "client_id": CLIENT, "jwks": both }));
    let assertion = stage.signer.sign(&header, &claims("two"));
    assert_eq!(stage.ask(&assertion, "").status, 200);
}

#[test]
fn a_fetch_that_failed_is_wanted_again_by_the_next_assertion() {
    let mut stage = Stage::new();
    stage.control(
        "register_client",
        &json!({ "client_id": CLIENT, "jwks_url": "https://clinic.test/jwks.json" }),
    );
    stage.control("jwks_failed", &json!({ "client_id": CLIENT }));
    assert_eq!(stage.world.wanted_jwks_url(), None);
    let header = stage.signer.header();
    stage.refused(&header, &claims("one"), "kid");
    assert!(stage.world.wanted_jwks_url().is_some());
}

#[test]
fn a_jti_stays_used_when_the_client_is_registered_again() {
    let mut stage = Stage::new();
    stage.token("one");
    let jwks = json!({ "keys": [stage.signer.jwk()] });
    stage.control("register_client", &json!({ "client_id": CLIENT, "jwks": jwks }));
    let header = stage.signer.header();
    stage.refused(&header, &claims("one"), "jti reused");
}

#[test]
fn a_private_key_and_a_public_plain_address_cannot_be_registered() {
    let mut stage = Stage::new();
    let mut private = stage.signer.jwk();
    private["d"] = json!("AAAA");
    let body = json!({ "client_id": "x", "jwks": { "keys": [private] } });
    assert!(stage.world.control(NOW_MS, "register_client", &body).is_err());
    let body = json!({ "client_id": "x", "jwks_url": "http://clinic.test/jwks.json" });
    assert!(stage.world.control(NOW_MS, "register_client", &body).is_err());
    let body = json!({ "client_id": "x", "jwks_url": "http://127.0.0.1:8080/jwks.json" });
    assert!(stage.world.control(NOW_MS, "register_client", &body).is_ok());
}

#[test]
fn debug_output_holds_no_tokens() {
    let mut stage = Stage::new();
    let token = stage.token("one");
    assert!(!format!("{:?}", stage.world).contains(&token));
    assert!(!stage.world.snapshot().to_string().contains(&token));
}
