//! The pre-launch test plan (FEATURES M214, M215): scenarios of visits and their money, each told in steps with findings.
//!
//! `suture go-live-check` runs all of them, `suture demo visits` tells some. A scenario prints nothing and decides nothing:
//! it walks through a [`World`](crate::world::World) and says what it expected and what it saw.

mod after_visit;
mod booking;
mod clinic;
mod closing;
mod endings;
mod hybrid;
mod late;
mod method;
mod program;
mod remittance;
mod scene;
mod shares;
mod side_by_side;
#[cfg(test)]
mod tests;
mod told;
mod window;

pub use program::{Scenario, run, scenario, scenarios};
pub use scene::{Interrupted, Scene};
pub use told::{Booked, Finding, Outcome, Said, Step, Trail};
