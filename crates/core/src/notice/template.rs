//! Templates: which messages there are, and how one becomes text.
//!
//! An organization may word them otherwise; what must stay true is that a wording uses only the placeholders of its
//! template, and passes the linter, before it is kept.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::event::{Channel, Spread};
use super::lint::lint;
use super::values::{Placeholder, Values};
use super::wordings;
use crate::refusal::Refusal;

/// What a message is about, for consent and opt-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// A visit of theirs.
    Visits,
    /// Money of theirs.
    Money,
    /// Something that they may take or leave.
    Offers,
    /// Work of a provider.
    Work,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 4] = [Self::Visits, Self::Money, Self::Offers, Self::Work];

    /// The topic as written in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Visits => "visits",
            Self::Money => "money",
            Self::Offers => "offers",
            Self::Work => "work",
        }
    }

    /// The topic of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.name() == name)
    }

    /// Whether a text about it needs a yes of its own. Who gives a number to a clinic expects texts about visits and
    /// bills, not offers.
    #[must_use]
    pub const fn needs_consent(self) -> bool {
        matches!(self, Self::Offers)
    }

    /// Whether patients get it.
    #[must_use]
    pub const fn is_for_patients(self) -> bool {
        !matches!(self, Self::Work)
    }
}

/// The messages that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Template {
    /// A visit is booked.
    BookingConfirmed,
    /// A visit is tomorrow.
    VisitReminderDay,
    /// A visit is in an hour.
    VisitReminderHour,
    /// A payment was declined: the patient may try again with one click.
    PaymentDeclined,
    /// A provider's visit begins soon and is not paid.
    ProviderPaymentRisk,
    /// A visit was given up because it was not paid.
    VisitReleased,
    /// A visit was cancelled.
    VisitCanceled,
    /// A visit was moved.
    VisitMoved,
    /// A payment arrived.
    Receipt,
    /// A refund is on its way.
    RefundStarted,
    /// Something is left to pay, and will be charged.
    BalanceNotice,
    /// A method on file ends soon.
    MethodExpiring,
    /// A time became free.
    WaitlistOffer,
    /// The link of a visit by video.
    VisitLink,
    /// A provider's visit was cancelled.
    ProviderVisitCanceled,
}

impl Template {
    /// Every template.
    pub const ALL: [Self; 15] = [
        Self::BookingConfirmed,
        Self::VisitReminderDay,
        Self::VisitReminderHour,
        Self::PaymentDeclined,
        Self::ProviderPaymentRisk,
        Self::VisitReleased,
        Self::VisitCanceled,
        Self::VisitMoved,
        Self::Receipt,
        Self::RefundStarted,
        Self::BalanceNotice,
        Self::MethodExpiring,
        Self::WaitlistOffer,
        Self::VisitLink,
        Self::ProviderVisitCanceled,
    ];

