//! Encounters: documented by the provider, signed once, priced by the fee schedule, and charged once for each version.

use serde::{Deserialize, Serialize};
use suture_core::appointment::{Appointment, Command as Visit, Status};
use suture_core::audit::chain::Hash;
use suture_core::encounter::{self, Coded, Command, Encounter, Signed};
use suture_core::explain::{Care, Reason};
use suture_core::id::{AppointmentId, EncounterId, NoteId};
use suture_core::money::Money;
use suture_core::policy::Policy;
use suture_core::practice::Clinic;
use suture_core::redact::Phi;
use suture_core::refusal::Refusal;
use suture_core::service::{self, NoteKind, Service};
use suture_core::visit::Timing;
use suture_store::effects::NewEffect;
use suture_store::{personal, prices};

use crate::Error;
use crate::billing;
use crate::change::{Change, Loaded};
use crate::engine::{Billing, Engine};
use crate::facts::Origin;
use crate::job::Job;
use crate::payments::Caller;
use crate::worker::{After, Working};

use super::{collection, fees, holds, outcomes, tell, timers};

/// What a provider writes. The text is kept sealed; the journal holds its hash.
#[derive(Debug, Clone)]
pub struct Written {
    /// The SOAP note as text.
    pub text: Phi<String>,
    /// Procedure codes; `None` in an addendum: as before.
    pub codes: Option<Vec<Coded>>,
}

/// Who signs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Signature {
    /// The signer's name or id, 1 to 100 characters.
    pub signer: String,
}

const TEXT_MAX: usize = 100_000;

impl Engine {
    /// Opens the encounter of an appointment. The patient is here then.
    ///
    /// # Errors
    /// [`Error::Refused`] unless the appointment stands, or when it has an encounter.
    pub async fn open_encounter(&self, caller: &Caller, id: AppointmentId) -> Result<Encounter, Error> {
        let order = self.order_of(caller, Reason::of("encounter_opened"));
        let origin = self.any_origin(&caller.organization);
        self.apply(&id.to_string(), order, move |change| {
            let (state, arrived) = holds::decide(change, id, &Visit::Arrive)?;
            if !arrived.is_empty() {
                outcomes::capture_reserved(change, &state, &origin)?;
            }
            let encounter = EncounterId::mint(change.mint());
            let (state, _) = holds::decide(change, id, &Visit::OpenEncounter { encounter })?;
            let command = Command::Open {
                encounter,
                appointment: id,
                patient: state.context.patient,
                provider: state.context.provider,
            };
            let mut loaded = Loaded::<Encounter>::fresh(encounter.to_string());
            let events = encounter::decide(None, &command, change.order.now)?;
            let care = Care { encounter: Some(encounter.to_string()), ..holds::care_of(change, &state)? };
            change.record_all(&mut loaded, &events, &care)?;
            loaded.state.ok_or_else(|| Error::not_found("encounter", &encounter.to_string()))
        })
        .await
    }

