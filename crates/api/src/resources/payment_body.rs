//! A payment as JSON: what is known, in our words, with the gateway's own error and next action beside them.

use serde::Serialize;
use serde_json::Value;
use suture_core::attempt::{self, Attempt};
use suture_core::evidence::PaymentError;
use suture_core::payment::{Payment, Status};
use suture_core::posting::Posting;
use utoipa::ToSchema;

use crate::bodies::{Money, time, word};

/// A payment as known now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Payment)]
#[serde(rename_all = "camelCase")]
pub(super) struct PaymentBody {
    id: String,
    /// `created`, `requires_method`, `requires_action`, `processing`, `authorized`, `captured`, `settled`, `unknown`,
    /// `failed`, `canceled`, `expired`, `part_refunded`, `refunded`, `disputed` or `lost`.
    status: String,
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
    amount: Money,
    authorized: Money,
    captured: Money,
    refunded: Money,
    /// What may still be refunded.
    refundable: Money,
    /// The reservation lapses then.
    capture_before: Option<String>,
    manual_capture: bool,
    debt: Option<String>,
    link: Option<String>,
    /// `balance`, `deposit` or `order`; absent while the payer is not identified.
    purpose: Option<String>,
    connection: String,
    gateway: String,
    /// The gateway's intent.
    intent: Option<String>,
    /// The gateway's charge.
    charge: Option<String>,
    card: Option<CardBody>,
    /// The payout that it arrived in.
    payout: Option<String>,
    attempts: Vec<AttemptBody>,
    refunds: Vec<MovementBody>,
    disputes: Vec<MovementBody>,
    /// What was reported to other systems; only when one payment is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    postings: Option<Vec<PostingBody>>,
    /// Links of the chain to an act of care that are not known.
    missing_explanation: Vec<&'static str>,
    /// Where the payment's story is told.
    audit: String,
    /// The browser's secret; in the first answer to its maker only.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
}

/// The card that was seen.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Card)]
#[serde(rename_all = "camelCase")]
pub(super) struct CardBody {
    brand: String,
    last4: String,
    funding: String,
    exp_month: Option<u8>,
    exp_year: Option<u16>,
}

/// One try to collect.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Attempt)]
#[serde(rename_all = "camelCase")]
pub(super) struct AttemptBody {
    number: u32,
    /// `planned`, `sent`, `unknown`, `waiting`, `approved`, `declined` or `ended`.
    state: String,
    planned_at: String,
    /// Since when the answer is missing.
    unknown_since: Option<String>,
    method: Option<String>,
    /// Why it was declined.
    error: Option<ErrorBody>,
}

/// Why a payment was declined.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PaymentError)]
#[serde(rename_all = "camelCase")]
pub(super) struct ErrorBody {
    /// Our code.
    code: String,
    /// The issuer's word.
    decline_code: Option<String>,
    /// `hard_decline`, `soft_decline`, `authenticate` or `fix_method`.
    advice: String,
    /// What to do now.
    message: String,
}

/// A refund or dispute as the gateway knows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Movement)]
pub(super) struct MovementBody {
    /// The gateway's id.
    id: String,
    /// The strongest status seen.
    status: String,
    amount: Money,
}

/// What was reported to another system.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Posting)]
pub(super) struct PostingBody {
    id: String,
    connection: String,
    /// The fact that it reports.
    reference: String,
    /// The fact that it takes back.
    reverses: Option<String>,
    amount: Money,
    flow: String,
    /// `planned`, `unknown`, `accepted`, `confirmed`, `rejected`, `waiting_for_person` or `reversed`.
    status: String,
    /// The status as a sentence.
    sentence: &'static str,
    route: Option<String>,
    /// The proof that it arrived.
    evidence: Option<String>,
    code: Option<String>,
}

impl PaymentBody {
    pub(super) fn of(payment: &Payment) -> Self {
        let status = payment.status();
        let error = last_error(payment);
        let money = |minor| suture_core::money::Money::new(minor, payment.amount.currency).into();
        let known = payment.intent_known.as_ref();
        Self {
            id: payment.id.to_string(),
            status: status.name().to_owned(),
            code: error.map(|error| error.code.clone()),
            message: error
                .map(|error| error.message.clone())
                .or_else(|| sentence(status).map(ToOwned::to_owned)),
            last_payment_error: error.map(|error| error.raw.clone()),
            next_action: known.and_then(|known| known.next_action.clone()),
            amount: payment.amount.into(),
            authorized: money(payment.authorized_minor),
            captured: money(payment.captured_minor),
            refunded: money(payment.refunded_minor()),
            refundable: payment.refundable().into(),
            capture_before: payment.capture_before.map(time),
            manual_capture: payment.manual_capture,
            debt: payment.debt.map(|debt| debt.to_string()),
            link: payment.link.clone(),
            purpose: payment.purpose.as_ref().map(word),
            connection: payment.connection.clone(),
            gateway: payment.gateway.clone(),
            intent: payment.intent.clone(),
            charge: payment.charge.clone(),
            card: card(payment),
            payout: payment.payout.clone(),
            attempts: payment.attempts.iter().map(AttemptBody::of).collect(),
            refunds: movements(
                payment.refunds.iter().map(|(id, known)| (id, word(&known.status), known.amount)),
            ),
            disputes: movements(
                payment.disputes.iter().map(|(id, known)| (id, word(&known.status), known.amount)),
            ),
            postings: None,
            missing_explanation: payment.care.missing(),
            audit: format!("/v1/audit/payments/{}", payment.id),
            client_secret: None,
        }
    }

