//! What messages need besides the store: keys, our own address, rules of contact, and the ways out.

use std::fmt;
use std::sync::Arc;

use ring::hmac;
use suture_connect::notices::sms::SmsRoute;
use suture_core::audit::seal::SealingKey;
use suture_core::notice::{Channel, Rules};
use suture_core::pass::PassKey;
use suture_store::Keyring;

use super::rooms::{OwnRooms, VisitRooms};
use crate::ports::Mailer;

/// How messages reach people.
#[derive(Clone)]
pub struct Notices {
    /// Our address as patients know it, without a slash at the end.
    pub public_url: String,
    /// The sender as patients know it; the organization's name when absent. Neutral: no specialty.
    pub sender: Option<String>,
    /// Quiet hours and consent.
    pub rules: Rules,
    /// The way of e-mails; without one they stay in the inbox of the house.
    pub mailer: Option<Arc<dyn Mailer>>,
    /// The way of texts; without one they stay in the inbox of the house.
    pub sms: Option<Arc<SmsRoute>>,
    /// Whether messages of a sandbox organization leave the house too.
    pub sandbox_sends: bool,
    /// Where visits by video take place.
    pub rooms: Arc<dyn VisitRooms>,
}

impl Default for Notices {
    fn default() -> Self {
        Self {
            public_url: "http://127.0.0.1:8080".to_owned(),
            sender: None,
            rules: Rules::default(),
            mailer: None,
            sms: None,
            sandbox_sends: false,
            rooms: Arc::new(OwnRooms),
        }
    }
}

impl fmt::Debug for Notices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notices")
            .field("public_url", &self.public_url)
            .field("sender", &self.sender)
            .field("rules", &self.rules)
            .field("mailer", &self.mailer.is_some())
            .field("sms", &self.sms)
            .field("sandbox_sends", &self.sandbox_sends)
            .finish_non_exhaustive()
    }
}

/// How a message travels in this house, for one organization and channel.
#[derive(Clone)]
pub(super) enum Carrier {
    /// Into our own inbox, in the transaction that decides it.
    Inbox,
    /// By a mail server.
    Mail(Arc<dyn Mailer>),
    /// By a provider of texts.
    Text(Arc<SmsRoute>),
}

/// See the module.
pub struct Office {
    pub(crate) keyring: Keyring,
    pub(super) passes: PassKey,
    rooms: hmac::Key,
    marks: hmac::Key,
    pub(crate) settings: Notices,
    /// How long before it is collected a patient is told what is left; `None`: nothing is collected by itself.
    pub(crate) collect_after: Option<std::time::Duration>,
}

impl Office {
    pub(crate) fn new(
        keyring: Keyring,
        sealing_key: &SealingKey,
        (settings, collect_after): (Notices, Option<std::time::Duration>),
    ) -> Self {
        Self {
            keyring,
            collect_after,
            passes: PassKey::of(sealing_key),
            rooms: sealing_key.derived("suture.room.1"),
            marks: sealing_key.derived("suture.address.1"),
            settings,
        }
    }

    /// The name of a visit's room: the same for the same visit, and not to be guessed.
    pub(crate) fn room(&self, organization: &str, appointment: &str) -> String {
        mark(&self.rooms, &format!("{organization}/{appointment}"))
    }

    /// The name under which the choices of an address are kept, so that the address itself is nowhere in the open.
    pub(super) fn mark(&self, organization: &str, address: &str) -> String {
        format!("adr_{}", mark(&self.marks, &format!("{organization}/{address}")))
    }

    pub(super) fn carrier(&self, channel: Channel, is_sandbox: bool) -> Carrier {
        if is_sandbox && !self.settings.sandbox_sends {
            return Carrier::Inbox;
        }
        match channel {
            Channel::Email => self.settings.mailer.clone().map_or(Carrier::Inbox, Carrier::Mail),
            Channel::Sms => self.settings.sms.clone().map_or(Carrier::Inbox, Carrier::Text),
        }
    }
}

/// 128 bits of a keyed hash as 32 hexadecimal digits.
fn mark(key: &hmac::Key, text: &str) -> String {
    let tag = hmac::sign(key, text.as_bytes());
    tag.as_ref().iter().take(16).fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
