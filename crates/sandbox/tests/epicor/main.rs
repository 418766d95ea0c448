//! Stories about the pretended Epicor Kinetic, told as a client of its wire.

mod access;
mod callbacks;
mod methods;
mod orders_to_cash;
mod reading;
mod refusals;
mod stage;
