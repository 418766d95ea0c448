//! The calendar for other programs: a provider's iCalendar feed, and FHIR R4 views of schedules, slots and appointments.
//!
//! The feed leaves the house and names nobody; the views name patients by id, for callers who may see them.

use std::time::Duration;

use serde_json::Value;
use suture_connect::calendar::fhir;
use suture_connect::calendar::ical::{Booking, Feed, Status as Shown};
use suture_core::appointment::{Appointment, Party, Status};
use suture_core::id::{PatientId, ProviderId, VisitTypeId};
use suture_core::pass::Purpose;
use suture_core::time::Timestamp;
use suture_store::journal;
use suture_store::visits::{self, Visit, Whose};

use crate::Error;
use crate::engine::Engine;
use crate::notices::NewPass;
use crate::payments::Caller;

use super::directory::Practice;
use super::search::Search;

const DAY: Duration = Duration::from_secs(86_400);
/// Bookings of one feed at most.
const FEED_MAX: i64 = 5_000;
/// Rows of one view at most.
const VIEW_MAX: i64 = 500;
/// 2020-01-01T00:00:00Z: sequence numbers count seconds from here, so that they fit 31 bits until 2088.
const SEQUENCE_START: i64 = 1_577_836_800;

/// Which appointments a view shows.
#[derive(Debug, Clone, Copy)]
pub struct ViewedAppointments {
    /// Whose.
    pub whose: Whose,
    /// Beginning at this or later.
    pub from: Timestamp,
    /// Beginning before this.
    pub until: Timestamp,
}

/// Which slots a view shows.
#[derive(Debug, Clone, Copy)]
pub struct ViewedSlots {
    /// Of whom.
    pub provider: ProviderId,
    /// For what the free ones are; without it only what is taken is shown.
    pub visit_type: Option<VisitTypeId>,
    /// Beginning at this or later.
    pub from: Timestamp,
    /// Beginning before this.
    pub until: Timestamp,
}

