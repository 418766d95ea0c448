//! The store: opens a database, runs works in shared commits, and reads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

use tokio::sync::oneshot;

use crate::postgres::PostgresTx;
use crate::sqlite::{SqliteConnection, SqliteTx};
use crate::tx::{Engine, Tx};
use crate::{Error, Keyring, migrate};

/// How many works share one commit at most. Bounds how long the first of them waits.
const WORKS_PER_COMMIT_MAX: usize = 256;

/// How to open a store.
#[derive(Debug, Clone)]
pub struct Options {
    /// `sqlite:PATH` or `postgres://…`.
    pub url: String,
    /// Keys for sealed columns.
    pub keyring: Keyring,
    /// Writing connections on PostgreSQL. SQLite always has one.
    pub writers: usize,
    /// Reading connections.
    pub readers: usize,
}

impl Options {
    /// Defaults for a URL.
    #[must_use]
    pub fn new(url: impl Into<String>, keyring: Keyring) -> Self {
        Self { url: url.into(), keyring, writers: 4, readers: 3 }
    }
}

/// A database. Cheap to clone.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    keyring: Keyring,
    writers: Vec<Queue>,
    readers: Readers,
}

/// Works on their way to a thread that runs them.
type Queue = Sender<Box<dyn Work>>;

enum Readers {
    Sqlite { path: PathBuf, idle: Mutex<Vec<SqliteConnection>> },
    Postgres(Vec<Queue>),
}

/// A work that waits for its turn and then for its commit.
trait Work: Send {
    /// Runs it. `Err(Some)`: the store failed; `Err(None)`: the work itself refused. Either way nothing is kept.
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), Option<Error>>;
    /// Tells the caller, once the commit is known.
    fn answer(self: Box<Self>, commit: Result<(), Error>);
}

struct Job<T, E, F> {
    work: F,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Work for Job<T, E, F>
where
    T: Send,
    E: From<Error> + Send,
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), Option<Error>> {
        // A panic in one work must not take down the writer that all others wait for.
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.work)(tx)))
            .unwrap_or_else(|_| Err(E::from(Error::database("work", "the work panicked; see the log"))));
        let ok = outcome.is_ok();
        self.result = Some(outcome);
        if ok { Ok(()) } else { Err(None) }
    }

    fn answer(self: Box<Self>, commit: Result<(), Error>) {
        let result = match (commit, self.result) {
            (Ok(()), Some(result)) => result,
            (Err(_), Some(Err(refused))) => Err(refused),
            (Err(error), _) => Err(E::from(error)),
            (Ok(()), None) => Err(E::from(Error::Closed)),
        };
        // The caller may have gone away; its work is committed all the same.
        let _ = self.reply.send(result);
    }
}

impl Store {
    /// Opens a database and brings its schema up to date.
    ///
    /// # Errors
    /// [`Error`] when it cannot be opened or migrated.
    pub fn open(options: &Options) -> Result<Self, Error> {
        let (writers, readers) = match options.url.split_once(':') {
            Some(("sqlite", path)) => open_sqlite(path)?,
            Some(("postgres" | "postgresql", _)) => off_runtime(|| open_postgres(options))?,
            _ => return Err(Error::Url(options.url.chars().take_while(|c| *c != ':').collect())),
        };
        Ok(Self(Arc::new(Inner { keyring: options.keyring.clone(), writers, readers })))
    }

    /// The keys for sealed columns.
    #[must_use]
    pub fn keyring(&self) -> &Keyring {
        &self.0.keyring
    }

    /// Runs a work in a transaction and commits it, together with others that wait. The work may run more than once.
    ///
    /// # Errors
    /// The work's own error, or the store's. Nothing was kept.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        self.write_in_lane(0, work).await
    }

    /// As [`write`](Self::write); works of one lane share a writer, so they do not block each other's rows.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn write_in_lane<T, E, F>(&self, lane: usize, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let writers = &self.0.writers;
        submit(&writers[lane % writers.len()], work).await
    }

    /// Reads at one moment. Short point reads only on the caller's thread (SQLite); see [`read_long`](Self::read_long).
    ///
    /// # Errors
    /// The work's own error, or the store's.
    pub async fn read<T, E, F>(&self, mut work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        match &self.0.readers {
            Readers::Sqlite { path, idle } => read_sqlite(path, idle, &mut work),
            Readers::Postgres(readers) => {
                // Any reader will do; spreading by address of the work is enough.
                let choice = std::ptr::from_ref(&work).addr() / 64;
                submit(&readers[choice % readers.len()], work).await
            }
        }
    }

    /// Reads a lot at one moment without holding up the caller's thread.
    ///
    /// # Errors
    /// The work's own error, or the store's.
    pub async fn read_long<T, E, F>(&self, mut work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        match &self.0.readers {
            Readers::Sqlite { .. } => {
                let store = self.clone();
                let reading = tokio::task::spawn_blocking(move || match &store.0.readers {
                    Readers::Sqlite { path, idle } => read_sqlite(path, idle, &mut work),
                    Readers::Postgres(_) => Err(E::from(Error::Closed)),
                });
                reading.await.unwrap_or_else(|_| Err(E::from(Error::Closed)))
            }
            Readers::Postgres(_) => self.read(work).await,
        }
    }
}

