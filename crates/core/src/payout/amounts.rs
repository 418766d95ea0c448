//! The arithmetic of a payout: what the provider is entitled to, what was sent, what is to be sent or taken back. All in
//! minor units of the charge's currency; everything that moves money reads it.

use crate::money::Money;

use super::state::ProviderPayout;
use super::terms::LossRule;
use super::transfer::{Reversal, Step, Transfer};

impl ProviderPayout {
    /// An amount in the currency of the charge.
    #[must_use]
    pub const fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.accrual.gross.currency)
    }

    /// The platform's part of the charge.
    #[must_use]
    pub fn platform_minor(&self) -> i64 {
        self.accrual.terms.share.platform_minor(self.gross_minor)
    }

    /// The provider's part of the charge, before losses.
    #[must_use]
    pub fn provider_minor(&self) -> i64 {
        self.accrual.terms.share.provider_minor(self.gross_minor)
    }

    /// What the provider is entitled to: the part of the charge, less what the provider bears of losses.
    #[must_use]
    pub fn entitled_minor(&self) -> i64 {
        let borne: i64 = self.losses.values().map(|loss| loss.borne_minor).sum();
        self.provider_minor().saturating_sub(borne).max(0)
    }

    /// Transferred and not taken back.
    #[must_use]
    pub fn transferred_minor(&self) -> i64 {
        self.transfers.iter().map(Transfer::left_minor).sum()
    }

    /// What the provider has of this payout: transferred, or kept for what the provider owed elsewhere; less what was kept
    /// elsewhere for this one.
    #[must_use]
    pub fn settled_minor(&self) -> i64 {
        self.transferred_minor().saturating_add(self.deducted_minor).saturating_sub(self.netted_minor)
    }

    /// The transfer by which money may still move.
    #[must_use]
    pub fn open_transfer(&self) -> Option<&Transfer> {
        self.transfers.iter().rev().find(|transfer| transfer.step.is_open())
    }

    /// The reversal by which money may still move.
    #[must_use]
    pub fn open_reversal(&self) -> Option<&Reversal> {
        self.reversals.iter().rev().find(|reversal| reversal.step.is_open())
    }

    /// What is still to be sent. Nothing while a call is open: its outcome comes first.
    #[must_use]
    pub fn to_send_minor(&self) -> i64 {
        match self.open_transfer().is_some() || self.open_reversal().is_some() {
            true => 0,
            false => self.entitled_minor().saturating_sub(self.settled_minor()).max(0),
        }
    }

    /// What the provider has too much, whatever is being done about it.
    #[must_use]
    pub fn owed_back_minor(&self) -> i64 {
        self.settled_minor().saturating_sub(self.entitled_minor()).max(0)
    }

    /// What to take back, and from which transfer: the newest that holds it first. `None` while a call is open, and for what
    /// was refused before.
    #[must_use]
    pub fn to_reverse(&self) -> Option<(&Transfer, i64)> {
        if self.open_transfer().is_some() || self.open_reversal().is_some() {
            return None;
        }
        let wanted = self.owed_back_minor().saturating_sub(self.refused_minor);
        let newest = self.transfers.iter().rev().find(|transfer| transfer.left_minor() > 0)?;
        let amount = wanted.min(newest.left_minor());
        (amount > 0).then_some((newest, amount))
    }

    /// What the provider owes and no reversal brings back: it is kept from the provider's next payout (FLOWS 3e).
    #[must_use]
    pub fn owes_minor(&self) -> i64 {
        match (self.open_reversal(), self.to_reverse()) {
            (None, None) if self.open_transfer().is_none() => self.owed_back_minor(),
            _ => self.refused_minor,
        }
    }

    /// What the provider bears of a loss, given the losses of other causes.
    #[must_use]
    pub(super) fn borne_minor(&self, cause: &str, lost_minor: i64, rule: LossRule) -> i64 {
        let others = || self.losses.iter().filter(|(known, _)| known.as_str() != cause);
        let borne: i64 = others().map(|(_, loss)| loss.borne_minor).sum();
        let gone: i64 = others().map(|(_, loss)| loss.lost_minor).sum();
        let left = self.provider_minor().saturating_sub(borne).max(0);
        let part = match rule {
            LossRule::PlatformBears => 0,
            LossRule::ProviderBears => lost_minor,
            LossRule::ProRata => {
                let share = self.accrual.terms.share;
                let before = self.gross_minor.saturating_sub(gone).max(0);
                share.provider_minor(before) - share.provider_minor(before.saturating_sub(lost_minor))
            }
        };
        part.clamp(0, left)
    }

    /// Whether a planned transfer is still what would be sent.
    #[must_use]
    pub(super) fn still_stands(&self, transfer: &Transfer) -> bool {
        let due = self.entitled_minor().saturating_sub(self.settled_minor());
        transfer.step == Step::Planned
            && self.released
            && self.holds.is_empty()
            && transfer.amount_minor == due
            && self.destination.as_ref() == Some(&transfer.destination)
    }
}
