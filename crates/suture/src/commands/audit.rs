//! `suture audit`: verifies the trail, here or from an export alone, exports it, and tells the public key.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::Value;
use suture_core::audit::chain::{Entry, Hash};
use suture_core::audit::seal::{Leaf, Seal, SealingKey};
use suture_core::audit::verify::{Verified, Verifier};

use crate::config::Configuration;
use crate::failure::Failure;
use crate::{opening, system};

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check every entry and every seal; exit 1 and name the first broken link
    Verify(Verify),
    /// Write the trail as lines of JSON, for others to verify
    Export {
        /// The configuration
        #[arg(long)]
        config: Option<PathBuf>,
        /// The organization, when there is more than one
        #[arg(long)]
        organization: Option<String>,
        /// The file to write
        #[arg(long)]
        out: PathBuf,
    },
    /// Print the public key that seals verify with
    Key {
        /// The configuration
        #[arg(long)]
        config: Option<PathBuf>,
    },
}

#[derive(Args)]
struct Verify {
    /// The configuration: verify the database, with states and ledger
    #[arg(long, conflicts_with = "export")]
    config: Option<PathBuf>,
    /// The organization, when there is more than one
    #[arg(long)]
    organization: Option<String>,
    /// An export: verify it without any database
    #[arg(long, requires = "public_key")]
    export: Option<PathBuf>,
    /// The public key, 64 hexadecimal digits
    #[arg(long, requires = "export")]
    public_key: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    match &arguments.command {
        Command::Verify(Verify { export: Some(export), public_key: Some(key), .. }) => {
            verify_export(export, key)
        }
        Command::Verify(verify) => system::runtime()?.block_on(verify_database(verify)),
        Command::Export { config, organization, out } => {
            system::runtime()?.block_on(export(config.as_deref(), organization.as_deref(), out))
        }
        Command::Key { config } => {
            let configuration = Configuration::load(config.as_deref())?;
            let key = SealingKey::from_seed(configuration.sealing_key.expose())
                .map_err(|error| Failure::of("sealing_key cannot be used", &error))?;
            println!("{}", key.public_key_hex());
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn verify_database(verify: &Verify) -> Result<ExitCode, Failure> {
    let engine = opening::open(&Configuration::load(verify.config.as_deref())?).await?;
    let organization = opening::organization(&engine, verify.organization.as_deref()).await?;
    let verdict = engine
        .verify_audit(&organization)
        .await
        .map_err(|error| Failure::of("the trail could not be read", &error))?;
    if let Some(broken) = verdict.broken {
        println!("BROKEN after {} entries: {broken}", verdict.entries);
        return Ok(ExitCode::FAILURE);
    }
    println!(
        "intact: {} entries in {} streams, {} seals, {} entries not sealed yet; every state and all {} ledger entries follow \
         from the journal",
        verdict.entries, verdict.streams, verdict.seals, verdict.unsealed, verdict.ledger_entries
    );
    Ok(ExitCode::SUCCESS)
}

async fn export(config: Option<&Path>, organization: Option<&str>, out: &Path) -> Result<ExitCode, Failure> {
    let engine = opening::open(&Configuration::load(config)?).await?;
    let organization = opening::organization(&engine, organization).await?;
    let file = File::create_new(out)
        .map_err(|error| Failure::of(format!("{} was not written", out.display()), &error))?;
    let failed =
        |error: &dyn std::error::Error| Failure::of("the export is not whole; remove the file", error);
    let mut writer =
        engine.export_audit(&organization, BufWriter::new(file)).await.map_err(|error| failed(&error))?;
    writer.flush().map_err(|error| failed(&error))?;
    println!("The trail is in {}. Anyone can verify it with the public key:", out.display());
    println!("  suture audit verify --export {} --public-key {}", out.display(), engine.public_key());
    Ok(ExitCode::SUCCESS)
}

/// Uses nothing but the verifier of the core: no database, no configuration, no key that is secret.
fn verify_export(export: &Path, public_key: &str) -> Result<ExitCode, Failure> {
    match read_export(export, public_key)? {
        Ok(Verified { entries, streams, seals, unsealed }) => {
            println!(
                "intact: {entries} entries in {streams} streams, {seals} seals, {unsealed} entries not sealed yet"
            );
            Ok(ExitCode::SUCCESS)
        }
        Err(broken) => {
            println!("BROKEN: {broken}");
            Ok(ExitCode::FAILURE)
        }
    }
}

fn read_export(export: &Path, public_key: &str) -> Result<Result<Verified, String>, Failure> {
    let unreadable =
        |error: std::io::Error| Failure::of(format!("{} cannot be read", export.display()), &error);
    let mut verifier = Verifier::default();
    let mut seals: Vec<(Seal, Vec<Leaf>)> = Vec::new();
    let file = File::open(export).map_err(unreadable)?;
    for (index, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(unreadable)?;
        match read_line(&line) {
            Some(Line::Entry(entry, hash)) => {
                if let Err(broken) = verifier.entry(&entry, hash) {
                    return Ok(Err(broken.to_string()));
                }
            }
            Some(Line::Seal(seal, leaves)) => seals.push((seal, leaves)),
            None => return Ok(Err(format!("line {} is not a line of an export", index + 1))),
        }
    }
    Ok(verifier.seals(&seals, public_key).map_err(|broken| broken.to_string()))
}

enum Line {
    Entry(Box<Entry>, Hash),
    Seal(Seal, Vec<Leaf>),
}

fn read_line(line: &str) -> Option<Line> {
    let mut content: Value = serde_json::from_str(line).ok()?;
    let mut take = |name: &str| content.get_mut(name).map(Value::take);
    match take("type")?.as_str()? {
        "entry" => Some(Line::Entry(
            serde_json::from_value(take("entry")?).ok()?,
            serde_json::from_value(take("hash")?).ok()?,
        )),
        "seal" => Some(Line::Seal(
            serde_json::from_value(take("seal")?).ok()?,
            serde_json::from_value(take("leaves")?).ok()?,
        )),
        _ => None,
    }
}
