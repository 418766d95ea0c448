//! Probing: asks another system what it offers, and says in sentences what was found, what is missing and how to mend it.

use suture_connect::gateway::AccountSeen;
use suture_connect::outcome::Outcome;
use suture_store::inbox;

use crate::Error;
use crate::admin::Probe;
use crate::calls;
use crate::connections::{EpicConnection, Open};
use crate::engine::Engine;

impl Engine {
    pub(crate) async fn probe_gateway(&self, open: &Open) -> Result<Probe, Error> {
        let (gateway, _) = open.gateway()?;
        let mut findings = Vec::new();
        let Some(account) = gateway.account() else {
            return Ok(Probe { usable: true, findings: vec!["it cannot be probed".to_owned()], route: None });
        };
        let answer = self.call(open, account.probe()).await;
        let usable = match calls::outcome(answer, |response| account.read_account(response)) {
            Ok(Outcome::Done(AccountSeen { id, name, livemode })) => {
                let who = name.or(id).unwrap_or_else(|| "an account that does not tell its name".to_owned());
                findings.push(format!(
                    "the key belongs to {who}, {} mode",
                    if livemode { "live" } else { "test" }
                ));
                true
            }
            Ok(Outcome::Declined(failure) | Outcome::NotSent(failure) | Outcome::Unknown(failure)) => {
                findings.push(failure.message);
                false
            }
            Err(_) => {
                findings.push("the connection is throttled; probe again in a minute".to_owned());
                false
            }
        };
        if let Some(webhooks) = gateway.webhooks() {
            findings.extend(self.missing_events(open, webhooks.needed_events()).await?);
        }
        Ok(Probe { usable, findings, route: None })
    }

    /// Sentences about event types that installed features need and that have never arrived (FEATURES M9).
    async fn missing_events(&self, open: &Open, needed: &[&str]) -> Result<Vec<String>, Error> {
        let (organization, connection) = (open.organization.clone(), open.id.clone());
        let seen = self
            .0
            .store
            .read(move |tx| inbox::last_by_type(tx, &organization, &connection).map_err(Error::from))
            .await?;
        let never: Vec<&str> =
            needed.iter().copied().filter(|kind| !seen.iter().any(|(known, ..)| known == kind)).collect();
        if never.is_empty() {
            return Ok(vec!["every needed event type has arrived at least once".to_owned()]);
        }
        Ok(vec![format!("not seen yet, make sure the endpoint is subscribed to: {}", never.join(", "))])
    }

    pub(crate) async fn probe_epic(&self, open: &Open) -> Result<Probe, Error> {
        let (token_url, proposal, mut findings) = self.propose_route(open).await?;
        let mut stored = self.stored_connection(&open.id).await?;
        let mut settings: EpicConnection =
            serde_json::from_str(&stored.settings).map_err(|error| open.problem(&error.to_string()))?;
        findings.extend(proposal.reasons.iter().cloned());
        let route =
            serde_json::to_value(proposal.route).ok().and_then(|route| route.as_str().map(ToOwned::to_owned));
        settings.token_url = settings.token_url.or(token_url);
        settings.proposal = Some(proposal);
        stored.settings = serde_json::to_string(&settings)
            .map_err(|_| suture_store::Error::Corrupt("connection settings".to_owned()))?;
        self.store_connection(stored).await?;
        let open = self.connection(&open.id)?;
        let usable = match self.token(&open).await? {
            Ok(_) => {
                findings.push("an access token was granted".to_owned());
                true
            }
            Err(crate::worker::After::Failed { failure, .. }) => {
                findings.push(failure.message);
                false
            }
            Err(_) => {
                findings.push("no access token could be fetched now".to_owned());
                false
            }
        };
        Ok(Probe { usable, findings, route })
    }
}
