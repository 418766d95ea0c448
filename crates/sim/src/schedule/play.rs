//! Playing moves in a world. A refusal of the engine is an answer like any other; only a store that fails is an error.

use serde_json::{Value, json};
use suture_core::money::Money;
use suture_core::payment::{Payment, Status};
use suture_engine::Error;

use super::desk::Desk;
use super::front::Front;
use super::make::Kind;
use super::moves::Move;
use crate::world::{Fate, NewVisit, World, take_payment};

/// How many visits a schedule has.
const VISITS: usize = 4;

/// Plays the moves of one schedule.
pub struct Player {
    /// The world that they change.
    pub world: World,
    /// Links of the visits.
    links: Vec<(String, i64)>,
    desk: Desk,
    /// The practice, in a schedule of visits.
    front: Option<Front>,
    forged: usize,
}

impl Player {
    /// Makes the links of a schedule, and opens the practice of one with visits; a strict one keeps fees.
    ///
    /// # Errors
    /// A sentence when the engine refuses one.
    pub async fn open(mut world: World, (kind, strict): (Kind, bool)) -> Result<Self, String> {
        let front = match kind {
            Kind::Visits => Some(Front::open(&mut world, strict).await?),
            Kind::Payments | Kind::Billing => None,
        };
        let mut links = Vec::new();
        for visit in 0..VISITS {
            let minor = 8_000 + 1_000 * i64::try_from(visit).unwrap_or(0);
            let link = world.link(&NewVisit::due(visit, minor)).await.map_err(|error| error.to_string())?;
            links.push((link.id, minor));
        }
        Ok(Self { world, links, desk: Desk::default(), front, forged: 0 })
    }

    /// What the front desk was told, in a schedule of visits.
    #[must_use]
    pub const fn front(&self) -> Option<&Front> {
        self.front.as_ref()
    }

    /// Plays one move.
    ///
    /// # Errors
    /// A sentence when something failed that no fault explains.
    pub async fn play(&mut self, step: Move) -> Result<(), String> {
        let world = &mut self.world;
        match step {
            Move::Step { node } => world.step(node).await.map(|_| ()),
            Move::Work { node } => {
                for _ in 0..50 {
                    if !world.step(node).await? {
                        break;
                    }
                }
                Ok(())
            }
            Move::StepAndDie { node, looks } => world.step_and_die(node, looks).await.map(|_| ()),
            Move::Hold { node, pause } => world.step_until(node, pause).await.map(|_| ()),
            Move::GoOn { node } => world.go_on(node).await.map(|_| ()),
            Move::Crash { node } => world.crash(node).await,
            Move::Deliver { fate, node } => world.deliver(fate, node).await.map(|_| ()),
            Move::DeliverAndDie { node, looks } => world.deliver_and_die(node, looks).await,
            Move::Line(fault) => {
                world.outside.plan([fault]);
                Ok(())
            }
            Move::Jump(millis) => {
                world.clock.jump(millis);
                Ok(())
            }
            Move::EpicOutage(on) => world.outside.at_epic("outage", &json!({ "on": on })).map(|_| ()),
            Move::Sweep => answered(world.sweep(std::time::Duration::from_secs(4 * 86_400)).await),
            Move::Seal => answered(world.engine(0).seal(&world.organization).await),
            Move::Spoof => answered(world.forge(Some("whsec_guessed"), b"{\"object\":\"event\"}").await),
            Move::StolenSecret => self.forge_with_stolen_secret().await,
            Move::Desk { node, act } => self.desk.act(world, node, act).await,
            Move::Front { node, act } => match &mut self.front {
                Some(front) => front.act((world, &mut self.desk), node, act).await,
                None => Ok(()),
            },
            action => self.act(action).await,
        }
    }

    async fn act(&mut self, action: Move) -> Result<(), String> {
        let caller = self.world.caller();
        let engine = self.world.engine(0).clone();
        match action {
            Move::Take { visit, card, manual } => {
                let (link, minor) = &self.links[visit % self.links.len()];
                let take = take_payment(link, *minor, card);
                let take = suture_engine::TakePayment { manual_capture: manual, ..take };
                answered(self.world.take_with(take).await)
            }
            Move::TakeAgain { payment, card } => {
                let Some(first) = self.payment(payment).await? else { return Ok(()) };
                let (Some(debt), Some(link)) = (first.debt, &first.link) else { return Ok(()) };
                let take = take_payment(link, first.amount.minor, card);
                answered(self.world.take_with(suture_engine::TakePayment { debt: Some(debt), ..take }).await)
            }
            Move::Retry { payment, card } => {
                let Some(payment) = self.payment(payment).await? else { return Ok(()) };
                answered(engine.retry_payment(&caller, payment.id, card.to_owned()).await)
            }
            Move::Capture { payment, percent } => {
                let Some(payment) = self.payment(payment).await? else { return Ok(()) };
                let part = part(&payment, percent);
                answered(engine.capture_payment(&caller, payment.id, Some(part)).await)
            }
            Move::Cancel { payment } => {
                let Some(payment) = self.payment(payment).await? else { return Ok(()) };
                answered(engine.cancel_payment(&caller, payment.id).await)
            }
            Move::Refund { payment, percent } => {
                let Some(payment) = self.payment(payment).await? else { return Ok(()) };
                let part = part(&payment, percent);
                let why = ("visit_cancelled", "key_manager");
                answered(engine.refund_payment(&caller, payment.id, Some(part), why).await)
            }
            Move::Identify { payment, visit } => {
                let all = self.world.payments().await.map_err(|error| error.to_string())?;
                // Staff looks at the queue of money that nobody owns, not at all payments.
                let queue: Vec<&Payment> = all.iter().filter(|payment| payment.purpose.is_none()).collect();
                let Some(payment) = queue.get(payment % queue.len().max(1)) else { return Ok(()) };
                let (link, _) = &self.links[visit % self.links.len()];
                answered(engine.identify_payer(&caller, payment.id, link).await)
            }
            outside => self.act_outside(outside).await,
        }
    }

