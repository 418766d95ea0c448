//! From Stripe's objects to evidence: their word on the left, ours on the right.
//!
//! Called by every reading file of this folder. An object that lacks what the evidence must state, or whose status or
//! currency is not known here, gives `None`: the caller says "unknown" or lists the object for a fetch. Never a guess.

use serde_json::Value;
use suture_core::currency::Currency;
use suture_core::evidence::{
    CardSeen, ChargeSeen, ChargeStatus, DisputeSeen, DisputeStatus, Evidence, FeeSeen, IntentSeen,
    IntentStatus, PaymentError, RefundSeen, RefundStatus,
};
use suture_core::money::Money;
use suture_core::redact::Secret;
use suture_core::time::Timestamp;

use crate::gateway::{AuthorizationSeen, Fetch, Note, Seen};
use crate::gateways::stripe::wire::{self, Linked, Object};
use crate::gateways::stripe::{amounts, errors, wire_invoice};

/// Metadata keys that we write and read back. Nothing else about a patient or an act of care leaves (FEATURES R3).
pub(super) const LINK: &str = "suture_link";
/// Our attempt id.
pub(super) const ATTEMPT: &str = "suture_attempt";
/// Our refund id.
pub(super) const REFUND: &str = "suture_refund";
/// Our invoice id.
pub(super) const INVOICE: &str = "suture_invoice";
/// Our id of an invoice's line.
pub(super) const LINE: &str = "suture_line";
/// Our credit note id.
pub(super) const CREDIT_NOTE: &str = "suture_credit_note";

/// Nothing seen.
pub(super) const fn nothing() -> Seen {
    Seen { evidence: Vec::new(), notes: Vec::new(), fetch: Vec::new(), client_secret: None }
}

/// A note and nothing else.
pub(super) fn noted(note: Note) -> Seen {
    Seen { notes: vec![note], ..nothing() }
}

/// Translates with the settings of one connection.
#[derive(Clone, Copy)]
pub(super) struct Translate<'a> {
    /// A metadata key that is read where [`LINK`] is absent.
    pub(super) link_import_key: Option<&'a str>,
}

