//! Hearing of a gateway payout: by a webhook, or by the nightly sweep (FLOWS 8i). Both bring the same note.

use suture_connect::gateway::SettlementSeen;
use suture_core::day::Day;
use suture_core::explain::Care;
use suture_core::id::SettlementId;
use suture_core::settlement::{Booking, Command, Event, Heard, Settlement, Standing, decide};
use suture_store::books;
use suture_store::effects::NewEffect;

use crate::Error;
use crate::change::Change;
use crate::connections::Open;
use crate::facts::reference;
use crate::job::Job;

/// Takes in what the gateway says of a payout, and plans to list its lines once they can be listed.
pub(crate) fn take_settlement(
    change: &mut Change<'_, '_>,
    open: &Open,
    seen: &SettlementSeen,
) -> Result<(), Error> {
    let fresh = SettlementId::mint(change.mint());
    let key = reference(&open.id, &seen.payout);
    let known = change.claim_key(&key, &fresh.to_string())?;
    let stream = known.unwrap_or_else(|| fresh.to_string());
    let settlement = SettlementId::parse(&stream).map_err(|_| Error::not_found("settlement", &stream))?;
    let hear = Command::Hear(Box::new(Heard {
        settlement,
        connection: open.id.clone(),
        gateway: open.kind().to_owned(),
        payout: seen.payout.clone(),
        amount: seen.amount,
        created_on: seen.created_on,
        arrives_on: seen.arrives_on,
        linked: seen.linked,
        standing: seen.standing,
        trace: seen.trace.clone(),
    }));
    let see = Command::See {
        standing: seen.standing,
        trace: seen.trace.clone(),
        code: seen.failure.clone(),
        today: Day::utc(change.order.now),
    };
    let state = settle(change, settlement, &[hear, see])?;
    if state.standing == Standing::Failed {
        ask_about_failure(change, &state)?;
    }
    let can_be_listed = seen.ready || !seen.linked;
    if can_be_listed && state.lines.is_none() && state.standing != Standing::Canceled {
        plan_listing(change, settlement, &open.id, None)?;
    }
    Ok(())
}

/// Decides commands on a gateway payout, saves it once, and keeps the list of exceptions in step.
pub(super) fn settle(
    change: &mut Change<'_, '_>,
    id: SettlementId,
    commands: &[Command],
) -> Result<Settlement, Error> {
    let mut loaded = change.load::<Settlement>(&id.to_string())?;
    let mut events = Vec::new();
    for command in commands {
        for event in decide(loaded.state.as_ref(), command)? {
            loaded.record(&event)?;
            events.push(event);
        }
    }
    change.save(&mut loaded, &Care::default())?;
    let organization = change.order.organization.clone();
    for event in &events {
        project(change, &organization, &id.to_string(), event)?;
    }
    loaded.state.ok_or_else(|| Error::not_found("settlement", &id.to_string()))
}

fn project(change: &mut Change<'_, '_>, organization: &str, id: &str, event: &Event) -> Result<(), Error> {
    let now = change.order.now;
    match event {
        Event::LineBooked { transaction, label, amount, booking: Booking::Unexplained, .. } => {
            let exception = books::Exception {
                id: transaction.clone(),
                settlement: id.to_owned(),
                label: label.clone(),
                amount: *amount,
                opened_at: now,
                owner: None,
            };
            books::open_exception(change.tx, organization, &exception)?;
        }
        Event::Assigned { transaction, owner } => {
            books::assign_exception(change.tx, organization, transaction, owner)?;
        }
        Event::Resolved { transaction, .. } => {
            let reason = change.order.reason.as_str().to_owned();
            books::close_exception(change.tx, organization, transaction, &reason, now)?;
        }
        Event::Heard(_)
        | Event::StandingSeen { .. }
        | Event::LineBooked { .. }
        | Event::LinesMatched { .. }
        | Event::Departed { .. }
        | Event::Returned { .. }
        | Event::BankMatched { .. }
        | Event::Closed => {}
    }
    Ok(())
}

/// Plans one page of the listing. The effect is named by its page, so that a page is planned once.
pub(super) fn plan_listing(
    change: &mut Change<'_, '_>,
    settlement: SettlementId,
    connection: &str,
    after: Option<String>,
) -> Result<(), Error> {
    let page = after.clone().unwrap_or_else(|| "first".to_owned());
    let job = Job::ListSettlement { settlement, after };
    change.effect_once(NewEffect {
        id: format!("{settlement}/lines/{page}"),
        kind: job.kind(),
        lane: Some(format!("settlement/{settlement}")),
        destination: connection.to_owned(),
        stream: Some(settlement.to_string()),
        due_at: change.order.now,
        payload: job.payload(),
    })
}

/// A payout that failed needs a person: the bank details are wrong, or the bank refused (FLOWS 8c).
fn ask_about_failure(change: &mut Change<'_, '_>, state: &Settlement) -> Result<(), Error> {
    let settlement = state.heard.settlement;
    let code = state.failure.as_deref().unwrap_or("no reason given");
    let what = format!(
        "gateway payout {} of {} failed ({code}); its entry is reversed and the money is at the gateway again; correct \
         the bank account there, then the next payout includes it",
        state.heard.payout, state.heard.amount
    );
    change.effect_once(NewEffect {
        id: format!("{settlement}/failed"),
        kind: "ask_person",
        lane: None,
        destination: "failed-payouts".to_owned(),
        stream: Some(settlement.to_string()),
        due_at: change.order.now,
        payload: Job::ask(what),
    })
}
