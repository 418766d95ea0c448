//! Live availability: the openings of a search, again each time that they change.
//!
//! What is sent is found anew by the search itself, so it is the truth whoever changed the calendar: a booking in this
//! process, one of another server, or only the time that went by. Being told makes it prompt.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use suture_core::audit::chain::Hash;
use suture_core::time::Timestamp;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use crate::Error;
use crate::engine::Engine;
use crate::outward::Touched;
use crate::watch::WATCH;

use super::holds::calendar_of;
use super::search::{Found, Search};

/// How often one provider's openings are looked for when nobody tells.
const LOOK_AT_ONE: Duration = Duration::from_secs(1);
/// How often the openings of many providers are.
const LOOK_AT_MANY: Duration = Duration::from_secs(5);

/// A watch of openings.
pub struct LiveOpenings {
    engine: Engine,
    organization: String,
    search: Search,
    seen: Option<String>,
    until: Timestamp,
    told: broadcast::Receiver<Arc<Touched>>,
}

/// What is open now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Openings {
    /// The same for the same openings: where to begin again.
    pub version: String,
    /// By provider.
    pub found: Vec<Found>,
}

impl Engine {
    /// Watches the openings of a search. What the caller has seen already, by its version, is not sent again.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown type of visit.
    pub async fn watch_openings(
        &self,
        organization: &str,
        search: Search,
        seen: Option<String>,
    ) -> Result<LiveOpenings, Error> {
        // Listening begins before the first look, so nothing falls between them.
        let told = self.0.outward.listen();
        self.find_openings(organization, &Search { limit: 1, ..search.clone() }).await?;
        Ok(LiveOpenings {
            engine: self.clone(),
            organization: organization.to_owned(),
            search,
            seen,
            until: self.now() + WATCH,
            told,
        })
    }
}

impl LiveOpenings {
    /// The openings as soon as they are other than the caller knows; waits for it. `None` when the watch is over.
    ///
    /// # Errors
    /// [`Error::Store`] when the calendar cannot be read.
    pub async fn next(&mut self) -> Result<Option<Openings>, Error> {
        let every = if self.search.provider.is_some() { LOOK_AT_ONE } else { LOOK_AT_MANY };
        loop {
            if let Some(openings) = self.look().await? {
                return Ok(Some(openings));
            }
            if self.engine.now() >= self.until || self.engine.0.outward.is_closing() {
                return Ok(None);
            }
            let _ = tokio::time::timeout(every, self.hear()).await;
        }
    }

    /// The openings, if they are other than the caller knows.
    ///
    /// # Errors
    /// [`Error::Store`] when the calendar cannot be read.
    pub async fn look(&mut self) -> Result<Option<Openings>, Error> {
        // What was told until now is in what is found next.
        while !matches!(self.told.try_recv(), Err(TryRecvError::Empty | TryRecvError::Closed)) {}
        let found = self.engine.find_openings(&self.organization, &self.search).await?;
        let version = version_of(&found);
        if self.seen.as_ref() == Some(&version) {
            return Ok(None);
        }
        self.seen = Some(version.clone());
        Ok(Some(Openings { version, found }))
    }

    /// Waits until a calendar of the search changed in this process, or may have.
    async fn hear(&mut self) {
        let own = self.search.provider.map(calendar_of);
        loop {
            match self.told.recv().await {
                Ok(_) if self.engine.0.outward.is_closing() => return,
                Ok(touched) if touched.organization != self.organization => {}
                Ok(touched) => match &own {
                    Some(own) if *own == touched.stream => return,
                    None if touched.stream.starts_with("calendar/") => return,
                    _ => {}
                },
                Err(RecvError::Lagged(_)) => return,
                // The engine is going away; the time is left to pass.
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

fn version_of(found: &[Found]) -> String {
    let parts: BTreeSet<String> = found
        .iter()
        .flat_map(|one| one.starts.iter().map(|start| format!("{}/{}", one.provider, start.millis())))
        .collect();
    let text: Vec<String> = parts.into_iter().collect();
    Hash::of(text.join("\n").as_bytes()).to_string().chars().take(32).collect()
}