impl Translate<'_> {
    /// The intent, then its latest charge. A charge that was not expanded is listed for a fetch.
    pub(super) fn intent(self, mut wire: wire::Intent) -> Option<Seen> {
        let latest = wire.latest_charge.take().or_else(|| {
            let newest = wire.charges.take()?.data.into_iter().next()?;
            Some(Linked::Object(Box::new(newest)))
        });
        let client_secret = wire.client_secret.take().map(Secret::new);
        let charge = latest.as_ref().and_then(Linked::id).map(str::to_owned);
        let waits_for_capture = wire.status.as_deref() == Some("requires_capture");
        let mut seen = nothing();
        seen.client_secret = client_secret;
        seen.evidence.push(Evidence::Intent(self.intent_alone(wire, charge.clone())?));
        let translated = match latest {
            Some(Linked::Object(wire)) => self.charge(*wire),
            _ => None,
        };
        match translated {
            // A hold that the intent does not wait for any more was released.
            Some(charge) => {
                seen.evidence.extend(charge.evidence);
                seen.notes.extend(charge.notes.into_iter().filter(|_| waits_for_capture));
            }
            None => seen.fetch.extend(charge.map(Fetch::Charge)),
        }
        Some(seen)
    }

    fn intent_alone(self, wire: wire::Intent, charge: Option<String>) -> Option<IntentSeen> {
        let status = intent_status(wire.status.as_deref()?)?;
        let currency = Currency::parse(wire.currency.as_deref()?).ok()?;
        let minor = |amount: Option<i64>| amounts::to_minor(amount?, currency);
        // A missing zero is harmless; a missing amount where money stands behind the status is not.
        let capturable = match (status, wire.amount_capturable) {
            (IntentStatus::RequiresCapture, amount) => amount,
            (_, amount) => amount.or(Some(0)),
        };
        let received = match (status, wire.amount_received) {
            (IntentStatus::Succeeded, amount) => amount,
            (_, amount) => amount.or(Some(0)),
        };
        Some(IntentSeen {
            status,
            amount: Money::new(minor(wire.amount)?, currency),
            capturable_minor: minor(capturable)?,
            received_minor: minor(received)?,
            charge,
            customer: id_of(wire.customer.as_ref()),
            method: id_of(wire.payment_method.as_ref()),
            link: self.link(wire.metadata.as_ref()),
            attempt: entry(wire.metadata.as_ref(), ATTEMPT),
            cancel_reason: wire.cancellation_reason,
            error: wire.last_payment_error.and_then(errors::payment_error),
            next_action: wire.next_action,
            created: Timestamp::from_seconds(wire.created?),
            intent: wire.id?,
        })
    }

    /// The charge, then the refunds that old versions embed. A charge that is a hold is noted as one, too.
    pub(super) fn charge(self, mut wire: wire::Charge) -> Option<Seen> {
        let refunds = wire.refunds.take().map(|list| list.data).unwrap_or_default();
        let hold = hold(&wire);
        let mut seen = nothing();
        seen.evidence.push(Evidence::Charge(self.charge_alone(wire)?));
        seen.evidence.extend(refunds.into_iter().filter_map(refund).map(Evidence::Refund));
        seen.notes.extend(hold.map(Note::Authorization));
        Some(seen)
    }

    fn charge_alone(self, wire: wire::Charge) -> Option<ChargeSeen> {
        let status = charge_status(wire.status.as_deref()?)?;
        let currency = Currency::parse(wire.currency.as_deref()?).ok()?;
        let minor = |amount: i64| amounts::to_minor(amount, currency);
        let id = wire.id.clone()?;
        let captured_minor = minor(captured(&wire, status)?)?;
        // The part of an authorization that a partial capture released also counts as "refunded" there (FACTS §c.4).
        let refunded_minor = minor(wire.amount_refunded.unwrap_or(0))?.min(captured_minor);
        let error = charge_error(&wire, status);
        let details = wire.payment_method_details.and_then(|details| details.card.or(details.card_present));
        Some(ChargeSeen {
            intent: id_of(wire.payment_intent.as_ref()),
            status,
            amount: Money::new(minor(wire.amount?)?, currency),
            captured_minor,
            refunded_minor,
            disputed: wire.disputed.unwrap_or(false),
            capture_before: details
                .as_ref()
                .and_then(|card| card.capture_before)
                .map(Timestamp::from_seconds),
            customer: id_of(wire.customer.as_ref()),
            method: wire.payment_method,
            card: details.and_then(card),
            link: self.link(wire.metadata.as_ref()),
            attempt: entry(wire.metadata.as_ref(), ATTEMPT),
            fee: fee(wire.balance_transaction, &id),
            error,
            receipt_url: wire.receipt_url,
            created: Timestamp::from_seconds(wire.created?),
            charge: id,
        })
    }

    pub(super) fn link(self, metadata: Option<&wire::Metadata>) -> Option<String> {
        entry(metadata, LINK).or_else(|| entry(metadata, self.link_import_key?))
    }
}

/// The hold that an approved and uncaptured charge is (FACTS §c.4–6). A released or expired one counts as refunded.
fn hold(wire: &wire::Charge) -> Option<AuthorizationSeen> {
    let approved = wire.status.as_deref() == Some("succeeded") && wire.captured == Some(false);
    if !approved || wire.amount_refunded.is_some_and(|released| released != 0) {
        return None;
    }
    let currency = Currency::parse(wire.currency.as_deref()?).ok()?;
    let details = wire.payment_method_details.as_ref();
    let card = details.and_then(|details| details.card.as_ref().or(details.card_present.as_ref()));
    let says = |option: fn(&wire::Card) -> Option<&wire::CardOption>, word: &str| {
        card.and_then(option).and_then(|option| option.status.as_deref()).map(|status| status == word)
    };
    let over = card.and_then(|card| card.overcapture.as_ref());
    let over = over.filter(|option| option.status.as_deref() == Some("available"));
    let authorized = card.and_then(|card| card.amount_authorized).or(wire.amount)?;
    let held = authorized.checked_sub(wire.amount_captured.unwrap_or(0)).filter(|held| *held > 0)?;
    Some(AuthorizationSeen {
        charge: wire.id.clone()?,
        intent: id_of(wire.payment_intent.as_ref()),
        held: money(held, currency)?,
        capturable_max: over
            .and_then(|option| option.maximum_amount_capturable)
            .and_then(|amount| money(amount, currency)),
        capture_before: card.and_then(|card| card.capture_before).map(Timestamp::from_seconds),
        network: card.and_then(|card| card.network.clone()),
        growing: says(|card| card.incremental_authorization.as_ref(), "available"),
        extended: says(|card| card.extended_authorization.as_ref(), "enabled"),
        in_parts: says(|card| card.multicapture.as_ref(), "available"),
    })
}

