//! Electronic health records.

pub mod epic;
