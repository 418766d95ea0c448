//! How items may be matched: shape, key, tolerance, window of days. Rules are tried in their order.

use serde::{Deserialize, Serialize};

/// How many of each side make a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// One with one.
    OneToOne,
    /// One of the left with all of the right that share its key.
    OneToMany,
    /// All of the left that share a key with one of the right.
    ManyToOne,
}

/// What two items must share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Their reference.
    Reference,
    /// Their descriptor.
    Descriptor,
    /// Nothing but amount and day. Only for one with one: sums of anything would match anything.
    Amount,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// The rule's name, as shown beside its matches.
    pub name: String,
    /// How many of each side.
    pub shape: Shape,
    /// What they share.
    pub by: By,
    /// By how much the amounts may differ, in minor units.
    #[serde(default)]
    pub tolerance_minor: i64,
    /// How many days they may lie apart; `None` for any number: ids are better than days (FLOWS 8g).
    #[serde(default)]
    pub window_days: Option<i64>,
}

impl Rule {
    /// One with one, by reference, exact, whatever the days.
    #[must_use]
    pub fn exact(name: &str) -> Self {
        let (shape, by) = (Shape::OneToOne, By::Reference);
        Self { name: name.to_owned(), shape, by, tolerance_minor: 0, window_days: None }
    }

    /// The same rule within so many minor units.
    #[must_use]
    pub const fn within(mut self, tolerance_minor: i64) -> Self {
        self.tolerance_minor = tolerance_minor;
        self
    }

    /// The same rule within so many days.
    #[must_use]
    pub const fn days(mut self, window_days: i64) -> Self {
        self.window_days = Some(window_days);
        self
    }

    /// The same rule by another key.
    #[must_use]
    pub const fn by(mut self, by: By) -> Self {
        self.by = by;
        self
    }

    /// The same rule of another shape.
    #[must_use]
    pub const fn shaped(mut self, shape: Shape) -> Self {
        self.shape = shape;
        self
    }

    /// Whether two days are near enough.
    pub(super) fn is_near(&self, left: i64, right: i64) -> bool {
        self.window_days.is_none_or(|window| left.abs_diff(right) <= window.unsigned_abs())
    }
}
