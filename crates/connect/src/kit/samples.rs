//! The sample calls of the kit: one of every kind, all with the same key.
//!
//! Used by `requests` and by the tests of connectors that vary them.

use std::collections::BTreeMap;

use suture_core::currency::Currency;
use suture_core::money::Money;

use crate::gateway::{
    AddItem, CaptureMode, Collection, CreateCreditNote, CreateCustomer, CreateInvoice, CreatePayment,
    CreateRefund, CreateTransfer, CreditReason, Fetch, LinkedRefund, List, Metadata, PayInvoice,
    RefundReason, ReverseTransfer, UpdateCustomer,
};

/// The idempotency key that the kit's sample calls carry.
pub const SAMPLE_KEY: &str = "eff_sample-1:0";

/// A payment that is confirmed at once with a stored method; the sample of [`crate::kit::requests`].
#[must_use]
pub fn sample_payment() -> CreatePayment {
    CreatePayment {
        idempotency_key: SAMPLE_KEY.to_owned(),
        amount: Money::usd(12_000),
        capture: CaptureMode::Automatic,
        customer: Some("cus_sample".to_owned()),
        method: Some("pm_sample".to_owned()),
        confirm: true,
        off_session: true,
        save_method: false,
        return_url: None,
        link: "lnk_sample".to_owned(),
        attempt: "att_sample".to_owned(),
    }
}

/// A refund of a part; the sample of [`crate::kit::requests`].
#[must_use]
pub fn sample_refund() -> CreateRefund {
    CreateRefund {
        idempotency_key: SAMPLE_KEY.to_owned(),
        charge: "ch_sample".to_owned(),
        amount: Money::usd(201),
        refund_id: "ref_sample".to_owned(),
        reason: RefundReason::RequestedByCustomer,
    }
}

/// A transfer of a provider's part, taken from one charge.
#[must_use]
pub fn sample_transfer() -> CreateTransfer {
    CreateTransfer {
        idempotency_key: SAMPLE_KEY.to_owned(),
        amount: Money::usd(20_400),
        destination: "acct_sample".to_owned(),
        group: "ppo_sample".to_owned(),
        source: Some("ch_sample".to_owned()),
        transfer_id: "ppo_sample/1".to_owned(),
    }
}

/// A reversal of a part of it.
#[must_use]
pub fn sample_reversal() -> ReverseTransfer {
    ReverseTransfer {
        idempotency_key: SAMPLE_KEY.to_owned(),
        transfer: "tr_sample".to_owned(),
        amount: Money::usd(4_675),
        reversal_id: "ppo_sample/r1".to_owned(),
    }
}

/// Entries as an earlier system wrote them.
#[must_use]
pub fn sample_metadata() -> Metadata {
    let entries = [("bridgeOrganizationId", "org_sample"), ("bridgePatientId", "pat_sample")];
    let entries: BTreeMap<String, String> =
        entries.map(|(key, value)| (key.to_owned(), value.to_owned())).into_iter().collect();
    Metadata::try_new(entries).unwrap_or_default()
}

/// A customer with configured entries.
#[must_use]
pub fn sample_customer() -> CreateCustomer {
    CreateCustomer {
        idempotency_key: SAMPLE_KEY.to_owned(),
        link: "lnk_sample".to_owned(),
        metadata: sample_metadata(),
    }
}

/// The adoption of a customer, with a method to charge by default.
#[must_use]
pub fn sample_adoption() -> UpdateCustomer {
    UpdateCustomer {
        idempotency_key: SAMPLE_KEY.to_owned(),
        customer: "cus_sample".to_owned(),
        link: Some("lnk_sample".to_owned()),
        metadata: sample_metadata(),
        default_method: Some("pm_sample".to_owned()),
    }
}

/// A draft that the payer is sent.
#[must_use]
pub fn sample_invoice() -> CreateInvoice {
    CreateInvoice {
        idempotency_key: SAMPLE_KEY.to_owned(),
        customer: "cus_sample".to_owned(),
        currency: Currency::USD,
        collection: Collection::Send { days_until_due: 14 },
        description: Some("Statement".to_owned()),
        link: "lnk_sample".to_owned(),
        invoice_id: "inv_sample".to_owned(),
    }
}

/// A deduction: an estimate that was paid.
#[must_use]
pub fn sample_item() -> AddItem {
    AddItem {
        idempotency_key: SAMPLE_KEY.to_owned(),
        customer: "cus_sample".to_owned(),
        invoice: "in_sample".to_owned(),
        amount: Money::usd(-6_000),
        description: "Paid before".to_owned(),
        line_id: "lin_sample".to_owned(),
    }
}

/// The charge of a stored method while the payer is away.
#[must_use]
pub fn sample_pay() -> PayInvoice {
    PayInvoice {
        idempotency_key: SAMPLE_KEY.to_owned(),
        invoice: "in_sample".to_owned(),
        method: "pm_sample".to_owned(),
        off_session: true,
    }
}

/// A credit note that every kind of return shares.
#[must_use]
pub fn sample_credit_note() -> CreateCreditNote {
    CreateCreditNote {
        idempotency_key: SAMPLE_KEY.to_owned(),
        invoice: "in_sample".to_owned(),
        amount: Money::usd(2_500),
        refund_minor: 500,
        refunds: vec![
            LinkedRefund { refund: "re_sample".to_owned(), amount: Money::usd(1_000) },
            LinkedRefund { refund: "re_second".to_owned(), amount: Money::usd(400) },
        ],
        out_of_band_minor: 300,
        credit_minor: 300,
        reason: Some(CreditReason::OrderChange),
        memo: Some("Correction".to_owned()),
        credit_note_id: "crn_sample".to_owned(),
    }
}

/// One of every fetch.
#[must_use]
pub fn fetches() -> Vec<Fetch> {
    let id = |prefix: &str| format!("{prefix}_sample");
    vec![
        Fetch::Charge(id("ch")),
        Fetch::Intent(id("pi")),
        Fetch::Refund(id("re")),
        Fetch::RefundsOfCharge(id("ch")),
        Fetch::Dispute(id("dp")),
        Fetch::InvoicePayments(id("in")),
        Fetch::Customer(id("cus")),
        Fetch::Method(id("pm")),
        Fetch::Setup(id("seti")),
        Fetch::Invoice(id("in")),
        Fetch::CreditNote(id("cn")),
        Fetch::Settlement(id("po")),
    ]
}

/// Every list.
#[must_use]
pub const fn lists() -> [List; 6] {
    [List::Intents, List::Refunds, List::Disputes, List::Events, List::BalanceTransactions, List::Payouts]
}
