//! Reading for the API: services by status, a patient's path through billing, what stands in a payer's claim, and archived
//! documents. Nothing here changes anything but the access log.

use serde::Deserialize;
use suture_connect::x12::remittance as x12;
use suture_core::audit::chain::Hash;
use suture_core::eligibility::Eligibility;
use suture_core::estimate::Estimate;
use suture_core::id::{InvoiceId, PatientId};
use suture_core::invoice::Invoice;
use suture_core::money::Money;
use suture_core::patient::Patient;
use suture_core::policy::Policy;
use suture_core::remittance::Remittance;
use suture_core::service::{Service, Status};
use suture_store::{Tx, journal, personal};

use crate::Error;
use crate::change::Machine;
use crate::engine::Engine;
use crate::payments::Caller;

use super::follow::patient_reference;

pub use suture_connect::x12::eligibility::{Choose, Network};

/// Streams that are read in one step of a walk.
const STEP: i64 = 500;
/// Streams that are looked at for one page; the rest is the next page's.
const LOOKED_AT_MAX: usize = 5_000;
/// Streams of one kind that are looked at for a patient's path, from the patient's first day on.
const PATH_LOOKED_AT_MAX: usize = 100_000;

/// Everything of a patient on the way from the policy to the service, oldest first.
#[derive(Debug, Clone)]
pub struct Path {
    /// The patient.
    pub patient: Patient,
    /// Policies.
    pub policies: Vec<Policy>,
    /// Eligibility checks.
    pub eligibilities: Vec<Eligibility>,
    /// Estimate charges.
    pub estimates: Vec<Estimate>,
    /// Services.
    pub services: Vec<Service>,
}

/// A payer's claim as shown: codes and amounts, no names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimSheet {
    /// What was charged.
    pub charge: Money,
    /// What the payer pays.
    pub paid: Money,
    /// The sum of the patient's adjustments.
    pub patient_responsibility: Money,
    /// Whether it takes an earlier decision back.
    pub reversal: bool,
    /// Adjustments of the claim as a whole.
    pub adjustments: Vec<Adjusted>,
    /// Its services.
    pub lines: Vec<ClaimLine>,
}

/// One service of a payer's claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimLine {
    /// The procedure code.
    pub code: String,
    /// What was charged.
    pub charge: Money,
    /// What the payer pays.
    pub paid: Money,
    /// Why the rest is not paid.
    pub adjustments: Vec<Adjusted>,
}

/// Why an amount of a charge is not paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjusted {
    /// `PR`, `CO`, `OA`, `PI`, or another as sent.
    pub group: String,
    /// The payer's reason code.
    pub reason: String,
    /// The reason in words.
    pub meaning: &'static str,
    /// How much.
    pub amount: Money,
}

/// Whose a stream is: all that a walk needs to read of it.
#[derive(Deserialize)]
struct Owned {
    patient: PatientId,
}

