//! Questions to the ERP, outside of any transaction: what became of an order, and whether the company can be used.

use suture_connect::erp::epicor::reads::{Page, Read, Reads, Rows};
use suture_connect::outcome::{Failure, Outcome, Retry};
use suture_core::money::Money;
use suture_core::order::{Invoice, Order, Seen, Shipment};
use suture_core::time::Timestamp;

use crate::Error;
use crate::admin::Probe;
use crate::apply::throttled;
use crate::calls;
use crate::connections::Open;
use crate::engine::Engine;
use crate::worker::After;

impl Engine {
    /// What shipped and what was invoiced of an order.
    pub(super) async fn see_order(&self, erp: &str, order: &Order) -> Result<Result<Seen, After>, Error> {
        let Some(number) = order.keys_of("sales_order").and_then(|keys| keys["order_number"].as_i64()) else {
            return Ok(Ok(Seen::default()));
        };
        let open = self.connection(erp)?;
        let heads = match self.read_erp(&open, &Read::OrderByReference(order.id.to_string())).await? {
            Ok(page) => page,
            Err(after) => return Ok(Err(after)),
        };
        let invoices = match self.read_erp(&open, &Read::InvoicesOfOrder(number)).await? {
            Ok(page) => page,
            Err(after) => return Ok(Err(after)),
        };
        Ok(Ok(seen(order, heads, invoices, self.now())))
    }

    /// Asks for the first page: an order has few invoices.
    async fn read_erp(&self, open: &Open, read: &Read) -> Result<Result<Page, After>, Error> {
        let identity = match self.identity(open).await? {
            Ok(identity) => identity,
            Err(after) => return Ok(Err(after)),
        };
        let (epicor, login) = open.epicor()?;
        let reads = Reads { epicor, identity: &identity };
        let answer = self.call(open, reads.request(read, 0)).await;
        if matches!(&answer, Ok(response) if response.status == 401) {
            login.forget();
        }
        Ok(match calls::outcome(answer, |response| reads.answer(read, 0, response)) {
            Err(at) => Err(throttled(at)),
            Ok(Outcome::Done(page)) => Ok(page),
            Ok(Outcome::Declined(failure) | Outcome::NotSent(failure) | Outcome::Unknown(failure)) => {
                Err(After::Failed { failure, job: None })
            }
        })
    }

    /// Signs in and reads the open groups.
    pub(crate) async fn probe_epicor(&self, open: &Open) -> Result<Probe, Error> {
        let (usable, findings) = match self.read_erp(open, &Read::OpenReceiptGroups).await? {
            Ok(_) => (true, vec!["signed in, and the groups of cash receipts can be read".to_owned()]),
            Err(After::Failed { failure, .. }) => (false, vec![failure.message]),
            Err(_) => {
                let failure =
                    Failure::new("erp_not_asked", "Epicor could not be asked now; try again", Retry::Later);
                (false, vec![failure.message])
            }
        };
        Ok(Probe { usable, route: None, findings })
    }
}

fn seen(order: &Order, heads: Page, invoices: Page, now: Timestamp) -> Seen {
    let mut seen = Seen::default();
    if let Rows::Orders(heads) = heads.rows {
        for head in heads {
            let shipped = |quantity: &String| quantity.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
            let lines = head.lines.iter().filter_map(|line| {
                let quantity = line.shipped.clone().filter(shipped)?;
                Some(format!("{}x{quantity}", line.number))
            });
            // Epicor's order tells how much left of each line; each new sum is a shipment.
            let left = lines.collect::<Vec<_>>().join("+");
            if !left.is_empty() {
                seen.shipments.push(Shipment { number: format!("{}:{left}", head.number), at: now });
            }
        }
    }
    if let Rows::Invoices(invoices) = invoices.rows {
        for invoice in invoices {
            let posted = invoice.posted == Some(true) && !invoice.credit;
            let Some(amount) = invoice.amount.filter(|amount| posted && amount.minor > 0) else { continue };
            if amount.currency != order.total.currency {
                continue;
            }
            seen.invoices.push(Invoice {
                number: invoice.number,
                total_minor: amount.minor,
                tax_minor: tax_of(order, amount),
                at: now,
                applied_minor: 0,
                credited_minor: 0,
                returned_minor: 0,
            });
        }
    }
    seen
}

/// The tax in an invoice: all of it when the invoice is of the whole order, else its part, the cents rounded down.
fn tax_of(order: &Order, amount: Money) -> i64 {
    let product = i128::from(amount.minor).saturating_mul(i128::from(order.tax_minor));
    i64::try_from(product.checked_div(i128::from(order.total.minor)).unwrap_or(0)).unwrap_or(0)
}
