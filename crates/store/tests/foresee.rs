//! Questions that are asked ahead, on both engines: answered as if they had been asked in their place.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use suture_store::journal::{ask_referred, refer, referred};
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

on_both_engines!(
    a_foreseen_answer_is_given_once_and_then_the_truth_of_the_moment,
    what_was_written_before_is_seen,
    answers_do_not_outlive_their_work,
    a_write_that_failed_is_told_before_any_answer,
);

async fn a_foreseen_answer_is_given_once_and_then_the_truth_of_the_moment(store: Store) {
    let told = store.write(|tx| {
        tx.foresee(|| vec![ask_referred(ORG, "ch_1")])?;
        let before = referred(tx, ORG, "ch_1")?;
        refer(tx, ORG, "ch_1", "pay_1")?;
        Ok::<_, Error>((before, referred(tx, ORG, "ch_1")?))
    });
    assert_eq!(told.await.unwrap(), (None, Some("pay_1".to_owned())));
}

async fn what_was_written_before_is_seen(store: Store) {
    let told = store.write(|tx| {
        refer(tx, ORG, "ch_1", "pay_1")?;
        tx.foresee(|| vec![ask_referred(ORG, "ch_1"), ask_referred(ORG, "ch_2")])?;
        Ok::<_, Error>((referred(tx, ORG, "ch_2")?, referred(tx, ORG, "ch_1")?))
    });
    assert_eq!(told.await.unwrap(), (None, Some("pay_1".to_owned())));
}

async fn answers_do_not_outlive_their_work(store: Store) {
    let first = store.write(|tx| {
        tx.foresee(|| vec![ask_referred(ORG, "ch_1")])?;
        refer(tx, ORG, "ch_1", "pay_1")
    });
    first.await.unwrap();
    let second = store.write(|tx| referred(tx, ORG, "ch_1"));
    assert_eq!(second.await.unwrap(), Some("pay_1".to_owned()));
    let third = store.write(|tx| {
        tx.foresee(|| vec![ask_referred(ORG, "ch_2")])?;
        tx.forget();
        refer(tx, ORG, "ch_2", "pay_2")?;
        referred(tx, ORG, "ch_2")
    });
    assert_eq!(third.await.unwrap(), Some("pay_2".to_owned()));
}

async fn a_write_that_failed_is_told_before_any_answer(store: Store) {
    store.write(|tx| refer(tx, ORG, "ch_1", "pay_1")).await.unwrap();
    let told = store.write(|tx| {
        refer(tx, ORG, "ch_1", "pay_2")?;
        tx.foresee(|| vec![ask_referred(ORG, "ch_1")])?;
        referred(tx, ORG, "ch_1")
    });
    assert!(matches!(told.await, Err(Error::Conflict(_))));
    let kept = store.write(|tx| referred(tx, ORG, "ch_1"));
    assert_eq!(kept.await.unwrap(), Some("pay_1".to_owned()), "nothing of the failed work stayed");
}
