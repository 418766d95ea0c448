//! Events go out to endpoints: signed, in order, again and again by the ladder, and to nobody else.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use suture_core::redact::Secret;
use suture_engine::admin::Mode;
use suture_engine::endpoints::{Changes, NewEndpoint, ReplayFrom};
use suture_engine::events::Which;
use suture_engine::{Caller, EffectState};
use suture_sim::on_both_databases;
use suture_sim::world::{Fault, Heard, NewVisit, Pause, Setup, Stepped, World};

on_both_databases!(
    a_captured_payment_is_told_to_who_wants_it_signed_and_without_secrets,
    without_an_endpoint_nothing_is_inserted,
    a_filter_lets_only_its_types_through,
    failures_climb_the_ladder_and_end_as_a_dead_letter,
    a_crash_between_send_and_finish_sends_the_same_message_again,
    a_receiver_that_is_gone_is_told_nothing_more_until_it_is_enabled,
    events_of_one_object_arrive_in_order_though_one_fails,
    after_a_rotation_both_secrets_sign_until_the_overlap_is_over,
    a_replay_sends_a_range_again_once_and_not_what_nobody_wants,
    one_event_is_delivered_again_by_hand,
    an_organization_never_hears_of_another_s_events,
    a_removed_endpoint_takes_what_waited_with_it,
    a_test_message_is_signed_and_says_what_came_of_it,
    events_are_found_by_id_object_and_type,
    bad_addresses_types_and_texts_are_refused,
);

const URL: &str = "http://receiver.test/hook";

async fn endpoint(world: &World, events: &[&str]) -> (String, Secret<String>) {
    let new = NewEndpoint {
        url: URL.to_owned(),
        description: "books".to_owned(),
        events: events.iter().map(|text| (*text).to_owned()).collect(),
    };
    let (made, secret) = world.engine(0).make_endpoint(&world.caller(), new).await.unwrap();
    assert_eq!((made.url.as_str(), made.status.as_str()), (URL, "enabled"));
    (made.id, secret)
}

/// One payment, captured, and everything that follows now.
async fn paid(world: &mut World, visit: usize) -> String {
    let link = world.link(&NewVisit::due(visit, 12_000)).await.unwrap();
    let payment = world.take(&link.id, 12_000, "pm_card_visa").await.unwrap();
    world.settle().await.unwrap();
    payment.id.to_string()
}

fn types(heard: &[Heard]) -> Vec<String> {
    heard.iter().map(|one| one.json()["type"].as_str().unwrap().to_owned()).collect()
}

/// HMAC-SHA256 as RFC 2104 defines it, over a plain digest.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let pad = |with: u8| {
        let mut block = [with; 64];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        block.to_vec()
    };
    let inner = digest(&SHA256, &[pad(0x36).as_slice(), message].concat());
    digest(&SHA256, &[pad(0x5c).as_slice(), inner.as_ref()].concat()).as_ref().to_vec()
}

/// What a receiver does: computes the signature and looks whether it is among those given.
fn is_signed_by(heard: &Heard, secret: &Secret<String>) -> bool {
    let key = STANDARD.decode(secret.expose().strip_prefix("whsec_").unwrap()).unwrap();
    let (id, time) = (heard.header("webhook-id"), heard.header("webhook-timestamp"));
    let content = [format!("{id}.{time}.").as_bytes(), &heard.body].concat();
    let expected = format!("v1,{}", STANDARD.encode(hmac(&key, &content)));
    heard.header("webhook-signature").split(' ').any(|one| one == expected)
}

