//! Playing the acts of services: care, claims, rulings of payers, settling, and what is left.

use suture_core::adjudication::{Adjudication, Adjustment, Group, Outcome};
use suture_core::money::Money;
use suture_core::redact::Phi;
use suture_core::service::{Command, Line, NoteKind, Service, Status};
use suture_engine::billing::Note;

use super::acts::{Act, Ruling};
use super::desk::{Desk, Seat, at, how, part};
use super::play::answered;

/// What the care of a schedule costs, in minor units.
const CHARGE: i64 = 30_000;

impl Desk {
    /// Plays an act of a service.
    ///
    /// # Errors
    /// A sentence when something failed that no fault explains.
    pub(super) async fn serve(&mut self, seat: &Seat, act: Act) -> Result<(), String> {
        let (Act::Further { service }
        | Act::Rule { service, .. }
        | Act::SetByHand { service, .. }
        | Act::Settle { service, .. }
        | Act::Charge { service, .. }
        | Act::PayAtDesk { service, .. }
        | Act::WriteOff { service, .. }
        | Act::UndoWriteOff { service }
        | Act::CancelService { service }) = act
        else {
            return Ok(());
        };
        let Some(known) = at(&self.services, service) else { return Ok(()) };
        let service = match seat.engine.service(seat.organization(), known.id).await {
            Ok(service) => service,
            Err(error) => return Err(error.to_string()),
        };
        match act {
            Act::Further { .. } => self.further(seat, &service).await,
            Act::Settle { twice, .. } => settle(seat, &service, twice).await,
            Act::Charge { card, twice, .. } => charge(seat, &service, card, twice).await,
            other => match self.command(&service, other) {
                Some(command) => change(seat, &service, command).await,
                None => Ok(()),
            },
        }
    }

    /// The command that an act means, if there is anything to do.
    fn command(&self, service: &Service, act: Act) -> Option<Command> {
        let number = self.count;
        let due = service.worksheet().difference.minor;
        Some(match act {
            Act::Rule { ruling, patient, contractual, refused, .. } => {
                return ruled(service, number, ruling, [patient, contractual, refused]);
            }
            Act::SetByHand { minor, .. } => {
                Command::SetResponsibility { responsibility: Money::usd(minor), author: "biller".to_owned() }
            }
            Act::PayAtDesk { minor, .. } => Command::RecordElsewhere {
                reference: format!("till-{number}"),
                amount: Money::usd(minor),
                author: "front desk".to_owned(),
            },
            Act::WriteOff { percent, .. } => Command::WriteOff {
                amount: part(due, percent),
                approver: "manager".to_owned(),
                reason: "hardship".to_owned(),
            },
            Act::UndoWriteOff { .. } => {
                let number = *service.write_offs.keys().next_back()?;
                Command::UndoWriteOff { number, approver: "manager".to_owned() }
            }
            Act::CancelService { .. } => {
                Command::Cancel { by: "clinic".to_owned(), reason: "doctor_ill".to_owned() }
            }
            _ => return None,
        })
    }

    /// The next step on the usual way of a service.
    async fn further(&self, seat: &Seat, service: &Service) -> Result<(), String> {
        let command = match service.status {
            Status::Pending | Status::Scheduled => {
                let line = |code: &str, minor| Line { code: code.to_owned(), charge: Money::usd(minor) };
                Command::Deliver { lines: vec![line("99214", CHARGE - 9_000), line("90837", 9_000)] }
            }
            Status::Delivered => {
                let text = Phi::new("S: well. O: well. A: well. P: none.".to_owned());
                let note = Note { kind: NoteKind::Note, signer: "dr-a".to_owned(), text };
                return answered(seat.engine.sign_note(&seat.caller, service.id, note).await);
            }
            Status::Noted => Command::Bill { claim: format!("CLM{}", self.count) },
            Status::Billed => {
                let Some(command) = ruled(service, self.count, Ruling::Processed, [20, 40, 0]) else {
                    return Ok(());
                };
                command
            }
            Status::Adjudicated => return settle(seat, service, false).await,
            Status::Settling => return charge(seat, service, Some("pm_card_visa"), false).await,
            Status::Completed | Status::Canceled => return Ok(()),
        };
        change(seat, service, command).await
    }
}

async fn change(seat: &Seat, service: &Service, command: Command) -> Result<(), String> {
    answered(seat.engine.change_service(&seat.caller, service.id, command, "desk").await)
}

async fn settle(seat: &Seat, service: &Service, twice: bool) -> Result<(), String> {
    let at_one = seat.engine.settle_service(&seat.caller, service.id);
    if !twice {
        return answered(at_one.await);
    }
    let (one, other) = tokio::join!(at_one, seat.other.settle_service(&seat.caller, service.id));
    answered(one)?;
    answered(other)
}

async fn charge(
    seat: &Seat,
    service: &Service,
    card: Option<&'static str>,
    twice: bool,
) -> Result<(), String> {
    let at_one = seat.engine.charge_balance(&seat.caller, service.id, how(card));
    if !twice {
        return answered(at_one.await);
    }
    let (one, other) = tokio::join!(at_one, seat.other.charge_balance(&seat.caller, service.id, how(card)));
    answered(one)?;
    answered(other)
}

/// A ruling whose parts add up: PR, CO-45 and what is refused in hundredths of the charge; the payer pays the rest.
fn ruled(service: &Service, number: usize, ruling: Ruling, parts: [i64; 3]) -> Option<Command> {
    let latest = || service.decisions.last().map(|(decision, _)| decision);
    let outcome = match ruling {
        Ruling::Repeated => return latest().cloned().map(Command::Adjudicate),
        Ruling::Reversed => {
            let taken_back = latest().filter(|latest| latest.outcome != Outcome::Reversal)?.reversed();
            let key = format!("ruling-{number}");
            return Some(Command::Adjudicate(Adjudication { key, ..taken_back }));
        }
        Ruling::Processed => Outcome::Processed,
        Ruling::Denied => Outcome::Denied,
        Ruling::Forwarded => Outcome::Forwarded,
    };
    let [patient, contractual, refused] = parts.map(|percent| CHARGE * percent / 100);
    let all = [
        (Group::Patient, "1", patient),
        (Group::Contractual, "45", contractual),
        (Group::Contractual, "16", refused / 2),
        (Group::Other, "23", refused - refused / 2),
    ];
    let paid = CHARGE - patient - contractual - refused;
    // What a payer refuses it does not pay either.
    let unpaid = if outcome == Outcome::Denied { paid } else { 0 };
    let mut adjustments: Vec<Adjustment> = all
        .into_iter()
        .filter(|(_, _, minor)| *minor != 0)
        .map(|(group, reason, minor)| adjustment(group, reason, minor))
        .collect();
    adjustments.extend((unpaid != 0).then(|| adjustment(Group::Contractual, "29", unpaid)));
    Some(Command::Adjudicate(Adjudication {
        key: format!("ruling-{number}"),
        source: format!("manual-{number}"),
        outcome,
        charge: Money::usd(CHARGE),
        paid: Money::usd(paid - unpaid),
        adjustments,
    }))
}

fn adjustment(group: Group, reason: &str, minor: i64) -> Adjustment {
    Adjustment { line: None, group, reason: reason.to_owned(), amount: Money::usd(minor) }
}
