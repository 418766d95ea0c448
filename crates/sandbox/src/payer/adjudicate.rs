//! What the payer makes of a claim: the cases of FLOWS story 2 (X12.md §3).
//!
//! Called by `ledger`. What must stay true: on every line charge − adjustments = paid, so that every claim and every
//! file made of them balances; nobody ever owes more than what is allowed.

use super::claim::{ClaimLine, Filed};

/// How a claim is adjudicated. The words are those of FLOWS story 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// `2A`: the patient owes 50.00, more than a deposit of 40.00.
    Underpaid,
    /// `2B`: the patient owes 25.00, less than the deposit.
    Overpaid,
    /// `2C`: the patient owes 40.00.
    Exact,
    /// `2D`: denied at the clinic's cost, CO.
    DeniedToClinic,
    /// `2E`: not covered, all is the patient's, PR.
    DeniedToPatient,
    /// `2G`: first as 2A; the next file reverses it and says 70.00.
    Corrected,
    /// `2H`: first as 2A; the next file takes the money back (PLB WO).
    TakenBack,
}

impl Case {
    /// Reads a word such as `2A`.
    ///
    /// # Errors
    /// A sentence for any other word.
    pub fn parse(word: &str) -> Result<Self, String> {
        Ok(match word {
            "2A" => Self::Underpaid,
            "2B" => Self::Overpaid,
            "2C" => Self::Exact,
            "2D" => Self::DeniedToClinic,
            "2E" => Self::DeniedToPatient,
            "2G" => Self::Corrected,
            "2H" => Self::TakenBack,
            _ => {
                return Err(format!(
                    "There is no case {word}: give 2A, 2B, 2C, 2D, 2E, 2G or 2H. Nothing was changed."
                ));
            }
        })
    }

    /// The word of the case.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Underpaid => "2A",
            Self::Overpaid => "2B",
            Self::Exact => "2C",
            Self::DeniedToClinic => "2D",
            Self::DeniedToPatient => "2E",
            Self::Corrected => "2G",
            Self::TakenBack => "2H",
        }
    }

    /// What the patient owes: reason codes of the group PR with minor units.
    fn patient(self) -> Vec<(String, i64)> {
        let shares: &[(&str, i64)] = match self {
            Self::Underpaid | Self::Corrected | Self::TakenBack => &[("3", 4_000), ("2", 1_000)],
            Self::Overpaid => &[("3", 2_500)],
            Self::Exact => &[("3", 4_000)],
            Self::DeniedToClinic | Self::DeniedToPatient => &[],
        };
        shares.iter().map(|(code, amount)| ((*code).to_owned(), *amount)).collect()
    }
}

/// What the second result of [`Case::Corrected`] says when nothing else is asked for.
pub(super) fn corrected_shares() -> Vec<(String, i64)> {
    vec![("3".to_owned(), 4_000), ("2".to_owned(), 3_000)]
}

/// What somebody chose for a claim instead of the usual of its case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Terms {
    /// The patient's shares: reason and minor units.
    pub(super) patient: Option<Vec<(String, i64)>>,
    /// What the fee schedule takes off, in percent of the charge.
    pub(super) contractual_percent: Option<i64>,
    /// The reason of a denial.
    pub(super) reason: Option<String>,
}

/// Part of a line that is not paid: group, reason, minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Adjustment {
    pub(super) group: &'static str,
    pub(super) reason: String,
    pub(super) amount_minor: i64,
}

/// The result of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LineResult {
    pub(super) line: ClaimLine,
    pub(super) adjustments: Vec<Adjustment>,
    pub(super) paid_minor: i64,
    pub(super) allowed_minor: i64,
}

/// The result of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Result835 {
    /// CLP02
    pub(super) status: &'static str,
    /// CLP09
    pub(super) frequency: &'static str,
    pub(super) lines: Vec<LineResult>,
}

impl Result835 {
    /// CLP03
    pub(super) fn charge_minor(&self) -> i64 {
        self.lines.iter().map(|result| result.line.charge_minor).sum()
    }

    /// CLP04
    pub(super) fn paid_minor(&self) -> i64 {
        self.lines.iter().map(|result| result.paid_minor).sum()
    }

    /// CLP05: the sum of PR.
    pub(super) fn patient_minor(&self) -> i64 {
        let all = self.lines.iter().flat_map(|result| &result.adjustments);
        all.filter(|adjustment| adjustment.group == "PR").map(|adjustment| adjustment.amount_minor).sum()
    }

    /// The same with every sign flipped, status 22.
    pub(super) fn reversed(&self) -> Self {
        let mut reversed = self.clone();
        reversed.status = "22";
        for result in &mut reversed.lines {
            result.line.charge_minor = -result.line.charge_minor;
            result.paid_minor = -result.paid_minor;
            result.allowed_minor = -result.allowed_minor;
            for adjustment in &mut result.adjustments {
                adjustment.amount_minor = -adjustment.amount_minor;
            }
        }
        reversed
    }
}

/// Adjudicates a claim.
pub(super) fn adjudicate(filed: &Filed, case: Case, terms: &Terms) -> Result835 {
    match case {
        Case::DeniedToClinic => denied(filed, "CO", terms.reason.as_deref().unwrap_or("197")),
        Case::DeniedToPatient => denied(filed, "PR", terms.reason.as_deref().unwrap_or("96")),
        Case::Underpaid | Case::Overpaid | Case::Exact | Case::Corrected | Case::TakenBack => {
            let shares = terms.patient.clone().unwrap_or_else(|| case.patient());
            priced(filed, shares, terms.contractual_percent.unwrap_or(40).clamp(0, 100))
        }
    }
}

fn denied(filed: &Filed, group: &'static str, reason: &str) -> Result835 {
    let lines = filed.lines.iter().map(|line| LineResult {
        adjustments: vec![Adjustment { group, reason: reason.to_owned(), amount_minor: line.charge_minor }],
        line: line.clone(),
        paid_minor: 0,
        allowed_minor: 0,
    });
    Result835 { status: "4", frequency: "1", lines: lines.collect() }
}

fn priced(filed: &Filed, mut shares: Vec<(String, i64)>, percent: i64) -> Result835 {
    let mut charged = 0;
    let mut taken = 0;
    let mut lines = Vec::with_capacity(filed.lines.len());
    for line in &filed.lines {
        // Counted over the lines so far, so that rounding never changes the sum.
        charged += line.charge_minor;
        let contractual = charged * percent / 100 - taken;
        taken += contractual;
        let allowed = line.charge_minor - contractual;
        let mut adjustments = Vec::new();
        if contractual > 0 {
            let reason = "45".to_owned();
            adjustments.push(Adjustment { group: "CO", reason, amount_minor: contractual });
        }
        let mut left = allowed;
        for (reason, share) in &mut shares {
            let part = (*share).min(left);
            if part > 0 {
                *share -= part;
                left -= part;
                adjustments.push(Adjustment { group: "PR", reason: reason.clone(), amount_minor: part });
            }
        }
        lines.push(LineResult { line: line.clone(), adjustments, paid_minor: left, allowed_minor: allowed });
    }
    Result835 { status: "1", frequency: "1", lines }
}
