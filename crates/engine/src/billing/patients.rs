//! Use cases of patients: the record, customers at gateways, methods on file, consents.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use suture_connect::gateway::{CreateCustomer, CustomerSeen, HsaFsa, Metadata, StoredMethod};
use suture_connect::outcome::Outcome;
use suture_core::consent::{Consent, Purpose};
use suture_core::explain::Reason;
use suture_core::id::{ConsentId, PatientId};
use suture_core::money::Money;
use suture_core::patient::{self, Command, HealthCard, Method, Patient};
use suture_core::redact::{Phi, Secret};
use suture_core::refusal::Refusal;
use suture_core::time::Timestamp;
use suture_store::effects::{self, NewEffect, State};
use suture_store::{journal, personal};

use crate::apply::{after_no_answer, throttled};
use crate::change::{Change, Loaded};
use crate::connections::{Open, System};
use crate::engine::Engine;
use crate::facts::reference;
use crate::job::Job;
use crate::payments::Caller;
use crate::worker::{After, Working};
use crate::{Error, calls};

use super::follow::patient_reference;
use super::policies::care_of_patient;

/// A patient to record.
#[derive(Debug, Clone)]
pub struct NewPatient {
    /// Ids in other systems by system, for example `epic`. Opaque ids only.
    pub external: BTreeMap<String, String>,
    /// Names, birth date and the like, kept sealed.
    pub personal: Vec<(String, Phi<String>)>,
    /// Gateways at which a customer is made at once.
    pub customer_at: Vec<String>,
}

/// A consent to record.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewConsent {
    /// The gateway's method; `None`: any method on file.
    pub method: Option<String>,
    /// What may be charged.
    pub purpose: Purpose,
    /// How much in all.
    pub cap: Money,
    /// The version of the text that was shown.
    pub text_version: String,
    /// SHA-256 of that text.
    pub text_hash: String,
    /// How it was given.
    pub given_by: String,
    /// For how long it holds.
    pub valid_for: Duration,
}

/// A setup that the browser finishes.
#[derive(Debug, Clone)]
pub struct SetupStarted {
    /// The gateway's setup.
    pub setup: String,
    /// The browser's secret, once.
    pub client_secret: Secret<String>,
}

impl Engine {
    /// Records a patient, and plans a customer at each named gateway.
    ///
    /// # Errors
    /// [`Error::Refused`] when an id in another system is not opaque, or is another patient's.
    pub async fn create_patient(&self, caller: &Caller, new: NewPatient) -> Result<Patient, Error> {
        for (system, id) in &new.external {
            check_external(system, id)?;
        }
        for connection in &new.customer_at {
            let open = self.connection(connection)?;
            if open.organization != caller.organization || open.gateway()?.0.vault().is_none() {
                return Err(Error::not_found("connection", connection));
            }
        }
        let order = self.order_of(caller, Reason::of("patient_recorded"));
        let keyring = self.0.store.keyring().clone();
        self.apply("patient", order, move |change| {
            let id = PatientId::mint(change.mint());
            let organization = change.order.organization.clone();
            let mut loaded = Loaded::<Patient>::fresh(id.to_string());
            let create = Command::Create { patient: id, external: new.external.clone() };
            let events = patient::decide(None, &create, change.order.now)?;
            change.record_all(&mut loaded, &events, &care_of_patient(id))?;
            let own = id.to_string();
            for external in new.external.values().chain([&own]) {
                let key = patient_reference(external);
                if journal::referred(change.tx, &organization, &key)?.is_some() {
                    return Err(Error::Refused(Refusal::state(
                        "patient_exists",
                        "No patient was recorded: an id in another system belongs to another patient already.",
                    )));
                }
                journal::refer(change.tx, &organization, &key, &id.to_string())?;
            }
            for (field, content) in &new.personal {
                personal::put(change.tx, &keyring, (&organization, &own, field), content, change.order.now)?;
            }
            for connection in &new.customer_at {
                plan_customer(change, id, connection)?;
            }
            let (_, state) = change.existing::<Patient>(&own)?;
            Ok(state)
        })
        .await
    }

