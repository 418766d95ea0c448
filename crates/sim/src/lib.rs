//! Seeded simulator of whole money flows.
