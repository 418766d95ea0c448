//! The gateway's mirror of an invoice: made, filled, finalized, paid by attaching our captured payments, and archived. The
//! amounts stay ours; the mirror never collects by itself.
//!
//! Every call carries a key that follows from the invoice, so that a repeated step finds what the first one made.

use std::collections::BTreeSet;

use suture_connect::gateway::{AddItem, Collection, CreateInvoice, InvoiceSeen, InvoiceStatus, Invoices};
use suture_connect::http::{HttpRequest, HttpResponse, Method};
use suture_connect::outcome::{Failure, Outcome, Retry};
use suture_core::audit::chain::Hash;
use suture_core::id::InvoiceId;
use suture_core::invoice::{self, Command, Invoice};
use suture_core::money::Money;
use suture_core::patient::Patient;
use suture_core::payment::Payment;
use suture_core::service::{Service, Status};
use suture_store::effects::NewEffect;
use suture_store::journal;

use crate::apply::throttled;
use crate::change::Change;
use crate::connections::Open;
use crate::engine::Engine;
use crate::facts::reference;
use crate::job::Job;
use crate::worker::{After, Working};
use crate::{Error, calls};

use super::eligibilities::care;

/// A document larger than this is not kept.
const DOCUMENT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Plans to bring the mirror in step; `number` tells the occasions apart.
pub(super) fn plan_mirror(
    change: &mut Change<'_, '_>,
    invoice: InvoiceId,
    connection: &str,
    number: u32,
) -> Result<(), Error> {
    let job = Job::MirrorInvoice { invoice };
    change.effect(NewEffect {
        id: format!("{invoice}/mirror/{number}"),
        kind: job.kind(),
        lane: Some(format!("invoice/{invoice}")),
        destination: connection.to_owned(),
        stream: Some(invoice.to_string()),
        due_at: change.order.now,
        payload: job.payload(),
    })
}

/// What stops a step: it goes on later, or a person must look.
pub(super) type Stop = After;

/// What the steps of a mirror share.
pub(super) struct Mirror<'a> {
    pub(super) working: &'a Working,
    pub(super) open: &'a Open,
    pub(super) invoices: &'a dyn Invoices,
    pub(super) invoice: Invoice,
    pub(super) service: Service,
}

