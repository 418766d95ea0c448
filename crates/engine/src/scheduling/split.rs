//! The provider's share of a post-visit charge, where the clinic splits charges (FLOWS 3). From its accrual on it follows its
//! service by itself.

use suture_core::appointment::Appointment;
use suture_core::id::ServiceId;
use suture_core::money::Money;
use suture_core::payout::{LossRule, Share, Terms};
use suture_core::practice::{Clinic, Provider};
use suture_core::service::Service;
use suture_store::effects::NewEffect;

use crate::Error;
use crate::billing;
use crate::change::Change;
use crate::facts::Origin;
use crate::job::Job;
use crate::payouts::{self, NewPayout};

/// Accrues the provider's share of what a visit costs, once. While nothing says which gateway takes the money, a person is
/// asked: a share is never left out silently.
pub(super) fn accrue(
    change: &mut Change<'_, '_>,
    appointment: &Appointment,
    total: Money,
    origin: &Origin,
) -> Result<(), Error> {
    let (_, clinic) = change.existing::<Clinic>(&appointment.clinic.to_string())?;
    let (Some(share), Some(service)) = (clinic.platform_share, appointment.service) else { return Ok(()) };
    if total.minor <= 0 {
        return Ok(());
    }
    let (_, known) = change.existing::<Service>(&service.to_string())?;
    let only = Some((origin.connection.clone(), origin.gateway.clone())).filter(|(id, _)| !id.is_empty());
    let Some((connection, gateway)) = billing::gateway_of(change, &known)?.or(only) else {
        return ask_for_gateway(change, appointment, service);
    };
    let (_, provider) = change.existing::<Provider>(&appointment.context.provider.to_string())?;
    let terms = Terms {
        share: Share::BasisPoints(u16::try_from(share).unwrap_or(10_000)),
        wait_for_note: true,
        hold_days: u16::try_from(clinic.payout_hold_days).unwrap_or(365),
        loss: LossRule::PlatformBears,
    };
    let new =
        NewPayout { service, provider: provider.id, destination: provider.account, gross: total, terms };
    payouts::accrue(change, &new, (&connection, &gateway)).map(|_| ())
}

fn ask_for_gateway(
    change: &mut Change<'_, '_>,
    appointment: &Appointment,
    service: ServiceId,
) -> Result<(), Error> {
    if payouts::is_accrued(change, &service.to_string())? {
        return Ok(());
    }
    change.effect_once(NewEffect {
        id: format!("{service}/share"),
        kind: "ask_person",
        lane: None,
        destination: "payouts".to_owned(),
        stream: Some(service.to_string()),
        due_at: change.order.now,
        payload: Job::ask(format!(
            "the provider's share of appointment {} was not accrued: no gateway is connected, or several are and none took \
             money for it; accrue the payout of service {service} and name the connection",
            appointment.id
        )),
    })
}
