//! Posting of payments and reversals into Epic: one document, two executable routes, one step machine.

mod document;
mod external;
mod fhir;
mod look_up;
mod machine;
mod state;

pub use document::{PaymentPosting, PostingKind, PostingProblem};
pub use machine::Posting;
pub use state::{Confirmation, Leg, LookUpCause, PostingInput, PostingState, PostingStatus, PostingStep};
