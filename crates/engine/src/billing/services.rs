//! Use cases of services: book, give, sign, bill, adjudicate by hand, settle, write off, cancel.

use serde::{Deserialize, Serialize};
use suture_core::audit::chain::Hash;
use suture_core::currency::Currency;
use suture_core::eligibility::{Eligibility, Status as Checked};
use suture_core::estimate::{self, Estimate};
use suture_core::explain::{Actor, Reason};
use suture_core::id::{EligibilityId, EstimateId, LinkId, NoteId, PatientId, ServiceId};
use suture_core::patient::Patient;
use suture_core::payment::{self, Payment, Purpose, Source};
use suture_core::redact::Phi;
use suture_core::refusal::Refusal;
use suture_core::service::{self, Command, CoverageStatus, Kind, NoteKind, Service};
use suture_core::time::Timestamp;
use suture_store::effects::NewEffect;
use suture_store::{journal, links, personal};

use crate::Error;
use crate::change::{Change, Loaded};
use crate::engine::Engine;
use crate::facts::Origin;
use crate::job::Job;
use crate::payments::{Caller, Taken};
use crate::worker::{After, Working};

use super::follow::{care_of_service, decide_service, see};
use super::{collecting, eligibilities, estimates, settling};

/// A service to book.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewService {
    /// Whose.
    pub patient: PatientId,
    /// The check that its estimate charges were made with; `None`: self-pay without a check.
    pub eligibility: Option<EligibilityId>,
    /// When it is, when known.
    pub at: Option<Timestamp>,
    /// The currency of all its amounts.
    pub currency: Currency,
    /// The guarantor account, when there is no check.
    pub account: Option<String>,
}

/// A note to sign. The text is kept sealed; the journal holds its hash.
#[derive(Debug, Clone)]
pub struct Note {
    /// A note, or an addition to one.
    pub kind: NoteKind,
    /// Who signs.
    pub signer: String,
    /// The text.
    pub text: Phi<String>,
}

/// The coverage is checked again this long before the service (FEATURES M304).
const RECHECK_BEFORE_MILLIS: i64 = 72 * 3_600_000;

impl Engine {
    /// Books a service. Estimate charges that were made with its eligibility check attach by themselves.
    ///
    /// # Errors
    /// [`Error::Refused`] when the check is another patient's.
    pub async fn create_service(&self, caller: &Caller, new: NewService) -> Result<Service, Error> {
        let order = self.order_of(caller, Reason::of("service_booked"));
        let origin = self.any_origin(&caller.organization);
        self.apply("service", order, move |change| create(change, &new, &origin)).await
    }

