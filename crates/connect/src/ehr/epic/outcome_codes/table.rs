//! The table of Epic's numbers: their number, our code, what it proves, when to try again, the sentence.
//!
//! Order is rank: of several numbers in one answer the first in the table decides. Source: EPIC.md §6.

use crate::outcome::Retry;

/// What a number proves about the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Epic considered the call and refused it; nothing was changed.
    Refused,
    /// Epic did not take the call now; nothing was changed and the same call may succeed later.
    NotNow,
    /// Epic failed while working on it.
    Uncertain,
    /// A remark that accompanies results; a failure only when the answer as a whole is one.
    Remark,
}

/// One line of the table.
#[derive(Debug, PartialEq)]
pub struct Meaning {
    /// Epic's number.
    pub number: u32,
    /// Our stable code.
    pub code: &'static str,
    /// What it proves.
    pub verdict: Verdict,
    /// When to try again.
    pub retry: Retry,
    /// What happened and what to do.
    pub sentence: &'static str,
}

const fn line(
    number: u32,
    code: &'static str,
    verdict: Verdict,
    retry: Retry,
    sentence: &'static str,
) -> Meaning {
    Meaning { number, code, verdict, retry, sentence }
}

const BREAK_THE_GLASS: &str = "Epic protects this patient's record (break the glass) and did nothing. A person with \
                               the right to open it must finish this in Epic; it is not tried again.";
const CONTENT_INVALID: &str = "Epic found the content invalid and did nothing. Correct the mapping of the fields that \
                               Epic names, then send again.";
const CONTENT_REMARK: &str =
    "Epic remarked on the content. Compare the fields that Epic names with the mapping, then send again.";
const SEARCH_PARAMETER: &str =
    "Epic did not accept the parameters of the search and returned nothing. Correct the search.";

/// All lines, the most telling first.
pub const TABLE: &[Meaning] = &[
    line(
        4107,
        "epic_merged_patient",
        Verdict::Refused,
        Retry::Never,
        "This patient was merged into another in Epic and nothing was done. Link the surviving patient, then send \
         again.",
    ),
    line(4130, "epic_break_the_glass", Verdict::Refused, Retry::Never, BREAK_THE_GLASS),
    line(4131, "epic_break_the_glass", Verdict::Refused, Retry::Never, BREAK_THE_GLASS),
    line(4134, "epic_break_the_glass", Verdict::Refused, Retry::Never, BREAK_THE_GLASS),
    line(
        4135,
        "epic_daily_ceiling",
        Verdict::NotNow,
        Retry::NextLocalDay,
        "Epic's daily ceiling for this client is reached and nothing was done. It goes on tomorrow, site time.",
    ),
    line(
        59141,
        "epic_duplicate",
        Verdict::Refused,
        Retry::LookUpFirst,
        "Epic says that this record exists already and did not add another. The existing record is looked up.",
    ),
    line(
        4118,
        "epic_not_authorized",
        Verdict::Refused,
        Retry::Never,
        "Epic does not allow this client to do that, and did nothing. Ask the site's Epic team to extend the \
         background user's security or the app's scopes.",
    ),
    line(
        4102,
        "epic_unknown_id",
        Verdict::Refused,
        Retry::Never,
        "Epic does not know this id and did nothing. Correct the link to Epic, then send again.",
    ),
    line(
        4103,
        "epic_deleted",
        Verdict::Refused,
        Retry::Never,
        "This record was deleted in Epic and nothing was done. Link the right record, then send again.",
    ),
    line(
        59144,
        "epic_reference_not_found",
        Verdict::Refused,
        Retry::Never,
        "A record that the call refers to does not exist in Epic, and nothing was done. Correct the link, then send \
         again.",
    ),
    line(
        40000,
        "epic_mapping_missing",
        Verdict::Refused,
        Retry::Never,
        "The site's Epic build has no mapping for an incoming value, and nothing was done. Ask the site's Epic team \
         to add it, then send again.",
    ),
    line(
        59159,
        "epic_business_rule",
        Verdict::Refused,
        Retry::Never,
        "A business rule in Epic refused this and nothing was done. Epic's own text names the rule; correct it, then \
         send again.",
    ),
    line(59111, "epic_required_invalid", Verdict::Refused, Retry::Never, CONTENT_INVALID),
    line(59108, "epic_required_missing", Verdict::Refused, Retry::Never, CONTENT_INVALID),
    line(59105, "epic_structure_invalid", Verdict::Refused, Retry::Never, CONTENT_INVALID),
    line(59102, "epic_content_invalid", Verdict::Refused, Retry::Never, CONTENT_INVALID),
    line(
        59177,
        "epic_internal_error",
        Verdict::Uncertain,
        Retry::Later,
        "Epic failed inside while working on this. For a change it is looked up first whether Epic did it.",
    ),
    line(
        59133,
        "epic_processing",
        Verdict::Uncertain,
        Retry::Later,
        "Epic had trouble while processing this. Narrow a search; for a change it is looked up first.",
    ),
    line(
        4113,
        "epic_paging_expired",
        Verdict::NotNow,
        Retry::Later,
        "Epic forgot where the paging of this search was. The search is started again from its first page.",
    ),
    line(
        4127,
        "epic_too_many_patients",
        Verdict::Refused,
        Retry::Never,
        "More than 100 patients match and Epic returned none. Search with more of what is known about the patient.",
    ),
    line(4115, "epic_search_refused", Verdict::Refused, Retry::Never, SEARCH_PARAMETER),
    line(4112, "epic_search_refused", Verdict::Refused, Retry::Never, SEARCH_PARAMETER),
    line(4111, "epic_search_refused", Verdict::Refused, Retry::Never, SEARCH_PARAMETER),
    line(4110, "epic_search_refused", Verdict::Refused, Retry::Never, SEARCH_PARAMETER),
    line(4100, "epic_search_refused", Verdict::Refused, Retry::Never, SEARCH_PARAMETER),
    line(59109, "epic_optional_invalid", Verdict::Remark, Retry::Never, CONTENT_REMARK),
    line(59101, "epic_content_warning", Verdict::Remark, Retry::Never, CONTENT_REMARK),
    line(59100, "epic_content_remark", Verdict::Remark, Retry::Never, CONTENT_REMARK),
    line(
        59204,
        "epic_suppressed",
        Verdict::Remark,
        Retry::Never,
        "Epic left out parts that this client may not see. Ask the site's Epic team to extend the scopes.",
    ),
    line(
        4119,
        "epic_more_may_exist",
        Verdict::Remark,
        Retry::Never,
        "Epic may have more than it returned. Narrow the search.",
    ),
    line(4122, "epic_unknown_parameter", Verdict::Remark, Retry::Never, SEARCH_PARAMETER),
    line(4101, "epic_no_results", Verdict::Remark, Retry::Never, "Epic found nothing."),
];

/// The meaning of one of Epic's numbers; `None` when it is not in the table.
#[must_use]
pub fn meaning(number: u32) -> Option<&'static Meaning> {
    TABLE.iter().find(|meaning| meaning.number == number)
}

/// The place in the table.
pub(super) fn rank(meaning: &Meaning) -> usize {
    TABLE.iter().position(|line| line.number == meaning.number).unwrap_or(TABLE.len())
}
