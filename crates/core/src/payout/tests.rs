//! Story 3 of FLOWS as far as the provider's side decides it: 240.00, of which the platform keeps 15 %.

use super::*;
use crate::currency::Currency;
use crate::id::{Mint, ProviderId, ProviderPayoutId, Random, ServiceId};
use crate::ledger::{Account, Balances, Posting};
use crate::money::Money;
use crate::refusal::Refusal;
use crate::time::Timestamp;

struct Seeded(u8);

impl Random for Seeded {
    fn ten_bytes(&self) -> [u8; 10] {
        [self.0; 10]
    }
}

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_seconds(1_760_000_000 + second)
}

pub(super) fn other(seed: u8) -> ProviderPayoutId {
    ProviderPayoutId::mint(Mint::new(at(0), &Seeded(seed)))
}

pub(super) fn accrual(gross_minor: i64, share: Share, loss: LossRule) -> Accrual {
    let seed = Seeded(1);
    let mint = Mint::new(at(0), &seed);
    Accrual {
        payout: ProviderPayoutId::mint(mint),
        service: ServiceId::mint(mint),
        provider: ProviderId::mint(mint),
        link: "lnk1".into(),
        connection: "con1".into(),
        gateway: "stripe".into(),
        destination: Some("acct_1Provider".into()),
        gross: Money::usd(gross_minor),
        terms: Terms { share, wait_for_note: true, hold_days: 0, loss },
    }
}

/// A payout driven by commands, with the books beside it. The service's own revenue is booked as the service books it.
#[derive(Clone, Default)]
pub(super) struct Story {
    pub(super) payout: Option<ProviderPayout>,
    pub(super) books: Balances,
    keys: std::collections::BTreeSet<String>,
    booked: i64,
}

impl Story {
    pub(super) fn of(accrual: Accrual) -> Self {
        let mut story = Self::default();
        story.service_earns(accrual.gross.minor);
        story.must(&Command::Accrue(Box::new(accrual)));
        story
    }

    /// 240.00 at 15 %, held for payment and note.
    fn accrued(loss: LossRule) -> Self {
        Self::of(accrual(24_000, Share::BasisPoints(1_500), loss))
    }

    /// The same, when the patient has paid and the note is signed.
    fn released(loss: LossRule) -> Self {
        let mut story = Self::accrued(loss);
        story.must(&Command::Unhold { reason: HoldReason::PaymentNotCleared, by: None });
        story.must(&Command::Unhold { reason: HoldReason::NoteIncomplete, by: None });
        story.must(&Command::Release { by: None });
        story
    }

    /// The same, when the provider has the money.
    fn paid(loss: LossRule) -> Self {
        let mut story = Self::released(loss);
        story.send().transfer_done();
        story
    }

    /// What the service books when its patient owes another amount in all.
    pub(super) fn service_earns(&mut self, minor: i64) {
        let change = Money::usd(minor - self.booked);
        if change.minor != 0 {
            let key = format!("s{}:{minor}", self.keys.len());
            self.book(
                &Posting::transfer(key, Account::ArPatient, Account::RevService, change, None).unwrap(),
            );
        }
        self.booked = minor;
    }

    pub(super) fn run(&mut self, command: &Command) -> Result<Vec<Event>, Refusal> {
        let events = decide(self.payout.as_ref(), command, at(0))?;
        for event in &events {
            for posting in postings(self.payout.as_ref(), event).unwrap() {
                self.book(&posting);
            }
            self.payout = ProviderPayout::evolve(self.payout.take(), event);
        }
        Ok(events)
    }

    pub(super) fn must(&mut self, command: &Command) -> &mut Self {
        self.run(command).unwrap_or_else(|refusal| panic!("{command:?}: {refusal}"));
        self
    }

    fn book(&mut self, posting: &Posting) {
        assert!(self.keys.insert(posting.key().to_owned()), "{} was posted twice", posting.key());
        self.books.add(posting).unwrap();
    }

