//! Reading for the API and the command line. Nothing here changes anything.

use serde::{Deserialize, Serialize};
use suture_core::debt::Debt;
use suture_core::money::Money;
use suture_core::payment::Payment;
use suture_core::posting::Posting;
use suture_core::time::Timestamp;
use suture_flow::run::{Answer, Next};
use suture_store::access::Access;
use suture_store::effects::{self, State};
use suture_store::inbox::{self, Message, Rejection};
use suture_store::journal::{self, Stored};
use suture_store::ledger::{self, AccountLine, Entry};
use suture_store::{access, runs};

use crate::Error;
use crate::engine::Engine;
use crate::payments::Caller;
use crate::run_flow::StoredRun;

/// The proof that the books balance.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Proof {
    /// As of when.
    pub at: Timestamp,
    /// The sum of all lines by currency code, in minor units: all zero when the books balance.
    pub sums: Vec<(String, i64)>,
    /// Entries.
    pub entries: i64,
    /// Lines.
    pub lines: i64,
    /// Whether every sum is zero.
    pub balanced: bool,
}

/// Queue depth of one destination.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Depth {
    /// The connection, or `suture`.
    pub destination: String,
    /// `ready`, `dead` or `parked`.
    pub state: String,
    /// How many.
    pub count: i64,
    /// Creation of the oldest.
    pub oldest: Timestamp,
}

/// A run with its trace.
#[derive(Debug, Clone)]
pub struct RunTrace {
    /// The run as stored.
    pub run: runs::Run,
    /// Step, outcome and branch of each step taken; inputs and outputs only for those who may see them.
    pub steps: Vec<suture_flow::run::TraceLine>,
}

