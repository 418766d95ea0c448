//! The practice in memory: clinics, providers and types of visit, read again when one of them changed.
//!
//! Searches over hundreds of providers read this; bookings read the streams themselves, in their transaction.

use std::collections::BTreeMap;
use std::sync::Arc;

use suture_core::calendar::{Expanded, Month};
use suture_core::explain::{Care, Reason};
use suture_core::id::{ClinicId, ProviderId, VisitTypeId};
use suture_core::practice::{Clinic, Provider, VisitType};
use suture_store::{Tx, journal, organizations};

use crate::Error;
use crate::change::{Change, Machine};
use crate::engine::Engine;
use crate::payments::Caller;

/// The mark that moves with every definition.
const MARK: &str = "practice";
/// More of one kind are not read.
const MOST: i64 = 20_000;

/// The practice of one organization, as defined now.
#[derive(Debug, Default)]
pub struct Practice {
    version: String,
    /// Clinics by id.
    pub clinics: BTreeMap<ClinicId, Clinic>,
    /// Providers by id.
    pub providers: BTreeMap<ProviderId, Provider>,
    /// Types of visit by id.
    pub visit_types: BTreeMap<VisitTypeId, VisitType>,
    /// The open hours of providers, by the months that they were asked for.
    expanded: std::sync::Mutex<BTreeMap<(ProviderId, Month, Month), Arc<Expanded>>>,
}

impl Practice {
    /// The open hours of a provider in some months.
    pub(super) fn hours(&self, provider: &Provider, (first, last): (Month, Month)) -> Arc<Expanded> {
        let key = (provider.id, first, last);
        if let Some(known) = self.expanded.lock().ok().and_then(|known| known.get(&key).cloned()) {
            return known;
        }
        let rules = match self.clinics.get(&provider.clinic) {
            Some(clinic) => clinic.rules_of(provider),
            None => provider.rules.clone(),
        };
        let hours = Arc::new(Expanded::of(&rules, first, last));
        if let Ok(mut known) = self.expanded.lock() {
            if known.len() >= EXPANDED_MAX {
                known.clear();
            }
            known.insert(key, hours.clone());
        }
        hours
    }
}

/// How many providers' hours are kept in memory; beyond that they are forgotten all at once.
const EXPANDED_MAX: usize = 20_000;

impl Engine {
    /// The practice as defined now.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn practice(&self, organization: &str) -> Result<Arc<Practice>, Error> {
        let known = self.0.practices.read().ok().and_then(|known| known.get(organization).cloned());
        let (owner, version) = (organization.to_owned(), known.as_ref().map(|known| known.version.clone()));
        let read = self.0.store.read(move |tx| read(tx, &owner, version.as_deref())).await?;
        let fresh = match (read, known) {
            (Some(fresh), _) => Arc::new(fresh),
            (None, Some(known)) => return Ok(known),
            (None, None) => Arc::new(Practice::default()),
        };
        if let Ok(mut practices) = self.0.practices.write() {
            practices.insert(organization.to_owned(), fresh.clone());
        }
        Ok(fresh)
    }

    /// Defines a clinic, or changes its definition. Bookings that stand keep their terms.
    ///
    /// # Errors
    /// [`Error::Refused`] with what is wrong; the old definition holds then.
    pub async fn define_clinic(&self, caller: &Caller, clinic: Clinic) -> Result<Clinic, Error> {
        let order = self.order_of(caller, Reason::of("clinic_defined"));
        self.apply("practice", order, move |change| {
            let stream = clinic.id.to_string();
            let mut loaded = change.load::<Clinic>(&stream)?;
            let events = Clinic::define(loaded.state.as_ref(), clinic.clone())?;
            define(change, &mut loaded, &events)?;
            Ok(clinic.clone())
        })
        .await
    }

    /// Defines a provider, or changes the definition. Bookings that stand keep their times.
    ///
    /// # Errors
    /// [`Error::Refused`] with what is wrong; the old definition holds then.
    pub async fn define_provider(&self, caller: &Caller, provider: Provider) -> Result<Provider, Error> {
        let order = self.order_of(caller, Reason::of("provider_defined"));
        self.apply("practice", order, move |change| {
            change.existing::<Clinic>(&provider.clinic.to_string())?;
            let stream = provider.id.to_string();
            let mut loaded = change.load::<Provider>(&stream)?;
            let events = Provider::define(loaded.state.as_ref(), provider.clone())?;
            define(change, &mut loaded, &events)?;
            suture_store::calendar::number(change.tx, &change.order.organization.clone(), provider.id)?;
            change.touched.push(super::holds::calendar_of(provider.id));
            Ok(provider.clone())
        })
        .await
    }

    /// Defines a type of visit, or changes its definition. Bookings that stand keep their terms.
    ///
    /// # Errors
    /// [`Error::Refused`] with what is wrong; the old definition holds then.
    pub async fn define_visit_type(&self, caller: &Caller, visit: VisitType) -> Result<VisitType, Error> {
        let order = self.order_of(caller, Reason::of("visit_type_defined"));
        self.apply("practice", order, move |change| {
            let (_, clinic) = change.existing::<Clinic>(&visit.clinic.to_string())?;
            visit.terms(visit.timing.as_ref().unwrap_or(&clinic.timing).timing).check()?;
            let mut loaded = change.load::<VisitType>(&visit.id.to_string())?;
            let events = VisitType::define(loaded.state.as_ref(), visit.clone())?;
            define(change, &mut loaded, &events)?;
            Ok(visit.clone())
        })
        .await
    }
}

fn define<M: Machine>(
    change: &mut Change<'_, '_>,
    loaded: &mut crate::change::Loaded<M>,
    events: &[M::Event],
) -> Result<(), Error> {
    if events.is_empty() {
        return Ok(());
    }
    change.record_all(loaded, events, &Care::default())?;
    let organization = change.order.organization.clone();
    let version = organizations::mark(change.tx, &organization, MARK)?;
    let next = version.and_then(|version| version.parse::<u64>().ok()).unwrap_or(0).saturating_add(1);
    organizations::set_mark(change.tx, &organization, MARK, &next.to_string())?;
    Ok(())
}

/// The practice, unless it is still at this version.
fn read(tx: &mut Tx<'_>, organization: &str, known: Option<&str>) -> Result<Option<Practice>, Error> {
    let version = organizations::mark(tx, organization, MARK)?.unwrap_or_default();
    if known == Some(version.as_str()) {
        return Ok(None);
    }
    let clinics = journal::list_streams::<Clinic>(tx, organization, Clinic::KIND, "", MOST)?;
    let providers = journal::list_streams::<Provider>(tx, organization, Provider::KIND, "", MOST)?;
    let visit_types = journal::list_streams::<VisitType>(tx, organization, VisitType::KIND, "", MOST)?;
    Ok(Some(Practice {
        version,
        clinics: clinics.into_iter().map(|(_, clinic)| (clinic.id, clinic)).collect(),
        providers: providers.into_iter().map(|(_, provider)| (provider.id, provider)).collect(),
        visit_types: visit_types.into_iter().map(|(_, visit)| (visit.id, visit)).collect(),
        expanded: std::sync::Mutex::default(),
    }))
}
