//! Who holds which slot, the pages that searches read, the visits by time, and the waiting list.
//!
//! The table `slots` is the guard: no two rows of one provider overlap, and the database itself refuses the second. Pages
//! say the same in bits, one row per provider and month, so that a search over hundreds of providers reads one small row
//! each; they change in the same transaction as the slots.

use suture_core::calendar::{Month, Page};
use suture_core::id::{AppointmentId, ProviderId, VisitTypeId, WaitingId};
use suture_core::time::Timestamp;

use crate::statement::{Row, Statement, Value};
use crate::{Error, Tx};

const NUMBER: Statement = Statement::new(
    "calendar number",
    "select number from calendars where organization = $1 and provider = $2",
);
const NEXT_NUMBER: Statement =
    Statement::new("next calendar number", "select coalesce(max(number), 0) + 1 from calendars");
const OPEN: Statement = Statement::new(
    "open calendar",
    "insert into calendars (organization, provider, number) values ($1, $2, $3)",
);
const HOLD: Statement = Statement::new(
    "hold slot",
    "insert into slots (organization, appointment, provider, low, high, state, held_until) \
     values ($1, $2, $3, $4, $5, $6, $7)",
);
const MARK: Statement = Statement::new(
    "mark slot",
    "update slots set state = $1, held_until = $2 where organization = $3 and appointment = $4",
);
const FREE: Statement =
    Statement::new("free slot", "delete from slots where organization = $1 and appointment = $2");
const OVERLAPPING: Statement = Statement::new(
    "overlapping slots",
    "select appointment, low, high, state, held_until from slots where low < $1 and low > $2 and high > $3 order by low \
     limit $4",
);
const SLOT: Statement = Statement::new(
    "slot of appointment",
    "select appointment, low, high, state, held_until from slots where organization = $1 and appointment = $2",
);
const PAGE: Statement = Statement::new(
    "calendar page",
    "select version, busy from calendar_pages where organization = $1 and provider = $2 and month = $3",
);
const NEW_PAGE: Statement = Statement::new(
    "new calendar page",
    "insert into calendar_pages (organization, provider, month, version, busy) values ($1, $2, $3, 1, $4)",
);
const TURN_PAGE: Statement = Statement::new(
    "turn calendar page",
    "update calendar_pages set busy = $1, version = version + 1 where organization = $2 and provider = $3 and month = $4 \
     and version = $5",
);
const PAGES_OF: Statement = Statement::new(
    "calendar pages of provider",
    "select provider, month, busy from calendar_pages where organization = $1 and provider = $2 and month >= $3 \
     and month <= $4",
);
const PAGES: Statement = Statement::new(
    "calendar pages",
    "select provider, month, busy from calendar_pages where organization = $1 and month >= $2 and month <= $3",
);
const WAIT: Statement = Statement::new(
    "take waiting place",
    "insert into waiting_places (organization, id, visit_type, provider, not_before, not_after, since) \
     values ($1, $2, $3, $4, $5, $6, $7)",
);
const STOP_WAITING: Statement =
    Statement::new("leave waiting place", "delete from waiting_places where organization = $1 and id = $2");
const NEXT_WAITING: Statement = Statement::new(
    "next waiting places",
    "select id, since from waiting_places where organization = $1 and visit_type = $2 and (provider is null or provider = $3) \
     and not_before <= $4 and not_after >= $5 order by since, id limit $6",
);

/// Minutes of one provider's calendar are this far from those of the next: one column serves as a range over both.
const STRIDE: i64 = 1 << 32;
/// No slot is longer, in minutes; the schema says the same.
const LONGEST: i64 = 2160;

/// What a slot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotState {
    /// Held while it is paid.
    Held,
    /// Booked.
    Booked,
}

impl SlotState {
    const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Booked => "booked",
        }
    }
}

/// A slot that somebody holds: the visit with the time that stays free around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Who holds it.
    pub appointment: AppointmentId,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// What it is.
    pub state: SlotState,
    /// Until when it is held.
    pub held_until: Option<Timestamp>,
}

fn minute(at: Timestamp) -> i64 {
    at.millis().div_euclid(60_000)
}

/// The number of a provider's calendar. One that is not open yet is opened.
///
/// # Errors
/// [`Error::Conflict`] when another calendar was opened at the same time.
pub fn number(tx: &mut Tx<'_>, organization: &str, provider: ProviderId) -> Result<i64, Error> {
    let provider = provider.to_string();
    if let Some(row) = tx.query_optional(&NUMBER, &[organization.into(), (&provider).into()])? {
        return row.int(0);
    }
    let next = tx.query_optional(&NEXT_NUMBER, &[])?.map_or(Ok(1), |row| row.int(0))?;
    tx.execute_one(&OPEN, &[organization.into(), (&provider).into(), next.into()])?;
    Ok(next)
}

