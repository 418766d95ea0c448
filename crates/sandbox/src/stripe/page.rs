//! The pages for people that Stripe hosts: invoices, receipts, credit notes, as HTML and as PDF.
//!
//! Answered before authentication, because people open them from a mail: whoever has the secret in the address may
//! look. What must stay true: a page shows what the object is now, and a draft has no page.

use super::charge::Charge;
use super::credit_note::CreditNote;
use super::currency::spoken;
use super::invoice::Invoice;
use super::pdf;
use super::world::StripeWorld;
use crate::wire::{Request, Response};
use jiff::Timestamp;

impl StripeWorld {
    /// The page of an address, if the address is one of a page.
    pub(crate) fn page(&self, request: &Request) -> Option<Response> {
        if request.method != "GET" {
            return None;
        }
        let steps: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        let (lines, as_pdf) = match steps.as_slice() {
            ["i", id, secret] => (self.invoice_paper(id, secret), false),
            ["i", id, secret, "pdf"] => (self.invoice_paper(id, secret), true),
            ["receipts", id, secret] => (self.receipt_paper(id, secret), false),
            ["receipts", id, secret, "pdf"] => (self.receipt_paper(id, secret), true),
            ["credit_notes", id, secret, "pdf"] => (self.note_paper(id, secret), true),
            _ => return None,
        };
        Some(match lines {
            Some(lines) if as_pdf => Response::empty(200)
                .with_header("content-type", "application/pdf")
                .with_body(pdf::of_lines(&lines)),
            Some(lines) => Response::empty(200)
                .with_header("content-type", "text/html; charset=utf-8")
                .with_body(html(&lines, &format!("{}/pdf", request.path.trim_end_matches('/')))),
            None => Response::empty(404)
                .with_header("content-type", "text/html; charset=utf-8")
                .with_body(html(&["This page does not exist.".to_owned()], "")),
        })
    }

    fn invoice_paper(&self, id: &str, secret: &str) -> Option<Vec<String>> {
        let invoice = self.invoices.get(id).filter(|invoice| invoice.page_secret() == secret)?;
        invoice.hosted_url()?;
        let customer = self.customers.get(&invoice.customer).map(|customer| customer.render());
        let name = customer.as_ref().and_then(|customer| customer["name"].as_str());
        Some(invoice_lines(invoice, name.unwrap_or("Customer")))
    }

    fn receipt_paper(&self, id: &str, secret: &str) -> Option<Vec<String>> {
        let charge = self.charges.get(id)?;
        let url = charge.receipt_url()?;
        url.ends_with(&format!("/{secret}")).then(|| receipt_lines(charge))
    }

    fn note_paper(&self, id: &str, secret: &str) -> Option<Vec<String>> {
        let note = self.credit_notes.get(id)?;
        let invoice = self.invoices.get(&note.invoice)?;
        note.pdf_url().ends_with(&format!("/{secret}/pdf")).then(|| note_lines(note, invoice))
    }
}

fn day(second: i64) -> String {
    Timestamp::from_second(second)
        .map_or_else(|_| String::new(), |moment| moment.strftime("%Y-%m-%d").to_string())
}

fn invoice_lines(invoice: &Invoice, customer: &str) -> Vec<String> {
    let money = |amount| spoken(amount, invoice.currency);
    let text = |name: &str| invoice.echo.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
    let mut lines = vec![
        format!("Invoice {}", invoice.number.as_deref().unwrap_or_default()),
        "Suture Sandbox".to_owned(),
        format!("Status: {}", invoice.status.text()),
        format!("Billed to: {customer}"),
    ];
    lines.extend(invoice.transitions.finalized_at.map(|second| format!("Date of issue: {}", day(second))));
    lines.extend(invoice.due_date.map(|second| format!("Date due: {}", day(second))));
    lines.extend(text("description"));
    for line in invoice.lines.iter() {
        lines.push(format!("{}: {}", line.description.as_deref().unwrap_or("Service"), money(line.amount)));
    }
    lines.push(format!("Total: {}", money(invoice.total())));
    if invoice.starting_balance != 0 {
        let applied = invoice.ending_balance.unwrap_or(0) - invoice.starting_balance;
        lines.push(format!("Applied balance: {}", money(-applied)));
    }
    if invoice.pre_payment_credit_notes + invoice.post_payment_credit_notes > 0 {
        let credited = invoice.pre_payment_credit_notes + invoice.post_payment_credit_notes;
        lines.push(format!("Credited: {}", money(credited)));
    }
    lines.push(format!("Amount due: {}", money(invoice.amount_due)));
    lines.push(format!("Amount paid: {}", money(invoice.amount_paid)));
    lines.push(format!("Amount remaining: {}", money(invoice.amount_remaining())));
    lines.extend(text("footer"));
    lines
}

fn receipt_lines(charge: &Charge) -> Vec<String> {
    let money = |amount| spoken(amount, charge.currency);
    let mut lines = vec![
        format!("Receipt from Suture Sandbox: {}", money(charge.amount)),
        format!("Date: {}", day(charge.created)),
        format!("Payment method: {} - {}", charge.card.brand, charge.face.last4),
        format!("Payment: {}", charge.payment_intent),
    ];
    if charge.captured {
        lines.push(format!("Amount charged: {}", money(charge.amount_captured)));
    } else {
        lines.push(format!("Amount reserved: {}", money(charge.amount - charge.amount_released)));
    }
    if charge.amount_refunded > 0 {
        lines.push(format!("Refunded: {}", money(charge.amount_refunded)));
    }
    lines
}

fn note_lines(note: &CreditNote, invoice: &Invoice) -> Vec<String> {
    let money = |amount| spoken(amount, note.currency);
    let mut lines = vec![
        format!("Credit note {}", note.number),
        "Suture Sandbox".to_owned(),
        format!("For invoice {}", invoice.number.as_deref().unwrap_or_default()),
        format!("Date of issue: {}", day(note.created)),
    ];
    lines.extend(note.voided_at.map(|second| format!("Void since {}", day(second))));
    for line in note.lines.iter() {
        lines.push(format!("{}: {}", line.description.as_deref().unwrap_or("Credit"), money(line.amount)));
    }
    lines.push(format!("Total credited: {}", money(note.amount())));
    lines.extend(note.memo.as_deref().map(str::to_owned));
    lines
}

fn html(lines: &[String], pdf: &str) -> String {
    let title = lines.first().map(|line| marked(line)).unwrap_or_default();
    let rows: String = lines.iter().skip(1).map(|line| format!("<p>{}</p>\n", marked(line))).collect();
    let link = if pdf.is_empty() {
        String::new()
    } else {
        format!("<p><a href=\"{pdf}\">Download as PDF</a></p>\n")
    };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n<body>\n\
         <main>\n<h1>{title}</h1>\n{rows}{link}</main>\n</body>\n</html>\n"
    )
}

fn marked(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
