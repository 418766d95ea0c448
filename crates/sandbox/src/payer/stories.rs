//! Stories about the payer, told through its HTTP surface. Files are judged by rules written here, not by its own.

use super::x12::{self, Segment, cents};
use super::{Member, PayerWorld, members};
use crate::wire::Request;
use serde_json::{Value, json};

/// 2026-11-21T12:00:00Z
const NOW_MS: i64 = 1_795_262_400_000;

fn segments(text: &str) -> Vec<Segment> {
    x12::read(text.as_bytes()).expect("an interchange").segments
}

fn question(member: &Member, services: &[&str]) -> String {
    let holder = members().iter().find(|one| one.patient_id == member.subscriber).unwrap();
    let mut body = vec![
        "BHT*0022*13*REF-1*20261121*1200".to_owned(),
        "HL*1**20*1".to_owned(),
        "NM1*PR*2*SANDBOX HEALTH PLAN*****PI*99999".to_owned(),
        "HL*2*1*21*1".to_owned(),
        "NM1*1P*2*EXAMPLE CLINIC*****XX*1234567893".to_owned(),
        "HL*3*2*22*0".to_owned(),
    ];
    let trace = "TRN*1*TRACE-1*9123456789".to_owned();
    if !member.is_dependent() {
        body.push(trace.clone());
    }
    body.push(format!("NM1*IL*1*{}*{}****MI*{}", holder.family, holder.given, holder.member_id));
    if member.is_dependent() {
        body.extend([
            "HL*4*3*23*0".to_owned(),
            trace,
            format!("NM1*03*1*{}*{}", member.family, member.given),
        ]);
    }
    body.push(format!("DMG*D8*{}", member.birth_date));
    body.extend(services.iter().map(|service| format!("EQ*{service}")));
    let envelope =
        x12::Envelope { function: "HS", set: "270", version: "005010X279A1", control: 1, now_ms: NOW_MS };
    envelope.wrap(&body)
}

struct Story(PayerWorld);

impl Story {
    fn new() -> Self {
        Self(PayerWorld::new())
    }

    fn post(&mut self, path: &str, body: &str) -> (u16, String) {
        let response = self.0.handle(NOW_MS, &Request::new("POST", path).with_body(body));
        (response.status, String::from_utf8(response.body).unwrap())
    }

    fn ask(&mut self, member: &Member, services: &[&str]) -> Vec<Segment> {
        let (status, text) = self.post("/eligibility", &question(member, services));
        assert_eq!(status, 200, "{text}");
        segments(&text)
    }

    #[expect(clippy::needless_pass_by_value, reason = "stories give the body as a literal")]
    fn control(&mut self, verb: &str, body: Value) -> Value {
        self.0.control(NOW_MS, verb, &body).unwrap()
    }

    /// Files the claim of story 2: 300.00 in two lines.
    fn file(&mut self, number: &str, rule: &str) {
        let claim = json!({
            "patient_control": number, "member_id": members()[0].member_id, "charge_minor": 30_000, "rule": rule,
            "lines": [
                { "procedure": "99214", "modifiers": ["25"], "charge_minor": 20_001, "line_control": "L1" },
                { "procedure": "80053", "charge_minor": 9_999, "service_date": "2026-11-02" }
            ],
        });
        let (status, text) = self.post("/claims", &claim.to_string());
        assert_eq!(status, 200, "{text}");
    }

    fn remittance(&mut self, number: u64) -> String {
        let response = self.0.handle(NOW_MS, &Request::new("GET", &format!("/remittances/{number}")));
        assert_eq!(response.status, 200);
        String::from_utf8(response.body).unwrap()
    }

    fn remit(&mut self) -> String {
        let number = self.control("remit", json!({}))["number"].as_u64().unwrap();
        let text = self.remittance(number);
        assert_eq!(faults(&text), Vec::<String>::new(), "{text}");
        text
    }
}

