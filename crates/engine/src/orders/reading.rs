//! Reading orders: for people, on one page with ids and times (FEATURES M72), and for flows.

use serde_json::{Value, json};
use suture_core::filing::Filing;
use suture_core::id::OrderId;
use suture_core::order::Order;
use suture_core::time::Timestamp;
use suture_store::{Keyring, orders, personal};

use crate::Error;
use crate::change::Change;
use crate::engine::Engine;

pub use suture_store::orders::Summary as OrderSummary;

/// One thing of an order's page.
#[derive(Debug, Clone, PartialEq)]
pub struct PageEntry {
    /// What it is: `order`, `payment`, `customer`, `sales_order`, `shipment`, `invoice`, `cash_receipt`, …
    pub what: String,
    /// Its id or number, in the words of the system that has it.
    pub id: String,
    /// Where it is: `suture`, the gateway's name, or `erp`.
    pub system: String,
    /// Where it stands, or what it came to.
    pub state: String,
    /// Since when.
    pub at: Option<Timestamp>,
}

/// The whole trail of an order, from checkout to fulfilment.
#[derive(Debug, Clone)]
pub struct OrderPage {
    /// The order.
    pub order: Order,
    /// What belongs to it, in the order of time.
    pub entries: Vec<PageEntry>,
    /// Documents on their way to the ERP, or stopped.
    pub open: Vec<Filing>,
}

impl Engine {
    /// An order as known now.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn customer_order(&self, organization: &str, id: OrderId) -> Result<Order, Error> {
        self.state(organization, &id.to_string()).await
    }

    /// Orders, newest first, before an id; of one buyer, when one is named.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn customer_orders(
        &self,
        organization: &str,
        buyer: Option<&str>,
        (before, limit): (&str, i64),
    ) -> Result<Vec<OrderSummary>, Error> {
        let before = if before.is_empty() { "~" } else { before };
        let (organization, buyer, before) =
            (organization.to_owned(), buyer.map(ToOwned::to_owned), before.to_owned());
        self.0
            .store
            .read(move |tx| {
                orders::list(tx, &organization, buyer.as_deref(), (&before, limit.clamp(1, 1_000)))
                    .map_err(Error::from)
            })
            .await
    }

    /// The page of an order: payment, customer, order, shipment, invoice and receipt with ids and times.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn order_page(&self, organization: &str, id: OrderId) -> Result<OrderPage, Error> {
        let order = self.customer_order(organization, id).await?;
        let mut entries = vec![PageEntry {
            what: "order".into(),
            id: order.reference.clone(),
            system: "suture".into(),
            state: order.status().name().into(),
            at: Some(order.placed_at),
        }];
        for (payment, paid) in &order.payments {
            let Ok(payment) = suture_core::id::PaymentId::parse(payment) else { continue };
            let known = self.payment(organization, payment).await?;
            entries.push(PageEntry {
                what: "payment".into(),
                id: known.charge.clone().unwrap_or_else(|| payment.to_string()),
                system: known.gateway.clone(),
                state: paid.status.name().into(),
                at: known.charged_at,
            });
        }
        entries.extend(order.documents.iter().map(|(reference, document)| PageEntry {
            what: document.kind.clone(),
            id: key_text(&document.keys).unwrap_or_else(|| reference.clone()),
            system: "erp".into(),
            state: "filed".into(),
            at: Some(document.at),
        }));
        entries.extend(order.shipments.iter().map(|shipment| PageEntry {
            what: "shipment".into(),
            id: shipment.number.clone(),
            system: "erp".into(),
            state: "shipped".into(),
            at: Some(shipment.at),
        }));
        entries.extend(order.invoices.iter().map(|invoice| PageEntry {
            what: "invoice".into(),
            id: invoice.number.to_string(),
            system: "erp".into(),
            state: if invoice.open_minor() <= 0 { "paid".into() } else { "open".into() },
            at: Some(invoice.at),
        }));
        entries.sort_by_key(|entry| entry.at.map_or(i64::MAX, Timestamp::millis));
        let open = self.open_filings(organization, &id.to_string()).await?;
        Ok(OrderPage { order, entries, open })
    }
}

/// The keys of a document as people write them: `order 1001`, `group S261121A head 3`.
fn key_text(keys: &Value) -> Option<String> {
    let object = keys.as_object()?;
    let word = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let parts: Vec<String> =
        object.iter().filter_map(|(name, value)| Some(format!("{name} {}", word(value)?))).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// An order as flows see it, with what its buyer is called: the run that keeps it is sealed.
pub(crate) fn shown(
    change: &mut Change<'_, '_>,
    keyring: &Keyring,
    id: &str,
) -> Result<Option<Value>, Error> {
    let Ok(id) = OrderId::parse(id) else { return Ok(None) };
    let Some(order) = change.load::<Order>(&id.to_string())?.state else { return Ok(None) };
    let organization = change.order.organization.clone();
    let fields = personal::load(change.tx, keyring, &organization, &id.to_string())?;
    let buyer = fields.iter().find(|(field, _)| field == "buyer");
    let buyer = buyer.and_then(|(_, content)| serde_json::from_str::<Value>(content.expose()).ok());
    let mut documents = serde_json::Map::new();
    for document in order.documents.values() {
        documents.insert(document.kind.clone(), document.keys.clone());
    }
    let mut shown = json!({
        "id": order.id,
        "reference": order.reference,
        "status": order.status().name(),
        "buyer": { "id": order.buyer },
        "lines": order.lines,
        "tax_minor": order.tax_minor,
        "shipping_minor": order.shipping_minor,
        "total": order.total,
        "ship_method": order.ship_method,
        "placed_at": order.placed_at.to_rfc3339(),
        "documents": documents,
        "invoices": order.invoices,
        "shipments": order.shipments,
        "held": order.held,
        "unapplied_minor": order.unapplied_minor(),
    });
    if let (Some(known), Some(Value::Object(personal))) = (shown["buyer"].as_object_mut(), buyer) {
        known.extend(personal);
    }
    Ok(Some(shown))
}

/// The page of an order to look at: one line per thing, in the order of time.
#[must_use]
pub fn html(page: &OrderPage) -> String {
    use std::fmt::Write;
    let safe = |text: &str| {
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
    };
    let mut out = String::from(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Order</title><style>body{font:14px sans-serif;margin:2em}\
         table{border-collapse:collapse}td,th{border:1px solid #999;padding:4px 8px;text-align:left}</style>",
    );
    // Writing to a text cannot fail.
    let _ = write!(
        out,
        "<h1>Order {}</h1><p>{} &middot; {} &middot; buyer {}</p><table><tr><th>Time</th><th>What</th><th>Id</th><th>Where</th>\
         <th>State</th></tr>",
        safe(&page.order.reference),
        page.order.status().name(),
        page.order.total,
        safe(&page.order.buyer),
    );
    for entry in &page.entries {
        let at = entry.at.map_or_else(String::new, Timestamp::to_rfc3339);
        let _ = write!(
            out,
            "<tr><td>{at}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            safe(&entry.what),
            safe(&entry.id),
            safe(&entry.system),
            safe(&entry.state),
        );
    }
    out.push_str("</table></html>");
    out
}
