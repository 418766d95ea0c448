//! Epic answers, by number, in our words.

use std::time::Duration;

use proptest::prelude::{any, prop_assert, proptest};
use suture_connect::ehr::epic::discovery::{read_metadata, read_smart_configuration};
use suture_connect::ehr::epic::outcome_codes::{Asked, TABLE, Verdict, failed, surviving_patient};
use suture_connect::ehr::epic::posting::{PostingInput, PostingStatus, PostingStep};
use suture_connect::ehr::epic::reads::{Claim, Coverage, Patient, Search, read_found, read_page};
use suture_connect::ehr::epic::routes::Route;
use suture_connect::ehr::epic::token::read_token;
use suture_connect::http::HttpResponse;
use suture_connect::outcome::{Outcome, Retry};

use crate::support::{begin, outcome_body, response, site, step};

/// `verdict code retry` of a fatal issue with that number, for a write.
fn written(number: u32) -> String {
    let outcome = failed(&response(400, &outcome_body("fatal", number)), Asked::Write);
    let verdict = match &outcome {
        Outcome::Done(never) => match *never {},
        Outcome::Declined(_) => "declined",
        Outcome::NotSent(_) => "not sent",
        Outcome::Unknown(_) => "unknown",
    };
    let failure = outcome.failure().unwrap();
    assert!(failure.raw.is_some(), "{number}: Epic's own object is kept");
    format!("{number} {verdict} {} {:?}", failure.code, failure.retry)
}

#[test]
fn every_number_has_its_case() {
    let expected = "\
4107 declined epic_merged_patient Never
4130 declined epic_break_the_glass Never
4131 declined epic_break_the_glass Never
4134 declined epic_break_the_glass Never
4135 not sent epic_daily_ceiling NextLocalDay
59141 declined epic_duplicate LookUpFirst
4118 declined epic_not_authorized Never
4102 declined epic_unknown_id Never
4103 declined epic_deleted Never
59144 declined epic_reference_not_found Never
40000 declined epic_mapping_missing Never
59159 declined epic_business_rule Never
59111 declined epic_required_invalid Never
59108 declined epic_required_missing Never
59105 declined epic_structure_invalid Never
59102 declined epic_content_invalid Never
59177 unknown epic_internal_error LookUpFirst
59133 unknown epic_processing LookUpFirst
4113 not sent epic_paging_expired Later
4127 declined epic_too_many_patients Never
4115 declined epic_search_refused Never
4112 declined epic_search_refused Never
4111 declined epic_search_refused Never
4110 declined epic_search_refused Never
4100 declined epic_search_refused Never
59109 declined epic_optional_invalid Never
59101 declined epic_content_warning Never
59100 declined epic_content_remark Never
59204 declined epic_suppressed Never
4119 declined epic_more_may_exist Never
4122 declined epic_unknown_parameter Never
4101 declined epic_no_results Never";
    let lines: Vec<String> = TABLE.iter().map(|meaning| written(meaning.number)).collect();
    assert_eq!(lines.join("\n"), expected);
}

#[test]
fn all_issues_are_read_and_the_most_telling_decides() {
    let remark = outcome_body("information", 59100);
    let merged = outcome_body("fatal", 4107);
    let issue = |body: &str| serde_json::from_str::<serde_json::Value>(body).unwrap()["issue"][0].clone();
    let both =
        serde_json::json!({"resourceType": "OperationOutcome", "issue": [issue(&remark), issue(&merged)]});
    let outcome = failed(&response(400, &both.to_string()), Asked::Read);
    assert_eq!(outcome.failure().unwrap().code, "epic_merged_patient");
}

#[test]
fn a_number_of_another_system_is_not_epics() {
    let body = outcome_body("fatal", 4107).replace(".7.2.657369", ".7.2.111");
    assert_eq!(failed(&response(400, &body), Asked::Write).failure().unwrap().code, "epic_refused");
}

#[test]
fn a_server_error_proves_nothing_about_a_write_whatever_it_says() {
    for meaning in TABLE {
        let outcome = failed(&response(500, &outcome_body("fatal", meaning.number)), Asked::Write);
        assert!(matches!(outcome, Outcome::Unknown(_)), "{}", meaning.number);
    }
    assert!(TABLE.iter().any(|meaning| meaning.verdict == Verdict::Uncertain));
}

#[test]
fn a_body_that_is_not_fhir_leaves_a_write_unknown() {
    let bodies = [
        "<html>404</html>",
        "",
        "<OperationOutcome xmlns=\"http://hl7.org/fhir\"/>",
        "{\"resourceType\":\"Op",
        "{}",
    ];
    for body in bodies {
        for status in [400, 403, 404, 405, 408, 409, 422, 500, 502, 503, 504] {
            let outcome = failed(&response(status, body), Asked::Write);
            assert!(matches!(outcome, Outcome::Unknown(_)), "{status} {body}");
            assert_eq!(outcome.failure().unwrap().retry, Retry::LookUpFirst);
        }
    }
}

