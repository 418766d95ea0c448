//! Use cases of passes: make a link, look at one, redeem one.
//!
//! What must stay true: a pass that serves once is written down in the transaction of what it does, so of two clicks at
//! once only one does it.

use suture_core::explain::Reason;
use suture_core::pass::{Pass, Purpose, forged, used};
use suture_core::refusal::Refusal;
use suture_core::time::Timestamp;
use suture_store::passes;

use super::rooms::Visit;
use crate::Error;
use crate::change::Change;
use crate::engine::Engine;
use crate::payments::Caller;

/// A pass to make.
#[derive(Debug, Clone)]
pub struct NewPass {
    /// What it is for.
    pub purpose: Purpose,
    /// What it opens, by id.
    pub subject: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Makes a token: a part of a path that a URL may hold.
pub(crate) fn issue(
    change: &Change<'_, '_>,
    purpose: Purpose,
    subject: &str,
    expires_at: Timestamp,
) -> Result<String, Error> {
    let pass = Pass::fresh(purpose, &change.order.organization, subject, expires_at, change.random);
    change.office.passes.sign(&pass).map_err(Error::from)
}

/// Makes a link with a token of its own.
pub(crate) fn link(
    change: &Change<'_, '_>,
    purpose: Purpose,
    subject: &str,
    expires_at: Timestamp,
) -> Result<String, Error> {
    let token = issue(change, purpose, subject, expires_at)?;
    Ok(format!("{}/{}/{token}", change.office.settings.public_url, purpose.path()))
}

/// Makes the link of a visit by video.
pub(crate) fn visit_link(
    change: &Change<'_, '_>,
    appointment: &str,
    expires_at: Timestamp,
) -> Result<String, Error> {
    let token = issue(change, Purpose::VisitLink, appointment, expires_at)?;
    let room = change.office.room(&change.order.organization, appointment);
    let settings = &change.office.settings;
    let visit = Visit { public_url: &settings.public_url, token: &token, room: &room };
    Ok(settings.rooms.address(&visit))
}

/// Redeems a token in the transaction of what it does. One that serves once is refused the second time.
pub(crate) fn redeem(change: &mut Change<'_, '_>, token: &str, purpose: Purpose) -> Result<Pass, Error> {
    let now = change.order.now;
    let pass = change.office.passes.verify(token, purpose, now)?;
    let organization = &change.order.organization;
    if pass.organization != *organization {
        return Err(forged().into());
    }
    if purpose.is_single_use() {
        if passes::is_used(change.tx, organization, &pass.mark())? {
            return Err(used().into());
        }
        // Of two at once one conflicts, tries again, and finds it used.
        passes::mark_used(change.tx, organization, &pass.mark(), pass.expires_at, now)?;
    }
    Ok(pass)
}

impl Engine {
    /// Makes a link.
    ///
    /// # Errors
    /// [`Error::Refused`] when the subject is not an id of ours.
    pub async fn issue_link(&self, caller: &Caller, new: NewPass) -> Result<String, Error> {
        let order = self.order_of(caller, Reason::of("link_issued"));
        self.apply(&new.subject.clone(), order, move |change| match new.purpose {
            Purpose::VisitLink => visit_link(change, &new.subject, new.expires_at),
            purpose => link(change, purpose, &new.subject, new.expires_at),
        })
        .await
    }

    /// What a token says, without redeeming it: whose it is is not known before.
    ///
    /// # Errors
    /// [`Error::Refused`]: `link_forged`, `link_expired`.
    pub fn read_pass(&self, token: &str, purpose: Purpose) -> Result<Pass, Refusal> {
        self.0.office.passes.verify(token, purpose, self.now())
    }

    /// Redeems a token by itself, when what it does happens elsewhere.
    ///
    /// # Errors
    /// [`Error::Refused`]: `link_forged`, `link_expired`, `link_used`.
    pub async fn redeem_pass(&self, token: &str, purpose: Purpose) -> Result<Pass, Error> {
        let seen = self.read_pass(token, purpose)?;
        let order = self.order(&seen.organization, "link", "link_redeemed");
        let token = token.to_owned();
        self.apply(&seen.subject, order, move |change| redeem(change, &token, purpose)).await
    }
}
