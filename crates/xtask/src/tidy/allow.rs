//! The ratchet: what already exceeds a limit may stay as it is, may shrink, and may not grow.
//!
//! `tidy-allow.txt` holds one exception per line: `rule subject limit`. The limit must equal what is measured: a smaller
//! one is a fault that grew, a larger one is room for a fault to grow into, so both are findings. So is an entry
//! whose subject is gone or within the common limit.

use std::collections::BTreeMap;

use super::finding::Finding;

/// Where the exceptions stand.
pub(crate) const PATH: &str = "crates/xtask/tidy-allow.txt";

/// Something counted, and how much of it is fine without an exception.
#[derive(Debug, Clone)]
pub(crate) struct Measure {
    /// First word of an exception, for example `function`.
    pub(crate) rule: &'static str,
    /// Second word, for example `crates/core/src/money.rs#parse`. Without spaces.
    pub(crate) subject: String,
    pub(crate) path: String,
    pub(crate) line: usize,
    pub(crate) actual: usize,
    pub(crate) limit: usize,
    /// What is counted, for example `lines of function parse`.
    pub(crate) what: String,
    pub(crate) remedy: &'static str,
}

struct Entry {
    line: usize,
    limit: usize,
}

/// Compares what was measured with the limits and with the exceptions in `allow`, the text of [`PATH`].
pub(crate) fn ratchet(measures: &[Measure], allow: &str) -> Vec<Finding> {
    let (mut entries, mut findings) = parse(allow);
    for measure in worst(measures) {
        let entry = entries.remove(&(measure.rule.to_owned(), measure.subject.clone()));
        findings.extend(judge(measure, entry.as_ref()));
    }
    for ((rule, subject), entry) in entries {
        let wrong = format!("nothing is measured as `{rule} {subject}` any more");
        findings.push(Finding::new(PATH, entry.line, wrong, "delete the line"));
    }
    findings
}

/// Two functions of one name in one file share an exception: the larger one counts.
fn worst(measures: &[Measure]) -> impl Iterator<Item = &Measure> {
    let mut by_subject: BTreeMap<(&str, &str), &Measure> = BTreeMap::new();
    for measure in measures {
        let kept = by_subject.entry((measure.rule, &measure.subject)).or_insert(measure);
        if kept.actual < measure.actual {
            *kept = measure;
        }
    }
    by_subject.into_values()
}

fn judge(measure: &Measure, entry: Option<&Entry>) -> Option<Finding> {
    let Measure { actual, limit, what, .. } = measure;
    match entry {
        None if actual > limit => Some(Finding::new(
            &measure.path,
            measure.line,
            format!("{actual} {what}, at most {limit}"),
            measure.remedy,
        )),
        None => None,
        Some(entry) if actual <= limit => {
            let wrong = format!("{actual} {what} need no exception");
            Some(Finding::new(PATH, entry.line, wrong, "delete the line"))
        }
        Some(entry) if *actual > entry.limit => {
            let wrong = format!("{actual} {what}, and the exception allows {}", entry.limit);
            Some(Finding::new(&measure.path, measure.line, wrong, measure.remedy))
        }
        Some(entry) if *actual < entry.limit => {
            let wrong = format!("the exception allows {}, there are only {actual} {what}", entry.limit);
            Some(Finding::new(PATH, entry.line, wrong, format!("lower it to {actual}")))
        }
        Some(_) => None,
    }
}

fn parse(allow: &str) -> (BTreeMap<(String, String), Entry>, Vec<Finding>) {
    let mut entries = BTreeMap::new();
    let mut findings = Vec::new();
    for (index, text) in allow.lines().enumerate() {
        let line = index + 1;
        if text.trim().is_empty() || text.starts_with('#') {
            continue;
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        let entry = match words.as_slice() {
            [rule, subject, limit] => limit.parse().ok().map(|limit| (rule, subject, limit)),
            _ => None,
        };
        let Some((rule, subject, limit)) = entry else {
            findings.push(Finding::new(PATH, line, "not an exception", "write `rule subject limit`"));
            continue;
        };
        if entries.insert(((*rule).to_owned(), (*subject).to_owned()), Entry { line, limit }).is_some() {
            findings.push(Finding::new(PATH, line, "the same exception twice", "delete the line"));
        }
    }
    (entries, findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(actual: usize) -> Measure {
        Measure {
            rule: "file",
            subject: "a.rs".to_owned(),
            path: "a.rs".to_owned(),
            line: 1,
            actual,
            limit: 500,
            what: "lines".to_owned(),
            remedy: "split it",
        }
    }

    fn found(actual: usize, allow: &str) -> Vec<String> {
        ratchet(&[measure(actual)], allow).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_limit_itself_is_fine_and_one_more_is_not() {
        assert_eq!(found(500, ""), Vec::<String>::new());
        assert_eq!(found(501, ""), ["a.rs:1: 501 lines, at most 500; split it"]);
    }

    #[test]
    fn an_exception_holds_for_exactly_what_is_there() {
        assert_eq!(found(600, "# why\n\nfile a.rs 600\n"), Vec::<String>::new());
        assert_eq!(
            found(601, "file a.rs 600"),
            ["a.rs:1: 601 lines, and the exception allows 600; split it"]
        );
    }

    #[test]
    fn an_exception_larger_than_reality_is_a_finding() {
        let wanted = format!("{PATH}:1: the exception allows 600, there are only 550 lines; lower it to 550");
        assert_eq!(found(550, "file a.rs 600"), [wanted]);
    }

    #[test]
    fn an_exception_that_is_not_needed_is_a_finding() {
        assert_eq!(
            found(500, "file a.rs 500"),
            [format!("{PATH}:1: 500 lines need no exception; delete the line")]
        );
        let gone = format!("{PATH}:1: nothing is measured as `file b.rs` any more; delete the line");
        assert_eq!(found(1, "file b.rs 600"), [gone]);
    }

    #[test]
    fn malformed_and_repeated_exceptions_are_findings() {
        assert_eq!(found(1, "file a.rs many").len(), 1);
        assert_eq!(found(600, "file a.rs 600\nfile a.rs 600").len(), 1);
    }
}
