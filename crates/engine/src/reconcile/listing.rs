//! The job that lists the lines of a gateway payout, page by page, and matches each page with the books.
//!
//! Pages are fetched with no transaction open. What the books do not know is fetched and taken in as evidence first, so a
//! charge that was made elsewhere becomes a fact like any other. A page is stored, booked and followed by the plan of the
//! next in one transaction, so the job resumes at the page where it stopped.

use std::collections::BTreeSet;

use suture_connect::gateway::{Fetch, Part};
use suture_connect::outcome::Outcome;
use suture_core::audit::canonical;
use suture_core::audit::chain::Hash;
use suture_core::evidence::Evidence;
use suture_core::money::Money;
use suture_core::payment::Source;
use suture_core::settlement::{Booking, Command, Judged, Line, Matching, Settlement, Verdict, judge};
use suture_store::effects::{self, State};
use suture_store::settlements::{self, Stored};
use suture_store::{Tx, journal};

use crate::apply::{Fetched, throttled};
use crate::change::Change;
use crate::connections::Open;
use crate::engine::Engine;
use crate::facts::{Origin, Taken, take_in};
use crate::job::Job;
use crate::worker::{After, Working};
use crate::{Error, calls};

use super::hear::{plan_listing, settle};
use super::lookup::{Place, claim, facts_of, missing};
use super::matching::match_bank;

/// How many parents are fetched for one piece of evidence at most.
const PARENTS_MAX: usize = 4;
/// How many stored lines one read takes.
const CHUNK: i64 = 1_000;

impl Engine {
    pub(crate) async fn list_settlement(&self, working: &Working, job: &Job) -> Result<After, Error> {
        let Job::ListSettlement { settlement, after } = job else {
            return Ok(After::Dead { error: "this work lists no payout".to_owned() });
        };
        let settlement = *settlement;
        let state = self.state::<Settlement>(&working.effect.organization, &settlement.to_string()).await?;
        if state.lines.is_some() {
            return self.finish(working, "its lines are matched already").await;
        }
        let open = self.connection(&state.heard.connection)?;
        let (gateway, _) = open.gateway()?;
        let page = match gateway.settlements().filter(|_| state.heard.linked) {
            None => Part { items: Vec::new(), next: None },
            Some(lists) => {
                let payout = &state.heard.payout;
                let answer = self.call(&open, lists.lines(payout, after.as_deref(), 100)).await;
                match calls::outcome(answer, |response| lists.read_lines(payout, response)) {
                    Err(at) => return Ok(throttled(at)),
                    Ok(Outcome::Done(page)) => page,
                    Ok(
                        Outcome::Declined(failure) | Outcome::NotSent(failure) | Outcome::Unknown(failure),
                    ) => {
                        return Ok(After::Failed { failure, job: None });
                    }
                }
            }
        };
        self.learn_missing(&open, &state, &page.items).await?;
        let order = self.order(&open.organization, "reconciliation", "lines_listed");
        let lease = working.lease.clone();
        self.apply(&settlement.to_string(), order, move |change| {
            take_page(change, &state, &page)?;
            effects::finish(change.tx, &lease, State::Done, None, change.order.now).map_err(Error::from)
        })
        .await?;
        Ok(After::Finished)
    }

    /// Fetches what a page speaks of and the books do not know, and takes it in.
    async fn learn_missing(&self, open: &Open, state: &Settlement, lines: &[Line]) -> Result<(), Error> {
        let (gateway, _) = open.gateway()?;
        let (known, page) = (state.clone(), lines.to_vec());
        let organization = open.organization.clone();
        let (_, left) = self.0.store.read(move |tx| verdict(tx, &organization, &known, &page)).await?;
        let lacking: BTreeSet<&str> =
            left.iter().map(|judged| judged.transaction.trim_end_matches(":fee")).collect();
        let wanted: BTreeSet<_> = lines
            .iter()
            .filter(|line| lacking.contains(line.transaction.as_str()))
            .filter_map(missing)
            .collect();
        let origin = self.origin(open, Source::Fetched, self.now());
        for what in wanted {
            // What cannot be fetched now stays an exception, and is told as one.
            if let Fetched::Found(found) = self.fetch(open, gateway, &what).await {
                self.learn_facts(open, found.evidence, &origin).await?;
            }
        }
        Ok(())
    }

