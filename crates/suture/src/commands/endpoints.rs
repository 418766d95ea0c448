//! `suture endpoints`: where our events go: make, list, test, rotate, switch, replay, remove.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use suture_core::time::Timestamp;
use suture_engine::Engine;
use suture_engine::endpoints::{EndpointView, NewEndpoint, ReplayFrom};

use super::deliveries::row as delivery_row;
use super::desk::{Desk, Where, items, segment};
use crate::failure::Failure;
use crate::opening;
use crate::remote::Remote;
use crate::system::{self, MachineRandom};

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    from: Where,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List endpoints
    List,
    /// Make an endpoint; its secret is printed once
    Add {
        /// Where to send
        url: String,
        /// What people call it
        #[arg(long, default_value = "")]
        description: String,
        /// An event type, `payment.*` or `*`; may be given several times, all when absent
        #[arg(long = "event")]
        events: Vec<String>,
    },
    /// Send a signed test message now
    Test {
        /// Its id
        id: String,
    },
    /// Give it a new secret, printed once; the one before also signs for a while
    Rotate {
        /// Its id
        id: String,
        /// How long the one before also signs
        #[arg(long, default_value_t = 86_400)]
        overlap_seconds: u32,
    },
    /// Send to it again
    Enable {
        /// Its id
        id: String,
    },
    /// Send nothing to it any more
    Disable {
        /// Its id
        id: String,
    },
    /// List what was sent to it, newest first
    Deliveries {
        /// Its id
        id: String,
    },
    /// Send one event again
    Redeliver {
        /// Its id
        id: String,
        /// The event, evt_…
        event: String,
    },
    /// Send again what happened since a time such as 2026-11-21T09:30:00Z
    Replay {
        /// Its id
        id: String,
        /// Since when
        #[arg(long)]
        since: String,
        /// Only these types; those that the endpoint wants when absent
        #[arg(long = "event")]
        events: Vec<String>,
    },
    /// Remove it, with what waits for it
    Remove {
        /// Its id
        id: String,
    },
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let rows = system::runtime()?.block_on(async {
        match arguments.from.open().await? {
            Desk::Server(remote) => at_server(&remote, &arguments.command).await,
            Desk::Database { engine, organization } => {
                in_database(&engine, &organization, &arguments.command).await
            }
        }
    })?;
    arguments.from.print(&rows, columns(&arguments.command));
    Ok(ExitCode::SUCCESS)
}

const fn columns(command: &Command) -> &'static [&'static str] {
    match command {
        Command::List | Command::Enable { .. } | Command::Disable { .. } => {
            &["id", "url", "events", "status", "note", "description"]
        }
        Command::Add { .. } | Command::Rotate { .. } => &["id", "url", "secret", "previousSecretUntil"],
        Command::Test { .. } => &["delivered", "status", "error"],
        Command::Deliveries { .. } | Command::Redeliver { .. } => {
            &["createdAt", "id", "state", "attempts", "error"]
        }
        Command::Replay { .. } => &["number", "after", "until"],
        Command::Remove { .. } => &["id", "removed"],
    }
}

async fn at_server(remote: &Remote, command: &Command) -> Result<Vec<Value>, Failure> {
    let path = |id: &str, verb: &str| format!("/v1/endpoints/{}/{verb}", segment(id));
    let one = match command {
        Command::List => return Ok(items(&remote.get("/v1/endpoints").await?)),
        Command::Deliveries { id } => {
            return Ok(items(&remote.get(&path(id, "deliveries?limit=200")).await?));
        }
        Command::Add { url, description, events } => {
            let body = json!({ "url": url, "description": description, "events": events });
            post(remote, "/v1/endpoints", &body).await?
        }
        Command::Test { id } => post(remote, &path(id, "test"), &json!({})).await?,
        Command::Enable { id } => post(remote, &path(id, "enable"), &json!({})).await?,
        Command::Disable { id } => post(remote, &path(id, "disable"), &json!({})).await?,
        Command::Rotate { id, overlap_seconds } => {
            post(remote, &path(id, "rotate"), &json!({ "overlapSeconds": overlap_seconds })).await?
        }
        Command::Redeliver { id, event } => {
            post(remote, &path(id, "redeliver"), &json!({ "event": event })).await?
        }
        Command::Replay { id, since, events } => {
            post(remote, &path(id, "replay"), &json!({ "since": since, "events": events })).await?
        }
        Command::Remove { id } => {
            let place = format!("/v1/endpoints/{}", segment(id));
            remote.send(reqwest::Method::DELETE, &place, &[], Vec::new()).await?.success()?;
            json!({ "id": id, "removed": true })
        }
    };
    Ok(vec![one])
}

