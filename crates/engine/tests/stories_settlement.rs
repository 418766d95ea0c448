//! A gateway's payout and the books: FLOWS §8, branch by branch. Charges of 1,000.00, 600.00 and 400.00 with fees of 58.90, a
//! refund of 100.00, a dispute of 75.00 with its fee of 15.00: the payout is 1,751.10.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use std::time::Duration;

use serde_json::{Value, json};
use suture_connect::bank::{AmountColumns, DateOrder, Format, Mapping};
use suture_core::day::Day;
use suture_core::settlement::{Settlement, Status};
use suture_engine::Error;
use suture_engine::reconcile::{Imported, Resolve};
use suture_sim::on_both_databases;
use suture_sim::world::{NewVisit, World};

on_both_databases!(
    story_8_a_payout_is_explained_seen_at_the_bank_and_proven,
    story_8_a_payout_of_many_pages_is_matched_whole,
    story_8_a_statement_twice_changes_nothing,
    story_8a_an_unknown_line_is_an_exception_with_its_label,
    story_8b_a_charge_made_outside_becomes_a_fact_in_suspense,
    story_8c_a_failed_payout_is_reversed_and_the_next_one_includes_it,
    story_8d_a_negative_payout_is_taken_from_the_bank,
    story_8e_a_bank_fee_within_the_tolerance_is_booked,
    story_8e_a_larger_difference_stays_open_until_a_person_explains_it,
    story_8e_a_payout_that_the_bank_splits_is_matched_whole,
    story_8f_exchanged_money_balances_in_both_currencies,
    story_8g_a_refund_in_a_later_payout_is_matched_by_its_id,
    story_8h_a_late_line_goes_to_the_next_open_day_with_its_own_day_as_reference,
    story_8i_a_payout_that_no_webhook_told_is_found_by_the_sweep,
);

const DAY: i64 = 86_400_000;

async fn charge(world: &mut World, minor: i64) -> String {
    let link = world.link(&NewVisit::due(0, minor)).await.unwrap();
    let payment = world.take(&link.id, minor, "pm_card_visa").await.unwrap();
    world.settle().await.unwrap();
    world.payment(payment.id).await.unwrap().charge.unwrap()
}

fn at_stripe(world: &World, verb: &str, body: &Value) -> Value {
    world.outside.at_stripe(verb, body).unwrap()
}

/// The payout of everything that is available, two days later: its lines are listed and Stripe says that it is paid.
async fn paid_out(world: &mut World) -> Settlement {
    world.pass(4 * DAY).await.unwrap();
    let made = at_stripe(world, "payout", &json!({ "may_be_negative": true }));
    world.pass(2 * DAY).await.unwrap();
    known(world, made["id"].as_str().unwrap()).await
}

async fn known(world: &World, payout: &str) -> Settlement {
    let all = world.engine(0).settlements(&world.organization).await.unwrap();
    all.into_iter().find(|state| state.heard.payout == payout).unwrap()
}

/// The example of the flows.
async fn example(world: &mut World) -> Settlement {
    let first = charge(world, 100_000).await;
    charge(world, 60_000).await;
    let third = charge(world, 40_000).await;
    at_stripe(world, "external_refund", &json!({ "charge": first, "amount": 10_000 }));
    at_stripe(world, "dispute", &json!({ "charge": third, "amount": 7_500 }));
    world.settle().await.unwrap();
    paid_out(world).await
}

fn csv() -> Format {
    Format::Csv(Box::new(Mapping {
        account: "000123456789".into(),
        currency: "USD".into(),
        delimiter: ',',
        skip_lines: 0,
        decimal: '.',
        dates: DateOrder::YearMonthDay,
        booked_on: "day".into(),
        value_on: None,
        amount: AmountColumns::Signed("amount".into()),
        balance: None,
        newest_first: false,
        descriptor: vec!["text".into()],
        reference: None,
        id: None,
    }))
}

async fn bank_says(world: &World, lines: &[(Day, &str, &str)]) -> Result<Vec<Imported>, Error> {
    let rows = lines.iter().fold("day,amount,text\n".to_owned(), |rows, (day, amount, text)| {
        format!("{rows}{day},{amount},{text}\n")
    });
    world.engine(0).import_bank_file(&world.caller(), &csv(), rows.as_bytes()).await
}

async fn bank(world: &World, payout: &Settlement, amount: &str) {
    bank_says(world, &[(payout.day(), amount, "STRIPE PAYOUT")]).await.unwrap();
}

async fn balance(world: &World, account: &str) -> i64 {
    world.balance(account).await.unwrap()
}

