//! The conformance suite: every story runs on SQLite and on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use std::sync::Arc;
use std::time::Duration;

use suture_core::audit::chain::Hash;
use suture_core::audit::seal::SealingKey;
use suture_core::audit::verify::Verifier;
use suture_core::explain::{Actor, Care, Reason};
use suture_core::ledger::{Account, Posting};
use suture_core::money::Money;
use suture_core::redact::Phi;
use suture_core::time::Timestamp;
use suture_store::effects::{self, NewEffect, State};
use suture_store::inbox::{self, NewMessage, Received};
use suture_store::journal::{self, At, Cause, NewEvent};
use suture_store::statement::Statement;
use suture_store::testkit::{self, Fresh};
use suture_store::{Error, Store, Tx, ledger, personal, requests, seals};

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
    every_statement_prepares,
    a_stream_moves_only_from_the_version_that_was_loaded,
    a_refused_work_does_not_touch_its_neighbours,
    a_panicking_work_does_not_stop_the_writer,
    an_effect_belongs_to_one_worker_until_its_lease_ends,
    a_lane_gives_out_one_effect_at_a_time,
    a_thousand_deliveries_are_one_message,
    a_posting_is_made_once_and_balances_are_known_for_any_moment,
    the_trail_verifies_and_its_seals_cover_it,
    personal_data_is_sealed_and_can_be_shredded,
    an_idempotency_key_gives_its_answer_to_the_same_request_only,
);

fn at(second: i64) -> Timestamp {
    Timestamp::from_seconds(1_760_000_000 + second)
}

fn cause() -> Cause {
    Cause {
        actor: Actor::System("test".into()),
        reason: Reason::of("test"),
        care: Care::default(),
        at: at(0),
    }
}

async fn write<T: Send + 'static>(
    store: &Store,
    work: impl FnMut(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    store.write(work).await
}

fn append(
    tx: &mut Tx<'_>,
    stream: &str,
    (version, head): (i64, Hash),
    minor: i64,
) -> Result<(i64, Hash), Error> {
    let at = At { organization: ORG, stream, kind: "test", version, head };
    let events = vec![NewEvent { kind: "test.counted", body: serde_json::json!({ "minor": minor }) }];
    journal::append(tx, at, events, &cause(), &minor)
}

async fn every_statement_prepares(store: Store) {
    for statement in testkit::statements() {
        let prepared: Result<(), Error> = store.write(move |tx| tx.prepare(&statement)).await;
        prepared.unwrap_or_else(|error| panic!("{}: {error}", statement.name));
    }
}

async fn a_stream_moves_only_from_the_version_that_was_loaded(store: Store) {
    let first = write(&store, |tx| append(tx, "s", (0, Hash::ZERO), 1)).await.unwrap();
    let again = write(&store, |tx| append(tx, "s", (0, Hash::ZERO), 9)).await;
    assert!(again.unwrap_err().is_conflict());
    write(&store, move |tx| append(tx, "s", first, 2)).await.unwrap();
    let stale = write(&store, move |tx| append(tx, "s", first, 3)).await;
    assert!(stale.unwrap_err().is_conflict());
    let loaded = write(&store, |tx| journal::load::<i64>(tx, ORG, "s")).await.unwrap().unwrap();
    assert_eq!((loaded.version, loaded.state), (2, 2));
}

async fn a_refused_work_does_not_touch_its_neighbours(store: Store) {
    let store = Arc::new(store);
    let works = (0..64).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            write(&store, move |tx| {
                append(tx, &format!("s{n}"), (0, Hash::ZERO), n)?;
                if n % 3 == 0 { Err(Error::Conflict("on purpose".into())) } else { Ok(()) }
            })
            .await
        })
    });
    for (n, work) in works.collect::<Vec<_>>().into_iter().enumerate() {
        assert_eq!(work.await.unwrap().is_err(), n % 3 == 0);
    }
    let streams = write(&store, |tx| journal::list_streams::<i64>(tx, ORG, "test", "", 100)).await.unwrap();
    assert_eq!(streams.len(), 42);
    assert!(streams.iter().all(|(_, n)| n % 3 != 0));
}

