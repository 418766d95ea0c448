//! Limits that clinics, providers and types of visit share.

use crate::refusal::Refusal;
use crate::visit::Choice;

pub(super) fn invalid(what: impl Into<String>) -> Refusal {
    Refusal::invalid("definition_invalid", format!("Nothing was stored. {}", what.into()))
}

/// A name that people read: 1 to 100 characters without control characters.
pub(super) fn name(text: &str) -> Result<(), Refusal> {
    match (1..=100).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        true => Ok(()),
        false => Err(invalid("Give a name of 1 to 100 characters.")),
    }
}

/// A list of codes or ids of other systems.
pub(super) fn codes(what: &str, list: &[String]) -> Result<(), Refusal> {
    let right =
        |text: &String| (1..=80).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    match list.len() <= 100 && list.iter().all(right) {
        true => Ok(()),
        false => Err(invalid(format!("Give at most 100 {what} of 1 to 80 characters each."))),
    }
}

/// A choice of timing needs its reason.
pub(super) fn choice(choice: Option<&Choice>) -> Result<(), Refusal> {
    let Some(choice) = choice else { return Ok(()) };
    crate::explain::Reason::parse(&choice.reason)?;
    match (1..=100).contains(&choice.by.chars().count()) {
        true => Ok(()),
        false => Err(invalid("Say who chose the timing.")),
    }
}
