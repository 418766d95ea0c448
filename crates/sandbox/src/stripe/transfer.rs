//! Transfers to connected accounts and their reversals (FACTS §f; OBJECTS `transfer`, `transfer_reversal`).
//!
//! What must stay true: the reversals of a transfer never exceed it, the transfers of a source never exceed its charge,
//! and what leaves one balance arrives on the other. Messages and codes of refusals are Stripe's where they are published;
//! that of a connected balance that is too small is inferred from the platform's own.

use super::balance::Entry;
use super::currency::{self, Currency, spoken};
use super::listing::page_of;
use super::movement::{Motion, Movement};
use super::object::{Answer, Metadata, Snapshot, merge_metadata};
use super::random::Id;
use super::refusal::Refusal;
use super::schema::Params;
use super::table::Row;
use super::world::StripeWorld;
use serde_json::{Value, json};
use std::sync::Arc;

/// Money sent to a connected account.
#[derive(Debug, Clone)]
pub(crate) struct Transfer {
    pub(crate) id: Id,
    pub(crate) created: i64,
    pub(crate) amount: i64,
    pub(crate) amount_reversed: i64,
    pub(crate) currency: Currency,
    pub(crate) destination: Id,
    pub(crate) source: Option<Id>,
    pub(crate) group: Option<Id>,
    pub(crate) balance_transaction: Id,
    pub(crate) description: Option<Arc<str>>,
    pub(crate) metadata: Metadata,
}

/// Money taken back from it.
#[derive(Debug, Clone)]
pub(crate) struct TransferReversal {
    pub(crate) id: Id,
    pub(crate) created: i64,
    pub(crate) amount: i64,
    pub(crate) currency: Currency,
    pub(crate) transfer: Id,
    pub(crate) balance_transaction: Id,
    pub(crate) metadata: Metadata,
}

