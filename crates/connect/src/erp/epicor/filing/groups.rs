//! Groups: one per day, bank account and prefix. A posted one is left for the next letter, a closed period for the next
//! open day (EPICOR.md §6.1). A group is made by its key, so making it twice makes one.

use serde_json::{Value, json};
use suture_core::calendar::LocalDate;

use super::looked_up::{self, LookedUp};
use super::{
    Filing, accepted_token, at, finish, for_person, is_about_place, refusal, rejected, send, taken_back, wait,
};
use crate::erp::document::{CashReceipt, Document};
use crate::erp::epicor::call::{INVOICE_GROUPS, JOURNAL_GROUPS, Query, RECEIPT_GROUPS, Set, equals};
use crate::erp::epicor::errors::{self, Asked, Failed};
use crate::erp::epicor::rows::{self, Record, Row};
use crate::erp::epicor::settings::ClosedPeriod;
use crate::erp::filing::{FilingState, FilingStep, Leg, Refusal};
use crate::http::HttpResponse;
use crate::outcome::{Failure, Outcome, Retry};

/// Letters A to Z.
const TURNS_MAX: u8 = 26;
/// How often a closed period may move one document: a month of days and more, or years of months.
const MOVES_MAX: u8 = 45;
/// How often one filing may make a group.
const GROUP_WRITES_MAX: u8 = 60;

/// The group in which a document goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) set: Set,
    pub(super) group: String,
    pub(super) date: LocalDate,
    pub(super) bank_account: String,
}

