//! Integration flows as data: YAML documents that say what to look up, map, decide and call when money moves.
//!
//! Everything here is pure: no I/O, no clock, no randomness. The shell (`engine`) starts a run for an event, does what the run
//! asks, stores the run between two requests, and feeds the answers. `docs/flows.md` explains how to write a flow.
//!
//! ```
//! use suture_flow::flow::Flow;
//! use suture_flow::run::{Answer, Next};
//!
//! let text = r#"
//! flow: note-payment
//! version: 1
//! trigger: { source: stripe, event: payment.captured }
//! steps:
//!   - name: told
//!     write_back: stripe.metadata
//!     with: '{ amount: money_decimal(.amount.minor; .amount.currency) }'
//! "#;
//! let compiled = Flow::parse(text, "note-payment.yaml")?.compile();
//! let event = serde_json::json!({ "event": "payment.captured", "amount": { "minor": 1234, "currency": "KWD" } });
//! let mut run = compiled.start(&event).expect("the event is the trigger's");
//! let Next::WriteBack { document, .. } = compiled.advance(&mut run, None) else { panic!() };
//! assert_eq!(document.expose()["amount"], "1.234");
//! assert!(matches!(compiled.advance(&mut run, Some(Answer::Done(serde_json::json!({})))), Next::Finished { .. }));
//! # Ok::<(), suture_flow::problem::Problems>(())
//! ```

pub mod compiled;
mod diff;
pub mod flow;
mod jq;
pub mod measure;
pub mod problem;
mod read;
pub mod rehearsal;
pub mod run;
pub mod shape;
mod step;
pub mod trial;
pub mod vocabulary;
mod yaml;
