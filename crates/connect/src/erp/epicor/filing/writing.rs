//! Which request and which reading belongs to which kind of document.

use super::Filing;
use super::looked_up::{self, LookedUp};
use crate::erp::document::Document;
use crate::erp::epicor::call::{CUSTOMERS, INVOICES, JOURNALS, ORDERS, Query, RECEIPTS, Set};
use crate::erp::epicor::errors::{self, Asked};
use crate::erp::epicor::rows::{self, Record};
use crate::erp::filing::{FilingState, LookUpBy};
use crate::http::{HttpRequest, HttpResponse};

impl Filing<'_> {
    pub(super) fn write_request(&self, state: &FilingState) -> HttpRequest {
        let caller = self.caller();
        match self.document {
            Document::Customer(customer) => self.customer_write(customer, state),
            Document::SalesOrder(order) => caller.create(ORDERS, &self.order_row(order)),
            Document::OrderHold(hold) => self.hold_write(hold),
            Document::CashReceipt(receipt) => caller.create(RECEIPTS, &self.receipt_row(receipt, state)),
            Document::Application(application) => self.application_write(application, state),
            Document::ReceiptReversal(reversal) => self.reversal_write(reversal, state),
            Document::CreditMemo(memo) => caller.create(INVOICES, &self.credit_row(memo, state)),
            Document::DebitMemo(memo) => caller.create(INVOICES, &self.debit_row(memo, state)),
            Document::Journal(journal) => caller.create(JOURNALS, &self.journal_row(journal, state)),
        }
    }

    /// What a write came to: [`LookedUp::There`] with the result, `Different`, or `Failed`.
    pub(super) fn read_written(&self, state: &FilingState, response: &HttpResponse) -> LookedUp {
        let words = &self.epicor.words;
        if !matches!(response.status, 200 | 201 | 204) {
            return LookedUp::Failed(errors::failed(words, response, Asked::Write, Some(self.document)));
        }
        if let Some(failed) = errors::inside(words, response, self.document) {
            return LookedUp::Failed(failed);
        }
        let row = rows::read_entity(&response.body).unwrap_or_default();
        let read = match self.document {
            Document::Customer(customer) => self.customer_written(customer, state, &row),
            Document::SalesOrder(order) => self.order_there(order, &row),
            Document::OrderHold(hold) => Some(self.hold_there(hold)),
            Document::CashReceipt(receipt) => self.receipt_there(receipt, &row),
            Document::Application(application) => Some(self.application_there(application)),
            Document::ReceiptReversal(reversal) => self.reversal_written(reversal, state),
            Document::CreditMemo(memo) => self.credit_there(memo, &row),
            Document::DebitMemo(memo) => self.debit_there(memo, &row),
            Document::Journal(journal) => self.journal_there(journal, &row),
        };
        read.unwrap_or_else(|| LookedUp::Failed(errors::unreadable(Asked::Write)))
    }

    pub(super) fn look_up_request(&self, state: &FilingState, by: LookUpBy) -> HttpRequest {
        match self.document {
            Document::Customer(customer) if by == LookUpBy::Match => self.customer_search(customer),
            _ => {
                let (set, query) = self.look_up_query(state, by);
                self.caller().read(set, &query)
            }
        }
    }

    pub(super) fn read_look_up(
        &self,
        state: &FilingState,
        by: LookUpBy,
        response: &HttpResponse,
    ) -> LookedUp {
        if let (Document::Customer(customer), LookUpBy::Match) = (self.document, by) {
            return self.customer_searched(customer, response);
        }
        let (set, _) = self.look_up_query(state, by);
        let row = looked_up::read_rows(self.epicor, set, response).and_then(looked_up::only_row);
        match row {
            Ok(row) => self.understand(state, by, row.as_ref()),
            Err(other) => *other,
        }
    }

    fn look_up_query(&self, state: &FilingState, by: LookUpBy) -> (Set, Query) {
        let (set, filter, expand) = match self.document {
            Document::Customer(customer) => (CUSTOMERS, self.customer_filter(customer, state, by), ""),
            Document::SalesOrder(_) => {
                (ORDERS, self.by_reference(&self.epicor.references.order), "OrderDtls")
            }
            Document::OrderHold(hold) => (ORDERS, format!("OrderNum eq {}", hold.order_number), ""),
            Document::CashReceipt(_) => (RECEIPTS, self.by_reference(&self.epicor.references.receipt), ""),
            Document::Application(application) => {
                let (set, filter) = self.application_filter(application, state, by);
                (set, filter, "")
            }
            Document::ReceiptReversal(reversal) => {
                (RECEIPTS, super::receipt::filter_of(&reversal.receipt), "")
            }
            Document::CreditMemo(_) | Document::DebitMemo(_) => {
                (INVOICES, self.by_reference(&self.epicor.references.invoice), "")
            }
            Document::Journal(_) => (JOURNALS, self.by_reference(&self.epicor.references.journal), ""),
        };
        // Two rows are asked for, so that a second one is seen.
        (set, Query { filter, expand, top: 2, ..Query::default() })
    }

    fn by_reference(&self, field: &str) -> String {
        super::super::call::equals(field, self.document.reference())
    }

    /// What a row, or its absence, says about the document.
    fn understand(&self, state: &FilingState, by: LookUpBy, row: Option<&Record>) -> LookedUp {
        let unreadable = || LookedUp::Failed(errors::unreadable(Asked::Read));
        let there = |found: Option<LookedUp>| found.unwrap_or_else(unreadable);
        match (self.document, row) {
            (Document::Customer(customer), row) => self.customer_found(customer, state, by, row),
            (Document::OrderHold(hold), row) => self.hold_found(hold, row),
            (Document::ReceiptReversal(reversal), row) => self.reversal_found(reversal, state, row),
            (Document::Application(application), row) => self.application_found(application, state, by, row),
            (_, None) => LookedUp::Absent,
            (Document::SalesOrder(order), Some(row)) => there(self.order_there(order, row)),
            (Document::CashReceipt(receipt), Some(row)) => there(self.receipt_there(receipt, row)),
            (Document::CreditMemo(memo), Some(row)) => there(self.credit_there(memo, row)),
            (Document::DebitMemo(memo), Some(row)) => there(self.debit_there(memo, row)),
            (Document::Journal(journal), Some(row)) => there(self.journal_there(journal, row)),
        }
    }
}
