//! The daily compare: what the gateway moved, what we have booked, what the ERP has, by reference.
//!
//! Called once a day for a range of days, with lists that are complete for it. The gateway is the truth of what moved.
//! Every difference names the reference, the field, the three values, and, where the ERP is to be put right, the
//! document that does it. Nothing is filed here: a person, or a rule, accepts a proposal. Pure; same lists, same result.

mod correction;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use suture_core::calendar::LocalDate;
use suture_core::money::Money;

use super::document::{Document, ReceiptId};

/// What a movement, an entry or a document is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Movement {
    /// Money came in.
    Payment,
    /// Money went back by our own refund.
    Refund,
    /// Money went back by a dispute.
    Dispute,
}

/// What one side says about a reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// The fact's reference, as in the document that was filed for it.
    pub reference: String,
    /// What it is.
    pub movement: Movement,
    /// How much; positive for every kind.
    pub amount: Money,
    /// The day.
    pub date: LocalDate,
    /// The ERP's number of the customer, where the side knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_number: Option<i64>,
}

/// What is known of a fact besides the three sides, to propose a correction.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Context {
    /// The receipt of the payment, or of the payment that was refunded.
    pub receipt: Option<ReceiptId>,
    /// Whether that receipt is posted.
    pub posted: bool,
    /// The invoice to which it belongs.
    pub invoice_number: Option<i64>,
    /// The order to which it belongs.
    pub order_number: Option<i64>,
}

/// What the ERP says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// The record.
    pub said: Said,
    /// What is needed to correct it.
    #[serde(default)]
    pub context: Context,
}

/// How strict the compare is, and with what it corrects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// How many days the ERP's day may be off: time zones, and closed periods that moved a document.
    pub days_off: i64,
    /// The day on which corrections are booked.
    pub today: LocalDate,
    /// The reason code of proposed memos.
    pub reason_code: String,
}

/// The three sides and what is known besides.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'a> {
    /// The gateway's movements.
    pub gateway: &'a [Said],
    /// Our entries.
    pub ours: &'a [Said],
    /// The ERP's records.
    pub erp: &'a [Recorded],
    /// What is known by reference, for records that the ERP does not have.
    pub known: &'a BTreeMap<String, Context>,
    /// Refunds that were filed by taking a receipt back: the refund's reference, and the payment's. They leave no
    /// record of their own in the ERP, so each is counted against its payment.
    pub reversals: &'a BTreeMap<String, String>,
}

/// In which field the sides differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// One side does not have it at all.
    Presence,
    /// A side has it more than once.
    Count,
    /// The kinds differ.
    Movement,
    /// The amounts or their currencies differ.
    Amount,
    /// The days differ by more than is allowed.
    Date,
    /// The customers differ.
    Customer,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The reference.
    pub reference: String,
    /// The field.
    pub field: Field,
    /// What the gateway says; `None`: nothing.
    pub gateway: Option<String>,
    /// What we say.
    pub ours: Option<String>,
    /// What the ERP says.
    pub erp: Option<String>,
    /// What is wrong and what to do, in one or two sentences.
    pub sentence: String,
    /// The document that puts the ERP right, when one can.
    pub correction: Option<Document>,
}

/// Everything that is said about one reference.
#[derive(Default)]
struct Heard<'a> {
    gateway: Vec<&'a Said>,
    ours: Vec<&'a Said>,
    erp: Vec<&'a Recorded>,
}

/// Compares the three sides; by reference, then by field.
#[must_use]
pub fn compare(sides: &Sides<'_>, rules: &Rules) -> Vec<Difference> {
    let gateway = netted(sides.gateway, sides.reversals);
    let ours = netted(sides.ours, sides.reversals);
    let mut all: BTreeMap<&str, Heard<'_>> = BTreeMap::new();
    for said in &gateway {
        all.entry(&said.reference).or_default().gateway.push(said);
    }
    for said in &ours {
        all.entry(&said.reference).or_default().ours.push(said);
    }
    let Folded { records, corrections } = folded(sides.erp);
    for recorded in &records {
        all.entry(&recorded.said.reference).or_default().erp.push(recorded);
    }
    let mut differences: Vec<Difference> = all
        .into_iter()
        .flat_map(|(reference, heard)| {
            let corrected = corrections.get(reference).copied().unwrap_or_default();
            One { reference, heard: &heard, sides, rules, corrected }.differences()
        })
        .collect();
    differences.sort_by(|left, right| (&left.reference, left.field).cmp(&(&right.reference, right.field)));
    differences
}

