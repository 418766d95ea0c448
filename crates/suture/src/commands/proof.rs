//! `suture proof`: verifies a signed proof of balance with the public key alone, without any database.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use suture_core::proof::Proof;

use crate::failure::Failure;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
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
    let Command::Verify { file, key } = &arguments.command;
    verify(file, key)
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
