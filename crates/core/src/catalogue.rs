//! The public event catalogue: which events of the journal others may hear of, under which type, and what they read.
//!
//! The engine asks it when events are stored, sent and watched; the API lists it. What must stay true: every kind of a
//! machine that is listed here is an event type of the same name unless [`PRIVATE`] names it, a machine that is not
//! listed is private as a whole, and a body leaves only through [`shown`].

use serde_json::Value;

use crate::refusal::Refusal;

/// One machine whose events are public.
#[derive(Debug, Clone, Copy)]
pub struct Machine {
    /// The first part of its kinds: `payment` of `payment.captured`.
    pub name: &'static str,
    /// One sentence about its events.
    pub sentence: &'static str,
    /// Its types with a sentence each: all of them, or none while the sentence of the machine says enough.
    pub types: &'static [(&'static str, &'static str)],
}

const fn machine(name: &'static str, sentence: &'static str) -> Machine {
    Machine { name, sentence, types: &[] }
}

/// The machines. A new machine is public by one line here.
pub const MACHINES: &[Machine] = &[
    Machine { name: "payment", sentence: "One collection of money by one gateway.", types: PAYMENT },
    Machine {
        name: "refund",
        sentence: "A refund that we asked for.",
        types: &[
            ("refund.requested", "A refund was asked for; it is not sent yet."),
            ("refund.moved", "A refund was sent, confirmed, refused, or its answer was lost."),
        ],
    },
    Machine {
        name: "dispute",
        sentence: "The payer's bank asks for money back.",
        types: &[
            ("dispute.opened", "A dispute was seen for the first time."),
            ("dispute.moved", "A dispute reached another stage: challenged, won, lost, closed."),
        ],
    },
    Machine { name: "posting", sentence: "One fact reported to another system.", types: POSTING },
    Machine {
        name: "debt",
        sentence: "What a patient owes for an act of care, or a deposit consented to.",
        types: &[
            ("debt.recorded", "A debt is known."),
            ("debt.adjusted", "What is owed changed."),
            ("debt.locked", "A payment has an open attempt, and nobody else may collect."),
            ("debt.unlocked", "The attempt ended, and the debt may be collected again."),
            ("debt.collected", "What is collected of a debt changed."),
        ],
    },
    machine("patient", "Ids of a patient and their merges; never a name."),
    machine("policy", "A patient's insurance policy: known, changed, ended."),
    machine("eligibility", "A question to a payer about a policy, and its answer."),
    machine("estimate", "What a service will cost the patient, as it was told."),
    machine("service", "A service that was given and can be billed."),
    machine("invoice", "A bill to a patient or a payer."),
    machine("remittance", "A payer's explanation of what it paid."),
    machine(
        "provider_payout",
        "A provider's share of a visit: earned, held, released, transferred, taken back.",
    ),
    machine(
        "settlement",
        "A gateway's payout to the bank: heard of, lines matched, on its way, at the bank, closed.",
    ),
    machine("period", "Up to which day the books are locked."),
    machine(
        "notice",
        "A message to a patient or provider and what is known of each channel; never a text or an address.",
    ),
    machine("clinic", "A clinic: its zone, its timing of payments, its policy, its fee schedule."),
    machine("provider", "A provider: hours, types of visit, insurance that is accepted."),
    machine("visit_type", "A type of visit: how long, for how much, paid when."),
    Machine { name: "appointment", sentence: "An agreed visit.", types: APPOINTMENT },
    machine(
        "encounter",
        "What a provider documents: codes, hashes of signed notes, the outcome; never a text.",
    ),
    machine("intake", "An intake form that was submitted; never an answer."),
    machine("waiting", "A place in the waiting list."),
    machine(
        "order",
        "A customer's order: what was bought, paid, documented in the ERP, shipped, invoiced; never a name.",
    ),
    machine(
        "filing",
        "A business document in an ERP: planned, filed with its keys, refused; never its content.",
    ),
];

const APPOINTMENT: &[(&str, &str)] = &[
    ("appointment.slot_selected", "A slot is held for a patient."),
    ("appointment.hold_extended", "The hold was made longer: the bank's check is open."),
    ("appointment.deposit_moved", "The payment of its deposit proved something new."),
    ("appointment.visit_payment_moved", "The payment before the visit proved something new."),
    ("appointment.booking_confirmed", "It stands."),
    ("appointment.lapsed", "Its hold ended without money."),
    ("appointment.slot_lost", "Money came too late and goes back."),
    ("appointment.visit_due", "A charge before the visit is to be collected."),
    ("appointment.put_at_risk", "A charge before the visit failed; a deadline runs."),
    ("appointment.secured", "It was paid in time."),
    ("appointment.overridden", "The provider sees the patient anyway."),
    ("appointment.emergency_marked", "It is, or no longer is, one that is never released for money."),
    ("appointment.moved", "It has another time."),
    ("appointment.arrived", "The patient is here."),
    ("appointment.encounter_opened", "The provider documents it."),
    ("appointment.completed", "The visit took place."),
    ("appointment.missed", "The patient did not come."),
    ("appointment.booking_canceled", "It will not take place."),
];

