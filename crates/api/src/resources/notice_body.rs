//! A notice as JSON: ids, codes and times. What it said stands beside it only for those who may read it.

use serde::Serialize;
use suture_core::notice::{self, Notice, Progress};
use suture_engine::notices::Copy;
use utoipa::ToSchema;

use crate::bodies::{time, word, words};

words! {
    /// Where a notice stands.
    NoticeStatus = notice::Status { Planned, Sending, Sent, Delivered, Unknown, Failed, Suppressed, Withdrawn }
}

words! {
    /// How a message travels.
    Channel = notice::Channel { Email, Sms }
}

words! {
    /// What messages are about, for consent and opt-out.
    Topic = notice::Topic { Visits, Money, Offers, Work }
}

/// One message to a patient or a provider.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Notice)]
#[serde(rename_all = "camelCase")]
pub(super) struct NoticeBody {
    id: String,
    /// The recipient, `pat_…` or `prv_…`.
    to: String,
    /// What it says.
    template: String,
    status: NoticeStatus,
    /// What it is about, by id.
    about: Vec<String>,
    /// What is known of each channel, in order of preference.
    channels: Vec<WayBody>,
    due_at: String,
    /// After this it is not sent any more.
    not_after: Option<String>,
    urgent: bool,
    /// Why it was withdrawn.
    withdrawn: Option<String>,
    /// What left by each channel, or stays in our inbox: for keys that may read patients, one notice at a time, and kept
    /// for thirty days.
    #[serde(skip_serializing_if = "Option::is_none")]
    copies: Option<Vec<CopyBody>>,
}

/// What is known of one channel.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NoticeChannel)]
#[serde(rename_all = "camelCase")]
pub(super) struct WayBody {
    channel: Channel,
    /// `waiting`, `trying`, `sent`, `delivered`, `unknown`, `failed` or `suppressed`.
    status: &'static str,
    /// Why, as a code: ours or the provider's.
    code: Option<String>,
    /// The provider's name for it.
    reference: Option<String>,
}

/// A message as it left. Personal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NoticeCopy)]
pub(super) struct CopyBody {
    channel: Channel,
    /// The address.
    to: String,
    /// The subject; empty for a text.
    subject: String,
    text: String,
}

impl NoticeBody {
    pub(super) fn of(notice: &Notice, copies: Option<Vec<Copy>>) -> Self {
        let plan = &notice.plan;
        Self {
            id: plan.notice.to_string(),
            to: plan.to.id(),
            template: word(&plan.template),
            status: notice.status().into(),
            about: plan.about.ids(),
            channels: notice.ways.iter().map(|(channel, progress)| WayBody::of(*channel, progress)).collect(),
            due_at: time(plan.due_at),
            not_after: plan.not_after.map(time),
            urgent: plan.urgent,
            withdrawn: notice.withdrawn.clone(),
            copies: copies.map(|copies| copies.into_iter().map(CopyBody::of).collect()),
        }
    }
}

impl WayBody {
    fn of(channel: notice::Channel, progress: &Progress) -> Self {
        let (status, code, reference) = match progress {
            Progress::Waiting { .. } => ("waiting", None, None),
            Progress::Trying { .. } => ("trying", None, None),
            Progress::Sent { reference } => ("sent", None, Some(reference.clone())),
            Progress::Unknown { code } => ("unknown", Some(code.clone()), None),
            Progress::Failed { code } => ("failed", Some(code.clone()), None),
            Progress::Suppressed { reason } => ("suppressed", Some(reason.name().to_owned()), None),
            Progress::Delivered => ("delivered", None, None),
        };
        Self { channel: channel.into(), status, code, reference }
    }
}

impl CopyBody {
    fn of(copy: Copy) -> Self {
        Self {
            channel: copy.channel.into(),
            to: copy.to.into_exposed(),
            subject: copy.subject.into_exposed(),
            text: copy.text.into_exposed(),
        }
    }
}
