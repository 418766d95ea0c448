//! Shows what each step added to the books, and why each cent is where it is.

use std::collections::BTreeMap;

use serde_json::Value;

use super::tale::Tale;
use crate::demo::reasons::why;
use crate::demo::words::{amount, items, short, text};
use crate::failure::Failure;
use crate::table;

/// What a step added, by account, in minor units of US dollars.
pub(super) type Added = BTreeMap<String, i64>;

impl Tale<'_> {
    /// Waits until nothing is on its way, then shows the new ledger lines and gives their sums by account.
    pub(super) async fn books(&self) -> Result<Added, Failure> {
        self.story.stage.rest().await?;
        let mut fresh = self.unseen().await?;
        fresh.sort_by(|a, b| (text(a, "at"), text(a, "key")).cmp(&(text(b, "at"), text(b, "key"))));
        let mut added = Added::new();
        let mut rows = Vec::new();
        for entry in &fresh {
            let key = text(entry, "key");
            for line in items(&entry["lines"]) {
                let (account, minor) =
                    (text(line, "account"), line["amount"]["minor"].as_i64().unwrap_or_default());
                *added.entry(account.to_owned()).or_insert(0) += minor;
                rows.push(vec![
                    short(key),
                    account.to_owned(),
                    amount(minor, text(&line["amount"], "currency")),
                    why(key, account).to_owned(),
                ]);
            }
        }
        if rows.is_empty() {
            self.story.narrator.saw("Books: no entry; no money moved and nothing became owed.");
        } else {
            println!();
            print!("{}", table::render(&["entry", "account", "amount", "why it is there"], &rows, &[2]));
            println!();
        }
        self.story
            .narrator
            .expect("what was added to the books sums to zero", added.values().sum::<i64>() == 0);
        Ok(added)
    }

    async fn unseen(&self) -> Result<Vec<Value>, Failure> {
        let mut fresh = Vec::new();
        let mut path = "/v1/ledger/entries?limit=200".to_owned();
        loop {
            let page = self.story.stage.api.get(&path).await?;
            let mut shown = self.shown.borrow_mut();
            fresh.extend(
                items(&page).iter().filter(|entry| shown.insert(text(entry, "key").to_owned())).cloned(),
            );
            match page["next"].as_str() {
                Some(next) => path = format!("/v1/ledger/entries?limit=200&cursor={next}"),
                None => return Ok(fresh),
            }
        }
    }

    /// Expects exactly these sums of a step; accounts that are not named must not have moved.
    pub(super) fn expect_added(&self, what: &str, added: &Added, wanted: &[(&str, i64)]) {
        let moved: BTreeMap<&str, i64> = added
            .iter()
            .filter(|(_, minor)| **minor != 0)
            .map(|(account, minor)| (account.as_str(), *minor))
            .collect();
        let held = moved == wanted.iter().copied().collect();
        self.story.narrator.expect(what, held);
        if !held {
            self.story.narrator.saw(format!("Added were {moved:?}."));
        }
    }
}

/// What Stripe kept for itself in a step. Its price is not ours to expect.
pub(super) fn fee(added: &Added) -> i64 {
    added.get("exp:fee").copied().unwrap_or(0)
}