/// Who holds a part of a time.
///
/// # Errors
/// [`Error`] of the database.
pub fn overlapping(
    tx: &mut Tx<'_>,
    calendar: i64,
    (from, until): (Timestamp, Timestamp),
    limit: i64,
) -> Result<Vec<Slot>, Error> {
    let base = calendar.saturating_mul(STRIDE);
    let (low, high) = (base + minute(from), base + minute(until));
    let look_back = (low - LONGEST).max(base - 1);
    tx.query(&OVERLAPPING, &[high.into(), look_back.into(), low.into(), limit.into()])?
        .iter()
        .map(read_slot)
        .collect()
}

/// The slot of an appointment.
///
/// # Errors
/// [`Error`] of the database.
pub fn slot(tx: &mut Tx<'_>, organization: &str, appointment: AppointmentId) -> Result<Option<Slot>, Error> {
    let appointment = appointment.to_string();
    tx.query_optional(&SLOT, &[organization.into(), (&appointment).into()])?
        .as_ref()
        .map(read_slot)
        .transpose()
}

/// Takes a slot, and marks it in the pages. Look with [`overlapping`] first: here the database refuses a second holder.
///
/// # Errors
/// [`Error::Conflict`] when somebody holds a part of it.
pub fn take(
    tx: &mut Tx<'_>,
    (organization, provider, calendar): (&str, ProviderId, i64),
    slot: &Slot,
) -> Result<(), Error> {
    let base = calendar.saturating_mul(STRIDE);
    let (appointment, owner) = (slot.appointment.to_string(), provider.to_string());
    let values = [
        organization.into(),
        (&appointment).into(),
        (&owner).into(),
        (base + minute(slot.from)).into(),
        (base + minute(slot.until)).into(),
        slot.state.name().into(),
        slot.held_until.map(Timestamp::millis).into(),
    ];
    turn(tx, (organization, provider), (slot.from, slot.until), true)?;
    tx.execute_one(&HOLD, &values)
}

/// Says that a held slot is booked, or held until another time.
///
/// # Errors
/// [`Error::Conflict`] when nobody holds it.
pub fn mark(
    tx: &mut Tx<'_>,
    organization: &str,
    appointment: AppointmentId,
    (state, held_until): (SlotState, Option<Timestamp>),
) -> Result<(), Error> {
    let appointment = appointment.to_string();
    let values = [
        state.name().into(),
        held_until.map(Timestamp::millis).into(),
        organization.into(),
        (&appointment).into(),
    ];
    tx.execute_one(&MARK, &values)
}

/// Frees the slot of an appointment, and says which it was; `None` when it holds none.
///
/// # Errors
/// [`Error`] of the database.
pub fn free(
    tx: &mut Tx<'_>,
    (organization, provider): (&str, ProviderId),
    appointment: AppointmentId,
) -> Result<Option<Slot>, Error> {
    let Some(held) = slot(tx, organization, appointment)? else { return Ok(None) };
    turn(tx, (organization, provider), (held.from, held.until), false)?;
    let appointment = appointment.to_string();
    tx.execute_one(&FREE, &[organization.into(), (&appointment).into()])?;
    Ok(Some(held))
}

