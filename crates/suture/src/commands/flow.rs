//! `suture flow`: checks, tests and rehearses flow documents without any server.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::Value;
use suture_flow::compiled::Compiled;
use suture_flow::flow::Flow;
use suture_flow::run::{Answer, Next};

use crate::failure::Failure;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Say what is wrong with documents, with file, line and column
    Check {
        /// Flow documents
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Run the tests that documents carry
    Test {
        /// Flow documents
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Run a document for an event, without sending anything
    Run {
        /// The flow document
        file: PathBuf,
        /// The event, a JSON file
        #[arg(long)]
        event: PathBuf,
        /// Answers to lookups by step, a JSON file; what it does not name is not found
        #[arg(long)]
        answers: Option<PathBuf>,
    },
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    match &arguments.command {
        Command::Check { files } => check(files),
        Command::Test { files } => test(files),
        Command::Run { file, event, answers } => rehearse(file, event, answers.as_deref()),
    }
}

fn check(files: &[PathBuf]) -> Result<ExitCode, Failure> {
    let mut right = true;
    for file in files {
        let text = read(file)?;
        match Flow::parse(&text, &file.display().to_string()) {
            Ok(flow) => {
                println!("{}: {} version {} can be used", file.display(), flow.name(), flow.version());
            }
            Err(problems) => {
                right = false;
                println!("{problems}");
            }
        }
    }
    Ok(if right { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn test(files: &[PathBuf]) -> Result<ExitCode, Failure> {
    let mut failed = 0_usize;
    for file in files {
        let flow = parse(file)?;
        let outcomes = flow.rehearse();
        println!("{}: {} tests", file.display(), outcomes.len());
        for outcome in outcomes {
            let word = if outcome.differences.is_empty() { "ok    " } else { "FAILED" };
            println!("  {word}  {}", outcome.name);
            for difference in &outcome.differences {
                println!("          {}:{}: {difference}", file.display(), outcome.place);
            }
            failed += usize::from(!outcome.differences.is_empty());
        }
    }
    if failed == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    println!("{failed} failed");
    Ok(ExitCode::FAILURE)
}

/// The event and the answers are the author's own files, so what they hold may be shown.
fn rehearse(file: &Path, event: &Path, answers: Option<&Path>) -> Result<ExitCode, Failure> {
    let flow = parse(file)?.compile();
    let event = read_json(event)?;
    let answers = answers.map(read_json).transpose()?.unwrap_or_default();
    let Some(mut run) = flow.start(&event) else {
        println!("The event does not start this flow: {}.", wanted(&flow));
        return Ok(ExitCode::FAILURE);
    };
    let mut answer = None;
    // Each answer moves the run forward by a step at least, so the loop ends.
    loop {
        answer = Some(match flow.advance(&mut run, answer) {
            Next::Lookup { step, source, key, .. } => {
                let found = answers.get(&step).filter(|value| !value.is_null());
                let told = found.map_or_else(|| "nothing found".to_owned(), Value::to_string);
                println!("{step}: looks up {} in {source}: {told}", key.expose());
                found.map_or(Answer::Missing, |value| Answer::Found(value.clone()))
            }
            Next::Call { step, target, document, .. } => {
                println!("{step}: would call {target} with\n{:#}", document.expose());
                Answer::Done(Value::Null)
            }
            Next::WriteBack { step, target, document } => {
                println!("{step}: would note at {target}\n{:#}", document.expose());
                Answer::Done(Value::Null)
            }
            Next::Wait { step, event, key, .. } => {
                let happened = answers.get(&step).filter(|value| !value.is_null());
                let Some(happened) = happened else {
                    println!(
                        "{step}: would wait for {event} of {}; no answer says that it happens",
                        key.expose()
                    );
                    return Ok(ExitCode::SUCCESS);
                };
                println!("{step}: waits for {event} of {}: {happened}", key.expose());
                Answer::Happened(happened.clone())
            }
            Next::Approve { step, question, by, .. } => {
                let Some(approved) = answers.get(&step).and_then(Value::as_str) else {
                    println!("{step}: would ask {by}: {}; no answer names who says yes", question.expose());
                    return Ok(ExitCode::SUCCESS);
                };
                println!("{step}: asks {by}: {}; {approved} says yes", question.expose());
                Answer::Approved { by: approved.to_owned() }
            }
            Next::Finished { summary } => {
                println!("finished: {} calls", summary.calls.len());
                return Ok(ExitCode::SUCCESS);
            }
            Next::Parked { reason, step, place } => {
                println!("{}:{place}: parked at {step}: {}", file.display(), reason.word());
                return Ok(ExitCode::FAILURE);
            }
            Next::Failed { error, step, place } => {
                println!("{}:{place}: failed at {step}: {}", file.display(), error.text);
                return Ok(ExitCode::FAILURE);
            }
        });
    }
}

fn wanted(flow: &Compiled) -> String {
    let (source, events) = flow.trigger();
    format!("it starts with {} of {source}, if its filter says yes", events.join(" or "))
}

fn parse(file: &Path) -> Result<Flow, Failure> {
    Flow::parse(&read(file)?, &file.display().to_string())
        .map_err(|problems| Failure::new(format!("the flow cannot be used:\n{problems}")))
}

fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file)
        .map_err(|error| Failure::of(format!("{} cannot be read", file.display()), &error))
}

fn read_json(file: &Path) -> Result<Value, Failure> {
    serde_json::from_str(&read(file)?)
        .map_err(|error| Failure::of(format!("{} is not JSON", file.display()), &error))
}