/// The trail verifies, and what the gateway holds by its own word is what the books say.
async fn adds_up(world: &World) {
    let verdict = world.engine(0).verify_audit(&world.organization).await.unwrap();
    assert!(verdict.intact, "{verdict:?}");
    let today = Day::utc(world.clock.now());
    let proof = world.engine(0).prove_day(&world.caller(), today).await.unwrap();
    assert_eq!(proof.document["ledgerSumsToZero"], true);
    for row in proof.document["gateways"][0]["rows"].as_array().unwrap() {
        assert!(row["difference"].as_str().unwrap().starts_with("0.00"), "{row}");
    }
    assert!(proof.signed_by(&world.engine(0).public_key()));
}

async fn story_8_a_payout_is_explained_seen_at_the_bank_and_proven(mut world: World) {
    let payout = example(&mut world).await;
    assert_eq!(payout.heard.amount.minor, 175_110);
    assert_eq!((payout.lines, payout.matched), (Some(5), 5));
    assert_eq!((payout.remainder().as_str(), payout.status()), ("explained 100 %", Status::Matched));
    assert_eq!((balance(&world, "gw:stripe").await, balance(&world, "bank:transit").await), (0, 175_110));

    bank(&world, &payout, "1751.10").await;
    assert_eq!(known(&world, &payout.heard.payout).await.status(), Status::Closed);
    assert_eq!((balance(&world, "bank:transit").await, balance(&world, "bank").await), (0, 175_110));

    let journal = world.engine(0).payout_journal(&world.organization, payout.heard.settlement).await.unwrap();
    let entries: Vec<(&str, i64)> =
        journal.entries.iter().map(|entry| (entry.account.as_str(), entry.amount.minor)).collect();
    let expected = [
        ("bank", 175_110),
        ("dispute hold", 7_500),
        ("fees", 7_390),
        ("receipts", -200_000),
        ("refunds", 10_000),
    ];
    assert_eq!(entries, expected);
    assert!(journal.sums().values().all(|sum| *sum == 0));
    assert!(journal.csv().contains("payout,"));
    adds_up(&world).await;

    let today = Day::utc(world.clock.now());
    let proof = world.engine(0).proof_of_day(&world.organization, today).await.unwrap();
    assert!(proof.signed_by(&world.engine(0).public_key()));
    assert_eq!(proof.document["bank"]["ledger"], json!(["1751.10 USD"]));
    assert_eq!(proof.document["epicor"], "not connected");
    let mut forged = proof;
    forged.document["bank"]["ledger"] = json!(["1751.11 USD"]);
    assert!(!forged.signed_by(&world.engine(0).public_key()));
}

async fn story_8_a_payout_of_many_pages_is_matched_whole(mut world: World) {
    for _ in 0..103 {
        at_stripe(&world, "external_payment", &json!({ "amount": 1_000 }));
    }
    at_stripe(&world, "balance_line", &json!({ "type": "stripe_fee", "amount": -700 }));
    world.settle().await.unwrap();
    let payout = paid_out(&mut world).await;
    assert_eq!((payout.lines, payout.remainder().as_str()), (Some(104), "explained 100 %"));
    assert_eq!(payout.matched, 103, "the fee of no payment is booked by itself");
    assert_eq!(balance(&world, "gw:stripe").await, 0);
    adds_up(&world).await;
}

async fn story_8_a_statement_twice_changes_nothing(mut world: World) {
    charge(&mut world, 20_000).await;
    let payout = paid_out(&mut world).await;
    let line = (payout.day(), "193.90", "STRIPE PAYOUT");
    assert!(!bank_says(&world, &[line]).await.unwrap()[0].known);
    assert!(bank_says(&world, &[line]).await.unwrap()[0].known);
    let more = bank_says(&world, &[line, (payout.day(), "-5.00", "RENT")]).await.unwrap();
    assert_eq!((more[0].statement.lines, more[0].statement.repeated), (2, 1));
    assert_eq!(balance(&world, "bank").await, 19_390);
    let open = world.engine(0).bank_lines(&world.organization, "open", 10).await.unwrap();
    assert_eq!(open.len(), 1, "what is no payout waits for a person");
    let rent = (open[0].account.as_str(), open[0].id.as_str());
    world.engine(0).resolve_bank_line(&world.caller(), rent, "rent").await.unwrap();
    assert!(world.engine(0).bank_lines(&world.organization, "open", 10).await.unwrap().is_empty());
}

