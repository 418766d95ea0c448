//! What is known about a payment, and the status that follows from it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::attempt::{self, Attempt};
use crate::evidence::{CardSeen, ChargeSeen, ChargeStatus, DisputeStatus, IntentStatus, RefundStatus};
use crate::explain::Care;
use crate::id::{DebtId, PaymentId, RefundId};
use crate::ledger::Account;
use crate::money::Money;
use crate::time::Timestamp;

use super::event::{Event, is_zero};
use super::known::{DisputeKnown, IntentKnown, Purpose, RefundKnown};
use super::status::Status;

/// A payment as known now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// The debt it collects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debt: Option<DebtId>,
    /// The connection to the gateway.
    pub connection: String,
    /// The gateway's name.
    pub gateway: String,
    /// Our link token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// What it is for; `None` while its owner is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Purpose>,
    /// The chain to the act of care.
    pub care: Care,
    /// The amount asked for.
    pub amount: Money,
    /// Whether it is captured by a later call.
    pub manual_capture: bool,
    /// Every attempt, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// The intent at the gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
    /// The latest word on the intent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent_known: Option<IntentKnown>,
    /// The gateway's customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// The charge that carries the money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge: Option<String>,
    /// Charges that failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_charges: Vec<String>,
    /// What is, or was, reserved, in minor units.
    pub authorized_minor: i64,
    /// The reservation lapses then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture_before: Option<Timestamp>,
    /// What moved to us, in minor units.
    pub captured_minor: i64,
    /// When the gateway made the charge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charged_at: Option<Timestamp>,
    /// The card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<CardSeen>,
    /// Fees by balance transaction.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fees: BTreeMap<String, Money>,
    /// Capture requests so far.
    pub captures: u32,
    /// A capture was asked for and not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capturing: Option<Money>,
    /// A cancellation was asked for.
    pub canceling: bool,
    /// Refunds asked for by us and not seen at the gateway yet.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reserved: BTreeMap<String, Money>,
    /// Refunds that were asked for and refused.
    #[serde(default)]
    pub refunds_refused: u32,
    /// Refunds seen at the gateway.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refunds: BTreeMap<String, RefundKnown>,
    /// What came back from refunds and was paid back outside of a gateway, in minor units.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub paid_back_elsewhere_minor: i64,
    /// Disputes seen at the gateway.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub disputes: BTreeMap<String, DisputeKnown>,
    /// The payout it arrived in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payout: Option<String>,
}

impl Payment {
    /// The status that follows from what is known.
    #[must_use]
    pub fn status(&self) -> Status {
        if self.disputes.values().any(|dispute| dispute.lost) {
            return Status::Lost;
        }
        if self.disputes.values().any(|dispute| dispute.withdrawn && !dispute.reinstated) {
            return Status::Disputed;
        }
        if self.captured_minor > 0 {
            return self.captured_status();
        }
        if self.attempts.last().is_some_and(|last| matches!(last.state, attempt::State::Unknown { .. })) {
            return Status::Unknown;
        }
        let Some(known) = &self.intent_known else { return self.status_without_intent() };
        match known.status {
            IntentStatus::Canceled if self.lapsed() => Status::Expired,
            IntentStatus::Canceled => Status::Canceled,
            IntentStatus::RequiresCapture => Status::Authorized,
            _ if self.authorized_minor > 0 => Status::Authorized,
            // The intent says paid; the charge that proves it is being fetched.
            IntentStatus::Processing | IntentStatus::Succeeded => Status::Processing,
            IntentStatus::RequiresAction => Status::RequiresAction,
            IntentStatus::RequiresMethod => Status::RequiresMethod,
            IntentStatus::RequiresConfirmation => Status::Created,
        }
    }

    fn captured_status(&self) -> Status {
        match self.refunded_minor() {
            0 if self.payout.is_some() => Status::Settled,
            0 => Status::Captured,
            refunded if refunded >= self.captured_minor => Status::Refunded,
            _ => Status::PartRefunded,
        }
    }

    fn status_without_intent(&self) -> Status {
        if self.authorized_minor > 0 {
            return Status::Authorized;
        }
        match self.attempts.last().map(|last| &last.state) {
            Some(attempt::State::Ended) => Status::Canceled,
            Some(attempt::State::Declined { .. }) => Status::RequiresMethod,
            Some(_) => Status::Created,
            None if self.failed_charges.is_empty() => Status::Created,
            None => Status::Failed,
        }
    }

    fn lapsed(&self) -> bool {
        let reason = self.intent_known.as_ref().and_then(|known| known.cancel_reason.as_deref());
        // `automatic` is the older word for `expired` (Stripe facts §b).
        matches!(reason, Some("expired" | "automatic"))
    }

    /// What went back to the payer and stayed there, in minor units.
    #[must_use]
    pub fn refunded_minor(&self) -> i64 {
        self.refunds_in(&[RefundStatus::Succeeded])
    }

