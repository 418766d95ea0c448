//! A run that asks a person, and the tests of a document that rehearse it.

use serde_json::json;
use suture_flow::compiled::Compiled;
use suture_flow::flow::Flow;
use suture_flow::run::{Answer, Next, Parked, Run};

const FLOW: &str = "flow: credit
version: 1
trigger: { source: stripe, event: order.paid }
steps:
  - name: boss
    approve: '\"Credit \\(.amount) to \\(.name)?\"'
    by: credit-manager
    within: 3d
    on_timeout: continue
    on_reject: ON_REJECT
  - name: filed
    call: epicor.file_document
    with: '{ reference: .fact, kind: \"credit\", by: $boss.by }'
    next: end
  - name: told
    write_back: order.status
    with: '{ refused: $boss.reason }'
tests:
  - name: somebody says yes
    event: &paid { event: order.paid, fact: f1, amount: 7, name: Ann }
    approvals: { boss: { approved: u_1 } }
    expect:
      approvals: [{ by: credit-manager, question: \"Credit 7 to Ann?\" }]
      calls: [{ target: epicor.file_document, document: { reference: f1, kind: credit, by: u_1 } }]
  - name: nobody has answered yet
    event: *paid
    expect: { waiting: boss, calls: [] }
  - name: nobody answers in time
    event: *paid
    approvals: { boss: null }
    expect:
      calls: [{ target: epicor.file_document, document: { reference: f1, kind: credit, by: null } }]
";

const REJECTED: &str = "  - name: somebody says no
    event: *paid
    approvals: { boss: { rejected: u_2, reason: too much } }
    expect: { write_backs: [{ target: order.status, document: { refused: too much } }], calls: [] }
";

fn flow(on_reject: &str) -> Flow {
    let text = FLOW.replace("ON_REJECT", on_reject);
    Flow::parse(&text, "f").unwrap_or_else(|problems| panic!("{problems}"))
}

fn asked(flow: &Compiled) -> (Run, Next) {
    let event = json!({"event": "order.paid", "fact": "f1", "amount": 7, "name": "Ann"});
    let mut run = flow.start(&event).expect("the event is the trigger's");
    let next = flow.advance(&mut run, None);
    (
        serde_json::from_str(&serde_json::to_string(&run).expect("a run is JSON"))
            .expect("a stored run loads"),
        next,
    )
}

fn no() -> Answer {
    Answer::Rejected { by: "u_2".to_owned(), reason: "Ann owes us".to_owned() }
}

#[test]
fn a_person_is_asked_once_and_the_yes_is_kept_with_its_name() {
    let flow = flow("park").compile();
    let (mut run, next) = asked(&flow);
    let Next::Approve { step, question, by, within } = &next else { panic!("{next:?}") };
    assert_eq!((step.as_str(), by.as_str(), *within), ("boss", "credit-manager", Some(259_200_000)));
    assert_eq!(question.expose(), "Credit 7 to Ann?");
    assert!(!format!("{next:?} {:?}", no()).contains("Ann"));
    assert_eq!(flow.advance(&mut run, None), next);
    let call = flow.advance(&mut run, Some(Answer::Approved { by: "u_1".to_owned() }));
    assert!(matches!(&call, Next::Call { document, .. } if document.expose()["by"] == "u_1"), "{call:?}");
    assert_eq!(flow.answer(&mut run, "boss", no()), call, "a second decision comes too late");
}

#[test]
fn a_no_parks_ends_or_leads_to_a_step_as_the_flow_says() {
    let park = flow("park").compile();
    let (mut run, next) = asked(&park);
    let parked = park.advance(&mut run, Some(no()));
    let Next::Parked { reason: Parked::Rejected { by, reason }, .. } = &parked else { panic!("{parked:?}") };
    assert_eq!((by.as_str(), reason.expose().as_str()), ("u_2", "Ann owes us"));
    assert_eq!(park.advance(&mut run, None), next, "a parked question is asked again");

    let end = flow("end").compile();
    let Next::Finished { summary } = end.advance(&mut asked(&end).0, Some(no())) else { panic!() };
    assert_eq!((summary.calls.len(), summary.warnings), (0, vec!["boss was answered with no".to_owned()]));

    let step = flow("told").compile();
    let told = step.advance(&mut asked(&step).0, Some(no()));
    assert!(
        matches!(&told, Next::WriteBack { document, .. } if document.expose()["refused"] == "Ann owes us")
    );
}

#[test]
fn a_question_that_is_not_text_is_asked_of_nobody() {
    let text = FLOW.replace("ON_REJECT", "park").replace("'\"Credit \\(.amount) to \\(.name)?\"'", ".amount");
    let flow = Flow::parse(&text, "f").unwrap().compile();
    assert!(matches!(asked(&flow).1, Next::Failed { step, .. } if step == "boss"));
}

#[test]
fn a_document_rehearses_its_approvals() {
    let text = format!("{}{REJECTED}", FLOW.replace("ON_REJECT", "told"));
    let outcomes = Flow::parse(&text, "f").unwrap_or_else(|problems| panic!("{problems}")).rehearse();
    assert_eq!(outcomes.len(), 4);
    for outcome in outcomes {
        assert_eq!(outcome.differences, Vec::<String>::new(), "{}", outcome.name);
    }
}

#[test]
fn a_question_that_cannot_be_understood_is_refused_by_the_check() {
    let problems = |text: &str| Flow::check(text, "f").to_string();
    let text = FLOW.replace("ON_REJECT", "park");
    assert!(
        problems(&text.replace("by: credit-manager\n    within", "by: The Boss\n    within"))
            .contains("is not a role")
    );
    assert!(problems(&FLOW.replace("ON_REJECT", "boss")).contains("jumps back"));
    assert!(problems(&text.replace("{ approved: u_1 }", "{ who: u_1 }")).contains("neither yes nor no"));
}
