//! The provider's share of a post-visit charge, where the clinic splits charges (FLOWS 3). From its accrual on it follows its
//! service by itself.

use suture_core::appointment::Appointment;
use suture_core::money::Money;
use suture_core::payout::{LossRule, Share, Terms};
use suture_core::practice::{Clinic, Provider};

use crate::Error;
use crate::change::Change;
use crate::facts::Origin;
use crate::payouts::{self, NewPayout};

/// Accrues the provider's share of what a visit costs, once.
pub(super) fn accrue(
    change: &mut Change<'_, '_>,
    appointment: &Appointment,
    total: Money,
    origin: &Origin,
) -> Result<(), Error> {
    let (_, clinic) = change.existing::<Clinic>(&appointment.clinic.to_string())?;
    let (Some(share), Some(service)) = (clinic.platform_share, appointment.service) else { return Ok(()) };
    // Without a gateway there is nothing that could be split.
    if origin.connection.is_empty() || total.minor <= 0 {
        return Ok(());
    }
    let (_, provider) = change.existing::<Provider>(&appointment.context.provider.to_string())?;
    let terms = Terms {
        share: Share::BasisPoints(u16::try_from(share).unwrap_or(10_000)),
        wait_for_note: true,
        hold_days: u16::try_from(clinic.payout_hold_days).unwrap_or(365),
        loss: LossRule::PlatformBears,
    };
    let new =
        NewPayout { service, provider: provider.id, destination: provider.account, gross: total, terms };
    payouts::accrue(change, &new, (&origin.connection, &origin.gateway)).map(|_| ())
}
