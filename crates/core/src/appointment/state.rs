//! What is known about an appointment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{
    AppointmentId, ClinicId, DebtId, EligibilityId, EncounterId, PaymentId, ServiceId, WaitingId,
};
use crate::money::Money;
use crate::payment::{self, Payment};
use crate::time::Timestamp;
use crate::visit::{Terms, Verdict};

use super::event::{Confirmation, Context, Event, Party};

/// Where an appointment stands (FLOWS §0). A moved one is the same appointment at another time: its payments stay with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The slot is held; the deposit, or the patient's word, is awaited.
    PendingPayment,
    /// It stands.
    Confirmed,
    /// It stands, but a charge before the visit failed.
    AtRisk,
    /// The patient is here.
    InVisit,
    /// The visit took place.
    Completed,
    /// It will not take place.
    Canceled,
    /// The patient did not come.
    NoShow,
    /// The hold ended without money.
    Lapsed,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 8] = [
        Self::PendingPayment,
        Self::Confirmed,
        Self::AtRisk,
        Self::InVisit,
        Self::Completed,
        Self::Canceled,
        Self::NoShow,
        Self::Lapsed,
    ];

    /// The status as written in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PendingPayment => "pending_payment",
            Self::Confirmed => "confirmed",
            Self::AtRisk => "at_risk",
            Self::InVisit => "in_visit",
            Self::Completed => "completed",
            Self::Canceled => "canceled",
            Self::NoShow => "no_show",
            Self::Lapsed => "lapsed",
        }
    }

    /// Whether its slot is held or booked.
    #[must_use]
    pub const fn occupies(self) -> bool {
        match self {
            Self::PendingPayment | Self::Confirmed | Self::AtRisk | Self::InVisit | Self::Completed => true,
            Self::Canceled | Self::NoShow | Self::Lapsed => false,
        }
    }
}

/// What a payment of an appointment is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The deposit that makes the booking.
    Deposit,
    /// The rest of the price, charged before the visit.
    Visit,
}

/// What a payment of an appointment proves, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paid {
    /// What it is for.
    pub role: Role,
    /// Where it stands.
    pub status: payment::Status,
    /// Reserved and not captured.
    pub reserved_minor: i64,
    /// Captured, less what went back.
    pub net_minor: i64,
    /// Whether it may still collect.
    pub collecting: bool,
}

impl Paid {
    /// What a payment proves now.
    #[must_use]
    pub fn of(payment: &Payment, role: Role) -> Self {
        let status = payment.status();
        let reserved = status == payment::Status::Authorized;
        Self {
            role,
            status,
            reserved_minor: if reserved { payment.authorized_minor } else { 0 },
            net_minor: payment.captured_minor.saturating_sub(payment.refunded_minor()),
            collecting: payment.is_collecting(),
        }
    }
}

/// An appointment as known now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Appointment {
    /// Its id.
    pub id: AppointmentId,
    /// Who, with whom, what and when.
    pub context: Context,
    /// The clinic.
    pub clinic: ClinicId,
    /// When it ends.
    pub ends_at: Timestamp,
    /// The patient's zone.
    pub zone: String,
    /// Where it stands.
    pub status: Status,
    /// The link token.
    pub link: String,
    /// The terms, as they were when it was selected.
    pub terms: Terms,
    /// Until when the slot is held.
    pub held_until: Timestamp,
    /// Whether the hold was extended: it is once.
    #[serde(default)]
    pub extended: bool,
    /// The debt of the deposit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deposit_debt: Option<DebtId>,
    /// The debt of the charge before the visit, with its amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visit_due: Option<(DebtId, Money)>,
    /// Its payments by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub payments: BTreeMap<String, Paid>,
    /// What confirmed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Confirmation>,
    /// The service of its care and money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceId>,
    /// Its encounter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encounter: Option<EncounterId>,
    /// The coverage that the deposit was computed from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eligibility: Option<EligibilityId>,
    /// The place in the waiting list that it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<WaitingId>,
    /// Until when it may be paid while it is at risk, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<(Timestamp, String)>,
    /// It is never released for money.
    #[serde(default)]
    pub emergency: bool,
    /// Who sees the patient anyway, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overridden: Option<(String, String)>,
    /// How often it moved.
    #[serde(default)]
    pub moves: u32,
    /// Payments that came too late and go back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<PaymentId>,
    /// How it ended: by whom, why, with what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<(Party, String, Verdict)>,
}