/// The three balances, the counts and the control numbers of an 835 (X12.md §3).
fn faults(text: &str) -> Vec<String> {
    let Ok(file) = x12::read(text.as_bytes()) else { return vec!["no interchange".into()] };
    let amount = |segment: &Segment, at: usize| cents(segment.at(at)).unwrap_or(i64::MAX / 1000);
    let adjusted =
        |segment: &Segment| -> i64 { (3..segment.0.len()).step_by(3).map(|at| amount(segment, at)).sum() };
    let mut faults = Vec::new();
    let (mut claims, mut plb) = (0, 0);
    let (mut claim_left, mut line_left) = (None, None);
    let mut close = |left: &mut Option<i64>, what: &str| {
        if left.take().is_some_and(|left| left != 0) {
            faults.push(what.to_owned());
        }
    };
    for segment in &file.segments {
        if matches!(segment.name(), "CLP" | "PLB" | "SE") {
            close(&mut claim_left, "claim");
        }
        if matches!(segment.name(), "CLP" | "PLB" | "SE" | "SVC") {
            close(&mut line_left, "line");
        }
        match segment.name() {
            "CLP" => {
                claims += amount(segment, 4);
                claim_left = Some(amount(segment, 3) - amount(segment, 4));
            }
            "SVC" => line_left = Some(amount(segment, 2) - amount(segment, 3)),
            "CAS" => {
                claim_left = claim_left.map(|left| left - adjusted(segment));
                line_left = line_left.map(|left| left - adjusted(segment));
            }
            "PLB" => plb += (4..segment.0.len()).step_by(2).map(|at| amount(segment, at)).sum::<i64>(),
            _ => {}
        }
    }
    let first = |name: &str| file.segments.iter().find(|segment| segment.name() == name);
    if first("BPR").is_none_or(|bpr| amount(bpr, 2) != claims - plb) {
        faults.push("file".into());
    }
    let at = |name: &str| file.segments.iter().position(|segment| segment.name() == name);
    let counted = at("ST").zip(at("SE")).map(|(start, end)| (end - start + 1).to_string());
    if counted.is_none() || first("SE").map(|se| se.at(1)) != counted.as_deref() {
        faults.push("SE01".into());
    }
    if first("IEA").map(|iea| iea.at(2)) != first("ISA").map(|isa| isa.at(13)) {
        faults.push("IEA02".into());
    }
    faults
}

fn claims_of(text: &str) -> Vec<(String, String, String, String)> {
    let all = segments(text);
    let claims = all.iter().filter(|segment| segment.name() == "CLP");
    claims.map(|clp| (clp.at(1).into(), clp.at(2).into(), clp.at(4).into(), clp.at(5).into())).collect()
}

fn row(number: &str, status: &str, paid: &str, patient: &str) -> (String, String, String, String) {
    (number.into(), status.into(), paid.into(), patient.into())
}

#[test]
fn a_member_hears_copay_coinsurance_and_what_is_left() {
    let mut story = Story::new();
    let answer = story.ask(&members()[0], &["98"]);
    let text: Vec<String> = answer.iter().map(|segment| segment.0.join("*")).collect();
    for wanted in [
        "TRN*2*TRACE-1*9123456789",
        "NM1*1P*2*EXAMPLE CLINIC*****XX*1234567893",
        "EB*1*IND*30*PR*SANDBOX GOLD PPO",
        "EB*C*IND*30*PR*SANDBOX GOLD PPO*29*350.00*****Y",
        "EB*G*IND*30*PR*SANDBOX GOLD PPO*29*2750.00*****Y",
        "EB*B*IND*98*PR*SANDBOX GOLD PPO*27*40.00*****Y",
        "EB*B*IND*98*PR*SANDBOX GOLD PPO*27*80.00*****N",
        "EB*A*IND*98*PR*SANDBOX GOLD PPO*27**.4****N",
    ] {
        assert!(text.iter().any(|line| line == wanted), "{wanted} in {text:#?}");
    }
    let rows = answer.iter().filter(|segment| segment.name() == "EB");
    assert!(rows.clone().all(|eb| eb.at(1) != "A" || eb.at(7).is_empty()), "no money in a share");
    assert!(rows.clone().all(|eb| eb.at(1) == "A" || eb.at(8).is_empty()), "no share where money belongs");
}

#[test]
fn a_child_is_answered_below_its_parent() {
    let mut story = Story::new();
    let child = members().iter().find(|member| member.is_dependent()).unwrap();
    let answer = story.ask(child, &["30"]);
    let at = |name: &str, first: &str| {
        answer.iter().position(|segment| segment.name() == name && segment.at(1) == first).unwrap()
    };
    assert!(at("NM1", "IL") < at("NM1", "03") && at("NM1", "03") < at("EB", "1"));
    assert!(at("HL", "4") < at("TRN", "2"));
    assert_eq!(answer[at("NM1", "03")].at(4), child.given);
}