    /// A service as known now.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn service(&self, organization: &str, id: ServiceId) -> Result<Service, Error> {
        self.state::<Service>(organization, &id.to_string()).await
    }

    /// Decides a command on a service, and goes on with its settling.
    ///
    /// # Errors
    /// [`Error::Refused`] with the rule that says no; nothing was changed then.
    pub async fn change_service(
        &self,
        caller: &Caller,
        id: ServiceId,
        command: Command,
        reason: &str,
    ) -> Result<Service, Error> {
        let order = self.order_of(caller, Reason::parse(reason)?);
        let (origin, billing) = (self.any_origin(&caller.organization), self.0.settings.billing.clone());
        self.apply(&id.to_string(), order, move |change| {
            if let Command::Cancel { .. } | Command::Miss { .. } = &command {
                let (_, state) = change.existing::<Service>(&id.to_string())?;
                crate::scheduling::refuse_standing(change, &state.link)?;
            }
            decide_service(change, &id.to_string(), &command)?;
            after_command(change, id, &command)?;
            match &command {
                Command::Adjudicate(_) | Command::SetResponsibility { .. } => {
                    settling::after_decision(change, &id.to_string(), &billing, &origin)?;
                }
                _ => {
                    settling::go_on(change, &id.to_string(), &origin)?;
                    settling::see_to_the_rest(change, &id.to_string())?;
                }
            }
            change.existing::<Service>(&id.to_string()).map(|(_, state)| state)
        })
        .await
    }

    /// Signs a note: the text is sealed, its hash journaled, and neither can change.
    ///
    /// # Errors
    /// [`Error::Refused`] before the care was given, and for a second note.
    pub async fn sign_note(&self, caller: &Caller, id: ServiceId, note: Note) -> Result<Service, Error> {
        if note.signer.trim().is_empty() || note.signer.len() > 100 || note.text.expose().is_empty() {
            return Err(Error::Refused(Refusal::invalid(
                "note_invalid",
                "Nothing was signed. Give the text of the note and who signs it.",
            )));
        }
        let order = self.order_of(caller, Reason::of("note_signed"));
        let keyring = self.0.store.keyring().clone();
        self.apply(&id.to_string(), order, move |change| {
            let mint = NoteId::mint(change.mint());
            let hash = Hash::of(note.text.expose().as_bytes()).to_string();
            let command = Command::Sign { note: mint, kind: note.kind, signer: note.signer.clone(), hash };
            decide_service(change, &id.to_string(), &command)?;
            let organization = change.order.organization.clone();
            let place = (organization.as_str(), mint.to_string());
            personal::put(change.tx, &keyring, (place.0, &place.1, "text"), &note.text, change.order.now)?;
            change.existing::<Service>(&id.to_string()).map(|(_, state)| state)
        })
        .await
    }

    /// Attaches an estimate charge that was made with another eligibility check of the same patient and amount (FLOWS 4i):
    /// its money moves to this service's care.
    ///
    /// # Errors
    /// [`Error::Refused`] for another patient or amount, or money that is not captured or belongs to a service.
    pub async fn reattach_estimate(
        &self,
        caller: &Caller,
        id: ServiceId,
        estimate: EstimateId,
    ) -> Result<Service, Error> {
        let order = self.order_of(caller, Reason::of("estimate_reattached"));
        let origin = self.any_origin(&caller.organization);
        self.apply(&id.to_string(), order, move |change| {
            reattach(change, id, estimate)?;
            attach(change, id, estimate, &origin)?;
            settling::go_on(change, &id.to_string(), &origin)?;
            change.existing::<Service>(&id.to_string()).map(|(_, state)| state)
        })
        .await
    }

    /// Begins to settle: makes the invoice if a gateway is to have one, refunds what is too much, completes what is even,
    /// and plans the collection of what is left after the notice.
    ///
    /// # Errors
    /// [`Error::Refused`] while the final responsibility is not known.
    pub async fn settle_service(&self, caller: &Caller, id: ServiceId) -> Result<Service, Error> {
        let order = self.order_of(caller, Reason::of("settling"));
        let (origin, billing) = (self.any_origin(&caller.organization), self.0.settings.billing.clone());
        self.apply(&id.to_string(), order, move |change| {
            settling::settle(change, &id.to_string(), &billing, &origin)?;
            change.existing::<Service>(&id.to_string()).map(|(_, state)| state)
        })
        .await
    }

    /// Charges what is left, with the payer present or under a consent.
    ///
    /// # Errors
    /// [`Error::Refused`] when nothing is due, something is on its way, or no consent allows it.
    pub async fn charge_balance(
        &self,
        caller: &Caller,
        id: ServiceId,
        how: super::Authorize,
    ) -> Result<Taken, Error> {
        let connection = self.gateway_for(&caller.organization, how.connection.as_deref())?;
        let open = self.connection(&connection)?;
        let origin = self.origin(&open, Source::Fetched, self.now());
        let order = self.order_of(caller, Reason::of("balance_collected"));
        let work = move |change: &mut Change<'_, '_>| collecting::charge(change, id, &how, &origin);
        let ((payment, effect), held) =
            self.apply_in(&id.to_string(), order, self.0.slots.slot(), work).await?;
        let waiting = self.wait_for(&effect);
        self.hand_over(held);
        self.patience(waiting).await;
        self.taken(&caller.organization, payment).await
    }

    /// Collects the balance when the notice is over, unless it was paid or stopped meanwhile.
    pub(crate) async fn collect_balance(
        &self,
        working: &Working,
        id: ServiceId,
        (version, told_minor): (u32, i64),
    ) -> Result<After, Error> {
        let organization = working.effect.organization.clone();
        let state = self.service(&organization, id).await?;
        let due = state.to_collect().filter(|_| state.version == version);
        match due {
            None => return self.finish(working, "nothing is due any more").await,
            Some(due) if due.minor > told_minor => return self.tell_again(working, id).await,
            Some(_) => {}
        }
        let actor = Actor::System("billing".to_owned());
        let connection = self.gateway_of_service(&organization, &state).await?;
        let how = super::Authorize { off_session: true, connection, ..super::Authorize::default() };
        match self.charge_balance(&Caller { organization, actor }, id, how).await {
            Ok(_) => self.finish(working, "charged after the notice").await,
            // Above the cap, no card, no consent: the patient is asked (FLOWS 2E, 2.5).
            Err(Error::Refused(refusal)) => {
                let order = self.order(&working.effect.organization, "billing", "collection_impossible");
                self.apply(&id.to_string(), order, move |change| {
                    crate::scheduling::nothing_on_file(change, id)
                })
                .await?;
                Ok(After::Parked { error: refusal.detail })
            }
            Err(error) => Err(error),
        }
    }

    /// More is due than the patient was told: the whole begins another notice, or a person is asked.
    async fn tell_again(&self, working: &Working, id: ServiceId) -> Result<After, Error> {
        let order = self.order(&working.effect.organization, "billing", "more_due_than_told");
        let lease = working.lease.clone();
        self.apply(&id.to_string(), order, move |change| {
            settling::see_to_the_rest(change, &id.to_string())?;
            estimates::finish(
                change,
                &lease,
                Some("more is due than the patient was told; nothing was charged"),
            )
        })
        .await?;
        Ok(After::Finished)
    }

    /// Opens the eligibility check of a service again before it takes place.
    pub(crate) async fn revalidate(&self, working: &Working, id: ServiceId) -> Result<After, Error> {
        let order = self.order(&working.effect.organization, "billing", "coverage_rechecked");
        let lease = working.lease.clone();
        self.apply(&id.to_string(), order, move |change| {
            let (_, state) = change.existing::<Service>(&id.to_string())?;
            let waits = matches!(state.status, service::Status::Pending | service::Status::Scheduled);
            if let Some(eligibility) = state.eligibility.filter(|_| waits) {
                eligibilities::recheck(change, eligibility)?;
            }
            estimates::finish(change, &lease, None)
        })
        .await?;
        Ok(After::Finished)
    }
}

