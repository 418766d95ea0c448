//! What Epicor's errors mean, and tokens.

use suture_connect::erp::epicor::errors::{Asked, failed};
use suture_connect::erp::epicor::token::{read_token, token_request};
use suture_connect::erp::epicor::words::ErrorWords;
use suture_connect::outcome::{Outcome, Retry};
use suture_core::redact::Secret;

use crate::support::{company, error, receipt, response, wire};

#[test]
fn texts_and_statuses_become_our_codes() {
    let words = ErrorWords::default();
    for (answer, code) in [
        (error(400, "BusinessObjectException", "Part is required."), "erp_unknown_part"),
        (error(400, "BusinessObjectException", "Customer is not valid."), "erp_unknown_customer"),
        (error(400, "BusinessObjectException", "Invoice 501 is not posted."), "erp_invoice_refused"),
        (error(400, "BusinessObjectException", "Group S261121A was posted."), "erp_group_posted"),
        (error(400, "BusinessObjectException", "Group is locked by user bob."), "erp_group_in_use"),
        (error(400, "BusinessObjectException", "Terms code is blank."), "erp_refused"),
        (
            error(
                400,
                "BusinessObjectException",
                "Row has been modified by another user and couldn't be updated",
            ),
            "erp_record_modified",
        ),
        (error(403, "UnauthorizedAccessException", "Access denied."), "erp_not_authorized"),
        (error(404, "RecordNotFoundException", "Record not found."), "erp_not_found"),
        (error(404, "ApiException", "Not mapped."), "erp_not_offered"),
        (error(409, "DuplicateRecordException", "x"), "erp_duplicate"),
        (error(410, "InvalidSessionException", "x"), "erp_session_lost"),
    ] {
        let failed = failed(&words, &answer, Asked::Write, Some(&receipt()));
        assert_eq!(failed.outcome.failure().unwrap().code, code);
        assert!(!matches!(failed.outcome, Outcome::Unknown(_)), "{code} proves that nothing was done");
    }
}

#[test]
fn epicors_field_decides_over_words() {
    let body = r#"{"ErrorMessage":"This is not a valid entry.","ErrorType":"Ice.Common.BusinessObjectException","ErrorDetails":[{"Message":"x","Table":"CashHead","Field":"CustNum"}]}"#;
    let failed = failed(&ErrorWords::default(), &response(400, body), Asked::Write, Some(&receipt()));
    assert_eq!(failed.outcome.failure().unwrap().code, "erp_unknown_customer");
    assert_eq!((failed.field.as_deref(), failed.value.as_deref()), (Some("CustNum"), Some("17")));
}

#[test]
fn for_a_write_whatever_is_not_epicors_own_refusal_is_unknown() {
    let words = ErrorWords::default();
    for status in [302, 400, 403, 404, 408, 418, 500, 502, 503, 504] {
        for body in ["", "<html>", "{}", "[]"] {
            let failed = failed(&words, &response(status, body), Asked::Write, None);
            assert!(matches!(failed.outcome, Outcome::Unknown(_)), "{status} {body}");
        }
    }
    let internal = error(500, "Exception", "Sorry! An unexpected internal problem occurred.");
    let failed = failed(&words, &internal, Asked::Write, None);
    assert!(matches!(&failed.outcome, Outcome::Unknown(why) if why.retry == Retry::LookUpFirst));
}

#[test]
fn a_token_is_asked_for_with_the_password_in_a_secret_header() {
    let secret = |text: &str| Secret::new(text.to_owned());
    let request = token_request(&company(), "suture", &secret("hunter2"), &secret("key-1"));
    let expected = "POST https://erp.example/kinetic/TokenResource.svc/\naccept: application/json\n\
        username: suture\npassword: secret hunter2\nx-api-key: secret key-1\n";
    assert_eq!(wire(&request), expected);
    assert!(!format!("{request:?}").contains("hunter2"));

    let Outcome::Done(token) =
        read_token(&response(200, r#"{"AccessToken":"t.1","ExpiresIn":28800,"TokenType":"Bearer"}"#))
    else {
        panic!()
    };
    assert_eq!((token.secret.expose().as_str(), token.expires_in_seconds), ("t.1", 28_800));
    assert!(matches!(read_token(&response(401, "")), Outcome::Declined(_)));
    for (status, body) in [(200, "<xml>"), (200, r#"{"AccessToken":""}"#), (500, ""), (404, "")] {
        assert!(matches!(read_token(&response(status, body)), Outcome::Unknown(_)), "{status} {body}");
    }
}

#[test]
fn settings_that_cannot_work_are_told_in_sentences() {
    assert_eq!(company().problems(), Vec::<String>::new());
    let mut epicor = company();
    epicor.base_url = "erp.example".to_owned();
    epicor.references.order = "Suture Ref".to_owned();
    epicor.groups.receipts = "abc".to_owned();
    epicor.webhook.header = "X-Sig".to_owned();
    assert_eq!(epicor.problems().len(), 4);
    assert!(
        serde_json::from_str::<suture_connect::erp::epicor::settings::Epicor>(r#"{"compny":"X"}"#).is_err()
    );
}
