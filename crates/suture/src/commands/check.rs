//! `suture check`: everything that a server needs, tried one after the other; what is missing, and how to fix it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use suture_engine::Engine;
use suture_store::organizations::Organization;

use crate::config::Configuration;
use crate::failure::Failure;
use crate::{opening, system};

#[derive(Args)]
pub(crate) struct Arguments {
    /// The configuration
    #[arg(long, env = "SUTURE_CONFIG")]
    config: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let configuration = Configuration::load(arguments.config.as_deref())?;
    println!("ok       configuration  keys can be read");
    let usable = system::runtime()?.block_on(check(&configuration))?;
    println!();
    println!(
        "{}",
        if usable { "Everything is there." } else { "Not usable yet: mend what is marked MISSING." }
    );
    Ok(if usable { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn check(configuration: &Configuration) -> Result<bool, Failure> {
    let engine = opening::open(configuration).await?;
    println!("ok       database       opened, its schema is up to date");
    println!(
        "ok       flows          {}",
        if configuration.flows.is_some() { "compiled" } else { "the shipped ones" }
    );
    let mut usable = check_address(configuration).await;
    let organizations =
        engine.organizations().await.map_err(|error| Failure::of("the database cannot be read", &error))?;
    if organizations.is_empty() {
        println!("MISSING  organization   make the first one with `suture init --name NAME`");
        return Ok(false);
    }
    for organization in &organizations {
        usable &= check_organization(&engine, organization).await?;
    }
    Ok(usable)
}

async fn check_address(configuration: &Configuration) -> bool {
    match tokio::net::TcpListener::bind(configuration.listen).await {
        Ok(_) => println!("ok       listen         {} is free", configuration.listen),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            println!(
                "ok       listen         {} is taken; a server seems to be running",
                configuration.listen
            );
        }
        Err(error) => {
            println!("MISSING  listen         {} cannot be used: {error}", configuration.listen);
            return false;
        }
    }
    true
}

async fn check_organization(engine: &Engine, organization: &Organization) -> Result<bool, Failure> {
    let caller = opening::operator(&organization.id);
    println!("ok       organization   {} ({}, {})", organization.name, organization.id, organization.mode);
    let mut usable = true;
    let keys = engine
        .api_keys(&organization.id)
        .await
        .map_err(|error| Failure::of("the API keys cannot be read", &error))?;
    if keys.is_empty() {
        println!(
            "MISSING  API key        nobody can call the API; make one with `suture keys api --name NAME --role admin`"
        );
        usable = false;
    }
    let connections = engine.connections_of(&organization.id);
    let has = |kind: &str| connections.iter().any(|one| one.kind == kind);
    let has_gateway = connections.iter().any(|one| one.kind != "epic" && one.kind != "epicor");
    for (wanted, is_there) in [
        ("a payment gateway", has_gateway),
        ("an Epic site or an Epicor company", has("epic") || has("epicor")),
    ] {
        if !is_there {
            println!(
                "MISSING  connection     {wanted} is not connected; create the connection through the API"
            );
            usable = false;
        }
    }
    say_of_epicor(engine, organization, has("epicor")).await?;
    for connection in connections {
        let probed = engine.probe(&caller, &connection.id).await;
        let (works, findings) = match probed {
            Ok(probe) => (probe.usable, probe.findings),
            Err(error) => (false, vec![error.to_string()]),
        };
        let word = if works { "ok     " } else { "MISSING" };
        println!("{word}  connection     {} ({}, {})", connection.name, connection.kind, connection.id);
        for finding in findings {
            println!("                        {finding}");
        }
        usable &= works;
    }
    Ok(usable)
}

/// Orders need an ERP and the parts of their products; without orders, nothing is missing.
async fn say_of_epicor(engine: &Engine, organization: &Organization, is_there: bool) -> Result<(), Failure> {
    if !is_there {
        println!("none     epicor         no company is connected; orders are filed nowhere");
        return Ok(());
    }
    let rows = engine.table_rows(&organization.id, "part", ("", 1)).await;
    let rows = rows.map_err(|error| Failure::of("the table of parts cannot be read", &error))?;
    println!(
        "ok       epicor         {}",
        if rows.is_empty() {
            "connected; orders wait for parts: `suture tables set part PRODUCT PART`"
        } else {
            "connected, and the table of parts has rows"
        }
    );
    Ok(())
}
