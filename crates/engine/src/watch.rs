//! Live progress: the public events of one object as they commit.
//!
//! The journal is the truth and is looked at least once a second; being told in this process only makes it prompt, so
//! changes by other servers arrive too. A watch ends after five minutes, and its caller begins again where it stopped.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use suture_core::time::Timestamp;
use suture_store::events;
use suture_store::journal::Stored;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::Error;
use crate::endpoints::public_event;
use crate::engine::Engine;
use crate::outward::Touched;
use crate::payments::Caller;

/// How long one watch lasts.
pub const WATCH: Duration = Duration::from_secs(300);
/// How often the journal is looked at when nobody tells.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Events of one look.
const LOOK_MAX: i64 = 100;

/// A public event of a watched object.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Its version: where to begin again.
    pub version: i64,
    /// Its type.
    pub kind: String,
    /// Its public form, as in messages.
    pub event: Value,
}

/// A watch of one object.
pub struct Watch {
    engine: Engine,
    organization: String,
    stream: String,
    /// The last version that was looked at, public or not.
    after: i64,
    until: Timestamp,
    told: broadcast::Receiver<Arc<Touched>>,
    ready: VecDeque<Seen>,
}

impl Engine {
    /// Watches an object of the caller's organization, from after a version. Looking at it is logged once, here.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the organization has no such object.
    pub async fn watch(&self, caller: &Caller, object: &str, after: i64) -> Result<Watch, Error> {
        let (organization, stream) = (caller.organization.clone(), object.to_owned());
        let found = self
            .0
            .store
            .read(move |tx| events::latest(tx, &organization, &stream).map_err(Error::from))
            .await?;
        let latest = found.ok_or_else(|| Error::not_found("object", object))?;
        let subject = latest.entry.care.patient.as_deref().unwrap_or("*");
        self.log_access(caller, "watch", subject, &format!("object/{object}"), "api").await?;
        Ok(Watch {
            engine: self.clone(),
            organization: caller.organization.clone(),
            stream: object.to_owned(),
            after: after.max(0),
            until: self.now() + WATCH,
            // Listening begins before the first look, so nothing falls between them.
            told: self.0.outward.listen(),
            ready: VecDeque::new(),
        })
    }
}

impl Engine {
    /// Ends all watches of this process. A server that stops calls it, so that it need not wait for them.
    pub fn end_watches(&self) {
        self.0.outward.close();
    }
}

impl Watch {
    /// The next public event; waits for it. `None` when the watch is over.
    ///
    /// # Errors
    /// [`Error::Store`] when the journal cannot be read.
    pub async fn next(&mut self) -> Result<Option<Seen>, Error> {
        loop {
            if let Some(seen) = self.look().await? {
                return Ok(Some(seen));
            }
            if self.engine.now() >= self.until || self.engine.0.outward.is_closing() {
                return Ok(None);
            }
            // A second without news is a reason to look too.
            let _ = tokio::time::timeout(LOOK_EVERY, self.hear()).await;
        }
    }

    /// The next public event, if there is one already.
    ///
    /// # Errors
    /// [`Error::Store`] when the journal cannot be read.
    pub async fn look(&mut self) -> Result<Option<Seen>, Error> {
        while self.ready.is_empty() {
            let page = self.page().await?;
            let Some(last) = page.last() else { return Ok(None) };
            self.after = last.entry.version;
            self.ready.extend(page.iter().filter_map(seen));
        }
        Ok(self.ready.pop_front())
    }

    async fn page(&self) -> Result<Vec<Stored>, Error> {
        let (organization, stream, after) = (self.organization.clone(), self.stream.clone(), self.after);
        self.engine
            .store()
            .read(move |tx| {
                events::list_after(tx, &organization, &stream, after, LOOK_MAX).map_err(Error::from)
            })
            .await
    }

    /// Waits until the object changed in this process, or may have.
    async fn hear(&mut self) {
        loop {
            match self.told.recv().await {
                Ok(_) if self.engine.0.outward.is_closing() => return,
                Ok(touched) if touched.stream != self.stream => {}
                Ok(touched) if touched.organization != self.organization => {}
                Ok(_) | Err(RecvError::Lagged(_)) => return,
                // The engine is going away; the second is left to pass.
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

fn seen(stored: &Stored) -> Option<Seen> {
    let event = public_event(stored)?;
    Some(Seen { version: stored.entry.version, kind: stored.entry.kind.clone(), event })
}
