//! `suture credits`: money that we owe to patients, oldest first.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::billing_rows;
use super::desk::{Desk, Where, items};
use crate::failure::Failure;
use crate::opening;
use crate::system;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    from: Where,
    /// How many
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let rows = system::runtime()?.block_on(list(arguments))?;
    arguments.from.print(&rows, &["patient", "link", "amount", "since", "ageDays"]);
    Ok(ExitCode::SUCCESS)
}

async fn list(arguments: &Arguments) -> Result<Vec<Value>, Failure> {
    match arguments.from.open().await? {
        Desk::Server(remote) => {
            let path = format!("/v1/credits?limit={}&purpose=command_line", arguments.limit);
            Ok(items(&remote.get(&path).await?).iter().map(billing_rows::readable).collect())
        }
        Desk::Database { engine, organization } => {
            let unread = |error| Failure::of("the credits cannot be read", &error);
            let caller = opening::operator(&organization);
            engine.log_access(&caller, "read", "*", "credits", "command_line").await.map_err(unread)?;
            let found = engine.credits(&organization, i64::from(arguments.limit)).await.map_err(unread)?;
            Ok(found.iter().map(|credit| billing_rows::credit(credit, engine.now())).collect())
        }
    }
}
