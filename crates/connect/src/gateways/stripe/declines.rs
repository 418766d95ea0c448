//! What a decline means: may it be tried again, and what should the payer do (FACTS §a "Card decline codes").
//!
//! Called by `errors` for outcomes and by `guide` for explanations. A word that is not in the table is never retried automatically. The sentences do not
//! repeat the issuer's reason where Stripe asks to show it as a plain decline (lost, stolen, fraud, blocked).

use suture_core::evidence::DeclineAdvice;

/// What can be done about a decline.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Remedy {
    OtherMethod,
    NotAllowed,
    Closed,
    Repeated,
    Blocked,
    Funds,
    Limit,
    Later,
    Authenticate,
    Pin,
    Expired,
    Number,
    Cvc,
    Expiry,
    Address,
    Details,
}

impl Remedy {
    const fn advice(self) -> DeclineAdvice {
        match self {
            Self::OtherMethod | Self::NotAllowed | Self::Closed | Self::Repeated | Self::Blocked => {
                DeclineAdvice::HardDecline
            }
            Self::Funds | Self::Limit | Self::Later => DeclineAdvice::SoftDecline,
            Self::Authenticate | Self::Pin => DeclineAdvice::Authenticate,
            Self::Expired | Self::Number | Self::Cvc | Self::Expiry | Self::Address | Self::Details => {
                DeclineAdvice::FixMethod
            }
        }
    }

    const fn sentence(self) -> &'static str {
        match self {
            Self::OtherMethod => {
                "The payment was declined and nothing was charged. Please use another card or another way to pay."
            }
            Self::NotAllowed => {
                "The payer's bank does not allow this payment and nothing was charged. \
                 Please use another card, or call the number on the back of the card."
            }
            Self::Closed => {
                "The bank account cannot be debited and nothing was charged. Please use another account or a card."
            }
            Self::Repeated => {
                "A payment of the same amount was made with this card a moment ago, so this one was declined and \
                 nothing was charged twice. Check the earlier payment before paying again."
            }
            Self::Blocked => {
                "This card was tried too often and is not accepted for now; nothing was charged. \
                 Please use another card."
            }
            Self::Funds => {
                "There was not enough money available and nothing was charged. \
                 Try again on another day, or use another card."
            }
            Self::Limit => {
                "The payment is above a limit of this card and nothing was charged. \
                 Try again later, or use another card."
            }
            Self::Later => {
                "The payment could not be approved just now and nothing was charged. \
                 Try again later, or use another card."
            }
            Self::Authenticate => {
                "The bank asks the payer to confirm this payment and nothing was charged yet. \
                 Open the payment page and follow the bank's steps."
            }
            Self::Pin => {
                "The bank asks for the card's PIN and nothing was charged. \
                 Insert the card into the reader and enter the PIN."
            }
            Self::Expired => {
                "The card has expired and nothing was charged. Use another card, or enter the new expiry date."
            }
            Self::Number => {
                "The card number is wrong and nothing was charged. Check the number and try again."
            }
            Self::Cvc => {
                "The card's security code is wrong and nothing was charged. Check the code and try again."
            }
            Self::Expiry => {
                "The card's expiry date is wrong and nothing was charged. Check the date and try again."
            }
            Self::Address => {
                "The billing address or postal code does not match the card and nothing was charged. \
                 Check it and try again."
            }
            Self::Details => {
                "The payment details are no longer valid and nothing was charged. Enter them again, or use a card."
            }
        }
    }
}

