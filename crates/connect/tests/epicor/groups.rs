//! Groups: made when missing, left when posted, moved when the period is closed.

use serde_json::json;
use suture_connect::erp::epicor::settings::ClosedPeriod;

use crate::kinetic::Kinetic;
use crate::support::{code, company, credit, document, file, file_in, filed, journal, receipt, usd};

#[test]
fn the_first_receipt_of_a_day_makes_the_group_and_the_next_takes_one_request() {
    let mut kinetic = Kinetic::new();
    let (status, requests) = file(&mut kinetic, &receipt());
    assert_eq!(filed(&status), (&json!({"group": "S261121A", "date": "2026-11-21", "head": 1001}), false));
    assert_eq!(requests.len(), 4, "refused, looked, made, created");
    assert_eq!(kinetic.count("CashGrps", "GroupID", &json!("S261121A")), 1);

    let second = document(json!({"kind": "cash_receipt", "reference": "receipt:2", "customer_number": 18,
        "amount": usd(500), "date": "2026-11-21"}));
    let (status, requests) = file(&mut kinetic, &second);
    assert_eq!(filed(&status).0["head"], 1002);
    assert_eq!(requests.len(), 1);
}

#[test]
fn a_posted_group_is_left_for_the_next_letter() {
    let mut kinetic = Kinetic::new();
    kinetic.posted_groups = vec!["S261121A".to_owned(), "S261121B".to_owned()];
    let (status, _) = file(&mut kinetic, &receipt());
    assert_eq!(filed(&status).0["group"], "S261121C");
    assert_eq!(filed(&status).0.get("moved_from"), None);
}

#[test]
fn a_group_of_another_bank_account_is_left_alone() {
    let mut kinetic = Kinetic::new();
    kinetic.put(
        "CashGrps",
        json!({"GroupID": "S261121A", "BankAcctID": "OTHER", "TranDate": "2026-11-21T00:00:00"}),
    );
    kinetic.put(
        "CashGrps",
        json!({"GroupID": "S261121B", "BankAcctID": "MAIN", "TranDate": "2026-11-21T00:00:00"}),
    );
    kinetic.posted_groups = vec!["S261121A".to_owned()];
    let (status, _) = file(&mut kinetic, &receipt());
    assert_eq!(filed(&status).0["group"], "S261121B");
}

#[test]
fn a_closed_period_moves_the_document_to_the_next_open_day_and_says_so() {
    for document in [receipt(), credit(), journal()] {
        let mut kinetic = Kinetic::new();
        kinetic.open_from = "2026-12".to_owned();
        let (status, _) = file(&mut kinetic, &document);
        let (result, _) = filed(&status);
        assert_eq!((&result["date"], &result["moved_from"]), (&json!("2026-12-01"), &json!("2026-11-21")));
        assert!(result["group"].as_str().unwrap().ends_with("261201A"));
    }
}

#[test]
fn a_closed_period_is_refused_where_the_rule_says_so_or_ends() {
    let mut epicor = company();
    epicor.closed_period = ClosedPeriod::Refuse;
    let mut kinetic = Kinetic::new();
    kinetic.open_from = "2026-12".to_owned();
    assert_eq!(code(&file_in(&epicor, &mut kinetic, &receipt()).0), "erp_period_closed");
    epicor.closed_period = ClosedPeriod::NextMonth;
    kinetic.open_from = "2027-05".to_owned();
    assert_eq!(code(&file_in(&epicor, &mut kinetic, &receipt()).0), "erp_period_closed");
    epicor.closed_period = ClosedPeriod::NextDay;
    kinetic.open_from = "2026-11-22".to_owned();
    assert_eq!(filed(&file_in(&epicor, &mut kinetic, &receipt()).0).0["date"], "2026-11-22");
    assert_eq!(kinetic.rows("CashRecs").len(), 2);
}

#[test]
fn when_all_letters_of_a_day_are_posted_nothing_is_recorded() {
    let mut kinetic = Kinetic::new();
    kinetic.posted_groups = ('A'..='Z').map(|letter| format!("S261121{letter}")).collect();
    let (status, _) = crate::groups::patient_file(&mut kinetic);
    assert_eq!(code(&status), "erp_group_posted");
    assert_eq!(kinetic.rows("CashRecs").len(), 1);
}

/// Twenty-six letters take more requests than other stories.
fn patient_file(kinetic: &mut Kinetic) -> (suture_connect::erp::filing::FilingStatus, usize) {
    use suture_connect::erp::filing::{FilingInput, FilingState, FilingStep};
    let document = receipt();
    let mut next = crate::support::step(&document, &FilingState::begin(), FilingInput::Go);
    let mut requests = 0;
    loop {
        match next {
            FilingStep::Send { state, request } => {
                requests += 1;
                next =
                    crate::support::step(&document, &state, FilingInput::Answer(&kinetic.receive(&request)));
            }
            FilingStep::Done { status, .. } => return (status, requests),
            FilingStep::Wait { failure, .. } => panic!("{failure:?}"),
        }
    }
}
