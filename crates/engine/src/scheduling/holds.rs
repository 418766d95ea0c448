//! Selecting a slot: the hold, the deposit's debt and the timer that ends it, in one transaction.

use suture_core::appointment::{self, Appointment, Command, Context, Selection};
use suture_core::debt::{self, Debt};
use suture_core::eligibility::{Eligibility, Status as Checked};
use suture_core::explain::{Care, Reason};
use suture_core::id::{
    AppointmentId, DebtId, EligibilityId, LinkId, PatientId, ProviderId, ServiceId, VisitTypeId, WaitingId,
};
use suture_core::money::Money;
use suture_core::patient::Patient;
use suture_core::payment::Purpose;
use suture_core::practice::{Clinic, Provider, VisitType};
use suture_core::refusal::Refusal;
use suture_core::time::Timestamp;
use suture_core::visit::{Terms, Timing, choose};
use suture_store::calendar::{self, Slot, SlotState};
use suture_store::{links, visits};

use crate::Error;
use crate::billing;
use crate::change::{Change, Loaded};
use crate::engine::Engine;
use crate::facts::Origin;
use crate::job::Job;
use crate::payments::Caller;

use super::{booking, search, timers};

/// A slot to select.
#[derive(Debug, Clone)]
pub struct Select {
    /// Who.
    pub patient: PatientId,
    /// With whom.
    pub provider: ProviderId,
    /// What.
    pub visit_type: VisitTypeId,
    /// When.
    pub starts_at: Timestamp,
    /// The patient's zone; the clinic's when absent.
    pub zone: Option<String>,
    /// The coverage that a hybrid visit's deposit is computed from.
    pub eligibility: Option<EligibilityId>,
    /// The guarantor account in the EHR, when its payments are posted there.
    pub account: Option<String>,
    /// Whether it is an emergency, or part of care that must go on.
    pub emergency: bool,
}

/// The name under which changes of a provider's calendar are told to watchers, and written by one writer.
pub(super) fn calendar_of(provider: ProviderId) -> String {
    format!("calendar/{provider}")
}

impl Engine {
    /// Holds a slot for a patient. A visit without a deposit is confirmed at once.
    ///
    /// # Errors
    /// [`Error::Refused`]: `slot_taken` with the next openings, and whatever else makes the time impossible.
    pub async fn select_slot(&self, caller: &Caller, select: Select) -> Result<Appointment, Error> {
        let order = self.order_of(caller, Reason::of("slot_selected"));
        let origin = self.any_origin(&caller.organization);
        self.apply(&calendar_of(select.provider), order, move |change| {
            let held = hold(change, &select, None)?;
            if select.emergency {
                let by = change.order.actor.parts().1.to_owned();
                decide(change, held.id, &Command::MarkEmergency { emergency: true, by })?;
            }
            if held.terms.deposit.minor == 0 {
                confirm(change, held.id, &origin)?;
            }
            change.existing::<Appointment>(&held.id.to_string()).map(|(_, state)| state)
        })
        .await
    }

    /// An appointment as known now.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn appointment(&self, organization: &str, id: AppointmentId) -> Result<Appointment, Error> {
        self.state::<Appointment>(organization, &id.to_string()).await
    }
}

/// Everything that a booking is made of.
pub(super) struct Parts {
    pub(super) provider: Provider,
    pub(super) clinic: Clinic,
    pub(super) visit: VisitType,
}

impl Parts {
    pub(super) fn load(
        change: &mut Change<'_, '_>,
        provider: ProviderId,
        visit_type: VisitTypeId,
    ) -> Result<Self, Error> {
        let (_, provider) = change.existing::<Provider>(&provider.to_string())?;
        let (_, visit) = change.existing::<VisitType>(&visit_type.to_string())?;
        let (_, clinic) = change.existing::<Clinic>(&provider.clinic.to_string())?;
        Ok(Self { provider, clinic, visit })
    }

    pub(super) fn all(&self) -> (&Provider, &Clinic, &VisitType) {
        (&self.provider, &self.clinic, &self.visit)
    }

    fn bookable(&self) -> Result<(), Refusal> {
        let offers = self.provider.active
            && self.visit.active
            && self.provider.clinic == self.visit.clinic
            && self.provider.offers(self.visit.id)
            && self.visit.specialty.as_ref().is_none_or(|needed| self.provider.specialties.contains(needed));
        match offers {
            true => Ok(()),
            false => Err(Refusal::invalid(
                "visit_type_not_offered",
                "Nothing was held: this provider does not offer this type of visit. Search for openings again.",
            )),
        }
    }

