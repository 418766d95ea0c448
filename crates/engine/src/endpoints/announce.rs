//! Sending: one event to one endpoint, by the retry ladder of Standard Webhooks.
//!
//! The body is built when it is sent, from the journal. What must stay true: every send of one event carries the same
//! `webhook-id`, so a receiver knows a repetition; no transaction is open while a receiver takes its time; and a receiver
//! that hangs holds a bounded share of the workers.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use suture_connect::http::{HttpRequest, HttpResponse, Method};
use suture_core::catalogue::EventId;
use suture_core::redact::Secret;
use suture_core::time::Timestamp;
use suture_store::effects::{self, State};
use suture_store::endpoints::{self, Endpoint, Status};
use suture_store::journal::Stored;
use suture_store::{events, organizations};

use super::message::public_event;
use super::signature;
use crate::Error;
use crate::engine::Engine;
use crate::job::Job;
use crate::ports::{Reach, Undelivered};
use crate::worker::{After, Working};

/// Waits after each failure, in seconds; after the last try a person is asked.
/// <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>, "Retry schedule".
const LADDER_SECONDS: [u64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// How long a receiver may take.
pub(super) const LIMIT: Duration = Duration::from_secs(15);
/// How many messages one endpoint, and all together, may be busy with at once in this process.
const ONE_MAX: usize = 4;
const ALL_MAX: usize = 16;
/// How long a message waits that found no room. Not a try.
const TURN: Duration = Duration::from_secs(2);

/// Messages on their way, by endpoint.
#[derive(Debug, Default)]
pub(crate) struct InFlight(Mutex<BTreeMap<String, usize>>);

/// Room for one message; given back when dropped.
pub(crate) struct Place<'a> {
    all: &'a InFlight,
    endpoint: String,
}

impl InFlight {
    pub(crate) fn enter(&self, endpoint: &str) -> Option<Place<'_>> {
        let mut busy = self.0.lock().ok()?;
        let room = busy.values().sum::<usize>() < ALL_MAX;
        let count = busy.entry(endpoint.to_owned()).or_default();
        if !room || *count >= ONE_MAX {
            if *count == 0 {
                busy.remove(endpoint);
            }
            return None;
        }
        *count += 1;
        Some(Place { all: self, endpoint: endpoint.to_owned() })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let Ok(mut busy) = self.all.0.lock() else { return };
        let left = busy.get(&self.endpoint).map_or(0, |count| count.saturating_sub(1));
        match left {
            0 => busy.remove(&self.endpoint),
            left => busy.insert(self.endpoint.clone(), left),
        };
    }
}

/// What a receiver did with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// Any 2xx.
    Delivered(u16),
    /// 410: it wants no more.
    Gone,
    /// Anything else; the status, when there was one.
    Failed(Option<u16>, String),
}

/// What is needed to send.
struct Ready {
    endpoint: Option<Endpoint>,
    stored: Option<Stored>,
    sandbox: bool,
}

impl Engine {
    pub(crate) async fn announce(&self, working: &Working, job: &Job) -> Result<After, Error> {
        let Job::Announce { endpoint, stream, version, tries } = job else {
            return Ok(After::Dead { error: "this is no announcement".to_owned() });
        };
        let Some(_place) = self.0.outward.in_flight.enter(endpoint) else {
            return self.wait_for_turn(working).await;
        };
        let organization = &working.effect.organization;
        let ready = self.load_message(organization, endpoint, (stream, *version)).await?;
        let Some(endpoint) = ready.endpoint else {
            return self.end(working, State::Skipped, "the endpoint was removed").await;
        };
        if endpoint.status == Status::Disabled {
            return Ok(After::Parked { error: "the endpoint is disabled; enable it to go on".to_owned() });
        }
        let Some(body) = ready.stored.as_ref().and_then(public_event) else {
            // Only an edited payload can say so, or a catalogue that became narrower.
            return Ok(After::Dead { error: "there is no such public event".to_owned() });
        };
        if self.now() + LIMIT > working.until {
            return self.wait_for_turn(working).await;
        }
        let id = EventId { stream: stream.clone(), version: *version }.to_string();
        let body = body.to_string().into_bytes();
        let answer = self.send_message(&endpoint, (&id, body), ready.sandbox).await;
        match answer {
            Answer::Delivered(status) => {
                self.0.metrics.count("announcements", "outcome=\"delivered\"");
                self.end(working, State::Done, &format!("the receiver answered {status}")).await
            }
            Answer::Gone => self.disable_gone(working, &endpoint.id).await,
            Answer::Failed(_, error) => {
                self.0.metrics.count("announcements", "outcome=\"failed\"");
                Ok(after_failure(job, *tries, error, self.now()))
            }
        }
    }

    /// Signs and sends one message.
    pub(super) async fn send_message(
        &self,
        endpoint: &Endpoint,
        (id, body): (&str, Vec<u8>),
        sandbox: bool,
    ) -> Answer {
        let now = self.now();
        let request = request(endpoint, id, body, now);
        let reach = if sandbox { Reach::Anywhere } else { Reach::PublicOnly };
        judge(self.0.transport.notify(request, LIMIT, reach).await)
    }

