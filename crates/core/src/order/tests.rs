//! Stories of an order's money, with the numbers of FLOWS §7.

use std::collections::BTreeMap;

use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

use super::*;
use crate::id::{DebtId, Mint, OrderId, PaymentId, Random};
use crate::ledger::Posting;
use crate::money::Money;
use crate::payment;
use crate::time::Timestamp;

struct Fixed(u8);

impl Random for Fixed {
    fn ten_bytes(&self) -> [u8; 10] {
        [self.0; 10]
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_seconds(second)
}

fn placing() -> Placing {
    let mint = Mint::new(at(1), &Fixed(1));
    Placing {
        id: OrderId::mint(mint),
        reference: "SHOP-1001".into(),
        buyer: "buyer-7".into(),
        link: "lnk_1".into(),
        debt: DebtId::mint(mint),
        lines: vec![Line { product: "brace".into(), quantity: 2, unit_price_minor: 5_000 }],
        tax_minor: 800,
        shipping_minor: 0,
        total: Money::usd(10_800),
        ship_method: None,
    }
}

/// An order with the books that its events made.
#[derive(Clone, Default)]
struct Story {
    order: Option<Order>,
    books: BTreeMap<String, i64>,
    keys: Vec<String>,
}

impl Story {
    fn placed() -> Self {
        Self::default().done(&Command::Place(Box::new(placing())))
    }

    fn done(mut self, command: &Command) -> Self {
        for event in decide(self.order.as_ref(), command, at(2)).unwrap() {
            self.record(&event);
        }
        self
    }

    fn record(&mut self, event: &Event) {
        for posting in postings(self.order.as_ref(), event).unwrap() {
            self.book(&posting);
        }
        self.order = Order::evolve(self.order.take(), event);
    }

    fn book(&mut self, posting: &Posting) {
        assert!(!self.keys.contains(&posting.key().to_owned()), "{} twice", posting.key());
        self.keys.push(posting.key().to_owned());
        for line in posting.lines() {
            *self.books.entry(line.account.code()).or_default() += line.amount.minor;
        }
    }

    /// As the payment's own stream books it: `Dr gw / Cr deposit:customer` and back.
    fn paid(mut self, captured: i64, refunded: i64) -> Self {
        let before = self.order().net_minor();
        let net = captured - refunded;
        *self.books.entry("gw:stripe".into()).or_default() += net - before;
        *self.books.entry("deposit:customer".into()).or_default() -= net - before;
        let paid = Paid { status: payment::Status::Captured, net_minor: net, captured_minor: captured };
        let payment = PaymentId::mint(Mint::new(at(1), &Fixed(2)));
        self.record(&Event::PaymentMoved { payment, paid });
        self
    }

    fn invoiced(self) -> Self {
        self.done(&Command::See(Seen { invoices: vec![invoice(41, 10_800, 800)], ..Seen::default() }))
    }

    fn order(&self) -> &Order {
        self.order.as_ref().unwrap()
    }

