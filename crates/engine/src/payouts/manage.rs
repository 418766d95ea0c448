//! What people and other use cases do with payouts: accrue, look, hold, release, say where to.

use serde::{Deserialize, Serialize};
use suture_connect::gateway::AccountStanding;
use suture_connect::outcome::Outcome;
use suture_core::explain::Reason;
use suture_core::id::{ProviderId, ProviderPayoutId, ServiceId};
use suture_core::money::Money;
use suture_core::payout::{Command, HoldReason, ProviderPayout, Terms};
use suture_core::refusal::Refusal;

use crate::change::Change;
use crate::engine::Engine;
use crate::payments::Caller;
use crate::worker::{After, Working};
use crate::{Error, calls};

use super::follow::{decide, go_on};
use super::{accrue, follow_service};

/// A payout to accrue.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewPayout {
    /// The service that earns it.
    pub service: ServiceId,
    /// Who gave the care.
    pub provider: ProviderId,
    /// The whole charge.
    pub gross: Money,
    /// The provider's account at the gateway; `None`: it is held until one is named.
    pub destination: Option<String>,
    /// What was agreed.
    pub terms: Terms,
}

impl Engine {
    /// Accrues the payout of a service. A service has one payout; the same word twice gives the same.
    ///
    /// # Errors
    /// [`Error::Refused`] for terms that are none, [`Error::NotFound`] for the service.
    pub async fn accrue_payout(
        &self,
        caller: &Caller,
        new: NewPayout,
        connection: Option<&str>,
    ) -> Result<ProviderPayout, Error> {
        let open = self.connection(&self.gateway_for(&caller.organization, connection)?)?;
        let place = (open.id.clone(), open.gateway()?.0.name());
        let order = self.order_of(caller, Reason::of("payout_accrued"));
        self.apply(&new.service.to_string(), order, move |change| {
            let id = accrue(change, &new, (&place.0, place.1))?;
            change.existing::<ProviderPayout>(&id.to_string()).map(|(_, state)| state)
        })
        .await
    }

    /// Holds a payout by hand. A transfer that has not left yet is withdrawn.
    ///
    /// # Errors
    /// [`Error::Refused`] without a person or a reason.
    pub async fn hold_payout(
        &self,
        caller: &Caller,
        id: ProviderPayoutId,
        (by, reason): (&str, &str),
    ) -> Result<ProviderPayout, Error> {
        let command = Command::Hold { reason: HoldReason::Person, until: None, by: Some(by.to_owned()) };
        self.change_payout(caller, id, command, Reason::parse(reason)?).await
    }

    /// Lifts one hold by hand.
    ///
    /// # Errors
    /// [`Error::Refused`] for a hold that no person may lift, and without a person or a reason.
    pub async fn unhold_payout(
        &self,
        caller: &Caller,
        id: ProviderPayoutId,
        hold: HoldReason,
        (by, reason): (&str, &str),
    ) -> Result<ProviderPayout, Error> {
        let command = Command::Unhold { reason: hold, by: Some(by.to_owned()) };
        self.change_payout(caller, id, command, Reason::parse(reason)?).await
    }

    /// Lifts every hold that a person may lift, and lets the payout go out.
    ///
    /// # Errors
    /// [`Error::Refused`] while a hold stands that no person may lift, and without a person or a reason.
    pub async fn release_payout(
        &self,
        caller: &Caller,
        id: ProviderPayoutId,
        (by, reason): (&str, &str),
    ) -> Result<ProviderPayout, Error> {
        let command = Command::Release { by: Some(by.to_owned()) };
        self.change_payout(caller, id, command, Reason::parse(reason)?).await
    }

