//! The daily proof of balance: what the ledger says, and what gateways, banks, EHR and ERP say, with every difference listed,
//! signed with the key of the seals. What is not connected is said not to be.

use serde_json::{Value, json};
use suture_connect::outcome::Outcome;
use suture_core::day::Day;
use suture_core::explain::Reason;
use suture_core::money::Money;
use suture_core::posting::{Posting, Status as PostingStatus};
use suture_core::proof::Proof;
use suture_core::settlement::{Settlement, Status};
use suture_core::time::Timestamp;
use suture_store::{Tx, bank, books, journal, ledger, seals};

use crate::Error;
use crate::calls;
use crate::engine::Engine;
use crate::payments::Caller;

use super::matching::all;

/// Exceptions and lines that one proof lists.
const LISTED_MAX: i64 = 500;

/// What one gateway says that it holds; `None` when it could not be asked.
type Told = (String, String, Option<Vec<Money>>);

impl Engine {
    /// Makes and signs the proof of a day. Gateways are asked for their balance now; a day may be proven again.
    ///
    /// # Errors
    /// [`Error::Store`]. A gateway that does not answer is no error: the proof says so.
    pub async fn prove_day(&self, caller: &Caller, day: Day) -> Result<Proof, Error> {
        let told = self.told_balances(&caller.organization).await;
        let has_ehr = self.ehr(&caller.organization).is_ok();
        let order = self.order_of(caller, Reason::of("balance_proven"));
        let engine = self.clone();
        self.apply("proofs", order, move |change| {
            let organization = change.order.organization.clone();
            let now = change.order.now;
            let document = document(change.tx, &organization, (day, now), &told, has_ehr)?;
            let proof = Proof::sign(document, &engine.0.sealing_key);
            let body = serde_json::to_string(&proof).unwrap_or_default();
            books::put_proof(change.tx, &organization, day, &body)?;
            Ok(proof)
        })
        .await
    }

    /// The latest proof of a day.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn proof_of_day(&self, organization: &str, day: Day) -> Result<Proof, Error> {
        let of = organization.to_owned();
        let body = self.0.store.read(move |tx| books::proof(tx, &of, day).map_err(Error::from)).await?;
        let body = body.ok_or_else(|| Error::not_found("proof of", &day.to_string()))?;
        serde_json::from_str(&body)
            .map_err(|_| Error::Store(suture_store::Error::Corrupt("proof".to_owned())))
    }

    /// Days that were proven, latest first: day and how often.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn proven_days(&self, organization: &str, limit: i64) -> Result<Vec<(String, i64)>, Error> {
        let of = organization.to_owned();
        let found = self.0.store.read(move |tx| books::proofs(tx, &of, limit).map_err(Error::from)).await?;
        Ok(found.into_iter().map(|(day, number, _)| (day, number)).collect())
    }

    /// Balances of everything that belongs to days up to one, by account code; debit positive.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn balances_through(
        &self,
        organization: &str,
        day: Day,
    ) -> Result<Vec<(String, Money)>, Error> {
        let of = organization.to_owned();
        self.0.store.read(move |tx| ledger::balances_through(tx, &of, day).map_err(Error::from)).await
    }

    async fn told_balances(&self, organization: &str) -> Vec<Told> {
        let connections = self.connections();
        let mut told = Vec::new();
        for open in connections.open.values().filter(|open| open.organization == organization) {
            let Ok((gateway, _)) = open.gateway() else { continue };
            let Some(lists) = gateway.settlements() else { continue };
            let answer = self.call(open, lists.balance()).await;
            let balance = match calls::outcome(answer, |response| lists.read_balance(response)) {
                Ok(Outcome::Done(balance)) => Some(balance),
                Ok(Outcome::Declined(_) | Outcome::NotSent(_) | Outcome::Unknown(_)) | Err(_) => None,
            };
            told.push((open.id.clone(), gateway.name().to_owned(), balance));
        }
        told
    }
}

fn document(
    tx: &mut Tx<'_>,
    organization: &str,
    (day, now): (Day, Timestamp),
    told: &[Told],
    has_ehr: bool,
) -> Result<Value, Error> {
    let through = ledger::balances_through(tx, organization, day)?;
    let present = ledger::balances(tx, organization, now)?;
    let open = books::exceptions(tx, organization, LISTED_MAX)?;
    let exceptions: Vec<Value> = open
        .iter()
        .map(|one| json!({ "label": one.label, "amount": shown(one.amount), "owner": one.owner, "since": one.opened_at.to_rfc3339() }))
        .collect();
    let payouts = all(tx, organization, |state| !matches!(state.status(), Status::Closed | Status::Failed))?;
    let seal = seals::last(tx, organization)?.map(|(seal, _)| seal.hash().to_string());
    Ok(json!({
        "organization": organization,
        "day": day.to_string(),
        "madeAt": now.to_rfc3339(),
        "ledger": through.iter().map(|(account, amount)| json!({ "account": account, "amount": shown(*amount) })).collect::<Vec<_>>(),
        "ledgerSumsToZero": sums_to_zero(&through),
        "gateways": told.iter().map(|one| gateway(one, told, &present)).collect::<Vec<_>>(),
        "payoutsNotClosed": payouts.iter().map(payout).collect::<Vec<_>>(),
        "exceptions": exceptions,
        "bank": bank_row(tx, organization, day, &through)?,
        "epic": epic(tx, organization, has_ehr)?,
        "epicor": "not connected",
        "lastSeal": seal,
    }))
}

