//! `suture demo`: a story on one machine, with a pretend Stripe, a pretend Epic and a pretend payer.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::config::LogFormat;
use crate::demo::stage::Stage;
use crate::demo::{billing, orders, reconcile};
use crate::demo::{story, visits};
use crate::failure::Failure;
use crate::{logging, serving, system};

/// Which story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Tale {
    /// A clinic's day: card payments, their way into books and Epic, and everything that goes wrong on it
    Payments,
    /// A patient's bill: insurance, estimates, claims, remittances, settling
    Billing,
    /// Visits that are paid before, after, or with an insurance, and what goes wrong around them; the clock jumps, so it
    /// ends by itself
    Visits,
    /// A shop's orders: paid at Stripe, filed in Epicor, shipped, invoiced, refunded, and what goes wrong around them
    OrderToCash,
    /// The books tied out: a gateway's payouts line by line, the bank's file, exceptions, journals, a locked period, a signed
    /// proof; the clock jumps, so it ends by itself
    Reconcile,
}

#[derive(Args)]
pub(crate) struct Arguments {
    /// Which story to tell
    #[arg(value_enum, default_value_t = Tale::Payments)]
    tale: Tale,
    /// End after the story; exit 0 only if everything was as expected
    #[arg(long)]
    once: bool,
    /// An empty PostgreSQL database to use instead of a temporary SQLite file
    #[arg(long, value_name = "URL")]
    postgres: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    if matches!(arguments.tale, Tale::Visits | Tale::Reconcile) {
        return tell_alone(arguments);
    }
    // What the story breaks on purpose would fill the screen with warnings.
    logging::start(LogFormat::Human, "off")?;
    system::runtime()?.block_on(Box::pin(show(arguments)))
}

/// These stories need no server: their clock is their own, and jumps over weeks.
fn tell_alone(arguments: &Arguments) -> Result<ExitCode, Failure> {
    if arguments.postgres.is_some() {
        return Err(Failure::new(
            "the story was not told: it runs on a database of its own in memory; leave --postgres out",
        ));
    }
    let held = match arguments.tale {
        Tale::Reconcile => system::runtime()?.block_on(Box::pin(reconcile::tell()))?,
        Tale::Visits | Tale::Payments | Tale::Billing | Tale::OrderToCash => visits::tell()?,
    };
    Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn show(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let stage = Stage::set(arguments.postgres.as_deref()).await?;
    let held = match arguments.tale {
        Tale::Payments => Box::pin(story::tell(&stage)).await?,
        Tale::Billing => Box::pin(billing::tell(&stage)).await?,
        Tale::Visits => visits::tell()?,
        Tale::OrderToCash => Box::pin(orders::tell(&stage)).await?,
        Tale::Reconcile => Box::pin(reconcile::tell()).await?,
    };
    if !arguments.once {
        stage.invite();
        serving::stop_signal().await;
        println!();
    }
    stage.clear(arguments.once).await;
    Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
