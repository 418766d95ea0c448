//! What must be known about one site's Epic before anything can be asked of it.
//!
//! Built by the engine from the connection's stored settings and secrets; read by every builder of this folder. URLs
//! are stored, never derived: instance names differ wildly between sites (EPIC.md §2).

use serde::{Deserialize, Serialize};
use suture_core::redact::Secret;
use suture_core::time::Timestamp;

use super::routes::Route;
use crate::url::{self, Origin};

/// One Epic environment of one site.
#[derive(Debug, Clone, PartialEq)]
pub struct Epic {
    /// The FHIR R4 base, for example `https://host/instance/api/FHIR/R4`, as the site's directory entry gives it.
    pub fhir_base_url: String,
    /// The token endpoint; `None` until discovery has named it.
    pub token_url: Option<String>,
    /// The client id that Epic gave to the app; production and non-production differ. Sent as `Epic-Client-ID` too.
    pub client_id: String,
    /// The scopes to ask for, for example `system/Patient.rs`.
    pub scopes: Vec<String>,
    /// The base of Epic's own web services, for example `https://host/instance`. `None`: the site offers none to us.
    pub interconnect_base_url: Option<String>,
    /// How the external-payment services are called. Used only with `interconnect_base_url`.
    pub external: ExternalPayments,
    /// The background user on whose behalf the external-payment services act.
    pub user: Option<EpicUser>,
    /// The person's decision for a posting route, over the proposal.
    pub posting_route: Option<Route>,
    /// The organization that receives payments, for example `Organization/e123`; FHIR's `PaymentNotice.recipient`.
    pub organization: Option<String>,
    /// The identifier system under which our references are kept at Epic.
    pub identifier_system: String,
    /// The site's local time: decides which day a payment was made.
    pub zone: SiteZone,
}

/// The user headers of Epic's own web services, and the credential when the site uses Basic authentication for them
/// (EPIC.md §2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpicUser {
    /// `Epic-User-ID`.
    pub id: Secret<String>,
    /// `Epic-User-IDType`, for example `External`.
    pub id_type: Secret<String>,
    /// With a credential the services are called with Basic authentication, without one with the access token.
    pub basic: Option<BasicCredential>,
}

/// A user name and password for Basic authentication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasicCredential {
    /// The user name as the site gave it, for example `emp$SUTURE`.
    pub user: Secret<String>,
    /// The password.
    pub password: Secret<String>,
}

/// Paths, member names and words of the external-payment web services.
///
/// Their specification is not public (EPIC.md §7a), so everything is a setting; the defaults are ours. A member name of
/// `None` leaves the member out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExternalPayments {
    /// Path of the service that takes the result of a transaction.
    pub result_path: String,
    /// Path of the service that tells about a transaction; `None`: the site offers no look-up.
    pub look_up_path: Option<String>,
    /// Names of the members that we send.
    pub sent: SentNames,
    /// Names of the members that we read.
    pub answered: AnsweredNames,
    /// How amounts are written.
    pub amount_format: AmountFormat,
    /// The transaction type of a payment.
    pub payment_word: String,
    /// The transaction type of a reversal.
    pub refund_word: String,
    /// The patient id type that says that the id is a FHIR id.
    pub patient_id_type: String,
    /// Result words, without regard to case, with which Epic says that it took the transaction.
    pub accepted_words: Vec<String>,
    /// Result words, without regard to case, with which Epic says that it refused the transaction.
    pub refused_words: Vec<String>,
}

/// Names of the members of the call that gives Epic the result of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SentNames {
    /// Our reference; also the one member of the look-up. Never left out.
    pub reference: String,
    /// The transaction type. Never left out: without it a refund would look like a payment.
    pub transaction_type: String,
    /// The amount. Never left out.
    pub amount: String,
    /// The currency code.
    pub currency: Option<String>,
    /// The patient's id. Never left out.
    pub patient: String,
    /// The type of the patient's id.
    pub patient_id_type: Option<String>,
    /// The account's id.
    pub account: Option<String>,
    /// The claim's id.
    pub claim: Option<String>,
    /// The encounter's id.
    pub encounter: Option<String>,
    /// The practitioner's id.
    pub practitioner: Option<String>,
    /// The moment of payment, in site time with offset.
    pub paid_at: Option<String>,
    /// The mapped status.
    pub status: Option<String>,
    /// The queue.
    pub queue: Option<String>,
    /// The reference of the payment that a reversal reverses.
    pub original_reference: Option<String>,
}

