//! How a run behaves between the world's answers.

use serde_json::{Value, json};
use suture_flow::compiled::Compiled;
use suture_flow::flow::Flow;
use suture_flow::run::{Answer, Next, Parked, Run};

fn compiled(body: &str) -> Compiled {
    let text = format!("flow: f\nversion: 1\ntrigger: {{ source: stripe, event: payment.captured }}\n{body}");
    Flow::parse(&text, "f").unwrap_or_else(|problems| panic!("{problems}")).compile()
}

/// The result of one expression for an event with this `x`.
fn result(jq: &str, x: &Value) -> Next {
    let body = format!(
        "tables: {{ t: {{ a: 1, \"7\": seven }} }}\nsets: {{ s: [a, \"99214\"] }}\nsteps:\n  - name: m\n    map: |\n      {jq}\n\
         \x20 - name: c\n    call: epic.post_payment\n    with: m\n"
    );
    let flow = compiled(&body);
    let mut run =
        flow.start(&json!({"event": "payment.captured", "x": x})).expect("the event is the trigger's");
    flow.advance(&mut run, None)
}

fn value(jq: &str, x: &Value) -> Value {
    match result(jq, x) {
        Next::Call { document, .. } => document.into_exposed(),
        other => panic!("{jq}: {other:?} {}", detail(&other)),
    }
}

fn detail(next: &Next) -> String {
    match next {
        Next::Failed { error, .. } => {
            let detail = error.detail.as_ref().map_or("", |detail| detail.expose());
            format!("{} ({detail})", error.text)
        }
        other => format!("{other:?}"),
    }
}