    /// The template as written in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BookingConfirmed => "booking_confirmed",
            Self::VisitReminderDay => "visit_reminder_day",
            Self::VisitReminderHour => "visit_reminder_hour",
            Self::PaymentDeclined => "payment_declined",
            Self::ProviderPaymentRisk => "provider_payment_risk",
            Self::VisitReleased => "visit_released",
            Self::VisitCanceled => "visit_canceled",
            Self::VisitMoved => "visit_moved",
            Self::Receipt => "receipt",
            Self::RefundStarted => "refund_started",
            Self::BalanceNotice => "balance_notice",
            Self::MethodExpiring => "method_expiring",
            Self::WaitlistOffer => "waitlist_offer",
            Self::VisitLink => "visit_link",
            Self::ProviderVisitCanceled => "provider_visit_canceled",
        }
    }

    /// The template of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|template| template.name() == name)
    }

    /// What it is about.
    #[must_use]
    pub const fn topic(self) -> Topic {
        match self {
            Self::BookingConfirmed
            | Self::VisitReminderDay
            | Self::VisitReminderHour
            | Self::VisitReleased
            | Self::VisitCanceled
            | Self::VisitMoved
            | Self::VisitLink => Topic::Visits,
            Self::PaymentDeclined
            | Self::Receipt
            | Self::RefundStarted
            | Self::BalanceNotice
            | Self::MethodExpiring => Topic::Money,
            Self::WaitlistOffer => Topic::Offers,
            Self::ProviderPaymentRisk | Self::ProviderVisitCanceled => Topic::Work,
        }
    }

    /// The values that whoever plans it must give. The sender is filled in.
    #[must_use]
    pub const fn needs(self) -> &'static [Placeholder] {
        use Placeholder as P;
        match self {
            Self::BookingConfirmed | Self::VisitReminderDay | Self::VisitReminderHour | Self::VisitLink => {
                &[P::Provider, P::When, P::Link]
            }
            Self::PaymentDeclined => &[P::When, P::Amount, P::Deadline, P::Link],
            Self::ProviderPaymentRisk | Self::ProviderVisitCanceled => &[P::When],
            Self::VisitReleased | Self::VisitCanceled => &[P::When],
            Self::VisitMoved => &[P::Provider, P::Before, P::When, P::Link],
            Self::Receipt => &[P::Amount, P::When],
            Self::RefundStarted => &[P::Amount],
            Self::BalanceNotice => &[P::Amount, P::Deadline, P::Reason],
            Self::MethodExpiring => &[P::Method, P::Deadline, P::Link],
            Self::WaitlistOffer => &[P::Provider, P::When, P::Deadline, P::Link],
        }
    }

    /// Channels in order of preference, and how many are taken.
    #[must_use]
    pub const fn channels(self) -> (&'static [Channel], Spread) {
        match self {
            // Reminders go out once by each channel (FEATURES M173); what must be seen within minutes too (M204, M205).
            Self::VisitReminderDay
            | Self::VisitReminderHour
            | Self::PaymentDeclined
            | Self::ProviderPaymentRisk
            | Self::VisitLink => (&[Channel::Email, Channel::Sms], Spread::Each),
            Self::WaitlistOffer
            | Self::VisitReleased
            | Self::VisitCanceled
            | Self::VisitMoved
            | Self::ProviderVisitCanceled => (&[Channel::Sms, Channel::Email], Spread::First),
            Self::BookingConfirmed
            | Self::Receipt
            | Self::RefundStarted
            | Self::BalanceNotice
            | Self::MethodExpiring => (&[Channel::Email, Channel::Sms], Spread::First),
        }
    }

    /// How late it may be and still make sense; `None`: it always does.
    #[must_use]
    pub const fn grace(self) -> Option<Duration> {
        match self {
            Self::VisitReminderDay => Some(Duration::from_secs(12 * 3600)),
            Self::VisitReminderHour | Self::ProviderPaymentRisk | Self::PaymentDeclined => {
                Some(Duration::from_secs(30 * 60))
            }
            _ => None,
        }
    }

    /// The words that it has unless an organization gave others.
    #[must_use]
    pub fn wording(self) -> Wording {
        wordings::of(self)
    }
}

/// Characters of one text message of a wording at most, with values of usual length.
const SMS_MAX: usize = 320;
/// Characters of a subject line at most.
const SUBJECT_MAX: usize = 100;
/// Characters of an e-mail's text at most.
const EMAIL_MAX: usize = 4_000;

/// The words of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wording {
    /// The subject of the e-mail.
    pub subject: String,
    /// The e-mail's text. Plain text: nothing can hide in it, and nothing is loaded when it is opened.
    pub email: String,
    /// The text message.
    pub sms: String,
}

/// A message as it leaves. Printed by its length only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendered {
    /// The subject of the e-mail; empty for a text message.
    pub subject: String,
    /// The text.
    pub text: String,
}

impl std::fmt::Debug for Rendered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rendered").field("text_bytes", &self.text.len()).finish()
    }
}

/// A piece of a text: fixed, or open.
enum Piece<'a> {
    Fixed(&'a str),
    Open(Placeholder),
}