/// Names of the members of the answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnsweredNames {
    /// The result word.
    pub status: String,
    /// The receipt number.
    pub receipt: String,
    /// The echo of our reference.
    pub reference: String,
    /// The amount that Epic has.
    pub amount: String,
    /// The currency that Epic has.
    pub currency: String,
    /// The transaction type that Epic has.
    pub transaction_type: String,
    /// Epic's error number.
    pub error_code: String,
    /// The list of transactions in the answer of a look-up.
    pub transactions: String,
}

/// How an amount is written in the external-payment services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AmountFormat {
    /// A JSON number with all decimals: `120.00`.
    Number,
    /// The same as text: `"120.00"`.
    Text,
}

impl Default for ExternalPayments {
    fn default() -> Self {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            result_path: "/api/epic/2017/Billing/External/PostTransactionResult".to_owned(),
            look_up_path: Some("/api/epic/2017/Billing/External/GetPaymentSessionData".to_owned()),
            sent: SentNames::default(),
            answered: AnsweredNames::default(),
            amount_format: AmountFormat::Number,
            payment_word: "Payment".to_owned(),
            refund_word: "Refund".to_owned(),
            patient_id_type: "FHIR".to_owned(),
            accepted_words: words(&["accepted", "posted", "success", "succeeded", "completed", "true"]),
            refused_words: words(&["rejected", "refused", "failed", "failure", "error", "false"]),
        }
    }
}

impl Default for SentNames {
    fn default() -> Self {
        let some = |name: &str| Some(name.to_owned());
        Self {
            reference: "TransactionID".to_owned(),
            transaction_type: "TransactionType".to_owned(),
            amount: "Amount".to_owned(),
            currency: some("Currency"),
            patient: "PatientID".to_owned(),
            patient_id_type: some("PatientIDType"),
            account: some("AccountID"),
            claim: some("ClaimID"),
            encounter: some("EncounterID"),
            practitioner: some("PractitionerID"),
            paid_at: some("TransactionDateTime"),
            status: some("TransactionStatus"),
            queue: some("Queue"),
            original_reference: some("OriginalTransactionID"),
        }
    }
}

impl Default for AnsweredNames {
    fn default() -> Self {
        Self {
            status: "Status".to_owned(),
            receipt: "ReceiptNumber".to_owned(),
            reference: "TransactionID".to_owned(),
            amount: "Amount".to_owned(),
            currency: "Currency".to_owned(),
            transaction_type: "TransactionType".to_owned(),
            error_code: "ErrorCode".to_owned(),
            transactions: "Transactions".to_owned(),
        }
    }
}

impl Epic {
    /// An environment of which only the directory entry and the app are known: no scopes, no external payments, UTC.
    #[must_use]
    pub fn new(fhir_base_url: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self {
            fhir_base_url: fhir_base_url.into(),
            token_url: None,
            client_id: client_id.into(),
            scopes: Vec::new(),
            interconnect_base_url: None,
            external: ExternalPayments::default(),
            user: None,
            posting_route: None,
            organization: None,
            identifier_system: "urn:suture:posting".to_owned(),
            zone: SiteZone::utc(),
        }
    }

    /// What a person must correct before this environment can be used, one sentence each. Empty: nothing.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let base = url::origin(&self.fhir_base_url);
        if base.is_none() {
            problems.push("The FHIR base URL is not an absolute http or https URL.".to_owned());
        }
        if self.fhir_base_url.contains(['?', '#']) {
            problems.push("The FHIR base URL must not have a query or a fragment.".to_owned());
        }
        for (name, url) in
            [("token", &self.token_url), ("external-payment services", &self.interconnect_base_url)]
        {
            let Some(url) = url else { continue };
            if !is_as_safe_as(base.as_ref(), url) {
                problems.push(format!(
                    "The URL of the {name} is not an absolute URL, or is http although the FHIR base is https."
                ));
            }
        }
        if self.client_id.is_empty() || !self.client_id.bytes().all(|byte| byte.is_ascii_graphic()) {
            problems.push("The client id is empty or has blanks.".to_owned());
        }
        if let Some(organization) = &self.organization
            && super::wire::id_in_reference(organization, "Organization").is_none()
        {
            problems.push("The organization is not a reference such as Organization/e123.".to_owned());
        }
        problems
    }
}

