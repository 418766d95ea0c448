//! `suture runs`: runs of flows, and the questions that some of them ask a person.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::desk::segment;
use super::served::{Served, all, post};
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
    /// List runs, newest first
    List,
    /// Show what a run asks, and which role may decide; the question may hold personal data, so this is logged
    Question {
        /// The run, run_…
        id: String,
    },
    /// Let a run go on
    Approve {
        /// The run, run_…
        id: String,
        /// Why, as a code
        #[arg(long)]
        reason: String,
    },
    /// Say no to what a run asks
    Reject {
        /// The run, run_…
        id: String,
        /// Why, as a code
        #[arg(long)]
        reason: String,
    },
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    system::runtime()?.block_on(act(arguments))?;
    Ok(ExitCode::SUCCESS)
}

async fn act(arguments: &Arguments) -> Result<(), Failure> {
    let (at, remote) = (&arguments.at, arguments.at.remote()?);
    match &arguments.command {
        Command::List => {
            let columns = ["startedAt", "id", "flow", "fact", "state", "note"];
            at.print(&all(&remote, "/v1/runs").await?, &columns);
        }
        Command::Question { id } => {
            let asked = remote.get(&format!("/v1/runs/{}/approval", segment(id))).await?;
            at.print(&[asked], &["by", "question"]);
        }
        Command::Approve { id, reason } => {
            let path = format!("/v1/runs/{}/approve", segment(id));
            post(&remote, &path, &json!({ "reason": reason })).await?;
            println!("Approved; the run goes on.");
        }
        Command::Reject { id, reason } => {
            let path = format!("/v1/runs/{}/reject", segment(id));
            post(&remote, &path, &json!({ "reason": reason })).await?;
            println!("Rejected; the run goes on as its flow says.");
        }
    }
    Ok(())
}
