//! Postings leg by leg, crashed and resumed at every one.

use suture_connect::ehr::epic::posting::{
    Confirmation, Leg, LookUpCause, PaymentPosting, Posting, PostingInput, PostingState, PostingStatus,
    PostingStep,
};
use suture_connect::ehr::epic::routes::Route;
use suture_connect::ehr::epic::settings::{AmountFormat, BasicCredential, EpicUser};
use suture_connect::http::{HttpRequest, HttpResponse};
use suture_connect::outcome::Retry;
use suture_core::redact::Secret;

use crate::support::{
    begin, outcome_body, payment, response, reversal, route, site, step, step_of, token, wire,
};

fn sent(step: PostingStep) -> (PostingState, HttpRequest) {
    match step {
        PostingStep::Send { state, request } => (state, request),
        other => panic!("{other:?}"),
    }
}

fn done(step: PostingStep) -> (PostingState, PostingStatus) {
    match step {
        PostingStep::Done { state, status } => (state, status),
        other => panic!("{other:?}"),
    }
}

fn answer(state: &PostingState, response: &HttpResponse) -> PostingStep {
    step(state, PostingInput::Answer(response))
}

/// The external route with the payment on its way.
fn external_posting() -> PostingState {
    sent(step(&begin(Route::ExternalPayment), PostingInput::Go)).0
}

/// A state of the FHIR route in which something is in flight.
fn fhir_at(leg: Leg) -> PostingState {
    PostingState { leg, posts: 1, reconciliation: Some("eR1".to_owned()), ..begin(Route::Fhir) }
}

