//! Reads of Epicor: parts, customers, orders, invoices, receipts, groups; page by page.
//!
//! Called by look-ups of flows, by the page of one order, and by the daily compare. Invariants: pages are ordered by the
//! key and a read ends at a short page (EPICOR.md §3); a read is bounded; personal data is in a [`Phi`] and never in a
//! URL.

mod records;

use suture_core::calendar::LocalDate;

pub use records::{Customer, Group, Invoice, Order, OrderedLine, Part, Receipt};

use super::call::{
    CUSTOMERS, Caller, INVOICES, Identity, ORDERS, PARTS, Query, RECEIPT_GROUPS, RECEIPTS, Set, equals,
    quoted,
};
use super::errors::{self, Asked};
use super::rows::{self, Record, Row};
use super::settings::Epicor;
use crate::http::{HttpRequest, HttpResponse};
use crate::outcome::{Failure, Outcome, Retry};

/// How many rows one page has at most; hosted sites refuse more.
pub const PAGE_ROWS: u32 = 100;
/// How many pages one read has at most.
pub const PAGES_MAX: u32 = 200;

/// What to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// One part by its number.
    Part(String),
    /// All parts.
    Parts,
    /// A customer by our key.
    CustomerByKey(String),
    /// A customer by Epicor's number.
    CustomerByNumber(i64),
    /// Customers by e-mail address; their keys of ours are not told.
    CustomersByEmail(suture_core::redact::Phi<String>),
    /// An order by our reference, with its lines.
    OrderByReference(String),
    /// An order by Epicor's number, with its lines.
    Order(i64),
    /// The invoices of an order.
    InvoicesOfOrder(i64),
    /// The receipts of the days from the first to the last, both included.
    Receipts(LocalDate, LocalDate),
    /// The memos and invoices of the days from the first to the last, both included.
    Invoices(LocalDate, LocalDate),
    /// The groups of receipts that are not posted.
    OpenReceiptGroups,
}

/// What was read.
#[derive(Debug, Clone, PartialEq)]
pub enum Rows {
    /// Parts.
    Parts(Vec<Part>),
    /// Customers.
    Customers(Vec<Customer>),
    /// Orders.
    Orders(Vec<Order>),
    /// Invoices and memos.
    Invoices(Vec<Invoice>),
    /// Receipts.
    Receipts(Vec<Receipt>),
    /// Groups of receipts.
    Groups(Vec<Group>),
}

/// One page.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The rows.
    pub rows: Rows,
    /// The number of the next page; `None`: this was the last.
    pub next: Option<u32>,
}

/// A company that is read.
#[derive(Debug, Clone, Copy)]
pub struct Reads<'a> {
    /// The company.
    pub epicor: &'a Epicor,
    /// Who calls.
    pub identity: &'a Identity,
}

impl Reads<'_> {
    /// The request of a page; the first is 0.
    #[must_use]
    pub fn request(&self, read: &Read, page: u32) -> HttpRequest {
        let caller = Caller { epicor: self.epicor, identity: self.identity };
        if let Read::CustomersByEmail(email) = read {
            let arguments = Row::new()
                .with("whereClause", &format!("EMailAddress = {}", quoted(email.expose())))
                .with("pageSize", &PAGE_ROWS)
                .with("absolutePage", &page);
            return caller.method(CUSTOMERS.service, "GetList", &arguments);
        }
        let (set, filter, order_by) = self.question(read);
        let expand = if set == ORDERS { "OrderDtls" } else { "" };
        let skip = page.saturating_mul(PAGE_ROWS);
        let query = Query { filter, expand, order_by: order_by.to_owned(), top: PAGE_ROWS, skip };
        caller.read(set, &query)
    }

    /// Reads a page. One row that cannot be read fails the page: a compare that leaves rows out would lie.
    #[must_use]
    pub fn answer(&self, read: &Read, page: u32, response: &HttpResponse) -> Outcome<Page> {
        if response.status != 200 {
            let failed = errors::failed(&self.epicor.words, response, Asked::Read, None);
            return failed.outcome.map(|never| match never {});
        }
        let found = match read {
            Read::CustomersByEmail(_) => rows::read_table(&response.body, "CustomerList"),
            _ => {
                let (set, _, _) = self.question(read);
                rows::read_set(&response.body, self.epicor.reads.baqs.contains_key(set.name))
            }
        };
        let Some((count, rows)) = found.and_then(|found| Some((found.len(), self.understood(read, &found)?)))
        else {
            return errors::unreadable(Asked::Read).outcome.map(|never| match never {});
        };
        let full = u32::try_from(count).is_ok_and(|count| count >= PAGE_ROWS);
        if full && page.saturating_add(1) >= PAGES_MAX {
            let message =
                "Epicor has more rows than are read at once. Nothing was changed. Ask for fewer days.";
            return Outcome::Declined(Failure::new("erp_too_many_rows", message, Retry::Never));
        }
        Outcome::Done(Page { rows, next: full.then(|| page.saturating_add(1)) })
    }

    /// The set, the filter and the order of a read. A search by address goes another way.
    fn question(&self, read: &Read) -> (Set, String, &'static str) {
        let references = &self.epicor.references;
        let days = |field: &str, from: &LocalDate, to: &LocalDate| {
            format!("{field} ge {from}T00:00:00 and {field} le {to}T00:00:00")
        };
        match read {
            Read::Part(number) => (PARTS, equals("PartNum", number), "PartNum"),
            Read::Parts => (PARTS, String::new(), "PartNum"),
            Read::CustomerByKey(key) => (CUSTOMERS, equals(&references.customer, key), "CustNum"),
            Read::CustomerByNumber(number) => (CUSTOMERS, format!("CustNum eq {number}"), "CustNum"),
            Read::CustomersByEmail(_) => (CUSTOMERS, String::new(), "CustNum"),
            Read::OrderByReference(reference) => (ORDERS, equals(&references.order, reference), "OrderNum"),
            Read::Order(number) => (ORDERS, format!("OrderNum eq {number}"), "OrderNum"),
            Read::InvoicesOfOrder(number) => (INVOICES, format!("OrderNum eq {number}"), "InvoiceNum"),
            Read::Receipts(from, to) => (RECEIPTS, days("TranDate", from, to), "GroupID,HeadNum"),
            Read::Invoices(from, to) => (INVOICES, days("ApplyDate", from, to), "InvoiceNum"),
            Read::OpenReceiptGroups => (RECEIPT_GROUPS, String::new(), "GroupID"),
        }
    }

    fn understood(&self, read: &Read, found: &[Record]) -> Option<Rows> {
        let epicor = self.epicor;
        Some(match read {
            Read::Part(_) | Read::Parts => Rows::Parts(each(found, Part::of)?),
            Read::CustomerByKey(_) | Read::CustomerByNumber(_) | Read::CustomersByEmail(_) => {
                Rows::Customers(each(found, |row| Customer::of(epicor, row))?)
            }
            Read::OrderByReference(_) | Read::Order(_) => {
                Rows::Orders(each(found, |row| Order::of(epicor, row))?)
            }
            Read::InvoicesOfOrder(_) | Read::Invoices(_, _) => {
                Rows::Invoices(each(found, |row| Invoice::of(epicor, row))?)
            }
            Read::Receipts(_, _) => Rows::Receipts(each(found, |row| Receipt::of(epicor, row))?),
            Read::OpenReceiptGroups => Rows::Groups(each(found, Group::of)?),
        })
    }
}

fn each<T>(found: &[Record], read: impl Fn(&Record) -> Option<T>) -> Option<Vec<T>> {
    found.iter().map(read).collect()
}
