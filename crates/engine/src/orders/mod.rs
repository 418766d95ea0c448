//! Order-to-cash: a customer's order, its money, and its documents in the ERP (FLOWS §7).
//!
//! An order is placed with a debt and a link; whatever pays it counts as the customer's deposit. Flows file the documents;
//! what the ERP says of shipments and invoices is asked, never assumed.

mod ask;
mod documents;
mod follow;
mod heard;
mod place;
mod poll;
mod reading;
mod sync;

pub(crate) use documents::filed;
pub(crate) use follow::{follow, tell};
pub use place::{Buyer, BuyerAddress, NewOrder};
pub(crate) use poll::SOURCES;
pub(crate) use reading::shown;
pub use reading::{OrderPage, OrderSummary, PageEntry, html};
