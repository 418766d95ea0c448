//! The judge: what must hold after every move, and what must have come out at the end.

mod model;
pub mod personal;
mod rest;
mod watch;

pub use rest::at_rest;
pub use watch::Watch;
