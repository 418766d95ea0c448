//! One file per command.

pub(crate) mod audit;
pub(crate) mod bench;
mod billing_rows;
pub(crate) mod check;
pub(crate) mod credits;
pub(crate) mod dead_letters;
pub(crate) mod deliveries;
pub(crate) mod demo;
mod desk;
pub(crate) mod endpoints;
pub(crate) mod events;
pub(crate) mod flow;
pub(crate) mod go_live_check;
pub(crate) mod init;
pub(crate) mod keys;
pub(crate) mod messages;
pub(crate) mod notices;
pub(crate) mod openapi;
pub(crate) mod patients;
pub(crate) mod payouts;
pub(crate) mod remittances;
pub(crate) mod sandbox;
pub(crate) mod serve;
pub(crate) mod services;
pub(crate) mod simulate;
