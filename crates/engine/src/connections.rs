//! Open connections to other systems: connectors built from stored settings and credentials, with their own throttle.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use suture_connect::ehr::epic::routes::Proposal;
use suture_connect::ehr::epic::settings::{Epic, ExternalPayments, SiteZone};
use suture_connect::erp::epicor::settings::Epicor;
use suture_connect::gateway::Gateway;
use suture_connect::gateways::registry;
use suture_core::audit::chain::Hash;
use suture_core::redact::Secret;
use suture_store::connections::Connection as Stored;

use crate::Error;
use crate::erp::{EpicorConnection, Login};
use crate::throttle::{Budget, Throttle};
use crate::tokens::Tokens;

/// When the gateway's present truth is fetched for a webhook (FEATURES M15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FetchPolicy {
    /// Always: what was delivered is only a hint.
    #[default]
    Always,
    /// Only when the signed payload cannot stand alone: another API version, no evidence in it, or older than a minute.
    WhenStale,
}

/// Open settings of a gateway connection.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GatewaySettings {
    /// Options of the connector, for example `base_url`.
    pub options: BTreeMap<String, String>,
    /// When to fetch.
    pub fetch: FetchPolicy,
    /// How fast to call.
    pub budget: Budget,
    /// How customers that were there before us name our patients.
    pub adopt: Adopt,
}

/// Metadata keys by which a gateway's customer is adopted for a patient (FEATURES M17).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adopt {
    /// Keys whose value is the patient's id, ours or another system's; the first that is there counts.
    pub patient_keys: Vec<String>,
    /// Keys whose value, where there is one, must be our organization.
    pub organization_keys: Vec<String>,
}

impl Default for Adopt {
    fn default() -> Self {
        let keys = |names: [&str; 2]| names.map(ToOwned::to_owned).to_vec();
        Self {
            patient_keys: keys(["bridgePatientId", "patientId"]),
            organization_keys: keys(["bridgeOrganizationId", "organizationId"]),
        }
    }
}

/// Open settings of an Epic connection.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpicConnection {
    /// The FHIR base URL, as the site published it.
    pub fhir_base_url: String,
    /// The token endpoint; found by discovery when absent.
    #[serde(default)]
    pub token_url: Option<String>,
    /// The app's client id.
    pub client_id: String,
    /// Scopes to ask for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The base URL of the external-payment service.
    #[serde(default)]
    pub interconnect_base_url: Option<String>,
    /// Paths and names of the external-payment service.
    #[serde(default)]
    pub external: ExternalPayments,
    /// The organization that receives payment notices, as a FHIR reference.
    #[serde(default)]
    pub organization: Option<String>,
    /// A route that overrides the proposal: `fhir`, `external_payment`, `person`.
    #[serde(default)]
    pub posting_route: Option<suture_connect::ehr::epic::routes::Route>,
    /// The site's time zone.
    #[serde(default)]
    pub zone: Option<String>,
    /// How fast to call, by the site's local hour.
    #[serde(default)]
    pub budget: Budget,
    /// The proposal of the last probe: the route that works here, and why.
    #[serde(default)]
    pub proposal: Option<Proposal>,
}

/// A connection that is ready to be used.
pub(crate) struct Open {
    pub(crate) organization: String,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) system: System,
    pub(crate) throttle: Throttle,
    pub(crate) settings: String,
    content: Hash,
}

/// What is at the other end.
pub(crate) enum System {
    Gateway {
        connector: Box<dyn Gateway>,
        fetch: FetchPolicy,
        /// The mode and the account that events must be of, when the settings say so.
        livemode: Option<bool>,
        account: Option<String>,
        adopt: Adopt,
    },
    Epic {
        epic: Box<Epic>,
        tokens: Box<Tokens>,
        proposal: Option<Proposal>,
    },
    Epicor {
        epicor: Box<Epicor>,
        login: Box<Login>,
        poll_seconds: u32,
    },
}

impl Open {
    /// Builds the connector of a stored connection.
    pub(crate) fn try_new(stored: &Stored, previous: Option<&Self>) -> Result<Self, Error> {
        let problem = |problem: String| Error::Connection { connection: stored.id.clone(), problem };
        let secrets: BTreeMap<String, Vec<String>> = serde_json::from_str(stored.secrets.expose())
            .map_err(|_| problem("its credentials cannot be read; enter them again".to_owned()))?;
        let (system, budget, zone) = match stored.kind.as_str() {
            "epic" => {
                let settings: EpicConnection =
                    serde_json::from_str(&stored.settings).map_err(|error| problem(error.to_string()))?;
                let zone = settings.zone.clone();
                let budget = settings.budget;
                let proposal = settings.proposal.clone();
                let epic = epic(settings).map_err(problem)?;
                let tokens = Tokens::try_new(&secrets, previous.and_then(Self::tokens)).map_err(problem)?;
                (System::Epic { epic: Box::new(epic), tokens: Box::new(tokens), proposal }, budget, zone)
            }
            "epicor" => {
                let settings: EpicorConnection =
                    serde_json::from_str(&stored.settings).map_err(|error| problem(error.to_string()))?;
                if let Some(found) = settings.epicor.problems().first() {
                    return Err(problem(found.clone()));
                }
                let login = Login::try_new(&secrets, settings.sign_in).map_err(problem)?;
                let (epicor, login) = (Box::new(settings.epicor), Box::new(login));
                (System::Epicor { epicor, login, poll_seconds: settings.poll_seconds }, settings.budget, None)
            }
            kind => {
                let settings: GatewaySettings =
                    serde_json::from_str(&stored.settings).map_err(|error| problem(error.to_string()))?;
                let secrets = secrets
                    .into_iter()
                    .map(|(name, values)| (name, values.into_iter().map(Secret::new).collect()));
                let livemode = settings.options.get("livemode").map(|live| live == "true");
                let account = settings.options.get("account").cloned();
                let opening = registry::Connection { options: settings.options, secrets: secrets.collect() };
                let connector = registry::open(kind, &opening).map_err(|error| problem(error.to_string()))?;
                (
                    System::Gateway {
                        connector,
                        fetch: settings.fetch,
                        livemode,
                        account,
                        adopt: settings.adopt,
                    },
                    settings.budget,
                    None,
                )
            }
        };
        let throttle = Throttle::try_new(budget, zone.as_deref()).map_err(problem)?;
        Ok(Self {
            organization: stored.organization.clone(),
            id: stored.id.clone(),
            name: stored.name.clone(),
            status: stored.status.clone(),
            system,
            throttle,
            settings: stored.settings.clone(),
            content: content_of(stored),
        })
    }

