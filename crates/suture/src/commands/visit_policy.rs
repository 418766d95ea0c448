//! `suture visit-policy`: a policy of missed, moved and cancelled visits, tried before it holds.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::served::{Served, json_of, post};
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
    /// Run the examples of a policy, and say what it would decide in other cases
    Check {
        /// The policy as JSON
        file: PathBuf,
        /// A JSON file with a list of cases
        #[arg(long)]
        cases: Option<PathBuf>,
    },
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let Command::Check { file, cases } = &arguments.command;
    let cases = cases.as_deref().map_or_else(|| Ok(json!([])), json_of)?;
    let asked = json!({ "policy": json_of(file)?, "cases": cases });
    let answer = system::runtime()?.block_on(async {
        let remote = arguments.at.remote()?;
        post(&remote, "/v1/visit-policies/check", &asked).await
    })?;
    println!("Policy {} holds; {} examples were run.", answer["version"], answer["examples"]);
    let answers = answer["answers"].as_array().cloned().unwrap_or_default();
    if !answers.is_empty() {
        arguments.at.print(&answers, &["case", "verdict"]);
    }
    Ok(ExitCode::SUCCESS)
}
