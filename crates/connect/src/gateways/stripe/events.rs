//! Which events exist for us, and what each is read as (FACTS §e, FEATURES M8, M9).
//!
//! Used by `webhooks` for the subscription and by `notices` for reading. Adding an event is one line here and one in the
//! recorded events of the tests.

/// What an event's object is read as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    Intent,
    Charge,
    ChargeRefunded,
    Refund,
    Dispute,
    /// A dispute of which the event says that the money went.
    DisputeWithdrawn,
    /// A dispute of which the event says that the money came back.
    DisputeReinstated,
    Customer,
    CustomerDeleted,
    Setup,
    Method,
    /// A method that its event's own object shows without customer.
    MethodDetached,
    Invoice,
    /// An invoice of which the event says that a payment came, failed or was too much.
    InvoiceMoney,
    InvoiceDeleted,
    InvoicePayment,
    CreditNote,
    /// A payout to the bank.
    Payout,
    /// An early warning of fraud.
    Warning,
    /// Known, and neither evidence nor a note: recorded only.
    Recorded,
}

/// The events that the installed features need, and what each is read as.
const NEEDED: &[(&str, Reads)] = &[
    ("charge.captured", Reads::Charge),
    ("charge.dispute.closed", Reads::Dispute),
    ("charge.dispute.created", Reads::Dispute),
    ("charge.dispute.funds_reinstated", Reads::DisputeReinstated),
    ("charge.dispute.funds_withdrawn", Reads::DisputeWithdrawn),
    ("charge.dispute.updated", Reads::Dispute),
    ("charge.expired", Reads::Charge),
    ("charge.failed", Reads::Charge),
    ("charge.pending", Reads::Charge),
    ("charge.refunded", Reads::ChargeRefunded),
    ("charge.succeeded", Reads::Charge),
    ("charge.updated", Reads::Charge),
    ("credit_note.created", Reads::CreditNote),
    ("credit_note.updated", Reads::CreditNote),
    ("credit_note.voided", Reads::CreditNote),
    ("customer.created", Reads::Customer),
    ("customer.deleted", Reads::CustomerDeleted),
    ("customer.updated", Reads::Customer),
    ("invoice.created", Reads::Invoice),
    ("invoice.finalized", Reads::Invoice),
    ("invoice.marked_uncollectible", Reads::Invoice),
    ("invoice.overpaid", Reads::InvoiceMoney),
    ("invoice.paid", Reads::InvoiceMoney),
    ("invoice.payment_failed", Reads::InvoiceMoney),
    ("invoice.payment_succeeded", Reads::InvoiceMoney),
    ("invoice.sent", Reads::Invoice),
    ("invoice.updated", Reads::Invoice),
    ("invoice.voided", Reads::Invoice),
    ("invoice_payment.paid", Reads::InvoicePayment),
    ("payment_intent.amount_capturable_updated", Reads::Intent),
    ("payment_intent.canceled", Reads::Intent),
    ("payment_intent.payment_failed", Reads::Intent),
    ("payment_intent.processing", Reads::Intent),
    ("payment_intent.requires_action", Reads::Intent),
    ("payment_intent.succeeded", Reads::Intent),
    ("payment_method.attached", Reads::Method),
    ("payment_method.automatically_updated", Reads::Method),
    ("payment_method.detached", Reads::MethodDetached),
    ("payment_method.updated", Reads::Method),
    ("payout.canceled", Reads::Payout),
    ("payout.created", Reads::Payout),
    ("payout.failed", Reads::Payout),
    ("payout.paid", Reads::Payout),
    ("payout.reconciliation_completed", Reads::Payout),
    ("payout.updated", Reads::Payout),
    ("radar.early_fraud_warning.created", Reads::Warning),
    ("refund.created", Reads::Refund),
    ("refund.failed", Reads::Refund),
    ("refund.updated", Reads::Refund),
    ("reporting.report_run.failed", Reads::Recorded),
    ("reporting.report_run.succeeded", Reads::Recorded),
    ("setup_intent.canceled", Reads::Setup),
    ("setup_intent.setup_failed", Reads::Setup),
    ("setup_intent.succeeded", Reads::Setup),
    ("transfer.created", Reads::Recorded),
    ("transfer.reversed", Reads::Recorded),
];

/// Events that are understood when somebody subscribed to them, but that nothing here needs.
const ALSO_READ: &[(&str, Reads)] = &[
    ("charge.refund.updated", Reads::Refund),
    ("invoice.deleted", Reads::InvoiceDeleted),
    ("invoice.finalization_failed", Reads::Invoice),
    ("invoice.overdue", Reads::Invoice),
    ("invoice.payment_action_required", Reads::InvoiceMoney),
    ("invoice.payment_attempt_required", Reads::Invoice),
    ("invoice.will_be_due", Reads::Invoice),
    ("payment_intent.created", Reads::Intent),
    ("payment_intent.partially_funded", Reads::Intent),
    ("radar.early_fraud_warning.updated", Reads::Warning),
    ("setup_intent.created", Reads::Setup),
    ("setup_intent.requires_action", Reads::Setup),
];

/// Families that are recorded whole.
const RECORDED: &[&str] = &["customer.", "payment_method.", "payout."];

/// The names of the events that the endpoint subscribes to.
pub(super) const NEEDED_NAMES: [&str; NEEDED.len()] = {
    let mut names = [""; NEEDED.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = NEEDED[at].0;
        at += 1;
    }
    names
};

/// What an event of that type is read as; `None` for a type that is not known.
pub(super) fn reads_of(event_type: &str) -> Option<Reads> {
    let listed =
        NEEDED.iter().chain(ALSO_READ).find(|(name, _)| *name == event_type).map(|(_, reads)| *reads);
    let recorded = || RECORDED.iter().any(|family| event_type.starts_with(family)).then_some(Reads::Recorded);
    listed.or_else(recorded)
}
