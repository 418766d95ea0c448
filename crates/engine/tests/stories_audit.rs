//! The audit trail verifies, and shows every byte that somebody edits behind its back.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use suture_engine::Error;
use suture_engine::audit::Verdict;
use suture_sim::on_both_databases;
use suture_sim::world::{NewVisit, World};
use suture_store::statement::Statement;

on_both_databases!(
    the_trail_of_a_payment_verifies_and_is_sealed,
    an_edited_byte_of_the_journal_is_found,
    an_edited_byte_of_a_stream_is_found,
    an_edited_byte_of_the_ledger_is_found,
    a_deleted_stream_is_found,
);

async fn sealed(world: &mut World) {
    let link = world.link(&NewVisit::due(0, 12_000)).await.unwrap();
    world.take(&link.id, 12_000, "pm_card_visa").await.unwrap();
    world.settle().await.unwrap();
    while world.engine(0).seal(&world.organization).await.unwrap() {}
}

async fn verdict(world: &World) -> Verdict {
    world.engine(0).verify_audit(&world.organization).await.unwrap()
}

/// Edits the database as somebody with a password could, and says what the trail says then.
async fn after(world: &mut World, edit: Statement) -> Verdict {
    sealed(world).await;
    assert!(verdict(world).await.intact);
    let organization = world.organization.clone();
    let edited = world
        .store()
        .write(move |tx| tx.execute(&edit, &[organization.as_str().into()]).map_err(Error::from))
        .await
        .unwrap();
    assert!(edited > 0, "the edit touched nothing");
    verdict(world).await
}

async fn the_trail_of_a_payment_verifies_and_is_sealed(mut world: World) {
    sealed(&mut world).await;
    let verdict = verdict(&world).await;
    assert!(verdict.intact, "{verdict:?}");
    assert_eq!((verdict.unsealed, verdict.seals), (0, 1));
    assert!(verdict.entries > 5 && verdict.ledger_entries >= 2, "{verdict:?}");
}

async fn an_edited_byte_of_the_journal_is_found(mut world: World) {
    const EDIT: Statement = Statement::new(
        "edit journal",
        "update journal set body = replace(body, '12000', '12001') where organization = $1 and kind = 'payment.captured'",
    );
    let verdict = after(&mut world, EDIT).await;
    assert!(!verdict.intact && verdict.broken.is_some(), "{verdict:?}");
}

async fn an_edited_byte_of_a_stream_is_found(mut world: World) {
    const EDIT: Statement = Statement::new(
        "edit stream",
        "update streams set state = replace(state, '\"captured_minor\":12000', '\"captured_minor\":12001') \
         where organization = $1 and kind = 'payment'",
    );
    let verdict = after(&mut world, EDIT).await;
    assert!(!verdict.intact && verdict.broken.is_some(), "{verdict:?}");
}

async fn an_edited_byte_of_the_ledger_is_found(mut world: World) {
    const EDIT: Statement = Statement::new(
        "edit ledger",
        "update ledger_entries set lines = replace(lines, '12000', '12001') where organization = $1",
    );
    let verdict = after(&mut world, EDIT).await;
    assert!(!verdict.intact && verdict.broken.is_some(), "{verdict:?}");
}

async fn a_deleted_stream_is_found(mut world: World) {
    const EDIT: Statement = Statement::new(
        "delete entries",
        "delete from journal where organization = $1 and kind like 'posting.%'",
    );
    let verdict = after(&mut world, EDIT).await;
    assert!(!verdict.intact && verdict.broken.is_some(), "{verdict:?}");
}
