//! What tests need of a store: a fresh database on either engine, and the conformance suite that both must pass.
//!
//! Other crates' tests open their stores here too, so that every story can run on both engines.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::postgres::PostgresTx;
use crate::statement::Statement;
use crate::{Error, Keyring, Options, Store};

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// A database of its own for one test; removed when dropped.
pub struct Fresh {
    /// The URL to open it with.
    pub url: String,
    folder: Option<PathBuf>,
    server: Option<(String, String)>,
}

/// A keyring for tests.
///
/// # Panics
/// Never: the key has the right length.
#[must_use]
pub fn keyring() -> Keyring {
    Keyring::new(&[("test".to_owned(), vec![7; 32])]).expect("a key of 32 bytes")
}

fn unique() -> String {
    format!("suture_test_{}_{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed))
}

impl Fresh {
    /// A fresh SQLite file.
    ///
    /// # Panics
    /// When the temporary folder cannot be written.
    #[must_use]
    pub fn sqlite() -> Self {
        let folder = std::env::temp_dir().join(unique());
        std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
        Self { url: format!("sqlite:{}/suture.db", folder.display()), folder: Some(folder), server: None }
    }

    /// A fresh PostgreSQL database on the server named by `SUTURE_TEST_POSTGRES`, or the local one.
    ///
    /// # Errors
    /// [`Error`] when there is no server. Tests let it fail: there are no silent skips.
    #[expect(clippy::disallowed_methods, reason = "the one setting of the test kit")]
    pub fn postgres() -> Result<Self, Error> {
        let server = std::env::var("SUTURE_TEST_POSTGRES")
            .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned());
        let name = unique();
        crate::store::off_runtime(|| {
            let mut admin = PostgresTx::connect(&server)?;
            admin.batch(&format!("drop database if exists {name} with (force)"))?;
            admin.batch(&format!("create database {name}"))
        })?;
        let (base, _) = server.rsplit_once('/').ok_or_else(|| Error::Url(server.clone()))?;
        Ok(Self { url: format!("{base}/{name}"), folder: None, server: Some((server, name)) })
    }

    /// A fresh database on the engine of that name: `sqlite` or `postgres`.
    ///
    /// # Panics
    /// When there is no PostgreSQL server.
    #[must_use]
    pub fn on(engine: &str) -> Self {
        match engine {
            "postgres" => Self::postgres().expect("a PostgreSQL server for tests; `make test` starts one"),
            _ => Self::sqlite(),
        }
    }

    /// Opens it.
    ///
    /// # Panics
    /// When it cannot be opened.
    #[must_use]
    pub fn open(&self) -> Store {
        let options = Options { writers: 2, readers: 2, ..Options::new(self.url.clone(), keyring()) };
        Store::open(&options).expect("a fresh database opens")
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            // Left-overs in the temporary folder do no harm.
            let _ = std::fs::remove_dir_all(folder);
        }
        if let Some((server, name)) = &self.server {
            let sql = format!("drop database if exists {name} with (force)");
            // A left-over database on a test server does no harm either.
            let _ = crate::store::off_runtime(|| {
                PostgresTx::connect(server).and_then(|mut admin| admin.batch(&sql))
            });
        }
    }
}

/// Every statement of the store.
#[must_use]
pub fn statements() -> Vec<Statement> {
    [
        crate::access::STATEMENTS,
        crate::announcements::STATEMENTS,
        crate::bank::STATEMENTS,
        crate::books::STATEMENTS,
        crate::calendar::STATEMENTS,
        crate::connections::STATEMENTS,
        crate::contacts::STATEMENTS,
        crate::effects::STATEMENTS,
        crate::lanes::STATEMENTS,
        crate::endpoints::STATEMENTS,
        crate::events::STATEMENTS,
        crate::inbox::STATEMENTS,
        crate::journal::STATEMENTS,
        crate::ledger::STATEMENTS,
        crate::links::STATEMENTS,
        crate::lookup_rows::STATEMENTS,
        crate::notices::STATEMENTS,
        crate::orders::STATEMENTS,
        crate::organizations::STATEMENTS,
        crate::passes::STATEMENTS,
        crate::personal::STATEMENTS,
        crate::prices::STATEMENTS,
        crate::remittances::STATEMENTS,
        crate::requests::STATEMENTS,
        crate::runs::STATEMENTS,
        crate::seals::STATEMENTS,
        crate::settlements::STATEMENTS,
        crate::visits::STATEMENTS,
        crate::wordings::STATEMENTS,
    ]
    .concat()
}
