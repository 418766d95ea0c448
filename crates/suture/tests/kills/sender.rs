//! The gateway's side of webhooks: sends events, remembers which were acknowledged, and sends the others again.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use crate::chance::Chance;
use crate::outside::Outside;
use crate::payload;
use crate::stage::{Stage, machine_millis};
use crate::wire::Connection;

/// Events on their way.
pub(crate) struct Sender<'a> {
    stage: &'a Stage,
    outside: &'a Outside,
    events: Mutex<Events>,
}

/// What is known about the events.
pub(crate) struct Events {
    /// Numbers of events that were answered with 200, each once however often it was.
    pub(crate) acknowledged: BTreeSet<usize>,
    /// Deliveries that were answered with 200.
    pub(crate) deliveries: usize,
    /// Deliveries that were cut off.
    pub(crate) cut: usize,
    bodies: Vec<Arc<Vec<u8>>>,
    again: Vec<usize>,
    chance: Chance,
}

impl<'a> Sender<'a> {
    /// A sender without events yet.
    pub(crate) fn new(stage: &'a Stage, outside: &'a Outside, chance: Chance) -> Self {
        let events = Events {
            acknowledged: BTreeSet::new(),
            deliveries: 0,
            cut: 0,
            bodies: Vec::new(),
            again: Vec::new(),
            chance,
        };
        Self { stage, outside, events: Mutex::new(events) }
    }

    /// Sends one event after the other over one connection until it is cut.
    pub(crate) fn send_until_cut(&self) {
        let Ok(mut connection) = Connection::open(self.stage.program.address) else { return };
        loop {
            let (number, body) = self.next();
            let delivery = payload::delivery(&self.stage.path, &body, machine_millis() / 1000);
            let answer = connection.exchange(&delivery);
            let mut events = self.events.lock().expect("no sender panicked");
            match answer {
                Ok(answer) if answer.status() == 200 => {
                    events.deliveries += 1;
                    events.acknowledged.insert(number);
                    // Gateways sometimes deliver again what was acknowledged.
                    if events.chance.one_in(10) {
                        events.again.push(number);
                    }
                }
                Ok(answer) => panic!(
                    "a delivery was answered with {}: {}",
                    answer.first_line,
                    String::from_utf8_lossy(&answer.body)
                ),
                Err(_) => {
                    events.cut += 1;
                    events.again.push(number);
                    return;
                }
            }
        }
    }

    /// What became of the events.
    pub(crate) fn end(self) -> Events {
        self.events.into_inner().expect("no sender panicked")
    }

    /// An event that must be sent again, or a new one.
    fn next(&self) -> (usize, Arc<Vec<u8>>) {
        let mut events = self.events.lock().expect("no sender panicked");
        if let Some(number) = events.again.pop() {
            return (number, events.bodies[number].clone());
        }
        let number = events.bodies.len();
        let created = machine_millis() / 1000;
        let charge = payload::charge(number, &self.stage.links[number % self.stage.links.len()], created);
        self.outside.charge(&payload::charge_id(number), &charge);
        let body = Arc::new(payload::charge_succeeded(number, &charge, created));
        events.bodies.push(body.clone());
        (number, body)
    }
}