    pub(super) fn state(&self) -> &ProviderPayout {
        self.payout.as_ref().unwrap()
    }

    fn send(&mut self) -> &mut Self {
        self.must(&Command::PlanTransfer { source: None });
        let number = self.state().transfers.last().unwrap().number;
        self.must(&Command::BeginTransfer { number })
    }

    fn transfer_done(&mut self) -> &mut Self {
        let number = self.state().transfers.last().unwrap().number;
        let answer = Answer::Done { id: format!("tr_{number}") };
        self.must(&Command::AnswerTransfer { number, answer })
    }

    fn reverse(&mut self, answer: Answer) -> &mut Self {
        self.must(&Command::PlanReversal);
        let number = self.state().reversals.last().unwrap().number;
        self.must(&Command::BeginReversal { number });
        self.must(&Command::AnswerReversal { number, answer })
    }

    fn addendum(&mut self, gross_minor: i64) -> &mut Self {
        self.service_earns(gross_minor);
        self.must(&Command::Adjust { gross: Money::usd(gross_minor) })
    }

    pub(super) fn balance(&self, code: &str) -> i64 {
        self.books.get(&Account::parse(code).unwrap(), Currency::USD)
    }

    #[track_caller]
    fn books_say(&self, expected: &[(&str, i64)]) {
        let books: Vec<(&str, i64)> = self.books.iter().map(|(code, amount)| (code, amount.minor)).collect();
        assert_eq!(books, expected);
    }

    #[track_caller]
    fn stands(&self, status: Status) {
        assert_eq!(self.state().status(), status, "{:?}", self.state());
    }
}

const SHORT: &str = "balance_insufficient";

fn done(id: &str) -> Answer {
    Answer::Done { id: id.to_owned() }
}

fn declined(code: &str) -> Answer {
    Answer::Declined { code: code.to_owned(), again_at: None }
}

#[test]
fn story_3_the_split_is_36_and_204_and_the_transfer_ends_it() {
    let mut story = Story::accrued(LossRule::ProRata);
    story.stands(Status::Held);
    story.books_say(&[("ar:patient", 24_000), ("owed:provider", -20_400), ("rev:platform", -3_600)]);
    let refused = story.run(&Command::PlanTransfer { source: None }).unwrap_err();
    assert_eq!(refused.code, "payout_held");

    story.must(&Command::Unhold { reason: HoldReason::PaymentNotCleared, by: None });
    story.stands(Status::Held);
    story.must(&Command::Unhold { reason: HoldReason::NoteIncomplete, by: None });
    story.stands(Status::Accrued);
    story.must(&Command::Release { by: None }).stands(Status::Released);
    story.send().stands(Status::Sent);
    story.transfer_done().stands(Status::Paid);
    story.books_say(&[("ar:patient", 24_000), ("gw:stripe", -20_400), ("rev:platform", -3_600)]);
}

#[test]
fn story_3_3_lines_of_what_is_owed_belong_to_the_provider() {
    let event = Event::Accrued(Box::new(accrual(24_000, Share::BasisPoints(1_500), LossRule::ProRata)));
    let posting = postings(None, &event).unwrap().remove(0);
    let owed = posting.lines().iter().find(|line| line.account == Account::OwedProvider).unwrap();
    assert!(owed.party.as_ref().unwrap().starts_with("prv_"));
    assert!(posting.lines().iter().filter(|line| line.party.as_deref() == Some("lnk1")).count() == 2);
}

