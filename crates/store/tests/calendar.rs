//! Slots: one holder, on both engines, whatever races for them.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use suture_core::calendar::Month;
use suture_core::id::{AppointmentId, Mint, ProviderId, Random};
use suture_core::time::Timestamp;
use suture_store::calendar::{self, Slot, SlotState};
use suture_store::testkit::Fresh;
use suture_store::{Error, Store, Tx};

struct Salt(u8);

impl Random for Salt {
    fn ten_bytes(&self) -> [u8; 10] {
        [self.0; 10]
    }
}

fn at(minute: i64) -> Timestamp {
    Timestamp::from_seconds(1_790_000_100 + minute * 60)
}

fn provider(salt: u8) -> ProviderId {
    ProviderId::mint(Mint::new(at(0), &Salt(salt)))
}

fn slot(salt: u8, from: i64, until: i64) -> Slot {
    Slot {
        appointment: AppointmentId::mint(Mint::new(at(0), &Salt(salt))),
        from: at(from),
        until: at(until),
        state: SlotState::Held,
        held_until: Some(at(from + 10)),
    }
}

async fn take(store: &Store, provider: ProviderId, slot: Slot) -> Result<(), Error> {
    store
        .write(move |tx: &mut Tx<'_>| {
            let number = calendar::number(tx, "org", provider)?;
            calendar::take(tx, ("org", provider, number), &slot)
        })
        .await
}

async fn busy(store: &Store, provider: ProviderId, from: i64, until: i64) -> bool {
    let months = (Month::of(at(from)), Month::of(at(until)));
    let pages = store.read(move |tx| calendar::pages_of(tx, ("org", provider), months)).await.unwrap();
    pages.iter().any(|page| !page.is_free(at(from), at(until)))
}

async fn one_holder(engine: &str) {
    let fresh = Fresh::on(engine);
    let store = fresh.open();
    let ours = provider(1);
    take(&store, ours, slot(1, 0, 60)).await.unwrap();
    for (salt, from, until) in [(2, 0, 60), (3, 55, 70), (4, -30, 5), (5, 20, 30), (6, -30, 90)] {
        let refused = take(&store, ours, slot(salt, from, until)).await.unwrap_err();
        assert!(refused.is_conflict(), "{from} to {until}: {refused}");
    }
    take(&store, ours, slot(7, 60, 90)).await.unwrap();
    take(&store, ours, slot(8, -30, 0)).await.unwrap();
    take(&store, provider(2), slot(9, 0, 60)).await.unwrap();
    assert!(busy(&store, ours, 0, 90).await && !busy(&store, ours, 90, 120).await);
    let held = slot(1, 0, 60).appointment;
    let freed =
        store.write(move |tx: &mut Tx<'_>| calendar::free(tx, ("org", ours), held)).await.unwrap().unwrap();
    assert_eq!((freed.from, freed.until), (at(0), at(60)));
    assert!(!busy(&store, ours, 0, 60).await && busy(&store, ours, 60, 90).await);
    take(&store, ours, slot(10, 5, 55)).await.unwrap();
    let overlapping = store
        .read(move |tx| {
            let number = calendar::number(tx, "org", ours)?;
            calendar::overlapping(tx, number, (at(-30), at(90)), 10)
        })
        .await
        .unwrap();
    assert_eq!(overlapping.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_has_one_holder_on_sqlite() {
    one_holder("sqlite").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_has_one_holder_on_postgres() {
    one_holder("postgres").await;
}

/// A hundred at once, without looking first: the database itself lets one through.
async fn a_race(engine: &str) {
    let fresh = Fresh::on(engine);
    let store = fresh.open();
    let ours = provider(1);
    store.write(move |tx: &mut Tx<'_>| calendar::number(tx, "org", ours)).await.unwrap();
    let races: Vec<_> = (0..100)
        .map(|salt| {
            let store = store.clone();
            tokio::spawn(async move { take(&store, ours, slot(salt, i64::from(salt % 5) * 5, 60)).await })
        })
        .collect();
    let mut won = 0;
    for race in races {
        won += u32::from(race.await.unwrap().is_ok());
    }
    assert_eq!(won, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_at_once_one_holds_the_slot_on_sqlite() {
    a_race("sqlite").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_at_once_one_holds_the_slot_on_postgres() {
    a_race("postgres").await;
}
