//! Which call a path means (EPICOR.md §2 and §3). Names are case-sensitive.

use crate::wire::{Request, percent_decode};

/// A call, by its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    TokenResource,
    TokenService,
    /// A path of the OData root: an entity set with or without key, or a method.
    Service {
        company: String,
        service: String,
        target: String,
        key: Option<String>,
    },
    /// A query: `BaqSvc/{id}/Data`.
    Baq {
        company: String,
        id: String,
    },
    /// The web server knows nothing there.
    Nowhere,
}

impl Route {
    pub(super) fn of(request: &Request, instance: &str) -> Self {
        Self::find(request, instance).unwrap_or(Self::Nowhere)
    }

    fn find(request: &Request, instance: &str) -> Option<Self> {
        // In a path a plus is a plus.
        let path = percent_decode(&request.path.replace('+', "%2B"));
        let path = path.strip_prefix('/')?.strip_prefix(instance)?.strip_prefix('/')?;
        if path.trim_end_matches('/') == "TokenResource.svc" {
            return (request.method == "POST").then_some(Self::TokenResource);
        }
        if path.ends_with("Ice.LIB.TokenServiceSvc/GetAccessToken") {
            return (request.method == "POST").then_some(Self::TokenService);
        }
        let rest = path.strip_prefix("api/v2/odata/")?;
        let (company, rest) = rest.split_once('/')?;
        let (service, rest) = rest.split_once('/')?;
        let company = company.to_owned();
        if service == "BaqSvc" {
            let id = rest.strip_suffix("/Data").or_else(|| rest.strip_suffix("/Data/"))?;
            return Some(Self::Baq { company, id: id.to_owned() });
        }
        let rest = rest.trim_end_matches('/');
        let (target, key) = match rest.split_once('(') {
            Some((target, key)) => (target, Some(key.strip_suffix(')')?.to_owned())),
            None => (rest, None),
        };
        Some(Self::Service { company, service: service.to_owned(), target: target.to_owned(), key })
    }

    /// The name by which calls are counted and faults are limited: `Erp.BO.CashRecSvc/CashRecs`.
    pub(super) fn name(&self) -> String {
        match self {
            Self::TokenResource => "TokenResource.svc".to_owned(),
            Self::TokenService => "Ice.LIB.TokenServiceSvc/GetAccessToken".to_owned(),
            Self::Service { service, target, .. } => format!("{service}/{target}"),
            Self::Baq { id, .. } => format!("BaqSvc/{id}"),
            Self::Nowhere => "nowhere".to_owned(),
        }
    }

    /// What an access scope lists.
    pub(super) fn scope(&self) -> &str {
        match self {
            Self::Service { service, .. } => service,
            Self::Baq { .. } => "BaqSvc",
            Self::TokenResource | Self::TokenService | Self::Nowhere => "",
        }
    }
}
