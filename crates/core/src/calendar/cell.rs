//! Cells: five minutes of UTC, counted from 1970. All bookings begin and end between two cells.
//!
//! Every offset in use since 1972 is a multiple of five minutes, so a local time on a five-minute step is a border of cells.

use crate::time::Timestamp;

/// Length of a cell in minutes.
pub(super) const MINUTES: u16 = 5;
/// Length of a cell in milliseconds.
const MILLIS: i64 = 300_000;
/// Cells of one day.
pub(super) const PER_DAY: i64 = 288;

/// The cell that a moment lies in.
pub(super) const fn floor(moment: Timestamp) -> i64 {
    moment.millis().div_euclid(MILLIS)
}

/// The first cell that begins at or after a moment.
pub(super) const fn ceil(moment: Timestamp) -> i64 {
    let cell = floor(moment);
    if moment.millis().rem_euclid(MILLIS) == 0 { cell } else { cell + 1 }
}

/// The moment at which a cell begins.
pub(super) const fn begin(cell: i64) -> Timestamp {
    Timestamp::from_millis(cell.saturating_mul(MILLIS))
}

/// A word whose lowest `count` bits are set; none for a negative count, all for 64 and more.
pub(super) fn ones(count: i64) -> u64 {
    match u32::try_from(count) {
        Ok(count) if count < 64 => !(u64::MAX << count),
        Ok(_) => u64::MAX,
        Err(_) if count < 0 => 0,
        Err(_) => u64::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_between_two_borders_lies_in_the_cell_before_and_rounds_up_to_the_next() {
        let moment = Timestamp::from_seconds(301);
        assert_eq!((floor(moment), ceil(moment)), (1, 2));
        assert_eq!(ceil(begin(7)), 7);
        assert_eq!(floor(Timestamp::from_seconds(-1)), -1);
    }

    #[test]
    fn a_word_of_ones_saturates_at_both_ends() {
        assert_eq!([-1, 0, 3, 64, i64::MAX].map(ones), [0, 0, 7, u64::MAX, u64::MAX]);
    }
}
