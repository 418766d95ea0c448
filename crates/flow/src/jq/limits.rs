//! How much one expression may be and do.
//!
//! The guarantee: a filter ends. Its text, nesting and tokens are bounded, it cannot define anything (so it cannot
//! recurse), only listed functions exist, every generated value costs fuel, and every value that it builds is weighed.
//! What is not promised is a wall-clock time: one unit of fuel can touch one largest value, so a filter written to be slow
//! may take seconds. Honest mappings use a few dozen units.

use jaq_json::Val;

/// Longest text of one expression, in bytes.
pub(crate) const TEXT_MAX: usize = 8 * 1024;
/// Most tokens in one expression.
pub(crate) const TOKENS_MAX: usize = 2_000;
/// Deepest nesting of brackets, operators and keywords together. It bounds how deep the parser, the compiler and the
/// interpreter recurse. In a debug build on a 2 MiB stack, compiling 200 nested signs works and 300 overflows; a test
/// compiles 95 of each kind. Evaluation at this depth is bounded by it too, but was not measured.
pub(crate) const NESTING_MAX: usize = 100;
/// Deepest nesting of brackets in one expression.
pub(crate) const BRACKETS_MAX: usize = 40;
/// Units of work for one run of one expression.
pub(crate) const FUEL: u32 = 200_000;
/// Largest value, in bytes of its JSON text (estimated, never under a quarter of it).
pub(crate) const BYTES_MAX: usize = 256 * 1024;
/// Most nodes (strings, numbers, arrays, …) in one value.
pub(crate) const NODES_MAX: usize = 32 * 1024;
/// Deepest nesting of a value.
pub(crate) const DEPTH_MAX: usize = 100;

/// The size of a value, as if nothing in it were shared.
#[derive(Clone, Copy, Default)]
pub(crate) struct Weight {
    pub(crate) nodes: usize,
    pub(crate) bytes: usize,
}

/// Weighs a value; `None` when it is too large or too deep. Stops as soon as that is known.
pub(crate) fn weigh(value: &Val) -> Option<Weight> {
    let mut weight = Weight::default();
    add(value, 0, &mut weight).then_some(weight)
}

/// Whether a value from outside is within the limits.
pub(crate) fn fits(value: &Val) -> bool {
    weigh(value).is_some()
}

/// The size of a value in whole kilobytes; a value that is too large counts as the largest one.
pub(crate) fn kilobytes(value: &Val) -> u32 {
    let bytes = weigh(value).map_or(BYTES_MAX, |weight| weight.bytes);
    u32::try_from(bytes / 1024).unwrap_or(u32::MAX)
}

fn add(value: &Val, depth: usize, weight: &mut Weight) -> bool {
    weight.nodes += 1;
    weight.bytes += match value {
        Val::TStr(text) | Val::BStr(text) => text.len() + 2,
        Val::Null | Val::Bool(_) | Val::Arr(_) | Val::Obj(_) => 4,
        Val::Num(_) => 8,
    };
    if depth > DEPTH_MAX || weight.nodes > NODES_MAX || weight.bytes > BYTES_MAX {
        return false;
    }
    match value {
        Val::Arr(items) => items.iter().all(|item| add(item, depth + 1, weight)),
        Val::Obj(entries) => {
            entries.iter().all(|(key, item)| add(key, depth + 1, weight) && add(item, depth + 1, weight))
        }
        _ => true,
    }
}
