//! Planning, moving and withdrawing messages, inside the transaction of what they tell of.
//!
//! A message must not stop what it tells of: whatever is personal or long is cut or dropped here, and what cannot be said
//! at all is found when it is sent. Only a template without its values is refused, which is a mistake in the program.

use std::time::Duration;

use suture_core::explain::{Care, Reason};
use suture_core::id::NoticeId;
use suture_core::notice::{self, About, Command, Notice, Plan, Recipient, Status, Template, Values};
use suture_core::redact::Phi;
use suture_core::time::Timestamp;
use suture_store::effects::NewEffect;
use suture_store::{journal, notices};

use crate::Error;
use crate::change::{Change, Loaded};
use crate::engine::Engine;
use crate::job::Job;
use crate::payments::Caller;

/// Texts and values are kept this long after the message was due.
pub(super) const KEEP: Duration = Duration::from_secs(30 * 86_400);
/// Messages about one thing at most that are withdrawn together.
const ABOUT_MAX: i64 = 500;

/// A message to plan.
#[derive(Debug, Clone)]
pub struct NewNotice {
    /// For whom.
    pub to: Recipient,
    /// What it says.
    pub template: Template,
    /// What it is about.
    pub about: About,
    /// What the template leaves open; see [`Template::needs`].
    pub values: Values,
    /// When it is due; what is past is due now.
    pub due_at: Timestamp,
    /// After this it is not sent any more; by the template when absent.
    pub not_after: Option<Timestamp>,
    /// The zone of the place that writes, for quiet hours.
    pub zone: Option<String>,
    /// It ignores quiet hours, and a person is asked when nobody could be reached.
    pub urgent: bool,
    /// The caller's name for it: the same key is the same notice, planned once.
    pub key: String,
}

/// Which messages to withdraw.
#[derive(Debug, Clone)]
pub enum Which {
    /// The one of a key.
    Key(String),
    /// All that are about something or for somebody, by id; of these templates, or of any when there are none.
    About(String, Vec<Template>),
}

/// Plans a message, once for a key.
pub(crate) fn plan(change: &mut Change<'_, '_>, new: NewNotice) -> Result<NoticeId, Error> {
    new.template.check_values(&new.values)?;
    let notice = NoticeId::mint(change.mint());
    let stream = notice.to_string();
    if let Some(known) = change.claim_key(&key_of(&new.key), &stream)? {
        return NoticeId::parse(&known)
            .map_err(|_| suture_store::Error::Corrupt(format!("notice {known}")).into());
    }
    let (channels, spread) = new.template.channels();
    let planned = Plan {
        notice,
        to: new.to,
        template: new.template,
        about: new.about,
        channels: channels.to_vec(),
        spread,
        due_at: new.due_at,
        not_after: new.not_after.or_else(|| new.template.grace().map(|grace| new.due_at + grace)),
        zone: new.zone,
        urgent: new.urgent,
        key: new.key,
    };
    let organization = change.order.organization.clone();
    for subject in planned.about.ids().into_iter().chain([planned.to.id()]) {
        notices::relate(change.tx, &organization, &subject, &stream)?;
    }
    keep_values(change, &planned, &new.values)?;
    let mut loaded = Loaded::<Notice>::fresh(stream);
    let state = record(change, &mut loaded, &Command::Plan(Box::new(planned)))?;
    begin_turn(change, &state)?;
    Ok(notice)
}

/// Moves a message that has not left, with what changes in it. `false`: there is none, or it was sent, withdrawn or given
/// up already, and a new one is to be planned under another key.
pub(crate) fn shift(
    change: &mut Change<'_, '_>,
    key: &str,
    due_at: Timestamp,
    values: &Values,
) -> Result<bool, Error> {
    let Some((mut loaded, before)) = of_key(change, key)? else { return Ok(false) };
    if before.status() != Status::Planned {
        return Ok(false);
    }
    let forward = due_at.since(before.plan.due_at);
    let back = before.plan.due_at.since(due_at);
    let not_after = before.plan.not_after.map(|last| last + forward - back);
    let state = record(change, &mut loaded, &Command::Move { due_at, not_after })?;
    let known = values_of(change, &state)?;
    keep_values(change, &state.plan, &known.updated(values))?;
    if state.turn != before.turn {
        begin_turn(change, &state)?;
    }
    Ok(true)
}

/// Withdraws messages. Says how many will not be sent.
pub(crate) fn withdraw(
    change: &mut Change<'_, '_>,
    which: &Which,
    reason: &'static str,
) -> Result<u32, Error> {
    let mut count = 0;
    for (mut loaded, before) in chosen(change, which)? {
        let after = record(change, &mut loaded, &Command::Withdraw { reason: reason.to_owned() })?;
        let stopped = before.status() == Status::Planned && after.status() != Status::Planned;
        count += u32::from(stopped);
    }
    Ok(count)
}

