//! `suture clinics`, `suture providers`, `suture visit-types`: the practice as files, shown and put whole.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::desk::segment;
use super::served::{Served, all, json_of, post, put};
use crate::failure::Failure;
use crate::system;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    at: Served,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List them
    List,
    /// Show one whole, as `put` takes it
    Show {
        /// Its id
        id: String,
    },
    /// Make one from a JSON file, or change the one whose id the file holds; appointments outside of the hours are listed
    Put {
        /// The file
        file: PathBuf,
        /// Only list the appointments that would be outside of the hours (clinics and providers)
        #[arg(long)]
        preview: bool,
    },
}

/// Runs a command on one of the three collections.
pub(crate) fn run(collection: &str, arguments: &Arguments) -> Result<ExitCode, Failure> {
    system::runtime()?.block_on(act(collection, arguments))?;
    Ok(ExitCode::SUCCESS)
}

fn columns(collection: &str) -> &'static [&'static str] {
    match collection {
        "clinics" => &["id", "name", "zone"],
        "providers" => &["id", "name", "clinic", "specialties", "active"],
        _ => &["id", "name", "clinic", "durationMinutes", "price", "deposit", "active"],
    }
}

async fn act(collection: &str, arguments: &Arguments) -> Result<(), Failure> {
    let (at, remote) = (&arguments.at, arguments.at.remote()?);
    let root = format!("/v1/{collection}");
    match &arguments.command {
        Command::List => at.print(&all(&remote, &root).await?, columns(collection)),
        Command::Show { id } => at.print_whole(&remote.get(&format!("{root}/{}", segment(id))).await?),
        Command::Put { file, preview } => {
            let body = json_of(file)?;
            let id = body["id"].as_str().map(segment);
            let answer = match (id, preview) {
                (Some(id), true) => post(&remote, &format!("{root}/{id}/preview"), &body).await?,
                (Some(id), false) => put(&remote, &format!("{root}/{id}"), &body).await?,
                (None, false) => post(&remote, &root, &body).await?,
                (None, true) => return Err(Failure::new("a preview needs the id of what is to change")),
            };
            told(at, &answer);
        }
    }
    Ok(())
}

fn told(at: &Served, answer: &Value) {
    if let Some(id) = answer["id"].as_str() {
        println!("{id}");
    }
    if let Some(outside) = answer["outsideHours"].as_array().filter(|rows| !rows.is_empty()) {
        println!("These appointments are outside of the hours; move or cancel them:");
        at.print(outside, &["id", "startsAt", "patient", "provider", "status"]);
    }
}
