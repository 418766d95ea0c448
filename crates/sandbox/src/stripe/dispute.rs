//! Disputes: opened by test cards and by the control API, answered with evidence, won or lost (FACTS §b).
//!
//! What must stay true: a chargeback takes the money when it opens and gives it back only when it is won.

use super::balance::{BalanceTransaction, Entry};
use super::charge::Charge;
use super::currency::Currency;
use super::listing::page_of;
use super::movement::Motion;
use super::object::{Answer, Echo, Metadata, Snapshot, merge_metadata};
use super::random::Id;
use super::refusal::Refusal;
use super::schema::Params;
use super::table::Row;
use super::timer::Due;
use super::world::StripeWorld;
use serde_json::{Value, json};
use std::sync::Arc;

/// Stripe's fee for a chargeback, minor units.
const FEE: i64 = 1_500;
/// Days to answer.
const DAYS_TO_ANSWER: i64 = 9;

/// Where a dispute stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    WarningNeedsResponse,
    WarningUnderReview,
    WarningClosed,
    NeedsResponse,
    UnderReview,
    Won,
    Lost,
}

impl Status {
    fn text(self) -> &'static str {
        match self {
            Self::WarningNeedsResponse => "warning_needs_response",
            Self::WarningUnderReview => "warning_under_review",
            Self::WarningClosed => "warning_closed",
            Self::NeedsResponse => "needs_response",
            Self::UnderReview => "under_review",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }

    /// True while the outcome is open.
    fn open(self) -> bool {
        !matches!(self, Self::Won | Self::Lost | Self::WarningClosed)
    }

    fn inquiry(self) -> bool {
        matches!(self, Self::WarningNeedsResponse | Self::WarningUnderReview | Self::WarningClosed)
    }
}

/// A dispute.
#[derive(Debug, Clone)]
pub(crate) struct Dispute {
    pub(crate) id: Id,
    pub(crate) created: i64,
    pub(crate) amount: i64,
    pub(crate) currency: Currency,
    pub(crate) charge: Id,
    pub(crate) payment_intent: Id,
    pub(crate) reason: Arc<str>,
    pub(crate) status: Status,
    pub(crate) due_by: i64,
    pub(crate) submissions: u32,
    pub(crate) lines: Vec<Arc<BalanceTransaction>>,
    pub(crate) metadata: Metadata,
    pub(crate) evidence: Echo,
}

