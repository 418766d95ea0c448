//! Use cases of remittances: take an 835 in whole or refuse it whole, then book it claim by claim.

use std::time::Duration;

use serde::Serialize;
use suture_connect::x12::remittance as x12;
use suture_core::adjudication::{Adjudication, Adjustment, Group, Outcome};
use suture_core::audit::chain::Hash;
use suture_core::explain::{Care, Reason};
use suture_core::id::RemittanceId;
use suture_core::refusal::Refusal;
use suture_core::remittance::{self, ProviderAdjustment};
use suture_core::service::{self, Service};
use suture_store::effects::NewEffect;
use suture_store::{journal, remittances};

use crate::Error;
use crate::change::{Change, Loaded};
use crate::engine::{Billing, Engine};
use crate::facts::Origin;
use crate::job::Job;
use crate::payments::Caller;
use crate::worker::{After, Working};

use super::follow::decide_service;
use super::services::claim_reference;
use super::{estimates, settling};

pub use suture_core::remittance::Remittance;
pub use suture_store::remittances::Claim as RemittanceClaim;

/// Claims that are kept in one transaction.
const CLAIMS_PER_WRITE: usize = 500;
/// Claims that are booked in one transaction.
const CLAIMS_PER_BOOKING: i64 = 50;

/// A file that was taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// One for each payment in the file (X12 ST…SE).
    pub remittances: Vec<RemittanceId>,
    /// How many claims.
    pub claims: u64,
}

/// One payment of a file, read whole.
struct Read {
    id: RemittanceId,
    event: remittance::Event,
    key: String,
    claims: u64,
}

impl Engine {
    /// Takes an X12 835 in. The whole file is checked before anything is kept; booking follows in the background.
    ///
    /// # Errors
    /// [`Error::Refused`] with loop, segment and difference when the file is cut, broken, does not balance, or came before.
    pub async fn import_remittance(&self, caller: &Caller, file: Vec<u8>) -> Result<Imported, Error> {
        let file = std::sync::Arc::new(file);
        let checked = file.clone();
        // The check is pure computing over up to many megabytes: not on a thread that answers others.
        let checking = tokio::task::spawn_blocking(move || x12::verify(&checked));
        let totals = checking.await.map_err(|_| refused("The check of the file did not end."))?;
        totals.map_err(|error| refused(&error.to_string()))?;
        let hash = Hash::of(&file).to_string();
        let mut reads = Vec::new();
        let mut reader = x12::Reader::new();
        reader.feed(&file);
        reader.finish();
        let mut open: Option<(RemittanceId, x12::Header, u64, Vec<ProviderAdjustment>)> = None;
        let mut waiting = Vec::new();
        while let Some(item) = reader.next_item().map_err(|error| refused(&error.to_string()))? {
            match item {
                x12::Item::Header(header) => {
                    self.never_seen(caller, &x12_key(&header)).await?;
                    let mint = suture_core::id::Mint::new(self.now(), self.random());
                    open = Some((RemittanceId::mint(mint), *header, 0, Vec::new()));
                }
                x12::Item::Claim(claim) => {
                    let Some((id, _, count, _)) = &mut open else { continue };
                    *count += 1;
                    waiting.push((*id, row(&claim, *count, self.now())?));
                    if waiting.len() >= CLAIMS_PER_WRITE {
                        self.keep(caller, std::mem::take(&mut waiting)).await?;
                    }
                }
                x12::Item::Provider(adjustment) => {
                    if let Some((_, _, _, adjustments)) = &mut open {
                        let (code, amount) = (adjustment.code.clone(), adjustment.amount);
                        adjustments.push(ProviderAdjustment { code, amount });
                    }
                }
                x12::Item::Trailer(_) => {
                    let Some((id, header, claims, adjustments)) = open.take() else { continue };
                    let event = remittance::Event::Received {
                        remittance: id,
                        hash: hash.clone(),
                        payer: header.payer_number.clone(),
                        trace: header.trace.clone(),
                        total: header.total,
                        claims,
                        adjustments,
                    };
                    reads.push(Read { id, event, key: x12_key(&header), claims });
                }
            }
        }
        self.keep(caller, waiting).await?;
        self.receive(caller, reads).await
    }

    async fn never_seen(&self, caller: &Caller, key: &str) -> Result<(), Error> {
        let (organization, key) = (caller.organization.clone(), key.to_owned());
        let known = self
            .0
            .store
            .read(move |tx| journal::referred(tx, &organization, &key).map_err(Error::from))
            .await?;
        match known {
            None => Ok(()),
            Some(id) => Err(came_before(&id)),
        }
    }

    async fn keep(
        &self,
        caller: &Caller,
        claims: Vec<(RemittanceId, remittances::Claim)>,
    ) -> Result<(), Error> {
        if claims.is_empty() {
            return Ok(());
        }
        let organization = caller.organization.clone();
        self.0
            .store
            .write(move |tx| {
                for (remittance, claim) in &claims {
                    remittances::insert(tx, &organization, &remittance.to_string(), claim)?;
                }
                Ok::<_, Error>(())
            })
            .await
    }

