//! Look-up tables that people keep: product → part, refund reason → reason code. A new row wakes what waits for it.

use suture_core::explain::Reason;
use suture_core::refusal::Refusal;
use suture_store::{lanes, lookup_rows};

use crate::Error;
use crate::engine::Engine;
use crate::payments::Caller;
use crate::running::table_lane;

pub use suture_store::lookup_rows::LookupRow;

/// The longest value of a row, in bytes of JSON.
const VALUE_MAX: usize = 4_096;

impl Engine {
    /// Writes a row of a table, and lets the runs that wait for it go on. Returns how many.
    ///
    /// # Errors
    /// [`Error::Refused`] for a name or key that is none, or a value that is no JSON.
    pub async fn save_table_row(
        &self,
        caller: &Caller,
        table: &str,
        (key, value): (&str, serde_json::Value),
    ) -> Result<u64, Error> {
        check(table, key)?;
        let text = value.to_string();
        if text.len() > VALUE_MAX || value.is_null() {
            return Err(Error::Refused(Refusal::invalid(
                "row_invalid",
                format!(
                    "Nothing was saved. A row needs a value of at most {VALUE_MAX} bytes of JSON; remove it instead of null."
                ),
            )));
        }
        let row = LookupRow {
            key: key.to_owned(),
            value: text,
            updated_by: caller.actor.parts().1.to_owned(),
            updated_at: self.now(),
        };
        let order = self.order_of(caller, Reason::of("table_row_saved"));
        let (table, lane) = (table.to_owned(), table_lane(table, key));
        let woken = self
            .apply(&lane.clone(), order, move |change| {
                let (organization, now) = (change.order.organization.clone(), change.order.now);
                lookup_rows::put(change.tx, &organization, &table, &row)?;
                let woken = lanes::resume(change.tx, &organization, &lane, now)?;
                change.unheld |= woken > 0;
                Ok(woken)
            })
            .await?;
        Ok(woken)
    }

    /// Removes a row. What was filed with it stays. Says whether there was one.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn remove_table_row(&self, caller: &Caller, table: &str, key: &str) -> Result<bool, Error> {
        let (organization, table, key) = (caller.organization.clone(), table.to_owned(), key.to_owned());
        self.0
            .store
            .write(move |tx| lookup_rows::remove(tx, &organization, &table, &key).map_err(Error::from))
            .await
    }

    /// Rows of a table in the order of their keys, after a key.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn table_rows(
        &self,
        organization: &str,
        table: &str,
        (after, limit): (&str, i64),
    ) -> Result<Vec<LookupRow>, Error> {
        let (organization, table, after) = (organization.to_owned(), table.to_owned(), after.to_owned());
        self.0
            .store
            .read(move |tx| {
                lookup_rows::list(tx, &organization, &table, (&after, limit.clamp(1, 1_000)))
                    .map_err(Error::from)
            })
            .await
    }
}

fn check(table: &str, key: &str) -> Result<(), Error> {
    let word = |text: &str| {
        (1..=40).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let fits = (1..=100).contains(&key.len()) && !key.chars().any(char::is_control);
    match word(table) && fits {
        true => Ok(()),
        false => Err(Error::Refused(Refusal::invalid(
            "row_invalid",
            "Nothing was saved. Name the table in 1 to 40 lower-case letters, digits or underscores, and give a key of 1 to 100 \
             bytes.",
        ))),
    }
}
