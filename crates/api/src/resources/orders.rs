//! Customers' orders: placed by a shop, paid like everything else, followed into the ERP. What the buyer is called goes in and
//! is never shown again here.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use suture_core::id::OrderId;
use suture_core::order::{Line, Order};
use suture_core::redact::Phi;
use suture_engine::orders::{Buyer, BuyerAddress, NewOrder, OrderPage, OrderSummary, PageEntry};
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::{Money, Personal, time};
use crate::once::{Made, Posted};
use crate::page::{Asked, Page};
use crate::problem::Problem;

/// An order to place. The same `reference` with the same content is the same order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = NewOrder)]
pub(super) struct OrderToPlace {
    /// The shop's number, unique in the organization.
    reference: String,
    buyer: BuyerToName,
    lines: Vec<LineBody>,
    /// Tax in minor units.
    #[serde(default)]
    tax_minor: i64,
    /// Shipping in minor units.
    #[serde(default)]
    shipping_minor: i64,
    /// Lines, tax and shipping: must be their sum.
    total: Money,
    /// How it is sent, in the shop's word; a table leads to the ERP's.
    ship_method: Option<String>,
}

/// Who bought. Kept sealed but for the id.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = Buyer)]
pub(super) struct BuyerToName {
    /// The shop's opaque id: no name, no e-mail.
    id: String,
    #[schema(value_type = String)]
    name: Personal,
    #[schema(value_type = Option<String>)]
    email: Option<Personal>,
    address: Option<AddressBody>,
}

/// Where a buyer lives.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
#[schema(as = BuyerAddress)]
pub(super) struct AddressBody {
    line1: Option<String>,
    line2: Option<String>,
    city: Option<String>,
    state: Option<String>,
    postal_code: Option<String>,
    country: Option<String>,
}

/// Prints nothing of it.
impl std::fmt::Debug for AddressBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AddressBody(***)")
    }
}

/// One line.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = OrderLine)]
pub(super) struct LineBody {
    /// The shop's product; the table `part` leads to the ERP's part.
    product: String,
    quantity: u32,
    unit_price_minor: i64,
}

impl OrderToPlace {
    fn understood(self) -> Result<NewOrder, Problem> {
        let address = self.buyer.address.map(|body| {
            Phi::new(BuyerAddress {
                line1: body.line1,
                line2: body.line2,
                city: body.city,
                state: body.state,
                postal_code: body.postal_code,
                country: body.country,
            })
        });
        let line = |body: LineBody| Line {
            product: body.product,
            quantity: body.quantity,
            unit_price_minor: body.unit_price_minor,
        };
        Ok(NewOrder {
            reference: self.reference,
            buyer: Buyer {
                id: self.buyer.id,
                name: self.buyer.name.into_inner(),
                email: self.buyer.email.map(Personal::into_inner),
                address,
            },
            lines: self.lines.into_iter().map(line).collect(),
            tax_minor: self.tax_minor,
            shipping_minor: self.shipping_minor,
            total: self.total.try_into()?,
            ship_method: self.ship_method,
        })
    }
}

/// An order as known now. Take its payment with `POST /v1/payments`, naming `link` and `debt`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Order)]
pub(super) struct OrderBody {
    id: String,
    reference: String,
    /// The shop's opaque id of who bought.
    buyer: String,
    /// `placed`, `held`, `paid`, `shipped`, `invoiced`, `settled`, `refunded`, `canceled`.
    status: &'static str,
    /// The link that its payments carry.
    link: String,
    /// What is owed for it.
    debt: String,
    lines: Vec<LineBody>,
    tax_minor: i64,
    shipping_minor: i64,
    total: Money,
    /// Collected, less what went back.
    net: Money,
    /// Collected and not applied to an invoice yet.
    unapplied: Money,
    /// Why it waits.
    held: Option<String>,
    placed_at: String,
}

impl From<Order> for OrderBody {
    fn from(order: Order) -> Self {
        let money = |minor| Money::from(suture_core::money::Money::new(minor, order.total.currency));
        Self {
            status: order.status().name(),
            net: money(order.net_minor()),
            unapplied: money(order.unapplied_minor()),
            id: order.id.to_string(),
            link: order.link,
            debt: order.debt.to_string(),
            lines: order
                .lines
                .into_iter()
                .map(|line| LineBody {
                    product: line.product,
                    quantity: line.quantity,
                    unit_price_minor: line.unit_price_minor,
                })
                .collect(),
            reference: order.reference,
            buyer: order.buyer,
            tax_minor: order.tax_minor,
            shipping_minor: order.shipping_minor,
            total: order.total.into(),
            held: order.held,
            placed_at: time(order.placed_at),
        }
    }
}

/// An order in a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OrderSummary)]
pub(super) struct SummaryBody {
    id: String,
    reference: String,
    buyer: String,
    status: String,
    total: Money,
    placed_at: String,
    updated_at: String,
}

impl From<OrderSummary> for SummaryBody {
    fn from(order: OrderSummary) -> Self {
        Self {
            id: order.id,
            reference: order.reference,
            buyer: order.buyer,
            status: order.status,
            total: Money { minor: order.total_minor, currency: order.currency },
            placed_at: time(order.placed_at),
            updated_at: time(order.updated_at),
        }
    }
}