impl Engine {
    /// A provider's bookings from 30 days ago to a year ahead, as a calendar program reads them. The same bytes until
    /// something changes.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn calendar_feed(&self, organization: &str, id: ProviderId) -> Result<String, Error> {
        let practice = self.practice(organization).await?;
        let provider =
            practice.providers.get(&id).ok_or_else(|| Error::not_found("provider", &id.to_string()))?;
        let now = self.now();
        let (owner, span) = (organization.to_owned(), (now - DAY * 30, now + DAY * 366));
        let read = self.0.store.read_long(move |tx| {
            visits::list(tx, &owner, Whose::Provider(id), span, FEED_MAX).map_err(Error::from)
        });
        let rows = read.await?;
        let host = host_of(&self.0.office.settings.public_url);
        let uids: Vec<String> = rows.iter().map(|row| format!("{}@{host}", row.appointment)).collect();
        let bookings: Vec<Booking<'_>> =
            rows.iter().zip(&uids).map(|(row, uid)| booking(&practice, row, uid)).collect();
        let changed = rows.iter().map(|row| row.updated_at).max();
        let written_at = changed.unwrap_or(Timestamp::from_seconds(SEQUENCE_START));
        Ok(Feed { name: &provider.name, written_at, bookings: &bookings }.to_text())
    }

    /// Makes the address of a provider's feed. Whoever holds it reads the feed until it ends.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn calendar_address(
        &self,
        caller: &Caller,
        id: ProviderId,
        expires_at: Timestamp,
    ) -> Result<String, Error> {
        let practice = self.practice(&caller.organization).await?;
        if !practice.providers.contains_key(&id) {
            return Err(Error::not_found("provider", &id.to_string()));
        }
        let new = NewPass { purpose: Purpose::CalendarFeed, subject: id.to_string(), expires_at };
        self.issue_link(caller, new).await
    }

    /// FHIR Schedules: one for each provider. Its id is the provider's.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn fhir_schedules(
        &self,
        organization: &str,
        actor: Option<ProviderId>,
    ) -> Result<Vec<Value>, Error> {
        let practice = self.practice(organization).await?;
        let now = self.now();
        let horizon = practice.visit_types.values().map(|visit| visit.horizon_days).max().unwrap_or(0);
        let providers = practice.providers.values();
        let wanted = providers.filter(|provider| actor.is_none_or(|actor| actor == provider.id));
        let shown = |provider: &suture_core::practice::Provider| {
            let id = provider.id.to_string();
            let (from, until) = (now, now + DAY * horizon);
            fhir::Schedule { id: &id, provider: &id, active: provider.active, from, until }.to_json()
        };
        Ok(wanted.map(shown).collect())
    }

    /// FHIR Slots of a provider: what is held and booked, and what is free for a type of visit.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown provider or type of visit.
    pub async fn fhir_slots(&self, organization: &str, viewed: ViewedSlots) -> Result<Vec<Value>, Error> {
        let practice = self.practice(organization).await?;
        let provider = viewed.provider;
        if !practice.providers.contains_key(&provider) {
            return Err(Error::not_found("provider", &provider.to_string()));
        }
        let (owner, span) = (organization.to_owned(), (viewed.from, viewed.until));
        let read = self.0.store.read_long(move |tx| {
            visits::list(tx, &owner, Whose::Provider(provider), span, VIEW_MAX).map_err(Error::from)
        });
        let schedule = provider.to_string();
        let mut slots: Vec<(Timestamp, Value)> = Vec::new();
        for row in read.await?.iter().filter(|row| row.status.occupies()) {
            let status = match row.status {
                Status::PendingPayment => fhir::SlotStatus::BusyTentative,
                _ => fhir::SlotStatus::Busy,
            };
            slots.push((row.starts_at, slot(&schedule, (row.starts_at, row.ends_at), status)));
        }
        if let Some(visit_type) = viewed.visit_type {
            let search = free_of(viewed, visit_type);
            let length = practice.visit_types.get(&visit_type).map(|visit| visit.need().duration());
            let length = length.unwrap_or_default();
            for found in self.find_openings(organization, &search).await? {
                let shown =
                    |start: Timestamp| slot(&schedule, (start, start + length), fhir::SlotStatus::Free);
                slots.extend(found.starts.into_iter().map(|start| (start, shown(start))));
            }
        }
        slots.sort_by_key(|(start, _)| *start);
        Ok(slots.into_iter().map(|(_, slot)| slot).collect())
    }

    /// FHIR Appointments in order of their beginnings, at most 500.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn fhir_appointments(
        &self,
        organization: &str,
        viewed: ViewedAppointments,
    ) -> Result<Vec<Value>, Error> {
        let practice = self.practice(organization).await?;
        let owner = organization.to_owned();
        let read = self.0.store.read_long(move |tx| {
            let span = (viewed.from, viewed.until);
            let rows = visits::list(tx, &owner, viewed.whose, span, VIEW_MAX)?;
            let mut found = Vec::with_capacity(rows.len());
            for row in rows {
                let state = journal::load::<Appointment>(tx, &owner, &row.appointment.to_string())?;
                found.extend(state.map(|found| found.state));
            }
            Ok::<_, Error>(found)
        });
        Ok(read.await?.iter().map(|state| appointment(&practice, state)).collect())
    }
}

fn booking<'a>(practice: &'a Practice, row: &'a Visit, uid: &'a str) -> Booking<'a> {
    let status = match row.status {
        Status::PendingPayment => Shown::Held,
        Status::Confirmed | Status::AtRisk | Status::InVisit | Status::Completed | Status::NoShow => {
            Shown::Booked
        }
        Status::Canceled | Status::Lapsed => Shown::Cancelled,
    };
    let seconds = row.updated_at.seconds().saturating_sub(SEQUENCE_START);
    Booking {
        uid,
        from: row.starts_at,
        until: row.ends_at,
        visit_type: practice.visit_types.get(&row.visit_type).map_or("Visit", |visit| visit.name.as_str()),
        status,
        sequence: u32::try_from(seconds).unwrap_or(0),
        changed_at: row.updated_at,
    }
}

fn free_of(viewed: ViewedSlots, visit_type: VisitTypeId) -> Search {
    Search {
        visit_type,
        provider: Some(viewed.provider),
        specialty: None,
        payer: None,
        name: None,
        location: None,
        from: viewed.from,
        until: viewed.until,
        limit: usize::try_from(VIEW_MAX).unwrap_or(0),
    }
}

