//! Migrations: the same numbers on both engines, forward only, each in one transaction.

use crate::Error;
use crate::postgres::PostgresTx;
use crate::sqlite::{SqliteConnection, SqliteTx};
use crate::statement::{Row, Statement, Value};

/// A migration in both dialects.
struct Migration {
    number: i64,
    sqlite: &'static str,
    postgres: &'static str,
}

const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        sqlite: include_str!("../migrations/sqlite/0001_foundation.sql"),
        postgres: include_str!("../migrations/postgres/0001_foundation.sql"),
    },
    Migration {
        number: 2,
        sqlite: include_str!("../migrations/sqlite/0002_scheduling.sql"),
        postgres: include_str!("../migrations/postgres/0002_scheduling.sql"),
    },
    Migration {
        number: 3,
        sqlite: include_str!("../migrations/sqlite/0003_orders.sql"),
        postgres: include_str!("../migrations/postgres/0003_orders.sql"),
    },
    Migration {
        number: 4,
        sqlite: include_str!("../migrations/sqlite/0004_books.sql"),
        postgres: include_str!("../migrations/postgres/0004_books.sql"),
    },
];

const CREATE: &str = "create table if not exists migrations (number bigint primary key)";
const DONE: Statement = Statement::new("migrations done", "select coalesce(max(number), 0) from migrations");
const RECORD: Statement = Statement::new("record migration", "insert into migrations (number) values ($1)");

/// Brings a SQLite database up to date.
pub(crate) fn sqlite(connection: &mut SqliteConnection) -> Result<(), Error> {
    connection.batch(CREATE)?;
    let done = number(&SqliteTx(connection).query(&DONE, &[])?)?;
    for migration in MIGRATIONS.iter().filter(|migration| migration.number > done) {
        connection.batch("begin immediate")?;
        connection.batch(migration.sqlite)?;
        SqliteTx(connection).execute(&RECORD, &[Value::Int(migration.number)])?;
        connection.batch("commit")?;
    }
    Ok(())
}

/// Brings a PostgreSQL database up to date. Several nodes may start at once: one migrates, the others wait.
pub(crate) fn postgres(connection: &mut PostgresTx) -> Result<(), Error> {
    connection.batch("begin; select pg_advisory_xact_lock(7833941)")?;
    connection.batch(CREATE)?;
    let done = number(&connection.query(&DONE, &[])?)?;
    for migration in MIGRATIONS.iter().filter(|migration| migration.number > done) {
        connection.batch(migration.postgres)?;
        connection.execute(&RECORD, &[Value::Int(migration.number)])?;
    }
    connection.batch("commit")
}

fn number(rows: &[Row]) -> Result<i64, Error> {
    rows.first().map_or(Ok(0), |row| row.int(0))
}
