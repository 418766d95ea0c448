//! Provider adjustments: the pairs of a PLB segment.
//!
//! Called by the reader. Must stay true: a pair with a code and no amount, or the reverse, refuses the file.

use suture_core::currency::Currency;

use super::model::ProviderAdjustment;
use crate::x12::day::Day;
use crate::x12::error::{Error, Kind};
use crate::x12::fields::Fields;

/// The adjustments of one PLB segment, at least one, at most 49.
pub(super) fn read(fields: &Fields<'_>, currency: Currency) -> Result<Vec<ProviderAdjustment>, Error> {
    let provider = fields.identifier(1)?;
    let fiscal_end = Day::parse_compact(fields.text(2));
    let mut found = Vec::new();
    for first in (3..=fields.segment().count().max(3)).step_by(2) {
        if first > 3 && fields.text(first).is_empty() && fields.text(first + 1).is_empty() {
            continue;
        }
        let mut parts = fields.segment().components(fields.identifier(first)?);
        let code = fields.code(first, parts.next().unwrap_or_default(), 2)?;
        let reference = fields.bounded(first, parts.next().unwrap_or_default())?;
        found.push(ProviderAdjustment {
            provider: provider.to_owned(),
            fiscal_end,
            code: code.to_owned(),
            reference: reference.map(str::to_owned),
            amount: fields.amount(first + 1, currency)?,
            segment: fields.index(),
        });
    }
    if found.is_empty() {
        return Err(fields.error(Kind::Missing, Some(3), "the provider adjustment is empty"));
    }
    Ok(found)
}
