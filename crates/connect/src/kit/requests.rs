//! One request of every kind that a gateway can build, capability by capability.
//!
//! Used by the checks of the kit and by the tests that review requests. A capability that is missing builds nothing.

use suture_core::money::Money;
use suture_core::time::Timestamp;

use crate::gateway::{
    CustomerSearch, Gateway, History, HoldWishes, Holds, Invoices, Payments, Transfers, Vault,
};
use crate::http::HttpRequest;
use crate::kit::samples::{
    SAMPLE_KEY, fetches, lists, sample_adoption, sample_credit_note, sample_customer, sample_invoice,
    sample_item, sample_metadata, sample_pay, sample_payment, sample_refund, sample_reversal,
    sample_transfer,
};

type Built = Vec<(String, HttpRequest)>;

/// One request of every kind that a gateway can build, by name.
#[must_use]
pub fn requests(gateway: &dyn Gateway) -> Built {
    let mut built = Built::new();
    built.extend(gateway.payments().map(payments).unwrap_or_default());
    built.extend(gateway.holds().map(holds).unwrap_or_default());
    if let Some(refunds) = gateway.refunds() {
        built.push(("create refund".to_owned(), refunds.create(&sample_refund())));
    }
    built.extend(gateway.transfers().map(transfers).unwrap_or_default());
    built.extend(gateway.vault().map(customers).unwrap_or_default());
    built.extend(gateway.vault().map(methods).unwrap_or_default());
    built.extend(gateway.invoices().map(invoices).unwrap_or_default());
    if let Some(webhooks) = gateway.webhooks() {
        let request = webhooks.create_endpoint("https://clinic.example/hooks", SAMPLE_KEY);
        built.push(("create endpoint".to_owned(), request));
    }
    built.extend(gateway.history().map(history).unwrap_or_default());
    if let Some(account) = gateway.account() {
        built.push(("probe account".to_owned(), account.probe()));
    }
    built
}

fn named<const N: usize>(built: [(&str, HttpRequest); N]) -> Built {
    built.into_iter().map(|(name, request)| (name.to_owned(), request)).collect()
}

fn payments(payments: &dyn Payments) -> Built {
    named([
        ("create payment", payments.create(&sample_payment())),
        ("confirm payment", payments.confirm("pi_sample", "pm_sample", SAMPLE_KEY)),
        ("capture a part", payments.capture("pi_sample", Some(Money::usd(8_000)), SAMPLE_KEY)),
        ("capture all", payments.capture("pi_sample", None, SAMPLE_KEY)),
        ("cancel payment", payments.cancel("pi_sample", SAMPLE_KEY)),
    ])
}

fn holds(holds: &dyn Holds) -> Built {
    let all = HoldWishes { growing: true, extended: true, in_parts: true, overcapture: true };
    named([
        ("create a plain hold", holds.create_hold(&sample_payment(), HoldWishes::default())),
        ("create a hold with every wish", holds.create_hold(&sample_payment(), all)),
        ("raise a hold", holds.raise_hold("pi_sample", Money::usd(8_500), SAMPLE_KEY)),
        ("capture the last part", holds.capture_part("pi_sample", Money::usd(4_500), true, SAMPLE_KEY)),
        (
            "capture a part that is not the last",
            holds.capture_part("pi_sample", Money::usd(4_500), false, SAMPLE_KEY),
        ),
    ])
}

fn transfers(transfers: &dyn Transfers) -> Built {
    named([
        ("create transfer", transfers.create(&sample_transfer())),
        ("reverse transfer", transfers.reverse(&sample_reversal())),
        ("find transfers", transfers.find_transfers("ppo_sample", None, 100)),
        ("find transfers, next page", transfers.find_transfers("ppo_sample", Some("tr_last"), 100)),
        ("find reversals", transfers.find_reversals("tr_sample", None, 100)),
        ("fetch standing", transfers.fetch_standing("acct_sample")),
    ])
}

fn customers(vault: &dyn Vault) -> Built {
    let search = |search, page| vault.search_customers(&search, page, 100);
    named([
        ("create customer", vault.create_customer(&sample_customer())),
        ("adopt customer", vault.update_customer(&sample_adoption())),
        ("fetch customer", vault.fetch_customer("cus_sample")),
        ("search customers by link", search(CustomerSearch::Link("lnk_sample".to_owned()), None)),
        (
            "search customers by entries, next page",
            search(CustomerSearch::Entries(sample_metadata()), Some("page_next")),
        ),
        (
            "search customers that have a key",
            search(CustomerSearch::HasKey("bridgePatientId".to_owned()), None),
        ),
    ])
}

fn methods(vault: &dyn Vault) -> Built {
    named([
        ("create setup", vault.create_setup("cus_sample", "lnk_sample", SAMPLE_KEY)),
        ("cancel setup", vault.cancel_setup("seti_sample", SAMPLE_KEY)),
        ("fetch setup", vault.fetch_setup("seti_sample")),
        ("fetch method", vault.fetch_method("pm_sample")),
        ("list methods", vault.list_methods("cus_sample", None, 100)),
        ("list methods, next page", vault.list_methods("cus_sample", Some("pm_last"), 100)),
        ("attach method", vault.attach_method("pm_sample", "cus_sample", SAMPLE_KEY)),
        ("detach method", vault.detach_method("pm_sample", SAMPLE_KEY)),
    ])
}

fn invoices(invoices: &dyn Invoices) -> Built {
    named([
        ("create invoice", invoices.create(&sample_invoice())),
        ("add item", invoices.add_item(&sample_item())),
        ("finalize invoice", invoices.finalize("in_sample", SAMPLE_KEY)),
        ("send invoice", invoices.send("in_sample", SAMPLE_KEY)),
        ("pay invoice", invoices.pay(&sample_pay())),
        ("pay invoice out of band", invoices.pay_out_of_band("in_sample", SAMPLE_KEY)),
        ("attach payment", invoices.attach_payment("in_sample", "pi_sample", SAMPLE_KEY)),
        ("void invoice", invoices.void("in_sample", SAMPLE_KEY)),
        ("mark invoice uncollectible", invoices.mark_uncollectible("in_sample", SAMPLE_KEY)),
        ("fetch invoice", invoices.fetch("in_sample")),
        (
            "list payments of an invoice, next page",
            invoices.list_payments("in_sample", Some("inpay_last"), 100),
        ),
        ("create credit note", invoices.create_credit_note(&sample_credit_note())),
    ])
}

fn history(history: &dyn History) -> Built {
    let since = Timestamp::from_seconds(1_760_000_000);
    let fetched = fetches().into_iter().map(|what| (format!("fetch {what:?}"), history.fetch(&what)));
    let listed = lists()
        .into_iter()
        .map(|list| (format!("list {list:?}"), history.list(list, since, Some("obj_last"), 100)));
    fetched.chain(listed).collect()
}
