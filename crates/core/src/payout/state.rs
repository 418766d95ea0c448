//! What is known about a provider's payout, and the status that follows from it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

use super::event::Event;
use super::terms::{Accrual, HoldReason, LossRule};
use super::transfer::{Reversal, Step, Transfer};

/// Where a payout stands (FLOWS §0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Earned; nothing else was said.
    Accrued,
    /// It must not go out.
    Held,
    /// It may go out.
    Released,
    /// A transfer is planned or on its way.
    Sent,
    /// The answer to a transfer was lost; it may have happened.
    Unknown,
    /// The provider has all of it.
    Paid,
    /// A lost dispute took a part of it.
    PartClawedBack,
    /// A lost dispute took all of it.
    ClawedBack,
    /// Nothing is owed to the provider any more.
    Voided,
}

impl Status {
    /// The status as written in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accrued => "accrued",
            Self::Held => "held",
            Self::Released => "released",
            Self::Sent => "sent",
            Self::Unknown => "unknown",
            Self::Paid => "paid",
            Self::PartClawedBack => "part_clawed_back",
            Self::ClawedBack => "clawed_back",
            Self::Voided => "voided",
        }
    }
}

/// Until when one reason holds a payout, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Until when, when that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Who, for a person's hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// A loss and what the provider bears of it, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// The whole loss.
    pub lost_minor: i64,
    /// Who bears it.
    pub rule: LossRule,
    /// What the provider bears.
    pub borne_minor: i64,
}

/// A provider's payout as known now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderPayout {
    /// What was earned, for whom, and on which terms. Charge and account are as of the accrual.
    pub accrual: Accrual,
    /// The whole charge now, in minor units.
    pub gross_minor: i64,
    /// The provider's account now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// Why it must not go out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub holds: BTreeMap<HoldReason, Hold>,
    /// What a person lifted for good.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub waived: BTreeSet<HoldReason>,
    /// Whether it may go out.
    pub released: bool,
    /// Losses by cause.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub losses: BTreeMap<String, Loss>,
    /// Transfers, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transfers: Vec<Transfer>,
    /// Reversals, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reversals: Vec<Reversal>,
    /// Kept because the provider owed it from other payouts, in minor units.
    pub deducted_minor: i64,
    /// Owed from this payout and kept from others, in minor units.
    pub netted_minor: i64,
    /// Owed back, and a reversal of it was refused: it is kept from the next payout, in minor units.
    pub refused_minor: i64,
    /// Adjustments so far.
    pub adjustments: u32,
    /// Sharings of losses so far.
    pub sharings: u32,
}

impl ProviderPayout {
    /// The status that follows from what is known.
    #[must_use]
    pub fn status(&self) -> Status {
        match self.open_transfer().map(|transfer| transfer.step) {
            Some(Step::Unknown) => return Status::Unknown,
            Some(_) => return Status::Sent,
            None => {}
        }
        let disputed =
            |(cause, loss): (&String, &Loss)| cause.starts_with("dispute:") && loss.borne_minor > 0;
        let clawed_back = self.losses.iter().any(disputed);
        match (self.entitled_minor(), self.to_send_minor()) {
            (0, _) if clawed_back => Status::ClawedBack,
            (0, _) => Status::Voided,
            (_, 0) if clawed_back => Status::PartClawedBack,
            (_, 0) => Status::Paid,
            _ if !self.holds.is_empty() => Status::Held,
            _ if self.released => Status::Released,
            _ => Status::Accrued,
        }
    }

