//! What payers send: eligibility answers (271) of FLOWS §2 steps 1 and 2, and remittance files (835) of step 4.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use serde_json::json;
use suture_core::eligibility::{Eligibility, Status as Checked};
use suture_core::id::{PatientId, PolicyId, RemittanceId, ServiceId};
use suture_core::money::Money;
use suture_core::policy;
use suture_core::redact::Phi;
use suture_core::refusal::Refusal;
use suture_core::service::{Command, CoverageStatus, Line, NoteKind, Status};
use suture_core::time::Timestamp;
use suture_engine::Error;
use suture_engine::billing::{Imported, NewService, Note};
use suture_sim::on_both_databases;
use suture_sim::world::{CLAIM, Stepped, World};
use suture_store::effects::State;

on_both_databases!(
    an_835_that_does_not_balance_is_refused_with_loop_and_segment_and_leaves_no_trace,
    the_same_835_twice_is_refused_as_known,
    the_same_835_twice_at_once_is_taken_once,
    a_claim_that_nobody_knows_waits_and_can_be_booked_later,
    a_claim_with_another_charge_waits_and_changes_nothing,
    many_claims_in_several_batches_are_booked_once_each_although_the_process_dies,
    a_claim_number_and_a_check_belong_to_one_service,
    a_271_for_another_member_is_refused,
    an_aaa_rejection_is_kept_with_its_code_and_a_hint,
    a_payer_that_cannot_answer_says_whether_asking_again_helps,
    a_check_without_an_answer_times_out_after_fifteen_minutes_and_may_be_answered_later,
    coverage_that_lapsed_72_hours_before_turns_amber_and_cancels_nothing,
);

const MINUTE: i64 = 60_000;
const DAY: i64 = 86_400_000;

fn refused<T: std::fmt::Debug>(refused: Result<T, Error>) -> Refusal {
    match refused {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("it should be refused: {other:?}"),
    }
}

/// A service whose claim was sent, of a patient without a card.
async fn billed(world: &mut World, claim: &str, minor: i64) -> ServiceId {
    let patient = world.patient(0).await.unwrap();
    billed_for(world, patient.id, claim, minor).await
}

async fn billed_for(world: &World, patient: PatientId, claim: &str, minor: i64) -> ServiceId {
    let (engine, caller) = (world.engine(0), world.caller());
    let new = NewService {
        patient,
        eligibility: None,
        at: None,
        currency: Money::usd(0).currency,
        account: Some("acct-1".into()),
    };
    let service = engine.create_service(&caller, new).await.unwrap().id;
    let lines = vec![Line { code: "99214".into(), charge: Money::usd(minor) }];
    engine.change_service(&caller, service, Command::Deliver { lines }, "story").await.unwrap();
    let note = Note { kind: NoteKind::Note, signer: "dr-a".into(), text: Phi::new("S: well.".into()) };
    engine.sign_note(&caller, service, note).await.unwrap();
    let bill = Command::Bill { claim: claim.into() };
    engine.change_service(&caller, service, bill, "story").await.unwrap();
    service
}

async fn import(world: &World, file: &str) -> Result<Imported, Error> {
    world.engine(0).import_remittance(&world.caller(), file.as_bytes().to_vec()).await
}

async fn waiting(world: &World) -> Vec<(String, String)> {
    let waiting = world.engine(0).waiting_claims(&world.organization, 100).await.unwrap();
    waiting.into_iter().map(|(_, claim)| (claim.claim, claim.note.unwrap_or_default())).collect()
}