    /// A patient's record as known now. The caller has logged the access.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn patient(&self, organization: &str, patient: PatientId) -> Result<Patient, Error> {
        self.state::<Patient>(organization, &patient.to_string()).await
    }

    /// Plans a customer at a gateway.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn connect_patient(
        &self,
        caller: &Caller,
        patient: PatientId,
        connection: &str,
    ) -> Result<Patient, Error> {
        let open = self.connection(connection)?;
        if open.organization != caller.organization || open.gateway()?.0.vault().is_none() {
            return Err(Error::not_found("connection", connection));
        }
        let order = self.order_of(caller, Reason::of("customer_requested"));
        let connection = connection.to_owned();
        self.apply(&patient.to_string(), order, move |change| {
            plan_customer(change, patient, &connection)?;
            change.existing::<Patient>(&patient.to_string()).map(|(_, state)| state)
        })
        .await
    }

    /// Starts the storing of a method: the browser finishes it with the secret.
    ///
    /// # Errors
    /// [`Error::Refused`] while the patient has no customer there, [`Error::Outside`] when the gateway says no.
    pub async fn start_setup(
        &self,
        caller: &Caller,
        patient: PatientId,
        connection: &str,
        key: &str,
    ) -> Result<SetupStarted, Error> {
        let state = self.patient(&caller.organization, patient).await?;
        let open = self.connection(connection)?;
        if open.organization != caller.organization {
            return Err(Error::not_found("connection", connection));
        }
        let (gateway, _) = open.gateway()?;
        let vault = gateway.vault().ok_or_else(|| open.problem("it keeps no methods"))?;
        let customer = state.customers.get(connection).ok_or_else(|| {
            Refusal::state(
                "customer_missing",
                "No setup was started: the patient has no customer at this gateway yet. Connect the patient first.",
            )
        })?;
        let key = format!("{patient}:setup:{key}");
        let request = vault.create_setup(customer, &patient.to_string(), &key);
        let answer = self.call(&open, request).await;
        match calls::outcome(answer, |response| vault.read_setup(response)) {
            Ok(Outcome::Done((setup, client_secret))) => Ok(SetupStarted { setup, client_secret }),
            Ok(Outcome::Declined(failure) | Outcome::NotSent(failure) | Outcome::Unknown(failure)) => {
                Err(Error::Outside(failure))
            }
            Err(at) => Err(open.problem(&format!("it is throttled until {at}"))),
        }
    }

    /// Decides a command on a patient's record.
    ///
    /// # Errors
    /// [`Error::Refused`] with the rule that says no.
    pub async fn change_patient(
        &self,
        caller: &Caller,
        patient: PatientId,
        command: Command,
        reason: &'static str,
    ) -> Result<Patient, Error> {
        let order = self.order_of(caller, Reason::of(reason));
        self.apply(&patient.to_string(), order, move |change| decide_patient(change, patient, &command)).await
    }

    /// Records a consent.
    ///
    /// # Errors
    /// [`Error::Refused`] when it is incomplete.
    pub async fn give_consent(
        &self,
        caller: &Caller,
        patient: PatientId,
        new: NewConsent,
    ) -> Result<Consent, Error> {
        let order = self.order_of(caller, Reason::of("consent_given"));
        self.apply(&patient.to_string(), order, move |change| {
            let now = change.order.now;
            let consent = Consent {
                id: ConsentId::mint(change.mint()),
                method: new.method.clone(),
                purpose: new.purpose,
                cap: new.cap,
                text_version: new.text_version.clone(),
                text_hash: new.text_hash.clone(),
                given_by: new.given_by.clone(),
                given_at: now,
                expires_at: now + new.valid_for,
                withdrawn_at: None,
                used_minor: 0,
            };
            decide_patient(change, patient, &Command::Consent(consent.clone()))?;
            Ok(consent)
        })
        .await
    }

    /// Takes a method off file, at the gateway first.
    ///
    /// # Errors
    /// [`Error::Outside`] when the gateway says no; the method is still on file then.
    pub async fn remove_method(
        &self,
        caller: &Caller,
        patient: PatientId,
        method: &str,
    ) -> Result<Patient, Error> {
        let state = self.patient(&caller.organization, patient).await?;
        let known = state.methods.get(method).ok_or_else(|| Error::not_found("method", method))?;
        let open = self.connection(&known.connection)?;
        let (gateway, _) = open.gateway()?;
        let vault = gateway.vault().ok_or_else(|| open.problem("it keeps no methods"))?;
        let request = vault.detach_method(method, &format!("{patient}:detach:{method}"));
        let answer = self.call(&open, request).await;
        match calls::outcome(answer, |response| vault.read_method(response)) {
            Ok(Outcome::Done(_)) => {}
            Ok(Outcome::Declined(failure)) if failure.code == "resource_missing" => {}
            Ok(Outcome::Declined(failure) | Outcome::NotSent(failure) | Outcome::Unknown(failure)) => {
                return Err(Error::Outside(failure));
            }
            Err(at) => return Err(open.problem(&format!("it is throttled until {at}"))),
        }
        let command = Command::RemoveMethod { method: method.to_owned() };
        self.change_patient(caller, patient, command, "method_removed").await
    }

    /// Makes a patient's customer at a gateway; the key makes a second send the same customer.
    pub(crate) async fn make_customer(
        &self,
        working: &Working,
        patient: PatientId,
        key: &str,
    ) -> Result<After, Error> {
        let open = self.connection(&working.effect.destination)?;
        let (gateway, _) = open.gateway()?;
        let vault = gateway.vault().ok_or_else(|| open.problem("it keeps no customers"))?;
        let call = CreateCustomer {
            idempotency_key: key.to_owned(),
            link: patient.to_string(),
            metadata: Metadata::default(),
        };
        let answer = self.call_leased(working, &open, vault.create_customer(&call)).await;
        match calls::outcome(answer, |response| vault.read_customer(response)) {
            Err(at) => Ok(throttled(at)),
            Ok(Outcome::Done(seen)) => {
                let (order, lease) = (self.order_by_gateway(&open), working.lease.clone());
                let connection = open.id.clone();
                self.apply(&patient.to_string(), order, move |change| {
                    connect(change, patient, &connection, (&seen.customer, false))?;
                    effects::finish(change.tx, &lease, State::Done, None, change.order.now)?;
                    Ok(())
                })
                .await?;
                Ok(After::Finished)
            }
            Ok(Outcome::Declined(failure) | Outcome::NotSent(failure) | Outcome::Unknown(failure)) => {
                Ok(after_no_answer(calls::NoAnswer::Lost(failure)))
            }
        }
    }
}