    fn cents(&self, account: &str) -> i64 {
        self.books.get(account).copied().unwrap_or(0)
    }
}

fn invoice(number: i64, total_minor: i64, tax_minor: i64) -> Invoice {
    Invoice {
        number,
        total_minor,
        tax_minor,
        at: at(3),
        applied_minor: 0,
        credited_minor: 0,
        returned_minor: 0,
    }
}

fn apply(minor: i64, reference: &str) -> Command {
    Command::Apply { invoice: 41, amount: Money::usd(minor), reference: reference.into() }
}

fn credit(minor: i64, tax_minor: i64, reference: &str) -> Command {
    Command::Credit { invoice: 41, amount: Money::usd(minor), tax_minor, reference: reference.into() }
}

#[test]
fn story_7_the_deposit_pays_the_invoice_and_nothing_is_owed() {
    let story = Story::placed().paid(10_800, 0);
    assert_eq!((story.order().status(), story.cents("deposit:customer")), (Status::Paid, -10_800));
    let story = story.invoiced();
    assert_eq!(
        (story.cents("ar:customer"), story.cents("rev:service"), story.cents("tax:payable")),
        (10_800, -10_000, -800)
    );
    let story = story.done(&apply(10_800, "a"));
    assert_eq!((story.cents("ar:customer"), story.cents("deposit:customer")), (0, 0));
    assert_eq!(story.order().status(), Status::Settled);
}

#[test]
fn story_7e_a_refund_before_the_invoice_leaves_less_to_apply() {
    let story = Story::placed().paid(10_800, 5_400).invoiced();
    let refused = decide(story.order.as_ref(), &apply(10_800, "a"), at(4)).unwrap_err();
    assert_eq!(refused.code, "application_exceeds");
    let story = story.done(&credit(5_400, 400, "m")).done(&apply(5_400, "a"));
    assert_eq!(
        (story.cents("ar:customer"), story.cents("deposit:customer"), story.cents("rev:service")),
        (0, 0, -5_000)
    );
}

#[test]
fn story_7e_a_refund_after_the_invoice_is_a_credit_memo() {
    let story = Story::placed().paid(10_800, 0).invoiced().done(&apply(10_800, "a")).paid(10_800, 5_400);
    assert_eq!((story.order().unapplied_minor(), story.cents("deposit:customer")), (-5_400, 5_400));
    let story = story.done(&credit(5_400, 400, "m"));
    assert_eq!(
        (story.cents("ar:customer"), story.cents("deposit:customer"), story.order().unapplied_minor()),
        (0, 0, 0)
    );
    assert_eq!((story.cents("rev:service"), story.cents("tax:payable")), (-5_000, -400));
}

#[test]
fn an_order_that_does_not_add_up_is_refused_with_both_sums() {
    let wrong = Placing { total: Money::usd(10_700), ..placing() };
    let refused = decide(None, &Command::Place(Box::new(wrong)), at(1)).unwrap_err();
    assert!(refused.detail.contains("108.00") && refused.detail.contains("107.00"), "{refused}");
    let named = Placing { buyer: "Ann O'Hara".into(), ..placing() };
    assert_eq!(decide(None, &Command::Place(Box::new(named)), at(1)).unwrap_err().code, "order_invalid");
}

#[test]
fn the_transition_table_is_the_one_in_the_repository() {
    let held = Command::Hold { reason: "declined".into() };
    let cancel = Command::Cancel { reason: "unpaid".into() };
    let states: Vec<(&str, Story)> = vec![
        ("placed", Story::placed()),
        ("held", Story::placed().done(&held)),
        ("paid", Story::placed().paid(10_800, 0)),
        ("invoiced", Story::placed().paid(10_800, 0).invoiced()),
        ("settled", Story::placed().paid(10_800, 0).invoiced().done(&apply(10_800, "a"))),
        ("refunded", Story::placed().paid(10_800, 10_800)),
        ("canceled", Story::placed().done(&cancel)),
    ];
    let seen = Seen { invoices: vec![invoice(42, 100, 0)], ..Seen::default() };
    let commands: [(&str, Command); 6] = [
        ("hold", held),
        ("release", Command::Release),
        ("cancel", cancel),
        ("invoice", Command::See(seen)),
        ("apply", apply(100, "b")),
        ("credit", credit(100, 0, "c")),
    ];
    let cell = |story: &Story, command: &Command| match decide(story.order.as_ref(), command, at(5)) {
        Err(refusal) => format!("! {}", refusal.code),
        Ok(events) if events.is_empty() => "=".to_owned(),
        Ok(events) => events.iter().map(Event::kind).collect::<Vec<_>>().join(" "),
    };
    let rows: Vec<(String, Vec<String>)> = states
        .iter()
        .map(|(name, story)| {
            assert_eq!(story.order().status().name(), *name);
            ((*name).to_owned(), commands.iter().map(|(_, command)| cell(story, command)).collect())
        })
        .collect();
    crate::tables::check("order", &commands.map(|(name, _)| name), &rows);
}

proptest! {
    /// Whatever is asked in whatever order: the customer's deposit is never overdrawn by an application, what is seen twice is
    /// booked once, and the books add up.
    #[test]
    fn any_order_of_commands_keeps_the_books(choices in proptest::collection::vec((0u8..6, 1i64..11_000), 0..25)) {
        let mut story = Story::placed();
        let (mut captured, mut refunded) = (0, 0);
        for (number, (choice, minor)) in choices.into_iter().enumerate() {
            let command = match choice {
                0 => {
                    captured = 10_800;
                    story = story.paid(captured, refunded);
                    continue;
                }
                1 => {
                    refunded = (refunded + minor).min(captured);
                    story = story.paid(captured, refunded);
                    continue;
                }
                2 => Command::See(Seen { invoices: vec![invoice(41, 10_800, 800)], ..Seen::default() }),
                3 => apply(minor, &format!("a{number}")),
                4 => credit(minor, minor / 20, &format!("m{number}")),
                _ => Command::Release,
            };
            if decide(story.order.as_ref(), &command, at(9)).is_ok() {
                let before = story.order().unapplied_minor();
                story = story.done(&command);
                prop_assert!(choice != 3 || story.order().unapplied_minor() >= 0, "applied more than {before}");
            }
            prop_assert_eq!(story.books.values().sum::<i64>(), 0);
            prop_assert_eq!(story.cents("deposit:customer"), -story.order().unapplied_minor());
            let open: i64 = story.order().invoices.iter().map(Invoice::open_minor).sum();
            prop_assert_eq!(story.cents("ar:customer"), open);
        }
    }
}