impl Engine {
    /// Payments in order of their ids, after one of them.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn payments(&self, organization: &str, after: &str, limit: i64) -> Result<Vec<Payment>, Error> {
        let (organization, after) = (organization.to_owned(), after.to_owned());
        let found = self
            .0
            .store
            .read_long(move |tx| {
                journal::list_streams::<Payment>(tx, &organization, "payment", &after, limit)
                    .map_err(Error::from)
            })
            .await?;
        Ok(found.into_iter().map(|(_, payment)| payment).collect())
    }

    /// Debts in order of their ids, after one of them.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn debts(&self, organization: &str, after: &str, limit: i64) -> Result<Vec<Debt>, Error> {
        let (organization, after) = (organization.to_owned(), after.to_owned());
        let found = self
            .0
            .store
            .read_long(move |tx| {
                journal::list_streams::<Debt>(tx, &organization, "debt", &after, limit).map_err(Error::from)
            })
            .await?;
        Ok(found.into_iter().map(|(_, debt)| debt).collect())
    }

    /// Postings to other systems in order of their ids, after one of them.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn postings(&self, organization: &str, after: &str, limit: i64) -> Result<Vec<Posting>, Error> {
        let (organization, after) = (organization.to_owned(), after.to_owned());
        let found = self
            .0
            .store
            .read_long(move |tx| {
                journal::list_streams::<Posting>(tx, &organization, "posting", &after, limit)
                    .map_err(Error::from)
            })
            .await?;
        Ok(found.into_iter().map(|(_, posting)| posting).collect())
    }

    /// Postings of one payment: of its capture and its refunds.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn postings_of(&self, organization: &str, payment: &Payment) -> Result<Vec<Posting>, Error> {
        let charge = payment.charge.iter().map(|charge| format!("charge:{charge}"));
        let refunds = payment.refunds.keys().map(|refund| format!("refund:{refund}"));
        let facts: Vec<String> = charge.chain(refunds).collect();
        let organization = organization.to_owned();
        let connections = self.posting_connections();
        self.0
            .store
            .read(move |tx| {
                let mut found = Vec::new();
                for fact in &facts {
                    for stream in posting_streams(tx, &organization, &connections, fact)? {
                        found.extend(
                            journal::load::<Posting>(tx, &organization, &stream)?.map(|stream| stream.state),
                        );
                    }
                }
                Ok(found)
            })
            .await
    }

    /// Connections that facts are posted to.
    pub(crate) fn posting_connections(&self) -> Vec<String> {
        self.connections()
            .open
            .values()
            .filter(|open| open.epic().is_ok())
            .map(|open| open.id.clone())
            .collect()
    }

    /// Journal entries before a position, newest first.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn events(&self, organization: &str, before: i64, limit: i64) -> Result<Vec<Stored>, Error> {
        let organization = organization.to_owned();
        self.0
            .store
            .read_long(move |tx| journal::list_before(tx, &organization, before, limit).map_err(Error::from))
            .await
    }

    /// Accepted webhooks, newest first, before a sequence number.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn messages(&self, organization: &str, before: i64, limit: i64) -> Result<Vec<Message>, Error> {
        let organization = organization.to_owned();
        self.0
            .store
            .read_long(move |tx| inbox::list(tx, &organization, before, limit).map_err(Error::from))
            .await
    }

    /// Refused webhooks by day and code.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn rejections(&self, organization: &str) -> Result<Vec<Rejection>, Error> {
        let organization = organization.to_owned();
        self.0.store.read(move |tx| inbox::rejections(tx, &organization, 200).map_err(Error::from)).await
    }

    /// Balances as of a moment.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn balances(&self, organization: &str, at: Timestamp) -> Result<Vec<(String, Money)>, Error> {
        let organization = organization.to_owned();
        self.0.store.read_long(move |tx| ledger::balances(tx, &organization, at).map_err(Error::from)).await
    }

    /// The proof that the books balance at a moment.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn proof(&self, organization: &str, at: Timestamp) -> Result<Proof, Error> {
        let organization = organization.to_owned();
        self.0
            .store
            .read_long(move |tx| {
                let mut sums = std::collections::BTreeMap::new();
                for (_, balance) in ledger::balances(tx, &organization, at)? {
                    *sums.entry(balance.currency.code().to_owned()).or_insert(0) += balance.minor;
                }
                let (entries, lines) = ledger::count(tx, &organization)?;
                let balanced = sums.values().all(|sum| *sum == 0);
                Ok(Proof { at, sums: sums.into_iter().collect(), entries, lines, balanced })
            })
            .await
    }

    /// Ledger entries in order of their keys, after one of them.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn ledger_entries(
        &self,
        organization: &str,
        after: &str,
        limit: i64,
    ) -> Result<Vec<Entry>, Error> {
        let (organization, after) = (organization.to_owned(), after.to_owned());
        self.0
            .store
            .read_long(move |tx| ledger::list(tx, &organization, &after, limit).map_err(Error::from))
            .await
    }

    /// The latest lines of an account up to a moment.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn account_lines(
        &self,
        organization: &str,
        account: &str,
        at: Timestamp,
        limit: i64,
    ) -> Result<Vec<AccountLine>, Error> {
        let (organization, account) = (organization.to_owned(), account.to_owned());
        self.0
            .store
            .read_long(move |tx| {
                ledger::list_account(tx, &organization, &account, at, limit).map_err(Error::from)
            })
            .await
    }

    /// Queue depths.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn depths(&self, organization: &str) -> Result<Vec<Depth>, Error> {
        let organization = organization.to_owned();
        let counts =
            self.0.store.read(move |tx| effects::counts(tx, &organization).map_err(Error::from)).await?;
        let depth = |(destination, state, count, oldest): (String, State, i64, Timestamp)| Depth {
            destination,
            state: state.name().to_owned(),
            count,
            oldest,
        };
        Ok(counts.into_iter().map(depth).collect())
    }

    /// Runs, newest first, before an id.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn runs(
        &self,
        organization: &str,
        before: &str,
        limit: i64,
    ) -> Result<Vec<runs::Summary>, Error> {
        let (organization, before) = (organization.to_owned(), before.to_owned());
        self.0
            .store
            .read_long(move |tx| runs::list(tx, &organization, &before, limit).map_err(Error::from))
            .await
    }

    /// A run with its trace.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn run_trace(&self, organization: &str, id: &str) -> Result<RunTrace, Error> {
        let keyring = self.0.store.keyring().clone();
        let (organization, key) = (organization.to_owned(), id.to_owned());
        let found = self
            .0
            .store
            .read(move |tx| runs::get(tx, &keyring, &organization, &key).map_err(Error::from))
            .await?;
        let run = found.ok_or_else(|| Error::not_found("run", id))?;
        let content: Option<StoredRun> = serde_json::from_slice(&run.content).ok();
        let trace = |mut live: suture_flow::run::Run| {
            let flow = self.0.flows.get(live.flow())?;
            // The content was stored when the call was planned; the posting's end is told by the run's state.
            if run.state == "finished"
                && let Next::Call { step, .. } = flow.advance(&mut live, None)
            {
                let done = Answer::Done(serde_json::json!({ "note": run.note }));
                flow.answer(&mut live, &step, done);
            }
            Some(flow.trace(&live))
        };
        let steps = content.and_then(|content| trace(content.run)).unwrap_or_default();
        Ok(RunTrace { run, steps })
    }

    /// Who looked at a patient's data. Looking at this is logged too.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn access_report(&self, caller: &Caller, patient: &str) -> Result<Vec<Access>, Error> {
        self.log_access(caller, "report", patient, "access_log", "audit").await?;
        let (organization, patient) = (caller.organization.clone(), patient.to_owned());
        self.0
            .store
            .read_long(move |tx| access::list_subject(tx, &organization, &patient, 1000).map_err(Error::from))
            .await
    }

    /// What an actor looked at. Looking at this is logged too.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn access_by(&self, caller: &Caller, actor: &str) -> Result<Vec<Access>, Error> {
        self.log_access(caller, "report", "*", "access_log", "audit").await?;
        let (organization, actor) = (caller.organization.clone(), actor.to_owned());
        self.0
            .store
            .read_long(move |tx| access::list_actor(tx, &organization, &actor, 1000).map_err(Error::from))
            .await
    }

    /// Whether the store answers, and whether anything waits: for the readiness probe.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn ready(&self) -> Result<(), Error> {
        self.0.store.read(|tx| effects::next_due(tx).map(|_| ()).map_err(Error::from)).await
    }
}

/// Streams of postings that report a fact, over the given connections.
pub(crate) fn posting_streams(
    tx: &mut suture_store::Tx<'_>,
    organization: &str,
    connections: &[String],
    fact: &str,
) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    for connection in connections {
        let key = format!("{connection}/posting/{fact}");
        found.extend(journal::referred(tx, organization, &key)?);
    }
    Ok(found)
}
