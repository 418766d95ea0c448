//! Names for files, claims and lines by which a repetition is recognised.
//!
//! Called by whoever applies remittances, who stores them. Must stay true: the same bytes give the same keys, and
//! different parts never run together (each key is a JSON list). Keys hold claim numbers: store them, do not log them.

use super::model::{Claim, Header};

/// One transmission of one remittance: payer number, trace, ISA13, GS06, ST02. Seen before: the file was applied.
#[must_use]
pub fn file_key(header: &Header) -> String {
    let control = &header.control;
    join(&[
        "835",
        &control.sender,
        &header.payer_number,
        &header.trace,
        &control.interchange,
        &control.group,
        &control.set,
    ])
}

/// One payment: payer number and trace. Seen before under another [`file_key`]: the payer sent it again, and a person
/// must look before anything is applied.
#[must_use]
pub fn remittance_key(header: &Header) -> String {
    join(&["835", &header.payer_number, &header.trace])
}

/// One answer about one claim: the payment, both claim numbers, status, header number and position.
#[must_use]
pub fn claim_key(header: &Header, claim: &Claim) -> String {
    join(&claim_parts(header, claim, &claim.position.to_string()))
}

/// One line of a claim, by its index from 0.
#[must_use]
pub fn line_key(header: &Header, claim: &Claim, index: usize) -> String {
    let (position, index) = (claim.position.to_string(), index.to_string());
    let mut parts = claim_parts(header, claim, &position).to_vec();
    parts.push(&index);
    join(&parts)
}

fn claim_parts<'a>(header: &'a Header, claim: &'a Claim, position: &'a str) -> [&'a str; 8] {
    [
        "835",
        &header.payer_number,
        &header.trace,
        claim.payer_control.as_deref().unwrap_or_default(),
        &claim.control,
        claim.status.code(),
        &claim.lx,
        position,
    ]
}

fn join(parts: &[&str]) -> String {
    serde_json::Value::from(parts.to_vec()).to_string()
}
