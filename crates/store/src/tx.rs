//! A transaction, or a consistent read, on either engine.

use crate::Error;
use crate::postgres::PostgresTx;
use crate::sqlite::SqliteTx;
use crate::statement::{Ask, Row, Statement, Value};

/// What a work does its reading and writing with. Only [`crate::Store`] makes one.
pub struct Tx<'a>(pub(crate) Engine<'a>);

pub(crate) enum Engine<'a> {
    Sqlite(SqliteTx<'a>),
    Postgres(&'a mut PostgresTx),
}

impl Tx<'_> {
    /// The rows of a query.
    ///
    /// # Errors
    /// [`Error`] of this statement or of a write before it.
    pub fn query(&mut self, statement: &Statement, values: &[Value<'_>]) -> Result<Vec<Row>, Error> {
        match &mut self.0 {
            Engine::Sqlite(tx) => tx.query(statement, values),
            Engine::Postgres(tx) => tx.query(statement, values),
        }
    }

    /// Says which questions are about to be asked, so that an engine across a network answers them in one round trip. Each
    /// answer is given once, as of now: ask only what this work does not change before it reads it.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub fn foresee(&mut self, asks: impl FnOnce() -> Vec<Ask>) -> Result<(), Error> {
        match &mut self.0 {
            // A question costs nothing here; it is asked when it is asked.
            Engine::Sqlite(_) => Ok(()),
            Engine::Postgres(tx) => tx.foresee(asks()),
        }
    }

    /// Forgets foreseen answers that nobody asked for, before what they say may have changed.
    pub fn forget(&mut self) {
        match &mut self.0 {
            Engine::Sqlite(_) => {}
            Engine::Postgres(tx) => tx.forget(),
        }
    }

    /// The only row of a query, if there is one.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub fn query_optional(
        &mut self,
        statement: &Statement,
        values: &[Value<'_>],
    ) -> Result<Option<Row>, Error> {
        Ok(self.query(statement, values)?.into_iter().next())
    }

    /// Runs a write and says how many rows it touched.
    ///
    /// # Errors
    /// [`Error::Conflict`] when a unique key is taken.
    pub fn execute(&mut self, statement: &Statement, values: &[Value<'_>]) -> Result<u64, Error> {
        match &mut self.0 {
            Engine::Sqlite(tx) => tx.execute(statement, values),
            Engine::Postgres(tx) => tx.execute(statement, values),
        }
    }

    /// Runs a write that must touch exactly one row. On PostgreSQL it is sent together with its neighbours, so its error
    /// may come from the next call or from the end of the work.
    ///
    /// # Errors
    /// [`Error::Conflict`] when a unique key is taken or no row matched.
    pub fn execute_one(&mut self, statement: &Statement, values: &[Value<'_>]) -> Result<(), Error> {
        match &mut self.0 {
            Engine::Sqlite(tx) => match tx.execute(statement, values)? {
                1 => Ok(()),
                _ => Err(Error::Conflict(statement.name.to_owned())),
            },
            Engine::Postgres(tx) => tx.queue(statement, values),
        }
    }

    /// Prepares a statement without running it: the test that all statements are valid on both engines.
    ///
    /// # Errors
    /// [`Error::Database`] when the engine does not accept it.
    pub fn prepare(&mut self, statement: &Statement) -> Result<(), Error> {
        match &mut self.0 {
            Engine::Sqlite(tx) => tx.prepare(statement),
            Engine::Postgres(tx) => tx.prepare(statement).map(|_| ()),
        }
    }
}
