//! Reading for desks and screens: appointments by time, what a change of hours would break, prices, places of the waiting
//! list, the words of encounters, and what is due for an appointment. Nothing here changes anything.

use suture_core::appointment::{Appointment, Party, Status};
use suture_core::calendar::{Rules, conflicts};
use suture_core::encounter::Encounter;
use suture_core::id::{AppointmentId, ClinicId, EncounterId, NoteId, PatientId, ProviderId, VisitTypeId};
use suture_core::money::Money;
use suture_core::practice::{Clinic, Provider};
use suture_core::redact::Phi;
use suture_core::time::Timestamp;
use suture_core::visit::Occasion;
use suture_core::waiting::{self, Waiting};
use suture_store::prices::{self, Price};
use suture_store::visits::{self, Visit, Whose};
use suture_store::{Tx, journal, personal};

use crate::Error;
use crate::change::Machine;
use crate::engine::Engine;

use super::deposits::due_now;
use super::ending::{self, Preview};

/// Rows read beside those asked for, so that many visits of one start seldom need a second look.
const BESIDE: usize = 100;
/// Visits of one provider that are looked at for a change of hours.
const LOOKED_AT: i64 = 10_000;
/// How far ahead a visit can be booked, in seconds: two years.
const AHEAD: std::time::Duration = std::time::Duration::from_secs(731 * 86_400);

/// Which appointments.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// Whose.
    pub whose: Whose,
    /// Beginning at this or later.
    pub from: Timestamp,
    /// Beginning before this.
    pub until: Timestamp,
    /// Only these; all when absent.
    pub status: Option<Status>,
    /// The last one of the page before.
    pub after: Option<(Timestamp, AppointmentId)>,
}

/// Which places of the waiting list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Places {
    /// Where they stand.
    pub status: Option<waiting::Status>,
    /// Whose.
    pub patient: Option<PatientId>,
    /// For what.
    pub visit_type: Option<VisitTypeId>,
}

/// What was written in an encounter.
#[derive(Debug)]
pub struct Texts {
    /// Whose it is.
    pub patient: PatientId,
    /// The draft, until it is signed.
    pub draft: Option<Phi<String>>,
    /// The signed note and its addenda, oldest first.
    pub notes: Vec<(NoteId, Phi<String>)>,
}

/// What is due for an appointment now, by the rule that paying follows.
#[must_use]
pub fn due(appointment: &Appointment) -> Option<Money> {
    due_now(appointment).ok().map(|due| due.amount())
}

/// Visits, and where the next page goes on.
type Listed = (Vec<Visit>, Option<(Timestamp, AppointmentId)>);