    fn timing(&self) -> Timing {
        choose(self.visit.timing.as_ref(), self.provider.timing.as_ref(), &self.clinic.timing).timing
    }
}

/// Holds a slot, for a patient who selected it or for a place of the waiting list that it is offered to.
pub(super) fn hold(
    change: &mut Change<'_, '_>,
    select: &Select,
    waiting: Option<WaitingId>,
) -> Result<Appointment, Error> {
    let parts = Parts::load(change, select.provider, select.visit_type)?;
    parts.bookable()?;
    let (_, patient) = change.existing::<Patient>(&select.patient.to_string())?;
    if parts.visit.method_required && patient.usable_methods(change.order.now).next().is_none() {
        return Err(Error::Refused(Refusal::state(
            "method_missing",
            "Nothing was held: this visit is booked only with a payment method on file, and the patient has none. Set \
             one up first.",
        )));
    }
    if waiting.is_none() {
        few_holds(change, select.patient)?;
    }
    free_at(change, &parts, select.starts_at)?;
    let (terms, link) = terms_of(change, &parts, select, &patient)?;
    terms.check()?;
    let zone = match &select.zone {
        Some(zone) => suture_core::calendar::Zone::parse(zone)
            .map_err(|wrong| Refusal::invalid("zone_unknown", format!("Nothing was held: {wrong}.")))?,
        None => parts.clinic.zone.clone(),
    };
    // Nothing is written before this line: who offers a slot to the next goes on when it is refused here.
    let id = AppointmentId::mint(change.mint());
    let link = make_link(change, (id, &patient), (link, select.account.clone()))?;
    let care = billing::care_of_link(change, &link)?;
    let debt = deposit_debt(change, id, &link, terms.deposit, &care)?;
    let selection = Selection {
        appointment: id,
        context: Context {
            patient: select.patient,
            provider: select.provider,
            visit_type: select.visit_type,
            starts_at: select.starts_at,
        },
        clinic: parts.clinic.id,
        ends_at: select.starts_at + parts.visit.need().duration(),
        zone: zone.name().to_owned(),
        link,
        debt,
        terms,
        eligibility: select.eligibility,
        waiting,
    };
    let mut loaded = Loaded::<Appointment>::fresh(id.to_string());
    let events = appointment::decide(None, &Command::Select(Box::new(selection)), change.order.now)?;
    change.record_all(&mut loaded, &events, &care)?;
    let Some(held) = loaded.state else { return Err(Error::not_found("appointment", &id.to_string())) };
    occupy(change, &held, &parts.visit, SlotState::Held)?;
    written(change, &held)?;
    timers::plan(change, &held, "end-hold", held.held_until, &Job::EndHold { appointment: id })?;
    Ok(held)
}

/// A patient who tries several times does not need more slots than this at once; a program that blocks a calendar does.
const HOLDS_MAX: usize = 3;

fn few_holds(change: &mut Change<'_, '_>, patient: PatientId) -> Result<(), Error> {
    let (organization, now) = (change.order.organization.clone(), change.order.now);
    let whose = visits::Whose::Patient(patient);
    let ahead = (now, Timestamp::from_millis(i64::MAX));
    let held = visits::list(change.tx, &organization, whose, ahead, 200)?;
    let held = held.iter().filter(|visit| visit.status == appointment::Status::PendingPayment).count();
    match held < HOLDS_MAX {
        true => Ok(()),
        false => Err(Error::Refused(Refusal::held(
            "too_many_holds",
            format!(
                "Nothing was held: {held} slots are held for this patient and not paid. Pay one, cancel one, or wait \
                 until a hold ends."
            ),
        ))),
    }
}