    /// What people and banks do at Stripe. What Stripe refuses did not happen.
    async fn act_outside(&mut self, action: Move) -> Result<(), String> {
        let outside = self.world.outside.clone();
        let (verb, body) = match action {
            Move::Challenge { payment, passed } => {
                let Some(intent) = self.payment(payment).await?.and_then(|payment| payment.intent) else {
                    return Ok(());
                };
                let outcome = if passed { "success" } else { "fail" };
                ("complete_3ds", json!({ "payment_intent": intent, "outcome": outcome }))
            }
            Move::PayOutside { visit } => {
                let link = visit.map_or("lnk_unknown", |visit| &self.links[visit % self.links.len()].0);
                ("external_payment", json!({ "amount": 4_300, "metadata": { "suture_link": link } }))
            }
            Move::RefundOutside { payment, percent } => {
                let Some(payment) = self.payment(payment).await? else { return Ok(()) };
                let body = json!({ "charge": payment.charge, "amount": part(&payment, percent).minor });
                ("external_refund", body)
            }
            Move::Dispute { payment } => {
                let Some(charge) = self.payment(payment).await?.and_then(|payment| payment.charge) else {
                    return Ok(());
                };
                ("dispute", json!({ "charge": charge }))
            }
            Move::EndDispute { won } => {
                let disputes = outside.at_stripe("state", &json!({ "only": ["disputes"] }))?;
                let all = disputes["disputes"].as_array().cloned().unwrap_or_default();
                let Some(latest) = all.last() else { return Ok(()) };
                (if won { "win" } else { "lose" }, json!({ "dispute": latest["id"] }))
            }
            _ => return Ok(()),
        };
        // Refused by Stripe: then it did not happen.
        let _answer = outside.at_stripe(verb, &body);
        Ok(())
    }

    /// A payment that never happened, told under the right signature.
    async fn forge_with_stolen_secret(&mut self) -> Result<(), String> {
        self.forged += 1;
        let (link, number) = (self.links[0].0.clone(), self.forged);
        let event = forged_event(&link, number, self.world.clock.now().seconds());
        answered(self.world.forge(None, event.to_string().as_bytes()).await)
    }

    async fn payment(&self, number: usize) -> Result<Option<Payment>, String> {
        let all = self.world.payments().await.map_err(|error| error.to_string())?;
        Ok((!all.is_empty()).then(|| all[number % all.len()].clone()))
    }

    /// Ends all faults and lets the world come to rest: requests go on, webhooks arrive, time passes, a sweep looks for
    /// what nobody told, and people retry what stopped.
    ///
    /// # Errors
    /// A sentence when it does not come to rest.
    pub async fn rest(&mut self) -> Result<(), String> {
        const HOURS: i64 = 3 * 3_600_000;
        let world = &mut self.world;
        world.outside.mend();
        world.outside.at_epic("outage", &json!({ "on": false }))?;
        for node in 0..world.nodes() {
            while world.is_standing(node) {
                world.go_on(node).await?;
            }
        }
        world.deliver(Fate::Arrive, 0).await?;
        world.pass(HOURS).await?;
        answered(world.sweep(std::time::Duration::from_secs(60 * 86_400)).await)?;
        world.pass(HOURS).await?;
        self.people_retry().await?;
        self.world.pass(HOURS).await
    }

    async fn people_retry(&mut self) -> Result<(), String> {
        use suture_store::effects::State;
        let caller = self.world.caller();
        for state in [State::Dead, State::Parked] {
            let stopped = self.world.effects(state).await.map_err(|error| error.to_string())?;
            for effect in stopped.iter().rev().filter(|effect| effect.kind != "identify_payer") {
                answered(self.world.engine(0).retry_effect(&caller, &effect.id, None).await)?;
            }
        }
        Ok(())
    }
}

fn part(payment: &Payment, percent: i64) -> Money {
    let whole = match payment.status() {
        Status::Captured | Status::PartRefunded => payment.captured_minor,
        _ => payment.amount.minor,
    };
    Money::new((whole * percent / 100).max(1), payment.amount.currency)
}

/// Refusals are answers; only a failing store is an error.
pub(super) fn answered<T>(answer: Result<T, Error>) -> Result<(), String> {
    match answer {
        // Somebody else did the same at the same moment.
        Err(Error::Store(error)) if error.is_conflict() => Ok(()),
        Err(Error::Store(error)) => Err(format!("the store failed: {error}")),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// A `charge.succeeded` that Stripe never sent.
fn forged_event(link: &str, number: usize, now: i64) -> Value {
    let charge = json!({
        "id": format!("ch_forged{number}"), "object": "charge", "amount": 9_900, "amount_captured": 9_900,
        "amount_refunded": 0, "captured": true, "created": now, "currency": "usd", "customer": null,
        "livemode": false, "metadata": { "suture_link": link }, "paid": true, "status": "succeeded",
        "payment_intent": null, "refunded": false, "disputed": false, "balance_transaction": null,
        "payment_method_details": null, "failure_code": null, "failure_message": null, "outcome": null,
    });
    json!({
        "id": format!("evt_forged{number}"), "object": "event", "type": "charge.succeeded", "created": now,
        "api_version": suture_sandbox::stripe::API_VERSION, "livemode": false, "pending_webhooks": 1,
        "request": null, "data": { "object": charge },
    })
}