/// Stripe's integer as money; `None` when it cannot be told exactly.
pub(super) fn money(amount: i64, currency: Currency) -> Option<Money> {
    Some(Money::new(amounts::to_minor(amount, currency)?, currency))
}

/// The refund; `None` too when it names no charge.
pub(super) fn refund(wire: wire::Refund) -> Option<RefundSeen> {
    let currency = Currency::parse(wire.currency.as_deref()?).ok()?;
    Some(RefundSeen {
        charge: id_of(wire.charge.as_ref())?,
        intent: id_of(wire.payment_intent.as_ref()),
        status: refund_status(wire.status.as_deref()?)?,
        amount: Money::new(amounts::to_minor(wire.amount?, currency)?, currency),
        failure_reason: wire.failure_reason,
        reason: wire.reason,
        refund_id: entry(wire.metadata.as_ref(), REFUND),
        created: Timestamp::from_seconds(wire.created?),
        refund: wire.id?,
    })
}

/// The dispute. Its balance transactions tell what moved: a negative one took the funds, a positive one brought them
/// back (FACTS §b).
pub(super) fn dispute(wire: wire::Dispute) -> Option<DisputeSeen> {
    let currency = Currency::parse(wire.currency.as_deref()?).ok()?;
    let moved = |wanted: fn(i64) -> bool| {
        wire.balance_transactions.iter().any(|transaction| transaction.amount.is_some_and(wanted))
    };
    let (withdrawn, reinstated) = (moved(|amount| amount < 0), moved(|amount| amount > 0));
    let fee = wire
        .balance_transactions
        .iter()
        .filter(|transaction| transaction.currency == wire.currency)
        .filter_map(|transaction| transaction.fee.filter(|fee| *fee > 0))
        .try_fold(0_i64, i64::checked_add)?;
    Some(DisputeSeen {
        charge: id_of(wire.charge.as_ref())?,
        intent: id_of(wire.payment_intent.as_ref()),
        status: dispute_status(wire.status.as_deref()?)?,
        amount: Money::new(amounts::to_minor(wire.amount?, currency)?, currency),
        fee_minor: amounts::to_minor(fee, currency)?,
        withdrawn,
        reinstated,
        reason: wire.reason.unwrap_or_default(),
        due_by: wire.evidence_details.and_then(|details| details.due_by).map(Timestamp::from_seconds),
        created: Timestamp::from_seconds(wire.created?),
        dispute: wire.id?,
    })
}

/// The objects behind one payment of an invoice.
pub(super) fn invoice_payment(wire: &wire_invoice::InvoicePayment) -> Vec<Fetch> {
    let source = wire.payment.as_ref();
    let intent = source.and_then(|source| fetchable(source.payment_intent.as_ref())).map(Fetch::Intent);
    let charge = source.and_then(|source| fetchable(source.charge.as_ref())).map(Fetch::Charge);
    intent.into_iter().chain(charge).collect()
}

/// An id that may be put into a fetch: Stripe's ids are letters, digits and underscores.
pub(super) fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 255 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

pub(super) fn fetchable<T: Object>(linked: Option<&Linked<T>>) -> Option<String> {
    id_of(linked).filter(|id| is_id(id))
}

pub(super) fn id_of<T: Object>(linked: Option<&Linked<T>>) -> Option<String> {
    linked.and_then(Linked::id).map(str::to_owned)
}

