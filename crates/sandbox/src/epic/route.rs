//! Which endpoint a method and a path mean.
//!
//! Called once per request by `world`. Source: EPIC.md §2 (paths, HTML for unknown routes), §6 (405), §7a.

use super::calls::Endpoint;
use super::capability::{self, Mode};
use crate::wire::Request;

/// A request, resolved to what it asks for.
pub(super) enum Route<'a> {
    Token,
    SmartConfiguration,
    Metadata,
    Read {
        kind: &'static str,
        id: &'a str,
    },
    Search {
        kind: &'static str,
        by_form: bool,
    },
    Create {
        kind: &'static str,
    },
    Update {
        kind: &'static str,
        id: &'a str,
    },
    SessionData,
    TransactionResult,
    /// The path exists, the interaction is not offered.
    NotAllowed {
        allow: &'static str,
    },
    /// Nobody serves this path: the web server answers with HTML.
    Nowhere,
}

impl<'a> Route<'a> {
    pub(super) fn of(request: &'a Request, mode: Mode) -> Self {
        let Some(path) = request.path.strip_prefix("/interconnect/") else { return Self::Nowhere };
        let method = request.method.as_str();
        if let Some(path) = path.strip_prefix("api/FHIR/R4/") {
            return Self::fhir(method, path.trim_end_matches('/'), mode);
        }
        match (path, method) {
            ("oauth2/token", "POST") => Self::Token,
            ("oauth2/token", _) => Self::NotAllowed { allow: "POST" },
            ("api/epic/2017/Billing/External/GetPaymentSessionData", "GET" | "POST") => Self::SessionData,
            ("api/epic/2017/Billing/External/PostTransactionResult", "POST") => Self::TransactionResult,
            ("api/epic/2017/Billing/External/PostTransactionResult", _) => Self::NotAllowed { allow: "POST" },
            _ => Self::Nowhere,
        }
    }

    fn fhir(method: &str, path: &'a str, mode: Mode) -> Self {
        match (method, path) {
            ("GET", ".well-known/smart-configuration") => return Self::SmartConfiguration,
            ("GET", "metadata") => return Self::Metadata,
            _ => {}
        }
        let (name, rest) = path.split_once('/').unwrap_or((path, ""));
        let Some((kind, letters)) = capability::offer(mode, name) else { return Self::Nowhere };
        let offered = |letter: char| letters.contains(letter);
        match (method, rest) {
            ("GET", "") if offered('s') => Self::Search { kind, by_form: false },
            ("POST", "_search") if offered('s') => Self::Search { kind, by_form: true },
            ("POST", "") if offered('c') => Self::Create { kind },
            // Operations and histories are not routed at all.
            (_, rest) if rest.contains(['$', '/']) => Self::Nowhere,
            ("GET", id) if !id.is_empty() => Self::Read { kind, id },
            ("PUT", id) if !id.is_empty() && offered('u') => Self::Update { kind, id },
            _ => Self::NotAllowed { allow: "GET" },
        }
    }

    pub(super) fn endpoint(&self) -> Endpoint {
        let (what, action) = match self {
            Self::Token => ("token", ""),
            Self::SmartConfiguration => ("smart-configuration", ""),
            Self::Metadata => ("metadata", ""),
            Self::Read { kind, .. } => (*kind, "read"),
            Self::Search { kind, .. } => (*kind, "search"),
            Self::Create { kind } => (*kind, "create"),
            Self::Update { kind, .. } => (*kind, "update"),
            Self::SessionData => ("GetPaymentSessionData", ""),
            Self::TransactionResult => ("PostTransactionResult", ""),
            Self::NotAllowed { .. } => ("not-allowed", ""),
            Self::Nowhere => ("nowhere", ""),
        };
        Endpoint { what, action }
    }

    /// True for calls that reach patient or payment records.
    pub(super) fn reaches_records(&self) -> bool {
        match self {
            Self::Read { .. }
            | Self::Search { .. }
            | Self::Create { .. }
            | Self::Update { .. }
            | Self::SessionData
            | Self::TransactionResult => true,
            Self::Token
            | Self::SmartConfiguration
            | Self::Metadata
            | Self::NotAllowed { .. }
            | Self::Nowhere => false,
        }
    }
}
