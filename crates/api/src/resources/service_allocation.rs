//! A service by its lines as JSON: what the payer paid and took off, what is the patient's, and which payment pays it.
//!
//! Shown with a service and with the explanation of its bill. Every column adds up to the worksheet.

use serde::Serialize;
use suture_core::service::{Allocation, LinePayment, LineShare};
use utoipa::ToSchema;

use crate::bodies::Money;

/// A service by its lines. What a payer says about the whole claim, and a responsibility that a person set, are shared by the
/// charges; payments, net of refunds, pay the lines in order, the oldest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Allocation)]
pub(super) struct AllocationBody {
    lines: Vec<LineShareBody>,
    /// What no line needs: deposits before anything is decided, and what is owed back. All that is due less this is the
    /// worksheet's difference.
    unapplied: Money,
}

/// What one line comes to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LineShare)]
#[serde(rename_all = "camelCase")]
struct LineShareBody {
    /// The procedure code; absent for a service without lines.
    code: Option<String>,
    charge: Money,
    payer_paid: Money,
    /// Taken off by contract.
    contractual: Money,
    /// Stays with the payer; nobody is billed for it.
    open_with_payer: Money,
    /// What the patient owes of it in all.
    patient: Money,
    payments: Vec<LinePaymentBody>,
    written_off: Money,
    /// What is left for the patient to pay.
    due: Money,
}

/// A part of a payment that pays a line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LinePayment)]
struct LinePaymentBody {
    /// The payment; absent for what was paid elsewhere.
    payment: Option<String>,
    amount: Money,
}

impl From<Allocation> for AllocationBody {
    fn from(allocation: Allocation) -> Self {
        let lines = allocation.lines.into_iter().map(LineShareBody::from).collect();
        Self { lines, unapplied: allocation.unapplied.into() }
    }
}

impl From<LineShare> for LineShareBody {
    fn from(line: LineShare) -> Self {
        Self {
            code: line.code,
            charge: line.charge.into(),
            payer_paid: line.payer_paid.into(),
            contractual: line.contractual.into(),
            open_with_payer: line.open_with_payer.into(),
            patient: line.patient.into(),
            payments: line.payments.into_iter().map(LinePaymentBody::from).collect(),
            written_off: line.written_off.into(),
            due: line.due.into(),
        }
    }
}

impl From<LinePayment> for LinePaymentBody {
    fn from(part: LinePayment) -> Self {
        Self { payment: part.payment, amount: part.amount.into() }
    }
}
