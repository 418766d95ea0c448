//! From Stripe's customers, setups, stored methods and fraud warnings to ours.
//!
//! Called by `vault`, `history` and `webhooks`. The rule of `translate` holds: what cannot be told gives `None`. Enums
//! that decide nothing about money keep a word that is not known here as text.

use suture_core::currency::Currency;
use suture_core::redact::Phi;
use suture_core::time::Timestamp;

use crate::gateway::{CustomerSeen, FraudWarning, HsaFsa, Note, SetupSeen, SetupStatus, StoredMethod};
use crate::gateways::stripe::translate::{Translate, id_of, money};
use crate::gateways::stripe::{errors, wire_vault as wire};

impl Translate<'_> {
    pub(super) fn customer(self, wire: wire::Customer) -> Option<CustomerSeen> {
        let currency = wire.currency.as_deref().and_then(|code| Currency::parse(code).ok());
        let settings = wire.invoice_settings.as_ref();
        Some(CustomerSeen {
            deleted: wire.deleted,
            link: self.link(wire.metadata.as_ref()),
            default_method: settings.and_then(|found| id_of(found.default_payment_method.as_ref())),
            balance: wire.balance.zip(currency).and_then(|(amount, currency)| money(amount, currency)),
            created: wire.created.map(Timestamp::from_seconds),
            metadata: Phi::new(wire.metadata.unwrap_or_default()),
            customer: wire.id?,
        })
    }

    pub(super) fn setup(self, wire: wire::Setup) -> Option<SetupSeen> {
        Some(SetupSeen {
            status: setup_status(wire.status?),
            customer: id_of(wire.customer.as_ref()),
            method: id_of(wire.payment_method.as_ref()),
            mandate: id_of(wire.mandate.as_ref()),
            link: self.link(wire.metadata.as_ref()),
            error: wire.last_setup_error.and_then(errors::payment_error),
            next_action: wire.next_action,
            cancel_reason: wire.cancellation_reason,
            created: wire.created.map(Timestamp::from_seconds),
            setup: wire.id?,
        })
    }
}

/// The method. No field of Stripe's payment method says whether a card is an HSA or FSA card (OBJECTS `payment_method`;
/// FACTS §h knows such test cards by their ids only), and funding or brand prove nothing: so the answer is "unknown".
pub(super) fn method(wire: wire::Method) -> Option<StoredMethod> {
    let card = wire.card.or(wire.card_present);
    let bank = [wire.us_bank_account, wire.sepa_debit, wire.acss_debit, wire.bacs_debit, wire.au_becs_debit];
    let bank = bank.into_iter().flatten().next();
    let seen = StoredMethod {
        id: wire.id?,
        customer: id_of(wire.customer.as_ref()),
        kind: wire.kind?,
        brand: None,
        last4: None,
        exp_month: None,
        exp_year: None,
        funding: None,
        hsa_fsa: HsaFsa::Unknown,
        fingerprint: None,
        wallet: None,
        created: wire.created.map(Timestamp::from_seconds),
    };
    Some(match (card, bank) {
        (Some(card), _) => StoredMethod {
            brand: card.brand,
            last4: card.last4,
            exp_month: card.exp_month,
            exp_year: card.exp_year,
            funding: card.funding,
            fingerprint: card.fingerprint,
            wallet: card.wallet.and_then(|wallet| wallet.kind),
            ..seen
        },
        (None, Some(bank)) => StoredMethod {
            last4: bank.last4,
            funding: bank.account_type,
            fingerprint: bank.fingerprint,
            ..seen
        },
        (None, None) => seen,
    })
}

/// What a method's owner says: a method without customer cannot be charged later.
pub(super) fn method_note(method: StoredMethod) -> Note {
    match method.customer {
        Some(_) => Note::MethodChanged(method),
        None => Note::MethodGone { id: method.id },
    }
}

pub(super) fn warning(wire: &wire::Warning) -> Option<FraudWarning> {
    Some(FraudWarning {
        warning: wire.id.clone()?,
        charge: id_of(wire.charge.as_ref())?,
        intent: id_of(wire.payment_intent.as_ref()),
        kind: wire.fraud_type.clone(),
        actionable: wire.actionable,
    })
}

/// FACTS §b.
fn setup_status(status: String) -> SetupStatus {
    match status.as_str() {
        "requires_payment_method" => SetupStatus::RequiresMethod,
        "requires_confirmation" => SetupStatus::RequiresConfirmation,
        "requires_action" => SetupStatus::RequiresAction,
        "processing" => SetupStatus::Processing,
        "succeeded" => SetupStatus::Succeeded,
        "canceled" => SetupStatus::Canceled,
        _ => SetupStatus::Other(status),
    }
}