/// Whether a visit can begin then; says what is free nearby when somebody was faster.
pub(super) fn free_at(change: &mut Change<'_, '_>, parts: &Parts, starts_at: Timestamp) -> Result<(), Error> {
    let admitted = search::admit(change, parts.all(), starts_at);
    let need = parts.visit.need();
    let taken = match admitted {
        Ok(()) => {
            let organization = change.order.organization.clone();
            let number = calendar::number(change.tx, &organization, parts.provider.id)?;
            let span = (starts_at - need.before(), starts_at + need.duration() + need.after());
            !calendar::overlapping(change.tx, number, span, 1)?.is_empty()
        }
        Err(Error::Refused(refusal)) if refusal.code == "slot_taken" => true,
        Err(other) => return Err(other),
    };
    if !taken {
        return Ok(());
    }
    let nearby: Vec<String> = search::nearest(change, parts.all(), starts_at)?
        .into_iter()
        .map(|start| start.to_rfc3339())
        .collect();
    let next = match nearby.is_empty() {
        true => "Search for another time.".to_owned(),
        false => format!("The next openings of this provider are {}.", nearby.join(", ")),
    };
    Err(Error::Refused(Refusal::state(
        "slot_taken",
        format!("Nothing was held and nothing is charged: this slot was just taken. {next}"),
    )))
}

/// The terms of a booking, and the link of the coverage that its deposit comes from.
fn terms_of(
    change: &mut Change<'_, '_>,
    parts: &Parts,
    select: &Select,
    patient: &Patient,
) -> Result<(Terms, Option<String>), Error> {
    let mut terms = parts.visit.terms(parts.timing());
    let Some(eligibility) = select.eligibility.filter(|_| terms.timing == Timing::Hybrid) else {
        return match terms.timing {
            Timing::Hybrid => Err(Error::Refused(Refusal::state(
                "coverage_not_verified",
                "Nothing was held: the deposit of this visit comes from verified coverage. Name an answered \
                 eligibility check.",
            ))),
            Timing::DepositToBook | Timing::PostVisit => Ok((terms, None)),
        };
    };
    let (_, check) = change.existing::<Eligibility>(&eligibility.to_string())?;
    if check.patient != patient.id {
        return Err(Error::Refused(Refusal::invalid(
            "eligibility_of_another_patient",
            "Nothing was held: the eligibility check belongs to another patient.",
        )));
    }
    not_used(change, &check)?;
    let share = check.responsibility.as_ref().filter(|_| check.status == Checked::Eligible);
    let share = share.map(|share| share.total).ok_or_else(|| {
        Refusal::state(
            "coverage_not_verified",
            format!(
                "Nothing was held: the eligibility check is {}, and the deposit comes from verified coverage. Wait for \
                 the answer, or choose another type of visit.",
                check.status.name()
            ),
        )
    })?;
    if share.currency != terms.price.currency {
        return Err(Error::Refused(Refusal::invalid(
            "currency_mismatch",
            "Nothing was held: the coverage is in another currency than the visit.",
        )));
    }
    let most = if terms.price.minor > 0 { terms.price.minor } else { share.minor };
    terms.deposit = Money::new(share.minor.min(most), share.currency);
    Ok((terms, Some(check.link)))
}

/// One check confirms one service: a second deposit taken with it could not book anything.
fn not_used(change: &mut Change<'_, '_>, check: &Eligibility) -> Result<(), Error> {
    let organization = change.order.organization.clone();
    let link = links::get(change.tx, &organization, &check.link)?;
    let latest = link.and_then(|link| link.appointment).filter(|id| AppointmentId::parse(id).is_ok());
    let held = match latest {
        Some(id) => change.load::<Appointment>(&id)?.state.is_some_and(|other| other.status.occupies()),
        None => false,
    };
    if !held && billing::service_of_check(change, check.id)?.is_none() {
        return Ok(());
    }
    Err(Error::Refused(Refusal::state(
        "eligibility_used",
        "Nothing was held: another appointment uses this eligibility check. Check the coverage again, and name the new \
         check.",
    )))
}

/// The link that all money of the appointment carries.
fn make_link(
    change: &mut Change<'_, '_>,
    (id, patient): (AppointmentId, &Patient),
    (of_coverage, account): (Option<String>, Option<String>),
) -> Result<String, Error> {
    let organization = change.order.organization.clone();
    if let Some(known) = of_coverage {
        let found = links::get(change.tx, &organization, &known)?;
        let mut link = found.ok_or_else(|| Error::not_found("link", &known))?;
        // The latest appointment of a check is the one that its money is for; one check confirms one service.
        link.appointment = Some(id.to_string());
        links::update(change.tx, &organization, &link)?;
        return Ok(link.id);
    }
    let link = links::Link {
        id: LinkId::mint(change.mint()).to_string(),
        patient: patient.external.get("epic").cloned().unwrap_or_else(|| patient.id.to_string()),
        account,
        claim: None,
        encounter: None,
        practitioner: None,
        appointment: Some(id.to_string()),
        coverage: None,
        purpose: Purpose::Deposit,
        due: None,
        service_codes: Vec::new(),
        created_by: change.order.actor.parts().1.to_owned(),
        created_at: change.order.now,
    };
    links::insert(change.tx, &organization, &link)?;
    Ok(link.id)
}

