//! The suture command: one binary that serves, checks, tells, and shows.

mod bench;
mod commands;
mod config;
mod demo;
mod failure;
mod flows;
mod go_live_report;
mod keys;
mod logging;
mod mailer;
mod opening;
mod remote;
mod serving;
mod system;
mod table;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands as command;

/// The system's allocator loses much time when memory is freed by another thread than the one that took it, which is what
/// a writer that serves many workers does all day.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Keeps money (Stripe), care (Epic) and books (ledger) in step.
#[derive(Parser)]
#[command(name = "suture", version, about, long_about = None)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show everything with a pretend Stripe and a pretend Epic on this machine
    Demo(command::demo::Arguments),
    /// Start the server
    Serve(command::serve::Arguments),
    /// Make the first organization and its administrator's API key
    Init(command::init::Arguments),
    /// Make and rotate keys
    Keys(command::keys::Arguments),
    /// Say what is missing before the server can be used, and how to fix it
    Check(command::check::Arguments),
    /// Start a pretend Stripe and a pretend Epic on this machine
    Sandbox(command::sandbox::Arguments),
    /// Check, test and run flow documents
    Flow(command::flow::Arguments),
    /// List what happened, newest first
    Events(command::events::Arguments),
    /// List webhooks that came in, newest first
    Messages(command::messages::Arguments),
    /// Make, list, test and replay endpoints that hear of events
    Endpoints(command::endpoints::Arguments),
    /// List work on its way to other systems, newest first
    Deliveries(command::deliveries::Arguments),
    /// List, retry and skip work that stopped and needs a person
    DeadLetters(command::dead_letters::Arguments),
    /// Take payers' remittance files in, and see how their claims were booked
    Remittances(command::remittances::Arguments),
    /// List services that are being settled
    Services(command::services::Arguments),
    /// List money that we owe to patients, oldest first
    Credits(command::credits::Arguments),
    /// List what providers are to get, why it is held, and until when
    Payouts(command::payouts::Arguments),
    /// List messages to patients and providers, without their texts
    Notices(command::notices::Arguments),
    /// List, show and change clinics
    Clinics(command::practice::Arguments),
    /// List, show and change providers
    Providers(command::practice::Arguments),
    /// List, show and change types of visit
    VisitTypes(command::practice::Arguments),
    /// Import and list the fee schedule of a clinic
    Prices(command::prices::Arguments),
    /// Try a policy of missed and cancelled visits before it holds
    VisitPolicy(command::visit_policy::Arguments),
    /// List when a visit may begin
    Openings(command::openings::Arguments),
    /// List, book, pay, move, cancel and begin appointments
    Appointments(command::appointments::Arguments),
    /// List, join and leave the waiting list
    Waiting(command::waiting::Arguments),
    /// Document, sign and add to what happened at a visit
    Encounters(command::encounters::Arguments),
    /// Show a patient's statement
    Patients(command::patients::Arguments),
    /// List gateway payouts and exceptions, import a bank's file, lock periods, print journals
    Reconcile(command::reconcile::Arguments),
    /// Make, list and verify signed proofs of balance
    Proof(command::proof::Arguments),
    /// Place and list customers' orders, and follow one from checkout to fulfilment
    Orders(command::orders::Arguments),
    /// List, write and remove rows of look-up tables, such as product to part
    Tables(command::tables::Arguments),
    /// List runs of flows, and decide what one asks a person
    Runs(command::runs::Arguments),
    /// Verify and export the audit trail
    Audit(command::audit::Arguments),
    /// Run the pre-launch test plan against the sandbox, and write or verify its signed report
    GoLiveCheck(command::go_live_check::Arguments),
    /// Run seeded simulations of whole money flows with faults
    Simulate(command::simulate::Arguments),
    /// Print the OpenAPI document of the HTTP API
    Openapi,
    /// Measure this machine
    Bench(command::bench::Arguments),
}

/// A reader that has seen enough (`suture events | head`) closes the pipe; that is no failure worth a backtrace.
fn end_quietly_when_nobody_reads() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let text = panic.payload().downcast_ref::<String>();
        if text.is_some_and(|text| text.starts_with("failed printing to stdout")) {
            std::process::exit(0);
        }
        usual(panic);
    }));
}

fn main() -> ExitCode {
    end_quietly_when_nobody_reads();
    let outcome = match Cli::parse().command {
        Command::Demo(arguments) => command::demo::run(&arguments),
        Command::Serve(arguments) => command::serve::run(&arguments),
        Command::Init(arguments) => command::init::run(&arguments),
        Command::Keys(arguments) => command::keys::run(&arguments),
        Command::Check(arguments) => command::check::run(&arguments),
        Command::Sandbox(arguments) => command::sandbox::run(&arguments),
        Command::Flow(arguments) => command::flow::run(&arguments),
        Command::Events(arguments) => command::events::run(&arguments),
        Command::Messages(arguments) => command::messages::run(&arguments),
        Command::Endpoints(arguments) => command::endpoints::run(&arguments),
        Command::Deliveries(arguments) => command::deliveries::run(&arguments),
        Command::DeadLetters(arguments) => command::dead_letters::run(&arguments),
        Command::Remittances(arguments) => command::remittances::run(&arguments),
        Command::Services(arguments) => command::services::run(&arguments),
        Command::Credits(arguments) => command::credits::run(&arguments),
        Command::Payouts(arguments) => command::payouts::run(&arguments),
        Command::Notices(arguments) => command::notices::run(&arguments),
        Command::Clinics(arguments) => command::practice::run("clinics", &arguments),
        Command::Providers(arguments) => command::practice::run("providers", &arguments),
        Command::VisitTypes(arguments) => command::practice::run("visit-types", &arguments),
        Command::Prices(arguments) => command::prices::run(&arguments),
        Command::VisitPolicy(arguments) => command::visit_policy::run(&arguments),
        Command::Openings(arguments) => command::openings::run(&arguments),
        Command::Appointments(arguments) => command::appointments::run(&arguments),
        Command::Waiting(arguments) => command::waiting::run(&arguments),
        Command::Encounters(arguments) => command::encounters::run(&arguments),
        Command::Patients(arguments) => command::patients::run(&arguments),
        Command::Reconcile(arguments) => command::reconcile::run(&arguments),
        Command::Proof(arguments) => command::proof::run(&arguments),
        Command::Orders(arguments) => command::orders::run(&arguments),
        Command::Tables(arguments) => command::tables::run(&arguments),
        Command::Runs(arguments) => command::runs::run(&arguments),
        Command::Audit(arguments) => command::audit::run(&arguments),
        Command::GoLiveCheck(arguments) => command::go_live_check::run(&arguments),
        Command::Simulate(arguments) => command::simulate::run(&arguments),
        Command::Openapi => command::openapi::run(),
        Command::Bench(arguments) => return bench::run(&arguments.arguments),
    };
    match outcome {
        Ok(code) => code,
        Err(failure) => {
            // The one place where a command that failed says why.
            eprintln!("suture: {failure}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn every_command_is_well_formed() {
        Cli::command().debug_assert();
    }
}
