//! Engines that are broken on purpose, from outside of them: what a broken engine would not have written is taken out of its
//! database after every move, and what it would have written is put in.
//!
//! Called by the run, so that tests see that the judge notices.

use suture_core::appointment::{Appointment, Confirmation, Event, Status};
use suture_core::explain::{Actor, Care, Reason};
use suture_core::id::{Mint, ServiceId};
use suture_core::time::Timestamp;
use suture_engine::Error;
use suture_store::calendar::{self, Slot, SlotState};
use suture_store::journal::{self, At, Cause, NewEvent};
use suture_store::statement::Statement;
use suture_store::visits::{self, Visit, Whose};
use suture_store::{Store, Tx};

use crate::chance::SeededRandom;
use crate::run::Sabotage;
use crate::world::World;

const FORGET: Statement =
    Statement::new("forget planned work", "delete from effects where kind = $1 and state = 'ready'");
const YEARS: (Timestamp, Timestamp) =
    (Timestamp::from_millis(1_700_000_000_000), Timestamp::from_millis(1_900_000_000_000));

/// Breaks what an engine broken like this would have broken by now.
///
/// # Errors
/// The store's, as a sentence.
pub(crate) async fn meddle(world: &World, sabotage: Sabotage) -> Result<(), String> {
    let (store, organization) = (world.store(), world.organization.clone());
    let done = match sabotage {
        Sabotage::ForgottenHoldEnd => forget(store, "end_hold").await,
        Sabotage::ForgottenRefund => forget(store, "refund").await,
        Sabotage::ForgottenSlot => store.write(move |tx| keep_slots(tx, &organization)).await,
        Sabotage::UnprovenBooking => {
            let now = world.clock.now();
            store.write(move |tx| confirm_all(tx, &organization, now)).await
        }
        _ => Ok(()),
    };
    done.map_err(|error| error.to_string())
}

async fn forget(store: &Store, kind: &'static str) -> Result<(), Error> {
    store.write(move |tx| Ok(tx.execute(&FORGET, &[kind.into()]).map(|_| ())?)).await
}

/// A cancellation that forgets to free the slot.
fn keep_slots(tx: &mut Tx<'_>, organization: &str) -> Result<(), Error> {
    for visit in standing(tx, organization, Status::Canceled)? {
        if calendar::slot(tx, organization, visit.appointment)?.is_some() {
            continue;
        }
        let number = calendar::number(tx, organization, visit.provider)?;
        let span = (visit.starts_at, visit.ends_at);
        if calendar::overlapping(tx, number, span, 1)?.is_empty() {
            let (appointment, state) = (visit.appointment, SlotState::Booked);
            let slot = Slot { appointment, from: span.0, until: span.1, state, held_until: None };
            calendar::take(tx, (organization, visit.provider, number), &slot)?;
        }
    }
    Ok(())
}

/// Bookings that are confirmed without money.
fn confirm_all(tx: &mut Tx<'_>, organization: &str, now: Timestamp) -> Result<(), Error> {
    for visit in standing(tx, organization, Status::PendingPayment)? {
        let stream = visit.appointment.to_string();
        let Some(found) = journal::load::<Appointment>(tx, organization, &stream)? else { continue };
        let random = SeededRandom::new(u64::try_from(found.version).unwrap_or(0));
        let service = ServiceId::mint(Mint::new(now, &random));
        let (context, confirmation) = (found.state.context, Confirmation::NothingDue);
        let event = Event::BookingConfirmed { context, confirmation, service };
        let Some(after) = Appointment::evolve(Some(found.state), &event) else { continue };
        let body = serde_json::to_value(&event).unwrap_or_default();
        let at = At {
            organization,
            stream: &stream,
            kind: "appointment",
            version: found.version,
            head: found.head,
        };
        let cause = Cause {
            actor: Actor::System("saboteur".to_owned()),
            reason: Reason::of("sabotage"),
            care: Care::default(),
            at: now,
        };
        journal::append(tx, at, vec![NewEvent { kind: event.kind(), body }], &cause, &after)?;
        calendar::mark(tx, organization, visit.appointment, (SlotState::Booked, None))?;
        visits::put(tx, organization, &after, now)?;
    }
    Ok(())
}

fn standing(tx: &mut Tx<'_>, organization: &str, status: Status) -> Result<Vec<Visit>, Error> {
    let mut rows = visits::list(tx, organization, Whose::All, YEARS, 1_000)?;
    rows.retain(|row| row.status == status);
    Ok(rows)
}
