//! Use cases of intake forms: a submitted form makes a policy and begins a check of what it covers, at once (FEATURES M175).

use std::collections::BTreeMap;

use suture_core::audit::chain::Hash;
use suture_core::explain::Reason;
use suture_core::id::{IntakeId, PatientId};
use suture_core::intake::Intake;
use suture_core::patient::Patient;
use suture_core::redact::Phi;
use suture_core::refusal::Refusal;
use suture_store::personal;

use crate::Error;
use crate::change::{Change, Loaded};
use crate::engine::Engine;
use crate::payments::Caller;

use super::eligibilities::{self, NewEligibility};
use super::policies::{self, care_of_patient};

/// A form to submit.
#[derive(Debug, Clone)]
pub struct NewIntake {
    /// Who.
    pub patient: PatientId,
    /// The form and its version.
    pub form: String,
    /// Answers by question. Kept sealed.
    pub answers: Phi<BTreeMap<String, String>>,
    /// The payer's id and the member's, when insured.
    pub insurance: Option<(String, Phi<String>)>,
    /// X12 service type codes that the check asks for.
    pub service_types: Vec<String>,
}

const ANSWERS_MAX: usize = 200;
const ANSWER_BYTES_MAX: usize = 4_000;

impl Engine {
    /// Takes an intake form: its answers are sealed, its policy recorded, and the check of the coverage begins.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown patient, [`Error::Refused`] for a form that is too large or names no payer.
    pub async fn submit_intake(&self, caller: &Caller, new: NewIntake) -> Result<Intake, Error> {
        let fits = |(question, answer): (&String, &String)| {
            (1..=100).contains(&question.len()) && answer.len() <= ANSWER_BYTES_MAX
        };
        if new.answers.expose().len() > ANSWERS_MAX || !new.answers.expose().iter().all(fits) {
            return Err(Error::Refused(Refusal::invalid(
                "form_invalid",
                format!(
                    "The form was not taken. Give at most {ANSWERS_MAX} answers of at most {ANSWER_BYTES_MAX} bytes."
                ),
            )));
        }
        let text = serde_json::to_string(new.answers.expose())
            .map_err(|_| suture_store::Error::Corrupt("answers of a form".to_owned()))?;
        let (text, keyring) = (Phi::new(text), self.0.store.keyring().clone());
        let order = self.order_of(caller, Reason::of("intake_submitted"));
        self.apply(&new.patient.to_string(), order, move |change| {
            let intake = submit(change, &new, &text, &keyring)?;
            let place = (change.order.organization.as_str(), intake.id.to_string());
            personal::put(change.tx, &keyring, (place.0, &place.1, "answers"), &text, change.order.now)?;
            Ok(intake)
        })
        .await
    }

    /// A form as submitted, without its answers.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn intake(&self, organization: &str, id: IntakeId) -> Result<Intake, Error> {
        self.state::<Intake>(organization, &id.to_string()).await
    }

    /// The answers of a form. The caller has logged the access.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn intake_answers(
        &self,
        organization: &str,
        id: IntakeId,
    ) -> Result<Phi<BTreeMap<String, String>>, Error> {
        let (keyring, organization) = (self.0.store.keyring().clone(), organization.to_owned());
        let subject = id.to_string();
        let text = self
            .0
            .store
            .read(move |tx| personal::load(tx, &keyring, &organization, &subject).map_err(Error::from))
            .await?;
        let text = text.into_iter().find(|(field, _)| field == "answers").map(|(_, text)| text);
        let text = text.ok_or_else(|| Error::not_found("intake", &id.to_string()))?;
        let answers = serde_json::from_str(text.expose())
            .map_err(|_| suture_store::Error::Corrupt(format!("answers of {id}")))?;
        Ok(Phi::new(answers))
    }
}

fn submit(
    change: &mut Change<'_, '_>,
    new: &NewIntake,
    text: &Phi<String>,
    keyring: &suture_store::Keyring,
) -> Result<Intake, Error> {
    change.existing::<Patient>(&new.patient.to_string())?;
    let policy = match &new.insurance {
        Some((payer, member)) => Some(policies::record(change, (new.patient, payer), member, keyring)?.id),
        None => None,
    };
    let eligibility = match policy {
        Some(_) => {
            let check = NewEligibility {
                patient: new.patient,
                policy,
                service_types: new.service_types.clone(),
                account: None,
                appointment: None,
            };
            Some(eligibilities::ask(change, &check)?.id)
        }
        None => None,
    };
    let intake = Intake {
        id: IntakeId::mint(change.mint()),
        patient: new.patient,
        form: new.form.clone(),
        hash: Hash::of(text.expose().as_bytes()).to_string(),
        policy,
        eligibility,
        at: change.order.now,
    };
    let event = intake.clone().submit()?;
    let mut loaded = Loaded::<Intake>::fresh(intake.id.to_string());
    change.record_all(&mut loaded, &[event], &care_of_patient(new.patient))?;
    Ok(intake)
}
