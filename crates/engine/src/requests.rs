//! Use cases of idempotency: the first answer to a caller's key is kept and given again to the same request.
//!
//! Called by the API around every use case that a `POST` starts. Invariant: a key is begun before the use case runs, and
//! is forgotten only when the use case is known to have changed nothing.

use suture_core::audit::chain::Hash;
use suture_store::requests;

use crate::Error;
use crate::engine::Engine;

pub use suture_store::requests::{Key, Known};

impl Engine {
    /// Begins a request under a key, or says what is known of the key.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn begin_request(&self, key: Key, request: Hash) -> Result<Known, Error> {
        let (keyring, now) = (self.0.store.keyring().clone(), self.now());
        self.0
            .store
            .write(move |tx| requests::begin(tx, &keyring, &key, request, now).map_err(Error::from))
            .await
    }

    /// Keeps the answer to a request: the HTTP status and the body.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn answer_request(&self, key: Key, status: u16, body: Vec<u8>) -> Result<(), Error> {
        let keyring = self.0.store.keyring().clone();
        self.0
            .store
            .write(move |tx| {
                requests::answer(tx, &keyring, &key, i64::from(status), &body).map_err(Error::from)
            })
            .await
    }

    /// Forgets a request that changed nothing, so that it may be tried again under the same key.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn forget_request(&self, key: Key) -> Result<(), Error> {
        self.0.store.write(move |tx| requests::forget(tx, &key).map_err(Error::from)).await
    }
}
