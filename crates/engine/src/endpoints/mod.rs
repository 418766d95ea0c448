//! Events out: who wants which events, the messages that bring them there, and what people do about endpoints.

mod address;
mod announce;
mod manage;
mod message;
mod replay;
mod signature;
mod subscriptions;

pub(crate) use address::{is_inside, is_public};
pub(crate) use announce::InFlight;
pub use manage::{Changes, EndpointView, NewEndpoint, OVERLAP, OVERLAP_MAX, Tested};
pub use message::public_event;
pub use replay::{Replay, ReplayFrom};
pub(crate) use subscriptions::{Subscriber, Subscriptions, announcements};