async fn a_captured_payment_is_told_to_who_wants_it_signed_and_without_secrets(mut world: World) {
    let (id, secret) = endpoint(&world, &["payment.captured"]).await;
    let payment = paid(&mut world, 0).await;

    let heard = world.outside.receiver.heard();
    assert_eq!(types(&heard), ["payment.captured"]);
    let message = &heard[0];
    assert!(is_signed_by(message, &secret));
    assert!(!is_signed_by(message, &Secret::new("whsec_b3RoZXI=".to_owned())));
    assert_eq!(message.header("content-type"), "application/json");
    let seconds: i64 = message.header("webhook-timestamp").parse().unwrap();
    assert_eq!(seconds, message.at.millis() / 1000);
    let body = message.json();
    let version = body["object"]["version"].as_i64().unwrap();
    assert_eq!(body["id"], format!("evt_{payment}_{version}"));
    assert_eq!(body["id"], message.header("webhook-id"));
    assert_eq!(body["object"]["kind"], "payment");
    assert_eq!(body["object"]["id"], payment.as_str());
    assert_eq!(body["data"]["amount"]["minor"], 12_000);
    assert_eq!(body["organization"], world.organization.as_str());
    assert!(body["care"]["patient"].is_string());

    let done =
        world.engine(0).endpoint_deliveries((&world.organization, &id), None, i64::MAX, 10).await.unwrap();
    assert_eq!((done.len(), done[0].state), (1, EffectState::Done));
    assert_eq!(done[0].error.as_deref(), Some("the receiver answered 204"));
}

async fn without_an_endpoint_nothing_is_inserted(mut world: World) {
    paid(&mut world, 0).await;
    let (id, _) = endpoint(&world, &["*"]).await;
    let caller = world.caller();
    world.engine(0).disable_endpoint(&caller, &id).await.unwrap();
    paid(&mut world, 1).await;
    let all = world.engine(0).effects(&world.organization, None, i64::MAX, 1000).await.unwrap();
    assert!(all.iter().all(|effect| effect.kind != "announce"));
    assert!(world.outside.receiver.heard().is_empty());
}

async fn a_filter_lets_only_its_types_through(mut world: World) {
    let (id, _) = endpoint(&world, &["posting.*", "debt.recorded"]).await;
    paid(&mut world, 0).await;
    let heard = types(&world.outside.receiver.heard());
    assert!(heard.contains(&"debt.recorded".to_owned()) && heard.contains(&"posting.confirmed".to_owned()));
    assert!(heard.iter().all(|kind| kind.starts_with("posting.") || kind == "debt.recorded"), "{heard:?}");

    world.outside.receiver.forget();
    let changes = Changes { events: Some(Vec::new()), ..Changes::default() };
    let changed = world.engine(0).change_endpoint(&world.caller(), &id, changes).await.unwrap();
    assert_eq!((changed.events, changed.description.as_str()), (vec!["*".to_owned()], "books"));
    paid(&mut world, 1).await;
    let heard = types(&world.outside.receiver.heard());
    assert!(heard.contains(&"payment.captured".to_owned()));
    assert!(!heard.contains(&"payment.attempt_planned".to_owned()), "a private kind goes to nobody");
}

async fn failures_climb_the_ladder_and_end_as_a_dead_letter(mut world: World) {
    endpoint(&world, &["payment.captured"]).await;
    world.outside.receiver.answer([500; 10]);
    paid(&mut world, 0).await;
    world.pass(76 * 3_600_000).await.unwrap();

    let heard = world.outside.receiver.heard();
    let waits: Vec<i64> =
        heard.windows(2).map(|two| (two[1].at.millis() - two[0].at.millis()) / 1000).collect();
    assert_eq!(waits, [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]);
    let ids: Vec<&str> = heard.iter().map(|one| one.header("webhook-id")).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "the same message, ten times");
    let dead = world.effects(EffectState::Dead).await.unwrap();
    assert_eq!(dead.len(), 1);
    let error = dead[0].error.as_deref().unwrap();
    assert_eq!(error, "the receiver answered 500; given up after 10 tries");

    let retried = world.engine(0).retry_effect(&world.caller(), &dead[0].id, None).await.unwrap();
    assert!(retried.payload.contains("\"tries\":0"), "the whole ladder again");
    world.settle().await.unwrap();
    assert_eq!(world.outside.receiver.heard().len(), 11);
    assert!(world.effects(EffectState::Dead).await.unwrap().is_empty());
}