#[test]
fn a_page_of_html_tells_a_read_that_nothing_is_offered() {
    let Outcome::Declined(failure) = failed(&response(404, "<html>"), Asked::Read) else {
        panic!("not declined")
    };
    assert_eq!(failure.code, "epic_not_offered");
}

#[test]
fn a_refused_token_and_a_throttle_happened_before_anything_was_done() {
    let Outcome::NotSent(failure) = failed(&response(401, ""), Asked::Write) else { panic!("not proven") };
    assert_eq!(failure.retry, Retry::RefreshToken);
    let mut throttled = response(429, "");
    throttled.headers.push(("retry-after".to_owned(), "7".to_owned()));
    let Outcome::NotSent(failure) = failed(&throttled, Asked::Write) else { panic!("not proven") };
    assert_eq!(failure.retry, Retry::Throttled(Some(Duration::from_secs(7))));
}

#[test]
fn the_surviving_patient_is_taken_from_the_texts_or_the_redirect() {
    let mut body: serde_json::Value = serde_json::from_str(&outcome_body("fatal", 4107)).unwrap();
    body["issue"][0]["diagnostics"] = "Patient/eOld was merged into Patient/eNew.".into();
    let mut merged = response(400, &body.to_string());
    assert_eq!(surviving_patient(&merged, "eOld").as_deref(), Some("eNew"));
    merged.headers.push(("location".to_owned(), "https://epic.example/R4/Patient/eLater".to_owned()));
    assert_eq!(surviving_patient(&merged, "eOld").as_deref(), Some("eLater"));
    assert_eq!(surviving_patient(&response(400, &outcome_body("fatal", 4107)), "eOld"), None);
}

fn any_answer(status: u16, body: Vec<u8>) -> HttpResponse {
    HttpResponse { status, headers: Vec::new(), body }
}

#[test]
fn a_truncated_answer_is_never_taken_for_an_answer() {
    let found = r#"{"resourceType":"Patient","id":"eP1","birthDate":"1980-01-31"}"#;
    let token = r#"{"access_token":"opaque","token_type":"bearer","expires_in":3600}"#;
    let receipt = r#"{"Status":"Posted","ReceiptNumber":"R-77"}"#;
    let bundle = r#"{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Coverage","id":"eV1"}}]}"#;
    let cuts = |body: &'static str| (1..body.len()).map(|end| response(200, &body[..end]));
    assert!(cuts(found).all(|cut| !matches!(read_found::<Patient>(&cut), Outcome::Done(_))));
    assert!(cuts(token).all(|cut| !matches!(read_token(&cut, &[]), Outcome::Done(_))));
    let search = Search::CoveragesOfPatient("eP1".to_owned());
    assert!(
        cuts(bundle).all(|cut| !matches!(read_page::<Coverage>(&site(), &search, &cut), Outcome::Done(_)))
    );
    let PostingStep::Send { state, .. } = step(&begin(Route::ExternalPayment), PostingInput::Go) else {
        panic!("not sent")
    };
    for cut in cuts(receipt) {
        let PostingStep::Done { status, .. } = step(&state, PostingInput::Answer(&cut)) else {
            panic!("{cut:?}")
        };
        assert!(matches!(status, PostingStatus::Unknown { .. }), "{cut:?}");
    }
}

proptest! {
    #[test]
    fn no_bytes_are_taken_for_an_answer(status in any::<u16>(), usual in any::<bool>(), body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let answer = any_answer(if usual { 200 + status % 2 } else { status }, body);
        prop_assert!(!matches!(read_metadata(&answer), Outcome::Done(_)));
        prop_assert!(!matches!(read_smart_configuration(&site(), &answer), Outcome::Done(_)));
        prop_assert!(!matches!(read_token(&answer, &[]), Outcome::Done(_)));
        prop_assert!(!matches!(read_found::<Patient>(&answer), Outcome::Done(_)));
        prop_assert!(!matches!(read_found::<Claim>(&answer), Outcome::Done(_)));
        let search = Search::CoveragesOfPatient("eP1".to_owned());
        prop_assert!(!matches!(read_page::<Coverage>(&site(), &search, &answer), Outcome::Done(_)));
        for route in [Route::Fhir, Route::ExternalPayment] {
            for state in crate::resume::every_leg(route) {
                let PostingStep::Done { status, .. } = step(&state, PostingInput::Answer(&answer)) else { continue };
                prop_assert!(!matches!(status, PostingStatus::Confirmed { .. }), "{state:?}");
            }
        }
    }

    #[test]
    fn a_write_answered_by_noise_is_never_a_success_and_never_a_refusal(status in 200_u16..600, noise in "[^{]{1,40}") {
        let posting = match step(&begin(Route::ExternalPayment), PostingInput::Go) {
            PostingStep::Send { state, .. } => state,
            other => panic!("{other:?}"),
        };
        let answer = any_answer(status, format!("<{noise}").into_bytes());
        let next = step(&posting, PostingInput::Answer(&answer));
        let truthful = matches!(next, PostingStep::Done { status: PostingStatus::Unknown { .. }, .. })
            || (matches!(status, 401 | 429) && matches!(next, PostingStep::Wait { .. }));
        prop_assert!(truthful, "{next:?}");
    }
}
