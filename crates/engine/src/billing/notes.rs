//! What a gateway tells beside money: customers, methods, invoices, warnings. Taken in within the transaction of the message
//! that told it; a note never moves money by itself.

use suture_connect::gateway::{FraudWarning, InvoicePaymentSeen, Note};
use suture_core::id::InvoiceId;
use suture_core::invoice::Invoice;
use suture_core::payment::{self, Payment, Purpose};
use suture_core::service::Service;
use suture_store::effects::{self, NewEffect, State};
use suture_store::journal;

use crate::Error;
use crate::change::Change;
use crate::connections::Open;
use crate::facts::{self, Origin, reference};
use crate::job::Job;

use super::{collecting, invoices, patients};

/// Takes notes in.
pub(crate) fn take_notes(
    change: &mut Change<'_, '_>,
    open: &Open,
    notes: &[Note],
    origin: &Origin,
) -> Result<(), Error> {
    for note in notes {
        match note {
            Note::Customer(seen) => patients::take_customer(change, open, seen)?,
            Note::MethodChanged(seen) => patients::take_method(change, open, seen)?,
            Note::MethodGone { id } => patients::lose_method(change, open, id)?,
            Note::Invoice(seen) => invoices::take_invoice(change, open, seen, origin)?,
            Note::InvoicePayment(seen) => take_invoice_payment(change, open, seen, origin)?,
            Note::EarlyFraudWarning(seen) => warn(change, open, seen)?,
            Note::Settlement(seen) => crate::reconcile::take_settlement(change, open, seen)?,
            // The method of a finished setup comes with its own note; holds and credit notes show in the evidence.
            Note::Setup(_) | Note::Authorization(_) | Note::CreditNote(_) | Note::InvoiceGone { .. } => {}
        }
    }
    Ok(())
}

/// A payment that was made on the gateway's page of an invoice belongs to the invoice's service.
fn take_invoice_payment(
    change: &mut Change<'_, '_>,
    open: &Open,
    seen: &InvoicePaymentSeen,
    origin: &Origin,
) -> Result<(), Error> {
    let organization = change.order.organization.clone();
    let invoice = journal::referred(change.tx, &organization, &reference(&open.id, &seen.invoice))?;
    let Some(invoice) = invoice.filter(|stream| InvoiceId::parse(stream).is_ok()) else { return Ok(()) };
    let mut payment = None;
    for object in [&seen.charge, &seen.intent].into_iter().flatten() {
        payment = payment.or(journal::referred(change.tx, &organization, &reference(&open.id, object))?);
    }
    let Some(payment) = payment else { return Ok(()) };
    let (mut loaded, state) = change.existing::<Payment>(&payment)?;
    if state.purpose.is_some() {
        return Ok(());
    }
    let (_, invoice) = change.existing::<Invoice>(&invoice)?;
    let (_, service) = change.existing::<Service>(&invoice.service.to_string())?;
    let care = super::follow::care_of_service(change, &service)?;
    let debt = collecting::record_debt(change, &service, state.amount)?;
    let command = payment::Command::ResolveLink {
        link: service.link.clone(),
        purpose: Purpose::Balance,
        care,
        debt: Some(debt),
    };
    let events = facts::decide(change, &mut loaded, &command)?;
    facts::settle(change, &mut loaded, &events, origin)?;
    let parked = format!("{payment}/identify");
    let stopped = effects::get(change.tx, &organization, &parked)?;
    if let Some(asked) = stopped.filter(|effect| effect.state == State::Parked) {
        effects::skip(change.tx, &asked, "paid on the invoice's page", change.order.now)?;
    }
    Ok(())
}

/// The issuer suspects fraud: refunding now avoids a dispute (FLOWS 9b). A person decides.
fn warn(change: &mut Change<'_, '_>, open: &Open, seen: &FraudWarning) -> Result<(), Error> {
    let organization = change.order.organization.clone();
    let stream = journal::referred(change.tx, &organization, &reference(&open.id, &seen.charge))?;
    change.effect_once(NewEffect {
        id: format!("fraud-warning/{}", seen.warning),
        kind: "ask_person",
        lane: None,
        destination: "early-fraud-warnings".to_owned(),
        stream,
        due_at: change.order.now,
        payload: Job::ask(format!(
            "the issuer warns that charge {} is fraudulent; refund it before a dispute is opened, or leave it; once a \
             dispute is open a refund is refused",
            seen.charge
        )),
    })
}
