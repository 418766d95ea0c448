//! Use cases of the audit trail: verify all of it, export it for others to verify, tell the story of one payment.

use std::collections::BTreeMap;
use std::io::Write;

use serde::Serialize;
use suture_core::appointment::Appointment;
use suture_core::audit::chain::{Entry, Hash};
use suture_core::audit::seal::{Leaf, Seal};
use suture_core::audit::verify::{Broken, Verified, Verifier};
use suture_core::debt::Debt;
use suture_core::dispute::Dispute;
use suture_core::eligibility::Eligibility;
use suture_core::encounter::Encounter;
use suture_core::estimate::Estimate;
use suture_core::filing::Filing;
use suture_core::intake::Intake;
use suture_core::invoice::Invoice;
use suture_core::ledger::Posting as LedgerPosting;
use suture_core::notice::Notice;
use suture_core::order::Order;
use suture_core::patient::Patient;
use suture_core::payment::Payment;
use suture_core::payout::ProviderPayout;
use suture_core::period::Period;
use suture_core::policy::Policy;
use suture_core::posting::Posting;
use suture_core::practice::{Clinic, Provider, VisitType};
use suture_core::refund::Refund;
use suture_core::remittance::Remittance;
use suture_core::service::Service;
use suture_core::settlement::Settlement;
use suture_core::waiting::Waiting;
use suture_store::journal::{self, Stored};
use suture_store::{ledger, seals};

use crate::Error;
use crate::change::Machine;
use crate::engine::Engine;

/// What a verification found.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    /// Whether everything fits.
    pub intact: bool,
    /// The first thing that does not, by name.
    pub broken: Option<String>,
    /// Entries checked.
    pub entries: u64,
    /// Streams checked.
    pub streams: u64,
    /// Seals checked.
    pub seals: u64,
    /// Entries that no seal covers yet.
    pub unsealed: u64,
    /// Ledger entries checked against the events that cause them.
    pub ledger_entries: u64,
}

/// How many rows one read takes.
const CHUNK: i64 = 5_000;

/// What replaying the journal gives, to compare with what is stored.
#[derive(Default)]
struct Replay {
    states: BTreeMap<String, State>,
    postings: BTreeMap<String, (String, i64, LedgerPosting)>,
}

/// The state of a stream of any machine: every machine that lives in a stream is replayed.
macro_rules! replayed {
    ($($machine:ident),*) => {
        enum State {
            $($machine(Box<Option<$machine>>),)*
        }

        impl State {
            fn fresh(kind: &str) -> Option<Self> {
                $(if kind == <$machine as Machine>::KIND {
                    return Some(Self::$machine(Box::new(None)));
                })*
                None
            }

            /// Takes an entry in. Says what it means for the ledger; nothing when it is no event of this machine.
            fn take(&mut self, entry: &Entry) -> Option<Vec<LedgerPosting>> {
                match self {
                    $(Self::$machine(state) => step::<$machine, <$machine as Machine>::Event>(state, entry),)*
                }
            }

            fn json(&self) -> Option<serde_json::Value> {
                match self {
                    $(Self::$machine(state) => serde_json::to_value(state),)*
                }
                .ok()
            }
        }
    };
}

replayed! {
    Payment, Debt, Refund, Dispute, Posting, Patient, Policy, Eligibility, Estimate, Service, Invoice, Remittance,
    ProviderPayout, Notice, Clinic, Provider, VisitType, Appointment, Encounter, Waiting, Intake, Order, Filing,
    Settlement, Period
}

impl Engine {
    /// Checks the whole trail: every hash, every seal, replay = state, and ledger = events.
    ///
    /// # Errors
    /// [`Error::Store`] when it cannot be read. A broken trail is not an error but a verdict.
    pub async fn verify_audit(&self, organization: &str) -> Result<Verdict, Error> {
        let (organization, public_key) = (organization.to_owned(), self.public_key());
        self.0.store.read_long(move |tx| verify(tx, &organization, &public_key)).await
    }

