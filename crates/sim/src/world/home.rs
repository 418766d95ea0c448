//! Where a world's database lives: a fresh one, or a copy of one that is furnished already.
//!
//! A schedule needs a database of its own so that it can be replayed alone, and making one costs more than the schedule.
//! So one is furnished per process, in memory where the system offers that, and its content is copied.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use suture_store::testkit::{self, Fresh};
use suture_store::{Options, Store};

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// The content of a database's files by name.
pub struct Content(Vec<(&'static str, Vec<u8>)>);

/// A database of a world; removed when dropped.
pub struct Home(Place);

enum Place {
    Fresh(Fresh),
    Folder(PathBuf),
}

impl Home {
    /// A fresh database on `sqlite` or `postgres`.
    #[must_use]
    pub fn on(engine: &str) -> Self {
        Self(Place::Fresh(Fresh::on(engine)))
    }

    /// A fresh SQLite file in memory, where the system has a file system in memory.
    ///
    /// # Errors
    /// A sentence when the folder cannot be made.
    pub fn in_memory() -> Result<Self, String> {
        let shared = Path::new("/dev/shm");
        let base = if shared.is_dir() { shared.to_owned() } else { std::env::temp_dir() };
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let folder = base.join(format!("suture_sim_{}_{number}", std::process::id()));
        fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        Ok(Self(Place::Folder(folder)))
    }

    /// A database with the content of another.
    ///
    /// # Errors
    /// A sentence when a file cannot be written.
    pub fn copy_of(content: &Content) -> Result<Self, String> {
        let home = Self::in_memory()?;
        let Place::Folder(folder) = &home.0 else { return Err("a copy has a folder".to_owned()) };
        for (name, bytes) in &content.0 {
            fs::write(folder.join(name), bytes).map_err(|error| format!("cannot write {name}: {error}"))?;
        }
        Ok(home)
    }

    /// The content of the database, which nobody may be writing to.
    ///
    /// # Errors
    /// A sentence when it is not a file of this module's own, or cannot be read.
    pub fn content(&self) -> Result<Content, String> {
        let Place::Folder(folder) = &self.0 else { return Err("only a file has content".to_owned()) };
        let mut files = Vec::new();
        for name in ["suture.db", "suture.db-wal"] {
            let path = folder.join(name);
            if path.exists() {
                let bytes = fs::read(&path).map_err(|error| format!("cannot read {name}: {error}"))?;
                files.push((name, bytes));
            }
        }
        Ok(Content(files))
    }

    /// Opens the store.
    ///
    /// # Errors
    /// A sentence when it does not open.
    pub fn open(&self) -> Result<Store, String> {
        match &self.0 {
            Place::Fresh(fresh) => Ok(fresh.open()),
            Place::Folder(folder) => {
                let url = format!("sqlite:{}/suture.db", folder.display());
                let options = Options { writers: 1, readers: 1, ..Options::new(url, testkit::keyring()) };
                Store::open(&options).map_err(|error| error.to_string())
            }
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Place::Folder(folder) = &self.0 {
            // What is left over in memory is gone with the machine at the latest.
            let _ = fs::remove_dir_all(folder);
        }
    }
}