impl Appointment {
    /// Applies an event. Total.
    #[must_use]
    pub fn evolve(state: Option<Self>, event: &Event) -> Option<Self> {
        match (state, event) {
            (None, Event::SlotSelected { .. }) => Self::selected(event),
            (None, _) => None,
            (Some(mut appointment), event) => {
                appointment.apply(event);
                Some(appointment)
            }
        }
    }

    fn selected(event: &Event) -> Option<Self> {
        let Event::SlotSelected {
            appointment,
            context,
            clinic,
            ends_at,
            zone,
            link,
            debt,
            terms,
            held_until,
            eligibility,
            waiting,
        } = event
        else {
            return None;
        };
        Some(Self {
            id: *appointment,
            context: *context,
            clinic: *clinic,
            ends_at: *ends_at,
            zone: zone.clone(),
            status: Status::PendingPayment,
            link: link.clone(),
            terms: terms.clone(),
            held_until: *held_until,
            extended: false,
            deposit_debt: *debt,
            visit_due: None,
            payments: BTreeMap::new(),
            confirmation: None,
            service: None,
            encounter: None,
            eligibility: *eligibility,
            waiting: *waiting,
            risk: None,
            emergency: false,
            overridden: None,
            moves: 0,
            lost: Vec::new(),
            ended: None,
        })
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::SlotSelected { .. } => {}
            Event::HoldExtended { until } => {
                self.held_until = *until;
                self.extended = true;
            }
            Event::PaymentMoved { payment, paid } => {
                self.payments.insert(payment.to_string(), *paid);
            }
            Event::BookingConfirmed { confirmation, service, .. } => {
                self.status = Status::Confirmed;
                self.confirmation = Some(*confirmation);
                self.service = Some(*service);
            }
            Event::Lapsed => self.status = Status::Lapsed,
            Event::SlotLost { payment } => self.lost.push(*payment),
            Event::VisitDue { debt, amount } => self.visit_due = Some((*debt, *amount)),
            Event::PutAtRisk { deadline, reason } => {
                self.status = Status::AtRisk;
                self.risk = Some((*deadline, reason.clone()));
            }
            Event::Secured => self.secure(),
            Event::Overridden { by, reason } => {
                self.secure();
                self.overridden = Some((by.clone(), reason.clone()));
            }
            Event::EmergencyMarked { emergency, .. } => self.emergency = *emergency,
            Event::Moved { context, ends_at, .. } => {
                self.context = *context;
                self.ends_at = *ends_at;
                self.moves = self.moves.saturating_add(1);
            }
            Event::Arrived { .. } => self.status = Status::InVisit,
            Event::EncounterOpened { encounter } => self.encounter = Some(*encounter),
            Event::VisitCompleted { .. } => self.status = Status::Completed,
            Event::PatientMissed { verdict, by } => {
                self.status = Status::NoShow;
                self.risk = None;
                self.ended = Some((*by, "no_show".to_owned(), verdict.clone()));
            }
            Event::BookingCanceled { by, reason, verdict, .. } => {
                self.status = Status::Canceled;
                self.risk = None;
                self.ended = Some((*by, reason.clone(), verdict.clone()));
            }
        }
    }

    fn secure(&mut self) {
        self.status = Status::Confirmed;
        self.risk = None;
    }

    /// What its payments of a role took and did not give back, in minor units.
    #[must_use]
    pub fn net_minor(&self, role: Role) -> i64 {
        self.payments.values().filter(|paid| paid.role == role).map(|paid| paid.net_minor).sum()
    }

    /// What was paid before the visit, deposit and visit together.
    #[must_use]
    pub fn paid_before(&self) -> Money {
        let minor = self.payments.values().map(|paid| paid.net_minor).sum();
        Money::new(minor, self.terms.deposit.currency)
    }

    /// What its payments reserve and did not take, in minor units.
    #[must_use]
    pub fn reserved_minor(&self) -> i64 {
        self.payments.values().map(|paid| paid.reserved_minor).sum()
    }

    /// What a payment covers of the deposit, in minor units: captured, or reserved where the terms say that this is enough.
    const fn covers_minor(&self, paid: &Paid) -> i64 {
        match paid.role {
            Role::Deposit if self.terms.reserve_only => paid.net_minor.saturating_add(paid.reserved_minor),
            Role::Deposit => paid.net_minor,
            Role::Visit => 0,
        }
    }

    /// What of the deposit no payment covers, all of them together: a part of one may have gone back.
    #[must_use]
    pub fn deposit_open(&self) -> Money {
        let covered: i64 = self.payments.values().map(|paid| self.covers_minor(paid)).sum();
        let deposit = self.terms.deposit;
        Money::new(deposit.minor.saturating_sub(covered).max(0), deposit.currency)
    }

    /// The payment that proves the deposit: the one that covers it, or else the latest of those that do together.
    #[must_use]
    pub fn deposit_proof(&self) -> Option<PaymentId> {
        if self.deposit_open().minor > 0 {
            return None;
        }
        let mut covering = self.payments.iter().filter(|(_, paid)| self.covers_minor(paid) > 0);
        let whole = |paid: &Paid| self.covers_minor(paid) >= self.terms.deposit.minor;
        let (id, _) = covering.clone().find(|(_, paid)| whole(paid)).or_else(|| covering.next_back())?;
        PaymentId::parse(id).ok()
    }

    /// Whether a deposit that confirmed it is no longer there: refunded, disputed or lapsed while the visit still stands.
    #[must_use]
    pub fn lacks_deposit(&self) -> bool {
        let by_deposit = matches!(
            self.confirmation,
            Some(Confirmation::Deposit { .. } | Confirmation::LatePayment { .. })
        );
        by_deposit && self.terms.deposit.minor > 0 && self.deposit_proof().is_none()
    }

    /// What is due before the visit and not paid.
    #[must_use]
    pub fn visit_open(&self) -> Option<Money> {
        let (_, due) = self.visit_due?;
        let open = due.minor.saturating_sub(self.net_minor(Role::Visit));
        (open > 0).then(|| Money::new(open, due.currency))
    }

    /// The debt of a role, if it has one.
    #[must_use]
    pub fn role_of(&self, debt: DebtId) -> Option<Role> {
        if self.deposit_debt == Some(debt) {
            return Some(Role::Deposit);
        }
        self.visit_due.filter(|(known, _)| *known == debt).map(|_| Role::Visit)
    }

    /// Money that proves the deposit of a slot that is no longer held: it books again, or goes back (FLOWS 1d).
    #[must_use]
    pub fn late_proof(&self) -> Option<PaymentId> {
        let waits = matches!(self.status, Status::Lapsed | Status::Canceled) && self.service.is_none();
        self.deposit_proof().filter(|payment| waits && !self.lost.contains(payment))
    }

    /// One of three words for the patient (FEATURES M212).
    #[must_use]
    pub const fn standing(&self) -> &'static str {
        match self.status {
            Status::PendingPayment | Status::AtRisk => "pay_to_keep",
            Status::Confirmed | Status::InVisit | Status::Completed => "confirmed",
            Status::Canceled | Status::NoShow | Status::Lapsed => "released",
        }
    }
}
