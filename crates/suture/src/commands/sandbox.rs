//! `suture sandbox`: a pretend Stripe, Epic, Epicor and payer on this machine, until they are stopped.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Args;
use suture_sandbox::epicor::{DEFAULT_API_KEY, DEFAULT_COMPANY, DEFAULT_PASSWORD, DEFAULT_USER};
use suture_sandbox::stripe::{DEFAULT_KEY, StripeOptions};
use suture_sandbox::{Options, start};

use crate::failure::Failure;
use crate::{serving, system};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Port of the pretend Stripe; 0 picks a free one
    #[arg(long, default_value_t = 0)]
    stripe_port: u16,
    /// Port of the pretend Epic
    #[arg(long, default_value_t = 0)]
    epic_port: u16,
    /// Port of the pretend Epicor
    #[arg(long, default_value_t = 0)]
    epicor_port: u16,
    /// Port of the pretend payer
    #[arg(long, default_value_t = 0)]
    payer_port: u16,
    /// Port of the control API, which breaks things on request
    #[arg(long, default_value_t = 0)]
    control_port: u16,
    /// Where the pretend Stripe sends its webhooks
    #[arg(long, value_name = "URL")]
    webhook_url: Option<String>,
    /// Seed of ids and chances
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// The secret that the sandbox signs webhooks with. Play money only.
const WEBHOOK_SECRET: &str = "whsec_sandbox";

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    system::runtime()?.block_on(run_until_stopped(arguments))
}

async fn run_until_stopped(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let on = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let webhook = arguments.webhook_url.clone().map(|url| (url, WEBHOOK_SECRET.to_owned()));
    let options = Options {
        stripe_listen: on(arguments.stripe_port),
        epic_listen: on(arguments.epic_port),
        epicor_listen: on(arguments.epicor_port),
        payer_listen: on(arguments.payer_port),
        control_listen: on(arguments.control_port),
        stripe: StripeOptions { seed: arguments.seed, webhook, ..StripeOptions::default() },
        epic_seed: arguments.seed,
        epicor_seed: arguments.seed,
        ..Options::default()
    };
    let running = start(options).await.map_err(|error| Failure::of("the sandbox cannot start", &error))?;
    println!("The sandbox is running. Nothing here is real, and nobody here exists.");
    println!();
    println!("  pretend Stripe  {}   key {DEFAULT_KEY}", running.stripe_url);
    println!("  pretend Epic    {}   FHIR {0}/interconnect/api/FHIR/R4", running.epic_url);
    println!(
        "  pretend Epicor  {}   REST /Kinetic/api/v2/odata/{DEFAULT_COMPANY}, x-api-key {DEFAULT_API_KEY}, \
         user {DEFAULT_USER} with password {DEFAULT_PASSWORD}",
        running.epicor_url
    );
    println!(
        "  pretend payer   {}   270 to /eligibility, claims to /claims, 835 from /remittances/1",
        running.payer_url
    );
    println!("  control         {}   for example:", running.control_url);
    println!("    curl -X POST {}/control/epic/outage -d '{{\"on\": true}}'", running.control_url);
    println!("    curl -X POST {}/control/stripe/lose_answers -d '{{\"next\": 1}}'", running.control_url);
    if let Some(url) = &arguments.webhook_url {
        println!("  webhooks go to {url}, signed with {WEBHOOK_SECRET}");
    }
    println!();
    println!("Stop it with ctrl-c.");
    serving::stop_signal().await;
    running.shutdown();
    Ok(ExitCode::SUCCESS)
}
