//! `suture openapi`: the description of the HTTP API.

use std::process::ExitCode;

use crate::failure::Failure;

pub(crate) fn run() -> Result<ExitCode, Failure> {
    println!("{}", suture_api::openapi());
    Ok(ExitCode::SUCCESS)
}
