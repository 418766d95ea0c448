//! The patient-account book: balances, and every posting kept by its transaction id.
//!
//! Called by the external-payment service and by PaymentNotice creation. What must stay true: a posting
//! and the movement of its balance happen together or not at all, and refunds never exceed their payment.

use std::collections::BTreeMap;

use super::amount::Currency;
use super::answer::Refusal;

const WORK_QUEUES_MAX: usize = 1_000;

/// Direction of a posting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Lowers what the patient owes.
    Payment,
    /// Raises what the patient owes, against an earlier payment.
    Refund,
    /// Raises what the patient owes, without naming a payment: a negative FHIR amount.
    Adjustment,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Payment => "Payment",
            Self::Refund => "Refund",
            Self::Adjustment => "Adjustment",
        }
    }
}

/// What happens when a transaction id comes again with the same content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DuplicateStyle {
    /// Refused with 59141.
    Refuse,
    /// Answered as already posted, with the first receipt.
    SameReceipt,
    /// Posted once more: a site that does not recognise duplicates.
    PostAgain,
}

impl DuplicateStyle {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Refuse => "error",
            Self::SameReceipt => "already_posted",
            Self::PostAgain => "post_again",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        [Self::Refuse, Self::SameReceipt, Self::PostAgain].into_iter().find(|style| style.name() == name)
    }
}

/// A posting that is asked for.
pub(super) struct Entry<'a> {
    pub(super) reference: &'a str,
    pub(super) account: usize,
    pub(super) claim: Option<usize>,
    pub(super) amount_minor: i64,
    pub(super) currency: Currency,
    pub(super) kind: Kind,
    pub(super) original: Option<&'a str>,
    pub(super) work_queue: &'a str,
    pub(super) at_ms: i64,
}

/// A posting that was made.
pub(super) struct Posting {
    pub(super) account: usize,
    pub(super) claim: Option<usize>,
    pub(super) amount_minor: i64,
    pub(super) refunded_minor: i64,
    pub(super) at_ms: i64,
    receipt: u64,
    /// Receipts of the times before, oldest first; only with `PostAgain`.
    earlier_receipts: Vec<u64>,
    pub(super) original: Option<Box<str>>,
    pub(super) work_queue: Option<usize>,
    /// How many times it was really posted; more than one only with `PostAgain`.
    pub(super) count: u32,
    /// How many times it was asked for.
    pub(super) attempts: u32,
    pub(super) currency: Currency,
    pub(super) kind: Kind,
}

impl Posting {
    fn is_same_as(&self, entry: &Entry<'_>) -> bool {
        self.account == entry.account
            && self.claim == entry.claim
            && self.amount_minor == entry.amount_minor
            && self.currency == entry.currency
            && self.kind == entry.kind
            && self.original.as_deref() == entry.original
    }

    pub(super) fn receipt_number(&self) -> String {
        receipt_text(self.receipt)
    }

    /// A receipt for each time that it was really posted, oldest first.
    pub(super) fn receipt_numbers(&self) -> impl Iterator<Item = String> {
        self.earlier_receipts.iter().chain([&self.receipt]).map(|number| receipt_text(*number))
    }
}

fn receipt_text(number: u64) -> String {
    format!("RCPT{number:010}")
}

/// How a posting went.
pub(super) struct Receipt {
    pub(super) number: String,
    pub(super) is_new: bool,
    pub(super) balance_minor: i64,
}

/// Balances and postings.
pub(super) struct Book {
    balances: Vec<Vec<(Currency, i64)>>,
    postings: BTreeMap<Box<str>, Posting>,
    work_queues: Vec<(String, u64)>,
    receipts: u64,
    pub(super) duplicates: DuplicateStyle,
}

impl Book {
    /// A book with these opening balances in USD minor units, one per account.
    pub(super) fn new(opening_minor: impl Iterator<Item = i64>) -> Self {
        Self {
            balances: opening_minor.map(|minor| vec![(Currency::USD, minor)]).collect(),
            postings: BTreeMap::new(),
            work_queues: Vec::new(),
            receipts: 0,
            duplicates: DuplicateStyle::Refuse,
        }
    }

    pub(super) fn balance(&self, account: usize, currency: Currency) -> i64 {
        let held =
            self.balances.get(account).and_then(|held| held.iter().find(|(known, _)| *known == currency));
        held.map_or(0, |(_, minor)| *minor)
    }

    pub(super) fn balances(&self) -> &[Vec<(Currency, i64)>] {
        &self.balances
    }

    pub(super) fn set_balance(&mut self, account: usize, currency: Currency, minor: i64) {
        let Some(held) = self.balances.get_mut(account) else { return };
        match held.iter_mut().find(|(known, _)| *known == currency) {
            Some((_, balance)) => *balance = minor,
            None => held.push((currency, minor)),
        }
    }

    pub(super) fn posting(&self, reference: &str) -> Option<&Posting> {
        self.postings.get(reference)
    }

