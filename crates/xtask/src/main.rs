//! Checks and tools for developers, started as `cargo xtask <tool>` (the alias stands in `.cargo/config.toml`).

use std::process::ExitCode;

mod tidy;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["tidy"] => tidy::run::report(),
        _ => {
            eprintln!(
                "usage: cargo xtask tidy\n\n  tidy  check the rules of the house; prints findings, exits 1 if any"
            );
            ExitCode::from(2)
        }
    }
}
