//! PaymentReconciliation and PaymentNotice, which only the permissive Epic takes: checks and postings.
//!
//! Called by `fhir` on create. Source: FHIR_R4_FIELDS.md (cardinalities, codes), EPIC.md §8. What must stay
//! true: a notice moves the balance of its account once, and only when its PaymentReconciliation exists.

use serde_json::Value;

use super::amount::{self, Currency};
use super::answer::{Answer, Issue, Refusal};
use super::book::{DuplicateStyle, Entry, Kind};
use super::created::Incoming;
use super::records::Held;
use super::world::EpicWorld;

enum Shape {
    Code(&'static [&'static str]),
    /// `YYYY-MM-DD`.
    Date,
    /// A date, or a date with time and zone.
    DateTime,
    Money,
    Text,
    /// Identifier, CodeableConcept, Period: an object whose inside is not checked.
    Object,
    Reference(&'static [&'static str]),
    Many(&'static [Element]),
}

struct Element {
    name: &'static str,
    required: bool,
    shape: Shape,
}

const fn must(name: &'static str, shape: Shape) -> Element {
    Element { name, required: true, shape }
}

const fn may(name: &'static str, shape: Shape) -> Element {
    Element { name, required: false, shape }
}

const STATUS: Shape = Shape::Code(&["active", "cancelled", "draft", "entered-in-error"]);
const PROVIDERS: Shape = Shape::Reference(&["Practitioner", "PractitionerRole", "Organization"]);
const ANYTHING: Shape = Shape::Reference(&[]);

static NOTICE: [Element; 12] = [
    may("identifier", Shape::Many(&[])),
    must("status", STATUS),
    may("request", ANYTHING),
    may("response", ANYTHING),
    must("created", Shape::DateTime),
    may("provider", PROVIDERS),
    must("payment", Shape::Reference(&["PaymentReconciliation"])),
    may("paymentDate", Shape::Date),
    may("payee", PROVIDERS),
    must("recipient", Shape::Reference(&["Organization"])),
    must("amount", Shape::Money),
    may("paymentStatus", Shape::Object),
];

static DETAIL: [Element; 10] = [
    may("identifier", Shape::Object),
    may("predecessor", Shape::Object),
    must("type", Shape::Object),
    may("request", ANYTHING),
    may("submitter", PROVIDERS),
    may("response", ANYTHING),
    may("date", Shape::Date),
    may("responsible", Shape::Reference(&["PractitionerRole"])),
    may("payee", PROVIDERS),
    may("amount", Shape::Money),
];

static NOTE: [Element; 2] =
    [may("type", Shape::Code(&["display", "print", "printoper"])), may("text", Shape::Text)];

static RECONCILIATION: [Element; 15] = [
    may("identifier", Shape::Many(&[])),
    must("status", STATUS),
    may("period", Shape::Object),
    must("created", Shape::DateTime),
    may("paymentIssuer", Shape::Reference(&["Organization"])),
    may("request", Shape::Reference(&["Task"])),
    may("requestor", PROVIDERS),
    may("outcome", Shape::Code(&["queued", "complete", "error", "partial"])),
    may("disposition", Shape::Text),
    must("paymentDate", Shape::Date),
    must("paymentAmount", Shape::Money),
    may("paymentIdentifier", Shape::Object),
    may("detail", Shape::Many(&DETAIL)),
    may("formCode", Shape::Object),
    may("processNote", Shape::Many(&NOTE)),
];

const COMMON: [&str; 9] = [
    "resourceType",
    "id",
    "meta",
    "implicitRules",
    "language",
    "text",
    "contained",
    "extension",
    "modifierExtension",
];

/// Checks the cardinalities of one of the two types.
pub(super) fn check(kind: &str, incoming: &Incoming<'_>) -> Result<(), Refusal> {
    let elements: &[Element] = if kind == "PaymentNotice" { &NOTICE } else { &RECONCILIATION };
    let mut issues = Vec::new();
    for name in incoming.element_names() {
        let known = elements.iter().any(|element| element.name == name) || COMMON.contains(&name);
        if !known {
            issues.push(Issue::new(59105, format!("{name} is no element of {kind}.")));
        }
    }
    check_elements(elements, &incoming.tree, kind, &mut issues);
    if issues.is_empty() { Ok(()) } else { Err(Refusal::from(issues)) }
}

fn check_elements(elements: &[Element], tree: &Value, path: &str, issues: &mut Vec<Issue>) {
    for element in elements {
        let value = &tree[element.name];
        let at = format!("{path}.{}", element.name);
        if value.is_null() {
            if element.required {
                issues.push(Issue::new(59108, "A required element is missing.").at(at));
            }
            continue;
        }
        if let Shape::Many(inner) = element.shape {
            match value.as_array() {
                Some(list) => list.iter().for_each(|one| check_elements(inner, one, &at, issues)),
                None => issues.push(Issue::new(59105, "The element must be an array.").at(at)),
            }
        } else if !fits(&element.shape, value) {
            let number = if element.required { 59111 } else { 59102 };
            issues.push(Issue::new(number, "The element has an invalid value.").at(at));
        }
    }
}

fn fits(shape: &Shape, value: &Value) -> bool {
    let text = value.as_str();
    match shape {
        Shape::Code(codes) => text.is_some_and(|code| codes.contains(&code)),
        Shape::Date => text.is_some_and(is_date),
        Shape::DateTime => text.is_some_and(|text| is_date(text) || text.parse::<jiff::Timestamp>().is_ok()),
        Shape::Money => {
            let currency = value["currency"].as_str().is_some_and(|code| Currency::parse(code).is_some());
            value["value"].is_number() && currency
        }
        Shape::Text => text.is_some_and(|text| !text.is_empty()),
        Shape::Object => value.is_object(),
        Shape::Reference(kinds) => match value["reference"].as_str() {
            Some(reference) => {
                let kind = reference.split('/').next().unwrap_or_default();
                kinds.is_empty() || kinds.contains(&kind)
            }
            None => value["identifier"].is_object(),
        },
        Shape::Many(_) => value.is_array(),
    }
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}

