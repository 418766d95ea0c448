//! Choices, notices, passes and wordings as stored, on both engines.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use suture_core::redact::Phi;
use suture_core::time::Timestamp;
use suture_store::contacts::{self, Choice};
use suture_store::testkit::{Fresh, keyring};
use suture_store::{Error, Keyring, Store, notices, passes, wordings};

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
    the_last_word_about_a_channel_and_topic_counts,
    notices_are_found_by_what_they_are_about_and_texts_are_sealed_and_end,
    a_pass_serves_once_and_is_forgotten_after_its_end,
    words_of_an_organization_are_kept_until_they_are_removed,
);

fn at(second: i64) -> Timestamp {
    Timestamp::from_seconds(second)
}

fn choice(topic: &str, wants: bool, second: i64) -> Choice {
    Choice {
        channel: "sms".to_owned(),
        topic: topic.to_owned(),
        wants,
        since: at(second),
        by: "text".to_owned(),
    }
}

async fn the_last_word_about_a_channel_and_topic_counts(store: Store) {
    let kept = store.write(|tx| {
        contacts::put(tx, ORG, "pat_1", &choice("", false, 1))?;
        contacts::put(tx, ORG, "pat_1", &choice("offers", true, 2))?;
        contacts::put(tx, ORG, "pat_1", &choice("", true, 3))?;
        contacts::put(tx, ORG, "pat_2", &choice("", false, 4))?;
        contacts::put(tx, "org_2", "pat_1", &choice("", false, 5))?;
        assert!(contacts::remove(tx, (ORG, "pat_1"), "sms", "offers")?);
        assert!(!contacts::remove(tx, (ORG, "pat_1"), "sms", "offers")?);
        contacts::list(tx, ORG, "pat_1")
    });
    assert_eq!(kept.await.unwrap(), [choice("", true, 3)]);
}

async fn notices_are_found_by_what_they_are_about_and_texts_are_sealed_and_end(store: Store) {
    let found = store.write(|tx| {
        for (subject, notice) in
            [("apt_1", "ntc_1"), ("apt_1", "ntc_2"), ("pat_1", "ntc_1"), ("apt_1", "ntc_1")]
        {
            notices::relate(tx, ORG, subject, notice)?;
        }
        let text = Phi::new("Tue 24 Nov".to_owned());
        notices::put_text(tx, &keyring(), (ORG, "ntc_1", "values"), &text, at(10))?;
        notices::put_text(tx, &keyring(), (ORG, "ntc_2", "values"), &text, at(20))?;
        notices::list_about(tx, ORG, "apt_1", "", 10)
    });
    assert_eq!(found.await.unwrap(), ["ntc_1", "ntc_2"]);
    let newer = Keyring::new(&[("new".to_owned(), vec![1; 32]), ("test".to_owned(), vec![7; 32])]).unwrap();
    let kept = store.write(move |tx| {
        assert_eq!(notices::list_about(tx, ORG, "apt_1", "ntc_1", 10)?, ["ntc_2"]);
        assert_eq!(notices::purge(tx, at(20))?, 1);
        assert!(notices::text(tx, &keyring(), (ORG, "ntc_1", "values"))?.is_none());
        assert_eq!(notices::reseal(tx, &newer, 10)?, 1);
        assert_eq!(notices::reseal(tx, &newer, 10)?, 0);
        assert!(matches!(notices::text(tx, &keyring(), (ORG, "ntc_2", "values")), Err(Error::KeyMissing(_))));
        notices::text(tx, &newer, (ORG, "ntc_2", "values"))
    });
    assert_eq!(kept.await.unwrap().unwrap().expose(), "Tue 24 Nov");
}

async fn a_pass_serves_once_and_is_forgotten_after_its_end(store: Store) {
    store.write(|tx| passes::mark_used(tx, ORG, "a", at(10), at(1))).await.unwrap();
    let again = store.write(|tx| passes::mark_used(tx, ORG, "a", at(10), at(2))).await.unwrap_err();
    assert!(again.is_conflict(), "{again}");
    let seen = store.write(|tx| {
        let used = (passes::is_used(tx, ORG, "a")?, passes::is_used(tx, "org_2", "a")?);
        assert_eq!(passes::purge(tx, at(11))?, 1);
        Ok::<_, Error>((used, passes::is_used(tx, ORG, "a")?))
    });
    assert_eq!(seen.await.unwrap(), ((true, false), false));
}

async fn words_of_an_organization_are_kept_until_they_are_removed(store: Store) {
    let seen = store.write(|tx| {
        wordings::put(tx, ORG, "receipt", "{\"a\":1}", at(1))?;
        wordings::put(tx, ORG, "receipt", "{\"a\":2}", at(2))?;
        let kept = (wordings::get(tx, ORG, "receipt")?, wordings::get(tx, "org_2", "receipt")?);
        assert_eq!(wordings::list(tx, ORG)?.len(), 1);
        assert!(wordings::remove(tx, ORG, "receipt")? && !wordings::remove(tx, ORG, "receipt")?);
        Ok::<_, Error>(kept)
    });
    assert_eq!(seen.await.unwrap(), (Some("{\"a\":2}".to_owned()), None));
}