    /// What may still be refunded: captured, less every refund that is asked for, on its way or done, less money
    /// that a dispute holds. Nothing while a dispute is open or after it was lost: the money would be lost twice.
    #[must_use]
    pub fn refundable(&self) -> Money {
        if matches!(self.status(), Status::Disputed | Status::Lost) {
            return Money::zero(self.amount.currency);
        }
        let reserved: i64 = self.reserved.values().map(|amount| amount.minor).sum();
        let moving = self.refunds_in(&[RefundStatus::Pending, RefundStatus::Succeeded]);
        let disputed: i64 = self
            .disputes
            .values()
            .filter(|dispute| dispute.withdrawn && !dispute.reinstated)
            .map(|dispute| dispute.amount.minor)
            .sum();
        Money::new((self.captured_minor - reserved - moving - disputed).max(0), self.amount.currency)
    }

    fn refunds_in(&self, statuses: &[RefundStatus]) -> i64 {
        let counted = |refund: &&RefundKnown| statuses.contains(&refund.status);
        self.refunds.values().filter(counted).map(|refund| refund.amount.minor).sum()
    }

    /// Whether a charge that succeeded is not the one that carries this payment's money: it is money of its own, and a payment
    /// of its own.
    #[must_use]
    pub fn is_of_another_charge(&self, seen: &ChargeSeen) -> bool {
        seen.status == ChargeStatus::Succeeded
            && self.charge.as_ref().is_some_and(|known| *known != seen.charge)
    }

    /// The account that this payment's money is credited to.
    #[must_use]
    pub const fn target(&self) -> Account {
        match self.purpose {
            Some(Purpose::Balance) => Account::ArPatient,
            Some(Purpose::Deposit) => Account::DepositPatient,
            Some(Purpose::Credit) => Account::CreditPatient,
            Some(Purpose::Order) => Account::DepositCustomer,
            None => Account::SuspUnapplied,
        }
    }

    /// The attempt by which money may still move.
    #[must_use]
    pub fn open_attempt(&self) -> Option<&Attempt> {
        self.attempts.last().filter(|last| last.state.is_open())
    }

    /// Whether nothing happens until the payer gives another method: no attempt is under way, and nobody cancels it.
    #[must_use]
    pub fn only_waits_for_method(&self) -> bool {
        let under_way = |last: &Attempt| last.state.is_open() && last.state != attempt::State::Waiting;
        self.status() == Status::RequiresMethod
            && !self.canceling
            && !self.attempts.last().is_some_and(under_way)
    }

    /// Whether money may still come by this payment: it is not decided, or it is authorized and may be captured, or the
    /// payer still holds a browser secret of its intent. Until then no other payment may collect the same debt.
    #[must_use]
    pub fn is_collecting(&self) -> bool {
        match self.status() {
            Status::Created
            | Status::RequiresAction
            | Status::Processing
            | Status::Authorized
            | Status::Unknown => true,
            Status::RequiresMethod => self.intent.is_some(),
            Status::Captured
            | Status::Settled
            | Status::Failed
            | Status::Canceled
            | Status::Expired
            | Status::PartRefunded
            | Status::Refunded
            | Status::Disputed
            | Status::Lost => self.capturing.is_some(),
        }
    }

    /// Applies an event. Total: every event applies to every payment.
    #[must_use]
    pub fn evolve(state: Option<Self>, event: &Event) -> Option<Self> {
        match (state, event) {
            (None, opened) => Self::opened(opened),
            (Some(mut payment), event) => {
                payment.apply(event);
                Some(payment)
            }
        }
    }