#[test]
fn members_without_an_answer_that_helps_say_why() {
    let mut story = Story::new();
    let reason = |answer: &[Segment]| {
        answer.iter().find(|segment| segment.name() == "AAA").map(|aaa| aaa.at(3).to_owned())
    };
    let inactive = story.ask(&members()[44], &["30"]);
    assert!(inactive.iter().any(|segment| segment.name() == "EB" && segment.at(1) == "6"));
    for (at, wanted) in [(45, "42"), (46, "80"), (47, "75")] {
        assert_eq!(reason(&story.ask(&members()[at], &["30"])).as_deref(), Some(wanted));
    }
    let stranger = Member { member_id: "NOBODY".into(), ..members()[0].clone() };
    let asked = question(&stranger, &["30"]).replace(&members()[0].member_id, "NOBODY");
    assert_eq!(reason(&segments(&story.post("/eligibility", &asked).1)).as_deref(), Some("75"));
    let born = Member { birth_date: "19000101".into(), ..members()[0].clone() };
    assert_eq!(reason(&story.ask(&born, &["30"])).as_deref(), Some("71"));
}

#[test]
fn the_payer_is_slow_as_often_as_it_was_told() {
    let mut story = Story::new();
    let first = &members()[0];
    story.control("eligibility", json!({ "answer": "slow", "next": 2, "member_id": first.member_id }));
    let slow =
        |answer: Vec<Segment>| answer.iter().any(|segment| segment.name() == "AAA" && segment.at(3) == "80");
    assert!(!slow(story.ask(&members()[1], &["30"])));
    assert!(slow(story.ask(first, &["30"])) && slow(story.ask(first, &["30"])));
    assert!(!slow(story.ask(first, &["30"])));
}

#[test]
fn every_case_of_story_two_comes_back_balanced() {
    for (case, status, paid, patient) in [
        ("2A", "1", "130.00", "50.00"),
        ("2B", "1", "155.00", "25.00"),
        ("2C", "1", "140.00", "40.00"),
        ("2D", "4", "0.00", "0.00"),
        ("2E", "4", "0.00", "300.00"),
    ] {
        let mut story = Story::new();
        story.file("ACCT-1", case);
        let text = story.remit();
        assert_eq!(claims_of(&text), [row("ACCT-1", status, paid, patient)], "{case}");
        let groups: Vec<Segment> =
            segments(&text).into_iter().filter(|segment| segment.name() == "CAS").collect();
        if case == "2D" {
            assert!(groups.iter().all(|cas| cas.at(1) == "CO"), "nothing is billed to the patient");
        }
        if case == "2A" {
            assert_eq!(groups[1].0.join("*"), "CAS*PR*3*40.00**2*10.00");
        }
    }
}

#[test]
fn a_corrected_claim_is_reversed_with_every_sign_flipped() {
    let mut story = Story::new();
    story.file("ACCT-1", "2G");
    assert_eq!(claims_of(&story.remit()), [row("ACCT-1", "1", "130.00", "50.00")]);
    let second = story.remit();
    let wanted = [row("ACCT-1", "22", "-130.00", "-50.00"), row("ACCT-1", "1", "110.00", "70.00")];
    assert_eq!(claims_of(&second), wanted);
    // −20.00 cannot be asked for: it is forwarded.
    assert!(second.contains("BPR*H*0.00*C*NON*"), "{second}");
    assert!(second.contains("FB:EFT0000000002*-20.00"), "{second}");
    story.file("ACCT-2", "2C");
    let third = story.remit();
    assert!(third.contains("PLB*1234567893*20261231*FB:EFT0000000002*20.00"), "{third}");
    assert!(third.contains("BPR*I*120.00*"), "{third}");
}

#[test]
fn a_take_back_is_withheld_from_a_later_file() {
    let mut story = Story::new();
    story.file("ACCT-1", "2H");
    story.remit();
    story.file("ACCT-2", "2B");
    let text = story.remit();
    assert!(text.contains("PLB*1234567893*20261231*WO:ACCT-1*130.00"), "{text}");
    assert!(text.contains("BPR*I*25.00*"), "{text}");
}

#[test]
fn results_are_chosen_until_they_were_sent_and_corrected_afterwards() {
    let mut story = Story::new();
    story.control("default_case", json!({ "case": "2C" }));
    story.file("ACCT-1", "2A");
    story.control(
        "decide",
        json!({ "claim": "ACCT-1", "patient": [{ "reason": "1", "amount_minor": 7_500 }] }),
    );
    assert_eq!(claims_of(&story.remit()), [row("ACCT-1", "1", "105.00", "75.00")]);
    assert!(story.0.control(NOW_MS, "decide", &json!({ "claim": "ACCT-1", "case": "2D" })).is_err());
    story.control("correct", json!({ "claim": "ICN0000001", "case": "2D" }));
    let wanted = [row("ACCT-1", "22", "-105.00", "-75.00"), row("ACCT-1", "4", "0.00", "0.00")];
    assert_eq!(claims_of(&story.remit()), wanted);
    let nothing = story.0.control(NOW_MS, "state", &json!({})).unwrap();
    assert_eq!(nothing["claims"][0]["rule"], "2A");
}

