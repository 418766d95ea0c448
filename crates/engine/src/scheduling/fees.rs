//! The fee schedule of a clinic, with effective dates and payer columns.

use suture_core::calendar::LocalDate;
use suture_core::explain::{Care, Reason};
use suture_core::id::ClinicId;
use suture_core::money::Money;
use suture_core::practice::{Clinic, ClinicEvent};
use suture_core::refusal::Refusal;
use suture_store::lanes;
use suture_store::prices::{self, Price};

use crate::Error;
use crate::change::Change;
use crate::engine::Engine;
use crate::payments::Caller;

/// The queue of encounters whose codes have no price.
pub(super) const QUEUE: &str = "fees";

/// At most so many prices are stored at once.
pub const PRICES_MAX: usize = 5_000;

/// A price to store.
#[derive(Debug, Clone)]
pub struct NewPrice {
    /// The procedure code.
    pub code: String,
    /// The payer's id; everybody's price when absent.
    pub payer: Option<String>,
    /// The first day.
    pub from: LocalDate,
    /// The last day; open when absent.
    pub until: Option<LocalDate>,
    /// The price of one unit.
    pub amount: Money,
}

impl Engine {
    /// Stores prices, all or none, and prices the encounters that waited for one.
    ///
    /// # Errors
    /// [`Error::Refused`] with the first line that is wrong.
    pub async fn put_prices(
        &self,
        caller: &Caller,
        clinic: ClinicId,
        new: Vec<NewPrice>,
    ) -> Result<usize, Error> {
        if new.is_empty() || new.len() > PRICES_MAX {
            return Err(Error::Refused(Refusal::invalid(
                "prices_invalid",
                format!("No price was stored. Give 1 to {PRICES_MAX} prices at once."),
            )));
        }
        let rows: Vec<Price> =
            new.iter().enumerate().map(|(at, price)| row(at, price)).collect::<Result<_, Refusal>>()?;
        let order = self.order_of(caller, Reason::of("prices_changed"));
        self.apply("prices", order, move |change| {
            let (mut loaded, _) = change.existing::<Clinic>(&clinic.to_string())?;
            let organization = change.order.organization.clone();
            for price in &rows {
                prices::put(change.tx, &organization, clinic, price)?;
            }
            let told = ClinicEvent::PricesChanged {
                count: u32::try_from(rows.len()).unwrap_or(u32::MAX),
                hash: suture_core::audit::chain::Hash::of(format!("{rows:?}").as_bytes()).to_string(),
            };
            change.record_all(&mut loaded, &[told], &Care::default())?;
            wake(change)?;
            Ok(rows.len())
        })
        .await
    }

    /// Prices of a clinic in order of their codes.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn prices(
        &self,
        organization: &str,
        clinic: ClinicId,
        after: &str,
        limit: i64,
    ) -> Result<Vec<Price>, Error> {
        let (organization, after) = (organization.to_owned(), after.to_owned());
        self.0
            .store
            .read(move |tx| prices::list(tx, &organization, clinic, &after, limit).map_err(Error::from))
            .await
    }
}

fn row(at: usize, new: &NewPrice) -> Result<Price, Refusal> {
    let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-';
    let code = (3..=10).contains(&new.code.len()) && new.code.bytes().all(plain);
    let payer = new.payer.as_ref().is_none_or(|payer| (1..=80).contains(&payer.len()));
    let until_day = new.until.map_or(i64::from(i32::MAX), LocalDate::number);
    if !code || !payer || new.amount.minor < 0 || until_day < new.from.number() {
        return Err(Refusal::invalid(
            "prices_invalid",
            format!(
                "No price was stored: line {} is wrong. Give a code of 3 to 10 capital letters or digits, an amount of \
                 zero or more, and a last day that is not before the first.",
                at.saturating_add(1)
            ),
        ));
    }
    Ok(Price {
        code: new.code.clone(),
        payer: new.payer.clone().unwrap_or_default(),
        from_day: new.from.number(),
        until_day,
        amount: new.amount,
    })
}

/// Prices again what waited for a price.
fn wake(change: &mut Change<'_, '_>) -> Result<(), Error> {
    let organization = change.order.organization.clone();
    lanes::resume_queue(change.tx, &organization, QUEUE, change.order.now)?;
    change.unheld = true;
    Ok(())
}
