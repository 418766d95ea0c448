//! A payout follows its service: it is held until the payment clears and the note is signed, adjusted when the charge
//! changes, released by itself, and sent or taken back. All in the transaction of what changed the service.
//!
//! Called at the end of every change of a service, by the timer of a hold, and after every answer about a transfer. A
//! service knows nothing of payouts; the key `payout-of/<service>` leads from one to the other.

use suture_core::explain::Care;
use suture_core::id::ProviderPayoutId;
use suture_core::money::Money;
use suture_core::payment::{DisputeKnown, Payment};
use suture_core::payout::{self, Accrual, Command, Event, HoldReason, ProviderPayout};
use suture_core::refusal::Refusal;
use suture_core::service::{Service, Status};
use suture_core::time::Timestamp;
use suture_store::effects::NewEffect;
use suture_store::journal;

use crate::Error;
use crate::change::{Change, Loaded};
use crate::job::Job;

use super::NewPayout;

/// Payouts that a provider ever owed something from, at most: each is one that a gateway refused to take back from.
const OWING_LOOKED_AT: i64 = 10_000;

const DAY_MILLIS: i64 = 86_400_000;

/// Accrues the payout of a service, held until everything that it waits for is true. A service has one payout: the same
/// word twice gives the same payout.
///
/// # Errors
/// [`Error::Refused`] for terms that are none, and when another provider's payout stands for the service.
pub(crate) fn accrue(
    change: &mut Change<'_, '_>,
    new: &NewPayout,
    (connection, gateway): (&str, &str),
) -> Result<ProviderPayoutId, Error> {
    let (_, service) = change.existing::<Service>(&new.service.to_string())?;
    let id = ProviderPayoutId::mint(change.mint());
    if let Some(known) = change.claim_key(&reference(&new.service.to_string()), &id.to_string())? {
        let (_, known) = change.existing::<ProviderPayout>(&known)?;
        return match known.accrual.provider == new.provider {
            true => Ok(known.accrual.payout),
            false => Err(Error::Refused(Refusal::state(
                "payout_exists",
                "Nothing was accrued: another provider's payout stands for this service.",
            ))),
        };
    }
    let accrual = Accrual {
        payout: id,
        service: new.service,
        provider: new.provider,
        link: service.link.clone(),
        connection: connection.to_owned(),
        gateway: gateway.to_owned(),
        destination: new.destination.clone(),
        gross: new.gross,
        terms: new.terms,
    };
    if accrual.gross.currency != service.currency {
        return Err(Error::Refused(Refusal::invalid(
            "currency_mismatch",
            format!("Nothing was accrued: the service is in {}.", service.currency),
        )));
    }
    let mut loaded = Loaded::<ProviderPayout>::fresh(id.to_string());
    let events = payout::decide(None, &Command::Accrue(Box::new(accrual)), change.order.now)?;
    let care = crate::billing::care_of_service(change, &service)?;
    change.record_all(&mut loaded, &events, &care)?;
    let organization = change.order.organization.clone();
    journal::remember_party(change.tx, &organization, &new.provider.to_string(), &id.to_string(), new.gross)?;
    follow_service(change, &new.service.to_string())?;
    Ok(id)
}

/// Lets the payout of a service follow it, if there is one.
///
/// # Errors
/// [`Error::Store`].
pub(crate) fn follow_service(change: &mut Change<'_, '_>, service: &str) -> Result<(), Error> {
    let organization = change.order.organization.clone();
    let Some(stream) = journal::referred(change.tx, &organization, &reference(service))? else {
        return Ok(());
    };
    let (_, state) = change.existing::<Service>(service)?;
    let (_, payout) = change.existing::<ProviderPayout>(&stream)?;
    let payments = payments_of(change, &state)?;
    let commands = wishes(&payout, &state, &payments, change.order.now);
    change.because("payouts", "service_changed", |change| {
        decide(change, payout.accrual.payout, &commands)?;
        go_on(change, payout.accrual.payout)
    })
}

/// Whether a service has a payout.
pub(crate) fn is_accrued(change: &mut Change<'_, '_>, service: &str) -> Result<bool, Error> {
    let organization = change.order.organization.clone();
    Ok(journal::referred(change.tx, &organization, &reference(service))?.is_some())
}

/// The key under which a service's payout is found.
fn reference(service: &str) -> String {
    format!("payout-of/{service}")
}

fn payments_of(change: &mut Change<'_, '_>, service: &Service) -> Result<Vec<Payment>, Error> {
    let ids = service.payments.keys();
    ids.map(|id| change.existing::<Payment>(id).map(|(_, payment)| payment)).collect()
}

