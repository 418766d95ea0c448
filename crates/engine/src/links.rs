//! Use cases of links: make the opaque token that is all a gateway ever learns about a patient, and read it back.

use serde::{Deserialize, Serialize};
use suture_core::explain::Reason;
use suture_core::id::LinkId;
use suture_core::money::Money;
use suture_core::payment::Purpose;
use suture_core::redact::Phi;
use suture_core::refusal::Refusal;
use suture_store::links::Link;
use suture_store::{access, journal, links, personal};

use crate::Error;
use crate::engine::Engine;
use crate::payments::Caller;

/// A link to make. Ids are the EHR's opaque ids; names and record numbers do not belong here.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewLink {
    /// The patient.
    pub patient: String,
    /// The guarantor account.
    pub account: Option<String>,
    /// The claim.
    pub claim: Option<String>,
    /// The encounter.
    pub encounter: Option<String>,
    /// The practitioner.
    pub practitioner: Option<String>,
    /// The appointment.
    pub appointment: Option<String>,
    /// The coverage.
    pub coverage: Option<String>,
    /// What payments by this link are for.
    pub purpose: Purpose,
    /// What is due, when known.
    pub due: Option<Money>,
    /// Procedure codes of the service.
    pub service_codes: Vec<String>,
}

impl Engine {
    /// Makes a link.
    ///
    /// # Errors
    /// [`Error::Refused`] when an id is empty, too long, or not an id at all.
    pub async fn make_link(&self, caller: &Caller, new: NewLink) -> Result<Link, Error> {
        check_ids(&new)?;
        let order = self.order_of(caller, Reason::of("link_made"));
        self.apply("link", order, move |change| {
            let id = LinkId::mint(change.mint());
            let (_, actor) = change.order.actor.parts();
            let link = Link {
                id: id.to_string(),
                patient: new.patient.clone(),
                account: new.account.clone(),
                claim: new.claim.clone(),
                encounter: new.encounter.clone(),
                practitioner: new.practitioner.clone(),
                appointment: new.appointment.clone(),
                coverage: new.coverage.clone(),
                purpose: new.purpose,
                due: new.due,
                service_codes: new.service_codes.clone(),
                created_by: actor.to_owned(),
                created_at: change.order.now,
            };
            links::insert(change.tx, &change.order.organization, &link)?;
            Ok(link)
        })
        .await
    }

    /// A link, and the record that somebody looked at it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn link(&self, caller: &Caller, id: &str, purpose: &str) -> Result<Link, Error> {
        let (organization, token) = (caller.organization.clone(), id.to_owned());
        let found =
            self.0.store.read(move |tx| links::get(tx, &organization, &token).map_err(Error::from)).await?;
        let link = found.ok_or_else(|| Error::not_found("link", id))?;
        self.log_access(caller, "read", &link.patient, &format!("link/{id}"), purpose).await?;
        Ok(link)
    }

    /// Links of a patient, and the record that somebody looked.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn links_of(&self, caller: &Caller, patient: &str, purpose: &str) -> Result<Vec<Link>, Error> {
        self.log_access(caller, "read", patient, "links", purpose).await?;
        let (organization, patient) = (caller.organization.clone(), patient.to_owned());
        self.0
            .store
            .read(move |tx| links::list_patient(tx, &organization, &patient, 200).map_err(Error::from))
            .await
    }

    /// What an outside id (a charge, an intent, a customer) belongs to: the stream, and the link when it is a payment.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn find_reference(
        &self,
        caller: &Caller,
        connection: &str,
        object: &str,
    ) -> Result<String, Error> {
        let (organization, key) = (caller.organization.clone(), crate::facts::reference(connection, object));
        let found = self
            .0
            .store
            .read(move |tx| journal::referred(tx, &organization, &key).map_err(Error::from))
            .await?;
        found.ok_or_else(|| Error::not_found("reference", object))
    }

    /// Keeps personal data of a patient, sealed.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn keep_personal(
        &self,
        caller: &Caller,
        patient: &str,
        fields: Vec<(String, Phi<String>)>,
    ) -> Result<(), Error> {
        let (organization, subject, now) = (caller.organization.clone(), patient.to_owned(), self.now());
        let keyring = self.0.store.keyring().clone();
        self.0
            .store
            .write(move |tx| {
                for (field, content) in &fields {
                    personal::put(tx, &keyring, (&organization, &subject, field), content, now)?;
                }
                Ok(())
            })
            .await
    }

    /// Writes the access log. Nothing may be shown before this has returned.
    ///
    /// # Errors
    /// [`Error::Store`]: then nothing may be shown.
    pub async fn log_access(
        &self,
        caller: &Caller,
        action: &str,
        subject: &str,
        resource: &str,
        purpose: &str,
    ) -> Result<(), Error> {
        let now = self.now();
        let entry = access::by(&caller.actor, now, action, subject, resource, purpose);
        let id = suture_core::id::AccessId::mint(suture_core::id::Mint::new(now, self.random())).to_string();
        let organization = caller.organization.clone();
        self.0
            .store
            .write(move |tx| access::insert(tx, &organization, &id, &entry).map_err(Error::from))
            .await
    }
}

fn check_ids(new: &NewLink) -> Result<(), Refusal> {
    let optional =
        [&new.account, &new.claim, &new.encounter, &new.practitioner, &new.appointment, &new.coverage]
            .into_iter()
            .flatten();
    for id in optional.chain([&new.patient]).chain(&new.service_codes) {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        if id.is_empty() || id.len() > 128 || !id.bytes().all(plain) {
            return Err(Refusal::invalid(
                "not_an_opaque_id",
                "No link was made. Patient, account and the other ids are the EHR's opaque ids: 1 to 128 letters, \
                 digits, '-', '.' or '_'. Names do not belong here.",
            ));
        }
    }
    Ok(())
}
