//! The HTTP API: routers, bodies, authorization, problems, idempotency, and the OpenAPI document.
//!
//! The binary calls [`router`] and [`openapi`]. Handlers parse, call one use case of the engine, map, and answer; there
//! are no rules of money here.

mod app;
mod auth;
mod bodies;
mod document;
mod frame;
mod limiter;
mod once;
mod open_streams;
mod page;
pub mod problem;
mod resources;

pub use app::{Settings, router};
pub use document::openapi;