    /// Writes the trail as NDJSON: a line per entry with its hash, a line per seal with its leaves. A verifier needs this
    /// and the public key, nothing else.
    ///
    /// # Errors
    /// [`Error::Store`] when it cannot be read or written.
    pub async fn export_audit<W: Write + Send + 'static>(
        &self,
        organization: &str,
        mut out: W,
    ) -> Result<W, Error> {
        let mut position = 0;
        loop {
            let of = organization.to_owned();
            let chunk: Vec<Stored> = self
                .0
                .store
                .read_long(move |tx| journal::list_since(tx, &of, position, CHUNK).map_err(Error::from))
                .await?;
            let Some(last) = chunk.last() else { break };
            position = last.position;
            for stored in &chunk {
                line(&mut out, &ExportLine::Entry { entry: &stored.entry, hash: stored.hash })?;
            }
        }
        let of = organization.to_owned();
        let sealed = self.0.store.read_long(move |tx| all_seals(tx, &of)).await?;
        for (seal, leaves) in &sealed {
            line(&mut out, &ExportLine::Seal { seal, leaves })?;
        }
        Ok(out)
    }

    /// The journal of a stream and what it led to: a payment with its refunds, disputes and postings, in order of time.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn chain_of(&self, organization: &str, payment: &str) -> Result<Vec<Stored>, Error> {
        let (organization, stream) = (organization.to_owned(), payment.to_owned());
        let id = stream.clone();
        let connections = self.posting_connections();
        let mut chain = self
            .0
            .store
            .read_long(move |tx| {
                let mut chain = journal::list_stream(tx, &organization, &stream)?;
                for related in related_streams(tx, &organization, &connections, &chain)? {
                    chain.extend(journal::list_stream(tx, &organization, &related)?);
                }
                Ok::<_, Error>(chain)
            })
            .await?;
        if chain.is_empty() {
            return Err(Error::not_found("payment", &id));
        }
        chain.sort_by_key(|stored| stored.position);
        Ok(chain)
    }
}

/// One line of an export.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ExportLine<'a> {
    Entry { entry: &'a Entry, hash: Hash },
    Seal { seal: &'a Seal, leaves: &'a [Leaf] },
}

fn line(out: &mut impl Write, content: &ExportLine<'_>) -> Result<(), Error> {
    let failed =
        |cause: String| Error::Store(suture_store::Error::Database { operation: "export".to_owned(), cause });
    serde_json::to_writer(&mut *out, content).map_err(|error| failed(error.to_string()))?;
    out.write_all(b"\n").map_err(|error| failed(error.to_string()))
}

fn all_seals(tx: &mut suture_store::Tx<'_>, organization: &str) -> Result<Vec<(Seal, Vec<Leaf>)>, Error> {
    let mut all = Vec::new();
    loop {
        let after = all.last().map_or(0, |(seal, _): &(Seal, Vec<Leaf>)| seal.number);
        let chunk = seals::list(tx, organization, after, 500)?;
        if chunk.is_empty() {
            return Ok(all);
        }
        for seal in chunk {
            let leaves = seals::leaves(tx, organization, seal.number)?;
            all.push((seal, leaves));
        }
    }
}

/// Streams that a payment's events name: its debt, refunds, disputes and postings.
fn related_streams(
    tx: &mut suture_store::Tx<'_>,
    organization: &str,
    connections: &[String],
    chain: &[Stored],
) -> Result<Vec<String>, Error> {
    let mut related = Vec::new();
    let connection =
        chain.first().and_then(|stored| stored.entry.body["connection"].as_str()).unwrap_or_default();
    for stored in chain {
        let body = &stored.entry.body;
        for name in ["debt", "refund_id"] {
            related.extend(body[name].as_str().map(ToOwned::to_owned));
        }
        if let Some(dispute) = body["dispute"].as_str() {
            related.extend(journal::referred(
                tx,
                organization,
                &crate::facts::reference(connection, dispute),
            )?);
        }
        for (name, prefix) in [("charge", "charge:"), ("refund", "refund:")] {
            let Some(object) = body[name].as_str() else { continue };
            related.extend(crate::queries::posting_streams(
                tx,
                organization,
                connections,
                &format!("{prefix}{object}"),
            )?);
        }
    }
    related.sort();
    related.dedup();
    Ok(related)
}

fn verify(tx: &mut suture_store::Tx<'_>, organization: &str, public_key: &str) -> Result<Verdict, Error> {
    let mut verifier = Verifier::default();
    let mut replay = Replay::default();
    let mut position = 0;
    loop {
        let chunk = match journal::list_since(tx, organization, position, CHUNK) {
            Ok(chunk) => chunk,
            Err(suture_store::Error::Corrupt(what)) => {
                return Ok(broken(format!("{what} cannot be read"), &verifier));
            }
            Err(error) => return Err(error.into()),
        };
        let Some(last) = chunk.last() else { break };
        position = last.position;
        for stored in &chunk {
            if let Err(found) = verifier.entry(&stored.entry, stored.hash) {
                return Ok(broken(found.to_string(), &verifier));
            }
            if let Err(found) = replay.take(&stored.entry) {
                return Ok(broken(found, &verifier));
            }
        }
    }
    let sealed = match all_seals(tx, organization) {
        Ok(sealed) => sealed,
        Err(Error::Store(suture_store::Error::Corrupt(what))) => {
            return Ok(broken(format!("{what} cannot be read"), &verifier));
        }
        Err(error) => return Err(error),
    };
    let verified: Result<Verified, Broken> = verifier.seals(&sealed, public_key);
    let verified = match verified {
        Ok(verified) => verified,
        Err(found) => return Ok(broken(found.to_string(), &verifier)),
    };
    if let Some(found) = compare_states(tx, organization, &verifier, &replay)? {
        return Ok(broken(found, &verifier));
    }
    if let Some(found) = compare_ledger(tx, organization, &replay)? {
        return Ok(broken(found, &verifier));
    }
    Ok(Verdict {
        intact: true,
        broken: None,
        entries: verified.entries,
        streams: verified.streams,
        seals: verified.seals,
        unsealed: verified.unsealed,
        ledger_entries: u64::try_from(replay.postings.len()).unwrap_or(u64::MAX),
    })
}