/// One thing of an order's trail.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderTrailEntry)]
pub(super) struct EntryBody {
    /// `order`, `payment`, `customer`, `sales_order`, `cash_receipt`, `shipment`, `invoice`, `application`, ….
    what: String,
    /// Its id or number in the system that has it.
    id: String,
    /// `suture`, the gateway's name, or `erp`.
    system: String,
    state: String,
    at: Option<String>,
}

impl From<PageEntry> for EntryBody {
    fn from(entry: PageEntry) -> Self {
        Self { what: entry.what, id: entry.id, system: entry.system, state: entry.state, at: entry.at.map(time) }
    }
}

/// The whole trail of an order, from checkout to fulfilment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderTrail)]
pub(super) struct TrailBody {
    order: OrderBody,
    entries: Vec<EntryBody>,
    /// Documents that stopped on their way to the ERP: kind, and our code of the reason.
    stopped: Vec<(String, Option<String>)>,
}

impl From<OrderPage> for TrailBody {
    fn from(page: OrderPage) -> Self {
        Self {
            order: page.order.into(),
            entries: page.entries.into_iter().map(EntryBody::from).collect(),
            stopped: page.open.into_iter().map(|filing| (filing.planned.kind, filing.code)).collect(),
        }
    }
}

/// Which orders.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OrderQuery {
    /// The shop's opaque id of the buyer.
    buyer: Option<String>,
    /// The id after which the next page begins.
    after: Option<String>,
    /// 1 to 200; 50 when absent.
    limit: Option<i64>,
}

fn order_id(text: &str) -> Result<OrderId, Problem> {
    OrderId::parse(text).map_err(|_| Problem::not_found("order"))
}

/// Places an order.
#[utoipa::path(post, path = "/v1/orders", tag = "orders", request_body = OrderToPlace, responses((status = 201, body = OrderBody)))]
pub(super) async fn place_order(
    State(app): State<App>,
    session: Session,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::TakePayments)?;
    let engine = app.engine.clone();
    let work = async move |new: OrderToPlace| {
        let order = engine.place_order(&caller, new.understood()?).await?;
        Made::created(&OrderBody::from(order))
    };
    posted.once(&app, &session, work).await
}

/// Orders, newest first.
#[utoipa::path(get, path = "/v1/orders", tag = "orders", params(OrderQuery), responses((status = 200, body = Page<SummaryBody>)))]
pub(super) async fn list_orders(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<OrderQuery>,
) -> Result<Json<Page<SummaryBody>>, Problem> {
    let caller = session.may(Permission::ReadPayments)?;
    let limit = query.limit.unwrap_or(50).clamp(1, 200);
    let after = query.after.unwrap_or_default();
    let found =
        app.engine.customer_orders(&caller.organization, query.buyer.as_deref(), (&after, limit)).await?;
    let full = i64::try_from(found.len()).unwrap_or(0) == limit;
    let next = found.last().filter(|_| full).map(|order| order.id.clone());
    Ok(Json(Page { items: found.into_iter().map(SummaryBody::from).collect(), next }))
}

/// One order.
#[utoipa::path(get, path = "/v1/orders/{id}", tag = "orders", params(("id" = String, Path)), responses((status = 200, body = OrderBody)))]
pub(super) async fn get_order(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Json<OrderBody>, Problem> {
    let caller = session.may(Permission::ReadPayments)?;
    Ok(Json(app.engine.customer_order(&caller.organization, order_id(&id)?).await?.into()))
}

/// The trail of an order: payment, customer, sales order, shipment, invoice and receipt with ids and times.
#[utoipa::path(get, path = "/v1/orders/{id}/trail", tag = "orders", params(("id" = String, Path)), responses((status = 200, body = TrailBody)))]
pub(super) async fn get_order_trail(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Json<TrailBody>, Problem> {
    let caller = session.may(Permission::ReadPayments)?;
    Ok(Json(app.engine.order_page(&caller.organization, order_id(&id)?).await?.into()))
}

/// The same as a page to look at.
#[utoipa::path(get, path = "/v1/orders/{id}/page", tag = "orders", params(("id" = String, Path)), responses((status = 200, description = "A page", content_type = "text/html")))]
pub(super) async fn print_order(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::ReadPayments)?;
    let page = app.engine.order_page(&caller.organization, order_id(&id)?).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, suture_engine::orders::html(&page)).into_response())
}

/// Asks the ERP now what became of the order; the answer shows in the order.
#[utoipa::path(post, path = "/v1/orders/{id}/ask-erp", tag = "orders", params(("id" = String, Path)), responses((status = 202, body = OrderBody)))]
pub(super) async fn ask_erp(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::TakePayments)?;
    let (engine, id) = (app.engine.clone(), order_id(&id)?);
    let work = async move |_: crate::once::Nothing| {
        let order = engine.ask_erp_about(&caller, id).await?;
        Made::accepted(&OrderBody::from(order))
    };
    posted.once(&app, &session, work).await
}
