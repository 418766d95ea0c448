//! Who wants which events: a snapshot of all enabled endpoints in memory, so that an organization without one pays
//! nothing, and the announcements that follow from events.
//!
//! The snapshot is read at the start, after every change made here, and each minute with the timers. Another server knows
//! of a change after at most a minute; what it stored meanwhile is made up for by the catch-up that every change plans
//! (see `replay`).

use std::collections::BTreeMap;
use std::sync::Arc;

use suture_core::catalogue::Filters;
use suture_core::time::Timestamp;
use suture_store::effects::NewEffect;
use suture_store::endpoints;
use suture_store::journal::NewEvent;

use crate::Error;
use crate::engine::Engine;
use crate::job::Job;

/// One enabled endpoint.
#[derive(Debug)]
pub(crate) struct Subscriber {
    endpoint: String,
    wants: Filters,
}

/// The enabled endpoints of all organizations.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions(BTreeMap<String, Arc<Vec<Subscriber>>>);

impl Subscriptions {
    fn read(stored: Vec<endpoints::Subscription>) -> Self {
        let mut all: BTreeMap<String, Vec<Subscriber>> = BTreeMap::new();
        for one in stored {
            let subscriber = Subscriber { endpoint: one.endpoint, wants: Filters::stored(one.events) };
            all.entry(one.organization).or_default().push(subscriber);
        }
        Self(all.into_iter().map(|(organization, found)| (organization, Arc::new(found))).collect())
    }
}

/// The announcements of events that are about to be stored after `version`. Empty at no cost when nobody listens.
pub(crate) fn announcements(
    subscribers: Option<&Vec<Subscriber>>,
    (stream, version): (&str, i64),
    events: &[NewEvent],
    now: Timestamp,
) -> Vec<NewEffect> {
    let mut found = Vec::new();
    let Some(subscribers) = subscribers else { return found };
    for (version, event) in (version + 1..).zip(events) {
        let wanting = subscribers.iter().filter(|subscriber| subscriber.wants.want(event.kind));
        found.extend(wanting.map(|one| announcement(&one.endpoint, (stream, version), 0, now)));
    }
    found
}

/// The effect that brings one event to one endpoint. `replay` is 0 for the first time, and otherwise the number of the
/// replay, so that each brings an event once.
pub(crate) fn announcement(
    endpoint: &str,
    (stream, version): (&str, i64),
    replay: i64,
    now: Timestamp,
) -> NewEffect {
    let job = Job::Announce { endpoint: endpoint.to_owned(), stream: stream.to_owned(), version, tries: 0 };
    let again = if replay == 0 { String::new() } else { format!("/{replay}") };
    NewEffect {
        id: format!("{stream}/{version}/{endpoint}{again}"),
        kind: job.kind(),
        // Events of one object arrive in order, unless one is dead.
        lane: Some(format!("{endpoint}/{stream}")),
        destination: endpoint.to_owned(),
        stream: Some(stream.to_owned()),
        due_at: now,
        payload: job.payload(),
    }
}

impl Engine {
    /// Reads again who wants which events.
    pub(crate) async fn reload_endpoints(&self) -> Result<(), Error> {
        let stored = self.0.store.read(|tx| endpoints::subscriptions(tx).map_err(Error::from)).await?;
        if let Ok(mut subscriptions) = self.0.outward.subscriptions.write() {
            *subscriptions = Arc::new(Subscriptions::read(stored));
        }
        Ok(())
    }

    /// The enabled endpoints of an organization.
    pub(crate) fn subscribers(&self, organization: &str) -> Option<Arc<Vec<Subscriber>>> {
        self.0.outward.subscriptions.read().ok()?.0.get(organization).cloned()
    }
}