/// Whether credentials may go to `url` when they may go to `base`.
pub(super) fn is_as_safe_as(base: Option<&Origin>, url: &str) -> bool {
    url::origin(url).is_some_and(|target| {
        target.scheme == "https" || base.is_some_and(|base| base.scheme == target.scheme)
    })
}

/// A site's time zone by its IANA name. The rules are compiled in.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteZone(jiff::tz::TimeZone);

/// A name that is not a time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a time zone such as America/Chicago")]
pub struct UnknownZone(pub String);

impl SiteZone {
    /// Universal time.
    #[must_use]
    pub const fn utc() -> Self {
        Self(jiff::tz::TimeZone::UTC)
    }

    /// The zone of an IANA name, for example `America/Chicago`.
    ///
    /// # Errors
    /// [`UnknownZone`] with the refused name.
    pub fn parse(name: &str) -> Result<Self, UnknownZone> {
        jiff::tz::TimeZone::get(name).map(Self).map_err(|_| UnknownZone(name.chars().take(60).collect()))
    }

    /// The local day, as FHIR's `date`: `2026-11-21`. `None` for a moment outside the calendar.
    #[must_use]
    pub fn date(&self, moment: Timestamp) -> Option<String> {
        self.at(moment).map(|local| local.strftime("%Y-%m-%d").to_string())
    }

    /// The local time with offset, as FHIR's `dateTime`: `2026-11-21T03:30:00-06:00`. `None` as for `date`.
    #[must_use]
    pub fn date_time(&self, moment: Timestamp) -> Option<String> {
        self.at(moment).map(|local| local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
    }

    fn at(&self, moment: Timestamp) -> Option<jiff::Zoned> {
        jiff::Timestamp::from_millisecond(moment.millis()).ok().map(|moment| moment.to_zoned(self.0.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_of_a_payment_is_the_sites_day() {
        let chicago = SiteZone::parse("America/Chicago").unwrap();
        let moment = Timestamp::parse_rfc3339("2026-11-21T03:30:00Z").unwrap();
        assert_eq!(chicago.date(moment).as_deref(), Some("2026-11-20"));
        assert_eq!(chicago.date_time(moment).as_deref(), Some("2026-11-20T21:30:00-06:00"));
        assert_eq!(SiteZone::utc().date_time(moment).as_deref(), Some("2026-11-21T03:30:00+00:00"));
    }

    #[test]
    fn a_zone_that_does_not_exist_is_refused() {
        assert!(SiteZone::parse("Mars/Olympus").is_err());
    }

    #[test]
    fn a_token_url_without_encryption_is_a_problem_when_the_base_has_it() {
        let mut epic = Epic::new("https://epic.example/api/FHIR/R4", "client");
        assert_eq!(epic.problems(), Vec::<String>::new());
        epic.token_url = Some("http://epic.example/oauth2/token".to_owned());
        assert_eq!(epic.problems().len(), 1);
    }

    #[test]
    fn credentials_are_not_printed() {
        let mut epic = Epic::new("https://epic.example/api/FHIR/R4", "client");
        let secret = |text: &str| Secret::new(text.to_owned());
        let basic = Some(BasicCredential { user: secret("emp$XY"), password: secret("hunter2") });
        epic.user = Some(EpicUser { id: secret("XY"), id_type: secret("External"), basic });
        let printed = format!("{epic:?}");
        assert!(!printed.contains("hunter2") && !printed.contains("XY"), "{printed}");
    }

    #[test]
    fn a_template_with_an_unknown_member_is_refused() {
        assert!(serde_json::from_str::<ExternalPayments>(r#"{"resultpath":"/x"}"#).is_err());
        let template: ExternalPayments = serde_json::from_str(r#"{"sent":{"queue":null}}"#).unwrap();
        assert_eq!(template.sent.queue, None);
        assert_eq!(template.sent.reference, "TransactionID");
    }
}
