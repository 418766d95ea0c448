//! The story of a patient's bill, step by step. After each step the new ledger lines are shown with their reasons.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::{insured, proof, reserve, settle};
use crate::demo::narrator::Narrator;
use crate::demo::report;
use crate::demo::stage::Stage;
use crate::demo::story::Story;
use crate::failure::Failure;

/// One day.
pub(super) const DAY: Duration = Duration::from_secs(86_400);

/// The story as far as it was told.
pub(super) struct Tale<'a> {
    pub(super) story: Story<'a>,
    /// How often something was posted: each post has a key of its own.
    pub(super) posts: Cell<u32>,
    /// Ledger entries that were shown already, by key.
    pub(super) shown: RefCell<BTreeSet<String>>,
}

/// What one patient's visit has come to so far, by ids.
pub(super) struct Visit {
    pub(super) patient: String,
    /// The card on file.
    pub(super) card: String,
    pub(super) estimate: String,
    pub(super) service: String,
}

/// Tells all of it. True when every expectation held.
///
/// # Errors
/// When the report at the end cannot be read.
pub(crate) async fn tell(stage: &Stage) -> Result<bool, Failure> {
    let story = Story { stage, narrator: Narrator::default(), first: Value::Null, link: String::new() };
    let mut tale = Tale { story, posts: Cell::new(0), shown: RefCell::default() };
    let told = Box::pin(reserved(&mut tale)).await;
    tale.story.ended(told);
    let told = Box::pin(insured::underpaid(&tale)).await;
    tale.story.ended(told);
    let told = Box::pin(insured::denied(&tale)).await;
    tale.story.ended(told);
    Box::pin(report::give(&tale.story)).await?;
    Ok(tale.story.narrator.conclude())
}

/// Stories 4 and 5, which are one patient's.
async fn reserved(tale: &mut Tale<'_>) -> Result<(), Failure> {
    let (patient, card) = Box::pin(reserve::patient(tale)).await?;
    let check = Box::pin(reserve::eligibility(tale, &patient)).await?;
    let visit = Box::pin(reserve::authorize(tale, (patient, card), &check)).await?;
    Box::pin(reserve::lapse(tale, &visit)).await?;
    Box::pin(reserve::again(tale, &visit)).await?;
    tale.story.first = Box::pin(reserve::capture(tale, &visit)).await?;
    Box::pin(reserve::cancel(tale, &visit)).await?;
    let visit = Box::pin(settle::second_visit(tale, visit)).await?;
    Box::pin(settle::claim(tale, &visit)).await?;
    Box::pin(settle::remittance(tale, &visit)).await?;
    Box::pin(settle::refund(tale, &visit)).await?;
    Box::pin(proof::invoice(tale, &visit)).await?;
    Box::pin(proof::bill(tale, &visit)).await
}