const PAYMENT: &[(&str, &str)] = &[
    ("payment.opened", "A payment exists: asked for by us, or first seen at the gateway."),
    ("payment.attempt_moved", "A try to collect was sent, answered, declined, or its answer was lost."),
    ("payment.intent_moved", "The gateway's object of this payment was seen in a new status."),
    ("payment.authorized", "Money is reserved, not moved."),
    ("payment.charge_failed", "A charge failed; no money moved."),
    ("payment.captured", "Money moved to us."),
    ("payment.fee_known", "The gateway's fee is known."),
    ("payment.capture_failed", "The gateway refused a capture."),
    ("payment.refund_reserved", "A part of the payment is set aside for a refund."),
    ("payment.refund_released", "A refund will not happen; what was set aside is free again."),
    ("payment.refund_pending", "A refund is on its way."),
    ("payment.refunded", "Money went back to the payer."),
    ("payment.refund_failed", "A refund came back to us; the patient is still owed."),
    ("payment.relinked", "It pays for other care of the same patient."),
    ("payment.consumed", "The care that it was a deposit for was given."),
    ("payment.paid_back_elsewhere", "What had come back from refunds was paid back outside of a gateway."),
    ("payment.dispute_moved", "A dispute of this payment was seen in a new status."),
    ("payment.dispute_withdrawn", "Disputed money was taken from us."),
    ("payment.dispute_reinstated", "Disputed money came back."),
    ("payment.dispute_lost", "Disputed money is gone for good."),
    ("payment.link_resolved", "It became known whose money it is."),
    ("payment.settled", "The money arrived in a payout."),
];

const POSTING: &[(&str, &str)] = &[
    ("posting.planned", "A fact will be reported."),
    ("posting.planned_again", "A report that stopped is tried again."),
    ("posting.unknown", "The answer to a report was lost."),
    ("posting.accepted", "The other system said yes, without proof."),
    ("posting.confirmed", "The report is proven: a receipt, or it was read back."),
    ("posting.rejected", "The other system refused the report."),
    ("posting.waiting_for_person", "A person must post it in the other system."),
    ("posting.reversed", "The report was taken back."),
];

/// Kinds that stay inside: orders of ours that say nothing that their outcome does not say too. A machine that is private
/// as a whole is not in [`MACHINES`], and stands here as `machine.*`, so that a test knows it was not forgotten.
pub const PRIVATE: &[&str] =
    &["payment.attempt_planned", "payment.capture_requested", "payment.cancel_requested"];

/// Members that no body shows, at any depth: frozen keys, the gateway's own words, which may hold names and client
/// secrets, and who of the staff allowed a refund.
const WITHHELD: [&str; 4] = ["key", "raw", "next_action", "authorizer"];

/// Filters of one endpoint at most.
const FILTERS_MAX: usize = 50;
/// The longest filter.
const FILTER_BYTES_MAX: usize = 80;

/// The machine of a kind, when it is public.
#[must_use]
pub fn machine_of(kind: &str) -> Option<&'static Machine> {
    let (name, _) = kind.split_once('.')?;
    MACHINES.iter().find(|machine| machine.name == name)
}

/// Whether events of this kind are public.
#[must_use]
pub fn is_public(kind: &str) -> bool {
    machine_of(kind).is_some() && !PRIVATE.contains(&kind)
}

/// A body as others may read it: without what is withheld.
#[must_use]
pub fn shown(body: &Value) -> Value {
    match body {
        Value::Object(members) => {
            let kept = members.iter().filter(|(name, _)| !WITHHELD.contains(&name.as_str()));
            Value::Object(kept.map(|(name, value)| (name.clone(), shown(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(shown).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => body.clone(),
    }
}

/// The public id of an event: which event of which stream. Deterministic, so that it needs no column.
///
/// ```
/// use suture_core::catalogue::EventId;
/// let id = EventId::parse("evt_pay_01_3").unwrap();
/// assert_eq!((id.stream.as_str(), id.version), ("pay_01", 3));
/// assert_eq!(id.to_string(), "evt_pay_01_3");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventId {
    /// The stream.
    pub stream: String,
    /// 1 for its first event.
    pub version: i64,
}

impl EventId {
    /// Parses the text form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (stream, version) = text.strip_prefix("evt_")?.rsplit_once('_')?;
        let digits = !version.starts_with('0') && version.bytes().all(|byte| byte.is_ascii_digit());
        let version = version.parse().ok().filter(|_| digits)?;
        (!stream.is_empty() && stream.len() <= 128).then(|| Self { stream: stream.to_owned(), version })
    }
}

impl std::fmt::Display for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "evt_{}_{}", self.stream, self.version)
    }
}

/// Which event types somebody wants: exact types, all of a machine (`payment.*`), or all (`*`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filters(Vec<String>);

