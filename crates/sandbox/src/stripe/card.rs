//! Stripe's test cards (FACTS §h): what each payment method token looks like and does.
//!
//! Read by `payment_method` (what it looks like) and `attempt` (what it does). The table is the behaviour; nothing
//! else asks for a token's name.

use super::refusal::{Kind, Refusal};

/// How an attempt is refused by the issuer or by Radar.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Decline {
    /// `error.code`
    pub(crate) code: &'static str,
    /// `error.decline_code`
    pub(crate) decline_code: &'static str,
    /// `error.message`
    pub(crate) message: &'static str,
    /// `error.advice_code`
    pub(crate) advice: &'static str,
    /// `error.param`, for wrong card details.
    pub(crate) param: Option<&'static str>,
}

impl Decline {
    /// The 402 body of this decline, without the objects around it.
    pub(crate) fn refusal(&self) -> Box<Refusal> {
        let refusal = Refusal::new(402, Kind::Card, self.message)
            .code(self.code)
            .field("decline_code", self.decline_code.into())
            .field("advice_code", self.advice.into())
            .after_start();
        match self.param {
            Some(param) => refusal.param(param),
            None => refusal,
        }
    }
}

const LATER: &str = "try_again_later";
const NEVER: &str = "do_not_try_again";
const CONFIRM: &str = "confirm_card_data";

const fn declined(decline_code: &'static str, advice: &'static str) -> Decline {
    Decline { code: "card_declined", decline_code, message: "Your card was declined.", advice, param: None }
}

/// `card_declined / generic_decline`
pub(crate) static GENERIC: Decline = declined("generic_decline", LATER);
/// `card_declined / insufficient_funds`
pub(crate) static INSUFFICIENT: Decline =
    Decline { message: "Your card has insufficient funds.", ..declined("insufficient_funds", LATER) };
/// `card_declined / lost_card`
pub(crate) static LOST: Decline = declined("lost_card", NEVER);
/// `card_declined / stolen_card`
pub(crate) static STOLEN: Decline = declined("stolen_card", NEVER);
static FRAUDULENT: Decline = declined("fraudulent", NEVER);
static VELOCITY: Decline = Decline {
    message: "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
    ..declined("card_velocity_exceeded", LATER)
};
/// `expired_card`
pub(crate) static EXPIRED: Decline = Decline {
    code: "expired_card",
    decline_code: "expired_card",
    message: "Your card has expired.",
    advice: CONFIRM,
    param: Some("exp_month"),
};
static CVC: Decline = Decline {
    code: "incorrect_cvc",
    decline_code: "incorrect_cvc",
    message: "Your card's security code is incorrect.",
    advice: CONFIRM,
    param: Some("cvc"),
};
/// `processing_error`
pub(crate) static PROCESSING: Decline = Decline {
    code: "processing_error",
    decline_code: "processing_error",
    message: "An error occurred while processing your card. Try again in a little bit.",
    advice: LATER,
    param: None,
};
/// Off-session without the authentication the issuer wants.
pub(crate) static AUTHENTICATION: Decline = Decline {
    code: "authentication_required",
    decline_code: "authentication_required",
    message: "Your card was declined. This transaction requires authentication.",
    advice: LATER,
    param: None,
};

/// When the issuer wants the holder's authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// Never.
    Never,
    /// Only when the merchant asks for it.
    OnRequest,
    /// When the merchant asks for it the look-up fails and the payment is declined.
    FailsOnRequest,
    /// On-session always; off-session unless the card was set up.
    UnlessSetUp,
    /// On every payment; off-session payments are refused.
    Always,
    /// On-session always, off-session never.
    OnSessionOnly,
}

