//! The engine: what it is made of, and how it is opened.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use suture_core::audit::seal::SealingKey;
use suture_core::explain::{Actor, Reason};
use suture_core::id::Random;
use suture_core::redact::Secret;
use suture_core::time::Timestamp;
use suture_flow::compiled::Compiled;
use suture_store::{Store, connections};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::Error;
use crate::change::{Change, Held, Order};
use crate::connections::{Connections, Open};
use crate::handoff::{Slot, Slots};
use crate::metrics::Metrics;
use crate::notices::{Notices, Office};
use crate::outward::Outward;
use crate::ports::{Clock, Transport};

/// What an engine is made of.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random bits for ids.
    pub random: Arc<dyn Random>,
    /// The way out.
    pub transport: Arc<dyn Transport>,
    /// The flows that run, compiled.
    pub flows: Vec<Compiled>,
    /// The key that seals the audit trail.
    pub sealing_key: SealingKey,
    /// A name for this process that no other has: leases carry it.
    pub node: String,
    /// How many effects this process holds in memory; 0: every effect is claimed from the database.
    pub slots: usize,
    /// Settings.
    pub settings: Settings,
}

/// Settings of the engine.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The time limit of a request to another system.
    pub request_limit: Duration,
    /// How often the audit trail is sealed.
    pub seal_every: Duration,
    /// The connection that facts are posted to; the only Epic connection when absent.
    pub ehr: Option<String>,
    /// How balances are settled.
    pub billing: Billing,
    /// How messages reach people.
    pub notices: Notices,
}

/// How balances are settled.
#[derive(Debug, Clone)]
pub struct Billing {
    /// Whether settled services get an invoice at the gateway that keeps the patient's customer (FEATURES M141).
    pub invoices: bool,
    /// How long after the notice what is left is charged to the method on file, under its consent (M326); `None`: staff
    /// charge it.
    pub collect_after: Option<Duration>,
    /// What is left is given up by rule when it is below this, in minor units (FLOWS 5h): gateways refuse such charges.
    pub small_balance_minor: i64,
}

impl Default for Billing {
    fn default() -> Self {
        // Stripe's smallest charge in US dollars is 0.50 (Stripe facts §i).
        Self { invoices: true, collect_after: None, small_balance_minor: 50 }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            request_limit: Duration::from_secs(25),
            seal_every: Duration::from_secs(60),
            ehr: None,
            billing: Billing::default(),
            notices: Notices::default(),
        }
    }
}

/// The engine. Cheap to clone.
#[derive(Clone)]
pub struct Engine(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) flows: Arc<BTreeMap<String, Arc<Compiled>>>,
    /// By gateway, computed once: flows do not change while an engine runs.
    pub(crate) wanted: RwLock<BTreeMap<String, Arc<Wanted>>>,
    pub(crate) sealing_key: SealingKey,
    pub(crate) slots: Slots,
    pub(crate) settings: Settings,
    pub(crate) metrics: Metrics,
    pub(crate) connections: RwLock<Arc<Connections>>,
    /// Wakes the claimer: an effect may be due. A hint; polling is the truth.
    pub(crate) wake: Notify,
    pub(crate) handoff: mpsc::UnboundedSender<InHand>,
    pub(crate) inbound: Mutex<Option<mpsc::UnboundedReceiver<InHand>>>,
    /// Callers that wait for an effect to end, by effect id.
    pub(crate) waiting: Mutex<BTreeMap<String, Vec<oneshot::Sender<()>>>>,
    /// Browser secrets of payments that were just made. Never stored.
    pub(crate) client_secrets: Mutex<BTreeMap<String, Secret<String>>>,
    pub(crate) outward: Outward,
    pub(crate) office: Arc<Office>,
    /// The practices of organizations, as read last.
    pub(crate) practices: RwLock<BTreeMap<String, Arc<crate::scheduling::Practice>>>,
}

/// Flows by name, with the kinds of facts that each wants.
pub(crate) type Wanted = Vec<(String, BTreeSet<String>)>;

