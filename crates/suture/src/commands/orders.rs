//! `suture orders`: customers' orders, placed, looked at, and followed from checkout to fulfilment.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::desk::segment;
use super::served::{Query, Served, all, json_of, post};
use crate::failure::Failure;
use crate::system;

/// An order in one line.
const COLUMNS: [&str; 8] = ["placedAt", "id", "reference", "buyer", "status", "total", "link", "debt"];

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    at: Served,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List orders, newest first
    List {
        /// Only those of this buyer, by the shop's id
        #[arg(long)]
        buyer: Option<String>,
    },
    /// Place the order of a JSON file; one that is placed already is shown as it stands
    Place {
        /// The file
        #[arg(long)]
        file: PathBuf,
    },
    /// Show an order with its payment, documents in the ERP, shipments and invoices
    Show {
        /// The order, ord_…
        id: String,
    },
    /// Ask the ERP what became of an order
    Ask {
        /// The order, ord_…
        id: String,
    },
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    system::runtime()?.block_on(act(arguments))?;
    Ok(ExitCode::SUCCESS)
}

async fn act(arguments: &Arguments) -> Result<(), Failure> {
    let (at, remote) = (&arguments.at, arguments.at.remote()?);
    match &arguments.command {
        Command::List { buyer } => {
            let rows = all(&remote, &Query::default().with("buyer", buyer.as_ref()).on("/v1/orders")).await?;
            // Link and debt are not in the list.
            at.print(&rows, &COLUMNS[..6]);
        }
        Command::Place { file } => {
            let placed = post(&remote, "/v1/orders", &json_of(file)?).await?;
            at.print(&[placed], &COLUMNS);
        }
        Command::Show { id } => {
            let trail = remote.get(&format!("/v1/orders/{}/trail", segment(id))).await?;
            if at.is_json() {
                at.print_whole(&trail);
            } else {
                show(at, &trail);
            }
        }
        Command::Ask { id } => {
            let order = post(&remote, &format!("/v1/orders/{}/ask-erp", segment(id)), &json!({})).await?;
            at.print(&[order], &COLUMNS);
        }
    }
    Ok(())
}

fn show(at: &Served, trail: &Value) {
    let order = &trail["order"];
    at.print(std::slice::from_ref(order), &COLUMNS);
    if let Some(reason) = order["held"].as_str() {
        println!("It waits: {reason}.");
    }
    println!();
    at.print(&rows(&trail["entries"]), &["at", "what", "id", "system", "state"]);
    let stopped = rows(&trail["stopped"]);
    if !stopped.is_empty() {
        println!("\nThese documents stopped on their way to the ERP; see `suture dead-letters list`:");
        at.print(&stopped, &["document", "reference", "status", "code", "field"]);
    }
}

fn rows(list: &Value) -> Vec<Value> {
    list.as_array().cloned().unwrap_or_default()
}