    /// Only now the file counts: all its payments are received in one transaction.
    async fn receive(&self, caller: &Caller, reads: Vec<Read>) -> Result<Imported, Error> {
        let imported = Imported {
            remittances: reads.iter().map(|read| read.id).collect(),
            claims: reads.iter().map(|read| read.claims).sum(),
        };
        let order = self.order_of(caller, Reason::of("remittance_imported"));
        self.apply("remittance", order, move |change| {
            for read in &reads {
                // Another import of the same payment may have been faster since we looked.
                if let Some(known) = change.claim_key(&read.key, &read.id.to_string())? {
                    return Err(came_before(&known));
                }
                let mut loaded = Loaded::<Remittance>::fresh(read.id.to_string());
                change.record_all(&mut loaded, std::slice::from_ref(&read.event), &Care::default())?;
                plan_booking(change, read.id, 1)?;
            }
            Ok(())
        })
        .await?;
        Ok(imported)
    }

    /// A remittance as known now.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn remittance(&self, organization: &str, id: RemittanceId) -> Result<Remittance, Error> {
        self.state::<Remittance>(organization, &id.to_string()).await
    }

    /// Claims of a remittance, from a position on.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn remittance_claims(
        &self,
        organization: &str,
        id: RemittanceId,
        from: i64,
        limit: i64,
    ) -> Result<Vec<RemittanceClaim>, Error> {
        let organization = organization.to_owned();
        self.0
            .store
            .read(move |tx| {
                remittances::list(tx, &organization, &id.to_string(), from, limit).map_err(Error::from)
            })
            .await
    }

    /// Claims of all remittances that wait for a person.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn waiting_claims(
        &self,
        organization: &str,
        limit: i64,
    ) -> Result<Vec<(String, RemittanceClaim)>, Error> {
        let organization = organization.to_owned();
        self.0.store.read(move |tx| remittances::waiting(tx, &organization, limit).map_err(Error::from)).await
    }

    /// Books a claim that waited, once its service is there or was corrected.
    ///
    /// # Errors
    /// [`Error::Refused`] with the reason why it still cannot be booked.
    pub async fn book_waiting_claim(
        &self,
        caller: &Caller,
        id: RemittanceId,
        position: i64,
    ) -> Result<RemittanceClaim, Error> {
        let order = self.order_of(caller, Reason::of("claim_booked"));
        let (origin, billing) = (self.any_origin(&caller.organization), self.0.settings.billing.clone());
        self.apply(&id.to_string(), order, move |change| {
            let organization = change.order.organization.clone();
            let found = remittances::list(change.tx, &organization, &id.to_string(), position, 1)?;
            let claim = found
                .into_iter()
                .find(|claim| claim.position == position)
                .ok_or_else(|| Error::not_found("claim", &position.to_string()))?;
            if claim.state == "booked" {
                return Ok(claim);
            }
            match book(change, id, &claim, &billing, &origin)? {
                Ok(service) => {
                    let at = (id.to_string(), position);
                    remittances::move_to(change.tx, &organization, (&at.0, at.1), "booked", Some(&service))?;
                    Ok(RemittanceClaim { state: "booked".to_owned(), note: Some(service), ..claim })
                }
                Err(why) => Err(Error::Refused(Refusal::state("claim_not_booked", why))),
            }
        })
        .await
    }

    /// Books some claims, and plans the next.
    pub(crate) async fn book_remittance(
        &self,
        working: &Working,
        id: RemittanceId,
        from: i64,
    ) -> Result<After, Error> {
        let organization = working.effect.organization.clone();
        let order = self.order(&organization, "billing", "remittance_booked");
        let (origin, billing) = (self.any_origin(&organization), self.0.settings.billing.clone());
        let lease = working.lease.clone();
        self.apply(&id.to_string(), order, move |change| {
            book_some(change, id, from, &billing, &origin)?;
            estimates::finish(change, &lease, None)
        })
        .await?;
        Ok(After::Finished)
    }
}

fn refused(what: &str) -> Error {
    Error::Refused(Refusal::invalid("remittance_refused", format!("Nothing was imported. {what}")))
}

fn came_before(id: &str) -> Error {
    Error::Refused(Refusal::state(
        "remittance_known",
        format!(
            "Nothing was imported: this payment (payer and trace number) came before as {id}. If the payer sent a \
             correction it carries another trace number, or reverses claims one by one."
        ),
    ))
}

fn x12_key(header: &x12::Header) -> String {
    format!("835/{}", x12::remittance_key(header))
}

fn plan_booking(change: &mut Change<'_, '_>, id: RemittanceId, from: i64) -> Result<(), Error> {
    let job = Job::BookRemittance { remittance: id, from };
    change.effect(NewEffect {
        id: format!("{id}/book/{from}"),
        kind: job.kind(),
        lane: Some(format!("remittance/{id}")),
        destination: "billing".to_owned(),
        stream: Some(id.to_string()),
        due_at: change.order.now + Duration::ZERO,
        payload: job.payload(),
    })
}

