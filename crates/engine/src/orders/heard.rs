//! News of the ERP: its calls, and what polls find. Each piece is kept with its raw body and leads to one question: what became
//! of the order. The call is a hint; the answer to the question is the truth.

use suture_connect::erp::event::ErpEvent;
use suture_core::audit::chain::Hash;
use suture_core::id::{MessageId, Mint, OrderId};
use suture_store::inbox::{self, NewMessage, Received};
use suture_store::journal;

use crate::Error;
use crate::change::Change;
use crate::connections::Open;
use crate::engine::Engine;
use crate::intake::Delivery;

use super::sync::plan_sync;

/// The key under which an ERP's number of an order leads to our order.
pub(super) fn number_key(connection: &str, number: i64) -> String {
    format!("{connection}/order/{number}")
}

impl Engine {
    /// Takes a call of the ERP in: stored, and the question planned, before it is answered.
    pub(crate) async fn hear_erp(
        &self,
        open: &Open,
        body: &[u8],
        event: ErpEvent,
    ) -> Result<Delivery, Error> {
        let organization = open.organization.clone();
        let order = self.order(&organization, "erp", "erp_called");
        let message = MessageId::mint(Mint::new(order.now, self.random())).to_string();
        let keyring = self.0.store.keyring().clone();
        let new = NewMessage {
            connection: open.id.clone(),
            event_id: event.key(),
            event_type: event.kind.as_str().to_owned(),
            object_id: Some(event.number.to_string()),
            body_hash: Hash::of(body),
            sealed: keyring.seal(&inbox::place(&organization, &message), body)?,
            message,
        };
        let connection = open.id.clone();
        let work = move |change: &mut Change<'_, '_>| {
            let received =
                inbox::receive(change.tx, &keyring, &change.order.organization, &new, change.order.now)?;
            if received == Received::New {
                news(change, &connection, &event)?;
            }
            Ok((received, new.message.clone()))
        };
        let (received, message) = self.apply("erp", order, work).await?;
        Ok(match received {
            Received::New => Delivery::Accepted { message },
            Received::Duplicate { message, deliveries } => Delivery::Duplicate { message, deliveries },
        })
    }
}

/// Plans the question that a piece of news leads to; news of what is not ours is only kept.
pub(crate) fn news(change: &mut Change<'_, '_>, connection: &str, event: &ErpEvent) -> Result<(), Error> {
    let organization = change.order.organization.clone();
    let named = event.reference.as_deref().and_then(|text| OrderId::parse(text).ok());
    let numbered = match event.body.get("OrderNum").and_then(serde_json::Value::as_i64) {
        Some(number) if named.is_none() => {
            journal::referred(change.tx, &organization, &number_key(connection, number))?
        }
        _ => None,
    };
    match named.or_else(|| numbered.and_then(|id| OrderId::parse(&id).ok())) {
        Some(id) => plan_sync(change, id, &event.key()),
        None => Ok(()),
    }
}
