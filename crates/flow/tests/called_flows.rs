//! Flows that call flows.

use serde_json::json;
use suture_flow::flow::Flow;
use suture_flow::problem::Problems;
use suture_flow::run::{Answer, Next, Parked, Run};
use suture_flow::vocabulary::Vocabulary;

const FILE: &str = "flow: file-order
version: 3
trigger: { source: flow }
inputs: { order: text, lines: { list_of: { sku: text } } }
tables: { unit: { each: EA } }
steps:
  - name: lines
    for_each: .lines
    steps:
      - name: part
        lookup: epicor.part
        key: $item.sku
  - name: filed
    call: epicor.file_document
    with: '{ reference: .order, kind: \"order\", unit: table(\"unit\"; \"each\"), parts: ($lines | map(.number)) }'
result: '{ number: $filed.number, parts: ($lines | length) }'
tests:
  - name: it can be rehearsed alone
    event: { order: o1, lines: [{ sku: a }] }
    lookups: { lines.part: { number: PA } }
    calls: { filed: { done: { number: 12 } } }
    expect: { result: { number: 12, parts: 1 } }
  - name: inputs of another shape do not begin
    event: { order: o1 }
    expect: { parked: { step: trigger, reason: shape }, calls: [] }
";

const PAID: &str = "flow: paid
version: 1
trigger: { source: stripe, event: order.paid }
steps:
  - name: order
    flow: file-order
    with: '{ order: .order, lines: .lines }'
  - name: told
    write_back: order.status
    with: '{ status: \"filed\", number: $order.number }'
