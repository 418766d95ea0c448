//! Use cases of eligibility checks: ask, go on with the policy, take an answer in from a 271 or a person, time out.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use suture_connect::x12::eligibility as x12;
use suture_core::audit::chain::Hash;
use suture_core::eligibility::{self, Answer, Command, Eligibility, Source};
use suture_core::explain::{Care, Reason};
use suture_core::id::{EligibilityId, EstimateId, LinkId, PatientId, PolicyId};
use suture_core::money::Money;
use suture_core::patient::Patient;
use suture_core::payment::Purpose;
use suture_core::policy::{self, Policy};
use suture_core::refusal::Refusal;
use suture_store::effects::{self, NewEffect, State};
use suture_store::links;

use crate::Error;
use crate::change::{Change, Loaded};
use crate::engine::Engine;
use crate::job::Job;
use crate::payments::Caller;
use crate::worker::{After, Working};

use super::policies::decide_policy;

/// How long a payer may take before the check times out.
const ANSWER_WITHIN: Duration = Duration::from_secs(15 * 60);

/// An eligibility check to make.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewEligibility {
    /// Whose.
    pub patient: PatientId,
    /// By which policy; `None`: self-pay.
    pub policy: Option<PolicyId>,
    /// X12 service type codes.
    pub service_types: Vec<String>,
    /// The guarantor account, when the EHR has one.
    pub account: Option<String>,
    /// The appointment, when there is one.
    pub appointment: Option<String>,
}

impl Engine {
    /// Asks for a check. Answers at once; the check goes on by itself (FEATURES M300).
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown patient or policy, [`Error::Refused`] for another patient's policy.
    pub async fn create_eligibility(
        &self,
        caller: &Caller,
        new: NewEligibility,
    ) -> Result<Eligibility, Error> {
        for id in [&new.account, &new.appointment].into_iter().flatten() {
            super::patients::check_external("ehr", id)?;
        }
        let order = self.order_of(caller, Reason::of("eligibility_requested"));
        self.apply("eligibility", order, move |change| ask(change, &new)).await
    }

    /// A check as known now.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn eligibility(&self, organization: &str, id: EligibilityId) -> Result<Eligibility, Error> {
        self.state::<Eligibility>(organization, &id.to_string()).await
    }

    /// Takes in what a person learned from the payer.
    ///
    /// # Errors
    /// [`Error::Refused`] when the parts do not add up.
    pub async fn answer_eligibility(
        &self,
        caller: &Caller,
        id: EligibilityId,
        answer: Answer,
        author: &str,
    ) -> Result<Eligibility, Error> {
        if author.trim().is_empty() || author.len() > 100 {
            return Err(Error::Refused(Refusal::invalid(
                "author_required",
                "Nothing was recorded. Say who learned it from the payer, in 1 to 100 characters.",
            )));
        }
        let order = self.order_of(caller, Reason::of("eligibility_entered"));
        let from = Source::Manual { author: author.to_owned() };
        self.apply(&id.to_string(), order, move |change| take(change, id, &answer, &from)).await
    }

    /// Takes in an X12 271. The member of the answer must be the policy's.
    ///
    /// # Errors
    /// [`Error::Refused`] when the text cannot be read, answers for several patients, or for another one.
    pub async fn answer_eligibility_x12(
        &self,
        caller: &Caller,
        id: EligibilityId,
        text: &[u8],
        allowed: Money,
        (network, choose): (x12::Network, x12::Choose),
    ) -> Result<Eligibility, Error> {
        let check = self.eligibility(&caller.organization, id).await?;
        let answers = x12::read(text).map_err(|error| x12_refused(&error.to_string()))?;
        let [answer] = answers.as_slice() else {
            return Err(x12_refused(&format!("It holds {} answers; send one patient's.", answers.len())));
        };
        self.same_member(&caller.organization, &check, answer).await?;
        let question = x12::Question { service_types: check.service_types.clone(), network, allowed, choose };
        let answer = super::payer_answer::from_x12(answer, &question)?;
        let from = Source::X12 { hash: Hash::of(text).to_string() };
        let order = self.order_of(caller, Reason::of("eligibility_answered"));
        self.apply(&id.to_string(), order, move |change| take(change, id, &answer, &from)).await
    }

    /// A 271 for another member is refused: nothing of it may reach this patient.
    async fn same_member(
        &self,
        organization: &str,
        check: &Eligibility,
        answer: &x12::Answer,
    ) -> Result<(), Error> {
        let (Some(policy), Some(subject)) = (check.policy, &answer.subject) else { return Ok(()) };
        let (organization, keyring) = (organization.to_owned(), self.0.store.keyring().clone());
        let fields = self
            .0
            .store
            .read(move |tx| {
                suture_store::personal::load(tx, &keyring, &organization, &policy.to_string())
                    .map_err(Error::from)
            })
            .await?;
        let member =
            fields.iter().find(|(field, _)| field == "member_id").map(|(_, content)| content.expose());
        let told = subject.person.as_ref().or(subject.subscriber.as_ref()).map(|person| &person.member_id);
        match (member, told) {
            (Some(ours), Some(theirs))
                if !theirs.expose().trim().is_empty()
                    && !ours.trim().eq_ignore_ascii_case(theirs.expose().trim()) =>
            {
                Err(Error::Refused(Refusal::invalid(
                    "answer_for_another_patient",
                    "Nothing was recorded: the 271 answers for another member than the policy's. Check that it belongs \
                     to this patient.",
                )))
            }
            _ => Ok(()),
        }
    }

    /// Asks again, for example within 72 hours of the service.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn reopen_eligibility(&self, caller: &Caller, id: EligibilityId) -> Result<Eligibility, Error> {
        let order = self.order_of(caller, Reason::of("eligibility_rechecked"));
        self.apply(&id.to_string(), order, move |change| reopen(change, id)).await
    }

    /// Goes on with a check: with the policy as it stands, or by giving up.
    pub(crate) async fn advance_eligibility(
        &self,
        working: &Working,
        id: EligibilityId,
    ) -> Result<After, Error> {
        let order = self.order(&working.effect.organization, "billing", "eligibility_advanced");
        let lease = working.lease.clone();
        self.apply(&id.to_string(), order, move |change| {
            advance(change, id)?;
            effects::finish(change.tx, &lease, State::Done, None, change.order.now)?;
            Ok(())
        })
        .await?;
        Ok(After::Finished)
    }
}

