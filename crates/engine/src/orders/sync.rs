//! What the ERP says of an order: asked when it calls, when a poll finds a change, and when a person wants to know.

use serde_json::json;
use suture_core::explain::Reason;
use suture_core::id::OrderId;
use suture_core::order::{Command, Event, Order, Seen};
use suture_store::effects::{self, NewEffect, State};
use suture_store::lanes;

use crate::Error;
use crate::change::Change;
use crate::engine::{Engine, Wanted};
use crate::job::Job;
use crate::payments::Caller;
use crate::running::waiting_lane;
use crate::worker::{After, Working};

use super::follow::decide;

impl Engine {
    /// Plans to ask the ERP about an order now. The answer shows in the order.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn ask_erp_about(&self, caller: &Caller, id: OrderId) -> Result<Order, Error> {
        let order = self.order_of(caller, Reason::of("order_asked"));
        let news = format!("asked/{}", order.now.millis());
        self.apply(&id.to_string(), order, move |change| {
            let (_, state) = change.existing::<Order>(&id.to_string())?;
            plan_sync(change, id, &news)?;
            Ok(state)
        })
        .await
    }

    /// Asks the ERP what became of an order, and lets what waits for it go on.
    pub(crate) async fn sync_order(&self, working: &Working, id: OrderId) -> Result<After, Error> {
        let organization = working.effect.organization.clone();
        let state: Order = self.state(&organization, &id.to_string()).await?;
        let Some(erp) = self.runner(&organization).erp else {
            return Ok(After::Parked { error: "no ERP is connected; connect one, then retry".to_owned() });
        };
        let seen = match self.see_order(&erp, &state).await? {
            Ok(seen) => seen,
            Err(after) => return Ok(after),
        };
        let order = self.order(&organization, "erp", "order_seen");
        let (lease, flows) = (working.lease.clone(), self.flows_for("epicor"));
        self.apply(&id.to_string(), order, move |change| {
            see(change, id, &seen, &flows)?;
            effects::finish(change.tx, &lease, State::Done, None, change.order.now).map_err(Error::from)
        })
        .await?;
        Ok(After::Finished)
    }
}

/// Takes in what the ERP says of an order, and wakes the runs that wait for it.
pub(crate) fn see(
    change: &mut Change<'_, '_>,
    id: OrderId,
    seen: &Seen,
    flows: &Wanted,
) -> Result<(), Error> {
    let (after, events) = decide(change, id, &Command::See(seen.clone()))?;
    for event in &events {
        let name = match event {
            Event::Shipped(_) => "epicor.shipped",
            Event::Invoiced(_) => "epicor.invoiced",
            _ => continue,
        };
        tell(change, &after, event, flows)?;
        wake(change, name, id)?;
    }
    Ok(())
}

/// Lets the runs go on that wait for an event of an order.
pub(super) fn wake(change: &mut Change<'_, '_>, event: &str, id: OrderId) -> Result<(), Error> {
    let organization = change.order.organization.clone();
    let lane = waiting_lane(event, &id.to_string());
    change.unheld |= lanes::hasten(change.tx, &organization, &lane, change.order.now)? > 0;
    Ok(())
}

/// Tells the flows of what the ERP did: each piece of news once, by its own number.
fn tell(change: &mut Change<'_, '_>, order: &Order, event: &Event, flows: &Wanted) -> Result<(), Error> {
    let (name, fact, at, key, body) = match event {
        Event::Shipped(shipment) => {
            ("shipped", format!("shipment:{}", shipment.number), shipment.at, "shipment", json!(shipment))
        }
        Event::Invoiced(invoice) => {
            ("invoiced", format!("invoice:{}", invoice.number), invoice.at, "invoice", json!(invoice))
        }
        _ => return Ok(()),
    };
    for (flow, _) in flows.iter().filter(|(_, kinds)| kinds.contains(name)) {
        let told = json!({
            "event": name,
            "order": order.id,
            "fact": fact,
            "link": order.link,
            "occurred_at": at.to_rfc3339(),
            key: body,
        });
        change.effect(NewEffect {
            id: format!("{}/{flow}/{fact}", order.id),
            kind: "run_flow",
            lane: Some(format!("{flow}/{}", order.id)),
            destination: "suture".to_owned(),
            stream: Some(order.id.to_string()),
            due_at: change.order.now,
            payload: Job::RunFlow { flow: flow.clone(), event: told, released: false }.payload(),
        })?;
    }
    Ok(())
}

/// Plans to ask the ERP about an order. `news` makes it once per piece of news.
pub(crate) fn plan_sync(change: &mut Change<'_, '_>, id: OrderId, news: &str) -> Result<(), Error> {
    let job = Job::SyncOrder { order: id };
    change.effect_once(NewEffect {
        id: format!("{id}/sync/{news}"),
        kind: job.kind(),
        lane: None,
        destination: "erp".to_owned(),
        stream: Some(id.to_string()),
        due_at: change.order.now,
        payload: job.payload(),
    })
}