async fn a_panicking_work_does_not_stop_the_writer(store: Store) {
    let panicked: Result<(), Error> = store.write(|_| panic!("on purpose")).await;
    assert!(panicked.is_err());
    write(&store, |tx| append(tx, "s", (0, Hash::ZERO), 1)).await.unwrap();
}

fn effect(id: &str, lane: Option<&str>) -> NewEffect {
    NewEffect {
        id: id.into(),
        kind: "test",
        lane: lane.map(Into::into),
        destination: "con_1".into(),
        stream: None,
        due_at: at(0),
        payload: "{}".into(),
    }
}

async fn an_effect_belongs_to_one_worker_until_its_lease_ends(store: Store) {
    write(&store, |tx| effects::insert(tx, ORG, &effect("e1", None), at(0))).await.unwrap();
    let claim = |owner: &'static str, now: i64| {
        let store = store.clone();
        async move { write(&store, move |tx| effects::claim(tx, owner, at(now), at(now + 30), 10)).await.unwrap() }
    };
    let first = claim("a", 1).await;
    assert_eq!(first.len(), 1);
    assert!(claim("b", 2).await.is_empty(), "it is leased");
    let second = claim("b", 40).await;
    assert_eq!(second[0].attempts, 2, "the lease ended, another worker has it");
    let (old, new) = (first[0].lease("a"), second[0].lease("b"));
    let late = write(&store, move |tx| effects::finish(tx, &old, State::Done, None, at(41))).await;
    assert!(late.unwrap_err().is_conflict(), "the first worker woke up too late");
    write(&store, move |tx| effects::finish(tx, &new, State::Done, None, at(41))).await.unwrap();
    assert!(claim("c", 99).await.is_empty());
}

async fn a_lane_gives_out_one_effect_at_a_time(store: Store) {
    write(&store, |tx| {
        effects::insert(tx, ORG, &effect("e1", Some("account 1")), at(0))?;
        effects::insert(tx, ORG, &effect("e2", Some("account 1")), at(0))?;
        effects::insert(tx, ORG, &effect("e3", Some("account 2")), at(0))
    })
    .await
    .unwrap();
    let taken = write(&store, |tx| effects::claim(tx, "a", at(1), at(30), 10)).await.unwrap();
    assert_eq!(taken.iter().map(|effect| effect.id.as_str()).collect::<Vec<_>>(), ["e1", "e3"]);
    let leased = write(&store, |tx| {
        effects::insert_leased(tx, ORG, &effect("e4", Some("account 2")), at(1), ("a", at(30)))
    })
    .await;
    assert_eq!(leased.unwrap(), None, "the lane is busy");
    let lease = taken[0].lease("a");
    write(&store, move |tx| effects::finish(tx, &lease, State::Done, None, at(2))).await.unwrap();
    let next = write(&store, |tx| effects::claim(tx, "a", at(3), at(30), 10)).await.unwrap();
    assert_eq!(next.iter().map(|effect| effect.id.as_str()).collect::<Vec<_>>(), ["e2"]);
}

async fn a_thousand_deliveries_are_one_message(store: Store) {
    let deliveries = (0..1000).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            let keyring = testkit::keyring();
            let message = format!("msg_{n}");
            let sealed = keyring.seal(&inbox::place(ORG, &message), b"{}").unwrap();
            let new = NewMessage {
                connection: "con_1".into(),
                event_id: "evt_1".into(),
                message,
                event_type: "charge.succeeded".into(),
                object_id: None,
                body_hash: Hash::of(b"{}"),
                sealed,
            };
            store.write_in_lane(n, move |tx| inbox::receive(tx, &keyring, ORG, &new, at(0))).await
        })
    });
    let mut fresh = 0;
    for delivery in deliveries.collect::<Vec<_>>() {
        let received: Result<Received, Error> = delivery.await.unwrap();
        fresh += i32::from(received.unwrap() == Received::New);
    }
    assert_eq!(fresh, 1);
    let kept = write(&store, |tx| inbox::find(tx, ORG, "con_1", "evt_1")).await.unwrap().unwrap();
    assert_eq!(kept.deliveries, 1000);
    let body =
        write(&store, move |tx| inbox::load_body(tx, &testkit::keyring(), ORG, &kept.message)).await.unwrap();
    assert_eq!(body, b"{}");
}