    /// The gateway at the other end.
    pub(crate) fn gateway(&self) -> Result<(&dyn Gateway, FetchPolicy), Error> {
        match &self.system {
            System::Gateway { connector, fetch, .. } => Ok((connector.as_ref(), *fetch)),
            System::Epic { .. } | System::Epicor { .. } => Err(self.problem("it is not a payment gateway")),
        }
    }

    /// The Epic site at the other end.
    pub(crate) fn epic(&self) -> Result<(&Epic, &Tokens, Option<&Proposal>), Error> {
        match &self.system {
            System::Epic { epic, tokens, proposal } => Ok((epic, tokens, proposal.as_ref())),
            System::Gateway { .. } | System::Epicor { .. } => Err(self.problem("it is not an Epic site")),
        }
    }

    /// The Epicor company at the other end, and who signs in.
    pub(crate) fn epicor(&self) -> Result<(&Epicor, &Login), Error> {
        match &self.system {
            System::Epicor { epicor, login, .. } => Ok((epicor, login)),
            System::Gateway { .. } | System::Epic { .. } => Err(self.problem("it is not an Epicor company")),
        }
    }

    /// How often the ERP is polled; 0: never.
    pub(crate) const fn poll_seconds(&self) -> u32 {
        match &self.system {
            System::Epicor { poll_seconds, .. } => *poll_seconds,
            System::Gateway { .. } | System::Epic { .. } => 0,
        }
    }

    /// The kind of system.
    pub(crate) fn kind(&self) -> &str {
        match &self.system {
            System::Gateway { connector, .. } => connector.name(),
            System::Epic { .. } => "epic",
            System::Epicor { .. } => "epicor",
        }
    }

    fn tokens(&self) -> Option<&Tokens> {
        match &self.system {
            System::Epic { tokens, .. } => Some(tokens),
            System::Gateway { .. } | System::Epicor { .. } => None,
        }
    }

    /// An error about this connection.
    pub(crate) fn problem(&self, problem: &str) -> Error {
        Error::Connection { connection: self.id.clone(), problem: problem.to_owned() }
    }
}

fn epic(settings: EpicConnection) -> Result<Epic, String> {
    let mut epic = Epic::new(settings.fhir_base_url, settings.client_id);
    epic.token_url = settings.token_url;
    epic.scopes = settings.scopes;
    epic.interconnect_base_url = settings.interconnect_base_url;
    epic.external = settings.external;
    epic.organization = settings.organization;
    epic.posting_route = settings.posting_route;
    if let Some(zone) = settings.zone {
        epic.zone = SiteZone::parse(&zone).map_err(|error| error.to_string())?;
    }
    match epic.problems().first() {
        Some(problem) => Err(problem.clone()),
        None => Ok(epic),
    }
}

/// All open connections, and those that could not be opened with the reason.
#[derive(Default)]
pub(crate) struct Connections {
    pub(crate) open: BTreeMap<String, Arc<Open>>,
    pub(crate) broken: BTreeMap<String, (Stored, String)>,
}

/// What a stored connection says, to see whether it changed.
fn content_of(stored: &Stored) -> Hash {
    let parts = [&stored.organization, &stored.kind, &stored.name, &stored.settings, &stored.status];
    let mut bytes = Vec::new();
    for part in parts.into_iter().chain([stored.secrets.expose()]) {
        bytes.extend_from_slice(Hash::of(part.as_bytes()).0.as_slice());
    }
    Hash::of(&bytes)
}

impl Connections {
    /// Opens what is stored. One that does not work does not keep the others from working.
    pub(crate) fn open(stored: &[Stored], previous: &Self) -> Self {
        let mut connections = Self::default();
        for stored in stored {
            let before = previous.open.get(&stored.id);
            // One that did not change keeps its throttle and its tokens.
            if let Some(same) = before.filter(|open| open.content == content_of(stored)) {
                connections.open.insert(stored.id.clone(), same.clone());
                continue;
            }
            match Open::try_new(stored, before.map(AsRef::as_ref)) {
                Ok(open) => {
                    connections.open.insert(stored.id.clone(), Arc::new(open));
                }
                Err(error) => {
                    connections.broken.insert(stored.id.clone(), (stored.clone(), error.to_string()));
                }
            }
        }
        connections
    }
}
