//! Benchmarks of the whole program on this machine, as ratios to limits measured in the same run.

mod audit;
mod end_to_end;
mod intake;
mod payload;
mod process;
mod program;
mod stage;
mod wire;

pub(crate) use program::run;
