//! Claims of remittances as stored, on both engines.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use suture_core::time::Timestamp;
use suture_store::remittances::{self, Claim};
use suture_store::testkit::Fresh;
use suture_store::{Error, Store};

const ORG: &str = "org_1";

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

on_both_engines!(claims_are_listed_in_order_moved_and_counted, claims_of_a_file_that_was_never_received_go,);

fn claim(position: i64, second: i64) -> Claim {
    Claim {
        position,
        claim: format!("CLM{position}"),
        state: "received".to_owned(),
        note: None,
        body: "{}".to_owned(),
        received_at: Timestamp::from_seconds(second),
    }
}

async fn claims_are_listed_in_order_moved_and_counted(store: Store) {
    let told = store.write(|tx| {
        for position in [2, 1, 3] {
            remittances::insert(tx, ORG, "rem_1", &claim(position, 10))?;
        }
        remittances::move_to(tx, ORG, ("rem_1", 1), "booked", Some("svc_1"))?;
        remittances::move_to(tx, ORG, ("rem_1", 3), "waiting", Some("nobody knows it"))?;
        let listed = remittances::list(tx, ORG, "rem_1", 2, 10)?;
        let waiting = remittances::waiting(tx, ORG, 10)?;
        Ok::<_, Error>((listed, waiting, remittances::count(tx, ORG, "rem_1")?))
    });
    let (listed, waiting, mut counts) = told.await.unwrap();
    assert_eq!(listed.iter().map(|claim| claim.position).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(waiting[0].1.note.as_deref(), Some("nobody knows it"));
    counts.sort();
    let expected =
        [("booked", 1), ("received", 1), ("waiting", 1)].map(|(state, count)| (state.to_owned(), count));
    assert_eq!(counts, expected);
    let missing = store.write(|tx| remittances::move_to(tx, ORG, ("rem_1", 9), "booked", None));
    assert!(matches!(missing.await, Err(Error::Conflict(_))));
}

async fn claims_of_a_file_that_was_never_received_go(store: Store) {
    let told = store.write(|tx| {
        remittances::insert(tx, ORG, "rem_1", &claim(1, 10))?;
        remittances::insert(tx, ORG, "rem_2", &claim(1, 99))?;
        let gone = remittances::purge_unreceived(tx, Timestamp::from_seconds(50))?;
        Ok::<_, Error>((gone, remittances::list(tx, ORG, "rem_2", 1, 10)?.len()))
    });
    assert_eq!(told.await.unwrap(), (1, 1));
}
