//! Which visits the rules do not allow any more, so that somebody calls these patients.

use super::expanded::Expanded;
use super::rules::Rules;
use crate::time::Timestamp;

/// The ids of booked visits `(from, until, id)` that lie, wholly or in part, in an exception or outside of the opening
/// hours, in the order given. Asked with the rules before and after a change, the difference is what the change broke.
#[must_use]
pub fn conflicts<I: Clone>(rules: &Rules, booked: &[(Timestamp, Timestamp, I)]) -> Vec<I> {
    let starts = || booked.iter().map(|(from, ..)| *from);
    let (Some(first), Some(last)) = (starts().min(), starts().max()) else { return Vec::new() };
    let (first, last) = (rules.zone.local(first).date, rules.zone.local(last).date);
    let expanded = Expanded::of_days(rules, first.yesterday(), last.tomorrow());
    let outside = booked.iter().filter(|(from, until, _)| expanded.opening_of(*from, *until).is_none());
    outside.map(|(.., id)| id.clone()).collect()
}
