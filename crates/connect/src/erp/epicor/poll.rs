//! Polling for changes, since Epicor has no feed of them (EPICOR.md §3).
//!
//! Rows are read in the order of `SysRevID`, which grows with each write of the database. Invariants: no revision is told
//! twice; a page that was read moves the watermark, also when nothing of it is told. Transactions may end out of order,
//! so a window of revisions before the watermark is read again and what was told of it is remembered.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use suture_core::time::Timestamp;

use super::call::{CUSTOMERS, Caller, INVOICES, Identity, ORDERS, Query, RECEIPTS, SHIPMENTS, Set};
use super::errors::{self, Asked};
use super::rows::{self, Record};
use super::settings::Epicor;
use crate::erp::event::{ErpEvent, ErpEventKind};
use crate::http::{HttpRequest, HttpResponse};
use crate::outcome::Outcome;

/// How many rows one call asks for; more are refused by hosted sites (EPICOR.md §3).
const PAGE_ROWS: u32 = 100;
/// How far before the watermark is read again.
const WINDOW_REVISIONS: i64 = 1000;

/// What is polled. Each has a watermark of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Sales orders.
    Orders,
    /// Shipments.
    Shipments,
    /// Invoices.
    Invoices,
    /// Cash receipts.
    Receipts,
    /// Customers.
    Customers,
}

/// How far a source was read. Stored between polls.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watermark {
    /// The highest revision that was read.
    pub revision: i64,
    /// The highest number that was read: an order above it is a new one.
    pub number: i64,
    /// Nothing up to this revision is ever told.
    pub start: i64,
    /// Revisions inside the window that were read.
    pub seen: BTreeSet<i64>,
    /// Inside a turn of several pages: the last revision of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<i64>,
}

impl Watermark {
    /// Begins at what a latest row tells: only what comes afterwards is told.
    #[must_use]
    pub fn begin(revision: i64, number: i64) -> Self {
        Self { revision, number, start: revision, ..Self::default() }
    }

    /// Where reading begins: a window before the highest revision, or after the page before.
    fn floor(&self) -> i64 {
        self.cursor.unwrap_or_else(|| self.window())
    }

    fn window(&self) -> i64 {
        self.revision.saturating_sub(WINDOW_REVISIONS).max(self.start)
    }
}

/// One page of changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Polled {
    /// What is new, in the order of revisions.
    pub events: Vec<ErpEvent>,
    /// Store it in the transaction that takes the events.
    pub watermark: Watermark,
    /// Whether more may be waiting: poll again at once.
    pub more: bool,
}

/// A company that is polled.
#[derive(Debug, Clone, Copy)]
pub struct Poll<'a> {
    /// The company.
    pub epicor: &'a Epicor,
    /// Who calls.
    pub identity: &'a Identity,
    /// What is polled.
    pub source: Source,
}

