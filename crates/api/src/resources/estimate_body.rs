//! An estimate charge as JSON: what stands, what is in flight, every attempt, and the gateway's own words beside ours.

use serde::Serialize;
use serde_json::Value;
use suture_core::estimate::{self, Estimate};
use suture_core::payment::Payment;
use utoipa::ToSchema;

use super::payment_body::PaymentBody;
use crate::bodies::{Money, time, words};

words! {
    /// Where an estimate charge stands.
    EstimateStatus = estimate::Status {
        Pending, Authorized, AuthorizationFailed, Captured, CaptureFailed, PartRefunded, Refunded, Canceled, Expired,
    }
}

/// An estimate charge as known now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Estimate)]
#[serde(rename_all = "camelCase")]
pub(super) struct EstimateBody {
    id: String,
    /// The check whose amount it inherited.
    eligibility: String,
    patient: String,
    link: String,
    /// The debt that its payments collect.
    debt: String,
    /// The service that it belongs to.
    service: Option<String>,
    amount: Money,
    /// Who set another amount than the check's, and why.
    overridden: Option<OverrideBody>,
    /// When the service is.
    service_at: Option<String>,
    /// When another authorization is planned.
    authorize_at: Option<String>,
    status: EstimateStatus,
    /// What is not decided yet, as a sentence; absent when nothing is.
    in_flight: Option<&'static str>,
    /// What may be done now: `authorize`, `capture`, `cancel`, `refund`, `change`.
    actions: Vec<&'static str>,
    authorized: Money,
    captured: Money,
    refunded: Money,
    /// Captured, less what went back.
    net: Money,
    /// The reservation lapses then.
    capture_before: Option<String>,
    /// Our code for the last error.
    code: Option<String>,
    /// What to do now, as a sentence for the payer or the desk.
    message: Option<String>,
    /// The gateway's last error object, verbatim.
    #[schema(value_type = Option<Object>)]
    last_payment_error: Option<Value>,
    /// What the payer must do next, verbatim as the gateway says it.
    #[schema(value_type = Option<Object>)]
    next_action: Option<Value>,
    /// Its payments, oldest first: each is one authorization with its tries.
    attempts: Vec<PaymentBody>,
    /// The browser's secret; in the first answer to its maker only.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
}

/// Who set another amount, and why.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Override)]
pub(super) struct OverrideBody {
    by: String,
    reason: String,
}

impl EstimateBody {
    /// An estimate charge with its payments, oldest first.
    pub(super) fn of(estimate: &Estimate, payments: &[Payment]) -> Self {
        let money = |minor| suture_core::money::Money::new(minor, estimate.amount.currency).into();
        let told = payments.last().map(PaymentBody::of).map(PaymentBody::told);
        let (code, message, last_payment_error, next_action) = told.unwrap_or_default();
        let standing = &estimate.standing;
        Self {
            id: estimate.id.to_string(),
            eligibility: estimate.eligibility.to_string(),
            patient: estimate.patient.to_string(),
            link: estimate.link.clone(),
            debt: estimate.debt.to_string(),
            service: estimate.service.map(|service| service.to_string()),
            amount: estimate.amount.into(),
            overridden: estimate
                .overridden
                .as_ref()
                .map(|by| OverrideBody { by: by.by.clone(), reason: by.reason.clone() }),
            service_at: estimate.service_at.map(time),
            authorize_at: estimate.authorize_at.map(time),
            status: standing.status.into(),
            in_flight: estimate.in_flight(),
            actions: actions(estimate),
            authorized: money(standing.authorized_minor),
            captured: money(standing.captured_minor),
            refunded: money(standing.refunded_minor),
            net: money(estimate.net_minor()),
            capture_before: standing.capture_before.map(time),
            code,
            message,
            last_payment_error,
            next_action,
            attempts: payments.iter().map(PaymentBody::of).collect(),
            client_secret: None,
        }
    }

    pub(super) fn with_client_secret(self, secret: Option<String>) -> Self {
        Self { client_secret: secret, ..self }
    }
}

fn actions(estimate: &Estimate) -> Vec<&'static str> {
    use estimate::Status;
    match estimate.standing.status {
        Status::Pending if estimate.payments.is_empty() => vec!["authorize", "change", "cancel"],
        Status::Pending => vec!["cancel"],
        Status::AuthorizationFailed | Status::Expired => vec!["authorize", "change", "cancel"],
        Status::Authorized | Status::CaptureFailed => vec!["capture", "change", "cancel"],
        Status::Captured | Status::PartRefunded => vec!["refund"],
        Status::Refunded | Status::Canceled => Vec::new(),
    }
}