    pub(super) fn with_postings(self, postings: &[Posting]) -> Self {
        Self { postings: Some(postings.iter().map(PostingBody::of).collect()), ..self }
    }

    /// What was told last: our code and sentence, the gateway's error and next action.
    pub(super) fn told(self) -> (Option<String>, Option<String>, Option<Value>, Option<Value>) {
        (self.code, self.message, self.last_payment_error, self.next_action)
    }

    pub(super) fn with_client_secret(self, secret: Option<String>) -> Self {
        Self { client_secret: secret, ..self }
    }
}

/// The latest word of the gateway when it refused: of the intent, or of the last attempt.
fn last_error(payment: &Payment) -> Option<&PaymentError> {
    if payment.captured_minor > 0 {
        return None;
    }
    let known = payment.intent_known.as_ref().and_then(|known| known.error.as_deref());
    known.or_else(|| match &payment.attempts.last()?.state {
        attempt::State::Declined { error } => Some(error),
        _ => None,
    })
}

/// What to do about a status that carries no error of the gateway.
const fn sentence(status: Status) -> Option<&'static str> {
    match status {
        Status::RequiresAction => {
            Some("The payer must confirm the payment in the browser; the status then changes by itself.")
        }
        Status::RequiresMethod => {
            Some("No money moved. Ask the payer for a payment method and try again with it.")
        }
        Status::Unknown => Some(
            "The gateway's answer was lost and is being looked up. Do not collect in another way before it is known.",
        ),
        Status::Processing => Some("The gateway is still deciding; the status changes by itself."),
        Status::Authorized => {
            Some("The money is reserved, not moved. Capture it before the reservation lapses.")
        }
        Status::Created
        | Status::Captured
        | Status::Settled
        | Status::Failed
        | Status::Canceled
        | Status::Expired
        | Status::PartRefunded
        | Status::Refunded
        | Status::Disputed
        | Status::Lost => None,
    }
}

fn card(payment: &Payment) -> Option<CardBody> {
    payment.card.as_ref().map(|card| CardBody {
        brand: card.brand.clone(),
        last4: card.last4.clone(),
        funding: card.funding.clone(),
        exp_month: card.exp_month,
        exp_year: card.exp_year,
    })
}

fn movements<'a>(
    known: impl Iterator<Item = (&'a String, String, suture_core::money::Money)>,
) -> Vec<MovementBody> {
    known.map(|(id, status, amount)| MovementBody { id: id.clone(), status, amount: amount.into() }).collect()
}

impl AttemptBody {
    fn of(attempt: &Attempt) -> Self {
        let (unknown_since, error) = match &attempt.state {
            attempt::State::Unknown { since } => (Some(time(*since)), None),
            attempt::State::Declined { error } => (None, Some(ErrorBody::of(error))),
            attempt::State::Planned
            | attempt::State::Sent
            | attempt::State::Waiting
            | attempt::State::Approved
            | attempt::State::Ended => (None, None),
        };
        Self {
            number: attempt.number,
            state: attempt.state.name().to_owned(),
            planned_at: time(attempt.planned_at),
            unknown_since,
            method: attempt.method.clone(),
            error,
        }
    }
}

impl ErrorBody {
    fn of(error: &PaymentError) -> Self {
        Self {
            code: error.code.clone(),
            decline_code: error.decline_code.clone(),
            advice: word(&error.advice),
            message: error.message.clone(),
        }
    }
}

impl PostingBody {
    fn of(posting: &Posting) -> Self {
        Self {
            id: posting.id.to_string(),
            connection: posting.connection.clone(),
            reference: posting.reference.clone(),
            reverses: posting.reverses.clone(),
            amount: posting.amount.into(),
            flow: posting.flow.clone(),
            status: posting.status.name().to_owned(),
            sentence: posting.status.sentence(),
            route: posting.route.clone(),
            evidence: posting.evidence.clone(),
            code: posting.code.clone(),
        }
    }
}
