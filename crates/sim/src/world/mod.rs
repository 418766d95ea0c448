//! The world of a story: engines on one store, Stripe and Epic, the wire between them, and the clock.

mod build;
mod clock;
mod crash;
mod desk;
mod home;
mod insurance;
mod mail;
mod orders;
mod outside;
mod patients;
mod practices;
mod receiver;
mod stage;
mod steps;
mod stories;
mod visits;
mod wire;

pub use build::Setup;
pub use clock::{ManualClock, NodeClock};
pub use crash::Crashed;
pub use home::{Content, Home};
pub use insurance::CLAIM;
pub use mail::Fate;
pub use outside::{Fault, Outside, Pause};
pub use patients::{NewVisit, person};
pub use practices::Practice;
pub use receiver::{Heard, Receiver};
pub use stage::{World, take_payment};
pub use steps::{Paused, Stepped};
pub use visits::Desk;
