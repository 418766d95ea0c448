//! A second charge for one payment: two intents were paid, by whatever window or hand. It is a fact of its own (I3), owed back
//! to the payer, and a person is asked; never counted with the first.

use suture_core::evidence::{ChargeSeen, Evidence};
use suture_core::id::PaymentId;
use suture_core::payment::{Command, Opening, Payment, Purpose};
use suture_store::effects::NewEffect;
use suture_store::journal;

use crate::Error;
use crate::change::{Change, Loaded};
use crate::facts::{Origin, decide, reference};
use crate::job::Job;

/// The payment that evidence found under a payment's references is really about: that payment, or the one of its second
/// charge. `None` when that charge must be fetched first.
pub(crate) fn of_its_charge(
    change: &mut Change<'_, '_>,
    evidence: &Evidence,
    found: Loaded<Payment>,
    origin: &Origin,
) -> Result<Option<Loaded<Payment>>, Error> {
    let Some(known) = found.state.as_ref().filter(|known| known.charge.is_some()) else {
        return Ok(Some(found));
    };
    let charge = match evidence {
        Evidence::Intent(_) => return Ok(Some(found)),
        Evidence::Charge(seen) if !known.is_of_another_charge(seen) => return Ok(Some(found)),
        Evidence::Charge(seen) => &seen.charge,
        Evidence::Refund(seen) => &seen.charge,
        Evidence::Dispute(seen) => &seen.charge,
        Evidence::Fee(seen) => &seen.charge,
    };
    if known.charge.as_ref() == Some(charge) {
        return Ok(Some(found));
    }
    let key = format!("second/{}", reference(&origin.connection, charge));
    match (journal::referred(change.tx, &change.order.organization, &key)?, evidence) {
        (Some(stream), _) => change.load(&stream).map(Some),
        (None, Evidence::Charge(seen)) => open(change, known, seen, (&key, origin)).map(Some),
        (None, _) => Ok(None),
    }
}

/// Opens the payment of a second charge. It pays no debt: its money is a credit of whoever the first is for.
fn open(
    change: &mut Change<'_, '_>,
    first: &Payment,
    seen: &ChargeSeen,
    (key, origin): (&str, &Origin),
) -> Result<Loaded<Payment>, Error> {
    let id = PaymentId::mint(change.mint());
    let mut loaded = Loaded::fresh(id.to_string());
    let opening = Opening {
        payment: id,
        debt: None,
        connection: origin.connection.clone(),
        gateway: origin.gateway.clone(),
        link: first.link.clone(),
        purpose: first.purpose.map(|_| Purpose::Credit),
        care: first.care.clone(),
        amount: seen.amount,
        manual_capture: false,
        confirmed_by: None,
        customer: None,
    };
    decide(change, &mut loaded, &Command::Open(opening))?;
    let organization = change.order.organization.clone();
    journal::refer(change.tx, &organization, key, &loaded.stream)?;
    change.effect_once(NewEffect {
        id: format!("{id}/second-charge"),
        kind: "ask_person",
        lane: None,
        destination: "second-charges".to_owned(),
        stream: Some(id.to_string()),
        due_at: change.order.now,
        payload: Job::ask(format!(
            "payment {} was paid a second time by charge {}: {} that is owed back to the payer, booked as payment {id}; \
             refund that payment, or cancel it while it is only reserved; the first payment stands",
            first.id, seen.charge, seen.amount
        )),
    })?;
    Ok(loaded)
}
