//! Client assertions and access tokens.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{self, KeyPair};
use suture_connect::ehr::epic::jwks::{PublicKey, key_set};
use suture_connect::ehr::epic::token::{Algorithm, Assertion, read_token, signing_input, token_request};
use suture_connect::outcome::{Outcome, Retry};
use suture_core::time::Timestamp;

use crate::support::{response, wire};

const URL: &str = "https://epic.example/prd/oauth2/token";

fn assertion(algorithm: Algorithm) -> Assertion<'static> {
    let now = Timestamp::from_seconds(1_795_231_800);
    Assertion { kid: "key-2", algorithm, client_id: "client-1", audience: URL, now, jti: "jti-1" }
}

fn scopes(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn the_assertion_lives_four_minutes_and_begins_in_the_past() {
    let input = signing_input(&assertion(Algorithm::Rs384));
    let (header, claims) = input.split_once('.').unwrap();
    let text = |part: &str| String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    assert_eq!(text(header), r#"{"alg":"RS384","typ":"JWT","kid":"key-2"}"#);
    let expected = format!(
        r#"{{"iss":"client-1","sub":"client-1","aud":"{URL}","jti":"jti-1","iat":1795231785,"nbf":1795231785,"exp":1795232025}}"#
    );
    assert_eq!(text(claims), expected);
}

#[test]
fn the_request_carries_the_signed_assertion_in_its_body_only() {
    let request =
        token_request(URL, "aGVhZA.Y2xhaW1z", &[255, 0], &scopes(&["system/Patient.rs", "system/Claim.rs"]));
    let expected = "POST https://epic.example/prd/oauth2/token\naccept: application/json\n\
                    content-type: application/x-www-form-urlencoded\n\
                    grant_type=client_credentials\
                    &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer\
                    &client_assertion=aGVhZA.Y2xhaW1z._wA\
                    &scope=system%2FPatient.rs%20system%2FClaim.rs";
    assert_eq!(wire(&request), expected);
    assert!(!format!("{request:?}").contains("aGVhZA"));
}

#[test]
fn a_verifier_with_our_published_key_accepts_the_assertion() {
    let random = ring::rand::SystemRandom::new();
    let curve = &signature::ECDSA_P384_SHA384_FIXED_SIGNING;
    let document = signature::EcdsaKeyPair::generate_pkcs8(curve, &random).unwrap();
    let pair = signature::EcdsaKeyPair::from_pkcs8(curve, document.as_ref(), &random).unwrap();
    let point = pair.public_key().as_ref();
    let published =
        key_set(&[PublicKey::EcP384 { kid: "key-2", x: &point[1..49], y: &point[49..97] }]).unwrap();

    let input = signing_input(&assertion(Algorithm::Es384));
    let signed = pair.sign(&random, input.as_bytes()).unwrap();

    let published: serde_json::Value = serde_json::from_str(&published).unwrap();
    let coordinate =
        |name: &str| URL_SAFE_NO_PAD.decode(published["keys"][0][name].as_str().unwrap()).unwrap();
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    let key = signature::UnparsedPublicKey::new(&signature::ECDSA_P384_SHA384_FIXED, point);
    assert!(key.verify(input.as_bytes(), signed.as_ref()).is_ok());
}

#[test]
fn granted_scopes_are_compared_with_the_asked_ones() {
    let body =
        r#"{"access_token":"opaque","token_type":"Bearer","expires_in":3600,"scope":"system/Patient.read"}"#;
    let Outcome::Done(token) =
        read_token(&response(200, body), &scopes(&["system/Patient.rs", "system/Account.rs"]))
    else {
        panic!("the token was not read");
    };
    assert_eq!(token.secret.expose(), "opaque");
    assert_eq!(token.expires_in_seconds, 3600);
    assert_eq!(token.missing, ["system/Account.rs"]);
    assert!(!format!("{token:?}").contains("opaque"));
}

#[test]
fn invalid_client_lists_what_to_check_because_epic_gives_no_reason() {
    let body = r#"{"error":"invalid_client","error_description":null}"#;
    let Outcome::Declined(failure) = read_token(&response(400, body), &[]) else { panic!("not declined") };
    assert_eq!((failure.code.as_str(), failure.retry), ("epic_invalid_client", Retry::Never));
    for cause in ["JWK Set URL", "clock", "token endpoint", "client id", "twice"] {
        assert!(failure.message.contains(cause), "{cause}");
    }
}

#[test]
fn an_unclear_answer_of_the_token_endpoint_is_no_token() {
    for (status, body) in [
        (500, ""),
        (404, "<html>"),
        (200, "{}"),
        (200, r#"{"access_token":"","token_type":"bearer"}"#),
        (200, r#"{"access_token":"a\r\nx: y","token_type":"bearer"}"#),
        (200, r#"{"access_token":"a","token_type":"mac"}"#),
    ] {
        assert!(matches!(read_token(&response(status, body), &[]), Outcome::Unknown(_)), "{status} {body}");
    }
}