#[test]
fn story_3d_a_write_off_is_borne_as_agreed() {
    let cases = [
        (LossRule::PlatformBears, 24_000, 20_400, 0),
        (LossRule::ProviderBears, 24_000, 0, 20_400),
        (LossRule::ProRata, 24_000, 0, 20_400),
        (LossRule::PlatformBears, 4_000, 20_400, 0),
        (LossRule::ProviderBears, 4_000, 16_400, 4_000),
        (LossRule::ProRata, 4_000, 17_000, 3_400),
    ];
    for (rule, lost, entitled, borne) in cases {
        let mut story = Story::accrued(rule);
        story.must(&Command::WriteOffShare { lost: Money::usd(lost) });
        assert_eq!(story.state().entitled_minor(), entitled, "{rule:?} of {lost}");
        assert_eq!(story.balance("adj:writeoff"), -borne, "{rule:?} of {lost}");
        assert_eq!(story.balance("owed:provider"), -entitled);
        story.stands(if entitled == 0 { Status::Voided } else { Status::Held });
        // A write-off that is taken back is borne by nobody.
        story.must(&Command::WriteOffShare { lost: Money::usd(0) });
        assert_eq!((story.balance("adj:writeoff"), story.balance("owed:provider")), (0, -20_400));
    }
}

#[test]
fn story_3e_an_addendum_before_the_transfer_lowers_both_parts() {
    let mut story = Story::released(LossRule::ProRata);
    story.must(&Command::PlanTransfer { source: None });
    story.addendum(18_500);
    story.must(&Command::BeginTransfer { number: 1 });
    assert_eq!(story.state().transfers[0].step, Step::Withdrawn, "204.00 is not sent any more");
    story.stands(Status::Released);
    story.send().transfer_done().stands(Status::Paid);
    assert_eq!(story.state().transferred_minor(), 15_725);
    story.books_say(&[("ar:patient", 18_500), ("gw:stripe", -15_725), ("rev:platform", -2_775)]);
}

#[test]
fn story_3e_an_addendum_after_the_transfer_takes_46_75_back_and_the_platform_gives_8_25() {
    let mut story = Story::paid(LossRule::ProRata);
    story.addendum(18_500);
    assert_eq!(story.state().owed_back_minor(), 4_675);
    assert_eq!(story.balance("rev:platform"), -3_600 + 825);
    story.reverse(done("trr_1")).stands(Status::Paid);
    story.books_say(&[("ar:patient", 18_500), ("gw:stripe", -15_725), ("rev:platform", -2_775)]);
    assert!(story.run(&Command::PlanReversal).unwrap().is_empty(), "taken back once");
}

#[test]
fn story_3e_a_connected_balance_that_is_too_small_is_netted_against_the_next_payout() {
    let mut story = Story::paid(LossRule::ProRata);
    story.addendum(18_500).reverse(declined(SHORT));
    assert_eq!(story.balance("owed:provider"), 4_675, "the provider owes it");
    assert_eq!(story.state().owes_minor(), 4_675);
    assert!(story.run(&Command::PlanReversal).unwrap().is_empty(), "a refused reversal is not sent again");

    let mut next = Story::released(LossRule::ProRata);
    let kept = Money::usd(story.state().owes_minor());
    next.must(&Command::Deduct { owed_from: other(1), amount: kept });
    story.must(&Command::Net { against: other(2), amount: kept });
    assert_eq!((story.state().owes_minor(), story.state().owed_back_minor()), (0, 0));
    next.send().transfer_done().stands(Status::Paid);
    assert_eq!(next.state().transferred_minor(), 20_400 - 4_675);
    assert_eq!(story.balance("owed:provider") + next.balance("owed:provider"), 0, "nobody owes anything");
    assert_eq!(
        story.run(&Command::Net { against: other(2), amount: kept }).unwrap_err().code,
        "not_allowed_now"
    );
}

#[test]
fn story_3f_a_raised_charge_sends_the_difference_only() {
    let mut story = Story::paid(LossRule::ProRata);
    story.addendum(29_500);
    story.must(&Command::Hold { reason: HoldReason::PaymentNotCleared, until: None, by: None });
    story.stands(Status::Held);
    story.must(&Command::Unhold { reason: HoldReason::PaymentNotCleared, by: None });
    story.must(&Command::Release { by: None });
    story.send();
    assert_eq!(story.state().transfers[1].amount_minor, 4_675);
    assert_ne!(story.state().transfers[0].key, story.state().transfers[1].key);
    story.transfer_done().stands(Status::Paid);
    story.books_say(&[("ar:patient", 29_500), ("gw:stripe", -25_075), ("rev:platform", -4_425)]);
}