    fn opened(event: &Event) -> Option<Self> {
        let Event::Opened {
            payment,
            debt,
            connection,
            gateway,
            link,
            purpose,
            care,
            amount,
            manual_capture,
            customer,
            ..
        } = event
        else {
            return None;
        };
        Some(Self {
            id: *payment,
            debt: *debt,
            connection: connection.clone(),
            gateway: gateway.clone(),
            link: link.clone(),
            purpose: *purpose,
            care: care.clone(),
            amount: *amount,
            manual_capture: *manual_capture,
            attempts: Vec::new(),
            intent: None,
            intent_known: None,
            customer: customer.clone(),
            charge: None,
            failed_charges: Vec::new(),
            authorized_minor: 0,
            capture_before: None,
            captured_minor: 0,
            charged_at: None,
            card: None,
            fees: BTreeMap::new(),
            captures: 0,
            capturing: None,
            canceling: false,
            reserved: BTreeMap::new(),
            refunds_refused: 0,
            refunds: BTreeMap::new(),
            paid_back_elsewhere_minor: 0,
            disputes: BTreeMap::new(),
            payout: None,
        })
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Opened { .. } => {}
            Event::AttemptPlanned { number, key, at, method } => self.attempts.push(Attempt {
                number: *number,
                key: key.clone(),
                planned_at: *at,
                method: method.clone(),
                state: attempt::State::Planned,
            }),
            Event::AttemptMoved { number, step, at } => self.move_attempt(*number, step, *at),
            Event::IntentMoved { .. } => self.move_intent(event),
            Event::Authorized { charge, amount, capture_before } => {
                self.charge = Some(charge.clone());
                self.authorized_minor = amount.minor;
                self.capture_before = *capture_before;
            }
            Event::ChargeFailed { charge, .. } => self.failed_charges.push(charge.clone()),
            Event::Captured { charge, amount, charged_at, card } => {
                self.charge = Some(charge.clone());
                self.captured_minor = self.captured_minor.saturating_add(amount.minor);
                self.charged_at = Some(*charged_at);
                self.card.clone_from(card);
                self.capturing = None;
            }
            Event::FeeKnown { transaction, fee } => {
                self.fees.insert(transaction.clone(), *fee);
            }
            Event::CaptureRequested { number, amount, .. } => {
                self.captures = *number;
                self.capturing = Some(*amount);
            }
            Event::CaptureFailed { .. } => self.capturing = None,
            Event::CancelRequested { .. } => self.canceling = true,
            Event::LinkResolved { link, purpose, care, debt } => {
                self.debt = self.debt.or(*debt);
                self.link = Some(link.clone());
                self.purpose = Some(*purpose);
                self.care = care.clone();
            }
            Event::Relinked { link, care } => {
                self.link = Some(link.clone());
                self.care = care.clone();
            }
            Event::Consumed => self.purpose = Some(Purpose::Credit),
            Event::Settled { payout } => self.payout = Some(payout.clone()),
            other => self.apply_return(other),
        }
    }

    /// Money going back: refunds and disputes.
    fn apply_return(&mut self, event: &Event) {
        match event {
            Event::RefundReserved { refund_id, amount } => {
                self.reserved.insert(refund_id.to_string(), *amount);
            }
            Event::RefundReleased { refund_id } => {
                self.unreserve(Some(refund_id));
                self.refunds_refused = self.refunds_refused.saturating_add(1);
            }
            Event::RefundPending { refund, refund_id, amount } => {
                self.know_refund(refund, refund_id.as_ref(), RefundStatus::Pending, *amount);
            }
            Event::Refunded { refund, refund_id, amount, from_credit_minor } => {
                let known = self.know_refund(refund, refund_id.as_ref(), RefundStatus::Succeeded, *amount);
                known.from_credit_minor = *from_credit_minor;
            }
            Event::RefundFailed { refund, refund_id, amount, to_target_minor, .. } => {
                let known = self.know_refund(refund, refund_id.as_ref(), RefundStatus::Failed, *amount);
                known.to_target_minor = *to_target_minor;
            }
            Event::PaidBackElsewhere { amount } => self.paid_back_elsewhere_minor += amount.minor,
            Event::DisputeMoved { dispute, status, amount, .. } => {
                self.dispute(dispute, *amount).status = *status;
            }
            Event::DisputeWithdrawn { dispute, amount, .. } => {
                self.dispute(dispute, *amount).withdrawn = true;
            }
            Event::DisputeReinstated { dispute, amount } => self.dispute(dispute, *amount).reinstated = true,
            Event::DisputeLost { dispute, amount } => self.dispute(dispute, *amount).lost = true,
            _ => {}
        }
    }

    fn move_attempt(&mut self, number: u32, step: &attempt::Step, at: Timestamp) {
        if let Some(found) = self.attempts.iter_mut().find(|attempt| attempt.number == number)
            && let Ok(state) = attempt::next(&found.state, step, at)
        {
            found.state = state;
        }
    }

    fn move_intent(&mut self, event: &Event) {
        let Event::IntentMoved { intent, status, seen_at, cancel_reason, error, next_action, customer } =
            event
        else {
            return;
        };
        self.intent = Some(intent.clone());
        if customer.is_some() {
            self.customer.clone_from(customer);
        }
        self.intent_known = Some(IntentKnown {
            status: *status,
            seen_at: *seen_at,
            cancel_reason: cancel_reason.clone(),
            error: error.clone(),
            next_action: next_action.clone(),
        });
    }

    fn know_refund(
        &mut self,
        refund: &str,
        refund_id: Option<&RefundId>,
        status: RefundStatus,
        amount: Money,
    ) -> &mut RefundKnown {
        self.unreserve(refund_id);
        let fresh = RefundKnown { status, amount, from_credit_minor: 0, to_target_minor: 0 };
        let known = self.refunds.entry(refund.to_owned()).or_insert(fresh);
        (known.status, known.amount) = (status, amount);
        known
    }

    fn unreserve(&mut self, refund_id: Option<&RefundId>) {
        if let Some(id) = refund_id {
            self.reserved.remove(&id.to_string());
        }
    }

    fn dispute(&mut self, dispute: &str, amount: Money) -> &mut DisputeKnown {
        self.disputes.entry(dispute.to_owned()).or_insert(DisputeKnown {
            status: DisputeStatus::Inquiry,
            amount,
            withdrawn: false,
            reinstated: false,
            lost: false,
        })
    }
}
