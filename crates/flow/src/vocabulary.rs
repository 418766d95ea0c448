//! The words that a flow may use for the world outside: events that start it, lookups, calls and write-backs.
//!
//! The shell supplies the list of what it can really do; [`Vocabulary::built_in`] is what this version connects. A flow
//! that names anything else is refused when it is saved, not when money waits for it.

/// What a flow may refer to.
#[derive(Debug, Clone)]
pub struct Vocabulary {
    /// Trigger source → its events.
    pub events: Vec<(String, Vec<String>)>,
    /// Lookup sources besides the inline `table`.
    pub sources: Vec<String>,
    /// Call targets.
    pub targets: Vec<String>,
    /// Write-back targets.
    pub write_backs: Vec<String>,
}

impl Vocabulary {
    /// The words of this version.
    #[must_use]
    pub fn built_in() -> Self {
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let events =
            words(&["payment.captured", "payment.refunded", "payment.refund_failed", "payment.disputed"]);
        Self {
            events: vec![("stripe".to_owned(), events)],
            sources: words(&["link", "epic.patient", "epic.encounter", "epic.practitioner"]),
            targets: words(&["epic.post_payment"]),
            write_backs: words(&["stripe.metadata"]),
        }
    }
}
