//! What a clinic's desk does, over our own HTTP API, and what the pretended world says about it.

use serde_json::{Value, json};
use suture_sandbox::patients::Patient;

use crate::demo::story::Story;
use crate::demo::words::{items, text};
use crate::failure::Failure;

impl Story<'_> {
    /// Makes a link for a patient's visit with an amount due.
    pub(super) async fn make_link(&self, patient: &Patient, due: i64) -> Result<String, Failure> {
        let body = json!({
            "patient": patient.id, "account": patient.account_id, "claim": patient.claim_id,
            "encounter": patient.encounter_id, "practitioner": patient.practitioner_id,
            "coverage": patient.coverage_id, "purpose": "balance",
            "due": { "minor": due, "currency": "USD" }, "serviceCodes": ["99214"],
        });
        let made = self.stage.api.post("/v1/links", &format!("link-{}-{due}", patient.id), &body).await?;
        Ok(text(&made, "id").to_owned())
    }

    /// Takes a payment. The name is its idempotency key.
    pub(super) async fn pay(
        &self,
        key: &str,
        link: &str,
        minor: i64,
        method: &str,
    ) -> Result<Value, Failure> {
        let body = json!({ "link": link, "amount": { "minor": minor, "currency": "USD" }, "method": method });
        self.stage.api.post("/v1/payments", key, &body).await
    }

    /// A payment as our API tells it now.
    pub(in crate::demo) async fn payment(&self, id: &str) -> Result<Value, Failure> {
        self.stage.api.get(&format!("/v1/payments/{id}")).await
    }

    /// Waits until a payment has a status.
    pub(in crate::demo) async fn until_status(&self, id: &str, status: &str) -> Result<Value, Failure> {
        let seen = self
            .stage
            .until(async || {
                let payment = self.payment(id).await?;
                Ok((text(&payment, "status") == status).then_some(payment))
            })
            .await?;
        seen.ok_or_else(|| Failure::new(format!("the payment did not become {status} in time")))
    }

    /// Waits until the fact with this reference is proven to be in Epic; gives the posting.
    pub(in crate::demo) async fn until_posted(
        &self,
        payment: &str,
        reference: &str,
    ) -> Result<Value, Failure> {
        let seen = self
            .stage
            .until(async || {
                let payment = self.payment(payment).await?;
                let found = items(&payment["postings"])
                    .iter()
                    .find(|posting| text(posting, "reference") == reference)
                    .filter(|posting| text(posting, "status") == "confirmed");
                Ok(found.cloned())
            })
            .await?;
        seen.ok_or_else(|| Failure::new(format!("{reference} was not confirmed in Epic in time")))
    }

    /// What the pretend Epic itself has under a reference.
    pub(in crate::demo) async fn at_epic(&self, reference: &str) -> Result<Value, Failure> {
        let state = self.stage.control("epic/state", &json!({ "reference": reference })).await?;
        Ok(state["posting"].clone())
    }

    /// The movements of a kind that the pretend Stripe itself made for an intent.
    pub(in crate::demo) async fn at_stripe(&self, intent: &str, motion: &str) -> Result<Vec<Value>, Failure> {
        let told = self.stage.control("stripe/movements", &json!({})).await?;
        let all = items(&told["movements"]).iter();
        let ours = all.filter(|one| text(one, "payment_intent") == intent && text(one, "motion") == motion);
        Ok(ours.cloned().collect())
    }

    /// The balance of an account in our books, in minor units of US dollars.
    pub(in crate::demo) async fn balance(&self, account: &str) -> Result<i64, Failure> {
        let page = self.stage.api.get("/v1/ledger/balances").await?;
        let line = items(&page).iter().find(|line| text(line, "account") == account);
        Ok(line.and_then(|line| line["amount"]["minor"].as_i64()).unwrap_or(0))
    }
}

/// The reference under which a payment's charge is posted.
pub(in crate::demo) fn charge_fact(payment: &Value) -> String {
    format!("charge:{}", text(payment, "charge"))
}
