//! Visits after every move: the slot table against the journal, and I4 against what Stripe really moved.
//!
//! Called by the run after [`super::Watch::check`]. The journal tells what the engine decided, the tables what it wrote, and
//! the movements what happened; the three must agree.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use suture_core::calendar::{Month, Page};
use suture_core::id::ProviderId;
use suture_core::practice::VisitType;
use suture_core::time::Timestamp;
use suture_engine::Error;
use suture_store::calendar::{self, Slot, SlotState};
use suture_store::visits::{self, Visit, Whose};

use super::visit_books::{VisitBook, VisitBooks};
use super::watch::{Watch, text};
use crate::schedule::Front;
use crate::world::World;

const MINUTE_MS: i64 = 60_000;
/// The tables are looked at in this time: a year that holds every schedule.
const FROM_MS: i64 = 1_793_000_000_000;
const SPAN_MS: i64 = 365 * 86_400_000;

/// What a provider's calendar holds.
struct Calendar {
    slots: Vec<Slot>,
    pages: Vec<Page>,
}

/// Checks visits after a move.
///
/// # Errors
/// The broken rule, as a sentence.
pub async fn visits_hold(world: &World, front: &Front, watch: &mut Watch) -> Result<(), String> {
    if watch.visits_are_checked() {
        return Ok(());
    }
    let books = watch.visits();
    let (practice, _) = front.told();
    let (rows, calendars) = tables(world, &practice.providers).await?;
    check_rows(books, &rows)?;
    for (provider, calendar) in &calendars {
        check_slots(books, &practice.visits, &provider.to_string(), calendar)?;
        check_pages(&calendar.slots, &calendar.pages)?;
    }
    books.check_offers(world.clock.millis())?;
    check_deposits(world, watch)?;
    check_late(watch)
}

type Tables = (Vec<Visit>, Vec<(ProviderId, Calendar)>);

async fn tables(world: &World, providers: &[ProviderId]) -> Result<Tables, String> {
    let (organization, providers) = (world.organization.clone(), providers.to_vec());
    let span = (Timestamp::from_millis(FROM_MS), Timestamp::from_millis(FROM_MS + SPAN_MS));
    let read = world.store().read(move |tx| {
        let rows = visits::list(tx, &organization, Whose::All, span, 10_000)?;
        let mut calendars = Vec::new();
        for provider in providers.iter().copied() {
            let number = calendar::number(tx, &organization, provider)?;
            let slots = calendar::overlapping(tx, number, span, 10_000)?;
            let months = (Month::of(span.0), Month::of(span.1));
            let pages = calendar::pages_of(tx, (&organization, provider), months)?;
            calendars.push((provider, Calendar { slots, pages }));
        }
        Ok::<_, Error>((rows, calendars))
    });
    read.await.map_err(text)
}

/// Every row of a visit says what its stream says, and every stream has one.
fn check_rows(books: &VisitBooks, rows: &[Visit]) -> Result<(), String> {
    if rows.len() != books.visits.len() {
        return Err(format!("V2: {} rows of visits for {} streams", rows.len(), books.visits.len()));
    }
    for row in rows {
        let id = row.appointment.to_string();
        let known = books.visits.get(&id).ok_or_else(|| format!("V2: {id} has a row and no stream"))?;
        let (starts, ends) = (row.starts_at.millis(), row.ends_at.millis());
        if (row.status.name(), starts, ends) != (known.status, known.starts_ms, known.ends_ms) {
            return Err(format!(
                "V2: the row of {id} says {} at {starts}, its stream {} at {}",
                row.status.name(),
                known.status,
                known.starts_ms
            ));
        }
    }
    Ok(())
}

/// Each appointment that occupies a time has one slot of that time, nobody else has one, and no two overlap.
fn check_slots(
    books: &VisitBooks,
    types: &[VisitType],
    provider: &str,
    calendar: &Calendar,
) -> Result<(), String> {
    let mut expected: BTreeMap<&str, &VisitBook> = BTreeMap::new();
    for (id, visit) in books.visits.iter().filter(|(_, visit)| visit.provider == provider) {
        if visit.occupies() {
            expected.insert(id, visit);
        }
    }
    let mut latest: Option<&Slot> = None;
    for slot in &calendar.slots {
        if let Some(before) = latest.filter(|before| before.until > slot.from) {
            return Err(format!("V1: {} and {} overlap", before.appointment, slot.appointment));
        }
        latest = Some(slot);
        let id = slot.appointment.to_string();
        let Some(visit) = expected.remove(id.as_str()) else {
            return Err(format!("V3: {id} has a slot, and does not occupy one"));
        };
        let around = types.iter().find(|known| known.id.to_string() == visit.visit_type);
        let around = around.map_or((0, 0), |known| (known.before_minutes, known.after_minutes));
        let from = visit.starts_ms - i64::from(around.0) * MINUTE_MS;
        let until = visit.ends_ms + i64::from(around.1) * MINUTE_MS;
        let held = (visit.status == "pending_payment").then_some(visit.held_until_ms);
        let state = if held.is_some() { SlotState::Held } else { SlotState::Booked };
        let found = (slot.from.millis(), slot.until.millis(), slot.state, slot.held_until);
        if found != (from, until, state, held.map(Timestamp::from_millis)) {
            return Err(format!("V3: the slot of {id} is {slot:?}; it is {} from {from}", visit.status));
        }
    }
    match expected.pop_first() {
        Some((id, visit)) => Err(format!("V3: {id} is {} and has no slot", visit.status)),
        None => Ok(()),
    }
}

