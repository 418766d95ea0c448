//! Stories about the books tied out over HTTP: gateway payouts, files of banks, exceptions, periods, journals, proofs.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use suture_core::proof::Proof;
use suture_sim::world::{NewVisit, Setup, World};

use crate::kit::{Answer, Api};

const AT: &str = "/v1/reconciliation";
const DAY: i64 = 86_400_000;
const ACCOUNT: &str = "000123456789";

/// A payout of a charge of 200.00 with a fee of 6.10, and 3.12 of a kind that nobody knows.
async fn paid_out() -> (World, Api, String) {
    let mut world = World::open(Setup::on("sqlite")).await.unwrap();
    let link = world.link(&NewVisit::due(0, 20_000)).await.unwrap();
    world.take(&link.id, 20_000, "pm_card_visa").await.unwrap();
    world.settle().await.unwrap();
    let line = json!({ "type": "capital_repayment", "amount": -312 });
    world.outside.at_stripe("balance_line", &line).unwrap();
    world.settle().await.unwrap();
    world.pass(4 * DAY).await.unwrap();
    world.outside.at_stripe("payout", &json!({})).unwrap();
    world.pass(2 * DAY).await.unwrap();
    let api = Api::over(world.engine(0).clone(), world.organization.clone());
    let billing = api.key("billing").await;
    (world, api, billing)
}

fn csv(rows: &str) -> Value {
    let mapping = json!({
        "account": ACCOUNT, "currency": "USD", "delimiter": ",", "decimal": ".", "dates": "year_month_day",
        "bookedOn": "day", "amount": { "signed": "amount" }, "descriptor": ["text"],
    });
    json!({ "mapping": mapping, "content": format!("day,amount,text\n{rows}") })
}

async fn import(api: &Api, key: &str, once: &str, file: &Value) -> Answer {
    let path = format!("{AT}/bank-files");
    api.post_file(&path, key, (once, "application/json"), file.to_string()).await
}

async fn read(api: &Api, key: &str, path: &str) -> Value {
    let answer = api.get(&format!("{AT}{path}"), key).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
    answer.json()
}

#[tokio::test]
async fn a_payout_is_shown_with_its_lines_its_remainder_and_its_exception_until_it_is_closed() {
    let (_world, api, billing) = paid_out().await;
    let auditor = api.key("auditor").await;
    let listed = read(&api, &auditor, "/payouts").await;
    let payout = &listed["items"][0];
    assert_eq!(payout["amount"], json!({ "minor": 19_078, "currency": "USD" }));
    assert_eq!(
        (&payout["status"], &payout["remainder"]),
        (&json!("exception"), &json!("unexplained -3.12: unknown: capital_repayment -3.12"))
    );
    let id = payout["id"].as_str().unwrap();
    let first = read(&api, &auditor, &format!("/payouts/{id}?limit=1")).await;
    assert_eq!((first["items"].as_array().unwrap().len(), &first["id"]), (1, &json!(id)));
    let cursor = first["next"].as_str().unwrap();
    let second = read(&api, &auditor, &format!("/payouts/{id}?limit=1&cursor={cursor}")).await;
    assert_eq!(second["next"], Value::Null);
    let mut kinds = [first["items"][0]["class"].clone(), second["items"][0]["class"].clone()];
    kinds.sort_by_key(ToString::to_string);
    assert_eq!(kinds, [json!("charge"), json!("other")]);

    let open = read(&api, &auditor, "/exceptions").await;
    let line = open["items"][0]["id"].as_str().unwrap();
    assert_eq!(open["items"][0]["payout"], id);
    let assign = json!({ "payout": id, "owner": "ann" });
    let path = format!("{AT}/exceptions/{line}/assign");
    assert_eq!(api.refused(&path, &auditor, &assign).await.0, 403);
    let assigned = api.made(&path, &billing, &assign).await;
    assert_eq!(assigned["exceptions"][0]["owner"], "ann");
    let path = format!("{AT}/exceptions/{line}/resolve");
    let nowhere = json!({ "payout": id, "account": "no:such", "reason": "loan" });
    assert_eq!(api.refused(&path, &billing, &nowhere).await.1, "account_unknown");
    let fee = json!({ "payout": id, "account": "exp:fee", "reason": "gateway loan" });
    let resolved = api.made(&path, &billing, &fee).await;
    assert_eq!((&resolved["status"], &resolved["remainder"]), (&json!("matched"), &json!("explained 100 %")));
    assert_eq!(read(&api, &auditor, "/exceptions").await["items"], json!([]));

    let arrives = payout["arrivesOn"].as_str().unwrap();
    let file = csv(&format!("{arrives},190.78,STRIPE PAYOUT\n{arrives},-5.00,RENT OF ROOM 5\n"));
    let taken = import(&api, &billing, "a", &file).await;
    assert_eq!(taken.status, StatusCode::CREATED, "{}", taken.text);
    assert_eq!(taken.json()["statements"][0]["known"], false);
    let again = import(&api, &billing, "b", &file).await.json();
    assert_eq!(again["statements"][0]["known"], true);
    assert_eq!(read(&api, &auditor, &format!("/payouts/{id}")).await["status"], "closed");
    let journal = read(&api, &auditor, &format!("/payouts/{id}/journal")).await;
    let sum: i64 = journal["entries"].as_array().unwrap().iter().map(minor).sum();
    assert_eq!((sum, &journal["kind"]), (0, &json!("payout")));
}

