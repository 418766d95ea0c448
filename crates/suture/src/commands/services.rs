//! `suture services`: what is being settled, with what is left of each, and money that was given back at the desk.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use suture_core::id::ServiceId;
use suture_core::money::Money;
use suture_core::service::{self, Status};
use suture_engine::Engine;

use super::billing_rows;
use super::desk::{Desk, Where, items, segment};
use crate::failure::Failure;
use crate::opening;
use crate::remote::Remote;
use crate::system::{self, MachineRandom};

/// Services that are shown.
const SHOWN_MAX: usize = 1_000;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List services that are being settled, with their worksheets
    Settling {
        #[command(flatten)]
        from: Where,
    },
    /// Record money that was given back to the patient in cash or by cheque
    GiveBack {
        #[command(flatten)]
        from: Where,
        /// The service
        id: String,
        /// How much, in minor units of the service's currency: 2000 for 20.00 USD
        #[arg(long)]
        amount_minor: i64,
        /// The number of the receipt or cheque: the same one counts once
        #[arg(long)]
        reference: String,
        /// Who approves
        #[arg(long)]
        approver: String,
        /// Why, 1 to 64 letters, digits, spaces
        #[arg(long)]
        reason: String,
    },
}

const COLUMNS: [&str; 6] = ["id", "patient", "responsibility", "estimates", "paid", "difference"];

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (from, rows) = system::runtime()?.block_on(carry_out(&arguments.command))?;
    from.print(&rows, &COLUMNS);
    Ok(ExitCode::SUCCESS)
}

async fn carry_out(command: &Command) -> Result<(&Where, Vec<Value>), Failure> {
    match command {
        Command::Settling { from } => {
            let rows = match from.open().await? {
                Desk::Server(remote) => from_server(&remote).await?,
                Desk::Database { engine, organization } => from_database(&engine, &organization).await?,
            };
            Ok((from, rows))
        }
        Command::GiveBack { from, id, amount_minor, reference, approver, reason } => {
            let row = match from.open().await? {
                Desk::Server(remote) => {
                    let path = format!("/v1/services/{}", segment(id));
                    let known = remote.get(&format!("{path}?purpose=command_line")).await?;
                    let body = json!({
                        "reference": reference, "approver": approver, "reason": reason,
                        "amount": { "minor": amount_minor, "currency": known["currency"] },
                    });
                    let key: [u8; 8] = MachineRandom::new().bytes()?;
                    let key: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
                    let after = remote.post(&format!("{path}/given-back"), &key, &body).await?;
                    billing_rows::service_of_api(&after)
                }
                Desk::Database { engine, organization } => {
                    let given = (*amount_minor, reference.as_str(), approver.as_str(), reason.as_str());
                    give_back(&engine, &organization, id, given).await?
                }
            };
            Ok((from, vec![row]))
        }
    }
}

async fn give_back(
    engine: &Engine,
    organization: &str,
    id: &str,
    (minor, reference, approver, reason): (i64, &str, &str, &str),
) -> Result<Value, Failure> {
    let unrecorded = |error| Failure::of("nothing was recorded", &error);
    let service = ServiceId::parse(id).map_err(|_| Failure::new(format!("{id} is no id of a service")))?;
    let known = engine.service(organization, service).await.map_err(unrecorded)?;
    let command = service::Command::GiveBack {
        reference: reference.to_owned(),
        amount: Money::new(minor, known.currency),
        approver: approver.to_owned(),
        reason: reason.to_owned(),
    };
    let caller = opening::operator(organization);
    let after = engine.change_service(&caller, service, command, reason).await.map_err(unrecorded)?;
    Ok(billing_rows::service(&after))
}

async fn from_server(remote: &Remote) -> Result<Vec<Value>, Failure> {
    let (mut rows, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let at = cursor.as_ref().map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let path = format!("/v1/services?status=settling&limit=200&purpose=command_line{at}");
        let page = remote.get(&path).await?;
        rows.extend(items(&page).iter().map(billing_rows::service_of_api));
        cursor = page["next"].as_str().map(segment);
        if cursor.is_none() || rows.len() >= SHOWN_MAX {
            return Ok(rows);
        }
    }
}

async fn from_database(engine: &Engine, organization: &str) -> Result<Vec<Value>, Failure> {
    let unread = |error| Failure::of("the services cannot be read", &error);
    let caller = opening::operator(organization);
    engine.log_access(&caller, "read", "*", "services", "command_line").await.map_err(unread)?;
    let (mut rows, mut after) = (Vec::new(), String::new());
    loop {
        let step = engine.services(organization, Some(Status::Settling), &after, SHOWN_MAX - rows.len());
        let (found, next) = step.await.map_err(unread)?;
        rows.extend(found.iter().map(billing_rows::service));
        match next {
            Some(next) if rows.len() < SHOWN_MAX => after = next,
            _ => return Ok(rows),
        }
    }
}
