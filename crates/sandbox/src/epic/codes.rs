//! Epic's numeric error codes with the HTTP status and the issue each of them is sent with.
//!
//! Source: fact sheet EPIC.md §6. The numbers and meanings are confirmed there; which HTTP status goes
//! with which number is not, so callers should decide by the number.

/// One row of Epic's error registry.
pub(super) struct Code {
    /// Epic's number, as in `issue.details.coding.code`.
    pub(super) number: u32,
    /// HTTP status of an answer that consists of this error.
    pub(super) status: u16,
    /// FHIR severity.
    pub(super) severity: &'static str,
    /// FHIR issue type.
    pub(super) issue: &'static str,
    /// Epic's sentence.
    pub(super) display: &'static str,
}

const fn fatal(number: u32, status: u16, issue: &'static str, display: &'static str) -> Code {
    Code { number, status, severity: "fatal", issue, display }
}

const fn warning(number: u32, issue: &'static str, display: &'static str) -> Code {
    Code { number, status: 200, severity: "warning", issue, display }
}

const fn information(number: u32, issue: &'static str, display: &'static str) -> Code {
    Code { number, status: 200, severity: "information", issue, display }
}

static INTERNAL: Code =
    fatal(59177, 500, "exception", "An unexpected internal error has occurred while processing the request.");

static CODES: [Code; 32] = [
    fatal(4100, 400, "invalid", "The resource request contained an invalid parameter."),
    warning(4101, "processing", "Resource request returns no results."),
    fatal(4102, 404, "not-found", "The read resource request contained an invalid resource ID."),
    fatal(4103, 410, "deleted", "The resource has been deleted."),
    fatal(4107, 404, "not-found", "The patient has been merged into another patient."),
    fatal(4110, 400, "required", "No parameters are provided in the search request."),
    fatal(4111, 400, "required", "A required parameter is missing from the search request."),
    fatal(4112, 400, "business-rule", "The combination of parameters is invalid."),
    fatal(4113, 400, "expired", "Session ID for the search results has expired."),
    fatal(4115, 400, "value", "A required search parameter has an invalid value."),
    fatal(4118, 403, "forbidden", "The authenticated client is not authorized for this request."),
    warning(4119, "incomplete", "Additional data may exist for this patient."),
    warning(4122, "not-supported", "An unknown query parameter was ignored."),
    fatal(4127, 400, "too-costly", "The search matches too many patients. Add more criteria."),
    fatal(4130, 403, "security", "Break-the-glass security: access requires a person's reason."),
    fatal(4131, 403, "security", "Break-the-glass security: access is not possible for this user."),
    fatal(4134, 403, "security", "Break-the-glass security: the given reason is not accepted."),
    fatal(4135, 403, "throttled", "The daily limit has been reached. Please try again tomorrow."),
    fatal(40000, 400, "code-invalid", "An incoming value has no mapping at this site."),
    information(59100, "informational", "The content is partly invalid and was ignored."),
    warning(59101, "invalid", "The content is invalid and was ignored."),
    fatal(59102, 400, "invalid", "The content is invalid."),
    fatal(59105, 400, "structure", "The content is not well-formed or has a wrong structure."),
    fatal(59108, 400, "required", "A required element is missing."),
    information(59109, "value", "An optional element has an invalid value and was ignored."),
    fatal(59111, 400, "value", "A required element has an invalid value."),
    fatal(59133, 400, "processing", "The request could not be processed completely."),
    fatal(59141, 400, "duplicate", "The content is a duplicate of an existing record."),
    fatal(59144, 400, "not-found", "A referenced record was not found."),
    fatal(
        59159,
        400,
        "business-rule",
        "The content/operation failed to pass a business rule, and so could not proceed.",
    ),
    fatal(59177, 500, "exception", "An unexpected internal error has occurred while processing the request."),
    warning(59204, "suppressed", "The client is not authorized for a part of the results."),
];

/// Numbers of failures in the middle of the work: whether it was done stays open.
pub(super) const PROVE_NOTHING: [u32; 2] = [59133, 59177];

/// Looks a number up.
pub(super) fn find(number: u32) -> Option<&'static Code> {
    CODES.iter().find(|code| code.number == number)
}

/// The row of a number that the world itself uses; an unknown number is an internal error of the world.
pub(super) fn known(number: u32) -> &'static Code {
    find(number).unwrap_or(&INTERNAL)
}