tests:
  - name: the order is filed by the called flow
    event: { event: order.paid, order: o1, lines: [{ sku: a }, { sku: b }] }
    lookups: { \"order.lines[0].part\": { number: PA }, order.lines.part: { number: P } }
    calls: { order.filed: { done: { number: 12 } } }
    expect:
      lookups: [\"order.lines[0].part\", \"order.lines[1].part\"]
      calls: [{ target: epicor.file_document, document: { reference: o1, kind: order, unit: EA, parts: [PA, P] } }]
      write_backs: [{ target: order.status, document: { status: filed, number: 12 } }]
";

fn set(documents: &[(&str, &str)]) -> Result<Vec<Flow>, Vec<Problems>> {
    Flow::parse_set(documents, &Vocabulary::built_in())
}

fn paid() -> Flow {
    set(&[("paid", PAID), ("file", FILE)]).expect("the flows are right").remove(0)
}

fn stored(run: &Run) -> Run {
    serde_json::from_str(&serde_json::to_string(run).expect("a run is JSON")).expect("a stored run loads")
}

fn problems(documents: &[(&str, &str)]) -> String {
    let all = set(documents).expect_err("something is wrong");
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn both_documents_rehearse_their_own_tests() {
    let flows = set(&[("paid", PAID), ("file", FILE)]).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!(flows.iter().map(Flow::name).collect::<Vec<_>>(), ["paid", "file-order"]);
    let outcomes: Vec<_> = flows.iter().flat_map(Flow::rehearse).collect();
    assert_eq!(outcomes.len(), 3);
    for outcome in outcomes {
        assert_eq!(outcome.differences, Vec::<String>::new(), "{}", outcome.name);
    }
}

#[test]
fn a_run_is_stored_inside_the_called_flow_and_goes_on_there() {
    let flow = paid().compile();
    let event = json!({"event": "order.paid", "order": "o1", "lines": [{"sku": "a"}]});
    let mut run = flow.start(&event).unwrap();
    let asked = flow.advance(&mut run, None);
    assert!(matches!(&asked, Next::Lookup { step, .. } if step == "order.lines[0].part"), "{asked:?}");
    let mut run = stored(&run);
    assert_eq!(flow.advance(&mut run, None), asked);
    let call = flow.advance(&mut run, Some(Answer::Found(json!({"number": "PA"}))));
    assert!(matches!(&call, Next::Call { step, .. } if step == "order.filed"), "{call:?}");
    assert_eq!(flow.answer(&mut run, "order.lines[0].part", Answer::Missing), call);
    let mut run = stored(&run);
    let told = flow.advance(&mut run, Some(Answer::Done(json!({"number": 12}))));
    assert!(
        matches!(&told, Next::WriteBack { document, .. } if document.expose()["number"] == 12),
        "{told:?}"
    );
    let Next::Finished { summary } = flow.advance(&mut stored(&run), Some(Answer::Done(json!(null)))) else {
        panic!("the run is over")
    };
    assert_eq!(summary.calls, [("order.filed".to_owned(), "epicor.file_document".to_owned())]);
    let names: Vec<_> = flow.trace(&run).into_iter().map(|line| line.step).collect();
    assert_eq!(names, ["order.lines[0].part", "order.lines", "order.filed", "order"]);
}

#[test]
fn inputs_of_another_shape_park_the_caller_before_anything_is_asked() {
    let flow = paid().compile();
    let mut run = flow.start(&json!({"event": "order.paid", "order": "o1", "lines": [{"sku": 7}]})).unwrap();
    let Next::Parked { reason: Parked::Shape { differences }, step, .. } = flow.advance(&mut run, None)
    else {
        panic!("the inputs have another shape")
    };
    assert_eq!((step.as_str(), differences[0].path.as_str()), ("order", ".lines[0].sku"));
}

#[test]
fn a_called_flow_that_changes_makes_its_callers_another_text() {
    let changed = FILE.replace("each: EA", "each: PCE");
    let other = set(&[("paid", PAID), ("file", &changed)]).unwrap().remove(0);
    assert_ne!(paid().fingerprint(), other.fingerprint());
    let event = json!({"event": "order.paid", "order": "o1", "lines": []});
    let mut run = paid().compile().start(&event).unwrap();
    assert!(matches!(other.compile().advance(&mut run, None), Next::Failed { .. }));
}

#[test]
fn a_callable_flow_is_started_by_no_event() {
    let flow = set(&[("file", FILE)]).unwrap().remove(0).compile();
    assert!(flow.start(&json!({"event": "flow", "order": "o1", "lines": []})).is_none());
    let mut run = flow.start_with(&json!({"order": "o1", "lines": []}));
    assert!(matches!(flow.advance(&mut run, None), Next::Call { .. }));
}

fn calling(name: &str, callee: &str) -> String {
    format!(
        "flow: {name}\nversion: 1\ntrigger: {{ source: flow }}\nsteps:\n  - name: s\n    flow: {callee}\n    with: .\n"
    )
}

#[test]
fn an_endless_loop_is_refused_at_every_flow_of_it() {
    let (a, b, c) = (calling("a", "b"), calling("b", "c"), calling("c", "a"));
    let found = problems(&[("a.yaml", &a), ("b.yaml", &b), ("c.yaml", &c)]);
    assert_eq!(found.matches("endless loop refused").count(), 3, "{found}");
    assert!(found.contains("a.yaml:5:5: the flow \"b\" calls this one again"), "{found}");
    let own = calling("a", "a");
    assert!(problems(&[("a.yaml", &own)]).contains("endless loop refused"));
}

#[test]
fn flows_stand_at_most_four_deep_inside_one_another() {
    let last = FILE.split("tests:").next().unwrap().replace("file-order", "f4");
    let names: Vec<_> = (0..4).map(|n| calling(&format!("f{n}"), &format!("f{}", n + 1))).collect();
    let documents = |from: usize| {
        let mut all: Vec<(&str, &str)> = names[from..].iter().map(|text| ("f", text.as_str())).collect();
        all.push(("f", &last));
        all
    };
    assert!(set(&documents(0)).is_ok());
    let (caller, mut all) = (calling("top", "f0"), documents(0));
    all.push(("top", &caller));
    assert!(problems(&all).contains("top:5:5: more than 4 flows stand inside one another"));
}

#[test]
fn a_flow_that_is_not_there_or_cannot_be_called_is_named() {
    assert!(
        problems(&[("paid", PAID)]).contains("there is no callable flow \"file-order\"; use one of: none")
    );
    let event = FILE.replace("source: flow", "source: stripe, event: order.paid");
    let found = problems(&[("paid", PAID), ("file", &event)]);
    assert!(
        found.contains("paid:5:5: there is no callable flow") && found.contains("only a callable flow has")
    );
    assert!(
        problems(&[("file", FILE), ("again", FILE)]).contains("two callable flows are called \"file-order\"")
    );
    let tests = PAID.replace("order.filed:", "order.field:");
    assert!(problems(&[("paid", &tests), ("file", FILE)]).contains("there is no call step \"order.field\""));
    assert!(Flow::parse(PAID, "paid").is_err());
}

#[test]
fn a_run_that_would_grow_without_bound_is_stopped() {
    let level = |name: &str, callee: &str| {
        let call = |n| format!("  - name: s{n}\n    flow: {callee}\n    with: .\n");
        let steps: String = (0..60).map(call).collect();
        format!("flow: {name}\nversion: 1\ntrigger: {{ source: flow }}\nsteps:\n{steps}")
    };
    let (a, b, c) = (level("a", "b"), level("b", "c"), level("c", "d"));
    let d = "flow: d\nversion: 1\ntrigger: { source: flow }\nsteps:\n  - name: m\n    map: .\n";
    let flow = set(&[("a", &a), ("b", &b), ("c", &c), ("d", d)]).unwrap().remove(0).compile();
    let mut run = flow.start_with(&json!({}));
    let stopped = flow.advance(&mut run, None);
    let Next::Failed { error, .. } = &stopped else { panic!("{stopped:?}") };
    assert!(error.text.contains("more work than one run may do"), "{}", error.text);
    assert_eq!(flow.advance(&mut run, None), stopped);
}
