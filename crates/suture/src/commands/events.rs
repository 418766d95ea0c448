//! `suture events`: what happened, newest first.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::desk::{Desk, Where, items};
use crate::failure::Failure;
use crate::system;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    from: Where,
    /// How many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=200))]
    limit: u16,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let rows = system::runtime()?.block_on(list(arguments))?;
    arguments.from.print(&rows, &["at", "kind", "stream", "version", "actor", "reason"]);
    Ok(ExitCode::SUCCESS)
}

async fn list(arguments: &Arguments) -> Result<Vec<Value>, Failure> {
    match arguments.from.open().await? {
        Desk::Server(remote) => {
            Ok(items(&remote.get(&format!("/v1/events?limit={}", arguments.limit)).await?))
        }
        Desk::Database { engine, organization } => {
            let found = engine
                .events(&organization, i64::MAX, i64::from(arguments.limit))
                .await
                .map_err(|error| Failure::of("the events cannot be read", &error))?;
            let row = |stored: &suture_store::journal::Stored| {
                let entry = &stored.entry;
                let (kind, id) = entry.actor.parts();
                json!({
                    "at": entry.at.to_rfc3339(), "kind": entry.kind, "stream": entry.stream,
                    "version": entry.version, "actor": { "kind": kind, "id": id }, "reason": entry.reason.as_str(),
                    "hash": stored.hash.to_string(), "position": stored.position,
                })
            };
            Ok(found.iter().map(row).collect())
        }
    }
}
