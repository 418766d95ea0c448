//! Order-to-cash with Epicor, branch by branch: FLOWS §7.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use serde_json::json;
use suture_core::order::{Order, Status};
use suture_sim::on_both_databases;
use suture_sim::world::{Fault, World};
use suture_store::effects::State;

on_both_databases!(
    story_7_an_order_becomes_customer_order_receipt_and_is_paid_by_its_deposit,
    story_7a_a_product_without_a_part_waits_for_its_row_and_only_that_order_waits,
    story_7c_a_lost_answer_is_looked_up_and_nothing_is_there_twice,
    story_7c_a_crash_between_any_two_steps_leaves_each_document_once,
    story_7d_an_order_whose_card_was_declined_is_released_when_it_is_paid,
    story_7e_a_refund_before_the_invoice_takes_the_receipt_back,
    story_7e_a_refund_after_the_invoice_is_a_credit_memo,
    story_7e_a_refund_that_is_faster_than_the_receipt_waits_for_it,
    story_7f_a_chargeback_is_a_debit_memo,
    story_7i_two_orders_of_one_new_customer_at_once_make_one_customer,
    story_7j_a_posted_group_leads_to_a_new_one_and_a_closed_period_to_the_next_day,
    the_same_order_placed_twice_is_one_and_another_with_its_number_is_refused,
    a_lost_call_of_epicor_is_found_by_asking,
);

const VISA: &str = "pm_card_visa";
const DAY: i64 = 86_400_000;

struct Here {
    world: World,
}

async fn here(mut world: World) -> Here {
    world.connect_epicor().await.unwrap();
    Here { world }
}

impl Here {
    async fn paid(&mut self, number: u32) -> Order {
        let placed = self.world.place_order(number).await.unwrap();
        self.world.pay_order(&placed, VISA).await.unwrap();
        self.world.order(placed.id).await.unwrap()
    }

    fn count(&self, table: &str) -> usize {
        self.world.erp_documents(table).unwrap().len()
    }

    async fn cents(&self, account: &str) -> i64 {
        self.world.balance(account).await.unwrap()
    }

    async fn ship(&mut self, order: &Order) -> Order {
        let number = order.keys_of("sales_order").unwrap()["order_number"].as_i64().unwrap();
        self.world.ship(number).unwrap();
        self.world.settle().await.unwrap();
        self.world.order(order.id).await.unwrap()
    }

    fn receivable(&self) -> serde_json::Value {
        self.world.outside.at_epicor("trial_balance", &json!({})).unwrap()
    }
}

async fn story_7_an_order_becomes_customer_order_receipt_and_is_paid_by_its_deposit(world: World) {
    let mut here = here(world).await;
    let order = here.paid(1).await;
    assert_eq!(order.status(), Status::Paid);
    let kinds: Vec<&str> = order.documents.values().map(|document| document.kind.as_str()).collect();
    assert_eq!(kinds.len(), 3, "{:?}", here.world.stopped().await.unwrap());
    for kind in ["customer", "sales_order", "cash_receipt"] {
        assert!(kinds.contains(&kind), "{kind} is missing: {kinds:?}");
    }
    assert_eq!((here.cents("gw:stripe").await, here.cents("deposit:customer").await), (10_457, -10_800));
    let order = here.ship(&order).await;
    assert_eq!(order.status(), Status::Settled, "{order:?} {:?}", here.world.stopped().await.unwrap());
    assert_eq!((here.cents("ar:customer").await, here.cents("deposit:customer").await), (0, 0));
    assert_eq!((here.cents("rev:service").await, here.cents("tax:payable").await), (-10_000, -800));
    let page = here.world.engine(0).order_page(&here.world.organization, order.id).await.unwrap();
    for what in
        ["order", "payment", "customer", "sales_order", "cash_receipt", "shipment", "invoice", "application"]
    {
        assert!(
            page.entries.iter().any(|entry| entry.what == what && entry.at.is_some()),
            "{what}: {:?} {:?}",
            page.entries.iter().map(|entry| entry.what.clone()).collect::<Vec<_>>(),
            here.world.stopped().await.unwrap()
        );
    }
    assert!(here.receivable().to_string().contains('0'));
}

async fn story_7a_a_product_without_a_part_waits_for_its_row_and_only_that_order_waits(world: World) {
    let mut here = here(world).await;
    let caller = here.world.caller();
    let strange = here.world.engine(0).place_order(&caller, World::new_order(1, "walker")).await.unwrap();
    here.world.pay_order(&strange, VISA).await.unwrap();
    let good = here.paid(2).await;
    assert_eq!(good.documents.len(), 3);
    assert_eq!(here.world.order(strange.id).await.unwrap().documents.len(), 0);
    let stopped = here.world.effects(State::Parked).await.unwrap();
    assert!(stopped[0].error.as_deref().unwrap().contains("table part has no row walker"), "{stopped:?}");
    assert_eq!(here.world.save_part("crutch", "KNEE-100").await.unwrap(), 0, "another row wakes nobody");
    assert_eq!(here.world.save_part("walker", "KNEE-100").await.unwrap(), 1);
    here.world.settle().await.unwrap();
    assert_eq!(here.world.order(strange.id).await.unwrap().documents.len(), 3);
}

