//! Methods of services: envelopes of `returnObj` and `parameters` (EPICOR.md §3 and §6).

use super::books::Books;
use super::refusal::Refusal;
use crate::wire::{Request, Response};

/// Answers a method.
pub(super) fn serve(
    _books: &mut Books,
    _request: &Request,
    service: &str,
    method: &str,
) -> Result<Response, Refusal> {
    Err(Refusal::unknown(format!("Method {service}/{method} was not found.")))
}
