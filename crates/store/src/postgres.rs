//! The PostgreSQL engine: a few threads, each with a connection and a small runtime of its own.
//!
//! Writes that need no answer are queued and sent together (pipelined), so a work costs as many round trips as it has
//! reads, plus one.

use std::collections::HashMap;
use std::error::Error as _;

use bytes::BytesMut;
use futures_util::future::{join, try_join_all};
use tokio::runtime::Runtime;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, NoTls, Statement as Prepared};

use crate::Error;
use crate::statement::{Ask, Row, Statement, Value};

/// A connection, its prepared statements and the writes that wait to be sent.
pub(crate) struct PostgresTx {
    runtime: Runtime,
    client: Client,
    prepared: HashMap<usize, Prepared>,
    queue: Vec<(&'static str, Prepared, Vec<Value<'static>>)>,
    /// Answers to questions that were asked ahead; each is given once.
    foreseen: Vec<(Ask, Vec<Row>)>,
}

impl PostgresTx {
    /// Connects.
    pub(crate) fn connect(url: &str) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::database("connect", error))?;
        let client = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
            tokio::spawn(connection);
            client
                .batch_execute(
                    "set timezone = 'UTC'; set lock_timeout = '10s'; set statement_timeout = '60s'",
                )
                .await?;
            Ok(client)
        });
        let client = client.map_err(|error: tokio_postgres::Error| failure("connect", &error))?;
        Ok(Self { runtime, client, prepared: HashMap::new(), queue: Vec::new(), foreseen: Vec::new() })
    }

    /// Runs fixed SQL without parameters.
    pub(crate) fn batch(&mut self, sql: &str) -> Result<(), Error> {
        self.runtime.block_on(self.client.batch_execute(sql)).map_err(|error| failure("batch", &error))
    }

    pub(crate) fn query(&mut self, statement: &Statement, values: &[Value<'_>]) -> Result<Vec<Row>, Error> {
        let known = self.foreseen.iter().position(|(ask, _)| ask.is(statement, values));
        if let Some(known) = known {
            return Ok(self.foreseen.swap_remove(known).1);
        }
        let ask = Ask { statement: *statement, values: values.iter().map(keep).collect() };
        let mut answers = self.ask(std::slice::from_ref(&ask))?;
        Ok(answers.pop().unwrap_or_default())
    }

    /// Asks several questions in one round trip; the queries that follow find their answers.
    pub(crate) fn foresee(&mut self, asks: Vec<Ask>) -> Result<(), Error> {
        let answers = self.ask(&asks)?;
        self.foreseen = asks.into_iter().zip(answers).collect();
        Ok(())
    }

    /// Sends what is queued and then the questions, in order, without waiting in between.
    fn ask(&mut self, asks: &[Ask]) -> Result<Vec<Vec<Row>>, Error> {
        let prepared: Vec<Prepared> =
            asks.iter().map(|ask| self.prepare(&ask.statement)).collect::<Result<_, _>>()?;
        let queue = std::mem::take(&mut self.queue);
        let client = &self.client;
        let writes = try_join_all(queue.iter().map(|write| send(client, write)));
        let questions = try_join_all(asks.iter().zip(&prepared).map(|(ask, prepared)| async move {
            let parameters: Vec<&(dyn ToSql + Sync)> = ask.values.iter().map(|value| value as _).collect();
            client.query(prepared, &parameters).await.map_err(|error| failure(ask.statement.name, &error))
        }));
        // Polled in this order, so they leave in this order. A write that failed is why a question failed after it.
        let (written, answered) = self.runtime.block_on(async { join(writes, questions).await });
        written?;
        let rows = |(ask, rows): (&Ask, Vec<tokio_postgres::Row>)| {
            rows.iter().map(|row| owned(row, ask.statement.name)).collect()
        };
        asks.iter().zip(answered?).map(rows).collect()
    }

    pub(crate) fn execute(&mut self, statement: &Statement, values: &[Value<'_>]) -> Result<u64, Error> {
        self.flush()?;
        let prepared = self.prepare(statement)?;
        let parameters: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
        self.runtime
            .block_on(self.client.execute(&prepared, &parameters))
            .map_err(|error| failure(statement.name, &error))
    }

    /// Queues a write that must touch exactly one row.
    pub(crate) fn queue(&mut self, statement: &Statement, values: &[Value<'_>]) -> Result<(), Error> {
        let prepared = self.prepare(statement)?;
        let values = values.iter().map(keep).collect();
        self.queue.push((statement.name, prepared, values));
        Ok(())
    }

    /// Sends what is queued, in order, without waiting in between.
    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        if self.queue.is_empty() {
            return Ok(());
        }
        let queue = std::mem::take(&mut self.queue);
        let sent = queue.iter().map(|write| send(&self.client, write));
        self.runtime.block_on(try_join_all(sent)).map(|_| ())
    }

    /// Forgets queued writes of a work that failed.
    pub(crate) fn discard(&mut self) {
        self.queue.clear();
        self.foreseen.clear();
    }

    /// Forgets answers that nobody asked for: they belong to the work that foresaw them.
    pub(crate) fn forget(&mut self) {
        self.foreseen.clear();
    }

    /// Whether the connection is gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    pub(crate) fn prepare(&mut self, statement: &Statement) -> Result<Prepared, Error> {
        let key = statement.postgres.as_ptr().addr();
        if let Some(prepared) = self.prepared.get(&key) {
            return Ok(prepared.clone());
        }
        // Preparing is a round trip, and an error in it would abort the transaction under queued writes.
        self.flush()?;
        let prepared = self
            .runtime
            .block_on(self.client.prepare(statement.postgres))
            .map_err(|error| failure(statement.name, &error))?;
        self.prepared.insert(key, prepared.clone());
        Ok(prepared)
    }
}

