//! The configuration: one TOML file, overridden by the environment, secrets by reference only.

mod environment;
mod file;
mod notices;
mod reference;
mod resolve;

pub(crate) use environment::variable;
pub(crate) use file::LogFormat;
pub(crate) use reference::Reference;
pub(crate) use resolve::Configuration;