fn broken(what: String, verifier: &Verifier) -> Verdict {
    let counted = verifier.seals(&[], "").unwrap_or_default();
    Verdict {
        intact: false,
        broken: Some(what),
        entries: counted.entries,
        streams: counted.streams,
        seals: 0,
        unsealed: 0,
        ledger_entries: 0,
    }
}

impl Replay {
    fn take(&mut self, entry: &Entry) -> Result<(), String> {
        let unreadable = || format!("entry {} of stream {} is no event of ours", entry.version, entry.stream);
        let machine = entry.kind.split('.').next().unwrap_or_default();
        let fresh = State::fresh(machine).ok_or_else(unreadable)?;
        let postings = self.states.entry(entry.stream.clone()).or_insert(fresh).take(entry);
        for posting in postings.ok_or_else(unreadable)? {
            let key = posting.key().to_owned();
            self.postings.insert(key, (entry.stream.clone(), entry.version, posting));
        }
        Ok(())
    }
}

fn step<M: Machine<Event = E>, E: serde::de::DeserializeOwned>(
    state: &mut Option<M>,
    entry: &Entry,
) -> Option<Vec<LedgerPosting>> {
    let event: E = serde_json::from_value(entry.body.clone()).ok()?;
    let postings = M::entries(state.as_ref(), &event).ok()?;
    *state = M::after(state.take(), &event);
    Some(postings)
}

/// Compares the stored heads and states with what the journal gives.
fn compare_states(
    tx: &mut suture_store::Tx<'_>,
    organization: &str,
    verifier: &Verifier,
    replay: &Replay,
) -> Result<Option<String>, Error> {
    let mut after = String::new();
    let mut count = 0;
    loop {
        let chunk = journal::list_heads(tx, organization, &after, CHUNK)?;
        let Some(last) = chunk.last() else { break };
        after.clone_from(&last.stream);
        for head in &chunk {
            count += 1;
            if verifier.head(&head.stream) != Some((head.version, head.head)) {
                return Ok(Some(format!("the head of stream {} is not the one of its journal", head.stream)));
            }
            let replayed = replay.states.get(&head.stream).and_then(State::json);
            let stored: Option<serde_json::Value> = serde_json::from_str(&head.state).ok();
            if stored.is_none() || replayed != stored {
                return Ok(Some(format!(
                    "the state of stream {} is not the one that its journal gives",
                    head.stream
                )));
            }
        }
    }
    let missing = replay.states.len() != count;
    Ok(missing.then(|| "a stream of the journal has no state row".to_owned()))
}

/// Compares the ledger with the postings that the journal's events mean.
fn compare_ledger(
    tx: &mut suture_store::Tx<'_>,
    organization: &str,
    replay: &Replay,
) -> Result<Option<String>, Error> {
    let mut after = String::new();
    let mut seen = 0;
    let mut lines = 0;
    loop {
        let chunk = match ledger::list(tx, organization, &after, CHUNK) {
            Ok(chunk) => chunk,
            Err(suture_store::Error::Corrupt(what)) => return Ok(Some(format!("{what} cannot be read"))),
            Err(error) => return Err(error.into()),
        };
        let Some(last) = chunk.last() else { break };
        after.clone_from(&last.key);
        for entry in &chunk {
            seen += 1;
            lines += i64::try_from(entry.lines.len()).unwrap_or(0);
            let fits = replay.postings.get(&entry.key).is_some_and(|(stream, version, posting)| {
                (stream, *version, posting.lines()) == (&entry.stream, entry.version, entry.lines.as_slice())
            });
            if !fits {
                return Ok(Some(format!("ledger entry {} is not the one that its event means", entry.key)));
            }
        }
    }
    if seen != replay.postings.len() {
        return Ok(Some("a ledger entry that an event means is missing".to_owned()));
    }
    let (_, stored_lines) = ledger::count(tx, organization)?;
    Ok((stored_lines != lines).then(|| "the ledger's lines are not those of its entries".to_owned()))
}