fn deposit_debt(
    change: &mut Change<'_, '_>,
    appointment: AppointmentId,
    link: &str,
    owed: Money,
    care: &Care,
) -> Result<Option<DebtId>, Error> {
    match owed.minor > 0 {
        true => record_debt(change, appointment, link, owed, care).map(Some),
        false => Ok(None),
    }
}

/// A debt of an appointment: what is taken for it counts as a deposit until the care is given.
pub(super) fn record_debt(
    change: &mut Change<'_, '_>,
    appointment: AppointmentId,
    link: &str,
    owed: Money,
    care: &Care,
) -> Result<DebtId, Error> {
    let debt = DebtId::mint(change.mint());
    let record = debt::Command::Record {
        debt,
        care: care.clone(),
        link: link.to_owned(),
        purpose: Purpose::Deposit,
        owed,
        owner: Some(appointment.to_string()),
    };
    let mut stream = Loaded::<Debt>::fresh(debt.to_string());
    change.record_all(&mut stream, &debt::decide(None, &record)?, care)?;
    Ok(debt)
}

/// Takes the slot of an appointment.
pub(super) fn occupy(
    change: &mut Change<'_, '_>,
    appointment: &Appointment,
    visit: &VisitType,
    state: SlotState,
) -> Result<(), Error> {
    let organization = change.order.organization.clone();
    let provider = appointment.context.provider;
    let number = calendar::number(change.tx, &organization, provider)?;
    let need = visit.need();
    let slot = Slot {
        appointment: appointment.id,
        from: appointment.context.starts_at - need.before(),
        until: appointment.ends_at + need.after(),
        state,
        held_until: (state == SlotState::Held).then_some(appointment.held_until),
    };
    calendar::take(change.tx, (&organization, provider, number), &slot)?;
    change.touched.push(calendar_of(provider));
    Ok(())
}

/// Frees the slot of an appointment, and says whether it had one.
pub(super) fn release(change: &mut Change<'_, '_>, appointment: &Appointment) -> Result<bool, Error> {
    let organization = change.order.organization.clone();
    let provider = appointment.context.provider;
    let freed = calendar::free(change.tx, (&organization, provider), appointment.id)?.is_some();
    change.touched.push(calendar_of(provider));
    Ok(freed)
}

/// Decides a command on an appointment, saves it, and keeps its row in step.
pub(super) fn decide(
    change: &mut Change<'_, '_>,
    id: AppointmentId,
    command: &Command,
) -> Result<(Appointment, Vec<appointment::Event>), Error> {
    let (mut loaded, state) = change.existing::<Appointment>(&id.to_string())?;
    let events = appointment::decide(Some(&state), command, change.order.now)?;
    let care = care_of(change, &state)?;
    change.record_all(&mut loaded, &events, &care)?;
    let after = loaded.state.unwrap_or(state);
    if !events.is_empty() {
        written(change, &after)?;
    }
    Ok((after, events))
}

/// The chain of an appointment.
pub(super) fn care_of(change: &mut Change<'_, '_>, appointment: &Appointment) -> Result<Care, Error> {
    let care = billing::care_of_link(change, &appointment.link)?;
    let encounter = appointment.encounter.map(|encounter| encounter.to_string());
    Ok(Care { encounter: care.encounter.clone().or(encounter), ..care })
}

pub(super) fn written(change: &mut Change<'_, '_>, appointment: &Appointment) -> Result<(), Error> {
    let organization = change.order.organization.clone();
    Ok(visits::put(change.tx, &organization, appointment, change.order.now)?)
}

/// Confirms a booking for which no money is due.
pub(super) fn confirm(
    change: &mut Change<'_, '_>,
    id: AppointmentId,
    origin: &Origin,
) -> Result<Appointment, Error> {
    let service = ServiceId::mint(change.mint());
    let (after, events) = decide(change, id, &Command::Confirm { service })?;
    if !events.is_empty() {
        booking::confirmed(change, &after, origin)?;
    }
    Ok(after)
}
