//! The one transaction: load streams, decide, append events, post to the ledger, follow reactions, insert effects.
//!
//! Every use case that changes something does it through a [`Change`], inside one `Store::write`. Invariant: events,
//! state, ledger and effects of one command are committed together or not at all.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use suture_core::appointment::{self, Appointment};
use suture_core::audit::chain::Hash;
use suture_core::debt::{self, Debt};
use suture_core::dispute::{self, Dispute};
use suture_core::eligibility::{self, Eligibility};
use suture_core::encounter::{self, Encounter};
use suture_core::estimate::{self, Estimate};
use suture_core::explain::{Actor, Care, Reason};
use suture_core::filing;
use suture_core::id::{Mint, Random};
use suture_core::intake::{self, Intake};
use suture_core::invoice::{self, Invoice};
use suture_core::ledger::Posting as LedgerPosting;
use suture_core::notice::{self, Notice};
use suture_core::order;
use suture_core::patient::{self, Patient};
use suture_core::payment::{self, Payment};
use suture_core::payout::{self, ProviderPayout};
use suture_core::period::{self, Period};
use suture_core::policy::{self, Policy};
use suture_core::posting::{self, Posting};
use suture_core::practice::{Clinic, ClinicEvent, Provider, ProviderEvent, VisitType, VisitTypeEvent};
use suture_core::refund::{self, Refund};
use suture_core::refusal::Refusal;
use suture_core::remittance::{self, Remittance};
use suture_core::service::{self, Service};
use suture_core::settlement::{self, Settlement};
use suture_core::time::Timestamp;
use suture_core::waiting::{self, Waiting};
use suture_store::effects::{self, Lease, NewEffect};
use suture_store::journal::{self, At, Cause, NewEvent};
use suture_store::{Tx, ledger};

use crate::Error;
use crate::endpoints::{Subscriber, announcements};
use crate::handoff::Slot;
use crate::notices::Office;

/// Who does it, why, and when.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    /// The tenant.
    pub organization: String,
    /// Who.
    pub actor: Actor,
    /// Why.
    pub reason: Reason,
    /// When.
    pub now: Timestamp,
}

/// A machine that lives in a stream.
pub(crate) trait Machine: Serialize + DeserializeOwned + Clone {
    /// Its events.
    type Event: Serialize;
    /// The kind of stream.
    const KIND: &'static str;
    /// The event's type in the journal.
    fn kind_of(event: &Self::Event) -> &'static str;
    /// The state after an event.
    fn after(state: Option<Self>, event: &Self::Event) -> Option<Self>;
    /// The ledger entries of an event.
    fn entries(
        _before: Option<&Self>,
        _event: &Self::Event,
    ) -> Result<Vec<LedgerPosting>, suture_core::ledger::Error> {
        Ok(Vec::new())
    }
}

macro_rules! machines {
    ($($state:ty, $event:ty, $kind:literal $(, $entries:path)?;)*) => {$(
        impl Machine for $state {
            type Event = $event;
            const KIND: &'static str = $kind;
            fn kind_of(event: &Self::Event) -> &'static str {
                event.kind()
            }
            fn after(state: Option<Self>, event: &Self::Event) -> Option<Self> {
                Self::evolve(state, event)
            }
            $(fn entries(
                before: Option<&Self>,
                event: &Self::Event,
            ) -> Result<Vec<LedgerPosting>, suture_core::ledger::Error> {
                $entries(before, event)
            })?
        }
    )*};
}

machines! {
    Payment, payment::Event, "payment", payment::postings;
    Debt, debt::Event, "debt", debt::postings;
    Refund, refund::Event, "refund";
    Dispute, dispute::Event, "dispute";
    Posting, posting::Event, "posting";
    Patient, patient::Event, "patient";
    Policy, policy::Event, "policy";
    Eligibility, eligibility::Event, "eligibility";
    Estimate, estimate::Event, "estimate";
    Service, service::Event, "service", service::postings;
    Invoice, invoice::Event, "invoice";
    Intake, intake::Event, "intake";
    Clinic, ClinicEvent, "clinic";
    Provider, ProviderEvent, "provider";
    VisitType, VisitTypeEvent, "visit_type";
    Appointment, appointment::Event, "appointment";
    Encounter, encounter::Event, "encounter";
    Waiting, waiting::Event, "waiting";
    Remittance, remittance::Event, "remittance", remittance::postings;
    ProviderPayout, payout::Event, "provider_payout", payout::postings;
    Notice, notice::Event, "notice";
    order::Order, order::Event, "order", order::postings;
    filing::Filing, filing::Event, "filing";
    Settlement, settlement::Event, "settlement", settlement::postings;
    Period, period::Event, "period";
}

