//! A run of a flow: its state, what it asks of the shell, what the shell answers, and its trace.

mod advance;
mod answers;
mod level;
mod nested;
mod next;
mod place;
mod state;
mod summary;
mod trace;

pub(crate) use nested::BODY;
pub use next::{Answer, Failure, Next, Parked, Retry, RetryClass};
pub(crate) use state::Frame;
pub use state::Run;
pub use summary::Summary;
pub use trace::{Outcome, TraceLine};
