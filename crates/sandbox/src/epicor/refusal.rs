//! Refusals and how they look on the wire (EPICOR.md §5).
//!
//! Made by the rules, rendered by `answer`. What must stay true: a refused call has changed nothing.

/// Type of an exception of the business logic.
pub(super) const BUSINESS: &str = "Ice.Common.BusinessObjectException";
/// Type of a request that the OData layer cannot read.
pub(super) const ODATA: &str = "Epicor.RESTApi.ErrorHandler.ODataException";
const DUPLICATE: &str = "Ice.Common.DuplicateRecordException";
const NOT_FOUND: &str = "Ice.Common.RecordNotFoundException";
const API: &str = "Epicor.RESTApi.ErrorHandler.ApiException";
const ACCESS: &str = "System.UnauthorizedAccessException";
const SESSION: &str = "Ice.Common.InvalidSessionException";
const INTERNAL: &str = "System.Exception";

/// Why a call was not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) message: String,
    pub(super) table: String,
    pub(super) field: String,
}

impl Refusal {
    fn new(status: u16, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, message: message.into(), table: String::new(), field: String::new() }
    }

    /// The business logic says no: 400.
    pub(super) fn business(message: impl Into<String>) -> Self {
        Self::new(400, BUSINESS, message)
    }

    /// The request cannot be read: 400.
    pub(super) fn odata(message: impl Into<String>) -> Self {
        Self::new(400, ODATA, message)
    }

    /// No login, or one that is not good any more: 401.
    pub(super) fn stranger(message: impl Into<String>) -> Self {
        Self::new(401, ACCESS, message)
    }

    /// Known, but not allowed: 403.
    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(403, ACCESS, message)
    }

    /// A service, a set or a method that does not exist: 404.
    pub(super) fn unknown(message: impl Into<String>) -> Self {
        Self::new(404, API, message)
    }

    /// A record that does not exist: 404.
    pub(super) fn missing(message: impl Into<String>) -> Self {
        Self::new(404, NOT_FOUND, message)
    }

    /// A record with this key exists: 409.
    pub(super) fn duplicate(message: impl Into<String>) -> Self {
        Self::new(409, DUPLICATE, message)
    }

    /// The session has ended: 410.
    pub(super) fn ended_session() -> Self {
        Self::new(410, SESSION, "The session is not valid any more.")
    }

    /// The generic failure: 500, details hidden.
    pub(super) fn internal() -> Self {
        Self::new(500, INTERNAL, "An unexpected internal problem occurred.")
    }

    /// A refusal of this HTTP status, for failures that were asked for.
    pub(super) fn of_status(status: u16) -> Self {
        match status {
            401 => Self::stranger("The access token has expired."),
            403 => Self::forbidden("The access scope of the API key does not allow this request."),
            404 => Self::missing("Record not found."),
            409 => Self::duplicate("Duplicate entry. Record already exists."),
            410 => Self::ended_session(),
            400..=499 => Self::new(status, BUSINESS, "The sandbox was told to fail."),
            503 => Self::new(503, INTERNAL, "The server is not ready."),
            _ => Self { status, ..Self::internal() },
        }
    }

    /// The same refusal about a field of a table.
    pub(super) fn at(mut self, table: &str, field: &str) -> Self {
        table.clone_into(&mut self.table);
        field.clone_into(&mut self.field);
        self
    }

    pub(super) fn reason(&self) -> &'static str {
        match self.status {
            400 | 409 => "REST API Exception",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "Not Found",
            410 => "Gone",
            429 => "Too Many Requests",
            503 => "Service Unavailable",
            _ => "Internal Server Error",
        }
    }
}