    /// An encounter as known now.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn encounter(&self, organization: &str, id: EncounterId) -> Result<Encounter, Error> {
        self.state::<Encounter>(organization, &id.to_string()).await
    }

    /// Keeps a draft.
    ///
    /// # Errors
    /// [`Error::Refused`] once it is signed.
    pub async fn document_encounter(
        &self,
        caller: &Caller,
        id: EncounterId,
        written: Written,
    ) -> Result<Encounter, Error> {
        check_text(&written)?;
        let order = self.order_of(caller, Reason::of("encounter_documented"));
        let keyring = self.0.store.keyring().clone();
        self.apply(&id.to_string(), order, move |change| {
            let hash = Hash::of(written.text.expose().as_bytes()).to_string();
            let codes = written.codes.clone().unwrap_or_default();
            let after = decide(change, id, &Command::Document { hash, codes })?;
            let (organization, subject) = (change.order.organization.clone(), id.to_string());
            let place = (organization.as_str(), subject.as_str(), "draft");
            personal::put(change.tx, &keyring, place, &written.text, change.order.now)?;
            Ok(after)
        })
        .await
    }

    /// Signs an encounter: it cannot change any more, the visit is over, and its codes are charged as the appointment's
    /// timing says. Signing the same words twice charges once (FLOWS 3a).
    ///
    /// # Errors
    /// [`Error::Refused`] for wrong codes, and for other words than those that were signed.
    pub async fn finalize_encounter(
        &self,
        caller: &Caller,
        id: EncounterId,
        (written, by): (Written, Signature),
    ) -> Result<Encounter, Error> {
        self.sign(caller, id, (written, by), false).await
    }

    /// Adds to a signed encounter. Other codes charge or pay back the difference (FLOWS 3e, 3f).
    ///
    /// # Errors
    /// [`Error::Refused`] before it is signed.
    pub async fn addend_encounter(
        &self,
        caller: &Caller,
        id: EncounterId,
        (written, by): (Written, Signature),
    ) -> Result<Encounter, Error> {
        self.sign(caller, id, (written, by), true).await
    }

    async fn sign(
        &self,
        caller: &Caller,
        id: EncounterId,
        (written, by): (Written, Signature),
        addendum: bool,
    ) -> Result<Encounter, Error> {
        check_text(&written)?;
        if by.signer.trim().is_empty() || by.signer.len() > 100 {
            return Err(Error::Refused(Refusal::invalid(
                "note_invalid",
                "Nothing was signed. Say who signs, in 1 to 100 characters.",
            )));
        }
        let reason = if addendum { "encounter_addended" } else { "encounter_signed" };
        let order = self.order_of(caller, Reason::of(reason));
        let keyring = self.0.store.keyring().clone();
        let origin = self.origin_of_encounter(&caller.organization, id).await?;
        let billing = self.0.settings.billing.clone();
        self.apply(&id.to_string(), order, move |change| {
            let note = NoteId::mint(change.mint());
            let hash = Hash::of(written.text.expose().as_bytes()).to_string();
            let signed = Signed { note, signer: by.signer.clone(), hash, at: change.order.now };
            let command = match addendum {
                true => Command::Addend { signed, codes: written.codes.clone() },
                false => Command::Finalize { signed, codes: written.codes.clone().unwrap_or_default() },
            };
            let (_, before) = change.existing::<Encounter>(&id.to_string())?;
            let after = decide(change, id, &command)?;
            if after.version == before.version {
                return Ok(after);
            }
            let (organization, subject) = (change.order.organization.clone(), note.to_string());
            let place = (organization.as_str(), subject.as_str(), "text");
            personal::put(change.tx, &keyring, place, &written.text, change.order.now)?;
            if !addendum {
                let (visit, _) = holds::decide(change, after.appointment, &Visit::Complete)?;
                outcomes::capture_reserved(change, &visit, &origin)?;
                timers::stop_charges_before(change, &visit)?;
                tell::over(change, &visit)?;
            }
            charge(change, id, (&billing, &origin))?;
            change.existing::<Encounter>(&id.to_string()).map(|(_, state)| state)
        })
        .await
    }

    /// Records how the care turned out.
    ///
    /// # Errors
    /// [`Error::Refused`] for something that is no code.
    pub async fn record_outcome(
        &self,
        caller: &Caller,
        id: EncounterId,
        (outcome, by): (&str, &str),
    ) -> Result<Encounter, Error> {
        let order = self.order_of(caller, Reason::of("outcome_recorded"));
        let command = Command::RecordOutcome { outcome: outcome.to_owned(), by: by.to_owned() };
        self.apply(&id.to_string(), order, move |change| decide(change, id, &command)).await
    }

    async fn origin_of_encounter(&self, organization: &str, id: EncounterId) -> Result<Origin, Error> {
        let appointment = self.encounter(organization, id).await?.appointment;
        let patient = self.appointment(organization, appointment).await?.context.patient;
        self.origin_of_patient(organization, patient).await
    }

    /// Prices an encounter again, after the fee schedule changed.
    pub(crate) async fn price_encounter(&self, working: &Working, id: EncounterId) -> Result<After, Error> {
        let organization = working.effect.organization.clone();
        let order = self.order(&organization, "scheduling", "encounter_priced");
        let origin = self.origin_of_encounter(&organization, id).await?;
        let (billing, lease) = (self.0.settings.billing.clone(), working.lease.clone());
        let missing = self
            .apply(&id.to_string(), order, move |change| {
                charge(change, id, (&billing, &origin))?;
                let (_, state) = change.existing::<Encounter>(&id.to_string())?;
                if state.missing.is_empty() {
                    billing::finish(change, &lease, None)?;
                }
                Ok(state.missing)
            })
            .await?;
        Ok(match missing.is_empty() {
            true => After::Finished,
            false => After::Parked {
                error: format!(
                    "no price on the day of the visit for {}; nothing was charged; add it to the fee schedule",
                    missing.join(", ")
                ),
            },
        })
    }
}