fn transactions(list: &str) -> HttpResponse {
    response(200, &format!(r#"{{"Transactions":[{list}]}}"#))
}

fn person_code(status: &PostingStatus) -> &str {
    match status {
        PostingStatus::WaitingForPerson { why } => &why.code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_fresh_external_post_is_one_request_with_exact_cents() {
    let (_, request) = sent(step(&begin(Route::ExternalPayment), PostingInput::Go));
    let expected = "POST https://epic.example/prd/api/epic/2017/Billing/External/PostTransactionResult\n\
        accept: application/json\nepic-client-id: client-1\nauthorization: secret Bearer token-1\n\
        content-type: application/json\n\
        {\"TransactionID\":\"ch_1\",\"TransactionType\":\"Payment\",\"Amount\":120.00,\"PatientID\":\"eP1\",\
        \"Currency\":\"USD\",\"PatientIDType\":\"FHIR\",\"AccountID\":\"eA1\",\"ClaimID\":\"eC1\",\"EncounterID\":\"eE1\",\
        \"PractitionerID\":\"eD1\",\"TransactionDateTime\":\"2026-11-20T21:30:00-06:00\",\
        \"TransactionStatus\":\"paid\",\"Queue\":\"partial\"}";
    assert_eq!(wire(&request), expected);
}

#[test]
fn an_external_reversal_is_a_refund_that_names_the_payment() {
    let (_, request) = sent(step_of(&reversal(), &begin(Route::ExternalPayment), PostingInput::Go));
    let body = wire(&request);
    assert!(body.contains(r#""TransactionType":"Refund","Amount":50.00,"#), "{body}");
    assert!(body.contains(r#""OriginalTransactionID":"ch_1""#), "{body}");
}

#[test]
fn names_words_and_credentials_of_the_external_services_are_the_sites() {
    let mut epic = site();
    epic.external.sent.reference = "ExternalRef".to_owned();
    epic.external.sent.queue = None;
    epic.external.amount_format = AmountFormat::Text;
    let secret = |text: &str| Secret::new(text.to_owned());
    let basic = Some(BasicCredential { user: secret("emp$X"), password: secret("pw") });
    epic.user = Some(EpicUser { id: secret("X"), id_type: secret("External"), basic });
    let (token, document) = (token(), payment());
    let posting = Posting { epic: &epic, token: &token, document: &document };
    let (_, request) = sent(posting.step(&begin(Route::ExternalPayment), PostingInput::Go));
    let text = wire(&request);
    assert!(text.contains("epic-user-id: secret X\nepic-user-idtype: secret External\n"), "{text}");
    assert!(text.contains("authorization: secret Basic ZW1wJFg6cHc=\n"), "{text}");
    assert!(text.contains(r#""ExternalRef":"ch_1""#) && text.contains(r#""Amount":"120.00""#), "{text}");
    assert!(!text.contains("Queue"), "{text}");
    assert!(!format!("{request:?}").contains("ZW1w"));
}

#[test]
fn the_fhir_route_looks_first_then_posts_then_notifies_then_reads_back() {
    let base = "https://epic.example/prd/api/FHIR/R4";
    let headers = "accept: application/fhir+json\nauthorization: secret Bearer token-1\n";
    let nothing = response(200, r#"{"resourceType":"Bundle"}"#);

    let (state, request) = sent(step(&begin(Route::Fhir), PostingInput::Go));
    let search =
        format!("GET {base}/PaymentReconciliation?identifier=urn%3Asuture%3Aposting%7Cch_1\n{headers}");
    assert_eq!(wire(&request), search);

    let (state, request) = sent(answer(&state, &nothing));
    let identifier = r#"{"system":"urn:suture:posting","value":"ch_1"}"#;
    let body = [
        r#"{"resourceType":"PaymentReconciliation","extension":["#,
        r#"{"url":"urn:suture:posting:patient","valueReference":{"reference":"Patient/eP1"}},"#,
        r#"{"url":"urn:suture:posting:account","valueReference":{"reference":"Account/eA1"}},"#,
        r#"{"url":"urn:suture:posting:claim","valueReference":{"reference":"Claim/eC1"}},"#,
        r#"{"url":"urn:suture:posting:encounter","valueReference":{"reference":"Encounter/eE1"}},"#,
        r#"{"url":"urn:suture:posting:queue","valueString":"partial"}],"#,
        r#""identifier":[ID],"status":"active","created":"2026-11-20T21:30:00-06:00","outcome":"complete","#,
        r#""paymentDate":"2026-11-20","paymentAmount":{"value":120.00,"currency":"USD"},"paymentIdentifier":ID,"#,
        r#""detail":[{"identifier":ID,"#,
        r#""type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/payment-type","code":"payment"}]},"#,
        r#""request":{"reference":"Claim/eC1"},"submitter":{"reference":"Practitioner/eD1"},"#,
        r#""date":"2026-11-20","amount":{"value":120.00,"currency":"USD"}}]}"#,
    ]
    .concat()
    .replace("ID", identifier);
    let json = "content-type: application/fhir+json\n";
    assert_eq!(wire(&request), format!("POST {base}/PaymentReconciliation\n{headers}{json}{body}"));

    let mut created = response(201, "");
    created.headers.push(("location".to_owned(), "PaymentReconciliation/eR1".to_owned()));
    let (state, request) = sent(answer(&state, &created));
    let body = [
        r#"{"resourceType":"PaymentNotice","identifier":[ID],"status":"active","request":{"reference":"Claim/eC1"},"#,
        r#""created":"2026-11-20T21:30:00-06:00","provider":{"reference":"Practitioner/eD1"},"#,
        r#""payment":{"reference":"PaymentReconciliation/eR1"},"paymentDate":"2026-11-20","#,
        r#""recipient":{"reference":"Organization/eOrg"},"amount":{"value":120.00,"currency":"USD"},"#,
        r#""paymentStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/paymentstatus","code":"paid"}]}}"#,
    ]
    .concat()
    .replace("ID", identifier);
    assert_eq!(wire(&request), format!("POST {base}/PaymentNotice\n{headers}{json}{body}"));

    let (state, request) = sent(answer(&state, &response(201, "")));
    assert_eq!(wire(&request), search);
    let record = format!(
        r#"{{"resourceType":"PaymentReconciliation","id":"eR1","status":"active","identifier":[{identifier}],"paymentAmount":{{"value":120,"currency":"USD"}}}}"#
    );
    let found = response(200, &format!(r#"{{"resourceType":"Bundle","entry":[{{"resource":{record}}}]}}"#));
    let (_, status) = done(answer(&state, &found));
    let evidence = Confirmation::ReadBack { reference: "eR1".to_owned(), existing: false };
    assert_eq!(status, PostingStatus::Confirmed { evidence });
}

#[test]
fn a_fhir_reversal_is_a_negative_adjustment_after_its_payment() {
    let state = PostingState { leg: Leg::Ready, ..PostingState::begin(&route(Route::Fhir, false)) };
    let (_, request) = sent(step_of(&reversal(), &state, PostingInput::Go));
    let body = wire(&request);
    assert!(body.contains(r#""predecessor":{"system":"urn:suture:posting","value":"ch_1"}"#), "{body}");
    assert!(body.contains(r#""code":"adjustment""#), "{body}");
    assert_eq!(body.matches(r#"{"value":-50.00,"currency":"USD"}"#).count(), 2, "{body}");
}

#[test]
fn a_receipt_number_confirms_in_one_request() {
    let state = external_posting();
    for body in [
        r#"{"Status":"Accepted","ReceiptNumber":"R-77"}"#,
        r#"{"ReceiptNumber":"R-77","TransactionID":"ch_1","Amount":120.0,"Currency":"USD"}"#,
    ] {
        let (_, status) = done(answer(&state, &response(200, body)));
        let evidence = Confirmation::Receipt { number: "R-77".to_owned() };
        assert_eq!(status, PostingStatus::Confirmed { evidence }, "{body}");
    }
}

#[test]
fn an_empty_yes_is_read_back_where_that_is_possible() {
    let (state, request) = sent(answer(&external_posting(), &response(201, "")));
    let text = wire(&request);
    assert!(
        text.contains("GetPaymentSessionData") && text.ends_with(r#"{"TransactionID":"ch_1"}"#),
        "{text}"
    );
    let found = r#"{"TransactionID":"ch_1","Amount":"120.00","ReceiptNumber":"R-1"}"#;
    let (_, status) = done(answer(&state, &transactions(found)));
    let evidence = Confirmation::ReadBack { reference: "R-1".to_owned(), existing: false };
    assert_eq!(status, PostingStatus::Confirmed { evidence });
    let (_, status) = done(answer(&state, &transactions("")));
    assert_eq!(status, PostingStatus::Accepted { reference: None }, "Epic said yes, nothing proves it");
}

#[test]
fn an_empty_yes_without_read_back_is_accepted_and_no_more() {
    let state = PostingState::begin(&route(Route::ExternalPayment, false));
    let (state, _) = sent(step(&state, PostingInput::Go));
    let (_, status) = done(answer(&state, &response(201, "")));
    assert_eq!(status, PostingStatus::Accepted { reference: None });
}

#[test]
fn a_yes_about_another_amount_or_reference_confirms_nothing() {
    let body = r#"{"ReceiptNumber":"R-77","Amount":12.00}"#;
    let (_, status) = done(answer(&external_posting(), &response(200, body)));
    assert_eq!(person_code(&status), "epic_other_amount");
    let body = r#"{"ReceiptNumber":"R-77","TransactionID":"ch_2"}"#;
    let (_, status) = done(answer(&external_posting(), &response(200, body)));
    assert!(matches!(status, PostingStatus::Unknown { .. }));
}

#[test]
fn a_refusal_inside_a_success_status_is_a_refusal() {
    for (body, code) in [
        (r#"{"Status":"Rejected","Message":"closed"}"#, "epic_transaction_refused"),
        (r#"{"Status":"Failed","ErrorCode":59159}"#, "epic_business_rule"),
        (r#"{"ErrorCode":"4102"}"#, "epic_unknown_id"),
    ] {
        let (_, status) = done(answer(&external_posting(), &response(200, body)));
        assert!(matches!(status, PostingStatus::Rejected { failure, .. } if failure.code == code), "{body}");
    }
    let (_, status) = done(answer(&external_posting(), &response(200, r#"{"Status":"Pondering"}"#)));
    assert!(matches!(status, PostingStatus::Unknown { .. }), "a word that nobody explained");
}

#[test]
fn after_an_unknown_outcome_the_first_request_is_a_look_up() {
    let (state, status) = done(answer(&external_posting(), &response(500, &outcome_body("fatal", 59177))));
    let PostingStatus::Unknown { why } = status else { panic!("not unknown") };
    assert_eq!((why.code.as_str(), why.retry), ("epic_internal_error", Retry::LookUpFirst));
    assert!(state.is_uncertain());

    let (state, request) = sent(step(&state, PostingInput::Go));
    assert!(request.url.ends_with("GetPaymentSessionData"));
    assert_eq!(state.leg, Leg::LookingUp { cause: LookUpCause::Unknown });

    let (_, status) = done(answer(&state, &transactions(r#"{"TransactionID":"ch_1","Amount":120}"#)));
    let evidence = Confirmation::ReadBack { reference: "ch_1".to_owned(), existing: false };
    assert_eq!(status, PostingStatus::Confirmed { evidence });

    let (state, request) = sent(answer(&state, &transactions(r#"{"TransactionID":"ch_9","Amount":1}"#)));
    assert!(request.url.ends_with("PostTransactionResult"), "sent again only when proven absent");
    assert_eq!(state.posts, 2);
}

#[test]
fn a_look_up_that_does_not_tell_never_leads_to_another_post() {
    let state = PostingState { leg: Leg::LookingUp { cause: LookUpCause::Unknown }, ..external_posting() };
    for answered in [
        response(200, "{}"),
        response(200, r#"{"Transactions":null}"#),
        response(200, r#"{"Transactions":[{}]}"#),
        response(404, "<html>"),
        response(404, ""),
        response(500, ""),
        response(403, &outcome_body("fatal", 4118)),
    ] {
        let (next, status) = done(answer(&state, &answered));
        assert!(matches!(status, PostingStatus::Unknown { .. }), "{answered:?}");
        assert!(next.is_uncertain());
    }
}

#[test]
fn an_absence_on_a_page_that_is_not_the_last_is_no_absence() {
    let state = fhir_at(Leg::LookingUp { cause: LookUpCause::Unknown });
    let next = r#"{"resourceType":"Bundle","link":[{"relation":"next","url":"https://epic.example/2"}]}"#;
    let partial =
        format!(r#"{{"resourceType":"Bundle","entry":[{{"resource":{}}}]}}"#, outcome_body("warning", 59204));
    for body in [next, &partial] {
        let (_, status) = done(answer(&state, &response(200, body)));
        assert!(matches!(status, PostingStatus::Unknown { .. }), "{body}");
    }
}

#[test]
fn a_duplicate_is_looked_up_and_counts_as_confirmed() {
    let (state, request) = sent(answer(&external_posting(), &response(409, &outcome_body("fatal", 59141))));
    assert!(request.url.ends_with("GetPaymentSessionData"));
    let (_, status) = done(answer(&state, &transactions(r#"{"TransactionID":"ch_1","Amount":120.00}"#)));
    let evidence = Confirmation::ReadBack { reference: "ch_1".to_owned(), existing: true };
    assert_eq!(status, PostingStatus::Confirmed { evidence });
    let (_, status) = done(answer(&state, &transactions("")));
    assert_eq!(person_code(&status), "epic_duplicate_not_found");
    let (_, status) = done(answer(&state, &transactions(r#"{"TransactionID":"ch_1","Amount":99.00}"#)));
    assert_eq!(person_code(&status), "epic_other_amount");
}

#[test]
fn a_merged_patient_is_told_with_the_surviving_one() {
    let body = outcome_body("fatal", 4107)
        .replace(r#""details""#, r#""diagnostics":"Patient/eP1 merged into Patient/eP2","details""#);
    let (_, status) = done(answer(&external_posting(), &response(400, &body)));
    let PostingStatus::Rejected { failure, surviving_patient } = status else { panic!("not rejected") };
    assert_eq!((failure.code.as_str(), surviving_patient.as_deref()), ("epic_merged_patient", Some("eP2")));
}

#[test]
fn break_the_glass_goes_to_a_person_and_the_daily_ceiling_waits_for_tomorrow() {
    for number in [4130, 4131, 4134] {
        let (_, status) = done(answer(&external_posting(), &response(403, &outcome_body("fatal", number))));
        assert_eq!(person_code(&status), "epic_break_the_glass");
    }
    let ceiling = response(400, &outcome_body("fatal", 4135));
    let PostingStep::Wait { state, failure } = answer(&external_posting(), &ceiling) else {
        panic!("no wait")
    };
    assert_eq!((failure.retry, state.posts, state.is_uncertain()), (Retry::NextLocalDay, 0, false));
    assert!(sent(step(&state, PostingInput::Go)).1.url.ends_with("PostTransactionResult"));
}

#[test]
fn a_token_is_refreshed_once() {
    let refused = response(401, "");
    let PostingStep::Wait { state, failure } = answer(&external_posting(), &refused) else {
        panic!("no wait")
    };
    assert_eq!(failure.retry, Retry::RefreshToken);
    let (state, _) = sent(step(&state, PostingInput::Go));
    let PostingStep::Wait { failure, .. } = answer(&state, &refused) else { panic!("no wait") };
    assert_eq!((failure.code.as_str(), failure.retry), ("epic_token_refused_again", Retry::Later));
}

#[test]
fn a_posting_is_not_sent_for_ever() {
    let mut next = step(&begin(Route::ExternalPayment), PostingInput::Go);
    for _ in 0..3 {
        let (posting, request) = sent(next);
        assert!(request.url.ends_with("PostTransactionResult"));
        let (unknown, _) = done(step(&posting, PostingInput::Lost));
        let (looking, _) = sent(step(&unknown, PostingInput::Go));
        next = answer(&looking, &transactions(""));
    }
    let (_, status) = done(next);
    assert_eq!(person_code(&status), "epic_sent_too_often");
}

#[test]
fn a_payment_without_its_notice_goes_to_a_person() {
    let state = PostingState { notice_posts: 1, ..fhir_at(Leg::PostingNotice) };
    let (_, status) = done(answer(&state, &response(400, &outcome_body("fatal", 59144))));
    assert_eq!(person_code(&status), "epic_half_posted");
}

#[test]
fn a_cancelled_record_under_our_reference_is_not_ours_to_repeat() {
    let record = r#"{"resourceType":"PaymentReconciliation","id":"eR1","status":"cancelled","identifier":[{"system":"urn:suture:posting","value":"ch_1"}],"paymentAmount":{"value":120,"currency":"USD"}}"#;
    let body = format!(r#"{{"resourceType":"Bundle","entry":[{{"resource":{record}}}]}}"#);
    let state = fhir_at(Leg::LookingUp { cause: LookUpCause::First });
    let (_, status) = done(answer(&state, &response(200, &body)));
    assert_eq!(person_code(&status), "epic_unclear_record");
}

#[test]
fn a_site_without_a_route_waits_for_a_person_at_once() {
    let mut proposal = route(Route::Person, false);
    proposal.reasons = vec!["PaymentNotice: not offered".to_owned()];
    let (_, status) = done(step(&PostingState::begin(&proposal), PostingInput::Go));
    assert_eq!(person_code(&status), "epic_no_posting_route");
}

type Spoil = fn(&mut PaymentPosting);

#[test]
fn a_document_that_says_too_little_or_too_much_is_not_sent() {
    let wrong: [(&str, Spoil); 5] = [
        ("reference", |document| document.reference = "a|b".to_owned()),
        ("amount", |document| document.amount.minor = 0),
        ("patient", |document| document.patient = "Group/eP1".to_owned()),
        ("claim", |document| document.claim = Some("../x".to_owned())),
        ("original", |document| document.original_reference = Some("ch_0".to_owned())),
    ];
    for (what, spoil) in wrong {
        let mut document = payment();
        spoil(&mut document);
        let (_, status) = done(step_of(&document, &begin(Route::ExternalPayment), PostingInput::Go));
        let PostingStatus::Rejected { failure, .. } = status else { panic!("{what} was sent") };
        assert_eq!(failure.code, "posting_incomplete", "{what}");
    }
}

#[test]
fn a_mapping_that_invents_members_or_rounds_money_is_refused() {
    let good = serde_json::to_value(payment()).unwrap();
    assert_eq!(serde_json::from_value::<PaymentPosting>(good.clone()).unwrap(), payment());
    let refused = |change: fn(&mut serde_json::Value)| {
        let mut document = good.clone();
        change(&mut document);
        serde_json::from_value::<PaymentPosting>(document).is_err()
    };
    assert!(refused(|document| document["name"] = "Ann".into()));
    assert!(refused(
        |document| document["amount"] = serde_json::json!({"decimal": "1.005", "currency": "USD"})
    ));
    assert!(refused(|document| document["amount"] = serde_json::json!({"decimal": 1.5, "currency": "USD"})));
    assert!(refused(
        |document| document["amount"] = serde_json::json!({"minor": 1, "decimal": "1", "currency": "USD"})
    ));
}