/// What happens once the issuer decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The charge succeeds.
    Approve,
    /// The charge fails, and so does saving the card.
    Decline(&'static Decline),
    /// The card can be saved, but every charge fails.
    DeclineCharges(&'static Decline),
    /// Radar blocks the payment before the issuer sees it.
    Block(&'static Decline),
}

/// What happens to an approved charge afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Afterwards {
    /// Nothing.
    Quiet,
    /// A dispute with this reason.
    Dispute(&'static str),
    /// An inquiry, which takes no money.
    Inquiry,
    /// Two disputes, one after the other.
    Disputes,
    /// `radar.early_fraud_warning.created`
    FraudWarning,
    /// Refunds start as pending and succeed later.
    PendingRefund,
    /// Refunds succeed and fail later.
    FailingRefund,
    /// The money is available at once.
    AtOnce,
}

/// One test card.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TestCard {
    /// `pm_card_…`, empty for a card that is known by its number only.
    pub(crate) token: &'static str,
    /// The number a browser would type.
    pub(crate) number: &'static str,
    pub(crate) brand: &'static str,
    pub(crate) funding: &'static str,
    pub(crate) country: &'static str,
    /// `card.description`; names HSA and FSA products.
    pub(crate) description: Option<&'static str>,
    pub(crate) challenge: Challenge,
    pub(crate) verdict: Verdict,
    pub(crate) afterwards: Afterwards,
    /// `outcome.risk_level`
    pub(crate) risk: &'static str,
    /// Results of the address line, postal code and CVC checks.
    pub(crate) checks: [&'static str; 3],
}

impl TestCard {
    /// The last four digits.
    pub(crate) fn last4(&self) -> &'static str {
        self.number.get(self.number.len().saturating_sub(4)..).unwrap_or("0000")
    }
}

const PASS: [&str; 3] = ["pass", "pass", "pass"];

const fn plain(
    token: &'static str,
    number: &'static str,
    brand: &'static str,
    funding: &'static str,
) -> TestCard {
    TestCard {
        token,
        number,
        brand,
        funding,
        country: "US",
        description: None,
        challenge: Challenge::Never,
        verdict: Verdict::Approve,
        afterwards: Afterwards::Quiet,
        risk: "normal",
        checks: PASS,
    }
}

const fn visa(token: &'static str, number: &'static str) -> TestCard {
    plain(token, number, "visa", "credit")
}

const fn declining(token: &'static str, number: &'static str, decline: &'static Decline) -> TestCard {
    TestCard { verdict: Verdict::Decline(decline), ..visa(token, number) }
}

const fn challenged(token: &'static str, number: &'static str, challenge: Challenge) -> TestCard {
    TestCard { challenge, ..visa(token, number) }
}

const fn later(token: &'static str, number: &'static str, afterwards: Afterwards) -> TestCard {
    TestCard { afterwards, ..visa(token, number) }
}

const fn spending(card: &TestCard, description: &'static str) -> TestCard {
    TestCard { description: Some(description), ..*card }
}

/// Cards that succeed without more.
static SUCCEEDING: [TestCard; 15] = [
    visa("pm_card_visa", "4242424242424242"),
    plain("pm_card_visa_debit", "4000056655665556", "visa", "debit"),
    plain("pm_card_mastercard", "5555555555554444", "mastercard", "credit"),
    plain("pm_card_mastercard_debit", "5200828282828210", "mastercard", "debit"),
    plain("pm_card_mastercard_prepaid", "5105105105105100", "mastercard", "prepaid"),
    plain("", "2223003122003222", "mastercard", "credit"),
    plain("pm_card_amex", "378282246310005", "amex", "credit"),
    plain("pm_card_discover", "6011111111111117", "discover", "credit"),
    plain("pm_card_diners", "3056930009020004", "diners", "credit"),
    plain("pm_card_jcb", "3566002020360505", "jcb", "credit"),
    plain("pm_card_unionpay", "6200000000000005", "unionpay", "credit"),
    spending(&plain("pm_card_debit_visaHsaProductCode", "4000051230000072", "visa", "debit"), "Visa HSA"),
    spending(&plain("pm_card_debit_visaFsaProductCode", "4000051230000072", "visa", "debit"), "Visa FSA"),
    spending(
        &plain(
            "pm_card_mastercard_debit_mastercardFsaProductCode",
            "5200828282828897",
            "mastercard",
            "debit",
        ),
        "Mastercard FSA",
    ),
    plain("pm_card_amex_threeDSecureNotSupported", "378282246310005", "amex", "credit"),
];

/// Cards that are declined.
static DECLINING: [TestCard; 11] = [
    declining("pm_card_visa_chargeDeclined", "4000000000000002", &GENERIC),
    declining("pm_card_visa_chargeDeclinedInsufficientFunds", "4000000000009995", &INSUFFICIENT),
    declining("pm_card_visa_chargeDeclinedLostCard", "4000000000009987", &LOST),
    declining("pm_card_visa_chargeDeclinedStolenCard", "4000000000009979", &STOLEN),
    declining("pm_card_chargeDeclinedExpiredCard", "4000000000000069", &EXPIRED),
    TestCard {
        checks: ["pass", "pass", "fail"],
        ..declining("pm_card_chargeDeclinedIncorrectCvc", "4000000000000127", &CVC)
    },
    declining("pm_card_chargeDeclinedProcessingError", "4000000000000119", &PROCESSING),
    declining("pm_card_visa_chargeDeclinedVelocityLimitExceeded", "4000000000006975", &VELOCITY),
    TestCard {
        verdict: Verdict::DeclineCharges(&GENERIC),
        ..visa("pm_card_chargeCustomerFail", "4000000000000341")
    },
    TestCard {
        verdict: Verdict::Block(&FRAUDULENT),
        risk: "highest",
        ..visa("pm_card_radarBlock", "4100000000000019")
    },
    TestCard {
        verdict: Verdict::Block(&FRAUDULENT),
        risk: "highest",
        ..visa("pm_card_riskLevelHighest", "4000000000004954")
    },
];

/// Cards around the holder's authentication.
static CHALLENGED: [TestCard; 11] = [
    challenged("pm_card_authenticationRequiredOnSetup", "4000002500003155", Challenge::UnlessSetUp),
    challenged("pm_card_authenticationRequired", "4000002760003184", Challenge::Always),
    challenged(
        "pm_card_authenticationRequiredSetupForOffSession",
        "4000003800000446",
        Challenge::OnSessionOnly,
    ),
    TestCard {
        verdict: Verdict::DeclineCharges(&INSUFFICIENT),
        ..challenged(
            "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds",
            "4000008260003178",
            Challenge::UnlessSetUp,
        )
    },
    TestCard {
        country: "IE",
        ..challenged("pm_card_threeDSecure2Required", "4000000000003220", Challenge::Always)
    },
    challenged("", "4000008400000027", Challenge::Always),
    TestCard {
        verdict: Verdict::DeclineCharges(&GENERIC),
        ..challenged("pm_card_threeDSecureRequiredChargeDeclined", "4000008400001629", Challenge::Always)
    },
    // The look-up at the card's directory fails, so the holder is never asked.
    TestCard {
        verdict: Verdict::DeclineCharges(&GENERIC),
        ..visa("pm_card_threeDSecureRequiredProcessingError", "4000008400001280")
    },
    challenged("pm_card_threeDSecureOptional", "4000000000003055", Challenge::OnRequest),
    challenged("pm_card_threeDSecureOptionalProcessingError", "4000000000003097", Challenge::FailsOnRequest),
    visa("", "4000000032200000"),
];

/// Cards with something special about the charge or what follows it.
static FOLLOWED: [TestCard; 12] = [
    later("pm_card_createDispute", "4000000000000259", Afterwards::Dispute("fraudulent")),
    later(
        "pm_card_createDisputeProductNotReceived",
        "4000000000002685",
        Afterwards::Dispute("product_not_received"),
    ),
    later("pm_card_createDisputeInquiry", "4000000000001976", Afterwards::Inquiry),
    later("pm_card_createIssuerFraudRecord", "4000000000005423", Afterwards::FraudWarning),
    later("pm_card_createMultipleDisputes", "4000000404000079", Afterwards::Disputes),
    later("pm_card_pendingRefund", "4000000000007726", Afterwards::PendingRefund),
    later("pm_card_refundFail", "4000000000005126", Afterwards::FailingRefund),
    later("pm_card_bypassPending", "4000000000000077", Afterwards::AtOnce),
    TestCard { risk: "elevated", ..visa("pm_card_riskLevelElevated", "4000000000009235") },
    TestCard { checks: ["pass", "pass", "fail"], ..visa("pm_card_cvcCheckFail", "4000000000000101") },
    TestCard { checks: ["pass", "fail", "pass"], ..visa("pm_card_avsZipFail", "4000000000000036") },
    TestCard { checks: ["fail", "fail", "pass"], ..visa("pm_card_avsFail", "4000000000000010") },
];

fn all() -> impl Iterator<Item = &'static TestCard> {
    SUCCEEDING.iter().chain(&DECLINING).chain(&CHALLENGED).chain(&FOLLOWED)
}

/// The card of a `pm_card_…` token.
pub(crate) fn by_token(token: &str) -> Option<&'static TestCard> {
    if token.is_empty() { None } else { all().find(|card| card.token == token) }
}

/// The card of a number, as typed in a browser.
pub(crate) fn by_number(number: &str) -> Option<&'static TestCard> {
    all().find(|card| card.number == number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn tokens_are_unique_and_numbers_look_like_cards() {
        let tokens: Vec<&str> = all().map(|card| card.token).filter(|token| !token.is_empty()).collect();
        assert_eq!(tokens.iter().collect::<BTreeSet<_>>().len(), tokens.len());
        assert!(all().all(|card| card.number.len() >= 14));
        assert_eq!(by_token("pm_card_visa").unwrap().last4(), "4242");
        assert_eq!(by_token("pm_card_debit_visaHsaProductCode").unwrap().description, Some("Visa HSA"));
    }
}
