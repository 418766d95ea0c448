//! Webhook → fact → ledger → journal → flow → Epic post → confirmation, with everything on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::payload;
use super::program::now;
use super::stage::Stage;
use super::wire::{Connection, percentile};

/// What a run at full load came to.
pub(super) struct Throughput {
    pub(super) payments: u64,
    pub(super) acknowledged_per_second: f64,
    pub(super) confirmed_per_second: f64,
    pub(super) doubles: u64,
}

/// Sends `payments` webhooks over `clients` connections as fast as they are acknowledged, and waits until every one is
/// confirmed in Epic.
pub(super) async fn full_load(stage: &Stage, payments: u64, clients: u64) -> Result<Throughput, String> {
    let requests = Arc::new(stage.requests(0, payments));
    let begun = now();
    let mut tasks = Vec::new();
    for client in 0..clients {
        let (requests, address) = (requests.clone(), stage.address);
        tasks.push(tokio::spawn(async move {
            let mut connection = Connection::open(address).await.map_err(|error| error.to_string())?;
            for request in requests.iter().skip(usize_of(client)).step_by(usize_of(clients)) {
                match connection.exchange(request).await {
                    Ok(200) => {}
                    Ok(status) => return Err(format!("a webhook was answered with {status}")),
                    Err(error) => return Err(error.to_string()),
                }
            }
            Ok(())
        }));
    }
    for task in tasks {
        task.await.map_err(|error| error.to_string())??;
    }
    let acknowledged = begun.elapsed();
    stage.wait_until_confirmed(payments).await?;
    let confirmed = begun.elapsed();
    Ok(Throughput {
        payments,
        acknowledged_per_second: rate(payments, acknowledged),
        confirmed_per_second: rate(payments, confirmed),
        doubles: stage.sink.doubles(),
    })
}

/// Latencies at a steady rate: webhook sent → acknowledged, and webhook sent → arrived in Epic.
pub(super) struct Latency {
    pub(super) acknowledged: (Duration, Duration),
    pub(super) arrived: (Duration, Duration),
}

/// Sends webhooks at a steady rate and measures p50 and p99.
pub(super) async fn steady(
    stage: &Stage,
    first: u64,
    payments: u64,
    per_second: u64,
) -> Result<Latency, String> {
    let requests = stage.requests(first, payments);
    stage.sink.arrivals();
    let done = stage.sink.posts();
    let begun = now();
    let mut tasks = Vec::new();
    let clients = 32;
    let requests = Arc::new(requests);
    for client in 0..clients {
        let (requests, address) = (requests.clone(), stage.address);
        tasks.push(tokio::spawn(async move {
            let mut connection = Connection::open(address).await.map_err(|error| error.to_string())?;
            let mut sent = Vec::new();
            for number in (client..payments).step_by(usize_of(clients)) {
                let due = begun + Duration::from_micros(number * 1_000_000 / per_second);
                tokio::time::sleep_until(due.into()).await;
                let at = now();
                let status = connection
                    .exchange(&requests[usize_of(number)])
                    .await
                    .map_err(|error| error.to_string())?;
                if status != 200 {
                    return Err(format!("a webhook was answered with {status}"));
                }
                sent.push((first + number, at, at.elapsed()));
            }
            Ok(sent)
        }));
    }
    let mut sent = std::collections::HashMap::new();
    let mut acknowledged = Vec::new();
    for task in tasks {
        for (number, at, took) in task.await.map_err(|error| error.to_string())?? {
            sent.insert(number, at);
            acknowledged.push(took);
        }
    }
    stage.wait_until_confirmed(done + payments).await?;
    let mut arrived: Vec<Duration> = stage
        .sink
        .arrivals()
        .into_iter()
        .filter_map(|(number, at)| sent.get(&number).map(|sent: &Instant| at.duration_since(*sent)))
        .collect();
    acknowledged.sort();
    arrived.sort();
    let both = |sorted: &[Duration]| (percentile(sorted, 50), percentile(sorted, 99));
    Ok(Latency { acknowledged: both(&acknowledged), arrived: both(&arrived) })
}

pub(super) fn rate(count: u64, took: Duration) -> f64 {
    let count = u32::try_from(count).map(f64::from).unwrap_or(f64::MAX);
    #[expect(clippy::float_arithmetic, reason = "a rate for people, not money")]
    let rate = count / took.as_secs_f64();
    rate
}

pub(super) fn usize_of(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Keeps the payload module's size honest: events are about as large as real ones.
pub(super) fn event_bytes() -> usize {
    payload::charge_succeeded(1, "lnk_0", 1).len()
}

/// Prints throughput at full load and latencies at 500 payments per second.
pub(super) async fn measure(url: &str, payments: u64) -> Result<(), String> {
    let stage = Stage::set(url, true).await?;
    let run = full_load(&stage, payments, 64).await?;
    println!(
        "full load, 64 connections: {} payments; acknowledged {:.0}/s, confirmed in Epic {:.0}/s, posted twice: {}",
        run.payments, run.acknowledged_per_second, run.confirmed_per_second, run.doubles
    );
    let latency = steady(&stage, payments, 5_000, 500).await?;
    println!(
        "500/s for 10 s: acknowledged p50 {:?} p99 {:?}; arrived in Epic p50 {:?} p99 {:?}",
        latency.acknowledged.0, latency.acknowledged.1, latency.arrived.0, latency.arrived.1
    );
    Ok(())
}
