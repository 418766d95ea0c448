//! Sans-IO translators to payment platforms, EHRs and ERPs.
//!
//! A connector builds an [`http::HttpRequest`] from our words and reads an [`http::HttpResponse`] back into an
//! [`outcome::Outcome`]. It sends nothing, retries nothing, logs nothing and does not know the time.

pub mod bank;
pub mod calendar;
pub mod ehr;
pub mod erp;
pub mod gateway;
pub mod gateways;
pub mod http;
pub mod kit;
pub mod notices;
pub mod outcome;
mod url;
pub mod x12;
