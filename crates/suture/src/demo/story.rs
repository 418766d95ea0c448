//! The story, step by step. A step that cannot go on fails its expectation; the story goes on with the next.

use serde_json::Value;
use suture_sandbox::patients::{Patient, patients};

use super::narrator::Narrator;
use super::stage::Stage;
use super::{report, steps};
use crate::failure::Failure;

/// The story as far as it was told: the stage, the voice, and what later steps need of earlier ones.
pub(super) struct Story<'a> {
    pub(super) stage: &'a Stage,
    pub(super) narrator: Narrator,
    /// The first payment, as our API told it last.
    pub(super) first: Value,
    /// The link token of the first patient.
    pub(super) link: String,
}

/// Tells all of it. True when every expectation held.
///
/// # Errors
/// When the report at the end cannot be read.
pub(crate) async fn tell(stage: &Stage) -> Result<bool, Failure> {
    let mut story = Story { stage, narrator: Narrator::default(), first: Value::Null, link: String::new() };
    let told = Box::pin(steps::visit::link(&mut story)).await;
    story.ended(told);
    let told = Box::pin(steps::visit::pay(&mut story)).await;
    story.ended(told);
    let told = Box::pin(steps::cards::decline_and_retry(&story)).await;
    story.ended(told);
    let told = Box::pin(steps::cards::challenge(&story)).await;
    story.ended(told);
    let told = Box::pin(steps::disorder::duplicates(&story)).await;
    story.ended(told);
    let told = Box::pin(steps::disorder::lost_answer(&story)).await;
    story.ended(told);
    let told = Box::pin(steps::refund::partly(&story)).await;
    story.ended(told);
    let told = Box::pin(steps::disorder::epic_outage(&story)).await;
    story.ended(told);
    let told = Box::pin(steps::strangers::unknown_payer(&story)).await;
    story.ended(told);
    let told = Box::pin(steps::strangers::forged_webhook(&story)).await;
    story.ended(told);
    Box::pin(report::give(&story)).await?;
    Ok(story.narrator.conclude())
}

impl Story<'_> {
    /// Notes that a step could not be told to its end.
    pub(super) fn ended(&self, told: Result<(), Failure>) {
        if let Err(failure) = told {
            self.narrator.expect(&format!("the step can be told to its end: {failure}"), false);
        }
    }
}

/// One of the patients that do not exist.
pub(super) fn patient(index: usize) -> &'static Patient {
    &patients()[index % patients().len()]
}

/// A patient's name, for the terminal only.
pub(super) fn name(patient: &Patient) -> String {
    format!("{} {}", patient.given, patient.family)
}