/// Marks a time in the pages of its months.
fn turn(
    tx: &mut Tx<'_>,
    (organization, provider): (&str, ProviderId),
    (from, until): (Timestamp, Timestamp),
    busy: bool,
) -> Result<(), Error> {
    let provider = provider.to_string();
    for month in Month::touched(from, until) {
        let key: [Value<'_>; 3] = [organization.into(), (&provider).into(), month.number().into()];
        let found = tx.query_optional(&PAGE, &key)?;
        let mut page = match &found {
            Some(row) => page_of(row, month, row.blob(1)?)?,
            None => Page::new(month),
        };
        match busy {
            true => page.occupy(from, until),
            false => page.release(from, until),
        }
        let bytes = page.to_bytes();
        let stored: Value<'_> = bytes.as_slice().into();
        match &found {
            Some(row) => {
                let [organization, provider, number] = key;
                tx.execute_one(&TURN_PAGE, &[stored, organization, provider, number, row.int(0)?.into()])?;
            }
            None => {
                let [organization, provider, number] = key;
                tx.execute_one(&NEW_PAGE, &[organization, provider, number, stored])?;
            }
        }
    }
    Ok(())
}

fn page_of(row: &Row, month: Month, bytes: &[u8]) -> Result<Page, Error> {
    Page::from_bytes(month, bytes).map_err(|_| row.corrupt())
}

/// The pages of one provider, from one month to another, both included.
///
/// # Errors
/// [`Error`] of the database, [`Error::Corrupt`] for a page that does not read back.
pub fn pages_of(
    tx: &mut Tx<'_>,
    (organization, provider): (&str, ProviderId),
    (first, last): (Month, Month),
) -> Result<Vec<Page>, Error> {
    let provider = provider.to_string();
    let values = [organization.into(), (&provider).into(), first.number().into(), last.number().into()];
    tx.query(&PAGES_OF, &values)?.iter().map(|row| read_page(row).map(|(_, page)| page)).collect()
}

/// The pages of all providers, from one month to another, both included.
///
/// # Errors
/// [`Error`] of the database, [`Error::Corrupt`] for a page that does not read back.
pub fn pages(
    tx: &mut Tx<'_>,
    organization: &str,
    (first, last): (Month, Month),
) -> Result<Vec<(ProviderId, Page)>, Error> {
    let values = [organization.into(), first.number().into(), last.number().into()];
    tx.query(&PAGES, &values)?.iter().map(read_page).collect()
}

fn read_page(row: &Row) -> Result<(ProviderId, Page), Error> {
    let provider = ProviderId::parse(&row.text(0)?).map_err(|_| row.corrupt())?;
    let month = Month::from_number(row.int(1)?).ok_or_else(|| row.corrupt())?;
    Ok((provider, page_of(row, month, row.blob(2)?)?))
}

fn read_slot(row: &Row) -> Result<Slot, Error> {
    let at = |minutes: i64| Timestamp::from_millis(minutes.rem_euclid(STRIDE).saturating_mul(60_000));
    let state = match row.text(3)?.as_str() {
        "held" => SlotState::Held,
        "booked" => SlotState::Booked,
        _ => return Err(row.corrupt()),
    };
    Ok(Slot {
        appointment: AppointmentId::parse(&row.text(0)?).map_err(|_| row.corrupt())?,
        from: at(row.int(1)?),
        until: at(row.int(2)?),
        state,
        held_until: row.optional_int(4)?.map(Timestamp::from_millis),
    })
}

/// Puts a place on the waiting list.
///
/// # Errors
/// [`Error::Conflict`] when it is on it.
pub fn wait(
    tx: &mut Tx<'_>,
    organization: &str,
    (id, visit_type, provider): (WaitingId, VisitTypeId, Option<ProviderId>),
    (from, until, since): (Timestamp, Timestamp, Timestamp),
) -> Result<(), Error> {
    let (id, visit_type) = (id.to_string(), visit_type.to_string());
    let provider = provider.map(|provider| provider.to_string());
    let values = [
        organization.into(),
        (&id).into(),
        (&visit_type).into(),
        provider.as_deref().into(),
        from.millis().into(),
        until.millis().into(),
        since.millis().into(),
    ];
    tx.execute_one(&WAIT, &values)
}

/// Takes a place off the waiting list; one that is not on it stays off.
///
/// # Errors
/// [`Error`] of the database.
pub fn stop_waiting(tx: &mut Tx<'_>, organization: &str, id: WaitingId) -> Result<(), Error> {
    let id = id.to_string();
    tx.execute(&STOP_WAITING, &[organization.into(), (&id).into()]).map(|_| ())
}

/// The places that want a slot, in order.
///
/// # Errors
/// [`Error`] of the database.
pub fn next_waiting(
    tx: &mut Tx<'_>,
    organization: &str,
    (visit_type, provider, starts_at): (VisitTypeId, ProviderId, Timestamp),
    limit: i64,
) -> Result<Vec<WaitingId>, Error> {
    let (visit_type, provider) = (visit_type.to_string(), provider.to_string());
    let values = [
        organization.into(),
        (&visit_type).into(),
        (&provider).into(),
        starts_at.millis().into(),
        starts_at.millis().into(),
        limit.into(),
    ];
    tx.query(&NEXT_WAITING, &values)?
        .iter()
        .map(|row| WaitingId::parse(&row.text(0)?).map_err(|_| row.corrupt()))
        .collect()
}

/// Every statement of this module, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    NUMBER,
    NEXT_NUMBER,
    OPEN,
    HOLD,
    MARK,
    FREE,
    OVERLAPPING,
    SLOT,
    PAGE,
    NEW_PAGE,
    TURN_PAGE,
    PAGES_OF,
    PAGES,
    WAIT,
    STOP_WAITING,
    NEXT_WAITING,
];
