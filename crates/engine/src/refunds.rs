//! Use cases of refunds: ask for one, with reason and authorizer, and see how it stands.

use suture_core::explain::Reason;
use suture_core::id::{PaymentId, RefundId};
use suture_core::money::Money;
use suture_core::payment::{Command, Payment, Source, Status};
use suture_core::refund::{self, Refund};
use suture_store::effects::NewEffect;
use suture_store::journal;

use crate::Error;
use crate::change::{Change, Loaded};
use crate::engine::Engine;
use crate::facts::{self, Origin};
use crate::job::Job;
use crate::payments::{Caller, gateway_effect};

impl Engine {
    /// Refunds a payment, with reason and authorizer.
    ///
    /// # Errors
    /// [`Error::Refused`] beyond what can still be refunded, or without reason or authorizer.
    pub async fn refund_payment(
        &self,
        caller: &Caller,
        payment: PaymentId,
        amount: Option<Money>,
        (reason, authorizer): (&str, &str),
    ) -> Result<Refund, Error> {
        let state = self.payment(&caller.organization, payment).await?;
        let reason = Reason::parse(reason)?;
        let authorizer = authorizer.to_owned();
        let open = self.connection(&state.connection)?;
        let origin = self.origin(&open, Source::Fetched, self.now());
        let order = self.order_of(caller, reason);
        let work =
            move |change: &mut Change<'_, '_>| plan_refund(change, (payment, amount), &authorizer, &origin);
        let ((id, effect), held) =
            self.apply_in(&payment.to_string(), order, self.0.slots.slot(), work).await?;
        let waiting = self.wait_for(&effect);
        self.hand_over(held);
        self.patience(waiting).await;
        self.refund(&caller.organization, id).await
    }

    /// A refund as known now.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn refund(&self, organization: &str, id: RefundId) -> Result<Refund, Error> {
        let (organization, stream) = (organization.to_owned(), id.to_string());
        let found = self
            .0
            .store
            .read(move |tx| journal::load::<Refund>(tx, &organization, &stream).map_err(Error::from))
            .await?;
        found.map(|stream| stream.state).ok_or_else(|| Error::not_found("refund", &id.to_string()))
    }
}

/// Refunds by a rule: what can be refunded of an amount, `None`: of all that is left. Money that a dispute holds stays, and a
/// person is asked about it: the rule that pays it back must not fail for it.
pub(crate) fn refund_by_rule(
    change: &mut Change<'_, '_>,
    (payment, amount): (PaymentId, Option<Money>),
    authorizer: &str,
    origin: &Origin,
) -> Result<(), Error> {
    let (_, state) = change.existing::<Payment>(&payment.to_string())?;
    let free = state.refundable();
    let wanted = amount.map_or(state.captured_minor - state.refunded_minor(), |amount| amount.minor);
    let part = Money::new(wanted.min(free.minor), free.currency);
    if part.minor > 0 {
        plan_refund(change, (payment, Some(part)), authorizer, origin)?;
    }
    if part.minor >= wanted || !matches!(state.status(), Status::Disputed | Status::Lost) {
        return Ok(());
    }
    let held = Money::new(wanted - part.minor, free.currency);
    change.effect_once(NewEffect {
        id: format!("{payment}/refund-held/{}", held.minor),
        kind: "ask_person",
        lane: None,
        destination: "credits".to_owned(),
        stream: Some(payment.to_string()),
        due_at: change.order.now,
        payload: Job::ask(format!(
            "{held} of payment {payment} is to go back to the patient, but the payment is disputed and nothing was \
             refunded; if the dispute is won, refund it then unless it went by itself; if it is lost, the patient has it"
        )),
    })
}

/// Sets the amount aside, records who authorized it, and inserts the effect that asks the gateway. `None`: all that can be
/// refunded. Returns the refund and its effect.
pub(crate) fn plan_refund(
    change: &mut Change<'_, '_>,
    (payment, amount): (PaymentId, Option<Money>),
    authorizer: &str,
    origin: &Origin,
) -> Result<(RefundId, String), Error> {
    let (mut loaded, state) = change.existing::<Payment>(&payment.to_string())?;
    let amount = amount.unwrap_or_else(|| state.refundable());
    let id = RefundId::mint(change.mint());
    let events = facts::decide(change, &mut loaded, &Command::ReserveRefund { refund_id: id, amount })?;
    let charge = state.charge.clone().unwrap_or_default();
    let requested = refund::request(id, (payment, &charge), amount, authorizer, change.order.now)?;
    facts::settle(change, &mut loaded, &events, origin)?;
    let mut stream = Loaded::<Refund>::fresh(id.to_string());
    stream.record(&requested)?;
    change.save(&mut stream, &facts::care_of(&state))?;
    let effect = format!("{id}/1/0");
    let job = Job::Refund { refund: id };
    change.effect(gateway_effect(effect.clone(), &job, payment, &state.connection, change.order.now))?;
    Ok((id, effect))
}
