//! `suture tables`: look-up tables that people keep, such as product to part.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::desk::segment;
use super::served::{Served, all, put};
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
    /// List the rows of a table
    List {
        /// The table, such as part
        table: String,
    },
    /// Write a row, and let the runs that wait for it go on
    Set {
        /// The table, such as part
        table: String,
        /// What is looked up, such as the shop's product
        #[arg(value_name = "KEY")]
        row: String,
        /// What is found: JSON, or else the text itself
        value: String,
        /// Take the value as text, even when it could be JSON, such as 1001
        #[arg(long)]
        text: bool,
    },
    /// Remove a row; what was filed with it stays
    Remove {
        /// The table, such as part
        table: String,
        /// What is looked up
        #[arg(value_name = "KEY")]
        row: String,
    },
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    system::runtime()?.block_on(act(arguments))?;
    Ok(ExitCode::SUCCESS)
}

async fn act(arguments: &Arguments) -> Result<(), Failure> {
    let (at, remote) = (&arguments.at, arguments.at.remote()?);
    match &arguments.command {
        Command::List { table } => {
            let rows = all(&remote, &format!("/v1/tables/{}", segment(table))).await?;
            at.print(&rows, &["key", "value", "updatedBy", "updatedAt"]);
        }
        Command::Set { table, row, value, text } => {
            let body = json!({ "value": value_of(value, *text) });
            let saved = put(&remote, &path_of(table, row), &body).await?;
            println!("Saved; {} runs that waited for it go on.", saved["runsResumed"]);
        }
        Command::Remove { table, row } => {
            remote.send(Method::DELETE, &path_of(table, row), &[], Vec::new()).await?.success()?;
            println!("Removed.");
        }
    }
    Ok(())
}

fn path_of(table: &str, row: &str) -> String {
    format!("/v1/tables/{}/{}", segment(table), segment(row))
}

/// What was written as JSON is JSON; everything else is a text.
fn value_of(given: &str, is_text: bool) -> Value {
    let json = if is_text { None } else { serde_json::from_str(given).ok() };
    json.unwrap_or_else(|| Value::String(given.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_json_or_the_text_itself() {
        assert_eq!(value_of("KNEE-100", false), json!("KNEE-100"));
        assert_eq!(value_of("1001", false), json!(1001));
        assert_eq!(value_of("1001", true), json!("1001"));
        assert_eq!(value_of(r#"{"part": "A"}"#, false), json!({ "part": "A" }));
    }
}