impl EpicWorld {
    /// Creates one of the two types; a notice that is active is posted first.
    pub(super) fn create_payment_resource(
        &mut self,
        now_ms: i64,
        kind: &'static str,
        incoming: &Incoming<'_>,
    ) -> Result<Answer, Refusal> {
        check(kind, incoming)?;
        let is_notice = kind == "PaymentNotice";
        if is_notice {
            self.check_notice_references(incoming)?;
        }
        let identifier = incoming.identifiers().into_iter().next();
        let existing = identifier
            .as_ref()
            .and_then(|(system, value)| self.created.find(kind, Some(system), value).into_iter().next());
        if is_notice && incoming.tree["status"] == "active" {
            let reference = identifier.map_or_else(|| self.created.next_id(), |(_, value)| value);
            let receipt = self.post_notice(now_ms, &reference, incoming)?;
            if let Some(id) = existing.filter(|_| !receipt) {
                return Ok(Answer::Existing { location: format!("{kind}/{id}") });
            }
        } else if let Some(id) = existing {
            match self.book.duplicates {
                DuplicateStyle::Refuse => {
                    return Err(Refusal::new(59141, "A resource with this identifier exists."));
                }
                DuplicateStyle::SameReceipt => {
                    return Ok(Answer::Existing { location: format!("{kind}/{id}") });
                }
                DuplicateStyle::PostAgain => {}
            }
        }
        let id = self.created.add(kind, incoming)?;
        Ok(Answer::Created { location: format!("{kind}/{id}") })
    }

    fn check_notice_references(&self, incoming: &Incoming<'_>) -> Result<(), Refusal> {
        if self.reconciliation_of(incoming).is_none() {
            let issue = Issue::new(59144, "The PaymentReconciliation does not exist. Create it first.");
            return Err(issue.at("PaymentNotice.payment").into());
        }
        let recipient = incoming.tree["recipient"]["reference"].as_str().unwrap_or_default();
        let id = recipient.strip_prefix("Organization/").unwrap_or_default();
        match self.records.find(Held::Organization, id) {
            Some(_) => Ok(()),
            None => Err(Issue::new(59144, "The Organization does not exist.")
                .at("PaymentNotice.recipient")
                .into()),
        }
    }

    /// Text of the PaymentReconciliation that a notice names by reference or by identifier.
    fn reconciliation_of(&self, incoming: &Incoming<'_>) -> Option<&str> {
        let payment = &incoming.tree["payment"];
        let kind = "PaymentReconciliation";
        if let Some(reference) = payment["reference"].as_str() {
            return self.created.get(kind, reference.strip_prefix("PaymentReconciliation/")?);
        }
        let value = payment["identifier"]["value"].as_str()?;
        let found = self.created.find(kind, payment["identifier"]["system"].as_str(), value);
        self.created.get(kind, found.first()?)
    }

    /// Posts the amount of a notice; true when it was posted now, false when it had been before.
    fn post_notice(
        &mut self,
        now_ms: i64,
        reference: &str,
        incoming: &Incoming<'_>,
    ) -> Result<bool, Refusal> {
        let (held, at) = self.subject_of_notice(incoming).ok_or_else(|| {
            Refusal::from(
                Issue::new(59108, "No Account, Claim, Encounter or Patient of the notice is known.")
                    .at("PaymentNotice.request"),
            )
        })?;
        if held == Held::Patient {
            self.records.check_patient(at)?;
        }
        self.records.check_glass(at)?;
        let claim = (held == Held::Claim).then_some(at);
        if claim.is_some_and(|claim| self.records.is_closed(claim)) {
            return Err(Refusal::new(59159, "The claim is closed and takes no payment."));
        }
        let wrong =
            || Refusal::from(Issue::new(59111, "The amount is not exact.").at("PaymentNotice.amount"));
        let currency =
            incoming.tree["amount"]["currency"].as_str().and_then(Currency::parse).ok_or_else(wrong)?;
        let text = incoming.money_text("amount").ok_or_else(wrong)?;
        let (kind, digits) = match text.strip_prefix('-') {
            Some(digits) => (Kind::Adjustment, digits),
            None => (Kind::Payment, text),
        };
        let amount_minor = amount::parse(digits, currency, 0).filter(|minor| *minor > 0).ok_or_else(wrong)?;
        let entry = Entry {
            reference,
            account: at,
            claim,
            amount_minor,
            currency,
            kind,
            original: None,
            work_queue: "",
            at_ms: now_ms,
        };
        Ok(self.book.post(&entry)?.is_new)
    }

    /// The first known record that the notice, or a detail of its reconciliation, is about.
    fn subject_of_notice(&self, incoming: &Incoming<'_>) -> Option<(Held, usize)> {
        let direct = [&incoming.tree["request"], &incoming.tree["response"]];
        let found = direct.into_iter().find_map(|reference| self.resolve(reference));
        found.or_else(|| {
            let tree: Value = serde_json::from_str(self.reconciliation_of(incoming)?).ok()?;
            tree["detail"].as_array()?.iter().find_map(|detail| self.resolve(&detail["request"]))
        })
    }

    fn resolve(&self, reference: &Value) -> Option<(Held, usize)> {
        let (kind, id) = reference["reference"].as_str()?.split_once('/')?;
        let held = Held::parse(kind).filter(|held| held.is_about_a_patient())?;
        Some((held, self.records.find(held, id)?))
    }
}
