//! The kinds of work that effects carry. Stored as JSON: an old kind must stay readable until its effects are drained.

use serde::{Deserialize, Serialize};
use suture_connect::ehr::epic::posting::{PaymentPosting, PostingState};
use suture_connect::erp::epicor::poll::{Source, Watermark};
use suture_connect::erp::filing::FilingState;
use suture_connect::gateway::{Fetch, List};
use suture_core::id::{
    AppointmentId, EligibilityId, EncounterId, EstimateId, FilingId, InvoiceId, NoticeId, OrderId, PatientId,
    PaymentId, PostingId, ProviderPayoutId, RefundId, RemittanceId, ServiceId, SettlementId,
};
use suture_core::time::Timestamp;

/// One piece of work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(crate) enum Job {
    /// Turn an accepted webhook into facts.
    ApplyMessage {
        /// The connection it came to.
        connection: String,
        /// The message.
        message: String,
    },
    /// Send an attempt to the gateway, or send it again with its key.
    Attempt {
        /// The payment.
        payment: PaymentId,
        /// The attempt.
        number: u32,
        /// Keep the method for later.
        save_method: bool,
        /// The payer is not present.
        off_session: bool,
        /// Where the payer's browser returns.
        return_url: Option<String>,
    },
    /// Capture what is authorized.
    Capture {
        /// The payment.
        payment: PaymentId,
        /// The frozen key.
        key: String,
    },
    /// Cancel an intent.
    Cancel {
        /// The payment.
        payment: PaymentId,
        /// The frozen key.
        key: String,
    },
    /// Ask for the browser's secret of an intent that waits for its payer.
    ShowIntent {
        /// The payment.
        payment: PaymentId,
    },
    /// Ask the gateway for a refund.
    Refund {
        /// The refund.
        refund: RefundId,
    },
    /// Fetch an object and take in what it says.
    Fetch {
        /// The object.
        what: Fetch,
    },
    /// Ask for a payment's intent, up to ten times (FEATURES M14).
    Poll {
        /// The payment.
        payment: PaymentId,
        /// 1 to 10.
        number: u32,
    },
    /// Walk a list of the gateway for facts that no webhook told.
    Sweep {
        /// The list.
        list: List,
        /// Objects created since.
        since: Timestamp,
        /// The page.
        after: Option<String>,
    },
    /// Begin the daily sweep of a gateway, and plan the next.
    DailySweep,
    /// Run a flow for a fact.
    RunFlow {
        /// The flow's name.
        flow: String,
        /// The fact event.
        event: serde_json::Value,
        /// An authorized person released an unusual amount.
        #[serde(default)]
        released: bool,
    },
    /// Post a payment to the EHR.
    Post {
        /// The posting.
        posting: PostingId,
        /// What to post. Ids and codes only.
        document: Box<PaymentPosting>,
        /// Where it is; `None` before the route is chosen.
        state: Option<PostingState>,
        /// The run that waits for it.
        run: Option<String>,
        /// The step of the run that waits for it.
        step: Option<String>,
        /// Whether the run does more when the posting is done.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        goes_on: bool,
    },
    /// Go on with a run: do what it stands at.
    GoOn {
        /// The run. Its documents are rebuilt from it: they may hold what people are called.
        run: String,
        /// The filing that its call planned.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        filing: Option<FilingId>,
        /// Where the filing is; `None` before its first request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        state: Option<FilingState>,
    },
    /// Ask the ERP what became of an order.
    SyncOrder {
        /// The order.
        order: OrderId,
    },
    /// Ask the ERP what changed since the last time.
    PollErp {
        /// What.
        source: Source,
        /// How far it was read; `None` before the first time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        watermark: Option<Watermark>,
    },
    /// A person must say whose money this is.
    IdentifyPayer {
        /// The payment in suspense.
        payment: PaymentId,
    },
    /// Wait for a person: nothing can go on by itself.
    AskPerson {
        /// What happened and what to do. No personal data.
        what: String,
    },
    /// Make a patient's customer at a gateway.
    MakeCustomer {
        /// The patient.
        patient: PatientId,
        /// The frozen key.
        key: String,
    },
    /// Go on with an eligibility check, and give up when nobody answered in time.
    AdvanceEligibility {
        /// The check.
        eligibility: EligibilityId,
    },
    /// Check the coverage of a service again before it takes place.
    Revalidate {
        /// The service.
        service: ServiceId,
    },
    /// Authorize an estimate charge at its planned time.
    AuthorizeEstimate {
        /// The estimate charge.
        estimate: EstimateId,
        /// The attempt that this is, 1 for the first.
        number: u32,
    },
    /// Capture an estimate charge on the day of its service.
    CaptureEstimate {
        /// The estimate charge.
        estimate: EstimateId,
    },
    /// Release what a payment reserves, because its service was cancelled.
    CancelHold {
        /// The payment.
        payment: PaymentId,
    },
    /// End the hold of a slot that was not paid.
    EndHold {
        /// The appointment.
        appointment: AppointmentId,
    },
    /// Charge what is left of a price before the visit.
    ChargeVisit {
        /// The appointment.
        appointment: AppointmentId,
        /// How often it had moved when this was planned.
        moves: u32,
    },
    /// Release an appointment that is at risk.
    EndRisk {
        /// The appointment.
        appointment: AppointmentId,
    },
    /// Capture a reserved deposit before it lapses.
    CaptureDeposit {
        /// The appointment.
        appointment: AppointmentId,
        /// The payment.
        payment: PaymentId,
    },
    /// Find prices for the codes of an encounter.
    PriceEncounter {
        /// Which.
        encounter: EncounterId,
    },
    /// Try a declined collection again.
    RetryCollection {
        /// The service.
        service: ServiceId,
        /// The payment.
        payment: PaymentId,
        /// The attempt that this is.
        number: u32,
    },
    /// Collect what a patient still owes, after the notice.
    CollectBalance {
        /// The service.
        service: ServiceId,
        /// The settling that it belongs to.
        version: u32,
        /// What the notice said is due, in minor units: more is not charged.
        told_minor: i64,
    },
    /// Send a provider's part to the provider's account.
    TransferPayout {
        /// The payout.
        payout: ProviderPayoutId,
        /// Which of its transfers.
        number: u32,
    },
    /// Take a part of a transfer back.
    ReverseTransfer {
        /// The payout.
        payout: ProviderPayoutId,
        /// Which of its reversals.
        number: u32,
    },
    /// Look at a payout again when a hold ends by itself.
    FollowPayout {
        /// The payout.
        payout: ProviderPayoutId,
    },
    /// List the lines of a gateway payout, a page at a time, and match them.
    ListSettlement {
        /// The gateway payout.
        settlement: SettlementId,
        /// The page.
        after: Option<String>,
    },
    /// Bring the gateway's mirror of an invoice in step.
    MirrorInvoice {
        /// The invoice.
        invoice: InvoiceId,
    },
    /// Book the claims of a remittance, some at a time.
    BookRemittance {
        /// The remittance.
        remittance: RemittanceId,
        /// The first claim that is not booked, 1 for the first.
        from: i64,
    },
    /// Send a message to a person, by one channel after the other.
    SendNotice {
        /// The notice.
        notice: NoticeId,
        /// Which piece of work this is: one of an earlier turn steps back.
        turn: u32,
        /// It has places of its own among the workers.
        #[serde(default)]
        urgent: bool,
    },
    /// Bring one event to one endpoint.
    Announce {
        /// The endpoint.
        endpoint: String,
        /// The stream.
        stream: String,
        /// The event's version in it.
        version: i64,
        /// How many sends failed.
        #[serde(default)]
        tries: u32,
    },
    /// Announce a range of the journal to one endpoint, page by page.
    Replay {
        /// The endpoint.
        endpoint: String,
        /// 0 for a catch-up.
        number: i64,
        /// Events after this position,
        after: i64,
        /// up to this one.
        until: i64,
        /// Only these types; those that the endpoint wants when empty.
        types: Vec<String>,
        /// How many were announced.
        planned: u32,
    },
    /// Close a period of the audit trail, again and again.
    Seal,
    /// Remove what is over, again and again.
    Tidy,
}