/// The chain of an appointment of ours, with its encounter once there is one (I5).
pub(crate) fn documented(change: &mut Change<'_, '_>, care: Care) -> Result<Care, Error> {
    let ours = care.appointment.as_deref().and_then(|id| AppointmentId::parse(id).ok());
    let Some(id) = ours.filter(|_| care.encounter.is_none()) else { return Ok(care) };
    let encounter = change.load::<Appointment>(&id.to_string())?.state.and_then(|known| known.encounter);
    Ok(Care { encounter: encounter.map(|encounter| encounter.to_string()), ..care })
}

fn check_text(written: &Written) -> Result<(), Error> {
    match (1..=TEXT_MAX).contains(&written.text.expose().len()) {
        true => Ok(()),
        false => Err(Error::Refused(Refusal::invalid(
            "note_invalid",
            format!("Nothing was written. Give a text of 1 to {TEXT_MAX} bytes."),
        ))),
    }
}

fn decide(change: &mut Change<'_, '_>, id: EncounterId, command: &Command) -> Result<Encounter, Error> {
    let (mut loaded, state) = change.existing::<Encounter>(&id.to_string())?;
    let events = encounter::decide(Some(&state), command, change.order.now)?;
    let (_, appointment) = change.existing::<Appointment>(&state.appointment.to_string())?;
    let outcome = state.signed.last().map(|signed| signed.note.to_string());
    let care = Care { encounter: Some(id.to_string()), outcome, ..holds::care_of(change, &appointment)? };
    change.record_all(&mut loaded, &events, &care)?;
    Ok(loaded.state.unwrap_or(state))
}

/// Prices the present version, and lets its service follow. A code without a price stops here, with a question.
fn charge(change: &mut Change<'_, '_>, id: EncounterId, with: (&Billing, &Origin)) -> Result<(), Error> {
    let (_, state) = change.existing::<Encounter>(&id.to_string())?;
    let (_, appointment) = change.existing::<Appointment>(&state.appointment.to_string())?;
    let before = state.lines.clone();
    let state = match state.needs_price() {
        true => {
            let prices = find_prices(change, &state, &appointment)?;
            decide(change, id, &Command::Price { prices })?
        }
        false => state,
    };
    match state.total() {
        // An addition of words alone changes no amount: a person may have set another than the codes'.
        Some(total) => {
            let total = Some(total).filter(|_| state.lines != before);
            follow(change, (&state, &appointment), total, with)
        }
        None => ask_for_price(change, &state),
    }
}

fn ask_for_price(change: &mut Change<'_, '_>, state: &Encounter) -> Result<(), Error> {
    let job = Job::PriceEncounter { encounter: state.id };
    change.effect_once(NewEffect {
        id: format!("{}/price/{}", state.id, state.version),
        kind: job.kind(),
        lane: Some(format!("scheduling/{}", state.id)),
        destination: fees::QUEUE.to_owned(),
        stream: Some(state.id.to_string()),
        due_at: change.order.now,
        payload: job.payload(),
    })
}

fn find_prices(
    change: &mut Change<'_, '_>,
    state: &Encounter,
    appointment: &Appointment,
) -> Result<Vec<(String, Option<Money>)>, Error> {
    let organization = change.order.organization.clone();
    let (_, clinic) = change.existing::<Clinic>(&appointment.clinic.to_string())?;
    let day = clinic.zone.local(appointment.context.starts_at).date.number();
    let payer = payer_of(change, appointment)?.unwrap_or_default();
    let currency = appointment.terms.price.currency;
    let mut found = Vec::with_capacity(state.codes.len());
    for coded in &state.codes {
        let price = prices::find(change.tx, &organization, clinic.id, (&coded.code, &payer, day))?;
        // A price in another currency is no price for this visit.
        let amount = price.map(|price| price.amount).filter(|amount| amount.currency == currency);
        found.push((coded.code.clone(), amount));
    }
    Ok(found)
}