fn slot(schedule: &str, (from, until): (Timestamp, Timestamp), status: fhir::SlotStatus) -> Value {
    let id = format!("{schedule}.{}", from.seconds());
    fhir::Slot { id: &id, schedule, status, from, until }.to_json()
}

fn appointment(practice: &Practice, state: &Appointment) -> Value {
    let reason = state.ended.as_ref().map_or("hold_ended", |(_, reason, _)| reason.as_str());
    let by = match state.ended.as_ref().map(|(by, ..)| *by) {
        Some(Party::Patient) => fhir::CancelledBy::Patient,
        Some(Party::Provider | Party::Clinic | Party::Ehr) => fhir::CancelledBy::Provider,
        Some(Party::System) | None => fhir::CancelledBy::System,
    };
    let status = match state.status {
        Status::PendingPayment => fhir::AppointmentStatus::Held,
        Status::Confirmed => fhir::AppointmentStatus::Confirmed,
        Status::AtRisk => fhir::AppointmentStatus::AtRisk,
        Status::InVisit => fhir::AppointmentStatus::InVisit,
        Status::Completed => fhir::AppointmentStatus::Completed,
        Status::Canceled | Status::Lapsed => fhir::AppointmentStatus::Cancelled { by, reason },
        Status::NoShow => fhir::AppointmentStatus::NoShow,
    };
    let context = state.context;
    let (id, patient) = (state.id.to_string(), context.patient.to_string());
    let visit_type = practice.visit_types.get(&context.visit_type);
    fhir::Appointment {
        id: &id,
        status,
        from: context.starts_at,
        until: state.ends_at,
        patient: &patient,
        provider: &context.provider.to_string(),
        visit_type: visit_type.map_or("Visit", |visit| visit.name.as_str()),
        created_at: minted_at(&id),
    }
    .to_json()
}

/// When an id was minted: its first 48 bits are milliseconds (RFC 9562 §5.7).
fn minted_at(id: &str) -> Timestamp {
    let digits = id.split_once('_').and_then(|(_, digits)| digits.get(..12));
    let millis = digits.and_then(|digits| i64::from_str_radix(digits, 16).ok());
    Timestamp::from_millis(millis.unwrap_or(0))
}

/// The host of our own address.
fn host_of(public_url: &str) -> &str {
    let rest = public_url.split_once("://").map_or(public_url, |(_, rest)| rest);
    rest.split(['/', ':']).next().filter(|host| !host.is_empty()).unwrap_or("suture")
}

/// The patient or provider that a FHIR reference names: `Practitioner/prv-018f…`, or the id alone.
#[must_use]
pub fn actor_of(reference: &str) -> Option<Whose> {
    let (kind, id) = reference.split_once('/').unwrap_or(("", reference));
    let own = id.replacen('-', "_", 1);
    match (kind, own.split_once('_')?.0) {
        ("" | "Practitioner" | "Schedule", "prv") => ProviderId::parse(&own).ok().map(Whose::Provider),
        ("" | "Patient", "pat") => PatientId::parse(&own).ok().map(Whose::Patient),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_a_patient_or_a_provider_by_our_id() {
        let digits = "0190a1b2c3d4e5f60718293a4b5c6d7e";
        let provider = ProviderId::parse(&format!("prv_{digits}")).unwrap();
        for text in [
            format!("Practitioner/prv-{digits}"),
            format!("prv-{digits}"),
            format!("prv_{digits}"),
            format!("Schedule/prv-{digits}"),
        ] {
            assert_eq!(actor_of(&text), Some(Whose::Provider(provider)), "{text}");
        }
        assert!(matches!(actor_of(&format!("Patient/pat-{digits}")), Some(Whose::Patient(_))));
        for wrong in ["", "prv", "Practitioner/1", "Location/prv-1", &format!("Patient/prv-{digits}")] {
            assert_eq!(actor_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_id_tells_when_it_was_minted_and_an_address_its_host() {
        let minted = minted_at("apt_0190a1b2c3d47d3e8f9a0b1c2d3e4f50");
        assert_eq!(minted.millis(), 0x0190_a1b2_c3d4);
        assert_eq!(host_of("https://care.example:8443/x"), "care.example");
        assert_eq!(host_of(""), "suture");
    }
}