async fn a_posting_is_made_once_and_balances_are_known_for_any_moment(store: Store) {
    let post = |key: &'static str, minor: i64, second: i64| {
        let store = store.clone();
        async move {
            let posting = Posting::transfer(
                key.into(),
                Account::Bank,
                Account::ArPatient,
                Money::usd(minor),
                Some("lnk"),
            )
            .unwrap();
            write(&store, move |tx| ledger::post(tx, ORG, &posting, ("pay_1", 1), at(second))).await
        }
    };
    post("capture:ch_1", 12000, 10).await.unwrap();
    assert!(post("capture:ch_1", 12000, 11).await.unwrap_err().is_conflict());
    post("capture:ch_2", 500, 20).await.unwrap();
    let balances = |second: i64| {
        let store = store.clone();
        async move { write(&store, move |tx| ledger::balances(tx, ORG, at(second))).await.unwrap() }
    };
    let expected = |minor: i64| {
        vec![("ar:patient".to_owned(), Money::usd(-minor)), ("bank".to_owned(), Money::usd(minor))]
    };
    assert_eq!(balances(15).await, expected(12000));
    assert_eq!(balances(20).await, expected(12500));
    assert!(balances(9).await.is_empty());
}

async fn the_trail_verifies_and_its_seals_cover_it(store: Store) {
    for n in 0..5 {
        let first = write(&store, move |tx| append(tx, &format!("s{n}"), (0, Hash::ZERO), n)).await.unwrap();
        write(&store, move |tx| append(tx, &format!("s{n}"), first, n + 10)).await.unwrap();
    }
    let key = Arc::new(SealingKey::from_seed(&[1; 32]).unwrap());
    let public = key.public_key_hex();
    let seal = |second: i64| {
        let (store, key) = (store.clone(), key.clone());
        async move {
            write(&store, move |tx| {
                let last = seals::last(tx, ORG)?;
                let since = last.as_ref().map_or(0, |(_, position)| *position);
                let (leaves, reached) = seals::open_heads(tx, ORG, since, 1000)?;
                if leaves.is_empty() {
                    return Ok(0);
                }
                let (seal, leaves) = suture_core::audit::seal::Seal::close(
                    ORG,
                    last.as_ref().map(|(seal, _)| seal),
                    leaves,
                    at(second),
                    &key,
                );
                seals::insert(tx, &seal, &leaves, reached)?;
                Ok(leaves.len())
            })
            .await
            .unwrap()
        }
    };
    assert_eq!(seal(50).await, 5);
    assert_eq!(seal(51).await, 0, "nothing new");
    write(&store, |tx| append(tx, "s9", (0, Hash::ZERO), 9)).await.unwrap();
    assert_eq!(seal(52).await, 1);
    let verified = write(&store, move |tx| {
        let mut verifier = Verifier::default();
        for stored in journal::list_since(tx, ORG, 0, 1000)? {
            verifier.entry(&stored.entry, stored.hash).unwrap();
        }
        let mut all = Vec::new();
        for seal in seals::list(tx, ORG, 0, 100)? {
            let leaves = seals::leaves(tx, ORG, seal.number)?;
            all.push((seal, leaves));
        }
        Ok(verifier.seals(&all, &public).unwrap())
    })
    .await
    .unwrap();
    assert_eq!((verified.entries, verified.seals, verified.unsealed), (11, 2, 0));
}