/// An effect in memory, with what was already read for it.
pub(crate) struct InHand {
    pub(crate) held: Held,
    pub(crate) read: Option<Box<crate::intake::Read>>,
}

impl Engine {
    /// Opens an engine on a store.
    ///
    /// # Errors
    /// [`Error::Store`] when connections cannot be read.
    pub async fn open(parts: Parts) -> Result<Self, Error> {
        let (handoff, inbound) = mpsc::unbounded_channel();
        let flows = parts.flows.into_iter().map(|flow| (flow.name().to_owned(), Arc::new(flow)));
        let flows = Arc::new(flows.collect());
        let keyring = parts.store.keyring().clone();
        let settings = (parts.settings.notices.clone(), parts.settings.billing.collect_after);
        let office = Office::new(keyring, &parts.sealing_key, settings);
        let engine = Self(Arc::new(Inner {
            store: parts.store,
            clock: parts.clock,
            random: parts.random,
            transport: parts.transport,
            flows,
            wanted: RwLock::default(),
            sealing_key: parts.sealing_key,
            slots: Slots::new(&parts.node, parts.slots),
            settings: parts.settings,
            metrics: Metrics::default(),
            connections: RwLock::default(),
            wake: Notify::new(),
            handoff,
            inbound: Mutex::new(Some(inbound)),
            waiting: Mutex::default(),
            client_secrets: Mutex::default(),
            outward: Outward::default(),
            office: Arc::new(office),
            practices: RwLock::default(),
        }));
        engine.reload_connections().await?;
        engine.reload_endpoints().await?;
        Ok(engine)
    }

    /// The store, for reading.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Counters and gauges.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// The source of random bits for ids.
    #[must_use]
    pub fn random(&self) -> &dyn Random {
        self.0.random.as_ref()
    }

    /// The public key that seals verify with, 64 hexadecimal digits.
    #[must_use]
    pub fn public_key(&self) -> String {
        self.0.sealing_key.public_key_hex()
    }

    /// Opens connections again after they changed.
    pub(crate) async fn reload_connections(&self) -> Result<(), Error> {
        let keyring = self.0.store.keyring().clone();
        let stored: Vec<connections::Connection> =
            self.0.store.read(move |tx| connections::list(tx, &keyring).map_err(Error::from)).await?;
        let opened = Connections::open(&stored, &self.connections());
        if let Ok(mut connections) = self.0.connections.write() {
            *connections = Arc::new(opened);
        }
        Ok(())
    }

    pub(crate) fn connections(&self) -> Arc<Connections> {
        self.0.connections.read().map(|connections| connections.clone()).unwrap_or_default()
    }

    /// An open connection.
    pub(crate) fn connection(&self, id: &str) -> Result<Arc<Open>, Error> {
        let connections = self.connections();
        if let Some((_, problem)) = connections.broken.get(id) {
            return Err(Error::Connection { connection: id.to_owned(), problem: problem.clone() });
        }
        connections.open.get(id).cloned().ok_or_else(|| Error::not_found("connection", id))
    }

    /// The flows that a gateway's facts run, with the kinds of facts that each wants.
    pub(crate) fn flows_for(&self, gateway: &str) -> Arc<Wanted> {
        if let Some(known) = self.0.wanted.read().ok().and_then(|wanted| wanted.get(gateway).cloned()) {
            return known;
        }
        let wants = |flow: &Compiled| {
            let (source, kinds) = flow.trigger();
            (source == gateway).then(|| (flow.name().to_owned(), kinds.iter().cloned().collect()))
        };
        let found: Arc<Wanted> = Arc::new(self.0.flows.values().filter_map(|flow| wants(flow)).collect());
        if let Ok(mut wanted) = self.0.wanted.write() {
            wanted.insert(gateway.to_owned(), found.clone());
        }
        found
    }