async fn send(
    client: &Client,
    (name, prepared, values): &(&'static str, Prepared, Vec<Value<'static>>),
) -> Result<(), Error> {
    let parameters: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
    match client.execute(prepared, &parameters).await {
        Ok(1) => Ok(()),
        Ok(_) => Err(Error::Conflict((*name).to_owned())),
        Err(error) => Err(failure(name, &error)),
    }
}

fn keep(value: &Value<'_>) -> Value<'static> {
    match value {
        Value::Null => Value::Null,
        Value::Int(integer) => Value::Int(*integer),
        Value::Text(text) => Value::Text(text.clone().into_owned().into()),
        Value::Blob(bytes) => Value::Blob(bytes.clone().into_owned().into()),
    }
}

fn owned(row: &tokio_postgres::Row, name: &'static str) -> Result<Row, Error> {
    let corrupt = |_| Error::Corrupt(name.to_owned());
    let mut values = Vec::with_capacity(row.len());
    for (index, column) in row.columns().iter().enumerate() {
        values.push(match *column.type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(index).map_err(corrupt)?.into(),
            Type::INT4 => row.try_get::<_, Option<i32>>(index).map_err(corrupt)?.map(i64::from).into(),
            Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(index).map_err(corrupt)?.into(),
            _ => row.try_get::<_, Option<String>>(index).map_err(corrupt)?.into(),
        });
    }
    Ok(Row { name, values })
}

fn failure(operation: &str, error: &tokio_postgres::Error) -> Error {
    let conflicts = [
        SqlState::UNIQUE_VIOLATION,
        SqlState::EXCLUSION_VIOLATION,
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::LOCK_NOT_AVAILABLE,
    ];
    if error.code().is_some_and(|code| conflicts.contains(code)) {
        return Error::Conflict(operation.to_owned());
    }
    // The detail line of PostgreSQL may repeat values; only the message is kept.
    let message = error.as_db_error().map(|database| database.message().to_owned());
    let cause =
        message.or_else(|| error.source().map(ToString::to_string)).unwrap_or_else(|| error.to_string());
    Error::database(operation, cause)
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(integer) if *kind == Type::INT4 => i32::try_from(*integer)?.to_sql(kind, out),
            Self::Int(integer) => integer.to_sql(kind, out),
            Self::Text(text) => text.as_ref().to_sql(kind, out),
            Self::Blob(bytes) => bytes.as_ref().to_sql(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Binary
    }

    to_sql_checked!();
}
