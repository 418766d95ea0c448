//! `suture demo`: the whole story on one machine, with a pretend Stripe and a pretend Epic.

use std::process::ExitCode;

use clap::Args;

use crate::config::LogFormat;
use crate::demo::stage::Stage;
use crate::demo::story;
use crate::failure::Failure;
use crate::{logging, serving, system};

#[derive(Args)]
pub(crate) struct Arguments {
    /// End after the story; exit 0 only if everything was as expected
    #[arg(long)]
    once: bool,
    /// An empty PostgreSQL database to use instead of a temporary SQLite file
    #[arg(long, value_name = "URL")]
    postgres: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    // What the story breaks on purpose would fill the screen with warnings.
    logging::start(LogFormat::Human, "off")?;
    system::runtime()?.block_on(Box::pin(show(arguments)))
}

async fn show(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let stage = Stage::set(arguments.postgres.as_deref()).await?;
    let held = Box::pin(story::tell(&stage)).await?;
    if !arguments.once {
        stage.invite();
        serving::stop_signal().await;
        println!();
    }
    stage.clear(arguments.once).await;
    Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