/// A stream that is being changed.
pub(crate) struct Loaded<M> {
    /// The stream's id.
    pub(crate) stream: String,
    version: i64,
    head: Hash,
    /// The state, with all events so far.
    pub(crate) state: Option<M>,
    events: Vec<NewEvent>,
    postings: Vec<(i64, LedgerPosting)>,
}

impl<M: Machine> Loaded<M> {
    /// A stream that does not exist yet.
    pub(crate) fn fresh(stream: String) -> Self {
        Self { stream, version: 0, head: Hash::ZERO, state: None, events: Vec::new(), postings: Vec::new() }
    }

    /// The version after all events so far.
    pub(crate) fn version(&self) -> i64 {
        self.version + i64::try_from(self.events.len()).unwrap_or(0)
    }

    /// Takes an event in.
    pub(crate) fn record(&mut self, event: &M::Event) -> Result<(), Error> {
        let version = self.version() + 1;
        let unreadable = |_| suture_store::Error::Corrupt(format!("event of {}", self.stream));
        for posting in M::entries(self.state.as_ref(), event).map_err(|_| unreadable(()))? {
            self.postings.push((version, posting));
        }
        let body = serde_json::to_value(event).map_err(|_| unreadable(()))?;
        self.events.push(NewEvent { kind: M::kind_of(event), body });
        self.state = M::after(self.state.take(), event);
        Ok(())
    }
}

/// A running transaction with what it caused so far.
pub(crate) struct Change<'t, 'x> {
    /// The transaction.
    pub(crate) tx: &'t mut Tx<'x>,
    /// Who, why and when.
    pub(crate) order: &'t Order,
    /// Random bits for ids.
    pub(crate) random: &'t dyn Random,
    /// What messages need: keys, addresses of ours, rules.
    pub(crate) office: &'t Office,
    /// Effects that this process already holds and goes on with after the commit.
    pub(crate) held: Vec<Held>,
    /// Whether an effect is due now that nobody holds.
    pub(crate) unheld: bool,
    /// The service that is being settled in this transaction: what its payments cause does not settle it again.
    pub(crate) settling: Option<String>,
    /// What follows from evidence was refused: the evidence is stored alone, and a person is asked.
    pub(crate) refused: Option<Refusal>,
    /// Objects that changed, for watchers.
    pub(crate) touched: Vec<String>,
    /// Who of this organization wants to hear of events.
    subscribers: Option<Arc<Vec<Subscriber>>>,
    slot: Slot,
}

/// An effect that was inserted leased to this process.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    /// The lease.
    pub(crate) lease: Lease,
    /// The effect as inserted.
    pub(crate) effect: NewEffect,
    /// Until when it is leased.
    pub(crate) until: Timestamp,
}

impl<'t, 'x> Change<'t, 'x> {
    /// Begins to change. `slot` says whether effects may be leased to this process at once.
    pub(crate) fn new(
        tx: &'t mut Tx<'x>,
        order: &'t Order,
        (random, office): (&'t dyn Random, &'t Office),
        slot: Slot,
    ) -> Self {
        Self {
            tx,
            order,
            random,
            office,
            held: Vec::new(),
            unheld: false,
            settling: None,
            refused: None,
            touched: Vec::new(),
            subscribers: None,
            slot,
        }
    }

    /// The same, announcing events to these.
    pub(crate) fn told_to(self, subscribers: Option<Arc<Vec<Subscriber>>>) -> Self {
        Self { subscribers, ..self }
    }

