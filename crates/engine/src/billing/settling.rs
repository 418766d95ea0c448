//! Settling: pay back what was paid too much, complete what is even, and keep the invoice in step. Runs after every change
//! of a service, in the same transaction.

use suture_core::estimate::{self, Estimate, Status as Reserved};
use suture_core::id::{AppointmentId, InvoiceId};
use suture_core::invoice::{self, Invoice};
use suture_core::money::Money;
use suture_core::patient::Patient;
use suture_core::service::{self, Service, Status};

use crate::Error;
use crate::change::{Change, Loaded};
use crate::engine::Billing;
use crate::facts::Origin;
use crate::job::Job;
use crate::refunds::refund_by_rule;

use super::asks;
use super::follow::{care_of_service, decide_service};

/// Who authorizes refunds that rules ask for, as written on the refund.
const RULE: &str = "rule_paid_more_than_owed";

/// Goes on with a service as far as its worksheet allows.
pub(crate) fn go_on(change: &mut Change<'_, '_>, service: &str, origin: &Origin) -> Result<(), Error> {
    let (_, state) = change.existing::<Service>(service)?;
    if state.status == Status::Canceled {
        release_holds(change, &state)?;
    }
    let refunds = match state.status {
        // A cancelled service gives everything back (FEATURES M138).
        Status::Settling | Status::Canceled => state.to_refund(),
        _ => Vec::new(),
    };
    if !refunds.is_empty() {
        let reason =
            if state.status == Status::Canceled { "service_canceled" } else { "paid_more_than_owed" };
        let outer = change.settling.replace(service.to_owned());
        change.because("settling", reason, |change| {
            for (payment, amount) in &refunds {
                refund_by_rule(change, (*payment, Some(*amount)), RULE, origin)?;
            }
            Ok(())
        })?;
        change.settling = outer;
    } else if matches!(state.status, Status::Settling | Status::Canceled) {
        ask_for_surplus(change, &state)?;
    }
    if state.status == Status::Settling {
        crate::scheduling::collection_in_step(change, service, origin)?;
    }
    if decide_service(change, service, &service::Command::Complete)? {
        plan_archive(change, service)?;
    }
    revise_invoice(change, service)
}

/// A cancelled service releases what its estimate charges reserve, also what is reserved only after the cancellation: an
/// answer or the patient's browser may come late (FLOWS 4e, 4f). What is captured is refunded by settling.
fn release_holds(change: &mut Change<'_, '_>, service: &Service) -> Result<(), Error> {
    for estimate in &service.estimates {
        let (_, known) = change.existing::<Estimate>(&estimate.to_string())?;
        let status = known.standing.status;
        let Some(payment) = known.payment().filter(|_| status != Reserved::Expired) else {
            super::estimates::decide(change, *estimate, &estimate::Command::Abandon)?;
            continue;
        };
        let may_reserve = matches!(
            status,
            Reserved::Pending
                | Reserved::Authorized
                | Reserved::AuthorizationFailed
                | Reserved::CaptureFailed
        );
        if !may_reserve {
            continue;
        }
        // Each standing is released once: what could not be released before its answer came is tried again after it.
        let standing = known.standing.payment_status.name();
        let job = Job::CancelHold { payment };
        change.effect_once(suture_store::effects::NewEffect {
            id: format!("{}/release/{payment}/{standing}", service.id),
            kind: job.kind(),
            lane: None,
            destination: "billing".to_owned(),
            stream: Some(service.id.to_string()),
            due_at: change.order.now,
            payload: job.payload(),
        })?;
    }
    Ok(())
}

