//! The billing desk of a world: patients with cards on file, checked insurance, estimates, services. What a story's reader
//! does not need to see has a default here.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use suture_core::consent::Purpose;
use suture_core::eligibility::{Answer, Eligibility, Responsibility};
use suture_core::estimate::Estimate;
use suture_core::id::{EligibilityId, EstimateId, PatientId, PaymentId, ServiceId};
use suture_core::money::Money;
use suture_core::patient::Patient;
use suture_core::payment::Payment;
use suture_core::redact::Phi;
use suture_core::service::{Command, Line, NoteKind, Service, Worksheet};
use suture_core::time::Timestamp;
use suture_engine::billing::{
    Authorize, Imported, NewConsent, NewEligibility, NewEstimate, NewPatient, NewService, Note,
};

use super::World;
use super::patients::person;

type Said<T> = Result<T, suture_engine::Error>;

impl World {
    /// Records a patient with a customer at Stripe.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn patient(&mut self, number: usize) -> Said<Patient> {
        let external = BTreeMap::from([("epic".to_owned(), person(number).id.clone())]);
        let new = NewPatient {
            external,
            personal: vec![("name".to_owned(), Phi::new("Ann Example".to_owned()))],
            customer_at: vec![self.stripe.clone()],
        };
        let made = self.engine(0).create_patient(&self.caller(), new).await?;
        self.rest().await;
        self.engine(0).patient(&self.organization, made.id).await
    }

    /// Records a patient, and stores a card in the browser.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn patient_with_card(&mut self, number: usize, card: &str) -> Said<Patient> {
        let patient = self.patient(number).await?;
        self.store_card(patient.id, card).await
    }

    /// Stores a card of a patient in the browser.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn store_card(&mut self, patient: PatientId, card: &str) -> Said<Patient> {
        let key = format!("{}", self.clock.millis());
        let stripe = self.stripe.clone();
        let started = self.engine(0).start_setup(&self.caller(), patient, &stripe, &key).await?;
        let body = json!({ "setup_intent": started.setup, "payment_method": card });
        // What Stripe says about the card shows in the story.
        let _ = self.outside.at_stripe("browser_setup", &body);
        self.rest().await;
        self.engine(0).patient(&self.organization, patient).await
    }

    /// The patient allows charges up to a cap for a year.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn consent(&self, patient: PatientId, purpose: Purpose, cap_minor: i64) -> Said<()> {
        let new = NewConsent {
            method: None,
            purpose,
            cap: Money::usd(cap_minor),
            text_version: "v3".to_owned(),
            text_hash: "c0".repeat(32),
            given_by: "web".to_owned(),
            valid_for: Duration::from_secs(365 * 86_400),
        };
        self.engine(0).give_consent(&self.caller(), patient, new).await.map(|_| ())
    }

    /// A check that says what the patient owes, as a copay.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn eligible(&mut self, patient: PatientId, minor: i64) -> Said<Eligibility> {
        // The stories' patients are the sandbox's, whose accounts Epic knows.
        let known = self.engine(0).patient(&self.organization, patient).await?;
        let epic = known.external.get("epic");
        let account = (0..50)
            .map(person)
            .find(|person| Some(&person.id) == epic)
            .map(|person| person.account_id.clone());
        let new = NewEligibility {
            patient,
            policy: None,
            service_types: vec!["98".to_owned()],
            account,
            appointment: None,
        };
        let check = self.engine(0).create_eligibility(&self.caller(), new).await?;
        self.answer(check.id, minor).await
    }

    /// Answers a check by hand.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn answer(&mut self, check: EligibilityId, minor: i64) -> Said<Eligibility> {
        let zero = Money::usd(0);
        let responsibility = Responsibility {
            total: Money::usd(minor),
            copay: Money::usd(minor),
            coinsurance: zero,
            deductible: zero,
            not_covered: zero,
            out_of_pocket_left: None,
            low: Money::usd(minor),
            high: Money::usd(minor),
            notes: Vec::new(),
            conditions: Vec::new(),
            limits: Vec::new(),
        };
        let answer = Answer::Covered { responsibility };
        let answered = self.engine(0).answer_eligibility(&self.caller(), check, answer, "front desk").await?;
        self.rest().await;
        Ok(answered)
    }

    /// An estimate charge with a check's amount.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn estimate_for(&self, check: &Eligibility, service_at: Option<Timestamp>) -> Said<Estimate> {
        let new = NewEstimate { eligibility: check.id, patient: check.patient, instead: None, service_at };
        self.engine(0).create_estimate(&self.caller(), new).await
    }

    /// Authorizes an estimate charge with the patient present, and lets everything come to rest.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn authorize(&mut self, estimate: EstimateId, card: &str) -> Said<Estimate> {
        let how = Authorize { method: Some(card.to_owned()), ..Authorize::default() };
        self.engine(0).authorize_estimate(&self.caller(), estimate, how).await?;
        self.rest().await;
        self.estimate(estimate).await
    }

    /// Captures an estimate charge, and lets everything come to rest.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn capture(&mut self, estimate: EstimateId, minor: Option<i64>) -> Said<Estimate> {
        let amount = minor.map(Money::usd);
        self.engine(0).capture_estimate(&self.caller(), estimate, amount).await?;
        self.rest().await;
        self.estimate(estimate).await
    }

    /// An estimate charge that is captured already, of a check with the same amount.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn captured_estimate(&mut self, check: &Eligibility, card: &str) -> Said<Estimate> {
        let made = self.estimate_for(check, None).await?;
        self.authorize(made.id, card).await?;
        self.capture(made.id, None).await
    }

    /// An estimate charge as known now.
    ///
    /// # Errors
    /// The engine's.
    pub async fn estimate(&self, id: EstimateId) -> Said<Estimate> {
        self.engine(0).estimate(&self.organization, id).await
    }

    /// The payment of an estimate charge as known now.
    ///
    /// # Errors
    /// The engine's.
    pub async fn payment_of(&self, estimate: EstimateId) -> Said<Payment> {
        let payment: Option<PaymentId> = self.estimate(estimate).await?.payment();
        match payment {
            Some(payment) => World::payment(self, payment).await,
            None => Err(suture_engine::Error::not_found("payment", "of the estimate")),
        }
    }

    /// A service of a check.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn service_for(&mut self, check: &Eligibility) -> Said<Service> {
        let new = NewService {
            patient: check.patient,
            eligibility: Some(check.id),
            at: None,
            currency: Money::usd(0).currency,
            account: None,
        };
        let made = self.engine(0).create_service(&self.caller(), new).await?;
        self.rest().await;
        Ok(made)
    }

    /// Does something with a service, and lets everything come to rest.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn on_service(&mut self, service: ServiceId, command: Command) -> Said<Service> {
        self.engine(0).change_service(&self.caller(), service, command, "story").await?;
        self.rest().await;
        self.service(service).await
    }

    /// A service as known now.
    ///
    /// # Errors
    /// The engine's.
    pub async fn service(&self, id: ServiceId) -> Said<Service> {
        self.engine(0).service(&self.organization, id).await
    }

    /// The care is given, the note signed, and the claim sent.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn bill(&mut self, service: ServiceId, claim: &str, minor: i64) -> Said<Service> {
        let lines = vec![Line { code: "99214".to_owned(), charge: Money::usd(minor) }];
        self.on_service(service, Command::Deliver { lines }).await?;
        let text = Phi::new("S: well. O: well. A: well. P: none.".to_owned());
        let note = Note { kind: NoteKind::Note, signer: "dr-a".to_owned(), text };
        self.engine(0).sign_note(&self.caller(), service, note).await?;
        self.on_service(service, Command::Bill { claim: claim.to_owned() }).await
    }

    /// Imports an 835, and lets everything come to rest.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn remit(&mut self, file: &str) -> Said<Imported> {
        let imported = self.engine(0).import_remittance(&self.caller(), file.as_bytes().to_vec()).await?;
        self.rest().await;
        Ok(imported)
    }

    /// The worksheet of a service, once the explanation of the bill, its lines and the patient's statement come to the same cent. For
    /// patients with one service.
    ///
    /// # Errors
    /// A sentence that says which of them differs.
    pub async fn adds_up(&self, service: ServiceId) -> Result<Worksheet, String> {
        let (engine, caller) = (self.engine(0), self.caller());
        let told = engine.explain_bill(&caller, service, "story").await.map_err(|error| error.to_string())?;
        let (sheet, lines, by_line) = told;
        let explained: i64 = lines.iter().map(|line| line.amount.minor).sum();
        let by_line = by_line.lines.iter().map(|line| line.due.minor).sum::<i64>() - by_line.unapplied.minor;
        let patient = self.service(service).await.map_err(|error| error.to_string())?.patient;
        let statement =
            engine.statement(&caller, patient, "story").await.map_err(|error| error.to_string())?;
        let sum = |amounts: &[Money]| amounts.iter().map(|amount| amount.minor).sum::<i64>();
        let stated = sum(&statement.owed) - sum(&statement.deposits) - sum(&statement.credits);
        match [explained, stated, by_line] {
            same if same == [sheet.difference.minor; 3] => Ok(sheet),
            [explained, stated, by_line] => Err(format!(
                "{sheet:?} is explained as {explained}, stated as {stated}, and {by_line} by line"
            )),
        }
    }

    /// Delivers and works until nothing is due.
    pub(super) async fn rest(&mut self) {
        // A world that does not come to rest is a broken story, and there is nothing to say about its engine.
        let rested = self.settle().await;
        assert!(rested.is_ok(), "{rested:?}");
    }
}