    /// Applies an event. Total.
    #[must_use]
    pub fn evolve(state: Option<Self>, event: &Event) -> Option<Self> {
        match (state, event) {
            (None, Event::Accrued(accrual)) => Some(Self {
                gross_minor: accrual.gross.minor,
                destination: accrual.destination.clone(),
                accrual: (**accrual).clone(),
                holds: BTreeMap::new(),
                waived: BTreeSet::new(),
                released: false,
                losses: BTreeMap::new(),
                transfers: Vec::new(),
                reversals: Vec::new(),
                deducted_minor: 0,
                netted_minor: 0,
                refused_minor: 0,
                adjustments: 0,
                sharings: 0,
            }),
            (None, _) => None,
            (Some(mut payout), event) => {
                payout.apply(event);
                payout.refused_minor = payout.refused_minor.min(payout.owed_back_minor());
                Some(payout)
            }
        }
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Accrued(_) => {}
            Event::Adjusted { gross, number } => {
                self.gross_minor = gross.minor;
                self.adjustments = *number;
            }
            Event::DestinationSet { destination } => self.destination = Some(destination.clone()),
            Event::Held { reason, until, by } => {
                self.holds.insert(*reason, Hold { until: *until, by: by.clone() });
                self.released = false;
            }
            Event::Unheld { reason, waived, .. } => {
                self.holds.remove(reason);
                if *waived {
                    self.waived.insert(*reason);
                }
            }
            Event::Released { .. } => self.released = true,
            Event::LossShared { cause, lost, rule, borne, number } => {
                let loss = Loss { lost_minor: lost.minor, rule: *rule, borne_minor: borne.minor };
                self.losses.insert(cause.clone(), loss);
                self.sharings = *number;
            }
            Event::Deducted { amount, .. } => {
                self.deducted_minor = self.deducted_minor.saturating_add(amount.minor);
            }
            Event::Netted { amount, .. } => {
                self.netted_minor = self.netted_minor.saturating_add(amount.minor);
                self.refused_minor = self.refused_minor.saturating_sub(amount.minor).max(0);
            }
            Event::TransferPlanned { .. } | Event::TransferMoved { .. } => self.apply_transfer(event),
            Event::ReversalPlanned { .. } | Event::ReversalMoved { .. } => self.apply_reversal(event),
        }
    }

    fn apply_transfer(&mut self, event: &Event) {
        match event {
            Event::TransferPlanned { number, amount, destination, source, key, at } => {
                self.transfers.push(Transfer {
                    number: *number,
                    amount_minor: amount.minor,
                    destination: destination.clone(),
                    source: source.clone(),
                    key: key.clone(),
                    at: *at,
                    sent_at: None,
                    step: Step::Planned,
                    id: None,
                    code: None,
                    reversed_minor: 0,
                });
            }
            Event::TransferMoved { number, to, transfer, code, at } => {
                let Some(moved) = self.transfers.iter_mut().find(|known| known.number == *number) else {
                    return;
                };
                moved.step = *to;
                moved.sent_at = if *to == Step::Sent { Some(*at) } else { moved.sent_at };
                moved.id = transfer.clone().or(moved.id.take());
                moved.code.clone_from(code);
            }
            _ => {}
        }
    }

    fn apply_reversal(&mut self, event: &Event) {
        match event {
            Event::ReversalPlanned { number, transfer, amount, key, at } => {
                self.reversals.push(Reversal {
                    number: *number,
                    transfer: *transfer,
                    amount_minor: amount.minor,
                    key: key.clone(),
                    at: *at,
                    sent_at: None,
                    step: Step::Planned,
                    id: None,
                    code: None,
                });
            }
            Event::ReversalMoved { number, to, reversal, code, at } => {
                let Some(moved) = self.reversals.iter_mut().find(|known| known.number == *number) else {
                    return;
                };
                moved.step = *to;
                moved.sent_at = if *to == Step::Sent { Some(*at) } else { moved.sent_at };
                moved.id = reversal.clone().or(moved.id.take());
                moved.code.clone_from(code);
                let (transfer, amount) = (moved.transfer, moved.amount_minor);
                match to {
                    Step::Done => {
                        let from = self.transfers.iter_mut().find(|known| known.number == transfer);
                        if let Some(from) = from {
                            from.reversed_minor = from.reversed_minor.saturating_add(amount);
                        }
                    }
                    Step::Declined => self.refused_minor = self.refused_minor.saturating_add(amount),
                    Step::Planned | Step::Sent | Step::Unknown | Step::Withdrawn => {}
                }
            }
            _ => {}
        }
    }
}
