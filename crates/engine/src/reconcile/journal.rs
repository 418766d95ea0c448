//! Journals for a general ledger: of a day by department, and of one gateway payout. Both balance to zero, as documents and
//! as CSV.

use std::collections::BTreeMap;

use serde::Serialize;
use suture_core::currency::Currency;
use suture_core::day::Day;
use suture_core::id::SettlementId;
use suture_core::money::Money;
use suture_core::settlement::{Class, Settlement};
use suture_store::{Tx, journal, ledger, links, settlements};

use crate::Error;
use crate::engine::Engine;

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Where the money belongs: the practitioner's id of the care, or `general`.
    pub department: String,
    /// The account, or in a payout's journal the kind of line.
    pub account: String,
    /// Debit positive, credit negative.
    pub amount: Money,
    /// Of how many lines.
    pub lines: i64,
}

/// A balanced journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// `day` or `payout`.
    pub kind: &'static str,
    /// The day, or the gateway's payout.
    pub of: String,
    /// Department by department, account by account.
    pub entries: Vec<Entry>,
    /// Entries that belong to an earlier day that was locked: key and that day.
    pub moved: Vec<(String, String)>,
}

impl Document {
    /// The sum per currency; zero for every one in a journal that balances.
    #[must_use]
    pub fn sums(&self) -> BTreeMap<Currency, i64> {
        let mut sums = BTreeMap::new();
        for entry in &self.entries {
            let sum = sums.entry(entry.amount.currency).or_insert(0_i64);
            *sum = sum.saturating_add(entry.amount.minor);
        }
        sums
    }

    /// The document as CSV: one line per entry, amounts as decimals of their currency.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut out = "journal,of,department,account,debit,credit,currency,lines\r\n".to_owned();
        for entry in &self.entries {
            let Money { minor, currency } = entry.amount;
            let (debit, credit) = (minor.max(0), minor.saturating_neg().max(0));
            let amount = |minor| match minor {
                0 => String::new(),
                minor => Money::new(minor, currency).to_decimal(),
            };
            let fields = [
                quoted(self.kind),
                quoted(&self.of),
                quoted(&entry.department),
                quoted(&entry.account),
                amount(debit),
                amount(credit),
                currency.code().to_owned(),
                entry.lines.to_string(),
            ];
            out.push_str(&fields.join(","));
            out.push_str("\r\n");
        }
        out
    }
}

/// A field that no spreadsheet takes for a formula.
fn quoted(text: &str) -> String {
    let safe = if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.to_owned() };
    if safe.contains([',', '"', '\n', '\r']) { format!("\"{}\"", safe.replace('"', "\"\"")) } else { safe }
}

impl Engine {
    /// The journal of a day, by department and account.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn day_journal(&self, organization: &str, day: Day) -> Result<Document, Error> {
        let organization = organization.to_owned();
        self.0.store.read_long(move |tx| of_day(tx, &organization, day)).await
    }

    /// The journal of one gateway payout: what it consists of, against the bank (FLOWS §8.5).
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn payout_journal(&self, organization: &str, id: SettlementId) -> Result<Document, Error> {
        let organization = organization.to_owned();
        self.0.store.read_long(move |tx| of_payout(tx, &organization, id)).await
    }
}

fn of_day(tx: &mut Tx<'_>, organization: &str, day: Day) -> Result<Document, Error> {
    let mut departments: BTreeMap<String, String> = BTreeMap::new();
    let mut sums: BTreeMap<(String, String, Currency), (i64, i64)> = BTreeMap::new();
    for sum in ledger::of_day(tx, organization, day)? {
        let department = match sum.party {
            None => GENERAL.to_owned(),
            Some(party) => match departments.get(&party) {
                Some(known) => known.clone(),
                None => {
                    let link = links::get(tx, organization, &party)?;
                    let found = link.and_then(|link| link.practitioner).unwrap_or_else(|| GENERAL.to_owned());
                    departments.insert(party, found.clone());
                    found
                }
            },
        };
        let entry = sums.entry((department, sum.account, sum.amount.currency)).or_default();
        entry.0 = entry.0.saturating_add(sum.amount.minor);
        entry.1 = entry.1.saturating_add(sum.lines);
    }
    let entry = |((department, account, currency), (minor, lines))| {
        let amount = Money::new(minor, currency);
        Entry { department, account, amount, lines }
    };
    let moved = ledger::moved_to(tx, organization, day)?;
    Ok(Document { kind: "day", of: day.to_string(), entries: sums.into_iter().map(entry).collect(), moved })
}

/// Where money stands that belongs to nobody's care.
const GENERAL: &str = "general";

fn of_payout(tx: &mut Tx<'_>, organization: &str, id: SettlementId) -> Result<Document, Error> {
    let stream = id.to_string();
    let found = journal::load::<Settlement>(tx, organization, &stream)?;
    let state = found.map(|found| found.state).ok_or_else(|| Error::not_found("settlement", &stream))?;
    let currency = state.heard.amount.currency;
    let mut amounts: BTreeMap<&'static str, (i64, i64)> = BTreeMap::new();
    let mut add = |account: &'static str, minor: i64, lines: i64| {
        let sum = amounts.entry(account).or_default();
        sum.0 = sum.0.saturating_add(minor);
        sum.1 = sum.1.saturating_add(lines);
    };
    for sum in settlements::sums(tx, organization, &stream)? {
        // What raises the payout is a credit of the journal, what lowers it a debit.
        add(account_of(sum.class), sum.gross_minor.saturating_neg(), sum.lines);
        if sum.fee_minor != 0 {
            add("fees", sum.fee_minor, 0);
        }
    }
    let others: i64 = amounts.values().fold(0, |sum, (minor, _)| sum.saturating_add(*minor));
    let difference = state.heard.amount.minor.saturating_add(others);
    let mut entries = vec![(BANK, (state.heard.amount.minor, 1))];
    entries.extend(amounts);
    if difference != 0 {
        entries.push(("unexplained", (difference.saturating_neg(), 0)));
    }
    let entry = |(account, (minor, lines)): (&str, (i64, i64))| Entry {
        department: GENERAL.to_owned(),
        account: account.to_owned(),
        amount: Money::new(minor, currency),
        lines,
    };
    let entries = entries.into_iter().map(entry).filter(|entry| entry.amount.minor != 0).collect();
    Ok(Document { kind: "payout", of: state.heard.payout, entries, moved: Vec::new() })
}

const BANK: &str = "bank";

const fn account_of(class: Class) -> &'static str {
    match class {
        Class::Charge => "receipts",
        Class::Refund => "refunds",
        Class::Dispute => "dispute hold",
        Class::Transfer => "transfers",
        Class::Payout => "returned payouts",
        Class::Fee => "fees",
        Class::Other => "unknown",
    }
}