impl Row for Transfer {
    fn id(&self) -> &Id {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

impl Row for TransferReversal {
    fn id(&self) -> &Id {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

impl Transfer {
    /// The object as the API shows it, with its newest reversals.
    pub(crate) fn render(&self, world: &StripeWorld) -> Value {
        let mut reversals: Vec<Value> = world
            .transfer_reversals
            .iter()
            .filter(|row| row.transfer == self.id)
            .map(|row| row.render())
            .collect();
        reversals.reverse();
        let total = reversals.len();
        reversals.truncate(10);
        json!({
            "id": *self.id, "object": "transfer", "amount": self.amount, "amount_reversed": self.amount_reversed,
            "balance_transaction": *self.balance_transaction, "created": self.created, "currency": self.currency,
            "description": self.description.as_deref(), "destination": *self.destination,
            "destination_payment": format!("py_{}", super::random::derived(&self.id, 24)), "livemode": false,
            "metadata": *self.metadata,
            "reversals": {
                "object": "list", "data": reversals, "has_more": total > 10,
                "url": format!("/v1/transfers/{}/reversals", self.id),
            },
            "reversed": self.amount_reversed == self.amount, "source_transaction": self.source.as_deref(),
            "source_type": "card", "transfer_group": self.group.as_deref(),
        })
    }
}

impl TransferReversal {
    /// The object as the API shows it.
    pub(crate) fn render(&self) -> Value {
        json!({
            "id": *self.id, "object": "transfer_reversal", "amount": self.amount,
            "balance_transaction": *self.balance_transaction, "created": self.created, "currency": self.currency,
            "destination_payment_refund": format!("pyr_{}", super::random::derived(&self.id, 24)),
            "metadata": *self.metadata, "source_refund": null, "transfer": *self.transfer,
        })
    }
}

impl StripeWorld {
    /// `POST /v1/transfers`
    pub(crate) fn create_transfer(&mut self, params: &Params) -> Answer {
        let currency = currency::parse(params.text("currency").unwrap_or_default())?;
        let source = self.source_of_transfer(params, currency)?;
        let amount = match (params.integer("amount"), &source) {
            (Some(amount), _) => amount,
            (None, Some((_, left))) => *left,
            (None, None) => return Err(Refusal::parameter_missing("amount")),
        };
        if amount < 1 {
            return Err(Refusal::too_low("amount", 1));
        }
        let destination = self.destination_of_transfer(params)?;
        let covered = match &source {
            Some((charge, left)) if amount > *left => {
                return Err(Refusal::invalid(format!(
                    "Transfers using this transaction as a source must not exceed the source amount. ({} of {charge} \
                     can be transferred.)",
                    spoken(*left, currency)
                ))
                .param("amount")
                .after_start());
            }
            Some(_) => self.available(currency) >= amount,
            None if self.available(currency) < amount => {
                return Err(too_small(
                    "You have insufficient available funds in your Stripe account. Try adding funds directly to your \
                 available balance by creating Charges using the 4000000000000077 test card.",
                ));
            }
            None => true,
        };
        let source = source.map(|(charge, _)| charge);
        Ok(Snapshot::Transfer(self.transfer(params, (amount, currency), (destination, source), covered)))
    }

    fn available(&self, currency: Currency) -> i64 {
        self.purses.totals.get(currency).map_or(0, |purse| purse.available)
    }

    /// The charge that a transfer is taken from, and what of it can still be transferred.
    fn source_of_transfer(
        &self,
        params: &Params,
        currency: Currency,
    ) -> Result<Option<(Id, i64)>, Box<Refusal>> {
        let Some(source) = params.text("source_transaction") else { return Ok(None) };
        let charge = self
            .charges
            .get(source)
            .filter(|charge| charge.approved() && charge.captured && charge.currency == currency)
            .ok_or_else(|| Refusal::missing_reference("charge", source, "source_transaction"))?;
        let taken: i64 = self
            .transfers
            .iter()
            .filter(|known| known.source.as_ref() == Some(&charge.id))
            .map(|known| known.amount - known.amount_reversed)
            .sum();
        Ok(Some((Arc::clone(&charge.id), charge.amount_captured - taken)))
    }

    fn destination_of_transfer(&self, params: &Params) -> Result<Id, Box<Refusal>> {
        let name = params.text("destination").unwrap_or_default();
        let account = self
            .connected_accounts
            .get(name)
            .ok_or_else(|| Refusal::missing_reference("destination", name, "destination"))?;
        match account.may_receive() {
            true => Ok(Arc::clone(&account.id)),
            false => Err(Refusal::state(
                "insufficient_capabilities_for_transfer",
                "Your destination account needs to have at least one of the following capabilities enabled: \
                 transfers, crypto_transfers, legacy_payments",
            )),
        }
    }

    /// Moves money that was checked to be there.
    fn transfer(
        &mut self,
        params: &Params,
        (amount, currency): (i64, Currency),
        (destination, source): (Id, Option<Id>),
        at_once: bool,
    ) -> Arc<Transfer> {
        let id = self.random.id("tr_");
        let line = self.book(entry(-amount, currency, ("transfer", "transfer"), &id, at_once));
        let group = params.text("transfer_group").map(Id::from);
        let transfer = Transfer {
            id: Arc::clone(&id),
            created: self.now_seconds(),
            amount,
            amount_reversed: 0,
            currency,
            destination: Arc::clone(&destination),
            source,
            group: group.clone(),
            balance_transaction: Arc::clone(&line.id),
            description: params.text("description").map(Arc::from),
            metadata: merge_metadata(&Metadata::default(), params.get("metadata")),
        };
        let mut tags = vec![("destination", &*destination)];
        tags.extend(group.as_deref().map(|group| ("transfer_group", group)));
        let row = self.transfers.insert(transfer, &tags);
        self.move_connected(&destination, currency, amount);
        self.record_transfer(Motion::Transfer, (amount, currency), &id);
        self.emit("transfer.created", Snapshot::Transfer(Arc::clone(&row)), None);
        row
    }

    /// `POST /v1/transfers/{id}/reversals`
    pub(crate) fn reverse_transfer(&mut self, id: &str, params: &Params) -> Answer {
        let transfer =
            Arc::clone(self.transfers.get(id).ok_or_else(|| Refusal::missing("transfer", id, "id"))?);
        let left = transfer.amount - transfer.amount_reversed;
        let amount = params.integer("amount").unwrap_or(left);
        if amount < 1 {
            return Err(Refusal::too_low("amount", 1));
        }
        if amount > left {
            return Err(Refusal::invalid(format!(
                "Reversal amount ({}) is greater than unreversed amount on transfer ({})",
                spoken(amount, transfer.currency),
                spoken(left, transfer.currency)
            ))
            .param("amount")
            .after_start());
        }
        let there =
            self.connected_accounts.get(&transfer.destination).map_or(0, |row| row.holds(transfer.currency));
        if there < amount {
            return Err(too_small(
                "The destination account has insufficient funds to cover the reversal of this transfer.",
            ));
        }
        Ok(Snapshot::TransferReversal(self.take_back(&transfer, amount, params)))
    }

    fn take_back(&mut self, transfer: &Transfer, amount: i64, params: &Params) -> Arc<TransferReversal> {
        let id = self.random.id("trr_");
        let line =
            self.book(entry(amount, transfer.currency, ("transfer_refund", "transfer_reversal"), &id, true));
        let reversal = TransferReversal {
            id: Arc::clone(&id),
            created: self.now_seconds(),
            amount,
            currency: transfer.currency,
            transfer: Arc::clone(&transfer.id),
            balance_transaction: Arc::clone(&line.id),
            metadata: merge_metadata(&Metadata::default(), params.get("metadata")),
        };
        let row = self.transfer_reversals.insert(reversal, &[("transfer", &transfer.id)]);
        let changed = self.transfers.change(&transfer.id, |known| known.amount_reversed += amount);
        self.move_connected(&transfer.destination, transfer.currency, -amount);
        self.record_transfer(Motion::TransferReversal, (amount, transfer.currency), &id);
        if let Some(changed) = changed {
            let before = json!({ "amount_reversed": transfer.amount_reversed });
            self.emit("transfer.reversed", Snapshot::Transfer(changed), Some(before));
        }
        row
    }

    fn record_transfer(&mut self, motion: Motion, (amount, currency): (i64, Currency), object: &Id) {
        self.movements.push(Movement {
            motion,
            amount,
            currency,
            at_ms: self.now_ms,
            object: Arc::clone(object),
            charge: None,
            payment_intent: None,
            external: false,
        });
    }

    /// `GET /v1/transfers/{id}`
    pub(crate) fn show_transfer(&self, id: &str) -> Answer {
        self.transfers
            .get(id)
            .map(|row| Snapshot::Transfer(Arc::clone(row)))
            .ok_or_else(|| Refusal::missing("transfer", id, "id"))
    }

    /// `GET /v1/transfers`
    pub(crate) fn list_transfers(&self, params: &Params) -> Answer {
        let mut tags = Vec::new();
        for name in ["destination", "transfer_group"] {
            if let Some(value) = params.text(name) {
                tags.push((name, value));
            }
        }
        page_of(&self.transfers, "/v1/transfers", params, &tags, |row| {
            let fits = params.text("destination").is_none_or(|wanted| *row.destination == *wanted)
                && params.text("transfer_group").is_none_or(|wanted| row.group.as_deref() == Some(wanted));
            fits.then(|| row.render(self))
        })
    }

    /// `GET /v1/transfers/{id}/reversals`
    pub(crate) fn list_transfer_reversals(&self, id: &str, params: &Params) -> Answer {
        self.show_transfer(id)?;
        let url = format!("/v1/transfers/{id}/reversals");
        page_of(&self.transfer_reversals, &url, params, &[("transfer", id)], |row| {
            (*row.transfer == *id).then(|| row.render())
        })
    }
}

fn too_small(message: &str) -> Box<Refusal> {
    Refusal::state("balance_insufficient", message)
}

fn entry(
    amount: i64,
    currency: Currency,
    (kind, category): (&'static str, &'static str),
    source: &str,
    at_once: bool,
) -> Entry {
    Entry { amount, fee: 0, currency, kind, category, source: Id::from(source), at_once }
}