impl Engine {
    /// Services in order of their ids after one of them, of one status or all; and where the next page begins, when there
    /// may be one. A page may hold fewer than asked for: the walk stops after some thousand services.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn services(
        &self,
        organization: &str,
        status: Option<Status>,
        after: &str,
        limit: usize,
    ) -> Result<(Vec<Service>, Option<String>), Error> {
        let (organization, from) = (organization.to_owned(), after.to_owned());
        self.0
            .store
            .read_long(move |tx| {
                let (mut found, mut looked_at, mut after) = (Vec::new(), 0, from.clone());
                loop {
                    let step =
                        journal::list_streams::<Service>(tx, &organization, Service::KIND, &after, STEP)?;
                    if step.is_empty() {
                        return Ok((found, None));
                    }
                    for (stream, service) in step {
                        looked_at += 1;
                        after = stream;
                        if status.is_none_or(|wanted| service.status == wanted) {
                            found.push(service);
                        }
                        if found.len() >= limit || looked_at >= LOOKED_AT_MAX {
                            return Ok((found, Some(after)));
                        }
                    }
                }
            })
            .await
    }

    /// Remittances in order of their ids, after one of them.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn remittances(
        &self,
        organization: &str,
        after: &str,
        limit: i64,
    ) -> Result<Vec<Remittance>, Error> {
        let (organization, after) = (organization.to_owned(), after.to_owned());
        let found = self
            .0
            .store
            .read_long(move |tx| {
                journal::list_streams::<Remittance>(tx, &organization, Remittance::KIND, &after, limit)
                    .map_err(Error::from)
            })
            .await?;
        Ok(found.into_iter().map(|(_, remittance)| remittance).collect())
    }

    /// The patient of an id in another system. The caller logs the access.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn find_patient(&self, organization: &str, external: &str) -> Result<Option<Patient>, Error> {
        let (organization, key) = (organization.to_owned(), patient_reference(external));
        self.0
            .store
            .read(move |tx| {
                let Some(stream) = journal::referred(tx, &organization, &key)? else { return Ok(None) };
                let found = journal::load::<Patient>(tx, &organization, &stream)?;
                Ok(found.map(|found| found.state))
            })
            .await
    }

    /// A patient's path from policy to service. The look is logged.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn path_of(&self, caller: &Caller, patient: PatientId, purpose: &str) -> Result<Path, Error> {
        let state = self.patient(&caller.organization, patient).await?;
        self.log_access(caller, "read", &patient.to_string(), "checklist", purpose).await?;
        let organization = caller.organization.clone();
        self.0
            .store
            .read_long(move |tx| {
                Ok(Path {
                    policies: all_of(tx, &organization, patient, "pol")?,
                    eligibilities: all_of(tx, &organization, patient, "elg")?,
                    estimates: all_of(tx, &organization, patient, "est")?,
                    services: all_of(tx, &organization, patient, "svc")?,
                    patient: state.clone(),
                })
            })
            .await
    }

    /// The bytes of an invoice's archived document, checked against the hash in the journal. The look is logged.
    ///
    /// # Errors
    /// [`Error::NotFound`] when none is kept, [`Error::Store`] when the bytes are not those that were archived.
    pub async fn invoice_document(
        &self,
        caller: &Caller,
        id: InvoiceId,
        purpose: &str,
    ) -> Result<Vec<u8>, Error> {
        let invoice: Invoice = self.state(&caller.organization, &id.to_string()).await?;
        let none = || Error::not_found("document", &id.to_string());
        let (_, hash) = invoice.documents.iter().find(|(what, _)| what == "invoice").ok_or_else(none)?;
        let subject = invoice.patient.to_string();
        self.log_access(caller, "read", &subject, &format!("invoice_document/{id}"), purpose).await?;
        let (organization, keyring) = (caller.organization.clone(), self.0.store.keyring().clone());
        let fields = self
            .0
            .store
            .read(move |tx| personal::load(tx, &keyring, &organization, &id.to_string()).map_err(Error::from))
            .await?;
        let kept = fields.iter().find(|(field, _)| field == "invoice.pdf").ok_or_else(none)?;
        let bytes = unhex(kept.1.expose()).filter(|bytes| Hash::of(bytes).to_string() == *hash);
        bytes.ok_or_else(|| suture_store::Error::Corrupt(format!("document of invoice {id}")).into())
    }
}

impl ClaimSheet {
    /// Reads a kept claim; `None` when it does not read back.
    #[must_use]
    pub fn read(body: &str) -> Option<Self> {
        let claim: x12::Claim = serde_json::from_str(body).ok()?;
        let adjusted = |adjustment: &x12::Adjustment| Adjusted {
            group: match &adjustment.group {
                x12::Group::PatientResponsibility => "PR".to_owned(),
                x12::Group::ContractualObligation => "CO".to_owned(),
                x12::Group::OtherAdjustment => "OA".to_owned(),
                x12::Group::PayerInitiated => "PI".to_owned(),
                x12::Group::Other(code) => code.clone(),
            },
            reason: adjustment.reason.clone(),
            meaning: x12::reason_meaning(&adjustment.reason),
            amount: adjustment.amount,
        };
        let adjustments: Vec<Adjusted> = claim.adjustments.iter().map(adjusted).collect();
        let line = |line: &x12::ServiceLine| ClaimLine {
            code: line.procedure.code.clone(),
            charge: line.charge,
            paid: line.paid,
            adjustments: line.adjustments.iter().map(adjusted).collect(),
        };
        let lines: Vec<ClaimLine> = claim.lines.iter().map(line).collect();
        let all = adjustments.iter().chain(lines.iter().flat_map(|line| &line.adjustments));
        let patient: i64 = all.filter(|one| one.group == "PR").map(|one| one.amount.minor).sum();
        Some(Self {
            charge: claim.charge,
            paid: claim.paid,
            patient_responsibility: Money::new(patient, claim.charge.currency),
            reversal: claim.is_reversal(),
            adjustments,
            lines,
        })
    }
}

/// All streams of a kind that belong to a patient. Ids begin with the time that they were made at, so nothing of a patient
/// comes before the patient.
fn all_of<M: Machine>(
    tx: &mut Tx<'_>,
    organization: &str,
    patient: PatientId,
    prefix: &str,
) -> Result<Vec<M>, Error> {
    let own = patient.to_string();
    // The first digits of the milliseconds (RFC 9562 §5.7): a minute, in which clocks may differ.
    let made_at: String = own.chars().skip(4).take(8).collect();
    let mut after = format!("{prefix}_{made_at}");
    let (mut found, mut looked_at) = (Vec::new(), 0);
    while looked_at < PATH_LOOKED_AT_MAX {
        let step = journal::list_streams::<Owned>(tx, organization, M::KIND, &after, STEP)?;
        let Some((last, _)) = step.last() else { break };
        looked_at += step.len();
        after.clone_from(last);
        for (stream, _) in step.iter().filter(|(_, owned)| owned.patient == patient) {
            found.extend(journal::load::<M>(tx, organization, stream)?.map(|stream| stream.state));
        }
    }
    Ok(found)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}