async fn an_835_that_does_not_balance_is_refused_with_loop_and_segment_and_leaves_no_trace(mut world: World) {
    let service = billed(&mut world, CLAIM, 30_000).await;
    world.settle().await.unwrap();
    world.claim(CLAIM, 30_000, "2A").unwrap();
    let before = world.books().await.unwrap();
    let whole = world.next_file(&json!({ "broken": "unbalanced" }));
    let mut files = vec![("unbalanced", whole)];
    for how in ["unbalanced_claim", "unbalanced_line", "truncated", "wrong_trailer"] {
        let number = files.len() + 1;
        world.claim(&format!("CLM-{number}X"), 30_000, "2A").unwrap();
        files.push((how, world.next_file(&json!({ "broken": how }))));
    }
    for (how, file) in &files {
        let refusal = refused(import(&world, file).await);
        assert_eq!(refusal.code, "remittance_refused", "{how}");
        for word in ["loop", "segment", "Nothing was imported"] {
            assert!(refusal.detail.contains(word), "{how}: {}", refusal.detail);
        }
        world.settle().await.unwrap();
        assert_eq!(world.books().await.unwrap(), before, "{how}");
        assert_eq!(waiting(&world).await, Vec::new(), "{how}");
        assert_eq!(world.service(service).await.unwrap().decisions, Vec::new(), "{how}");
    }
    // The payer mends its file; the same trace number is still new to us.
    world.outside.at_payer("mend", &json!({ "number": 1 })).unwrap();
    let mended = world.outside.ask_payer(&suture_sandbox::wire::Request::new("GET", "/remittances/1"));
    world.remit(&String::from_utf8(mended.body).unwrap()).await.unwrap();
    assert_eq!(world.service(service).await.unwrap().decisions.len(), 1);
}

async fn the_same_835_twice_is_refused_as_known(mut world: World) {
    let service = billed(&mut world, CLAIM, 30_000).await;
    world.claim(CLAIM, 30_000, "2A").unwrap();
    let file = world.next_file(&json!({}));
    let first = world.remit(&file).await.unwrap();
    assert_eq!((first.remittances.len(), first.claims), (1, 1));
    let before = world.books().await.unwrap();
    let refusal = refused(import(&world, &file).await);
    assert_eq!(refusal.code, "remittance_known");
    assert!(refusal.detail.contains(&first.remittances[0].to_string()), "{}", refusal.detail);
    world.settle().await.unwrap();
    assert_eq!(world.books().await.unwrap(), before);
    assert_eq!(world.service(service).await.unwrap().decisions.len(), 1);
}

async fn the_same_835_twice_at_once_is_taken_once(mut world: World) {
    let service = billed(&mut world, CLAIM, 30_000).await;
    world.claim(CLAIM, 30_000, "2A").unwrap();
    let file = world.next_file(&json!({}));
    let both = tokio::join!(import(&world, &file), import(&world, &file));
    let (taken, other) = match both {
        (Ok(taken), other) | (other, Ok(taken)) => (taken, other),
        neither => panic!("{neither:?}"),
    };
    assert_eq!(refused(other).code, "remittance_known");
    world.settle().await.unwrap();
    assert_eq!(taken.claims, 1);
    assert_eq!(world.service(service).await.unwrap().decisions.len(), 1);
    assert_eq!(world.balance("bank").await.unwrap(), 13_000);
}

async fn a_claim_that_nobody_knows_waits_and_can_be_booked_later(mut world: World) {
    world.claim("CLM-9", 30_000, "2A").unwrap();
    let imported = world.payer_pays().await.unwrap();
    let id: RemittanceId = imported.remittances[0];
    let remittance = world.engine(0).remittance(&world.organization, id).await.unwrap();
    assert_eq!(remittance.booked, Some((0, 1)));
    let waits = waiting(&world).await;
    assert_eq!((waits.len(), waits[0].0.as_str()), (1, "CLM-9"));
    assert!(world.books().await.unwrap().is_empty(), "nothing is guessed");
    let still = world.engine(0).book_waiting_claim(&world.caller(), id, 1).await;
    assert_eq!(refused(still).code, "claim_not_booked");

    let service = billed(&mut world, "CLM-9", 30_000).await;
    for _ in 0..2 {
        let booked = world.engine(0).book_waiting_claim(&world.caller(), id, 1).await.unwrap();
        assert_eq!((booked.state.as_str(), booked.note), ("booked", Some(service.to_string())));
    }
    world.settle().await.unwrap();
    assert_eq!(world.service(service).await.unwrap().decisions.len(), 1);
    assert_eq!(world.balance("bank").await.unwrap(), 13_000, "once");
    assert_eq!(waiting(&world).await, Vec::new());
}

