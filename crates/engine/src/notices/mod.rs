//! Messages to people: planned in the transaction that causes them, sent afterwards, by one channel after the other.

mod carry;
mod contacts;
mod desk;
mod hooks;
mod office;
mod passes;
mod plan;
mod render;
mod rooms;
mod send;

pub use contacts::{Addresses, Contact, NewChoice};
pub use desk::{Copy, WordingView};
pub use hooks::Arrival;
pub use office::{Notices, Office};
pub use passes::NewPass;
pub(crate) use passes::{link, redeem, visit_link};
pub use plan::{NewNotice, Which};
pub(crate) use plan::{plan, shift, withdraw};
pub use rooms::{OwnRooms, TemplateRooms, Visit, VisitRooms};
pub use suture_store::contacts::Choice;