/// The bits that searches read are those of the slots.
fn check_pages(slots: &[Slot], pages: &[Page]) -> Result<(), String> {
    let mut expected: BTreeMap<Month, Page> = BTreeMap::new();
    for slot in slots {
        for month in Month::touched(slot.from, slot.until) {
            expected.entry(month).or_insert_with(|| Page::new(month)).occupy(slot.from, slot.until);
        }
    }
    for page in pages {
        let known = expected.remove(&page.month()).unwrap_or_else(|| Page::new(page.month()));
        if known != *page {
            return Err(format!("V4: the page of {} differs from the slots", page.month()));
        }
    }
    match expected.pop_first() {
        Some((month, _)) => Err(format!("V4: there are slots in {month} and no page")),
        None => Ok(()),
    }
}

/// What Stripe holds for a payment of ours.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Held {
    /// Charged, in minor units, whatever went back later.
    pub(super) charged: i64,
    /// Charged less what went back and stayed there.
    pub(super) net: i64,
    /// When it was charged.
    pub(super) charged_ms: i64,
    /// Whether money was reserved at some time, and how much is now.
    pub(super) was_reserved: bool,
    pub(super) reserved: i64,
    /// A refund came back, or a bank disputes it: then people act.
    pub(super) troubled: bool,
    /// Somebody gave back without us.
    pub(super) external: bool,
}

/// What Stripe holds by payment. Reservations need the intents as well.
pub(super) fn held(world: &World) -> Result<BTreeMap<String, Held>, String> {
    let mut held: BTreeMap<String, Held> = BTreeMap::new();
    for movement in world.movements() {
        let Some(payment) = payment_of(&movement["metadata"]) else { continue };
        let row = held.entry(payment).or_default();
        let amount = movement["amount"].as_i64().unwrap_or(0);
        match movement["motion"].as_str().unwrap_or_default() {
            "charge" => {
                (row.charged, row.net) = (row.charged + amount, row.net + amount);
                row.charged_ms = movement["at_ms"].as_i64().unwrap_or(0);
            }
            "refund" => {
                row.net -= amount;
                row.external |= movement["external"] == true;
            }
            "refund_failure" => (row.net, row.troubled) = (row.net + amount, true),
            "dispute" => row.troubled = true,
            _ => {}
        }
    }
    let state = world.outside.at_stripe("state", &json!({ "only": ["payment_intents", "charges"] }))?;
    let charges = state["charges"].as_array().cloned().unwrap_or_default();
    for intent in state["payment_intents"].as_array().into_iter().flatten() {
        let Some(payment) = payment_of(&intent["metadata"]) else { continue };
        let row = held.entry(payment).or_default();
        if intent["status"] == "requires_capture" {
            row.reserved += intent["amount"].as_i64().unwrap_or(0);
        }
        let of = |charge: &&Value| charge["payment_intent"] == intent["id"];
        row.was_reserved |= charges.iter().filter(of).any(|charge| charge["status"] == "succeeded");
    }
    Ok(held)
}

fn payment_of(metadata: &Value) -> Option<String> {
    let payment = metadata["suture_attempt"].as_str()?.split('/').next()?;
    Some(payment.to_owned())
}

/// I4: what stands by a deposit has one at Stripe, and no rule gave it back.
fn check_deposits(world: &World, watch: &Watch) -> Result<(), String> {
    let books = watch.visits();
    if !books.visits.values().any(VisitBook::stands_by_deposit) {
        return Ok(());
    }
    let held = held(world)?;
    for (id, visit) in books.visits.iter().filter(|(_, visit)| visit.stands_by_deposit()) {
        let payments: Vec<&String> = watch.payments_of_debt(visit.deposit_debt.as_deref()).collect();
        let proven = payments
            .iter()
            .filter_map(|payment| held.get(*payment))
            .any(|held| held.charged >= visit.deposit || (visit.reserve_only && held.was_reserved));
        if !proven {
            return Err(format!("I4: {id} is {} and no deposit was ever taken", visit.status));
        }
        let lost = books.authorized.values().find(|(payment, authorizer, _)| {
            payments.contains(&payment) && authorizer == "rule_slot_lost" && visit.lapsed.is_none()
        });
        if let Some((payment, ..)) = lost {
            return Err(format!("I4: {id} is {}, and a rule gave {payment} back", visit.status));
        }
    }
    Ok(())
}

/// Money that we know of, for an appointment that never stood, is marked as lost at once: it goes back.
fn check_late(watch: &Watch) -> Result<(), String> {
    let books = watch.visits();
    for (id, visit) in &books.visits {
        if visit.occupies() || visit.service.is_some() {
            continue;
        }
        for payment in watch.payments_of_debt(visit.deposit_debt.as_deref()) {
            let (known, _) = books.captured.get(payment).copied().unwrap_or_default();
            if known >= visit.deposit && !visit.lost.contains(payment) {
                return Err(format!(
                    "I4: {id} is {}, {known} of {payment} is ours, and neither books nor goes back",
                    visit.status
                ));
            }
        }
    }
    Ok(())
}
