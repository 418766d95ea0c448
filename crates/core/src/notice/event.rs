//! What happened to a notice, and the words that events are made of.

use serde::{Deserialize, Serialize};

use super::template::Template;
use crate::id::{AppointmentId, NoticeId, PatientId, PaymentId, ProviderId, ServiceId, WaitingId};
use crate::time::Timestamp;

/// How a message travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// E-mail.
    Email,
    /// A text to a phone.
    Sms,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 2] = [Self::Email, Self::Sms];

    /// The channel as written in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
        }
    }

    /// The personal field that holds the address.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "phone",
        }
    }

    /// An address as this channel takes it; `None` when it cannot be one.
    #[must_use]
    pub fn address(self, text: &str) -> Option<String> {
        match self {
            Self::Email => super::address::mailbox(text),
            Self::Sms => super::address::phone(text),
        }
    }

    /// The channel of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == name)
    }
}

/// Whom a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    /// A patient.
    Patient(PatientId),
    /// A provider.
    Provider(ProviderId),
}

impl Recipient {
    /// The id under which addresses and choices are kept.
    #[must_use]
    pub fn id(self) -> String {
        match self {
            Self::Patient(patient) => patient.to_string(),
            Self::Provider(provider) => provider.to_string(),
        }
    }
}

/// What a message is about, by opaque ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct About {
    /// The patient, when the recipient is a provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patient: Option<PatientId>,
    /// The appointment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appointment: Option<AppointmentId>,
    /// The service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceId>,
    /// The payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<PaymentId>,
    /// The place in the waiting list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<WaitingId>,
}

impl About {
    /// The ids that are given.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        let patient = self.patient.map(|id| id.to_string());
        let appointment = self.appointment.map(|id| id.to_string());
        let service = self.service.map(|id| id.to_string());
        let payment = self.payment.map(|id| id.to_string());
        let waiting = self.waiting.map(|id| id.to_string());
        [patient, appointment, service, payment, waiting].into_iter().flatten().collect()
    }
}

/// How many channels a message takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spread {
    /// The first that works; the others are there to fall back on.
    First,
    /// Each of them once.
    Each,
}

/// Why a channel was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Skip {
    /// The recipient said no to it.
    OptedOut,
    /// The recipient has not said yes to such texts.
    NoConsent,
    /// There is no address.
    NoAddress,
    /// Quiet hours end after the message has lost its sense.
    Quiet,
    /// The message has lost its sense: its time has passed.
    Late,
}

impl Skip {
    /// The reason as written in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OptedOut => "opted_out",
            Self::NoConsent => "no_consent",
            Self::NoAddress => "no_address",
            Self::Quiet => "quiet",
            Self::Late => "late",
        }
    }
}

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Its id.
    pub notice: NoticeId,
    /// For whom.
    pub to: Recipient,
    /// What it says.
    pub template: Template,
    /// What it is about.
    pub about: About,
    /// Channels in order of preference, none twice.
    pub channels: Vec<Channel>,
    /// How many of them it takes.
    pub spread: Spread,
    /// When it is due.
    pub due_at: Timestamp,
    /// After this it is not sent any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
    /// The zone of the place that writes, for quiet hours; the house's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// It ignores quiet hours, and a person is asked when nobody could be reached.
    pub urgent: bool,
    /// The caller's name for it: the same key is the same notice.
    pub key: String,
}

/// What happened to a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It will be sent.
    Planned(Box<Plan>),
    /// It is due at another time.
    Moved {
        /// When.
        due_at: Timestamp,
        /// After this it is not sent any more.
        not_after: Option<Timestamp>,
    },
    /// It is not wanted any more.
    Withdrawn {
        /// Why, as a code.
        reason: String,
    },
    /// A channel was not taken.
    Suppressed {
        /// Which.
        channel: Channel,
        /// Why.
        reason: Skip,
    },
    /// It is about to leave. Stored before it does, so that a crash is not taken for silence.
    Tried {
        /// By which channel.
        channel: Channel,
    },
    /// It is proven not to have left: it may be tried again.
    NotSent {
        /// By which channel.
        channel: Channel,
        /// Our code for why.
        code: String,
    },
    /// The other side took it.
    Sent {
        /// By which channel.
        channel: Channel,
        /// The other side's name for it.
        reference: String,
    },
    /// The answer was lost: it may have been sent.
    Unknown {
        /// By which channel.
        channel: Channel,
        /// Our code for why.
        code: String,
    },
    /// It did not arrive, and will not by this channel.
    ChannelFailed {
        /// Which.
        channel: Channel,
        /// Our code, or the provider's.
        code: String,
    },
    /// It arrived.
    Delivered {
        /// By which channel.
        channel: Channel,
    },
}

impl Event {
    /// The event's type in the journal.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Planned(_) => "notice.planned",
            Self::Moved { .. } => "notice.moved",
            Self::Withdrawn { .. } => "notice.withdrawn",
            Self::Suppressed { .. } => "notice.suppressed",
            Self::Tried { .. } => "notice.tried",
            Self::NotSent { .. } => "notice.not_sent",
            Self::Sent { .. } => "notice.sent",
            Self::Unknown { .. } => "notice.unknown",
            Self::ChannelFailed { .. } => "notice.channel_failed",
            Self::Delivered { .. } => "notice.delivered",
        }
    }
}
