//! What is known of a notice's recipient and words at the moment of sending, and the letter that comes of it.

use serde::{Deserialize, Serialize};
use suture_core::notice::{
    Channel, Choice, Choices, Notice, Placeholder, Recipient, Rendered, Topic, Way, Wording,
};
use suture_core::pass::Purpose;
use suture_core::redact::Phi;
use suture_core::refusal::Refusal;
use suture_store::{Tx, contacts, notices, organizations, personal, wordings};

use super::office::Office;
use super::passes;
use super::plan::{keep_until, values_of};
use crate::Error;
use crate::change::Change;

/// An e-mail's link for saying no holds this long.
const OPT_OUT_SECONDS: u64 = 180 * 86_400;

/// A recipient as known now.
pub(super) struct Reach {
    addresses: Vec<(Channel, String)>,
    /// For the rules of contact.
    pub(super) ways: Vec<Way>,
}

/// A message that is ready to leave by one channel. Printed without address and text.
#[derive(Debug, Clone)]
pub(super) struct Letter {
    pub(super) channel: Channel,
    pub(super) to: Phi<String>,
    pub(super) subject: Phi<String>,
    pub(super) text: Phi<String>,
    pub(super) unsubscribe: Option<String>,
}

/// A letter as it is kept, sealed.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) to: String,
    pub(super) subject: String,
    pub(super) text: String,
}

/// The organization: its name, and whether it is a sandbox.
pub(super) struct House {
    name: String,
    pub(super) is_sandbox: bool,
}

pub(super) fn house(change: &mut Change<'_, '_>) -> Result<House, Error> {
    let all = organizations::list(change.tx)?;
    let found = all.into_iter().find(|one| one.id == change.order.organization);
    let found = found.ok_or_else(|| Error::not_found("organization", &change.order.organization))?;
    Ok(House { is_sandbox: found.mode == "sandbox", name: found.name })
}

/// Looks up addresses and choices of a notice's recipient.
pub(super) fn reach(change: &mut Change<'_, '_>, notice: &Notice) -> Result<Reach, Error> {
    let (organization, subject) = (change.order.organization.clone(), notice.plan.to.id());
    let addresses = addresses(change.tx, change.office, (&organization, &subject))?;
    let topic = notice.plan.template.topic();
    let ask_first = change.office.settings.rules.ask_first;
    let own = contacts::list(change.tx, &organization, &subject)?;
    let mut ways = Vec::new();
    for channel in Channel::ALL {
        let address = addresses.iter().find(|(known, _)| *known == channel);
        let mut said = own.clone();
        if let Some((_, address)) = address {
            let mark = change.office.mark(&organization, address);
            said.extend(contacts::list(change.tx, &organization, &mark)?);
        }
        let allowed = choices(&said).allow(channel, topic, ask_first);
        ways.push(Way { channel, has_address: address.is_some(), allowed });
    }
    Ok(Reach { addresses, ways })
}

/// Addresses of a person that can be written to.
pub(super) fn addresses(
    tx: &mut Tx<'_>,
    office: &Office,
    (organization, subject): (&str, &str),
) -> Result<Vec<(Channel, String)>, Error> {
    let fields = personal::load(tx, &office.keyring, organization, subject)?;
    let of = |channel: &Channel| {
        let (_, content) = fields.iter().find(|(field, _)| field == channel.field())?;
        channel.address(content.expose()).map(|address| (*channel, address))
    };
    Ok(Channel::ALL.iter().filter_map(of).collect())
}

/// Choices as the rules read them. A topic that this version does not know concerns nothing.
pub(super) fn choices(stored: &[contacts::Choice]) -> Choices {
    let of = |choice: &contacts::Choice| {
        let topic = match choice.topic.as_str() {
            "" => None,
            name => Some(Topic::parse(name)?),
        };
        Some(Choice { channel: Channel::parse(&choice.channel)?, topic, wants: choice.wants })
    };
    Choices(stored.iter().filter_map(of).collect())
}

