//! What a look-up can find, and the reading that all look-ups share.

use suture_core::money::Money;

use super::super::call::Set;
use super::super::errors::{self, Asked, Failed};
use super::super::rows::{self, Record};
use super::super::settings::Epicor;
use crate::erp::filing::{Change, LookUpBy, Refusal};
use crate::http::HttpResponse;
use crate::outcome::{Failure, Retry};

/// The result of a look-up.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum LookedUp {
    /// What the document wants is so. Holds the result to tell.
    There(serde_json::Value),
    /// The record is there and must be changed.
    Change(Change),
    /// Another question comes first; with what was found so far.
    Next(LookUpBy, Option<Change>),
    /// Proven not to be there.
    Absent,
    /// Something with our reference that is not our record. A person must look.
    Different(Failure),
    /// What the document refers to does not allow it.
    Refused(Refusal),
    /// Epicor did not tell.
    Failed(Failed),
}

/// The rows of a set, or what the failure means.
pub(super) fn read_rows(
    epicor: &Epicor,
    set: Set,
    response: &HttpResponse,
) -> Result<Vec<Record>, Box<LookedUp>> {
    if response.status != 200 {
        let failed = errors::failed(&epicor.words, response, Asked::Read, None);
        return Err(Box::new(LookedUp::Failed(failed)));
    }
    let is_baq = epicor.reads.baqs.contains_key(set.name);
    rows::read_set(&response.body, is_baq)
        .ok_or_else(|| Box::new(LookedUp::Failed(errors::unreadable(Asked::Read))))
}

/// The only row; `None` when there is none.
pub(super) fn only_row(rows: Vec<Record>) -> Result<Option<Record>, Box<LookedUp>> {
    let mut rows = rows.into_iter();
    match (rows.next(), rows.next()) {
        (first, None) => Ok(first),
        (_, Some(_)) => {
            let message = "Epicor has several records with our reference. Nothing more was sent. A person must look at \
                           them in Epicor before anybody sends it again.";
            Err(Box::new(LookedUp::Different(Failure::new("erp_unclear_record", message, Retry::Never))))
        }
    }
}

/// The record has another amount than the document.
pub(super) fn other_amount(ours: Money, theirs: Money) -> LookedUp {
    let message = format!(
        "Epicor has a record with our reference, but with {theirs} instead of {ours}. Nothing more was sent. A person \
         must compare the two in Epicor."
    );
    LookedUp::Different(Failure::new("erp_other_amount", message, Retry::Never))
}

/// The record is another customer's.
pub(super) fn other_customer() -> LookedUp {
    let message = "Epicor has a record with our reference, but for another customer. Nothing more was sent. A person \
                   must look at it in Epicor.";
    LookedUp::Different(Failure::new("erp_other_customer", message, Retry::Never))
}

/// A refusal that we can tell before sending.
pub(super) fn refused(code: &str, message: &str, field: &str, value: String) -> LookedUp {
    let failure = Failure::new(code, message, Retry::Never);
    LookedUp::Refused(Refusal { failure, field: Some(field.to_owned()), value: Some(value) })
}