#[test]
fn story_3g_while_a_transfer_is_unknown_nothing_else_is_planned() {
    let mut story = Story::released(LossRule::ProRata);
    story
        .send()
        .must(&Command::AnswerTransfer { number: 1, answer: Answer::Unknown })
        .stands(Status::Unknown);
    assert_eq!(story.run(&Command::PlanTransfer { source: None }).unwrap_err().code, "not_allowed_now");
    story.addendum(18_500);
    assert!(story.run(&Command::PlanReversal).unwrap().is_empty(), "nobody knows yet what the provider has");
    story.transfer_done();
    assert!(story.run(&Command::AnswerTransfer { number: 1, answer: done("tr_1") }).unwrap().is_empty());
    assert_eq!(story.state().to_reverse().unwrap().1, 4_675);
}

#[test]
fn story_3h_a_lost_dispute_claws_the_payout_back() {
    let mut story = Story::paid(LossRule::ProRata);
    let lost = |minor| Command::ClawBack { dispute: "dp_1".into(), lost: Money::usd(minor) };
    story.must(&lost(24_000)).stands(Status::ClawedBack);
    story.reverse(done("trr_1")).stands(Status::ClawedBack);
    assert_eq!((story.balance("owed:provider"), story.balance("gw:stripe")), (0, 0));
    assert_eq!(story.balance("adj:writeoff"), -20_400, "of 240.00 lost, 36.00 stay with the platform");
    assert!(story.run(&lost(24_000)).unwrap().is_empty(), "one loss per dispute");

    let mut story = Story::paid(LossRule::ProRata);
    story.must(&lost(12_000)).reverse(done("trr_1")).stands(Status::PartClawedBack);
    assert_eq!(story.state().transferred_minor(), 10_200);
}

#[test]
fn a_declined_transfer_is_held_and_a_release_by_a_person_plans_another() {
    let mut story = Story::released(LossRule::ProRata);
    story.send().must(&Command::AnswerTransfer { number: 1, answer: declined("account_invalid") });
    story.stands(Status::Held);
    assert!(story.run(&Command::Release { by: None }).unwrap().is_empty(), "no rule lifts it");
    story.must(&Command::Release { by: Some("ops_ann".into()) }).stands(Status::Released);
    story.send();
    assert_ne!(story.state().transfers[0].key, story.state().transfers[1].key);
}

#[test]
fn a_person_lifts_what_may_be_lifted_and_no_rule_holds_it_again() {
    let by = Some("ops_ann".to_owned());
    let mut story = Story::accrued(LossRule::ProRata);
    assert_eq!(story.run(&Command::Release { by: by.clone() }).unwrap_err().code, "payout_held");
    assert_eq!(
        story.run(&Command::Release { by: Some(String::new()) }).unwrap_err().code,
        "authorizer_required"
    );
    story.must(&Command::Unhold { reason: HoldReason::PaymentNotCleared, by: None });
    story.must(&Command::Release { by }).stands(Status::Released);
    let again = Command::Hold { reason: HoldReason::NoteIncomplete, until: None, by: None };
    assert!(story.run(&again).unwrap().is_empty());
    story.must(&Command::Hold { reason: HoldReason::Person, until: None, by: Some("ops_ann".into()) });
    story.stands(Status::Held);
}

#[test]
fn a_payout_without_an_account_waits_for_one() {
    let mut story =
        Story::of(Accrual { destination: None, ..accrual(24_000, Share::Fixed(3_600), LossRule::ProRata) });
    assert!(story.state().holds.contains_key(&HoldReason::NoAccount));
    let refused = story.run(&Command::SetDestination { destination: "acct 1".into() }).unwrap_err();
    assert_eq!(refused.code, "destination_invalid");
    story.must(&Command::SetDestination { destination: "acct_1".into() });
    assert!(!story.state().holds.contains_key(&HoldReason::NoAccount));
}

