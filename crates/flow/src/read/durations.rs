//! Reads how long something lasts: `90s`, `10m`, `12h`, `30d`.

use super::fields::Fields;
use crate::problem::Problems;

/// Longest time that a document may name.
const DAYS_MAX: u64 = 400;

/// Takes a field that says how long something lasts, as milliseconds, when it is there. The outer option is nothing when
/// the field is there but wrong.
pub(super) fn duration(
    fields: &mut Fields,
    name: &'static str,
    problems: &mut Problems,
) -> Option<Option<u64>> {
    if !fields.has(name) {
        fields.take(name);
        return Some(None);
    }
    let (text, node) = fields.text(name, problems)?;
    let millis = millis(&text);
    if millis.is_none() {
        problems.add(
            node.place,
            format!("`{name}` is {text:?}"),
            format!("write a whole number from 1 and s, m, h or d, for example 30d; at most {DAYS_MAX}d"),
        );
    }
    millis.map(Some)
}

fn millis(text: &str) -> Option<u64> {
    let unit = match text.chars().last()? {
        's' => 1_000,
        'm' => 60 * 1_000,
        'h' => 3_600 * 1_000,
        'd' => 86_400 * 1_000,
        _ => return None,
    };
    let digits = text.get(..text.len() - 1)?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let millis = digits.parse::<u64>().ok()?.checked_mul(unit)?;
    (1..=DAYS_MAX * 86_400 * 1_000).contains(&millis).then_some(millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_whole_number_with_a_unit_and_has_a_bound() {
        assert_eq!(
            ["90s", "10m", "12h", "30d", "400d"].map(millis),
            [90_000, 600_000, 43_200_000, 2_592_000_000, 34_560_000_000].map(Some)
        );
        for wrong in ["", "d", "0d", "401d", "1.5h", "-1d", "+1d", "1 d", "1w", "99999999999999999999d", "1ä"]
        {
            assert_eq!(millis(wrong), None, "{wrong}");
        }
    }
}
