//! Seals of the audit trail and the leaves they cover.

use suture_core::audit::chain::Hash;
use suture_core::audit::seal::{Leaf, Seal};

use crate::statement::Statement;
use crate::{Error, Tx};

const LAST: Statement = Statement::new(
    "last seal",
    "select body, position from seals where organization = $1 order by number desc limit 1",
);
const INSERT: Statement = Statement::new(
    "insert seal",
    "insert into seals (organization, number, position, body) values ($1, $2, $3, $4)",
);
const LEAF: Statement = Statement::new(
    "insert leaf",
    "insert into seal_leaves (organization, stream, version, number, head) values ($1, $2, $3, $4, $5)",
);
// Positions of PostgreSQL may become visible out of order, so the scan goes back a stretch and leaves out what is sealed.
const OPEN: Statement = Statement::new(
    "unsealed heads",
    "select s.stream, s.version, s.head, c.position from streams s join ( \
       select stream, max(position) as position from journal where organization = $1 and position > $2 group by stream) c \
     on c.stream = s.stream where s.organization = $1 and not exists ( \
       select 1 from seal_leaves l where l.organization = $1 and l.stream = s.stream and l.version = s.version) \
     order by c.position limit $3",
);
const LIST: Statement = Statement::new(
    "list seals",
    "select body from seals where organization = $1 and number > $2 order by number limit $3",
);
const LEAVES: Statement = Statement::new(
    "leaves of seal",
    "select stream, version, head from seal_leaves where organization = $1 and number = $2 order by stream",
);

/// How far back the scan for open heads goes behind the last seal.
const OVERLAP: i64 = 10_000;

/// The last seal and the journal position it reached.
///
/// # Errors
/// [`Error::Corrupt`] when it does not read back.
pub fn last(tx: &mut Tx<'_>, organization: &str) -> Result<Option<(Seal, i64)>, Error> {
    let Some(row) = tx.query_optional(&LAST, &[organization.into()])? else { return Ok(None) };
    let seal = serde_json::from_str(&row.text(0)?).map_err(|_| row.corrupt())?;
    Ok(Some((seal, row.int(1)?)))
}

/// Up to `limit` stream heads that no seal covers, and the journal position they reach.
///
/// # Errors
/// [`Error`] of the database.
pub fn open_heads(
    tx: &mut Tx<'_>,
    organization: &str,
    since: i64,
    limit: i64,
) -> Result<(Vec<Leaf>, i64), Error> {
    let from = since.saturating_sub(OVERLAP);
    let rows = tx.query(&OPEN, &[organization.into(), from.into(), limit.into()])?;
    let mut reached = since;
    let mut leaves = Vec::with_capacity(rows.len());
    for row in &rows {
        reached = reached.max(row.int(3)?);
        leaves.push(Leaf { stream: row.text(0)?, version: row.int(1)?, head: crate::journal::hash(row, 2)? });
    }
    Ok((leaves, reached))
}

/// Stores a seal with its leaves.
///
/// # Errors
/// [`Error::Conflict`] when another leader sealed first.
pub fn insert(tx: &mut Tx<'_>, seal: &Seal, leaves: &[Leaf], position: i64) -> Result<(), Error> {
    let body = serde_json::to_string(seal).map_err(|_| Error::Corrupt("seal".to_owned()))?;
    let organization = &seal.organization;
    tx.execute_one(&INSERT, &[organization.into(), seal.number.into(), position.into(), body.into()])?;
    for leaf in leaves {
        let Leaf { stream, version, head } = leaf;
        let values = [
            organization.into(),
            stream.into(),
            (*version).into(),
            seal.number.into(),
            head.0.as_slice().into(),
        ];
        tx.execute_one(&LEAF, &values)?;
    }
    Ok(())
}

/// Seals in order, after a number.
///
/// # Errors
/// [`Error::Corrupt`] when one does not read back.
pub fn list(tx: &mut Tx<'_>, organization: &str, after: i64, limit: i64) -> Result<Vec<Seal>, Error> {
    let rows = tx.query(&LIST, &[organization.into(), after.into(), limit.into()])?;
    rows.iter().map(|row| serde_json::from_str(&row.text(0)?).map_err(|_| row.corrupt())).collect()
}

/// The leaves of a seal in order of their streams.
///
/// # Errors
/// [`Error`] of the database.
pub fn leaves(tx: &mut Tx<'_>, organization: &str, number: i64) -> Result<Vec<Leaf>, Error> {
    let rows = tx.query(&LEAVES, &[organization.into(), number.into()])?;
    let leaf = |row: &crate::statement::Row| {
        let head: Hash = crate::journal::hash(row, 2)?;
        Ok(Leaf { stream: row.text(0)?, version: row.int(1)?, head })
    };
    let mut leaves: Vec<Leaf> = rows.iter().map(leaf).collect::<Result<_, Error>>()?;
    // The order of the Merkle tree is that of bytes, whatever collation the database sorts by.
    leaves.sort();
    Ok(leaves)
}

/// Every statement of this module, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[LAST, INSERT, LEAF, OPEN, LIST, LEAVES];
