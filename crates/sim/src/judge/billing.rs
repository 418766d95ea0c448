//! What patient billing must have come to when the world is at rest: predicted from the judge's own books and from Stripe's
//! movements, per service, estimate charge, link, refund and consent.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use suture_engine::Error;
use suture_store::effects::State;
use suture_store::ledger;

use super::books::{Books, EstimateBook, ServiceBook, Stage, list, text as word};
use super::watch::{Watch, text};
use crate::world::World;

/// An intent at Stripe, as far as billing cares.
#[derive(Debug, Default)]
struct Intent {
    id: String,
    status: String,
    lapsed: bool,
    /// Charged less what went back and stayed there, in minor units.
    net: i64,
    charged: i64,
    /// Whether a refund of it came back.
    came_back: bool,
    /// Whether a bank disputes or disputed it: Stripe refunds it no more.
    disputed: bool,
}

/// What the checks share.
struct Case<'a> {
    books: &'a Books,
    /// The latest intent of each of our payments.
    intents: BTreeMap<String, Intent>,
    debt_of: &'a BTreeMap<String, String>,
    /// Streams and ids of effects that wait for a person.
    asked: BTreeSet<String>,
    /// Net by link, in minor units.
    net_of_link: BTreeMap<String, i64>,
}

/// Checks patient billing in a world at rest.
///
/// # Errors
/// The broken rule, as a sentence.
pub async fn billing_at_rest(world: &World, watch: &Watch) -> Result<(), String> {
    let (books, debt_of) = watch.books();
    if books.is_empty() {
        return Ok(());
    }
    let state = world.outside.at_stripe("state", &json!({ "only": ["payment_intents", "refunds"] }))?;
    let movements = world.movements();
    let case = Case {
        books,
        intents: intents(&state, &movements, books),
        debt_of,
        asked: asked(world).await?,
        net_of_link: net_of_links(&movements, books),
    };
    for (id, estimate) in &books.estimates {
        case.check_estimate(id, estimate)?;
    }
    for (id, service) in &books.services {
        case.check_service(id, service)?;
    }
    case.check_collecting()?;
    case.check_refunds(&state["refunds"], &movements)?;
    case.check_consents()?;
    case.check_links(world).await
}