/// Their word, our remedy. Card decline codes, other methods' decline codes, and error codes share one name space
/// (enums.json `card_decline_codes`, `lpm_decline_codes`, `error_codes`).
const TABLE: &[(&str, Remedy)] = &[
    ("account_closed", Remedy::Closed),
    ("account_invalid", Remedy::Closed),
    ("approve_with_id", Remedy::Later),
    ("authentication_not_handled", Remedy::Authenticate),
    ("authentication_required", Remedy::Authenticate),
    ("bank_account_declined", Remedy::Closed),
    ("bank_account_restricted", Remedy::Closed),
    ("bank_account_unusable", Remedy::Closed),
    ("call_issuer", Remedy::Later),
    ("card_decline_rate_limit_exceeded", Remedy::Blocked),
    ("card_not_supported", Remedy::NotAllowed),
    ("card_velocity_exceeded", Remedy::Limit),
    ("charge_exceeds_source_limit", Remedy::Limit),
    ("charge_exceeds_transaction_limit", Remedy::Limit),
    ("compliance_violation", Remedy::OtherMethod),
    ("currency_not_supported", Remedy::NotAllowed),
    ("debit_not_authorized", Remedy::Closed),
    ("do_not_honor", Remedy::Later),
    ("do_not_try_again", Remedy::OtherMethod),
    ("duplicate_transaction", Remedy::Repeated),
    ("expired_card", Remedy::Expired),
    ("expired_payment_information", Remedy::Details),
    ("expired_payment_method", Remedy::Details),
    ("fraudulent", Remedy::OtherMethod),
    ("generic_decline", Remedy::Later),
    ("incorrect_address", Remedy::Address),
    ("incorrect_cvc", Remedy::Cvc),
    ("incorrect_number", Remedy::Number),
    ("incorrect_pin", Remedy::Pin),
    ("incorrect_postal_code", Remedy::Address),
    ("incorrect_zip", Remedy::Address),
    ("insufficient_funds", Remedy::Funds),
    ("invalid_account", Remedy::NotAllowed),
    ("invalid_amount", Remedy::NotAllowed),
    ("invalid_authorization", Remedy::Details),
    ("invalid_billing_agreement", Remedy::Details),
    ("invalid_business_account", Remedy::OtherMethod),
    ("invalid_customer_account", Remedy::OtherMethod),
    ("invalid_cvc", Remedy::Cvc),
    ("invalid_expiry_month", Remedy::Expiry),
    ("invalid_expiry_year", Remedy::Expiry),
    ("invalid_number", Remedy::Number),
    ("invalid_payment_information", Remedy::Details),
    ("invalid_pin", Remedy::Pin),
    ("invoice_payment_intent_requires_action", Remedy::Authenticate),
    ("issuer_not_available", Remedy::Later),
    ("lost_card", Remedy::OtherMethod),
    ("merchant_blacklist", Remedy::OtherMethod),
    ("mobile_device_authentication_required", Remedy::Authenticate),
    ("new_account_information_available", Remedy::Details),
    ("no_account", Remedy::Closed),
    ("no_action_taken", Remedy::NotAllowed),
    ("not_permitted", Remedy::NotAllowed),
    ("offline_pin_required", Remedy::Pin),
    ("online_or_offline_pin_required", Remedy::Pin),
    ("partner_generic_decline", Remedy::Later),
    ("partner_high_risk_customer", Remedy::OtherMethod),
    ("partner_payment_not_found", Remedy::OtherMethod),
    ("payment_disputed", Remedy::OtherMethod),
    ("payment_intent_action_required", Remedy::Authenticate),
    ("payment_intent_authentication_failure", Remedy::Authenticate),
    ("payment_intent_mandate_invalid", Remedy::Details),
    ("payment_intent_payment_attempt_expired", Remedy::Later),
    ("payment_intent_payment_attempt_failed", Remedy::Later),
    ("payment_limit_exceeded", Remedy::Limit),
    ("payment_method_bank_account_blocked", Remedy::Closed),
    ("payment_method_customer_decline", Remedy::Later),
    ("payment_method_not_available", Remedy::Later),
    ("payment_method_provider_decline", Remedy::OtherMethod),
    ("payment_method_provider_timeout", Remedy::Later),
    ("payment_method_restricted", Remedy::OtherMethod),
    ("pickup_card", Remedy::OtherMethod),
    ("pin_try_exceeded", Remedy::NotAllowed),
    ("processing_error", Remedy::Later),
    ("reenter_transaction", Remedy::Later),
    ("refer_to_customer", Remedy::Closed),
    ("restricted_card", Remedy::OtherMethod),
    ("revocation_of_all_authorizations", Remedy::OtherMethod),
    ("revocation_of_authorization", Remedy::OtherMethod),
    ("security_violation", Remedy::NotAllowed),
    ("service_not_allowed", Remedy::NotAllowed),
    ("setup_intent_authentication_failure", Remedy::Authenticate),
    ("stolen_card", Remedy::OtherMethod),
    ("stop_payment_order", Remedy::OtherMethod),
    ("testmode_decline", Remedy::OtherMethod),
    ("three_d_secure_authentication_not_supported", Remedy::OtherMethod),
    ("three_d_secure_authentication_upstream_error", Remedy::Authenticate),
    ("transaction_not_allowed", Remedy::NotAllowed),
    ("try_again_later", Remedy::Later),
    ("withdrawal_count_limit_exceeded", Remedy::Limit),
];

