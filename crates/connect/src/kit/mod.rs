//! The conformance kit: what must hold for every connector, as plain functions for tests.
//!
//! Called by the tests of every connector. Each check panics with a sentence that names what was broken.

mod checks;
mod requests;
mod samples;

pub use checks::{
    builds_the_same_bytes_twice, every_post_carries_its_key, lost_answers, refuses_one_flipped_bit,
    shows_no_secret, takes_a_lost_answer_for_unknown,
};
pub use requests::requests;
pub use samples::{
    SAMPLE_KEY, fetches, lists, sample_adoption, sample_credit_note, sample_customer, sample_invoice,
    sample_item, sample_metadata, sample_pay, sample_payment, sample_refund, sample_reversal,
    sample_transfer,
};
