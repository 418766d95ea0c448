//! Sending a provider's part: the frozen key, the answer, and what follows when the answer is lost.
//!
//! Invariant: a transfer leaves only when its payout is released and unheld at that moment, and is never sent again before
//! a look-up proved that it is not there. The key stays the same for as long as the gateway remembers it.

use std::time::Duration;

use suture_connect::gateway::{CreateTransfer, TransferSeen, Transfers};
use suture_connect::outcome::{Failure, Outcome};
use suture_core::id::ProviderPayoutId;
use suture_core::payout::{Answer, Command, ProviderPayout, Step, Transfer};

use crate::apply::throttled;
use crate::connections::Open;
use crate::engine::Engine;
use crate::worker::{After, Working, finish_dead};
use crate::{Error, calls};

use super::follow::{decide, go_on};
use super::look_up::{Found, later};
use super::manage::finish;

/// The platform's own balance was too small: it grows with every payment that becomes available.
const SHORT_OF_MONEY: &str = "balance_insufficient";
const AGAIN_AFTER: Duration = Duration::from_secs(86_400);
/// After so many transfers of one payout a person must look.
const SHORT_TRIES_MAX: usize = 30;

impl Engine {
    /// Sends a planned transfer, or finds out what became of it.
    pub(crate) async fn transfer_payout(
        &self,
        working: &Working,
        id: ProviderPayoutId,
        number: u32,
    ) -> Result<After, Error> {
        let payout = self.provider_payout(&working.effect.organization, id).await?;
        let Some(transfer) = numbered(&payout, number).filter(|transfer| transfer.step.is_open()) else {
            return self.finish(working, "the transfer was decided before this call").await;
        };
        let open = self.connection(&payout.accrual.connection)?;
        let (gateway, _) = open.gateway()?;
        let transfers = gateway.transfers().ok_or_else(|| open.problem("it passes no money on"))?;
        if transfer.step == Step::Planned {
            let state = self.begin_transfer(working, id, number).await?;
            if numbered(&state, number).is_none_or(|transfer| transfer.step != Step::Sent) {
                return Ok(After::Finished);
            }
        } else {
            match self.find_transfer((working, &open), transfers, &payout, number).await {
                Found::There(gateway_id) => {
                    return self
                        .transfer_answered(working, (id, number), Answer::Done { id: gateway_id })
                        .await;
                }
                Found::NotNow(after) => return Ok(after),
                Found::Absent if self.is_forgotten(transfer.sent_at) => {
                    return self.transfer_not_found(working, (id, number)).await;
                }
                Found::Absent => {}
            }
        }
        self.call_transfer((working, &open), transfers, &payout, transfer).await
    }

    /// Moves a transfer to sent; or withdraws it, plans what is right now, and ends the effect.
    async fn begin_transfer(
        &self,
        working: &Working,
        id: ProviderPayoutId,
        number: u32,
    ) -> Result<ProviderPayout, Error> {
        let order = self.order(&working.effect.organization, "payouts", "transfer_begun");
        let lease = working.lease.clone();
        self.apply(&id.to_string(), order, move |change| {
            let state = decide(change, id, &[Command::BeginTransfer { number }])?;
            if numbered(&state, number).is_none_or(|transfer| transfer.step != Step::Sent) {
                go_on(change, id)?;
                finish(change, &lease, "withdrawn: the payout was held or changed before it left")?;
            }
            Ok(state)
        })
        .await
    }

    async fn find_transfer(
        &self,
        on: (&Working, &Open),
        transfers: &dyn Transfers,
        payout: &ProviderPayout,
        number: u32,
    ) -> Found {
        let (group, token) = (payout.accrual.payout.to_string(), token(payout, number));
        self.find_listed(
            on,
            |after| transfers.find_transfers(&group, after, 100),
            |response| transfers.read_transfers(response),
            |seen: &TransferSeen| (seen.transfer_id.as_ref() == Some(&token)).then(|| seen.id.clone()),
        )
        .await
    }

