//! A scene: a world, and what has been told of it so far.
//!
//! A scenario acts on the world, says what happened with [`Scene::step`], which looks at ledger, messages and audit trail, and
//! then says what it expected of that step.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use suture_core::appointment::{Appointment, Status};
use suture_core::id::AppointmentId;
use suture_core::notice::{Recipient, local_time};
use suture_core::time::Timestamp;
use suture_store::effects::State;
use suture_store::journal::Stored;
use suture_store::ledger::Entry;

use super::told::{Booked, Finding, Said, Step, Trail};
use crate::world::World;

/// The zone of every scenario's clinic.
const ZONE: &str = "America/New_York";
/// More rows of a kind than any scenario makes.
const ROWS: i64 = 1_000;
/// Worlds begin on a Saturday night; scenarios on Monday, 23 November 2026, at nine in the morning at the clinic.
const UNTIL_MONDAY_MS: i64 = 53 * 3_600_000;

/// Why a scenario could not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interrupted(pub String);

impl From<String> for Interrupted {
    fn from(why: String) -> Self {
        Self(why)
    }
}

impl From<suture_engine::Error> for Interrupted {
    fn from(error: suture_engine::Error) -> Self {
        Self(error.to_string())
    }
}

/// What every act of a scenario says.
pub(super) type Told<T> = Result<T, Interrupted>;

/// A world, and what has been told of it so far.
pub struct Scene {
    /// The world.
    pub world: World,
    pub(super) steps: Vec<Step>,
    /// Queues in which somebody is asked at the end.
    pub(super) questions: BTreeSet<String>,
    /// Whose visit an appointment is, where a scenario has several.
    names: BTreeMap<String, String>,
    shown: BTreeSet<String>,
    said: BTreeSet<String>,
}

impl Scene {
    /// Monday morning at nine.
    ///
    /// # Errors
    /// When the world does not come to rest.
    pub async fn open(mut world: World) -> Result<Self, Interrupted> {
        world.pass(UNTIL_MONDAY_MS).await?;
        Ok(Self {
            world,
            steps: Vec::new(),
            questions: BTreeSet::new(),
            names: BTreeMap::new(),
            shown: BTreeSet::new(),
            said: BTreeSet::new(),
        })
    }

    /// Calls the visit of an appointment by a name, in ledger lines and messages.
    pub(super) fn call(&mut self, appointment: AppointmentId, name: &str) {
        self.names.insert(appointment.to_string(), name.to_owned());
    }

    /// Says what happened, once everything that follows from it has.
    pub(super) async fn step(&mut self, title: &str, happened: &[&str]) -> Told<()> {
        self.world.settle().await?;
        let booked = self.booked().await?;
        let said = self.said().await?;
        let verdict = self.world.engine(0).verify_audit(&self.world.organization).await?;
        let step = Step {
            at: local_time(self.world.now(), ZONE),
            title: title.to_owned(),
            happened: happened.iter().map(|&line| line.to_owned()).collect(),
            booked,
            books: self.balances().await?,
            said,
            trail: Trail { entries: verdict.entries, intact: verdict.intact },
            findings: Vec::new(),
        };
        self.steps.push(step);
        self.expect("the audit trail verifies", true, verdict.intact);
        Ok(())
    }

    /// What must be so after the latest step.
    pub(super) fn expect<T: Debug + PartialEq>(&mut self, name: &str, expected: T, seen: T) {
        let both = [expected, seen];
        let [expected, seen] = &both;
        let finding = Finding::compare(name, expected, seen);
        if let Some(step) = self.steps.last_mut() {
            step.findings.push(finding);
        }
    }

    /// Exactly these sums were booked in the latest step, by account. What Stripe keeps for itself counts as Stripe's, since
    /// its prices are not ours to expect.
    pub(super) fn expect_booked(&mut self, name: &str, expected: &[(&str, i64)]) {
        let mut sums: BTreeMap<String, i64> = BTreeMap::new();
        for line in self.steps.last().map_or(&[][..], |step| &step.booked) {
            *sums.entry(of_gateway(&line.account).to_owned()).or_insert(0) += line.minor;
        }
        sums.retain(|_, minor| *minor != 0);
        self.expect(name, in_full(expected), sums);
    }

    /// The balances after the latest step are exactly these.
    pub(super) fn expect_books(&mut self, name: &str, expected: &[(&str, i64)]) {
        let mut books: BTreeMap<String, i64> = BTreeMap::new();
        for (account, minor) in self.steps.last().map(|step| step.books.clone()).unwrap_or_default() {
            *books.entry(of_gateway(&account).to_owned()).or_insert(0) += minor;
        }
        books.retain(|_, minor| *minor != 0);
        self.expect(name, in_full(expected), books);
    }

    /// Exactly these messages reached people in the latest step, such as `patient receipt`, in any order.
    pub(super) fn expect_said(&mut self, name: &str, expected: &[&str]) {
        let mut expected: Vec<String> = expected.iter().map(|&one| one.to_owned()).collect();
        let mut seen: Vec<String> =
            self.steps.last().map_or(&[][..], |step| &step.said).iter().map(Said::name).collect();
        expected.sort();
        seen.sort();
        self.expect(name, expected, seen);
    }