#[test]
fn broken_files_break_in_the_way_that_was_asked_for_and_can_be_mended() {
    for (how, wanted) in [
        ("unbalanced", vec!["file"]),
        ("unbalanced_claim", vec!["claim"]),
        ("unbalanced_line", vec!["line"]),
        ("wrong_trailer", vec!["SE01", "IEA02"]),
        ("truncated", vec!["file", "SE01", "IEA02"]),
    ] {
        let mut story = Story::new();
        story.file("ACCT-1", "2A");
        story.control("remit", json!({ "broken": how }));
        let found = faults(&story.remittance(1));
        if how == "truncated" {
            assert!(found.contains(&"SE01".to_owned()) && found.contains(&"IEA02".to_owned()), "{found:?}");
        } else {
            assert_eq!(found, wanted, "{how}");
        }
        story.control("mend", json!({ "number": 1 }));
        assert_eq!(faults(&story.remittance(1)), Vec::<String>::new(), "{how}");
    }
}

#[test]
fn a_claim_that_does_not_add_up_or_comes_twice_is_not_taken() {
    let mut story = Story::new();
    story.file("ACCT-1", "2A");
    let claim = |number: &str, charge: i64| {
        json!({
            "patient_control": number, "charge_minor": charge,
            "lines": [{ "procedure": "99213", "charge_minor": 10_000 }]
        })
        .to_string()
    };
    assert_eq!(story.post("/claims", &claim("ACCT-1", 10_000)).0, 409);
    assert_eq!(story.post("/claims", &claim("ACCT-2", 10_001)).0, 400);
    assert_eq!(story.post("/claims", &claim("A*B", 10_000)).0, 400);
    assert_eq!(story.post("/claims", "nonsense").0, 400);
    let stranger = claim("ACCT-3", 10_000).replace("{\"charge", "{\"patient_id\":\"nobody\",\"charge");
    assert!(story.post("/claims", &stranger).1.contains("none of the payer's members"));
    assert_eq!(story.0.control(NOW_MS, "state", &json!({})).unwrap()["claims"].as_array().unwrap().len(), 1);
}

#[test]
fn a_claim_for_a_child_comes_back_with_the_name_of_the_child() {
    let mut story = Story::new();
    let child = members().iter().find(|member| member.is_dependent()).unwrap();
    let claim = json!({
        "patient_control": "ACCT-1", "patient_id": child.patient_id, "charge_minor": 30_000,
        "lines": [{ "procedure": "99214", "charge_minor": 30_000 }]
    });
    assert_eq!(story.post("/claims", &claim.to_string()).0, 200);
    let name = format!("NM1*QC*1*{}*{}****MI*{}", child.family, child.given, child.member_id);
    assert!(story.remit().contains(&name));
    assert!(!format!("{:?}", story.0).contains(&child.family));
}

#[test]
fn an_837_is_read_like_the_same_claim_in_json() {
    let mut story = Story::new();
    let body = [
        "BHT*0019*00*1*20261121*1200*CH",
        "NM1*85*2*SANDBOX CLINIC*****XX*1234567893",
        "NM1*IL*1*ALDER*ADA****MI*SBXM10001",
        "CLM*ACCT-7*300***11:B:1*Y*A*Y*Y",
        "LX*1",
        "SV1*HC:99214:25*200*UN*1***1",
        "DTP*472*D8*20261102",
        "REF*6R*L1",
        "LX*2",
        "SV1*HC:80053*100*UN*1***1",
    ]
    .map(str::to_owned);
    let envelope =
        x12::Envelope { function: "HC", set: "837", version: "005010X222A1", control: 5, now_ms: NOW_MS };
    let (status, text) = story.post("/claims", &envelope.wrap(&body));
    assert_eq!(status, 200, "{text}");
    let text = story.remit();
    assert_eq!(claims_of(&text), [row("ACCT-7", "1", "130.00", "50.00")]);
    assert!(text.contains("SVC*HC:99214:25*200.00*") && text.contains("REF*6R*L1"), "{text}");
    assert!(text.contains("DTM*472*20261102"), "{text}");
}

#[test]
fn questions_that_are_no_270_are_refused_with_a_sentence() {
    let mut story = Story::new();
    assert_eq!(story.post("/eligibility", "hello").0, 400);
    let other = question(&members()[0], &[]).replace("ST*270", "ST*276");
    let (status, text) = story.post("/eligibility", &other);
    assert_eq!(status, 400);
    assert!(text.contains("no transaction set 270"), "{text}");
    assert_eq!(story.0.handle(NOW_MS, &Request::new("GET", "/remittances/1")).status, 404);
}
