//! Use cases of payments: take one, try again, capture, cancel, refund, and say whose it is.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use suture_core::debt::{self, Debt};
use suture_core::explain::{Actor, Reason};
use suture_core::guard::{self, Usual};
use suture_core::id::{DebtId, PaymentId};
use suture_core::money::Money;
use suture_core::payment::{Command, Event, Opening, Payment, Source, Status};
use suture_core::redact::Secret;
use suture_core::refusal::Refusal;
use suture_store::effects::{self, NewEffect};
use suture_store::{journal, links};
use tokio::sync::oneshot;

use crate::Error;
use crate::apply::plan_poll;
use crate::change::{Change, Loaded, Order};
use crate::engine::Engine;
use crate::facts::{self, Origin};
use crate::job::Job;
use crate::send;

/// Who asks, and for which tenant.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The tenant.
    pub organization: String,
    /// Who.
    pub actor: Actor,
}

/// A payment to take.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TakePayment {
    /// The link: whose payment it is, and for which act of care.
    pub link: String,
    /// How much.
    pub amount: Money,
    /// The debt that it collects; a new one of this amount when absent.
    pub debt: Option<DebtId>,
    /// The connection; the only gateway when absent.
    pub connection: Option<String>,
    /// The gateway's payment method; without one the payer gives it in the browser.
    pub method: Option<String>,
    /// Reserve now, take later.
    pub manual_capture: bool,
    /// The payer is not present.
    pub off_session: bool,
    /// Keep the method for later.
    pub save_method: bool,
    /// Where the payer's browser returns after an action.
    pub return_url: Option<String>,
    /// Who confirms an amount that is far from the usual, by user name: stands on the payment's first event.
    pub confirmed_by: Option<String>,
}

/// A payment with what only its maker may see.
#[derive(Debug, Clone)]
pub struct Taken {
    /// The payment as known now.
    pub payment: Payment,
    /// The browser's secret, once.
    pub client_secret: Option<Secret<String>>,
}

/// How many payments of a link are looked at for one that is still open, newest first.
const OPEN_LOOK_BACK: i64 = 20;
/// How long a caller waits for the gateway before it gets the payment as known.
const PATIENCE: Duration = Duration::from_secs(20);

impl Engine {
    /// Takes a payment: records the debt, locks it, plans the attempt with its frozen key, and hands it to a sender, all
    /// in one transaction; then waits for the gateway's answer for a while.
    ///
    /// # Errors
    /// [`Error::Refused`] with the rule that says no; nothing was sent then.
    pub async fn take_payment(&self, caller: &Caller, take: TakePayment) -> Result<Taken, Error> {
        let connection = self.gateway_for(&caller.organization, take.connection.as_deref())?;
        let open = self.connection(&connection)?;
        let (gateway, _) = open.gateway()?;
        if gateway.payments().is_none() {
            return Err(open.problem("it takes no payments"));
        }
        let origin = self.origin(&open, Source::Fetched, self.now());
        let order = self.order_of(caller, Reason::of("payment_requested"));
        let work = {
            let origin = origin.clone();
            move |change: &mut Change<'_, '_>| begin(change, &take, &origin)
        };
        let ((payment, effect), held) = self.apply_in("payment", order, self.0.slots.slot(), work).await?;
        let waiting = self.wait_for(&effect);
        self.hand_over(held);
        self.patience(waiting).await;
        self.taken(&caller.organization, payment).await
    }

    /// Tries again with another method, as a new attempt under the same debt lock.
    ///
    /// # Errors
    /// [`Error::Refused`] while the former attempt is open.
    pub async fn retry_payment(
        &self,
        caller: &Caller,
        payment: PaymentId,
        method: String,
    ) -> Result<Taken, Error> {
        let state = self.payment(&caller.organization, payment).await?;
        let open = self.connection(&state.connection)?;
        let origin = self.origin(&open, Source::Fetched, self.now());
        let order = self.order_of(caller, Reason::of("payment_retried"));
        let work = move |change: &mut Change<'_, '_>| {
            let mut loaded = change.load::<Payment>(&payment.to_string())?;
            let options = AttemptOptions { method: Some(method.clone()), ..AttemptOptions::default() };
            plan_attempt(change, &mut loaded, options, &origin)
        };
        let (effect, held) = self.apply_in(&payment.to_string(), order, self.0.slots.slot(), work).await?;
        let waiting = self.wait_for(&effect);
        self.hand_over(held);
        self.patience(waiting).await;
        self.taken(&caller.organization, payment).await
    }

    /// Captures what is authorized.
    ///
    /// # Errors
    /// [`Error::Refused`], for example after the authorization lapsed.
    pub async fn capture_payment(
        &self,
        caller: &Caller,
        payment: PaymentId,
        amount: Option<Money>,
    ) -> Result<Payment, Error> {
        self.command_and_call(caller, payment, Command::Capture { amount }, "capture_requested").await
    }

