//! What a look-up of our reference can find, on every route.

use std::convert::Infallible;

use suture_core::money::Money;

use crate::outcome::{Failure, Outcome, Retry};

/// The result of looking up our reference at Epic.
#[derive(Debug, PartialEq)]
pub(super) enum LookUp {
    /// One living record with our reference.
    Found {
        /// Epic's id or receipt number.
        reference: String,
        /// Whether Epic told the amount, and it is ours.
        amount_seen: bool,
    },
    /// A record with our reference that is not our posting. A person must look.
    Different(Failure),
    /// Proven not to be there.
    Absent,
    /// Epic did not tell.
    Failed(Outcome<Infallible>),
}

/// The failure when Epic's record has another amount.
pub(super) fn other_amount(ours: Money, theirs: Option<Money>) -> Failure {
    let theirs =
        theirs.map_or_else(|| "an amount that cannot be read".to_owned(), |amount| amount.to_string());
    let message = format!(
        "Epic has a record with our reference, but with {theirs} instead of {ours}. Nothing more was sent. A person \
         must compare the two in Epic."
    );
    Failure::new("epic_other_amount", message, Retry::Never)
}

/// The failure when Epic's record is not alive, or there are several.
pub(super) fn not_one_living_record(what: &str) -> Failure {
    let message = format!(
        "Epic has {what} with our reference. Nothing more was sent. A person must look at it in Epic before anybody \
         posts again."
    );
    Failure::new("epic_unclear_record", message, Retry::Never)
}
