//! Calls that are refused, retried, and undone.

use serde_json::json;
use suture_flow::compiled::Compiled;
use suture_flow::flow::Flow;
use suture_flow::run::{Answer, Next, Parked, Retry, RetryClass, Run};
use suture_flow::vocabulary::Vocabulary;

const FLOW: &str = "flow: order
version: 1
trigger: { source: stripe, event: order.paid }
steps:
  - name: order
    call: epicor.file_document
    with: '{ reference: .fact, kind: \"order\" }'
    retry: { class: unknown_looks_up, attempts: 5, within: 3d }
    compensate:
      call: epicor.file_document
      with: '{ reference: .fact, kind: \"order_void\", number: $order.number }'
  - name: lines
    for_each: .lines
    steps:
      - name: reserved
        call: epicor.file_document
        with: '{ reference: $item, kind: \"reservation\" }'
        compensate:
          call: epicor.file_document
          with: 'if $reserved.free then null else { reference: $item, kind: \"release\", at: $index } end'
  - name: receipt
    call: epicor.file_document
    with: '{ reference: .fact, kind: \"receipt\" }'
    on_refused: undone
  - name: told
    write_back: order.status
    with: '{ status: \"filed\" }'
    next: end
  - name: undone
    compensate: true
  - name: sorry
    write_back: order.status
    with: '{ status: \"undone\", why: $receipt.refused }'
tests:
  - name: what goes well is not undone
    event: &paid { event: order.paid, fact: f1, lines: [a, b] }
    expect: { undone: [], write_backs: [{ target: order.status, document: { status: filed } }] }
  - name: what was done is undone, the newest first, and once
    event: *paid
    calls:
      order: { done: { number: 7 } }
      receipt: { refused: closed period }
    expect:
      calls:
        - { target: epicor.file_document, document: { reference: f1, kind: order } }
        - { target: epicor.file_document, document: { reference: a, kind: reservation } }
        - { target: epicor.file_document, document: { reference: b, kind: reservation } }
        - { target: epicor.file_document, document: { reference: f1, kind: receipt } }
      undone:
        - { target: epicor.file_document, document: { reference: b, kind: release, at: 1 } }
        - { target: epicor.file_document, document: { reference: a, kind: release, at: 0 } }
        - { target: epicor.file_document, document: { reference: f1, kind: order_void, number: 7 } }
      write_backs: [{ target: order.status, document: { status: undone, why: closed period } }]
  - name: a call whose compensation is null is left as it is
    event: *paid
    calls:
      order: { done: { number: 7 } }
      lines.reserved: { done: { free: true } }
      receipt: { refused: closed period }
    expect:
      undone: [{ target: epicor.file_document, document: { reference: f1, kind: order_void, number: 7 } }]
  - name: an undoing that is refused waits for a person
    event: *paid
    calls:
      \"lines[0].reserved.undo\": { refused: shipped already }
      receipt: { refused: closed period }
    expect: { write_backs: [], parked: { step: undone, reason: refused } }
";

fn flow(text: &str) -> Compiled {
    Flow::parse(text, "f").unwrap_or_else(|problems| panic!("{problems}")).compile()
}

fn stored(run: &Run) -> Run {
    serde_json::from_str(&serde_json::to_string(run).expect("a run is JSON")).expect("a stored run loads")
}

fn begun(flow: &Compiled) -> (Run, Next) {
    let event = json!({"event": "order.paid", "fact": "f1", "lines": ["a"]});
    let mut run = flow.start(&event).expect("the event is the trigger's");
    let next = flow.advance(&mut run, None);
    (run, next)
}

/// Does calls well up to the receipt.
fn at_receipt(flow: &Compiled) -> Run {
    let (mut run, _) = begun(flow);
    flow.advance(&mut run, Some(Answer::Done(json!({"number": 7}))));
    let next = flow.advance(&mut run, Some(Answer::Done(json!(null))));
    assert!(matches!(&next, Next::Call { step, .. } if step == "receipt"), "{next:?}");
    run
}

#[test]
fn a_document_rehearses_its_compensation() {
    let outcomes = Flow::parse(FLOW, "f").unwrap_or_else(|problems| panic!("{problems}")).rehearse();
    assert_eq!(outcomes.len(), 4);
    for outcome in outcomes {
        assert_eq!(outcome.differences, Vec::<String>::new(), "{}", outcome.name);
    }
}

#[test]
fn a_call_carries_how_it_may_be_retried() {
    let Next::Call { retry, undoes, .. } = begun(&flow(FLOW)).1 else { panic!("the first step calls") };
    let wanted = Retry { class: RetryClass::UnknownLooksUp, attempts: 5, within: Some(259_200_000) };
    assert_eq!((retry, undoes), (Some(wanted), None));
}

