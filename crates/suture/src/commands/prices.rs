//! `suture prices`: the fee schedule of a clinic, imported from a CSV file.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use suture_core::currency::Currency;
use suture_core::money::Money;

use super::desk::segment;
use super::served::{Served, all, post, text_of};
use crate::failure::Failure;
use crate::system;

/// The first line of a file.
const HEADER: &str = "code,payer,from,until,amount,currency";

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    at: Served,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List prices
    List {
        /// The clinic, cli_…
        clinic: String,
    },
    /// Import prices, all or none. First line: code,payer,from,until,amount,currency. Payer and until may be empty
    Import {
        /// The clinic, cli_…
        clinic: String,
        /// The CSV file; amounts as 120.00
        file: PathBuf,
    },
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    system::runtime()?.block_on(act(arguments))?;
    Ok(ExitCode::SUCCESS)
}

async fn act(arguments: &Arguments) -> Result<(), Failure> {
    let (at, remote) = (&arguments.at, arguments.at.remote()?);
    match &arguments.command {
        Command::List { clinic } => {
            let rows = all(&remote, &format!("/v1/clinics/{}/prices", segment(clinic))).await?;
            at.print(&rows, &["code", "payer", "from", "until", "amount"]);
        }
        Command::Import { clinic, file } => {
            let prices = prices_of(&text_of(file)?)?;
            let path = format!("/v1/clinics/{}/prices", segment(clinic));
            let stored = post(&remote, &path, &json!({ "prices": prices })).await?;
            println!("{} prices stored.", stored["stored"]);
        }
    }
    Ok(())
}

/// The prices of a file. Fields hold no commas, so nothing is quoted.
fn prices_of(text: &str) -> Result<Vec<Value>, Failure> {
    let mut lines = text.trim_start_matches('\u{feff}').lines().map(str::trim).enumerate();
    if lines.next().is_none_or(|(_, first)| first != HEADER) {
        return Err(Failure::new(format!("the first line of the file is not {HEADER}")));
    }
    let filled = lines.filter(|(_, line)| !line.is_empty());
    filled
        .map(|(at, line)| price_of(line).map_err(|why| Failure::new(format!("line {}: {why}", at + 1))))
        .collect()
}

fn price_of(line: &str) -> Result<Value, String> {
    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
    let [code, payer, from, until, amount, currency] = fields[..] else {
        return Err(format!("it has {} fields, not 6; quotes are not read", fields.len()));
    };
    let currency = Currency::parse(currency).map_err(|error| error.to_string())?;
    let amount = Money::from_decimal(amount, currency).map_err(|error| error.to_string())?;
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Ok(json!({
        "code": code, "payer": given(payer), "from": from, "until": given(until),
        "amount": { "minor": amount.minor, "currency": amount.currency.code() },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_line_by_line_and_a_wrong_line_is_named() {
        let text = format!(
            "{HEADER}\r\n99214,,2026-01-01,,120.00,USD\r\n\r\n99213,88888,2026-01-01,2026-12-31,80,USD\r\n"
        );
        let prices = prices_of(&text).unwrap();
        let amount = json!({ "minor": 12_000, "currency": "USD" });
        assert_eq!((prices.len(), &prices[0]["amount"], &prices[0]["payer"]), (2, &amount, &Value::Null));
        assert_eq!(prices[1]["payer"], "88888");
        for (line, why) in [
            ("99214,,2026-01-01,,1.234,USD", "line 2"),
            ("99214,2026-01-01,1.00", "3 fields"),
            ("99214,,2026-01-01,,1.00,ZZZ", "ZZZ"),
        ] {
            let refused = prices_of(&format!("{HEADER}\n{line}\n")).unwrap_err().to_string();
            assert!(refused.contains(why), "{refused}");
        }
        assert!(prices_of("code;amount\n").is_err());
    }
}
