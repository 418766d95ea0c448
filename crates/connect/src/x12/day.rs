//! A calendar day, as files write it: `CCYYMMDD`. The one of the core.

pub use suture_core::day::{Day, NotADay};