impl Filters {
    /// Checks what a caller wants. Nothing means everything.
    ///
    /// # Errors
    /// A refusal that names the first filter that can match nothing.
    pub fn parse(wanted: &[String]) -> Result<Self, Refusal> {
        if wanted.len() > FILTERS_MAX {
            return Err(unknown_type(&format!("more than {FILTERS_MAX} types")));
        }
        match wanted.iter().find(|filter| !is_filter(filter)) {
            Some(wrong) => Err(unknown_type(&format!("{:?}", wrong.chars().take(40).collect::<String>()))),
            None => Ok(Self::stored(wanted.to_vec())),
        }
    }

    /// Filters that were checked when they were stored.
    #[must_use]
    pub fn stored(wanted: Vec<String>) -> Self {
        if wanted.is_empty() { Self(vec!["*".to_owned()]) } else { Self(wanted) }
    }

    /// The filters as text.
    #[must_use]
    pub fn texts(&self) -> &[String] {
        &self.0
    }

    /// Whether a journal kind is public and wanted.
    #[must_use]
    pub fn want(&self, kind: &str) -> bool {
        is_public(kind) && self.0.iter().any(|filter| matches(filter, kind))
    }
}

fn matches(filter: &str, kind: &str) -> bool {
    match filter.strip_suffix('*') {
        Some(beginning) => kind.starts_with(beginning),
        None => filter == kind,
    }
}

/// Whether a filter can match anything: a mistyped one would be silence for ever.
fn is_filter(filter: &str) -> bool {
    if filter == "*" {
        return true;
    }
    let plain = |byte: u8| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'.');
    let Some((name, rest)) = filter.split_once('.') else { return false };
    let Some(machine) = MACHINES.iter().find(|machine| machine.name == name) else { return false };
    let listed = || machine.types.is_empty() || machine.types.iter().any(|(kind, _)| *kind == filter);
    let exact = || !rest.is_empty() && rest.bytes().all(plain) && !PRIVATE.contains(&filter) && listed();
    filter.len() <= FILTER_BYTES_MAX && (rest == "*" || exact())
}

fn unknown_type(what: &str) -> Refusal {
    Refusal::invalid(
        "event_type_unknown",
        format!(
            "Nothing was changed. {what} is not an event type, a machine such as `payment.*`, or `*`; \
             `GET /v1/event-types` lists them."
        ),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filters(texts: &[&str]) -> Result<Filters, Refusal> {
        Filters::parse(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn every_kind_of_a_listed_machine_is_public_unless_it_is_named_private() {
        assert!(is_public("payment.captured") && is_public("appointment.anything_new"));
        assert!(!is_public("payment.attempt_planned") && !is_public("secret_machine.moved"));
        assert!(!is_public("payment") && !is_public(""));
        for machine in MACHINES {
            for (kind, sentence) in machine.types {
                assert_eq!(machine_of(kind).map(|found| found.name), Some(machine.name));
                assert!(is_public(kind) && sentence.ends_with('.'), "{kind}");
            }
        }
    }

    #[test]
    fn filters_match_one_type_a_machine_or_everything_public() {
        let one = filters(&["payment.captured", "refund.*"]).unwrap();
        assert!(one.want("payment.captured") && one.want("refund.moved"));
        assert!(!one.want("payment.refunded") && !one.want("debt.locked"));
        let all = filters(&[]).unwrap();
        assert!(all.want("debt.locked") && !all.want("payment.attempt_planned"));
        assert!(!filters(&["payment.*"]).unwrap().want("payment.capture_requested"), "private stays private");
    }

    #[test]
    fn a_filter_that_can_match_nothing_is_refused() {
        let long = format!("patient.{}", "x".repeat(90));
        for wrong in [
            "payment",
            "payment.",
            "payment.captuerd",
            "payments.*",
            "payment.c*",
            "**",
            "",
            "pay ment.*",
            &long,
        ] {
            assert_eq!(filters(&[wrong]).unwrap_err().code, "event_type_unknown", "{wrong}");
        }
        assert!(filters(&["payment.attempt_planned"]).is_err(), "a private kind is not a type");
        assert!(Filters::parse(&vec!["*".to_owned(); 51]).is_err());
    }

    #[test]
    fn frozen_keys_and_the_gateways_words_are_withheld_at_any_depth() {
        let body = json!({
            "amount": { "minor": 1 }, "key": "k", "next_action": { "url": "https://x?client_secret=1" },
            "step": { "declined": { "error": { "code": "card_declined", "raw": { "name": "Ann" } } } },
            "list": [{ "key": "k", "id": "a" }], "authorizer": "dr_x",
        });
        let expected = json!({
            "amount": { "minor": 1 }, "step": { "declined": { "error": { "code": "card_declined" } } },
            "list": [{ "id": "a" }],
        });
        assert_eq!(shown(&body), expected);
    }

    #[test]
    fn an_event_id_names_stream_and_version_and_has_one_spelling() {
        for text in ["evt_pay_0190_12", "evt_a/b_1"] {
            assert_eq!(EventId::parse(text).unwrap().to_string(), text);
        }
        for wrong in
            ["evt_pay_0", "evt_pay_01_012", "evt_pay_1_-1", "evt_pay_1_+1", "evt__1", "pay_1_1", "evt_pay"]
        {
            assert_eq!(EventId::parse(wrong), None, "{wrong}");
        }
    }
}
