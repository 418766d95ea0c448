//! The flow that is shipped, and the flow of the documentation, pass their own tests.

use serde_json::{Value, json};
use suture_flow::flow::Flow;
use suture_flow::run::{Answer, Next};

const SHIPPED: &str = include_str!("../../../flows/stripe-to-epic.yaml");
const PAGE: &str = include_str!("../../../docs/flows.md");
const SCHEMA: &str = include_str!("../../../docs/flow.schema.json");

fn parse(text: &str, file: &str) -> Flow {
    Flow::parse(text, file).unwrap_or_else(|problems| panic!("{problems}"))
}

fn passes_its_tests(flow: &Flow, least: usize) {
    let outcomes = flow.rehearse();
    assert!(outcomes.len() >= least, "only {} tests", outcomes.len());
    for outcome in outcomes {
        assert!(
            outcome.differences.is_empty(),
            "line {}: {}\n{:#?}",
            outcome.place.line,
            outcome.name,
            outcome.differences
        );
    }
}

#[test]
fn the_shipped_flow_passes_its_own_tests() {
    passes_its_tests(&parse(SHIPPED, "flows/stripe-to-epic.yaml"), 15);
}

#[test]
fn the_example_of_the_documentation_passes_its_own_tests() {
    let example = PAGE.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    passes_its_tests(&parse(example, "docs/flows.md"), 2);
}

#[test]
fn the_schema_knows_every_key_of_the_shipped_flow() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let keys = |pointer: &str| -> Vec<String> {
        schema.pointer(pointer).unwrap().as_object().unwrap().keys().cloned().collect()
    };
    let (top, step) = (keys("/properties"), keys("/$defs/step/properties"));
    for line in SHIPPED.lines().take_while(|line| *line != "tests:") {
        let (indent, rest) = (line.len() - line.trim_start().len(), line.trim_start());
        let rest = rest.strip_prefix("- ").unwrap_or(rest);
        let Some((key, _)) = rest.split_once(':').filter(|_| !rest.starts_with(['#', '|', '$'])) else {
            continue;
        };
        let in_steps = line.starts_with("    ") || line.starts_with("  - ");
        match indent {
            0 => assert!(top.contains(&key.to_owned()), "{key}"),
            2 | 4 if in_steps && SHIPPED.find(line) > SHIPPED.find("\nsteps:") => {
                assert!(step.contains(&key.to_owned()), "{key} in {line:?}");
            }
            _ => {}
        }
    }
}

#[test]
fn the_schema_knows_every_word_of_the_vocabulary() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let words = suture_flow::vocabulary::Vocabulary::built_in();
    let step = |key: &str| {
        let list = schema.pointer(&format!("/$defs/step/properties/{key}/enum")).unwrap().as_array().unwrap();
        list.iter()
            .map(|word| word.as_str().unwrap().to_owned())
            .filter(|word| word != "table")
            .collect::<Vec<_>>()
    };
    assert_eq!(step("lookup"), words.sources);
    assert_eq!(step("call"), words.targets);
    assert_eq!(step("write_back"), words.write_backs);
    assert_eq!(step("wait"), words.waits);
    let events = schema.pointer("/$defs/event/enum").unwrap().as_array().unwrap();
    let known: Vec<&String> = words.events.iter().flat_map(|(_, events)| events).collect();
    assert_eq!(events.iter().map(|word| word.as_str().unwrap()).collect::<Vec<_>>(), known);
    let shapes = schema.pointer("/$defs/step/properties/schema/oneOf/0/enum").unwrap();
    assert_eq!(*shapes, json!(suture_flow::shape::BUILT_IN));
}

#[test]
fn one_compiled_flow_serves_all_workers() {
    fn shareable<T: Send + Sync + Clone>(_: &T) {}
    let compiled = parse(SHIPPED, "shipped").compile();
    shareable(&compiled);
    let event = json!({
        "event": "payment.captured", "fact": "charge:ch_1", "amount": {"minor": 9_007_199_254_740_993_i64, "currency": "USD"},
        "occurred_at": "2026-11-21T09:30:00Z", "link": "lnk_1", "status": "succeeded", "original_fact": null, "gateway": {}
    });
    let link = json!({"patient": "pat_1", "encounter": "enc_1", "practitioner": "prac_1", "due": null, "service_codes": []});
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut run = compiled.start(&event).unwrap();
                assert!(matches!(compiled.advance(&mut run, None), Next::Lookup { .. }));
                let Next::Call { document, .. } =
                    compiled.advance(&mut run, Some(Answer::Found(link.clone())))
                else {
                    panic!("no call")
                };
                // 2^53 + 1: the first whole number that a float cannot hold.
                assert_eq!(document.expose()["amount"]["minor"], json!(9_007_199_254_740_993_i64));
            });
        }
    });
}