async fn submit<T, E, F>(queue: &Queue, work: F) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    let job: Box<dyn Work> = Box::new(Job { work, result: None, reply });
    queue.send(job).map_err(|_| E::from(Error::Closed))?;
    answer.await.unwrap_or_else(|_| Err(E::from(Error::Closed)))
}

fn open_sqlite(path: &str) -> Result<(Vec<Queue>, Readers), Error> {
    let path = PathBuf::from(path.trim_start_matches("//"));
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| Error::database("open", error))?;
    }
    let mut writer = SqliteConnection::open_writer(&path)?;
    migrate::sqlite(&mut writer)?;
    let (send, receive) = channel();
    let (due, asked) = sync_channel(1);
    let checkpointer = SqliteConnection::open_writer(&path)?;
    spawn("store-checkpoint", move || checkpoint_sqlite(&checkpointer, &asked))?;
    spawn("store-writer", move || write_sqlite(&mut writer, &receive, &due))?;
    Ok((vec![send], Readers::Sqlite { path, idle: Mutex::new(Vec::new()) }))
}

fn open_postgres(options: &Options) -> Result<(Vec<Queue>, Readers), Error> {
    migrate::postgres(&mut PostgresTx::connect(&options.url)?)?;
    let start = |name: &str, count: usize, read_only: bool| -> Result<Vec<Queue>, Error> {
        (0..count.max(1))
            .map(|_| {
                let (send, receive) = channel();
                let url = options.url.clone();
                let connection = PostgresTx::connect(&url)?;
                spawn(name, move || serve_postgres(&url, connection, &receive, read_only))?;
                Ok(send)
            })
            .collect()
    };
    Ok((
        start("store-writer", options.writers, false)?,
        Readers::Postgres(start("store-reader", options.readers, true)?),
    ))
}

/// Runs something that blocks on a runtime of its own on a thread that belongs to no other runtime.
pub(crate) fn off_runtime<T: Send>(run: impl FnOnce() -> Result<T, Error> + Send) -> Result<T, Error> {
    thread::scope(|scope| scope.spawn(run).join())
        .unwrap_or_else(|_| Err(Error::database("connect", "a thread died")))
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    let spawned = thread::Builder::new().name(name.to_owned()).stack_size(1 << 20).spawn(run);
    spawned.map(|_| ()).map_err(|error| Error::database("start thread", error))
}

/// All works that wait now, up to the limit. Blocks for the first.
fn gather(queue: &Receiver<Box<dyn Work>>) -> Option<Vec<Box<dyn Work>>> {
    let mut works = vec![queue.recv().ok()?];
    while works.len() < WORKS_PER_COMMIT_MAX {
        match queue.try_recv() {
            Ok(work) => works.push(work),
            Err(_) => break,
        }
    }
    Some(works)
}

/// Copies committed pages from the log to the database beside the writer, so that commits do not wait for it. Ends with the
/// writer. The writer's own checkpoint stays as the bound of the log.
fn checkpoint_sqlite(connection: &SqliteConnection, asked: &Receiver<()>) {
    while asked.recv().is_ok() {
        // Passive: never blocks the writer or readers; what it could not copy, the next one does.
        let _ = connection.batch("pragma wal_checkpoint(passive)");
    }
}

/// Commits between two checkpoints.
const COMMITS_PER_CHECKPOINT: u32 = 32;

