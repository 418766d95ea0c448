//! Use cases of provider payouts: the marketplace split of a visit's charge (FLOWS 3).

mod follow;
mod listing;
mod look_up;
mod manage;
mod reversing;
mod transferring;

pub(crate) use follow::{accrue, follow_service, is_accrued};
pub use manage::NewPayout;