fn minor(entry: &Value) -> i64 {
    entry["amount"]["minor"].as_i64().unwrap()
}

#[tokio::test]
async fn days_are_locked_and_opened_journals_are_exported_and_a_proof_holds_with_the_key_alone() {
    let (world, api, billing) = paid_out().await;
    let today = suture_core::day::Day::utc(world.now());
    assert_eq!(read(&api, &billing, "/periods").await["lockedThrough"], Value::Null);
    let lock = |day: String| json!({ "through": day, "reason": "month end" });
    let path = format!("{AT}/periods/lock");
    assert_eq!(api.refused(&path, &billing, &lock(today.to_string())).await.1, "period_not_over");
    assert_eq!(api.refused(&path, &billing, &lock("2026-13-01".into())).await.1, "field_invalid");
    let locked = api.made(&path, &billing, &lock(today.plus(-1).to_string())).await;
    assert_eq!(locked["lockedThrough"], today.plus(-1).to_string());
    let reopen = json!({ "from": today.plus(-3).to_string(), "reason": "correction" });
    let opened = api.made(&format!("{AT}/periods/reopen"), &billing, &reopen).await;
    assert_eq!(opened["lockedThrough"], today.plus(-4).to_string());
    assert_eq!(read(&api, &billing, "/periods").await, opened);

    let day = today.plus(-6);
    let journal = read(&api, &billing, &format!("/journals/{day}")).await;
    let entries = journal["entries"].as_array().unwrap();
    assert_eq!((entries.iter().map(minor).sum::<i64>(), entries.is_empty()), (0, false), "{journal}");
    let written = api.get(&format!("{AT}/journals/{day}/csv"), &billing).await;
    assert!(written.headers["content-type"].to_str().unwrap().starts_with("text/csv"));
    assert_eq!(written.text.lines().count(), entries.len() + 1);
    let asked = Request::get(format!("{AT}/journals/{day}"))
        .header("authorization", format!("Bearer {billing}"))
        .header("accept", "text/csv");
    assert_eq!(api.send(asked.body(Body::empty()).unwrap()).await.text, written.text);
    assert_eq!(api.get(&format!("{AT}/journals/yesterday"), &billing).await.problem().0, 404);

    let made = api.made(&format!("{AT}/proofs"), &billing, &json!({ "day": today.to_string() })).await;
    let proof: Proof = serde_json::from_value(made.clone()).unwrap();
    assert!(proof.signed_by(&api.engine.public_key()));
    assert_eq!(read(&api, &billing, &format!("/proofs/{today}")).await, made);
    let days = read(&api, &billing, "/proofs").await;
    assert_eq!(days["items"], json!([{ "day": today.to_string(), "times": 1 }]));
    let mut forged = proof;
    forged.document["ledgerSumsToZero"] = json!(false);
    assert!(!forged.signed_by(&api.engine.public_key()));
}

#[tokio::test]
async fn what_a_bank_wrote_is_shown_to_who_reads_books_and_looking_is_logged() {
    let api = Api::open().await;
    let (billing, admin) = (api.key("billing").await, api.key("admin").await);
    let taken = import(&api, &billing, "a", &csv("2025-11-20,-5.00,RENT OF ROOM 5\n")).await;
    assert!(!taken.text.contains("RENT") && !taken.text.contains(ACCOUNT), "{}", taken.text);
    let statements = read(&api, &billing, "/bank-files").await;
    assert_eq!(
        (&statements["items"][0]["lines"], &statements["items"][0]["format"]),
        (&json!(1), &json!("csv"))
    );
    let open = read(&api, &billing, "/bank-lines?purpose=month_end").await;
    let line = &open["items"][0];
    assert_eq!((&line["descriptor"], &line["amount"]["minor"]), (&json!("RENT OF ROOM 5"), &json!(-500)));
    assert!(!open.to_string().contains(ACCOUNT));
    let looks = api.get("/v1/access?patient=*", &admin).await;
    assert!(looks.text.contains("bank_lines") && looks.text.contains("month_end"), "{}", looks.text);
    let (account, id) = (line["account"].as_str().unwrap(), line["id"].as_str().unwrap());
    let path = format!("{AT}/bank-lines/{account}/{id}/resolve");
    assert_eq!(api.refused(&path, &billing, &json!({ "reason": "" })).await.1, "reason_required");
    api.made(&path, &billing, &json!({ "reason": "rent" })).await;
    assert_eq!(read(&api, &billing, "/bank-lines").await["items"], json!([]));
    assert_eq!(read(&api, &billing, "/bank-lines?state=resolved").await["items"][0]["note"], "rent");
    assert_eq!(api.refused(&path, &billing, &json!({ "reason": "rent" })).await.0, 404);
    let other = api.get(&format!("{AT}/bank-lines?state=lost"), &billing).await;
    assert_eq!(other.problem(), (422, "query_invalid".to_owned()));
}

