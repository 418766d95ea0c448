//! The task that posts Stripe's webhooks and Epicor's callbacks when they are due.
//!
//! Started by `server`. Woken by the bell (a request may have made events) and by time. What must stay true: every
//! delivery that was taken is reported, also when the endpoint does not answer.

use crate::server::{Shared, lock};
use reqwest::Client;
use reqwest::redirect::Policy;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Posts at the same time.
const POSTS_MAX: usize = 64;
/// Stripe waits this long for an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// The clock can be jumped from elsewhere, so time is looked at this often at least.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The client that posts. Redirects are failures (FACTS §e).
///
/// # Errors
/// When the client cannot be built.
pub(crate) fn client() -> io::Result<Client> {
    // Another part of the process may have chosen the provider before; then that one is used.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .redirect(Policy::none())
        .timeout(ANSWER_WITHIN)
        .no_proxy()
        .build()
        .map_err(|error| io::Error::other(format!("cannot build the webhook client: {error}")))
}

/// Delivers until it is aborted.
pub(crate) async fn run(shared: Shared, client: Client) {
    let permits = Arc::new(Semaphore::new(POSTS_MAX));
    loop {
        let now_ms = shared.clock.now_ms();
        let (due, next_ms) = {
            let mut world = lock(&shared.stripe);
            (world.due_deliveries(now_ms), world.next_due_ms())
        };
        for delivery in due {
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
            let (shared, client) = (shared.clone(), client.clone());
            tokio::spawn(async move {
                let outcome = post(&client, &delivery.url, &delivery.headers, delivery.body).await;
                lock(&shared.stripe).delivered(delivery.id, shared.clock.now_ms(), &outcome);
                shared.bell.notify_one();
                drop(permit);
            });
        }
        let (callbacks, callback_ms) = {
            let mut world = lock(&shared.epicor);
            (world.due_deliveries(now_ms), world.next_due_ms())
        };
        for callback in callbacks {
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
            let (shared, client) = (shared.clone(), client.clone());
            tokio::spawn(async move {
                let outcome = post(&client, &callback.url, &callback.headers, callback.body).await;
                lock(&shared.epicor).delivered(callback.id, &outcome);
                drop(permit);
            });
        }
        let next_ms = [next_ms, callback_ms].into_iter().flatten().min();
        let wait_ms = next_ms.map(|next_ms| next_ms.saturating_sub(shared.clock.now_ms()).max(0));
        let wait =
            wait_ms.and_then(|wait| u64::try_from(wait).ok()).map_or(LOOK_EVERY, Duration::from_millis);
        // Either the bell or the time: both mean to look again.
        let _woken = tokio::time::timeout(wait.min(LOOK_EVERY), shared.bell.notified()).await;
    }
}

async fn post(
    client: &Client,
    url: &str,
    headers: &[(String, String)],
    body: Vec<u8>,
) -> Result<u16, String> {
    let mut request = client.post(url).body(body);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    match request.send().await {
        Ok(response) => Ok(response.status().as_u16()),
        Err(error) => Err(error.without_url().to_string()),
    }
}
