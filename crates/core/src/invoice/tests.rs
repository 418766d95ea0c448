//! Stories of an invoice: made, mirrored, settled, corrected, and its printed transitions.

use super::*;
use crate::id::{Mint, Random};
use crate::time::Timestamp;

struct Fixed;

impl Random for Fixed {
    fn ten_bytes(&self) -> [u8; 10] {
        [3; 10]
    }
}

fn lines(estimate: i64) -> Vec<Line> {
    vec![
        Line { what: "patient_responsibility".into(), amount: Money::usd(3_500) },
        Line { what: "estimate_paid".into(), amount: Money::usd(-estimate) },
    ]
}

fn create(estimate: i64) -> Command {
    let mint = Mint::new(Timestamp::from_seconds(1), &Fixed);
    Command::Create {
        invoice: InvoiceId::mint(mint),
        service: ServiceId::mint(mint),
        patient: PatientId::mint(mint),
        link: "lnk1".into(),
        connection: None,
        lines: lines(estimate),
    }
}

fn revise(estimate: i64, paid_minor: i64, completed: bool) -> Command {
    Command::Revise { lines: lines(estimate), paid_minor, completed }
}

fn after(commands: &[Command]) -> Option<Invoice> {
    commands.iter().fold(None, |state, command| {
        decide(state.as_ref(), command).unwrap().iter().fold(state, Invoice::evolve)
    })
}

#[test]
fn a_credit_is_due_until_the_service_is_completed() {
    let due = after(&[create(6_000), revise(6_000, 0, false)]).unwrap();
    assert_eq!((due.status, due.balance), (Status::CreditDue, Money::usd(-2_500)));
    let refunded = after(&[create(6_000), revise(6_000, 0, false), revise(3_500, 0, true)]).unwrap();
    assert_eq!((refunded.status, refunded.balance), (Status::Paid, Money::usd(0)));
}

#[test]
fn an_invoice_that_ended_is_never_opened_again_silently() {
    let voided = after(&[create(0), Command::Void]);
    assert_eq!(decide(voided.as_ref(), &revise(0, 3_500, true)), Ok(Vec::new()));
    assert_eq!(decide(voided.as_ref(), &Command::Send).unwrap_err().code, "not_allowed_now");
    let paid = after(&[create(3_500), revise(3_500, 0, true)]);
    assert_eq!(decide(paid.as_ref(), &Command::Void).unwrap_err().code, "not_allowed_now");
}

#[test]
fn the_transition_table_is_the_one_in_the_repository() {
    let states = [
        None,
        after(&[create(0)]),
        after(&[create(0), Command::Finalize]),
        after(&[create(0), Command::Send]),
        after(&[create(1_000), Command::Send, revise(1_000, 500, false)]),
        after(&[create(6_000), revise(6_000, 0, false)]),
        after(&[create(3_500), revise(3_500, 0, true)]),
        after(&[create(0), Command::Void]),
        after(&[create(0), Command::GiveUp]),
    ];
    let commands = [
        ("finalize", Command::Finalize),
        ("send", Command::Send),
        ("part paid", revise(0, 500, false)),
        ("credit", revise(6_000, 0, false)),
        ("completed", revise(3_500, 0, true)),
        ("void", Command::Void),
        ("give up", Command::GiveUp),
    ];
    let rows: Vec<(String, Vec<String>)> = states
        .iter()
        .map(|state| {
            let cell = |(_, command): &(&str, Command)| match decide(state.as_ref(), command) {
                Ok(events) if events.is_empty() => "=".to_owned(),
                Ok(events) => events
                    .iter()
                    .fold(state.clone(), Invoice::evolve)
                    .map_or_else(String::new, |invoice| invoice.status.name().to_owned()),
                Err(refusal) => format!("- {}", refusal.code),
            };
            let name = state.as_ref().map_or("nothing", |invoice| invoice.status.name());
            (name.to_owned(), commands.iter().map(cell).collect())
        })
        .collect();
    let columns: Vec<&str> = commands.iter().map(|(name, _)| *name).collect();
    crate::tables::check("invoice", &columns, &rows);
}