    /// Says which account at the gateway is the provider's, once the gateway says that it may receive transfers.
    ///
    /// # Errors
    /// [`Error::Refused`] when it may not, [`Error::Outside`] when the gateway cannot be asked now.
    pub async fn set_payout_destination(
        &self,
        caller: &Caller,
        id: ProviderPayoutId,
        destination: &str,
    ) -> Result<ProviderPayout, Error> {
        let payout = self.provider_payout(&caller.organization, id).await?;
        let standing = self.account_standing(&payout.accrual.connection, destination).await?;
        if !standing.transfers_enabled {
            return Err(Error::Refused(Refusal::invalid(
                "destination_invalid",
                "Nothing was changed: the gateway does not send transfers to this account. Let the provider complete \
                 the account there.",
            )));
        }
        let command = Command::SetDestination { destination: destination.to_owned() };
        self.change_payout(caller, id, command, Reason::of("payout_destination_set")).await
    }

    /// What a connected account may do, as the gateway says now.
    ///
    /// # Errors
    /// [`Error::Refused`] for an account that is not there, [`Error::Outside`] when the gateway cannot be asked now.
    pub async fn account_standing(&self, connection: &str, account: &str) -> Result<AccountStanding, Error> {
        let open = self.connection(connection)?;
        let (gateway, _) = open.gateway()?;
        let transfers = gateway.transfers().ok_or_else(|| open.problem("it passes no money on"))?;
        let answer = self.call(&open, transfers.fetch_standing(account)).await;
        match calls::outcome(answer, |response| transfers.read_standing(response)) {
            Ok(Outcome::Done(standing)) => Ok(standing),
            Ok(Outcome::Declined(failure)) => {
                let detail =
                    format!("Nothing was changed: the gateway knows no such account ({}).", failure.code);
                Err(Error::Refused(Refusal::invalid("destination_invalid", detail)))
            }
            // Stripe says 403 for an account that is not this platform's.
            Ok(Outcome::NotSent(failure)) if failure.code == "permission_denied" => {
                let detail = "Nothing was changed: this account is not connected to the gateway's, or the key of the \
                              connection lacks the permission for Connect.";
                Err(Error::Refused(Refusal::invalid("destination_invalid", detail)))
            }
            Ok(Outcome::NotSent(failure) | Outcome::Unknown(failure)) => Err(Error::Outside(failure)),
            Err(_) => Err(open.problem("it is throttled; try again later")),
        }
    }

    async fn change_payout(
        &self,
        caller: &Caller,
        id: ProviderPayoutId,
        command: Command,
        reason: Reason,
    ) -> Result<ProviderPayout, Error> {
        let order = self.order_of(caller, reason);
        self.apply(&id.to_string(), order, move |change| {
            decide(change, id, std::slice::from_ref(&command))?;
            go_on(change, id)?;
            change.existing::<ProviderPayout>(&id.to_string()).map(|(_, state)| state)
        })
        .await
    }

    /// Looks at a payout again: a hold may have ended by itself.
    pub(crate) async fn follow_payout(
        &self,
        working: &Working,
        id: ProviderPayoutId,
    ) -> Result<After, Error> {
        let order = self.order(&working.effect.organization, "payouts", "hold_ended");
        let lease = working.lease.clone();
        let stream = id.to_string();
        let ahead = self.apply(&stream, order, move |change| {
            let (_, state) = change.existing::<ProviderPayout>(&id.to_string())?;
            follow_service(change, &state.accrual.service.to_string())?;
            let (_, after) = change.existing::<ProviderPayout>(&id.to_string())?;
            let now = change.order.now;
            let ahead = after.holds.values().filter_map(|hold| hold.until).filter(|until| *until > now).min();
            if ahead.is_none() {
                finish(change, &lease, "looked at again")?;
            }
            Ok(ahead)
        });
        // A clock that was set back is not there yet: nobody else would look again.
        Ok(match ahead.await? {
            Some(at) => After::Again { at, error: "a hold has not ended yet".to_owned(), job: None },
            None => After::Finished,
        })
    }
}

/// Ends the effect of a call in the transaction that takes its answer in.
pub(super) fn finish(
    change: &mut Change<'_, '_>,
    lease: &suture_store::effects::Lease,
    note: &str,
) -> Result<(), Error> {
    use suture_store::effects::{self, State};
    effects::finish(change.tx, lease, State::Done, Some(note), change.order.now).map_err(Error::from)
}