pub(super) fn entry(metadata: Option<&wire::Metadata>, key: &str) -> Option<String> {
    metadata?.get(key).filter(|value| !value.is_empty()).cloned()
}

/// FACTS §b. The `source` words are those of versions before 2019-02-11.
fn intent_status(status: &str) -> Option<IntentStatus> {
    Some(match status {
        "requires_payment_method" | "requires_source" => IntentStatus::RequiresMethod,
        "requires_confirmation" => IntentStatus::RequiresConfirmation,
        "requires_action" | "requires_source_action" => IntentStatus::RequiresAction,
        "processing" => IntentStatus::Processing,
        "requires_capture" => IntentStatus::RequiresCapture,
        "succeeded" => IntentStatus::Succeeded,
        "canceled" => IntentStatus::Canceled,
        _ => return None,
    })
}

/// FACTS §b.
fn charge_status(status: &str) -> Option<ChargeStatus> {
    Some(match status {
        "pending" => ChargeStatus::Pending,
        "failed" => ChargeStatus::Failed,
        "succeeded" => ChargeStatus::Succeeded,
        _ => return None,
    })
}

/// FACTS §b.
fn refund_status(status: &str) -> Option<RefundStatus> {
    Some(match status {
        "pending" | "requires_action" => RefundStatus::Pending,
        "succeeded" => RefundStatus::Succeeded,
        "failed" => RefundStatus::Failed,
        "canceled" => RefundStatus::Canceled,
        _ => return None,
    })
}

/// FACTS §b. A prevented dispute never opened; an appeal is a dispute that waits for us, or for the network, again.
fn dispute_status(status: &str) -> Option<DisputeStatus> {
    Some(match status {
        "warning_needs_response" | "warning_under_review" => DisputeStatus::Inquiry,
        "warning_closed" | "prevented" => DisputeStatus::InquiryClosed,
        "needs_response" | "appeal_needs_response" => DisputeStatus::Opened,
        "under_review" | "appeal_under_review" => DisputeStatus::Challenged,
        "won" => DisputeStatus::Won,
        "lost" => DisputeStatus::Lost,
        _ => return None,
    })
}

/// What was captured, in Stripe's unit. A bank debit on its way says `captured` too, but nothing has moved yet. A hold
/// that is captured in parts has moved what `amount_captured` says, even before its last part.
/// Old versions have no `amount_captured`; then only the unambiguous cases are answered.
fn captured(wire: &wire::Charge, status: ChargeStatus) -> Option<i64> {
    match (status, wire.captured, wire.amount_captured) {
        (ChargeStatus::Pending | ChargeStatus::Failed, _, _) => Some(0),
        (ChargeStatus::Succeeded, _, Some(amount)) => Some(amount),
        (ChargeStatus::Succeeded, Some(false), None) => Some(0),
        (ChargeStatus::Succeeded, Some(true), None) if wire.amount_refunded == Some(0) => wire.amount,
        (ChargeStatus::Succeeded, _, None) => None,
    }
}

fn charge_error(wire: &wire::Charge, status: ChargeStatus) -> Option<PaymentError> {
    if status != ChargeStatus::Failed {
        return None;
    }
    let outcome: Value = match &wire.outcome {
        Some(raw) => serde_json::from_str(raw.get()).unwrap_or(Value::Null),
        None => Value::Null,
    };
    errors::charge_error(wire.failure_code.as_deref(), wire.failure_message.as_deref(), &outcome)
}

fn card(wire: wire::Card) -> Option<CardSeen> {
    Some(CardSeen {
        brand: wire.brand?,
        last4: wire.last4?,
        funding: wire.funding.unwrap_or_else(|| "unknown".to_owned()),
        exp_month: wire.exp_month,
        exp_year: wire.exp_year,
    })
}

fn fee(linked: Option<Linked<wire::BalanceTransaction>>, charge: &str) -> Option<FeeSeen> {
    let Some(Linked::Object(wire)) = linked else { return None };
    let currency = Currency::parse(wire.currency.as_deref()?).ok()?;
    let fee = Money::new(amounts::to_minor(wire.fee?, currency)?, currency);
    Some(FeeSeen { transaction: wire.id?, charge: charge.to_owned(), fee })
}
