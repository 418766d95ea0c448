//! X12 5010 as insurers write it: the envelope, the 835 remittance and the 271 eligibility answer.

pub mod day;
pub mod decimal;
pub mod eligibility;
pub mod envelope;
pub mod error;
mod fields;
pub mod party;
pub mod remittance;
pub mod segments;
