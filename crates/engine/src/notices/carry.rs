//! How a letter leaves the house, and what is known afterwards.

use std::time::Duration;

use suture_connect::notices::sms::{Answer, SmsRoute, Text};
use suture_core::id::NoticeId;
use suture_core::notice::Command;

use super::office::Carrier;
use super::render::Letter;
use crate::engine::Engine;
use crate::ports::{Mail, Mailer, Undelivered, Unmailed};

/// How long a mail server or a provider of texts may take.
pub(super) const LIMIT: Duration = Duration::from_secs(25);

/// What is known after a letter left, or did not.
pub(super) enum Carried {
    /// An outcome to record.
    Known(Command),
    /// The answer was lost, and the provider knows the key: asking again is asking the same.
    AskAgain(&'static str),
}

impl Engine {
    /// Sends a letter and says what is known then. Nothing of the answer but codes is kept.
    pub(super) async fn carry(
        &self,
        (organization, notice): (&str, NoticeId),
        letter: &Letter,
        carrier: &Carrier,
    ) -> Carried {
        match carrier {
            // Decided and kept in one transaction; nothing is left to do.
            Carrier::Inbox => {
                let reference = "inbox".to_owned();
                Carried::Known(Command::RecordSent { channel: letter.channel, reference })
            }
            Carrier::Mail(mailer) => Carried::Known(mail(mailer.as_ref(), notice, letter).await),
            Carrier::Text(route) => self.text((organization, notice), letter, route).await,
        }
    }

    async fn text(
        &self,
        (organization, notice): (&str, NoticeId),
        letter: &Letter,
        route: &SmsRoute,
    ) -> Carried {
        let channel = letter.channel;
        let public_url = &self.0.office.settings.public_url;
        let request = route.request(&Text {
            to: letter.to.clone(),
            text: letter.text.clone(),
            key: format!("{notice}/{}", channel.name()),
            callback: format!("{public_url}/hooks/sms/{organization}/{notice}"),
        });
        let outcome = match self.0.transport.send(request, LIMIT).await {
            Ok(response) => match route.read(&response) {
                Answer::Taken { reference } => Command::RecordSent { channel, reference },
                Answer::Refused { code } => Command::RecordFailed { channel, code },
                Answer::NotTaken { code } => Command::RecordNotSent { channel, code },
                Answer::Unknown { .. } if route.takes_key() => return Carried::AskAgain("no clear answer"),
                Answer::Unknown { code } => Command::RecordUnknown { channel, code },
            },
            Err(Undelivered::NotSent(_)) => {
                Command::RecordNotSent { channel, code: "no_connection".to_owned() }
            }
            Err(Undelivered::Lost(_)) if route.takes_key() => return Carried::AskAgain("no answer"),
            Err(Undelivered::Lost(_)) => Command::RecordUnknown { channel, code: "answer_lost".to_owned() },
        };
        Carried::Known(outcome)
    }
}

async fn mail(mailer: &dyn Mailer, notice: NoticeId, letter: &Letter) -> Command {
    let channel = letter.channel;
    let mail = Mail {
        to: letter.to.clone(),
        subject: letter.subject.clone(),
        text: letter.text.clone(),
        message_id: format!("{notice}@notices.suture"),
        unsubscribe: letter.unsubscribe.clone(),
    };
    match mailer.mail(mail, LIMIT).await {
        Ok(reference) => Command::RecordSent { channel, reference },
        Err(Unmailed::NotSent(code)) => Command::RecordNotSent { channel, code },
        Err(Unmailed::Refused(code)) => Command::RecordFailed { channel, code },
        // SMTP takes no key: to send again could be to send twice.
        Err(Unmailed::Lost(code)) => Command::RecordUnknown { channel, code },
    }
}