pub(super) fn check_external(system: &str, id: &str) -> Result<(), Refusal> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let right = |text: &str| !text.is_empty() && text.len() <= 128 && text.bytes().all(plain);
    match right(system) && right(id) {
        true => Ok(()),
        false => Err(Refusal::invalid(
            "not_an_opaque_id",
            "Nothing was recorded. Ids in other systems are opaque: 1 to 128 letters, digits, '-', '.' or '_'. Names \
             do not belong here.",
        )),
    }
}

fn plan_customer(change: &mut Change<'_, '_>, patient: PatientId, connection: &str) -> Result<(), Error> {
    let (mut loaded, state) = change.existing::<Patient>(&patient.to_string())?;
    let command = Command::RequestCustomer { connection: connection.to_owned() };
    let events = patient::decide(Some(&state), &command, change.order.now)?;
    change.record_all(&mut loaded, &events, &care_of_patient(patient))?;
    for event in &events {
        let patient::Event::CustomerRequested { connection, key } = event else { continue };
        let job = Job::MakeCustomer { patient, key: key.clone() };
        change.effect(NewEffect {
            id: format!(
                "{patient}/customer/{}",
                key.rsplit_once(':').map_or(connection.as_str(), |(_, last)| last)
            ),
            kind: job.kind(),
            lane: Some(format!("patient/{patient}")),
            destination: connection.clone(),
            stream: Some(patient.to_string()),
            due_at: change.order.now,
            payload: job.payload(),
        })?;
    }
    Ok(())
}

/// Decides a command on a patient's record and saves it.
pub(crate) fn decide_patient(
    change: &mut Change<'_, '_>,
    patient: PatientId,
    command: &Command,
) -> Result<Patient, Error> {
    let (mut loaded, state) = change.existing::<Patient>(&patient.to_string())?;
    let events = patient::decide(Some(&state), command, change.order.now)?;
    change.record_all(&mut loaded, &events, &care_of_patient(patient))?;
    Ok(loaded.state.unwrap_or(state))
}

