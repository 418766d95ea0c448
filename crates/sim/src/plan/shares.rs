//! Addenda to a signed note (FLOWS 3e, 3f): the difference is charged or paid back, and the provider's share follows it.

use suture_core::service;

use super::after_visit::{bill, visited};
use super::clinic::VISA;
use super::program::Scenario;
use super::scene::{Scene, Told};

const GROUP: &str = "addenda";

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        group: GROUP,
        name: "an_addendum_down",
        claim: "An addendum with a lower code pays the difference back, and the provider's share shrinks with it",
        walk: |scene| Box::pin(down(scene)),
    },
    Scenario {
        group: GROUP,
        name: "an_addendum_up",
        claim: "An addendum with a higher code charges the difference only, and the provider's share grows with it",
        walk: |scene| Box::pin(up(scene)),
    },
];

async fn down(scene: &mut Scene) -> Told<()> {
    let visited = visited(scene, VISA).await?;
    let encounter = scene.world.visit(visited.booked.id, &["99214"]).await?;
    scene.step("The signed note: 165.00", &[]).await?;
    scene.expect_booked(
        "15 % are the platform's, 85 % the provider's",
        &[("gw:stripe", 16_500), ("rev:platform", -2_475), ("owed:provider", -14_025)],
    );
    scene.world.addend(encounter.id, &["99213"]).await?;
    scene.step("An addendum: it was the shorter visit, 110.00", &["55.00 go back to her card."]).await?;
    scene.expect_booked(
        "both shares shrink in proportion",
        &[("gw:stripe", -5_500), ("rev:platform", 825), ("owed:provider", 4_675)],
    );
    scene.expect_moved("one charge, one refund", 1, 1);
    scene.expect(
        "the bill is settled",
        Some(service::Status::Completed),
        bill(scene, &visited.booked).await?,
    );
    scene.expect_books(
        "110.00: 16.50 and 93.50",
        &[("gw:stripe", 11_000), ("rev:platform", -1_650), ("owed:provider", -9_350)],
    );
    Ok(())
}

async fn up(scene: &mut Scene) -> Told<()> {
    let visited = visited(scene, VISA).await?;
    let encounter = scene.world.visit(visited.booked.id, &["99213"]).await?;
    scene.step("The signed note: 110.00", &[]).await?;
    scene.expect_moved("one charge", 1, 0);
    scene.world.addend(encounter.id, &["99214"]).await?;
    scene
        .step("An addendum: it was the longer visit, 165.00", &["55.00 more, within what she agreed to."])
        .await?;
    scene.expect_booked(
        "both shares grow in proportion",
        &[("gw:stripe", 5_500), ("rev:platform", -825), ("owed:provider", -4_675)],
    );
    scene.expect_moved("a second charge, of the difference", 2, 0);
    scene.world.addend(encounter.id, &["99213"]).await?;
    scene.world.addend(encounter.id, &["99214"]).await?;
    scene.step("Down again, and up again", &[]).await?;
    scene.expect_moved("each difference once", 3, 1);
    scene.expect_books(
        "165.00: 24.75 and 140.25",
        &[("gw:stripe", 16_500), ("rev:platform", -2_475), ("owed:provider", -14_025)],
    );
    Ok(())
}