/// Whether a decline or error code is in the table.
pub(super) fn is_known(code: &str) -> bool {
    find(code).is_some()
}

/// All codes of the table, sorted.
pub(super) fn codes() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|(code, _)| *code)
}

/// Judges a failed try by the issuer's word first, then by Stripe's code, then by the advice.
pub(super) fn judge(
    code: Option<&str>,
    decline_code: Option<&str>,
    advice_code: Option<&str>,
) -> (DeclineAdvice, &'static str) {
    let specific = decline_code.filter(|word| *word != "generic_decline");
    let known = [specific, code, decline_code].into_iter().flatten().find_map(find);
    let remedy = match (known, advice_code) {
        // Neither another method nor authentication is a retry, so advice against retries changes nothing.
        (Some(remedy), _)
            if matches!(remedy.advice(), DeclineAdvice::HardDecline | DeclineAdvice::Authenticate) =>
        {
            remedy
        }
        (_, Some("do_not_try_again")) => Remedy::OtherMethod,
        (Some(remedy), Some("confirm_card_data")) if remedy.advice() == DeclineAdvice::SoftDecline => {
            Remedy::Details
        }
        (Some(remedy), _) => remedy,
        (None, Some("confirm_card_data")) => Remedy::Details,
        (None, Some("try_again_later")) => Remedy::Later,
        (None, _) => Remedy::OtherMethod,
    };
    (remedy.advice(), remedy.sentence())
}

fn find(code: &str) -> Option<Remedy> {
    let at = TABLE.binary_search_by(|(known, _)| known.cmp(&code)).ok()?;
    TABLE.get(at).map(|(_, remedy)| *remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_every_row_is_found() {
        assert!(TABLE.iter().all(|(code, remedy)| find(code) == Some(*remedy)));
        assert!(TABLE.is_sorted_by(|left, right| left.0 < right.0));
    }

    #[test]
    fn advice_never_makes_a_hard_decline_soft() {
        let (advice, _) = judge(Some("card_declined"), Some("lost_card"), Some("try_again_later"));
        assert_eq!(advice, DeclineAdvice::HardDecline);
        let (advice, _) = judge(Some("card_declined"), Some("do_not_honor"), Some("do_not_try_again"));
        assert_eq!(advice, DeclineAdvice::HardDecline);
        let (advice, _) = judge(Some("authentication_required"), None, Some("do_not_try_again"));
        assert_eq!(advice, DeclineAdvice::Authenticate);
    }

    #[test]
    fn a_decline_that_is_not_known_is_not_retried_unless_stripe_says_so() {
        assert_eq!(judge(Some("card_declined"), Some("new_word"), None).0, DeclineAdvice::HardDecline);
        assert_eq!(judge(Some("x"), None, Some("try_again_later")).0, DeclineAdvice::SoftDecline);
        assert_eq!(judge(Some("x"), None, Some("confirm_card_data")).0, DeclineAdvice::FixMethod);
    }

    #[test]
    fn lost_and_stolen_read_like_any_other_decline() {
        let plain = judge(Some("card_declined"), Some("fraudulent"), None).1;
        for code in ["lost_card", "stolen_card", "merchant_blacklist"] {
            assert_eq!(judge(Some("card_declined"), Some(code), None).1, plain, "{code}");
        }
    }
}
