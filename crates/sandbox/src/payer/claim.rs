//! Claims as they come in, as JSON or as an 837 (X12.md §4).
//!
//! Read by `world` for `POST /claims`. What must stay true: the lines add up to the charge, and numbers that come back
//! in a remittance fit into it.

use super::adjudicate::Case;
use super::member::members;
use super::x12::plain;
use serde_json::Value;

/// Lines that a claim may have (the 837P's own limit).
const LINES_MAX: usize = 50;
/// CLM01 comes back in CLP01, which has at most 20 letters.
const CONTROL_MAX: usize = 20;
/// Largest charge of a line: a hundred million dollars.
const CHARGE_MINOR_MAX: i64 = 10_000_000_000;

/// One service of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClaimLine {
    /// CPT or HCPCS code.
    pub(super) procedure: String,
    pub(super) modifiers: Vec<String>,
    pub(super) charge_minor: i64,
    pub(super) units: String,
    /// REF*6R, joins a line of the remittance to ours.
    pub(super) control: Option<String>,
    /// `YYYYMMDD`
    pub(super) day: Option<String>,
}

/// What was filed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filed {
    /// Our number of the claim: CLM01, CLP01.
    pub(super) patient_control: String,
    /// The payer's number, when the caller chooses it: CLP07.
    pub(super) claim_control: Option<String>,
    pub(super) member_id: String,
    /// Which of the people of that number; the first one when absent.
    pub(super) patient_id: Option<String>,
    pub(super) charge_minor: i64,
    pub(super) provider: String,
    pub(super) lines: Vec<ClaimLine>,
    /// How it will be adjudicated; the default of the world when absent.
    pub(super) rule: Option<Case>,
}

impl Filed {
    /// Checks what both forms have in common.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub(super) fn checked(self) -> Result<Self, String> {
        let fits = |text: &str| !text.is_empty() && text.len() <= CONTROL_MAX && plain(text) == text;
        if !fits(&self.patient_control) || self.claim_control.as_deref().is_some_and(|text| !fits(text)) {
            return Err(format!(
                "A control number has 1 to {CONTROL_MAX} letters and no separator: the claim was not taken."
            ));
        }
        if self.lines.is_empty() || self.lines.len() > LINES_MAX {
            return Err(format!("A claim has 1 to {LINES_MAX} lines: the claim was not taken."));
        }
        if self.lines.iter().any(|line| !(1..=CHARGE_MINOR_MAX).contains(&line.charge_minor)) {
            return Err("Every line has a charge above zero: the claim was not taken.".to_owned());
        }
        let sum: i64 = self.lines.iter().map(|line| line.charge_minor).sum();
        if sum != self.charge_minor {
            return Err(format!(
                "The lines add up to {sum} and the claim says {}: the claim was not taken.",
                self.charge_minor
            ));
        }
        Ok(self)
    }
}

/// Reads `{patient_control, claim_control, member_id, patient_id, charge_minor, provider, rule, lines: [{procedure, modifiers,
/// charge_minor, units, line_control, service_date}]}`.
///
/// # Errors
/// A sentence that says what is wrong.
pub(super) fn from_json(body: &Value) -> Result<Filed, String> {
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let rule = match text("rule") {
        Some(word) => Some(Case::parse(&word)?),
        None => None,
    };
    let patient_id = text("patient_id");
    let known = |id: &String| members().iter().any(|member| member.patient_id == *id);
    if patient_id.as_ref().is_some_and(|id| !known(id)) {
        return Err("The patient_id is none of the payer's members: the claim was not taken.".to_owned());
    }
    let rows = body["lines"].as_array().map_or(&[][..], Vec::as_slice);
    let filed = Filed {
        patient_control: text("patient_control").unwrap_or_default(),
        claim_control: text("claim_control"),
        member_id: plain(&text("member_id").unwrap_or_default()),
        patient_id,
        charge_minor: body["charge_minor"].as_i64().unwrap_or_default(),
        provider: plain(&text("provider").unwrap_or_else(|| "1234567893".to_owned())),
        lines: rows.iter().take(LINES_MAX + 1).map(line).collect::<Result<_, _>>()?,
        rule,
    };
    filed.checked()
}

fn line(row: &Value) -> Result<ClaimLine, String> {
    let text = |name: &str| row[name].as_str().map(plain);
    let modifiers = row["modifiers"].as_array().map_or(&[][..], Vec::as_slice);
    Ok(ClaimLine {
        procedure: text("procedure").ok_or("A line has no procedure: the claim was not taken.")?,
        modifiers: modifiers.iter().take(4).filter_map(Value::as_str).map(plain).collect(),
        charge_minor: row["charge_minor"].as_i64().unwrap_or_default(),
        units: row["units"].as_i64().unwrap_or(1).to_string(),
        control: text("line_control"),
        day: text("service_date").map(|day| day.replace('-', "")),
    })
}