async fn story_7c_a_lost_answer_is_looked_up_and_nothing_is_there_twice(world: World) {
    let mut here = here(world).await;
    let placed = here.world.place_order(1).await.unwrap();
    here.world.outside.at_epicor("lose_answers", &json!({ "method": "POST", "count": 3 })).unwrap();
    here.world.pay_order(&placed, VISA).await.unwrap();
    for _ in 0..20 {
        here.world.pass(60_000).await.unwrap();
    }
    let order = here.world.order(placed.id).await.unwrap();
    assert_eq!(order.documents.len(), 3, "{:?}", here.world.stopped().await.unwrap());
    assert_eq!((here.count("Customer"), here.count("OrderHed"), here.count("CashHead")), (1, 1, 1));
}

async fn story_7c_a_crash_between_any_two_steps_leaves_each_document_once(world: World) {
    let mut here = here(world).await;
    for number in 1..=12 {
        let placed = here.world.place_order(number).await.unwrap();
        let caller = here.world.caller();
        here.world.begin_paying(&caller, &placed, VISA).await.unwrap();
        // The process dies after so many units of work, with whatever request was under way executed or not.
        for _ in 0..number {
            here.world.deliver_all().await.unwrap();
            here.world.step(0).await.unwrap();
        }
        here.world.outside.plan([if number % 2 == 0 { Fault::AnswerLost } else { Fault::RequestLost }]);
        here.world.step(0).await.unwrap();
        here.world.outside.mend();
        here.world.crash(0).await.unwrap();
        for _ in 0..12 {
            here.world.pass(120_000).await.unwrap();
        }
        let order = here.world.order(placed.id).await.unwrap();
        assert_eq!(order.documents.len(), 3, "order {number}: {:?}", here.world.stopped().await.unwrap());
    }
    assert_eq!((here.count("Customer"), here.count("OrderHed"), here.count("CashHead")), (12, 12, 12));
}

async fn story_7d_an_order_whose_card_was_declined_is_released_when_it_is_paid(world: World) {
    let mut here = here(world).await;
    let placed = here.world.place_order(1).await.unwrap();
    let declined = here.world.pay_order(&placed, "pm_card_chargeDeclined").await.unwrap();
    let held = here.world.order(placed.id).await.unwrap();
    assert_eq!((held.status(), held.held.as_deref()), (Status::Held, Some("payment_declined")));
    let heads = here.world.erp_documents("OrderHed").unwrap();
    assert_eq!(heads.len(), 1, "{:?}", here.world.stopped().await.unwrap());
    assert_eq!(heads[0]["OrderHeld"], json!(true));
    let caller = here.world.caller();
    here.world.engine(0).clone().retry_payment(&caller, declined.id, VISA.to_owned()).await.unwrap();
    here.world.settle().await.unwrap();
    let order = here.world.order(placed.id).await.unwrap();
    assert_eq!(
        (order.status(), order.held.clone()),
        (Status::Paid, None),
        "{:?}",
        here.world.stopped().await.unwrap()
    );
    let heads = here.world.erp_documents("OrderHed").unwrap();
    assert_eq!(
        (heads.len(), heads[0]["OrderHeld"].clone()),
        (1, json!(false)),
        "{:?} {order:?}",
        here.world.stopped().await.unwrap()
    );
    assert_eq!(here.count("CashHead"), 1);
}

async fn story_7e_a_refund_before_the_invoice_takes_the_receipt_back(world: World) {
    let mut here = here(world).await;
    let order = here.paid(1).await;
    here.world.refund_order(&order, 10_800).await.unwrap();
    let order = here.world.order(order.id).await.unwrap();
    assert_eq!(order.status(), Status::Refunded);
    assert!(order.keys_of("receipt_reversal").is_some(), "{:?}", here.world.stopped().await.unwrap());
    assert_eq!((here.count("CashHead"), here.cents("deposit:customer").await), (0, 0));
}

async fn story_7e_a_refund_after_the_invoice_is_a_credit_memo(world: World) {
    let mut here = here(world).await;
    let order = here.paid(1).await;
    let order = here.ship(&order).await;
    here.world.refund_order(&order, 5_400).await.unwrap();
    let order = here.world.order(order.id).await.unwrap();
    assert!(order.keys_of("credit_memo").is_some(), "{:?}", here.world.stopped().await.unwrap());
    assert_eq!((here.cents("ar:customer").await, here.cents("deposit:customer").await), (0, 0));
    assert_eq!((here.cents("rev:service").await, here.cents("tax:payable").await), (-5_000, -400));
}

