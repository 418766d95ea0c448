//! The promises of the intake, told against the real program that is killed without a warning.
//!
//! What must stay true: what was acknowledged is never lost, becomes one fact, and is posted in Epic once.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::time::Duration;

use suture_core::posting::Status;
use suture_engine::Engine;

use crate::chance::Chance;
use crate::outside::Outside;
use crate::sender::{Events, Sender};
use crate::stage::{Stage, machine_millis};
use crate::wire::Connection;

#[path = "kills/chance.rs"]
mod chance;
#[path = "kills/outside.rs"]
mod outside;
#[path = "kills/payload.rs"]
mod payload;
#[path = "kills/sender.rs"]
mod sender;
#[path = "kills/server.rs"]
mod server;
#[path = "kills/stage.rs"]
mod stage;
#[path = "kills/wire.rs"]
mod wire;

const KILLS: usize = 200;
const SENDERS: usize = 3;
const SEED: u64 = 20_261_121;
/// More rows than any story makes.
const ALL: i64 = 1_000_000;

#[test]
fn no_acknowledged_webhook_is_lost_and_nothing_is_posted_twice_over_two_hundred_kills() {
    let begun = server::now();
    let runtime = tokio::runtime::Runtime::new().expect("the runtime starts");
    let (outside, address) = Outside::start(Chance::of(SEED));
    let stage = runtime.block_on(Stage::set("kills", address));
    let events = send_and_kill(&stage, &outside);
    let killed = begun.elapsed();
    let early = outside.books().accepted.len();
    runtime.block_on(async {
        let engine = stage.finish_work().await;
        assert_the_books_are_sound(&engine, &stage).await;
        assert_every_fact_is_whole(&engine, &stage, &events, &outside).await;
    });
    let books = outside.books();
    println!(
        "{KILLS} kills in {killed:?}, {:?} in all: {} events acknowledged in {} deliveries, {} cut off; {early} of {} \
         posted before the last kill; {} look-ups, {} fetches, {} answers withheld",
        begun.elapsed(),
        events.acknowledged.len(),
        events.deliveries,
        events.cut,
        books.accepted.len(),
        books.look_ups,
        books.fetches,
        books.hung_up,
    );
    assert!(events.acknowledged.len() > KILLS, "the story is about many events");
    assert!(events.cut > KILLS / 2, "most kills cut deliveries off");
    stage.clear();
}

#[test]
fn the_same_event_a_thousand_times_at_once_is_one_fact_one_posting_and_one_epic_post() {
    let runtime = tokio::runtime::Runtime::new().expect("the runtime starts");
    let (outside, address) = Outside::start(Chance::of(SEED));
    let stage = runtime.block_on(Stage::set("thousand", address));
    let mut server = stage.program.start();
    stage.program.wait_until_ready(&mut server);
    deliver_at_once(&stage, &outside, 50, 20);
    assert_eq!(deliveries_told_by_the_api(&stage), [(payload::event_id(0), 1_000)]);
    outside.wait_until_accepted(1);
    server.kill_after(Duration::ZERO);
    runtime.block_on(async {
        let engine = stage.finish_work().await;
        let organization = stage.organization.as_str();
        let payments = engine.payments(organization, "", ALL).await.expect("the store works");
        assert_eq!(payments.len(), 1);
        let entries = engine.ledger_entries(organization, "", ALL).await.expect("the store works");
        let keys: Vec<String> = entries.into_iter().map(|entry| entry.key).collect();
        assert_eq!(keys, [format!("capture:{}", payload::charge_id(0))]);
        let postings = engine.postings(organization, "", ALL).await.expect("the store works");
        assert_eq!(postings.iter().map(|posting| posting.status).collect::<Vec<_>>(), [Status::Confirmed]);
        assert_the_books_are_sound(&engine, &stage).await;
    });
    let books = outside.books();
    assert_eq!(books.accepted.len(), 1);
    assert_eq!(books.second_posts, Vec::<String>::new());
    drop(books);
    stage.clear();
}

/// Starts the server again and again, sends to it, and kills it at any moment, also before it is ready.
fn send_and_kill(stage: &Stage, outside: &Outside) -> Events {
    let mut chance = Chance::of(SEED ^ 1);
    let sender = Sender::new(stage, outside, Chance::of(SEED ^ 2));
    for _ in 0..KILLS {
        let mut server = stage.program.start();
        let moment = Duration::from_micros(chance.below(60_000));
        if chance.one_in(8) {
            server.kill_after(moment);
            continue;
        }
        stage.program.wait_until_ready(&mut server);
        std::thread::scope(|scope| {
            for _ in 0..SENDERS {
                scope.spawn(|| sender.send_until_cut());
            }
            server.kill_after(moment);
        });
    }
    sender.end()
}

