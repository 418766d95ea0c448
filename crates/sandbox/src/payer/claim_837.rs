//! Reads the part of an 837 that a payer's answer depends on (X12.md §4): one claim with its lines.
//!
//! Called by `world` when the body of `POST /claims` is an interchange.

use super::claim::{ClaimLine, Filed};
use super::member::members;
use super::x12::{self, Segment, cents, plain};

/// Reads the first claim of an 837P.
///
/// # Errors
/// A sentence when it is no 837 with one claim, or its amounts cannot be read.
pub(super) fn read(bytes: &[u8]) -> Result<Filed, String> {
    let file = x12::read(bytes)?;
    let is_837 = file.segments.iter().any(|segment| segment.name() == "ST" && segment.at(1) == "837");
    let claims = file.segments.iter().filter(|segment| segment.name() == "CLM").count();
    if !is_837 || claims != 1 {
        return Err("The file is not an 837 with exactly one claim: the claim was not taken.".to_owned());
    }
    let mut filed = Filed {
        patient_control: String::new(),
        claim_control: None,
        member_id: String::new(),
        patient_id: None,
        charge_minor: 0,
        provider: "1234567893".to_owned(),
        lines: Vec::new(),
        rule: None,
    };
    for segment in &file.segments {
        match (segment.name(), segment.at(1)) {
            ("NM1", "85") if segment.at(8) == "XX" => filed.provider = plain(segment.at(9)),
            ("NM1", "IL") => filed.member_id = plain(segment.at(9)),
            ("NM1", "QC") => {
                let named = members().iter().find(|member| {
                    member.family.eq_ignore_ascii_case(segment.at(3))
                        && member.given.eq_ignore_ascii_case(segment.at(4))
                        && member.member_id == filed.member_id
                });
                filed.patient_id = named.map(|member| member.patient_id.clone());
            }
            ("CLM", control) => {
                control.clone_into(&mut filed.patient_control);
                filed.charge_minor = amount(segment, 2)?;
            }
            ("SV1", _) => filed.lines.push(service(segment, file.component)?),
            ("REF", "6R") => {
                if let Some(line) = filed.lines.last_mut() {
                    line.control = Some(plain(segment.at(2)));
                }
            }
            ("DTP", "472") => {
                if let Some(line) = filed.lines.last_mut() {
                    line.day = segment.at(3).get(..8).map(plain);
                }
            }
            _ => {}
        }
    }
    filed.checked()
}

fn amount(segment: &Segment, at: usize) -> Result<i64, String> {
    cents(segment.at(at)).ok_or_else(|| {
        format!("The amount in {}{at:02} cannot be read: the claim was not taken.", segment.name())
    })
}

fn service(segment: &Segment, component: char) -> Result<ClaimLine, String> {
    let mut parts = segment.at(1).split(component).skip(1).map(plain);
    let procedure = parts.next().filter(|code| !code.is_empty());
    Ok(ClaimLine {
        procedure: procedure.ok_or("SV101 names no procedure: the claim was not taken.")?,
        modifiers: parts.take(4).filter(|modifier| !modifier.is_empty()).collect(),
        charge_minor: amount(segment, 2)?,
        units: if segment.at(4).is_empty() { "1".to_owned() } else { plain(segment.at(4)) },
        control: None,
        day: None,
    })
}
