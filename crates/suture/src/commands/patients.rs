//! `suture patients`: what a patient owes and is owed.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::Value;
use suture_core::id::PatientId;

use super::billing_rows;
use super::desk::{Desk, Where, segment};
use crate::failure::Failure;
use crate::opening;
use crate::system;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List everything that was booked on a patient, oldest first
    Statement {
        #[command(flatten)]
        from: Where,
        /// The patient, pat_…
        id: String,
    },
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let Command::Statement { from, id } = &arguments.command;
    let rows = system::runtime()?.block_on(statement(from, id))?;
    from.print(&rows, &["at", "what", "account", "amount"]);
    Ok(ExitCode::SUCCESS)
}

async fn statement(from: &Where, id: &str) -> Result<Vec<Value>, Failure> {
    match from.open().await? {
        Desk::Server(remote) => {
            let path = format!("/v1/patients/{}/statement?purpose=command_line", segment(id));
            let statement = remote.get(&path).await?;
            let lines = statement["lines"].as_array().cloned().unwrap_or_default();
            Ok(lines.iter().map(billing_rows::readable).collect())
        }
        Desk::Database { engine, organization } => {
            let id = PatientId::parse(id).map_err(|error| Failure::of("there is no such patient", &error))?;
            let caller = opening::operator(&organization);
            let found = engine.statement(&caller, id, "command_line").await;
            let found = found.map_err(|error| Failure::of("the statement cannot be read", &error))?;
            Ok(billing_rows::statement(&found))
        }
    }
}