async fn personal_data_is_sealed_and_can_be_shredded(store: Store) {
    write(&store, |tx| {
        personal::put(tx, &testkit::keyring(), (ORG, "pat_1", "name"), &Phi::new("Ann Example".into()), at(0))
    })
    .await
    .unwrap();
    let load = || write(&store, |tx| personal::load(tx, &testkit::keyring(), ORG, "pat_1"));
    assert_eq!(load().await.unwrap()[0].1.expose(), "Ann Example");
    assert_eq!(write(&store, |tx| personal::shred(tx, ORG, "pat_1")).await.unwrap(), 1);
    assert!(load().await.unwrap().is_empty());
}

async fn an_idempotency_key_gives_its_answer_to_the_same_request_only(store: Store) {
    let key = || requests::Key { organization: ORG.into(), api_key: "key_1".into(), key: "abc".into() };
    let begin = |body: &'static [u8]| {
        write(&store, move |tx| requests::begin(tx, &testkit::keyring(), &key(), Hash::of(body), at(0)))
    };
    assert_eq!(begin(b"one").await.unwrap(), requests::Known::New);
    assert_eq!(begin(b"one").await.unwrap(), requests::Known::Running { since: at(0) });
    write(&store, move |tx| requests::answer(tx, &testkit::keyring(), &key(), 201, b"made")).await.unwrap();
    assert_eq!(
        begin(b"one").await.unwrap(),
        requests::Known::Answered { status: 201, body: b"made".to_vec() }
    );
    assert_eq!(begin(b"two").await.unwrap(), requests::Known::OtherRequest);
}

const SQLITE_COLUMNS: Statement = Statement::new(
    "columns",
    "select m.name, p.name, p.type, p.\"notnull\" from sqlite_master m join pragma_table_info(m.name) p \
     where m.type = 'table' and m.name not like 'sqlite_%' order by m.name, p.name",
);
const POSTGRES_COLUMNS: Statement = Statement::new(
    "columns",
    "select table_name::text, column_name::text, data_type::text, case is_nullable when 'NO' then 1::bigint else 0 end \
     from information_schema.columns where table_schema = 'public' order by table_name collate \"C\", column_name collate \"C\"",
);

#[tokio::test(flavor = "multi_thread")]
async fn both_schemas_have_the_same_tables_and_columns() {
    let columns = |engine: &'static str, statement: Statement| async move {
        let fresh = Fresh::on(engine);
        let rows = fresh.open().write(move |tx: &mut Tx<'_>| tx.query(&statement, &[])).await.unwrap();
        let column = |row: &suture_store::statement::Row| {
            let kind = match row.text(2).unwrap().to_lowercase().as_str() {
                "integer" | "bigint" => "integer",
                "blob" | "bytea" => "bytes",
                "text" => "text",
                other => panic!("type {other} is not portable"),
            };
            let name = format!("{}.{}", row.text(0).unwrap(), row.text(1).unwrap());
            // SQLite's row id is never null, though its column says nothing of it.
            let required =
                row.int(3).unwrap() == 1 || name.ends_with(".position") || name.ends_with(".sequence");
            (name, kind, required)
        };
        let mut columns: Vec<_> =
            rows.iter().map(column).filter(|(name, ..)| !name.starts_with("migrations.")).collect();
        columns.sort();
        columns
    };
    let sqlite = columns("sqlite", SQLITE_COLUMNS).await;
    let postgres = columns("postgres", POSTGRES_COLUMNS).await;
    assert!(sqlite.len() > 100);
    for (left, right) in sqlite.iter().zip(&postgres) {
        assert_eq!(left, right);
    }
    assert_eq!(sqlite.len(), postgres.len());
}

#[test]
fn an_address_that_is_no_database_is_refused_without_repeating_it() {
    let options = suture_store::Options::new("mysql://root:secret@host/db", testkit::keyring());
    let refused = Store::open(&options).err().unwrap().to_string();
    assert!(refused.contains("mysql") && !refused.contains("secret"), "{refused}");
    assert_eq!(at(1).since(at(0)), Duration::from_secs(1));
}