/// Asks a person about money that is owed to the patient and that no refund gives back: it was paid elsewhere or given up.
fn ask_for_surplus(change: &mut Change<'_, '_>, service: &Service) -> Result<(), Error> {
    let sheet = service.worksheet();
    // While the payer decides anew nobody knows what is owed (FLOWS 2G); a refund that failed has its own question.
    if sheet.difference.minor >= 0
        || sheet.returning.minor > 0
        || service.is_undecided()
        || asks::is_asked_about_refund(change, service)?
    {
        return Ok(());
    }
    let owed = Money::new(sheet.difference.minor.saturating_neg(), sheet.difference.currency);
    change.effect_once(suture_store::effects::NewEffect {
        id: format!("{}/surplus/{}/{}", service.id, service.version, owed.minor),
        kind: "ask_person",
        lane: None,
        destination: "credits".to_owned(),
        stream: Some(service.id.to_string()),
        due_at: change.order.now,
        payload: Job::ask(format!(
            "the patient is owed {owed} for this service, and no refund is on its way: \
             pay back what was paid elsewhere, or take a write-off back"
        )),
    })
}

/// What follows a payer's decision: a final one begins to settle (FEATURES M139); one that leaves money with the payer asks
/// a person, and bills nobody (R5).
pub(super) fn after_decision(
    change: &mut Change<'_, '_>,
    service: &str,
    billing: &Billing,
    origin: &Origin,
) -> Result<(), Error> {
    let (_, state) = change.existing::<Service>(service)?;
    if state.open_with_payer_minor() != 0 {
        return asks::denied(change, &state);
    }
    match state.is_undecided() {
        // A reversal alone says nothing about what the patient owes; what follows it does (FLOWS 2G).
        true => go_on(change, service, origin),
        false => settle(change, service, billing, origin),
    }
}

/// Begins to settle, by rule or by a person's word.
pub(crate) fn settle(
    change: &mut Change<'_, '_>,
    service: &str,
    billing: &Billing,
    origin: &Origin,
) -> Result<(), Error> {
    decide_service(change, service, &service::Command::Settle)?;
    let (_, state) = change.existing::<Service>(service)?;
    let small = state.worksheet().difference;
    if small.minor > 0 && small.minor < billing.small_balance_minor && state.to_collect().is_some() {
        change.because("billing", "small_balance", |change| {
            let command = service::Command::WriteOff {
                amount: small,
                approver: "rule_small_balance".to_owned(),
                reason: "small_balance".to_owned(),
            };
            decide_service(change, service, &command).map(|_| ())
        })?;
    }
    let (_, patient) = change.existing::<Patient>(&state.patient.to_string())?;
    let used = super::origins::gateway_of(change, &state)?;
    let used = used.map_or_else(|| origin.connection.clone(), |(connection, _)| connection);
    let mirrored_at = patient.customers.keys().find(|connection| **connection == used).cloned();
    make_invoice(change, service, mirrored_at.filter(|_| billing.invoices))?;
    go_on(change, service, origin)?;
    match billing.collect_after {
        Some(notice) => plan_collection(change, service, notice),
        None => Ok(()),
    }
}

/// The lines of a service's invoice as of now.
pub(super) fn invoice_lines(service: &Service) -> Vec<invoice::Line> {
    let sheet = service.worksheet();
    let line = |what: &str, amount: Money| invoice::Line { what: what.to_owned(), amount };
    let turned = |amount: Money| Money::new(amount.minor.saturating_neg(), amount.currency);
    let mut lines = vec![line("patient_responsibility", sheet.responsibility)];
    let reductions = [
        ("estimate_paid", sheet.estimates),
        ("balance_paid", sheet.balance_payments),
        ("paid_elsewhere", sheet.elsewhere),
        ("written_off", sheet.written_off),
    ];
    lines.extend(
        reductions
            .into_iter()
            .filter(|(_, amount)| amount.minor != 0)
            .map(|(what, amount)| line(what, turned(amount))),
    );
    lines
}

