//! Endpoints, announcements and events as stored: every story runs on SQLite and on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use suture_core::audit::chain::Hash;
use suture_core::explain::{Actor, Care, Reason};
use suture_core::redact::Secret;
use suture_core::time::Timestamp;
use suture_store::announcements;
use suture_store::effects::{self, NewEffect, State};
use suture_store::endpoints::{self, Endpoint, Status};
use suture_store::events::{self, Which};
use suture_store::journal::{self, At, Cause, NewEvent};
use suture_store::testkit::{self, Fresh};
use suture_store::{Error, Keyring, Store, Tx};

const ORG: &str = "org_1";

/// Makes one test per engine of each story.
macro_rules! on_both_engines {
    ($($story:ident),* $(,)?) => {
        mod sqlite {$(
            #[tokio::test(flavor = "multi_thread")]
            async fn $story() {
                let fresh = super::Fresh::on("sqlite");
                super::$story(fresh.open()).await;
            }
        )*}
        mod postgres {$(
            #[tokio::test(flavor = "multi_thread")]
            async fn $story() {
                let fresh = super::Fresh::on("postgres");
                super::$story(fresh.open()).await;
            }
        )*}
    };
}

on_both_engines!(
    an_endpoint_keeps_both_secrets_and_changes_only_from_what_was_loaded,
    only_enabled_endpoints_are_subscribed,
    secrets_are_sealed_again_under_the_current_key,
    an_announcement_is_inserted_once_and_listed_by_its_endpoint,
    what_was_parked_comes_back_and_what_belongs_to_nobody_is_given_up,
    events_are_found_by_object_type_version_and_moment,
);

fn at(second: i64) -> Timestamp {
    Timestamp::from_seconds(1_760_000_000 + second)
}

async fn write<T: Send + 'static>(
    store: &Store,
    work: impl FnMut(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    store.write(work).await
}

fn endpoint(organization: &str, id: &str) -> Endpoint {
    Endpoint {
        organization: organization.into(),
        id: id.into(),
        url: "https://receiver.test/hook".into(),
        description: "books".into(),
        events: vec!["payment.*".into()],
        secret: Secret::new("whsec_a".into()),
        previous: None,
        status: Status::Enabled,
        note: None,
        version: 1,
        created_at: at(0),
        updated_at: at(0),
    }
}

async fn inserted(store: &Store, endpoint: Endpoint) {
    write(store, move |tx| endpoints::insert(tx, &testkit::keyring(), &endpoint)).await.unwrap();
}

async fn loaded(store: &Store, id: &'static str) -> Option<Endpoint> {
    write(store, move |tx| endpoints::get(tx, &testkit::keyring(), ORG, id)).await.unwrap()
}

async fn an_endpoint_keeps_both_secrets_and_changes_only_from_what_was_loaded(store: Store) {
    inserted(&store, endpoint(ORG, "whk_1")).await;
    let mut changed = loaded(&store, "whk_1").await.unwrap();
    changed.previous = Some((std::mem::replace(&mut changed.secret, Secret::new("whsec_b".into())), at(60)));
    let stale = changed.clone();
    write(&store, move |tx| endpoints::update(tx, &testkit::keyring(), &changed, at(1))).await.unwrap();

    let kept = loaded(&store, "whk_1").await.unwrap();
    assert_eq!((kept.secret.expose().as_str(), kept.updated_at), ("whsec_b", at(1)));
    let (previous, until) = kept.previous.unwrap();
    assert_eq!((previous.expose().as_str(), until), ("whsec_a", at(60)));
    let late = write(&store, move |tx| endpoints::update(tx, &testkit::keyring(), &stale, at(2))).await;
    assert!(late.unwrap_err().is_conflict(), "somebody else changed it in between");
    for number in 1..=2 {
        let next = write(&store, |tx| endpoints::next_replay(tx, ORG, "whk_1")).await.unwrap();
        assert_eq!(next, Some(number));
    }
    assert_eq!(write(&store, |tx| endpoints::next_replay(tx, "org_2", "whk_1")).await.unwrap(), None);
    write(&store, |tx| endpoints::remove(tx, ORG, "whk_1")).await.unwrap();
    assert!(loaded(&store, "whk_1").await.is_none());
}

async fn only_enabled_endpoints_are_subscribed(store: Store) {
    inserted(&store, endpoint(ORG, "whk_1")).await;
    inserted(&store, endpoint("org_2", "whk_2")).await;
    inserted(&store, Endpoint { status: Status::Disabled, ..endpoint(ORG, "whk_3") }).await;
    let found = write(&store, endpoints::subscriptions).await.unwrap();
    let found: Vec<_> = found.iter().map(|one| (one.organization.as_str(), one.endpoint.as_str())).collect();
    assert_eq!(found, [(ORG, "whk_1"), ("org_2", "whk_2")]);
    let own = write(&store, |tx| endpoints::list(tx, &testkit::keyring(), ORG)).await.unwrap();
    assert_eq!(own.len(), 2, "another organization's endpoint is not listed");
}

async fn secrets_are_sealed_again_under_the_current_key(store: Store) {
    inserted(&store, endpoint(ORG, "whk_1")).await;
    let both = Keyring::new(&[("new".into(), vec![8; 32]), ("test".into(), vec![7; 32])]).unwrap();
    let new = Keyring::new(&[("new".into(), vec![8; 32])]).unwrap();
    let ring = both.clone();
    assert_eq!(write(&store, move |tx| endpoints::reseal(tx, &ring, 10, at(1))).await.unwrap(), 1);
    assert_eq!(write(&store, move |tx| endpoints::reseal(tx, &both, 10, at(1))).await.unwrap(), 0);
    let opened = write(&store, move |tx| endpoints::get(tx, &new, ORG, "whk_1")).await.unwrap().unwrap();
    assert_eq!(opened.secret.expose(), "whsec_a");
}