/// The words of a notice: the organization's, or ours.
fn wording(change: &mut Change<'_, '_>, notice: &Notice) -> Result<Wording, Error> {
    let template = notice.plan.template;
    let kept = wordings::get(change.tx, &change.order.organization, template.name())?;
    Ok(kept.and_then(|body| serde_json::from_str(&body).ok()).unwrap_or_else(|| template.wording()))
}

/// The letter for a channel. The inner refusal says why there can be none.
pub(super) fn letter(
    change: &mut Change<'_, '_>,
    (notice, house): (&Notice, &House),
    reach: &Reach,
    channel: Channel,
) -> Result<Result<Letter, Refusal>, Error> {
    let Some((_, to)) = reach.addresses.iter().find(|(known, _)| *known == channel) else {
        return Err(Error::not_found("address", channel.name()));
    };
    let mut values = values_of(change, notice)?;
    let sender = change.office.settings.sender.as_deref().unwrap_or(&house.name).to_owned();
    let clinic = values.get(Placeholder::Clinic).map_or(sender, ToOwned::to_owned);
    values = values.with(Placeholder::Clinic, &clinic).neutral();
    let clinic = values.get(Placeholder::Clinic).unwrap_or_default().to_owned();
    let Rendered { subject, mut text } = match wording(change, notice)?.render(channel, &values) {
        Ok(rendered) => rendered,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let unsubscribe = unsubscribe(change, notice, channel)?;
    if let Some(link) = &unsubscribe {
        text.push_str(&format!("\n-- \n{clinic}\nNo more e-mails from us: {link}\n"));
    }
    let letter = Letter {
        channel,
        to: Phi::new(to.clone()),
        subject: Phi::new(subject),
        text: Phi::new(text),
        unsubscribe,
    };
    Ok(Ok(letter))
}

/// Where a patient says no to e-mails. Texts have STOP, and providers their settings.
fn unsubscribe(change: &Change<'_, '_>, notice: &Notice, channel: Channel) -> Result<Option<String>, Error> {
    let Recipient::Patient(patient) = notice.plan.to else { return Ok(None) };
    if channel != Channel::Email {
        return Ok(None);
    }
    let until = change.order.now + std::time::Duration::from_secs(OPT_OUT_SECONDS);
    passes::link(change, Purpose::OptOut, &patient.to_string(), until).map(Some)
}

/// Keeps a letter, sealed, for whoever may read what was sent.
pub(super) fn keep(change: &mut Change<'_, '_>, notice: &Notice, letter: &Letter) -> Result<(), Error> {
    let kept = Kept {
        to: letter.to.expose().clone(),
        subject: letter.subject.expose().clone(),
        text: letter.text.expose().clone(),
    };
    let text = serde_json::to_string(&kept)
        .map_err(|_| suture_store::Error::Corrupt("text of a notice".to_owned()))?;
    let id = notice.plan.notice.to_string();
    let place = (change.order.organization.as_str(), id.as_str(), letter.channel.name());
    let until = keep_until(&notice.plan, change.order.now);
    notices::put_text(change.tx, &change.office.keyring, place, &Phi::new(text), until).map_err(Error::from)
}

/// A letter that was kept.
pub(super) fn kept(
    change: &mut Change<'_, '_>,
    notice: &Notice,
    channel: Channel,
) -> Result<Option<Letter>, Error> {
    let id = notice.plan.notice.to_string();
    let place = (change.order.organization.as_str(), id.as_str(), channel.name());
    let text = notices::text(change.tx, &change.office.keyring, place)?;
    let Some(kept) = text.and_then(|text| serde_json::from_str::<Kept>(text.expose()).ok()) else {
        return Ok(None);
    };
    Ok(Some(Letter {
        channel,
        to: Phi::new(kept.to),
        subject: Phi::new(kept.subject),
        text: Phi::new(kept.text),
        unsubscribe: None,
    }))
}
