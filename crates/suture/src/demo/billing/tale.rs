//! The story of a patient's bill, step by step. After each step the new ledger lines are shown with their reasons.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use suture_core::estimate::Estimate;
use suture_core::patient::Patient;
use suture_core::service::Service;
use suture_engine::payments::Caller;

use super::{insured, proof, reserve, settle};
use crate::demo::narrator::Narrator;
use crate::demo::report;
use crate::demo::stage::Stage;
use crate::demo::story::Story;
use crate::failure::Failure;
use crate::opening;

/// One day.
pub(super) const DAY: Duration = Duration::from_secs(86_400);

/// The story as far as it was told.
pub(super) struct Tale<'a> {
    pub(super) story: Story<'a>,
    /// Who acts at the desk.
    pub(super) caller: Caller,
    /// Ledger entries that were shown already, by key.
    pub(super) shown: RefCell<BTreeSet<String>>,
}

/// What one patient's visit has come to so far.
pub(super) struct Visit {
    pub(super) patient: Patient,
    /// The card on file.
    pub(super) card: String,
    pub(super) estimate: Estimate,
    pub(super) service: Service,
}

/// Tells all of it. True when every expectation held.
///
/// # Errors
/// When the report at the end cannot be read.
pub(crate) async fn tell(stage: &Stage) -> Result<bool, Failure> {
    let story = Story { stage, narrator: Narrator::default(), first: Value::Null, link: String::new() };
    let caller = opening::operator(&stage.organization);
    let mut tale = Tale { story, caller, shown: RefCell::default() };
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
    let visit = Box::pin(reserve::authorize(tale, patient, card, check)).await?;
    Box::pin(reserve::lapse(tale, &visit)).await?;
    Box::pin(reserve::again(tale, &visit)).await?;
    tale.story.first = Box::pin(reserve::capture(tale, &visit)).await?;
    Box::pin(reserve::cancel(tale, &visit)).await?;
    let visit = Box::pin(settle::second_visit(tale, visit)).await?;
    let visit = Box::pin(settle::claim(tale, visit)).await?;
    Box::pin(settle::remittance(tale, &visit)).await?;
    Box::pin(settle::refund(tale, &visit)).await?;
    Box::pin(proof::invoice(tale, &visit)).await?;
    Box::pin(proof::bill(tale, &visit)).await
}
