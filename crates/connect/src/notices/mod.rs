//! Messages to people by other systems: a text as a request, and what the provider tells us afterwards.

pub mod form;
pub mod hook;
pub mod sms;
