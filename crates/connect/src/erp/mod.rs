//! Enterprise resource planning: neutral documents, the states of filing them, events, a daily compare, and
//! Epicor Kinetic.

pub mod compare;
pub mod document;
pub mod epicor;
pub mod event;
pub mod filing;
