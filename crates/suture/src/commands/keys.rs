//! `suture keys`: makes keys in files that only their owner reads, and rotates the encryption.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::config::Configuration;
use crate::failure::Failure;
use crate::{keys, opening, system};

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make the encryption key and the sealing key
    Init {
        /// The folder for the key files; made when it is not there
        #[arg(long)]
        dir: PathBuf,
    },
    /// Make a signing key for an Epic connection, and print its public half
    Signing {
        /// The id under which Epic finds the public key
        #[arg(long, default_value = "suture-1")]
        kid: String,
        /// The file for the private key
        #[arg(long, default_value = "epic-signing.key")]
        out: PathBuf,
    },
    /// Make an API key and print its secret once
    Api {
        /// What people call it
        #[arg(long)]
        name: String,
        /// What it may be used for
        #[arg(long, value_parser = ["admin", "billing", "front_desk", "auditor", "integrator", "provider"])]
        role: String,
        /// The organization, when there is more than one
        #[arg(long)]
        organization: Option<String>,
        /// The configuration
        #[arg(long, env = "SUTURE_CONFIG")]
        config: Option<PathBuf>,
    },
    /// Seal everything stored with the first of the encryption keys
    Rotate {
        /// The configuration, with the new key first and the old ones behind it
        #[arg(long)]
        config: Option<PathBuf>,
    },
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    match &arguments.command {
        Command::Init { dir } => init(dir)?,
        Command::Signing { kid, out } => signing(kid, out)?,
        Command::Api { name, role, organization, config } => {
            system::runtime()?.block_on(api(config.as_deref(), organization.as_deref(), (name, role)))?;
        }
        Command::Rotate { config } => system::runtime()?.block_on(rotate(config.as_deref()))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes both keys of a server in a folder.
///
/// # Errors
/// When a file is there already; keys are never overwritten.
pub(crate) fn init(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder)
        .map_err(|error| Failure::of(format!("{} cannot be made", folder.display()), &error))?;
    let (encryption, sealing) = (folder.join("encryption.key"), folder.join("sealing.key"));
    keys::write_secret(&encryption, &keys::new_key()?)?;
    keys::write_secret(&sealing, &keys::new_key()?)?;
    println!(
        "Two keys were made. Keep a copy of both in a safe place: without the encryption key, personal data and"
    );
    println!(
        "credentials in the database cannot be read by anyone. Copy these lines into the configuration:"
    );
    println!();
    println!("  encryption_keys = [\"k1 = file:{}\"]", encryption.display());
    println!("  sealing_key = \"file:{}\"", sealing.display());
    Ok(())
}

fn signing(kid: &str, out: &Path) -> Result<(), Failure> {
    if kid.is_empty() || kid.contains(':') {
        return Err(Failure::new("no key was made: a key id is 1 or more characters without `:`"));
    }
    let entry = suture_engine::new_signing_key(kid).map_err(Failure::new)?;
    let public = keys::public_jwks(&entry)?;
    keys::write_secret(out, &entry)?;
    println!(
        "The private key is in {}. Give its content to the Epic connection as `signing_key`.",
        out.display()
    );
    println!("The public half, for the app's registration at Epic (the server also publishes it):");
    println!();
    println!("{public}");
    Ok(())
}

async fn api(
    config: Option<&Path>,
    organization: Option<&str>,
    (name, role): (&str, &str),
) -> Result<(), Failure> {
    let engine = opening::open(&Configuration::load(config)?).await?;
    let organization = opening::organization(&engine, organization).await?;
    let made = engine.make_api_key(&organization, name, role).await;
    let (key, secret) = made.map_err(|error| Failure::of("no key was made", &error))?;
    println!("API key  {}  role {}, organization {organization}", key.id, key.role);
    println!();
    println!("{}", secret.expose());
    println!();
    println!("This is the key's secret. It is shown this once; the database keeps only its hash.");
    Ok(())
}

async fn rotate(config: Option<&Path>) -> Result<(), Failure> {
    let configuration = Configuration::load(config)?;
    let engine = opening::open(&configuration).await?;
    let count = engine
        .rotate_encryption()
        .await
        .map_err(|error| Failure::of("the rotation stopped; run it again when this is mended", &error))?;
    println!("{count} values are now sealed with the key {}.", engine.store().keyring().current());
    println!("When every server uses this configuration, the older keys can be removed from it.");
    Ok(())
}
