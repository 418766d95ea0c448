//! Customers' orders: placed by a shop, paid like everything else, followed into the ERP. What the buyer is called goes in and
//! is never shown again here.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use suture_core::filing::Filing;
use suture_core::id::OrderId;
use suture_core::order::{Line, Order};
use suture_core::redact::Phi;
use suture_engine::orders::{Buyer, BuyerAddress, NewOrder, OrderPage, OrderSummary, PageEntry};
use utoipa::{IntoParams, ToSchema};

use super::endpoints::Nothing;
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::{Money, Personal, in_path, time};
use crate::once::{Made, Posted};
use crate::page::{Asked, Page, PageQuery};
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
        Self {
            what: entry.what,
            id: entry.id,
            system: entry.system,
            state: entry.state,
            at: entry.at.map(time),
        }
    }
}

/// The whole trail of an order, from checkout to fulfilment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderTrail)]
pub(super) struct TrailBody {
    order: OrderBody,
    entries: Vec<EntryBody>,
    /// Documents that stopped on their way to the ERP and need a person.
    stopped: Vec<StoppedBody>,
}

/// A document that stopped on its way to the ERP.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StoppedDocument)]
pub(super) struct StoppedBody {
    /// Its kind, for example `sales_order`.
    document: String,
    /// The reference by which the ERP would find it.
    reference: String,
    /// `planned`, `unknown`, `rejected` or `waiting_for_person`.
    status: &'static str,
    /// Our code of the reason, when one is known.
    code: Option<String>,
    /// The field that the ERP refused, in its word.
    field: Option<String>,
}

impl From<Filing> for StoppedBody {
    fn from(filing: Filing) -> Self {
        Self {
            status: filing.status.name(),
            document: filing.planned.kind,
            reference: filing.planned.reference,
            code: filing.code,
            field: filing.field,
        }
    }
}

impl From<OrderPage> for TrailBody {
    fn from(page: OrderPage) -> Self {
        Self {
            order: page.order.into(),
            entries: page.entries.into_iter().map(EntryBody::from).collect(),
            stopped: page.open.into_iter().map(StoppedBody::from).collect(),
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
    /// `next` of the page before; absent for the first page.
    cursor: Option<String>,
    /// How many items, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
}

fn order_id(text: &str) -> Result<OrderId, Problem> {
    in_path(OrderId::parse, text, "order")
}

/// Places an order: what is owed for it and the link of its payments are made with it. Refused with `order_invalid`,
/// `buyer_invalid` and `order_reference_used`.
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
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    let (before, ask) = (page.id_or(""), page.ask());
    let found =
        app.engine.customer_orders(&caller.organization, query.buyer.as_deref(), (&before, ask)).await?;
    Ok(Json(page.page(found, |order| order.id.clone(), SummaryBody::from)))
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

/// Asks the ERP what became of the order, as soon as a worker is free. The answer shows in the order.
#[utoipa::path(post, path = "/v1/orders/{id}/ask-erp", tag = "orders", params(("id" = String, Path)), request_body = Nothing, responses((status = 200, body = OrderBody)))]
pub(super) async fn ask_erp(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::TakePayments)?, order_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |_: Nothing| {
        let order = engine.ask_erp_about(&caller, id).await?;
        Made::ok(&OrderBody::from(order))
    };
    posted.once(&app, &session, work).await
}