fn payer_of(change: &mut Change<'_, '_>, appointment: &Appointment) -> Result<Option<String>, Error> {
    let Some(eligibility) = appointment.eligibility else { return Ok(None) };
    let (_, check) = change.existing::<suture_core::eligibility::Eligibility>(&eligibility.to_string())?;
    match check.policy {
        Some(policy) => Ok(Some(change.existing::<Policy>(&policy.to_string())?.1.payer)),
        None => Ok(None),
    }
}

/// Brings the service in step with a priced version, with its total when that is another than before. What the service has
/// already is not done again.
fn follow(
    change: &mut Change<'_, '_>,
    (state, appointment): (&Encounter, &Appointment),
    total: Option<Money>,
    (billing, origin): (&Billing, &Origin),
) -> Result<(), Error> {
    let Some(service) = appointment.service.map(|service| service.to_string()) else { return Ok(()) };
    let (_, known) = change.existing::<Service>(&service)?;
    if !known.is_noted() {
        let lines = state.lines.clone();
        billing::decide_service(change, &service, &service::Command::Deliver { lines })?;
    }
    for (index, signed) in state.signed.iter().enumerate() {
        let kind = if index == 0 { NoteKind::Note } else { NoteKind::Addendum };
        if known.notes.iter().any(|note| note.id == signed.note) {
            continue;
        }
        let command = service::Command::Sign {
            note: signed.note,
            kind,
            signer: signed.signer.clone(),
            hash: signed.hash.clone(),
        };
        billing::decide_service(change, &service, &command)?;
    }
    if appointment.terms.timing == Timing::Hybrid {
        return match known.eligibility {
            Some(_) => bill(change, state, &known),
            None => ask_for_coverage(change, state),
        };
    }
    let Some(total) = total.filter(|total| known.set_by_person != Some(*total)) else { return Ok(()) };
    let author = "fee_schedule".to_owned();
    let command = service::Command::SetResponsibility { responsibility: total, author };
    billing::decide_service(change, &service, &command)?;
    billing::settle(change, &service, &collection::at_once(billing), origin)?;
    super::split::accrue(change, appointment, total, origin)?;
    if appointment.status == Status::Completed {
        collection::begin(change, &service)?;
    }
    Ok(())
}

/// A hybrid visit whose check belongs to another service: the payer was not asked, so the patient is not charged either.
fn ask_for_coverage(change: &mut Change<'_, '_>, state: &Encounter) -> Result<(), Error> {
    change.effect_once(NewEffect {
        id: format!("{}/coverage/{}", state.id, state.version),
        kind: "ask_person",
        lane: None,
        destination: "coverage".to_owned(),
        stream: Some(state.id.to_string()),
        due_at: change.order.now,
        payload: Job::ask(
            "the visit was to be billed to the payer, and its service has no eligibility check; nothing was billed or \
             charged; name a check on the service and sign an addendum, or set what the patient owes"
                .to_owned(),
        ),
    })
}

/// The claim of a hybrid visit, by a control number that payers send back whole. A correction of a sent claim is a person's.
fn bill(change: &mut Change<'_, '_>, state: &Encounter, known: &Service) -> Result<(), Error> {
    if known.claim.is_none() {
        let id = state.id.to_string();
        let digits: String = id.chars().rev().take(18).collect::<Vec<_>>().into_iter().rev().collect();
        let command = service::Command::Bill { claim: format!("S{}", digits.to_ascii_uppercase()) };
        billing::decide_service(change, &known.id.to_string(), &command)?;
        return billing::after_command(change, known.id, &command);
    }
    let sum: i64 = state.lines.iter().map(|line| line.charge.minor).sum();
    if known.charge_minor() == Some(sum) {
        return Ok(());
    }
    change.effect_once(NewEffect {
        id: format!("{}/claim/{}", state.id, state.version),
        kind: "ask_person",
        lane: None,
        destination: "claims".to_owned(),
        stream: Some(state.id.to_string()),
        due_at: change.order.now,
        payload: Job::ask(
            "an addendum changed the codes of a claim that was sent; send a corrected claim to the payer, or leave it; \
             nothing was charged to the patient"
                .to_owned(),
        ),
    })
}
