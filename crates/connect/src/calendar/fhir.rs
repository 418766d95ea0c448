//! FHIR R4 views of the calendar: Schedule, Slot and Appointment as JSON.
//!
//! Called by the API for callers that may see patients' rows. Views only: nothing is read back. FHIR ids have no
//! underscore, so `apt_018f…` is shown as `apt-018f…`, with our own spelling as `identifier`.
//! Statuses and invariants: <https://hl7.org/fhir/R4/appointment.html> and <https://hl7.org/fhir/R4/slot.html>.

use serde_json::{Value, json};
use suture_core::time::Timestamp;

const CANCELLATION: &str = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason";

/// The calendar of one provider.
#[derive(Debug, Clone, Copy)]
pub struct Schedule<'a> {
    /// Our id of the calendar.
    pub id: &'a str,
    /// The provider's id.
    pub provider: &'a str,
    /// Whether it is in use.
    pub active: bool,
    /// The first moment that slots are shown for.
    pub from: Timestamp,
    /// The end of the time that slots are shown for.
    pub until: Timestamp,
}

/// A span of a provider's calendar.
#[derive(Debug, Clone, Copy)]
pub struct Slot<'a> {
    /// An id; slots are computed on demand, so it may be made of the schedule's id and the start.
    pub id: &'a str,
    /// The id of the schedule.
    pub schedule: &'a str,
    /// What it is.
    pub status: SlotStatus,
    /// The start.
    pub from: Timestamp,
    /// The end.
    pub until: Timestamp,
}

/// What a span of a calendar is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotStatus {
    /// Can be booked.
    Free,
    /// Booked.
    Busy,
    /// Held until it is paid.
    BusyTentative,
    /// Not to be booked: a buffer, or the provider is away.
    BusyUnavailable,
}

/// An appointment.
#[derive(Debug, Clone, Copy)]
pub struct Appointment<'a> {
    /// Our id.
    pub id: &'a str,
    /// Where it stands.
    pub status: AppointmentStatus<'a>,
    /// The start.
    pub from: Timestamp,
    /// The end.
    pub until: Timestamp,
    /// The patient's id.
    pub patient: &'a str,
    /// The provider's id.
    pub provider: &'a str,
    /// The name of the visit type.
    pub visit_type: &'a str,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Where an appointment stands, in our words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppointmentStatus<'a> {
    /// Held until it is paid.
    Held,
    /// Confirmed.
    Confirmed,
    /// Confirmed, and its payment is in danger. For others it is booked.
    AtRisk,
    /// The patient is here.
    InVisit,
    /// Over.
    Completed,
    /// Cancelled, or lapsed before it was confirmed.
    Cancelled {
        /// Who.
        by: CancelledBy,
        /// Why, as a code.
        reason: &'a str,
    },
    /// The patient did not come.
    NoShow,
}

/// Who cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelledBy {
    /// The patient.
    Patient,
    /// The provider or the clinic.
    Provider,
    /// A rule, such as a deadline for payment.
    System,
}

impl Schedule<'_> {
    /// The resource.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "resourceType": "Schedule",
            "id": logical(self.id),
            "identifier": [{ "value": self.id }],
            "active": self.active,
            "actor": [reference("Practitioner", self.provider)],
            "planningHorizon": { "start": self.from.to_rfc3339(), "end": self.until.to_rfc3339() },
        })
    }
}

impl Slot<'_> {
    /// The resource.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let status = match self.status {
            SlotStatus::Free => "free",
            SlotStatus::Busy => "busy",
            SlotStatus::BusyTentative => "busy-tentative",
            SlotStatus::BusyUnavailable => "busy-unavailable",
        };
        json!({
            "resourceType": "Slot",
            "id": logical(self.id),
            "schedule": reference("Schedule", self.schedule),
            "status": status,
            "start": self.from.to_rfc3339(),
            "end": self.until.to_rfc3339(),
        })
    }
}

impl Appointment<'_> {
    /// The resource.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut appointment = json!({
            "resourceType": "Appointment",
            "id": logical(self.id),
            "identifier": [{ "value": self.id }],
            "status": self.status.code(),
            "serviceType": [{ "text": self.visit_type }],
            "start": self.from.to_rfc3339(),
            "end": self.until.to_rfc3339(),
            "created": self.created_at.to_rfc3339(),
            "participant": [
                { "actor": reference("Patient", self.patient), "status": "accepted" },
                { "actor": reference("Practitioner", self.provider), "status": "accepted" },
            ],
        });
        // positiveInt: a length that is no whole minute is left to start and end.
        let minutes = self.until.since(self.from).as_secs() / 60;
        if minutes > 0 {
            appointment["minutesDuration"] = json!(minutes);
        }
        if let AppointmentStatus::Cancelled { by, reason } = self.status {
            let (code, display) = by.code();
            // R4 spells it with one l.
            appointment["cancelationReason"] = json!({
                "coding": [{ "system": CANCELLATION, "code": code, "display": display }],
                "text": reason,
            });
        }
        appointment
    }
}

