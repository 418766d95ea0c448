//! Procedure codes of an encounter.

use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;

/// A procedure code with how often it was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coded {
    /// The code, for example a CPT code.
    pub code: String,
    /// How often, 1 to 999.
    #[serde(default = "one")]
    pub units: u32,
}

const fn one() -> u32 {
    1
}

/// Checks procedure codes: at least `least`, at most 50, each a code of 3 to 10 letters, digits or `-`, once.
///
/// # Errors
/// `codes_invalid`.
pub fn check_codes(codes: &[Coded], least: usize) -> Result<(), Refusal> {
    let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-';
    let right = |coded: &Coded| {
        (3..=10).contains(&coded.code.len())
            && coded.code.bytes().all(plain)
            && (1..=999).contains(&coded.units)
            && codes.iter().filter(|other| other.code == coded.code).count() == 1
    };
    if codes.len() >= least && codes.len() <= 50 && codes.iter().all(right) {
        return Ok(());
    }
    Err(Refusal::invalid(
        "codes_invalid",
        format!(
            "Nothing was written. Give {least} to 50 procedure codes, each once, of 3 to 10 capital letters, digits or \
             '-', with 1 to 999 units."
        ),
    ))
}
