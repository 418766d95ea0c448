//! What people do with reconciliation: look, assign, resolve.

use serde::Serialize;
use suture_core::explain::Reason;
use suture_core::id::SettlementId;
use suture_core::ledger::Account;
use suture_core::refusal::Refusal;
use suture_core::settlement::{Command, Resolution, Settlement};
use suture_store::bank::{self, Kept, KeptLine};
use suture_store::books::{self, Exception};
use suture_store::settlements::{self, Stored};

use crate::Error;
use crate::engine::Engine;
use crate::payments::Caller;

use super::hear::settle;
use super::matching::all;

/// A gateway payout with a page of its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payout {
    /// The payout.
    pub settlement: Settlement,
    /// Its lines in order of their ids.
    pub lines: Vec<Stored>,
}

/// How an exception is explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Resolve {
    /// A fact that came later.
    Fact,
    /// An account of the books, by its code.
    Account(String),
}

impl Engine {
    /// Gateway payouts in the order in which they were heard of.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn settlements(&self, organization: &str) -> Result<Vec<Settlement>, Error> {
        let organization = organization.to_owned();
        self.0.store.read_long(move |tx| all(tx, &organization, |_| true)).await
    }

    /// One gateway payout, with lines after one of them.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn settlement(
        &self,
        organization: &str,
        id: SettlementId,
        (after, limit): (&str, i64),
    ) -> Result<Payout, Error> {
        let settlement = self.state::<Settlement>(organization, &id.to_string()).await?;
        let (organization, after) = (organization.to_owned(), after.to_owned());
        let read = move |tx: &mut suture_store::Tx<'_>| {
            settlements::list(tx, &organization, &id.to_string(), &after, limit).map_err(Error::from)
        };
        Ok(Payout { settlement, lines: self.0.store.read(read).await? })
    }

    /// Open exceptions, oldest first.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn exceptions(&self, organization: &str, limit: i64) -> Result<Vec<Exception>, Error> {
        let organization = organization.to_owned();
        self.0.store.read(move |tx| books::exceptions(tx, &organization, limit).map_err(Error::from)).await
    }

    /// Gives an exception to somebody.
    ///
    /// # Errors
    /// [`Error::Refused`] when it is not open.
    pub async fn assign_exception(
        &self,
        caller: &Caller,
        (id, transaction): (SettlementId, &str),
        owner: &str,
    ) -> Result<Settlement, Error> {
        let assign = Command::Assign { transaction: transaction.to_owned(), owner: owner.to_owned() };
        let order = self.order_of(caller, Reason::of("exception_assigned"));
        self.apply(&id.to_string(), order, move |change| settle(change, id, std::slice::from_ref(&assign)))
            .await
    }

    /// Says what an exception is, with a reason. Its amount leaves `susp:unknown`.
    ///
    /// # Errors
    /// [`Error::Refused`] when it is not open, for an account that explains nothing, and without a reason.
    pub async fn resolve_exception(
        &self,
        caller: &Caller,
        (id, transaction): (SettlementId, &str),
        how: &Resolve,
        reason: &str,
    ) -> Result<Settlement, Error> {
        let resolution = match how {
            Resolve::Fact => Resolution::Fact,
            Resolve::Account(code) => Resolution::Account {
                account: Account::parse(code).ok_or_else(|| {
                    Refusal::invalid(
                        "account_unknown",
                        "Nothing was changed: there is no account of this code.",
                    )
                })?,
            },
        };
        let command = Command::Resolve { transaction: transaction.to_owned(), resolution };
        let order = self.order_of(caller, Reason::parse(reason)?);
        self.apply(&id.to_string(), order, move |change| settle(change, id, std::slice::from_ref(&command)))
            .await
    }

    /// Statements of banks, latest import first.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn bank_statements(&self, organization: &str, limit: i64) -> Result<Vec<Kept>, Error> {
        let organization = organization.to_owned();
        self.0.store.read(move |tx| bank::list(tx, &organization, limit).map_err(Error::from)).await
    }

    /// Lines of banks in a state: `open`, `matched` or `resolved`, oldest first. What the bank wrote is personal.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn bank_lines(
        &self,
        organization: &str,
        state: &str,
        limit: i64,
    ) -> Result<Vec<KeptLine>, Error> {
        let (organization, state) = (organization.to_owned(), state.to_owned());
        let keyring = self.0.store.keyring().clone();
        self.0
            .store
            .read(move |tx| bank::lines(tx, &keyring, &organization, &state, limit).map_err(Error::from))
            .await
    }

    /// Says that a bank's line is no gateway payout, with a reason.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such open line; [`Error::Refused`] without a reason.
    pub async fn resolve_bank_line(
        &self,
        caller: &Caller,
        (account, line): (&str, &str),
        reason: &str,
    ) -> Result<(), Error> {
        let reason = Reason::parse(reason)?;
        let (note, who) = (reason.as_str().to_owned(), caller.actor.parts().1.to_owned());
        let (account, line) = (account.to_owned(), line.to_owned());
        let order = self.order_of(caller, reason);
        self.apply("bank", order, move |change| {
            let organization = change.order.organization.clone();
            let place = (account.as_str(), line.as_str());
            let said = (Some(who.as_str()), Some(note.as_str()));
            match bank::move_line(change.tx, &organization, place, "resolved", &[], said)? {
                true => Ok(()),
                false => Err(Error::not_found("open bank line", &line)),
            }
        })
        .await
    }
}