impl Case<'_> {
    /// Every payment of a service: of its estimate charges, of its visit, and of its balance.
    fn payments_of(&self, service: &str) -> BTreeSet<&str> {
        let attached =
            self.books.estimates.values().filter(|known| known.service.as_deref() == Some(service));
        let of_estimates = attached.flat_map(|estimate| estimate.payments.iter().map(String::as_str));
        of_estimates.chain(self.visit_payments_of(service)).chain(self.balance_payments_of(service)).collect()
    }

    fn visit_payments_of(&self, service: &str) -> impl Iterator<Item = &str> {
        let is_of = move |debt: &String| {
            let visit = self.books.visit_of_debt.get(debt);
            visit.and_then(|visit| self.books.service_of_visit.get(visit)).is_some_and(|of| of == service)
        };
        self.debt_of.iter().filter(move |(_, debt)| is_of(debt)).map(|(payment, _)| payment.as_str())
    }

    fn balance_payments_of(&self, service: &str) -> impl Iterator<Item = &str> {
        let is_of = move |debt: &String| self.books.service_of_debt.get(debt).is_some_and(|of| of == service);
        self.debt_of.iter().filter(move |(_, debt)| is_of(debt)).map(|(payment, _)| payment.as_str())
    }

    /// An estimate charge says what Stripe says of its latest intent.
    fn check_estimate(&self, id: &str, estimate: &EstimateBook) -> Result<(), String> {
        let latest = estimate.payments.last();
        if latest.is_some_and(|payment| self.asked.contains(payment)) {
            return Ok(());
        }
        let intent = latest.and_then(|payment| self.intents.get(payment));
        let expected: &[&str] = match intent {
            None => &["", "pending", "canceled", "authorization_failed"],
            Some(intent) if intent.charged > 0 => match intent.charged - intent.net {
                _ if intent.disputed => &["captured", "part_refunded", "refunded"],
                0 => &["captured"],
                back if back >= intent.charged => &["refunded"],
                _ => &["part_refunded"],
            },
            Some(intent) => match intent.status.as_str() {
                "requires_capture" => &["authorized", "capture_failed"],
                "canceled" if intent.lapsed && !estimate.abandoned => &["expired"],
                "canceled" if intent.lapsed => &["expired", "canceled"],
                // A changed amount waits for its next authorization.
                "canceled" => &["canceled", "pending"],
                "processing" => &["pending"],
                _ => &["authorization_failed", "canceled"],
            },
        };
        if expected.contains(&estimate.status.as_str()) {
            return Ok(());
        }
        Err(format!(
            "B1: {id} says {:?}; by Stripe's intent {intent:?} it should be one of {expected:?}",
            estimate.status
        ))
    }

    /// A completed service is even, one that is even is completed, and a cancelled one holds nothing.
    fn check_service(&self, id: &str, service: &ServiceBook) -> Result<(), String> {
        let payments = self.payments_of(id);
        let known = || payments.iter().filter_map(|payment| self.intents.get(*payment));
        let net: i64 = known().map(|intent| intent.net).sum();
        let difference = service.owed() - net;
        let excused = self.is_excused(id, &payments) || service.is_undecided();
        match service.stage {
            Stage::Completed if difference != 0 => Err(format!(
                "B2: {id} is completed; the patient owes {} and {net} is held, a difference of {difference}",
                service.owed()
            )),
            Stage::Settling if difference < 0 && !excused => Err(format!(
                "B3: {id} is settling, {} too much is held, and nobody refunds it or is asked",
                -difference
            )),
            Stage::Settling if difference == 0 && !excused && !known().any(Intent::may_collect) => {
                Err(format!("B4: {id} is even with {net} held, and is not completed"))
            }
            Stage::Canceled if net > 0 && !excused => {
                Err(format!("B5: {id} is cancelled, {net} is held, and nobody refunds it or is asked"))
            }
            Stage::Canceled if known().any(|intent| intent.status == "requires_capture") && !excused => {
                Err(format!("B6: {id} is cancelled, and a hold stands that nobody releases"))
            }
            _ => Ok(()),
        }
    }

    /// Whether a person knows: a refund failed or came back, or somebody is asked.
    fn is_excused(&self, service: &str, payments: &BTreeSet<&str>) -> bool {
        let failed = |refund: &String| {
            self.books.refunds.get(refund).is_some_and(|(payment, _)| payments.contains(payment.as_str()))
        };
        let is_asked = |id: &str| self.asked.contains(id);
        let trouble = |payment: &&str| {
            is_asked(payment)
                || self.intents.get(*payment).is_some_and(|intent| intent.came_back || intent.disputed)
        };
        is_asked(service) || payments.iter().any(trouble) || self.books.failed_refunds.iter().any(failed)
    }

    /// At most one intent may still collect a debt, and at most one the balance of a service.
    fn check_collecting(&self) -> Result<(), String> {
        let mut open: BTreeMap<&str, &str> = BTreeMap::new();
        for (payment, _) in self.intents.iter().filter(|(_, intent)| intent.may_collect()) {
            let Some(debt) = self.debt_of.get(payment) else { continue };
            let of = self.books.service_of_debt.get(debt).unwrap_or(debt);
            if let Some(other) = open.insert(of, payment) {
                return Err(format!("B7: {payment} and {other} may both still collect for {of}"));
            }
        }
        Ok(())
    }

    /// Each refund that we asked for is one refund at Stripe, of the amount that was asked for; no charge gives back more
    /// than it took.
    fn check_refunds(&self, refunds: &Value, movements: &[Value]) -> Result<(), String> {
        let mut explained: BTreeMap<String, String> = BTreeMap::new();
        for refund in list(refunds) {
            let Some(stream) = refund["metadata"]["suture_refund"].as_str() else { continue };
            let id = word(&refund["id"]);
            let Some((_, amount)) = self.books.refunds.get(stream) else {
                return Err(format!("B8: refund {id} names {stream}, which nobody asked for"));
            };
            if refund["amount"].as_i64() != Some(*amount) {
                return Err(format!("B8: {stream} asked for {amount}; {id} gave {} back", refund["amount"]));
            }
            if let Some(other) = explained.insert(stream.to_owned(), id.clone()) {
                return Err(format!(
                    "B8: {stream} was asked for once, and {other} and {id} both gave money back"
                ));
            }
        }
        let mut net: BTreeMap<&str, i64> = BTreeMap::new();
        for movement in movements {
            *net.entry(movement["charge"].as_str().unwrap_or_default()).or_default() += signed(movement);
        }
        match net.iter().find(|(_, net)| **net < 0) {
            Some((charge, net)) => Err(format!("B9: {charge} gave back {} more than it took", -net)),
            None => Ok(()),
        }
    }

    /// What was charged under a consent stays below its cap, whatever went back later.
    fn check_consents(&self) -> Result<(), String> {
        let mut charged: BTreeMap<&str, i64> = BTreeMap::new();
        for (payment, consent) in &self.books.consent_of {
            let taken = self.intents.get(payment).map_or(0, |intent| intent.charged);
            *charged.entry(consent).or_default() += taken;
        }
        for (consent, charged) in charged {
            let cap = self.books.caps.get(consent).copied().unwrap_or(0);
            if charged > cap {
                return Err(format!("B10: {charged} was charged under {consent}, which allows {cap}"));
            }
        }
        Ok(())
    }

    /// What the books say of a patient's account is what is owed less what is held.
    async fn check_links(&self, world: &World) -> Result<(), String> {
        let mut predicted: BTreeMap<&str, i64> = BTreeMap::new();
        for estimate in self.books.estimates.values() {
            predicted.entry(&estimate.link).or_default();
        }
        for service in self.books.services.values() {
            *predicted.entry(&service.link).or_default() += service.owed();
        }
        for (link, owed) in predicted {
            let expected = owed - self.net_of_link.get(link).copied().unwrap_or(0);
            let booked = booked(world, link).await?;
            if booked != expected {
                return Err(format!(
                    "B11: ar, credit and deposit of {link} come to {booked}; owed less held is {expected}"
                ));
            }
        }
        Ok(())
    }
}