async fn post(remote: &Remote, path: &str, body: &Value) -> Result<Value, Failure> {
    let key: [u8; 8] = MachineRandom::new().bytes()?;
    let key: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    remote.post(path, &key, body).await
}

async fn in_database(engine: &Engine, organization: &str, command: &Command) -> Result<Vec<Value>, Failure> {
    let caller = opening::operator(organization);
    let failed = |error: suture_engine::Error| Failure::of("it was not done", &error);
    let one = match command {
        Command::List => {
            let found = engine.endpoints_of(organization).await.map_err(failed)?;
            return Ok(found.iter().map(row).collect());
        }
        Command::Deliveries { id } => {
            let found = engine.endpoint_deliveries((organization, id), None, i64::MAX, 200).await;
            return Ok(found.map_err(failed)?.iter().map(delivery_row).collect());
        }
        Command::Add { url, description, events } => {
            let new =
                NewEndpoint { url: url.clone(), description: description.clone(), events: events.clone() };
            let (view, secret) = engine.make_endpoint(&caller, new).await.map_err(failed)?;
            with_secret(row(&view), secret.expose())
        }
        Command::Test { id } => {
            let tested = engine.test_endpoint(&caller, id).await.map_err(failed)?;
            json!({ "delivered": tested.delivered, "status": tested.status, "error": tested.error })
        }
        Command::Enable { id } => row(&engine.enable_endpoint(&caller, id).await.map_err(failed)?),
        Command::Disable { id } => row(&engine.disable_endpoint(&caller, id).await.map_err(failed)?),
        Command::Rotate { id, overlap_seconds } => {
            let overlap = Duration::from_secs((*overlap_seconds).into());
            let (view, secret) = engine.rotate_endpoint(&caller, id, overlap).await.map_err(failed)?;
            with_secret(row(&view), secret.expose())
        }
        Command::Redeliver { id, event } => {
            delivery_row(&engine.redeliver_event(&caller, id, event).await.map_err(failed)?)
        }
        Command::Replay { id, since, events } => {
            let since = Timestamp::parse_rfc3339(since)
                .map_err(|_| Failure::new("--since is not a time such as 2026-11-21T09:30:00Z"))?;
            let planned = engine.replay_events(&caller, id, ReplayFrom::Moment(since), events).await;
            let replay = planned.map_err(failed)?;
            json!({ "number": replay.number, "after": replay.after, "until": replay.until })
        }
        Command::Remove { id } => {
            engine.remove_endpoint(&caller, id).await.map_err(failed)?;
            json!({ "id": id, "removed": true })
        }
    };
    Ok(vec![one])
}

fn row(view: &EndpointView) -> Value {
    json!({
        "id": view.id, "url": view.url, "description": view.description, "events": view.events,
        "status": view.status, "note": view.note,
        "previousSecretUntil": view.previous_secret_until.map(Timestamp::to_rfc3339),
        "createdAt": view.created_at.to_rfc3339(), "updatedAt": view.updated_at.to_rfc3339(),
    })
}

fn with_secret(mut row: Value, secret: &str) -> Value {
    row["secret"] = secret.into();
    row
}
