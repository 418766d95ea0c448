//! Looking up what became of a transfer or a reversal: by the group of its payout, before anything is sent again (FLOWS 3g).

use std::time::Duration;

use suture_connect::gateway::Part;
use suture_connect::http::{HttpRequest, HttpResponse};
use suture_connect::outcome::{Failure, Outcome, Retry};
use suture_core::time::Timestamp;

use crate::apply::throttled;
use crate::calls;
use crate::connections::Open;
use crate::engine::Engine;
use crate::send::KEY_LIFETIME;
use crate::worker::{After, Working};

/// Pages of a look-up at most. A payout has a handful of transfers.
const PAGES_MAX: u32 = 10;

/// What a look-up proved.
pub(super) enum Found {
    /// It happened; the gateway's id.
    There(String),
    /// The gateway has no such object.
    Absent,
    /// It could not be looked up now.
    NotNow(After),
}

impl Engine {
    /// Whether the gateway has forgotten the key of a call that was first sent then.
    pub(super) fn is_forgotten(&self, sent_at: Option<Timestamp>) -> bool {
        sent_at.is_none_or(|sent_at| self.now().since(sent_at) > KEY_LIFETIME)
    }

    /// Walks a list until `ours` finds the object. Only a list that was read to its end proves an absence.
    pub(super) async fn find_listed<T: Send>(
        &self,
        (working, open): (&Working, &Open),
        list: impl Fn(Option<&str>) -> HttpRequest + Send,
        read: impl Fn(&HttpResponse) -> Outcome<Part<T>> + Send,
        ours: impl Fn(&T) -> Option<String> + Send,
    ) -> Found {
        let mut after: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let answer = self.call_leased(working, open, list(after.as_deref())).await;
            let part = match calls::outcome(answer, &read) {
                Err(at) => return Found::NotNow(throttled(at)),
                Ok(Outcome::Done(part)) => part,
                Ok(Outcome::Declined(failure) | Outcome::NotSent(failure) | Outcome::Unknown(failure)) => {
                    return Found::NotNow(later(failure));
                }
            };
            if let Some(id) = part.items.iter().find_map(&ours) {
                return Found::There(id);
            }
            match part.next {
                Some(next) => after = Some(next),
                None => return Found::Absent,
            }
        }
        let error = "too many objects were listed to tell what became of this one; look it up at the gateway";
        Found::NotNow(After::Dead { error: error.to_owned() })
    }
}

/// A call that may be made again later, as it stands: nothing about money is decided by a failed look-up.
pub(super) fn later(failure: Failure) -> After {
    let retry = match failure.retry {
        Retry::Never | Retry::LookUpFirst => Retry::Throttled(Some(Duration::from_secs(60))),
        retry => retry,
    };
    After::Failed { failure: Failure { retry, ..failure }, job: None }
}