    /// Where an appointment stands now.
    pub(super) async fn expect_status(
        &mut self,
        name: &str,
        id: AppointmentId,
        expected: Status,
    ) -> Told<()> {
        let seen = self.appointment(id).await?.status;
        self.expect(name, expected, seen);
        Ok(())
    }

    /// How many charges and refunds Stripe made in all.
    pub(super) fn expect_moved(&mut self, name: &str, charges: usize, refunds: usize) {
        let seen = (self.world.moved("charge").len(), self.world.moved("refund").len());
        self.expect(name, (charges, refunds), seen);
    }

    /// A person is asked in a queue, and still will be at the end.
    pub(super) async fn expect_question(&mut self, name: &str, queue: &str) -> Told<()> {
        let asked = self.asked().await?.contains(queue);
        self.expect(name, true, asked);
        self.questions.insert(queue.to_owned());
        Ok(())
    }

    /// An appointment as known now.
    pub(super) async fn appointment(&self, id: AppointmentId) -> Told<Appointment> {
        Ok(self.world.appointment(id).await?)
    }

    /// Lets time pass until a moment, with everything that becomes due before.
    pub(super) async fn until(&mut self, moment: Timestamp) -> Told<()> {
        let wait = moment.millis() - self.world.clock.millis();
        Ok(self.world.pass(wait.max(0)).await?)
    }

    /// The queues in which a person is asked something. The intent of a mirrored invoice, which holds no money, is no
    /// question of a scenario.
    pub(super) async fn asked(&self) -> Told<BTreeSet<String>> {
        let open = self.world.engine(0).effects(&self.world.organization, None, i64::MAX, ROWS).await?;
        let waits = |state: State, kind: &str| state == State::Parked || kind == "ask_person";
        let asked = open.into_iter().filter(|effect| waits(effect.state, &effect.kind));
        Ok(asked.map(|effect| effect.destination).filter(|queue| queue != "who-is-this").collect())
    }

    async fn balances(&self) -> Told<BTreeMap<String, i64>> {
        let all = self.world.engine(0).balances(&self.world.organization, self.world.now()).await?;
        Ok(all
            .into_iter()
            .map(|(code, amount)| (code, amount.minor))
            .filter(|(_, minor)| *minor != 0)
            .collect())
    }

    /// Ledger lines that were not shown before, in the order in which they were posted.
    async fn booked(&mut self) -> Told<Vec<Booked>> {
        let organization = self.world.organization.clone();
        let entries = self.world.engine(0).ledger_entries(&organization, "", ROWS).await?;
        let mut fresh: Vec<_> =
            entries.into_iter().filter(|entry| self.shown.insert(entry.key.clone())).collect();
        let causes = self.causes().await?;
        let cause =
            |entry: &Entry| causes.get(&(entry.stream.clone(), entry.version)).cloned().unwrap_or_default();
        fresh.sort_by_key(|entry| (cause(entry).0, entry.key.clone()));
        let lines = fresh.into_iter().flat_map(|entry| {
            let whose = cause(&entry).1;
            let entry_key = entry.key;
            entry.lines.into_iter().map(move |line| Booked {
                entry: entry_key.clone(),
                account: line.account.code(),
                minor: line.amount.minor,
                whose: whose.clone(),
            })
        });
        Ok(lines.collect())
    }

    /// The place of every event in the order of commits, and whose visit it belongs to where a scenario named its visits.
    async fn causes(&self) -> Told<BTreeMap<(String, i64), (i64, Option<String>)>> {
        let events = self.world.engine(0).events(&self.world.organization, i64::MAX, ROWS).await?;
        let cause = |event: Stored| {
            let whose = event.entry.care.appointment.and_then(|id| self.names.get(&id).cloned());
            ((event.entry.stream, event.entry.version), (event.position, whose))
        };
        Ok(events.into_iter().map(cause).collect())
    }

    /// Messages that reached somebody and were not told before.
    async fn said(&mut self) -> Told<Vec<Said>> {
        let organization = self.world.organization.clone();
        let mut said: Vec<(Timestamp, Said)> = Vec::new();
        for notice in self.world.engine(0).notices(&organization, None, "", ROWS).await? {
            let id = notice.plan.notice;
            let copies = self.world.engine(0).notice_copies(&organization, id).await?;
            let Some(copy) = copies.first() else { continue };
            if !self.said.insert(id.to_string()) {
                continue;
            }
            let appointment = notice.plan.about.appointment.map(|id| id.to_string()).unwrap_or_default();
            let one = Said {
                to: match notice.plan.to {
                    Recipient::Patient(_) => "patient".to_owned(),
                    Recipient::Provider(_) => "provider".to_owned(),
                },
                template: notice.plan.template.name().to_owned(),
                whose: self.names.get(&appointment).cloned(),
                text: copy.text.expose().clone(),
            };
            said.push((notice.plan.due_at, one));
        }
        said.sort_by_key(|(due_at, one)| (*due_at, one.name()));
        Ok(said.into_iter().map(|(_, one)| one).collect())
    }
}

fn of_gateway(account: &str) -> &str {
    if account == "exp:fee" { "gw:stripe" } else { account }
}

fn in_full(expected: &[(&str, i64)]) -> BTreeMap<String, i64> {
    expected.iter().map(|(account, minor)| ((*account).to_owned(), *minor)).collect()
}
