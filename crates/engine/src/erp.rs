//! An ERP connection: its settings, who signs in, and the token of the user, cached in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use suture_connect::erp::epicor::filing::Identity;
use suture_connect::erp::epicor::settings::Epicor;
use suture_connect::erp::epicor::token;
use suture_connect::outcome::{Failure, Outcome, Retry};
use suture_core::redact::Secret;
use suture_core::time::Timestamp;

use crate::Error;
use crate::apply::after_no_answer;
use crate::connections::Open;
use crate::engine::Engine;
use crate::throttle::Budget;
use crate::worker::After;

/// Open settings of an Epicor connection.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpicorConnection {
    /// The company and its conventions.
    pub epicor: Epicor,
    /// How the user signs in.
    #[serde(default)]
    pub sign_in: SignIn,
    /// How fast to call.
    #[serde(default)]
    pub budget: Budget,
    /// How often changed orders and invoices are asked for, in seconds; 0: never, only Epicor's calls are heard.
    #[serde(default = "a_minute")]
    pub poll_seconds: u32,
}

const fn a_minute() -> u32 {
    60
}

/// How the user of the connection signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignIn {
    /// Name and password with every call.
    #[default]
    Basic,
    /// A token, fetched with name and password.
    Token,
}

/// Who signs in. The secrets of the connection are `user`, `password`, `api_key` and `webhook_secret`.
pub(crate) struct Login {
    user: String,
    password: Secret<String>,
    api_key: Secret<String>,
    /// Secrets of calls of business process management; the newest first.
    pub(crate) webhook: Vec<Secret<String>>,
    sign_in: SignIn,
    cached: Mutex<Option<(Secret<String>, Timestamp)>>,
}

impl Login {
    /// Reads the secrets of a connection.
    pub(crate) fn try_new(secrets: &BTreeMap<String, Vec<String>>, sign_in: SignIn) -> Result<Self, String> {
        let first = |name: &str| {
            let found = secrets.get(name).and_then(|values| values.first()).filter(|text| !text.is_empty());
            found.cloned().ok_or_else(|| format!("the secret `{name}` is missing; enter it"))
        };
        let webhook = secrets.get("webhook_secret").map(Vec::as_slice).unwrap_or_default();
        Ok(Self {
            user: first("user")?,
            password: Secret::new(first("password")?),
            api_key: Secret::new(first("api_key")?),
            webhook: webhook.iter().cloned().map(Secret::new).collect(),
            sign_in,
            cached: Mutex::new(None),
        })
    }

    /// Forgets the token: it was refused.
    pub(crate) fn forget(&self) {
        if let Ok(mut cached) = self.cached.lock() {
            *cached = None;
        }
    }

    fn known(&self, now: Timestamp) -> Option<Identity> {
        let (user, password, api_key) = (self.user.clone(), self.password.clone(), self.api_key.clone());
        match self.sign_in {
            SignIn::Basic => Some(Identity::Basic { user, password, api_key }),
            SignIn::Token => {
                let cached = self.cached.lock().ok()?.clone();
                let (token, _) = cached.filter(|(_, until)| now < *until)?;
                Some(Identity::Bearer { token, api_key })
            }
        }
    }
}

impl Engine {
    /// Who calls the ERP: by name and password, or by a token, cached or fetched. `Err` in the value: what follows for the
    /// effect.
    pub(crate) async fn identity(&self, open: &Open) -> Result<Result<Identity, After>, Error> {
        let (epicor, login) = open.epicor()?;
        let now = self.now();
        if let Some(identity) = login.known(now) {
            return Ok(Ok(identity));
        }
        let request = token::token_request(epicor, &login.user, &login.password, &login.api_key);
        let answer = match self.call(open, request).await {
            Ok(response) => response,
            Err(no) => return Ok(Err(after_no_answer(no))),
        };
        Ok(match token::read_token(&answer) {
            Outcome::Done(fresh) => {
                // Renewed early: a call under way must not outlive its token.
                let life = std::time::Duration::from_secs(fresh.expires_in_seconds.saturating_sub(60).max(1));
                if let Ok(mut cached) = login.cached.lock() {
                    *cached = Some((fresh.secret.clone(), now + life));
                }
                Ok(Identity::Bearer { token: fresh.secret, api_key: login.api_key.clone() })
            }
            Outcome::Declined(failure) | Outcome::NotSent(failure) | Outcome::Unknown(failure) => {
                self.0.metrics.count("tokens_refused", &format!("connection=\"{}\"", open.id));
                let wait = Some(std::time::Duration::from_secs(30));
                Err(After::Failed {
                    failure: Failure { retry: Retry::Throttled(wait), ..failure },
                    job: None,
                })
            }
        })
    }
}
