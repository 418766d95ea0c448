//! Verifying and reading webhooks.
//!
//! Used by `engine` at the front door. Invariant: what is read was verified over its raw bytes first.

use suture_core::redact::Secret;
use suture_core::time::Timestamp;

use crate::gateway::Seen;
use crate::http::{HttpRequest, HttpResponse};
use crate::outcome::Outcome;

/// A webhook that passed verification.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// The gateway's event id: the key of deduplication.
    pub event_id: String,
    /// The gateway's event type, verbatim.
    pub event_type: String,
    /// When the gateway made the event.
    pub created: Timestamp,
    /// Whether it is about real money.
    pub livemode: bool,
    /// The account the event is for, when the gateway names one.
    pub account: Option<String>,
    /// The version the payload was rendered with.
    pub api_version: Option<String>,
    /// Id of the object the event is about.
    pub object_id: Option<String>,
    /// What it says. Empty evidence and no fetches: recorded, nothing to do.
    pub seen: Seen,
    /// Whether the event type is known to this connector.
    pub known: bool,
}

/// Why a webhook was refused. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookRefusal {
    /// No signature header.
    #[error("the signature header is missing")]
    MissingHeader,
    /// The header cannot be read.
    #[error("the signature header cannot be read")]
    UnreadableHeader,
    /// The header carries no signature of the expected scheme.
    #[error("the signature header has no v1 signature")]
    NoSignature,
    /// No signature matches.
    #[error("no signature matches the body and the secrets of this connection")]
    NoMatch,
    /// Too old, or from the future.
    #[error(
        "the signature's time is {seconds_off} s off, more than the {tolerance_seconds} s that are allowed"
    )]
    OutsideTolerance {
        /// Distance from now in seconds; negative: from the future.
        seconds_off: i64,
        /// The setting.
        tolerance_seconds: i64,
    },
    /// No secret is configured.
    #[error("no webhook secret is configured for this connection")]
    NoSecret,
    /// Signed correctly but not an event: empty, not JSON, not UTF-8, nested too deeply, wrong shape.
    #[error("the body is not an event: {0}")]
    NotAnEvent(String),
}

impl WebhookRefusal {
    /// A stable code for counters and the list of rejected deliveries.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::MissingHeader => "missing_header",
            Self::UnreadableHeader => "unreadable_header",
            Self::NoSignature => "no_signature",
            Self::NoMatch => "no_matching_signature",
            Self::OutsideTolerance { .. } => "outside_tolerance",
            Self::NoSecret => "no_secret",
            Self::NotAnEvent(_) => "not_an_event",
        }
    }
}

/// Verify and read webhooks.
pub trait Webhooks: Send + Sync {
    /// The lower-case name of the signature header.
    fn signature_header(&self) -> &'static str;
    /// Checks the signature over the raw bytes with any of the connection's secrets, and the time.
    ///
    /// # Errors
    /// [`WebhookRefusal`]; the caller answers 400 and counts it.
    fn verify(&self, header: Option<&str>, body: &[u8], now: Timestamp) -> Result<(), WebhookRefusal>;
    /// Reads a verified body.
    ///
    /// # Errors
    /// [`WebhookRefusal::NotAnEvent`].
    fn read(&self, body: &[u8]) -> Result<Notice, WebhookRefusal>;
    /// The version that payloads should be rendered with; another one is read, but not trusted alone.
    fn pinned_version(&self) -> Option<&'static str>;
    /// The event types that the installed features need (FEATURES M9).
    fn needed_events(&self) -> &'static [&'static str];
    /// Builds the registration of our endpoint with the needed events and the pinned version.
    fn create_endpoint(&self, url: &str, idempotency_key: &str) -> HttpRequest;
    /// Reads the new endpoint's id and signing secret.
    fn read_endpoint(&self, response: &HttpResponse) -> Outcome<(String, Secret<String>)>;
}
