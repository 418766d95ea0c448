//! Rules of contact: quiet hours, opt-out, consent, and which channel a notice takes next. All of it is arithmetic.

use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::event::{Channel, Skip};
use super::state::Notice;
use super::template::Topic;
use crate::refusal::Refusal;
use crate::time::Timestamp;

/// Hours in which phones are left in peace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quiet {
    from: Time,
    until: Time,
    zone: TimeZone,
    channels: Vec<Channel>,
}

impl Quiet {
    /// A window of local time such as 21:00 to 08:00 in a zone. It may reach over midnight; equal ends mean no window.
    ///
    /// # Errors
    /// A refusal when a time or the zone cannot be read.
    pub fn try_new(from: &str, until: &str, zone: &str, channels: &[Channel]) -> Result<Self, Refusal> {
        let time = |text: &str| {
            let (hour, minute) = text.split_once(':')?;
            Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
        };
        let (Some(from), Some(until), Ok(zone)) = (time(from), time(until), TimeZone::get(zone)) else {
            return Err(Refusal::invalid(
                "quiet_hours_invalid",
                "Quiet hours were not set. Give two times such as 21:00 and 08:00, and a zone such as America/Chicago.",
            ));
        };
        Ok(Self { from, until, zone, channels: channels.to_vec() })
    }

    /// The same window in the zone of the place that writes, when it is known.
    #[must_use]
    pub fn in_zone(&self, zone: Option<&str>) -> Self {
        let zone = zone.and_then(|name| TimeZone::get(name).ok()).unwrap_or_else(|| self.zone.clone());
        Self { zone, ..self.clone() }
    }

    /// When the window ends that a channel is in at a moment; `None` outside of it.
    #[must_use]
    pub fn ends_at(&self, channel: Channel, now: Timestamp) -> Option<Timestamp> {
        let local = jiff::Timestamp::from_millisecond(now.millis()).ok()?.to_zoned(self.zone.clone());
        let time = local.time();
        let over_midnight = self.from > self.until;
        let inside = match over_midnight {
            true => time >= self.from || time < self.until,
            false => time >= self.from && time < self.until,
        };
        if !inside || !self.channels.contains(&channel) {
            return None;
        }
        let day =
            if over_midnight && time >= self.from { local.date().tomorrow().ok()? } else { local.date() };
        // A time that the clocks skip is taken after the gap.
        let end = day.to_datetime(self.until).to_zoned(self.zone.clone()).ok()?;
        Some(Timestamp::from_millis(end.timestamp().as_millisecond()))
    }
}

/// What a recipient said about a channel: for one topic, or for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// The channel.
    pub channel: Channel,
    /// The topic; `None`: everything.
    pub topic: Option<Topic>,
    /// Yes or no.
    pub wants: bool,
}

/// Everything that a recipient said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choices(pub Vec<Choice>);

impl Choices {
    /// Whether a message of a topic may take a channel. One no is enough; a text needs a yes when its topic does, or when
    /// the house asks everybody first.
    ///
    /// # Errors
    /// Why not.
    pub fn allow(&self, channel: Channel, topic: Topic, ask_first: bool) -> Result<(), Skip> {
        let about =
            |choice: &&Choice| choice.channel == channel && choice.topic.is_none_or(|chosen| chosen == topic);
        if self.0.iter().filter(about).any(|choice| !choice.wants) {
            return Err(Skip::OptedOut);
        }
        let needs_yes =
            channel == Channel::Sms && (topic.needs_consent() || (ask_first && topic.is_for_patients()));
        if needs_yes && !self.0.iter().filter(about).any(|choice| choice.wants) {
            return Err(Skip::NoConsent);
        }
        Ok(())
    }
}

/// What a text from a phone asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// No more texts.
    Stop,
    /// Texts again.
    Start,
    /// Who is this?
    Help,
    /// Anything else.
    Other,
}

/// Reads the words that carriers ask every sender of texts to obey, in any case and with any punctuation.
/// <https://www.ctia.org/the-wireless-industry/industry-commitments/messaging-interoperability-sms-mms>
#[must_use]
pub fn said(text: &str) -> Said {
    let kept = text.trim().trim_matches(|c: char| !c.is_alphanumeric());
    let word: String = kept.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    match word.to_ascii_lowercase().as_str() {
        "stop" | "stopall" | "unsubscribe" | "cancel" | "end" | "quit" | "revoke" | "optout" => Said::Stop,
        "start" | "unstop" | "yes" => Said::Start,
        "help" | "info" => Said::Help,
        _ => Said::Other,
    }
}

/// What is known of a channel to a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    /// The channel.
    pub channel: Channel,
    /// Whether there is an address.
    pub has_address: bool,
    /// Whether it may be taken.
    pub allowed: Result<(), Skip>,
}

/// What holds for all messages of a house.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules {
    /// Quiet hours, when there are any.
    pub quiet: Option<Quiet>,
    /// Whether patients are asked before the first text, whatever it is about.
    pub ask_first: bool,
}

/// What a notice does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing more.
    Nothing,
    /// Leave a channel out.
    Suppress(Channel, Skip),
    /// Wait until a moment.
    Wait(Timestamp),
    /// Take a channel.
    Try(Channel),
}

/// Decides what a notice does next. A channel that must wait holds up the ones behind it only when they are there to fall
/// back on.
#[must_use]
pub fn next(notice: &Notice, ways: &[Way], rules: &Rules, now: Timestamp) -> Next {
    let mut wait: Option<Timestamp> = None;
    for channel in notice.next_channels() {
        let way = ways.iter().find(|way| way.channel == channel);
        match of_channel(notice, channel, way, (rules, now)) {
            Next::Wait(until) => wait = Some(wait.map_or(until, |other| other.min(until))),
            decided => return decided,
        }
    }
    wait.map_or(Next::Nothing, Next::Wait)
}

fn of_channel(
    notice: &Notice,
    channel: Channel,
    way: Option<&Way>,
    (rules, now): (&Rules, Timestamp),
) -> Next {
    let plan = &notice.plan;
    let past = |moment: Timestamp| plan.not_after.is_some_and(|last| last < moment);
    if past(now) {
        return Next::Suppress(channel, Skip::Late);
    }
    if plan.due_at > now {
        return Next::Wait(plan.due_at);
    }
    let Some(way) = way.filter(|way| way.has_address) else {
        return Next::Suppress(channel, Skip::NoAddress);
    };
    if let Err(reason) = way.allowed {
        return Next::Suppress(channel, reason);
    }
    let quiet = rules.quiet.as_ref().filter(|_| !plan.urgent);
    match quiet.and_then(|quiet| quiet.in_zone(plan.zone.as_deref()).ends_at(channel, now)) {
        Some(end) if past(end) => Next::Suppress(channel, Skip::Quiet),
        Some(end) => Next::Wait(end),
        None => Next::Try(channel),
    }
}