impl Job {
    /// The kind as stored beside the payload.
    #[must_use]
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::ApplyMessage { .. } => "apply_message",
            Self::Attempt { .. } => "attempt",
            Self::Capture { .. } => "capture",
            Self::Cancel { .. } => "cancel",
            Self::ShowIntent { .. } => "show_intent",
            Self::Refund { .. } => "refund",
            Self::Fetch { .. } => "fetch",
            Self::Poll { .. } => "poll",
            Self::Sweep { .. } => "sweep",
            Self::DailySweep => "daily_sweep",
            Self::RunFlow { .. } => "run_flow",
            Self::Post { .. } => "post",
            Self::GoOn { .. } => "go_on",
            Self::SyncOrder { .. } => "sync_order",
            Self::PollErp { .. } => "poll_erp",
            Self::IdentifyPayer { .. } => "identify_payer",
            Self::AskPerson { .. } => "ask_person",
            Self::MakeCustomer { .. } => "make_customer",
            Self::AdvanceEligibility { .. } => "advance_eligibility",
            Self::Revalidate { .. } => "revalidate",
            Self::AuthorizeEstimate { .. } => "authorize_estimate",
            Self::CaptureEstimate { .. } => "capture_estimate",
            Self::CancelHold { .. } => "cancel_hold",
            Self::EndHold { .. } => "end_hold",
            Self::ChargeVisit { .. } => "charge_visit",
            Self::EndRisk { .. } => "end_risk",
            Self::CaptureDeposit { .. } => "capture_deposit",
            Self::PriceEncounter { .. } => "price_encounter",
            Self::RetryCollection { .. } => "retry_collection",
            Self::CollectBalance { .. } => "collect_balance",
            Self::TransferPayout { .. } => "transfer_payout",
            Self::ReverseTransfer { .. } => "reverse_transfer",
            Self::FollowPayout { .. } => "follow_payout",
            Self::ListSettlement { .. } => "list_settlement",
            Self::MirrorInvoice { .. } => "mirror_invoice",
            Self::BookRemittance { .. } => "book_remittance",
            Self::SendNotice { .. } => "send_notice",
            Self::Announce { .. } => "announce",
            Self::Replay { .. } => "replay",
            Self::Seal => "seal",
            Self::Tidy => "tidy",
        }
    }

    /// The payload of a question to a person.
    #[must_use]
    pub(crate) fn ask(what: String) -> String {
        Self::AskPerson { what }.payload()
    }

    /// The payload as stored.
    #[must_use]
    pub(crate) fn payload(&self) -> String {
        // Serializing these plain types to a string cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a stored payload.
    #[must_use]
    pub(crate) fn parse(payload: &str) -> Option<Self> {
        serde_json::from_str(payload).ok()
    }
}
