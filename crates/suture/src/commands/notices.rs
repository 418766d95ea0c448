//! `suture notices`: messages to patients and providers, oldest first: what waits, what left, what reached nobody. Never
//! their texts.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};
use suture_core::notice::{Notice, Progress};

use super::desk::{Desk, Where, items};
use crate::failure::Failure;
use crate::system;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    from: Where,
    /// Only those about this thing or for this person, by id
    #[arg(long)]
    about: Option<String>,
    /// How many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=200))]
    limit: u16,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let rows = system::runtime()?.block_on(list(arguments))?;
    arguments.from.print(&rows, &["dueAt", "id", "to", "template", "status", "ways"]);
    Ok(ExitCode::SUCCESS)
}

async fn list(arguments: &Arguments) -> Result<Vec<Value>, Failure> {
    match arguments.from.open().await? {
        Desk::Server(remote) => {
            let about = match &arguments.about {
                Some(id) if id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') => {
                    format!("&about={id}")
                }
                Some(_) => return Err(Failure::new("--about is an id such as apt_... or pat_...")),
                None => String::new(),
            };
            let found = remote.get(&format!("/v1/notices?limit={}{about}", arguments.limit)).await?;
            Ok(items(&found).into_iter().map(with_ways).collect())
        }
        Desk::Database { engine, organization } => {
            let found = engine
                .notices(&organization, arguments.about.clone(), "", i64::from(arguments.limit))
                .await
                .map_err(|error| Failure::of("the notices cannot be read", &error))?;
            Ok(found.iter().map(row).collect())
        }
    }
}

/// Channels with their status in one column, as the database's rows have them.
fn with_ways(mut notice: Value) -> Value {
    let ways: Vec<String> = notice["channels"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|way| {
            let code = way["code"].as_str().map(|code| format!(" ({code})")).unwrap_or_default();
            let word = |name: &str| way[name].as_str().unwrap_or_default().to_owned();
            format!("{} {}{code}", word("channel"), word("status"))
        })
        .collect();
    notice["ways"] = json!(ways.join(", "));
    notice
}

fn row(notice: &Notice) -> Value {
    let way = |progress: &Progress| match progress {
        Progress::Waiting { .. } => "waiting".to_owned(),
        Progress::Trying { .. } => "trying".to_owned(),
        Progress::Sent { .. } => "sent".to_owned(),
        Progress::Delivered => "delivered".to_owned(),
        Progress::Unknown { code } => format!("unknown ({code})"),
        Progress::Failed { code } => format!("failed ({code})"),
        Progress::Suppressed { reason } => format!("suppressed ({})", reason.name()),
    };
    let ways = notice.ways.iter().map(|(channel, progress)| format!("{} {}", channel.name(), way(progress)));
    let plan = &notice.plan;
    json!({
        "dueAt": plan.due_at.to_rfc3339(), "id": plan.notice.to_string(), "to": plan.to.id(),
        "template": plan.template.name(), "status": notice.status().name(), "urgent": plan.urgent,
        "ways": ways.collect::<Vec<_>>().join(", "), "about": plan.about.ids(),
    })
}
