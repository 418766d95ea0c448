//! AAA: why a payer did not answer, what to change, and whether asking again helps.
//!
//! Called by the reader. Must stay true: the payer's codes are kept as sent, and a code that is not listed never
//! promises that a retry helps.

use serde::Serialize;

/// One AAA segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// Where it stands: `2000A` and `2100A` payer, `2100B` provider, `2100C` subscriber, `2100D` dependent, `2110C`
    /// and `2110D` one benefit.
    #[serde(rename = "loop")]
    pub loop_id: &'static str,
    /// The number of AAA in the file.
    pub segment: u64,
    /// AAA01: whether the payer calls the question valid.
    pub valid: bool,
    /// AAA03, as sent.
    pub code: String,
    /// AAA04.
    pub follow_up: FollowUp,
    /// What the code means, in plain words.
    pub meaning: &'static str,
    /// What to do about it.
    pub hint: &'static str,
    /// Which field to ask for, if one.
    pub ask: Option<Ask>,
    /// Whether asking again helps.
    pub retry: RetryHelps,
}

/// What the payer says about asking again (AAA04).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FollowUp {
    /// C: correct and ask again.
    Correct,
    /// N: do not ask again.
    No,
    /// R: asking again is allowed.
    Allowed,
    /// S: do not ask again; it was sent on.
    SentOn,
    /// W: wait 30 days.
    WaitThirtyDays,
    /// Y: do not ask again; the answer will follow.
    AnswerFollows,
    /// Any other, as sent.
    Other(String),
}

/// A field whose value should be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// The member id on the card.
    MemberId,
    /// The name as on the card.
    Name,
    /// The birth date.
    BirthDate,
    /// The day of the service.
    ServiceDate,
    /// Our provider's number and enrolment with the payer.
    Provider,
    /// The payer's id.
    Payer,
}

/// Whether asking again helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryHelps {
    /// The same question may be answered later.
    Later,
    /// After a correction.
    AfterCorrection,
    /// It does not help, or nothing is known.
    No,
}

