//! The office of the story: a world on a clock that jumps, what Stripe and the bank do in it, and tables of the books.

use serde_json::{Value, json};
use suture_connect::bank::{AmountColumns, DateOrder, Format, Mapping};
use suture_core::day::Day;
use suture_core::settlement::Settlement;
use suture_engine::reconcile::{Document, Imported};
use suture_sim::world::{Home, NewVisit, Setup, World};

use crate::demo::narrator::Narrator;
use crate::demo::words::{amount, short, text};
use crate::failure::Failure;
use crate::table;

/// One day in milliseconds.
const DAY: i64 = 86_400_000;

/// The world and the voice.
pub(super) struct Office {
    pub(super) world: World,
    /// The day on which the story begins, which is that of the first visits.
    pub(super) begins: Day,
    pub(super) narrator: Narrator,
}

/// A sentence of the world as a failure.
pub(super) fn failed(why: impl std::fmt::Display) -> Failure {
    Failure::new(why.to_string())
}

impl Office {
    /// A world on a database of its own.
    ///
    /// # Errors
    /// When the database or the engine cannot be opened.
    pub(super) async fn open() -> Result<Self, Failure> {
        let home = Home::in_memory().map_err(failed)?;
        let world = Box::pin(World::open(Setup::at(home))).await.map_err(failed)?;
        let begins = Day::utc(world.now());
        Ok(Self { world, begins, narrator: Narrator::default() })
    }

    /// Turns a knob of the pretend Stripe.
    pub(super) fn stripe(&self, verb: &str, body: &Value) -> Result<Value, Failure> {
        self.world.outside.at_stripe(verb, body).map_err(failed)
    }

    /// A visit is paid by card; gives Stripe's id of the charge.
    pub(super) async fn charge(&mut self, patient: usize, minor: i64) -> Result<String, Failure> {
        let link = self.world.link(&NewVisit::due(patient, minor)).await.map_err(failed)?;
        let payment = self.world.take(&link.id, minor, "pm_card_visa").await.map_err(failed)?;
        self.world.settle().await.map_err(failed)?;
        let payment = self.world.payment(payment.id).await.map_err(failed)?;
        self.narrator.did(format!("A card pays {}.", amount(minor, "USD")));
        payment.charge.ok_or_else(|| Failure::new("the payment was not proven"))
    }

    /// Stripe pays out all that is available; two days later its lines are listed and it is sent.
    pub(super) async fn paid_out(&mut self) -> Result<Settlement, Failure> {
        self.world.settle().await.map_err(failed)?;
        Box::pin(self.world.pass(4 * DAY)).await.map_err(failed)?;
        let made = self.stripe("payout", &json!({}))?;
        Box::pin(self.world.pass(2 * DAY)).await.map_err(failed)?;
        let paid = self.known(text(&made, "id")).await?;
        let sum = paid.heard.amount;
        self.narrator.did(format!(
            "Stripe pays out {sum} as {}, due on {}.",
            short(&paid.heard.payout),
            paid.day()
        ));
        Ok(paid)
    }

    /// A payout as known now, by Stripe's id.
    pub(super) async fn known(&self, payout: &str) -> Result<Settlement, Failure> {
        let all = self.world.engine(0).settlements(&self.world.organization).await.map_err(failed)?;
        let found = all.into_iter().find(|state| state.heard.payout == payout);
        found.ok_or_else(|| Failure::new("nobody told of the payout"))
    }

    /// Imports a CSV file of the bank.
    pub(super) async fn bank_says(&self, lines: &[(Day, &str, &str)]) -> Result<Vec<Imported>, Failure> {
        let rows = lines.iter().map(|(day, amount, text)| format!("{day},{amount},{text}\n"));
        let file = format!("day,amount,text\n{}", rows.collect::<String>());
        let engine = self.world.engine(0);
        engine.import_bank_file(&self.world.caller(), &columns(), file.as_bytes()).await.map_err(failed)
    }

    /// Balances of accounts, as a table, and in minor units.
    pub(super) async fn balances<const N: usize>(
        &self,
        accounts: [(&str, &str); N],
    ) -> Result<[i64; N], Failure> {
        let mut found = [0; N];
        let mut rows = Vec::new();
        for ((account, meaning), place) in accounts.into_iter().zip(found.iter_mut()) {
            *place = self.world.balance(account).await.map_err(failed)?;
            rows.push(vec![account.to_owned(), amount(*place, "USD"), meaning.to_owned()]);
        }
        self.table(&["the books now", "balance", "in plain words"], &rows, 1);
        Ok(found)
    }

    /// Prints a table; `right` is the column of amounts.
    pub(super) fn table(&self, header: &[&str], rows: &[Vec<String>], right: usize) {
        println!();
        print!("{}", table::render(header, rows, &[right]));
        println!();
    }

    /// Prints a journal.
    pub(super) fn journal(&self, journal: &Document) {
        let row = |entry: &suture_engine::reconcile::Entry| {
            vec![
                short(&entry.department),
                entry.account.clone(),
                entry.amount.to_string(),
                entry.lines.to_string(),
            ]
        };
        let rows: Vec<Vec<String>> = journal.entries.iter().map(row).collect();
        self.table(&["department", "account", "amount", "lines"], &rows, 2);
    }

    /// The present day.
    pub(super) fn today(&self) -> Day {
        Day::utc(self.world.now())
    }
}

/// How the columns of this bank are read: data, not code.
fn columns() -> Format {
    Format::Csv(Box::new(Mapping {
        account: "000123456789".to_owned(),
        currency: "USD".to_owned(),
        delimiter: ',',
        skip_lines: 0,
        decimal: '.',
        dates: DateOrder::YearMonthDay,
        booked_on: "day".to_owned(),
        value_on: None,
        amount: AmountColumns::Signed("amount".to_owned()),
        balance: None,
        newest_first: false,
        descriptor: vec!["text".to_owned()],
        reference: None,
        id: None,
    }))
}
