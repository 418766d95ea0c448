//! `suture go-live-check`: the pre-launch test plan against the sandbox (FEATURES M214), as a table and a signed report; and the
//! check of such a report, which needs a public key and nothing else.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use suture_core::audit::seal::SealingKey;
use suture_engine::Clock;
use suture_sim::plan::{self, Outcome, Scenario};

use crate::config::{Configuration, LogFormat};
use crate::failure::Failure;
use crate::go_live_report::{BYTES_MAX, Report, Signer, all_held};
use crate::system::{MachineRandom, SystemClock};
use crate::{logging, table};

#[derive(Args)]
pub(crate) struct Arguments {
    /// The file for the signed report; it must not exist
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The configuration whose sealing key signs; without it a throw-away key does
    #[arg(long, value_name = "FILE", env = "SUTURE_CONFIG")]
    config: Option<PathBuf>,
    /// Verify a report instead of running the plan; exit 0 only if it is genuine and everything held
    #[arg(long, value_name = "FILE", requires = "public_key", conflicts_with = "out")]
    verify: Option<PathBuf>,
    /// The public key that the report must be signed by, 64 hexadecimal digits
    #[arg(long, value_name = "HEX", requires = "verify")]
    public_key: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    if let (Some(file), Some(key)) = (&arguments.verify, &arguments.public_key) {
        return verify(file, key);
    }
    let key = signing_key(arguments.config.as_deref())?;
    if let Some(out) = arguments.out.as_ref().filter(|out| out.exists()) {
        return Err(Failure::new(format!(
            "the plan was not run: {} exists already, and a report is never overwritten; name another file",
            out.display()
        )));
    }
    // What the scenarios break on purpose would fill the screen with warnings.
    logging::start(LogFormat::Human, "off")?;
    let outcomes = check(&plan::scenarios());
    if let Some(out) = &arguments.out {
        write(out, &Report::sign(&outcomes, SystemClock.now(), (key.0, &key.1))?)?;
    }
    Ok(code(all_held(&outcomes)))
}

fn code(held: bool) -> ExitCode {
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn signing_key(config: Option<&Path>) -> Result<(Signer, SealingKey), Failure> {
    let (signer, seed) = match config {
        Some(path) => (Signer::Installation, Configuration::load(Some(path))?.sealing_key.expose().clone()),
        None => (Signer::ThrowAway, MachineRandom::new().bytes::<32>()?.to_vec()),
    };
    let key = SealingKey::from_seed(&seed);
    key.map(|key| (signer, key)).map_err(|error| Failure::of("sealing_key cannot be used", &error))
}

/// Runs scenarios one after the other, and prints the table.
fn check(scenarios: &[Scenario]) -> Vec<Outcome> {
    println!("The pre-launch test plan: {} scenarios against the sandbox.", scenarios.len());
    println!();
    let outcomes: Vec<Outcome> = scenarios.iter().map(plan::run).collect();
    let rows: Vec<Vec<String>> = outcomes.iter().map(row).collect();
    print!("{}", table::render(&["group", "scenario", "findings", ""], &rows, &[2]));
    println!();
    for outcome in outcomes.iter().filter(|outcome| !outcome.held) {
        println!("{}: {}", outcome.name, outcome.claim);
        outcome.differences().iter().for_each(|one| println!("  - {one}"));
    }
    let held = outcomes.iter().filter(|outcome| outcome.held).count();
    println!("{held} of {} scenarios held.", outcomes.len());
    outcomes
}

fn row(outcome: &Outcome) -> Vec<String> {
    let word = if outcome.held { "held" } else { "DIFFERS" };
    vec![outcome.group.clone(), outcome.name.clone(), outcome.findings().count().to_string(), word.to_owned()]
}

fn write(out: &Path, report: &Report) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::of(format!("{} was not written", out.display()), &error);
    let mut file = File::create_new(out).map_err(failed)?;
    file.write_all(report.text()?.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    println!("The report is in {}, signed by {}.", out.display(), report.signed_by());
    println!("  suture go-live-check --verify {} --public-key {}", out.display(), report.public_key);
    Ok(())
}

/// Uses nothing but the verifier: no configuration, no key that is secret.
fn verify(path: &Path, public_key: &str) -> Result<ExitCode, Failure> {
    let unreadable =
        |error: std::io::Error| Failure::of(format!("{} cannot be read", path.display()), &error);
    let mut text = String::new();
    File::open(path).map_err(unreadable)?.take(BYTES_MAX).read_to_string(&mut text).map_err(unreadable)?;
    let report = match Report::verify(&text, public_key) {
        Ok(report) => report,
        Err(why) => {
            println!("NOT GENUINE: {why}");
            return Ok(ExitCode::FAILURE);
        }
    };
    println!("genuine: made {}, signed by {}", report.made(), report.signed_by());
    let held = report.scenarios.iter().filter(|one| one["held"] == true).count();
    println!("{held} of {} scenarios held", report.scenarios.len());
    Ok(code(report.held))
}

#[cfg(test)]
mod tests {
    use suture_sim::plan::{Finding, Step};

    use super::*;

    #[test]
    fn a_row_says_which_scenario_differs() {
        let findings = vec![Finding::compare("a cent is a cent", &1, &2)];
        let outcome = Outcome {
            name: "made_up".into(),
            group: "test".into(),
            claim: "Made up".into(),
            held: false,
            stopped: None,
            steps: vec![Step { title: "nothing happens".into(), findings, ..Step::default() }],
        };
        assert_eq!(row(&outcome), ["test", "made_up", "1", "DIFFERS"]);
        let told = outcome.differences();
        assert_eq!(told, ["nothing happens: a cent is a cent: expected 1, saw 2"]);
        assert_eq!(code(all_held(&[outcome])), ExitCode::FAILURE);
    }
}