impl AppointmentStatus<'_> {
    /// The code of R4.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Held => "pending",
            Self::Confirmed | Self::AtRisk => "booked",
            Self::InVisit => "arrived",
            Self::Completed => "fulfilled",
            Self::Cancelled { .. } => "cancelled",
            Self::NoShow => "noshow",
        }
    }
}

impl CancelledBy {
    const fn code(self) -> (&'static str, &'static str) {
        match self {
            Self::Patient => ("pat", "Patient"),
            Self::Provider => ("prov", "Provider"),
            Self::System => ("other", "Other"),
        }
    }
}

fn reference(kind: &str, id: &str) -> Value {
    json!({ "reference": format!("{kind}/{}", logical(id)) })
}

/// An id as FHIR allows it: letters, digits, `-` and `.`.
fn logical(id: &str) -> String {
    id.replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    fn appointment(status: AppointmentStatus<'_>) -> Value {
        Appointment {
            id: "apt_1",
            status,
            from: at("2026-11-21T14:30:00Z"),
            until: at("2026-11-21T15:00:00Z"),
            patient: "pat_1",
            provider: "prv_1",
            visit_type: "Follow-up",
            created_at: at("2026-11-20T08:00:00Z"),
        }
        .to_json()
    }

    #[test]
    fn a_schedule_is_exactly_this() {
        let schedule = Schedule {
            id: "sch_1",
            provider: "prv_1",
            active: true,
            from: at("2026-11-01T00:00:00Z"),
            until: at("2027-01-30T00:00:00Z"),
        };
        let golden = json!({
            "resourceType": "Schedule",
            "id": "sch-1",
            "identifier": [{ "value": "sch_1" }],
            "active": true,
            "actor": [{ "reference": "Practitioner/prv-1" }],
            "planningHorizon": { "start": "2026-11-01T00:00:00.000Z", "end": "2027-01-30T00:00:00.000Z" },
        });
        assert_eq!(schedule.to_json(), golden);
    }

    #[test]
    fn a_slot_is_exactly_this() {
        for (status, code) in [
            (SlotStatus::Free, "free"),
            (SlotStatus::Busy, "busy"),
            (SlotStatus::BusyTentative, "busy-tentative"),
            (SlotStatus::BusyUnavailable, "busy-unavailable"),
        ] {
            let (from, until) = (at("2026-11-21T14:30:00Z"), at("2026-11-21T15:00:00Z"));
            let slot = Slot { id: "sch_1.1", schedule: "sch_1", status, from, until };
            let golden = json!({
                "resourceType": "Slot",
                "id": "sch-1.1",
                "schedule": { "reference": "Schedule/sch-1" },
                "status": code,
                "start": "2026-11-21T14:30:00.000Z",
                "end": "2026-11-21T15:00:00.000Z",
            });
            assert_eq!(slot.to_json(), golden);
        }
    }

    #[test]
    fn a_cancelled_appointment_is_exactly_this() {
        let by_patient = AppointmentStatus::Cancelled { by: CancelledBy::Patient, reason: "illness" };
        let golden = json!({
            "resourceType": "Appointment",
            "id": "apt-1",
            "identifier": [{ "value": "apt_1" }],
            "status": "cancelled",
            "cancelationReason": {
                "coding": [{
                    "system": "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason",
                    "code": "pat",
                    "display": "Patient",
                }],
                "text": "illness",
            },
            "serviceType": [{ "text": "Follow-up" }],
            "start": "2026-11-21T14:30:00.000Z",
            "end": "2026-11-21T15:00:00.000Z",
            "minutesDuration": 30,
            "created": "2026-11-20T08:00:00.000Z",
            "participant": [
                { "actor": { "reference": "Patient/pat-1" }, "status": "accepted" },
                { "actor": { "reference": "Practitioner/prv-1" }, "status": "accepted" },
            ],
        });
        assert_eq!(appointment(by_patient), golden);
    }

    #[test]
    fn every_status_has_its_code_and_only_a_cancelled_one_a_reason() {
        let by = |by| AppointmentStatus::Cancelled { by, reason: "payment_sla" };
        for (status, code, cancelled_by) in [
            (AppointmentStatus::Held, "pending", None),
            (AppointmentStatus::Confirmed, "booked", None),
            (AppointmentStatus::AtRisk, "booked", None),
            (AppointmentStatus::InVisit, "arrived", None),
            (AppointmentStatus::Completed, "fulfilled", None),
            (AppointmentStatus::NoShow, "noshow", None),
            (by(CancelledBy::Provider), "cancelled", Some("prov")),
            (by(CancelledBy::System), "cancelled", Some("other")),
        ] {
            let shown = appointment(status);
            assert_eq!(shown["status"], code);
            let reason = shown.get("cancelationReason").map(|reason| &reason["coding"][0]["code"]);
            assert_eq!(reason, cancelled_by.map(|code| json!(code)).as_ref(), "{status:?}");
        }
    }
}