impl Filing<'_> {
    /// `None` for kinds without groups.
    pub(super) fn place_of(&self, state: &FilingState) -> Option<Place> {
        let groups = &self.epicor.groups;
        let (set, prefix, date, bank_account) = match self.document {
            Document::CashReceipt(it) => {
                let prefix = it.group.as_ref().unwrap_or(&groups.receipts);
                (RECEIPT_GROUPS, prefix, it.date, self.bank_account(it).to_owned())
            }
            Document::CreditMemo(it) => (INVOICE_GROUPS, &groups.invoices, it.date, String::new()),
            Document::DebitMemo(it) => (INVOICE_GROUPS, &groups.invoices, it.date, String::new()),
            Document::Journal(it) => (JOURNAL_GROUPS, &groups.journals, it.date, String::new()),
            Document::Customer(_)
            | Document::SalesOrder(_)
            | Document::OrderHold(_)
            | Document::Application(_)
            | Document::ReceiptReversal(_) => return None,
        };
        let date = state.moved_to.unwrap_or(date);
        Some(Place { set, group: group_name(prefix, date, state.group_turn), date, bank_account })
    }

    pub(super) fn bank_account<'a>(&'a self, receipt: &'a CashReceipt) -> &'a str {
        receipt.bank_account.as_deref().unwrap_or(&self.epicor.bank_account)
    }

    /// A refusal of a document that goes into a group: perhaps the group is the reason.
    pub(super) fn declined_in_group(&self, state: &FilingState, refused: Refusal) -> FilingStep {
        match refused.failure.code.as_str() {
            "erp_period_closed" => self.move_on(state, refused),
            "erp_group_posted" => self.next_group(&taken_back(state), refused),
            "erp_group_in_use" => wait(&taken_back(state), refused.failure),
            code if is_about_place(code) && !state.group_seen => {
                self.look_at_group(&FilingState { refusal: Some(refused), ..taken_back(state) })
            }
            _ => finish(state, rejected(refused)),
        }
    }

    pub(super) fn look_at_group(&self, state: &FilingState) -> FilingStep {
        let Some(place) = self.place_of(state) else { return self.go(&at(state, Leg::Ready)) };
        let query = Query { filter: equals("GroupID", &place.group), top: 1, ..Query::default() };
        send(at(state, Leg::LookingAtGroup), self.caller().read(place.set, &query))
    }

    pub(super) fn group_looked_at(&self, state: &FilingState, response: &HttpResponse) -> FilingStep {
        let Some(place) = self.place_of(state) else { return self.go(&at(state, Leg::Ready)) };
        let found = looked_up::read_rows(self.epicor, place.set, response);
        match found {
            Ok(rows) => match rows.first() {
                Some(row) if self.fits(row, &place) => {
                    self.write(&FilingState { group_seen: true, refusal: None, ..accepted_token(state) })
                }
                Some(_) => self.next_group(&accepted_token(state), group_taken()),
                // It was just said to exist: it was posted, and is not shown any more.
                None if is_duplicate(state) => self.next_group(&accepted_token(state), group_taken()),
                None => self.make_group(&accepted_token(state), &place),
            },
            Err(other) => match *other {
                LookedUp::Failed(failed) => group_unread(state, failed),
                _ => wait(state, group_unclear()),
            },
        }
    }

    fn make_group(&self, state: &FilingState, place: &Place) -> FilingStep {
        if state.group_writes >= GROUP_WRITES_MAX {
            return finish(state, for_person(no_group()));
        }
        let mut next = at(state, Leg::MakingGroup);
        next.group_writes += 1;
        next.refusal = None;
        let row = Row::new().with("Company", &self.epicor.company).with("GroupID", &place.group);
        let row = match self.document {
            Document::CashReceipt(_) => {
                row.date("TranDate", place.date).with("BankAcctID", &place.bank_account)
            }
            Document::Journal(_) => row.with("BookID", &self.epicor.journals.book).date("JEDate", place.date),
            _ => row.date("InvoiceDate", place.date).date("ApplyDate", place.date),
        };
        send(next, self.caller().create(place.set, &row))
    }

    pub(super) fn group_made(&self, state: &FilingState, response: &HttpResponse) -> FilingStep {
        let words = &self.epicor.words;
        let failed = match response.status {
            200 | 201 => match errors::inside(words, response, self.document) {
                Some(failed) => failed,
                None if rows::read_entity(&response.body).is_some() => {
                    return self.write(&FilingState {
                        group_seen: true,
                        refusal: None,
                        ..accepted_token(state)
                    });
                }
                None => errors::unreadable(Asked::Write),
            },
            _ => errors::failed(words, response, Asked::Write, Some(self.document)),
        };
        match failed.outcome.clone() {
            Outcome::Done(never) => match never {},
            // Nothing of the document was sent with it, and the group is looked at before it is made again.
            Outcome::NotSent(failure) | Outcome::Unknown(failure) => wait(
                &at(state, Leg::LookingAtGroup),
                Failure { retry: asking_again(failure.retry), ..failure },
            ),
            Outcome::Declined(failure) => {
                let state = &accepted_token(state);
                let refused = refusal(failed, failure);
                match refused.failure.code.as_str() {
                    "erp_duplicate" => {
                        self.look_at_group(&FilingState { refusal: Some(refused), ..state.clone() })
                    }
                    "erp_group_posted" => self.next_group(state, refused),
                    "erp_period_closed" => self.move_on(state, refused),
                    _ => finish(state, rejected(refused)),
                }
            }
        }
    }

    /// The next letter, after the present group turned out not to be ours to use.
    fn next_group(&self, state: &FilingState, refused: Refusal) -> FilingStep {
        let group_turn = state.group_turn.saturating_add(1);
        if group_turn >= TURNS_MAX {
            return finish(state, rejected(refused));
        }
        self.look_at_group(&FilingState { group_turn, group_seen: false, refusal: None, ..state.clone() })
    }

    /// The next day by the rule, after Epicor said that the period is closed. Nothing was recorded.
    fn move_on(&self, state: &FilingState, refused: Refusal) -> FilingStep {
        let base = if state.leg == Leg::Writing { taken_back(state) } else { state.clone() };
        let target = self.place_of(state).and_then(|place| self.next_day(place.date));
        match target {
            Some(day) if state.moves < MOVES_MAX => self.look_at_group(&FilingState {
                moved_to: Some(day),
                moves: state.moves.saturating_add(1),
                group_turn: 0,
                group_seen: false,
                refusal: None,
                ..base
            }),
            Some(_) | None => finish(&base, rejected(refused)),
        }
    }

    /// `None` when the rule goes no further.
    fn next_day(&self, from: LocalDate) -> Option<LocalDate> {
        let today = LocalDate::from_number(self.now.seconds().div_euclid(86_400))?;
        let month_after = first_of_next_month(first_of_next_month(today)?)?;
        match self.epicor.closed_period {
            ClosedPeriod::Refuse => None,
            ClosedPeriod::NextMonth => first_of_next_month(from).filter(|day| *day < month_after),
            ClosedPeriod::NextDay => Some(from.tomorrow()).filter(|day| *day <= today.tomorrow()),
        }
    }

    /// Whether an existing group takes this document: the same day, and the same bank account or book.
    fn fits(&self, row: &Record, place: &Place) -> bool {
        let same = |field: &str, ours: &str| row.word(field).is_none_or(|theirs| theirs == ours);
        let on = |field: &str| row.date(field).is_none_or(|theirs| theirs == place.date);
        let free = row.flag("PostInProcess") != Some(true) && row.flag("Posted") != Some(true);
        free && match self.document {
            Document::CashReceipt(_) => same("BankAcctID", &place.bank_account) && on("TranDate"),
            Document::Journal(_) => same("BookID", &self.epicor.journals.book) && on("JEDate"),
            _ => on("ApplyDate"),
        }
    }

    /// The result of a document in a group; says when another day was taken.
    pub(super) fn in_group(&self, asked: LocalDate, row: &Record, date_field: &str) -> Option<Value> {
        let group = row.word("GroupID")?;
        let date = row.date(date_field).unwrap_or(asked);
        let mut result = json!({"group": group, "date": date});
        if date != asked
            && let Some(members) = result.as_object_mut()
        {
            members.insert("moved_from".to_owned(), json!(asked));
        }
        Some(result)
    }
}