impl Row for Dispute {
    fn id(&self) -> &Id {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

impl Dispute {
    /// The object as the API shows it.
    pub(crate) fn render(&self, now: i64) -> Value {
        let lines: Vec<Value> = self.lines.iter().map(|line| line.render(now)).collect();
        let evidence = self.evidence.get("evidence").cloned().unwrap_or_else(|| json!({}));
        json!({
            "id": *self.id, "object": "dispute", "amount": self.amount, "balance_transactions": lines,
            "charge": *self.charge, "created": self.created, "currency": self.currency,
            "enhanced_eligibility_types": [],
            "evidence_details": {
                "due_by": self.due_by, "enhanced_eligibility": {},
                "has_evidence": evidence.as_object().is_some_and(|map| !map.is_empty()),
                "past_due": now > self.due_by, "submission_count": self.submissions, "submission_method": null
            },
            "evidence": evidence, "is_charge_refundable": self.status.inquiry(), "livemode": false,
            "metadata": *self.metadata, "network_reason_code": "10.4", "payment_intent": *self.payment_intent,
            "payment_method_details": { "type": "card", "card": {
                "brand": "visa", "case_type": if self.status.inquiry() { "inquiry" } else { "chargeback" },
                "network_reason_code": "10.4"
            } },
            "reason": *self.reason, "status": self.status.text(),
        })
    }
}

impl StripeWorld {
    /// Opens a dispute of a captured charge. `None` when there is no such charge or nothing left to dispute.
    pub(crate) fn open_dispute(
        &mut self,
        charge: &str,
        reason: &str,
        inquiry: bool,
        amount: Option<i64>,
    ) -> Option<Arc<Dispute>> {
        self.settle_charge_later(charge);
        let charge = self.charges.get(charge).map(Arc::clone)?;
        if !charge.captured || charge.refundable() <= 0 {
            return None;
        }
        let now = self.now_seconds();
        let dispute = Dispute {
            id: self.random.id("du_"),
            created: now,
            amount: amount.unwrap_or(i64::MAX).min(charge.refundable()),
            currency: charge.currency,
            charge: Arc::clone(&charge.id),
            payment_intent: Arc::clone(&charge.payment_intent),
            reason: reason.into(),
            status: if inquiry { Status::WarningNeedsResponse } else { Status::NeedsResponse },
            due_by: now + DAYS_TO_ANSWER * 86_400,
            submissions: 0,
            lines: Vec::new(),
            metadata: Metadata::default(),
            evidence: Echo::default(),
        };
        let id = Arc::clone(&dispute.id);
        let due_by = dispute.due_by;
        self.disputes.insert(dispute, &[("charge", &charge.id), ("payment_intent", &charge.payment_intent)]);
        self.charges.change(&charge.id, |charge| charge.disputed = true);
        self.schedule_seconds(due_by, Due::Deadline(Arc::clone(&id)));
        if !inquiry {
            self.withdraw(&id, &charge);
        }
        let row = self.disputes.get(&id).map(Arc::clone)?;
        self.emit("charge.dispute.created", Snapshot::Dispute(Arc::clone(&row)), None);
        if !inquiry {
            self.emit("charge.dispute.funds_withdrawn", Snapshot::Dispute(Arc::clone(&row)), None);
        }
        Some(row)
    }

    fn withdraw(&mut self, id: &str, charge: &Charge) {
        let amount = self.disputes.get(id).map_or(0, |dispute| dispute.amount).min(charge.refundable());
        let line = self.book(adjustment(-amount, FEE, charge.currency, "dispute", id));
        self.disputes.change(id, |dispute| dispute.lines.push(line));
        self.charges.change(&charge.id, |charge| charge.charged_back = true);
        self.record(Motion::Dispute, amount, charge, Some(id));
    }

    /// `POST /v1/disputes/{id}`: evidence is staged, or submitted unless `submit=false`.
    pub(crate) fn update_dispute(&mut self, id: &str, params: &Params) -> Answer {
        let before = self.dispute(id)?;
        if !before.status.open() {
            return Err(closed(&before));
        }
        let submit = params.get("evidence").is_some()
            && params.get("submit").and_then(Value::as_bool) != Some(false)
            || params.flag("submit");
        let row = self.disputes.change(id, |dispute| {
            dispute.metadata = merge_metadata(&dispute.metadata, params.get("metadata"));
            dispute.evidence = dispute.evidence.clone().with(params, &["evidence"]);
            if submit {
                dispute.submissions += 1;
                dispute.status =
                    if dispute.status.inquiry() { Status::WarningUnderReview } else { Status::UnderReview };
            }
        });
        let Some(row) = row else { return Err(Refusal::missing("dispute", id, "dispute")) };
        let previous = json!({ "status": before.status.text() });
        self.emit("charge.dispute.updated", Snapshot::Dispute(Arc::clone(&row)), Some(previous));
        if submit {
            self.judge_evidence(
                &row,
                params.text_at(&["evidence", "uncategorized_text"]).unwrap_or_default(),
            );
        }
        self.show_dispute(id)
    }

    /// Stripe's test evidence decides by its text (FACTS §h).
    fn judge_evidence(&mut self, dispute: &Dispute, text: &str) {
        match text {
            "winning_evidence" => self.end_dispute(&dispute.id, true),
            "losing_evidence" => self.end_dispute(&dispute.id, false),
            "escalate_inquiry_evidence" if dispute.status.inquiry() => self.escalate(&dispute.id),
            _ => None,
        };
    }

    fn escalate(&mut self, id: &str) -> Option<Arc<Dispute>> {
        let dispute = self.disputes.change(id, |dispute| dispute.status = Status::NeedsResponse)?;
        let charge = self.charges.get(&dispute.charge).map(Arc::clone)?;
        self.withdraw(id, &charge);
        let row = self.disputes.get(id).map(Arc::clone)?;
        let previous = json!({ "status": "warning_under_review" });
        self.emit("charge.dispute.updated", Snapshot::Dispute(Arc::clone(&row)), Some(previous));
        self.emit("charge.dispute.funds_withdrawn", Snapshot::Dispute(Arc::clone(&row)), None);
        Some(row)
    }

    /// Ends a dispute. `None` when it is unknown or has ended before.
    pub(crate) fn end_dispute(&mut self, id: &str, won: bool) -> Option<Arc<Dispute>> {
        let dispute = self.disputes.get(id).filter(|dispute| dispute.status.open()).map(Arc::clone)?;
        let inquiry = dispute.status.inquiry();
        if won && !inquiry {
            let charge = self.charges.change(&dispute.charge, |charge| charge.charged_back = false)?;
            let line = self.book(adjustment(dispute.amount, 0, dispute.currency, "dispute_reversal", id));
            self.disputes.change(id, |dispute| dispute.lines.push(line));
            self.record(Motion::DisputeReversal, dispute.amount, &charge, Some(id));
        }
        let row = self.disputes.change(id, |dispute| {
            dispute.status = match (inquiry, won) {
                (true, _) => Status::WarningClosed,
                (false, true) => Status::Won,
                (false, false) => Status::Lost,
            };
        })?;
        if won && !inquiry {
            self.emit("charge.dispute.funds_reinstated", Snapshot::Dispute(Arc::clone(&row)), None);
        }
        self.emit("charge.dispute.closed", Snapshot::Dispute(Arc::clone(&row)), None);
        Some(row)
    }

    /// Nobody answered in time.
    pub(crate) fn dispute_deadline(&mut self, id: &str) {
        let silent = |dispute: &&Arc<Dispute>| {
            matches!(dispute.status, Status::NeedsResponse | Status::WarningNeedsResponse)
        };
        if self.disputes.get(id).filter(silent).is_some() {
            self.end_dispute(id, false);
        }
    }

    /// `POST /v1/disputes/{id}/close`: the loss is accepted.
    pub(crate) fn close_dispute(&mut self, id: &str) -> Answer {
        let dispute = self.dispute(id)?;
        match self.end_dispute(id, false) {
            Some(row) => Ok(Snapshot::Dispute(row)),
            None => Err(closed(&dispute)),
        }
    }

    /// `GET /v1/disputes/{id}`
    pub(crate) fn show_dispute(&self, id: &str) -> Answer {
        self.dispute(id).map(Snapshot::Dispute)
    }

    fn dispute(&self, id: &str) -> Result<Arc<Dispute>, Box<Refusal>> {
        self.disputes.get(id).map(Arc::clone).ok_or_else(|| Refusal::missing("dispute", id, "dispute"))
    }

    /// `GET /v1/disputes`
    pub(crate) fn list_disputes(&self, params: &Params) -> Answer {
        let mut tags = Vec::new();
        for name in ["charge", "payment_intent"] {
            if let Some(value) = params.text(name) {
                tags.push((name, value));
            }
        }
        let now = self.now_seconds();
        page_of(&self.disputes, "/v1/disputes", params, &tags, |row| {
            let fits = params.text("charge").is_none_or(|charge| *row.charge == *charge)
                && params.text("payment_intent").is_none_or(|intent| *row.payment_intent == *intent);
            fits.then(|| row.render(now))
        })
    }
}

fn closed(dispute: &Dispute) -> Box<Refusal> {
    Refusal::state(
        "status_transition_invalid",
        format!("This dispute has a status of {} and can no longer be changed.", dispute.status.text()),
    )
}

fn adjustment(amount: i64, fee: i64, currency: Currency, category: &'static str, dispute: &str) -> Entry {
    Entry { amount, fee, currency, kind: "adjustment", category, source: Id::from(dispute), at_once: true }
}
