//! Schedules: what happens in a run, as data, made from a seed.

mod make;
mod moves;
mod play;

pub use make::schedule;
pub use moves::Move;
pub use play::Player;
