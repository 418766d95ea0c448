//! Events by their public id, by object and by type. Nothing here changes anything.

use suture_core::catalogue::EventId;
use suture_store::events;
use suture_store::journal::Stored;

pub use suture_store::events::Which;

use crate::Error;
use crate::engine::Engine;

impl Engine {
    /// One event.
    ///
    /// # Errors
    /// [`Error::NotFound`] when this organization has no such event.
    pub async fn event(&self, organization: &str, id: &EventId) -> Result<Stored, Error> {
        let (organization, wanted) = (organization.to_owned(), id.clone());
        let found = self
            .0
            .store
            .read(move |tx| {
                events::get(tx, &organization, &wanted.stream, wanted.version).map_err(Error::from)
            })
            .await?;
        found.ok_or_else(|| Error::not_found("event", &id.to_string()))
    }

    /// Events of an object, a type, or both, newest first, before a position.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn find_events(
        &self,
        organization: &str,
        which: Which,
        before: i64,
        limit: i64,
    ) -> Result<Vec<Stored>, Error> {
        let organization = organization.to_owned();
        self.0
            .store
            .read_long(move |tx| {
                events::list_before(tx, &organization, &which, before, limit).map_err(Error::from)
            })
            .await
    }
}
