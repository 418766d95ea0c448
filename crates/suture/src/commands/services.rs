//! `suture services`: what is being settled, with what is left of each.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::Value;
use suture_core::service::Status;
use suture_engine::Engine;

use super::billing_rows;
use super::desk::{Desk, Where, items, segment};
use crate::failure::Failure;
use crate::opening;
use crate::remote::Remote;
use crate::system;

/// Services that are shown.
const SHOWN_MAX: usize = 1_000;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List services that are being settled, with their worksheets
    Settling {
        #[command(flatten)]
        from: Where,
    },
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let Command::Settling { from } = &arguments.command;
    let rows = system::runtime()?.block_on(async {
        match from.open().await? {
            Desk::Server(remote) => from_server(&remote).await,
            Desk::Database { engine, organization } => from_database(&engine, &organization).await,
        }
    })?;
    from.print(&rows, &["id", "patient", "responsibility", "estimates", "paid", "difference"]);
    Ok(ExitCode::SUCCESS)
}

async fn from_server(remote: &Remote) -> Result<Vec<Value>, Failure> {
    let (mut rows, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let at = cursor.as_ref().map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let path = format!("/v1/services?status=settling&limit=200&purpose=command_line{at}");
        let page = remote.get(&path).await?;
        rows.extend(items(&page).iter().map(billing_rows::service_of_api));
        cursor = page["next"].as_str().map(segment);
        if cursor.is_none() || rows.len() >= SHOWN_MAX {
            return Ok(rows);
        }
    }
}

async fn from_database(engine: &Engine, organization: &str) -> Result<Vec<Value>, Failure> {
    let unread = |error| Failure::of("the services cannot be read", &error);
    let caller = opening::operator(organization);
    engine.log_access(&caller, "read", "*", "services", "command_line").await.map_err(unread)?;
    let (mut rows, mut after) = (Vec::new(), String::new());
    loop {
        let step = engine.services(organization, Some(Status::Settling), &after, SHOWN_MAX - rows.len());
        let (found, next) = step.await.map_err(unread)?;
        rows.extend(found.iter().map(billing_rows::service));
        match next {
            Some(next) if rows.len() < SHOWN_MAX => after = next,
            _ => return Ok(rows),
        }
    }
}
