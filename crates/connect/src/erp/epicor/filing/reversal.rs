//! Taking a receipt back: what is not posted is deleted or lowered, what is posted is reversed (EPICOR.md §6.7).
//!
//! The receipt is read first, and the change is decided once with an absolute target.

use serde_json::json;
use suture_core::money::Money;

use super::Filing;
use super::looked_up::{self, LookedUp};
use super::receipt::filter_of;
use crate::erp::document::{ReceiptId, ReceiptReversal};
use crate::erp::epicor::call::{RECEIPTS, text_key};
use crate::erp::epicor::errors::{self, Asked};
use crate::erp::epicor::rows::{Record, Row};
use crate::erp::filing::{Change, FilingState};
use crate::http::HttpRequest;

/// The field in which a receipt that was lowered says by which of our documents.
const MARK: &str = "Reference";

impl Filing<'_> {
    pub(super) fn reversal_found(
        &self,
        reversal: &ReceiptReversal,
        state: &FilingState,
        row: Option<&Record>,
    ) -> LookedUp {
        let Some(row) = row else { return missing(reversal, state) };
        let Some(amount) = row.amount("DocTranAmt", reversal.amount.currency) else {
            return LookedUp::Failed(errors::unreadable(Asked::Read));
        };
        let reversed = row.key("ReverseRef").is_some() || row.date("ReverseDate").is_some();
        if reversed {
            return there(reversal, "reversed");
        }
        match (row.flag("Posted"), &state.change) {
            (Some(true), _) if reversal.amount == amount => LookedUp::Change(Change::Reverse),
            (Some(true), _) => {
                let message = "The receipt was posted in Epicor, and a part of it cannot be reversed; nothing was \
                               changed. Make a credit memo for the part.";
                looked_up::refused("erp_partial_reversal", message, "DocTranAmt", amount.to_decimal())
            }
            (_, Some(Change::Lower(target))) if amount.minor == *target => there(reversal, "lowered"),
            _ if row.word(MARK).as_deref() == Some(&reversal.reference) => there(reversal, "lowered"),
            _ if reversal.amount == amount => LookedUp::Change(Change::Delete),
            _ if reversal.amount.minor < amount.minor => {
                LookedUp::Change(Change::Lower(amount.minor.saturating_sub(reversal.amount.minor)))
            }
            _ => {
                let message = "The receipt in Epicor is smaller than what shall go back; nothing was changed. A person \
                               must compare the two.";
                looked_up::refused("erp_reversal_exceeds_receipt", message, "DocTranAmt", amount.to_decimal())
            }
        }
    }

    pub(super) fn reversal_write(&self, reversal: &ReceiptReversal, state: &FilingState) -> HttpRequest {
        let ReceiptId { group, head } = &reversal.receipt;
        let key = format!("{},{head}", text_key(group));
        match &state.change {
            Some(Change::Delete) => self.caller().delete(RECEIPTS, &key),
            Some(Change::Lower(target)) => {
                let row = Row::new()
                    .amount("DocTranAmt", *target, reversal.amount.currency)
                    .amount("TranAmt", *target, reversal.amount.currency)
                    .with(MARK, &reversal.reference);
                self.caller().patch(RECEIPTS, &key, &row)
            }
            Some(Change::Reverse) => {
                let arguments = Row::new()
                    .with("ds", &Row::new())
                    .with("groupID", group)
                    .with("headNum", head)
                    .date("reverseDate", reversal.date)
                    .with("inTranDocTypeID", &"")
                    .with("reversedReason", &reversal.reason);
                self.caller().method("Erp.BO.ReverseCashReceiptSvc", "ReverseCashReceipt", &arguments)
            }
            // Nothing was decided: read again. A write without a decision is never asked for.
            Some(Change::Set | Change::ApplyCredit(_) | Change::Link { .. }) | None => {
                let query = crate::erp::epicor::call::Query {
                    filter: filter_of(&reversal.receipt),
                    top: 2,
                    ..crate::erp::epicor::call::Query::default()
                };
                self.caller().read(RECEIPTS, &query)
            }
        }
    }

    pub(super) fn reversal_written(
        &self,
        reversal: &ReceiptReversal,
        state: &FilingState,
    ) -> Option<LookedUp> {
        match &state.change {
            Some(Change::Delete) => Some(there(reversal, "deleted")),
            Some(Change::Lower(_)) => Some(there(reversal, "lowered")),
            Some(Change::Reverse) => Some(there(reversal, "reversed")),
            Some(Change::Set | Change::ApplyCredit(_) | Change::Link { .. }) | None => None,
        }
    }
}

fn there(reversal: &ReceiptReversal, how: &str) -> LookedUp {
    let amount: Money = reversal.amount;
    LookedUp::There(json!({
        "group": reversal.receipt.group,
        "head": reversal.receipt.head,
        "how": how,
        "amount": amount,
    }))
}

/// Gone: by our own deletion, when we may have sent one.
fn missing(reversal: &ReceiptReversal, state: &FilingState) -> LookedUp {
    if state.change == Some(Change::Delete) && state.writes > 0 {
        return there(reversal, "deleted");
    }
    let message = "Epicor does not have this receipt, and nothing was changed. A person must look whether it was \
                   deleted or moved in Epicor.";
    let ReceiptId { group, head } = &reversal.receipt;
    looked_up::refused("erp_receipt_missing", message, "HeadNum", format!("{group}/{head}"))
}
