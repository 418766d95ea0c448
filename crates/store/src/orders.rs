//! Orders as listed. The truth is in the orders' streams; a row changes in the transaction of its stream. No personal data.

use suture_core::order::Order;
use suture_core::time::Timestamp;

use crate::statement::{Row, Statement};
use crate::{Error, Tx};

const PUT: Statement = Statement::new(
    "put order",
    "insert into orders (organization, id, reference, buyer, status, total_minor, currency, placed_at, updated_at) \
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (organization, id) do update set status = excluded.status, \
     updated_at = excluded.updated_at",
);
const BY_REFERENCE: Statement =
    Statement::new("order by reference", "select id from orders where organization = $1 and reference = $2");
const LIST: Statement = Statement::new(
    "list orders",
    "select id, reference, buyer, status, total_minor, currency, placed_at, updated_at from orders \
     where organization = $1 and id < $2 order by id desc limit $3",
);
const OF_BUYER: Statement = Statement::new(
    "orders of buyer",
    "select id, reference, buyer, status, total_minor, currency, placed_at, updated_at from orders \
     where organization = $1 and buyer = $2 and id < $3 order by id desc limit $4",
);

/// An order in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its id.
    pub id: String,
    /// The shop's number.
    pub reference: String,
    /// Who bought, by the shop's opaque id.
    pub buyer: String,
    /// Where it stands.
    pub status: String,
    /// The total, in minor units.
    pub total_minor: i64,
    /// Its currency.
    pub currency: String,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Writes how an order stands.
///
/// # Errors
/// [`Error::Conflict`] when another order has the shop's number.
pub fn put(tx: &mut Tx<'_>, organization: &str, order: &Order, now: Timestamp) -> Result<(), Error> {
    let values = [
        organization.into(),
        order.id.to_string().into(),
        (&order.reference).into(),
        (&order.buyer).into(),
        order.status().name().into(),
        order.total.minor.into(),
        order.total.currency.code().to_owned().into(),
        order.placed_at.millis().into(),
        now.millis().into(),
    ];
    tx.execute_one(&PUT, &values)
}

/// The order with the shop's number.
///
/// # Errors
/// [`Error`] of the database.
pub fn by_reference(tx: &mut Tx<'_>, organization: &str, reference: &str) -> Result<Option<String>, Error> {
    let row = tx.query_optional(&BY_REFERENCE, &[organization.into(), reference.into()])?;
    row.map(|row| row.text(0)).transpose()
}

/// Orders, newest first, before an id; of one buyer, when one is named.
///
/// # Errors
/// [`Error`] of the database.
pub fn list(
    tx: &mut Tx<'_>,
    organization: &str,
    buyer: Option<&str>,
    (before, limit): (&str, i64),
) -> Result<Vec<Summary>, Error> {
    let rows = match buyer {
        None => tx.query(&LIST, &[organization.into(), before.into(), limit.into()])?,
        Some(buyer) => {
            tx.query(&OF_BUYER, &[organization.into(), buyer.into(), before.into(), limit.into()])?
        }
    };
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Summary, Error> {
    Ok(Summary {
        id: row.text(0)?,
        reference: row.text(1)?,
        buyer: row.text(2)?,
        status: row.text(3)?,
        total_minor: row.int(4)?,
        currency: row.text(5)?,
        placed_at: Timestamp::from_millis(row.int(6)?),
        updated_at: Timestamp::from_millis(row.int(7)?),
    })
}

/// Every statement of this module, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[PUT, BY_REFERENCE, LIST, OF_BUYER];