type Line = (&'static str, &'static str, &'static str, Option<Ask>, RetryHelps);

const LATER: &str = "Ask again in a few minutes; booking need not wait.";
const PROVIDER: &str =
    "Check the provider's number in the settings, and that the provider is enrolled with this payer.";
const DAY: &str = "Check the day of the service; payers answer only for a limited time back and ahead.";
const BIRTH: &str = "Ask for the birth date and compare it with the card.";
const CARD: &str = "Ask for the member id and the name exactly as on the card.";

const TABLE: &[Line] = &[
    ("42", "the payer cannot respond now", LATER, None, RetryHelps::Later),
    ("43", "the provider's number is not valid", PROVIDER, Some(Ask::Provider), RetryHelps::AfterCorrection),
    ("44", "the provider's name is not valid", PROVIDER, Some(Ask::Provider), RetryHelps::AfterCorrection),
    (
        "45",
        "the provider's specialty is not valid",
        PROVIDER,
        Some(Ask::Provider),
        RetryHelps::AfterCorrection,
    ),
    ("50", "the provider may not ask this payer", PROVIDER, Some(Ask::Provider), RetryHelps::AfterCorrection),
    ("51", "the provider is not on file", PROVIDER, Some(Ask::Provider), RetryHelps::AfterCorrection),
    ("56", "the date is not appropriate", DAY, Some(Ask::ServiceDate), RetryHelps::AfterCorrection),
    ("57", "the date of service is not valid", DAY, Some(Ask::ServiceDate), RetryHelps::AfterCorrection),
    ("58", "the birth date is not valid", BIRTH, Some(Ask::BirthDate), RetryHelps::AfterCorrection),
    ("62", "the date is out of the payer's range", DAY, Some(Ask::ServiceDate), RetryHelps::AfterCorrection),
    ("64", "the patient's id is not valid", CARD, Some(Ask::MemberId), RetryHelps::AfterCorrection),
    ("65", "the patient's name is not valid", CARD, Some(Ask::Name), RetryHelps::AfterCorrection),
    ("67", "the patient was not found", CARD, Some(Ask::MemberId), RetryHelps::AfterCorrection),
    ("71", "the birth date does not match", BIRTH, Some(Ask::BirthDate), RetryHelps::AfterCorrection),
    ("72", "the member id is not valid", CARD, Some(Ask::MemberId), RetryHelps::AfterCorrection),
    ("73", "the subscriber's name is not valid", CARD, Some(Ask::Name), RetryHelps::AfterCorrection),
    ("75", "the subscriber was not found", CARD, Some(Ask::MemberId), RetryHelps::AfterCorrection),
    (
        "78",
        "the subscriber is not in this group or plan",
        "Ask whether the insurance changed, and for the current card.",
        Some(Ask::MemberId),
        RetryHelps::AfterCorrection,
    ),
    (
        "79",
        "the payer's id is not valid",
        "Check the payer's id in the settings.",
        Some(Ask::Payer),
        RetryHelps::AfterCorrection,
    ),
    ("80", "the payer did not respond", LATER, None, RetryHelps::Later),
];

impl Rejection {
    /// From AAA01, 03 and 04. What the payer says about asking again can only take hope away, never give it.
    pub(super) fn new(
        loop_id: &'static str,
        segment: u64,
        valid: bool,
        code: &str,
        follow_up: FollowUp,
    ) -> Self {
        let known = TABLE.iter().find(|line| line.0 == code);
        let (meaning, hint, ask, retry) = known.map_or(
            (
                "not in our table",
                "Look the code up with the payer, or call the payer.",
                None,
                match follow_up {
                    FollowUp::Correct => RetryHelps::AfterCorrection,
                    FollowUp::Allowed | FollowUp::WaitThirtyDays => RetryHelps::Later,
                    FollowUp::No | FollowUp::SentOn | FollowUp::AnswerFollows | FollowUp::Other(_) => {
                        RetryHelps::No
                    }
                },
            ),
            |line| (line.1, line.2, line.3, line.4),
        );
        let forbidden = matches!(follow_up, FollowUp::SentOn | FollowUp::AnswerFollows)
            || (follow_up == FollowUp::No && retry == RetryHelps::Later);
        let retry = if forbidden { RetryHelps::No } else { retry };
        Self { loop_id, segment, valid, code: code.to_owned(), follow_up, meaning, hint, ask, retry }
    }
}

impl From<&str> for FollowUp {
    fn from(code: &str) -> Self {
        match code {
            "C" => Self::Correct,
            "N" => Self::No,
            "R" => Self::Allowed,
            "S" => Self::SentOn,
            "W" => Self::WaitThirtyDays,
            "Y" => Self::AnswerFollows,
            other => Self::Other(other.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejection(code: &str, follow_up: &str) -> Rejection {
        Rejection::new("2100C", 12, false, code, FollowUp::from(follow_up))
    }

    #[test]
    fn a_subscriber_who_is_not_found_asks_for_the_card() {
        let found = rejection("75", "C");
        assert_eq!((found.ask, found.retry), (Some(Ask::MemberId), RetryHelps::AfterCorrection));
    }

    #[test]
    fn a_payer_that_is_silent_is_asked_again_unless_it_forbids_it() {
        assert_eq!(rejection("80", "R").retry, RetryHelps::Later);
        assert_eq!(rejection("42", "").retry, RetryHelps::Later);
        assert_eq!(rejection("42", "N").retry, RetryHelps::No);
        assert_eq!(rejection("42", "Y").retry, RetryHelps::No);
    }

    #[test]
    fn an_unknown_code_is_kept_and_promises_nothing() {
        let found = rejection("T4", "Z");
        assert_eq!((found.code.as_str(), found.retry), ("T4", RetryHelps::No));
        assert_eq!(found.follow_up, FollowUp::Other("Z".to_owned()));
        assert_eq!(rejection("T4", "C").retry, RetryHelps::AfterCorrection);
    }
}
