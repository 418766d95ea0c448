//! The fee schedule of a clinic.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use suture_core::calendar::LocalDate;
use suture_engine::scheduling::{NewPrice, Price};
use utoipa::{IntoParams, ToSchema};

use super::clinics::{self, clinic_id};
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::Money;
use crate::once::{Made, Posted};
use crate::page::{Asked, Page};
use crate::problem::Problem;

/// The price of a procedure code on some days.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Price)]
#[serde(deny_unknown_fields)]
pub(super) struct PriceBody {
    /// The procedure code: 3 to 10 capital letters, digits or '-'.
    #[schema(example = "99214")]
    code: String,
    /// The payer's id; everybody's price when absent.
    payer: Option<String>,
    /// The first day, in the clinic's zone.
    #[schema(value_type = String, example = "2026-01-01")]
    from: LocalDate,
    /// The last day; open when absent.
    #[schema(value_type = Option<String>, example = "2026-12-31")]
    until: Option<LocalDate>,
    /// The price of one unit.
    amount: Money,
}

/// Prices to store.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPrices {
    /// 1 to 5000, stored all or none. One of the same code, payer and first day is replaced.
    prices: Vec<PriceBody>,
}

/// How many prices were stored.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StoredPrices {
    stored: usize,
}

/// Which prices.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PriceQuery {
    /// `next` of the page before; absent for the first page.
    cursor: Option<String>,
    /// About how many items, 1 to 200; 50 when absent. The prices of one code stay together.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
}

impl PriceBody {
    fn of(price: &Price) -> Option<Self> {
        Some(Self {
            code: price.code.clone(),
            payer: Some(price.payer.clone()).filter(|payer| !payer.is_empty()),
            from: LocalDate::from_number(price.from_day)?,
            until: LocalDate::from_number(price.until_day),
            amount: price.amount.into(),
        })
    }

    fn understood(self) -> Result<NewPrice, Problem> {
        Ok(NewPrice {
            code: self.code,
            payer: self.payer,
            from: self.from,
            until: self.until,
            amount: self.amount.try_into()?,
        })
    }
}

/// Stores prices and prices the encounters that waited for one. Refused with `prices_invalid`, which names the line.
#[utoipa::path(post, path = "/v1/clinics/{id}/prices", tag = "practice", params(("id" = String, Path)), request_body = NewPrices, responses((status = 200, body = StoredPrices)))]
pub(super) async fn put_prices(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::ManagePractice)?, clinic_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: NewPrices| {
        let prices = new.prices.into_iter().map(PriceBody::understood).collect::<Result<_, _>>()?;
        Made::ok(&StoredPrices { stored: engine.put_prices(&caller, id, prices).await? })
    };
    posted.once(&app, &session, work).await
}

/// Prices in order of their codes.
#[utoipa::path(get, path = "/v1/clinics/{id}/prices", tag = "practice", params(("id" = String, Path), PriceQuery), responses((status = 200, body = Page<PriceBody>)))]
pub(super) async fn list_prices(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    Asked(query): Asked<PriceQuery>,
) -> Result<Json<Page<PriceBody>>, Problem> {
    let caller = session.may(Permission::ReadSchedule)?;
    let clinic = clinics::known(&app.engine, &caller.organization, clinic_id(&id)?).await?;
    let limit = usize::from(query.limit.unwrap_or(50).clamp(1, 200));
    let after = query.cursor.unwrap_or_default();
    let (found, next) = app.engine.price_page(&caller.organization, clinic.id, (&after, limit)).await?;
    Ok(Json(Page { items: found.iter().filter_map(PriceBody::of).collect(), next }))
}
