//! Sending: what a notice does next is decided in one transaction, the letter leaves after it, and what became of it is
//! recorded in another.
//!
//! What must stay true: that a letter is about to leave is stored before it leaves. After a crash between the two, the
//! same channel is taken again only when its provider knows the key; otherwise the outcome is unknown and the next channel
//! is taken. So a message may come by two channels, and by one channel once.

use std::time::Duration;

use suture_core::id::NoticeId;
use suture_core::notice::{Channel, Command, Next, Notice, Status, next};
use suture_core::time::Timestamp;
use suture_store::effects::{self, Lease, NewEffect, State};

use super::carry::{Carried, LIMIT};
use super::office::Carrier;
use super::plan::record;
use super::render::{House, Letter, Reach, house, keep, kept, letter, reach};
use crate::Error;
use crate::change::{Change, Loaded};
use crate::engine::Engine;
use crate::handoff::LEASE;
use crate::job::Job;
use crate::worker::{After, Working};

/// Waits after a try that is proven not to have reached anybody, in seconds. After the last the channel is given up.
const LADDER_SECONDS: [u64; 6] = [5, 30, 120, 600, 1_800, 3_600];
/// Letters of one piece of work at most: every channel, and each of them once more after a crash.
const LETTERS_MAX: usize = 2 * Channel::ALL.len();

/// Leases of one piece of work after which a provider that takes a key is not asked again.
const ATTEMPTS_MAX: usize = 12;

/// What a piece of work does next.
enum Step {
    /// A letter is to leave.
    Leave(Box<Letter>, Carrier),
    /// Nothing until then.
    Wait(Timestamp, &'static str),
    /// Nothing more; the effect is finished.
    Ended,
}

impl Engine {
    pub(crate) async fn send_notice(
        &self,
        working: &Working,
        (notice, turn): (NoticeId, u32),
        urgent: bool,
    ) -> Result<After, Error> {
        let pool = if urgent { "urgent" } else { "routine" };
        let Some(_place) = self.0.outward.letters.enter(pool) else {
            return self.wait_for_turn(working).await;
        };
        let (organization, stream) = (working.effect.organization.clone(), notice.to_string());
        for _ in 0..LETTERS_MAX {
            if self.now() + LIMIT > working.until {
                break;
            }
            let (order, lease) = (self.order(&organization, "notices", "notice_sent"), working.lease.clone());
            let step =
                self.apply(&stream, order, move |change| advance(change, notice, turn, &lease)).await?;
            let (letter, carrier) = match step {
                Step::Ended => return Ok(After::Finished),
                Step::Wait(at, why) => {
                    return Ok(After::Again { at, error: why.to_owned(), job: None });
                }
                Step::Leave(letter, carrier) => (letter, carrier),
            };
            let outcome = match self.carry((&organization, notice), &letter, &carrier).await {
                Carried::Known(outcome) => outcome,
                Carried::AskAgain(why) => {
                    let at = self.now() + rung(working.effect.attempts);
                    return Ok(After::Again { at, error: why.to_owned(), job: None });
                }
            };
            self.0.metrics.count("notices", &outcome_label(&letter, &outcome));
            if let Some(again) = self.learn(&organization, notice, outcome).await? {
                return Ok(again);
            }
        }
        let error = "its turn is over; the rest follows".to_owned();
        Ok(After::Again { at: self.now(), error, job: None })
    }

