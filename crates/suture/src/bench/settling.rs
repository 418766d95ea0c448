//! Settling 10,000 services at once: one remittance decides them all, and leaves nothing, something due, or a credit.

use std::sync::Arc;
use std::time::Duration;

use suture_core::id::ServiceId;
use suture_core::money::Money;
use suture_core::service::{Command, Line, NoteKind};
use suture_engine::Error;
use suture_engine::billing::{Authorize, NewEstimate, NewService, Note};

use super::billing_stage::{BillingStage, note};
use super::end_to_end::{rate, usize_of};
use super::program::now;
use super::remittance::{Decided, write};

/// Every service has a captured estimate of 60.00; the payer says 60.00, 90.00 or 35.00.
const PARTS: [i64; 3] = [6_000, 9_000, 3_500];
const TASKS: u64 = 32;

/// Prints services per second until every decision is booked, and until every refund is proven, and what the books say.
pub(super) async fn measure(url: &str, services: u64) -> Result<(), String> {
    let stage = Arc::new(BillingStage::set(url).await?);
    let begun = now();
    let mut tasks = Vec::new();
    for task in 0..TASKS {
        let stage = stage.clone();
        tasks.push(tokio::spawn(async move {
            for number in (task..services).step_by(usize_of(TASKS)) {
                billed(&stage, number).await.map_err(|error| format!("service {number}: {error}"))?;
            }
            Ok::<_, String>(())
        }));
    }
    for task in tasks {
        task.await.map_err(|error| error.to_string())??;
    }
    println!("prepared {services} billed services with a captured estimate in {:.1?}", begun.elapsed());
    let part = |number: u64| PARTS[usize_of(number % 3)];
    let decided =
        (0..services).map(|number| Decided { number: claim(number), paid: 13_000, patient: part(number) });
    let file = write(decided, 2);
    let calls = stage.gateway.calls();
    let begun = now();
    stage
        .engine
        .import_remittance(&stage.caller, file.into_bytes())
        .await
        .map_err(|error| error.to_string())?;
    // 30.00 are left of each third service once all is decided, and nothing is owed back once all is refunded.
    let due =
        i64::try_from((0..services).filter(|number| part(*number) == 9_000).count()).unwrap_or(0) * 3_000;
    until(&stage, |balance| balance("ar:payer") == 0).await?;
    let booked = begun.elapsed();
    until(&stage, |balance| balance("credit:patient") == 0 && balance("deposit:patient") == 0).await?;
    let refunded = begun.elapsed();
    let proof = stage.engine.proof(&stage.caller.organization, stage.engine.now()).await;
    let proof = proof.map_err(|error| error.to_string())?;
    let owed = balance(&stage, "ar:patient").await?;
    println!(
        "{services} services: decided and settling begun {:.0}/s ({booked:.1?}), every credit refunded {:.0}/s \
         ({refunded:.1?}, {} calls to the gateway); patients owe {} of {} expected; difference of the ledger {:?}",
        rate(services, booked),
        rate(services, refunded),
        stage.gateway.calls() - calls,
        Money::usd(owed),
        Money::usd(due),
        proof.sums
    );
    match proof.balanced && owed == due {
        true => Ok(()),
        false => Err("the books do not say what they should".to_owned()),
    }
}

fn claim(number: u64) -> String {
    format!("S{number}")
}

/// One service of 300.00 with a captured estimate of 60.00, given, signed and billed.
async fn billed(stage: &BillingStage, number: u64) -> Result<(), Error> {
    let (engine, caller) = (&stage.engine, &stage.caller);
    let patient = stage.patient().await?;
    let eligibility = stage.check(patient, 6_000).await?;
    let new = NewEstimate { eligibility, patient, instead: None, service_at: None };
    let estimate = engine.create_estimate(caller, new).await?;
    let currency = estimate.amount.currency;
    let new = NewService { patient, eligibility: Some(eligibility), at: None, currency, account: None };
    let service: ServiceId = engine.create_service(caller, new).await?.id;
    let how = Authorize { method: Some("pm_card_visa".to_owned()), ..Authorize::default() };
    engine.authorize_estimate(caller, estimate.id, how).await?;
    engine.capture_estimate(caller, estimate.id, None).await?;
    let line = |code: &str, minor| Line { code: code.to_owned(), charge: Money::usd(minor) };
    let lines = vec![line("99214", 20_000), line("80053", 10_000)];
    engine.change_service(caller, service, Command::Deliver { lines }, "visit").await?;
    let signed = Note { kind: NoteKind::Note, signer: "dr-lee".to_owned(), text: note() };
    engine.sign_note(caller, service, signed).await?;
    engine.change_service(caller, service, Command::Bill { claim: claim(number) }, "claim_sent").await?;
    Ok(())
}

async fn balance(stage: &BillingStage, account: &str) -> Result<i64, String> {
    let balances = stage.engine.balances(&stage.caller.organization, stage.engine.now()).await;
    let balances = balances.map_err(|error| error.to_string())?;
    Ok(balances.iter().find(|(known, _)| known == account).map_or(0, |(_, amount)| amount.minor))
}

async fn until(stage: &BillingStage, is: impl Fn(&dyn Fn(&str) -> i64) -> bool) -> Result<(), String> {
    // The balances are summed from every line of the ledger: asking often would slow down what is measured.
    for _ in 0..1_200 {
        let balances = stage.engine.balances(&stage.caller.organization, stage.engine.now()).await;
        let balances = balances.map_err(|error| error.to_string())?;
        let of = |account: &str| {
            balances.iter().find(|(known, _)| known == account).map_or(0, |(_, amount)| amount.minor)
        };
        if is(&of) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let left = stage.engine.depths(&stage.caller.organization).await.map_err(|error| error.to_string())?;
    let left: Vec<String> = left
        .iter()
        .map(|depth| format!("{} {} for {}", depth.count, depth.state, depth.destination))
        .collect();
    Err(format!("the services were not settled within five minutes; effects left: {}", left.join(", ")))
}
