//! `suture openings`: when a visit may begin.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::served::{Query, Served};
use crate::failure::Failure;
use crate::system;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    at: Served,
    /// The type of visit, vty_…
    visit_type: String,
    /// Only with this provider, prv_…
    #[arg(long)]
    provider: Option<String>,
    /// Only with this specialty
    #[arg(long)]
    specialty: Option<String>,
    /// Only where this payer's insurance is accepted
    #[arg(long)]
    payer: Option<String>,
    /// Only providers whose name holds this
    #[arg(long)]
    name: Option<String>,
    /// Only who are ever at this location
    #[arg(long)]
    location: Option<String>,
    /// Not before this, such as 2026-11-21T09:30:00Z; now when absent
    #[arg(long)]
    from: Option<String>,
    /// Not after this; 14 days later when absent
    #[arg(long)]
    until: Option<String>,
    /// The zone that times are shown in; the clinic's when absent
    #[arg(long)]
    zone: Option<String>,
    /// Only the first opening of each provider, the earliest first
    #[arg(long)]
    first: bool,
    /// How many of each provider
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=200))]
    limit: u16,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let query = Query::default()
        .with("visitType", Some(&arguments.visit_type))
        .with("provider", arguments.provider.as_ref())
        .with("specialty", arguments.specialty.as_ref())
        .with("payer", arguments.payer.as_ref())
        .with("name", arguments.name.as_ref())
        .with("location", arguments.location.as_ref())
        .with("from", arguments.from.as_ref())
        .with("until", arguments.until.as_ref())
        .with("zone", arguments.zone.as_ref())
        .with("limit", Some(&arguments.limit.to_string()));
    let path = query.on(if arguments.first { "/v1/openings/first" } else { "/v1/openings" });
    let found = system::runtime()?.block_on(async { arguments.at.remote()?.get(&path).await })?;
    arguments.at.print(&rows(&found), &["local", "startsAt", "provider", "name"]);
    Ok(ExitCode::SUCCESS)
}

fn rows(found: &Value) -> Vec<Value> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let row = |start: &Value, provider: &Value| {
        json!({
            "startsAt": start["startsAt"], "local": start["local"]["text"],
            "provider": provider["provider"], "name": provider["name"],
        })
    };
    let first = list(&found["items"]).into_iter().map(|one| row(&one, &one));
    let by_provider = list(&found["providers"]).into_iter().flat_map(|provider| {
        list(&provider["starts"]).into_iter().map(|start| row(&start, &provider)).collect::<Vec<_>>()
    });
    first.chain(by_provider).collect()
}
