//! Locking and reopening periods. The lock itself is kept where entries are posted, in the store.

use suture_core::day::Day;
use suture_core::explain::{Care, Reason};
use suture_core::period::{self, Period};
use suture_store::books;

use crate::Error;
use crate::change::Change;
use crate::engine::Engine;
use crate::payments::Caller;

/// The one stream of an organization's periods.
const STREAM: &str = "period/books";

impl Engine {
    /// Locks the books through a day that has ended. What is posted for these days later goes to the next open day, with a
    /// reference to its own (FLOWS 8h).
    ///
    /// # Errors
    /// [`Error::Refused`] for a day that has not ended, and without a reason.
    pub async fn lock_period(&self, caller: &Caller, through: Day, reason: &str) -> Result<Day, Error> {
        let order = self.order_of(caller, Reason::parse(reason)?);
        self.apply(STREAM, order, move |change| {
            let mut loaded = change.load::<Period>(STREAM)?;
            let events = period::lock(loaded.state.as_ref(), through, Day::utc(change.order.now))?;
            change.record_all(&mut loaded, &events, &Care::default())?;
            keep(change, loaded.state.as_ref(), through)
        })
        .await
    }

    /// Opens the days from one on again.
    ///
    /// # Errors
    /// [`Error::Refused`] when the day is not locked, and without a reason.
    pub async fn reopen_period(&self, caller: &Caller, from: Day, reason: &str) -> Result<Day, Error> {
        let order = self.order_of(caller, Reason::parse(reason)?);
        self.apply(STREAM, order, move |change| {
            let mut loaded = change.load::<Period>(STREAM)?;
            let event = period::reopen(loaded.state.as_ref(), from)?;
            change.record_all(&mut loaded, &[event], &Care::default())?;
            keep(change, loaded.state.as_ref(), from)
        })
        .await
    }

    /// Up to which day the books are locked.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn locked_through(&self, organization: &str) -> Result<Option<Day>, Error> {
        let organization = organization.to_owned();
        self.0.store.read(move |tx| books::locked(tx, &organization).map_err(Error::from)).await
    }
}

fn keep(change: &mut Change<'_, '_>, state: Option<&Period>, otherwise: Day) -> Result<Day, Error> {
    let through = state.map_or(otherwise, |period| period.through);
    let organization = change.order.organization.clone();
    books::lock(change.tx, &organization, through)?;
    Ok(through)
}
