//! Cash receipts, and their application to invoices (EPICOR.md §6).

use serde_json::json;

use super::Filing;
use super::looked_up::{self, LookedUp};
use crate::erp::document::{Application, CashReceipt, ReceiptId};
use crate::erp::epicor::call::{CREDIT_APPLICATIONS, RECEIPT_LINES, RECEIPTS, Set, equals};
use crate::erp::epicor::errors::{self, Asked};
use crate::erp::epicor::rows::{Record, Row};
use crate::erp::filing::{Change, FilingState, LookUpBy};
use crate::http::HttpRequest;
use crate::outcome::{Failure, Retry};

/// One receipt by its key.
pub(super) fn filter_of(receipt: &ReceiptId) -> String {
    format!("{} and HeadNum eq {}", equals("GroupID", &receipt.group), receipt.head)
}

impl Filing<'_> {
    pub(super) fn receipt_row(&self, receipt: &CashReceipt, state: &FilingState) -> Row {
        let currency = receipt.amount.currency;
        let row = match self.place_of(state) {
            Some(place) => Row::new()
                .with("Company", &self.epicor.company)
                .with("GroupID", &place.group)
                .date("TranDate", place.date)
                .with("BankAcctID", &place.bank_account),
            None => Row::new(),
        };
        let row = row
            .with("TranType", &self.epicor.receipts.transaction_type)
            .with("CustNum", &receipt.customer_number)
            .maybe("OrderNum", receipt.order_number.as_ref())
            .with(&self.epicor.references.receipt, &receipt.reference)
            .maybe(
                "Reference",
                receipt.method.as_ref().filter(|_| self.epicor.references.receipt != "Reference"),
            )
            .with("CurrencyCode", &currency.code())
            .amount("DocTranAmt", receipt.amount.minor, currency)
            .amount("TranAmt", receipt.amount.minor, currency);
        if self.epicor.receipts.check_reference && !row.has("CheckRef") {
            return row.with("CheckRef", &receipt.reference);
        }
        row
    }

    pub(super) fn receipt_there(&self, receipt: &CashReceipt, row: &Record) -> Option<LookedUp> {
        let head = row.key("HeadNum")?;
        if row.key("CustNum").is_some_and(|theirs| theirs != receipt.customer_number) {
            return Some(looked_up::other_customer());
        }
        let amount = row.amount("DocTranAmt", receipt.amount.currency);
        if let Some(theirs) = amount.filter(|theirs| *theirs != receipt.amount) {
            return Some(looked_up::other_amount(receipt.amount, theirs));
        }
        let mut result = self.in_group(receipt.date, row, "TranDate")?;
        result.as_object_mut()?.insert("head".to_owned(), json!(head));
        Some(LookedUp::There(result))
    }

    /// One allocation by its key, or the receipt itself, or the application of its credit.
    pub(super) fn application_filter(
        &self,
        application: &Application,
        state: &FilingState,
        by: LookUpBy,
    ) -> (Set, String) {
        let receipt = filter_of(&application.receipt);
        match (by, &state.change) {
            (LookUpBy::Other, _) => (RECEIPTS, receipt),
            (_, Some(Change::ApplyCredit(_))) => {
                (RECEIPTS, equals(&self.epicor.references.receipt, &application.reference))
            }
            _ => (RECEIPT_LINES, format!("{receipt} and InvoiceNum eq {}", application.invoice_number)),
        }
    }

    pub(super) fn application_found(
        &self,
        application: &Application,
        state: &FilingState,
        by: LookUpBy,
        row: Option<&Record>,
    ) -> LookedUp {
        match (by, row, &state.refusal) {
            (LookUpBy::Other, Some(row), _) if row.flag("Posted") == Some(true) => self.posted_receipt(row),
            (LookUpBy::Other, _, Some(refusal)) => LookedUp::Refused(refusal.clone()),
            (_, None, _) => LookedUp::Absent,
            (_, Some(row), _) => match row.amount("DocTranAmt", application.amount.currency) {
                Some(theirs) if theirs.minor.checked_abs() != Some(application.amount.minor) => {
                    looked_up::other_amount(application.amount, theirs)
                }
                Some(_) | None => self.application_there(application),
            },
        }
    }

    /// On posting, Epicor made a credit memo of what was not applied (EPICOR.md §6.4).
    fn posted_receipt(&self, row: &Record) -> LookedUp {
        match row.key("CreditMemoNum") {
            _ if !self.epicor.receipts.apply_posted => LookedUp::Different(receipt_posted()),
            Some(credit_memo) => LookedUp::Change(Change::ApplyCredit(credit_memo)),
            None => LookedUp::Failed(errors::unreadable(Asked::Read)),
        }
    }

    pub(super) fn application_write(&self, application: &Application, state: &FilingState) -> HttpRequest {
        let currency = application.amount.currency;
        let line = Row::new()
            .with("Company", &self.epicor.company)
            .with("InvoiceNum", &application.invoice_number)
            .amount("DocTranAmt", application.amount.minor, currency)
            .amount("TranAmt", application.amount.minor, currency);
        match state.change {
            Some(Change::ApplyCredit(credit_memo)) => {
                let row = Row::new()
                    .with("Company", &self.epicor.company)
                    .with("TranType", &"CMemo")
                    .with("InvoiceNum", &credit_memo)
                    .date("TranDate", application.date)
                    .with(&self.epicor.references.receipt, &application.reference)
                    .amount("DocTranAmt", application.amount.minor, currency)
                    .amount("TranAmt", application.amount.minor, currency)
                    .with("CashDtls", &[line]);
                self.caller().create(CREDIT_APPLICATIONS, &row)
            }
            _ => {
                let row = line
                    .with("GroupID", &application.receipt.group)
                    .with("HeadNum", &application.receipt.head);
                self.caller().create(RECEIPT_LINES, &row)
            }
        }
    }

    pub(super) fn application_there(&self, application: &Application) -> LookedUp {
        LookedUp::There(json!({
            "group": application.receipt.group,
            "head": application.receipt.head,
            "invoice_number": application.invoice_number,
            "applied": application.amount,
        }))
    }
}

fn receipt_posted() -> Failure {
    let message = "The receipt was posted in Epicor and is a credit memo now; nothing was applied. A person applies the \
                   credit memo to the invoice in Epicor, or the connection allows us to do it.";
    Failure::new("erp_receipt_posted", message, Retry::Never)
}
