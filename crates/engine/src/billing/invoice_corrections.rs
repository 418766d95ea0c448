//! Corrections of the gateway's mirror: a final invoice never changes, so what became owed later gets an invoice of its own,
//! and what is owed no more gets a credit note that names the refunds which returned it.
//!
//! Called by `invoices` once a service is completed. Invariant: afterwards the totals of the mirror, less its credit notes,
//! are the patient's responsibility. A credit note is stored before the gateway is asked for it, so that a lost answer leads
//! to the same note again; everything else is computed from what the gateway shows.

use std::collections::BTreeSet;

use suture_connect::gateway::{AddItem, CreateCreditNote, InvoiceSeen, InvoiceStatus, LinkedRefund};
use suture_core::evidence::RefundStatus;
use suture_core::invoice::{Command, CreditNote, Invoice};
use suture_core::money::Money;
use suture_core::patient::Patient;
use suture_core::payment::Payment;

use crate::Error;
use crate::engine::Engine;
use crate::worker::After;

use super::invoices::{Mirror, Stop, decide};

/// Corrections of one run. More than a service ever needs: each makes the difference zero or uses an invoice up.
const CORRECTIONS_MAX: usize = 20;
/// Payments of one invoice that are looked at.
const PAYMENTS_MAX: u8 = 100;

/// What an invoice is over now.
fn net_minor(seen: &InvoiceSeen) -> i64 {
    let credited = seen.credited_before_payment.minor.saturating_add(seen.credited_after_payment.minor);
    match seen.status {
        InvoiceStatus::Void => 0,
        _ => seen.total.minor.saturating_sub(credited),
    }
}

impl Engine {
    /// Brings the totals in step and returns every invoice of the mirror as it is then, the first one first.
    pub(super) async fn correct(
        &self,
        mirror: &Mirror<'_>,
        first: InvoiceSeen,
    ) -> Result<Result<Vec<InvoiceSeen>, Stop>, Error> {
        let organization = &mirror.working.effect.organization;
        let mut all = vec![first];
        for further in &mirror.invoice.further {
            match self.seen(mirror, further).await {
                Ok(seen) => all.push(seen),
                Err(stop) => return Ok(Err(stop)),
            }
        }
        for _ in 0..CORRECTIONS_MAX {
            let invoice = self.invoice(organization, mirror.invoice.id).await?;
            let step = match (invoice.planned_credit(), draft(&all)) {
                (Some(note), _) => self.credit(mirror, note, &mut all).await?,
                (None, Some(at)) => self.fill_further(mirror, &mut all, at).await?,
                (None, None) => {
                    let surplus = all.iter().map(net_minor).sum::<i64>() - owed_minor(mirror);
                    match surplus {
                        0 => return Ok(Ok(all)),
                        ..0 => self.make_further(mirror, &mut all).await?,
                        1.. => self.plan_credit(mirror, (&invoice, surplus), &all).await?,
                    }
                }
            };
            if let Err(stop) = step {
                return Ok(Err(stop));
            }
        }
        let error =
            "the gateway's invoice does not come in step; compare its total with the service".to_owned();
        Ok(Err(After::Dead { error }))
    }

    async fn seen(&self, mirror: &Mirror<'_>, gateway_invoice: &str) -> Result<InvoiceSeen, Stop> {
        let invoices = mirror.invoices;
        self.ask(mirror, invoices.fetch(gateway_invoice), |response| invoices.read_invoice(response)).await
    }

    async fn make_further(
        &self,
        mirror: &Mirror<'_>,
        all: &mut Vec<InvoiceSeen>,
    ) -> Result<Result<(), Stop>, Error> {
        let id = mirror.invoice.id;
        let made = match self.create_at_gateway(mirror, &format!("{id}:create:{}", all.len())).await? {
            Ok(made) => made,
            Err(stop) => return Ok(Err(stop)),
        };
        let gateway_invoice = made.id.clone();
        self.refer_and(mirror, made.id.clone(), Command::MirrorAgain { gateway_invoice }).await?;
        all.push(made);
        Ok(Ok(()))
    }

    /// Fills a draft up to what the other invoices are not over, and makes it final.
    async fn fill_further(
        &self,
        mirror: &Mirror<'_>,
        all: &mut [InvoiceSeen],
        at: usize,
    ) -> Result<Result<(), Stop>, Error> {
        let organization = &mirror.working.effect.organization;
        let patient = self.state::<Patient>(organization, &mirror.invoice.patient.to_string()).await?;
        let missing = owed_minor(mirror) - all.iter().map(net_minor).sum::<i64>();
        let Some(draft) = all.get_mut(at) else { return Ok(Ok(())) };
        let invoices = mirror.invoices;
        if missing != 0 {
            let item = AddItem {
                // What the draft is over already tells a repeated step from the next one.
                idempotency_key: format!("{}:item:{at}:{}:{missing}", mirror.invoice.id, draft.total.minor),
                customer: patient.customers.get(&mirror.open.id).cloned().unwrap_or_default(),
                invoice: draft.id.clone(),
                amount: Money::new(missing, draft.total.currency),
                description: "Patient responsibility, corrected".to_owned(),
                line_id: "correction".to_owned(),
            };
            let added = self.ask(mirror, invoices.add_item(&item), |response| invoices.read_item(response));
            if let Err(stop) = added.await {
                return Ok(Err(stop));
            }
        }
        let request = invoices.finalize(&draft.id, &format!("{}:finalize:{at}", mirror.invoice.id));
        match self.ask(mirror, request, |response| invoices.read_invoice(response)).await {
            Ok(seen) => *draft = seen,
            Err(stop) => return Ok(Err(stop)),
        }
        Ok(Ok(()))
    }

