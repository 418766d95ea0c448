//! Tries one expression on a sample, for the author of a rule: what goes in, what comes out, and what it cost.
//!
//! Bounded as expressions in flows are. Nothing is asked, stored or sent.

use std::collections::BTreeMap;

use serde_json::Value;
use suture_core::redact::Phi;

use crate::flow::Flow;
use crate::jq::{Held, Program, Scope, Setting, Tables, Trouble, fits, to_jq, to_json};

/// What an expression may use besides its input.
#[derive(Default)]
pub struct Surroundings<'a> {
    /// Results of earlier steps, by name.
    pub results: BTreeMap<String, Value>,
    /// Tables: name → key → row. Sets are tried inside a flow's own tests.
    pub tables: BTreeMap<String, BTreeMap<String, Value>>,
    /// Says whether the time for the trial is over.
    pub over: Option<&'a dyn Fn() -> bool>,
}

/// How a trial went. Samples are often copies of real events, so all of it is wrapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// The sample.
    pub input: Phi<Value>,
    /// The result, or why there is none.
    pub output: Result<Phi<Value>, Phi<String>>,
    /// Units of work; an expression may use 200,000.
    pub fuel: u32,
}

impl Flow {
    /// Tries an expression on a sample with these tables (name → key → row).
    #[must_use]
    pub fn try_expression(
        text: &str,
        sample: &Value,
        tables: &BTreeMap<String, BTreeMap<String, Value>>,
    ) -> Trial {
        let around = Surroundings { tables: tables.clone(), ..Surroundings::default() };
        Self::try_expression_in(text, sample, &around)
    }

    /// Tries an expression on a sample, with results of earlier steps and a limit of time.
    #[must_use]
    pub fn try_expression_in(text: &str, sample: &Value, around: &Surroundings<'_>) -> Trial {
        let (output, fuel) = tried(text, sample, around);
        Trial { input: Phi::new(sample.clone()), output: output.map(Phi::new).map_err(Phi::new), fuel }
    }
}

fn tried(text: &str, sample: &Value, around: &Surroundings<'_>) -> (Result<Value, String>, u32) {
    let row = |(key, row): (&String, &Value)| (key.clone(), to_jq(row));
    let table = |(name, rows): (&String, &BTreeMap<String, Value>)| {
        (name.clone(), rows.iter().map(row).collect::<BTreeMap<_, _>>())
    };
    let tables = Tables { tables: around.tables.iter().map(table).collect(), ..Tables::default() };
    let names: Vec<String> = around.results.keys().cloned().collect();
    let values: Vec<Held> = around.results.values().map(|value| Held(to_jq(value))).collect();
    let input = to_jq(sample);
    if !fits(&input) || !values.iter().all(|held| fits(&held.0)) {
        return (Err("the sample is larger than 256 kB or deeper than 100 levels".to_owned()), 0);
    }
    let program = match Program::compile(text, &Scope { earlier: &names, all: &names, tables: &tables }) {
        Ok(program) => program,
        Err(faults) => {
            let told = |fault: crate::jq::Fault| {
                let before = text.get(..fault.offset).unwrap_or(text);
                let line = before.matches('\n').count() + 1;
                let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
                format!("{line}:{column}: {}; {}", fault.what, fault.fix)
            };
            return (Err(faults.into_iter().map(told).collect::<Vec<_>>().join("\n")), 0);
        }
    };
    let setting = Setting { tables: &tables, over: around.over };
    let (output, fuel) = program.run_metered(&input, &values, setting);
    let output = output.map_err(told).and_then(|value| to_json(&value).map_err(str::to_owned));
    (output, fuel)
}

fn told(trouble: Trouble) -> String {
    match trouble {
        Trouble::UnknownKey { table, key } => format!("the table {table:?} has no row {key:?}"),
        Trouble::NotInSet { set, value } => format!("{value:?} is not in the set {set:?}"),
        Trouble::Failed { text, detail: Some(detail) } => format!("{text}: {}", detail.expose()),
        Trouble::Failed { text, detail: None } => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use serde_json::json;

    use super::*;

    fn tables() -> BTreeMap<String, BTreeMap<String, Value>> {
        BTreeMap::from([("unit".to_owned(), BTreeMap::from([("each".to_owned(), json!("EA"))]))])
    }

    fn error(trial: &Trial) -> &str {
        trial.output.as_ref().expect_err("it has no result").expose()
    }

    #[test]
    fn a_rule_shows_its_input_its_output_and_its_cost() {
        let sample = json!({"unit": "each", "lines": [1, 2, 3], "name": "Ann"});
        let trial = Flow::try_expression(
            "{u: table(\"unit\"; .unit), n: (.lines | map(. + 1) | add)}",
            &sample,
            &tables(),
        );
        assert_eq!(trial.input.expose(), &sample);
        assert_eq!(
            trial.output.as_ref().map(|output| output.expose().clone()),
            Ok(json!({"u": "EA", "n": 9}))
        );
        assert!((1..1_000).contains(&trial.fuel), "{}", trial.fuel);
        assert!(!format!("{trial:?}").contains("Ann"));
    }

    #[test]
    fn a_rule_that_is_wrong_says_where_and_why() {
        let trial = |text: &str| Flow::try_expression(text, &json!({"unit": "box"}), &tables());
        assert!(error(&trial("{\n  a: sine(.x)\n}")).starts_with("2:6: the function sine"));
        assert_eq!(error(&trial("table(\"unit\"; .unit)")), "the table \"unit\" has no row \"box\"");
        assert!(error(&trial(".unit.x")).starts_with("the expression failed on this event: "));
        assert!(error(&trial("$nobody")).contains("does not exist"));
    }

    #[test]
    fn a_rule_that_explodes_is_stopped_by_fuel_or_by_time() {
        let endless = "[range(100000000)] | length";
        let trial = Flow::try_expression(endless, &json!(null), &tables());
        assert_eq!(trial.fuel, 200_000);
        assert!(error(&trial).contains("more work"));
        let asked = Cell::new(0);
        let over = || {
            asked.set(asked.get() + 1);
            asked.get() > 3
        };
        let around = Surroundings { over: Some(&over), ..Surroundings::default() };
        let trial = Flow::try_expression_in("reduce range(10000000) as $i (0; . + 1)", &json!(null), &around);
        assert!(error(&trial).contains("more time") && trial.fuel < 10_000, "{}", trial.fuel);
    }

    #[test]
    fn a_rule_sees_results_of_earlier_steps() {
        let results = BTreeMap::from([("link".to_owned(), json!({"patient": "p"}))]);
        let around = Surroundings { results, ..Surroundings::default() };
        let trial = Flow::try_expression_in("$link.patient + .x", &json!({"x": "q"}), &around);
        assert_eq!(trial.output.map(Phi::into_exposed).ok(), Some(json!("pq")));
    }
}