fn book_some(
    change: &mut Change<'_, '_>,
    id: RemittanceId,
    from: i64,
    billing: &Billing,
    origin: &Origin,
) -> Result<(), Error> {
    let (organization, stream) = (change.order.organization.clone(), id.to_string());
    let claims = remittances::list(change.tx, &organization, &stream, from, CLAIMS_PER_BOOKING)?;
    for claim in claims.iter().filter(|claim| claim.state == "received") {
        let (state, note) = match book(change, id, claim, billing, origin)? {
            Ok(service) => ("booked", service),
            Err(why) => ("waiting", why),
        };
        remittances::move_to(change.tx, &organization, (&stream, claim.position), state, Some(&note))?;
    }
    match claims.last() {
        Some(last) => plan_booking(change, id, last.position + 1),
        None => {
            let counts = remittances::count(change.tx, &organization, &stream)?;
            let of = |state: &str| {
                let found = counts.iter().find(|(known, _)| known == state).map_or(0, |(_, count)| *count);
                u64::try_from(found).unwrap_or(0)
            };
            let event = remittance::Event::Booked { booked: of("booked"), waiting: of("waiting") };
            let (mut loaded, _) = change.existing::<Remittance>(&stream)?;
            change.record_all(&mut loaded, &[event], &Care::default())
        }
    }
}

/// Books one claim on its service. `Err` says why a person must look; nothing was changed then.
fn book(
    change: &mut Change<'_, '_>,
    id: RemittanceId,
    claim: &remittances::Claim,
    billing: &Billing,
    origin: &Origin,
) -> Result<Result<String, String>, Error> {
    let organization = change.order.organization.clone();
    let Some(service) = journal::referred(change.tx, &organization, &claim_reference(&claim.claim))? else {
        return Ok(Err("no service has this claim control number".to_owned()));
    };
    let read: x12::Claim = serde_json::from_str(&claim.body)
        .map_err(|_| suture_store::Error::Corrupt("claim of a remittance".to_owned()))?;
    let (_, state) = change.existing::<Service>(&service)?;
    let decision = decision(&read, id, claim.position);
    if read.charge.minor.unsigned_abs()
        != state.claim.as_ref().map_or(0, |(_, charge)| charge.minor.unsigned_abs())
    {
        return Ok(Err("the payer's charge differs from what was billed".to_owned()));
    }
    match decide_service(change, &service, &service::Command::Adjudicate(decision)) {
        Ok(_) => {}
        // Decided before anything was written.
        Err(Error::Refused(refusal)) => return Ok(Err(refusal.detail)),
        Err(error) => return Err(error),
    }
    settling::after_decision(change, &service, billing, origin)?;
    Ok(Ok(service))
}

/// A payer's claim in our words.
fn decision(claim: &x12::Claim, id: RemittanceId, position: i64) -> Adjudication {
    let outcome = if claim.is_reversal() {
        Outcome::Reversal
    } else if claim.is_denial() {
        Outcome::Denied
    } else if claim.awaits_next_payer() {
        Outcome::Forwarded
    } else {
        Outcome::Processed
    };
    let group = |group: &x12::Group| match group {
        x12::Group::PatientResponsibility => Group::Patient,
        x12::Group::ContractualObligation => Group::Contractual,
        x12::Group::OtherAdjustment => Group::Other,
        x12::Group::PayerInitiated => Group::PayerInitiated,
        x12::Group::Other(code) => Group::Unknown(code.clone()),
    };
    let of = |line: Option<u32>, adjustment: &x12::Adjustment| Adjustment {
        line,
        group: group(&adjustment.group),
        reason: adjustment.reason.clone(),
        amount: adjustment.amount,
    };
    let mut adjustments: Vec<Adjustment> =
        claim.adjustments.iter().map(|adjustment| of(None, adjustment)).collect();
    for (number, line) in (1_u32..).zip(&claim.lines) {
        adjustments.extend(line.adjustments.iter().map(|adjustment| of(Some(number), adjustment)));
    }
    Adjudication {
        key: format!("{id}/{position}"),
        source: format!("{id}/{position}"),
        outcome,
        charge: claim.charge,
        paid: claim.paid,
        adjustments,
    }
}

fn row(
    claim: &x12::Claim,
    position: u64,
    received_at: suture_core::time::Timestamp,
) -> Result<remittances::Claim, Error> {
    Ok(remittances::Claim {
        position: i64::try_from(position).unwrap_or(i64::MAX),
        claim: claim.control.clone(),
        state: "received".to_owned(),
        note: None,
        body: serde_json::to_string(claim)
            .map_err(|_| suture_store::Error::Corrupt("claim of a remittance".to_owned()))?,
        received_at,
    })
}