/// Payments less the refunds that were taken from their receipts; a payment of which nothing is left is left out.
fn netted(list: &[Said], reversals: &BTreeMap<String, String>) -> Vec<Said> {
    let is_reversal =
        |said: &&Said| said.movement == Movement::Refund && reversals.contains_key(&said.reference);
    let mut taken: BTreeMap<&str, Vec<Money>> = BTreeMap::new();
    for refund in list.iter().filter(is_reversal) {
        if let Some(payment) = reversals.get(&refund.reference) {
            taken.entry(payment).or_default().push(refund.amount);
        }
    }
    list.iter()
        .filter(|said| !is_reversal(said))
        .filter_map(|said| {
            let refunds = taken.get(said.reference.as_str()).map_or(&[][..], Vec::as_slice);
            // Another currency, or more than was paid, stays as it is and shows as a difference.
            let left = refunds.iter().try_fold(said.amount, |left, refund| left.minus(*refund)).ok();
            let amount = left.filter(|left| left.minor >= 0).unwrap_or(said.amount);
            (amount.is_positive() || refunds.is_empty()).then(|| Said { amount, ..said.clone() })
        })
        .collect()
}

/// The ERP's records with their corrections counted in.
struct Folded {
    records: Vec<Recorded>,
    corrections: BTreeMap<String, usize>,
}

/// Corrections are filed under `reference#1`, `reference#2` …: each counts with the record that it corrects. A record of
/// which nothing is left is left out.
fn folded(erp: &[Recorded]) -> Folded {
    let bases: BTreeSet<&str> = erp.iter().map(|recorded| recorded.said.reference.as_str()).collect();
    let corrects = |recorded: &Recorded| {
        let (base, number) = correction::corrected(&recorded.said.reference)?;
        bases.contains(base).then(|| (base.to_owned(), number))
    };
    let mut corrections: BTreeMap<String, usize> = BTreeMap::new();
    let mut records: Vec<Recorded> = erp.iter().filter(|it| corrects(it).is_none()).cloned().collect();
    for recorded in erp {
        let Some((base, number)) = corrects(recorded) else { continue };
        let last = corrections.entry(base.clone()).or_default();
        *last = number.max(*last);
        let Some(record) = records.iter_mut().find(|record| record.said.reference == base) else { continue };
        let sum = if record.said.movement == recorded.said.movement {
            record.said.amount.plus(recorded.said.amount)
        } else {
            record.said.amount.minus(recorded.said.amount)
        };
        // Another currency cannot be counted in; it shows as a difference of the amount.
        record.said.amount = sum.unwrap_or(record.said.amount);
    }
    records
        .retain(|record| record.said.amount.minor != 0 || !corrections.contains_key(&record.said.reference));
    Folded { records, corrections }
}

/// One reference being compared.
struct One<'a> {
    reference: &'a str,
    heard: &'a Heard<'a>,
    sides: &'a Sides<'a>,
    rules: &'a Rules,
    /// The number of the last correction that the ERP has.
    corrected: usize,
}

