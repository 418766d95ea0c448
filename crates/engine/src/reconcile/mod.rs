//! Use cases of reconciliation (FLOWS §8): gateway payouts, bank statements, exceptions, periods, journals, proofs.

mod bank;
mod desk;
mod hear;
mod journal;
mod listing;
mod lookup;
mod matching;
mod periods;
mod proofs;

pub use bank::Imported;
pub use desk::{Payout, Resolve};
pub(crate) use hear::take_settlement;
pub use journal::{Document, Entry};
pub use matching::TOLERANCE_MINOR;
pub use suture_connect::bank::{BYTES_MAX, Format, Mapping};
pub use suture_store::bank::{Kept, KeptLine};
pub use suture_store::books::Exception;
pub use suture_store::settlements::Stored;
