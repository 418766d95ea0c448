//! A document that does not fit tells where the flow writes what is wrong.

use serde_json::{Value, json};
use suture_flow::flow::Flow;
use suture_flow::run::{Next, Parked};

const FLOW: &str = "flow: f
version: 1
trigger: { source: stripe, event: order.paid }
steps:
  - name: m
    map: |
      {
        reference: .fact,
        amount: {
          minor: .minor,
          currency: .currency
        },
        lines: (.lines | map({
          sku: .sku,
          count: .n
        }))
      } + .more
    schema: { reference: text, amount: { minor: integer, currency: currency }, lines: { list_of: { sku: text, count: integer } }, at: text }
";

fn differences(changes: &Value) -> Vec<(String, u32, u32)> {
    let flow = Flow::parse(FLOW, "f").unwrap_or_else(|problems| panic!("{problems}")).compile();
    let mut event = json!({
        "event": "order.paid", "fact": "f1", "minor": 1, "currency": "USD", "lines": [{"sku": "a", "n": 1}, {"sku": "b", "n": 2}],
        "more": {"at": "x"},
    });
    for (key, value) in changes.as_object().into_iter().flatten() {
        event[key] = value.clone();
    }
    let mut run = flow.start(&event).expect("the event is the trigger's");
    match flow.advance(&mut run, None) {
        Next::Parked { reason: Parked::Shape { differences }, .. } => {
            let place = |difference: &suture_flow::shape::Difference| {
                difference.place.map_or((0, 0), |place| (place.line, place.column))
            };
            differences.iter().map(|found| (found.path.clone(), place(found).0, place(found).1)).collect()
        }
        Next::Finished { .. } => Vec::new(),
        other => panic!("{other:?}"),
    }
}

fn one(changes: &Value) -> (String, u32, u32) {
    let mut found = differences(changes);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn a_field_is_found_at_the_line_of_its_key() {
    assert_eq!(differences(&json!({})), []);
    assert_eq!(one(&json!({"fact": null})), (".reference".to_owned(), 8, 9));
    assert_eq!(one(&json!({"currency": "XXY"})), (".amount.currency".to_owned(), 11, 11));
    assert_eq!(
        one(&json!({"lines": [{"sku": "a", "n": 1}, {"sku": "b", "n": "2"}]})),
        (".lines[1].count".to_owned(), 15, 11)
    );
}

#[test]
fn a_field_that_the_text_does_not_write_is_found_at_the_expression() {
    assert_eq!(one(&json!({"more": {}})), (".at".to_owned(), 7, 7));
    assert_eq!(one(&json!({"more": {"at": "x", "by": 1}})), (".by".to_owned(), 7, 7));
}