const BAI2: &str = "01,BANK,CLINIC,261121,0900,1,80,,2/\n02,CLINIC,BANK,1,261120,,USD,2/\n\
    03,1234,USD,010,100,,,015,150,,/\n16,142,50,,TRACE1,,STRIPE PAYOUT\n49,300,3/\n98,300,1,5/\n99,300,1,7/\n";

#[tokio::test]
async fn a_file_is_guessed_or_named_and_one_that_is_not_right_is_refused_without_quoting_it() {
    let api = Api::open().await;
    let billing = api.key("billing").await;
    let path = format!("{AT}/bank-files");
    let raw = "application/octet-stream";
    let guessed = api.post_file(&path, &billing, ("a", raw), BAI2).await;
    assert_eq!(guessed.json()["statements"][0]["statement"]["format"], "bai2", "{}", guessed.text);
    let named = api.post_file(&format!("{path}?format=bai2"), &billing, ("b", raw), BAI2).await;
    assert_eq!(named.json()["statements"][0]["known"], true, "{}", named.text);
    let short = BAI2.replace("99,300,1,7/", "99,301,1,7/");
    let refused = |answer: Answer| {
        assert!(!answer.text.contains(ACCOUNT) && !answer.text.contains("STRIPE"), "{}", answer.text);
        answer.problem()
    };
    let wrong = (422, "bank_file_refused".to_owned());
    assert_eq!(refused(api.post_file(&path, &billing, ("c", raw), short).await), wrong);
    assert_eq!(refused(api.post_file(&path, &billing, ("d", raw), "day,amount\n").await), wrong);
    let other = format!("{path}?format=mt940");
    assert_eq!(refused(api.post_file(&other, &billing, ("e", raw), BAI2).await), wrong);
    let mut unmapped = csv("");
    unmapped["mapping"]["dates"] = json!(ACCOUNT);
    assert_eq!(refused(import(&api, &billing, "f", &unmapped).await), wrong);
    let x12 = api.post_file(&path, &billing, ("g", "application/edi-x12"), BAI2).await;
    assert_eq!(x12.problem(), (415, "content_type_refused".to_owned()));
    let large = api.post_file(&path, &billing, ("h", raw), vec![b'0'; (32 << 20) + 1]).await;
    assert_eq!(large.problem(), (413, "body_too_large".to_owned()));
    assert_eq!(read(&api, &billing, "/bank-files").await["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_front_desk_reads_nothing_and_an_auditor_changes_nothing() {
    let api = Api::open().await;
    let (desk, auditor) = (api.key("front_desk").await, api.key("auditor").await);
    for path in
        ["payouts", "exceptions", "bank-files", "bank-lines", "periods", "journals/2025-11-20", "proofs"]
    {
        let path = format!("{AT}/{path}");
        assert_eq!(api.get(&path, &desk).await.problem(), (403, "forbidden".to_owned()), "{path}");
        assert_eq!(api.get(&path, &auditor).await.status, StatusCode::OK, "{path}");
    }
    let acts = ["exceptions/a/assign", "exceptions/a/resolve", "bank-lines/a/b/resolve", "periods/lock"];
    for act in acts.into_iter().chain(["periods/reopen", "proofs"]) {
        let (status, code, _) = api.refused(&format!("{AT}/{act}"), &auditor, &json!({})).await;
        assert_eq!((status, code.as_str()), (403, "forbidden"), "{act}");
    }
    assert_eq!(import(&api, &auditor, "a", &csv("")).await.problem().0, 403);
    let nobody = format!("{AT}/payouts/stl_00000000000000000000000000000000");
    assert_eq!(api.get(&nobody, &auditor).await.problem().0, 404);
    assert_eq!(api.get(&format!("{AT}/proofs/2025-11-20"), &auditor).await.problem().0, 404);
}
