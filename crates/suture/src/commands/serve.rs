//! `suture serve`: the server.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use tokio::net::TcpListener;

use crate::config::Configuration;
use crate::failure::Failure;
use crate::{logging, opening, serving, system};

#[derive(Args)]
pub(crate) struct Arguments {
    /// The configuration; `suture.toml` in this folder when there is one
    #[arg(long, env = "SUTURE_CONFIG")]
    config: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let configuration = Configuration::load(arguments.config.as_deref())?;
    logging::start(configuration.log, &configuration.log_level)?;
    system::runtime()?.block_on(serve(&configuration))
}

async fn serve(configuration: &Configuration) -> Result<ExitCode, Failure> {
    // Bound first: two servers on one port end here, before anything is opened.
    let listener = TcpListener::bind(configuration.listen)
        .await
        .map_err(|error| Failure::of(format!("listen: {} cannot be used", configuration.listen), &error))?;
    let engine = opening::open(configuration).await?;
    let organizations =
        engine.organizations().await.map_err(|error| Failure::of("the database cannot be read", &error))?;
    if organizations.is_empty() {
        tracing::warn!(
            "the database is empty; make an organization and its key with `suture init --name NAME`"
        );
    }
    let router = serving::router(&engine, configuration);
    let serving = serving::start(engine, listener, router, configuration.jobs).await?;
    tracing::info!(address = %serving.address, version = env!("CARGO_PKG_VERSION"), "listening on {}", serving.address);
    serving::stop_signal().await;
    tracing::info!("stopping: requests and jobs that run may end, nothing new begins");
    serving.stop().await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}
