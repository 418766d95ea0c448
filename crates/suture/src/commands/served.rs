//! The running server that the commands of the front desk talk to. Visits are not worked on in the database behind its
//! back: their payments, timers and messages need the workers of a server.

use std::path::Path;

use clap::Args;
use reqwest::Method;
use serde_json::Value;

use super::desk::{self, segment};
use crate::failure::Failure;
use crate::remote::Remote;
use crate::system::MachineRandom;

/// Rows that are shown.
const SHOWN_MAX: usize = 1_000;

#[derive(Args)]
pub(super) struct Served {
    /// The running server
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080", global = true)]
    server: String,
    /// The API key for the server: env:NAME or file:PATH
    #[arg(long, value_name = "REFERENCE", default_value = "env:SUTURE_KEY", global = true)]
    key: String,
    /// Print JSON instead of a table
    #[arg(long, global = true)]
    json: bool,
}

/// Parameters of a query that were given.
#[derive(Default)]
pub(super) struct Query(String);

impl Query {
    /// Adds a parameter, when it was given.
    pub(super) fn with(mut self, name: &str, value: Option<&String>) -> Self {
        if let Some(value) = value {
            let joint = if self.0.is_empty() { '?' } else { '&' };
            self.0 = format!("{}{joint}{name}={}", self.0, segment(value));
        }
        self
    }

    /// The path with its query.
    pub(super) fn on(&self, path: &str) -> String {
        format!("{path}{}", self.0)
    }
}

impl Served {
    pub(super) fn remote(&self) -> Result<Remote, Failure> {
        desk::remote(&self.server, &self.key)
    }

    pub(super) fn print(&self, rows: &[Value], columns: &[&str]) {
        desk::print(rows, columns, self.json);
    }

    /// Whether JSON is wanted instead of tables.
    pub(super) const fn wants_json(&self) -> bool {
        self.json
    }

    /// Prints one thing whole, as it can be changed and sent back.
    pub(super) fn print_whole(&self, one: &Value) {
        match self.json {
            true => println!("{one}"),
            false => println!("{one:#}"),
        }
    }
}

/// All rows of a list, page by page, up to a limit.
pub(super) async fn all(remote: &Remote, path: &str) -> Result<Vec<Value>, Failure> {
    let joint = if path.contains('?') { '&' } else { '?' };
    let (mut rows, mut next) = (Vec::new(), Some(String::new()));
    while let Some(at) = next.filter(|_| rows.len() < SHOWN_MAX) {
        let cursor = if at.is_empty() { String::new() } else { format!("&cursor={}", segment(&at)) };
        let page = remote.get(&format!("{path}{joint}limit=200{cursor}")).await?;
        rows.extend(desk::items(&page));
        next = page["next"].as_str().map(ToOwned::to_owned);
    }
    Ok(rows)
}

/// Posts under a key of its own.
pub(super) async fn post(remote: &Remote, path: &str, body: &Value) -> Result<Value, Failure> {
    let key: [u8; 8] = MachineRandom::new().bytes()?;
    let key: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    remote.post(path, &key, body).await
}

/// Puts something whole.
pub(super) async fn put(remote: &Remote, path: &str, body: &Value) -> Result<Value, Failure> {
    let headers = [("content-type", "application/json")];
    remote.send(Method::PUT, path, &headers, body.to_string().into_bytes()).await?.success()
}

/// A file as text.
pub(super) fn text_of(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file)
        .map_err(|error| Failure::of(format!("{} cannot be read", file.display()), &error))
}

/// A file as JSON.
pub(super) fn json_of(file: &Path) -> Result<Value, Failure> {
    serde_json::from_str(&text_of(file)?)
        .map_err(|error| Failure::of(format!("{} is not JSON", file.display()), &error))
}
