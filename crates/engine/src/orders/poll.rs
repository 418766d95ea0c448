//! Polling the ERP for what nobody told: calls of business process management are made at most once.
//!
//! Invariant: the watermark moves in the transaction that takes the news, so nothing is passed over and nothing told twice.

use std::time::Duration;

use suture_connect::erp::epicor::poll::{Poll, Source, Watermark};
use suture_connect::outcome::Outcome;
use suture_store::effects;

use crate::Error;
use crate::apply::throttled;
use crate::calls;
use crate::engine::Engine;
use crate::job::Job;
use crate::worker::{After, Working};

use super::heard::news;

/// What is polled: an order tells what shipped of it, an invoice that it is posted.
pub(crate) const SOURCES: [Source; 2] = [Source::Orders, Source::Invoices];

impl Engine {
    /// Asks for what changed since the watermark, and plans the next poll.
    pub(crate) async fn poll_erp(
        &self,
        working: &Working,
        source: Source,
        watermark: Option<Watermark>,
    ) -> Result<After, Error> {
        let open = self.connection(&working.effect.destination)?;
        let identity = match self.identity(&open).await? {
            Ok(identity) => identity,
            Err(after) => return Ok(after),
        };
        let (epicor, _) = open.epicor()?;
        let poll = Poll { epicor, identity: &identity, source };
        let every = Duration::from_secs(u64::from(open.poll_seconds().max(1)));
        let Some(watermark) = watermark else {
            // The first poll begins with what is there now; orders of before are asked about by name.
            let answer = self.call(&open, poll.latest_request()).await;
            return match calls::outcome(answer, |response| poll.read_latest(response)) {
                Err(at) => Ok(throttled(at)),
                Ok(Outcome::Done(begin)) => self.next_poll(working, (source, begin), Vec::new(), every).await,
                Ok(Outcome::Declined(failure) | Outcome::NotSent(failure) | Outcome::Unknown(failure)) => {
                    Ok(After::Failed { failure, job: None })
                }
            };
        };
        let (now, answer) = (self.now(), self.call(&open, poll.request(&watermark)).await);
        match calls::outcome(answer, |response| poll.read(&watermark, response, now)) {
            Err(at) => Ok(throttled(at)),
            Ok(Outcome::Done(polled)) => {
                let wait = if polled.more { Duration::ZERO } else { every };
                self.next_poll(working, (source, polled.watermark), polled.events, wait).await
            }
            Ok(Outcome::Declined(failure) | Outcome::NotSent(failure) | Outcome::Unknown(failure)) => {
                Ok(After::Failed { failure, job: None })
            }
        }
    }

    async fn next_poll(
        &self,
        working: &Working,
        (source, watermark): (Source, Watermark),
        events: Vec<suture_connect::erp::event::ErpEvent>,
        wait: Duration,
    ) -> Result<After, Error> {
        let order = self.order(&working.effect.organization, "erp", "erp_polled");
        let (lease, mut effect) = (working.lease.clone(), working.effect.clone());
        effect.payload = Job::PollErp { source, watermark: Some(watermark) }.payload();
        effect.attempts = 0;
        let (connection, at) = (effect.destination.clone(), self.now() + wait);
        self.apply(&connection.clone(), order, move |change| {
            for event in &events {
                news(change, &connection, event)?;
            }
            effects::retry(change.tx, &lease, at, "", &effect).map_err(Error::from)
        })
        .await?;
        Ok(After::Finished)
    }
}
