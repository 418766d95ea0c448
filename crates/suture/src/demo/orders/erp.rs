//! The pretended Epicor: connected as a shop would connect its own, and asked what it has.

use serde_json::{Value, json};
use suture_core::currency::Currency;
use suture_core::money::Money;
use suture_core::order::Order;
use suture_sim::world::World;

use super::tale::Tale;
use crate::demo::words::{items, text};
use crate::failure::Failure;

impl Tale<'_> {
    /// Connects Epicor, with the parts that its company has, and lets it call us.
    pub(super) async fn connect_epicor(&self) -> Result<(), Failure> {
        let stage = self.story.stage;
        for (part, description) in World::PARTS {
            let fields = json!({ "PartNum": part, "PartDescription": description });
            stage.control("epicor/create", &json!({ "table": "Part", "fields": fields })).await?;
        }
        let failed = |error| Failure::of("the pretend Epicor was not connected", &error);
        let new = World::epicor_connection(stage.epicor_url());
        let made = stage.engine.put_connection(&self.caller, None, new).await.map_err(failed)?;
        let hook = json!({
            "url": format!("{}/webhooks/{}", stage.base, made.id),
            "secret": World::HOOK_SECRET,
            "short": true,
        });
        stage.control("epicor/hook", &hook).await?;
        stage.engine.plan_timers(std::slice::from_ref(&stage.organization)).await.map_err(failed)?;
        println!("Connected: pretend Epicor, which calls us when it ships and when it posts an invoice");
        self.save_part("brace", "KNEE-100").await?;
        Ok(())
    }

    /// Says which part of Epicor a product of the shop is. Gives how many runs waited for it.
    pub(super) async fn save_part(&self, product: &str, part: &str) -> Result<u64, Failure> {
        let saved = self.story.stage.engine.save_table_row(&self.caller, "part", (product, json!(part)));
        saved.await.map_err(|error| Failure::of("the row was not saved", &error))
    }

    /// All rows that Epicor itself has in a table.
    pub(super) async fn at_epicor(&self, table: &str) -> Result<Vec<Value>, Failure> {
        let told = self.story.stage.control("epicor/documents", &json!({ "table": table })).await?;
        Ok(items(&told["rows"]).to_vec())
    }

    /// The sales orders that Epicor itself has for one of ours.
    pub(super) async fn sales_orders(&self, order: &Order) -> Result<Vec<Value>, Failure> {
        let mut heads = self.at_epicor("OrderHed").await?;
        heads.retain(|head| text(head, "PONum") == order.reference);
        Ok(heads)
    }

    /// Posts every group of a table that has entries, as Epicor's bookkeeper does. Gives their names.
    pub(super) async fn post_groups(&self, table: &str, verb: &str) -> Result<Vec<String>, Failure> {
        let mut posted = Vec::new();
        for group in self.at_epicor(table).await? {
            let name = text(&group, "GroupID").to_owned();
            self.story.stage.control(&format!("epicor/{verb}"), &json!({ "group": name })).await?;
            posted.push(name);
        }
        Ok(posted)
    }

    /// What Epicor's own ledger says, in minor units of US dollars.
    pub(super) async fn epicor_ledger(&self) -> Result<EpicorLedger, Failure> {
        let told = self.story.stage.control("epicor/trial_balance", &json!({})).await?;
        Ok(EpicorLedger {
            customers: minor(&told["total"])?,
            receivables: minor(&told["ledger"])?,
            revenue: minor(&told["revenue"])?,
            tax: minor(&told["tax"])?,
            bank: minor(&told["banks"]["MAIN"])?,
        })
    }
}

/// Epicor's trial balance, in minor units: debits less credits.
pub(super) struct EpicorLedger {
    /// Receivables, added up by customer from the documents.
    pub(super) customers: i64,
    /// Receivables in the ledger.
    pub(super) receivables: i64,
    pub(super) revenue: i64,
    pub(super) tax: i64,
    pub(super) bank: i64,
}

fn minor(decimal: &Value) -> Result<i64, Failure> {
    let unreadable = || Failure::new(format!("Epicor's trial balance has {decimal}, which is no amount"));
    // Epicor writes five decimals; those beyond cents are zero.
    let text = decimal.as_str().ok_or_else(unreadable)?;
    let (whole, parts) = text.split_once('.').unwrap_or((text, ""));
    let cents = format!("{whole}.{}", parts.get(..2).unwrap_or("00"));
    let rest_is_zero = parts.chars().skip(2).all(|digit| digit == '0');
    let money = Money::from_decimal(&cents, Currency::USD).map_err(|_| unreadable())?;
    rest_is_zero.then_some(money.minor).ok_or_else(unreadable)
}