impl Engine {
    /// Appointments in order of their beginnings, and where the next page begins. With a status a page may hold fewer than
    /// asked for while there is a next one.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn appointments(
        &self,
        organization: &str,
        asked: Asked,
        limit: usize,
    ) -> Result<Listed, Error> {
        let organization = organization.to_owned();
        self.0.store.read_long(move |tx| page(tx, &organization, &asked, limit)).await
    }

    /// Appointments to come that would lie outside of a provider's hours under a definition. Stores nothing (FEATURES M154).
    ///
    /// # Errors
    /// [`Error::Refused`] for a definition that could not be stored, [`Error::NotFound`] without its clinic.
    pub async fn outside_hours_of_provider(
        &self,
        organization: &str,
        provider: &Provider,
    ) -> Result<Vec<Visit>, Error> {
        Provider::define(None, provider.clone())?;
        let practice = self.practice(organization).await?;
        let clinic = practice.clinics.get(&provider.clinic);
        let clinic = clinic.ok_or_else(|| Error::not_found("clinic", &provider.clinic.to_string()))?;
        self.outside(organization, vec![(provider.id, clinic.rules_of(provider))]).await
    }

    /// The same for all providers of a clinic, whose holidays may have changed.
    ///
    /// # Errors
    /// [`Error::Refused`] for a definition that could not be stored.
    pub async fn outside_hours_of_clinic(
        &self,
        organization: &str,
        clinic: &Clinic,
    ) -> Result<Vec<Visit>, Error> {
        Clinic::define(None, clinic.clone())?;
        let practice = self.practice(organization).await?;
        let own = practice.providers.values().filter(|provider| provider.clinic == clinic.id);
        let rules = own.map(|provider| (provider.id, clinic.rules_of(provider))).collect();
        self.outside(organization, rules).await
    }

    async fn outside(
        &self,
        organization: &str,
        rules: Vec<(ProviderId, Rules)>,
    ) -> Result<Vec<Visit>, Error> {
        let (organization, now) = (organization.to_owned(), self.now());
        let read = self.0.store.read_long(move |tx| {
            let mut found = Vec::new();
            for (provider, rules) in &rules {
                let whose = Whose::Provider(*provider);
                let rows = visits::list(tx, &organization, whose, (now, now + AHEAD), LOOKED_AT)?;
                found.extend(broken(rules, rows));
            }
            Ok::<_, Error>(found)
        });
        read.await
    }

    /// What cancelling would cost now, by the same rules as cancelling itself: what never stood costs nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Refused`] for a reason that is no code.
    pub async fn preview_cancellation(
        &self,
        organization: &str,
        id: AppointmentId,
        (by, reason): (Party, &str),
    ) -> Result<Preview, Error> {
        let occasion = match by {
            Party::Patient => Occasion::PatientCancels,
            Party::Provider | Party::Clinic | Party::System | Party::Ehr => Occasion::ClinicCancels,
        };
        let state = self.appointment(organization, id).await?;
        let preview = self.preview_ending(organization, id, (occasion, reason)).await?;
        Ok(match state.status {
            Status::PendingPayment => {
                Preview { verdict: ending::free(&state, preview.verdict.clone()), ..preview }
            }
            _ => preview,
        })
    }

    /// Prices of a clinic in order of their codes, and after which code the next page begins. The prices of one code are
    /// never on two pages.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn price_page(
        &self,
        organization: &str,
        clinic: ClinicId,
        (after, limit): (&str, usize),
    ) -> Result<(Vec<Price>, Option<String>), Error> {
        let (organization, after) = (organization.to_owned(), after.to_owned());
        let read = self.0.store.read_long(move |tx| {
            let mut ask = limit.saturating_add(1);
            loop {
                let mut rows = prices::list(tx, &organization, clinic, &after, count(ask))?;
                if rows.len() < ask {
                    return Ok::<_, Error>((rows, None));
                }
                let last = rows.last().map(|row| row.code.clone()).unwrap_or_default();
                rows.retain(|row| row.code != last);
                if let Some(next) = rows.last().map(|row| row.code.clone()) {
                    return Ok((rows, Some(next)));
                }
                ask = ask.saturating_mul(4);
            }
        });
        read.await
    }

    /// Places of the waiting list in order of their ids, and after which the next page begins. A page may hold fewer than
    /// asked for while there is a next one.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn waiting_list(
        &self,
        organization: &str,
        which: Places,
        (after, limit): (&str, usize),
    ) -> Result<(Vec<Waiting>, Option<String>), Error> {
        let (organization, after) = (organization.to_owned(), after.to_owned());
        let read = self.0.store.read_long(move |tx| {
            let ask = count(limit.saturating_add(1));
            let found = journal::list_streams::<Waiting>(tx, &organization, Waiting::KIND, &after, ask)?;
            Ok::<_, Error>(found)
        });
        let mut found = read.await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|(id, _)| id.clone());
        let fits = |place: &Waiting| {
            which.status.is_none_or(|status| status == place.status)
                && which.patient.is_none_or(|patient| patient == place.wish.patient)
                && which.visit_type.is_none_or(|visit| visit == place.wish.visit_type)
        };
        Ok((found.into_iter().map(|(_, place)| place).filter(fits).collect(), next))
    }

    /// What was written in an encounter. The caller logs who looks.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn encounter_texts(&self, organization: &str, id: EncounterId) -> Result<Texts, Error> {
        let state = self.encounter(organization, id).await?;
        let (organization, keyring) = (organization.to_owned(), self.0.store.keyring().clone());
        let read = self.0.store.read(move |tx| {
            let mut text = |subject: &str, field: &str| {
                let fields = personal::load(tx, &keyring, &organization, subject)?;
                Ok::<_, Error>(fields.into_iter().find(|(name, _)| name == field).map(|(_, text)| text))
            };
            let draft = if state.is_signed() { None } else { text(&id.to_string(), "draft")? };
            let mut notes = Vec::with_capacity(state.signed.len());
            for signed in &state.signed {
                notes.extend(text(&signed.note.to_string(), "text")?.map(|text| (signed.note, text)));
            }
            Ok::<_, Error>(Texts { patient: state.patient, draft, notes })
        });
        read.await
    }

    /// The encounter of an appointment, if it has one.
    ///
    /// # Errors
    /// [`Error::NotFound`] without the appointment.
    pub async fn encounter_of(
        &self,
        organization: &str,
        id: AppointmentId,
    ) -> Result<Option<Encounter>, Error> {
        match self.appointment(organization, id).await?.encounter {
            Some(encounter) => self.encounter(organization, encounter).await.map(Some),
            None => Ok(None),
        }
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// One page of visits. The rows know no order among visits of one start but their ids, so the page before is skipped here.
fn page(tx: &mut Tx<'_>, organization: &str, asked: &Asked, limit: usize) -> Result<Listed, Error> {
    let from = asked.after.map_or(asked.from, |(at, _)| at.max(asked.from));
    let key = |visit: &Visit| (visit.starts_at, visit.appointment);
    let mut ask = limit.saturating_add(1).saturating_add(BESIDE);
    loop {
        let mut rows = visits::list(tx, organization, asked.whose, (from, asked.until), count(ask))?;
        let all = rows.len() < ask;
        rows.retain(|visit| asked.after.is_none_or(|after| key(visit) > after));
        if !all && rows.len() <= limit {
            ask = ask.saturating_mul(4);
            continue;
        }
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(key);
        rows.retain(|visit| asked.status.is_none_or(|status| status == visit.status));
        return Ok((rows, next));
    }
}

/// Visits that are still to come and that the rules do not allow.
fn broken(rules: &Rules, mut rows: Vec<Visit>) -> Vec<Visit> {
    rows.retain(|row| matches!(row.status, Status::PendingPayment | Status::Confirmed | Status::AtRisk));
    let booked: Vec<_> = rows.iter().map(|row| (row.starts_at, row.ends_at, row.appointment)).collect();
    let outside = conflicts(rules, &booked);
    rows.retain(|row| outside.contains(&row.appointment));
    rows
}