fn create(change: &mut Change<'_, '_>, new: &NewService, origin: &Origin) -> Result<Service, Error> {
    let id = ServiceId::mint(change.mint());
    book(change, (id, None), new, origin)
}

/// Books a service under an id that was minted before, with a link that was made before.
pub(crate) fn book(
    change: &mut Change<'_, '_>,
    (id, link): (ServiceId, Option<&str>),
    new: &NewService,
    origin: &Origin,
) -> Result<Service, Error> {
    let (_, patient) = change.existing::<Patient>(&new.patient.to_string())?;
    let check = match new.eligibility {
        Some(eligibility) => Some(change.existing::<Eligibility>(&eligibility.to_string())?.1),
        None => None,
    };
    if check.as_ref().is_some_and(|check| check.patient != new.patient) {
        return Err(Error::Refused(Refusal::invalid(
            "eligibility_of_another_patient",
            "No service was booked: the eligibility check belongs to another patient.",
        )));
    }
    let link = match (&check, link) {
        (Some(check), _) => check.link.clone(),
        (None, Some(link)) => link.to_owned(),
        (None, None) => make_link(change, new, &patient)?,
    };
    let command = Command::Create {
        service: id,
        patient: new.patient,
        link: link.clone(),
        eligibility: new.eligibility,
        currency: new.currency,
    };
    let mut loaded = Loaded::<Service>::fresh(id.to_string());
    let events = service::decide(None, &command, change.order.now)?;
    let care = eligibilities::care(change, &link)?;
    change.record_all(&mut loaded, &events, &care)?;
    if let Some(check) = &check {
        // One check, one service: what was captured with it belongs here.
        if change.claim_key(&service_reference(check.id), &id.to_string())?.is_some() {
            return Err(Error::Refused(Refusal::state(
                "eligibility_used",
                "No service was booked: another service uses this eligibility check.",
            )));
        }
        for estimate in &check.estimates {
            let (_, known) = change.existing::<Estimate>(&estimate.to_string())?;
            // One that was moved to another check is of that check's service.
            if known.link == check.link {
                attach(change, id, *estimate, origin)?;
            }
        }
        cover(change, check.id)?;
    }
    if let Some(at) = new.at {
        schedule(change, id, at)?;
    }
    change.existing::<Service>(&id.to_string()).map(|(_, state)| state)
}

/// Gives a service a time, and plans the check of its coverage before it.
pub(crate) fn schedule(change: &mut Change<'_, '_>, id: ServiceId, at: Timestamp) -> Result<(), Error> {
    decide_service(change, &id.to_string(), &Command::Schedule { at })?;
    after_command(change, id, &Command::Schedule { at })
}

fn make_link(change: &mut Change<'_, '_>, new: &NewService, patient: &Patient) -> Result<String, Error> {
    let link = links::Link {
        id: LinkId::mint(change.mint()).to_string(),
        patient: patient.external.get("epic").cloned().unwrap_or_else(|| patient.id.to_string()),
        account: new.account.clone(),
        claim: None,
        encounter: None,
        practitioner: None,
        appointment: None,
        coverage: None,
        purpose: Purpose::Deposit,
        due: None,
        service_codes: Vec::new(),
        created_by: change.order.actor.parts().1.to_owned(),
        created_at: change.order.now,
    };
    links::insert(change.tx, &change.order.organization, &link)?;
    Ok(link.id)
}

