//! Parts: what orders sell.

use super::books::{Books, required};
use super::refusal::Refusal;
use super::row::{Key, Row};
use super::schema::Id;

/// What a new part begins with.
pub(super) fn defaults(row: &mut Row) {
    row.set("TypeCode", "P");
    row.set("IUM", "EA");
    row.set("PUM", "EA");
    row.set("SalesUM", "EA");
    row.set("UOMClassID", "COUNT");
    row.set("PricePerCode", "E");
}

/// Adds a part.
pub(super) fn create(books: &mut Books, row: Row) -> Result<Key, Refusal> {
    required(Id::Part, &row, "PartNum", "Part")?;
    required(Id::Part, &row, "PartDescription", "Description")?;
    if !matches!(row.text("TypeCode"), "M" | "P" | "K") {
        return Err(Refusal::business("Type must be M, P or K.").at("Part", "TypeCode"));
    }
    books.enter(Id::Part, row)
}

/// The part that a line names.
pub(super) fn of_line(books: &Books, id: Id, number: &str) -> Result<Row, Refusal> {
    let refused = |message: &str| Refusal::business(message).at(id.table().name, "PartNum");
    if number.is_empty() {
        return Err(refused("Part is required."));
    }
    let part = books.one(Id::Part, number).ok_or_else(|| refused("Part is not valid."))?;
    if part.flag("InActive") {
        return Err(refused("Part is inactive."));
    }
    Ok(part.clone())
}