    /// Records what became of a letter. Says when to try again, when that is known.
    async fn learn(
        &self,
        organization: &str,
        notice: NoticeId,
        outcome: Command,
    ) -> Result<Option<After>, Error> {
        let order = self.order(organization, "notices", "notice_sent");
        let not_sent = match &outcome {
            Command::RecordNotSent { channel, code } => Some((*channel, code.clone())),
            _ => None,
        };
        let state = self
            .apply(&notice.to_string(), order, move |change| {
                let (mut loaded, _) = change.existing::<Notice>(&notice.to_string())?;
                record(change, &mut loaded, &outcome)
            })
            .await?;
        let Some((channel, code)) = not_sent else { return Ok(None) };
        let tries = usize::try_from(state.tries(channel)).unwrap_or(usize::MAX);
        // After the last rung the next step gives the channel up.
        let Some(seconds) = LADDER_SECONDS.get(tries.saturating_sub(1)) else { return Ok(None) };
        let at = self.now() + Duration::from_secs(*seconds);
        let error = format!("not taken by {} ({code})", channel.name());
        Ok(Some(After::Again { at, error, job: None }))
    }
}

/// How long to wait before a provider is asked again with the same key.
fn rung(attempts: i64) -> Duration {
    let index = usize::try_from(attempts.max(1) - 1).unwrap_or(usize::MAX).min(LADDER_SECONDS.len() - 1);
    Duration::from_secs(LADDER_SECONDS[index])
}

fn outcome_label(letter: &Letter, outcome: &Command) -> String {
    let word = match outcome {
        Command::RecordSent { .. } => "sent",
        Command::RecordFailed { .. } => "failed",
        Command::RecordNotSent { .. } => "not_sent",
        _ => "unknown",
    };
    format!("channel=\"{}\",outcome=\"{word}\"", letter.channel.name())
}

/// Goes on with a notice until a letter is to leave, or something must be waited for, or it has ended.
fn advance(change: &mut Change<'_, '_>, notice: NoticeId, turn: u32, lease: &Lease) -> Result<Step, Error> {
    let (mut loaded, mut state) = change.existing::<Notice>(&notice.to_string())?;
    if state.turn != turn {
        return end(change, lease, &state, "another piece of work sends it");
    }
    let house = house(change)?;
    if let Some(channel) = state.trying() {
        // This process holds the only lease, so whoever tried it died without an answer.
        let carrier = change.office.carrier(channel, house.is_sandbox);
        if let Some(letter) = again(change, &state, channel, (&carrier, lease))? {
            return leave(change, lease, letter, carrier);
        }
        let code = "stopped_in_the_middle".to_owned();
        let outcome = match carrier {
            // Nothing leaves for our own inbox before it is kept.
            Carrier::Inbox => Command::RecordNotSent { channel, code },
            Carrier::Mail(_) | Carrier::Text(_) => Command::RecordUnknown { channel, code },
        };
        state = record(change, &mut loaded, &outcome)?;
    }
    let reach = reach(change, &state)?;
    loop {
        let command = match next(&state, &reach.ways, &change.office.settings.rules, change.order.now) {
            Next::Nothing => return end(change, lease, &state, state.status().name()),
            Next::Wait(until) => return Ok(wait(&state, until)),
            Next::Suppress(channel, reason) => Command::Suppress { channel, reason },
            Next::Try(channel) => {
                match attempt(change, &mut loaded, (&state, &house), &reach, channel, lease)? {
                    Tried::Leaves(step) => return Ok(step),
                    Tried::Over(command) => command,
                }
            }
        };
        state = record(change, &mut loaded, &command)?;
    }
}

fn wait(state: &Notice, until: Timestamp) -> Step {
    let why = if until == state.plan.due_at { "it is not due yet" } else { "quiet hours" };
    Step::Wait(until, why)
}

/// What came of taking a channel, as far as the house goes.
enum Tried {
    Leaves(Step),
    Over(Command),
}

fn attempt(
    change: &mut Change<'_, '_>,
    loaded: &mut Loaded<Notice>,
    (state, house): (&Notice, &House),
    reach: &Reach,
    channel: Channel,
    lease: &Lease,
) -> Result<Tried, Error> {
    if usize::try_from(state.tries(channel)).is_ok_and(|tries| tries > LADDER_SECONDS.len()) {
        return Ok(Tried::Over(Command::RecordFailed { channel, code: "given_up".to_owned() }));
    }
    let letter = match letter(change, (state, house), reach, channel)? {
        Ok(letter) => letter,
        Err(refusal) => {
            // The word itself stays out of this question: it could tell what the patient is treated for.
            let what = format!(
                "the message {} was not sent by {} ({}): a value or a wording tells too much or is missing; correct it, \
                 and tell the recipient in another way",
                state.plan.template.name(),
                channel.name(),
                refusal.code
            );
            ask(change, state, &format!("words/{}", channel.name()), what)?;
            return Ok(Tried::Over(Command::RecordFailed { channel, code: refusal.code.to_owned() }));
        }
    };
    keep(change, state, &letter)?;
    record(change, loaded, &Command::Try { channel })?;
    match change.office.carrier(channel, house.is_sandbox) {
        Carrier::Inbox => Ok(Tried::Over(Command::RecordSent { channel, reference: "inbox".to_owned() })),
        carrier => leave(change, lease, letter, carrier).map(Tried::Leaves),
    }
}

/// The letter that left without an answer, when sending it again is sending the same, and still makes sense.
fn again(
    change: &mut Change<'_, '_>,
    state: &Notice,
    channel: Channel,
    (carrier, lease): (&Carrier, &Lease),
) -> Result<Option<Letter>, Error> {
    let tired = usize::try_from(lease.attempt).is_ok_and(|attempt| attempt > ATTEMPTS_MAX);
    let late = state.plan.not_after.is_some_and(|last| last < change.order.now);
    if tired || late || state.withdrawn.is_some() {
        return Ok(None);
    }
    match carrier {
        Carrier::Text(route) if route.takes_key() => kept(change, state, channel),
        Carrier::Inbox | Carrier::Mail(_) | Carrier::Text(_) => Ok(None),
    }
}

/// Lets a letter leave, if this process still holds the work.
fn leave(
    change: &mut Change<'_, '_>,
    lease: &Lease,
    letter: Letter,
    carrier: Carrier,
) -> Result<Step, Error> {
    let organization = &change.order.organization;
    let effect = effects::get(change.tx, organization, &lease.id)?;
    let effect = effect.ok_or_else(|| Error::not_found("effect", &lease.id))?;
    effects::save(change.tx, lease, &effect.payload, change.order.now + LEASE)?;
    Ok(Step::Leave(Box::new(letter), carrier))
}

/// Ends this piece of work. Somebody is asked when an urgent message reached nobody.
fn end(change: &mut Change<'_, '_>, lease: &Lease, state: &Notice, note: &str) -> Result<Step, Error> {
    let reached_nobody = matches!(state.status(), Status::Failed | Status::Suppressed | Status::Unknown);
    if state.plan.urgent && reached_nobody {
        let what = format!(
            "the urgent message {} to {} reached nobody ({}); tell them in another way",
            state.plan.template.name(),
            state.plan.to.id(),
            state.status().name()
        );
        ask(change, state, "unreached", what)?;
    }
    effects::finish(change.tx, lease, State::Done, Some(note), change.order.now)?;
    Ok(Step::Ended)
}

fn ask(change: &mut Change<'_, '_>, state: &Notice, about: &str, what: String) -> Result<(), Error> {
    let notice = state.plan.notice;
    change.effect_once(NewEffect {
        id: format!("{notice}/{about}"),
        kind: "ask_person",
        lane: None,
        destination: "unreached-people".to_owned(),
        stream: Some(notice.to_string()),
        due_at: change.order.now,
        payload: Job::ask(what),
    })
}
