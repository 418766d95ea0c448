//! The notice: one message to a patient or a provider, by one channel after the other until one works.
//!
//! The journal holds ids, codes and names of templates; addresses and texts are personal and live elsewhere, sealed. What
//! is known of a channel only moves toward proof, so reports may come late, twice and in any order.

mod address;
mod command;
mod contact;
mod event;
mod lint;
mod state;
mod template;
mod values;
mod wordings;

pub use address::{mailbox, phone};
pub use command::{Command, decide};
pub use contact::{Choice, Choices, Next, Quiet, Rules, Said, Way, next, said};
pub use event::{About, Channel, Event, Plan, Recipient, Skip, Spread};
pub use lint::{Finding, lint};
pub use state::{Notice, Progress, Status};
pub use template::{Rendered, Template, Topic, Wording};
pub use values::{Placeholder, Values, local_time};

#[cfg(test)]
mod tests;