async fn a_crash_between_send_and_finish_sends_the_same_message_again(mut world: World) {
    endpoint(&world, &["debt.recorded"]).await;
    let link = world.link(&NewVisit::due(0, 12_000)).await.unwrap();
    world.take(&link.id, 12_000, "pm_card_visa").await.unwrap();
    while world.outside.receiver.heard().is_empty() {
        assert_eq!(world.step_until(0, Pause::After).await.unwrap(), Stepped::Standing);
        if world.outside.receiver.heard().is_empty() {
            world.go_on(0).await.unwrap();
        }
    }
    world.crash(0).await.unwrap();
    world.pass(120_000).await.unwrap();

    let heard = world.outside.receiver.heard();
    assert_eq!(heard.len(), 2, "it is not known whether it arrived, so it is sent again");
    assert_eq!(heard[0].header("webhook-id"), heard[1].header("webhook-id"));
    assert_eq!(heard[0].body, heard[1].body);
    assert_ne!(heard[0].header("webhook-timestamp"), heard[1].header("webhook-timestamp"));
}

async fn a_receiver_that_is_gone_is_told_nothing_more_until_it_is_enabled(mut world: World) {
    let (id, _) = endpoint(&world, &["payment.captured", "debt.recorded"]).await;
    world.outside.receiver.answer([410]);
    paid(&mut world, 0).await;

    assert_eq!(world.outside.receiver.heard().len(), 1);
    let gone = world.engine(0).endpoint(&world.organization, &id).await.unwrap();
    assert_eq!(gone.status, "disabled");
    assert!(gone.note.unwrap().starts_with("the receiver answered 410"));
    let caller = world.caller();
    let refused =
        world.engine(0).replay_events(&caller, &id, ReplayFrom::Position(0), &[]).await.unwrap_err();
    assert!(refused.to_string().contains("disabled"));

    let enabled = world.engine(0).enable_endpoint(&caller, &id).await.unwrap();
    assert_eq!((enabled.status.as_str(), enabled.note), ("enabled", None));
    world.settle().await.unwrap();
    let heard = types(&world.outside.receiver.heard());
    assert_eq!(
        heard,
        ["debt.recorded", "debt.recorded"],
        "what was parked goes on; nothing was queued meanwhile"
    );
}

async fn events_of_one_object_arrive_in_order_though_one_fails(mut world: World) {
    endpoint(&world, &["payment.*"]).await;
    world.outside.receiver.answer([503, 503]);
    let payment = paid(&mut world, 0).await;
    world.pass(400_000).await.unwrap();

    let heard = world.outside.receiver.heard();
    let delivered: Vec<i64> =
        heard[2..].iter().map(|one| one.json()["object"]["version"].as_i64().unwrap()).collect();
    assert!(delivered.len() > 3, "{delivered:?}");
    assert!(delivered.windows(2).all(|two| two[0] < two[1]), "{delivered:?}");
    assert_eq!(heard[0].header("webhook-id"), format!("evt_{payment}_1"), "nothing overtakes the first");
    assert_eq!(heard[2].header("webhook-id"), heard[0].header("webhook-id"));
}

async fn after_a_rotation_both_secrets_sign_until_the_overlap_is_over(mut world: World) {
    let (id, old) = endpoint(&world, &["debt.recorded"]).await;
    let caller = world.caller();
    let rotated = world.engine(0).rotate_endpoint(&caller, &id, Duration::from_secs(3600)).await;
    let (view, new) = rotated.unwrap();
    assert_eq!(view.previous_secret_until, Some(world.now() + Duration::from_secs(3600)));
    paid(&mut world, 0).await;
    world.pass(3_600_000).await.unwrap();
    paid(&mut world, 1).await;

    let heard = world.outside.receiver.heard();
    assert_eq!(heard.len(), 2);
    assert!(is_signed_by(&heard[0], &old) && is_signed_by(&heard[0], &new));
    assert!(!is_signed_by(&heard[1], &old) && is_signed_by(&heard[1], &new));
    let too_long = world.engine(0).rotate_endpoint(&caller, &id, Duration::from_secs(8 * 86_400)).await;
    assert!(too_long.unwrap_err().to_string().contains("7 days"));
}

