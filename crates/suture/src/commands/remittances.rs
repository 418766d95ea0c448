//! `suture remittances`: take a payer's X12 835 file in, and see how its claims were booked.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use suture_core::id::RemittanceId;
use suture_engine::Engine;

use super::billing_rows;
use super::desk::{Desk, Where, items, segment};
use crate::failure::Failure;
use crate::opening;
use crate::remote::Remote;
use crate::system::{self, MachineRandom};

/// The same as the server takes.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// Claims that are shown.
const CLAIMS_MAX: i64 = 10_000;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Take an X12 835 file in: whole, or not at all. Claims are booked by the running server
    Import {
        #[command(flatten)]
        from: Where,
        /// The file
        file: PathBuf,
    },
    /// Show the claims of a remittance, and where each was booked or why it waits
    Show {
        #[command(flatten)]
        from: Where,
        /// Its id, rem_…
        id: String,
    },
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    match &arguments.command {
        Command::Import { from, file } => {
            let rows =
                system::runtime()?.block_on(async { import(from.open().await?, read(file)?).await })?;
            from.print(&rows, &["id", "claims"]);
        }
        Command::Show { from, id } => {
            let rows = system::runtime()?.block_on(async {
                match from.open().await? {
                    Desk::Server(remote) => show_from_server(&remote, id).await,
                    Desk::Database { engine, organization } => {
                        show_from_database(&engine, &organization, id).await
                    }
                }
            })?;
            from.print(&rows, &["position", "claim", "state", "note"]);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let unreadable =
        |error: &std::io::Error| Failure::of(format!("{} cannot be read", file.display()), error);
    let size = std::fs::metadata(file).map_err(|error| unreadable(&error))?.len();
    if size > FILE_BYTES_MAX {
        return Err(Failure::new(format!(
            "{} is larger than 64 MiB and was not read; split it",
            file.display()
        )));
    }
    std::fs::read(file).map_err(|error| unreadable(&error))
}

async fn import(desk: Desk, file: Vec<u8>) -> Result<Vec<Value>, Failure> {
    let (ids, claims): (Vec<String>, u64) = match desk {
        Desk::Server(remote) => {
            let key: [u8; 8] = MachineRandom::new().bytes()?;
            let key: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
            let taken = remote.post_file("/v1/remittances", &key, "application/edi-x12", file).await?;
            let ids = taken["remittances"].as_array().cloned().unwrap_or_default();
            let ids = ids.iter().filter_map(|id| id.as_str().map(ToOwned::to_owned)).collect();
            (ids, taken["claims"].as_u64().unwrap_or_default())
        }
        Desk::Database { engine, organization } => {
            let done = engine.import_remittance(&opening::operator(&organization), file).await;
            let imported = done.map_err(|error| Failure::of("the file was not taken in", &error))?;
            (imported.remittances.iter().map(ToString::to_string).collect(), imported.claims)
        }
    };
    // The file's claims are counted together, so the number stands with the first.
    let row = |(number, id): (usize, &String)| match number {
        0 => json!({ "id": id, "claims": claims }),
        _ => json!({ "id": id }),
    };
    Ok(ids.iter().enumerate().map(row).collect())
}

async fn show_from_server(remote: &Remote, id: &str) -> Result<Vec<Value>, Failure> {
    let path = format!("/v1/remittances/{}/claims?limit=200", segment(id));
    let (mut rows, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let at = cursor.as_ref().map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let page = remote.get(&format!("{path}{at}")).await?;
        rows.extend(items(&page));
        cursor = page["next"].as_str().map(segment);
        if cursor.is_none() {
            return Ok(rows);
        }
    }
}

async fn show_from_database(engine: &Engine, organization: &str, id: &str) -> Result<Vec<Value>, Failure> {
    let id = RemittanceId::parse(id).map_err(|error| Failure::of("there is no such remittance", &error))?;
    let unread = |error| Failure::of("the remittance cannot be read", &error);
    engine.remittance(organization, id).await.map_err(unread)?;
    let caller = opening::operator(organization);
    let resource = format!("remittance_claims/{id}");
    engine.log_access(&caller, "read", "*", &resource, "command_line").await.map_err(unread)?;
    let found = engine.remittance_claims(organization, id, 1, CLAIMS_MAX).await.map_err(unread)?;
    Ok(found.iter().map(billing_rows::claim).collect())
}
