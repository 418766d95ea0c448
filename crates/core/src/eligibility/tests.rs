//! Stories of eligibility checks.

use super::*;
use crate::id::{Mint, Random};
use crate::money::Money;

struct Fixed;

impl Random for Fixed {
    fn ten_bytes(&self) -> [u8; 10] {
        [3; 10]
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_seconds(1_760_000_000 + second)
}

fn create() -> Command {
    let mint = Mint::new(at(0), &Fixed);
    Command::Create {
        eligibility: EligibilityId::mint(mint),
        patient: PatientId::mint(mint),
        policy: Some(PolicyId::mint(mint)),
        link: "lnk1".into(),
        service_types: vec!["98".into()],
        answer_by: at(600),
    }
}

fn share(total: i64) -> Responsibility {
    Responsibility {
        total: Money::usd(total),
        copay: Money::usd(total),
        coinsurance: Money::usd(0),
        deductible: Money::usd(0),
        not_covered: Money::usd(0),
        out_of_pocket_left: None,
        low: Money::usd(total),
        high: Money::usd(total),
        notes: Vec::new(),
        conditions: Vec::new(),
        limits: Vec::new(),
    }
}

fn covered(total: i64, hash: &str) -> Command {
    Command::Answer {
        answer: Answer::Covered { responsibility: share(total) },
        from: Source::X12 { hash: hash.into() },
    }
}

fn policy(status: policy::Status) -> Command {
    Command::Advance { policy: Some((status, None)) }
}

fn after(commands: &[Command]) -> Option<Eligibility> {
    commands.iter().fold(None, |state, command| {
        decide(state.as_ref(), command, at(1)).unwrap().iter().fold(state, Eligibility::evolve)
    })
}

#[test]
fn the_session_waits_for_the_policy_then_for_the_payer() {
    let confirmed = policy(policy::Status::Confirmed);
    let steps = [create(), policy(policy::Status::Pending), confirmed, covered(6_000, "h1")];
    let names: Vec<&str> = (1..=steps.len())
        .filter_map(|count| after(&steps[..count]))
        .map(|check| check.status.name())
        .collect();
    assert_eq!(names, ["pending", "waiting_for_policy", "waiting_for_service_eligibility", "eligible"]);
}

#[test]
fn a_slow_payer_times_out_and_an_answer_after_that_still_counts() {
    let waiting = after(&[create(), policy(policy::Status::Confirmed)]);
    assert_eq!(decide(waiting.as_ref(), &Command::GiveUp, at(599)), Ok(Vec::new()), "not yet");
    let events = decide(waiting.as_ref(), &Command::GiveUp, at(600)).unwrap();
    let timed_out = events.iter().fold(waiting, Eligibility::evolve).unwrap();
    assert_eq!(timed_out.status, Status::Timeout);
    assert!(timed_out.trouble.as_ref().unwrap().retryable);
    let late = decide(Some(&timed_out), &covered(6_000, "h1"), at(700)).unwrap();
    let late = late.iter().fold(Some(timed_out), Eligibility::evolve).unwrap();
    assert_eq!((late.status, late.trouble), (Status::Eligible, None));
}

#[test]
fn the_share_is_kept_while_it_is_checked_again() {
    let reopened = after(&[
        create(),
        policy(policy::Status::Confirmed),
        covered(6_000, "h1"),
        Command::Reopen { answer_by: at(900) },
    ])
    .unwrap();
    assert!(reopened.revalidating && reopened.responsibility.is_some());
    let again = decide(Some(&reopened), &covered(8_500, "h2"), at(2)).unwrap();
    let again = again.iter().fold(Some(reopened), Eligibility::evolve).unwrap();
    assert_eq!(again.responsibility.unwrap().total, Money::usd(8_500));
}

#[test]
fn parts_that_do_not_add_up_are_refused() {
    let check = after(&[create()]);
    let broken = [
        Responsibility { total: Money::usd(6_001), high: Money::usd(6_001), ..share(6_000) },
        Responsibility { low: Money::usd(6_001), ..share(6_000) },
        Responsibility { copay: Money::usd(-1), coinsurance: Money::usd(6_001), ..share(6_000) },
        Responsibility { not_covered: Money::usd(1), ..share(6_000) },
    ];
    for responsibility in broken {
        let answer = Command::Answer {
            answer: Answer::Covered { responsibility },
            from: Source::Manual { author: "desk".into() },
        };
        let refusal = decide(check.as_ref(), &answer, at(1)).unwrap_err();
        assert_eq!(refusal.code, "responsibility_does_not_add_up");
    }
}

#[test]
fn the_transition_table_is_the_one_in_the_repository() {
    let confirmed = policy(policy::Status::Confirmed);
    let from = Source::X12 { hash: "h9".into() };
    let rejected =
        Answer::PolicyRejected { code: "75".into(), hint: "Ask for the member id.".into(), retryable: true };
    let failed = Answer::Failed { code: "42".into(), hint: "Ask again later.".into(), retryable: true };
    let answers = [
        ("covered", covered(6_000, "h1")),
        (
            "not covered",
            Command::Answer { answer: Answer::NotCovered { code: "I".into() }, from: from.clone() },
        ),
        ("policy rejected", Command::Answer { answer: rejected, from: from.clone() }),
        ("failed", Command::Answer { answer: failed, from }),
    ];
    let mut states = vec![None, after(&[create()]), after(&[create(), policy(policy::Status::Pending)])];
    states.push(after(&[create(), confirmed.clone()]));
    states.extend(answers.iter().map(|(_, answer)| after(&[create(), answer.clone()])));
    let waiting = after(&[create(), confirmed.clone()]);
    let given_up = decide(waiting.as_ref(), &Command::GiveUp, at(600)).unwrap();
    states.push(given_up.iter().fold(waiting, Eligibility::evolve));
    let mut commands = vec![
        ("policy pending", policy(policy::Status::Pending)),
        ("policy confirmed", confirmed),
        ("policy invalid", policy(policy::Status::Invalid)),
        ("no policy", Command::Advance { policy: None }),
    ];
    commands.extend(answers);
    commands.push(("give up", Command::GiveUp));
    commands.push(("reopen", Command::Reopen { answer_by: at(1_200) }));
    let rows: Vec<(String, Vec<String>)> = states
        .iter()
        .map(|state| {
            let cell = |(_, command): &(&str, Command)| match decide(state.as_ref(), command, at(600)) {
                Ok(events) if events.is_empty() => "=".to_owned(),
                Ok(events) => events
                    .iter()
                    .fold(state.clone(), Eligibility::evolve)
                    .map_or_else(String::new, |check| check.status.name().to_owned()),
                Err(refusal) => format!("- {}", refusal.code),
            };
            let name = state.as_ref().map_or("nothing", |check| check.status.name());
            (name.to_owned(), commands.iter().map(cell).collect())
        })
        .collect();
    let columns: Vec<&str> = commands.iter().map(|(name, _)| *name).collect();
    crate::tables::check("eligibility", &columns, &rows);
}
