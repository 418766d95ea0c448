//! A notice as known now. The status is derived from what is known of its channels.

use serde::{Deserialize, Serialize};

use super::event::{Channel, Event, Plan, Skip, Spread};

/// What is known of one channel of a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Progress {
    /// Not tried, or proven not to have left.
    Waiting {
        /// How often it was tried in vain.
        tries: u32,
    },
    /// About to leave, or gone without an answer so far.
    Trying {
        /// How often it was tried in vain before.
        tries: u32,
    },
    /// The other side took it.
    Sent {
        /// The other side's name for it.
        reference: String,
    },
    /// It may have been sent.
    Unknown {
        /// Our code for why.
        code: String,
    },
    /// It did not arrive.
    Failed {
        /// Our code, or the provider's.
        code: String,
    },
    /// It was not taken.
    Suppressed {
        /// Why.
        reason: Skip,
    },
    /// It arrived.
    Delivered,
}

/// Where a notice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It waits for its time, or for the next channel.
    Planned,
    /// It is on its way to another system.
    Sending,
    /// Another system took it.
    Sent,
    /// It arrived.
    Delivered,
    /// It may have been sent.
    Unknown,
    /// No channel worked.
    Failed,
    /// No channel was to be taken.
    Suppressed,
    /// It was not wanted any more.
    Withdrawn,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 8] = [
        Self::Planned,
        Self::Sending,
        Self::Sent,
        Self::Delivered,
        Self::Unknown,
        Self::Failed,
        Self::Suppressed,
        Self::Withdrawn,
    ];

    /// The status as written in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Unknown => "unknown",
            Self::Failed => "failed",
            Self::Suppressed => "suppressed",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// A notice as known now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What was planned, with the present times.
    #[serde(flatten)]
    pub plan: Plan,
    /// What is known of each channel, in order of preference.
    pub ways: Vec<(Channel, Progress)>,
    /// Why it is not wanted any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<String>,
    /// Which piece of work sends it: a move and a late failure begin a new one, and the one before steps back.
    pub turn: u32,
}

impl Notice {
    /// Applies an event. Total.
    #[must_use]
    pub fn evolve(state: Option<Self>, event: &Event) -> Option<Self> {
        match (state, event) {
            (None, Event::Planned(plan)) => Some(Self {
                ways: plan
                    .channels
                    .iter()
                    .map(|channel| (*channel, Progress::Waiting { tries: 0 }))
                    .collect(),
                plan: plan.as_ref().clone(),
                withdrawn: None,
                turn: 1,
            }),
            (None, _) => None,
            (Some(mut notice), event) => {
                notice.take(event);
                Some(notice)
            }
        }
    }

    fn take(&mut self, event: &Event) {
        match event {
            Event::Planned(_) => {}
            Event::Moved { due_at, not_after } => {
                (self.plan.due_at, self.plan.not_after) = (*due_at, *not_after);
                self.turn = self.turn.saturating_add(1);
            }
            Event::Withdrawn { reason } => self.withdrawn = Some(reason.clone()),
            Event::Suppressed { channel, reason } => {
                self.set(*channel, Progress::Suppressed { reason: *reason });
            }
            Event::Tried { channel } => {
                let tries = self.tries(*channel);
                self.set(*channel, Progress::Trying { tries });
            }
            Event::NotSent { channel, .. } => {
                let tries = self.tries(*channel).saturating_add(1);
                self.set(*channel, Progress::Waiting { tries });
            }
            Event::Sent { channel, reference } => {
                self.set(*channel, Progress::Sent { reference: reference.clone() });
            }
            Event::Unknown { channel, code } => self.set(*channel, Progress::Unknown { code: code.clone() }),
            Event::ChannelFailed { channel, code } => {
                // Whoever is at work goes on with the next; after a late report nobody is there to.
                if self.has_ended() {
                    self.turn = self.turn.saturating_add(1);
                }
                self.set(*channel, Progress::Failed { code: code.clone() });
            }
            Event::Delivered { channel } => self.set(*channel, Progress::Delivered),
        }
    }

    fn set(&mut self, channel: Channel, progress: Progress) {
        if let Some((_, known)) = self.ways.iter_mut().find(|(known, _)| *known == channel) {
            *known = progress;
        }
    }

    /// What is known of a channel; `None` when the notice does not have it.
    #[must_use]
    pub fn progress(&self, channel: Channel) -> Option<&Progress> {
        self.ways.iter().find(|(known, _)| *known == channel).map(|(_, progress)| progress)
    }

    /// How often a channel was tried in vain.
    #[must_use]
    pub fn tries(&self, channel: Channel) -> u32 {
        match self.progress(channel) {
            Some(Progress::Waiting { tries } | Progress::Trying { tries }) => *tries,
            _ => 0,
        }
    }

    /// The channels that may be taken now: the first that waits, or all that wait, and none when another did the work or
    /// is at it.
    #[must_use]
    pub fn next_channels(&self) -> Vec<Channel> {
        let busy = |progress: &Progress| matches!(progress, Progress::Trying { .. });
        let done = |progress: &Progress| matches!(progress, Progress::Sent { .. } | Progress::Delivered);
        let any = |is: &dyn Fn(&Progress) -> bool| self.ways.iter().any(|(_, progress)| is(progress));
        let first_only = self.plan.spread == Spread::First;
        if self.withdrawn.is_some() || any(&busy) || (first_only && any(&done)) {
            return Vec::new();
        }
        let waits = |(_, progress): &&(Channel, Progress)| matches!(progress, Progress::Waiting { .. });
        let count = if first_only { 1 } else { self.ways.len() };
        self.ways.iter().filter(waits).take(count).map(|(channel, _)| *channel).collect()
    }

    /// The channel by which it is on its way.
    #[must_use]
    pub fn trying(&self) -> Option<Channel> {
        let busy = |(_, progress): &&(Channel, Progress)| matches!(progress, Progress::Trying { .. });
        self.ways.iter().find(busy).map(|(channel, _)| *channel)
    }

    /// Where it stands.
    #[must_use]
    pub fn status(&self) -> Status {
        let any = |is: fn(&Progress) -> bool| self.ways.iter().any(|(_, progress)| is(progress));
        if any(|progress| matches!(progress, Progress::Trying { .. })) {
            return Status::Sending;
        }
        if !self.next_channels().is_empty() {
            return Status::Planned;
        }
        if any(|progress| matches!(progress, Progress::Delivered)) {
            return Status::Delivered;
        }
        if any(|progress| matches!(progress, Progress::Sent { .. })) {
            return Status::Sent;
        }
        if any(|progress| matches!(progress, Progress::Unknown { .. })) {
            return Status::Unknown;
        }
        if self.withdrawn.is_some() {
            return Status::Withdrawn;
        }
        if any(|progress| matches!(progress, Progress::Failed { .. })) {
            return Status::Failed;
        }
        Status::Suppressed
    }

    /// Whether nothing more is going to be sent, unless a late report says that a message did not arrive.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        !matches!(self.status(), Status::Planned | Status::Sending)
    }
}
