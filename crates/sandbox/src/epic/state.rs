//! The state of the Epic world as JSON, for tests and simulators.
//!
//! Called by `snapshot` and by the control verb `state`. What must stay true: no token, password or key in
//! it, and a page of postings is capped, so that half a million postings do not have to fit into one answer.

use serde_json::{Map, Value, json};

use super::amount;
use super::book::Posting;
use super::records::Held;
use super::world::EpicWorld;

/// How many postings a page shows when nothing else is asked.
pub(super) const POSTINGS_DEFAULT: usize = 10_000;

const LOG_SHOWN: usize = 50;

impl EpicWorld {
    /// The state with the postings whose references come behind `after`.
    pub(super) fn state(&self, after: &str, limit: usize) -> Value {
        let page: Vec<(&str, &Posting)> = self.book.postings_after(after).take(limit).collect();
        let last = page.last().map(|(reference, _)| *reference);
        let more =
            page.len() == limit && last.is_some_and(|last| self.book.postings_after(last).next().is_some());
        let postings: Map<String, Value> = page
            .iter()
            .map(|(reference, posting)| ((*reference).to_owned(), self.posting(posting)))
            .collect();
        json!({
            "mode": format!("{:?}", self.mode).to_lowercase(),
            "postings": postings,
            "next_after": last.filter(|_| more),
            "references_total": self.book.len(),
            "postings_total": self.book.receipts(),
            "balances": self.balances_by_account(),
            "claim_status": self.claim_statuses(),
            "work_queues": self.book.work_queues().iter().map(|(name, count)| (name.clone(), json!(count)))
                .collect::<Map<_, _>>(),
            "created": self.created.counts(),
            "calls": self.calls.counts(),
            "last_calls": self.calls.log(LOG_SHOWN),
            "faults": self.faults.state(),
            "duplicate_style": self.book.duplicates.name(),
            "clients": self.authority.client_ids(),
            "last_token_refusal": self.authority.last_refusal,
        })
    }

    /// One posting as JSON.
    pub(super) fn posting(&self, posting: &Posting) -> Value {
        let queue = posting.work_queue.and_then(|at| self.book.work_queues().get(at));
        json!({
            "count": posting.count,
            "attempts": posting.attempts,
            "type": posting.kind.name(),
            "amount": amount::render(posting.amount_minor, posting.currency),
            "amount_minor": posting.amount_minor,
            "currency": posting.currency.as_str(),
            "refunded_minor": posting.refunded_minor,
            "account": self.records.id(Held::Account, posting.account),
            "claim": posting.claim.map(|claim| self.records.id(Held::Claim, claim)),
            "original": posting.original,
            "receipt": posting.receipt_number(),
            "work_queue": queue.map(|(name, _)| name),
            "at_ms": posting.at_ms,
        })
    }

    fn balances_by_account(&self) -> Map<String, Value> {
        let accounts = self.book.balances().iter().enumerate();
        accounts
            .map(|(at, held)| {
                let by_currency: Map<String, Value> = held
                    .iter()
                    .map(|(currency, minor)| (currency.as_str().to_owned(), json!(minor)))
                    .collect();
                (self.records.id(Held::Account, at).to_owned(), by_currency.into())
            })
            .collect()
    }

    fn claim_statuses(&self) -> Map<String, Value> {
        let known = self.claim_status.iter();
        known.map(|(at, status)| (self.records.id(Held::Claim, *at).to_owned(), json!(status))).collect()
    }
}