    async fn call_transfer(
        &self,
        (working, open): (&Working, &Open),
        transfers: &dyn Transfers,
        payout: &ProviderPayout,
        transfer: &Transfer,
    ) -> Result<After, Error> {
        let on = (payout.accrual.payout, transfer.number);
        let request = transfers.create(&CreateTransfer {
            idempotency_key: transfer.key.clone(),
            amount: payout.money(transfer.amount_minor),
            destination: transfer.destination.clone(),
            group: payout.accrual.payout.to_string(),
            source: transfer.source.clone(),
            transfer_id: token(payout, transfer.number),
        });
        let answer = self.call_leased(working, open, request).await;
        match calls::outcome(answer, |response| transfers.read_transfer(response)) {
            Err(at) => Ok(throttled(at)),
            Ok(Outcome::Done(seen)) => {
                self.transfer_answered(working, on, Answer::Done { id: seen.id }).await
            }
            Ok(Outcome::Declined(failure)) => {
                let tries = payout.transfers.len();
                self.transfer_declined(working, on, (failure, tries)).await
            }
            // Of this send it is proven that nothing happened; of an earlier one only a look-up can say so.
            Ok(Outcome::NotSent(failure)) => Ok(later(failure)),
            Ok(Outcome::Unknown(failure)) => {
                self.transfer_lost(working, on).await?;
                Ok(later(failure))
            }
        }
    }

    async fn transfer_declined(
        &self,
        working: &Working,
        on: (ProviderPayoutId, u32),
        (failure, tries): (Failure, usize),
    ) -> Result<After, Error> {
        let is_short = failure.code == SHORT_OF_MONEY && tries < SHORT_TRIES_MAX;
        let again_at = is_short.then(|| self.now() + AGAIN_AFTER);
        let answer = Answer::Declined { code: failure.code.clone(), again_at };
        match again_at {
            Some(_) => self.transfer_answered(working, on, answer).await,
            None => {
                let error =
                    format!("{} ({}); the provider is still owed this payout", failure.message, failure.code);
                self.transfer_refused(working, on, (answer, error)).await
            }
        }
    }

    /// Its key is forgotten and the gateway lists no such transfer: whether another is made is a person's decision.
    async fn transfer_not_found(
        &self,
        working: &Working,
        on: (ProviderPayoutId, u32),
    ) -> Result<After, Error> {
        let answer = Answer::Declined { code: "not_found_at_gateway".to_owned(), again_at: None };
        let error = "the key of this transfer is too old to be sent again, and the gateway lists no such transfer; look \
                     it up there, then release the payout to send it anew";
        self.transfer_refused(working, on, (answer, error.to_owned())).await
    }

    /// Takes a refusal in that a person must look at, and asks in the same transaction.
    async fn transfer_refused(
        &self,
        working: &Working,
        (id, number): (ProviderPayoutId, u32),
        (answer, error): (Answer, String),
    ) -> Result<After, Error> {
        let order = self.order(&working.effect.organization, "payouts", "transfer_answered");
        let (lease, told) = (working.lease.clone(), error.clone());
        self.apply(&id.to_string(), order, move |change| {
            decide(change, id, &[Command::AnswerTransfer { number, answer: answer.clone() }])?;
            go_on(change, id)?;
            finish_dead(change, &lease, &told)
        })
        .await?;
        self.tell_dead(working, &error);
        Ok(After::Finished)
    }

    /// Takes an answer in, goes on, and ends the effect, all at once.
    async fn transfer_answered(
        &self,
        working: &Working,
        (id, number): (ProviderPayoutId, u32),
        answer: Answer,
    ) -> Result<After, Error> {
        let order = self.order(&working.effect.organization, "payouts", "transfer_answered");
        let lease = working.lease.clone();
        self.apply(&id.to_string(), order, move |change| {
            decide(change, id, &[Command::AnswerTransfer { number, answer: answer.clone() }])?;
            go_on(change, id)?;
            finish(change, &lease, "answered")
        })
        .await?;
        Ok(After::Finished)
    }

    async fn transfer_lost(
        &self,
        working: &Working,
        (id, number): (ProviderPayoutId, u32),
    ) -> Result<(), Error> {
        let order = self.order(&working.effect.organization, "payouts", "transfer_answered");
        self.apply(&id.to_string(), order, move |change| {
            decide(change, id, &[Command::AnswerTransfer { number, answer: Answer::Unknown }])?;
            go_on(change, id)
        })
        .await
    }
}

fn numbered(payout: &ProviderPayout, number: u32) -> Option<&Transfer> {
    payout.transfers.iter().find(|transfer| transfer.number == number)
}

/// Our token of a transfer, as the gateway keeps it.
fn token(payout: &ProviderPayout, number: u32) -> String {
    format!("{}/{number}", payout.accrual.payout)
}
