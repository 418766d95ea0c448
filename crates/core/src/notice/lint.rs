//! The linter of messages: words and shapes that would tell a stranger why somebody sees a doctor.
//!
//! A message may be read by whoever holds the phone or shares the mailbox. So it says that there is a visit and what is
//! owed, never for what: no diagnosis, procedure, specialty, result, record number or birth date (45 CFR 164.502(b), the
//! minimum necessary). The list is not complete, it catches slips; a wording is still read by a person.

use std::fmt;

use crate::firewall;

/// What may not be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The word, or the kind of thing when the word itself must not be repeated.
    pub word: String,
    /// Why it may not be said.
    pub why: &'static str,
    /// What to write instead.
    pub instead: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "“{}” {}; write {}", self.word, self.why, self.instead)
    }
}

/// Words of one kind; a star stands for any ending.
struct Kind {
    why: &'static str,
    instead: &'static str,
    words: &'static [&'static str],
}

const KINDS: &[Kind] = &[
    Kind {
        why: "tells what is treated",
        instead: "“your visit”",
        words: &[
            "diagnos*",
            "prognos*",
            "symptom*",
            "condition",
            "disease*",
            "disorder*",
            "illness*",
            "infection*",
            "cancer*",
            "tumor*",
            "tumour*",
            "depress*",
            "anxiety",
            "bipolar",
            "schizo*",
            "autis*",
            "adhd",
            "ptsd",
            "addict*",
            "alcohol*",
            "opioid*",
            "methadone",
            "suboxone",
            "overdose*",
            "hiv",
            "aids",
            "std",
            "stds",
            "hepatitis",
            "herpes",
            "pregnan*",
            "abort*",
            "miscarr*",
            "contracept*",
            "fertil*",
            "infertil*",
            "diabet*",
            "insulin",
            "asthma*",
            "allerg*",
            "arthrit*",
            "dementia",
            "alzheimer*",
            "parkinson*",
            "epilep*",
            "seizure*",
            "stroke",
            "obes*",
            "hypertens*",
            "covid*",
            "tubercul*",
            "fracture*",
            "wound*",
            "suicid*",
        ],
    },
    Kind {
        why: "names a procedure or result",
        instead: "“your visit”, and “there is something new for you, sign in to read it” for a result",
        words: &[
            "procedure*",
            "surger*",
            "surgical*",
            "surgeon*",
            "operation",
            "biops*",
            "mri",
            "mris",
            "xray*",
            "ultrasound*",
            "mammogra*",
            "colonoscop*",
            "endoscop*",
            "chemo*",
            "dialysis",
            "radiation",
            "transplant*",
            "vaccin*",
            "immuniz*",
            "inject*",
            "infus*",
            "blood",
            "urine",
            "lab",
            "labs",
            "results",
            "screening*",
            "treatment*",
            "therap*",
            "medication*",
            "medicine*",
            "prescri*",
            "dosage",
            "dose",
            "refill*",
            "rehab*",
            "detox*",
        ],
    },
    Kind {
        why: "names a specialty, which tells what is treated",
        instead: "the clinic's neutral name and the provider's name alone",
        words: &[
            "oncolog*",
            "psychiatr*",
            "psycholog*",
            "psychother*",
            "counsel*",
            "cardiolog*",
            "dermatolog*",
            "neurolog*",
            "nephrolog*",
            "urolog*",
            "gynecolog*",
            "gynaecolog*",
            "obstetric*",
            "endocrinolog*",
            "gastroenterolog*",
            "orthop*",
            "patholog*",
            "radiolog*",
            "hematolog*",
            "haematolog*",
            "rheumatolog*",
            "pulmonolog*",
            "podiatr*",
            "pediatr*",
            "paediatr*",
            "geriatr*",
            "hospice",
            "palliative",
            "maternity",
            "prenatal",
            "behavioral",
            "behavioural",
        ],
    },
    Kind {
        why: "identifies a person or a record",
        instead: "nothing: the recipient knows who they are, and the link opens the right page",
        words: &[
            "mrn",
            "ssn",
            "dob",
            "birth*",
            "birthday*",
            "subscriber*",
            "beneficiar*",
            "icd",
            "cpt",
            "hcpcs",
            "ndc",
        ],
    },
];

/// Looks for what no message may hold, in a wording and in a finished text. A number is not repeated.
#[must_use]
pub fn lint(text: &str) -> Vec<Finding> {
    let lower = text.to_lowercase();
    let mut found = Vec::new();
    for word in words(&lower) {
        let of = |kind: &&Kind| kind.words.iter().any(|pattern| matches(pattern, word));
        if let Some(kind) = KINDS.iter().find(of) {
            found.push(Finding { word: word.to_owned(), why: kind.why, instead: kind.instead });
        }
    }
    found.extend(shape(text));
    found
}

/// Letters in a row; what is inside a placeholder's braces is a name of ours, not a word of the text.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let outside = text.split('{').enumerate().map(|(at, part)| match part.split_once('}') {
        Some((_, after)) if at > 0 => after,
        _ => part,
    });
    outside.flat_map(|part| part.split(|c: char| !c.is_alphabetic())).filter(|word| !word.is_empty())
}

fn matches(pattern: &str, word: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(stem) => word.starts_with(stem),
        None => pattern == word,
    }
}

/// Numbers that are a card's, a code's, a birth date's or a social security number's.
fn shape(text: &str) -> Option<Finding> {
    let found = |word: &str, why, instead| Some(Finding { word: word.to_owned(), why, instead });
    if text.split_whitespace().any(looks_like_social_security) {
        return found(
            "a number of the form 000-00-0000",
            "is a social security number",
            "nothing in its place",
        );
    }
    match firewall::check("text", text, &[]).err()?.rule {
        "card_number" => {
            found("a card number", "must never be in a message", "the brand and the last four digits")
        }
        "birth_date" => {
            found("a date in figures", "may be a birth date", "the day in words, such as Tue 24 Nov 2026")
        }
        "procedure_code" => {
            found("a five-digit or ICD code", "is a code of a procedure or diagnosis", "nothing in its place")
        }
        "email" => found("an e-mail address", "identifies a person", "“reply to this message”"),
        _ => None,
    }
}

fn looks_like_social_security(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_ascii_digit());
    let parts: Vec<&str> = word.split('-').collect();
    let numeric = parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    numeric && parts.iter().map(|part| part.len()).eq([3, 2, 4])
}
