//! How the desk talks to the pretend payer: a 270 and its 271, a claim, and the 835 that decides it.

use reqwest::Method;
use serde_json::{Value, json};
use suture_sandbox::payer::{Member, members};

use super::tale::Tale;
use crate::demo::words::text;
use crate::failure::Failure;

/// A claim as the billing office files it.
pub(super) struct Claim<'a> {
    /// Our number, which comes back in the remittance.
    pub(super) number: &'a str,
    /// Whose, by Epic's id.
    pub(super) patient: &'a str,
    /// Procedure and charge in minor units.
    pub(super) line: (&'a str, i64),
    /// How the payer will decide it, in the words of its control verb `decide`.
    pub(super) decision: Value,
}

impl Tale<'_> {
    /// The payer's 271 for a patient's office visit.
    pub(super) async fn ask_payer(&self, patient: &str) -> Result<String, Failure> {
        let member = member(patient)?;
        self.payer(Method::POST, "/eligibility", inquiry(member)).await
    }

    /// Files a claim, and chooses how it is decided.
    pub(super) async fn file_claim(&self, claim: &Claim<'_>) -> Result<(), Failure> {
        let (procedure, charge) = claim.line;
        let body = json!({
            "patient_control": claim.number, "member_id": member(claim.patient)?.member_id,
            "patient_id": claim.patient, "charge_minor": charge,
            "lines": [{ "procedure": procedure, "charge_minor": charge, "line_control": "1" }],
        });
        self.payer(Method::POST, "/claims", body.to_string()).await?;
        let mut decision = claim.decision.clone();
        decision["claim"] = json!(claim.number);
        self.story.stage.control("payer/decide", &decision).await.map(|_| ())
    }

    /// Lets the payer pay everything that waits; gives its 835.
    pub(super) async fn payer_remits(&self) -> Result<String, Failure> {
        let made = self.story.stage.control("payer/remit", &json!({})).await?;
        self.payer(Method::GET, &format!("/remittances/{}", made["number"]), String::new()).await
    }

    async fn payer(&self, method: Method, path: &str, body: String) -> Result<String, Failure> {
        let payer = &self.story.stage.payer;
        let (status, bytes) = payer.send_raw(method, path, &[], body.into_bytes()).await?;
        let answer = String::from_utf8_lossy(&bytes).into_owned();
        match status {
            200 => Ok(answer),
            _ => {
                let told: Value = serde_json::from_str(&answer).unwrap_or_default();
                Err(Failure::new(format!("the pretend payer answered {status}: {}", text(&told, "error"))))
            }
        }
    }
}

/// The first segment of a file that begins so.
pub(super) fn segment<'a>(file: &'a str, beginning: &str) -> &'a str {
    file.split('~').map(str::trim).find(|segment| segment.starts_with(beginning)).unwrap_or_default()
}

/// The number on a patient's insurance card.
pub(super) fn member(patient: &str) -> Result<&'static Member, Failure> {
    let found = members().iter().find(|member| member.patient_id == patient);
    found.ok_or_else(|| Failure::new("the pretend payer does not know this patient"))
}

/// A 270 (005010X279A1): one subscriber, service type 98, an office visit.
fn inquiry(member: &Member) -> String {
    let segments = [
        "ISA*00*          *00*          *ZZ*CLINIC         *ZZ*SANDBOXPAYER   *261121*1200*^*00501*000000001*0*T*:"
            .to_owned(),
        "GS*HS*CLINIC*SANDBOXPAYER*20261121*1200*1*X*005010X279A1".to_owned(),
        "ST*270*0001*005010X279A1".to_owned(),
        "BHT*0022*13*REF-1*20261121*1200".to_owned(),
        "HL*1**20*1".to_owned(),
        "NM1*PR*2*SANDBOX HEALTH PLAN*****PI*99999".to_owned(),
        "HL*2*1*21*1".to_owned(),
        "NM1*1P*2*DEMO CLINIC*****XX*1234567893".to_owned(),
        "HL*3*2*22*0".to_owned(),
        "TRN*1*TRACE-1*9123456789".to_owned(),
        format!("NM1*IL*1*{}*{}****MI*{}", member.family, member.given, member.member_id),
        format!("DMG*D8*{}", member.birth_date),
        "EQ*98".to_owned(),
        "SE*12*0001".to_owned(),
        "GE*1*1".to_owned(),
        "IEA*1*000000001".to_owned(),
    ];
    segments.map(|segment| segment + "~").concat()
}