async fn a_replay_sends_a_range_again_once_and_not_what_nobody_wants(mut world: World) {
    let (id, _) = endpoint(&world, &["payment.captured"]).await;
    paid(&mut world, 0).await;
    world.pass(60_000).await.unwrap();
    let moment = world.now();
    let second = paid(&mut world, 1).await;
    world.outside.receiver.forget();
    let caller = world.caller();

    let replay = world.engine(0).replay_events(&caller, &id, ReplayFrom::Moment(moment), &[]).await.unwrap();
    assert_eq!(replay.number, 1);
    world.pass(60_000).await.unwrap();
    let heard = world.outside.receiver.heard();
    assert_eq!(types(&heard), ["payment.captured"], "only since then, only what it wants");
    assert_eq!(heard[0].json()["object"]["id"], second.as_str());

    world.outside.receiver.forget();
    let only = ["debt.recorded".to_owned()];
    world.engine(0).replay_events(&caller, &id, ReplayFrom::Position(0), &only).await.unwrap();
    world.pass(60_000).await.unwrap();
    assert_eq!(types(&world.outside.receiver.heard()), ["debt.recorded", "debt.recorded"]);
    world.outside.receiver.forget();
    world.pass(200_000).await.unwrap();
    assert!(world.outside.receiver.heard().is_empty(), "the catch-up finds nothing that was missed");
}

async fn one_event_is_delivered_again_by_hand(mut world: World) {
    let (id, _) = endpoint(&world, &["payment.captured"]).await;
    paid(&mut world, 0).await;
    let event = world.outside.receiver.heard()[0].header("webhook-id").to_owned();
    let caller = world.caller();
    for expected in [2, 3] {
        let effect = world.engine(0).redeliver_event(&caller, &id, &event).await.unwrap();
        assert_eq!(effect.destination, id);
        world.settle().await.unwrap();
        let heard = world.outside.receiver.heard();
        assert_eq!((heard.len(), heard[expected - 1].header("webhook-id")), (expected, event.as_str()));
    }
    for wrong in ["evt_pay_1_1", "nonsense", &event.replace("evt_", "")] {
        assert!(world.engine(0).redeliver_event(&caller, &id, wrong).await.is_err(), "{wrong}");
    }
}

async fn an_organization_never_hears_of_another_s_events(mut world: World) {
    let engine = world.engine(0).clone();
    let other = engine.make_organization("Other Clinic", Mode::Sandbox).await.unwrap().id;
    let stranger = Caller { organization: other.clone(), ..world.caller() };
    let new = NewEndpoint { url: URL.to_owned(), description: String::new(), events: Vec::new() };
    let (theirs, _) = engine.make_endpoint(&stranger, new).await.unwrap();
    let (ours, _) = endpoint(&world, &["payment.captured"]).await;
    paid(&mut world, 0).await;
    world.pass(200_000).await.unwrap();

    let heard = world.outside.receiver.heard();
    assert_eq!(types(&heard), ["payment.captured"]);
    let event = heard[0].header("webhook-id").to_owned();
    assert!(engine.redeliver_event(&stranger, &theirs.id, &event).await.is_err());
    assert!(engine.endpoint(&other, &ours).await.is_err());
    assert!(engine.rotate_endpoint(&stranger, &ours, Duration::ZERO).await.is_err());
    assert!(engine.remove_endpoint(&stranger, &ours).await.is_err());
    assert!(engine.test_endpoint(&stranger, &ours).await.is_err());
    engine.replay_events(&stranger, &theirs.id, ReplayFrom::Position(0), &[]).await.unwrap();
    world.pass(60_000).await.unwrap();
    assert_eq!(world.outside.receiver.heard().len(), 1, "their replay holds nothing of ours");
}

async fn a_removed_endpoint_takes_what_waited_with_it(mut world: World) {
    let (id, _) = endpoint(&world, &["payment.captured"]).await;
    world.outside.receiver.answer([500]);
    paid(&mut world, 0).await;
    let caller = world.caller();
    world.engine(0).remove_endpoint(&caller, &id).await.unwrap();
    world.pass(400_000).await.unwrap();
    assert_eq!(world.outside.receiver.heard().len(), 1);
    assert!(world.engine(0).endpoint(&world.organization, &id).await.is_err());
    assert!(world.engine(0).remove_endpoint(&caller, &id).await.is_err());
    assert!(world.effects(EffectState::Dead).await.unwrap().is_empty());
}

