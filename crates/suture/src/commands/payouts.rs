//! `suture payouts`: what providers are to get, why it is held, and until when.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::Value;
use suture_core::payout::Status;
use suture_engine::Engine;

use super::billing_rows;
use super::desk::{Desk, Where, items, segment};
use crate::failure::Failure;
use crate::remote::Remote;
use crate::system;

/// Payouts that are shown.
const SHOWN_MAX: usize = 1_000;

const COLUMNS: [&str; 8] = ["id", "status", "provider", "charge", "entitled", "transferred", "owes", "holds"];

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List payouts that are held, with why and until when
    Held {
        #[command(flatten)]
        from: Where,
    },
    /// List all payouts
    List {
        #[command(flatten)]
        from: Where,
    },
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (from, status) = match &arguments.command {
        Command::Held { from } => (from, Some(Status::Held)),
        Command::List { from } => (from, None),
    };
    let rows = system::runtime()?.block_on(async {
        match from.open().await? {
            Desk::Server(remote) => from_server(&remote, status).await,
            Desk::Database { engine, organization } => from_database(&engine, &organization, status).await,
        }
    })?;
    from.print(&rows, &COLUMNS);
    Ok(ExitCode::SUCCESS)
}

async fn from_server(remote: &Remote, status: Option<Status>) -> Result<Vec<Value>, Failure> {
    let wanted = status.map(|status| format!("&status={}", status.name())).unwrap_or_default();
    let (mut rows, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let at = cursor.as_ref().map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let page = remote.get(&format!("/v1/payouts/providers?limit=200{wanted}{at}")).await?;
        rows.extend(items(&page).iter().map(billing_rows::payout_of_api));
        cursor = page["next"].as_str().map(segment);
        if cursor.is_none() || rows.len() >= SHOWN_MAX {
            return Ok(rows);
        }
    }
}

async fn from_database(
    engine: &Engine,
    organization: &str,
    status: Option<Status>,
) -> Result<Vec<Value>, Failure> {
    let unread = |error| Failure::of("the payouts cannot be read", &error);
    let (mut rows, mut after) = (Vec::new(), String::new());
    loop {
        let step = engine.provider_payouts(organization, status, &after, SHOWN_MAX - rows.len());
        let (found, next) = step.await.map_err(unread)?;
        rows.extend(found.iter().map(billing_rows::payout));
        match next {
            Some(next) if rows.len() < SHOWN_MAX => after = next,
            _ => return Ok(rows),
        }
    }
}