    /// Does a part of the work for another reason than the order's: a rule's, not the caller's.
    pub(crate) fn because<T>(
        &mut self,
        actor: &str,
        reason: &'static str,
        work: impl FnOnce(&mut Change<'_, 'x>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let order = Order {
            actor: Actor::System(actor.to_owned()),
            reason: Reason::of(reason),
            ..self.order.clone()
        };
        let mut inner = Change {
            tx: &mut *self.tx,
            order: &order,
            random: self.random,
            office: self.office,
            held: Vec::new(),
            unheld: false,
            settling: self.settling.clone(),
            refused: self.refused.clone(),
            touched: Vec::new(),
            subscribers: self.subscribers.clone(),
            slot: self.slot.clone(),
        };
        let value = work(&mut inner)?;
        let (held, unheld, touched) = (inner.held, inner.unheld, inner.touched);
        self.held.extend(held);
        self.touched.extend(touched);
        self.unheld |= unheld;
        Ok(value)
    }

    /// Loads a stream that must exist.
    pub(crate) fn existing<M: Machine>(&mut self, stream: &str) -> Result<(Loaded<M>, M), Error> {
        let loaded = self.load::<M>(stream)?;
        match loaded.state.clone() {
            Some(state) => Ok((loaded, state)),
            None => Err(Error::not_found(M::KIND, stream)),
        }
    }

    /// Records events on a stream and saves it.
    pub(crate) fn record_all<M: Machine>(
        &mut self,
        loaded: &mut Loaded<M>,
        events: &[M::Event],
        care: &Care,
    ) -> Result<(), Error> {
        for event in events {
            loaded.record(event)?;
        }
        self.save(loaded, care)
    }

    /// The mint for ids.
    pub(crate) fn mint(&self) -> Mint<'_> {
        Mint::new(self.order.now, self.random)
    }

    /// Loads a stream to change it.
    pub(crate) fn load<M: Machine>(&mut self, stream: &str) -> Result<Loaded<M>, Error> {
        let mut loaded = Loaded::fresh(stream.to_owned());
        if let Some(found) = journal::load::<M>(self.tx, &self.order.organization, stream)? {
            loaded.version = found.version;
            loaded.head = found.head;
            loaded.state = Some(found.state);
        }
        Ok(loaded)
    }

    /// Stores what was recorded on a stream, with its ledger entries.
    pub(crate) fn save<M: Machine>(&mut self, loaded: &mut Loaded<M>, care: &Care) -> Result<(), Error> {
        let Some(state) = loaded.state.as_ref().filter(|_| !loaded.events.is_empty()) else { return Ok(()) };
        let organization = &self.order.organization;
        let cause = Cause {
            actor: self.order.actor.clone(),
            reason: self.order.reason.clone(),
            care: care.clone(),
            at: self.order.now,
        };
        let at = At {
            organization,
            stream: &loaded.stream,
            kind: M::KIND,
            version: loaded.version,
            head: loaded.head,
        };
        let from = (loaded.stream.as_str(), loaded.version);
        let announced = announcements(self.subscribers.as_deref(), from, &loaded.events, self.order.now);
        let (version, head) =
            journal::append(self.tx, at, std::mem::take(&mut loaded.events), &cause, state)?;
        for (version, posting) in loaded.postings.drain(..) {
            ledger::post(self.tx, organization, &posting, (&loaded.stream, version), self.order.now)?;
        }
        for effect in announced {
            // Left to the claimer: a slow receiver must not take the room of money's effects in memory.
            effects::insert(self.tx, organization, &effect, self.order.now)?;
            self.unheld = true;
        }
        self.touched.push(loaded.stream.clone());
        loaded.version = version;
        loaded.head = head;
        Ok(())
    }

    /// Remembers which stream a key belongs to, unless it belongs to one already: then says so. Two at once conflict when
    /// they commit, and the one that tries again finds the other.
    pub(crate) fn claim_key(&mut self, key: &str, stream: &str) -> Result<Option<String>, Error> {
        let organization = &self.order.organization;
        if let Some(owner) = journal::referred(self.tx, organization, key)? {
            return Ok(Some(owner));
        }
        journal::refer(self.tx, organization, key, stream)?;
        Ok(None)
    }

    /// Inserts an effect unless it exists: the same word may come twice.
    pub(crate) fn effect_once(&mut self, effect: NewEffect) -> Result<(), Error> {
        match effects::get(self.tx, &self.order.organization, &effect.id)? {
            Some(_) => Ok(()),
            None => self.effect(effect),
        }
    }

    /// Inserts an effect. One that is due now is leased to this process when there is room, so that it need not be
    /// claimed after the commit.
    pub(crate) fn effect(&mut self, effect: NewEffect) -> Result<(), Error> {
        let now = self.order.now;
        let organization = &self.order.organization;
        match self.slot.lease(now).filter(|_| effect.due_at <= now) {
            Some((owner, until)) => {
                if let Some(lease) =
                    effects::insert_leased(self.tx, organization, &effect, now, (&owner, until))?
                {
                    self.held.push(Held { lease, effect, until });
                }
            }
            None => effects::insert(self.tx, organization, &effect, now)?,
        }
        Ok(())
    }
}
