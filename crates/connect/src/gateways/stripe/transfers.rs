//! Separate charges and transfers of Connect (FACTS §f; ENDPOINTS `/v1/transfers`; OBJECTS `transfer`).
//!
//! Called by `engine` through [`Transfers`]. The group and the metadata are ours, so that a look-up finds what a lost answer
//! did. The lists, and the code of a connected balance that is too small, are inferred from Stripe's public reference (docs
//! "List all transfers", "Transfer reversals"; stripe-node issue 1147; read 2026-11-21): the sheet is silent on them.

use suture_core::currency::Currency;
use suture_core::money::Money;

use crate::gateway::{
    AccountStanding, CreateTransfer, Part, ReversalSeen, ReverseTransfer, TransferSeen, Transfers,
};
use crate::gateways::stripe::form::Form;
use crate::gateways::stripe::request::path;
use crate::gateways::stripe::settings::Stripe;
use crate::gateways::stripe::translate::{entry, id_of};
use crate::gateways::stripe::vault::{of_its_kind, part};
use crate::gateways::stripe::wire::{Created, Linked, Metadata, object};
use crate::gateways::stripe::{amounts, errors};
use crate::http::{HttpRequest, HttpResponse};
use crate::outcome::{Failure, Outcome};

const TRANSFERS: &str = "/v1/transfers/";

/// Our token of a transfer: which payout, and which of its transfers.
const PAYOUT: &str = "suture_payout";
/// Our token of a reversal.
const REVERSAL: &str = "suture_reversal";

/// Our one code for a balance that is too small.
const TOO_SMALL: &str = "balance_insufficient";

const NOT_SENT: &str = "The balance at Stripe is too small, so nothing was sent to the provider. Wait until payments become \
     available there, or top it up; then release the payout.";
const NOT_TAKEN_BACK: &str = "The balance of the provider's account at Stripe is too small, so nothing was taken back. What \
     the provider owes is kept from the next payout.";
const REFUSED: &str = "Stripe refused the transfer and moved nothing. Check at Stripe that the provider's account may \
     receive transfers.";

object!(Transfer, "transfer");
object!(TransferReversal, "transfer_reversal");
object!(ConnectedAccount, "account");

#[derive(serde::Deserialize)]
struct Transfer {
    id: Option<String>,
    object: Option<String>,
    amount: Option<i64>,
    amount_reversed: Option<i64>,
    currency: Option<String>,
    destination: Option<Linked<Created>>,
    metadata: Option<Metadata>,
    transfer_group: Option<String>,
}

#[derive(serde::Deserialize)]
struct TransferReversal {
    id: Option<String>,
    object: Option<String>,
    amount: Option<i64>,
    currency: Option<String>,
    metadata: Option<Metadata>,
    transfer: Option<Linked<Created>>,
}

#[derive(serde::Deserialize)]
struct ConnectedAccount {
    id: Option<String>,
    object: Option<String>,
    capabilities: Option<Capabilities>,
    #[serde(default)]
    payouts_enabled: bool,
}

#[derive(serde::Deserialize)]
struct Capabilities {
    transfers: Option<String>,
}

impl Transfers for Stripe {
    fn create(&self, call: &CreateTransfer) -> HttpRequest {
        let form = Form::new()
            .text(&["amount"], &amounts::to_text(call.amount))
            .text(&["currency"], &call.amount.currency.code_lowercase())
            .text(&["destination"], &call.destination)
            .maybe(&["source_transaction"], call.source.as_deref())
            .text(&["transfer_group"], &call.group)
            .text(&["metadata", PAYOUT], &call.transfer_id);
        self.post("/v1/transfers", form, &call.idempotency_key)
    }

    fn reverse(&self, call: &ReverseTransfer) -> HttpRequest {
        let form = Form::new()
            .text(&["amount"], &amounts::to_text(call.amount))
            .text(&["metadata", REVERSAL], &call.reversal_id);
        self.post(&path(TRANSFERS, &call.transfer, "/reversals"), form, &call.idempotency_key)
    }

