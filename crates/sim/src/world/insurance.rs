//! The insurance desk of a world: what staff and a clearing house carry between the clinic and the payer. Questions (270)
//! and answers (271), claims, and remittance files (835).

use serde_json::{Value, json};
use suture_connect::x12::eligibility::{Choose, Network};
use suture_core::eligibility::Eligibility;
use suture_core::id::{EligibilityId, PatientId, PolicyId};
use suture_core::money::Money;
use suture_core::policy::Command;
use suture_core::redact::Phi;
use suture_core::service::Service;
use suture_engine::billing::NewEligibility;
use suture_sandbox::payer::{Member, members};
use suture_sandbox::wire::Request;

use super::World;
use super::patients::person;

type Said<T> = Result<T, suture_engine::Error>;

/// A claim's patient control number in the stories that need one only.
pub const CLAIM: &str = "CLM-1";
/// What the payer allows for an office visit, in minor units.
const ALLOWED_MINOR: i64 = 18_000;

impl World {
    /// Records a member's policy as the card says, confirmed by staff.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn policy_of(&mut self, patient: PatientId, number: usize) -> Said<PolicyId> {
        let card = Phi::new(member(number).member_id.clone());
        let policy = self.engine(0).create_policy(&self.caller(), patient, "99999", card).await?.id;
        let confirm = Command::Confirm { evidence: "manual:front desk".to_owned() };
        self.engine(0).move_policy(&self.caller(), policy, confirm).await?;
        self.rest().await;
        Ok(policy)
    }

    /// Asks for a check under a policy; the answer is still to come.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn check_of(
        &mut self,
        patient: PatientId,
        policy: PolicyId,
        number: usize,
    ) -> Said<Eligibility> {
        let new = NewEligibility {
            patient,
            policy: Some(policy),
            service_types: vec!["98".to_owned()],
            account: Some(person(number).account_id.clone()),
            appointment: None,
        };
        let check = self.engine(0).create_eligibility(&self.caller(), new).await?;
        self.rest().await;
        self.engine(0).eligibility(&self.organization, check.id).await
    }

    /// What the payer answers about a member: a 271.
    #[must_use]
    pub fn payer_says_of(&self, number: usize) -> String {
        let request = Request::new("POST", "/eligibility").with_body(question(member(number)));
        String::from_utf8(self.outside.ask_payer(&request).body).unwrap_or_default()
    }

    /// Takes a 271 in as the answer of a check.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn take_271(&mut self, check: EligibilityId, text: &str) -> Said<Eligibility> {
        let (caller, how) = (self.caller(), (Network::In, Choose::Highest));
        let allowed = Money::usd(ALLOWED_MINOR);
        self.engine(0).answer_eligibility_x12(&caller, check, text.as_bytes(), allowed, how).await?;
        self.rest().await;
        self.engine(0).eligibility(&self.organization, check).await
    }

    /// Gives the care of a service, and sends its claim to the payer, which will decide it as a case of FLOWS 2 says.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn bill_to_payer(
        &mut self,
        service: &Service,
        claim: &str,
        minor: i64,
        case: &str,
    ) -> Said<()> {
        self.bill(service.id, claim, minor).await?;
        let said = self.claim(claim, minor, case);
        assert!(said.is_ok(), "{said:?}");
        Ok(())
    }

    /// Sends a claim to the payer, whether or not a service of ours has its number.
    ///
    /// # Errors
    /// The payer's sentence.
    pub fn claim(&self, claim: &str, minor: i64, case: &str) -> Result<(), String> {
        let body = json!({
            "patient_control": claim, "member_id": member(0).member_id, "charge_minor": minor, "rule": case,
            "lines": [{ "procedure": "99214", "charge_minor": minor }],
        });
        let answer = self.outside.ask_payer(&Request::new("POST", "/claims").with_body(body.to_string()));
        if answer.status == 200 { Ok(()) } else { Err(String::from_utf8_lossy(&answer.body).into_owned()) }
    }

    /// Lets the payer say that the patient's part of a claim is a copay of so much.
    pub fn payer_decides(&self, claim: &str, patient_minor: i64) {
        let patient = json!([{ "reason": "3", "amount_minor": patient_minor }]);
        let said =
            self.outside.at_payer("decide", &json!({ "claim": claim, "case": "2C", "patient": patient }));
        assert!(said.is_ok(), "{said:?}");
    }

    /// Lets the payer reverse a claim and say in the same file that the patient's part is so much.
    pub fn payer_corrects(&self, claim: &str, patient_minor: i64) {
        let patient = json!([{ "reason": "3", "amount_minor": patient_minor }]);
        let said =
            self.outside.at_payer("correct", &json!({ "claim": claim, "case": "2C", "patient": patient }));
        assert!(said.is_ok(), "{said:?}");
    }

    /// The payer's next file (835) about everything that waits.
    ///
    /// # Panics
    /// When nothing waits: such a story is broken.
    #[must_use]
    pub fn next_file(&self, how: &Value) -> String {
        let made = self.outside.at_payer("remit", how);
        assert!(made.is_ok(), "{made:?}");
        let number = made.map_or(0, |file| file["number"].as_u64().unwrap_or_default());
        let answer = self.outside.ask_payer(&Request::new("GET", &format!("/remittances/{number}")));
        String::from_utf8(answer.body).unwrap_or_default()
    }

    /// The payer's next file is made and imported, and everything comes to rest.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn payer_pays(&mut self) -> Said<suture_engine::billing::Imported> {
        let file = self.next_file(&json!({}));
        self.remit(&file).await
    }
}

/// The sandbox's member of a number, the same as [`person`].
fn member(number: usize) -> &'static Member {
    let all = members();
    &all[number % all.len()]
}

/// A 270 about a subscriber and an office visit.
fn question(member: &Member) -> String {
    let body = [
        "ST*270*0001*005010X279A1".to_owned(),
        "BHT*0022*13*REF-1*20261121*0900".to_owned(),
        "HL*1**20*1".to_owned(),
        "NM1*PR*2*SANDBOX HEALTH PLAN*****PI*99999".to_owned(),
        "HL*2*1*21*1".to_owned(),
        "NM1*1P*2*EXAMPLE CLINIC*****XX*1234567893".to_owned(),
        "HL*3*2*22*0".to_owned(),
        "TRN*1*TRACE-1*9123456789".to_owned(),
        format!("NM1*IL*1*{}*{}****MI*{}", member.family, member.given, member.member_id),
        format!("DMG*D8*{}", member.birth_date),
        "EQ*98".to_owned(),
    ];
    let count = body.len() + 1;
    let (sender, receiver) = ("CLINICSBX      ", "PAYERSBX       ");
    let head = format!(
        "ISA*00*          *00*          *ZZ*{sender}*ZZ*{receiver}*261121*0900*^*00501*000000001*0*T*:~\n\
         GS*HS*CLINICSBX*PAYERSBX*20261121*0900*1*X*005010X279A1~\n"
    );
    let segments: String = body.iter().map(|segment| format!("{segment}~\n")).collect();
    format!("{head}{segments}SE*{count}*0001~\nGE*1*1~\nIEA*1*000000001~\n")
}