impl Poll<'_> {
    /// The request of the latest row, for the first watermark of a source.
    #[must_use]
    pub fn latest_request(&self) -> HttpRequest {
        let query = Query { order_by: "SysRevID desc".to_owned(), top: 1, ..Query::default() };
        self.caller().read(self.set(), &query)
    }

    /// The first watermark, from the answer to [`Self::latest_request`].
    #[must_use]
    pub fn read_latest(&self, response: &HttpResponse) -> Outcome<Watermark> {
        self.rows(response).map(|rows| {
            rows.first().map_or_else(Watermark::default, |row| {
                let number = row.number(self.number_field()).unwrap_or_default();
                Watermark::begin(row.number("SysRevID").unwrap_or_default(), number)
            })
        })
    }

    /// The request of the next page after a watermark.
    #[must_use]
    pub fn request(&self, watermark: &Watermark) -> HttpRequest {
        let query = Query {
            filter: format!("SysRevID gt {}", watermark.floor()),
            order_by: "SysRevID".to_owned(),
            top: PAGE_ROWS,
            ..Query::default()
        };
        self.caller().read(self.set(), &query)
    }

    /// Reads a page. A row that cannot be read fails the page: skipping it would lose it for ever.
    #[must_use]
    pub fn read(&self, watermark: &Watermark, response: &HttpResponse, now: Timestamp) -> Outcome<Polled> {
        let rows = match self.rows(response) {
            Outcome::Done(rows) => rows,
            Outcome::Declined(failure) => return Outcome::Declined(failure),
            Outcome::NotSent(failure) => return Outcome::NotSent(failure),
            Outcome::Unknown(failure) => return Outcome::Unknown(failure),
        };
        let mut next = watermark.clone();
        let mut events = Vec::new();
        for row in &rows {
            let (Some(revision), Some(number)) = (row.key("SysRevID"), row.key(self.number_field())) else {
                return errors::unreadable(Asked::Read).outcome.map(|never| match never {});
            };
            if next.seen.insert(revision) {
                events.extend(self.event(row, number, revision, &next, now));
            }
            next.number = next.number.max(number);
        }
        let full = u32::try_from(rows.len()).is_ok_and(|rows| rows >= PAGE_ROWS);
        let highest = rows.iter().filter_map(|row| row.key("SysRevID")).max();
        next.revision = next.revision.max(highest.unwrap_or_default());
        next.cursor = highest.filter(|_| full);
        let window = next.window();
        next.seen.retain(|revision| *revision > window);
        Outcome::Done(Polled { events, watermark: next, more: full })
    }

    fn event(
        &self,
        row: &Record,
        number: i64,
        revision: i64,
        watermark: &Watermark,
        at: Timestamp,
    ) -> Option<ErpEvent> {
        let posted = row.flag("Posted") == Some(true);
        let references = &self.epicor.references;
        let (kind, reference, fields): (_, Option<&String>, &[&str]) = match self.source {
            Source::Orders => {
                let new = number > watermark.number;
                let kind = if new { ErpEventKind::OrderCreated } else { ErpEventKind::OrderChanged };
                (kind, Some(&references.order), &ORDER_FIELDS)
            }
            Source::Shipments => {
                let status = row.word("ShipStatus").unwrap_or_default().to_uppercase();
                let left = matches!(status.as_str(), "SHIPPED" | "INVOICED");
                (left || row.flag("ReadyToInvoice") == Some(true)).then_some((
                    ErpEventKind::Shipped,
                    None,
                    &SHIPMENT_FIELDS[..],
                ))?
            }
            Source::Invoices => {
                posted.then_some((ErpEventKind::Invoiced, Some(&references.invoice), &INVOICE_FIELDS[..]))?
            }
            Source::Receipts => posted.then_some((
                ErpEventKind::ReceiptPosted,
                Some(&references.receipt),
                &RECEIPT_FIELDS[..],
            ))?,
            Source::Customers => {
                (ErpEventKind::CustomerChanged, Some(&references.customer), &CUSTOMER_FIELDS)
            }
        };
        let reference = reference.and_then(|field| row.word(field));
        Some(ErpEvent { kind, number, revision, at, reference, body: row.only(fields) })
    }

    fn rows(&self, response: &HttpResponse) -> Outcome<Vec<Record>> {
        if response.status != 200 {
            let failed = errors::failed(&self.epicor.words, response, Asked::Read, None);
            return failed.outcome.map(|never| match never {});
        }
        let is_baq = self.epicor.reads.baqs.contains_key(self.set().name);
        match rows::read_set(&response.body, is_baq) {
            Some(rows) => Outcome::Done(rows),
            None => errors::unreadable(Asked::Read).outcome.map(|never| match never {}),
        }
    }

    fn caller(&self) -> Caller<'_> {
        Caller { epicor: self.epicor, identity: self.identity }
    }

    const fn set(&self) -> Set {
        match self.source {
            Source::Orders => ORDERS,
            Source::Shipments => SHIPMENTS,
            Source::Invoices => INVOICES,
            Source::Receipts => RECEIPTS,
            Source::Customers => CUSTOMERS,
        }
    }

    const fn number_field(&self) -> &'static str {
        match self.source {
            Source::Orders => "OrderNum",
            Source::Shipments => "PackNum",
            Source::Invoices => "InvoiceNum",
            Source::Receipts => "HeadNum",
            Source::Customers => "CustNum",
        }
    }
}

const ORDER_FIELDS: [&str; 7] =
    ["OrderNum", "CustNum", "OpenOrder", "VoidOrder", "OrderHeld", "OrderDate", "DocOrderAmt"];
const SHIPMENT_FIELDS: [&str; 5] = ["PackNum", "OrderNum", "ShipDate", "ShipStatus", "TrackingNumber"];
const INVOICE_FIELDS: [&str; 9] = [
    "InvoiceNum",
    "CustNum",
    "OrderNum",
    "InvoiceDate",
    "InvoiceType",
    "CreditMemo",
    "CurrencyCode",
    "DocInvoiceAmt",
    "DocInvoiceBal",
];
const RECEIPT_FIELDS: [&str; 8] = [
    "GroupID",
    "HeadNum",
    "CustNum",
    "TranDate",
    "CurrencyCode",
    "DocTranAmt",
    "DocUnAppliedAmt",
    "CreditMemoNum",
];
const CUSTOMER_FIELDS: [&str; 4] = ["CustNum", "CustID", "TermsCode", "ValidPayer"];