/// The service that uses a check, if one does.
pub(crate) fn service_of_check(
    change: &mut Change<'_, '_>,
    check: EligibilityId,
) -> Result<Option<String>, Error> {
    let organization = change.order.organization.clone();
    Ok(journal::referred(change.tx, &organization, &service_reference(check))?)
}

pub(crate) fn service_reference(eligibility: EligibilityId) -> String {
    format!("service-of/{eligibility}")
}

/// The key under which a service is found by its claim's control number.
pub(super) fn claim_reference(claim: &str) -> String {
    format!("claim/{claim}")
}

/// Attaches an estimate charge to a service, with what its payment holds.
pub(super) fn attach(
    change: &mut Change<'_, '_>,
    service: ServiceId,
    estimate: EstimateId,
    origin: &Origin,
) -> Result<(), Error> {
    let (_, state) = change.existing::<Estimate>(&estimate.to_string())?;
    let link = state.link.clone();
    decide_service(change, &service.to_string(), &Command::Attach { estimate, link })?;
    estimates::decide(change, estimate, &estimate::Command::Attach { service })?;
    let Some(payment) = state.payment() else { return Ok(()) };
    let (_, payment) = change.existing::<Payment>(&payment.to_string())?;
    see(change, &service.to_string(), (&payment, Kind::Estimate), origin)
}

/// Moves an estimate charge and its money to a service's care.
fn reattach(change: &mut Change<'_, '_>, id: ServiceId, estimate: EstimateId) -> Result<(), Error> {
    let (_, service) = change.existing::<Service>(&id.to_string())?;
    let (_, known) = change.existing::<Estimate>(&estimate.to_string())?;
    let other = || {
        Error::Refused(Refusal::invalid(
            "eligibility_of_another_patient",
            "Nothing was moved: the estimate charge belongs to another patient, or the service has no eligibility check.",
        ))
    };
    let eligibility = service.eligibility.filter(|_| known.patient == service.patient).ok_or_else(other)?;
    let (_, check) = change.existing::<Eligibility>(&eligibility.to_string())?;
    let expected = check.responsibility.map_or(known.amount, |share| share.total);
    let by = change.order.actor.parts().1.to_owned();
    let command = estimate::Command::Relink { eligibility, link: service.link.clone(), expected, by };
    estimates::decide(change, estimate, &command)?;
    let Some(payment) = known.payment() else { return Ok(()) };
    let (mut loaded, state) = change.existing::<Payment>(&payment.to_string())?;
    let care = care_of_service(change, &service)?;
    let command = payment::Command::Relink { link: service.link.clone(), care };
    let events = payment::decide(Some(&state), &command, change.order.now)?;
    change.record_all(&mut loaded, &events, &crate::facts::care_of(&state))
}

/// What a command causes beside its events.
pub(crate) fn after_command(
    change: &mut Change<'_, '_>,
    id: ServiceId,
    command: &Command,
) -> Result<(), Error> {
    match command {
        Command::Schedule { at } => {
            let due_at = Timestamp::from_millis(at.millis() - RECHECK_BEFORE_MILLIS).max(change.order.now);
            plan(
                change,
                id,
                (&format!("revalidate/{}", at.millis()), due_at),
                &Job::Revalidate { service: id },
            )
        }
        Command::Bill { claim } => match change.claim_key(&claim_reference(claim), &id.to_string())? {
            Some(other) if other != id.to_string() => Err(Error::Refused(Refusal::state(
                "claim_used",
                "Nothing was billed: another service has this claim control number.",
            ))),
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

fn plan(
    change: &mut Change<'_, '_>,
    id: ServiceId,
    (name, due_at): (&str, Timestamp),
    job: &Job,
) -> Result<(), Error> {
    change.effect_once(NewEffect {
        id: format!("{id}/{name}"),
        kind: job.kind(),
        lane: None,
        destination: "billing".to_owned(),
        stream: Some(id.to_string()),
        due_at,
        payload: job.payload(),
    })
}

/// Moves the coverage of the service that a check stands for.
pub(super) fn cover(change: &mut Change<'_, '_>, eligibility: EligibilityId) -> Result<(), Error> {
    let Some(service) = service_of_check(change, eligibility)? else { return Ok(()) };
    let (_, check) = change.existing::<Eligibility>(&eligibility.to_string())?;
    let to = match check.status {
        Checked::Eligible => CoverageStatus::Valid,
        Checked::Pending | Checked::WaitingForPolicy | Checked::WaitingForServiceEligibility => {
            CoverageStatus::Revalidating
        }
        Checked::Ineligible | Checked::PolicyError => CoverageStatus::InvalidCoverage,
        // Nobody knows: what was known stays (nothing turns red because a payer is slow).
        Checked::Timeout | Checked::ServerError => return Ok(()),
    };
    decide_service(change, &service, &Command::Cover { to }).map(|_| ())
}
