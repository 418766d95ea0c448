//! The judge: what must hold after every move, and what must have come out at the end.

mod billing;
mod books;
mod model;
pub mod personal;
mod rest;
mod visit_books;
mod visits;
mod visits_rest;
mod watch;

pub use billing::billing_at_rest;
pub use rest::at_rest;
pub use visits::visits_hold;
pub use visits_rest::{facts_are_stored, visits_at_rest};
pub use watch::Watch;