fn write_sqlite(writer: &mut SqliteConnection, queue: &Receiver<Box<dyn Work>>, checkpoint: &SyncSender<()>) {
    let mut commits = 0;
    while let Some(mut works) = gather(queue) {
        let committed = commit_sqlite(writer, &mut works);
        if committed.is_err() {
            // Leaves no transaction open for the next round; an error here says there was none.
            let _ = writer.batch("rollback");
        }
        for work in works {
            work.answer(committed.clone());
        }
        commits += 1;
        if commits >= COMMITS_PER_CHECKPOINT {
            commits = 0;
            // One that is running already will do.
            let _ = checkpoint.try_send(());
        }
    }
}

/// Runs all works and commits once. Savepoints copy every page that a work touches, so they are used only when a work
/// refuses: then all run again, each in its own.
fn commit_sqlite(writer: &mut SqliteConnection, works: &mut [Box<dyn Work>]) -> Result<(), Error> {
    writer.run("begin immediate")?;
    let all_agree = works.iter_mut().all(|work| work.run(&mut Tx(Engine::Sqlite(SqliteTx(writer)))).is_ok());
    if all_agree {
        return writer.run("commit");
    }
    writer.run("rollback")?;
    writer.run("begin immediate")?;
    for work in works {
        writer.run("savepoint work")?;
        if work.run(&mut Tx(Engine::Sqlite(SqliteTx(writer)))).is_err() {
            writer.run("rollback to work")?;
        }
        writer.run("release work")?;
    }
    writer.run("commit")
}

fn read_sqlite<T, E: From<Error>>(
    path: &std::path::Path,
    idle: &Mutex<Vec<SqliteConnection>>,
    work: &mut impl FnMut(&mut Tx<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let kept = idle.lock().ok().and_then(|mut connections| connections.pop());
    let mut connection = match kept {
        Some(connection) => connection,
        None => SqliteConnection::open_reader(path)?,
    };
    connection.run("begin")?;
    let result = work(&mut Tx(Engine::Sqlite(SqliteTx(&mut connection))));
    connection.run("commit")?;
    if let Ok(mut connections) = idle.lock()
        && connections.len() < 4
    {
        connections.push(connection);
    }
    result
}

fn serve_postgres(url: &str, mut connection: PostgresTx, queue: &Receiver<Box<dyn Work>>, read_only: bool) {
    let begin = if read_only { "begin isolation level repeatable read read only" } else { "begin" };
    while let Some(mut works) = gather(queue) {
        if connection.is_closed() {
            match PostgresTx::connect(url) {
                Ok(fresh) => connection = fresh,
                Err(error) => {
                    works.into_iter().for_each(|work| work.answer(Err(error.clone())));
                    continue;
                }
            }
        }
        let committed = commit_postgres(&mut connection, &mut works, begin);
        if committed.is_err() {
            connection.discard();
            // As above: leaves no transaction open.
            let _ = connection.batch("rollback");
        }
        match committed {
            // One work's deadlock or cut must not fail its neighbours: each gets a transaction of its own.
            Err(_) if works.len() > 1 && !connection.is_closed() => {
                for work in works {
                    let mut single = [work];
                    let committed = commit_postgres(&mut connection, &mut single, begin);
                    if committed.is_err() {
                        connection.discard();
                        let _ = connection.batch("rollback");
                    }
                    let [work] = single;
                    work.answer(committed);
                }
            }
            committed => works.into_iter().for_each(|work| work.answer(committed.clone())),
        }
    }
}

/// Runs all works and commits once; when one refuses, the caller runs them one by one.
fn commit_postgres(
    connection: &mut PostgresTx,
    works: &mut [Box<dyn Work>],
    begin: &str,
) -> Result<(), Error> {
    connection.batch(begin)?;
    let alone = works.len() == 1;
    for work in works {
        let Err(error) = run_postgres(connection, work.as_mut(), alone) else { continue };
        connection.discard();
        if alone {
            connection.batch("rollback")?;
            return error.map_or(Ok(()), Err);
        }
        return Err(Error::Conflict("shared commit".to_owned()));
    }
    connection.flush()?;
    connection.batch("commit")
}

/// Runs a work. Queued writes of neighbours are sent together; a work that is alone is told its own errors.
fn run_postgres(connection: &mut PostgresTx, work: &mut dyn Work, alone: bool) -> Result<(), Option<Error>> {
    let ran = work.run(&mut Tx(Engine::Postgres(connection)));
    connection.forget();
    ran?;
    if alone { connection.flush().map_err(Some) } else { Ok(()) }
}