impl Engine {
    /// An invoice as known now.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn invoice(&self, organization: &str, id: InvoiceId) -> Result<Invoice, Error> {
        self.state::<Invoice>(organization, &id.to_string()).await
    }

    /// Brings the mirror of an invoice as far as it can go now.
    pub(crate) async fn mirror_invoice(&self, working: &Working, id: InvoiceId) -> Result<After, Error> {
        let organization = &working.effect.organization;
        let invoice = self.invoice(organization, id).await?;
        if invoice.status.is_ended() {
            return self.finish(working, "the invoice has ended").await;
        }
        let service = self.service(organization, invoice.service).await?;
        let open = self.connection(&working.effect.destination)?;
        let (gateway, _) = open.gateway()?;
        let invoices = gateway.invoices().ok_or_else(|| open.problem("it makes no invoices"))?;
        let mirror = Mirror { working, open: &open, invoices, invoice, service };
        match self.mirror_steps(&mirror).await? {
            Ok(note) => self.finish(working, note).await,
            Err(stop) => Ok(stop),
        }
    }

    async fn mirror_steps(&self, mirror: &Mirror<'_>) -> Result<Result<&'static str, Stop>, Error> {
        let gateway_invoice = match &mirror.invoice.gateway_invoice {
            Some(known) => known.clone(),
            None => match self.create_mirror(mirror).await? {
                Ok(made) => made,
                Err(stop) => return Ok(Err(stop)),
            },
        };
        let invoices = mirror.invoices;
        let fetched =
            self.ask(mirror, invoices.fetch(&gateway_invoice), |response| invoices.read_invoice(response));
        let mut seen = match fetched.await {
            Ok(seen) => seen,
            Err(stop) => return Ok(Err(stop)),
        };
        if seen.status == InvoiceStatus::Draft {
            seen = match self.fill_and_finalize(mirror, &gateway_invoice).await? {
                Ok(seen) => seen,
                Err(stop) => return Ok(Err(stop)),
            };
        }
        let all = match mirror.service.status == Status::Completed {
            true => match self.correct(mirror, seen).await? {
                Ok(all) => all,
                Err(stop) => return Ok(Err(stop)),
            },
            false => vec![seen],
        };
        if let Err(stop) = self.pay_and_archive(mirror, all).await? {
            return Ok(Err(stop));
        }
        Ok(Ok("the gateway's invoice is in step"))
    }

    async fn pay_and_archive(
        &self,
        mirror: &Mirror<'_>,
        all: Vec<InvoiceSeen>,
    ) -> Result<Result<(), Stop>, Error> {
        let mut attached = BTreeSet::new();
        if all.len() > 1 && all.iter().any(|seen| seen.status == InvoiceStatus::Open) {
            for seen in &all {
                match self.intents_of(mirror, &seen.id).await {
                    Ok(intents) => attached.extend(intents),
                    Err(stop) => return Ok(Err(stop)),
                }
            }
        }
        for (number, mut seen) in (1_usize..).zip(all) {
            if seen.status == InvoiceStatus::Open {
                seen = match self.pay_mirror(mirror, seen, &mut attached).await? {
                    Ok(seen) => seen,
                    Err(stop) => return Ok(Err(stop)),
                };
            }
            let what = if number == 1 { "invoice".to_owned() } else { format!("invoice-{number}") };
            if mirror.service.status == Status::Completed
                && let Err(stop) = self.archive(mirror, &seen, &what).await?
            {
                return Ok(Err(stop));
            }
        }
        Ok(Ok(()))
    }

    async fn create_mirror(&self, mirror: &Mirror<'_>) -> Result<Result<String, Stop>, Error> {
        let made = match self.create_at_gateway(mirror, &format!("{}:create", mirror.invoice.id)).await? {
            Ok(made) => made.id,
            Err(stop) => return Ok(Err(stop)),
        };
        let gateway_invoice = made.clone();
        self.refer_and(mirror, made.clone(), Command::Mirror { gateway_invoice }).await?;
        Ok(Ok(made))
    }

    /// Makes a draft at the gateway.
    pub(super) async fn create_at_gateway(
        &self,
        mirror: &Mirror<'_>,
        idempotency_key: &str,
    ) -> Result<Result<InvoiceSeen, Stop>, Error> {
        let organization = &mirror.working.effect.organization;
        let patient = self.state::<Patient>(organization, &mirror.invoice.patient.to_string()).await?;
        let Some(customer) = patient.customers.get(&mirror.open.id) else {
            let error = "the patient has no customer at this gateway; connect the patient".to_owned();
            return Ok(Err(After::Parked { error }));
        };
        let call = CreateInvoice {
            idempotency_key: idempotency_key.to_owned(),
            customer: customer.clone(),
            currency: mirror.invoice.balance.currency,
            collection: Collection::Charge,
            description: None,
            link: mirror.invoice.link.clone(),
            invoice_id: mirror.invoice.id.to_string(),
        };
        let invoices = mirror.invoices;
        Ok(self.ask(mirror, invoices.create(&call), |response| invoices.read_invoice(response)).await)
    }

    /// Remembers whose the gateway's invoice is, and decides that it is there.
    pub(super) async fn refer_and(
        &self,
        mirror: &Mirror<'_>,
        gateway_invoice: String,
        command: Command,
    ) -> Result<(), Error> {
        let (id, key) = (mirror.invoice.id, reference(&mirror.open.id, &gateway_invoice));
        self.change_invoice(mirror, move |change| {
            let organization = change.order.organization.clone();
            journal::refer_once(change.tx, &organization, &key, &id.to_string())?;
            decide(change, id, &command)
        })
        .await
    }

    async fn fill_and_finalize(
        &self,
        mirror: &Mirror<'_>,
        gateway_invoice: &str,
    ) -> Result<Result<InvoiceSeen, Stop>, Error> {
        let organization = &mirror.working.effect.organization;
        let patient = self.state::<Patient>(organization, &mirror.invoice.patient.to_string()).await?;
        let id = mirror.invoice.id;
        let item = AddItem {
            idempotency_key: format!("{id}:item"),
            customer: patient.customers.get(&mirror.open.id).cloned().unwrap_or_default(),
            invoice: gateway_invoice.to_owned(),
            amount: mirror.service.worksheet().responsibility,
            // The gateway learns nothing about the care.
            description: "Patient responsibility".to_owned(),
            line_id: "responsibility".to_owned(),
        };
        let invoices = mirror.invoices;
        let added = self.ask(mirror, invoices.add_item(&item), |response| invoices.read_item(response)).await;
        if let Err(stop) = added {
            return Ok(Err(stop));
        }
        let request = invoices.finalize(gateway_invoice, &format!("{id}:finalize"));
        match self.ask(mirror, request, |response| invoices.read_invoice(response)).await {
            Err(stop) => Ok(Err(stop)),
            Ok(seen) => {
                self.change_invoice(mirror, move |change| decide(change, id, &Command::Finalize)).await?;
                Ok(Ok(seen))
            }
        }
    }

    /// Attaches captured payments as far as they fit: a gateway's surplus would become a balance there. What was paid
    /// another way is marked as paid outside once the service is completed.
    async fn pay_mirror(
        &self,
        mirror: &Mirror<'_>,
        mut seen: InvoiceSeen,
        attached: &mut BTreeSet<String>,
    ) -> Result<Result<InvoiceSeen, Stop>, Error> {
        let organization = &mirror.working.effect.organization;
        let completed = mirror.service.status == Status::Completed;
        let gateway_invoice = &seen.id.clone();
        // The keys of the first invoice name no gateway's invoice, as they did before there could be more.
        let own = match mirror.invoice.gateway_invoice.as_ref().is_none_or(|first| first == gateway_invoice) {
            true => mirror.invoice.id.to_string(),
            false => format!("{}:{gateway_invoice}", mirror.invoice.id),
        };
        for (payment, held) in &mirror.service.payments {
            let fits = held.net_minor > 0 && held.net_minor <= seen.amount_remaining.minor;
            if !fits || (held.returning_minor > 0 && !completed) {
                continue;
            }
            let known = self.state::<Payment>(organization, payment).await?;
            let Some(intent) = known.intent.filter(|_| known.connection == mirror.open.id) else { continue };
            if !attached.insert(intent.clone()) {
                continue;
            }
            let key = format!("{own}:attach:{payment}");
            let request = mirror.invoices.attach_payment(gateway_invoice, &intent, &key);
            match self.ask(mirror, request, |response| mirror.invoices.read_invoice(response)).await {
                Ok(after) => seen = after,
                Err(stop) => return Ok(Err(stop)),
            }
        }
        if completed && seen.status == InvoiceStatus::Open {
            let key = format!("{own}:outside");
            let request = mirror.invoices.pay_out_of_band(gateway_invoice, &key);
            match self.ask(mirror, request, |response| mirror.invoices.read_invoice(response)).await {
                Ok(after) => seen = after,
                Err(stop) => return Ok(Err(stop)),
            }
        }
        Ok(Ok(seen))
    }

    /// Keeps the invoice's PDF, sealed, with its hash in the journal.
    async fn archive(
        &self,
        mirror: &Mirror<'_>,
        seen: &InvoiceSeen,
        what: &str,
    ) -> Result<Result<(), Stop>, Error> {
        let Some(url) = &seen.pdf_url else { return Ok(Ok(())) };
        if mirror.invoice.documents.iter().any(|(known, _)| known == what) {
            return Ok(Ok(()));
        }
        let request = HttpRequest::new(Method::Get, url.expose());
        let read = |response: &HttpResponse| match response.status {
            200 if response.body.len() <= DOCUMENT_BYTES_MAX => Outcome::Done(response.body.clone()),
            _ => Outcome::Unknown(Failure::new(
                "document",
                "the invoice's PDF could not be read",
                Retry::Later,
            )),
        };
        let bytes = match self.ask(mirror, request, read).await {
            Ok(bytes) => bytes,
            Err(stop) => return Ok(Err(stop)),
        };
        let (id, keyring) = (mirror.invoice.id, self.0.store.keyring().clone());
        let hash = Hash::of(&bytes).to_string();
        let encoded = suture_core::redact::Phi::new(hex(&bytes));
        let what = what.to_owned();
        self.change_invoice(mirror, move |change| {
            let organization = change.order.organization.clone();
            let subject = id.to_string();
            let name = format!("{what}.pdf");
            let place = (organization.as_str(), subject.as_str(), name.as_str());
            suture_store::personal::put(change.tx, &keyring, place, &encoded, change.order.now)?;
            decide(change, id, &Command::Archive { what: what.clone(), hash: hash.clone() })
        })
        .await?;
        Ok(Ok(()))
    }

    pub(super) async fn ask<T>(
        &self,
        mirror: &Mirror<'_>,
        request: HttpRequest,
        read: impl FnOnce(&HttpResponse) -> Outcome<T>,
    ) -> Result<T, Stop> {
        let answer = self.call_leased(mirror.working, mirror.open, request).await;
        match calls::outcome(answer, read) {
            Err(at) => Err(throttled(at)),
            Ok(Outcome::Done(value)) => Ok(value),
            Ok(Outcome::Declined(failure) | Outcome::NotSent(failure)) => {
                Err(After::Failed { failure, job: None })
            }
            // The same key may be sent again: the gateway answers with what it did the first time.
            Ok(Outcome::Unknown(failure)) => {
                Err(After::Failed { failure: Failure { retry: Retry::Later, ..failure }, job: None })
            }
        }
    }

    pub(super) async fn change_invoice(
        &self,
        mirror: &Mirror<'_>,
        work: impl Fn(&mut Change<'_, '_>) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Result<(), Error> {
        let order = self.order_by_gateway(mirror.open);
        self.apply(&mirror.invoice.id.to_string(), order, work).await
    }
}

/// Decides a command on an invoice and saves it.
pub(super) fn decide(change: &mut Change<'_, '_>, id: InvoiceId, command: &Command) -> Result<(), Error> {
    let (mut loaded, state) = change.existing::<Invoice>(&id.to_string())?;
    let events = invoice::decide(Some(&state), command)?;
    let care = care(change, &state.link)?;
    change.record_all(&mut loaded, &events, &care)
}

/// What the gateway says of an invoice: ours follows, and what nobody will pay any more is written off (FLOWS 5f).
pub(super) fn take_invoice(
    change: &mut Change<'_, '_>,
    open: &Open,
    seen: &InvoiceSeen,
    origin: &crate::facts::Origin,
) -> Result<(), Error> {
    let organization = change.order.organization.clone();
    let known = journal::referred(change.tx, &organization, &reference(&open.id, &seen.id))?;
    let Some(id) = known.and_then(|stream| InvoiceId::parse(&stream).ok()) else { return Ok(()) };
    let (_, state) = change.existing::<Invoice>(&id.to_string())?;
    let (command, reason) = match seen.status {
        InvoiceStatus::Void => (Command::Void, "invoice_voided"),
        InvoiceStatus::Uncollectible => (Command::GiveUp, "invoice_uncollectible"),
        InvoiceStatus::Open | InvoiceStatus::Paid | InvoiceStatus::Draft | InvoiceStatus::Other(_) => {
            return Ok(());
        }
    };
    if state.status == invoice::Status::Paid || state.status.is_ended() {
        return Ok(());
    }
    decide(change, id, &command)?;
    let service = state.service.to_string();
    let (_, owed) = change.existing::<Service>(&service)?;
    let due = owed.worksheet().difference;
    if due.minor > 0 {
        change.because("billing", "invoice_ended_at_gateway", |change| {
            let command = suture_core::service::Command::WriteOff {
                amount: Money::new(due.minor, due.currency),
                approver: format!("gateway/{}", open.id),
                reason: reason.to_owned(),
            };
            super::follow::decide_service(change, &service, &command).map(|_| ())
        })?;
    }
    super::settling::go_on(change, &service, origin)
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}
