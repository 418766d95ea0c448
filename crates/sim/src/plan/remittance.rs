//! Hybrid visits that do not go as planned after the insurance's decision (FLOWS 2D, 2E, 2.5, 2.6): denials, an expired card,
//! a refund that fails.

use serde_json::json;
use suture_core::money::Money;
use suture_core::payment::{self, Payment, Purpose};
use suture_core::service::{self, Command};
use suture_engine::billing::Authorize;

use super::clinic::DAY;
use super::hybrid::{Insured, decided_underpaid, insured};
use super::program::Scenario;
use super::scene::{Scene, Told};

const GROUP: &str = "remittance";

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        group: GROUP,
        name: "a_denial_at_the_clinics_cost_bills_nobody",
        claim: "A denial that is the clinic's (CO) is never billed to the patient, and her deposit stays hers",
        walk: |scene| Box::pin(denied_to_clinic(scene)),
    },
    Scenario {
        group: GROUP,
        name: "a_denial_at_the_patients_cost_asks",
        claim: "A denial that is the patient's (PR) is billed; above what she agreed to nothing is charged without asking",
        walk: |scene| Box::pin(denied_to_patient(scene)),
    },
    Scenario {
        group: GROUP,
        name: "an_expired_card_after_insurance",
        claim: "A card that expired before the balance is charged: a link and a person, and the renewed card pays once",
        walk: |scene| Box::pin(expired(scene)),
    },
    Scenario {
        group: GROUP,
        name: "a_refund_that_fails_stays_a_credit",
        claim: "A refund that the bank sends back stays what we owe her, and a person is asked how she gets it",
        walk: |scene| Box::pin(refund_failed(scene)),
    },
];

async fn denied_to_clinic(scene: &mut Scene) -> Told<()> {
    let visit = insured(scene, "2D").await?;
    scene.world.pass(DAY).await?;
    scene.world.payer_pays().await?;
    let happened = [
        "The insurance pays nothing, for a reason that is the clinic's (group CO).",
        "The 300.00 stay with the insurance's debts, where somebody appeals or gives them up. She owes nothing of them.",
    ];
    scene.step("The insurance refuses the claim", &happened).await?;
    scene.expect_bill("decided, and nothing to settle", &visit, service::Status::Adjudicated).await?;
    scene.expect_booked("nothing moves, and nothing is hers", &[]);
    let invoice = scene.world.service(visit.service).await?.invoice;
    scene.expect("she has no invoice", None, invoice);
    scene.expect_question("a person appeals or gives it up", "denials").await?;
    scene.expect_said("she is not written to about money", &[]);
    scene.world.pass(10 * DAY).await?;
    let refused = pays(scene, &visit).await;
    scene.step("Ten days later somebody tries to charge her", &[]).await?;
    scene.expect("refused: nothing is due", Err("nothing_due"), refused);
    scene.expect_moved("only her deposit was ever charged", 1, 0);

    let nothing = Command::SetResponsibility { responsibility: Money::usd(0), author: "biller".to_owned() };
    scene.world.on_service(visit.service, nothing).await?;
    scene.world.engine(0).settle_service(&scene.world.caller(), visit.service).await?;
    scene.step("A biller decides that she owes nothing: her deposit goes back", &[]).await?;
    scene.expect_booked("40.00", &[("gw:stripe", -4_000), ("deposit:patient", 4_000)]);
    scene.expect_books(
        "what is left is between clinic and insurance",
        &[("ar:payer", 30_000), ("rev:service", -30_000)],
    );
    Ok(())
}

async fn denied_to_patient(scene: &mut Scene) -> Told<()> {
    let visit = insured(scene, "2E").await?;
    scene.world.pass(DAY).await?;
    scene.world.payer_pays().await?;
    let happened = [
        "The insurance does not cover this visit (group PR): 300.00 are hers. 40.00 are paid, 260.00 are left.",
        "She agreed to 150.00 without being asked. So nothing is charged.",
    ];
    scene.step("The insurance refuses the claim at the patient's cost", &happened).await?;
    scene.expect_booked(
        "it is hers now, not the insurance's",
        &[("ar:payer", -30_000), ("deposit:patient", 4_000), ("ar:patient", 26_000)],
    );
    scene.world.pass(6 * DAY).await?;
    scene.step("Six days later the notice is over", &[]).await?;
    scene.expect_moved("above what she agreed to nothing is charged", 1, 0);
    scene.expect_question("a person asks for a new consent", "billing").await?;
    let paid = pays(scene, &visit).await;
    scene.step("She is there and pays 260.00", &[]).await?;
    scene.expect("with her there no consent is needed", Ok(()), paid);
    scene.expect_booked("260.00", &[("gw:stripe", 26_000), ("ar:patient", -26_000)]);
    scene.expect_bill("the bill is settled", &visit, service::Status::Completed).await?;
    Ok(())
}

