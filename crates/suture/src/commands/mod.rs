//! One file per command.

pub(crate) mod audit;
pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod dead_letters;
pub(crate) mod deliveries;
pub(crate) mod demo;
mod desk;
pub(crate) mod endpoints;
pub(crate) mod events;
pub(crate) mod flow;
pub(crate) mod init;
pub(crate) mod keys;
pub(crate) mod messages;
pub(crate) mod openapi;
pub(crate) mod sandbox;
pub(crate) mod serve;
pub(crate) mod simulate;