    fn find_transfers(&self, group: &str, after: Option<&str>, limit: u8) -> HttpRequest {
        let form = Form::new()
            .text(&["transfer_group"], group)
            .text(&["limit"], &limit.clamp(1, 100).to_string())
            .maybe(&["starting_after"], after);
        self.get("/v1/transfers", form)
    }

    fn find_reversals(&self, transfer: &str, after: Option<&str>, limit: u8) -> HttpRequest {
        let form =
            Form::new().text(&["limit"], &limit.clamp(1, 100).to_string()).maybe(&["starting_after"], after);
        self.get(&path(TRANSFERS, transfer, "/reversals"), form)
    }

    fn fetch_standing(&self, account: &str) -> HttpRequest {
        self.get(&path("/v1/accounts/", account, ""), Form::new())
    }

    fn read_transfer(&self, response: &HttpResponse) -> Outcome<TransferSeen> {
        said(errors::read(response, |wire| transfer(of_its_kind(wire)?)), NOT_SENT)
    }

    fn read_reversal(&self, response: &HttpResponse) -> Outcome<ReversalSeen> {
        said(errors::read(response, |wire| reversal(of_its_kind(wire)?)), NOT_TAKEN_BACK)
    }

    fn read_transfers(&self, response: &HttpResponse) -> Outcome<Part<TransferSeen>> {
        errors::read(response, |list| part(list, |wire| transfer(of_its_kind(wire)?)))
    }

    fn read_reversals(&self, response: &HttpResponse) -> Outcome<Part<ReversalSeen>> {
        errors::read(response, |list| part(list, |wire| reversal(of_its_kind(wire)?)))
    }

    fn read_standing(&self, response: &HttpResponse) -> Outcome<AccountStanding> {
        errors::read(response, |wire: ConnectedAccount| {
            let wire = of_its_kind(wire)?;
            let capability = wire.capabilities.and_then(|capabilities| capabilities.transfers);
            Some(AccountStanding {
                account: wire.id?,
                transfers_enabled: capability.as_deref() == Some("active"),
                payouts_enabled: wire.payouts_enabled,
            })
        })
    }
}

fn transfer(wire: Transfer) -> Option<TransferSeen> {
    let currency = Currency::parse(wire.currency.as_deref()?).ok()?;
    Some(TransferSeen {
        amount: Money::new(amounts::to_minor(wire.amount?, currency)?, currency),
        reversed_minor: amounts::to_minor(wire.amount_reversed.unwrap_or(0), currency)?,
        destination: id_of(wire.destination.as_ref()),
        group: wire.transfer_group,
        transfer_id: entry(wire.metadata.as_ref(), PAYOUT),
        id: wire.id?,
    })
}

fn reversal(wire: TransferReversal) -> Option<ReversalSeen> {
    let currency = Currency::parse(wire.currency.as_deref()?).ok()?;
    Some(ReversalSeen {
        amount: Money::new(amounts::to_minor(wire.amount?, currency)?, currency),
        transfer: id_of(wire.transfer.as_ref())?,
        reversal_id: entry(wire.metadata.as_ref(), REVERSAL),
        id: wire.id?,
    })
}

/// Our sentence for a refusal: those about cards and about Stripe's own balance would mislead here.
fn said<T>(outcome: Outcome<T>, too_small: &str) -> Outcome<T> {
    match outcome {
        Outcome::Declined(failure) => {
            // Older answers say `insufficient_funds` where newer ones say `balance_insufficient`.
            let short = matches!(failure.code.as_str(), TOO_SMALL | "insufficient_funds");
            let (code, message) = match short {
                true => (TOO_SMALL.to_owned(), too_small),
                false => (failure.code.clone(), REFUSED),
            };
            Outcome::Declined(Failure { code, message: message.to_owned(), ..failure })
        }
        outcome => outcome,
    }
}
