//! Live progress: the events of one object, as they commit, from where somebody stopped.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use std::time::Duration;

use suture_engine::Caller;
use suture_engine::watch::WATCH;
use suture_sim::on_both_databases;
use suture_sim::world::{NewVisit, World};

on_both_databases!(
    a_watcher_sees_the_public_events_of_one_object_in_order,
    a_watch_goes_on_where_it_stopped_and_ends_after_its_time,
    a_waiting_watcher_is_woken_by_a_commit,
    a_server_that_stops_ends_its_watches,
    nobody_watches_what_is_not_theirs,
);

async fn a_watcher_sees_the_public_events_of_one_object_in_order(mut world: World) {
    let link = world.link(&NewVisit::due(0, 12_000)).await.unwrap();
    let payment = world.take(&link.id, 12_000, "pm_card_visa").await.unwrap();
    let object = payment.id.to_string();
    let mut watch = world.engine(0).watch(&world.caller(), &object, 0).await.unwrap();
    world.settle().await.unwrap();
    let mut seen = Vec::new();
    while let Some(one) = watch.look().await.unwrap() {
        assert_eq!(one.event["object"]["id"], object.as_str());
        seen.push(one);
    }
    assert!(seen.windows(2).all(|two| two[0].version < two[1].version));
    let kinds: Vec<&str> = seen.iter().map(|one| one.kind.as_str()).collect();
    assert!(kinds.starts_with(&["payment.opened"]) && kinds.contains(&"payment.captured"), "{kinds:?}");
    assert!(!kinds.contains(&"payment.attempt_planned"), "private kinds are not shown");
    let looked = world.engine(0).access_by(&world.caller(), "key_front_desk").await.unwrap();
    let opened = looked.iter().filter(|line| line.action == "watch").count();
    assert_eq!(opened, 1, "looking is logged once");
}

async fn a_watch_goes_on_where_it_stopped_and_ends_after_its_time(mut world: World) {
    let link = world.link(&NewVisit::due(0, 12_000)).await.unwrap();
    let payment = world.take(&link.id, 12_000, "pm_card_visa").await.unwrap();
    world.settle().await.unwrap();
    let object = payment.id.to_string();
    let caller = world.caller();
    let mut first = world.engine(0).watch(&caller, &object, 0).await.unwrap();
    let one = first.next().await.unwrap().unwrap();
    let two = first.next().await.unwrap().unwrap();
    let mut again = world.engine(0).watch(&caller, &object, one.version).await.unwrap();
    assert_eq!(again.next().await.unwrap().unwrap(), two);

    while again.look().await.unwrap().is_some() {}
    world.clock.jump(i64::try_from(WATCH.as_millis()).unwrap());
    assert_eq!(again.next().await.unwrap(), None, "its time is over");
}

async fn a_waiting_watcher_is_woken_by_a_commit(mut world: World) {
    let link = world.link(&NewVisit::due(0, 12_000)).await.unwrap();
    let payment = world.take(&link.id, 12_000, "pm_card_visa").await.unwrap();
    let object = payment.id.to_string();
    let mut watch = world.engine(0).watch(&world.caller(), &object, 0).await.unwrap();
    while watch.look().await.unwrap().is_some() {}
    let (seen, settled) = tokio::join!(watch.next(), world.settle());
    settled.unwrap();
    assert!(seen.unwrap().unwrap().kind.starts_with("payment."));
}

async fn a_server_that_stops_ends_its_watches(world: World) {
    let link = world.link(&NewVisit::due(0, 12_000)).await.unwrap();
    let payment = world.take(&link.id, 12_000, "pm_card_visa").await.unwrap();
    let mut watch = world.engine(0).watch(&world.caller(), &payment.id.to_string(), 0).await.unwrap();
    while watch.look().await.unwrap().is_some() {}
    let stop = async { world.engine(0).end_watches() };
    let (ended, ()) = tokio::join!(watch.next(), stop);
    assert_eq!(ended.unwrap(), None);
}

async fn nobody_watches_what_is_not_theirs(world: World) {
    let link = world.link(&NewVisit::due(0, 12_000)).await.unwrap();
    let payment = world.take(&link.id, 12_000, "pm_card_visa").await.unwrap();
    let object = payment.id.to_string();
    let stranger = Caller { organization: "org_other".to_owned(), ..world.caller() };
    assert!(world.engine(0).watch(&stranger, &object, 0).await.is_err());
    assert!(world.engine(0).watch(&world.caller(), "pay_unknown", 0).await.is_err());
    assert!(WATCH <= Duration::from_secs(600));
}
