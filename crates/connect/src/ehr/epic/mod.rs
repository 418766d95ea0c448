//! Epic: SMART Backend Services, the billing reads of FHIR R4, and posting of payments by the routes a site really has.

mod call;
pub mod discovery;
pub mod jwks;
pub mod outcome_codes;
pub mod paging;
pub mod posting;
pub mod reads;
pub mod routes;
pub mod settings;
pub mod token;

mod wire;
