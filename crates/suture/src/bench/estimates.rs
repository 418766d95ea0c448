//! What an estimate charge costs us: made, authorized and captured through the API, less the time of the gateway.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use suture_core::id::EligibilityId;

use super::billing_stage::BillingStage;
use super::intake::ratio;
use super::program::now;
use super::wire::percentile;
use crate::remote::Remote;

/// Calls that only warm things up.
const WARM: usize = 30;

/// Prints the own time of each call at p50, beside an empty write transaction and an answer without one.
pub(super) async fn measure(url: &str, estimates: usize) -> Result<(), String> {
    let stage = BillingStage::set(url).await?;
    let api = Remote::try_new(&format!("http://{}", stage.address), Some(stage.key.clone()));
    let api = api.map_err(|failure| failure.to_string())?;
    let patient = stage.patient().await.map_err(|error| error.to_string())?;
    let mut checks = Vec::new();
    for _ in 0..estimates + WARM {
        checks.push(stage.check(patient, 6_000).await.map_err(|error| error.to_string())?);
    }
    let mut took: [Vec<Duration>; 3] = Default::default();
    for (number, check) in checks.iter().enumerate() {
        let times = one(&stage, &api, (number, *check), &patient.to_string()).await?;
        if number >= WARM {
            took.iter_mut().zip(times).for_each(|(all, time)| all.push(time));
        }
    }
    took.iter_mut().for_each(|all| all.sort());
    let empty = empty_write(&stage, estimates).await?;
    let health = bare_answer(&api, estimates).await?;
    let [made, authorized, captured] = took.map(|all| percentile(&all, 50));
    println!(
        "own time at p50, {estimates} estimates one after the other: made {made:?}, authorized {authorized:?}, captured \
         {captured:?}; made and captured {:?} | empty write transaction {empty:?} | answer of /health {health:?} | \
         made and captured / empty write {:.1}",
        made + captured,
        ratio((made + captured).as_secs_f64(), empty.as_secs_f64())
    );
    Ok(())
}

/// Makes, authorizes and captures one estimate; the time of each less the gateway's.
async fn one(
    stage: &BillingStage,
    api: &Remote,
    (number, check): (usize, EligibilityId),
    patient: &str,
) -> Result<[Duration; 3], String> {
    let body = json!({ "eligibility": check.to_string(), "patient": patient });
    let (made, first) = timed(stage, api, "/v1/estimates", &format!("make-{number}"), &body).await?;
    let id = made["id"].as_str().unwrap_or_default().to_owned();
    let body = json!({ "method": "pm_card_visa" });
    let path = format!("/v1/estimates/{id}/authorize");
    let (_, second) = timed(stage, api, &path, &format!("authorize-{number}"), &body).await?;
    let path = format!("/v1/estimates/{id}/capture");
    let (captured, third) = timed(stage, api, &path, &format!("capture-{number}"), &json!({})).await?;
    match captured["status"] == "captured" {
        true => Ok([first, second, third]),
        false => Err(format!("an estimate was not captured: {}", captured["status"])),
    }
}

async fn timed(
    stage: &BillingStage,
    api: &Remote,
    path: &str,
    key: &str,
    body: &Value,
) -> Result<(Value, Duration), String> {
    // What the call before still asked the gateway is not this call's.
    stage.gateway.busy_nanos();
    let begun = now();
    let answer = api.post(path, key, body).await.map_err(|failure| failure.to_string())?;
    let took = begun.elapsed();
    Ok((answer, took.saturating_sub(Duration::from_nanos(stage.gateway.busy_nanos()))))
}

async fn empty_write(stage: &BillingStage, count: usize) -> Result<Duration, String> {
    let mut took = Vec::new();
    for _ in 0..count {
        let begun = now();
        let store = stage.engine.store();
        store.write(|_| Ok::<_, suture_store::Error>(())).await.map_err(|error| error.to_string())?;
        took.push(begun.elapsed());
    }
    took.sort();
    Ok(percentile(&took, 50))
}

async fn bare_answer(api: &Remote, count: usize) -> Result<Duration, String> {
    let mut took = Vec::new();
    for _ in 0..count {
        let begun = now();
        api.send(Method::GET, "/health", &[], Vec::new()).await.map_err(|failure| failure.to_string())?;
        took.push(begun.elapsed());
    }
    took.sort();
    Ok(percentile(&took, 50))
}
