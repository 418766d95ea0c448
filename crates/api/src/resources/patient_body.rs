//! A patient as JSON: opaque ids, customers at gateways, methods on file and consents. Nothing personal is ever in it.

use std::collections::BTreeMap;

use serde::Serialize;
use suture_core::consent::{self, Consent};
use suture_core::patient::{self, Method, Patient};
use suture_core::time::Timestamp;
use utoipa::ToSchema;

use crate::bodies::{Money, time, words};

words! {
    /// Whether a card is for medical spending only (HSA, FSA).
    HealthCard = patient::HealthCard { Yes, No, Unknown }
}

words! {
    /// What a patient allowed a charge for.
    ConsentPurpose = consent::Purpose { Estimate, Deposit, BalanceAfterInsurance, MissedVisitFee, Instalment, Visit }
}

/// A patient's record as known now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Patient)]
#[serde(rename_all = "camelCase")]
pub(super) struct PatientBody {
    id: String,
    /// Ids in other systems by system.
    external: BTreeMap<String, String>,
    /// Customers at gateways.
    customers: Vec<CustomerBody>,
    /// Other customers that claim to be this patient; a person decides (`customer-conflicts` in the deliveries).
    conflicts: Vec<CustomerBody>,
    methods: Vec<MethodBody>,
    consents: Vec<ConsentBody>,
}

/// A customer at a gateway.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Customer)]
pub(super) struct CustomerBody {
    connection: String,
    /// The gateway's customer; absent while it is being made.
    customer: Option<String>,
    /// `requested`, `connected` or `conflict`.
    status: &'static str,
}

/// A payment method on file. The gateway keeps the number; we never see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Method)]
#[serde(rename_all = "camelCase")]
pub(super) struct MethodBody {
    /// The gateway's id.
    id: String,
    connection: String,
    /// `card`, `us_bank_account`, …, as the gateway says.
    kind: String,
    brand: Option<String>,
    last4: Option<String>,
    exp_year: Option<u16>,
    exp_month: Option<u8>,
    /// `credit`, `debit`, `prepaid`, as the gateway says.
    funding: Option<String>,
    health_card: HealthCard,
    /// `usable`, `expired` or `removed`.
    status: &'static str,
    removed_at: Option<String>,
}

/// A consent, as given.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Consent)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConsentBody {
    id: String,
    /// The gateway's method that it is for; any method on file when absent.
    method: Option<String>,
    purpose: ConsentPurpose,
    /// How much in all.
    cap: Money,
    /// How much of it is left.
    left: Money,
    text_version: String,
    /// SHA-256 of the text that was shown.
    text_hash: String,
    given_by: String,
    given_at: String,
    expires_at: String,
    withdrawn_at: Option<String>,
    /// `active`, `expired` or `withdrawn`.
    status: &'static str,
}

impl PatientBody {
    pub(super) fn of(patient: &Patient, now: Timestamp) -> Self {
        let connected = patient.customers.iter().map(|(connection, customer)| CustomerBody {
            connection: connection.clone(),
            customer: Some(customer.clone()),
            status: "connected",
        });
        let requested = patient.requested.keys().map(|connection| CustomerBody {
            connection: connection.clone(),
            customer: None,
            status: "requested",
        });
        let conflict = |(connection, customer): &(String, String)| CustomerBody {
            connection: connection.clone(),
            customer: Some(customer.clone()),
            status: "conflict",
        };
        Self {
            id: patient.id.to_string(),
            external: patient.external.clone(),
            customers: connected.chain(requested).collect(),
            conflicts: patient.conflicts.iter().map(conflict).collect(),
            methods: patient.methods.values().map(|method| MethodBody::of(method, now)).collect(),
            consents: patient.consents.iter().map(|consent| ConsentBody::of(consent, now)).collect(),
        }
    }
}

impl MethodBody {
    pub(super) fn of(method: &Method, now: Timestamp) -> Self {
        Self {
            id: method.id.clone(),
            connection: method.connection.clone(),
            kind: method.kind.clone(),
            brand: method.brand.clone(),
            last4: method.last4.clone(),
            exp_year: method.expires.map(|(year, _)| year),
            exp_month: method.expires.map(|(_, month)| month),
            funding: method.funding.clone(),
            health_card: method.health_card.into(),
            status: match method.removed_at {
                Some(_) => "removed",
                None if method.is_expired(now) => "expired",
                None => "usable",
            },
            removed_at: method.removed_at.map(time),
        }
    }
}

impl ConsentBody {
    pub(super) fn of(consent: &Consent, now: Timestamp) -> Self {
        Self {
            id: consent.id.to_string(),
            method: consent.method.clone(),
            purpose: consent.purpose.into(),
            cap: consent.cap.into(),
            left: consent.left().into(),
            text_version: consent.text_version.clone(),
            text_hash: consent.text_hash.clone(),
            given_by: consent.given_by.clone(),
            given_at: time(consent.given_at),
            expires_at: time(consent.expires_at),
            withdrawn_at: consent.withdrawn_at.map(time),
            status: match consent.withdrawn_at {
                Some(_) => "withdrawn",
                None if consent.expires_at <= now => "expired",
                None => "active",
            },
        }
    }
}