    /// Cancels a payment that has not moved money.
    ///
    /// # Errors
    /// [`Error::Refused`], for example while its outcome is unknown.
    pub async fn cancel_payment(&self, caller: &Caller, payment: PaymentId) -> Result<Payment, Error> {
        self.command_and_call(caller, payment, Command::Cancel, "cancel_requested").await
    }

    async fn command_and_call(
        &self,
        caller: &Caller,
        payment: PaymentId,
        command: Command,
        reason: &'static str,
    ) -> Result<Payment, Error> {
        let state = self.payment(&caller.organization, payment).await?;
        let open = self.connection(&state.connection)?;
        let origin = self.origin(&open, Source::Fetched, self.now());
        let order = self.order_of(caller, Reason::of(reason));
        let work = move |change: &mut Change<'_, '_>| plan_command(change, payment, &command, &origin);
        let (effect, held) = self.apply_in(&payment.to_string(), order, self.0.slots.slot(), work).await?;
        let waiting = effect.map(|effect| self.wait_for(&effect));
        self.hand_over(held);
        if let Some(waiting) = waiting {
            self.patience(waiting).await;
        }
        self.payment(&caller.organization, payment).await
    }

    /// A debt as known now.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn debt(&self, organization: &str, id: DebtId) -> Result<Debt, Error> {
        let (organization, stream) = (organization.to_owned(), id.to_string());
        let found = self
            .0
            .store
            .read(move |tx| journal::load::<Debt>(tx, &organization, &stream).map_err(Error::from))
            .await?;
        found.map(|stream| stream.state).ok_or_else(|| Error::not_found("debt", &id.to_string()))
    }

    /// Says whose money a payment in suspense is.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown link, [`Error::Refused`] when it has an owner.
    pub async fn identify_payer(
        &self,
        caller: &Caller,
        payment: PaymentId,
        link: &str,
    ) -> Result<Payment, Error> {
        let state = self.payment(&caller.organization, payment).await?;
        let open = self.connection(&state.connection)?;
        let origin = self.origin(&open, Source::Fetched, self.now());
        let order = self.order_of(caller, Reason::of("payer_identified"));
        let token = link.to_owned();
        self.apply(&payment.to_string(), order, move |change| {
            let organization = change.order.organization.clone();
            let link = links::get(change.tx, &organization, &token)?
                .ok_or_else(|| Error::not_found("link", &token))?;
            let mut loaded = change.load::<Payment>(&payment.to_string())?;
            let care = facts::care_of_link(&link);
            let command =
                Command::ResolveLink { link: link.id.clone(), purpose: link.purpose, care, debt: None };
            let events = facts::decide(change, &mut loaded, &command)?;
            facts::settle(change, &mut loaded, &events, &origin)?;
            if let Some(state) = loaded.state.as_ref().filter(|_| !events.is_empty()) {
                journal::remember_party(change.tx, &organization, &link.id, &loaded.stream, state.amount)?;
            }
            let parked = format!("{payment}/identify");
            let asked = effects::get(change.tx, &organization, &parked)?;
            if let Some(asked) = asked.filter(|effect| effect.state == effects::State::Parked) {
                effects::skip(change.tx, &asked, "the payer was identified", change.order.now)?;
            }
            Ok(())
        })
        .await?;
        self.payment(&caller.organization, payment).await
    }

    /// The gateway connection to use.
    pub(crate) fn gateway_for(&self, organization: &str, wanted: Option<&str>) -> Result<String, Error> {
        let connections = self.connections();
        let mut usable = connections
            .open
            .values()
            .filter(|open| open.organization == organization && open.gateway().is_ok());
        match wanted {
            Some(id) => usable
                .find(|open| open.id == id)
                .map(|open| open.id.clone())
                .ok_or_else(|| Error::not_found("connection", id)),
            None => match (usable.next(), usable.next()) {
                (Some(only), None) => Ok(only.id.clone()),
                (Some(_), Some(_)) => Err(Error::Refused(Refusal::invalid(
                    "connection_required",
                    "Nothing was charged. There is more than one gateway; name the connection.",
                ))),
                (None, _) => Err(Error::Refused(Refusal::state(
                    "no_gateway",
                    "Nothing was charged. No gateway is connected yet; create a connection first.",
                ))),
            },
        }
    }

    pub(crate) fn order_of(&self, caller: &Caller, reason: Reason) -> Order {
        Order {
            organization: caller.organization.clone(),
            actor: caller.actor.clone(),
            reason,
            now: self.now(),
        }
    }

    /// Registers to be told when an effect ends.
    pub(crate) fn wait_for(&self, effect: &str) -> oneshot::Receiver<()> {
        let (tell, told) = oneshot::channel();
        if let Ok(mut waiting) = self.0.waiting.lock() {
            waiting.entry(effect.to_owned()).or_default().push(tell);
        }
        told
    }

    pub(crate) async fn patience(&self, waiting: oneshot::Receiver<()>) {
        // Without workers in this process nobody would tell; the caller then gets the payment as planned.
        if self.0.inbound.lock().is_ok_and(|inbound| inbound.is_none()) {
            let _ = tokio::time::timeout(PATIENCE, waiting).await;
        }
    }

    pub(crate) async fn taken(&self, organization: &str, payment: PaymentId) -> Result<Taken, Error> {
        let secret =
            self.0.client_secrets.lock().ok().and_then(|mut secrets| secrets.remove(&payment.to_string()));
        Ok(Taken { payment: self.payment(organization, payment).await?, client_secret: secret })
    }
}

