//! A thousand patients want one slot at the same moment (FLOWS 1g): one has it, the others are told at once, and nobody is
//! charged.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use suture_core::appointment::{Appointment, Status};
use suture_core::id::PatientId;
use suture_core::time::Timestamp;
use suture_core::visit::Timing;
use suture_engine::billing::NewPatient;
use suture_engine::scheduling::Select;
use suture_engine::{Caller, Engine, Error};
use suture_sim::world::{Desk, Setup, World};

const PATIENTS: usize = 1_000;
/// Beside the outcome, releases on SQLite must decide within this.
const LIMIT: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_at_once_one_holds_the_slot_on_sqlite() {
    let took = race("sqlite").await;
    assert!(cfg!(debug_assertions) || took <= LIMIT, "decided after {took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_at_once_one_holds_the_slot_on_postgres() {
    race("postgres").await;
}

async fn race(store: &str) -> Duration {
    let mut world = World::open(Setup { nodes: 2, ..Setup::on(store) }).await.unwrap();
    let desk = world.practice(Timing::DepositToBook, |_, _, _| {}).await.unwrap();
    let starts_at = world.opening(desk, 120).await.unwrap();
    let (engines, caller) = ([world.engine(0).clone(), world.engine(1).clone()], world.caller());
    let patients = admit(&engines, &caller).await;
    #[expect(clippy::disallowed_methods, reason = "this test measures")]
    let begun = Instant::now();
    let selecting = patients.iter().enumerate().map(|(number, patient)| {
        let (engine, caller) = (engines[number % 2].clone(), caller.clone());
        let select = wanted(desk, *patient, starts_at);
        tokio::spawn(async move { engine.select_slot(&caller, select).await })
    });
    let selecting: Vec<_> = selecting.collect();
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    let mut winner: Option<Appointment> = None;
    for answer in selecting {
        match answer.await.unwrap() {
            Ok(held) => winner = Some(held),
            Err(Error::Refused(refusal)) => *outcomes.entry(refusal.code.to_owned()).or_default() += 1,
            Err(error) => *outcomes.entry(error.to_string()).or_default() += 1,
        }
    }
    let took = begun.elapsed();
    println!("{PATIENTS} selections of one slot were decided in {took:?} on {store}");
    assert_eq!(outcomes, BTreeMap::from([("slot_taken".to_owned(), PATIENTS - 1)]));
    let winner = winner.unwrap();
    assert_eq!((winner.status, winner.context.starts_at), (Status::PendingPayment, starts_at));
    assert!(world.payments().await.unwrap().is_empty(), "nobody's money was touched");
    assert!(world.at_stripe("payment_intents").is_empty());
    let next = world.opening(desk, 120).await.unwrap();
    assert!(next > starts_at, "the slot is held");
    took
}

async fn admit(engines: &[Engine; 2], caller: &Caller) -> Vec<PatientId> {
    let admitting = (0..PATIENTS).map(|number| {
        let (engine, caller) = (engines[number % 2].clone(), caller.clone());
        let external = BTreeMap::from([("epic".to_owned(), format!("eRace{number}"))]);
        let new = NewPatient { external, personal: Vec::new(), customer_at: Vec::new() };
        tokio::spawn(async move { engine.create_patient(&caller, new).await })
    });
    let admitting: Vec<_> = admitting.collect();
    let mut patients = Vec::with_capacity(PATIENTS);
    for patient in admitting {
        patients.push(patient.await.unwrap().unwrap().id);
    }
    patients
}

fn wanted(desk: Desk, patient: PatientId, starts_at: Timestamp) -> Select {
    Select {
        patient,
        provider: desk.provider,
        visit_type: desk.visit_type,
        starts_at,
        zone: None,
        eligibility: None,
        account: None,
        emergency: false,
    }
}
