//! Benchmarks of the whole program on this machine, as ratios to limits measured in the same run.
//!
//! `suture bench all` prints every figure of `docs/BENCHMARKS.md`; one name runs one of them. Databases are fresh and in the
//! system's temporary folder, or at the PostgreSQL URL given with `--postgres`, whose content is added to.

use std::process::ExitCode;
use std::time::{Duration, Instant};

/// What can be measured.
///
/// Settling is the last part of billing, alone.
const NAMES: [&str; 9] = [
    "intake",
    "end-to-end",
    "audit",
    "process",
    "billing",
    "settling",
    "availability",
    "orders",
    "reconcile",
];

/// Runs a benchmark; without arguments prints how to call it.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    // Parts that are measured in processes of their own.
    if let [name, items] = arguments
        && name == super::reconcile::CHILD
    {
        return ended(super::reconcile::match_items(items));
    }
    if let [name, file, url] = arguments
        && name == super::remittance::CHILD
    {
        return ended(in_runtime(super::remittance::import(file, url)));
    }
    let mut wanted = Vec::new();
    let mut postgres = None;
    let (mut payments, mut orders, mut items) = (30_000, 3_000, None);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            // Billing ends with settling.
            "all" => wanted.extend(NAMES.into_iter().filter(|name| *name != "settling")),
            "--postgres" => postgres = rest.next().cloned(),
            "--payments" => payments = rest.next().and_then(|text| text.parse().ok()).unwrap_or(payments),
            "--orders" => orders = rest.next().and_then(|text| text.parse().ok()).unwrap_or(orders),
            "--items" => items = rest.next().and_then(|text| text.parse().ok()).or(items),
            name => match NAMES.iter().find(|known| **known == name) {
                Some(known) => wanted.push(known),
                None => {
                    eprintln!("suture: there is no benchmark {name}; there are {} and all", NAMES.join(", "));
                    return ExitCode::FAILURE;
                }
            },
        }
    }
    if wanted.is_empty() {
        println!(
            "usage: suture bench all|{} [--postgres URL] [--payments N] [--orders N] [--items N]",
            NAMES.join("|")
        );
        return ExitCode::SUCCESS;
    }
    ended(measure(&wanted, postgres.as_deref(), (payments, orders, items)))
}

fn in_runtime(work: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    crate::system::runtime().map_err(|error| error.to_string())?.block_on(work)
}

fn ended(measured: Result<(), String>) -> ExitCode {
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("suture: the benchmark stopped: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn measure(
    wanted: &[&str],
    postgres: Option<&str>,
    (payments, orders, items): (u64, u64, Option<u64>),
) -> Result<(), String> {
    println!(
        "event size: {} bytes; one fdatasync of 4 kB: {:?} (median)",
        super::end_to_end::event_bytes(),
        fdatasync()?
    );
    for name in wanted {
        for engine in ["sqlite"].into_iter().chain(postgres.map(|_| "postgres")) {
            println!("\n== {name} on {engine} ==");
            let fresh = Fresh::on(engine, postgres)?;
            // Each benchmark has a runtime of its own, so nothing of the one before is still running.
            let runtime = crate::system::runtime().map_err(|error| error.to_string())?;
            match *name {
                "intake" => runtime.block_on(super::intake::measure(&fresh.url))?,
                "end-to-end" => runtime.block_on(super::end_to_end::measure(&fresh.url, payments))?,
                "audit" => runtime.block_on(super::audit::measure(&fresh.url, payments.min(20_000)))?,
                "settling" => runtime.block_on(super::settling::measure(&fresh.url, payments.min(10_000)))?,
                "billing" => runtime.block_on(billing(&fresh.url, payments))?,
                "orders" => runtime.block_on(super::orders::measure(&fresh.url, orders))?,
                "availability" => runtime.block_on(super::availability::measure(&fresh.url))?,
                "reconcile" => super::reconcile::measure(items)?,
                _ => super::process::measure(&fresh.url)?,
            }
            runtime.shutdown_timeout(Duration::from_secs(2));
        }
    }
    Ok(())
}

/// Estimates one by one, then a large remittance, then many services at once.
async fn billing(url: &str, payments: u64) -> Result<(), String> {
    super::estimates::measure(url, 300).await?;
    super::remittance::measure().await?;
    super::settling::measure(url, payments.min(10_000)).await
}

/// A fresh SQLite file that is removed in the end, or the given PostgreSQL database.
struct Fresh {
    url: String,
    folder: Option<std::path::PathBuf>,
}

impl Fresh {
    fn on(engine: &str, postgres: Option<&str>) -> Result<Self, String> {
        if let ("postgres", Some(url)) = (engine, postgres) {
            return Ok(Self { url: url.to_owned(), folder: None });
        }
        let folder = std::env::temp_dir().join(format!("suture-bench-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        Ok(Self { url: format!("sqlite:{}/suture.db", folder.display()), folder: Some(folder) })
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            // Left-overs in the temporary folder do no harm.
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

/// The median time of one fdatasync after writing 4 kB: the limit of one durable answer.
fn fdatasync() -> Result<Duration, String> {
    use std::io::Write as _;
    let path = std::env::temp_dir().join(format!("suture-bench-sync-{}", std::process::id()));
    let mut file = std::fs::File::create(&path).map_err(|error| error.to_string())?;
    let mut took = Vec::new();
    for _ in 0..300 {
        file.write_all(&[7; 4096]).map_err(|error| error.to_string())?;
        let begun = now();
        file.sync_data().map_err(|error| error.to_string())?;
        took.push(begun.elapsed());
    }
    // Left-overs in the temporary folder do no harm.
    let _ = std::fs::remove_file(&path);
    took.sort();
    Ok(super::wire::percentile(&took, 50))
}

/// The stopwatch.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
pub(super) fn now() -> Instant {
    Instant::now()
}
