//! What a visit is before anybody books one: how long, for how much, paid when, and what happens when it is missed.

mod policy;
mod terms;

pub use policy::{Case, Example, Occasion, Policy, Rule, Share, Verdict, When};
pub use terms::{Choice, Terms, Timing, choose};
