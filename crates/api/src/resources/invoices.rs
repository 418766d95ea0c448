//! Invoices: what a patient is billed, and the document that was archived when its service was completed.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use suture_core::id::InvoiceId;
use suture_core::invoice::{self, Invoice};
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::{Money, PurposeQuery, in_path, words};
use crate::page::Asked;
use crate::problem::Problem;

words! {
    /// Where an invoice stands.
    InvoiceStatus = invoice::Status { Draft, Finalized, Sent, PartPaid, Paid, CreditDue, Voided, Uncollectible }
}

/// An invoice as known now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Invoice)]
#[serde(rename_all = "camelCase")]
pub(super) struct InvoiceBody {
    id: String,
    service: String,
    patient: String,
    link: String,
    status: InvoiceStatus,
    lines: Vec<InvoiceLineBody>,
    /// The sum of the lines: positive, the patient owes it; negative, it is owed to the patient.
    balance: Money,
    /// The connection whose gateway mirrors it.
    connection: Option<String>,
    /// The gateway's invoice.
    gateway_invoice: Option<String>,
    /// The gateway's further invoices, over what became owed after the first was final.
    further: Vec<String>,
    /// The gateway's credit notes, over what is owed no more.
    credit_notes: Vec<CreditNoteBody>,
    documents: Vec<DocumentBody>,
}

/// One line, as the patient reads it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InvoiceLine)]
pub(super) struct InvoiceLineBody {
    /// `patient_responsibility`, `estimate_paid`, `balance_paid`, `paid_elsewhere` or `written_off`.
    what: String,
    amount: Money,
}

/// A correction of one of the gateway's invoices.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InvoiceCreditNote)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreditNoteBody {
    gateway_invoice: String,
    /// The gateway's note; absent until the gateway is known to have it.
    gateway_note: Option<String>,
    amount: Money,
}

/// A document that was kept.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InvoiceDocument)]
pub(super) struct DocumentBody {
    /// `invoice` or `receipt`.
    what: String,
    /// SHA-256 of its bytes.
    hash: String,
}

impl InvoiceBody {
    fn of(invoice: &Invoice) -> Self {
        let line =
            |line: &invoice::Line| InvoiceLineBody { what: line.what.clone(), amount: line.amount.into() };
        let document =
            |(what, hash): &(String, String)| DocumentBody { what: what.clone(), hash: hash.clone() };
        Self {
            id: invoice.id.to_string(),
            service: invoice.service.to_string(),
            patient: invoice.patient.to_string(),
            link: invoice.link.clone(),
            status: invoice.status.into(),
            lines: invoice.lines.iter().map(line).collect(),
            balance: invoice.balance.into(),
            connection: invoice.connection.clone(),
            gateway_invoice: invoice.gateway_invoice.clone(),
            further: invoice.further.clone(),
            credit_notes: invoice
                .credit_notes
                .iter()
                .map(|note| CreditNoteBody {
                    gateway_invoice: note.gateway_invoice.clone(),
                    gateway_note: note.gateway_note.clone(),
                    amount: note.amount.into(),
                })
                .collect(),
            documents: invoice.documents.iter().map(document).collect(),
        }
    }
}

fn invoice_id(text: &str) -> Result<InvoiceId, Problem> {
    in_path(InvoiceId::parse, text, "invoice")
}

/// One invoice.
#[utoipa::path(get, path = "/v1/invoices/{id}", tag = "billing", params(("id" = String, Path), PurposeQuery), responses((status = 200, body = InvoiceBody)))]
pub(super) async fn get_invoice(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    Asked(query): Asked<PurposeQuery>,
) -> Result<Json<InvoiceBody>, Problem> {
    let (caller, id) = (session.may(Permission::ReadBilling)?, invoice_id(&id)?);
    let why = query.code()?;
    let invoice = app.engine.invoice(&caller.organization, id).await?;
    let subject = invoice.patient.to_string();
    app.engine.log_access(&caller, "read", &subject, &format!("invoice/{id}"), &why).await?;
    Ok(Json(InvoiceBody::of(&invoice)))
}

/// The archived document of an invoice, the same bytes whose hash is in the journal. There is none before its service is
/// completed.
#[utoipa::path(get, path = "/v1/invoices/{id}/document", tag = "billing", params(("id" = String, Path), PurposeQuery), responses((status = 200, content_type = "application/pdf", body = Vec<u8>)))]
pub(super) async fn get_invoice_document(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    Asked(query): Asked<PurposeQuery>,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::ReadPatients)?, invoice_id(&id)?);
    let bytes = app.engine.invoice_document(&caller, id, &query.code()?).await?;
    let mut response = bytes.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/pdf"));
    if let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"{id}.pdf\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}
