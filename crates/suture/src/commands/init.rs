//! `suture init`: the first organization and its administrator's API key, printed once.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use suture_engine::admin::Mode;

use crate::config::Configuration;
use crate::failure::Failure;
use crate::{opening, system};

#[derive(Clone, Copy, ValueEnum)]
enum MoneyMode {
    /// Test keys only: play money
    Sandbox,
    /// Live keys only: real money
    Live,
}

#[derive(Args)]
pub(crate) struct Arguments {
    /// The configuration
    #[arg(long)]
    config: Option<PathBuf>,
    /// The organization's name
    #[arg(long)]
    name: String,
    /// Whether its money is real
    #[arg(long, value_enum, default_value = "sandbox")]
    mode: MoneyMode,
    /// Make one more organization although there is one
    #[arg(long)]
    another: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    system::runtime()?.block_on(init(arguments))
}

async fn init(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let configuration = Configuration::load(arguments.config.as_deref())?;
    let engine = opening::open(&configuration).await?;
    let unreadable = |error| Failure::of("nothing was made", &error);
    let there = engine.organizations().await.map_err(unreadable)?;
    if let Some(first) = there.first().filter(|_| !arguments.another) {
        return Err(Failure::new(format!(
            "nothing was made: there is an organization already, {} ({}). Add --another to make one more.",
            first.id, first.name
        )));
    }
    let mode = match arguments.mode {
        MoneyMode::Sandbox => Mode::Sandbox,
        MoneyMode::Live => Mode::Live,
    };
    let organization = engine.make_organization(&arguments.name, mode).await.map_err(unreadable)?;
    let (key, secret) =
        engine.make_api_key(&organization.id, "administrator", "admin").await.map_err(unreadable)?;
    println!("organization  {}  {} ({})", organization.id, organization.name, organization.mode);
    println!("API key       {}  role {}", key.id, key.role);
    println!();
    println!("{}", secret.expose());
    println!();
    println!("This is the key's secret. It is shown this once; the database keeps only its hash.");
    Ok(ExitCode::SUCCESS)
}