#[test]
fn amounts_are_exact_in_every_currency() {
    let nothing = json!(null);
    assert_eq!(value(r#"money_decimal(12000; "USD")"#, &nothing), json!("120.00"));
    assert_eq!(value(r#"money_decimal(500; "JPY")"#, &nothing), json!("500"));
    assert_eq!(value(r#"money_decimal(1234; "kwd")"#, &nothing), json!("1.234"));
    assert_eq!(value(r#"money_minor("1.234"; "KWD")"#, &nothing), json!(1234));
    assert_eq!(value("money_decimal(.x; \"USD\")", &json!(i64::MAX)), json!("92233720368547758.07"));
    assert_eq!(value(".x + 1", &json!(9_007_199_254_740_992_i64)), json!(9_007_199_254_740_993_i64));
    assert!(detail(&result(r#"money_minor("1.005"; "USD")"#, &nothing)).contains("more decimals"));
    assert!(detail(&result("money_decimal(1.5; \"USD\")", &nothing)).contains("whole number"));
    assert!(detail(&result(".x + 1", &json!(i64::MAX))).contains("64 bits"));
    assert!(detail(&result(".x * .x", &json!(i64::MAX))).contains("64 bits"));
}

#[test]
fn dates_keep_their_moment_through_daylight_saving() {
    let local = |moment: Value| value("date_format(.x; \"America/Chicago\"; \"%Y-%m-%d %H:%M %z\")", &moment);
    assert_eq!(local(json!("2026-11-01T06:30:00Z")), json!("2026-11-01 01:30 -0500"));
    assert_eq!(local(json!("2026-11-01T07:30:00Z")), json!("2026-11-01 01:30 -0600"));
    assert_eq!(local(json!(1_772_956_799)), json!("2026-03-08 01:59 -0600"));
    assert_eq!(local(json!(1_772_956_800)), json!("2026-03-08 03:00 -0500"));
    assert_eq!(value("rfc3339(.x)", &json!(0)), json!("1970-01-01T00:00:00.000Z"));
    assert_eq!(value("timestamp_millis(.x)", &json!("1970-01-01T01:00:00.25+01:00")), json!(250));
}

#[test]
fn tables_and_sets_name_themselves_and_the_code_they_do_not_know() {
    assert_eq!(
        value("[table(\"t\"; \"a\"), table(\"t\"; 7), table(\"t\"; \"z\"; 0)]", &json!(null)),
        json!([1, "seven", 0])
    );
    assert_eq!(
        value("[value_in_set(\"s\"; \"a\"), value_in_set(\"s\"; 99214)]", &json!(null)),
        json!([true, true])
    );
    let Next::Parked { reason, step, place } = result("table(\"t\"; .x)", &json!("z")) else { panic!() };
    assert_eq!(
        (reason, step.as_str(), place.line),
        (Parked::UnknownKey { table: "t".into(), key: "z".into() }, "m", 7)
    );
    let Next::Parked { reason, .. } = result("require_in_set(\"s\"; .x)", &json!("z")) else { panic!() };
    assert_eq!(reason, Parked::NotInSet { set: "s".into(), value: "z".into() });
}

#[test]
fn everyday_jq_works() {
    let x =
        json!({"lines": [{"id": "b", "n": 2}, {"id": "a", "n": 3}], "address": "1 Main St, Springfield, IL"});
    assert_eq!(value(".x.lines | map(.n) | add", &x), json!(5));
    assert_eq!(value("[.x.lines[] | select(.n > 2) | .id]", &x), json!(["a"]));
    assert_eq!(value(".x.lines | sort_by(.id) | .[0].n", &x), json!(3));
    assert_eq!(
        value(".x.address | split(\", \") | {street: .[0], city: .[1]}", &x),
        json!({"street": "1 Main St", "city": "Springfield"})
    );
    assert_eq!(value("reduce range(5) as $i (0; . + $i)", &x), json!(10));
    assert_eq!(value(".x.lines[0].n += 5 | .x.lines | map(.n)", &x), json!([7, 3]));
    assert_eq!(value("(.x.lines[] | select(.id == \"a\") | .n) |= . * 2 | .x.lines[1].n", &x), json!(6));
    assert_eq!(value("\"\\(.x.lines | length) lines\"", &x), json!("2 lines"));
    assert_eq!(value(".x | del(.address) | keys", &x), json!(["lines"]));
    assert_eq!(value("[\"4\" | tonumber, (\"[1]\" | fromjson | first)]", &x), json!([4, 1]));
    assert_eq!(value(".x.address | test(\"spring\"; \"i\")", &x), json!(true));
    assert_eq!(value(".x.missing?.deep // \"none\"", &x), json!("none"));
    assert_eq!(value("{a: 1, b: null} | with_entries(select(.value != null))", &x), json!({"a": 1}));
}

#[test]
fn an_expression_ends_whatever_it_tries() {
    for jq in [
        "[range(1000000000)] | length",
        "reduce range(100000) as $i (\"x\"; . + .)",
        "\"x\" * 1000000000",
        "try ([range(1000000000)] | length) catch 1",
        "[range(3000)] | map([range(3000)] | length) | add",
        "first(range(10;0;0))",
        "[limit(1000000000; range(1000000000))] | length",
        "reduce range(200) as $i (0; [.])",
        "reduce range(60) as $i (1; [., .]) | tojson | length",
        "reduce range(60) as $i ({}; {a: ., b: .})",
        "reduce range(60) as $i ([1]; . + .) | length",
        ".x = [range(9000)] | .x |= map([range(9000)]) | 1",
        "\"a\" * 20000 | test(\"((a{100}){100}){100}b\")",
        "[range(3000)] | sort_by([range(3000)] | sort_by([range(3000)]))",
    ] {
        let next = result(jq, &json!(null));
        assert!(matches!(next, Next::Failed { .. }), "{jq}: {next:?}");
    }
    assert!(detail(&result(".x[]", &json!([1, 2]))).contains("more than one result"));
    assert!(detail(&result("empty", &json!(null))).contains("no result"));
    assert!(detail(&result("\"[\" * 300 | fromjson", &json!(null))).contains("not JSON"));
}

const FLOW: &str = "steps:
  - name: link
    lookup: link
    key: .link
  - name: visit
    lookup: epic.encounter
    key: $link.patient
    on_missing: default
    default: { encounter: none }
  - name: is_known
    condition: $visit.encounter != \"none\"
    else: post
  - name: document
    map: '{ visit: $visit.encounter }'
  - name: post
    call: epic.post_payment
    with: '$document // { visit: null }'
  - name: told
    write_back: stripe.metadata
    with: '{ id: $post.id }'
";

fn event() -> Value {
    json!({"event": "payment.captured", "link": "lnk_1"})
}

fn stored(run: &Run) -> Run {
    serde_json::from_str(&serde_json::to_string(run).expect("a run is JSON")).expect("a stored run loads")
}

#[test]
fn a_crash_before_or_after_any_answer_changes_nothing() {
    let flow = compiled(FLOW);
    let answers = [
        Answer::Found(json!({"patient": "pat_1"})),
        Answer::Found(json!({"encounter": "enc_1"})),
        Answer::Done(json!({"id": 9_007_199_254_740_993_i64})),
        Answer::Done(json!(null)),
    ];
    let mut run = flow.start(&event()).unwrap();
    let mut asked = flow.advance(&mut run, None);
    for answer in answers {
        let before = stored(&run);
        assert_eq!(
            flow.advance(&mut stored(&run), None),
            asked,
            "the request is repeated after a crash before the answer"
        );
        asked = flow.advance(&mut run, Some(answer.clone()));
        let mut again = before;
        assert_eq!(flow.advance(&mut again, Some(answer)), asked, "the answer is fed again after a crash");
        assert_eq!(again, run);
    }
    let Next::Finished { summary } = asked else { panic!("{asked:?}") };
    assert_eq!(summary.calls, [("post".to_owned(), "epic.post_payment".to_owned())]);
    assert_eq!(flow.advance(&mut stored(&run), None), Next::Finished { summary });
}

#[test]
fn an_answer_that_arrives_twice_is_taken_once() {
    let flow = compiled(FLOW);
    let mut run = flow.start(&event()).unwrap();
    flow.advance(&mut run, None);
    let found = || Answer::Found(json!({"patient": "pat_1"}));
    let asked = flow.answer(&mut run, "link", found());
    assert_eq!(flow.answer(&mut run, "link", found()), asked);
    let Next::Lookup { step, key, .. } = asked else { panic!() };
    assert_eq!((step.as_str(), key.expose()), ("visit", &json!("pat_1")));
}

#[test]
fn each_step_fails_once_and_goes_on_after_its_repair() {
    let flow = compiled(FLOW);
    let mut run = flow.start(&event()).unwrap();
    let asked = flow.advance(&mut run, None);
    let parked = flow.advance(&mut run, Some(Answer::Missing));
    assert!(
        matches!(&parked, Next::Parked { reason: Parked::Missing { source, .. }, .. } if source == "link")
    );
    assert_eq!(flow.advance(&mut run, None), asked, "a parked lookup is asked again");
    flow.advance(&mut run, Some(Answer::Found(json!({"patient": "pat_1"}))));
    let wrong = flow.advance(&mut run, Some(Answer::Done(json!(1))));
    assert!(matches!(wrong, Next::Failed { .. }), "an answer of the wrong kind does not move the run");
    let call = flow.advance(&mut run, Some(Answer::Missing));
    assert!(matches!(&call, Next::Call { document, .. } if *document.expose() == json!({"visit": null})));
    let refused = flow.advance(&mut run, Some(Answer::Refused("closed".into())));
    assert!(matches!(refused, Next::Parked { reason: Parked::Refused { .. }, .. }));
    assert_eq!(flow.advance(&mut run, None), call, "a refused call is asked again with the same document");
    flow.advance(&mut run, Some(Answer::Done(json!({}))));
    let Next::Finished { summary } = flow.advance(&mut run, Some(Answer::Refused("no".into()))) else {
        panic!()
    };
    assert_eq!(summary.warnings, ["visit found nothing", "told was refused"]);
}

#[test]
fn the_trace_shows_branches_with_their_values_and_debug_shows_none() {
    let flow = compiled(FLOW);
    let mut run = flow.start(&event()).unwrap();
    flow.advance(&mut run, None);
    let next = flow.advance(&mut run, Some(Answer::Found(json!({"patient": "Ann Example"}))));
    flow.advance(&mut run, Some(Answer::Missing));
    let trace = flow.trace(&run);
    let condition = trace.iter().find(|line| line.step == "is_known").unwrap();
    assert_eq!(condition.condition.as_deref(), Some("$visit.encounter != \"none\""));
    assert_eq!(condition.branch.as_deref(), Some("post"));
    assert_eq!(condition.input.expose(), &json!({"visit": {"encounter": "none"}}));
    let lookup = trace.iter().find(|line| line.step == "visit").unwrap();
    assert_eq!(lookup.input.expose(), &json!("Ann Example"));
    let printed = format!("{run:?} {trace:?} {next:?} {:?}", Answer::Found(json!("Ann Example")));
    assert!(!printed.contains("Ann"), "{printed}");
}

#[test]
fn a_run_of_another_text_of_the_flow_is_refused() {
    let mut run = compiled(FLOW).start(&event()).unwrap();
    let changed = compiled(&FLOW.replace("none", "nobody"));
    let next = changed.advance(&mut run, None);
    assert!(detail(&next).contains("another text of the flow"), "{next:?}");
}

#[test]
fn an_event_that_the_filter_cannot_judge_is_seen_and_not_lost() {
    let text = "flow: f\nversion: 1\ntrigger: { source: stripe, event: payment.captured, filter: .x.y }\nsteps:\n  - name: m\n    map: .x\n";
    let flow = Flow::parse(text, "f").unwrap().compile();
    let mut run = flow.start(&json!({"event": "payment.captured"})).unwrap();
    let next = flow.advance(&mut run, None);
    assert!(matches!(&next, Next::Failed { step, .. } if step == "trigger"), "{next:?}");
    assert!(flow.start(&json!({"event": "payment.refunded"})).is_none());
    assert!(flow.start(&json!({"event": "payment.captured", "x": {"y": false}})).is_none());
}

#[test]
fn switching_a_write_back_off_changes_nothing_else() {
    let off = compiled(FLOW).with_write_back("told", false);
    let mut run = off.start(&event()).unwrap();
    off.advance(&mut run, None);
    off.advance(&mut run, Some(Answer::Found(json!({"patient": "pat_1"}))));
    off.advance(&mut run, Some(Answer::Found(json!({"encounter": "enc_1"}))));
    let Next::Finished { summary } = off.advance(&mut run, Some(Answer::Done(json!({"id": 1})))) else {
        panic!()
    };
    assert_eq!(summary.skipped, ["told"]);
    assert_eq!(summary.calls.len(), 1);
}