/// The look at a group was not answered with rows.
fn group_unread(state: &FilingState, failed: Failed) -> FilingStep {
    match failed.outcome.clone() {
        Outcome::Done(never) => match never {},
        Outcome::NotSent(failure) | Outcome::Unknown(failure) => wait(state, failure),
        Outcome::Declined(failure) => finish(state, rejected(refusal(failed, failure))),
    }
}

/// `S261121A`: prefix, day, letter.
fn group_name(prefix: &str, date: LocalDate, turn: u8) -> String {
    let digits: String = date.to_string().chars().filter(char::is_ascii_digit).skip(2).collect();
    format!("{prefix}{digits}{}", char::from(b'A' + turn.min(TURNS_MAX - 1)))
}

fn first_of_next_month(day: LocalDate) -> Option<LocalDate> {
    let month = day.to_string().get(..7)?.to_owned();
    std::iter::successors(Some(day), |day| Some(day.tomorrow()))
        .take(40)
        .find(|day| !day.to_string().starts_with(&month))
}

fn is_duplicate(state: &FilingState) -> bool {
    state.refusal.as_ref().is_some_and(|refusal| refusal.failure.code == "erp_duplicate")
}

/// A question about a group can be asked again; nothing of the document hangs on it.
fn asking_again(retry: Retry) -> Retry {
    if retry == Retry::LookUpFirst { Retry::Later } else { retry }
}

fn group_taken() -> Refusal {
    let message = "Every group of the day is posted or belongs to another day or bank account; nothing was recorded. Use \
                   another prefix for this bank account.";
    Refusal {
        failure: Failure::new("erp_no_group", message, Retry::Never),
        field: Some("GroupID".to_owned()),
        value: None,
    }
}

fn group_unclear() -> Failure {
    let message =
        "Epicor did not tell clearly about the group. Nothing was recorded; it is asked again later.";
    Failure::new("erp_unclear_answer", message, Retry::Later)
}

fn no_group() -> Failure {
    let message = "Epicor did not make the group of the day although it was asked often. Nothing was recorded. A person \
                   must look at the groups in Epicor.";
    Failure::new("erp_no_group", message, Retry::Never)
}