    async fn load_message(
        &self,
        organization: &str,
        endpoint: &str,
        (stream, version): (&str, i64),
    ) -> Result<Ready, Error> {
        let keyring = self.0.store.keyring().clone();
        let (organization, endpoint) = (organization.to_owned(), endpoint.to_owned());
        let stream = stream.to_owned();
        self.0
            .store
            .read(move |tx| {
                let all = organizations::list(tx)?;
                let sandbox = all.iter().any(|one| one.id == organization && one.mode == "sandbox");
                Ok(Ready {
                    endpoint: endpoints::get(tx, &keyring, &organization, &endpoint)?,
                    stored: events::get(tx, &organization, &stream, version)?,
                    sandbox,
                })
            })
            .await
    }

    /// Puts a message back that found no room, without counting a try.
    pub(crate) async fn wait_for_turn(&self, working: &Working) -> Result<After, Error> {
        let (lease, effect, at) = (working.lease.clone(), working.effect.clone(), self.now() + TURN);
        let error = effect.error.clone().unwrap_or_else(|| "waits for its turn".to_owned());
        self.0
            .store
            .write(move |tx| effects::retry(tx, &lease, at, &error, &effect).map_err(Error::from))
            .await?;
        Ok(After::Finished)
    }

    async fn end(&self, working: &Working, state: State, note: &str) -> Result<After, Error> {
        let (lease, note, now) = (working.lease.clone(), note.to_owned(), self.now());
        self.0
            .store
            .write(move |tx| effects::finish(tx, &lease, state, Some(&note), now).map_err(Error::from))
            .await?;
        Ok(After::Finished)
    }

    /// A receiver that answers 410 wants no more. What waits is parked, so that enabling goes on where it stopped.
    async fn disable_gone(&self, working: &Working, id: &str) -> Result<After, Error> {
        let now = self.now();
        let keyring = self.0.store.keyring().clone();
        let (lease, endpoint) = (working.lease.clone(), id.to_owned());
        let note = format!("the receiver answered 410 at {}: it wants no more", now.to_rfc3339());
        self.0
            .store
            .write(move |tx| {
                if let Some(mut found) = endpoints::get(tx, &keyring, &lease.organization, &endpoint)? {
                    found.status = Status::Disabled;
                    found.note = Some(note.clone());
                    endpoints::update(tx, &keyring, &found, now)?;
                }
                effects::finish(tx, &lease, State::Parked, Some(&note), now).map_err(Error::from)
            })
            .await?;
        tracing::error!(
            endpoint = id,
            "endpoint {id} answered 410 and was disabled; a person must enable or remove it"
        );
        self.0.metrics.count("announcements", "outcome=\"gone\"");
        self.reload_endpoints().await?;
        Ok(After::Finished)
    }
}

/// The request of a message. The same event gives the same `webhook-id`, whenever and however often it is sent.
fn request(endpoint: &Endpoint, id: &str, body: Vec<u8>, now: Timestamp) -> HttpRequest {
    let seconds = now.millis().div_euclid(1000);
    let previous = endpoint.previous.as_ref().filter(|(_, until)| *until > now).map(|(secret, _)| secret);
    let secrets: Vec<&Secret<String>> = std::iter::once(&endpoint.secret).chain(previous).collect();
    let signature = signature::sign(&secrets, (id, seconds), &body);
    HttpRequest::new(Method::Post, &endpoint.url)
        .header("webhook-id", id)
        .header("webhook-timestamp", seconds.to_string())
        .secret_header("webhook-signature", signature)
        .body("application/json", body)
}

fn judge(answer: Result<HttpResponse, Undelivered>) -> Answer {
    match answer {
        Ok(response) => match response.status {
            status @ 200..=299 => Answer::Delivered(status),
            410 => Answer::Gone,
            status => Answer::Failed(Some(status), format!("the receiver answered {status}")),
        },
        Err(Undelivered::NotSent(cause)) => {
            Answer::Failed(None, format!("no connection to the receiver could be made ({cause})"))
        }
        Err(Undelivered::Lost(cause)) => {
            Answer::Failed(None, format!("the receiver's answer was lost ({cause}); it may have arrived"))
        }
    }
}

/// The next rung of the ladder, or a dead letter after the last.
fn after_failure(job: &Job, tries: u32, error: String, now: Timestamp) -> After {
    let rung = usize::try_from(tries).ok().and_then(|tries| LADDER_SECONDS.get(tries));
    let (Some(seconds), Job::Announce { endpoint, stream, version, .. }) = (rung, job) else {
        return After::Dead { error: format!("{error}; given up after {} tries", tries.saturating_add(1)) };
    };
    let next = Job::Announce {
        endpoint: endpoint.clone(),
        stream: stream.clone(),
        version: *version,
        tries: tries + 1,
    };
    After::Again { at: now + Duration::from_secs(*seconds), error, job: Some(Box::new(next)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_receiver_that_hangs_leaves_room_for_others_and_all_leave_room_for_money() {
        let busy = InFlight::default();
        let mut held: Vec<_> = (0..ONE_MAX).map(|_| busy.enter("a").unwrap()).collect();
        assert!(busy.enter("a").is_none());
        held.extend((ONE_MAX..ALL_MAX).map(|n| busy.enter(&format!("b{n}")).unwrap()));
        assert!(busy.enter("c").is_none(), "all together are bounded");
        held.remove(0);
        assert!(busy.enter("a").is_some());
        drop(held);
        assert!(busy.0.lock().unwrap().is_empty(), "nothing is remembered of endpoints without messages");
    }
}
