//! `suture simulate`: whole money flows with faults, from seeds. A violation prints its seed and fails.

use std::process::ExitCode;

use clap::Args;

use crate::failure::Failure;

#[derive(Args)]
pub(crate) struct Arguments {
    /// How many seeds to run
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first seed; the others follow it
    #[arg(long, default_value_t = 1)]
    start_seed: u64,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let held = suture_sim::simulate(arguments.seeds, arguments.start_seed, |line: &str| println!("{line}"));
    Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