async fn story_8a_an_unknown_line_is_an_exception_with_its_label(mut world: World) {
    charge(&mut world, 20_000).await;
    at_stripe(&world, "balance_line", &json!({ "type": "capital_repayment", "amount": -312 }));
    let payout = paid_out(&mut world).await;
    assert_eq!(payout.remainder(), "unexplained -3.12: unknown: capital_repayment -3.12");
    assert_eq!((payout.status(), balance(&world, "susp:unknown").await), (Status::Exception, 312));
    bank(&world, &payout, "190.78").await;
    assert_eq!(
        known(&world, &payout.heard.payout).await.status(),
        Status::Exception,
        "not closed while it is open"
    );

    let engine = world.engine(0);
    let open = engine.exceptions(&world.organization, 10).await.unwrap();
    assert_eq!((open.len(), open[0].label.as_str()), (1, "unknown: capital_repayment"));
    let which = (payout.heard.settlement, open[0].id.as_str());
    engine.assign_exception(&world.caller(), which, "ann").await.unwrap();
    assert_eq!(engine.exceptions(&world.organization, 10).await.unwrap()[0].owner.as_deref(), Some("ann"));
    let nothing = Resolve::Account("bank".to_owned());
    assert!(engine.resolve_exception(&world.caller(), which, &nothing, "loan").await.is_err());
    let fee = Resolve::Account("exp:fee".to_owned());
    let resolved =
        engine.resolve_exception(&world.caller(), which, &fee, "loan of the gateway").await.unwrap();
    assert_eq!((resolved.status(), balance(&world, "susp:unknown").await), (Status::Closed, 0));
    assert!(engine.exceptions(&world.organization, 10).await.unwrap().is_empty());
    adds_up(&world).await;
}

async fn story_8b_a_charge_made_outside_becomes_a_fact_in_suspense(mut world: World) {
    at_stripe(&world, "webhooks", &json!({ "drop_all": true }));
    at_stripe(&world, "external_payment", &json!({ "amount": 5_000 }));
    world.pass(4 * DAY).await.unwrap();
    assert_eq!(balance(&world, "gw:stripe").await, 0, "nobody told");
    at_stripe(&world, "webhooks", &json!({ "drop_all": false }));
    let payout = paid_out(&mut world).await;
    assert_eq!(payout.remainder(), "explained 100 %");
    assert_eq!(balance(&world, "susp:unapplied").await, -5_000);
    adds_up(&world).await;
}

async fn story_8c_a_failed_payout_is_reversed_and_the_next_one_includes_it(mut world: World) {
    charge(&mut world, 20_000).await;
    let payout = paid_out(&mut world).await;
    at_stripe(&world, "payout_failed", &json!({ "payout": payout.heard.payout }));
    world.pass(DAY).await.unwrap();
    let failed = known(&world, &payout.heard.payout).await;
    assert_eq!((failed.status(), failed.failure.as_deref()), (Status::Failed, Some("account_closed")));
    assert_eq!((balance(&world, "gw:stripe").await, balance(&world, "bank:transit").await), (19_390, 0));
    let parked = world.effects(suture_store::effects::State::Parked).await.unwrap();
    assert!(parked.iter().any(|effect| effect.destination == "failed-payouts"), "a person is told");
    let next = paid_out(&mut world).await;
    assert_eq!((next.heard.amount.minor, next.remainder().as_str()), (19_390, "explained 100 %"));
    adds_up(&world).await;
}

async fn story_8d_a_negative_payout_is_taken_from_the_bank(mut world: World) {
    let first = charge(&mut world, 20_000).await;
    let payout = paid_out(&mut world).await;
    bank(&world, &payout, "193.90").await;
    at_stripe(&world, "external_refund", &json!({ "charge": first, "amount": 3_000 }));
    world.settle().await.unwrap();
    let negative = paid_out(&mut world).await;
    assert_eq!((negative.heard.amount.minor, negative.status()), (-3_000, Status::Matched));
    bank(&world, &negative, "-30.00").await;
    assert_eq!(known(&world, &negative.heard.payout).await.status(), Status::Closed);
    assert_eq!(balance(&world, "bank").await, 16_390);
    adds_up(&world).await;
}

async fn story_8e_a_bank_fee_within_the_tolerance_is_booked(mut world: World) {
    charge(&mut world, 20_000).await;
    let payout = paid_out(&mut world).await;
    bank(&world, &payout, "181.40").await;
    assert_eq!(known(&world, &payout.heard.payout).await.status(), Status::Closed);
    assert_eq!((balance(&world, "bank").await, balance(&world, "exp:bank").await), (18_140, 1_250));
    adds_up(&world).await;
}

async fn story_8e_a_larger_difference_stays_open_until_a_person_explains_it(mut world: World) {
    charge(&mut world, 20_000).await;
    let payout = paid_out(&mut world).await;
    bank(&world, &payout, "100.00").await;
    assert_eq!(known(&world, &payout.heard.payout).await.status(), Status::Matched);
    assert_eq!((balance(&world, "bank").await, balance(&world, "bank:transit").await), (0, 19_390));
    assert_eq!(world.engine(0).bank_lines(&world.organization, "open", 10).await.unwrap().len(), 1);
    bank_says(&world, &[(payout.day().plus(2), "93.90", "STRIPE REST")]).await.unwrap();
    assert_eq!(known(&world, &payout.heard.payout).await.status(), Status::Closed, "the rest came");
}

