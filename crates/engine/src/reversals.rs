//! A reversal waits until what it takes back is in the EHR.
//!
//! A payment's posting may be stopped: its amount is unusual, a mapping is wrong, Epic refused it. Its lane is free then,
//! and a refund of it would reach Epic first, which knows no payment to take back. So a reversal looks before its first
//! request, parks itself while its payment is not there, and the payment's own posting sets it going again. Both run in
//! one lane, so neither can miss the other.

use suture_core::posting::{Posting, Status};
use suture_store::effects::{self, State};
use suture_store::{Tx, journal, lanes};

use crate::Error;
use crate::change::Change;
use crate::engine::Engine;
use crate::inline::first_effect;
use crate::post::Task;
use crate::worker::Working;

/// What a person reads while a reversal waits.
const WAITS: &str = "the payment that this takes back is not posted yet, and nothing was sent; it goes on by itself once that \
     posting is done, so look there; if the payment will never be posted, skip this too";

impl Engine {
    /// Parks a reversal of which nothing was sent, while its payment is not posted. Says whether it did.
    pub(crate) async fn waits_for_its_payment(&self, working: &Working, task: &Task) -> Result<bool, Error> {
        let is_untouched = task.state.as_ref().is_none_or(|state| state.posts == 0);
        let Some(original) = task.document.original_reference.clone().filter(|_| is_untouched) else {
            return Ok(false);
        };
        let key = format!("{}/posting/{original}", working.effect.destination);
        let (organization, lease) = (working.effect.organization.clone(), working.lease.clone());
        let now = self.now();
        self.0
            .store
            .write(move |tx| {
                let waits = !may_be_taken_back(tx, &organization, &key)?;
                if waits {
                    effects::finish(tx, &lease, State::Parked, Some(WAITS), now)?;
                }
                Ok(waits)
            })
            .await
    }
}

/// Whether a payment is at the other side, as far as we can know: it is, or a person took its posting into their own hands.
fn may_be_taken_back(tx: &mut Tx<'_>, organization: &str, key: &str) -> Result<bool, Error> {
    let Some(stream) = journal::referred(tx, organization, key)? else { return Ok(false) };
    let Some(original) = journal::load::<Posting>(tx, organization, &stream)? else { return Ok(false) };
    if matches!(original.state.status, Status::Confirmed | Status::Accepted | Status::Reversed) {
        return Ok(true);
    }
    let effect = effects::get(tx, organization, &first_effect(&stream))?;
    Ok(effect.is_none_or(|effect| matches!(effect.state, State::Done | State::Skipped)))
}

/// Sets the reversals going that wait in the lane of a payment whose posting ended.
pub(crate) fn go_on(change: &mut Change<'_, '_>, lane: Option<&str>, task: &Task) -> Result<(), Error> {
    match lane.filter(|_| task.document.original_reference.is_none()) {
        Some(lane) => {
            lanes::resume(change.tx, &change.order.organization, lane, change.order.now)?;
            Ok(())
        }
        None => Ok(()),
    }
}
