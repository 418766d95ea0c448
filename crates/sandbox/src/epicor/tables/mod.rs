//! The columns of every table, as far as receivables need them (EPICOR.md §6 and §7).
//!
//! Read by `schema` only.

mod column;
mod ledger;
mod receivables;
mod sales;

pub(super) use ledger::{GL_JRN_DTL, GL_JRN_DTL_MNL, GL_JRN_GRP, GL_JRN_HED};
pub(super) use receivables::{CASH_DTL, CASH_GRP, CASH_HEAD, INVC_DTL, INVC_GRP, INVC_HEAD};
pub(super) use sales::{CUSTOMER, ORDER_DTL, ORDER_HED, ORDER_REL, PART, SHIP_TO};