fn announcement(id: &str, endpoint: &str) -> NewEffect {
    NewEffect {
        id: id.into(),
        kind: announcements::KIND,
        lane: Some(format!("{endpoint}/pay_1")),
        destination: endpoint.into(),
        stream: Some("pay_1".into()),
        due_at: at(0),
        payload: "{}".into(),
    }
}

async fn announced(store: &Store, id: &'static str, endpoint: &'static str) -> bool {
    write(store, move |tx| announcements::insert_once(tx, ORG, &announcement(id, endpoint), at(0)))
        .await
        .unwrap()
}

async fn ids(store: &Store, endpoint: &'static str, state: Option<State>) -> Vec<String> {
    let found = write(store, move |tx| announcements::list(tx, (ORG, endpoint), state, i64::MAX, 10)).await;
    found.unwrap().into_iter().map(|effect| effect.id).collect()
}

async fn an_announcement_is_inserted_once_and_listed_by_its_endpoint(store: Store) {
    assert!(announced(&store, "a", "whk_1").await);
    assert!(!announced(&store, "a", "whk_1").await, "the second time nothing happens");
    assert!(announced(&store, "b", "whk_1").await && announced(&store, "c", "whk_2").await);
    assert_eq!(ids(&store, "whk_1", None).await, ["b", "a"]);
    assert_eq!(ids(&store, "whk_1", Some(State::Ready)).await, ["b", "a"]);
    assert!(ids(&store, "whk_1", Some(State::Dead)).await.is_empty());
    let other = write(&store, |tx| announcements::list(tx, ("org_2", "whk_1"), None, i64::MAX, 10)).await;
    assert!(other.unwrap().is_empty());
}

async fn what_was_parked_comes_back_and_what_belongs_to_nobody_is_given_up(store: Store) {
    announced(&store, "a", "whk_1").await;
    let claimed = write(&store, |tx| effects::claim(tx, "w", at(1), at(30), 10)).await.unwrap();
    let lease = claimed[0].lease("w");
    write(&store, move |tx| effects::finish(tx, &lease, State::Parked, Some("disabled"), at(2)))
        .await
        .unwrap();
    assert_eq!(write(&store, |tx| announcements::revive(tx, ORG, "whk_1", at(3))).await.unwrap(), 1);
    assert_eq!(ids(&store, "whk_1", Some(State::Ready)).await, ["a"]);
    announced(&store, "b", "whk_2").await;
    assert_eq!(write(&store, |tx| announcements::abandon(tx, ORG, "whk_1", at(4))).await.unwrap(), 1);
    assert_eq!(ids(&store, "whk_1", Some(State::Skipped)).await, ["a"]);
    assert_eq!(ids(&store, "whk_2", Some(State::Ready)).await, ["b"], "another endpoint's stays");
}

async fn events_are_found_by_object_type_version_and_moment(store: Store) {
    let append = |stream: &'static str, kinds: Vec<&'static str>, second: i64| {
        write(&store, move |tx| {
            let at_ = At { organization: ORG, stream, kind: "test", version: 0, head: Hash::ZERO };
            let cause = Cause {
                actor: Actor::System("test".into()),
                reason: Reason::of("test"),
                care: Care::default(),
                at: at(second),
            };
            let event = |kind: &&'static str| NewEvent { kind, body: serde_json::json!({}) };
            journal::append(tx, at_, kinds.iter().map(event).collect(), &cause, &0)
        })
    };
    append("a", vec!["x.one", "x.one_more", "y.two"], 10).await.unwrap();
    append("b", vec!["x.one"], 20).await.unwrap();

    let found = |object: Option<&str>, kind: Option<&str>| {
        let which = Which { object: object.map(Into::into), kind: kind.map(Into::into) };
        let store = store.clone();
        async move {
            let found = write(&store, move |tx| events::list_before(tx, ORG, &which, i64::MAX, 10)).await;
            let name = |one: &journal::Stored| format!("{}{}", one.entry.stream, one.entry.version);
            found.unwrap().iter().map(name).collect::<Vec<_>>()
        }
    };
    assert_eq!(found(None, None).await, ["b1", "a3", "a2", "a1"]);
    assert_eq!(found(None, Some("x.one")).await, ["b1", "a1"], "an exact type matches only itself");
    assert_eq!(found(None, Some("x.*")).await, ["b1", "a2", "a1"]);
    assert_eq!(found(Some("a"), Some("y.two")).await, ["a3"]);
    assert_eq!(found(Some("a"), None).await, ["a3", "a2", "a1"]);
    assert!(found(Some("c"), None).await.is_empty());

    let after = write(&store, |tx| events::list_after(tx, ORG, "a", 1, 10)).await.unwrap();
    assert_eq!(after.iter().map(|one| one.entry.version).collect::<Vec<_>>(), [2, 3]);
    let last = write(&store, |tx| events::latest(tx, ORG, "a")).await.unwrap().unwrap();
    assert_eq!(last.entry.kind, "y.two");
    assert!(write(&store, |tx| events::get(tx, "org_2", "a", 1)).await.unwrap().is_none());
    let second = write(&store, |tx| events::get(tx, ORG, "a", 2)).await.unwrap().unwrap();
    assert_eq!(second.entry.kind, "x.one_more");

    let head = write(&store, |tx| events::head(tx, ORG)).await.unwrap();
    let before = write(&store, |tx| events::position_before(tx, ORG, at(20))).await.unwrap();
    assert_eq!((head - before, write(&store, |tx| events::head(tx, "org_2")).await.unwrap()), (1, 0));
    assert_eq!(write(&store, |tx| events::position_before(tx, ORG, at(5))).await.unwrap(), 0);
}
