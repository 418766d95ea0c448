//! What a provider of texts tells us: a message arrived or did not, and STOP.
//!
//! What must stay true: nothing is read before the signature is right, and a repetition changes nothing.

use suture_connect::notices::hook::{Arrived, Refused, Word};
use suture_connect::notices::sms::SmsRoute;
use suture_core::id::NoticeId;
use suture_core::notice::{Channel, Command, Notice, Said, said};
use suture_core::redact::Phi;
use suture_core::refusal::Refusal;
use suture_store::{contacts, organizations};

use super::contacts::{NewChoice, choose};
use super::plan::{begin_turn, record};
use crate::Error;
use crate::change::Change;
use crate::engine::Engine;

/// A message of a provider as it arrived.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The organization in its path.
    pub organization: String,
    /// The notice in its path, for reports.
    pub notice: Option<String>,
    /// The path.
    pub path: String,
    /// The body's bytes.
    pub body: Vec<u8>,
}

impl Engine {
    /// Takes a provider's message in.
    ///
    /// # Errors
    /// [`Error::Refused`]: `no_matching_signature`, `outside_tolerance`, `body_invalid`; [`Error::NotFound`] when texts are
    /// not sent from here, or the path names nothing of ours.
    pub async fn hear_of_text(
        &self,
        arrival: Arrival,
        header: impl Fn(&str) -> Option<String>,
    ) -> Result<(), Error> {
        let Some(route) = self.0.office.settings.sms.clone() else {
            return Err(Error::not_found("path", "hooks"));
        };
        let word = self.understood(&route, &arrival, header)?;
        self.organization(&arrival.organization).await?;
        let order = self.order(&arrival.organization, "texts", "told_by_provider");
        match (word, arrival.notice) {
            (Word::OnItsWay, _) => Ok(()),
            (Word::Said { from, text }, _) => {
                self.apply("texts", order, move |change| obey(change, &from, &text)).await
            }
            (word, Some(notice)) => {
                let id = NoticeId::parse(&notice).map_err(|_| Error::not_found("notice", &notice))?;
                let command = match word {
                    Word::Failed { code } => Command::RecordFailed { channel: Channel::Sms, code },
                    _ => Command::RecordDelivered { channel: Channel::Sms },
                };
                self.apply(&notice, order, move |change| report(change, id, &command)).await
            }
            (_, None) => Err(Error::not_found("notice", "")),
        }
    }

    fn understood(
        &self,
        route: &SmsRoute,
        arrival: &Arrival,
        header: impl Fn(&str) -> Option<String>,
    ) -> Result<Word, Refusal> {
        let signature = header(route.signature_header());
        let timestamp = header(suture_connect::notices::hook::TIMESTAMP);
        let arrived = Arrived {
            public_url: &self.0.office.settings.public_url,
            path: &arrival.path,
            signature: signature.as_deref(),
            timestamp: timestamp.as_deref(),
            body: &arrival.body,
            now: self.now(),
        };
        route.hear(arrived).map_err(|refused| match refused {
            Refused::Signature => Refusal::invalid(
                "no_matching_signature",
                "Nothing was taken in. The signature is missing or was not made with our secret.",
            ),
            Refused::Time => Refusal::invalid(
                "outside_tolerance",
                "Nothing was taken in. The message was signed more than 5 minutes ago, or a clock is wrong.",
            ),
            Refused::Content => Refusal::invalid(
                "body_invalid",
                "Nothing was taken in. The message is signed, but it is neither a report nor a text.",
            ),
        })
    }
}

/// Records what a provider reports. When a message did not arrive after all, the next channel is taken.
fn report(change: &mut Change<'_, '_>, notice: NoticeId, command: &Command) -> Result<(), Error> {
    let (mut loaded, before) = change.existing::<Notice>(&notice.to_string())?;
    let after = record(change, &mut loaded, command)?;
    if after.turn != before.turn {
        // With no channel left, it is the one that asks a person.
        begin_turn(change, &after)?;
    }
    Ok(())
}

/// STOP stops all texts to a phone, whoever's it is, and START allows them again, for every organization: they share the
/// sender. Everything else is for people to read at the provider; the provider answers HELP.
fn obey(change: &mut Change<'_, '_>, from: &Phi<String>, text: &Phi<String>) -> Result<(), Error> {
    let Some(phone) = Channel::Sms.address(from.expose()) else { return Ok(()) };
    let said = said(text.expose());
    for organization in organizations::list(change.tx)? {
        let subject = (organization.id.as_str(), &*change.office.mark(&organization.id, &phone));
        match said {
            Said::Stop => {
                let no = NewChoice { channel: Channel::Sms, topic: None, wants: false };
                choose(change, subject, no, "text")?;
            }
            Said::Start => {
                contacts::remove(change.tx, subject, Channel::Sms.name(), "")?;
            }
            Said::Help | Said::Other => {}
        }
    }
    Ok(())
}
