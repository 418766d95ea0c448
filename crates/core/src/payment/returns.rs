//! Where the money of a payment lies in the books after refunds: what came back from one that failed is a credit of the
//! patient, and a later one takes that first.

use crate::evidence::RefundStatus;

use super::known::RefundKnown;
use super::state::Payment;

impl Payment {
    /// What came back from refunds that failed and did not leave by another one, in minor units.
    #[must_use]
    pub fn came_back_minor(&self) -> i64 {
        let came_back = |refund: &RefundKnown| match refund.status {
            RefundStatus::Failed | RefundStatus::Canceled => refund.amount.minor - refund.to_target_minor,
            RefundStatus::Pending | RefundStatus::Succeeded => 0,
        };
        self.refunds.values().map(|refund| came_back(refund) - refund.from_credit_minor).sum()
    }

    /// What of that is still owed: a credit of the patient in the books, in minor units.
    #[must_use]
    pub fn in_credit_minor(&self) -> i64 {
        (self.came_back_minor() - self.paid_back_elsewhere_minor).max(0)
    }

    /// What refunds took from where the payment put its money, less what they gave back there, in minor units.
    #[must_use]
    pub fn taken_from_target_minor(&self) -> i64 {
        let went = self.refunds.values().filter(|refund| refund.status >= RefundStatus::Succeeded);
        went.map(|refund| refund.amount.minor - refund.from_credit_minor - refund.to_target_minor).sum()
    }
}
