//! A run of a flow: its state, what it asks of the shell, what the shell answers, and its trace.

mod advance;
mod next;
mod state;
mod trace;

pub use next::{Answer, Failure, Next, Parked, Summary};
pub use state::Run;
pub use trace::{Outcome, TraceLine};
