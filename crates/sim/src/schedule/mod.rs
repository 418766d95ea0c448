//! Schedules: what happens in a run, as data, made from a seed.

mod acts;
mod care;
mod desk;
mod front;
mod front_acts;
mod front_day;
mod make;
mod make_desk;
mod make_front;
mod make_stories;
mod moves;
mod play;

pub use acts::{Act, CardFate, Ruling};
pub use front::{Accepted, Front};
pub use front_acts::{FrontAct, Moment};
pub use make::{Kind, kind_of, schedule};
pub use make_desk::a_refund_whose_answer_is_lost;
pub use moves::Move;
pub use play::Player;
