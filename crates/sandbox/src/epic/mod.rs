//! A pretend Epic: SMART Backend Services, FHIR R4 and the external-payment service, with Epic's traps.
//!
//! The HTTP shell, simulators and tests call `EpicWorld`. What must stay true: the world is synchronous,
//! has no clock of its own and draws all chance from its seed.

mod amount;
mod answer;
mod assertion;
mod book;
mod calls;
mod capability;
mod chance;
mod codes;
mod control;
mod created;
mod external_payment;
mod faults;
mod fhir;
mod keys;
mod oauth;
mod payment_resources;
mod payment_session;
mod records;
mod resources;
mod route;
mod scope;
mod search;
mod state;
mod world;

pub use capability::Mode;
pub use world::EpicWorld;
