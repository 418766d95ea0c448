//! Tables, value sets and addresses inside flows.

use serde_json::{Value, json};
use suture_flow::compiled::Compiled;
use suture_flow::flow::Flow;
use suture_flow::run::{Answer, Next};

const FLOW: &str = "flow: f
version: 1
trigger: { source: stripe, event: order.paid }
tables:
  part: external
  unit: { each: EA }
sets:
  plain: [\"1\", \"2\"]
  vitals: { system: \"http://loinc.org\", codes: { \"8867-4\": Heart rate, \"8310-5\": Body temperature } }
  findings: { system: \"http://snomed.info/sct\", codes: [\"386661006\"] }
steps:
  - name: part
    lookup: table
    table: part
    key: .sku
    on_unknown: queue
    cache: 10m
  - name: customer
    lookup: epicor.part
    key: .sku
    cache: 90s
    on_missing: continue
  - name: coded
    map: '{ a: coding(\"vitals\"; .code), b: coding(\"findings\"; 386661006), c: coding(\"plain\"; \"1\") }'
  - name: filed
    call: epicor.file_document
    with: '{ part: $part.number, coded: $coded, address: split_address(.address), line: concat_address(split_address(.address)) }'
tests:
  - name: a row of an outside table is asked for
    event: &paid { event: order.paid, sku: a, code: 8867-4, address: \"1600 Main Street, Springfield, IL 62701\" }
    lookups: { part: { number: PA } }
    expect:
      calls:
        - target: epicor.file_document
          document:
            part: PA
            coded:
              a: { system: \"http://loinc.org\", code: 8867-4, display: Heart rate }
              b: { system: \"http://snomed.info/sct\", code: \"386661006\" }
              c: { code: \"1\" }
            address: { Address1: 1600 Main Street, Address2: \"\", City: Springfield, State: IL, Zip: \"62701\" }
            line: 1600 Main Street, Springfield, IL 62701
  - name: a row that is not there waits in the queue
    event: *paid
    expect: { parked: { step: part, reason: unknown_key }, calls: [] }
  - name: a code outside its set waits too
    event: { event: order.paid, sku: a, code: 1-1 }
    lookups: { part: { number: PA } }
    expect: { parked: { step: coded, reason: not_in_set }, calls: [] }
";

fn flow() -> Compiled {
    Flow::parse(FLOW, "f").unwrap_or_else(|problems| panic!("{problems}")).compile()
}

fn event() -> Value {
    json!({"event": "order.paid", "sku": "a", "code": "8867-4", "address": "1 Main, X, IL 1"})
}

#[test]
fn a_document_rehearses_its_tables_and_sets() {
    let outcomes = Flow::parse(FLOW, "f").unwrap_or_else(|problems| panic!("{problems}")).rehearse();
    assert_eq!(outcomes.len(), 3);
    for outcome in outcomes {
        assert_eq!(outcome.differences, Vec::<String>::new(), "{}", outcome.name);
    }
}

#[test]
fn a_run_that_waits_for_a_row_names_it_and_goes_on_when_it_is_saved() {
    let flow = flow();
    let mut run = flow.start(&event()).unwrap();
    let asked = flow.advance(&mut run, None);
    let Next::Lookup { source, cache, .. } = &asked else { panic!("{asked:?}") };
    assert_eq!((source.as_str(), *cache), ("table:part", Some(600_000)));
    let parked = flow.advance(&mut run, Some(Answer::Missing));
    let Next::Parked { reason, .. } = &parked else { panic!("{parked:?}") };
    assert_eq!(reason.row(), Some(("part", "a")));
    assert_eq!(flow.advance(&mut run, None), asked, "the row is asked for again");
    let next = flow.advance(&mut run, Some(Answer::Found(json!({"number": "PA"}))));
    assert!(matches!(next, Next::Lookup { cache: Some(90_000), .. }), "{next:?}");
}

#[test]
fn what_a_table_cannot_do_is_refused_by_the_check() {
    let problems = |from: &str, to: &str| {
        assert!(FLOW.contains(from), "{from}");
        Flow::check(&FLOW.replacen(from, to, 1), "f").to_string()
    };
    assert!(problems("$part.number,", "table(\"part\"; .sku),").contains("is kept outside the flow"));
    assert!(problems("on_unknown: queue", "on_unknown: drop").contains("`on_unknown` is \"drop\""));
    assert!(
        problems("on_unknown: queue", "on_unknown: queue\n    on_missing: park").contains("`on_missing`")
    );
    assert!(problems("table: part\n", "table: unit\n").contains("an inline table needs no `cache`"));
    assert!(problems("coding(\"vitals\"", "coding(\"signs\"").contains("there is no set \"signs\""));
    assert!(problems("part: external", "part: elsewhere").contains("or `external`"));
    assert!(problems("codes: [\"386661006\"]", "codes: 7").contains("`codes` is a whole number"));
    assert!(problems("system: \"http://snomed.info/sct\", ", "").contains("has no `system`"));
}