impl One<'_> {
    fn differences(&self) -> Vec<Difference> {
        let mut found: Vec<Difference> = self.presence().into_iter().collect();
        found.extend(self.count());
        if !found.is_empty() {
            return found;
        }
        let fields = [
            self.field(Field::Movement, |said| Some(movement(said.movement).to_owned())),
            self.field(Field::Amount, |said| Some(said.amount.to_string())),
            self.date(),
            self.field(Field::Customer, |said| said.customer_number.map(|number| number.to_string())),
        ];
        found.extend(fields.into_iter().flatten());
        found
    }

    fn gateway(&self) -> Option<&Said> {
        self.heard.gateway.first().copied()
    }

    fn ours(&self) -> Option<&Said> {
        self.heard.ours.first().copied()
    }

    fn erp(&self) -> Option<&Recorded> {
        self.heard.erp.first().copied()
    }

    fn presence(&self) -> Option<Difference> {
        let (sentence, correction) = match (self.gateway(), self.ours(), self.erp()) {
            (Some(_), Some(_), Some(_)) => return None,
            (Some(truth), Some(_), None) => {
                let proposed = correction::missing(truth, self.known(), self.rules);
                (proposed.sentence, proposed.document)
            }
            (None, None, Some(recorded)) => {
                let proposed = correction::surplus(recorded, self.rules, self.next(0));
                (proposed.sentence, proposed.document)
            }
            (Some(_), None, _) => {
                ("The gateway moved this, but our books do not have it. Fetch it from the gateway first.".to_owned(), None)
            }
            (None, Some(_), _) => (
                "Our books have this, but the gateway does not. A person must look before anything is corrected."
                    .to_owned(),
                None,
            ),
            (None, None, None) => return None,
        };
        let amount = |said: &Said| Some(said.amount.to_string());
        Some(self.difference(Field::Presence, amount, sentence, correction))
    }

    /// A record too many: the first stays, the others go.
    fn count(&self) -> Vec<Difference> {
        let count = |field, side: &str| {
            let sentence =
                format!("{side} has this more than once. A person must look before anything is corrected.");
            self.difference(field, |said| Some(said.amount.to_string()), sentence, None)
        };
        let mut found = Vec::new();
        if self.heard.gateway.len() > 1 {
            found.push(count(Field::Count, "The gateway's list"));
        }
        if self.heard.ours.len() > 1 {
            found.push(count(Field::Count, "Our own list"));
        }
        for (turn, extra) in self.heard.erp.iter().enumerate().skip(1) {
            let proposed = correction::surplus(extra, self.rules, self.next(turn));
            let amount = |said: &Said| Some(said.amount.to_string());
            let sentence = format!("The ERP has this {} times. {}", self.heard.erp.len(), proposed.sentence);
            found.push(self.difference(Field::Count, amount, sentence, proposed.document));
        }
        found
    }

    /// All three have it, once; do they agree in a field? A side that does not know it agrees.
    fn field(&self, field: Field, value: impl Fn(&Said) -> Option<String>) -> Option<Difference> {
        let (truth, ours, recorded) = (self.gateway()?, self.ours()?, self.erp()?);
        let told: BTreeSet<String> = [truth, ours, &recorded.said].into_iter().filter_map(&value).collect();
        if told.len() <= 1 {
            return None;
        }
        let erp_is_right = value(truth) == value(&recorded.said);
        let proposed = match field {
            _ if erp_is_right => correction::Proposed::ours(),
            Field::Amount if value(truth) == value(ours) => {
                correction::amount(truth, recorded, self.rules, self.next(0))
            }
            Field::Presence
            | Field::Count
            | Field::Movement
            | Field::Amount
            | Field::Date
            | Field::Customer => correction::Proposed::person(field),
        };
        Some(self.difference(field, value, proposed.sentence, proposed.document))
    }

    fn date(&self) -> Option<Difference> {
        let (truth, ours, recorded) = (self.gateway()?, self.ours()?, self.erp()?);
        let off = |date: LocalDate| date.days_since(truth.date).abs() > self.rules.days_off;
        if !off(ours.date) && !off(recorded.said.date) {
            return None;
        }
        let proposed = correction::Proposed::person(Field::Date);
        Some(self.difference(Field::Date, |said| Some(said.date.to_string()), proposed.sentence, None))
    }

    /// The number of a correction that the ERP does not have yet.
    const fn next(&self, turn: usize) -> usize {
        self.corrected.saturating_add(turn).saturating_add(1)
    }

    fn known(&self) -> Option<&Context> {
        self.sides.known.get(self.reference)
    }

    fn difference(
        &self,
        field: Field,
        value: impl Fn(&Said) -> Option<String>,
        sentence: String,
        correction: Option<Document>,
    ) -> Difference {
        Difference {
            reference: self.reference.to_owned(),
            field,
            gateway: self.gateway().and_then(&value),
            ours: self.ours().and_then(&value),
            erp: self.erp().and_then(|recorded| value(&recorded.said)),
            sentence,
            correction,
        }
    }
}

const fn movement(movement: Movement) -> &'static str {
    match movement {
        Movement::Payment => "payment",
        Movement::Refund => "refund",
        Movement::Dispute => "dispute",
    }
}
