//! `suture waiting`: the waiting list.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::desk::segment;
use super::served::{Query, Served, all, post};
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
    /// List places in the order of joining
    List {
        /// Only those that stand there: waiting, offered, booked or left
        #[arg(long)]
        status: Option<String>,
        /// Only for this type of visit
        #[arg(long)]
        visit_type: Option<String>,
    },
    /// Put a patient on the list
    Join {
        /// The patient, pat_…
        #[arg(long)]
        patient: String,
        /// The type of visit, vty_…
        #[arg(long)]
        visit_type: String,
        /// Only with this provider
        #[arg(long)]
        provider: Option<String>,
        /// Not after this, such as 2026-11-28T00:00:00Z
        #[arg(long)]
        until: String,
        /// The patient's zone, such as America/Chicago
        #[arg(long)]
        zone: String,
    },
    /// Take a patient off the list
    Leave {
        /// The place, wai_…
        id: String,
        /// Why, as a code
        #[arg(long)]
        reason: String,
    },
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let rows = system::runtime()?.block_on(async {
        let remote = arguments.at.remote()?;
        match &arguments.command {
            Command::List { status, visit_type } => {
                let query = Query::default()
                    .with("purpose", Some(&"command_line".to_owned()))
                    .with("status", status.as_ref())
                    .with("visitType", visit_type.as_ref());
                all(&remote, &query.on("/v1/waiting-list")).await
            }
            Command::Join { patient, visit_type, provider, until, zone } => {
                let wish = json!({
                    "patient": patient, "visitType": visit_type, "provider": provider, "until": until, "zone": zone,
                });
                Ok(vec![post(&remote, "/v1/waiting-list", &wish).await?])
            }
            Command::Leave { id, reason } => {
                let path = format!("/v1/waiting-list/{}/leave", segment(id));
                Ok(vec![post(&remote, &path, &json!({ "reason": reason })).await?])
            }
        }
    })?;
    arguments.at.print(&rows, &["since", "id", "patient", "visitType", "until", "status", "appointment"]);
    Ok(ExitCode::SUCCESS)
}
