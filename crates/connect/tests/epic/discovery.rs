//! Discovery and the capability probe of an Epic site.

use suture_connect::ehr::epic::discovery::{
    Capabilities, metadata, read_metadata, read_smart_configuration, smart_configuration,
};
use suture_connect::ehr::epic::routes::{Route, propose};
use suture_connect::outcome::Outcome;

use crate::support::{response, site, wire};

fn capabilities(fixture: &str) -> Capabilities {
    match read_metadata(&response(200, fixture)) {
        Outcome::Done(capabilities) => capabilities,
        other => panic!("{other:?}"),
    }
}

fn real() -> Capabilities {
    capabilities(include_str!("../fixtures/epic/capabilities_real.json"))
}

fn permissive() -> Capabilities {
    capabilities(include_str!("../fixtures/epic/capabilities_permissive.json"))
}

#[test]
fn discovery_asks_without_a_token_and_says_which_client_asks() {
    let base = "https://epic.example/prd/api/FHIR/R4";
    let expected = format!("GET {base}/metadata\naccept: application/fhir+json\nepic-client-id: client-1\n");
    assert_eq!(wire(&metadata(&site())), expected);
    let expected = format!(
        "GET {base}/.well-known/smart-configuration\naccept: application/json\nepic-client-id: client-1\n"
    );
    assert_eq!(wire(&smart_configuration(&site())), expected);
}

#[test]
fn the_probe_says_in_sentences_what_a_real_site_offers() {
    let real = real();
    assert_eq!(real.software.as_deref(), Some("Epic May 2026"));
    let expected = [
        "Patient: read/search/create",
        "Account: read/search only",
        "Claim: read/search only",
        "Coverage: read/search only",
        "Encounter: read/search only",
        "ExplanationOfBenefit: read/search only",
        "Practitioner: read/search only",
        "ServiceRequest: read/search/create/update",
        "Payment: not offered",
        "PaymentReconciliation: not offered",
        "PaymentNotice: not offered",
    ];
    assert_eq!(real.sentences(), expected);
}

#[test]
fn a_real_site_gets_the_external_route_and_a_permissive_one_fhir() {
    let proposal = propose(&site(), &real());
    assert_eq!((proposal.route, proposal.read_back), (Route::ExternalPayment, true));
    assert!(proposal.reasons.contains(&"PaymentNotice: not offered".to_owned()), "{:?}", proposal.reasons);
    let proposal = propose(&site(), &permissive());
    assert_eq!((proposal.route, proposal.read_back), (Route::Fhir, true));
}

#[test]
fn without_any_way_a_person_posts() {
    let mut epic = site();
    epic.interconnect_base_url = None;
    assert_eq!(propose(&epic, &real()).route, Route::Person);
    epic.organization = None;
    let proposal = propose(&epic, &permissive());
    assert_eq!(proposal.route, Route::Person);
    assert!(proposal.reasons.iter().any(|reason| reason.contains("organization is not set")));
}

#[test]
fn a_wished_route_is_taken_only_where_it_can_be_carried_out() {
    let mut epic = site();
    epic.posting_route = Some(Route::ExternalPayment);
    assert_eq!(propose(&epic, &permissive()).route, Route::ExternalPayment);
    for wish in [Route::Fhir, Route::Lockbox, Route::Hl7] {
        epic.posting_route = Some(wish);
        let proposal = propose(&epic, &real());
        assert_eq!(proposal.route, Route::Person, "{wish:?}");
        assert!(proposal.reasons.iter().any(|reason| reason.contains("cannot be carried out")));
    }
}

#[test]
fn a_search_that_ignores_identifiers_is_no_read_back() {
    let mut capabilities = permissive();
    let offered = capabilities.resources.get_mut("PaymentNotice").unwrap();
    offered.search_parameters.remove("identifier");
    assert!(!propose(&site(), &capabilities).read_back);
}

#[test]
fn the_sign_in_configuration_names_the_token_endpoint() {
    let fixture = include_str!("../fixtures/epic/smart_configuration.json");
    let Outcome::Done(configuration) = read_smart_configuration(&site(), &response(200, fixture)) else {
        panic!("the configuration was not read");
    };
    assert_eq!(configuration.token_endpoint, "https://epic.example/prd/oauth2/token");
    assert!(configuration.offers_backend_services());
}

#[test]
fn a_token_endpoint_without_encryption_is_not_trusted() {
    let body = r#"{"token_endpoint":"http://epic.example/token"}"#;
    let Outcome::Declined(failure) = read_smart_configuration(&site(), &response(200, body)) else {
        panic!("the configuration was trusted");
    };
    assert_eq!(failure.code, "epic_unsafe_token_endpoint");
}

#[test]
fn metadata_in_xml_is_not_understood_and_not_fatal() {
    let xml = "<CapabilityStatement xmlns=\"http://hl7.org/fhir\"/>";
    assert!(matches!(read_metadata(&response(200, xml)), Outcome::Unknown(_)));
}
