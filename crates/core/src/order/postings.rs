//! The ledger entries of an order's events (FLOWS §7.6). Its payments post `Dr gw / Cr deposit:customer` themselves.

use crate::ledger::{Account, Error, Line, Posting};
use crate::money::Money;

use super::event::Event;
use super::state::Order;

/// The postings of an event, given the order before it.
///
/// # Errors
/// [`Error`] when an amount is zero or does not fit; `decide` never emits such an event.
pub fn postings(before: Option<&Order>, event: &Event) -> Result<Vec<Posting>, Error> {
    let Some(order) = before else { return Ok(Vec::new()) };
    let money = |minor| Money::new(minor, order.total.currency);
    let (id, party) = (order.id, Some(order.link.as_str()));
    match event {
        Event::Invoiced(invoice) => {
            let net = invoice.total_minor.saturating_sub(invoice.tax_minor);
            let mut lines = vec![Line::debit(Account::ArCustomer, money(invoice.total_minor)).of(party)];
            lines.extend((net != 0).then(|| Line::credit(Account::RevService, money(net)).of(party)));
            let tax = (invoice.tax_minor != 0)
                .then(|| Line::credit(Account::TaxPayable, money(invoice.tax_minor)).of(party));
            lines.extend(tax);
            Posting::try_new(format!("order_invoice:{id}:{}", invoice.number), lines)
                .map(|posting| vec![posting])
        }
        Event::Applied { minor, reference, .. } => {
            let (debit, credit) = (Account::DepositCustomer, Account::ArCustomer);
            Posting::transfer(format!("order_apply:{id}:{reference}"), debit, credit, money(*minor), party)
                .map(|posting| vec![posting])
        }
        Event::Credited { minor, tax_minor, returned_minor, reference, .. } => {
            let net = minor.saturating_sub(*tax_minor);
            let mut lines = Vec::with_capacity(4);
            lines.extend((net != 0).then(|| Line::debit(Account::RevService, money(net)).of(party)));
            let tax =
                (*tax_minor != 0).then(|| Line::debit(Account::TaxPayable, money(*tax_minor)).of(party));
            lines.extend(tax);
            let open = minor.saturating_sub(*returned_minor);
            lines.extend((open != 0).then(|| Line::credit(Account::ArCustomer, money(open)).of(party)));
            let returned = (*returned_minor != 0)
                .then(|| Line::credit(Account::DepositCustomer, money(*returned_minor)).of(party));
            lines.extend(returned);
            Posting::try_new(format!("order_credit:{id}:{reference}"), lines).map(|posting| vec![posting])
        }
        _ => Ok(Vec::new()),
    }
}
