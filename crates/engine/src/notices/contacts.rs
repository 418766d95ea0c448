//! Use cases of contact: addresses of a person, kept sealed, and what they said about being written to.

use suture_core::explain::{Actor, Reason};
use suture_core::id::{PatientId, ProviderId};
use suture_core::notice::{Channel, Topic};
use suture_core::pass::Purpose;
use suture_core::redact::Phi;
use suture_core::refusal::Refusal;
use suture_store::contacts::{self, Choice};
use suture_store::{Tx, personal};

use super::office::Office;
use super::passes::redeem;
use super::render::addresses;
use crate::Error;
use crate::change::Change;
use crate::engine::Engine;
use crate::payments::Caller;

/// Addresses to keep. What is absent stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Addresses {
    /// A mailbox.
    pub email: Option<Phi<String>>,
    /// A phone number with its country, `+15551234567`.
    pub phone: Option<Phi<String>>,
}

/// A choice to keep.
#[derive(Debug, Clone, Copy)]
pub struct NewChoice {
    /// The channel.
    pub channel: Channel,
    /// The topic; `None`: everything.
    pub topic: Option<Topic>,
    /// Yes or no.
    pub wants: bool,
}

/// How somebody can be reached. Never the addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Channels with an address that can be written to.
    pub channels: Vec<Channel>,
    /// What they said: themselves, or the owner of their phone by a text.
    pub choices: Vec<Choice>,
}

impl Engine {
    /// Keeps addresses of a patient or a provider.
    ///
    /// # Errors
    /// [`Error::Refused`] when one cannot be written to; none is kept then.
    pub async fn put_addresses(
        &self,
        caller: &Caller,
        subject: &str,
        new: Addresses,
    ) -> Result<Contact, Error> {
        check_subject(subject)?;
        let mut fields = Vec::new();
        for (channel, given) in [(Channel::Email, new.email), (Channel::Sms, new.phone)] {
            let Some(given) = given else { continue };
            let address = channel.address(given.expose()).ok_or_else(|| wrong_address(channel))?;
            fields.push((channel.field(), Phi::new(address)));
        }
        let (order, subject) = (self.order_of(caller, Reason::of("addresses_kept")), subject.to_owned());
        self.apply(&subject.clone(), order, move |change| {
            let (organization, now) = (change.order.organization.clone(), change.order.now);
            for (field, address) in &fields {
                let place = (organization.as_str(), subject.as_str(), *field);
                personal::put(change.tx, &change.office.keyring, place, address, now)?;
            }
            contact(change.tx, change.office, (&organization, &subject))
        })
        .await
    }

    /// How somebody can be reached.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is nobody's id.
    pub async fn contact(&self, caller: &Caller, subject: &str) -> Result<Contact, Error> {
        check_subject(subject)?;
        let (office, subject) = (self.0.office.clone(), subject.to_owned());
        let organization = caller.organization.clone();
        self.0.store.read(move |tx| contact(tx, &office, (&organization, &subject))).await
    }

    /// Writes down what somebody said about a channel.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is nobody's id.
    pub async fn choose_contact(
        &self,
        caller: &Caller,
        subject: &str,
        new: NewChoice,
    ) -> Result<Contact, Error> {
        check_subject(subject)?;
        let (order, subject) = (self.order_of(caller, Reason::of("contact_chosen")), subject.to_owned());
        let (kind, id) = caller.actor.parts();
        let by = format!("{kind}:{id}");
        self.apply(&subject.clone(), order, move |change| {
            let organization = change.order.organization.clone();
            choose(change, (&organization, &subject), new, &by)?;
            contact(change.tx, change.office, (&organization, &subject))
        })
        .await
    }

    /// Stops all e-mails to whoever holds a link. The second time changes nothing.
    ///
    /// # Errors
    /// [`Error::Refused`]: `link_forged`, `link_expired`.
    pub async fn opt_out_by_link(&self, token: &str) -> Result<(), Error> {
        let pass = self.read_pass(token, Purpose::OptOut)?;
        let mut order = self.order(&pass.organization, "link", "opted_out");
        order.actor = Actor::System("link".to_owned());
        let token = token.to_owned();
        self.apply(&pass.subject, order, move |change| {
            let pass = redeem(change, &token, Purpose::OptOut)?;
            let no = NewChoice { channel: Channel::Email, topic: None, wants: false };
            choose(change, (&pass.organization, &pass.subject), no, "link")
        })
        .await
    }
}

/// Keeps a choice of a subject.
pub(super) fn choose(
    change: &mut Change<'_, '_>,
    (organization, subject): (&str, &str),
    new: NewChoice,
    by: &str,
) -> Result<(), Error> {
    let topic = new.topic.map_or("", Topic::name);
    let channel = new.channel.name();
    let known = contacts::list(change.tx, organization, subject)?;
    let same =
        |choice: &&Choice| choice.channel == channel && choice.topic == topic && choice.wants == new.wants;
    if known.iter().any(|choice| same(&choice)) {
        // Since when stays true.
        return Ok(());
    }
    let choice = Choice {
        channel: channel.to_owned(),
        topic: topic.to_owned(),
        wants: new.wants,
        since: change.order.now,
        by: by.to_owned(),
    };
    contacts::put(change.tx, organization, subject, &choice).map_err(Error::from)
}

fn contact(
    tx: &mut Tx<'_>,
    office: &Office,
    (organization, subject): (&str, &str),
) -> Result<Contact, Error> {
    let known = addresses(tx, office, (organization, subject))?;
    let mut choices = contacts::list(tx, organization, subject)?;
    for (_, address) in &known {
        choices.extend(contacts::list(tx, organization, &office.mark(organization, address))?);
    }
    Ok(Contact { channels: known.into_iter().map(|(channel, _)| channel).collect(), choices })
}

fn check_subject(subject: &str) -> Result<(), Error> {
    match PatientId::parse(subject).is_ok() || ProviderId::parse(subject).is_ok() {
        true => Ok(()),
        false => Err(Error::not_found("contact", subject)),
    }
}

fn wrong_address(channel: Channel) -> Refusal {
    let form = match channel {
        Channel::Email => "a mailbox such as name@example.org",
        Channel::Sms => "a number with its country, such as +15551234567",
    };
    Refusal::invalid("address_invalid", format!("No address was kept. `{}` is {form}.", channel.field()))
}