/// The patient, present, pays what is left. Says the code of a refusal.
async fn pays(scene: &mut Scene, visit: &Insured) -> Result<(), &'static str> {
    let card = scene.card_of(visit.patient).await.map_err(|_| "no_card")?;
    let how = Authorize { method: Some(card), ..Authorize::default() };
    let caller = scene.world.caller();
    match scene.world.engine(0).charge_balance(&caller, visit.service, how).await {
        Ok(_) => scene.world.settle().await.map(|_| ()).map_err(|_| "not_settled"),
        Err(suture_engine::Error::Refused(refusal)) => Err(refusal.code),
        Err(_) => Err("failed"),
    }
}

async fn expired(scene: &mut Scene) -> Told<()> {
    let visit = insured(scene, "2A").await?;
    let card = scene.card_of(visit.patient).await?;
    let body = json!({ "payment_method": card, "exp_month": 10, "exp_year": 2026 });
    scene.world.outside.at_stripe("card", &body)?;
    decided_underpaid(scene, &visit).await?;
    scene.world.pass(6 * DAY).await?;
    scene
        .step(
            "The notice is over, and the card on file has expired",
            &["The charge of 10.00 fails. It is never a silent failure."],
        )
        .await?;
    scene.expect_booked("no money moved; 10.00 are still owed", &[]);
    scene.expect_bill("the bill stays open", &visit, service::Status::Settling).await?;
    scene.expect_question("a person knows", "collections").await?;
    let told = scene.steps.last().is_some_and(|step| {
        step.said.iter().any(|said| said.to == "patient" && said.template == "payment_declined")
    });
    scene.expect("she has a link to pay in another way", true, told);

    let renewed = json!({ "payment_method": card, "exp_month": 10, "exp_year": 2030 });
    scene.world.outside.at_stripe("replace_card", &renewed)?;
    scene.world.settle().await?;
    match balance(scene).await?.filter(|paid| paid.status() == payment::Status::RequiresMethod) {
        Some(waiting) => {
            let caller = scene.world.caller();
            scene.world.engine(0).retry_payment(&caller, waiting.id, card).await?;
        }
        None => pays(scene, &visit).await.map_err(str::to_owned)?,
    }
    scene.step("Her bank renews the card, and the payment is tried again", &[]).await?;
    scene.expect_booked("10.00, once", &[("gw:stripe", 1_000), ("ar:patient", -1_000)]);
    scene.expect_bill("the bill is settled", &visit, service::Status::Completed).await?;
    scene.expect_moved("two charges", 2, 0);
    scene.expect_said("nobody is told of a failure that is none", &[]);
    Ok(())
}

/// The payment of a balance; the intent of a mirrored invoice has no attempt of ours.
async fn balance(scene: &Scene) -> Told<Option<Payment>> {
    let payments = scene.world.payments().await?;
    let ours = |payment: &Payment| payment.purpose == Some(Purpose::Balance) && !payment.attempts.is_empty();
    Ok(payments.into_iter().find(ours))
}

async fn refund_failed(scene: &mut Scene) -> Told<()> {
    let visit = insured(scene, "2B").await?;
    scene.world.outside.at_stripe("refunds", &json!({ "outcome": "fail", "next": 1 }))?;
    scene.world.pass(DAY).await?;
    scene.world.payer_pays().await?;
    scene.world.pass(40 * DAY).await?;
    let happened =
        ["15.00 are hers, but the bank of her card sends the refund back. Nothing is tried again by itself."];
    scene.step("The insurance leaves less than the deposit, and the refund fails", &happened).await?;
    let credits: Vec<i64> = scene
        .world
        .engine(0)
        .credits(&scene.world.organization, 10)
        .await?
        .iter()
        .map(|credit| credit.amount.minor)
        .collect();
    scene.expect("we owe her 15.00, visibly", vec![1_500], credits);
    scene
        .expect_bill("the bill is not settled before she has them", &visit, service::Status::Settling)
        .await?;
    scene.expect_books(
        "15.00 of the money at Stripe are hers",
        &[
            ("gw:stripe", 4_000),
            ("bank", 15_500),
            ("adj:contractual", 12_000),
            ("credit:patient", -1_500),
            ("rev:service", -30_000),
        ],
    );
    scene.expect_question("a person is asked how she gets them", "failed-refunds").await
}
