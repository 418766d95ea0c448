//! `suture messages`: webhooks that came in, newest first, with how often each came.

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
    arguments.from.print(&rows, &["receivedAt", "eventType", "eventId", "objectId", "deliveries"]);
    Ok(ExitCode::SUCCESS)
}

async fn list(arguments: &Arguments) -> Result<Vec<Value>, Failure> {
    match arguments.from.open().await? {
        Desk::Server(remote) => {
            Ok(items(&remote.get(&format!("/v1/messages?limit={}", arguments.limit)).await?))
        }
        Desk::Database { engine, organization } => {
            let found = engine
                .messages(&organization, i64::MAX, i64::from(arguments.limit))
                .await
                .map_err(|error| Failure::of("the messages cannot be read", &error))?;
            let row = |message: &suture_store::inbox::Message| {
                json!({
                    "receivedAt": message.received_at.to_rfc3339(), "eventType": message.event_type,
                    "eventId": message.event_id, "objectId": message.object_id,
                    "deliveries": message.deliveries, "id": message.message, "connection": message.connection,
                })
            };
            Ok(found.iter().map(row).collect())
        }
    }
}
