//! A run that waits for an event, and the tests of a document that rehearse it.

use serde_json::json;
use suture_flow::compiled::Compiled;
use suture_flow::flow::Flow;
use suture_flow::run::{Answer, Next, Parked, Run};

const FLOW: &str = "flow: receipt
version: 1
trigger: { source: stripe, event: order.paid }
steps:
  - name: invoiced
    wait: epicor.invoiced
    key: .order.id
    within: 30d
    on_timeout: ON_TIMEOUT
  - name: filed
    call: epicor.file_document
    with: '{ reference: .fact, kind: \"receipt\", invoice: $invoiced.invoice }'
    next: end
  - name: late
    map: '{ late: true }'
tests:
  - name: the invoice comes
    event: &paid { event: order.paid, fact: f1, order: { id: 7 } }
    waits: { invoiced: { invoice: 12 } }
    expect:
      waits: [{ event: epicor.invoiced, key: 7 }]
      calls: [{ target: epicor.file_document, document: { reference: f1, kind: receipt, invoice: 12 } }]
  - name: nothing has happened yet
    event: *paid
    expect: { waiting: invoiced, calls: [] }
";

fn flow(on_timeout: &str) -> Flow {
    let text = FLOW.replace("ON_TIMEOUT", on_timeout);
    Flow::parse(&text, "f").unwrap_or_else(|problems| panic!("{problems}"))
}

fn waiting(flow: &Compiled) -> (Run, Next) {
    let mut run = flow
        .start(&json!({"event": "order.paid", "fact": "f1", "order": {"id": 7}}))
        .expect("the event is the trigger's");
    let next = flow.advance(&mut run, None);
    (
        serde_json::from_str(&serde_json::to_string(&run).expect("a run is JSON"))
            .expect("a stored run loads"),
        next,
    )
}

#[test]
fn a_run_waits_is_stored_and_goes_on_with_the_event() {
    let flow = flow("park").compile();
    let (mut run, next) = waiting(&flow);
    let Next::Wait { step, event, key, within } = &next else { panic!("{next:?}") };
    assert_eq!((step.as_str(), event.as_str(), key.expose()), ("invoiced", "epicor.invoiced", &json!(7)));
    assert_eq!(*within, Some(2_592_000_000));
    assert_eq!(flow.advance(&mut run, None), next, "asking again asks for the same");
    let call = flow.advance(&mut run, Some(Answer::Happened(json!({"invoice": 12}))));
    assert!(matches!(&call, Next::Call { document, .. } if document.expose()["invoice"] == 12), "{call:?}");
    assert_eq!(flow.answer(&mut run, "invoiced", Answer::Happened(json!({"invoice": 13}))), call);
}

#[test]
fn a_wait_that_times_out_parks_goes_on_or_jumps_as_the_flow_says() {
    let park = flow("park").compile();
    let (mut run, asked) = waiting(&park);
    let parked = park.advance(&mut run, Some(Answer::TimedOut));
    assert!(
        matches!(&parked, Next::Parked { reason: Parked::TimedOut { event }, .. } if event == "epicor.invoiced")
    );
    assert_eq!(park.advance(&mut run, None), asked, "a parked wait waits again");

    let on = flow("continue").compile();
    let call = on.advance(&mut waiting(&on).0, Some(Answer::TimedOut));
    assert!(
        matches!(&call, Next::Call { document, .. } if document.expose()["invoice"].is_null()),
        "{call:?}"
    );

    let jump = flow("late").compile();
    let Next::Finished { summary } = jump.advance(&mut waiting(&jump).0, Some(Answer::TimedOut)) else {
        panic!("the run jumps over the call")
    };
    assert_eq!((summary.calls.len(), summary.warnings), (0, vec!["invoiced timed out".to_owned()]));
}

#[test]
fn an_answer_of_another_kind_does_not_end_a_wait() {
    let flow = flow("park").compile();
    for answer in
        [Answer::Done(json!({})), Answer::Missing, Answer::Found(json!(1)), Answer::Refused(String::new())]
    {
        let (mut run, asked) = waiting(&flow);
        assert!(matches!(flow.advance(&mut run, Some(answer)), Next::Failed { .. }));
        assert_eq!(flow.advance(&mut run, None), asked);
    }
}

#[test]
fn a_wait_for_nobody_fails_instead_of_waiting_for_ever() {
    let flow = flow("park").compile();
    let mut run = flow.start(&json!({"event": "order.paid"})).unwrap();
    assert!(matches!(flow.advance(&mut run, None), Next::Failed { step, .. } if step == "invoiced"));
}

#[test]
fn a_document_rehearses_its_waits() {
    for outcome in flow("park").rehearse() {
        assert_eq!(outcome.differences, Vec::<String>::new(), "{}", outcome.name);
    }
    let text = FLOW.replace("ON_TIMEOUT", "park").replace("waiting: invoiced", "waiting: filed");
    let outcomes = Flow::parse(&text, "f").unwrap().rehearse();
    assert!(outcomes[1].differences[0].contains("found waiting at invoiced"), "{:?}", outcomes[1]);
}

#[test]
fn a_wait_that_cannot_be_understood_is_refused_by_the_check() {
    let problems = |text: &str| Flow::check(text, "f").to_string();
    let text = FLOW.replace("ON_TIMEOUT", "park");
    assert!(
        problems(&text.replace("wait: epicor.invoiced", "wait: epicor.danced"))
            .contains("use one of: epicor.shipped")
    );
    assert!(problems(&text.replace("30d", "30 days")).contains("8:13: `within` is \"30 days\""));
    assert!(problems(&text.replace("    within: 30d\n", "")).contains("`on_timeout` is never used"));
    assert!(problems(&FLOW.replace("ON_TIMEOUT", "invoiced")).contains("jumps back"));
}

#[test]
fn a_run_that_was_stored_before_lists_and_called_flows_still_goes_on() {
    let flow = flow("park").compile();
    let old = format!(
        r#"{{"flow":"receipt","version":1,"fingerprint":"{}","position":0,"filter_failed":false,
        "event":{{"event":"order.paid","fact":"f1","order":{{"id":9007199254740993}}}},"values":[null,null,null],"visits":[]}}"#,
        flow.fingerprint()
    );
    let mut run: Run = serde_json::from_str(&old).unwrap();
    let Next::Wait { key, .. } = flow.advance(&mut run, None) else { panic!("the run waits") };
    assert_eq!(*key.expose(), json!(9_007_199_254_740_993_i64), "no digit is lost");
    let call = flow.advance(&mut run, Some(Answer::Happened(json!({"invoice": 12}))));
    assert!(matches!(call, Next::Call { .. }), "{call:?}");
}
