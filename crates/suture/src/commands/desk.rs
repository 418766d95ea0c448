//! Where a listing command looks: at a running server over HTTP, or into the database of a configuration.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;
use suture_core::currency::Currency;
use suture_core::money::Money;
use suture_engine::Engine;

use crate::config::{Configuration, Reference, variable};
use crate::failure::Failure;
use crate::remote::Remote;
use crate::{opening, table};

#[derive(Args)]
pub(super) struct Where {
    /// A running server; without it the database of the configuration is used
    #[arg(long, value_name = "URL", requires = "key")]
    server: Option<String>,
    /// The API key for the server: env:NAME or file:PATH
    #[arg(long, value_name = "REFERENCE")]
    key: Option<String>,
    /// The configuration, for the database
    #[arg(long, env = "SUTURE_CONFIG")]
    config: Option<PathBuf>,
    /// The organization, when the database has more than one
    #[arg(long)]
    organization: Option<String>,
    /// Print JSON instead of a table
    #[arg(long)]
    pub(super) json: bool,
}

/// One of both.
pub(super) enum Desk {
    Server(Remote),
    Database { engine: Box<Engine>, organization: String },
}

impl Where {
    pub(super) async fn open(&self) -> Result<Desk, Failure> {
        if let (Some(server), Some(key)) = (&self.server, &self.key) {
            return Ok(Desk::Server(remote(server, key)?));
        }
        let engine = opening::open(&Configuration::load(self.config.as_deref())?).await?;
        let organization = opening::organization(&engine, self.organization.as_deref()).await?;
        Ok(Desk::Database { engine: Box::new(engine), organization })
    }

    /// Prints rows as a table of some of their members, or as lines of JSON.
    pub(super) fn print(&self, rows: &[Value], columns: &[&str]) {
        print(rows, columns, self.json);
    }
}

/// A running server, with the key that a reference leads to.
pub(super) fn remote(server: &str, key: &str) -> Result<Remote, Failure> {
    let environment = match key.strip_prefix("env:") {
        Some(name) => variable(name).map(|value| (name.to_owned(), value)).into_iter().collect(),
        None => std::collections::BTreeMap::new(),
    };
    let here = std::path::Path::new(".");
    let key = Reference::parse("--key", key)?.read("--key", here, &environment)?;
    Remote::try_new(server, Some(key))
}

/// Prints rows as a table of some of their members, or as lines of JSON.
pub(super) fn print(rows: &[Value], columns: &[&str], json: bool) {
    if json {
        rows.iter().for_each(|row| println!("{row}"));
        return;
    }
    if rows.is_empty() {
        println!("Nothing here.");
        return;
    }
    let cells = |row: &Value| columns.iter().map(|column| cell(&row[*column])).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(cells).collect();
    print!("{}", table::render(columns, &rows, &[]));
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.chars().take(80).collect(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().map(cell).collect::<Vec<_>>().join(" ")
        }
        other => amount(other).unwrap_or_else(|| other.to_string()),
    }
}

/// An amount as people write it.
fn amount(value: &Value) -> Option<String> {
    let (minor, code) = (value.get("minor")?.as_i64()?, value.get("currency")?.as_str()?);
    Some(Money::new(minor, Currency::parse(code).ok()?).to_string())
}

/// The items of a page.
pub(super) fn items(page: &Value) -> Vec<Value> {
    ["items", "data"].iter().find_map(|name| page[*name].as_array()).cloned().unwrap_or_default()
}

/// A name as a path segment.
pub(super) fn segment(id: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    let encode = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    id.bytes().map(encode).collect()
}