#[test]
fn terms_that_are_no_terms_and_amounts_that_are_none_are_refused() {
    let wrong = [Share::BasisPoints(10_001), Share::Fixed(-1)];
    for share in wrong {
        let command = Command::Accrue(Box::new(accrual(1, share, LossRule::ProRata)));
        assert_eq!(decide(None, &command, at(0)).unwrap_err().code, "payout_terms_invalid");
    }
    let mut story = Story::accrued(LossRule::ProRata);
    let yen = Money::new(1, Currency::parse("JPY").unwrap());
    assert_eq!(story.run(&Command::Adjust { gross: yen }).unwrap_err().code, "currency_mismatch");
    assert_eq!(
        story.run(&Command::Adjust { gross: Money::usd(-1) }).unwrap_err().code,
        "amount_not_positive"
    );
}

#[test]
fn the_transition_table_is_the_one_in_the_repository() {
    let by = || Some("ops_ann".to_owned());
    let states = [
        ("held", Story::accrued(LossRule::ProRata)),
        ("released", Story::released(LossRule::ProRata)),
        ("planned", {
            let mut story = Story::released(LossRule::ProRata);
            story.must(&Command::PlanTransfer { source: None });
            story
        }),
        ("sent", {
            let mut story = Story::released(LossRule::ProRata);
            story.send();
            story
        }),
        ("unknown", {
            let mut story = Story::released(LossRule::ProRata);
            story.send().must(&Command::AnswerTransfer { number: 1, answer: Answer::Unknown });
            story
        }),
        ("declined", {
            let mut story = Story::released(LossRule::ProRata);
            story.send().must(&Command::AnswerTransfer { number: 1, answer: declined("no") });
            story
        }),
        ("paid", Story::paid(LossRule::ProRata)),
        ("clawed back", {
            let mut story = Story::paid(LossRule::ProRata);
            story.must(&Command::ClawBack { dispute: "dp_1".into(), lost: Money::usd(24_000) });
            story
        }),
    ];
    let commands = [
        ("hold by person", Command::Hold { reason: HoldReason::Person, until: None, by: by() }),
        ("hold disputed", Command::Hold { reason: HoldReason::Disputed, until: None, by: None }),
        ("cleared", Command::Unhold { reason: HoldReason::PaymentNotCleared, by: None }),
        ("release by person", Command::Release { by: by() }),
        ("charge lower", Command::Adjust { gross: Money::usd(18_500) }),
        ("plan transfer", Command::PlanTransfer { source: None }),
        ("begin transfer", Command::BeginTransfer { number: 1 }),
        ("done", Command::AnswerTransfer { number: 1, answer: done("tr_1") }),
        ("lost", Command::AnswerTransfer { number: 1, answer: Answer::Unknown }),
        ("declined", Command::AnswerTransfer { number: 1, answer: declined("no") }),
        ("plan reversal", Command::PlanReversal),
        ("write-off", Command::WriteOffShare { lost: Money::usd(24_000) }),
        ("claw back", Command::ClawBack { dispute: "dp_2".into(), lost: Money::usd(12_000) }),
    ];
    let cell = |story: &Story, command: &Command| match decide(story.payout.as_ref(), command, at(1)) {
        Ok(events) if events.is_empty() => "-".to_owned(),
        Ok(events) => {
            let after = events.iter().fold(story.payout.clone(), ProviderPayout::evolve);
            after.unwrap().status().name().to_owned()
        }
        Err(refusal) => format!("- {}", refusal.code),
    };
    let columns: Vec<&str> = commands.iter().map(|(name, _)| *name).collect();
    let rows: Vec<(String, Vec<String>)> = states
        .iter()
        .map(|(name, story)| {
            ((*name).to_owned(), commands.iter().map(|(_, command)| cell(story, command)).collect())
        })
        .collect();
    crate::tables::check("provider_payout", &columns, &rows);
}