pub(crate) fn gateway_effect(
    id: String,
    job: &Job,
    payment: PaymentId,
    connection: &str,
    now: suture_core::time::Timestamp,
) -> NewEffect {
    NewEffect {
        id,
        kind: job.kind(),
        // Two writers on one object only get in each other's way at the gateway.
        lane: Some(format!("gateway/{payment}")),
        destination: connection.to_owned(),
        stream: Some(payment.to_string()),
        due_at: now,
        payload: job.payload(),
    }
}

/// Decides to capture or to cancel, and inserts the effect that asks the gateway. Returns the effect, if one is needed.
pub(crate) fn plan_command(
    change: &mut Change<'_, '_>,
    payment: PaymentId,
    command: &Command,
    origin: &Origin,
) -> Result<Option<String>, Error> {
    let mut loaded = change.load::<Payment>(&payment.to_string())?;
    if let (Command::Capture { amount }, Some(state)) = (command, &loaded.state) {
        crate::billing::check_capture(change, state, *amount)?;
    }
    let events = facts::decide(change, &mut loaded, command)?;
    let version = loaded.version();
    let connection = loaded.state.as_ref().map(|state| state.connection.clone()).unwrap_or_default();
    facts::settle(change, &mut loaded, &events, origin)?;
    let mut effect = None;
    for event in &events {
        let job = match event {
            Event::CaptureRequested { key, .. } => Job::Capture { payment, key: key.clone() },
            Event::CancelRequested { key } => Job::Cancel { payment, key: key.clone() },
            _ => continue,
        };
        let id = format!("{payment}/{version}/0");
        effect = Some(id.clone());
        change.effect(gateway_effect(id, &job, payment, &connection, change.order.now))?;
    }
    Ok(effect)
}

/// What an attempt needs beside the payment.
#[derive(Debug, Clone, Default)]
pub(crate) struct AttemptOptions {
    pub(crate) method: Option<String>,
    pub(crate) save_method: bool,
    pub(crate) off_session: bool,
    pub(crate) return_url: Option<String>,
}

/// Everything that happens before the first byte leaves. Returns the payment and the effect that sends it.
fn begin(
    change: &mut Change<'_, '_>,
    take: &TakePayment,
    origin: &Origin,
) -> Result<(PaymentId, String), Error> {
    let organization = change.order.organization.clone();
    let link = links::get(change.tx, &organization, &take.link)?
        .ok_or_else(|| Error::not_found("link", &take.link))?;
    let confirmed = take.confirmed_by.as_deref().map(Reason::parse).transpose();
    let confirmed = confirmed.map_err(|_| {
        Refusal::invalid(
            "authorizer_required",
            "Nothing was charged. Name who confirms the amount by user name, 1 to 64 letters, digits or underscores.",
        )
    })?;
    if confirmed.is_none() {
        let history = journal::party_history(change.tx, &organization, &link.id, 50)?;
        let same = |(_, minor, code): &(String, i64, String)| {
            (code == take.amount.currency.code()).then_some(*minor)
        };
        let mut amounts: Vec<i64> = history.iter().filter_map(same).collect();
        amounts.extend(link.due.filter(|due| due.currency == take.amount.currency).map(|due| due.minor));
        guard::check(take.amount, Usual::of(&amounts))?;
    }
    let care = facts::care_of_link(&link);
    let debt = match take.debt {
        Some(debt) => debt,
        None => {
            nothing_open(change, &link.id)?;
            record_debt(change, &link, take.amount)?
        }
    };
    let options = AttemptOptions {
        method: take.method.clone(),
        save_method: take.save_method,
        off_session: take.off_session,
        return_url: take.return_url.clone(),
    };
    let opening = Opening {
        payment: PaymentId::mint(change.mint()),
        debt: Some(debt),
        connection: origin.connection.clone(),
        gateway: origin.gateway.clone(),
        link: Some(link.id.clone()),
        purpose: Some(link.purpose),
        care,
        amount: take.amount,
        manual_capture: take.manual_capture,
        customer: None,
        confirmed_by: confirmed.map(|name| name.as_str().to_owned()),
    };
    start_payment(change, opening, options, origin)
}

