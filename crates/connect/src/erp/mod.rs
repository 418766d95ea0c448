//! Enterprise resource planning: neutral documents, the states of filing them, and Epicor Kinetic.

pub mod document;
pub mod epicor;
pub mod filing;