async fn story_8e_a_payout_that_the_bank_splits_is_matched_whole(mut world: World) {
    charge(&mut world, 20_000).await;
    let payout = paid_out(&mut world).await;
    let lines = [(payout.day(), "100.00", "Stripe part 1"), (payout.day().plus(1), "93.90", "Stripe part 2")];
    bank_says(&world, &lines).await.unwrap();
    let closed = known(&world, &payout.heard.payout).await;
    assert_eq!((closed.status(), closed.bank_lines.len()), (Status::Closed, 2));
    adds_up(&world).await;
}

async fn story_8f_exchanged_money_balances_in_both_currencies(mut world: World) {
    at_stripe(&world, "external_payment", &json!({ "amount": 10_000, "currency": "eur" }));
    world.settle().await.unwrap();
    world.pass(4 * DAY).await.unwrap();
    at_stripe(&world, "exchange", &json!({ "from": "eur", "to": "usd", "rate_per_million": 1_100_000 }));
    let payout = paid_out(&mut world).await;
    assert_eq!(
        (payout.remainder().as_str(), payout.heard.amount.currency.code()),
        ("explained 100 %", "USD")
    );
    assert_eq!(payout.heard.amount.minor, 11_000 - 352);
    let balances = world.engine(0).balances_through(&world.organization, payout.day().plus(9)).await.unwrap();
    let of = |account: &str, currency: &str| {
        let found =
            balances.iter().find(|(code, money)| code == account && money.currency.code() == currency);
        found.map_or(0, |(_, money)| money.minor)
    };
    assert_eq!((of("gw:stripe", "EUR"), of("gw:stripe", "USD")), (0, 0), "nothing is left at the gateway");
    assert_eq!((of("fx:exchange", "EUR"), of("fx:exchange", "USD")), (10_000 - 320, -(11_000 - 352)));
    adds_up(&world).await;
}

async fn story_8g_a_refund_in_a_later_payout_is_matched_by_its_id(mut world: World) {
    let first = charge(&mut world, 20_000).await;
    paid_out(&mut world).await;
    charge(&mut world, 30_000).await;
    at_stripe(&world, "external_refund", &json!({ "charge": first, "amount": 5_000 }));
    let later = paid_out(&mut world).await;
    assert_eq!((later.lines, later.matched), (Some(2), 2));
    assert_eq!(later.remainder(), "explained 100 %");
    adds_up(&world).await;
}

async fn story_8h_a_late_line_goes_to_the_next_open_day_with_its_own_day_as_reference(mut world: World) {
    charge(&mut world, 20_000).await;
    let payout = paid_out(&mut world).await;
    let today = Day::utc(world.clock.now());
    let engine = world.engine(0);
    assert!(engine.lock_period(&world.caller(), today, "month end").await.is_err(), "today has not ended");
    assert!(payout.day() < today);
    let before = engine.balances_through(&world.organization, today.plus(-1)).await.unwrap();
    engine.lock_period(&world.caller(), today.plus(-1), "month end").await.unwrap();
    bank(&world, &payout, "193.90").await;
    let after = engine.balances_through(&world.organization, today.plus(-1)).await.unwrap();
    assert_eq!(before, after, "a locked day does not change");
    let journal = engine.day_journal(&world.organization, today).await.unwrap();
    assert_eq!(journal.moved.len(), 1);
    assert_eq!(
        (journal.moved[0].0.starts_with("bank:"), journal.moved[0].1.clone()),
        (true, payout.day().to_string())
    );
    assert!(journal.sums().values().all(|sum| *sum == 0));
    let through = engine.reopen_period(&world.caller(), payout.day(), "correction").await.unwrap();
    assert_eq!(engine.locked_through(&world.organization).await.unwrap(), Some(through));
    adds_up(&world).await;
}

async fn story_8i_a_payout_that_no_webhook_told_is_found_by_the_sweep(mut world: World) {
    charge(&mut world, 20_000).await;
    world.pass(4 * DAY).await.unwrap();
    at_stripe(&world, "webhooks", &json!({ "drop_all": true }));
    at_stripe(&world, "payout", &json!({}));
    world.pass(2 * DAY).await.unwrap();
    assert!(world.engine(0).settlements(&world.organization).await.unwrap().is_empty());
    world.sweep(Duration::from_secs(4 * 86_400)).await.unwrap();
    world.pass(1_000).await.unwrap();
    let all = world.engine(0).settlements(&world.organization).await.unwrap();
    assert_eq!((all.len(), all[0].remainder().as_str()), (1, "explained 100 %"));
    adds_up(&world).await;
}
