//! The common codes of an 835 in plain words, for people who look at a claim.
//!
//! Must stay true: nothing is decided from these words, and a code that is not listed is said to be unknown.

use super::codes::{Group, Status};

/// What is said of a code that is not listed here.
pub const NOT_IN_OUR_TABLE: &str = "not in our table; look it up with the payer";

const REASONS: &[(&str, &str)] = &[
    ("1", "deductible"),
    ("2", "coinsurance"),
    ("3", "copay"),
    ("16", "the claim lacks information"),
    ("18", "duplicate of another claim"),
    ("22", "another payer may have to pay first"),
    ("23", "what a prior payer paid or adjusted"),
    ("27", "after the coverage ended"),
    ("31", "the patient was not identified as insured"),
    ("45", "above the agreed fee"),
    ("66", "blood deductible"),
    ("96", "not covered"),
    ("97", "included in the payment for another service"),
    ("204", "not covered by the patient's plan"),
    ("253", "sequestration: the federal reduction of payments"),
];

const PROVIDER_ADJUSTMENTS: &[(&str, &str)] = &[
    ("FB", "balance forwarded to or from another remittance"),
    ("WO", "recovery of an earlier overpayment"),
    ("72", "authorized return: the payer has received a refund"),
    ("L6", "interest"),
    ("CS", "adjustment"),
    ("50", "late charge"),
    ("51", "interest penalty"),
    ("90", "early payment"),
    ("IR", "withheld for the tax authority"),
    ("LE", "levy"),
];

/// The meaning of a claim adjustment reason code (CAS02, 05, …).
#[must_use]
pub fn reason_meaning(code: &str) -> &'static str {
    look_up(REASONS, code)
}

/// The meaning of a provider adjustment code (PLB03-1, …).
#[must_use]
pub fn provider_adjustment_meaning(code: &str) -> &'static str {
    look_up(PROVIDER_ADJUSTMENTS, code)
}

/// Who bears the adjustments of a group.
#[must_use]
pub const fn group_meaning(group: &Group) -> &'static str {
    match group {
        Group::PatientResponsibility => "the patient owes it",
        Group::ContractualObligation => "written off by contract; never billed to the patient",
        Group::OtherAdjustment => {
            "neither patient nor contract, for example a prior payer; not billed to the patient"
        }
        Group::PayerInitiated => "the payer decided so; not billed to the patient",
        Group::Other(_) => NOT_IN_OUR_TABLE,
    }
}

/// What the payer did with the claim.
#[must_use]
pub const fn status_meaning(status: &Status) -> &'static str {
    match status {
        Status::Primary => "processed as primary",
        Status::Secondary => "processed as secondary",
        Status::Tertiary => "processed as tertiary",
        Status::Denied => "denied",
        Status::PrimaryForwarded => "processed as primary, forwarded to another payer",
        Status::SecondaryForwarded => "processed as secondary, forwarded to another payer",
        Status::TertiaryForwarded => "processed as tertiary, forwarded to another payer",
        Status::Reversal => "takes back an earlier answer",
        Status::NotOurClaim => "not this payer's claim, forwarded",
        Status::Predetermination => "a forecast, no payment",
        Status::Other(_) => NOT_IN_OUR_TABLE,
    }
}

fn look_up(table: &[(&str, &'static str)], code: &str) -> &'static str {
    table.iter().find(|(known, _)| *known == code).map_or(NOT_IN_OUR_TABLE, |(_, meaning)| meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_code_is_said_to_be_unknown() {
        assert_eq!(reason_meaning("1"), "deductible");
        assert_eq!(reason_meaning("A2"), NOT_IN_OUR_TABLE);
        assert_eq!(provider_adjustment_meaning("CV"), NOT_IN_OUR_TABLE);
        assert_eq!(group_meaning(&Group::from("CR")), NOT_IN_OUR_TABLE);
        assert_eq!(Group::from("CR").code(), "CR");
    }

    #[test]
    fn only_patient_responsibility_may_be_billed_to_a_patient() {
        for code in ["CO", "OA", "PI", "CR", "pr", "PR ", ""] {
            assert!(!Group::from(code).may_bill_patient(), "{code}");
        }
        assert!(Group::from("PR").may_bill_patient());
    }
}