impl Wording {
    /// Checks the words of a template before they are kept.
    ///
    /// # Errors
    /// `template_refused` with the first thing that is wrong and what to write instead.
    pub fn check(&self, template: Template) -> Result<(), Refusal> {
        for (part, text, most) in [
            ("subject", &self.subject, SUBJECT_MAX),
            ("email", &self.email, EMAIL_MAX),
            ("sms", &self.sms, SMS_MAX),
        ] {
            if text.trim().is_empty() {
                return Err(refused(&format!("`{part}` is empty")));
            }
            if part != "email" && text.chars().any(char::is_control) {
                return Err(refused(&format!("`{part}` is more than one line")));
            }
            let pieces = pieces(text).map_err(|wrong| refused(&format!("`{part}` {wrong}")))?;
            let mut length = 0;
            for piece in &pieces {
                match piece {
                    Piece::Fixed(words) => length += words.chars().count(),
                    Piece::Open(open) => {
                        length += open.usual_length();
                        allowed(template, *open).map_err(|wrong| refused(&format!("`{part}` {wrong}")))?;
                    }
                }
            }
            if length > most {
                return Err(refused(&format!(
                    "`{part}` has about {length} characters with its values; {most} are the most"
                )));
            }
            if let Some(found) = lint(text).first() {
                return Err(refused(&format!("`{part}`: {found}")));
            }
        }
        Ok(())
    }

    /// The message for a channel.
    ///
    /// # Errors
    /// `placeholder_missing` when a value is missing, `message_refused` when the finished text tells too much.
    pub fn render(&self, channel: Channel, values: &Values) -> Result<Rendered, Refusal> {
        let (subject, text) = match channel {
            Channel::Email => (filled(&self.subject, values)?, filled(&self.email, values)?),
            Channel::Sms => (String::new(), filled(&self.sms, values)?),
        };
        // A link is letters by chance; what it may hold is checked where it is made.
        let without_link = values.clone().with(Placeholder::Link, "-");
        for checked in [&self.subject, if channel == Channel::Email { &self.email } else { &self.sms }] {
            if let Some(found) = lint(&filled(checked, &without_link)?).first() {
                return Err(Refusal::invalid(
                    "message_refused",
                    format!(
                        "The message was not sent. {found}. Change the wording or the name that it is filled with."
                    ),
                ));
            }
        }
        Ok(Rendered { subject, text })
    }
}

impl Template {
    /// Whether every value is there that whoever plans it must give.
    ///
    /// # Errors
    /// `placeholder_missing` with the first that is not.
    pub fn check_values(self, values: &Values) -> Result<(), Refusal> {
        match self.needs().iter().find(|needed| values.get(**needed).is_none()) {
            Some(missing) => Err(missing_value(*missing)),
            None => Ok(()),
        }
    }
}

fn allowed(template: Template, open: Placeholder) -> Result<(), String> {
    if open == Placeholder::Clinic || template.needs().contains(&open) {
        return Ok(());
    }
    let known: Vec<String> = template
        .needs()
        .iter()
        .chain(&[Placeholder::Clinic])
        .map(|known| format!("{{{}}}", known.name()))
        .collect();
    Err(format!(
        "uses {{{}}}, which {} has no value for; use {}",
        open.name(),
        template.name(),
        known.join(", ")
    ))
}

fn filled(text: &str, values: &Values) -> Result<String, Refusal> {
    let pieces = pieces(text).map_err(|wrong| refused(&format!("the text {wrong}")))?;
    let mut whole = String::new();
    for piece in pieces {
        match piece {
            Piece::Fixed(words) => whole.push_str(words),
            Piece::Open(open) => whole.push_str(values.get(open).ok_or_else(|| missing_value(open))?),
        }
    }
    Ok(whole)
}

/// Takes a text apart. The words say what is wrong with it.
fn pieces(text: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (words, from) = rest.split_at(at);
        found.push(Piece::Fixed(words));
        let Some((name, after)) = from.strip_prefix('{').and_then(|inner| inner.split_once('}')) else {
            return Err("has a brace that stands alone; a placeholder is written {when}".to_owned());
        };
        let Some(open) = Placeholder::parse(name) else {
            let name: String = name.chars().take(30).collect();
            return Err(format!(
                "uses {{{name}}}, which is no placeholder: names, record numbers and codes have none"
            ));
        };
        found.push(Piece::Open(open));
        rest = after;
    }
    found.push(Piece::Fixed(rest));
    Ok(found)
}

fn missing_value(missing: Placeholder) -> Refusal {
    Refusal::invalid(
        "placeholder_missing",
        format!("No message was planned or sent. Its value {{{}}} is missing; give it.", missing.name()),
    )
}

fn refused(why: &str) -> Refusal {
    Refusal::invalid("template_refused", format!("The words were not kept. {why}."))
}
