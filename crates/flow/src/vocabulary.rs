//! The words that a flow may use for the world outside: events that start it or that it waits for, lookups, calls and
//! write-backs.
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
    /// Events that a wait step may wait for.
    pub waits: Vec<String>,
}

impl Vocabulary {
    /// The words of this version.
    #[must_use]
    pub fn built_in() -> Self {
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let stripe = words(&[
            "payment.captured",
            "payment.refunded",
            "payment.refund_failed",
            "payment.disputed",
            "order.paid",
            "order.refunded",
            "order.disputed",
            "order.declined",
        ]);
        let epicor = words(&["customer_changed", "order_created", "order_changed", "shipped", "invoiced"]);
        Self {
            events: vec![("stripe".to_owned(), stripe), ("epicor".to_owned(), epicor)],
            sources: words(&[
                "link",
                "epic.patient",
                "epic.encounter",
                "epic.practitioner",
                "order",
                "epicor.part",
            ]),
            targets: words(&["epic.post_payment", "epicor.file_document"]),
            write_backs: words(&["stripe.metadata", "order.status"]),
            waits: words(&["epicor.shipped", "epicor.invoiced", "epicor.receipt_posted", "order.paid"]),
        }
    }
}
