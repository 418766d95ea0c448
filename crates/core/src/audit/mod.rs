//! The tamper-evident trail: one hash chain per stream, sealed by signed Merkle roots.

pub mod canonical;
pub mod chain;
pub mod seal;
pub mod verify;
