//! Payment platforms.

pub mod registry;
pub mod stripe;