    /// Postings in the order of their references, starting behind `after`.
    pub(super) fn postings_after<'a>(&'a self, after: &str) -> impl Iterator<Item = (&'a str, &'a Posting)> {
        let start = (std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded);
        self.postings.range::<str, _>(start).map(|(reference, posting)| (&**reference, posting))
    }

    pub(super) fn len(&self) -> usize {
        self.postings.len()
    }

    /// How many receipts were given: the number of postings really made.
    pub(super) fn receipts(&self) -> u64 {
        self.receipts
    }

    pub(super) fn work_queues(&self) -> &[(String, u64)] {
        &self.work_queues
    }

    /// Posts, or says why not. Nothing changes when it refuses, except the count of attempts.
    pub(super) fn post(&mut self, entry: &Entry<'_>) -> Result<Receipt, Refusal> {
        if let Some(receipt) = self.answer_duplicate(entry)? {
            return Ok(receipt);
        }
        let change = self.allowed_change(entry)?;
        let balance = self.balance(entry.account, entry.currency).checked_add(change);
        let balance_minor =
            balance.ok_or_else(|| Refusal::new(59159, "The account balance cannot hold this amount."))?;
        let work_queue = self.file(entry.work_queue)?;
        if let Some(original) = entry.original.and_then(|reference| self.postings.get_mut(reference)) {
            original.refunded_minor += entry.amount_minor;
        }
        self.set_balance(entry.account, entry.currency, balance_minor);
        let number = self.keep(entry, work_queue);
        Ok(Receipt { number, is_new: true, balance_minor })
    }

    fn answer_duplicate(&mut self, entry: &Entry<'_>) -> Result<Option<Receipt>, Refusal> {
        let balance_minor = self.balance(entry.account, entry.currency);
        let Some(known) = self.postings.get_mut(entry.reference) else { return Ok(None) };
        known.attempts = known.attempts.saturating_add(1);
        if !known.is_same_as(entry) {
            return Err(Refusal::new(
                59159,
                "The transaction id was posted before with other content. Nothing was posted.",
            ));
        }
        match self.duplicates {
            DuplicateStyle::Refuse => {
                Err(Refusal::new(59141, "The transaction id was posted before. Nothing was posted."))
            }
            DuplicateStyle::SameReceipt => {
                Ok(Some(Receipt { number: known.receipt_number(), is_new: false, balance_minor }))
            }
            DuplicateStyle::PostAgain => Ok(None),
        }
    }

    /// The change of the balance in minor units, when the rules for refunds hold.
    fn allowed_change(&self, entry: &Entry<'_>) -> Result<i64, Refusal> {
        match entry.kind {
            Kind::Payment => return Ok(-entry.amount_minor),
            Kind::Adjustment => return Ok(entry.amount_minor),
            Kind::Refund => {}
        }
        let reference = entry.original.unwrap_or_default();
        let original = self
            .postings
            .get(reference)
            .filter(|original| original.kind == Kind::Payment)
            .ok_or_else(|| Refusal::new(59144, "OriginalTransactionID names no posted payment."))?;
        if original.account != entry.account || original.currency != entry.currency {
            return Err(Refusal::new(59159, "The payment belongs to another account or currency."));
        }
        let paid = original.amount_minor.saturating_mul(i64::from(original.count));
        if entry.amount_minor > paid.saturating_sub(original.refunded_minor) {
            return Err(Refusal::new(59159, "The refund is larger than what is left of the payment."));
        }
        Ok(entry.amount_minor)
    }

    fn file(&mut self, name: &str) -> Result<Option<usize>, Refusal> {
        if name.is_empty() {
            return Ok(None);
        }
        if let Some(at) = self.work_queues.iter().position(|(known, _)| known == name) {
            self.work_queues[at].1 += 1;
            return Ok(Some(at));
        }
        if self.work_queues.len() == WORK_QUEUES_MAX {
            return Err(Refusal::new(59111, "Queue: there is no such work queue."));
        }
        self.work_queues.push((name.to_owned(), 1));
        Ok(Some(self.work_queues.len() - 1))
    }

    fn keep(&mut self, entry: &Entry<'_>, work_queue: Option<usize>) -> String {
        self.receipts += 1;
        if let Some(known) = self.postings.get_mut(entry.reference) {
            known.count = known.count.saturating_add(1);
            known.earlier_receipts.push(std::mem::replace(&mut known.receipt, self.receipts));
            return known.receipt_number();
        }
        let posting = Posting {
            account: entry.account,
            claim: entry.claim,
            amount_minor: entry.amount_minor,
            refunded_minor: 0,
            at_ms: entry.at_ms,
            receipt: self.receipts,
            earlier_receipts: Vec::new(),
            original: entry.original.map(Into::into),
            work_queue,
            count: 1,
            attempts: 1,
            currency: entry.currency,
            kind: entry.kind,
        };
        let number = posting.receipt_number();
        self.postings.insert(entry.reference.into(), posting);
        number
    }
}
