//! Connected accounts: who may receive transfers, and what is on their balance (FACTS §f).
//!
//! A transfer is on the balance at once; with Stripe it becomes available with its charge. What must stay true: a balance
//! is never negative, so a reversal of more than is there is refused.

use super::currency::Currency;
use super::object::{Answer, Metadata, Snapshot, merge_metadata};
use super::random::Id;
use super::refusal::Refusal;
use super::schema::Params;
use super::table::Row;
use super::world::StripeWorld;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A provider's account.
#[derive(Debug, Clone)]
pub(crate) struct ConnectedAccount {
    pub(crate) id: Id,
    pub(crate) created: i64,
    /// Whether the `transfers` capability was asked for, and whether it is active.
    pub(crate) transfers: Option<bool>,
    pub(crate) balance: BTreeMap<Currency, i64>,
    pub(crate) metadata: Metadata,
}

impl Row for ConnectedAccount {
    fn id(&self) -> &Id {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

impl ConnectedAccount {
    /// Whether money can be sent to it.
    pub(crate) fn may_receive(&self) -> bool {
        self.transfers == Some(true)
    }

    /// What is on its balance.
    pub(crate) fn holds(&self, currency: Currency) -> i64 {
        self.balance.get(currency).copied().unwrap_or(0)
    }

    /// The object as the API shows it.
    pub(crate) fn render(&self) -> Value {
        let capabilities = match self.transfers {
            Some(true) => json!({ "transfers": "active" }),
            Some(false) => json!({ "transfers": "inactive" }),
            None => json!({}),
        };
        json!({
            "id": *self.id, "object": "account", "business_type": "individual", "capabilities": capabilities,
            "charges_enabled": false, "country": "US", "created": self.created, "default_currency": "usd",
            "details_submitted": true, "email": null, "metadata": *self.metadata,
            "payouts_enabled": self.may_receive(), "type": "express",
        })
    }
}

impl StripeWorld {
    /// `POST /v1/accounts`
    pub(crate) fn create_connected_account(&mut self, params: &Params) -> Answer {
        let wanted = params
            .get("capabilities")
            .is_some_and(|all| all["transfers"]["requested"].as_str() == Some("true"));
        let account = ConnectedAccount {
            id: self.random.id("acct_"),
            created: self.now_seconds(),
            // Nobody has to be asked for papers here.
            transfers: wanted.then_some(true),
            balance: BTreeMap::new(),
            metadata: merge_metadata(&Metadata::default(), params.get("metadata")),
        };
        let row = self.connected_accounts.insert(account, &[]);
        Ok(Snapshot::ConnectedAccount(row))
    }

    /// `GET /v1/accounts/{id}`
    pub(crate) fn show_connected_account(&self, id: &str) -> Answer {
        self.connected_accounts.get(id).map(|row| Snapshot::ConnectedAccount(Arc::clone(row))).ok_or_else(|| {
            Refusal::new(
                403,
                super::refusal::Kind::InvalidRequest,
                format!("The provided key does not have access to account '{id}' (or that account does not exist)."),
            )
            .code("account_invalid")
        })
    }

    /// Puts money on an account's balance, or takes it off.
    pub(crate) fn move_connected(&mut self, id: &str, currency: Currency, amount: i64) {
        self.connected_accounts.change(id, |account| {
            *account.balance.entry(currency).or_default() += amount;
        });
    }

    /// `{account, transfers: active | inactive, withdraw}`: what Stripe and the provider do without us.
    pub(super) fn control_connected_account(&mut self, body: &Value) -> Result<Value, String> {
        let id = body["account"].as_str().unwrap_or_default();
        if self.connected_accounts.get(id).is_none() {
            return Err(format!("There is no connected account {id:?}: nothing was changed."));
        }
        let capability = match body["transfers"].as_str() {
            None => None,
            Some("active") => Some(true),
            Some("inactive") => Some(false),
            Some(other) => return Err(format!("{other} is no capability's state: give active or inactive.")),
        };
        let row = self.connected_accounts.change(id, |account| {
            account.transfers = capability.or(account.transfers);
            if let Some(amount) = body["withdraw"].as_i64() {
                let holds = account.balance.entry("usd").or_default();
                *holds -= amount.clamp(0, *holds);
            }
        });
        match row {
            Some(row) => {
                self.emit("account.updated", Snapshot::ConnectedAccount(Arc::clone(&row)), None);
                Ok(row.render())
            }
            None => Err("Nothing was changed.".to_owned()),
        }
    }
}
