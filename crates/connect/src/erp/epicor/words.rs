//! What Epicor's texts mean. Its errors have no numbers, and its texts are not documented (EPICOR.md §5), so the phrases
//! are settings.

use serde::{Deserialize, Serialize};

/// Phrases by meaning, without regard to case. `*` stands for anything in between; each part begins a word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ErrorWords {
    /// Somebody else changed the row since it was read.
    pub modified: Vec<String>,
    /// The day is in a period that takes no entries.
    pub period_closed: Vec<String>,
    /// The group was posted and takes nothing more.
    pub group_posted: Vec<String>,
    /// The group is being worked on by somebody.
    pub group_in_use: Vec<String>,
    /// There is no such group.
    pub group_missing: Vec<String>,
    /// The record exists already.
    pub duplicate: Vec<String>,
    /// There is no such part.
    pub part: Vec<String>,
    /// There is no such invoice, or it takes no money.
    pub invoice: Vec<String>,
    /// There is no such customer.
    pub customer: Vec<String>,
}

impl Default for ErrorWords {
    fn default() -> Self {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            modified: words(&[
                "modified by another user",
                "row has been modified",
                "record has been modified",
            ]),
            period_closed: words(&[
                "period*closed",
                "period*not open",
                "no open*period",
                "not*open fiscal period",
                "earliest apply date",
            ]),
            group_posted: words(&["group*posted", "group*posting"]),
            group_in_use: words(&["group*locked", "group*in use"]),
            group_missing: words(&[
                "group*not found",
                "group*does not exist",
                "group*not valid",
                "invalid*group",
                "group*invalid",
            ]),
            duplicate: words(&["duplicate", "already exists"]),
            part: words(&[
                "part*not valid",
                "part*not found",
                "part*does not exist",
                "invalid part",
                "part*invalid",
                "part is required",
                "partnum*required",
            ]),
            invoice: words(&[
                "invoice*not valid",
                "invoice*not found",
                "invoice*does not exist",
                "invoice*not posted",
                "invoice*not open",
                "invalid invoice",
            ]),
            customer: words(&[
                "customer*not valid",
                "customer*not found",
                "customer*does not exist",
                "invalid customer",
                "custnum*not valid",
                "custnum*invalid",
                "customer*required",
            ]),
        }
    }
}

/// Whether one of the phrases is in the text.
pub(super) fn says(phrases: &[String], text: &str) -> bool {
    let text = text.to_lowercase();
    phrases.iter().any(|phrase| matches(&phrase.to_lowercase(), &text))
}

fn matches(phrase: &str, text: &str) -> bool {
    let mut rest = text;
    let mut parts = phrase.split('*').filter(|part| !part.is_empty()).peekable();
    parts.peek().is_some()
        && parts.all(|part| match word_start(rest, part) {
            Some(end) => {
                rest = rest.get(end..).unwrap_or("");
                true
            }
            None => false,
        })
}

/// Where the first occurrence ends that begins a word: `part` is not in `department`.
fn word_start(text: &str, part: &str) -> Option<usize> {
    text.match_indices(part).find_map(|(at, found)| {
        let before = text.get(..at)?.chars().next_back();
        before.is_none_or(|before| !before.is_alphanumeric()).then_some(at + found.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_is_found_at_the_beginning_of_words_and_in_order() {
        let words = ErrorWords::default();
        assert!(says(&words.part, "Part Number X-9 is not valid."));
        assert!(!says(&words.part, "The department is not valid."));
        assert!(says(&words.period_closed, "The fiscal period 2026-10 is Closed."));
        assert!(!says(&words.period_closed, "The order is closed for this period."));
        assert!(!says(&[String::new(), "*".to_owned()], "anything"));
    }
}
