//! Which gateway a reaction that no gateway caused is about: the one that took the money, or keeps the patient's methods, or
//! the only one. With several gateways, or a broken one, "the only one" is nobody, and nothing may be lost by that.

use suture_core::id::{PatientId, PaymentId};
use suture_core::payment::{Payment, Source};
use suture_core::service::Service;

use crate::Error;
use crate::change::Change;
use crate::engine::Engine;
use crate::facts::Origin;

impl Engine {
    /// An origin for reactions that no gateway caused. Its connection is empty when nothing says which gateway is meant: who
    /// needs one asks [`gateway_of`], or a person.
    pub(crate) fn any_origin(&self, organization: &str) -> Origin {
        let usable = self.gateway_for(organization, None).and_then(|id| self.connection(&id));
        match usable {
            Ok(open) => self.origin(&open, Source::Fetched, self.now()),
            Err(_) => Origin {
                connection: String::new(),
                gateway: String::new(),
                seen_at: self.now(),
                source: Source::Fetched,
                flows: self.flows_for(""),
                planner: None,
            },
        }
    }

    /// The same for a patient whose money no gateway has taken yet: of several, the one that keeps the patient's methods.
    pub(crate) async fn origin_of_patient(
        &self,
        organization: &str,
        patient: PatientId,
    ) -> Result<Origin, Error> {
        let any = self.any_origin(organization);
        if !any.connection.is_empty() {
            return Ok(any);
        }
        let open = self.keeper_of_methods(organization, patient).await?.map(|id| self.connection(&id));
        Ok(match open {
            Some(Ok(open)) => self.origin(&open, Source::Fetched, self.now()),
            Some(Err(_)) | None => any,
        })
    }

    /// The connection by which a service is collected: the only one, or that of its payments, or of the patient's methods.
    /// `None` leaves the choice to a person.
    pub(crate) async fn gateway_of_service(
        &self,
        organization: &str,
        service: &Service,
    ) -> Result<Option<String>, Error> {
        if let Ok(only) = self.gateway_for(organization, None) {
            return Ok(Some(only));
        }
        for payment in latest_first(service) {
            let used = self.payment(organization, payment).await?.connection;
            if self.connection(&used).is_ok() {
                return Ok(Some(used));
            }
        }
        self.keeper_of_methods(organization, service.patient).await
    }

    /// The one connection whose gateway keeps the patient's working methods.
    async fn keeper_of_methods(
        &self,
        organization: &str,
        patient: PatientId,
    ) -> Result<Option<String>, Error> {
        let patient = self.patient(organization, patient).await?;
        let mut keepers: Vec<&str> =
            patient.usable_methods(self.now()).map(|method| method.connection.as_str()).collect();
        keepers.retain(|id| self.connection(id).is_ok());
        keepers.sort_unstable();
        keepers.dedup();
        Ok(match keepers.as_slice() {
            [only] => Some((*only).to_owned()),
            _ => None,
        })
    }
}

/// The gateway that took money for a service, the latest first: its connection and its name. What it took can only be paid
/// back or passed on there, whichever gateways are connected now.
pub(crate) fn gateway_of(
    change: &mut Change<'_, '_>,
    service: &Service,
) -> Result<Option<(String, String)>, Error> {
    match latest_first(service).next() {
        Some(latest) => {
            let (_, payment) = change.existing::<Payment>(&latest.to_string())?;
            Ok(Some((payment.connection, payment.gateway)))
        }
        None => Ok(None),
    }
}

/// The payments of a service that hold money, the latest first.
fn latest_first(service: &Service) -> impl Iterator<Item = PaymentId> + use<> {
    let mut held: Vec<_> = service
        .payments
        .iter()
        .filter(|(_, held)| held.net_minor > 0)
        .filter_map(|(id, held)| PaymentId::parse(id).ok().map(|id| (held.charged_at, id)))
        .collect();
    held.sort_unstable();
    held.into_iter().rev().map(|(_, id)| id)
}
