//! Stories and the table of the encounter.

use super::*;
use crate::currency::Currency;
use crate::id::{Mint, Random};

struct Fixed;

impl Random for Fixed {
    fn ten_bytes(&self) -> [u8; 10] {
        [5; 10]
    }
}

fn now() -> Timestamp {
    Timestamp::from_seconds(1_790_000_000)
}

fn mint() -> Mint<'static> {
    Mint::new(now(), &Fixed)
}

fn open() -> Command {
    Command::Open {
        encounter: EncounterId::mint(mint()),
        appointment: AppointmentId::mint(mint()),
        patient: PatientId::mint(mint()),
        provider: ProviderId::mint(mint()),
    }
}

fn signed(text: &str) -> Signed {
    Signed { note: NoteId::mint(mint()), signer: "dr_grey".into(), hash: text.into(), at: now() }
}

fn codes(codes: &[&str]) -> Vec<Coded> {
    codes.iter().map(|code| Coded { code: (*code).to_owned(), units: 1 }).collect()
}

fn finalize(text: &str, with: &[&str]) -> Command {
    Command::Finalize { signed: signed(text), codes: codes(with) }
}

fn prices(prices: &[(&str, Option<i64>)]) -> Command {
    let usd = |minor: i64| Money::new(minor, Currency::USD);
    Command::Price {
        prices: prices.iter().map(|(code, minor)| ((*code).to_owned(), minor.map(usd))).collect(),
    }
}

fn after(commands: &[Command]) -> Option<Encounter> {
    commands.iter().fold(None, |state, command| {
        decide(state.as_ref(), command, now()).unwrap().iter().fold(state, Encounter::evolve)
    })
}

#[test]
fn signing_twice_is_one_version_and_one_price() {
    let both = prices(&[("99214", Some(16_500)), ("90833", Some(7_500))]);
    let sign = finalize("a", &["99214", "90833"]);
    let once = after(&[open(), sign.clone(), both.clone()]).unwrap();
    assert_eq!((once.version, once.total().unwrap().minor), (1, 24_000));
    for again in [sign, both] {
        assert_eq!(decide(Some(&once), &again, now()), Ok(Vec::new()));
    }
    let other = decide(Some(&once), &finalize("b", &["99214"]), now()).unwrap_err();
    assert_eq!(other.code, "note_signed");
}

#[test]
fn a_code_without_a_price_stops_the_charge_and_not_the_note() {
    let half = prices(&[("99214", Some(16_500)), ("90833", None)]);
    let state = after(&[open(), finalize("a", &["99214", "90833"]), half.clone()]).unwrap();
    assert_eq!(
        (state.status, state.missing.clone(), state.total()),
        (Status::Finalized, vec!["90833".into()], None)
    );
    assert_eq!(decide(Some(&state), &half, now()), Ok(Vec::new()), "asked once");
    let all = prices(&[("99214", Some(16_500)), ("90833", Some(7_500))]);
    let priced =
        decide(Some(&state), &all, now()).unwrap().iter().fold(Some(state), Encounter::evolve).unwrap();
    assert_eq!((priced.total().unwrap().minor, priced.missing.len()), (24_000, 0));
}

#[test]
fn an_addendum_with_other_codes_wants_prices_again_and_words_alone_do_not() {
    let priced = [open(), finalize("a", &["99214"]), prices(&[("99214", Some(16_500))])];
    let words = Command::Addend { signed: signed("b"), codes: None };
    let added = after(&[priced.as_slice(), std::slice::from_ref(&words)].concat()).unwrap();
    assert_eq!((added.version, added.needs_price(), added.total().unwrap().minor), (2, false, 16_500));
    let lower = Command::Addend { signed: signed("c"), codes: Some(codes(&["99213"])) };
    let lowered =
        after(&[priced.as_slice(), &[words, lower, prices(&[("99213", Some(11_000))])]].concat()).unwrap();
    assert_eq!((lowered.version, lowered.total().unwrap().minor), (3, 11_000));
}

#[test]
fn wrong_codes_are_refused() {
    for wrong in [
        vec![],
        codes(&["99214", "99214"]),
        codes(&["9"]),
        codes(&["cpt x"]),
        vec![Coded { code: "99214".into(), units: 0 }],
    ] {
        let command = Command::Finalize { signed: signed("a"), codes: wrong };
        assert_eq!(decide(after(&[open()]).as_ref(), &command, now()).unwrap_err().code, "codes_invalid");
    }
}

#[test]
fn the_transition_table_is_the_one_in_the_repository() {
    let document = Command::Document { hash: "d".into(), codes: Vec::new() };
    let sign = finalize("a", &["99214"]);
    let addend = Command::Addend { signed: signed("b"), codes: None };
    let outcome = Command::RecordOutcome { outcome: "improved".into(), by: "dr_grey".into() };
    let states = [
        None,
        after(&[open()]),
        after(&[open(), document.clone()]),
        after(&[open(), sign.clone()]),
        after(&[open(), sign.clone(), addend.clone()]),
    ];
    let commands = [
        ("open", open()),
        ("document", document),
        ("finalize", sign),
        ("addend", addend),
        ("price", prices(&[("99214", Some(16_500))])),
        ("outcome", outcome),
    ];
    let rows: Vec<(String, Vec<String>)> = states
        .iter()
        .map(|state| {
            let cell = |(_, command): &(&str, Command)| match decide(state.as_ref(), command, now()) {
                Ok(events) if events.is_empty() => "=".to_owned(),
                Ok(events) => events
                    .iter()
                    .fold(state.clone(), Encounter::evolve)
                    .map_or_else(String::new, |encounter| {
                        format!("{} v{}", encounter.status.name(), encounter.version)
                    }),
                Err(refusal) => format!("- {}", refusal.code),
            };
            let name = state.as_ref().map_or("nothing", |encounter| encounter.status.name());
            (name.to_owned(), commands.iter().map(cell).collect())
        })
        .collect();
    let columns: Vec<&str> = commands.iter().map(|(name, _)| *name).collect();
    crate::tables::check("encounter", &columns, &rows);
}