/// What the state of a service means for its payout. Each is nothing when it is known already.
fn wishes(payout: &ProviderPayout, service: &Service, payments: &[Payment], now: Timestamp) -> Vec<Command> {
    let hold = |reason, until| Command::Hold { reason, until, by: None };
    let unhold = |reason| Command::Unhold { reason, by: None };
    let mut commands: Vec<Command> =
        earned(service).map(|gross| Command::Adjust { gross }).into_iter().collect();
    let lost: i64 = service.write_offs.values().sum();
    commands.push(Command::WriteOffShare { lost: Money::new(lost, service.currency) });
    let disputes = || payments.iter().flat_map(|payment| payment.disputes.iter());
    commands.extend(
        disputes()
            .filter(|(_, known)| known.lost && known.amount.currency == service.currency)
            .map(|(dispute, known)| Command::ClawBack { dispute: dispute.clone(), lost: known.amount }),
    );
    commands.push(match disputes().any(|(_, known)| is_open(known)) {
        true => hold(HoldReason::Disputed, None),
        false => unhold(HoldReason::Disputed),
    });
    commands.push(match payout.accrual.terms.wait_for_note && !service.is_noted() {
        true => hold(HoldReason::NoteIncomplete, None),
        false => unhold(HoldReason::NoteIncomplete),
    });
    let is_cleared = service.version > 0 && service.status != Status::Canceled && service.is_even();
    if is_cleared {
        let until = held_until(payout, service);
        // The days are held before the payment's hold ends, so that nothing is ever free in between.
        commands.push(match until {
            Some(until) if until > now => hold(HoldReason::HoldDays, Some(until)),
            _ => unhold(HoldReason::HoldDays),
        });
        commands.push(unhold(HoldReason::PaymentNotCleared));
    } else {
        commands.push(hold(HoldReason::PaymentNotCleared, None));
    }
    let is_over = |(_, hold): &(&HoldReason, &payout::Hold)| hold.until.is_some_and(|until| until <= now);
    commands.extend(payout.holds.iter().filter(is_over).map(|(reason, _)| unhold(*reason)));
    commands
}

/// The whole charge that is shared, when it is known: what the patient owes, and what a payer paid.
fn earned(service: &Service) -> Option<Money> {
    let money = |minor| Some(Money::new(minor, service.currency));
    if service.status == Status::Canceled {
        return money(0);
    }
    let is_decided = service.set_by_person.is_some() || !service.decisions.is_empty();
    if !is_decided || service.is_undecided() {
        return None;
    }
    let by_payer: i64 = service.decisions.iter().map(|(_, split)| split.paid).sum();
    money(service.responsibility_minor().saturating_add(by_payer).max(0))
}

/// Whether a dispute may still take the money.
const fn is_open(known: &DisputeKnown) -> bool {
    use suture_core::evidence::DisputeStatus;
    match known.status {
        DisputeStatus::Inquiry | DisputeStatus::Opened | DisputeStatus::Challenged => !known.lost,
        DisputeStatus::Won | DisputeStatus::Lost | DisputeStatus::InquiryClosed => false,
    }
}

/// The agreed days count from the latest charge. Nothing that was charged: nothing can be asked back by a bank.
fn held_until(payout: &ProviderPayout, service: &Service) -> Option<Timestamp> {
    let days = i64::from(payout.accrual.terms.hold_days);
    let latest =
        service.payments.values().filter(|held| held.net_minor > 0).map(|held| held.charged_at).max()?;
    (days > 0).then(|| Timestamp::from_millis(latest.millis().saturating_add(days * DAY_MILLIS)))
}

/// Decides commands on a payout, one after the other, and saves it once.
pub(super) fn decide(
    change: &mut Change<'_, '_>,
    id: ProviderPayoutId,
    commands: &[Command],
) -> Result<ProviderPayout, Error> {
    let (mut loaded, mut state) = change.existing::<ProviderPayout>(&id.to_string())?;
    let mut any = false;
    for command in commands {
        for event in payout::decide(Some(&state), command, change.order.now)? {
            loaded.record(&event)?;
            any = true;
            if let Event::Held { until: Some(until), .. } = event {
                plan_follow(change, &state, until)?;
            }
        }
        state = loaded.state.clone().unwrap_or(state);
    }
    if any {
        let care = care(change, &state)?;
        change.save(&mut loaded, &care)?;
        remember_owing(change, &state)?;
    }
    Ok(state)
}

/// Remembers that a provider owes something from a payout, under the provider, however many payouts follow.
fn remember_owing(change: &mut Change<'_, '_>, payout: &ProviderPayout) -> Result<(), Error> {
    let id = payout.accrual.payout.to_string();
    if payout.owes_minor() == 0 || change.claim_key(&format!("owing/{id}"), &id)?.is_some() {
        return Ok(());
    }
    let (organization, place) = (change.order.organization.clone(), owing(payout));
    let owed = payout.money(payout.owes_minor());
    Ok(journal::remember_party(change.tx, &organization, &place, &id, owed)?)
}

/// The place under which payouts that a provider owed something from are found.
fn owing(payout: &ProviderPayout) -> String {
    format!("owing/{}", payout.accrual.provider)
}

/// The chain of a payout: its service's.
fn care(change: &mut Change<'_, '_>, payout: &ProviderPayout) -> Result<Care, Error> {
    let (_, service) = change.existing::<Service>(&payout.accrual.service.to_string())?;
    crate::billing::care_of_service(change, &service)
}

