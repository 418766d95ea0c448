//! How many live streams each key holds open, in this process.
//!
//! Asked by [`crate::resources`] when a stream is opened; the place is given back when the stream is dropped, however it
//! ended.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Live streams of one key at most.
const ONE_MAX: usize = 16;
/// Live streams of all keys at most: each is a connection and a look at the journal a second.
const ALL_MAX: usize = 1_000;

/// Open streams by key.
#[derive(Debug, Clone, Default)]
pub(crate) struct OpenStreams(Arc<Mutex<BTreeMap<String, usize>>>);

/// Room for one stream.
#[derive(Debug)]
pub(crate) struct Place {
    all: OpenStreams,
    key: String,
}

impl OpenStreams {
    /// Room for one more stream of a key, if there is any.
    pub(crate) fn enter(&self, key: &str) -> Option<Place> {
        let mut open = self.0.lock().ok()?;
        let own = open.get(key).copied().unwrap_or(0);
        if own >= ONE_MAX || open.values().sum::<usize>() >= ALL_MAX {
            return None;
        }
        open.insert(key.to_owned(), own + 1);
        Some(Place { all: self.clone(), key: key.to_owned() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Ok(mut open) = self.all.0.lock() else { return };
        match open.get(&self.key).copied().unwrap_or(0) {
            0 | 1 => open.remove(&self.key),
            own => open.insert(self.key.clone(), own - 1),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_holds_a_bounded_number_of_streams_and_gives_them_back() {
        let open = OpenStreams::default();
        let mut held: Vec<Place> = (0..ONE_MAX).map(|_| open.enter("a").unwrap()).collect();
        assert!(open.enter("a").is_none() && open.enter("b").is_some());
        held.pop();
        assert!(open.enter("a").is_some());
        drop(held);
        assert!(open.0.lock().unwrap().is_empty(), "nothing is remembered of keys without streams");
    }
}
