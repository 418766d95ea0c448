//! The resources of the API, one file each.

mod access;
mod api_keys;
mod audit;
mod connections;
mod dead_letters;
mod debts;
mod deliveries;
mod endpoint_deliveries;
mod endpoints;
mod event_types;
mod events;
mod health;
mod ledger;
mod links;
mod messages;
mod objects;
mod pages;
mod payment_body;
mod payments;
mod refunds;
mod register;
mod runs;
mod webhooks;

pub(crate) use register::routes;
