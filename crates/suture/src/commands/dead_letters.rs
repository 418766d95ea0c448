//! `suture dead-letters`: work that stopped and needs a person: look, retry, skip.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use suture_engine::Engine;
use suture_store::effects::State;

use super::deliveries::row;
use super::desk::{Desk, Where, items, segment};
use crate::failure::Failure;
use crate::opening;
use crate::remote::Remote;
use crate::system::{self, MachineRandom};

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List what stopped
    List {
        #[command(flatten)]
        from: Where,
        /// Show what waits for something else to be known, instead of what failed
        #[arg(long)]
        parked: bool,
    },
    /// Try one again
    Retry {
        #[command(flatten)]
        from: Where,
        /// Its id
        id: String,
    },
    /// Give one up, with a reason
    Skip {
        #[command(flatten)]
        from: Where,
        /// Its id
        id: String,
        /// Why, 1 to 64 letters, digits, spaces
        #[arg(long)]
        reason: String,
    },
}

const COLUMNS: [&str; 6] = ["id", "kind", "destination", "state", "attempts", "error"];

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (from, rows) = system::runtime()?.block_on(carry_out(&arguments.command))?;
    from.print(&rows, &COLUMNS);
    Ok(ExitCode::SUCCESS)
}

async fn carry_out(command: &Command) -> Result<(&Where, Vec<Value>), Failure> {
    match command {
        Command::List { from, parked } => {
            let state = if *parked { State::Parked } else { State::Dead };
            let rows = match from.open().await? {
                Desk::Server(remote) => {
                    items(&remote.get(&format!("/v1/deliveries?state={}&limit=200", state.name())).await?)
                }
                Desk::Database { engine, organization } => list(&engine, &organization, state).await?,
            };
            Ok((from, rows))
        }
        Command::Retry { from, id } => {
            let row = match from.open().await? {
                Desk::Server(remote) => ask(&remote, id, "retry", &json!({})).await?,
                Desk::Database { engine, organization } => {
                    let caller = opening::operator(&organization);
                    let done = engine.retry_effect(&caller, id, None).await;
                    row(&done.map_err(|error| Failure::of("it was not retried", &error))?)
                }
            };
            Ok((from, vec![row]))
        }
        Command::Skip { from, id, reason } => {
            let row = match from.open().await? {
                Desk::Server(remote) => ask(&remote, id, "skip", &json!({ "reason": reason })).await?,
                Desk::Database { engine, organization } => {
                    let caller = opening::operator(&organization);
                    let done = engine.skip_effect(&caller, id, reason).await;
                    row(&done.map_err(|error| Failure::of("it was not skipped", &error))?)
                }
            };
            Ok((from, vec![row]))
        }
    }
}

async fn list(engine: &Engine, organization: &str, state: State) -> Result<Vec<Value>, Failure> {
    let found = engine
        .effects(organization, Some(state), i64::MAX, 200)
        .await
        .map_err(|error| Failure::of("the dead letters cannot be read", &error))?;
    Ok(found.iter().map(row).collect())
}

async fn ask(remote: &Remote, id: &str, verb: &str, body: &Value) -> Result<Value, Failure> {
    let key: [u8; 8] = MachineRandom::new().bytes()?;
    let key: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    remote.post(&format!("/v1/dead-letters/{}/{verb}", segment(id)), &key, body).await
}
