//! Schedules: what happens in a run, as data, made from a seed.

mod acts;
mod care;
mod desk;
mod make;
mod make_desk;
mod moves;
mod play;

pub use acts::{Act, CardFate, Ruling};
pub use make::{has_billing, schedule};
pub use make_desk::a_refund_whose_answer_is_lost;
pub use moves::Move;
pub use play::Player;