async fn story_7e_a_refund_that_is_faster_than_the_receipt_waits_for_it(world: World) {
    let mut here = here(world).await;
    let caller = here.world.caller();
    let placed = here.world.engine(0).place_order(&caller, World::new_order(1, "walker")).await.unwrap();
    here.world.pay_order(&placed, VISA).await.unwrap();
    let paid = here.world.order(placed.id).await.unwrap();
    here.world.refund_order(&paid, 10_800).await.unwrap();
    assert_eq!(here.count("CashHead"), 0, "there is nothing to take back yet");
    here.world.save_part("walker", "KNEE-100").await.unwrap();
    here.world.settle().await.unwrap();
    let order = here.world.order(placed.id).await.unwrap();
    assert!(order.keys_of("receipt_reversal").is_some(), "{:?}", here.world.stopped().await.unwrap());
    assert_eq!((here.count("CashHead"), here.cents("deposit:customer").await), (0, 0));
}

async fn story_7f_a_chargeback_is_a_debit_memo(world: World) {
    let mut here = here(world).await;
    let placed = here.world.place_order(1).await.unwrap();
    here.world.pay_order(&placed, "pm_card_createDispute").await.unwrap();
    for _ in 0..3 {
        here.world.pass(60_000).await.unwrap();
    }
    let order = here.world.order(placed.id).await.unwrap();
    assert!(order.keys_of("debit_memo").is_some(), "{:?}", here.world.stopped().await.unwrap());
}

async fn story_7i_two_orders_of_one_new_customer_at_once_make_one_customer(world: World) {
    let mut here = here(world).await;
    let caller = here.world.caller();
    let mut first = World::new_order(1, "brace");
    first.buyer.id = "buyer-same".into();
    let second = suture_engine::orders::NewOrder { reference: "SHOP-2".into(), ..first.clone() };
    let engine = here.world.engine(0).clone();
    let (one, two) = (
        engine.place_order(&caller, first).await.unwrap(),
        engine.place_order(&caller, second).await.unwrap(),
    );
    here.world.begin_paying(&caller, &one, VISA).await.unwrap();
    here.world.begin_paying(&caller, &two, VISA).await.unwrap();
    here.world.settle().await.unwrap();
    assert_eq!((here.count("Customer"), here.count("OrderHed"), here.count("CashHead")), (1, 2, 2));
}

async fn story_7j_a_posted_group_leads_to_a_new_one_and_a_closed_period_to_the_next_day(world: World) {
    let mut here = here(world).await;
    let first = here.paid(1).await;
    let group = first.keys_of("cash_receipt").unwrap()["group"].as_str().unwrap().to_owned();
    here.world.outside.at_epicor("post_cash", &json!({ "group": group })).unwrap();
    let second = here.paid(2).await;
    assert!(second.keys_of("cash_receipt").is_some(), "{group}: {:?}", here.world.stopped().await.unwrap());
    let posted: Vec<bool> = here
        .world
        .erp_documents("CashHead")
        .unwrap()
        .iter()
        .map(|head| head["Posted"] == json!(true))
        .collect();
    assert_eq!(
        posted.iter().filter(|posted| **posted).count(),
        1,
        "what was posted is as it was: {posted:?}"
    );
    assert_eq!(posted.len(), 2, "the new receipt is in a group that is open");
    let group = second.keys_of("cash_receipt").unwrap()["group"].clone();
    here.world.outside.at_epicor("post_cash", &json!({ "group": group })).unwrap();
    here.world.outside.at_epicor("close_period", &json!({ "year": 2026, "period": 11 })).unwrap();
    let third = here.paid(3).await;
    let keys = third.keys_of("cash_receipt").unwrap();
    assert_eq!(keys["date"], json!("2026-12-01"), "moved to the next open day, and it says so: {keys}");
}

async fn the_same_order_placed_twice_is_one_and_another_with_its_number_is_refused(world: World) {
    let here = here(world).await;
    let first = here.world.place_order(1).await.unwrap();
    assert_eq!(here.world.place_order(1).await.unwrap().id, first.id);
    let caller = here.world.caller();
    let other = suture_engine::orders::NewOrder { tax_minor: 0, ..World::new_order(1, "brace") };
    let refused = here.world.engine(0).place_order(&caller, other).await.unwrap_err();
    assert!(refused.to_string().contains("has this number"), "{refused}");
}

async fn a_lost_call_of_epicor_is_found_by_asking(world: World) {
    let mut here = here(world).await;
    let order = here.paid(1).await;
    here.world.outside.at_epicor("hook_faults", &json!({ "lose": 100 })).unwrap();
    let unheard = here.ship(&order).await;
    assert_eq!(unheard.status(), Status::Paid, "nobody told us");
    here.world.pass(DAY).await.unwrap();
    let order = here.world.order(order.id).await.unwrap();
    assert_eq!(order.status(), Status::Settled, "{:?}", here.world.stopped().await.unwrap());
}