/// Makes the invoice of a service that began to settle.
fn make_invoice(change: &mut Change<'_, '_>, service: &str, connection: Option<String>) -> Result<(), Error> {
    let (_, state) = change.existing::<Service>(service)?;
    if state.invoice.is_some() || state.version == 0 {
        return Ok(());
    }
    let id = InvoiceId::mint(change.mint());
    let command = invoice::Command::Create {
        invoice: id,
        service: state.id,
        patient: state.patient,
        link: state.link.clone(),
        connection: connection.clone(),
        lines: invoice_lines(&state),
    };
    let mut loaded = Loaded::<Invoice>::fresh(id.to_string());
    let events = invoice::decide(None, &command)?;
    let care = care_of_service(change, &state)?;
    change.record_all(&mut loaded, &events, &care)?;
    decide_service(change, service, &service::Command::Invoice { invoice: id })?;
    if let Some(connection) = connection {
        super::invoices::plan_mirror(change, id, &connection, 1)?;
    }
    Ok(())
}

/// Brings the invoice of a service in step with it.
fn revise_invoice(change: &mut Change<'_, '_>, service: &str) -> Result<(), Error> {
    let (_, state) = change.existing::<Service>(service)?;
    let Some(invoice) = state.invoice else { return Ok(()) };
    let (mut loaded, known) = change.existing::<Invoice>(&invoice.to_string())?;
    let command = invoice::Command::Revise {
        lines: invoice_lines(&state),
        paid_minor: state.worksheet().balance_payments.minor,
        completed: state.status == Status::Completed,
    };
    let events = invoice::decide(Some(&known), &command)?;
    let care = care_of_service(change, &state)?;
    change.record_all(&mut loaded, &events, &care)
}

/// The mirrored invoice is closed once its service is completed.
fn plan_archive(change: &mut Change<'_, '_>, service: &str) -> Result<(), Error> {
    let (_, state) = change.existing::<Service>(service)?;
    let Some(invoice) = state.invoice else { return Ok(()) };
    let (_, known) = change.existing::<Invoice>(&invoice.to_string())?;
    match known.connection {
        Some(connection) => super::invoices::plan_mirror(change, invoice, &connection, state.version + 1),
        None => Ok(()),
    }
}

/// Plans the collection of what a patient still owes, after the notice (FEATURES M326). Another amount begins another
/// notice; the same amount within one settling is told once.
fn plan_collection(
    change: &mut Change<'_, '_>,
    service: &str,
    notice: std::time::Duration,
) -> Result<(), Error> {
    let (_, state) = change.existing::<Service>(service)?;
    let Some(due) = state.to_collect() else { return Ok(()) };
    if asks::collect_again(change, &state, due)? {
        return Ok(());
    }
    let job = Job::CollectBalance { service: state.id, version: state.version, told_minor: due.minor };
    change.effect_once(suture_store::effects::NewEffect {
        id: collection_of(&state, due),
        kind: job.kind(),
        lane: Some(format!("billing/{service}")),
        destination: "billing".to_owned(),
        stream: Some(service.to_owned()),
        due_at: change.order.now + notice,
        payload: job.payload(),
    })
}

/// The name of the collection of an amount: the same amount within one settling is told once.
fn collection_of(service: &Service, due: Money) -> String {
    format!("{}/collect/{}/{}", service.id, service.version, due.minor)
}

/// Sees to what is left after a change that began no settling: a refund in the dashboard, a payment that ended, a write-off
/// that was taken back. What nobody collects yet begins its own notice; what was paid back before is asked of a person.
/// Visits collect at once, by their own rules.
pub(super) fn see_to_the_rest(change: &mut Change<'_, '_>, service: &str) -> Result<(), Error> {
    let (_, state) = change.existing::<Service>(service)?;
    let Some(due) = state.to_collect() else { return Ok(()) };
    let organization = change.order.organization.clone();
    if suture_store::effects::get(change.tx, &organization, &collection_of(&state, due))?.is_some() {
        return Ok(());
    }
    if asks::was_paid_back(change, &state)? {
        return asks::owed_again(change, &state, due);
    }
    let is_visit =
        care_of_service(change, &state)?.appointment.is_some_and(|id| AppointmentId::parse(&id).is_ok());
    match change.office.collect_after.filter(|_| !is_visit) {
        Some(notice) => plan_collection(change, service, notice),
        None => Ok(()),
    }
}
