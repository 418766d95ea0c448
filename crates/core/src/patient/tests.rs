//! Stories of customers, methods and consents.

use super::*;
use crate::id::{Mint, Random};

struct Seeded(u8);

impl Random for Seeded {
    fn ten_bytes(&self) -> [u8; 10] {
        [self.0; 10]
    }
}

fn mint(seed: &Seeded) -> Mint<'_> {
    Mint::new(at(0), seed)
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_seconds(1_760_000_000 + second)
}

fn payment(seed: u8) -> PaymentId {
    PaymentId::mint(mint(&Seeded(seed)))
}

fn visa(health_card: HealthCard) -> Method {
    Method {
        connection: "con1".into(),
        id: "pm_1".into(),
        kind: "card".into(),
        brand: Some("visa".into()),
        last4: Some("4242".into()),
        expires: Some((2030, 12)),
        funding: Some("credit".into()),
        health_card,
        removed_at: None,
    }
}

fn consent(purpose: Purpose, cap: i64) -> Consent {
    Consent {
        id: ConsentId::mint(mint(&Seeded(7))),
        method: Some("pm_1".into()),
        purpose,
        cap: Money::usd(cap),
        text_version: "v3".into(),
        text_hash: "a".repeat(64),
        given_by: "web".into(),
        given_at: at(0),
        expires_at: at(86_400),
        withdrawn_at: None,
        used_minor: 0,
    }
}

fn charge(seed: u8, minor: i64) -> Command {
    let charge = Intended {
        method: "pm_1".into(),
        purpose: Purpose::BalanceAfterInsurance,
        amount: Money::usd(minor),
    };
    Command::Charge { payment: payment(seed), charge }
}

fn after(commands: &[Command]) -> Option<Patient> {
    let create = Command::Create { patient: PatientId::mint(mint(&Seeded(1))), external: BTreeMap::new() };
    std::iter::once(&create).chain(commands).fold(None, |state, command| {
        decide(state.as_ref(), command, at(1)).unwrap().iter().fold(state, Patient::evolve)
    })
}

fn refused(state: Option<&Patient>, command: &Command, second: i64) -> &'static str {
    decide(state, command, at(second)).unwrap_err().code
}

#[test]
fn nothing_is_charged_without_a_consent_that_allows_it() {
    let stored = Command::StoreMethod(visa(HealthCard::No));
    let none = after(std::slice::from_ref(&stored));
    assert_eq!(refused(none.as_ref(), &charge(2, 100), 2), "consent_missing");

    let other = after(&[stored.clone(), Command::Consent(consent(Purpose::Estimate, 15_000))]);
    assert_eq!(refused(other.as_ref(), &charge(2, 100), 2), "consent_missing", "for another purpose");

    let held = after(&[stored, Command::Consent(consent(Purpose::BalanceAfterInsurance, 15_000))]);
    assert_eq!(refused(held.as_ref(), &charge(2, 15_001), 2), "consent_cap_exceeded");
    assert_eq!(refused(held.as_ref(), &charge(2, 100), 86_400), "consent_ended");
    assert_eq!(decide(held.as_ref(), &charge(2, 15_000), at(2)).unwrap().len(), 1);
}

#[test]
fn the_cap_counts_every_charge_and_gives_back_what_did_not_happen() {
    let stored = Command::StoreMethod(visa(HealthCard::No));
    let given = Command::Consent(consent(Purpose::BalanceAfterInsurance, 15_000));
    let used = after(&[stored.clone(), given.clone(), charge(2, 10_000)]);
    assert_eq!(refused(used.as_ref(), &charge(3, 5_001), 2), "consent_cap_exceeded");
    assert_eq!(decide(used.as_ref(), &charge(2, 10_000), at(2)), Ok(Vec::new()), "the same payment again");
    let returned = after(&[stored, given, charge(2, 10_000), Command::Return { payment: payment(2) }]);
    assert!(decide(returned.as_ref(), &charge(3, 15_000), at(2)).is_ok());
}

