//! Counters for the metrics page. Labels are connections, kinds and codes, never ids of patients.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;

/// Named counters.
#[derive(Debug, Default)]
pub struct Metrics(Mutex<BTreeMap<(&'static str, String), u64>>);

impl Metrics {
    /// Adds one to a counter with a label such as `connection="con_…"`.
    pub fn count(&self, name: &'static str, label: &str) {
        if let Ok(mut counters) = self.0.lock() {
            // Labels come from bounded sets; this bounds a mistake.
            let room = counters.len() < 2000;
            match counters.get_mut(&(name, label.to_owned())) {
                Some(count) => *count += 1,
                None if room => {
                    counters.insert((name, label.to_owned()), 1);
                }
                None => {}
            }
        }
    }

    /// The value of a counter over all labels.
    #[must_use]
    pub fn total(&self, name: &str) -> u64 {
        self.0
            .lock()
            .map(|counters| counters.iter().filter(|((n, _), _)| *n == name).map(|(_, c)| c).sum())
            .unwrap_or(0)
    }

    /// All counters in Prometheus' text format.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        let Ok(counters) = self.0.lock() else { return text };
        let mut last = "";
        for ((name, label), count) in counters.iter() {
            if *name != last {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "# TYPE suture_{name}_total counter");
                last = name;
            }
            let label = if label.is_empty() { String::new() } else { format!("{{{label}}}") };
            let _ = writeln!(text, "suture_{name}_total{label} {count}");
        }
        text
    }
}
