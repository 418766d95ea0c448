//! What the desk and the billing office do in the story.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use suture_connect::x12::eligibility::{Choose, Network};
use suture_core::consent::Purpose;
use suture_core::eligibility::{Answer, Eligibility, Responsibility, Status as Checked};
use suture_core::estimate::{Estimate, Status};
use suture_core::id::{EligibilityId, EstimateId, PatientId, PolicyId, ServiceId};
use suture_core::money::Money;
use suture_core::patient::Patient;
use suture_core::redact::Phi;
use suture_core::service::{Command, Line, NoteKind, Service, Status as Served};
use suture_core::time::Timestamp;
use suture_engine::billing::{
    Authorize, Imported, NewConsent, NewEligibility, NewEstimate, NewPatient, NewService, Note,
};
use suture_engine::{Engine, Error};
use suture_sandbox::patients::Patient as Person;

use super::payer::member;
use super::tale::Tale;
use crate::demo::words::text;
use crate::failure::Failure;

fn failed(what: &str) -> impl Fn(Error) -> Failure {
    move |error| Failure::of(what, &error)
}

impl Tale<'_> {
    pub(super) fn engine(&self) -> &Engine {
        &self.story.stage.engine
    }

    fn organization(&self) -> &str {
        &self.story.stage.organization
    }

    /// Records a patient, waits for the customer at Stripe, and lets the patient store a card in the browser.
    pub(super) async fn patient_with_card(&self, person: &Person) -> Result<(Patient, String), Failure> {
        let stage = self.story.stage;
        let new = NewPatient {
            external: BTreeMap::from([("epic".to_owned(), person.id.clone())]),
            personal: vec![("name".to_owned(), Phi::new(format!("{} {}", person.given, person.family)))],
            customer_at: vec![stage.stripe.clone()],
        };
        let made =
            self.engine().create_patient(&self.caller, new).await.map_err(failed("no patient was made"))?;
        self.until_patient(made.id, |patient| patient.customers.contains_key(&stage.stripe)).await?;
        let started = self.engine().start_setup(&self.caller, made.id, &stage.stripe, "first").await;
        let started = started.map_err(failed("no card can be stored"))?;
        let typed = json!({ "setup_intent": started.setup, "payment_method": "pm_card_visa" });
        stage.control("stripe/browser_setup", &typed).await?;
        let patient = self.until_patient(made.id, |patient| !patient.methods.is_empty()).await?;
        let card = patient.methods.keys().next().cloned().unwrap_or_default();
        Ok((patient, card))
    }

    async fn until_patient(&self, id: PatientId, is: impl Fn(&Patient) -> bool) -> Result<Patient, Failure> {
        let seen = self
            .story
            .stage
            .until(async || {
                let patient = self.engine().patient(self.organization(), id).await;
                Ok(Some(patient.map_err(failed("the patient cannot be read"))?).filter(&is))
            })
            .await?;
        seen.ok_or_else(|| Failure::new("Stripe did not tell about the patient in time"))
    }

    /// The patient allows charges while absent, up to a cap, for a year.
    pub(super) async fn consent(
        &self,
        patient: PatientId,
        purpose: Purpose,
        cap: i64,
    ) -> Result<(), Failure> {
        let words = "We may charge your card for this purpose up to this amount within a year.";
        let new = NewConsent {
            method: None,
            purpose,
            cap: Money::usd(cap),
            text_version: "v3".to_owned(),
            text_hash: suture_core::audit::chain::Hash::of(words.as_bytes()).to_string(),
            given_by: "web".to_owned(),
            valid_for: Duration::from_secs(365 * 86_400),
        };
        let given = self.engine().give_consent(&self.caller, patient, new).await;
        given.map(|_| ()).map_err(failed("the consent was not recorded"))
    }

    /// Records the insurance card of a patient.
    pub(super) async fn policy(&self, patient: PatientId, person: &Person) -> Result<PolicyId, Failure> {
        let number = Phi::new(member(&person.id)?.member_id.clone());
        let made = self.engine().create_policy(&self.caller, patient, "99999", number).await;
        Ok(made.map_err(failed("no policy was recorded"))?.id)
    }

    /// Begins a check of what an office visit will cost the patient.
    pub(super) async fn begin_check(
        &self,
        patient: PatientId,
        policy: Option<PolicyId>,
        person: &Person,
    ) -> Result<EligibilityId, Failure> {
        let new = NewEligibility {
            patient,
            policy,
            service_types: vec!["98".to_owned()],
            account: Some(person.account_id.clone()),
            appointment: None,
        };
        let made = self.engine().create_eligibility(&self.caller, new).await;
        Ok(made.map_err(failed("no check was begun"))?.id)
    }

    /// Takes the payer's 271 in.
    pub(super) async fn answer_by_271(
        &self,
        id: EligibilityId,
        answer: &str,
    ) -> Result<Eligibility, Failure> {
        // What the payer allows for the visit, from the fee schedule; of a range the clinic takes the lower end.
        let (allowed, how) = (Money::usd(18_000), (Network::In, Choose::Lowest));
        let taken =
            self.engine().answer_eligibility_x12(&self.caller, id, answer.as_bytes(), allowed, how).await;
        taken.map_err(failed("the 271 was not taken in"))?;
        self.eligible(id).await
    }

    /// Takes in what a person heard from the payer: a copay.
    pub(super) async fn answer_by_phone(
        &self,
        id: EligibilityId,
        copay: i64,
    ) -> Result<Eligibility, Failure> {
        let (share, none) = (Money::usd(copay), Money::usd(0));
        let responsibility = Responsibility {
            total: share,
            copay: share,
            coinsurance: none,
            deductible: none,
            not_covered: none,
            out_of_pocket_left: None,
            low: share,
            high: share,
            notes: Vec::new(),
            conditions: Vec::new(),
            limits: Vec::new(),
        };
        let answer = Answer::Covered { responsibility };
        let taken = self.engine().answer_eligibility(&self.caller, id, answer, "front desk").await;
        taken.map_err(failed("the answer was not taken in"))?;
        self.eligible(id).await
    }

    async fn eligible(&self, id: EligibilityId) -> Result<Eligibility, Failure> {
        let check = self.engine().eligibility(self.organization(), id).await;
        let check = check.map_err(failed("the check cannot be read"))?;
        match check.status {
            Checked::Eligible => Ok(check),
            other => Err(Failure::new(format!("the check is {} and has no amount", other.name()))),
        }
    }

    /// Makes an estimate charge and its service, with the same check.
    pub(super) async fn estimate_and_service(
        &self,
        check: &Eligibility,
        service_at: Option<Timestamp>,
    ) -> Result<(Estimate, Service), Failure> {
        let new = NewEstimate { eligibility: check.id, patient: check.patient, instead: None, service_at };
        let estimate = self.engine().create_estimate(&self.caller, new).await;
        let estimate = estimate.map_err(failed("no estimate charge was made"))?;
        let new = NewService {
            patient: check.patient,
            eligibility: Some(check.id),
            at: service_at,
            currency: estimate.amount.currency,
            account: None,
        };
        let service = self.engine().create_service(&self.caller, new).await;
        Ok((estimate, service.map_err(failed("no service was booked"))?))
    }

    /// Authorizes an estimate charge with the patient present.
    pub(super) async fn authorize(&self, estimate: EstimateId, card: &str) -> Result<Estimate, Failure> {
        let how = Authorize { method: Some(card.to_owned()), ..Authorize::default() };
        let asked = self.engine().authorize_estimate(&self.caller, estimate, how).await;
        asked.map_err(failed("nothing was authorized"))?;
        self.until_estimate(estimate, Status::Authorized).await
    }

    /// Captures all that an estimate charge reserves.
    pub(super) async fn capture(&self, estimate: EstimateId) -> Result<Estimate, Failure> {
        let asked = self.engine().capture_estimate(&self.caller, estimate, None).await;
        asked.map_err(failed("nothing was captured"))?;
        self.until_estimate(estimate, Status::Captured).await
    }

    /// Waits until an estimate charge has a status.
    pub(super) async fn until_estimate(&self, id: EstimateId, status: Status) -> Result<Estimate, Failure> {
        let seen = self
            .story
            .stage
            .until(async || {
                let estimate = self.engine().estimate(self.organization(), id).await;
                let estimate = estimate.map_err(failed("the estimate charge cannot be read"))?;
                Ok((estimate.standing.status == status).then_some(estimate))
            })
            .await?;
        seen.ok_or_else(|| {
            Failure::new(format!("the estimate charge did not become {} in time", status.name()))
        })
    }

    /// Does something with a service.
    pub(super) async fn serve(
        &self,
        id: ServiceId,
        command: Command,
        reason: &str,
    ) -> Result<Service, Error> {
        self.engine().change_service(&self.caller, id, command, reason).await
    }

    /// The care is given, and its note signed.
    pub(super) async fn give_care(&self, id: ServiceId, line: (&str, i64)) -> Result<(), Failure> {
        let lines = vec![Line { code: line.0.to_owned(), charge: Money::usd(line.1) }];
        let given = self.serve(id, Command::Deliver { lines }, "visit").await;
        given.map(|_| ()).map_err(failed("the care was not recorded"))
    }

    /// The doctor signs the note.
    pub(super) async fn sign(&self, id: ServiceId) -> Result<Service, Failure> {
        let text = Phi::new("S: cough. O: lungs clear. A: viral. P: rest, fluids.".to_owned());
        let note = Note { kind: NoteKind::Note, signer: "dr-lee".to_owned(), text };
        self.engine().sign_note(&self.caller, id, note).await.map_err(failed("the note was not signed"))
    }

    /// Imports an 835.
    pub(super) async fn import(&self, file: &str) -> Result<Imported, Error> {
        self.engine().import_remittance(&self.caller, file.as_bytes().to_vec()).await
    }

    /// A service as known now.
    pub(super) async fn service(&self, id: ServiceId) -> Result<Service, Failure> {
        self.engine().service(self.organization(), id).await.map_err(failed("the service cannot be read"))
    }

    /// Waits until a service has a status.
    pub(super) async fn until_service(&self, id: ServiceId, status: Served) -> Result<Service, Failure> {
        let seen = self
            .story
            .stage
            .until(async || Ok(Some(self.service(id).await?).filter(|service| service.status == status)))
            .await?;
        seen.ok_or_else(|| Failure::new(format!("the service did not become {} in time", status.name())))
    }

    /// Movements that the pretend Stripe itself made for the payments of an estimate charge.
    pub(super) async fn moved(&self, estimate: &Estimate, motion: &str) -> Result<Vec<i64>, Failure> {
        let mut moved = Vec::new();
        for payment in &estimate.payments {
            let payment = self.story.payment(&payment.to_string()).await?;
            let seen = self.story.at_stripe(text(&payment, "intent"), motion).await?;
            moved.extend(seen.iter().filter_map(|movement| movement["amount"].as_i64()));
        }
        Ok(moved)
    }
}