#[test]
fn a_withdrawn_consent_and_a_removed_card_allow_nothing() {
    let stored = Command::StoreMethod(visa(HealthCard::No));
    let given = consent(Purpose::BalanceAfterInsurance, 15_000);
    let id = given.id;
    let withdrawn =
        after(&[stored.clone(), Command::Consent(given.clone()), Command::Withdraw { consent: id }]);
    assert_eq!(refused(withdrawn.as_ref(), &charge(2, 100), 2), "consent_ended");
    let removed = Command::RemoveMethod { method: "pm_1".into() };
    let late = Command::StoreMethod(Method { last4: Some("1881".into()), ..visa(HealthCard::No) });
    let gone = after(&[stored, Command::Consent(given), removed, late]);
    assert_eq!(refused(gone.as_ref(), &charge(2, 100), 2), "method_missing", "even after a late word");
}

#[test]
fn an_expired_card_is_not_tried() {
    let old = Method { expires: Some((2020, 1)), ..visa(HealthCard::No) };
    let state = after(&[
        Command::StoreMethod(old),
        Command::Consent(consent(Purpose::BalanceAfterInsurance, 15_000)),
    ]);
    assert_eq!(refused(state.as_ref(), &charge(2, 100), 2), "method_expired");
    let november = Method { expires: Some((2025, 10)), ..visa(HealthCard::No) };
    assert!(!november.is_expired(at(0)), "9 October 2025 is before the end of October");
}

#[test]
fn a_health_card_never_pays_for_a_missed_visit() {
    let state = after(&[Command::StoreMethod(visa(HealthCard::Yes))]);
    let fee = Command::Consent(consent(Purpose::MissedVisitFee, 2_500));
    assert_eq!(refused(state.as_ref(), &fee, 2), "health_card_refused");
    // Consent came first, then staff learned what the card is.
    let marked = after(&[
        Command::StoreMethod(visa(HealthCard::Unknown)),
        fee,
        Command::MarkHealthCard { method: "pm_1".into(), health_card: HealthCard::Yes },
        Command::StoreMethod(visa(HealthCard::Unknown)),
    ]);
    let fee = Intended { method: "pm_1".into(), purpose: Purpose::MissedVisitFee, amount: Money::usd(2_500) };
    let fee = Command::Charge { payment: payment(2), charge: fee };
    assert_eq!(refused(marked.as_ref(), &fee, 2), "health_card_refused");
}

#[test]
fn a_second_customer_is_a_conflict_once_and_never_adopted() {
    let connect = |customer: &str| Command::ConnectCustomer {
        connection: "con1".into(),
        customer: customer.into(),
        adopted: true,
    };
    let state = after(&[connect("cus_1"), connect("cus_2"), connect("cus_2"), connect("cus_1")]).unwrap();
    assert_eq!(state.customers["con1"], "cus_1");
    assert_eq!(state.conflicts, vec![("con1".to_owned(), "cus_2".to_owned())]);
}

#[test]
fn the_transition_table_is_the_one_in_the_repository() {
    let stored = Command::StoreMethod(visa(HealthCard::No));
    let given = Command::Consent(consent(Purpose::BalanceAfterInsurance, 15_000));
    let states = [
        ("nothing", None),
        ("created", after(&[])),
        ("method on file", after(std::slice::from_ref(&stored))),
        ("consented", after(&[stored.clone(), given.clone()])),
        ("charged", after(&[stored.clone(), given.clone(), charge(2, 15_000)])),
    ];
    let connect =
        Command::ConnectCustomer { connection: "con1".into(), customer: "cus_1".into(), adopted: false };
    let commands = [
        ("request customer", Command::RequestCustomer { connection: "con1".into() }),
        ("connect customer", connect),
        ("store method", stored),
        ("remove method", Command::RemoveMethod { method: "pm_1".into() }),
        ("consent", given),
        ("charge", charge(3, 10_000)),
        ("return", Command::Return { payment: payment(2) }),
    ];
    let rows: Vec<(String, Vec<String>)> = states
        .iter()
        .map(|(name, state)| {
            let cell = |(_, command): &(&str, Command)| match decide(state.as_ref(), command, at(2)) {
                Ok(events) if events.is_empty() => "=".to_owned(),
                Ok(events) => events.iter().map(Event::kind).collect::<Vec<_>>().join(" + "),
                Err(refusal) => format!("- {}", refusal.code),
            };
            ((*name).to_owned(), commands.iter().map(cell).collect())
        })
        .collect();
    let columns: Vec<&str> = commands.iter().map(|(name, _)| *name).collect();
    crate::tables::check("patient", &columns, &rows);
}
