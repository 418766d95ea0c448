//! The report of the pre-launch test plan: what was found, signed so that nobody can change it unnoticed.
//!
//! The digest is over our canonical bytes, and a verified file must be exactly what we would write: one changed byte is seen,
//! also where JSON would mean the same.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use suture_core::audit::canonical;
use suture_core::audit::chain::Hash;
use suture_core::audit::seal::{SealingKey, document_signed_by};
use suture_core::time::Timestamp;
use suture_sim::plan::Outcome;

use crate::failure::Failure;

/// What is signed with the digest: this kind of document, in this version.
const KIND: &str = "suture.go_live_check.1";
/// A report is far smaller.
pub(crate) const BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Whose key signed a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Signer {
    /// The installation's sealing key: a verifier who knows it knows who ran the check.
    Installation,
    /// A key that was made for this report: it shows that nothing was changed since, and nothing about who ran it.
    ThrowAway,
}

/// A report. What it found stays as JSON, so that reports of other versions verify too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Report {
    kind: String,
    version: String,
    when: String,
    /// Whether everything held.
    pub(crate) held: bool,
    /// Every scenario with its steps and findings.
    pub(crate) scenarios: Vec<Value>,
    signer: Signer,
    /// The key that verifies it.
    pub(crate) public_key: String,
    digest: String,
    signature: String,
}

impl Report {
    /// Makes and signs a report.
    ///
    /// # Errors
    /// When an outcome cannot be written as JSON, which none is.
    pub(crate) fn sign(
        outcomes: &[Outcome],
        now: Timestamp,
        (signer, key): (Signer, &SealingKey),
    ) -> Result<Self, Failure> {
        let scenarios: Result<Vec<Value>, _> = outcomes.iter().map(serde_json::to_value).collect();
        let mut report = Self {
            kind: KIND.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            when: now.to_rfc3339(),
            held: all_held(outcomes),
            scenarios: scenarios.map_err(|error| Failure::of("the report was not made", &error))?,
            signer,
            public_key: key.public_key_hex(),
            digest: String::new(),
            signature: String::new(),
        };
        let digest = report.digest()?;
        report.digest = digest.to_string();
        report.signature = key.sign_document(KIND, digest);
        Ok(report)
    }

    /// The text of its file.
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    pub(crate) fn text(&self) -> Result<String, Failure> {
        let text = serde_json::to_string_pretty(self);
        text.map(|text| text + "\n").map_err(|error| Failure::of("the report was not written", &error))
    }

    /// Reads the text of a report, if it is whole and signed by this key.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub(crate) fn verify(text: &str, public_key: &str) -> Result<Self, Failure> {
        let report: Self =
            serde_json::from_str(text).map_err(|error| Failure::of("it is not a report", &error))?;
        let wrong = |why: &str| Err(Failure::new(why));
        if report.kind != KIND {
            return wrong("it is another kind of report");
        }
        // Digits have one spelling here, or a changed byte could go unseen.
        if report.signature != report.signature.to_ascii_lowercase() {
            return wrong("its signature is not as it was written");
        }
        if report.public_key != public_key.to_ascii_lowercase() {
            return wrong("it is signed by another key");
        }
        if report.text()? != text {
            return wrong("it is not as it was written");
        }
        let digest = report.digest()?;
        if report.digest != digest.to_string() {
            return wrong("its digest is not of its content");
        }
        match document_signed_by(KIND, digest, &report.signature, &report.public_key) {
            true => Ok(report),
            false => wrong("its signature is not by this key"),
        }
    }

    /// The digest of everything but digest and signature.
    fn digest(&self) -> Result<Hash, Failure> {
        let content = Self { digest: String::new(), signature: String::new(), ..self.clone() };
        let content =
            serde_json::to_value(content).map_err(|error| Failure::of("the report has no digest", &error))?;
        let mut bytes = Vec::new();
        canonical::value(&mut bytes, &content);
        Ok(Hash::of(&bytes))
    }

    /// Whose key signed it, in words.
    pub(crate) fn signed_by(&self) -> String {
        match self.signer {
            Signer::Installation => format!("the installation's sealing key {}", self.public_key),
            Signer::ThrowAway => {
                format!("a throw-away key {}, which says nothing about who ran the check", self.public_key)
            }
        }
    }

    /// When and by which version it was made.
    pub(crate) fn made(&self) -> String {
        format!("{} by version {}", self.when, self.version)
    }
}

/// Whether there is something, and all of it held.
pub(crate) fn all_held(outcomes: &[Outcome]) -> bool {
    !outcomes.is_empty() && outcomes.iter().all(|outcome| outcome.held)
}

#[cfg(test)]
mod tests {
    use suture_sim::plan::{Finding, Step};

    use super::*;

    fn outcome(expected: i64) -> Outcome {
        let findings = vec![Finding::compare("a cent is a cent", &expected, &1)];
        let held = findings.iter().all(|finding| finding.held);
        Outcome {
            name: "made_up".into(),
            group: "test".into(),
            claim: "Made up".into(),
            held,
            stopped: None,
            steps: vec![Step { title: "nothing happens".into(), findings, ..Step::default() }],
        }
    }

    fn key(seed: u8) -> SealingKey {
        SealingKey::from_seed(&[seed; 32]).expect("32 bytes are a seed")
    }

    fn report() -> (String, String) {
        let now = Timestamp::from_seconds(1_795_251_600);
        let report =
            Report::sign(&[outcome(1)], now, (Signer::ThrowAway, &key(1))).expect("it can be signed");
        (report.text().expect("it can be written"), key(1).public_key_hex())
    }

    #[test]
    fn a_report_verifies_by_its_key_only() {
        let (text, public) = report();
        assert!(Report::verify(&text, &public).is_ok_and(|report| report.held));
        assert!(Report::verify(&text, &key(2).public_key_hex()).is_err());
    }

    #[test]
    fn one_changed_byte_is_seen_wherever_it_is() {
        let (text, public) = report();
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            let other_case = bytes[at] ^ 0x20;
            for to in [b'0', b'1', other_case] {
                if to != text.as_bytes()[at] {
                    bytes[at] = to;
                    let changed = String::from_utf8(bytes.clone()).expect("a report is ASCII here");
                    assert!(Report::verify(&changed, &public).is_err(), "byte {at} of {text}");
                }
            }
        }
        assert!(Report::verify(&text.replace(": ", ":"), &public).is_err(), "the same JSON, other bytes");
        let twice = text.replacen("\"held\": true", "\"held\": true,\n  \"held\": true", 1);
        assert!(Report::verify(&twice, &public).is_err(), "a member that is there twice");
    }

    #[test]
    fn a_scenario_that_does_not_hold_makes_the_whole_not_hold() {
        assert!(all_held(&[outcome(1), outcome(1)]));
        assert!(!all_held(&[outcome(1), outcome(2)]));
        assert!(!all_held(&[]), "nothing shown is nothing held");
    }
}