async fn a_claim_with_another_charge_waits_and_changes_nothing(mut world: World) {
    let service = billed(&mut world, CLAIM, 29_900).await;
    world.claim(CLAIM, 30_000, "2A").unwrap();
    world.payer_pays().await.unwrap();
    let waits = waiting(&world).await;
    assert!(waits[0].1.contains("differs from what was billed"), "{waits:?}");
    assert_eq!(world.service(service).await.unwrap().status, Status::Billed);
    assert_eq!(world.balance("ar:payer").await.unwrap(), 29_900);
}

async fn many_claims_in_several_batches_are_booked_once_each_although_the_process_dies(mut world: World) {
    let patient = world.patient(0).await.unwrap();
    let mut services = Vec::new();
    for number in 1..=110 {
        let claim = format!("CLM-{number}");
        world.claim(&claim, 10_000, "2C").unwrap();
        services.push(billed_for(&world, patient.id, &claim, 10_000).await);
    }
    world.settle().await.unwrap();
    let file = world.next_file(&json!({}));
    let imported = import(&world, &file).await.unwrap();
    // The process dies again and again, at another moment of its work each time.
    let (mut deaths, mut looks) = (0, 0);
    for _ in 0..40 {
        looks = looks % 4 + 1;
        deaths += i32::from(world.step_and_die(0, looks).await.unwrap() == Stepped::Crashed);
        world.clock.jump(10 * MINUTE);
    }
    assert!(deaths > 4, "{deaths}");
    world.pass(60 * MINUTE).await.unwrap();
    let id = imported.remittances[0];
    let remittance = world.engine(0).remittance(&world.organization, id).await.unwrap();
    assert_eq!((imported.claims, remittance.booked), (110, Some((110, 0))));
    for service in services {
        assert_eq!(world.service(service).await.unwrap().decisions.len(), 1);
    }
    // Of each 100.00, 40.00 are contractual, 40.00 the patient's, and 20.00 paid.
    let of = |account: &'static str| world.balance(account);
    assert_eq!((of("bank").await.unwrap(), of("ar:payer").await.unwrap()), (220_000, 0));
    assert_eq!(of("ar:patient").await.unwrap(), 440_000);
    assert!(world.effects(State::Dead).await.unwrap().is_empty());
}

async fn a_claim_number_and_a_check_belong_to_one_service(mut world: World) {
    let patient = world.patient(0).await.unwrap();
    billed_for(&world, patient.id, CLAIM, 30_000).await;
    let other = billed_for(&world, patient.id, "CLM-2", 30_000).await;
    let check = world.eligible(patient.id, 4_000).await.unwrap();
    let service = world.service_for(&check).await.unwrap();
    assert_eq!(refused(world.service_for(&check).await).code, "eligibility_used");
    assert_eq!(refused(world.bill(service.id, CLAIM, 30_000).await).code, "claim_used");
    assert_eq!(world.service(service.id).await.unwrap().claim, None, "nothing was billed");
    assert_eq!(world.balance("ar:payer").await.unwrap(), 60_000);
    let again = Command::Bill { claim: "CLM-2".into() };
    assert_eq!(world.on_service(other, again).await.unwrap().status, Status::Billed, "the same word again");
}

async fn asked(world: &mut World, number: usize) -> (PolicyId, Eligibility) {
    let patient = world.patient(number).await.unwrap();
    let policy = world.policy_of(patient.id, number).await.unwrap();
    (policy, world.check_of(patient.id, policy, number).await.unwrap())
}

async fn a_271_for_another_member_is_refused(mut world: World) {
    let (policy, check) = asked(&mut world, 0).await;
    let answer = world.payer_says_of(1);
    assert_eq!(refused(world.take_271(check.id, &answer).await).code, "answer_for_another_patient");
    let after = world.engine(0).eligibility(&world.organization, check.id).await.unwrap();
    assert_eq!((after.status, after.responsibility), (Checked::WaitingForServiceEligibility, None));
    let evidence = world.engine(0).policy(&world.organization, policy).await.unwrap().evidence;
    assert_eq!(evidence.as_deref(), Some("manual:front desk"), "nothing of it reached the policy");
}

