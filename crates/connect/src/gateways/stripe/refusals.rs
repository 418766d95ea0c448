//! Refusals that are not about the payer's method: their code, our sentence, and whether our picture is outdated.
//!
//! Called by `errors` for outcomes and by `guide` for explanations. The codes are those of enums.json `error_codes`.

use crate::outcome::Retry;

const OTHER: &str = "Stripe refused the call as it stands and changed nothing. The same call would be refused again; \
     the settings or the request must be corrected.";

const TABLE: &[(&str, &str, Retry)] = &[
    (
        "amount_too_large",
        "The amount is above Stripe's maximum; nothing was charged. Split it or pay another way.",
        Retry::Never,
    ),
    (
        "amount_too_small",
        "The amount is below Stripe's minimum for this currency; nothing was charged.",
        Retry::Never,
    ),
    (
        "balance_insufficient",
        "The balance at Stripe is too small, so nothing was paid out or refunded. Top it up and try anew.",
        Retry::Never,
    ),
    (
        "capture_charge_authorization_expired",
        "The authorization has lapsed, so nothing was captured. Authorize the amount again.",
        Retry::LookUpFirst,
    ),
    (
        "charge_already_captured",
        "The payment was captured before; nothing was captured again. It is looked up.",
        Retry::LookUpFirst,
    ),
    (
        "charge_already_refunded",
        "The payment was refunded in full before; nothing was refunded again. It is looked up.",
        Retry::LookUpFirst,
    ),
    (
        "charge_disputed",
        "The payment is disputed, so nothing was refunded: the dispute decides about the money. \
         Answer or accept the dispute.",
        Retry::LookUpFirst,
    ),
    (
        "charge_expired_for_capture",
        "The authorization has lapsed, so nothing was captured. Authorize the amount again.",
        Retry::LookUpFirst,
    ),
    (
        "charge_not_refundable",
        "Stripe cannot refund this payment; nothing was refunded. Return it another way.",
        Retry::Never,
    ),
    (
        "customer_max_payment_methods",
        "The customer has as many stored methods as Stripe allows, so this one was not stored. Remove \
         one first.",
        Retry::Never,
    ),
    (
        "intent_invalid_state",
        "The payment is in another state at Stripe than was assumed, so nothing was changed. It is \
         looked up and then decided anew.",
        Retry::LookUpFirst,
    ),
    (
        "invoice_no_customer_line_items",
        "The invoice has no lines, so it was not made final. Add a line first.",
        Retry::Never,
    ),
    (
        "invoice_no_payment_method_types",
        "No way to pay is enabled for this invoice at Stripe, so it was not made final. Enable one there.",
        Retry::Never,
    ),
    (
        "invoice_not_editable",
        "The invoice is final, so it was not changed. Correct a final invoice by a credit note.",
        Retry::Never,
    ),
    (
        "livemode_mismatch",
        "Test and live mode were mixed, or the account is not activated; nothing was done.",
        Retry::Never,
    ),
    (
        "payment_intent_incompatible_payment_method",
        "This method cannot pay this payment; nothing was charged. Please use another one.",
        Retry::Never,
    ),
    (
        "payment_intent_unexpected_state",
        "The payment is in another state at Stripe than was assumed, so nothing was changed. It is \
         looked up and then decided anew.",
        Retry::LookUpFirst,
    ),
    (
        "payment_method_currency_mismatch",
        "This method cannot pay this payment; nothing was charged. Please use another one.",
        Retry::Never,
    ),
    (
        "payment_method_unactivated",
        "This way to pay is not activated for the account at Stripe; nothing was charged or stored. \
         Activate it there.",
        Retry::Never,
    ),
    (
        "payment_method_unexpected_state",
        "The stored method is in another state at Stripe than was assumed, so nothing was done. It is \
         looked up.",
        Retry::LookUpFirst,
    ),
    (
        "payment_method_unsupported_type",
        "This kind of method cannot be used here; nothing was charged or stored. Please use another one.",
        Retry::Never,
    ),
    (
        "refund_disputed_payment",
        "The payment is disputed, so nothing was refunded: the dispute decides about the money. \
         Answer or accept the dispute.",
        Retry::LookUpFirst,
    ),
    (
        "resource_missing",
        "Stripe has no such object in this account and mode. Nothing was changed. Check that the \
         connection belongs to the account in which the object was made.",
        Retry::Never,
    ),
    (
        "setup_intent_unexpected_state",
        "The payment is in another state at Stripe than was assumed, so nothing was changed. It is \
         looked up and then decided anew.",
        Retry::LookUpFirst,
    ),
    (
        "testmode_charges_only",
        "Test and live mode were mixed, or the account is not activated; nothing was done.",
        Retry::Never,
    ),
];

/// Our sentence for a refusal and whether to look up first. A code that is not in the table is never sent again as it is.
pub(super) fn judge(code: &str) -> (&'static str, Retry) {
    find(code).unwrap_or((OTHER, Retry::Never))
}

/// The sentence of a code that is in the table.
pub(super) fn find(code: &str) -> Option<(&'static str, Retry)> {
    let at = TABLE.binary_search_by(|(known, _, _)| known.cmp(&code)).ok()?;
    TABLE.get(at).map(|(_, sentence, retry)| (*sentence, *retry))
}

/// All codes of the table, sorted.
pub(super) fn codes() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|(code, _, _)| *code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_every_row_is_found() {
        assert!(TABLE.is_sorted_by(|left, right| left.0 < right.0));
        assert!(codes().all(|code| find(code).is_some()));
    }
}
