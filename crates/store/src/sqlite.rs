//! The SQLite engine: one writer thread that commits for all who wait, and a few readers.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags};

use crate::Error;
use crate::statement::{Row, Statement, Value};

/// A connection with its rewritten statement texts.
pub(crate) struct SqliteConnection {
    pub(crate) connection: Connection,
    texts: HashMap<usize, String>,
}

/// The part of a connection that a work may use.
pub(crate) struct SqliteTx<'a>(pub(crate) &'a mut SqliteConnection);

impl SqliteConnection {
    /// Opens the one connection that writes.
    pub(crate) fn open_writer(path: &Path) -> Result<Self, Error> {
        let connection = Connection::open(path).map_err(|error| Error::database("open", error))?;
        // FULL: a commit that was answered survives a power cut. WAL: readers do not wait for the writer.
        let pragmas = "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; \
                       pragma busy_timeout = 5000; pragma cache_size = -24576; pragma temp_store = memory; \
                       pragma wal_autocheckpoint = 16000; pragma journal_size_limit = 134217728;";
        Self::with(connection, pragmas)
    }

    /// Opens a connection that reads.
    pub(crate) fn open_reader(path: &Path) -> Result<Self, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(path, flags).map_err(|error| Error::database("open", error))?;
        Self::with(
            connection,
            "pragma query_only = on; pragma busy_timeout = 5000; pragma cache_size = -2048;",
        )
    }

    fn with(connection: Connection, pragmas: &str) -> Result<Self, Error> {
        connection.execute_batch(pragmas).map_err(|error| Error::database("pragma", error))?;
        connection.set_prepared_statement_cache_capacity(256);
        Ok(Self { connection, texts: HashMap::new() })
    }

    /// Runs one fixed statement without parameters and rows; parsed once.
    pub(crate) fn run(&self, sql: &'static str) -> Result<(), Error> {
        let prepared = self.connection.prepare_cached(sql).and_then(|mut prepared| prepared.execute([]));
        prepared.map(|_| ()).map_err(|error| failure(sql, &error))
    }

    /// Runs fixed SQL without parameters.
    pub(crate) fn batch(&self, sql: &str) -> Result<(), Error> {
        self.connection.execute_batch(sql).map_err(|error| failure("batch", &error))
    }
}

impl SqliteTx<'_> {
    pub(crate) fn query(&mut self, statement: &Statement, values: &[Value<'_>]) -> Result<Vec<Row>, Error> {
        let fail = |error: rusqlite::Error| failure(statement.name, &error);
        let connection = &self.0.connection;
        let text = text(&mut self.0.texts, statement);
        let mut prepared = connection.prepare_cached(text).map_err(fail)?;
        let columns = prepared.column_count();
        let mut found = prepared.query(rusqlite::params_from_iter(values)).map_err(fail)?;
        let mut rows = Vec::new();
        while let Some(row) = found.next().map_err(fail)? {
            let mut values = Vec::with_capacity(columns);
            for column in 0..columns {
                values.push(owned(row.get_ref(column).map_err(fail)?, statement.name)?);
            }
            rows.push(Row { name: statement.name, values });
        }
        Ok(rows)
    }

    pub(crate) fn prepare(&mut self, statement: &Statement) -> Result<(), Error> {
        let text = text(&mut self.0.texts, statement);
        self.0.connection.prepare_cached(text).map(|_| ()).map_err(|error| failure(statement.name, &error))
    }

    pub(crate) fn execute(&mut self, statement: &Statement, values: &[Value<'_>]) -> Result<u64, Error> {
        let fail = |error: rusqlite::Error| failure(statement.name, &error);
        let connection = &self.0.connection;
        let text = text(&mut self.0.texts, statement);
        let mut prepared = connection.prepare_cached(text).map_err(fail)?;
        let touched = prepared.execute(rusqlite::params_from_iter(values)).map_err(fail)?;
        Ok(u64::try_from(touched).unwrap_or(u64::MAX))
    }
}

/// SQLite numbers `$1` by first appearance, PostgreSQL by its digits; `?1` means the same as PostgreSQL's.
fn text<'a>(texts: &'a mut HashMap<usize, String>, statement: &Statement) -> &'a str {
    texts.entry(statement.sqlite.as_ptr().addr()).or_insert_with(|| statement.sqlite.replace('$', "?"))
}

fn owned(value: ValueRef<'_>, name: &str) -> Result<Value<'static>, Error> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(integer) => Value::Int(integer),
        ValueRef::Text(bytes) => {
            let text = std::str::from_utf8(bytes).map_err(|_| Error::Corrupt(name.to_owned()))?;
            Value::Text(text.to_owned().into())
        }
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec().into()),
        ValueRef::Real(_) => return Err(Error::Corrupt(name.to_owned())),
    })
}

fn failure(operation: &str, error: &rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::ConstraintViolation) => Error::Conflict(operation.to_owned()),
        _ => Error::database(operation, error),
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(integer) => ValueRef::Integer(*integer),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
