//! What the desk and the billing office do in the story, all of it over our own HTTP API.

use reqwest::Method;
use serde_json::{Value, json};
use suture_sandbox::patients::Patient as Person;

use super::payer::member;
use super::tale::Tale;
use crate::demo::words::{items, text};
use crate::failure::Failure;
use crate::remote::Answer;

/// An amount as the API takes it.
pub(super) fn usd(minor: i64) -> Value {
    json!({ "minor": minor, "currency": "USD" })
}

impl Tale<'_> {
    fn key(&self) -> String {
        let next = self.posts.get() + 1;
        self.posts.set(next);
        format!("demo-billing-{next}")
    }

    /// Posts under an idempotency key of its own.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.story.stage.api.post(path, &self.key(), body).await
    }

    /// As [`post`](Self::post), and gives refusals to the caller.
    pub(super) async fn try_post(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        self.story.stage.api.try_post(path, &self.key(), body).await
    }

    /// Posts an X12 file.
    pub(super) async fn post_x12(&self, path: &str, file: &str) -> Result<Answer, Failure> {
        let key = self.key();
        let headers = [("content-type", "application/edi-x12"), ("idempotency-key", key.as_str())];
        self.story.stage.api.send(Method::POST, path, &headers, file.as_bytes().to_vec()).await
    }

    /// Reads something.
    pub(super) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.story.stage.api.get(path).await
    }

    /// Reads something again and again until it is as wanted.
    pub(super) async fn until(
        &self,
        path: &str,
        what: &str,
        is: impl Fn(&Value) -> bool,
    ) -> Result<Value, Failure> {
        let seen = self.story.stage.until(async || Ok(Some(self.get(path).await?).filter(&is))).await?;
        seen.ok_or_else(|| Failure::new(format!("{what} was not seen in time")))
    }

    /// Records a patient, waits for the customer at Stripe, and lets the patient store a card in the browser.
    pub(super) async fn patient_with_card(&self, person: &Person) -> Result<(String, Value), Failure> {
        let stage = self.story.stage;
        let made = self
            .post(
                "/v1/patients",
                &json!({
                    "external": { "epic": person.id },
                    "personal": { "name": format!("{} {}", person.given, person.family) },
                    "customerAt": [stage.stripe],
                }),
            )
            .await?;
        let id = text(&made, "id").to_owned();
        let path = format!("/v1/patients/{id}");
        let connected = |patient: &Value| patient["customers"][0]["customer"].is_string();
        self.until(&path, "the patient's customer at Stripe", connected).await?;
        let started = self.post(&format!("{path}/setups"), &json!({ "connection": stage.stripe })).await?;
        let typed = json!({ "setup_intent": started["setup"], "payment_method": "pm_card_visa" });
        stage.control("stripe/browser_setup", &typed).await?;
        let stored = |patient: &Value| patient["methods"][0]["id"].is_string();
        let patient = self.until(&path, "the patient's card", stored).await?;
        Ok((id, patient["methods"][0].clone()))
    }

    /// The patient allows charges while absent, up to a cap, for a year.
    pub(super) async fn consent(&self, patient: &str, purpose: &str, cap: i64) -> Result<(), Failure> {
        let words = "We may charge your card for this purpose up to this amount within a year.";
        let body = json!({
            "purpose": purpose, "cap": usd(cap), "textVersion": "v3",
            "textHash": suture_core::audit::chain::Hash::of(words.as_bytes()).to_string(),
            "givenBy": "web", "validForDays": 365,
        });
        self.post(&format!("/v1/patients/{patient}/consents"), &body).await.map(|_| ())
    }

    /// What of a consent was used, in minor units.
    pub(super) async fn used(&self, patient: &str, purpose: &str) -> Result<i64, Failure> {
        let patient = self.get(&format!("/v1/patients/{patient}")).await?;
        let of = items(&patient["consents"]).iter().filter(|consent| text(consent, "purpose") == purpose);
        let minor = |amount: &Value| amount["minor"].as_i64().unwrap_or(0);
        Ok(of.map(|consent| minor(&consent["cap"]) - minor(&consent["left"])).sum())
    }

    /// Records the insurance card of a patient.
    pub(super) async fn policy(&self, patient: &str, person: &Person) -> Result<String, Failure> {
        let number = &member(&person.id)?.member_id;
        let body = json!({ "patient": patient, "payer": "99999", "memberId": number });
        Ok(text(&self.post("/v1/policies", &body).await?, "id").to_owned())
    }

    /// Begins a check of what an office visit will cost the patient.
    pub(super) async fn begin_check(
        &self,
        patient: &str,
        policy: Option<&str>,
        person: &Person,
    ) -> Result<String, Failure> {
        let mut body = json!({ "patient": patient, "serviceTypes": ["98"], "account": person.account_id });
        if let Some(policy) = policy {
            body["policy"] = json!(policy);
        }
        Ok(text(&self.post("/v1/eligibilities", &body).await?, "id").to_owned())
    }

    /// Takes the payer's 271 in. What the payer allows comes from the fee schedule; of a range the clinic takes the lower
    /// end.
    pub(super) async fn answer_by_271(&self, check: &str, answer: &str) -> Result<Value, Failure> {
        let path = format!("/v1/eligibilities/{check}/x12?allowedMinor=18000&choose=lowest");
        self.post_x12(&path, answer).await?.success()
    }

    /// Takes in what a person heard from the payer: a copay.
    pub(super) async fn answer_by_phone(&self, check: &str, copay: i64) -> Result<Value, Failure> {
        let share = json!({
            "total": usd(copay), "copay": usd(copay), "coinsurance": usd(0), "deductible": usd(0),
            "notCovered": usd(0),
        });
        let body = json!({ "author": "front desk", "answer": { "covered": share } });
        self.post(&format!("/v1/eligibilities/{check}/answer"), &body).await
    }

    /// Makes an estimate charge and its service, with the same check; gives both ids.
    pub(super) async fn estimate_and_service(
        &self,
        check: &Value,
        service_at: Option<&str>,
    ) -> Result<(Value, Value), Failure> {
        let mut estimate = json!({ "eligibility": check["id"], "patient": check["patient"] });
        let mut service =
            json!({ "eligibility": check["id"], "patient": check["patient"], "currency": "USD" });
        if let Some(at) = service_at {
            estimate["serviceAt"] = json!(at);
            service["at"] = json!(at);
        }
        Ok((self.post("/v1/estimates", &estimate).await?, self.post("/v1/services", &service).await?))
    }

    /// Authorizes an estimate charge with the patient present.
    pub(super) async fn authorize(&self, estimate: &str, card: &str) -> Result<Value, Failure> {
        self.post(&format!("/v1/estimates/{estimate}/authorize"), &json!({ "method": card })).await?;
        self.until_estimate(estimate, "authorized").await
    }

    /// Captures all that an estimate charge reserves.
    pub(super) async fn capture(&self, estimate: &str) -> Result<Value, Failure> {
        self.post(&format!("/v1/estimates/{estimate}/capture"), &json!({})).await?;
        self.until_estimate(estimate, "captured").await
    }

    /// Waits until an estimate charge has a status.
    pub(super) async fn until_estimate(&self, id: &str, status: &str) -> Result<Value, Failure> {
        let path = format!("/v1/estimates/{id}");
        self.until(&path, &format!("the estimate charge as {status}"), |seen| text(seen, "status") == status)
            .await
    }

    /// A service as known now.
    pub(super) async fn service(&self, id: &str) -> Result<Value, Failure> {
        self.get(&format!("/v1/services/{id}")).await
    }

    /// Waits until a service has a status.
    pub(super) async fn until_service(&self, id: &str, status: &str) -> Result<Value, Failure> {
        let path = format!("/v1/services/{id}");
        self.until(&path, &format!("the service as {status}"), |seen| text(seen, "status") == status).await
    }

    /// Records that the care was given.
    pub(super) async fn give_care(&self, service: &str, line: (&str, i64)) -> Result<(), Failure> {
        let body = json!({ "lines": [{ "code": line.0, "charge": usd(line.1) }] });
        self.post(&format!("/v1/services/{service}/deliver"), &body).await.map(|_| ())
    }

    /// The doctor signs the note.
    pub(super) async fn sign(&self, service: &str) -> Result<Value, Failure> {
        let words = "S: cough. O: lungs clear. A: viral. P: rest, fluids.";
        let note = json!({ "kind": "note", "signer": "dr-lee", "text": words });
        self.post(&format!("/v1/services/{service}/notes"), &note).await
    }

    /// Movements in minor units that the pretend Stripe itself made for the payments of an estimate charge.
    pub(super) async fn moved(&self, estimate: &str, motion: &str) -> Result<Vec<i64>, Failure> {
        let estimate = self.get(&format!("/v1/estimates/{estimate}")).await?;
        let mut moved = Vec::new();
        for payment in items(&estimate["attempts"]) {
            let seen = self.story.at_stripe(text(payment, "intent"), motion).await?;
            moved.extend(seen.iter().filter_map(|movement| movement["amount"].as_i64()));
        }
        Ok(moved)
    }
}
