//! SMART scopes: v1 (`system/Patient.read`) and v2 (`system/Patient.rs`), what is granted and what it allows.
//!
//! Source: EPIC.md §3 (grammar, v2 letters in the order c r u d s). What must stay true: nothing is
//! granted that the registration does not hold; a scope with a filter is never widened, it is dropped.

use std::collections::{BTreeMap, BTreeSet};

const LETTERS: &str = "cruds";

/// Granted letters by resource type; `*` is every type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Scopes {
    types: BTreeMap<String, BTreeSet<char>>,
    in_first_version: bool,
}

impl Scopes {
    /// Reads a list separated by blanks; scopes of other contexts are left out.
    pub(super) fn parse(text: &str) -> Self {
        let mut scopes = Self { types: BTreeMap::new(), in_first_version: true };
        for (kind, letters, first_version) in text.split_ascii_whitespace().filter_map(parse_one) {
            scopes.in_first_version &= first_version;
            scopes.types.entry(kind.to_owned()).or_default().extend(letters);
        }
        scopes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.types.is_empty()
    }

    /// What remains of a wish when only `self` may be granted.
    pub(super) fn granted(&self, wish: &Self) -> Self {
        let mut granted = Self { types: BTreeMap::new(), in_first_version: wish.in_first_version };
        for (wanted, wanted_letters) in &wish.types {
            for (held, held_letters) in &self.types {
                let kind = match (wanted.as_str(), held.as_str()) {
                    ("*", any) => any,
                    (any, "*") => any,
                    (one, other) if one == other => one,
                    _ => continue,
                };
                let letters: BTreeSet<char> = wanted_letters.intersection(held_letters).copied().collect();
                if !letters.is_empty() {
                    granted.types.entry(kind.to_owned()).or_default().extend(letters);
                }
            }
        }
        granted
    }

    /// True when one of the scopes holds this letter for this resource type.
    pub(super) fn allows(&self, kind: &str, letter: char) -> bool {
        [kind, "*"].iter().any(|name| self.types.get(*name).is_some_and(|letters| letters.contains(&letter)))
    }

    /// The list as the token answer shows it.
    pub(super) fn render(&self) -> String {
        let all: Vec<String> = self
            .types
            .iter()
            .map(|(kind, letters)| {
                let text: String = LETTERS.chars().filter(|letter| letters.contains(letter)).collect();
                let rights = match text.as_str() {
                    "rs" if self.in_first_version => "read",
                    "cud" if self.in_first_version => "write",
                    "cruds" if self.in_first_version => "*",
                    letters => letters,
                };
                format!("system/{kind}.{rights}")
            })
            .collect();
        all.join(" ")
    }
}

fn parse_one(text: &str) -> Option<(&str, Vec<char>, bool)> {
    let (kind, rights) = text.strip_prefix("system/")?.split_once('.')?;
    if kind.is_empty() {
        return None;
    }
    match rights {
        "read" => Some((kind, vec!['r', 's'], true)),
        "write" => Some((kind, vec!['c', 'u', 'd'], true)),
        "*" => Some((kind, LETTERS.chars().collect(), true)),
        letters => {
            let mut order = LETTERS.chars();
            let in_order = letters.chars().all(|letter| order.any(|next| next == letter));
            (in_order && !letters.is_empty()).then(|| (kind, letters.chars().collect(), false))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_registered_is_granted() {
        let held = Scopes::parse("system/Patient.rs system/Communication.crs");
        assert_eq!(held.granted(&Scopes::parse("system/Patient.cruds")).render(), "system/Patient.rs");
        assert_eq!(
            held.granted(&Scopes::parse("system/*.read")).render(),
            "system/Communication.read system/Patient.read"
        );
        assert!(held.granted(&Scopes::parse("system/Claim.read")).is_empty());
    }

    #[test]
    fn letters_out_of_order_and_filtered_scopes_are_dropped() {
        assert!(Scopes::parse("system/Patient.sr system/Patient.rs?active=true user/Patient.rs").is_empty());
    }
}