    /// Freezes the next credit note: on the newest invoice that is over something, with the refunds of its payments.
    async fn plan_credit(
        &self,
        mirror: &Mirror<'_>,
        (invoice, surplus): (&Invoice, i64),
        all: &[InvoiceSeen],
    ) -> Result<Result<(), Stop>, Error> {
        let Some(seen) = all.iter().rev().find(|seen| net_minor(seen) > 0) else {
            let error = "the gateway's invoices are over less than nothing; compare them with the service";
            return Ok(Err(After::Dead { error: error.to_owned() }));
        };
        let minor = surplus.min(net_minor(seen));
        let open = if seen.status == InvoiceStatus::Open { seen.amount_remaining.minor } else { 0 };
        let after_payment = minor - minor.min(open.max(0));
        let refunds = match self.refunds_of(mirror, &seen.id, invoice).await? {
            Ok(refunds) => link(refunds, after_payment),
            Err(stop) => return Ok(Err(stop)),
        };
        let linked: i64 = refunds.iter().map(|(_, minor)| minor).sum();
        let note = CreditNote {
            number: u32::try_from(invoice.credit_notes.len()).unwrap_or(u32::MAX).saturating_add(1),
            gateway_invoice: seen.id.clone(),
            amount: Money::new(minor, seen.total.currency),
            refunds,
            out_of_band_minor: after_payment - linked,
            gateway_note: None,
        };
        let id = invoice.id;
        self.change_invoice(mirror, move |change| {
            decide(change, id, &Command::PlanCredit { note: note.clone() })
        })
        .await?;
        Ok(Ok(()))
    }

    /// Makes a planned credit note at the gateway, for the first time or again under its key.
    async fn credit(
        &self,
        mirror: &Mirror<'_>,
        note: &CreditNote,
        all: &mut [InvoiceSeen],
    ) -> Result<Result<(), Stop>, Error> {
        let (id, number, invoices) = (mirror.invoice.id, note.number, mirror.invoices);
        let money = |minor| Money::new(minor, note.amount.currency);
        let linked =
            |(refund, minor): &(String, i64)| LinkedRefund { refund: refund.clone(), amount: money(*minor) };
        let call = CreateCreditNote {
            idempotency_key: format!("{id}:credit:{number}"),
            invoice: note.gateway_invoice.clone(),
            amount: note.amount,
            refund_minor: 0,
            refunds: note.refunds.iter().map(linked).collect(),
            out_of_band_minor: note.out_of_band_minor,
            credit_minor: 0,
            reason: None,
            memo: None,
            credit_note_id: format!("{id}-{number}"),
        };
        let request = invoices.create_credit_note(&call);
        let made = match self.ask(mirror, request, |response| invoices.read_credit_note(response)).await {
            Ok(made) => made.id,
            Err(stop) => return Ok(Err(stop)),
        };
        self.change_invoice(mirror, move |change| {
            decide(change, id, &Command::Credit { number, gateway_note: made.clone() })
        })
        .await?;
        for known in all.iter_mut().filter(|known| known.id == note.gateway_invoice) {
            match self.seen(mirror, &note.gateway_invoice).await {
                Ok(seen) => *known = seen,
                Err(stop) => return Ok(Err(stop)),
            }
        }
        Ok(Ok(()))
    }

    /// The intents that pay an invoice at the gateway.
    pub(super) async fn intents_of(
        &self,
        mirror: &Mirror<'_>,
        gateway_invoice: &str,
    ) -> Result<BTreeSet<String>, Stop> {
        let invoices = mirror.invoices;
        let request = invoices.list_payments(gateway_invoice, None, PAYMENTS_MAX);
        let part = self.ask(mirror, request, |response| invoices.read_payments(response)).await?;
        Ok(part.items.into_iter().filter_map(|payment| payment.intent).collect())
    }

    /// Proven refunds of the payments of a gateway's invoice, each with what no credit note names yet.
    async fn refunds_of(
        &self,
        mirror: &Mirror<'_>,
        gateway_invoice: &str,
        invoice: &Invoice,
    ) -> Result<Result<Vec<(String, i64)>, Stop>, Error> {
        let intents = match self.intents_of(mirror, gateway_invoice).await {
            Ok(intents) => intents,
            Err(stop) => return Ok(Err(stop)),
        };
        let mut refunds = Vec::new();
        for payment in mirror.service.payments.keys() {
            let known = self.state::<Payment>(&mirror.working.effect.organization, payment).await?;
            if !known.intent.as_ref().is_some_and(|intent| intents.contains(intent)) {
                continue;
            }
            let proven = known.refunds.iter().filter(|(_, known)| known.status == RefundStatus::Succeeded);
            let free = proven
                .map(|(refund, known)| (refund.clone(), known.amount.minor - invoice.linked_minor(refund)));
            refunds.extend(free.filter(|(_, minor)| *minor > 0));
        }
        Ok(Ok(refunds))
    }
}

fn owed_minor(mirror: &Mirror<'_>) -> i64 {
    mirror.service.worksheet().responsibility.minor.max(0)
}

fn draft(all: &[InvoiceSeen]) -> Option<usize> {
    all.iter().position(|seen| seen.status == InvoiceStatus::Draft)
}

/// Chooses refunds for what a note returns: the one of the same amount, else the largest first.
fn link(mut refunds: Vec<(String, i64)>, minor: i64) -> Vec<(String, i64)> {
    refunds.sort_by(|(one, a), (other, b)| {
        let differs = |amount: &i64| *amount != minor;
        differs(a).cmp(&differs(b)).then(b.cmp(a)).then(one.cmp(other))
    });
    let mut left = minor;
    let mut linked = Vec::new();
    for (refund, free) in refunds {
        let part = free.min(left);
        if part > 0 {
            linked.push((refund, part));
            left -= part;
        }
    }
    linked
}
