//! Use cases of insurance policies.

use suture_core::explain::{Care, Reason};
use suture_core::id::{PatientId, PolicyId};
use suture_core::patient::Patient;
use suture_core::policy::{self, Command, Policy};
use suture_core::redact::Phi;
use suture_store::{Keyring, personal};

use crate::Error;
use crate::change::{Change, Loaded};
use crate::engine::Engine;
use crate::payments::Caller;

impl Engine {
    /// Records a policy. The member id is personal data and kept sealed.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown patient, [`Error::Refused`] without a payer.
    pub async fn create_policy(
        &self,
        caller: &Caller,
        patient: PatientId,
        payer: &str,
        member: Phi<String>,
    ) -> Result<Policy, Error> {
        let order = self.order_of(caller, Reason::of("policy_recorded"));
        let (payer, keyring) = (payer.to_owned(), self.0.store.keyring().clone());
        self.apply(&patient.to_string(), order, move |change| {
            record(change, (patient, &payer), &member, &keyring)
        })
        .await
    }

    /// Confirms or invalidates a policy by hand, or begins to check it again; eligibility checks that wait for it go on.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn move_policy(
        &self,
        caller: &Caller,
        policy: PolicyId,
        command: Command,
    ) -> Result<Policy, Error> {
        let order = self.order_of(caller, Reason::of("policy_checked"));
        self.apply(&policy.to_string(), order, move |change| decide_policy(change, policy, &command)).await
    }

    /// A policy as known now.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn policy(&self, organization: &str, policy: PolicyId) -> Result<Policy, Error> {
        self.state::<Policy>(organization, &policy.to_string()).await
    }
}

/// Decides a command on a policy and saves it.
pub(super) fn decide_policy(
    change: &mut Change<'_, '_>,
    policy: PolicyId,
    command: &Command,
) -> Result<Policy, Error> {
    let (mut loaded, state) = change.existing::<Policy>(&policy.to_string())?;
    let events = policy::decide(Some(&state), command)?;
    change.record_all(&mut loaded, &events, &care_of_patient(state.patient))?;
    if !events.is_empty() && !matches!(command, Command::AddCheck { .. }) {
        for check in &state.checks {
            super::eligibilities::go_on(change, *check)?;
        }
    }
    Ok(loaded.state.unwrap_or(state))
}

/// The chain of things that only a patient explains yet.
pub(super) fn care_of_patient(patient: PatientId) -> Care {
    Care { patient: Some(patient.to_string()), ..Care::default() }
}

/// Records a policy with its sealed member id.
pub(super) fn record(
    change: &mut Change<'_, '_>,
    (patient, payer): (PatientId, &str),
    member: &Phi<String>,
    keyring: &Keyring,
) -> Result<Policy, Error> {
    change.existing::<Patient>(&patient.to_string())?;
    let policy = PolicyId::mint(change.mint());
    let events = policy::decide(None, &Command::Create { policy, patient, payer: payer.to_owned() })?;
    let mut loaded = Loaded::<Policy>::fresh(policy.to_string());
    change.record_all(&mut loaded, &events, &care_of_patient(patient))?;
    let place = (change.order.organization.as_str(), policy.to_string());
    personal::put(change.tx, keyring, (place.0, &place.1, "member_id"), member, change.order.now)?;
    loaded.state.ok_or_else(|| Error::not_found("policy", &policy.to_string()))
}