fn chosen(change: &mut Change<'_, '_>, which: &Which) -> Result<Vec<(Loaded<Notice>, Notice)>, Error> {
    let (subject, templates) = match which {
        Which::Key(key) => return Ok(of_key(change, key)?.into_iter().collect()),
        Which::About(subject, templates) => (subject, templates),
    };
    let organization = change.order.organization.clone();
    let mut found = Vec::new();
    for stream in notices::list_about(change.tx, &organization, subject, "", ABOUT_MAX)? {
        let (loaded, state) = change.existing::<Notice>(&stream)?;
        if templates.is_empty() || templates.contains(&state.plan.template) {
            found.push((loaded, state));
        }
    }
    Ok(found)
}

fn of_key(change: &mut Change<'_, '_>, key: &str) -> Result<Option<(Loaded<Notice>, Notice)>, Error> {
    let organization = change.order.organization.clone();
    match journal::referred(change.tx, &organization, &key_of(key))? {
        Some(stream) => change.existing::<Notice>(&stream).map(Some),
        None => Ok(None),
    }
}

fn key_of(key: &str) -> String {
    format!("notice:{key}")
}

/// Decides a command on a notice and saves it.
pub(super) fn record(
    change: &mut Change<'_, '_>,
    loaded: &mut Loaded<Notice>,
    command: &Command,
) -> Result<Notice, Error> {
    let events = notice::decide(loaded.state.as_ref(), command)?;
    for event in &events {
        loaded.record(event)?;
    }
    let state = loaded.state.clone().ok_or_else(|| Error::not_found("notice", &loaded.stream))?;
    change.save(loaded, &care(&state.plan))?;
    Ok(state)
}

/// Inserts the work that sends a notice in its present turn.
pub(super) fn begin_turn(change: &mut Change<'_, '_>, notice: &Notice) -> Result<(), Error> {
    let id = notice.plan.notice;
    let job = Job::SendNotice { notice: id, turn: notice.turn, urgent: notice.plan.urgent };
    change.effect(NewEffect {
        id: format!("{id}/send/{}", notice.turn),
        kind: job.kind(),
        lane: None,
        destination: "notices".to_owned(),
        stream: Some(id.to_string()),
        due_at: notice.plan.due_at.max(change.order.now),
        payload: job.payload(),
    })
}

fn keep_values(change: &mut Change<'_, '_>, plan: &Plan, values: &Values) -> Result<(), Error> {
    let text = serde_json::to_string(values)
        .map_err(|_| suture_store::Error::Corrupt("values of a notice".to_owned()))?;
    let place = (change.order.organization.as_str(), &*plan.notice.to_string(), "values");
    let until = keep_until(plan, change.order.now);
    notices::put_text(change.tx, &change.office.keyring, place, &Phi::new(text), until).map_err(Error::from)
}

/// What fills a notice's placeholders; nothing when it was kept too long ago.
pub(super) fn values_of(change: &mut Change<'_, '_>, notice: &Notice) -> Result<Values, Error> {
    let place = (change.order.organization.as_str(), &*notice.plan.notice.to_string(), "values");
    let text = notices::text(change.tx, &change.office.keyring, place)?;
    Ok(text.and_then(|text| serde_json::from_str(text.expose()).ok()).unwrap_or_default())
}

/// Until when the texts of a notice are kept.
pub(super) fn keep_until(plan: &Plan, now: Timestamp) -> Timestamp {
    plan.due_at.max(now) + KEEP
}

fn care(plan: &Plan) -> Care {
    let about = &plan.about;
    let recipient = match plan.to {
        Recipient::Patient(patient) => Some(patient),
        Recipient::Provider(_) => None,
    };
    Care {
        patient: recipient.or(about.patient).map(|id| id.to_string()),
        appointment: about.appointment.map(|id| id.to_string()),
        payment: about.payment.map(|id| id.to_string()),
        ..Care::default()
    }
}

impl Engine {
    /// Plans a message by itself, once for a key.
    ///
    /// # Errors
    /// [`Error::Refused`] when a value is missing that the template needs.
    pub async fn plan_notice(&self, caller: &Caller, new: NewNotice) -> Result<Notice, Error> {
        let order = self.order_of(caller, Reason::of("notice_planned"));
        let lane = new.to.id();
        self.apply(&lane, order, move |change| {
            let notice = plan(change, new.clone())?;
            change.existing::<Notice>(&notice.to_string()).map(|(_, state)| state)
        })
        .await
    }

    /// Moves a message that has not left. `false`: it is too late, or there is none.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn shift_notice(
        &self,
        caller: &Caller,
        key: &str,
        due_at: Timestamp,
        values: Values,
    ) -> Result<bool, Error> {
        let (order, key) = (self.order_of(caller, Reason::of("notice_moved")), key.to_owned());
        self.apply(&key.clone(), order, move |change| shift(change, &key, due_at, &values)).await
    }

    /// Withdraws messages. Says how many will not be sent.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn withdraw_notices(
        &self,
        caller: &Caller,
        which: Which,
        reason: &'static str,
    ) -> Result<u32, Error> {
        let order = self.order_of(caller, Reason::of(reason));
        self.apply("notices", order, move |change| withdraw(change, &which, reason)).await
    }
}
