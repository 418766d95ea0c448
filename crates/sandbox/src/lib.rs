//! The outside world in a box: Stripe, Epic, Epicor and a payer as HTTP servers on one clock.

// The JSON of a Stripe charge has more fields than the default limit of the `json!` macro takes.
#![recursion_limit = "256"]

pub mod clock;
mod control;
mod cord;
mod deliver;
pub mod epic;
pub mod epicor;
pub mod patients;
pub mod payer;
pub mod server;
pub mod stripe;
pub mod wire;

pub use clock::SandboxClock;
pub use server::{Options, Running, start};