async fn an_aaa_rejection_is_kept_with_its_code_and_a_hint(mut world: World) {
    let (policy, check) = asked(&mut world, 0).await;
    world.outside.at_payer("eligibility", &json!({ "answer": "unknown", "next": 1 })).unwrap();
    let answer = world.payer_says_of(0);
    let rejected = world.take_271(check.id, &answer).await.unwrap();
    let trouble = rejected.trouble.unwrap();
    assert_eq!(
        (rejected.status, trouble.code.as_str()),
        (Checked::PolicyError, "75"),
        "as the payer sent it"
    );
    assert!(!trouble.hint.is_empty());
    let policy = world.engine(0).policy(&world.organization, policy).await.unwrap();
    assert_eq!((policy.status, policy.code.as_deref()), (policy::Status::Invalid, Some("75")));
}

async fn a_payer_that_cannot_answer_says_whether_asking_again_helps(mut world: World) {
    let (policy, check) = asked(&mut world, 0).await;
    for (turn, code) in [("unable", "42"), ("slow", "80")] {
        world.outside.at_payer("eligibility", &json!({ "answer": turn, "next": 1 })).unwrap();
        let answer = world.payer_says_of(0);
        let failed = world.take_271(check.id, &answer).await.unwrap();
        let trouble = failed.trouble.unwrap();
        assert_eq!(
            (failed.status, trouble.code.as_str(), trouble.retryable),
            (Checked::ServerError, code, true)
        );
        let policy = world.engine(0).policy(&world.organization, policy).await.unwrap();
        assert_eq!(policy.status, policy::Status::Confirmed, "a slow payer makes no policy invalid");
    }
    world.clock.jump(MINUTE);
    world.engine(0).reopen_eligibility(&world.caller(), check.id).await.unwrap();
    world.settle().await.unwrap();
    let answer = world.payer_says_of(0);
    let check = world.take_271(check.id, &answer).await.unwrap();
    assert_eq!((check.status, check.trouble), (Checked::Eligible, None));
}

async fn a_check_without_an_answer_times_out_after_fifteen_minutes_and_may_be_answered_later(
    mut world: World,
) {
    let (_, check) = asked(&mut world, 0).await;
    world.pass(15 * MINUTE - 1).await.unwrap();
    let waits = world.engine(0).eligibility(&world.organization, check.id).await.unwrap();
    assert_eq!(waits.status, Checked::WaitingForServiceEligibility);
    world.pass(1).await.unwrap();
    let late = world.engine(0).eligibility(&world.organization, check.id).await.unwrap();
    assert_eq!((late.status, late.trouble.unwrap().retryable), (Checked::Timeout, true));
    let answer = world.payer_says_of(0);
    assert_eq!(world.take_271(check.id, &answer).await.unwrap().status, Checked::Eligible);
}

async fn coverage_that_lapsed_72_hours_before_turns_amber_and_cancels_nothing(mut world: World) {
    let (_, check) = asked(&mut world, 0).await;
    let answer = world.payer_says_of(0);
    let check = world.take_271(check.id, &answer).await.unwrap();
    let new = NewService {
        patient: check.patient,
        eligibility: Some(check.id),
        at: Some(Timestamp::from_millis(world.clock.millis() + 10 * DAY)),
        currency: Money::usd(0).currency,
        account: None,
    };
    let service = world.engine(0).create_service(&world.caller(), new).await.unwrap().id;
    world.pass(7 * DAY).await.unwrap();
    assert_eq!(world.service(service).await.unwrap().coverage, Some(CoverageStatus::Revalidating));
    // A payer that is slow again turns nothing red; one that says no does.
    world.pass(15 * MINUTE).await.unwrap();
    let slow = world.engine(0).eligibility(&world.organization, check.id).await.unwrap();
    assert_eq!(slow.status, Checked::Timeout);
    world.outside.at_payer("eligibility", &json!({ "answer": "inactive", "next": 1 })).unwrap();
    let answer = world.payer_says_of(0);
    world.take_271(check.id, &answer).await.unwrap();
    let amber = world.service(service).await.unwrap();
    assert_eq!((amber.coverage, amber.status), (Some(CoverageStatus::InvalidCoverage), Status::Scheduled));
}
