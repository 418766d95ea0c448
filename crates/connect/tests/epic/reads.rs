//! Reads and searches, and the traps of their answers.

use suture_connect::ehr::epic::paging::NextPage;
use suture_connect::ehr::epic::reads::{
    Account, Claim, Coverage, Encounter, ExplanationOfBenefit, Patient, Practitioner, Search, by_id,
    read_found, read_page,
};
use suture_connect::outcome::{Outcome, Retry};
use suture_core::money::Money;
use suture_core::redact::Phi;

use crate::support::{outcome_body, response, site, token, wire};

const HEADERS: &str = "accept: application/fhir+json\nauthorization: secret Bearer token-1\n";

fn done<T: std::fmt::Debug>(outcome: Outcome<T>) -> T {
    match outcome {
        Outcome::Done(value) => value,
        other => panic!("{other:?}"),
    }
}

fn bundle(entries: &[&str], next: Option<&str>) -> String {
    let entries: Vec<String> = entries.iter().map(|entry| format!(r#"{{"resource":{entry}}}"#)).collect();
    let link = next.map(|url| format!(r#"{{"relation":"next","url":"{url}"}}"#)).unwrap_or_default();
    format!(r#"{{"resourceType":"Bundle","total":1,"link":[{link}],"entry":[{}]}}"#, entries.join(","))
}

#[test]
fn a_read_by_id_asks_for_json_and_cannot_be_led_astray() {
    let base = "GET https://epic.example/prd/api/FHIR/R4/";
    assert_eq!(wire(&by_id::<Account>(&site(), &token(), "eA1")), format!("{base}Account/eA1\n{HEADERS}"));
    let astray = wire(&by_id::<Claim>(&site(), &token(), "../Patient?x"));
    assert!(astray.starts_with(&format!("{base}Claim/..%2FPatient%3Fx\n")), "{astray}");
}

#[test]
fn searches_name_ids_in_the_url_and_people_in_the_body() {
    let asked = |search: Search| wire(&search.request(&site(), &token()));
    let base = "https://epic.example/prd/api/FHIR/R4";
    let since = Some("2026-11-01".to_owned());
    let encounters = asked(Search::EncountersOfPatient { patient: "eP1".to_owned(), since });
    assert_eq!(encounters, format!("GET {base}/Encounter?patient=eP1&date=ge2026-11-01\n{HEADERS}"));
    let accounts = asked(Search::AccountsById(vec!["eA1".to_owned(), "eA2".to_owned()]));
    assert_eq!(accounts, format!("GET {base}/Account?_id=eA1%2CeA2\n{HEADERS}"));
    let value = Phi::new("00123".to_owned());
    let patient = Search::PatientByIdentifier { system: "urn:oid:1.2".to_owned(), value };
    let expected = format!(
        "POST {base}/Patient/_search\n{HEADERS}content-type: application/x-www-form-urlencoded\n\
         identifier=urn%3Aoid%3A1.2%7C00123"
    );
    assert!(!format!("{patient:?}").contains("00123"));
    assert_eq!(asked(patient), expected);
}

#[test]
fn resources_keep_their_exact_text_and_amounts_their_cents() {
    let json = r#"{"resourceType":"Claim","id":"eC1","status":"active","use":"claim","patient":{"reference":"Patient/eP1"},"total":{"value":120.10,"currency":"USD"},"item":[{"encounter":[{"reference":"Encounter/eE1"}]}]}"#;
    let claim = done(read_found::<Claim>(&response(200, json)));
    assert_eq!(claim.json.expose(), json);
    assert_eq!(claim.resource.total, Some(Money::usd(12010)));
    assert_eq!(claim.resource.patient.as_deref(), Some("eP1"));
    assert_eq!(claim.resource.encounters, ["eE1"]);
}

#[test]
fn every_billing_resource_is_read() {
    let json = r#"{"resourceType":"Patient","id":"eP1","active":true,"identifier":[{"system":"urn:oid:1.2","value":"00123"}],"name":[{"use":"nickname","text":"Annie"},{"use":"official","given":["Ann","B"],"family":"Example"}],"birthDate":"1980-01-31","link":[{"type":"replaced-by","other":{"reference":"Patient/eP2"}}]}"#;
    let patient = done(read_found::<Patient>(&response(200, json)));
    assert_eq!(patient.resource.name.expose().as_deref(), Some("Ann B Example"));
    assert_eq!(patient.resource.replaced_by.as_deref(), Some("eP2"));
    let printed = format!("{patient:?}");
    assert!(!printed.contains("Ann") && !printed.contains("1980") && !printed.contains("00123"), "{printed}");

    let json = r#"{"resourceType":"Encounter","id":"eE1","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/eP1"},"account":[{"reference":"Account/eA1"}],"participant":[{"individual":{"reference":"Practitioner/eD1"}}],"period":{"start":"2026-11-20"}}"#;
    let encounter = done(read_found::<Encounter>(&response(200, json))).resource;
    assert_eq!(
        (encounter.accounts, encounter.practitioners),
        (vec!["eA1".to_owned()], vec!["eD1".to_owned()])
    );

    let json = r#"{"resourceType":"Account","id":"eA1","status":"active","subject":[{"reference":"Patient/eP1"}],"guarantor":[{"party":{"reference":"RelatedPerson/eR1"}}],"coverage":[{"coverage":{"reference":"Coverage/eV1"}}]}"#;
    let account = done(read_found::<Account>(&response(200, json))).resource;
    assert_eq!(
        (account.guarantors, account.coverages),
        (vec!["RelatedPerson/eR1".to_owned()], vec!["eV1".to_owned()])
    );

    let json = r#"{"resourceType":"Practitioner","id":"eD1","identifier":[{"system":"http://hl7.org/fhir/sid/us-npi","value":"1234567893"}]}"#;
    assert_eq!(
        done(read_found::<Practitioner>(&response(200, json))).resource.npi.as_deref(),
        Some("1234567893")
    );

    let json = r#"{"resourceType":"ExplanationOfBenefit","id":"eX1","status":"active","outcome":"complete","claim":{"reference":"Claim/eC1"},"payment":{"amount":{"value":80,"currency":"USD"}},"total":[{"category":{"coding":[{"code":"deductible"}]},"amount":{"value":40.00,"currency":"USD"}}]}"#;
    let explanation = done(read_found::<ExplanationOfBenefit>(&response(200, json))).resource;
    assert_eq!(explanation.payment, Some(Money::usd(8000)));
    assert_eq!(explanation.totals, [("deductible".to_owned(), Money::usd(4000))]);
}

#[test]
fn another_resource_than_asked_is_not_an_answer() {
    let patient = r#"{"resourceType":"Patient","id":"eP1"}"#;
    assert!(matches!(read_found::<Account>(&response(200, patient)), Outcome::Unknown(_)));
}

#[test]
fn results_that_do_not_fit_the_search_are_left_out() {
    let ours = r#"{"resourceType":"Coverage","id":"eV1","status":"active","beneficiary":{"reference":"Patient/eP1"}}"#;
    let theirs = r#"{"resourceType":"Coverage","id":"eV2","status":"active","beneficiary":{"reference":"Patient/eP9"}}"#;
    let remark = outcome_body("information", 59100);
    let included = r#"{"resourceType":"Organization","id":"eO1"}"#;
    let body = bundle(&[ours, theirs, &remark, included], None);
    let search = Search::CoveragesOfPatient("eP1".to_owned());
    let page = done(read_page::<Coverage>(&site(), &search, &response(200, &body)));
    assert_eq!((page.found.len(), page.left_out, page.partial, page.next), (1, 1, false, None));
}

#[test]
fn an_empty_page_with_a_next_link_is_not_the_end() {
    let next = "https://EPIC.example:443/prd/api/FHIR/R4/Coverage?sessionID=7-A%3D";
    let search = Search::CoveragesOfPatient("eP1".to_owned());
    let answer = response(200, &bundle(&[&outcome_body("warning", 4101)], Some(next)));
    let page = done(read_page::<Coverage>(&site(), &search, &answer));
    assert!(page.found.is_empty());
    let request = page.next.unwrap().fetch(&token());
    assert_eq!(wire(&request), format!("GET {next}\n{HEADERS}"), "followed verbatim");
}

#[test]
fn the_token_is_not_carried_to_another_origin() {
    let search = Search::CoveragesOfPatient("eP1".to_owned());
    for next in [
        "https://evil.example/R4/Coverage?p=2",
        "http://epic.example/prd/api/FHIR/R4/Coverage?p=2",
        "https://epic.example@evil.example/Coverage",
        "https://epic.example:8443/Coverage",
        "/Coverage?p=2",
    ] {
        let answer = response(200, &bundle(&[], Some(next)));
        let outcome = read_page::<Coverage>(&site(), &search, &answer);
        assert_eq!(
            outcome.failure().map(|failure| failure.code.as_str()),
            Some("epic_foreign_next_page"),
            "{next}"
        );
    }
    assert!(NextPage::parse(&site(), "https://epic.example/x").is_ok());
}

#[test]
fn an_expired_paging_session_starts_the_search_again() {
    let search = Search::CoveragesOfPatient("eP1".to_owned());
    let outcome = read_page::<Coverage>(&site(), &search, &response(400, &outcome_body("fatal", 4113)));
    assert!(matches!(outcome, Outcome::NotSent(failure) if failure.retry == Retry::Later));
}

#[test]
fn a_page_says_when_parts_were_held_back() {
    let body = bundle(&[&outcome_body("warning", 59204)], None);
    let search = Search::ExplanationsOfClaim("eC1".to_owned());
    assert!(done(read_page::<ExplanationOfBenefit>(&site(), &search, &response(200, &body))).partial);
}