pub(super) fn x12_refused(what: &str) -> Error {
    Error::Refused(Refusal::invalid("x12_refused", format!("Nothing was recorded. {what}")))
}

/// The link that the charges of this check and its service share.
fn make_link(change: &mut Change<'_, '_>, new: &NewEligibility, patient: &Patient) -> Result<String, Error> {
    let link = links::Link {
        id: LinkId::mint(change.mint()).to_string(),
        patient: patient.external.get("epic").cloned().unwrap_or_else(|| patient.id.to_string()),
        account: new.account.clone(),
        claim: None,
        encounter: None,
        practitioner: None,
        appointment: new.appointment.clone(),
        coverage: new.policy.map(|policy| policy.to_string()),
        purpose: Purpose::Deposit,
        due: None,
        service_codes: Vec::new(),
        created_by: change.order.actor.parts().1.to_owned(),
        created_at: change.order.now,
    };
    links::insert(change.tx, &change.order.organization, &link)?;
    Ok(link.id)
}

/// The chain of a link.
pub(crate) fn care(change: &mut Change<'_, '_>, link: &str) -> Result<Care, Error> {
    let organization = change.order.organization.clone();
    let link = links::get(change.tx, &organization, link)?;
    let care = link.as_ref().map(crate::facts::care_of_link).unwrap_or_default();
    crate::scheduling::documented(change, care)
}

fn plan_advance(
    change: &mut Change<'_, '_>,
    id: EligibilityId,
    (number, after): (u32, Duration),
) -> Result<(), Error> {
    let job = Job::AdvanceEligibility { eligibility: id };
    let due_at = change.order.now + after;
    change.effect_once(NewEffect {
        id: format!("{id}/advance/{number}/{}", due_at.millis()),
        kind: job.kind(),
        lane: None,
        destination: "billing".to_owned(),
        stream: Some(id.to_string()),
        due_at,
        payload: job.payload(),
    })
}

fn decide(
    change: &mut Change<'_, '_>,
    id: EligibilityId,
    command: &Command,
) -> Result<(Eligibility, Vec<eligibility::Event>), Error> {
    let (mut loaded, state) = change.existing::<Eligibility>(&id.to_string())?;
    let events = eligibility::decide(Some(&state), command, change.order.now)?;
    let care = care(change, &state.link)?;
    change.record_all(&mut loaded, &events, &care)?;
    Ok((loaded.state.unwrap_or(state), events))
}