impl Intent {
    /// Whether it may still take money.
    fn may_collect(&self) -> bool {
        !matches!(self.status.as_str(), "canceled" | "succeeded")
    }
}

fn signed(movement: &Value) -> i64 {
    let amount = movement["amount"].as_i64().unwrap_or(0);
    match movement["motion"].as_str().unwrap_or_default() {
        "charge" | "refund_failure" => amount,
        "refund" => -amount,
        _ => 0,
    }
}

fn intents(state: &Value, movements: &[Value], books: &Books) -> BTreeMap<String, Intent> {
    let mut known: BTreeMap<String, Intent> = BTreeMap::new();
    for intent in list(&state["payment_intents"]) {
        let attempt = intent["metadata"]["suture_attempt"].as_str().unwrap_or_default();
        let named = attempt.split('/').next().filter(|payment| !payment.is_empty()).map(ToOwned::to_owned);
        let known_as = || books.payment_of_intent.get(&word(&intent["id"])).cloned();
        let Some(payment) = named.or_else(known_as) else { continue };
        let row = known.entry(payment).or_default();
        row.id = word(&intent["id"]);
        row.status = word(&intent["status"]);
        row.lapsed = matches!(intent["cancellation_reason"].as_str(), Some("automatic" | "expired"));
    }
    for movement in movements {
        let intent = movement["payment_intent"].as_str().unwrap_or_default();
        let Some(row) = known.values_mut().find(|row| row.id == intent) else { continue };
        row.net += signed(movement);
        match movement["motion"].as_str().unwrap_or_default() {
            "charge" => row.charged += movement["amount"].as_i64().unwrap_or(0),
            "refund_failure" => row.came_back = true,
            "dispute" => row.disputed = true,
            _ => {}
        }
    }
    known
}

fn net_of_links(movements: &[Value], books: &Books) -> BTreeMap<String, i64> {
    let mut net = BTreeMap::new();
    let found = |movement: &Value| {
        let payment = books.payment_of_intent.get(&word(&movement["payment_intent"]))?;
        books.link_of.get(payment).cloned()
    };
    for movement in movements {
        let named = movement["metadata"]["suture_link"].as_str().map(ToOwned::to_owned);
        *net.entry(named.or_else(|| found(movement)).unwrap_or_default()).or_default() += signed(movement);
    }
    net
}

async fn asked(world: &World) -> Result<BTreeSet<String>, String> {
    let mut asked = BTreeSet::new();
    for state in [State::Dead, State::Parked] {
        for effect in world.effects(state).await.map_err(text)? {
            asked.extend(effect.stream);
        }
    }
    Ok(asked)
}

async fn booked(world: &World, link: &str) -> Result<i64, String> {
    const PATIENT: [&str; 3] = ["ar:patient", "credit:patient", "deposit:patient"];
    let (organization, link) = (world.organization.clone(), link.to_owned());
    let read =
        world.store().read(move |tx| ledger::list_party(tx, &organization, &link).map_err(Error::from));
    let lines = read.await.map_err(text)?;
    let of_patient = lines.iter().filter(|line| PATIENT.contains(&line.account.as_str()));
    Ok(of_patient.map(|line| line.amount.minor).sum())
}
