//! Benchmarks of the whole program on this machine, as ratios to limits measured in the same run.

mod audit;
mod availability;
mod billing_stage;
mod end_to_end;
mod estimates;
mod gateway;
mod intake;
mod orders;
mod orders_stage;
mod payload;
mod process;
mod program;
mod reconcile;
mod remittance;
mod settling;
mod stage;
mod wire;

pub(crate) use program::run;
