//! Checks and tools for developers.
fn main() {}
