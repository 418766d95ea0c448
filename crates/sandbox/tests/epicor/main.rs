//! Stories about the pretended Epicor Kinetic, told as a client of its wire.

mod orders_to_cash;
mod refusals;
mod stage;
