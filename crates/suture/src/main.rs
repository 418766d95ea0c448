//! The suture command.
fn main() {}
