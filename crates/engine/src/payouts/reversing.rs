//! Taking back what a provider has too much: a reversal of the transfer, as far as the provider's balance allows.
//!
//! Invariant: as for transfers, looked up before it is sent again. What the gateway refuses is owed by the provider and kept
//! from the next payout (FLOWS 3e); nothing is asked for twice.

use suture_connect::gateway::{ReversalSeen, ReverseTransfer, Transfers};
use suture_connect::outcome::Outcome;
use suture_core::id::ProviderPayoutId;
use suture_core::payout::{Answer, Command, ProviderPayout, Reversal, Step};

use crate::apply::throttled;
use crate::connections::Open;
use crate::engine::Engine;
use crate::worker::{After, Working};
use crate::{Error, calls};

use super::follow::{ask_for_debt, decide, go_on};
use super::look_up::{Found, later};
use super::manage::finish;

impl Engine {
    /// Sends a planned reversal, or finds out what became of it.
    pub(crate) async fn reverse_payout(
        &self,
        working: &Working,
        id: ProviderPayoutId,
        number: u32,
    ) -> Result<After, Error> {
        let payout = self.provider_payout(&working.effect.organization, id).await?;
        let Some(reversal) = numbered(&payout, number).filter(|reversal| reversal.step.is_open()) else {
            return self.finish(working, "the reversal was decided before this call").await;
        };
        let Some(transfer) = transfer_of(&payout, reversal) else {
            return self.finish(working, "there is nothing to take back").await;
        };
        let open = self.connection(&payout.accrual.connection)?;
        let (gateway, _) = open.gateway()?;
        let transfers = gateway.transfers().ok_or_else(|| open.problem("it passes no money on"))?;
        if reversal.step == Step::Planned {
            let state = self.begin_reversal(working, id, number).await?;
            if numbered(&state, number).is_none_or(|reversal| reversal.step != Step::Sent) {
                return Ok(After::Finished);
            }
        } else {
            match self.find_reversal((working, &open), transfers, (&payout, &transfer), number).await {
                Found::There(gateway_id) => {
                    return self
                        .reversal_answered(working, (id, number), Answer::Done { id: gateway_id })
                        .await;
                }
                Found::NotNow(after) => return Ok(after),
                Found::Absent if self.is_forgotten(reversal.sent_at) => {
                    let code = "not_found_at_gateway".to_owned();
                    let answer = Answer::Declined { code, again_at: None };
                    return self.reversal_answered(working, (id, number), answer).await;
                }
                Found::Absent => {}
            }
        }
        self.call_reversal((working, &open), transfers, (&payout, &transfer), reversal).await
    }

    async fn begin_reversal(
        &self,
        working: &Working,
        id: ProviderPayoutId,
        number: u32,
    ) -> Result<ProviderPayout, Error> {
        let order = self.order(&working.effect.organization, "payouts", "reversal_begun");
        let lease = working.lease.clone();
        self.apply(&id.to_string(), order, move |change| {
            let state = decide(change, id, &[Command::BeginReversal { number }])?;
            if numbered(&state, number).is_none_or(|reversal| reversal.step != Step::Sent) {
                go_on(change, id)?;
                finish(change, &lease, "withdrawn: it is not owed any more")?;
            }
            Ok(state)
        })
        .await
    }

    async fn find_reversal(
        &self,
        on: (&Working, &Open),
        transfers: &dyn Transfers,
        (payout, transfer): (&ProviderPayout, &str),
        number: u32,
    ) -> Found {
        let token = token(payout, number);
        self.find_listed(
            on,
            |after| transfers.find_reversals(transfer, after, 100),
            |response| transfers.read_reversals(response),
            |seen: &ReversalSeen| (seen.reversal_id.as_ref() == Some(&token)).then(|| seen.id.clone()),
        )
        .await
    }

    async fn call_reversal(
        &self,
        (working, open): (&Working, &Open),
        transfers: &dyn Transfers,
        (payout, transfer): (&ProviderPayout, &str),
        reversal: &Reversal,
    ) -> Result<After, Error> {
        let on = (payout.accrual.payout, reversal.number);
        let request = transfers.reverse(&ReverseTransfer {
            idempotency_key: reversal.key.clone(),
            transfer: transfer.to_owned(),
            amount: payout.money(reversal.amount_minor),
            reversal_id: token(payout, reversal.number),
        });
        let answer = self.call_leased(working, open, request).await;
        match calls::outcome(answer, |response| transfers.read_reversal(response)) {
            Err(at) => Ok(throttled(at)),
            Ok(Outcome::Done(seen)) => {
                self.reversal_answered(working, on, Answer::Done { id: seen.id }).await
            }
            // Too little there, or refused for another reason: the provider owes it, and the next payout is lower.
            Ok(Outcome::Declined(failure)) => {
                let answer = Answer::Declined { code: failure.code, again_at: None };
                self.reversal_answered(working, on, answer).await
            }
            Ok(Outcome::NotSent(failure)) => Ok(later(failure)),
            Ok(Outcome::Unknown(failure)) => {
                self.reversal_lost(working, on).await?;
                Ok(later(failure))
            }
        }
    }

    async fn reversal_answered(
        &self,
        working: &Working,
        (id, number): (ProviderPayoutId, u32),
        answer: Answer,
    ) -> Result<After, Error> {
        let order = self.order(&working.effect.organization, "payouts", "reversal_answered");
        let lease = working.lease.clone();
        self.apply(&id.to_string(), order, move |change| {
            let state = decide(change, id, &[Command::AnswerReversal { number, answer: answer.clone() }])?;
            if let Answer::Declined { code, .. } = &answer {
                ask_for_debt(change, &state, (number, code))?;
            }
            go_on(change, id)?;
            finish(change, &lease, "answered")
        })
        .await?;
        Ok(After::Finished)
    }

    async fn reversal_lost(
        &self,
        working: &Working,
        (id, number): (ProviderPayoutId, u32),
    ) -> Result<(), Error> {
        let order = self.order(&working.effect.organization, "payouts", "reversal_answered");
        self.apply(&id.to_string(), order, move |change| {
            decide(change, id, &[Command::AnswerReversal { number, answer: Answer::Unknown }]).map(|_| ())
        })
        .await
    }
}

fn numbered(payout: &ProviderPayout, number: u32) -> Option<&Reversal> {
    payout.reversals.iter().find(|reversal| reversal.number == number)
}

/// The gateway's transfer that a reversal takes back from.
fn transfer_of(payout: &ProviderPayout, reversal: &Reversal) -> Option<String> {
    let transfer = payout.transfers.iter().find(|transfer| transfer.number == reversal.transfer)?;
    transfer.id.clone()
}

/// Our token of a reversal, as the gateway keeps it.
fn token(payout: &ProviderPayout, number: u32) -> String {
    format!("{}/r{number}", payout.accrual.payout)
}
