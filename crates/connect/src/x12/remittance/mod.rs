//! 835 remittances: read in one pass, balanced or refused whole.
//!
//! Feed bytes to a [`Reader`] and pull [`Item`]s; memory holds one claim. A file is known to balance only when
//! [`Reader::is_complete`] says so: apply items in one transaction, or let [`Verifier`] pass over the file first.

mod balance;
mod claim;
mod codes;
mod header;
mod keys;
mod model;
mod provider;
mod reader;
mod reasons;
mod totals;

pub use balance::{check_claim, check_line};
pub use codes::{Group, Handling, Method, Status};
pub use keys::{claim_key, file_key, line_key, remittance_key};
pub use model::{
    Adjustment, Claim, ClaimDates, Difference, Header, Item, Note, People, Procedure, ProviderAdjustment,
    ServiceLine, Trailer,
};
pub use reader::Reader;
pub use reasons::{
    NOT_IN_OUR_TABLE, group_meaning, provider_adjustment_meaning, reason_meaning, status_meaning,
};
pub use totals::{DIFFERENCES_KEPT_MAX, Totals, Verifier, verify};