fn shown(amount: Money) -> String {
    amount.to_string()
}

fn sums_to_zero(balances: &[(String, Money)]) -> bool {
    let mut sums = std::collections::BTreeMap::new();
    for (_, amount) in balances {
        *sums.entry(amount.currency).or_insert(0_i128) += i128::from(amount.minor);
    }
    sums.values().all(|sum| *sum == 0)
}

/// What a gateway says now, beside the books as of now. Several connections of one gateway share an account of the books.
fn gateway(one: &Told, all: &[Told], present: &[(String, Money)]) -> Value {
    let (connection, name, balance) = one;
    let account = format!("gw:{name}");
    let books: Vec<Money> =
        present.iter().filter(|(code, _)| *code == account).map(|(_, amount)| *amount).collect();
    let shared = all.iter().filter(|(_, other, _)| other == name).count() > 1;
    let Some(balance) = balance else {
        return json!({ "connection": connection, "gateway": name, "said": "did not answer" });
    };
    let mut currencies: Vec<_> = books.iter().chain(balance).map(|amount| amount.currency).collect();
    currencies.sort();
    currencies.dedup();
    let of = |amounts: &[Money], currency| {
        amounts.iter().find(|amount| amount.currency == currency).map_or(0, |amount| amount.minor)
    };
    let rows: Vec<Value> = currencies
        .into_iter()
        .map(|currency| {
            let (ours, theirs) = (of(&books, currency), of(balance, currency));
            let money = |minor| shown(Money::new(minor, currency));
            json!({ "ledger": money(ours), "gateway": money(theirs), "difference": money(theirs.saturating_sub(ours)) })
        })
        .collect();
    json!({ "connection": connection, "gateway": name, "accountIsShared": shared, "rows": rows })
}

fn payout(state: &Settlement) -> Value {
    json!({
        "payout": state.heard.payout, "amount": shown(state.heard.amount), "status": state.status().name(),
        "inTransit": shown(state.transit()), "remainder": state.remainder(),
    })
}

/// The books' account `bank` beside the bank's lines that are matched; lines that nobody explained are listed by number.
fn bank_row(
    tx: &mut Tx<'_>,
    organization: &str,
    day: Day,
    through: &[(String, Money)],
) -> Result<Value, Error> {
    let sums = bank::sums(tx, organization, day)?;
    if sums.is_empty() {
        return Ok(json!("no statement was imported"));
    }
    let books = through.iter().filter(|(account, _)| account == "bank").map(|(_, amount)| shown(*amount));
    let rows: Vec<Value> = sums
        .iter()
        .map(|(state, amount, lines)| json!({ "lines": lines, "state": state, "amount": shown(*amount) }))
        .collect();
    Ok(json!({ "ledger": books.collect::<Vec<_>>(), "statements": rows }))
}

/// How many facts the EHR has, and which it lacks.
fn epic(tx: &mut Tx<'_>, organization: &str, has_ehr: bool) -> Result<Value, Error> {
    if !has_ehr {
        return Ok(json!("not connected"));
    }
    let (mut told, mut open, mut lacking, mut after) = (0_i64, 0_i64, Vec::new(), String::new());
    loop {
        let chunk = journal::list_streams::<Posting>(tx, organization, "posting", &after, LISTED_MAX)?;
        let Some((last, _)) = chunk.last() else { break };
        after.clone_from(last);
        for (_, posting) in &chunk {
            match posting.status {
                PostingStatus::Confirmed | PostingStatus::Accepted | PostingStatus::Reversed => told += 1,
                PostingStatus::Planned
                | PostingStatus::Unknown
                | PostingStatus::Rejected
                | PostingStatus::WaitingForPerson => {
                    open += 1;
                    if lacking.len() < 100 {
                        let one = json!({ "reference": posting.reference, "amount": shown(posting.amount), "status": posting.status.name() });
                        lacking.push(one);
                    }
                }
            }
        }
    }
    Ok(json!({ "posted": told, "notPosted": open, "lacking": lacking }))
}
