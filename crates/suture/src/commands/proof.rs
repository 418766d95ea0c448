//! `suture proof`: makes signed proofs of balance, and verifies one with the public key alone, without any database.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use suture_core::day::Day;
use suture_core::proof::Proof;

use super::desk::{Desk, Where, items};
use super::served::post;
use crate::failure::Failure;
use crate::{opening, system};

/// Days that are listed.
const DAYS_MAX: i64 = 1_000;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make and sign the proof of a day, and print it; gateways are asked for their balance now
    Make {
        #[command(flatten)]
        from: Where,
        /// The day, 2026-11-30
        day: Day,
        /// Write it to this file, which must not exist
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// List days that were proven, latest first
    List {
        #[command(flatten)]
        from: Where,
    },
    /// Check that a proof is unchanged and signed by a key; exit 1 when it is not
    Verify {
        /// The file with the proof
        file: PathBuf,
        /// The public key, 64 hexadecimal digits (`suture audit key` prints it)
        #[arg(long)]
        key: String,
    },
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    match &arguments.command {
        Command::Make { from, day, out } => {
            let proof = system::runtime()?.block_on(make(from, *day))?;
            keep(&proof, out.as_deref())?;
        }
        Command::List { from } => {
            let rows = system::runtime()?.block_on(list(from))?;
            from.print(&rows, &["day", "times"]);
        }
        Command::Verify { file, key } => return verify(file, key),
    }
    Ok(ExitCode::SUCCESS)
}

async fn make(from: &Where, day: Day) -> Result<Proof, Failure> {
    match from.open().await? {
        Desk::Server(remote) => {
            let body = json!({ "day": day.to_string() });
            let made = post(&remote, "/v1/reconciliation/proofs", &body).await?;
            serde_json::from_value(made)
                .map_err(|error| Failure::of("what the server answered is no proof of balance", &error))
        }
        Desk::Database { engine, organization } => {
            let made = engine.prove_day(&opening::operator(&organization), day).await;
            made.map_err(|error| Failure::of("the proof was not made", &error))
        }
    }
}

fn keep(proof: &Proof, out: Option<&Path>) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(proof)
        .map_err(|error| Failure::of("the proof cannot be written", &error))?;
    let Some(out) = out else {
        println!("{text}");
        return Ok(());
    };
    let unwritten = |error: &std::io::Error| Failure::of(format!("{} was not written", out.display()), error);
    let mut file = std::fs::File::create_new(out).map_err(|error| unwritten(&error))?;
    std::io::Write::write_all(&mut file, format!("{text}\n").as_bytes())
        .map_err(|error| unwritten(&error))?;
    println!("{}: verify it with suture proof verify and the key {}", out.display(), proof.public_key);
    Ok(())
}

async fn list(from: &Where) -> Result<Vec<Value>, Failure> {
    match from.open().await? {
        Desk::Server(remote) => {
            let page = remote.get(&format!("/v1/reconciliation/proofs?limit={DAYS_MAX}")).await?;
            Ok(items(&page))
        }
        Desk::Database { engine, organization } => {
            let days = engine.proven_days(&organization, DAYS_MAX).await;
            let days = days.map_err(|error| Failure::of("the proofs cannot be read", &error))?;
            Ok(days.into_iter().map(|(day, times)| json!({ "day": day, "times": times })).collect())
        }
    }
}

fn verify(file: &Path, key: &str) -> Result<ExitCode, Failure> {
    let content = std::fs::read_to_string(file)
        .map_err(|error| Failure::of(format!("{} cannot be read", file.display()), &error))?;
    let proof: Proof = serde_json::from_str(&content)
        .map_err(|error| Failure::of(format!("{} is no proof of balance", file.display()), &error))?;
    if !proof.signed_by(&key.to_ascii_lowercase()) {
        println!("BROKEN: the proof was changed, or was signed by another key");
        return Ok(ExitCode::FAILURE);
    }
    let shown = |name: &str| proof.document.get(name).map(ToString::to_string).unwrap_or_default();
    println!("intact: proof of {} made at {}", shown("day"), shown("madeAt"));
    println!("ledger sums to zero: {}", shown("ledgerSumsToZero"));
    for name in ["gateways", "payoutsNotClosed", "exceptions", "bank", "epic", "epicor"] {
        println!("{name}: {}", shown(name));
    }
    Ok(ExitCode::SUCCESS)
}
