//! Steps that are done for every item of a list.

use serde_json::{Value, json};
use suture_flow::compiled::Compiled;
use suture_flow::flow::Flow;
use suture_flow::run::{Answer, Next, Parked, Run};

const FLOW: &str = "flow: lines
version: 1
trigger: { source: stripe, event: order.paid }
tables: { unit: { each: EA, box: BX } }
steps:
  - name: order
    lookup: order
    key: .order
  - name: lines
    for_each: $order.lines
    steps:
      - name: part
        lookup: epicor.part
        key: $item.sku
        on_missing: continue
      - name: is_known
        condition: $part != null
        else: end
      - name: line
        map: '{ number: ($index + 1), part: $part.number, unit: table(\"unit\"; $item.unit), order: $order.id }'
        schema: { number: integer, part: text, unit: text, order: integer }
      - name: reserved
        call: epicor.file_document
        when: $item.reserve == true
        with: line
  - name: filed
    call: epicor.file_document
    with: '{ reference: .fact, kind: \"order\", lines: $lines }'
tests:
  - name: every line is looked up and the last result of each is collected
    event: &paid { event: order.paid, fact: f1, order: o1 }
    lookups:
      order: { id: 7, lines: [{ sku: a, unit: each }, { sku: zz, unit: each }, { sku: b, unit: box, reserve: true }] }
      lines[0].part: { number: PA }
      lines[2].part: { number: PB }
    calls: { lines.reserved: { done: { number: 3, part: PB } } }
    expect:
      lookups: [order, \"lines[0].part\", \"lines[1].part\", \"lines[2].part\"]
      branches: { \"lines[0].is_known\": then, \"lines[1].is_known\": else, \"lines[2].is_known\": then }
      calls:
        - target: epicor.file_document
          document: { number: 3, part: PB, unit: BX, order: 7 }
        - target: epicor.file_document
          document:
            reference: f1
            kind: order
            lines: [{ number: 1, part: PA, unit: EA, order: 7 }, null, { number: 3, part: PB }]
  - name: no lines are no requests
    event: *paid
    lookups: { order: { id: 7, lines: [] } }
    expect:
      lookups: [order]
      calls: [{ target: epicor.file_document, document: { reference: f1, kind: order, lines: [] } }]
  - name: a unit that nobody knows parks in the middle
    event: *paid
    lookups: { order: { id: 7, lines: [{ sku: a, unit: each }, { sku: b, unit: barrel }] }, lines.part: { number: P } }
    expect: { calls: [], parked: { step: \"lines[1].line\", reason: unknown_key } }
";

fn flow() -> Flow {
    Flow::parse(FLOW, "f").unwrap_or_else(|problems| panic!("{problems}"))
}

fn begun(flow: &Compiled, lines: &Value) -> (Run, Next) {
    let mut run = flow
        .start(&json!({"event": "order.paid", "fact": "f1", "order": "o1"}))
        .expect("the event is the trigger's");
    flow.advance(&mut run, None);
    let next = flow.advance(&mut run, Some(Answer::Found(json!({"id": 7, "lines": lines}))));
    (run, next)
}

fn stored(run: &Run) -> Run {
    serde_json::from_str(&serde_json::to_string(run).expect("a run is JSON")).expect("a stored run loads")
}

fn step_of(next: &Next) -> &str {
    match next {
        Next::Lookup { step, .. } | Next::Call { step, .. } => step,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_document_rehearses_its_items() {
    let outcomes = flow().rehearse();
    assert_eq!(outcomes.len(), 3);
    for outcome in outcomes {
        assert_eq!(outcome.differences, Vec::<String>::new(), "{}", outcome.name);
    }
}

#[test]
fn a_run_goes_on_in_the_middle_of_a_list_with_names_that_are_unique() {
    let flow = flow().compile();
    let (mut run, mut next) =
        begun(&flow, &json!((0..5).map(|n| json!({"sku": n, "unit": "box"})).collect::<Vec<_>>()));
    let mut names = Vec::new();
    for n in 0..5 {
        names.push(step_of(&next).to_owned());
        run = stored(&run);
        assert_eq!(flow.advance(&mut run, None), next);
        next = flow.advance(&mut run, Some(Answer::Found(json!({"number": format!("P{n}")}))));
        assert_eq!(flow.answer(&mut run, &names[n], Answer::Missing), next, "an answer that comes twice");
    }
    assert_eq!(names, ["lines[0].part", "lines[1].part", "lines[2].part", "lines[3].part", "lines[4].part"]);
    let Next::Call { step, document, .. } = &next else { panic!("{next:?}") };
    assert_eq!((step.as_str(), &document.expose()["lines"][4]["part"]), ("filed", &json!("P4")));
    let trace = flow.trace(&run);
    let line = trace.iter().find(|line| line.step == "lines[3].line").unwrap();
    assert_eq!(line.output.expose()["part"], "P3");
    let whole = trace.iter().find(|line| line.step == "lines").unwrap();
    assert_eq!(whole.input.expose().as_array().unwrap().len(), 5);
}

#[test]
fn a_result_of_one_item_is_not_seen_by_the_next() {
    let text = FLOW.replace("on_missing: continue", "when: $index == 0");
    let flow = Flow::parse(text.split("tests:").next().unwrap(), "f").unwrap().compile();
    let (mut run, _) = begun(&flow, &json!([{"sku": "a", "unit": "box"}, {"sku": "b", "unit": "box"}]));
    let next = flow.advance(&mut run, Some(Answer::Found(json!({"number": "P"}))));
    let Next::Call { document, .. } = &next else { panic!("{next:?}") };
    assert_eq!(document.expose()["lines"][1], Value::Null, "the second item has no part");
}

#[test]
fn a_refused_call_inside_a_list_parks_and_is_asked_again() {
    let flow = flow().compile();
    let (mut run, _) = begun(&flow, &json!([{"sku": "a", "unit": "box", "reserve": true}]));
    let asked = flow.advance(&mut run, Some(Answer::Found(json!({"number": "P"}))));
    assert_eq!(step_of(&asked), "lines[0].reserved");
    let parked = flow.advance(&mut run, Some(Answer::Refused("no".into())));
    assert!(
        matches!(&parked, Next::Parked { reason: Parked::Refused { .. }, step, .. } if step == "lines[0].reserved")
    );
    assert_eq!(flow.advance(&mut stored(&run), None), asked);
}

#[test]
fn a_thousand_items_are_done_and_one_more_is_refused() {
    let text = FLOW.split("tests:").next().unwrap().replace("key: $item.sku", "key: 'null'");
    let flow = Flow::parse(&text, "f").unwrap().compile();
    let lines = |count| Value::from(vec![json!({"unit": "box"}); count]);
    let (_, next) = begun(&flow, &lines(1_000));
    let Next::Call { document, .. } = &next else { panic!("{next:?}") };
    assert_eq!(document.expose()["lines"].as_array().unwrap().len(), 1_000);
    let (_, next) = begun(&flow, &lines(1_001));
    assert!(
        matches!(&next, Next::Failed { error, step, .. } if step == "lines" && error.text.contains("at most 1000"))
    );
    let (_, next) = begun(&flow, &json!({"not": "a list"}));
    assert!(matches!(&next, Next::Failed { error, .. } if error.text.contains("gave no list")), "{next:?}");
}

#[test]
fn what_cannot_stand_inside_or_be_seen_from_outside_is_refused_by_the_check() {
    let problems = |from: &str, to: &str| {
        assert!(FLOW.contains(from), "{from}");
        Flow::check(&FLOW.replacen(from, to, 1), "f").to_string()
    };
    assert!(problems("lines: $lines }", "lines: $line }").contains("$line does not exist"));
    assert!(problems("lines: $lines }", "lines: $item }").contains("$item does not exist"));
    assert!(
        problems("key: $item.sku", "key: $lines").contains("$lines is the result of a step that comes later")
    );
    assert!(problems("else: end", "else: filed").contains("which is not a step"));
    assert!(problems("name: order\n", "name: item\n").contains("\"item\" is not a name for a step"));
    assert!(problems("name: order\n", "name: part\n").contains("two steps are called \"part\""));
    assert!(
        problems(
            "lookup: epicor.part\n        key: $item.sku\n        on_missing: continue",
            "wait: epicor.shipped\n        key: $item.sku"
        )
        .contains("`wait` cannot stand inside a `for_each`")
    );
    assert!(
        problems("lines.reserved:", "lines.reversed:").contains("there is no call step \"lines.reversed\"")
    );
    assert!(problems("lines[0].part:", "lines[x].part:").contains("there is no lookup step"));
}
