//! `suture reconcile`: gateway payouts against the books and the bank, exceptions, locked periods, journals.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::desk::segment;
use super::served::{Query, Served, all, json_of, post, text_of};
use crate::failure::Failure;
use crate::remote::Remote;
use crate::system::{self, MachineRandom};

const AT: &str = "/v1/reconciliation";
/// The same as the server takes.
const FILE_BYTES_MAX: u64 = 32 << 20;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    at: Served,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List what gateways paid out, and how much of each is explained
    Payouts,
    /// Show the lines of a payout, what explains each, and the remainder
    Show {
        /// Its id, stl_…
        payout: String,
    },
    /// Take a bank's file in: BAI2, camt.053, OFX, or CSV with a mapping. A line counts once, however many files show it
    Import {
        /// The file
        file: PathBuf,
        /// bai2, camt053 or ofx; guessed when absent
        #[arg(long, conflicts_with = "mapping")]
        format: Option<String>,
        /// A JSON file that says how the columns of a CSV file are read
        #[arg(long, value_name = "FILE")]
        mapping: Option<PathBuf>,
    },
    /// List lines that nothing explains, oldest first
    Exceptions,
    /// Give an exception to somebody
    Assign {
        /// The gateway's id of the line
        line: String,
        /// The payout, stl_…
        #[arg(long)]
        payout: String,
        /// Whose it is
        #[arg(long)]
        owner: String,
    },
    /// Say what an exception is
    Resolve {
        /// The gateway's id of the line
        line: String,
        /// The payout, stl_…
        #[arg(long)]
        payout: String,
        /// The account that bears it, for example exp:fee; absent: a fact that came later explains it
        #[arg(long)]
        account: Option<String>,
        /// Why, as a code
        #[arg(long)]
        reason: String,
    },
    /// Lock the books through a day that has ended; without a day, say through which day they are locked
    Lock {
        /// The last day, 2026-11-30
        #[arg(requires = "reason")]
        through: Option<String>,
        /// Why, as a code
        #[arg(long)]
        reason: Option<String>,
    },
    /// Open the days from one on again
    Reopen {
        /// The first day, 2026-11-01
        from: String,
        /// Why, as a code
        #[arg(long)]
        reason: String,
    },
    /// Print the journal of a day or of a payout for the general ledger, as CSV, or with --json as JSON
    Journal {
        /// The day, 2026-11-30, or the payout, stl_…
        of: String,
    },
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    system::runtime()?.block_on(act(arguments))?;
    Ok(ExitCode::SUCCESS)
}

async fn act(arguments: &Arguments) -> Result<(), Failure> {
    let (at, remote) = (&arguments.at, arguments.at.remote()?);
    match &arguments.command {
        Command::Payouts => {
            let rows = all(&remote, &format!("{AT}/payouts")).await?;
            at.print(&rows, &["id", "payout", "amount", "arrivesOn", "status", "remainder"]);
        }
        Command::Show { payout } => show(at, &remote, payout).await?,
        Command::Import { file, format, mapping } => {
            let taken = import(&remote, file, format.as_ref(), mapping.as_deref()).await?;
            let rows: Vec<Value> =
                taken["statements"].as_array().into_iter().flatten().map(imported).collect();
            at.print(&rows, &["account", "format", "proof", "lines", "repeated", "known"]);
        }
        Command::Exceptions => {
            let page = remote.get(&format!("{AT}/exceptions?limit=1000")).await?;
            at.print(&super::desk::items(&page), &["id", "payout", "label", "amount", "openedAt", "owner"]);
        }
        Command::Assign { line, payout, owner } => {
            let path = format!("{AT}/exceptions/{}/assign", segment(line));
            post(&remote, &path, &json!({ "payout": payout, "owner": owner })).await?;
            println!("{line} is {owner}'s.");
        }
        Command::Resolve { line, payout, account, reason } => {
            let path = format!("{AT}/exceptions/{}/resolve", segment(line));
            let body = json!({ "payout": payout, "account": account, "reason": reason });
            let state = post(&remote, &path, &body).await?;
            println!("The payout: {}.", state["remainder"].as_str().unwrap_or_default());
        }
        Command::Lock { through: Some(through), reason } => {
            let body = json!({ "through": through, "reason": reason });
            locked(&post(&remote, &format!("{AT}/periods/lock"), &body).await?);
        }
        Command::Lock { through: None, .. } => locked(&remote.get(&format!("{AT}/periods")).await?),
        Command::Reopen { from, reason } => {
            let body = json!({ "from": from, "reason": reason });
            locked(&post(&remote, &format!("{AT}/periods/reopen"), &body).await?);
        }
        Command::Journal { of } => journal(at, &remote, of).await?,
    }
    Ok(())
}

fn locked(periods: &Value) {
    match periods["lockedThrough"].as_str() {
        Some(day) => println!("The books are locked through {day}."),
        None => println!("No day is locked."),
    }
}

/// A statement with whether it was known.
fn imported(one: &Value) -> Value {
    let mut row = one["statement"].clone();
    row["known"] = one["known"].clone();
    row
}

async fn show(at: &Served, remote: &Remote, payout: &str) -> Result<(), Failure> {
    let path = format!("{AT}/payouts/{}", segment(payout));
    let rows = all(remote, &path).await?;
    at.print(&rows, &["id", "kind", "gross", "fee", "state", "left", "facts"]);
    if !at.is_json() {
        let state = remote.get(&format!("{path}?limit=1")).await?;
        let text = |name: &str| state[name].as_str().unwrap_or_default().to_owned();
        println!("{}, {}: {}", text("payout"), text("status"), text("remainder"));
    }
    Ok(())
}

async fn import(
    remote: &Remote,
    file: &Path,
    format: Option<&String>,
    mapping: Option<&Path>,
) -> Result<Value, Failure> {
    let unreadable =
        |error: &std::io::Error| Failure::of(format!("{} cannot be read", file.display()), error);
    if std::fs::metadata(file).map_err(|error| unreadable(&error))?.len() > FILE_BYTES_MAX {
        let name = file.display();
        return Err(Failure::new(format!("{name} is larger than 32 MiB and was not read; split it")));
    }
    let path = Query::default().with("format", format).on(&format!("{AT}/bank-files"));
    let key: [u8; 8] = MachineRandom::new().bytes()?;
    let key: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    match mapping {
        Some(mapping) => {
            let body = json!({ "mapping": json_of(mapping)?, "content": text_of(file)? });
            remote.post_file(&path, &key, "application/json", body.to_string().into_bytes()).await
        }
        None => {
            let content = std::fs::read(file).map_err(|error| unreadable(&error))?;
            remote.post_file(&path, &key, "application/octet-stream", content).await
        }
    }
}

async fn journal(at: &Served, remote: &Remote, of: &str) -> Result<(), Failure> {
    let path = match of.starts_with("stl_") {
        true => format!("{AT}/payouts/{}/journal", segment(of)),
        false => format!("{AT}/journals/{}", segment(of)),
    };
    if at.is_json() {
        at.print_whole(&remote.get(&path).await?);
        return Ok(());
    }
    let (status, bytes) = remote.send_raw(Method::GET, &path, &[("accept", "text/csv")], Vec::new()).await?;
    if status != 200 {
        let problem: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let detail = problem["detail"].as_str().unwrap_or("the server did not say why");
        return Err(Failure::new(format!("the journal was not read: {detail}")));
    }
    let written = std::io::stdout().write_all(&bytes);
    written.map_err(|error| Failure::of("the journal was not printed", &error))
}