    /// Takes evidence in, parents first; parents that are not known are fetched.
    async fn learn_facts(
        &self,
        open: &Open,
        mut evidence: Vec<Evidence>,
        origin: &Origin,
    ) -> Result<(), Error> {
        let (gateway, _) = open.gateway()?;
        for _ in 0..PARENTS_MAX {
            let (order, pieces, from) = (self.order_by_gateway(open), evidence.clone(), origin.clone());
            let taken = self
                .apply(&open.id, order, move |change| match take_in(change, &pieces, &from)? {
                    Taken::All => Ok(()),
                    // Nothing of this try may be kept: the parent comes first.
                    Taken::Needs(what) => {
                        Err(Error::Missing(serde_json::to_string(&what).unwrap_or_default()))
                    }
                })
                .await;
            let what = match taken {
                Ok(()) => return Ok(()),
                Err(Error::Missing(what)) => what,
                Err(error) => return Err(error),
            };
            let Ok(what) = serde_json::from_str::<Fetch>(&what) else { return Ok(()) };
            let Fetched::Found(parents) = self.fetch(open, gateway, &what).await else { return Ok(()) };
            evidence.splice(0..0, parents.evidence);
        }
        Ok(())
    }
}

fn place<'a>(organization: &'a str, state: &'a Settlement, settlement: &'a str) -> Place<'a> {
    Place { organization, connection: &state.heard.connection, gateway: &state.heard.gateway, settlement }
}

/// Judges lines by the books as they are.
fn verdict(
    tx: &mut Tx<'_>,
    organization: &str,
    state: &Settlement,
    lines: &[Line],
) -> Result<Verdict, Error> {
    let id = state.heard.settlement.to_string();
    let place = place(organization, state, &id);
    let mut facts = Vec::new();
    for line in lines {
        facts.extend(facts_of(tx, &place, line)?);
    }
    judge(lines, &facts)
        .map_err(|_| Error::Store(suture_store::Error::Corrupt("amounts of a payout".to_owned())))
}

/// Stores a page with its verdict, and goes on: to the next page, or to the end.
fn take_page(change: &mut Change<'_, '_>, state: &Settlement, page: &Part<Line>) -> Result<(), Error> {
    let organization = change.order.organization.clone();
    let (settlement, id) = (state.heard.settlement, state.heard.settlement.to_string());
    let (mut matched, left) = verdict(change.tx, &organization, state, &page.items)?;
    for line in &page.items {
        let facts = matched.remove(&line.transaction).unwrap_or_default();
        for fact in &facts {
            journal::refer_once(change.tx, &organization, &claim(fact), &id)?;
        }
        let stored = stored(line, facts, &left);
        settlements::put(change.tx, &organization, &id, &stored)?;
    }
    settle(change, settlement, &[Command::Book(left)])?;
    match &page.next {
        Some(next) => plan_listing(change, settlement, &state.heard.connection, Some(next.clone())),
        None => conclude(change, state),
    }
}

fn stored(line: &Line, facts: Vec<String>, left: &[Judged]) -> Stored {
    let fee = format!("{}:fee", line.transaction);
    let of_line =
        left.iter().filter(|judged| judged.transaction == line.transaction || judged.transaction == fee);
    let of_line: Vec<&Judged> = of_line.collect();
    let unexplained = of_line.iter().filter(|judged| judged.booking == Booking::Unexplained);
    let left_minor = unexplained.clone().fold(0_i64, |sum, judged| sum.saturating_add(judged.amount.minor));
    let state = match (unexplained.count(), of_line.len()) {
        (0, 0) => "matched",
        (0, _) => "booked",
        _ => "exception",
    };
    Stored { line: line.clone(), facts, state: state.to_owned(), left_minor }
}

/// Every page is stored: says what the lines come to, and lets the bank's lines be matched.
fn conclude(change: &mut Change<'_, '_>, state: &Settlement) -> Result<(), Error> {
    let organization = change.order.organization.clone();
    let id = state.heard.settlement.to_string();
    let (mut digest, mut after) = (b"suture.settlement.lines.1".to_vec(), String::new());
    let (mut lines, mut matched, mut net) = (0_i64, 0_i64, 0_i64);
    loop {
        let chunk = settlements::list(change.tx, &organization, &id, &after, CHUNK)?;
        let Some(last) = chunk.last() else { break };
        after.clone_from(&last.line.transaction);
        for stored in &chunk {
            lines += 1;
            matched += i64::from(stored.state == "matched");
            net = net.saturating_add(stored.line.net_minor());
            let content = serde_json::to_value((&stored.line, &stored.facts)).unwrap_or_default();
            canonical::value(&mut digest, &content);
        }
        // The hash so far stands for the chunks so far, so that memory does not grow with the payout.
        digest = Hash::of(&digest).0.to_vec();
    }
    let net = Money::new(net, state.heard.amount.currency);
    let digest = Hash::of(&digest);
    let matching = Matching { lines, matched, net, digest, booked: Vec::new() };
    settle(change, state.heard.settlement, &[Command::Match(Box::new(matching))])?;
    match_bank(change)
}
