//! What an engine holds in memory about events that go out: who wants them, what is being sent, who is watching.
//!
//! Nothing here is the truth; a process that dies loses none.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};

use tokio::sync::broadcast;

use crate::endpoints::{InFlight, Subscriptions};

/// How many changes a slow watcher may be behind before it looks at the journal instead.
const TOLD_MAX: usize = 1024;

/// One object that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Touched {
    pub(crate) organization: String,
    pub(crate) stream: String,
}

/// See the module.
pub(crate) struct Outward {
    pub(crate) subscriptions: RwLock<Arc<Subscriptions>>,
    pub(crate) in_flight: InFlight,
    /// Letters on their way, urgent ones apart: a mail server that hangs must not take the workers of money.
    pub(crate) letters: InFlight,
    told: broadcast::Sender<Arc<Touched>>,
    /// Whether the process is about to end, and watches with it.
    closing: AtomicBool,
}

impl Default for Outward {
    fn default() -> Self {
        let (told, _) = broadcast::channel(TOLD_MAX);
        Self {
            subscriptions: RwLock::default(),
            in_flight: InFlight::default(),
            letters: InFlight::default(),
            told,
            closing: AtomicBool::new(false),
        }
    }
}

impl Outward {
    /// Tells watchers which objects changed. Called after the commit.
    pub(crate) fn tell(&self, organization: &str, streams: Vec<String>) {
        if self.told.receiver_count() == 0 {
            return;
        }
        for stream in streams {
            // Nobody watches any more: nothing is lost.
            let _ = self.told.send(Arc::new(Touched { organization: organization.to_owned(), stream }));
        }
    }

    /// Ends all watches, so that nobody waits for them.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
        // An object that nobody has wakes everybody; without watchers nobody needs to wake.
        let _ = self.told.send(Arc::new(Touched { organization: String::new(), stream: String::new() }));
    }

    /// Whether watches end now.
    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    /// Hears of changes from now on.
    pub(crate) fn listen(&self) -> broadcast::Receiver<Arc<Touched>> {
        self.told.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watchers_are_told_which_objects_changed_and_nobody_listening_is_no_problem() {
        let outward = Outward::default();
        outward.tell("org_1", vec!["pay_0".to_owned()]);
        let mut told = outward.listen();
        outward.tell("org_1", vec!["pay_1".to_owned(), "deb_1".to_owned()]);
        let streams: Vec<String> =
            (0..2).map(|_| told.try_recv().map(|touched| touched.stream.clone()).unwrap()).collect();
        assert_eq!(streams, ["pay_1", "deb_1"]);
        assert!(told.try_recv().is_err(), "what was before is in the journal");
    }
}
