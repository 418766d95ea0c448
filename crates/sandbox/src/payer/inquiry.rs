//! Reads a 270: who asks, about whom, for which services (X12.md §2).
//!
//! Called by `eligibility`. What must stay true: the trace and the names of the provider are echoed as they came, and
//! a file that is not a 270 is refused before anything is answered.

use super::x12::{self, Segment};

/// A person as an inquiry names one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) family: String,
    pub(super) given: String,
    pub(super) member_id: String,
    /// `YYYYMMDD`, empty when it was not given.
    pub(super) birth_date: String,
}

/// What a 270 asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Inquiry {
    /// BHT03
    pub(super) reference: String,
    /// NM1*1P as it came, from NM102 on.
    pub(super) provider: Vec<String>,
    /// TRN02 and TRN03.
    pub(super) trace: Option<(String, String)>,
    pub(super) subscriber: Person,
    /// The patient when it is not the subscriber.
    pub(super) dependent: Option<Person>,
    /// EQ01: 30 when nothing was asked for.
    pub(super) services: Vec<String>,
}

/// Services that one inquiry may ask for.
const SERVICES_MAX: usize = 99;

/// Reads a 270.
///
/// # Errors
/// A sentence that says what is missing.
pub(super) fn read(bytes: &[u8]) -> Result<Inquiry, String> {
    let file = x12::read(bytes)?;
    if !file.segments.iter().any(|segment| segment.name() == "ST" && segment.at(1) == "270") {
        return Err("The file has no transaction set 270: nothing was answered.".to_owned());
    }
    let mut inquiry = Inquiry::default();
    let mut level = "";
    for segment in &file.segments {
        match segment.name() {
            "HL" => level = segment.at(3),
            "BHT" => inquiry.reference = x12::plain(segment.at(3)),
            "TRN" => inquiry.trace = Some((x12::plain(segment.at(2)), x12::plain(segment.at(3)))),
            "EQ" => {
                let asked = segment.at(1).split(file.repetition).filter(|code| !code.is_empty());
                inquiry.services.extend(asked.map(x12::plain));
            }
            "NM1" if segment.at(1) == "1P" => {
                inquiry.provider = segment.0.iter().skip(2).map(|element| x12::plain(element)).collect();
            }
            "NM1" if segment.at(1) == "IL" => name(&mut inquiry.subscriber, segment),
            "NM1" if segment.at(1) == "03" => name(inquiry.dependent.get_or_insert_default(), segment),
            "DMG" => match (&mut inquiry.dependent, level) {
                (Some(person), "23") => person.birth_date = x12::plain(segment.at(2)),
                _ => inquiry.subscriber.birth_date = x12::plain(segment.at(2)),
            },
            _ => {}
        }
    }
    if inquiry.subscriber == Person::default() {
        return Err("The file names no subscriber (NM1*IL): nothing was answered.".to_owned());
    }
    inquiry.services.truncate(SERVICES_MAX);
    if inquiry.services.is_empty() {
        inquiry.services.push("30".to_owned());
    }
    Ok(inquiry)
}

fn name(person: &mut Person, segment: &Segment) {
    person.family = x12::plain(segment.at(3));
    person.given = x12::plain(segment.at(4));
    person.member_id = x12::plain(segment.at(9));
}