async fn a_test_message_is_signed_and_says_what_came_of_it(world: World) {
    let (id, secret) = endpoint(&world, &["payment.captured"]).await;
    let caller = world.caller();
    let tested = world.engine(0).test_endpoint(&caller, &id).await.unwrap();
    assert!(tested.delivered && tested.status == Some(204));
    let heard = world.outside.receiver.heard();
    assert!(is_signed_by(&heard[0], &secret));
    assert_eq!(heard[0].json()["type"], "endpoint.test");

    world.outside.receiver.answer([302]);
    let tested = world.engine(0).test_endpoint(&caller, &id).await.unwrap();
    assert!(!tested.delivered && tested.status == Some(302), "a redirect is not followed");
    world.outside.plan([Fault::NotSent]);
    let tested = world.engine(0).test_endpoint(&caller, &id).await.unwrap();
    assert!(!tested.delivered && tested.status.is_none() && tested.error.is_some());
}

async fn events_are_found_by_id_object_and_type(mut world: World) {
    let payment = paid(&mut world, 0).await;
    let find = async |object: Option<&str>, kind: Option<&str>| {
        let which = Which { object: object.map(Into::into), kind: kind.map(Into::into) };
        world.engine(0).find_events(&world.organization, which, i64::MAX, 100).await.unwrap()
    };
    let captured = find(Some(&payment), Some("payment.captured")).await;
    assert_eq!(captured.len(), 1);
    assert!(find(None, Some("debt.*")).await.len() > 1);
    let public = suture_engine::endpoints::public_event(&captured[0]).unwrap();
    let id = suture_core::catalogue::EventId::parse(public["id"].as_str().unwrap()).unwrap();
    let found = world.engine(0).event(&world.organization, &id).await.unwrap();
    assert_eq!(found.position, captured[0].position);
    assert!(world.engine(0).event("org_other", &id).await.is_err());
}

async fn bad_addresses_types_and_texts_are_refused(world: World) {
    let caller = world.caller();
    let make = async |caller: &Caller, url: &str, description: &str, kind: &str| {
        let new = NewEndpoint {
            url: url.to_owned(),
            description: description.to_owned(),
            events: vec![kind.to_owned()],
        };
        world.engine(0).make_endpoint(caller, new).await
    };
    assert!(make(&caller, "http://a:b@receiver.test/", "", "*").await.is_err());
    assert!(make(&caller, URL, "", "payment.captuerd").await.is_err());
    assert!(make(&caller, URL, "two\nlines", "*").await.is_err());
    let live = world.engine(0).make_organization("Live Clinic", Mode::Live).await.unwrap().id;
    let live = Caller { organization: live, ..caller };
    assert!(make(&live, URL, "", "*").await.is_err(), "a live organization sends by https");
    assert!(make(&live, "https://10.0.0.1/hook", "", "*").await.is_err());
    assert!(make(&live, "https://receiver.test/hook", "", "*").await.is_ok());
}

#[tokio::test]
async fn another_server_learns_of_an_endpoint_and_what_it_missed_is_made_up_for() {
    let mut world = World::open(Setup { nodes: 2, ..Setup::on("sqlite") }).await.unwrap();
    endpoint(&world, &["debt.recorded"]).await;
    let link = world.link(&NewVisit::due(0, 12_000)).await.unwrap();
    let take = suture_sim::world::take_payment(&link.id, 12_000, "pm_card_visa");
    world.engine(1).take_payment(&world.caller(), take).await.unwrap();
    world.settle().await.unwrap();
    assert!(world.outside.receiver.heard().is_empty(), "the second server does not know of it yet");

    world.pass(130_000).await.unwrap();
    assert_eq!(types(&world.outside.receiver.heard()), ["debt.recorded"], "the catch-up brings it");

    world.engine(1).plan_timers(&[]).await.unwrap();
    let link = world.link(&NewVisit::due(1, 9_000)).await.unwrap();
    let take = suture_sim::world::take_payment(&link.id, 9_000, "pm_card_visa");
    world.engine(1).take_payment(&world.caller(), take).await.unwrap();
    world.settle().await.unwrap();
    assert_eq!(world.outside.receiver.heard().len(), 2, "with its timers it read the endpoints again");
}