/// Looks at a payout again when a hold ends by itself.
fn plan_follow(change: &mut Change<'_, '_>, payout: &ProviderPayout, until: Timestamp) -> Result<(), Error> {
    let id = payout.accrual.payout;
    let job = Job::FollowPayout { payout: id };
    change.effect_once(NewEffect {
        id: format!("{id}/follow/{}", until.millis()),
        kind: job.kind(),
        lane: None,
        destination: "billing".to_owned(),
        stream: Some(id.to_string()),
        due_at: until,
        payload: job.payload(),
    })
}

/// Goes on with a payout as far as its state allows: releases it when nothing holds it, keeps what the provider owes from
/// other payouts, and plans the next transfer or reversal. At most one call is open at a time.
pub(super) fn go_on(change: &mut Change<'_, '_>, id: ProviderPayoutId) -> Result<(), Error> {
    let (_, mut state) = change.existing::<ProviderPayout>(&id.to_string())?;
    if state.to_send_minor() > 0 && state.holds.is_empty() {
        state = decide(change, id, &[Command::Release { by: None }])?;
        state = net_debts(change, state)?;
    }
    if state.to_send_minor() > 0 && state.released && state.holds.is_empty() {
        let source = source_of(change, &state)?;
        state = decide(change, id, &[Command::PlanTransfer { source }])?;
        let number = state.transfers.last().map_or(0, |transfer| transfer.number);
        return plan_call(
            change,
            &state,
            &format!("transfer/{number}"),
            &Job::TransferPayout { payout: id, number },
        );
    }
    if state.to_reverse().is_some() {
        state = decide(change, id, &[Command::PlanReversal])?;
        let number = state.reversals.last().map_or(0, |reversal| reversal.number);
        return plan_call(
            change,
            &state,
            &format!("reversal/{number}"),
            &Job::ReverseTransfer { payout: id, number },
        );
    }
    Ok(())
}

fn plan_call(
    change: &mut Change<'_, '_>,
    payout: &ProviderPayout,
    what: &str,
    job: &Job,
) -> Result<(), Error> {
    let id = payout.accrual.payout;
    change.effect(NewEffect {
        id: format!("{id}/{what}"),
        kind: job.kind(),
        lane: Some(format!("payout/{id}")),
        destination: payout.accrual.connection.clone(),
        stream: Some(id.to_string()),
        due_at: change.order.now,
        payload: job.payload(),
    })
}

/// Keeps what the provider owes from other payouts (FLOWS 3e). Nothing moves in the books: both sides are the provider's.
fn net_debts(change: &mut Change<'_, '_>, mut payout: ProviderPayout) -> Result<ProviderPayout, Error> {
    let own = payout.accrual.payout;
    let (organization, place) = (change.order.organization.clone(), owing(&payout));
    for (stream, ..) in journal::party_history(change.tx, &organization, &place, OWING_LOOKED_AT)? {
        if stream == own.to_string() || payout.to_send_minor() == 0 {
            continue;
        }
        let (_, other) = change.existing::<ProviderPayout>(&stream)?;
        let same = other.accrual.connection == payout.accrual.connection
            && other.accrual.gross.currency == payout.accrual.gross.currency;
        let kept = other.owes_minor().min(payout.to_send_minor());
        if !same || kept <= 0 {
            continue;
        }
        let (id, amount) = (other.accrual.payout, payout.money(kept));
        decide(change, id, &[Command::Net { against: own, amount }])?;
        payout = decide(change, own, &[Command::Deduct { owed_from: id, amount }])?;
    }
    Ok(payout)
}

/// The gateway did not take back what the provider has too much: a person must know, since no other payout may follow.
pub(super) fn ask_for_debt(
    change: &mut Change<'_, '_>,
    payout: &ProviderPayout,
    (number, code): (u32, &str),
) -> Result<(), Error> {
    let id = payout.accrual.payout;
    change.effect_once(NewEffect {
        id: format!("{id}/owing/{number}"),
        kind: "ask_person",
        lane: None,
        destination: "payouts".to_owned(),
        stream: Some(id.to_string()),
        due_at: change.order.now,
        payload: Job::ask(format!(
            "the gateway did not take {} of payout {id} back ({code}); the provider owes it, and it is kept from the next \
             payouts; if none follow, ask the provider for it",
            payout.money(payout.owes_minor())
        )),
    })
}

/// The newest charge of the service that still holds enough: a transfer from it need not wait until the money is available.
fn source_of(change: &mut Change<'_, '_>, payout: &ProviderPayout) -> Result<Option<String>, Error> {
    let (_, service) = change.existing::<Service>(&payout.accrual.service.to_string())?;
    let mut payments = payments_of(change, &service)?;
    payments.sort_by_key(|payment| std::cmp::Reverse(payment.charged_at));
    let wanted = payout.to_send_minor();
    let holds_enough = |payment: &Payment| {
        let taken: i64 = payout
            .transfers
            .iter()
            .filter(|transfer| transfer.source == payment.charge)
            .map(payout::Transfer::left_minor)
            .sum();
        payment.connection == payout.accrual.connection
            && payment.captured_minor - payment.refunded_minor() - taken >= wanted
    };
    Ok(payments.into_iter().find(holds_enough).and_then(|payment| payment.charge))
}
