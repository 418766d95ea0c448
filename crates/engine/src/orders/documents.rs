//! What an order learns from a document that the ERP has: its keys, and for money documents their entry in the books.

use serde_json::Value;
use suture_connect::erp::document::Document;
use suture_core::id::OrderId;
use suture_core::order::{self, Command};
use suture_store::journal;

use crate::Error;
use crate::change::Change;

use super::follow::decide;
use super::sync::wake;

/// Records a filed document on its order. A document that the books do not agree with is recorded, and asked about.
pub(crate) fn filed(
    change: &mut Change<'_, '_>,
    (connection, about): (&str, &str),
    document: &Document,
    keys: &Value,
) -> Result<(), Error> {
    let Ok(id) = OrderId::parse(about) else { return Ok(()) };
    let reference = document.reference().to_owned();
    let booked = match document {
        Document::Application(application) => {
            let (invoice, amount) = (application.invoice_number, application.amount);
            decide(change, id, &Command::Apply { invoice, amount, reference: reference.clone() }).map(|_| ())
        }
        Document::CreditMemo(memo) => {
            let (invoice, amount, tax_minor) = (memo.invoice_number, memo.amount, memo.tax_minor);
            decide(change, id, &Command::Credit { invoice, amount, tax_minor, reference: reference.clone() })
                .map(|_| ())
        }
        _ => Ok(()),
    };
    match booked {
        Err(Error::Refused(refusal)) => ask(change, id, &reference, &refusal.detail)?,
        other => other?,
    }
    if let (Document::SalesOrder(_), Some(number)) = (document, keys["order_number"].as_i64()) {
        let organization = change.order.organization.clone();
        let key = super::heard::number_key(connection, number);
        journal::refer_once(change.tx, &organization, &key, about)?;
    }
    let known = order::Document {
        kind: document.kind().to_owned(),
        keys: keys.clone(),
        amount: document.amount(),
        at: change.order.now,
    };
    decide(change, id, &Command::Document { reference, document: known })?;
    match document {
        // What goes back or is applied waits for the receipt.
        Document::CashReceipt(_) => wake(change, "epicor.receipt_posted", id),
        _ => Ok(()),
    }
}

fn ask(change: &mut Change<'_, '_>, id: OrderId, reference: &str, what: &str) -> Result<(), Error> {
    change.effect_once(suture_store::effects::NewEffect {
        id: format!("{id}/books/{reference}"),
        kind: "ask_person",
        lane: None,
        destination: "order-differences".to_owned(),
        stream: Some(id.to_string()),
        due_at: change.order.now,
        payload: crate::job::Job::ask(format!("the ERP has {reference}, and the books refused it: {what}")),
    })
}