fn connect(
    change: &mut Change<'_, '_>,
    patient: PatientId,
    connection: &str,
    (customer, adopted): (&str, bool),
) -> Result<(), Error> {
    let command = Command::ConnectCustomer {
        connection: connection.to_owned(),
        customer: customer.to_owned(),
        adopted,
    };
    let after = decide_patient(change, patient, &command)?;
    let organization = change.order.organization.clone();
    if after.customers.get(connection).is_some_and(|known| known == customer) {
        let key = reference(connection, customer);
        journal::refer_once(change.tx, &organization, &key, &patient.to_string())?;
        return Ok(());
    }
    // Two customers say they are the same patient: a person decides (FEATURES M17).
    change.effect_once(NewEffect {
        id: format!("{patient}/conflict/{customer}"),
        kind: "ask_person",
        lane: None,
        destination: "customer-conflicts".to_owned(),
        stream: Some(patient.to_string()),
        due_at: change.order.now,
        payload: Job::ask(format!(
            "customer {customer} at {connection} claims to be this patient, who has another customer there; decide which \
             one is right and correct the other's metadata"
        )),
    })
}

/// Takes in a customer that the gateway showed: adopts it when it names a patient of ours.
pub(super) fn take_customer(
    change: &mut Change<'_, '_>,
    open: &Open,
    seen: &CustomerSeen,
) -> Result<(), Error> {
    let organization = change.order.organization.clone();
    let known = journal::referred(change.tx, &organization, &reference(&open.id, &seen.customer))?;
    if seen.deleted {
        let Some(patient) = known.and_then(|stream| PatientId::parse(&stream).ok()) else { return Ok(()) };
        let command = Command::LoseCustomer { connection: open.id.clone(), customer: seen.customer.clone() };
        return decide_patient(change, patient, &command).map(|_| ());
    }
    let System::Gateway { adopt, .. } = &open.system else { return Ok(()) };
    let metadata = seen.metadata.expose();
    let by_key = || adopt.patient_keys.iter().find_map(|key| metadata.get(key)).map(String::as_str);
    let Some(named) = seen.link.as_deref().or_else(by_key) else { return Ok(()) };
    let organization_fits = adopt
        .organization_keys
        .iter()
        .filter_map(|key| metadata.get(key))
        .all(|named| *named == organization);
    if !organization_fits {
        return Ok(());
    }
    let stream = journal::referred(change.tx, &organization, &patient_reference(named))?;
    match stream.and_then(|stream| PatientId::parse(&stream).ok()) {
        Some(patient) => connect(change, patient, &open.id, (&seen.customer, true)),
        None => Ok(()),
    }
}

/// Takes in a stored method that the gateway showed.
pub(super) fn take_method(
    change: &mut Change<'_, '_>,
    open: &Open,
    seen: &StoredMethod,
) -> Result<(), Error> {
    let organization = change.order.organization.clone();
    let Some(customer) = &seen.customer else { return lose_method(change, open, &seen.id) };
    let owner = journal::referred(change.tx, &organization, &reference(&open.id, customer))?;
    let Some(patient) = owner.and_then(|stream| PatientId::parse(&stream).ok()) else { return Ok(()) };
    journal::refer_once(change.tx, &organization, &reference(&open.id, &seen.id), &patient.to_string())?;
    let health_card = match seen.hsa_fsa {
        HsaFsa::Yes { .. } => HealthCard::Yes,
        HsaFsa::No { .. } => HealthCard::No,
        HsaFsa::Unknown => HealthCard::Unknown,
    };
    let method = Method {
        connection: open.id.clone(),
        id: seen.id.clone(),
        kind: seen.kind.clone(),
        brand: seen.brand.clone(),
        last4: seen.last4.clone(),
        expires: seen.exp_year.zip(seen.exp_month),
        funding: seen.funding.clone(),
        health_card,
        removed_at: None,
    };
    decide_patient(change, patient, &Command::StoreMethod(method)).map(|_| ())
}

/// Takes a method off file that the gateway no longer keeps.
pub(super) fn lose_method(change: &mut Change<'_, '_>, open: &Open, method: &str) -> Result<(), Error> {
    let organization = change.order.organization.clone();
    let owner = journal::referred(change.tx, &organization, &reference(&open.id, method))?;
    let Some(patient) = owner.and_then(|stream| PatientId::parse(&stream).ok()) else { return Ok(()) };
    decide_patient(change, patient, &Command::RemoveMethod { method: method.to_owned() }).map(|_| ())
}

/// The method that a patient's charge uses when nobody named one: of those that work, the one that expires last.
pub(crate) fn method_on_file(patient: &Patient, connection: &str, now: Timestamp) -> Option<String> {
    let mut usable: Vec<&Method> =
        patient.usable_methods(now).filter(|method| method.connection == connection).collect();
    usable.sort_by_key(|method| method.expires);
    usable.last().map(|method| method.id.clone())
}
