//! `suture deliveries`: work on its way to other systems, newest first: what waits, what was done, what stopped.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use suture_store::effects::{Effect, State};

use super::desk::{Desk, Where, items};
use crate::failure::Failure;
use crate::system;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    from: Where,
    /// Only those in this state
    #[arg(long, value_enum)]
    state: Option<Wanted>,
    /// How many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=200))]
    limit: u16,
}

#[derive(Clone, Copy, ValueEnum)]
enum Wanted {
    /// Waits, or is being done
    Ready,
    /// Done
    Done,
    /// Cannot go on until something else is known
    Parked,
    /// Needs a person
    Dead,
    /// A person decided not to do it
    Skipped,
}

impl Wanted {
    const fn state(self) -> State {
        match self {
            Self::Ready => State::Ready,
            Self::Done => State::Done,
            Self::Parked => State::Parked,
            Self::Dead => State::Dead,
            Self::Skipped => State::Skipped,
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let rows = system::runtime()?.block_on(list(arguments))?;
    let columns = ["createdAt", "id", "kind", "destination", "state", "attempts", "error"];
    arguments.from.print(&rows, &columns);
    Ok(ExitCode::SUCCESS)
}

async fn list(arguments: &Arguments) -> Result<Vec<Value>, Failure> {
    let state = arguments.state.map(Wanted::state);
    match arguments.from.open().await? {
        Desk::Server(remote) => {
            let only = state.map_or_else(String::new, |state| format!("&state={}", state.name()));
            Ok(items(&remote.get(&format!("/v1/deliveries?limit={}{only}", arguments.limit)).await?))
        }
        Desk::Database { engine, organization } => {
            let found = engine
                .effects(&organization, state, i64::MAX, i64::from(arguments.limit))
                .await
                .map_err(|error| Failure::of("the deliveries cannot be read", &error))?;
            Ok(found.iter().map(row).collect())
        }
    }
}

/// Never the payload: it belongs to the API, where roles decide who sees it.
pub(super) fn row(effect: &Effect) -> Value {
    json!({
        "id": effect.id, "kind": effect.kind, "destination": effect.destination, "state": effect.state.name(),
        "attempts": effect.attempts, "error": effect.error, "createdAt": effect.created_at.to_rfc3339(),
    })
}
