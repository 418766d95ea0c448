//! A pretend Epicor Kinetic: REST v2 for customers, orders, invoices, receipts and journals, with Epicor's traps.
//!
//! The HTTP shell, simulators and tests call `EpicorWorld`. What must stay true: the world is synchronous, has no
//! clock of its own and draws all chance from its seed.

mod acts;
mod answer;
mod auth;
mod baq;
mod books;
mod bpm;
mod cell;
mod control;
mod customer;
mod faults;
mod filter;
mod group;
mod happening;
mod invoice;
mod journal;
mod judge;
mod ledger;
mod methods_of_cash;
mod methods_of_rows;
mod methods_of_sales;
mod odata;
mod order;
mod part;
mod post;
mod query;
mod receipt;
mod refusal;
mod route;
mod row;
mod rpc;
mod schema;
mod sent;
mod ship;
mod store;
mod tables;
mod tableset;
mod world;

pub use bpm::{Delivery, SIGNATURE_HEADER, sign};
pub use world::{DEFAULT_API_KEY, DEFAULT_COMPANY, DEFAULT_PASSWORD, DEFAULT_USER, EpicorWorld};
