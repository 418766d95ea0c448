//! Durable intake: webhooks accepted, verified and on disk before they are acknowledged, beside a server that only
//! verifies, and beside the same rows inserted without HTTP.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use suture_core::audit::chain::Hash;
use suture_store::effects::{self, NewEffect};
use suture_store::inbox::{self, NewMessage};

use super::end_to_end::{rate, usize_of};
use super::payload;
use super::program::now;
use super::stage::Stage;
use super::wire::{Connection, percentile};

/// Prints the table.
pub(super) async fn measure(url: &str) -> Result<(), String> {
    let stage = Stage::set(url, false).await?;
    let bare = bare_server().await?;
    let mut first = 0;
    for (clients, count) in [(1, 2_000), (16, 15_000), (64, 30_000)] {
        let requests = Arc::new(stage.requests(first, count));
        let (accepted, latencies) = send(stage.address, &requests, clients).await?;
        let (verified, _) = send(bare, &requests, clients).await?;
        let inserted = insert_rows(&stage, first, count, clients).await?;
        first += count;
        println!(
            "c={clients:<2} durable intake {accepted:>6.0}/s, p50 {:?}, p99 {:?} | only verified {verified:>6.0}/s | \
             same rows inserted {inserted:>6.0}/s | intake / inserts {:.2}",
            percentile(&latencies, 50),
            percentile(&latencies, 99),
            ratio(accepted, inserted)
        );
    }
    Ok(())
}

pub(super) fn ratio(left: f64, right: f64) -> f64 {
    #[expect(clippy::float_arithmetic, reason = "a ratio for people, not money")]
    let ratio = left / right;
    ratio
}

async fn send(
    address: SocketAddr,
    requests: &Arc<Vec<Vec<u8>>>,
    clients: u64,
) -> Result<(f64, Vec<Duration>), String> {
    let begun = now();
    let mut tasks = Vec::new();
    for client in 0..clients {
        let requests = requests.clone();
        tasks.push(tokio::spawn(async move {
            let mut connection = Connection::open(address).await.map_err(|error| error.to_string())?;
            let mut took = Vec::new();
            for request in requests.iter().skip(usize_of(client)).step_by(usize_of(clients)) {
                let at = now();
                let status = connection.exchange(request).await.map_err(|error| error.to_string())?;
                if status != 200 {
                    return Err(format!("a webhook was answered with {status}"));
                }
                took.push(at.elapsed());
            }
            Ok(took)
        }));
    }
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.map_err(|error| error.to_string())??);
    }
    let whole = begun.elapsed();
    latencies.sort();
    let count = u64::try_from(requests.len()).unwrap_or(u64::MAX);
    Ok((rate(count, whole), latencies))
}

/// A server that checks the signature and forgets the event: the limit of any intake in this language.
async fn bare_server() -> Result<SocketAddr, String> {
    use axum::http::{HeaderMap, StatusCode};
    async fn verify(headers: HeaderMap, body: axum::body::Bytes) -> StatusCode {
        let given = headers.get("stripe-signature").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let t = given.strip_prefix("t=").and_then(|rest| rest.split(',').next()).and_then(|t| t.parse().ok());
        match t.map(|t| payload::signature(&body, t) == given) {
            Some(true) => StatusCode::OK,
            _ => StatusCode::BAD_REQUEST,
        }
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let app = axum::Router::new().route("/webhooks/{connection}", axum::routing::post(verify));
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}

/// The rows of the intake, through the store's shared commits, without HTTP, signature or parsing.
async fn insert_rows(stage: &Stage, first: u64, count: u64, tasks: u64) -> Result<f64, String> {
    let store = stage.engine.store().clone();
    let now_at = stage.engine.now();
    let body = payload::charge_succeeded(first, "lnk_0", now_at.seconds());
    let begun = now();
    let mut running = Vec::new();
    for task in 0..tasks {
        let (store, organization, body) = (store.clone(), stage.organization.clone(), body.clone());
        running.push(tokio::spawn(async move {
            for number in (first + task..first + count).step_by(usize_of(tasks)) {
                let keyring = store.keyring().clone();
                let message = format!("raw_{number:032}");
                let place = inbox::place(&organization, &message);
                let new = NewMessage {
                    connection: "con_raw".to_owned(),
                    event_id: format!("evt_raw{number:016}"),
                    event_type: "charge.succeeded".to_owned(),
                    object_id: None,
                    body_hash: Hash::of(&body),
                    sealed: keyring.seal(&place, &body)?,
                    message: message.clone(),
                };
                let effect = NewEffect {
                    id: message,
                    kind: "apply_message",
                    lane: None,
                    destination: "con_raw".to_owned(),
                    stream: None,
                    due_at: now_at,
                    payload: "{}".to_owned(),
                };
                let organization = organization.clone();
                store
                    .write_in_lane(usize_of(number), move |tx| {
                        inbox::receive(tx, &keyring, &organization, &new, now_at)?;
                        effects::insert(tx, &organization, &effect, now_at)
                    })
                    .await?;
            }
            Ok::<_, suture_store::Error>(())
        }));
    }
    for task in running {
        task.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    }
    Ok(rate(count, begun.elapsed()))
}