    /// A stream's state as known now.
    pub(crate) async fn state<M: crate::change::Machine + Send + 'static>(
        &self,
        organization: &str,
        stream: &str,
    ) -> Result<M, Error> {
        let (organization, id) = (organization.to_owned(), stream.to_owned());
        let found = self
            .0
            .store
            .read(move |tx| suture_store::journal::load::<M>(tx, &organization, &id).map_err(Error::from))
            .await?;
        found.map(|found| found.state).ok_or_else(|| Error::not_found(M::KIND, stream))
    }

    /// An order by the system itself.
    pub(crate) fn order(&self, organization: &str, who: &str, reason: &'static str) -> Order {
        Order {
            organization: organization.to_owned(),
            actor: Actor::System(who.to_owned()),
            reason: Reason::of(reason),
            now: self.now(),
        }
    }

    /// Runs one change in one transaction, again when another change came first, and hands over the effects it holds.
    pub(crate) async fn apply<T, F>(&self, lane: &str, order: Order, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Fn(&mut Change<'_, '_>) -> Result<T, Error> + Send + Sync + 'static,
    {
        self.apply_in(lane, order, self.0.slots.slot(), work).await.map(|(value, held)| {
            self.hand_over(held);
            value
        })
    }

    /// As [`apply`](Self::apply), for evidence of money. When what follows from it is refused, the evidence is stored without
    /// that, and a person is asked: a fact that was proven is never lost.
    pub(crate) async fn apply_evidence<T, F>(&self, lane: &str, order: Order, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Fn(&mut Change<'_, '_>) -> Result<T, Error> + Send + Sync + 'static,
    {
        let work = Arc::new(work);
        let whole = work.clone();
        match self.apply(lane, order.clone(), move |change| whole(change)).await {
            Err(Error::Refused(refusal)) => {
                let alone = move |change: &mut Change<'_, '_>| {
                    change.refused = Some(refusal.clone());
                    work(change)
                };
                self.apply(lane, order, alone).await
            }
            other => other,
        }
    }

    /// As [`apply`](Self::apply), and gives the effects it holds to the caller.
    pub(crate) async fn apply_in<T, F>(
        &self,
        lane: &str,
        order: Order,
        slot: Slot,
        work: F,
    ) -> Result<(T, Vec<Held>), Error>
    where
        T: Send + 'static,
        F: Fn(&mut Change<'_, '_>) -> Result<T, Error> + Send + Sync + 'static,
    {
        let mut tries = 0;
        let (organization, subscribers) = (order.organization.clone(), self.subscribers(&order.organization));
        let shared = Arc::new((order, slot, work, subscribers));
        loop {
            let (random, office, shared) = (self.0.random.clone(), self.0.office.clone(), shared.clone());
            let outcome = self
                .0
                .store
                .write_in_lane(lane_number(lane), move |tx| {
                    let (order, slot, work, subscribers) = shared.as_ref();
                    let mut change = Change::new(tx, order, (random.as_ref(), office.as_ref()), slot.clone())
                        .told_to(subscribers.clone());
                    let value = work(&mut change)?;
                    Ok::<_, Error>((value, change.held, change.unheld, change.touched))
                })
                .await;
            match outcome {
                Err(error) if error.is_conflict() && tries < CONFLICTS_MAX => tries += 1,
                Err(error) => return Err(error),
                Ok((value, held, unheld, touched)) => {
                    self.0.outward.tell(&organization, touched);
                    if unheld {
                        self.0.wake.notify_one();
                    }
                    return Ok((value, held));
                }
            }
        }
    }

    /// Goes on with effects that this process already holds.
    pub(crate) fn hand_over(&self, held: Vec<Held>) {
        self.0.slots.taken(held.len());
        for held in held {
            // The receiver lives as long as the engine; a row whose message is lost is claimed after its lease.
            let _ = self.0.handoff.send(InHand { held, read: None });
        }
    }
}

/// How often a change is decided again when others come first.
const CONFLICTS_MAX: u32 = 20;

/// Works of one aggregate go to one writer, so they do not wait for each other's row locks.
fn lane_number(lane: &str) -> usize {
    lane.bytes().fold(5381, |hash: usize, byte| hash.wrapping_mul(33) ^ usize::from(byte))
}