#[test]
fn each_undoing_is_asked_by_its_own_name_survives_a_crash_and_is_not_repeated() {
    let flow = flow(FLOW);
    let mut run = at_receipt(&flow);
    let first = flow.advance(&mut run, Some(Answer::Refused("closed".into())));
    let Next::Call { step, undoes, .. } = &first else { panic!("{first:?}") };
    assert_eq!((step.as_str(), undoes.as_deref()), ("lines[0].reserved.undo", Some("lines[0].reserved")));
    let mut run = stored(&run);
    assert_eq!(flow.advance(&mut run, None), first);
    let second = flow.answer(&mut run, "lines[0].reserved.undo", Answer::Done(json!(null)));
    assert!(matches!(&second, Next::Call { step, .. } if step == "order.undo"), "{second:?}");
    assert_eq!(flow.answer(&mut run, "lines[0].reserved.undo", Answer::Done(json!(null))), second);
    let told = flow.answer(&mut stored(&run), "order.undo", Answer::Done(json!(null)));
    assert!(matches!(told, Next::WriteBack { .. }), "{told:?}");
    flow.answer(&mut run, "order.undo", Answer::Done(json!(null)));
    let Next::Finished { summary } = flow.advance(&mut run, Some(Answer::Done(json!(null)))) else {
        panic!()
    };
    let names: Vec<_> = summary.undone.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["lines[0].reserved", "order"]);
    assert_eq!(summary.warnings, ["receipt was refused"]);
    assert!(flow.trace(&run).iter().any(|line| line.step == "order.undo"));
}

#[test]
fn a_refused_call_goes_on_when_the_flow_says_so() {
    let on = flow(&FLOW.replace("on_refused: undone", "on_refused: continue"));
    let next = on.advance(&mut at_receipt(&on), Some(Answer::Refused("closed".into())));
    assert!(matches!(&next, Next::WriteBack { document, .. } if document.expose()["status"] == "filed"));
    let park = flow(&FLOW.replace("on_refused: undone", "on_refused: park"));
    let next = park.advance(&mut at_receipt(&park), Some(Answer::Refused("closed".into())));
    assert!(matches!(next, Next::Parked { reason: Parked::Refused { .. }, .. }));
}

#[test]
fn an_end_that_undoes_is_the_end() {
    let text = FLOW.split("tests:").next().unwrap().replace("compensate: true", "end: compensated");
    let flow = flow(&text);
    let mut run = at_receipt(&flow);
    flow.advance(&mut run, Some(Answer::Refused("closed".into())));
    flow.advance(&mut run, Some(Answer::Done(json!(null))));
    let Next::Finished { summary } = flow.advance(&mut run, Some(Answer::Done(json!(null)))) else {
        panic!()
    };
    assert_eq!(summary.undone.len(), 2);
}

#[test]
fn an_undoing_that_cannot_be_made_is_told_when_it_is_needed_and_the_done_call_is_kept() {
    let flow = flow(&FLOW.replace("number: $order.number }'", "number: $order.number.x }'"));
    let mut run = at_receipt(&flow);
    flow.advance(&mut run, Some(Answer::Refused("closed".into())));
    let next = flow.advance(&mut run, Some(Answer::Done(json!(null))));
    let Next::Failed { error, step, .. } = &next else { panic!("{next:?}") };
    assert_eq!(step, "undone");
    assert!(error.text.contains("the call order was done") && error.text.contains("a person must do it"));
}

#[test]
fn the_calls_of_a_called_flow_are_undone_by_its_caller() {
    let called = "flow: file\nversion: 1\ntrigger: { source: flow }\nsteps:\n  - name: filed\n    call: epicor.file_document\n    with: .\n\
                  \x20   compensate: { call: epicor.file_document, with: '{ reference: .reference, kind: \"void\" }' }\n";
    let caller = "flow: top\nversion: 1\ntrigger: { source: stripe, event: order.paid }\nsteps:\n  - name: inner\n    flow: file\n\
                  \x20   with: '{ reference: \"r1\", kind: \"order\" }'\n  - name: undone\n    end: compensated\n\
                  tests:\n  - name: undone\n    event: { event: order.paid }\n    calls: { inner.filed.undo: { done: 1 } }\n\
                  \x20   expect: { undone: [{ target: epicor.file_document, document: { reference: r1, kind: void } }] }\n";
    let flows = Flow::parse_set(&[("top", caller), ("file", called)], &Vocabulary::built_in());
    let flows = flows.unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!(flows[0].rehearse()[0].differences, Vec::<String>::new());
    let flow = flows[0].compile();
    let mut run = flow.start(&json!({"event": "order.paid"})).unwrap();
    flow.advance(&mut run, None);
    let next = flow.advance(&mut run, Some(Answer::Done(json!(null))));
    assert!(
        matches!(&next, Next::Call { step, undoes, .. } if step == "inner.filed.undo" && undoes.as_deref() == Some("inner.filed"))
    );
}

#[test]
fn what_cannot_be_understood_is_refused_by_the_check() {
    let problems = |from: &str, to: &str| {
        assert!(FLOW.contains(from), "{from}");
        Flow::check(&FLOW.replacen(from, to, 1), "f").to_string()
    };
    assert!(problems("class: unknown_looks_up", "class: always").contains("`class` is \"always\""));
    assert!(problems("class: unknown_looks_up", "class: not").contains("more than one attempt"));
    assert!(problems("attempts: 5", "attempts: 0").contains("`attempts` is not such a number"));
    assert!(problems("on_refused: undone", "on_refused: order").contains("jumps back"));
    assert!(problems("compensate: true", "compensate: false").contains("does nothing"));
    assert!(problems("compensate: true", "end: done").contains("`end` is \"done\""));
    assert!(problems("number: $order.number", "number: $receipt.number").contains("comes later"));
}
