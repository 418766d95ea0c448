//! The waiting list: a released slot is held for the first patient who wants it, then for the next, three in all.

use suture_core::appointment::{Appointment, Context};
use suture_core::explain::{Care, Reason};
use suture_core::id::{AppointmentId, WaitingId};
use suture_core::waiting::{self, Command, Status, Waiting, Wish};
use suture_store::calendar;

use crate::Error;
use crate::change::{Change, Loaded};
use crate::engine::Engine;
use crate::payments::Caller;

use super::holds::{self, Select};
use super::tell;

/// A slot is offered to so many, one after the other.
const OFFERS: usize = 3;
/// So many places are looked at for one slot.
const LOOK_AT: i64 = 50;

impl Engine {
    /// Puts a patient on the waiting list.
    ///
    /// # Errors
    /// [`Error::Refused`] for a time that is over.
    pub async fn join_waiting_list(&self, caller: &Caller, wish: Wish) -> Result<Waiting, Error> {
        let order = self.order_of(caller, Reason::of("waiting_list_joined"));
        self.apply("waiting", order, move |change| {
            let id = WaitingId::mint(change.mint());
            change.existing::<suture_core::patient::Patient>(&wish.patient.to_string())?;
            change.existing::<suture_core::practice::VisitType>(&wish.visit_type.to_string())?;
            let command = Command::Join { waiting: id, wish: wish.clone() };
            let events = waiting::decide(None, &command, change.order.now)?;
            let mut loaded = Loaded::<Waiting>::fresh(id.to_string());
            change.record_all(&mut loaded, &events, &care_of(&wish))?;
            let organization = change.order.organization.clone();
            let span = (wish.from, wish.until, change.order.now);
            calendar::wait(change.tx, &organization, (id, wish.visit_type, wish.provider), span)?;
            loaded.state.ok_or_else(|| Error::not_found("waiting", &id.to_string()))
        })
        .await
    }

    /// Takes a patient off the waiting list.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn leave_waiting_list(
        &self,
        caller: &Caller,
        id: WaitingId,
        reason: &str,
    ) -> Result<Waiting, Error> {
        let order = self.order_of(caller, Reason::parse(reason)?);
        let reason = reason.to_owned();
        self.apply("waiting", order, move |change| {
            decide(change, id, &Command::Leave { reason: reason.clone() })
        })
        .await
    }

    /// A place as known now.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn waiting(&self, organization: &str, id: WaitingId) -> Result<Waiting, Error> {
        self.state::<Waiting>(organization, &id.to_string()).await
    }

    /// Takes the offer of a slot that costs nothing now. One with a deposit is taken by paying it.
    ///
    /// # Errors
    /// [`Error::Refused`]: `deposit_required`, or `not_allowed_now` once the offer ran out.
    pub async fn accept_offer(&self, caller: &Caller, id: AppointmentId) -> Result<Appointment, Error> {
        let order = self.order_of(caller, Reason::of("offer_accepted"));
        let origin = self.any_origin(&caller.organization);
        self.apply(&id.to_string(), order, move |change| holds::confirm(change, id, &origin)).await
    }
}

fn care_of(wish: &Wish) -> Care {
    Care { patient: Some(wish.patient.to_string()), ..Care::default() }
}

fn decide(change: &mut Change<'_, '_>, id: WaitingId, command: &Command) -> Result<Waiting, Error> {
    let (mut loaded, state) = change.existing::<Waiting>(&id.to_string())?;
    let events = waiting::decide(Some(&state), command, change.order.now)?;
    change.record_all(&mut loaded, &events, &care_of(&state.wish))?;
    let after = loaded.state.unwrap_or(state);
    let organization = change.order.organization.clone();
    if matches!(after.status, Status::Booked | Status::Left) {
        calendar::stop_waiting(change.tx, &organization, id)?;
    }
    Ok(after)
}

/// An appointment that came from the list is booked: its place is used.
pub(super) fn booked(change: &mut Change<'_, '_>, appointment: &Appointment) -> Result<(), Error> {
    match appointment.waiting {
        Some(id) => decide(change, id, &Command::Book { appointment: appointment.id }).map(|_| ()),
        None => Ok(()),
    }
}

/// The key under which the round of offers that an appointment belongs to is found.
fn round_of(appointment: AppointmentId) -> String {
    format!("offer-round/{appointment}")
}

/// Offers a slot that was just freed to the next who wants it. The offers that ran out are counted by the offers that were
/// made of this slot.
pub(super) fn offer_next(change: &mut Change<'_, '_>, freed: &Appointment) -> Result<(), Error> {
    if let Some(id) = freed.waiting {
        decide(change, id, &Command::Pass { appointment: freed.id })?;
    }
    let context = freed.context;
    if context.starts_at <= change.order.now {
        return Ok(());
    }
    let organization = change.order.organization.clone();
    // Every release begins a round of its own; an offer that ran out goes on with the round that it came from.
    let known = suture_store::journal::referred(change.tx, &organization, &round_of(freed.id))?;
    let round = known.unwrap_or_else(|| freed.id.to_string());
    let slot = format!("offers/{round}");
    let wanted = (context.visit_type, context.provider, context.starts_at);
    let mut places = Vec::new();
    for id in calendar::next_waiting(change.tx, &organization, wanted, LOOK_AT)? {
        let (_, place) = change.existing::<Waiting>(&id.to_string())?;
        let offered = suture_store::journal::referred(change.tx, &organization, &format!("{slot}/{id}"))?;
        places.push((id, place, offered.is_some()));
    }
    let mut tried = places.iter().filter(|(.., offered)| *offered).count();
    for (id, place, offered) in places {
        let wants = place.wants(context.visit_type, context.provider, context.starts_at);
        if offered || !wants || tried >= OFFERS {
            continue;
        }
        let Some(held) = hold_for(change, &place, context)? else { continue };
        tried = OFFERS;
        change.claim_key(&format!("{slot}/{id}"), &id.to_string())?;
        change.claim_key(&round_of(held.id), &round)?;
        decide(change, id, &Command::Offer { appointment: held.id })?;
        tell::offered(change, &held)?;
    }
    Ok(())
}

/// Holds a slot for a place. `None`: too late for the notice that the visit needs, no card on file, or the time is not free
/// after all. The place was not asked then, and is when the slot is free again.
fn hold_for(
    change: &mut Change<'_, '_>,
    place: &Waiting,
    context: Context,
) -> Result<Option<Appointment>, Error> {
    let select = Select {
        patient: place.wish.patient,
        provider: context.provider,
        visit_type: context.visit_type,
        starts_at: context.starts_at,
        zone: Some(place.wish.zone.clone()),
        eligibility: None,
        account: None,
        emergency: false,
    };
    change.because("scheduling", "waiting_list", |change| {
        match holds::hold(change, &select, Some(place.id)) {
            Ok(held) => Ok(Some(held)),
            Err(Error::Refused(_)) => Ok(None),
            Err(other) => Err(other),
        }
    })
}