/// Delivers one event over many connections at once, each so many times.
fn deliver_at_once(stage: &Stage, outside: &Outside, connections: usize, times: usize) {
    let created = machine_millis() / 1000;
    let charge = payload::charge(0, &stage.links[0], created);
    outside.charge(&payload::charge_id(0), &charge);
    let body = payload::charge_succeeded(0, &charge, created);
    let delivery = payload::delivery(&stage.path, &body, created);
    let start = Barrier::new(connections);
    std::thread::scope(|scope| {
        for _ in 0..connections {
            scope.spawn(|| {
                let mut connection = Connection::open(stage.program.address).expect("the server accepts");
                start.wait();
                for _ in 0..times {
                    assert_eq!(connection.exchange(&delivery).expect("it is answered").status(), 200);
                }
            });
        }
    });
}

/// Event ids and delivery counts as `GET /v1/messages` tells them.
fn deliveries_told_by_the_api(stage: &Stage) -> Vec<(String, i64)> {
    let request = format!(
        "GET /v1/messages HTTP/1.1\r\nhost: suture\r\nauthorization: Bearer {}\r\n\r\n",
        stage.key.expose()
    );
    let mut connection = Connection::open(stage.program.address).expect("the server accepts");
    let answer = connection.exchange(request.as_bytes()).expect("it is answered");
    assert_eq!(answer.status(), 200, "{}", String::from_utf8_lossy(&answer.body));
    let page: serde_json::Value = serde_json::from_slice(&answer.body).expect("it is JSON");
    let told = |message: &serde_json::Value| {
        let event = message["eventId"].as_str().expect("a message has an event");
        (event.to_owned(), message["deliveries"].as_i64().expect("a message has a count"))
    };
    page["items"].as_array().expect("it is a page").iter().map(told).collect()
}

/// Every acknowledged event is in the inbox, its charge in the ledger, in Epic and in the journal: once each.
async fn assert_every_fact_is_whole(engine: &Engine, stage: &Stage, events: &Events, outside: &Outside) {
    let organization = stage.organization.as_str();
    let messages = engine.messages(organization, i64::MAX, ALL).await.expect("the store works");
    let inbox = counted(messages.iter().map(|message| message.event_id.clone()));
    let entries = engine.ledger_entries(organization, "", ALL).await.expect("the store works");
    let ledger = counted(entries.iter().map(|entry| entry.key.clone()));
    let payments = engine.payments(organization, "", ALL).await.expect("the store works");
    let paid = counted(payments.iter().filter_map(|payment| payment.charge.clone()));
    let postings = engine.postings(organization, "", ALL).await.expect("the store works");
    let journal = counted(postings.iter().map(|posting| (posting.reference.clone(), posting.status.name())));
    let books = outside.books();
    for number in &events.acknowledged {
        let (event, charge) = (payload::event_id(*number), payload::charge_id(*number));
        let reference = format!("charge:{charge}");
        assert_eq!(inbox.get(&event), Some(&1), "{event} in the inbox");
        assert_eq!(paid.get(&charge), Some(&1), "payments of {charge}");
        assert_eq!(ledger.get(&format!("capture:{charge}")), Some(&1), "entries of {charge}");
        let posted = books.accepted.get(&reference).map(|transaction| transaction.amount.as_str());
        assert_eq!(posted, Some("120.00"), "{charge} in Epic");
        // Epic withholds some answers: when it does so to three look-ups in a row, "accepted" is all that can be said.
        let said = [Status::Confirmed, Status::Accepted];
        let told: usize =
            said.iter().filter_map(|status| journal.get(&(reference.clone(), status.name()))).copied().sum();
        assert_eq!(told, 1, "posting of {charge}");
    }
    assert_eq!(books.second_posts, Vec::<String>::new());
    // What was taken in but could not be acknowledged any more is as whole as the rest, and nothing else exists.
    let wholes = [inbox.len(), payments.len(), ledger.len(), postings.len(), books.accepted.len()];
    assert_eq!(wholes, [messages.len(); 5]);
}

/// Nothing waits, the ledger sums to zero, and the audit trail is unbroken.
async fn assert_the_books_are_sound(engine: &Engine, stage: &Stage) {
    assert_eq!(stage.undone(engine).await, Vec::<String>::new());
    let proof = engine.proof(&stage.organization, engine.now()).await.expect("the store works");
    assert!(proof.balanced && proof.lines > 0, "{proof:?}");
    let verdict = engine.verify_audit(&stage.organization).await.expect("the store works");
    assert!(verdict.intact, "{verdict:?}");
}

/// How often each is there.
fn counted<T: Ord>(all: impl Iterator<Item = T>) -> BTreeMap<T, usize> {
    let mut counts = BTreeMap::new();
    for one in all {
        *counts.entry(one).or_insert(0) += 1;
    }
    counts
}
