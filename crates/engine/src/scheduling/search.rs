//! Searching openings: by provider, specialty, insurance, name, or the first available.

use std::collections::BTreeMap;

use suture_core::calendar::{Month, Pages, admits, first_opening, openings};
use suture_core::id::{ProviderId, VisitTypeId};
use suture_core::practice::{Provider, VisitType};
use suture_core::time::Timestamp;
use suture_store::calendar;

use crate::Error;
use crate::engine::Engine;

use super::directory::Practice;

/// What is searched.
#[derive(Debug, Clone)]
pub struct Search {
    /// The type of visit.
    pub visit_type: VisitTypeId,
    /// Only with this provider.
    pub provider: Option<ProviderId>,
    /// Only with this specialty.
    pub specialty: Option<String>,
    /// Only where this payer's insurance is accepted.
    pub payer: Option<String>,
    /// Only providers whose name holds this.
    pub name: Option<String>,
    /// Only at this location.
    pub location: Option<String>,
    /// Not before this.
    pub from: Timestamp,
    /// Not after this.
    pub until: Timestamp,
    /// At most so many openings of each provider.
    pub limit: usize,
}

/// The openings of one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Which.
    pub provider: ProviderId,
    /// The name.
    pub name: String,
    /// When a visit may begin.
    pub starts: Vec<Timestamp>,
}

impl Engine {
    /// Openings by provider, in the order of the providers' ids. A provider without one is left out.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown type of visit.
    pub async fn find_openings(&self, organization: &str, search: &Search) -> Result<Vec<Found>, Error> {
        let practice = self.practice(organization).await?;
        let (visit, range) = (visit_type(&practice, search.visit_type)?, months(search));
        let mut pages = self.pages(organization, range, search.provider).await?;
        let now = self.now();
        let mut found = Vec::new();
        for provider in fitting(&practice, visit, search) {
            let hours = practice.hours(provider, range);
            let pages = pages.remove(&provider.id).unwrap_or_default();
            let span = search.from..search.until;
            let starts = openings(&hours, &pages, &visit.need(), now, span, search.limit);
            if !starts.is_empty() {
                found.push(Found { provider: provider.id, name: provider.name.clone(), starts });
            }
        }
        Ok(found)
    }

    /// The first opening of each provider that fits, the earliest first.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown type of visit.
    pub async fn first_available(&self, organization: &str, search: &Search) -> Result<Vec<Found>, Error> {
        let practice = self.practice(organization).await?;
        let (visit, range) = (visit_type(&practice, search.visit_type)?, months(search));
        let mut pages = self.pages(organization, range, search.provider).await?;
        let now = self.now();
        let mut found = Vec::new();
        for provider in fitting(&practice, visit, search) {
            let hours = practice.hours(provider, range);
            let pages = pages.remove(&provider.id).unwrap_or_default();
            let span = search.from..search.until;
            if let Some(first) = first_opening(&hours, &pages, &visit.need(), now, span) {
                found.push(Found { provider: provider.id, name: provider.name.clone(), starts: vec![first] });
            }
        }
        found.sort_by(|one, other| one.starts.cmp(&other.starts).then(one.provider.cmp(&other.provider)));
        found.truncate(search.limit);
        Ok(found)
    }

    async fn pages(
        &self,
        organization: &str,
        range: (Month, Month),
        provider: Option<ProviderId>,
    ) -> Result<BTreeMap<ProviderId, Pages>, Error> {
        let organization = organization.to_owned();
        let read = self.0.store.read(move |tx| {
            let pages = match provider {
                Some(one) => {
                    let pages = calendar::pages_of(tx, (&organization, one), range)?;
                    pages.into_iter().map(|page| (one, page)).collect()
                }
                None => calendar::pages(tx, &organization, range)?,
            };
            Ok::<_, Error>(pages)
        });
        let mut by_provider: BTreeMap<ProviderId, Pages> = BTreeMap::new();
        for (provider, page) in read.await? {
            by_provider.entry(provider).or_default().insert(page);
        }
        Ok(by_provider)
    }
}

/// The months that a search touches, with room for what stays free around a visit.
fn months(search: &Search) -> (Month, Month) {
    const DAY: std::time::Duration = std::time::Duration::from_secs(86_400);
    (Month::of(search.from - DAY), Month::of(search.until.max(search.from) + DAY * 2))
}

fn visit_type(practice: &Practice, id: VisitTypeId) -> Result<&VisitType, Error> {
    practice
        .visit_types
        .get(&id)
        .filter(|visit| visit.active)
        .ok_or_else(|| Error::not_found("visit type", &id.to_string()))
}

fn fitting<'a>(
    practice: &'a Practice,
    visit: &'a VisitType,
    search: &'a Search,
) -> impl Iterator<Item = &'a Provider> {
    let specialty = search.specialty.as_ref().or(visit.specialty.as_ref());
    let name = search.name.as_ref().map(|name| name.to_lowercase());
    practice.providers.values().filter(move |provider| {
        provider.active
            && provider.clinic == visit.clinic
            && provider.offers(visit.id)
            && search.provider.is_none_or(|wanted| wanted == provider.id)
            && specialty.is_none_or(|wanted| provider.specialties.contains(wanted))
            && visit.specialty.as_ref().is_none_or(|needed| provider.specialties.contains(needed))
            && search.payer.as_ref().is_none_or(|payer| provider.accepts(payer))
            && name.as_ref().is_none_or(|name| provider.name.to_lowercase().contains(name))
            && search.location.as_ref().is_none_or(|wanted| provider.works_at(wanted))
    })
}

/// The next openings of a provider after a moment: what a patient is offered instead of a slot that is gone.
pub(super) fn nearest(
    change: &mut crate::change::Change<'_, '_>,
    (provider, clinic, visit): (&Provider, &suture_core::practice::Clinic, &VisitType),
    from: Timestamp,
) -> Result<Vec<Timestamp>, Error> {
    const AHEAD: std::time::Duration = std::time::Duration::from_secs(14 * 86_400);
    let from = from.max(change.order.now);
    let range = (Month::of(from), Month::of(from + AHEAD));
    let organization = change.order.organization.clone();
    let mut pages = Pages::new();
    for page in calendar::pages_of(change.tx, (&organization, provider.id), range)? {
        pages.insert(page);
    }
    let hours = suture_core::calendar::Expanded::of(&clinic.rules_of(provider), range.0, range.1);
    Ok(openings(&hours, &pages, &visit.need(), change.order.now, from..from + AHEAD, 3))
}

/// Whether a visit may begin then: the same rules that a search follows, asked inside the booking's transaction.
pub(super) fn admit(
    change: &mut crate::change::Change<'_, '_>,
    (provider, clinic, visit): (&Provider, &suture_core::practice::Clinic, &VisitType),
    start: Timestamp,
) -> Result<(), Error> {
    const DAY: std::time::Duration = std::time::Duration::from_secs(86_400);
    let range = (Month::of(start - DAY), Month::of(start + DAY * 2));
    let organization = change.order.organization.clone();
    let mut pages = Pages::new();
    for page in calendar::pages_of(change.tx, (&organization, provider.id), range)? {
        pages.insert(page);
    }
    Ok(admits(&clinic.rules_of(provider), &pages, &visit.need(), change.order.now, start)?)
}