/// Opens a payment under its debt's lock and plans its first attempt. Returns the payment and the effect that sends it.
pub(crate) fn start_payment(
    change: &mut Change<'_, '_>,
    opening: Opening,
    options: AttemptOptions,
    origin: &Origin,
) -> Result<(PaymentId, String), Error> {
    let id = opening.payment;
    let mut loaded = Loaded::<Payment>::fresh(id.to_string());
    let (link, amount) = (opening.link.clone().unwrap_or_default(), opening.amount);
    facts::decide(change, &mut loaded, &Command::Open(opening))?;
    let organization = change.order.organization.clone();
    journal::remember_party(change.tx, &organization, &link, &loaded.stream, amount)?;
    let effect = plan_attempt(change, &mut loaded, options, origin)?;
    Ok((id, effect))
}

/// Without a named debt the link stands for it: while one of its payments may still collect, a second request is more
/// likely the same one said twice than a new debt (FLOWS 12h).
fn nothing_open(change: &mut Change<'_, '_>, link: &str) -> Result<(), Error> {
    let organization = change.order.organization.clone();
    for (stream, ..) in journal::party_history(change.tx, &organization, link, OPEN_LOOK_BACK)? {
        let found = journal::load::<Payment>(change.tx, &organization, &stream)?;
        let Some(payment) = found.map(|found| found.state).filter(Payment::is_collecting) else { continue };
        return Err(Error::Refused(Refusal::state(
            "payment_in_progress",
            format!(
                "Nothing was charged: payment {} of this link may still collect {}. Wait until it is answered, try it \
                 again, or cancel it; if this is for something else that is owed, name its debt.",
                payment.id, payment.amount
            ),
        )));
    }
    Ok(())
}

fn record_debt(change: &mut Change<'_, '_>, link: &links::Link, owed: Money) -> Result<DebtId, Error> {
    let id = DebtId::mint(change.mint());
    let mut loaded = Loaded::<Debt>::fresh(id.to_string());
    let care = facts::care_of_link(link);
    let command = debt::Command::Record {
        debt: id,
        care: care.clone(),
        link: link.id.clone(),
        purpose: link.purpose,
        owed,
        owner: None,
    };
    for event in debt::decide(None, &command)? {
        loaded.record(&event)?;
    }
    change.save(&mut loaded, &care)?;
    Ok(id)
}

/// Locks the debt, plans the attempt, and inserts the effect that sends it and the first poll. Without a method and with an
/// intent there is no new attempt: the effect asks for the secret of that intent.
pub(crate) fn plan_attempt(
    change: &mut Change<'_, '_>,
    loaded: &mut Loaded<Payment>,
    options: AttemptOptions,
    origin: &Origin,
) -> Result<String, Error> {
    let mut events = facts::decide(change, loaded, &Command::PlanAttempt { method: options.method.clone() })?;
    let Some(state) = loaded.state.clone() else { return Err(Error::not_found("payment", &loaded.stream)) };
    if let Some(debt) = state.debt {
        let mut debt = change.load::<Debt>(&debt.to_string())?;
        let lock = debt::Command::Lock {
            payment: state.id,
            connection: state.connection.clone(),
            amount: state.amount,
        };
        for event in debt::decide(debt.state.as_ref(), &lock)? {
            debt.record(&event)?;
        }
        change.save(&mut debt, &facts::care_of(&state))?;
    }
    if events.is_empty() {
        return send::plan_show(change, &state);
    }
    let number = state.attempts.last().map_or(1, |attempt| attempt.number);
    let version = loaded.version();
    events.retain(|event| matches!(event, Event::AttemptPlanned { .. }));
    facts::settle(change, loaded, &[], origin)?;
    let job = Job::Attempt {
        payment: state.id,
        number,
        save_method: options.save_method,
        off_session: options.off_session,
        return_url: options.return_url,
    };
    let effect = format!("{}/{version}/0", state.id);
    let now = change.order.now;
    change.effect(gateway_effect(effect.clone(), &job, state.id, &origin.connection, now))?;
    plan_poll(change, state.id, &origin.connection, (&format!("{}/{version}/poll", state.id), 1))?;
    Ok(effect)
}

/// Whether a payment waits for its payer or the gateway.
#[must_use]
pub const fn is_waiting(status: Status) -> bool {
    matches!(
        status,
        Status::Created
            | Status::RequiresAction
            | Status::RequiresMethod
            | Status::Processing
            | Status::Unknown
    )
}
