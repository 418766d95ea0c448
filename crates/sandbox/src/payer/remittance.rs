//! Writes an 835 and breaks one on request (X12.md §3).
//!
//! Called by `ledger`. What must stay true: the sum paid to the clinic is the claims' payments minus the provider's
//! adjustments, and an unbroken file balances on every level.

use super::adjudicate::Result835;
use super::x12::{self, Envelope, money, plain};

/// A claim's result with the names that come with it.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) patient_control: String,
    pub(super) claim_control: String,
    pub(super) family: String,
    pub(super) given: String,
    pub(super) member_id: String,
    pub(super) result: Result835,
}

/// A change of the provider's money: positive is withheld.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProviderAdjustment {
    /// `WO`, `FB`, `L6` …
    pub(super) code: String,
    pub(super) reference: String,
    pub(super) amount_minor: i64,
}

/// What a file says.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    pub(super) trace: String,
    pub(super) provider: String,
    pub(super) entries: Vec<Entry>,
    pub(super) adjustments: Vec<ProviderAdjustment>,
}

impl Statement {
    /// BPR02
    pub(super) fn paid_minor(&self) -> i64 {
        let claims: i64 = self.entries.iter().map(|entry| entry.result.paid_minor()).sum();
        claims - self.adjustments.iter().map(|adjustment| adjustment.amount_minor).sum::<i64>()
    }

    /// The file.
    pub(super) fn write(&self, control: u64, now_ms: i64) -> String {
        let day = x12::day(now_ms);
        let paid = self.paid_minor();
        let payment = if paid == 0 {
            format!("BPR*H*0.00*C*NON************{day}")
        } else {
            format!(
                "BPR*I*{}*C*ACH*CCP*01*021000021*DA*123456789*1999999999**01*031000053*DA*987654321*{day}",
                money(paid)
            )
        };
        let mut body = vec![
            payment,
            format!("TRN*1*{}*1999999999", self.trace),
            format!("DTM*405*{day}"),
            "N1*PR*SANDBOX HEALTH PLAN".to_owned(),
            "N3*1 PAYER WAY".to_owned(),
            "N4*COLUMBUS*OH*43215".to_owned(),
            "REF*2U*99999".to_owned(),
            "PER*BL*PROVIDER SERVICES*TE*8005550100".to_owned(),
            format!("N1*PE*SANDBOX CLINIC*XX*{}", self.provider),
        ];
        if !self.entries.is_empty() {
            body.push("LX*1".to_owned());
        }
        for entry in &self.entries {
            claim(&mut body, entry, &day);
        }
        for six in self.adjustments.chunks(6) {
            let pairs: String = six
                .iter()
                .map(|one| format!("*{}:{}*{}", one.code, one.reference, money(one.amount_minor)))
                .collect();
            body.push(format!("PLB*{}*{}1231{pairs}", self.provider, &day[..4]));
        }
        Envelope { function: "HP", set: "835", version: "005010X221A1", control, now_ms }.wrap(&body)
    }
}

fn claim(body: &mut Vec<String>, entry: &Entry, day: &str) {
    let result = &entry.result;
    body.push(format!(
        "CLP*{}*{}*{}*{}*{}*12*{}*11*{}",
        entry.patient_control,
        result.status,
        money(result.charge_minor()),
        money(result.paid_minor()),
        money(result.patient_minor()),
        entry.claim_control,
        result.frequency
    ));
    body.push(format!("NM1*QC*1*{}*{}****MI*{}", plain(&entry.family), plain(&entry.given), entry.member_id));
    let first = result.lines.iter().map(|line| line.line.day.as_deref().unwrap_or(day)).min();
    body.push(format!("DTM*232*{}", first.unwrap_or(day)));
    for service in &result.lines {
        let code: String = std::iter::once(&service.line.procedure)
            .chain(&service.line.modifiers)
            .map(|part| format!(":{part}"))
            .collect();
        body.push(format!(
            "SVC*HC{code}*{}*{}**{}",
            money(service.line.charge_minor),
            money(service.paid_minor),
            service.line.units
        ));
        body.push(format!("DTM*472*{}", service.line.day.as_deref().unwrap_or(day)));
        for group in ["CO", "PR"] {
            let mut triplets = String::new();
            for one in service.adjustments.iter().filter(|one| one.group == group) {
                // A triplet after another one leaves the quantity of the first empty.
                let gap = if triplets.is_empty() { "*" } else { "**" };
                triplets.push_str(&format!("{gap}{}*{}", one.reason, money(one.amount_minor)));
            }
            if !triplets.is_empty() {
                body.push(format!("CAS*{group}{triplets}"));
            }
        }
        body.extend(service.line.control.as_ref().map(|control| format!("REF*6R*{control}")));
        if service.allowed_minor != 0 {
            body.push(format!("AMT*B6*{}", money(service.allowed_minor)));
        }
    }
}

/// How a file is broken on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Break {
    /// BPR02 is a dollar more than the claims and adjustments say.
    File,
    /// CLP04 of the first claim, and the file with it, is a dollar more than the lines say.
    Claim,
    /// SVC03 of the first line is a dollar more than charge and adjustments say.
    Line,
    /// The second half is missing.
    Truncated,
    /// SE01 and IEA02 do not fit.
    Trailer,
}

impl Break {
    /// Reads the word of the control API.
    ///
    /// # Errors
    /// A sentence for any other word.
    pub(super) fn parse(word: &str) -> Result<Self, String> {
        Ok(match word {
            "unbalanced" => Self::File,
            "unbalanced_claim" => Self::Claim,
            "unbalanced_line" => Self::Line,
            "truncated" => Self::Truncated,
            "wrong_trailer" => Self::Trailer,
            _ => {
                return Err(format!(
                    "There is no way {word} to break a file: give unbalanced, unbalanced_claim, unbalanced_line, \
                     truncated or wrong_trailer. Nothing was made."
                ));
            }
        })
    }

    /// The broken file.
    pub(super) fn apply(self, text: &str) -> String {
        match self {
            Self::File => more(text, "BPR", 2),
            Self::Claim => more(&more(text, "CLP", 4), "BPR", 2),
            Self::Line => more(text, "SVC", 3),
            Self::Truncated => text.chars().take(text.len() / 2).collect(),
            Self::Trailer => text
                .lines()
                .map(|line| match line.get(..3) {
                    Some("SE*") => "SE*9999*0001~\n".to_owned(),
                    Some("IEA") => "IEA*1*999999999~\n".to_owned(),
                    _ => format!("{line}\n"),
                })
                .collect(),
        }
    }
}

/// Adds a dollar to an element of the first segment of a name.
fn more(text: &str, name: &str, element: usize) -> String {
    let mut done = false;
    text.lines()
        .map(|line| {
            let segment = line.trim_end_matches('~');
            let mut elements: Vec<String> = segment.split('*').map(str::to_owned).collect();
            if !done && elements.first().is_some_and(|first| first == name) {
                done = true;
                if let Some(amount) = elements.get_mut(element) {
                    *amount = money(x12::cents(amount).unwrap_or(0) + 100);
                }
            }
            format!("{}~\n", elements.join("*"))
        })
        .collect()
}
