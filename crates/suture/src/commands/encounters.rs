//! `suture encounters`: what happened at a visit: opened, drafted, signed, added to. Texts come from files and are shown
//! only on demand.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::desk::segment;
use super::served::{Served, post, put, text_of};
use crate::failure::Failure;
use crate::remote::Remote;
use crate::system;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    at: Served,
    #[command(subcommand)]
    command: Command,
}

/// What is written.
#[derive(Args)]
struct Words {
    /// The encounter, enc_…
    id: String,
    /// The file with the text
    file: PathBuf,
    /// A procedure code, such as 99214, or 97110*2 for two units; may be given several times
    #[arg(long = "code")]
    codes: Vec<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Open the encounter of an appointment; the patient is here then
    Open {
        /// The appointment, apt_…
        appointment: String,
    },
    /// Show one, without its texts
    Show {
        /// Its id
        id: String,
        /// With its texts; they are personal, and the look is logged
        #[arg(long)]
        texts: bool,
    },
    /// Keep a draft
    Draft(Words),
    /// Sign it: the visit is over, and its codes are charged as agreed
    Sign {
        #[command(flatten)]
        words: Words,
        /// Who signs
        #[arg(long)]
        signer: String,
    },
    /// Add to a signed one; with codes they replace those before
    Addend {
        #[command(flatten)]
        words: Words,
        /// Who signs
        #[arg(long)]
        signer: String,
    },
    /// Record how the care turned out
    Outcome {
        /// Its id
        id: String,
        /// As a code
        outcome: String,
        /// Who says so
        #[arg(long)]
        by: String,
    },
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let shown = system::runtime()?.block_on(async {
        let remote = arguments.at.remote()?;
        act(&remote, &arguments.command).await
    })?;
    match arguments.command {
        Command::Show { .. } => arguments.at.print_whole(&shown),
        _ => arguments.at.print(&[shown], &["id", "status", "version", "total", "missingPrices"]),
    }
    Ok(ExitCode::SUCCESS)
}

async fn act(remote: &Remote, command: &Command) -> Result<Value, Failure> {
    let path = |id: &str, rest: &str| format!("/v1/encounters/{}{rest}", segment(id));
    match command {
        Command::Open { appointment } => {
            let path = format!("/v1/appointments/{}/encounter", segment(appointment));
            post(remote, &path, &json!({})).await
        }
        Command::Show { id, texts } => {
            let mut shown = remote.get(&path(id, "?purpose=command_line")).await?;
            if *texts {
                shown["texts"] = remote.get(&path(id, "/texts?purpose=command_line")).await?;
            }
            Ok(shown)
        }
        Command::Draft(words) => {
            let draft = json!({ "text": text_of(&words.file)?, "codes": codes(words)? });
            put(remote, &path(&words.id, ""), &draft).await
        }
        Command::Sign { words, signer } => {
            let note = json!({ "text": text_of(&words.file)?, "codes": codes(words)?, "signer": signer });
            post(remote, &path(&words.id, "/sign"), &note).await
        }
        Command::Addend { words, signer } => {
            let codes = if words.codes.is_empty() { Value::Null } else { json!(codes(words)?) };
            let note = json!({ "text": text_of(&words.file)?, "codes": codes, "signer": signer });
            post(remote, &path(&words.id, "/addenda"), &note).await
        }
        Command::Outcome { id, outcome, by } => {
            post(remote, &path(id, "/outcome"), &json!({ "outcome": outcome, "by": by })).await
        }
    }
}

fn codes(words: &Words) -> Result<Vec<Value>, Failure> {
    let one = |text: &String| match text.split_once('*') {
        None => Ok(json!({ "code": text })),
        Some((code, units)) => match units.parse::<u32>() {
            Ok(units) => Ok(json!({ "code": code, "units": units })),
            Err(_) => Err(Failure::new(format!("{text} is not a code with its units, such as 97110*2"))),
        },
    };
    words.codes.iter().map(one).collect()
}