fn advance(change: &mut Change<'_, '_>, id: EligibilityId) -> Result<(), Error> {
    decide(change, id, &Command::GiveUp)?;
    go_on(change, id)
}

/// Goes on with the policy as it stands.
pub(super) fn go_on(change: &mut Change<'_, '_>, id: EligibilityId) -> Result<(), Error> {
    let (_, state) = change.existing::<Eligibility>(&id.to_string())?;
    let policy = match state.policy {
        Some(policy) => {
            let (_, known) = change.existing::<Policy>(&policy.to_string())?;
            Some((known.status, known.code))
        }
        None => None,
    };
    decide(change, id, &Command::Advance { policy })?;
    super::services::cover(change, id)
}

fn reopen(change: &mut Change<'_, '_>, id: EligibilityId) -> Result<Eligibility, Error> {
    let answer_by = change.order.now + ANSWER_WITHIN;
    let (state, events) = decide(change, id, &Command::Reopen { answer_by })?;
    if !events.is_empty() {
        plan_advance(change, id, (1, Duration::ZERO))?;
        plan_advance(change, id, (2, ANSWER_WITHIN))?;
        super::services::cover(change, id)?;
    }
    Ok(state)
}

/// Records that an estimate charge inherited a check's amount.
pub(super) fn add_estimate(
    change: &mut Change<'_, '_>,
    id: EligibilityId,
    estimate: EstimateId,
) -> Result<(), Error> {
    decide(change, id, &Command::AddEstimate { estimate }).map(|_| ())
}

/// Opens a check again for its service.
pub(super) fn recheck(change: &mut Change<'_, '_>, id: EligibilityId) -> Result<(), Error> {
    reopen(change, id).map(|_| ())
}

/// Takes an answer in; it also confirms or invalidates the policy, and moves the coverage of services.
fn take(
    change: &mut Change<'_, '_>,
    id: EligibilityId,
    answer: &Answer,
    from: &Source,
) -> Result<Eligibility, Error> {
    let command = Command::Answer { answer: answer.clone(), from: from.clone() };
    let (state, events) = decide(change, id, &command)?;
    if events.is_empty() {
        return Ok(state);
    }
    if let Some(policy) = state.policy {
        let evidence = match from {
            Source::X12 { hash } => format!("271:{hash}"),
            Source::Manual { author } => format!("manual:{author}"),
        };
        let command = match answer {
            Answer::Covered { .. } | Answer::NotCovered { .. } => Some(policy::Command::Confirm { evidence }),
            Answer::PolicyRejected { code, .. } => {
                Some(policy::Command::Invalidate { code: code.clone(), evidence })
            }
            Answer::Failed { .. } => None,
        };
        if let Some(command) = command {
            decide_policy(change, policy, &command)?;
        }
    }
    super::services::cover(change, id)?;
    Ok(state)
}

/// Begins a check.
pub(super) fn ask(change: &mut Change<'_, '_>, new: &NewEligibility) -> Result<Eligibility, Error> {
    let (_, patient) = change.existing::<Patient>(&new.patient.to_string())?;
    if let Some(policy) = new.policy {
        let (_, known) = change.existing::<Policy>(&policy.to_string())?;
        if known.patient != new.patient {
            return Err(Error::Refused(Refusal::invalid(
                "policy_of_another_patient",
                "Nothing was asked: the policy belongs to another patient.",
            )));
        }
    }
    let id = EligibilityId::mint(change.mint());
    let link = make_link(change, new, &patient)?;
    let command = Command::Create {
        eligibility: id,
        patient: new.patient,
        policy: new.policy,
        link: link.clone(),
        service_types: new.service_types.clone(),
        answer_by: change.order.now + ANSWER_WITHIN,
    };
    let events = eligibility::decide(None, &command, change.order.now)?;
    let mut loaded = Loaded::<Eligibility>::fresh(id.to_string());
    let care = care(change, &link)?;
    change.record_all(&mut loaded, &events, &care)?;
    if let Some(policy) = new.policy {
        decide_policy(change, policy, &policy::Command::AddCheck { eligibility: id })?;
    }
    plan_advance(change, id, (1, Duration::ZERO))?;
    plan_advance(change, id, (2, ANSWER_WITHIN))?;
    loaded.state.ok_or_else(|| Error::not_found("eligibility", &id.to_string()))
}
