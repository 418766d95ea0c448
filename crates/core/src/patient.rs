//! The patient as the books see one: ids in other systems, the customers at gateways, payment methods on file, and the
//! consents that allow charges. One stream, so that a removed card and a charge with it cannot pass each other.
//!
//! Names, birth dates and record numbers are personal data and live elsewhere, sealed. Invariant: one gateway customer per
//! connection; a second one is parked for a person, never adopted silently (FEATURES M17).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::consent::{self, Consent, Intended, Purpose};
use crate::id::{ConsentId, PatientId, PaymentId};
use crate::money::Money;
use crate::refusal::Refusal;
use crate::time::Timestamp;

mod method;

pub use method::{HealthCard, Method};

/// What happened to a patient's record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The record was made.
    Created {
        /// Its id.
        patient: PatientId,
        /// Ids in other systems by system, for example `epic`. Opaque ids only.
        external: BTreeMap<String, String>,
    },
    /// Ids in other systems changed.
    Identified {
        /// All of them now.
        external: BTreeMap<String, String>,
    },
    /// A customer is to be made at a gateway; the key is frozen.
    CustomerRequested {
        /// The connection.
        connection: String,
        /// The frozen key.
        key: String,
    },
    /// A gateway's customer is this patient.
    CustomerConnected {
        /// The connection.
        connection: String,
        /// The gateway's customer.
        customer: String,
        /// Whether it was there before us.
        adopted: bool,
    },
    /// A second customer claims to be this patient.
    CustomerConflict {
        /// The connection.
        connection: String,
        /// The one that is connected.
        customer: String,
        /// The one that claims.
        claimant: String,
    },
    /// The connected customer was deleted at the gateway.
    CustomerGone {
        /// The connection.
        connection: String,
        /// The gateway's customer.
        customer: String,
    },
    /// A method is on file, or its details changed.
    MethodStored(Method),
    /// A method is no longer on file.
    MethodRemoved {
        /// The gateway's id.
        method: String,
        /// When.
        at: Timestamp,
    },
    /// The patient allowed charges.
    ConsentGiven(Consent),
    /// The patient took a consent back.
    ConsentWithdrawn {
        /// Which.
        consent: ConsentId,
        /// When.
        at: Timestamp,
    },
    /// A charge was made under a consent.
    ConsentUsed {
        /// Which.
        consent: ConsentId,
        /// By which payment.
        payment: PaymentId,
        /// How much.
        amount: Money,
    },
    /// A charge under a consent did not happen.
    ConsentReturned {
        /// Which.
        consent: ConsentId,
        /// By which payment.
        payment: PaymentId,
        /// How much.
        amount: Money,
    },
}

impl Event {
    /// The event's type in the journal.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Created { .. } => "patient.created",
            Self::Identified { .. } => "patient.identified",
            Self::CustomerRequested { .. } => "patient.customer_requested",
            Self::CustomerConnected { .. } => "patient.customer_connected",
            Self::CustomerConflict { .. } => "patient.customer_conflict",
            Self::CustomerGone { .. } => "patient.customer_gone",
            Self::MethodStored(_) => "patient.method_stored",
            Self::MethodRemoved { .. } => "patient.method_removed",
            Self::ConsentGiven(_) => "patient.consent_given",
            Self::ConsentWithdrawn { .. } => "patient.consent_withdrawn",
            Self::ConsentUsed { .. } => "patient.consent_used",
            Self::ConsentReturned { .. } => "patient.consent_returned",
        }
    }
}

/// A patient's record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Patient {
    /// Its id.
    pub id: PatientId,
    /// Ids in other systems by system.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub external: BTreeMap<String, String>,
    /// Customers that are being made, with their keys, by connection.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub requested: BTreeMap<String, String>,
    /// The gateway's customer by connection.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub customers: BTreeMap<String, String>,
    /// Customers that were deleted at their gateway so far.
    #[serde(default)]
    pub customers_lost: u32,
    /// Other customers that claim to be this patient: connection and customer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<(String, String)>,
    /// Methods by the gateway's id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub methods: BTreeMap<String, Method>,
    /// Consents, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consents: Vec<Consent>,
    /// Which consent a payment was made under.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub uses: BTreeMap<String, (ConsentId, Money)>,
}

/// An order to a patient's record.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Make it.
    Create {
        /// Its id.
        patient: PatientId,
        /// Ids in other systems.
        external: BTreeMap<String, String>,
    },
    /// Set ids in other systems.
    Identify {
        /// All of them.
        external: BTreeMap<String, String>,
    },
    /// Plan a customer at a gateway.
    RequestCustomer {
        /// The connection.
        connection: String,
    },
    /// Take a gateway's customer for this patient.
    ConnectCustomer {
        /// The connection.
        connection: String,
        /// The gateway's customer.
        customer: String,
        /// Whether it was there before us.
        adopted: bool,
    },
    /// The customer was deleted at the gateway.
    LoseCustomer {
        /// The connection.
        connection: String,
        /// The gateway's customer.
        customer: String,
    },
    /// Put a method on file, or take in new details.
    StoreMethod(Method),
    /// Take a method off file.
    RemoveMethod {
        /// The gateway's id.
        method: String,
    },
    /// Say whether a method is an HSA or FSA card.
    MarkHealthCard {
        /// The gateway's id.
        method: String,
        /// What it is.
        health_card: HealthCard,
    },
    /// Record a consent.
    Consent(Consent),
    /// Take a consent back.
    Withdraw {
        /// Which.
        consent: ConsentId,
    },
    /// Charge while the patient is not there: needs a method on file and a consent.
    Charge {
        /// By which payment.
        payment: PaymentId,
        /// What, with which method, and how much.
        charge: Intended,
    },
    /// The charge did not happen after all.
    Return {
        /// By which payment.
        payment: PaymentId,
    },
}

impl Patient {
    /// Applies an event. Total.
    #[must_use]
    pub fn evolve(state: Option<Self>, event: &Event) -> Option<Self> {
        match (state, event) {
            (None, Event::Created { patient, external }) => Some(Self {
                id: *patient,
                external: external.clone(),
                requested: BTreeMap::new(),
                customers: BTreeMap::new(),
                customers_lost: 0,
                conflicts: Vec::new(),
                methods: BTreeMap::new(),
                consents: Vec::new(),
                uses: BTreeMap::new(),
            }),
            (None, _) => None,
            (Some(mut patient), event) => {
                patient.apply(event);
                Some(patient)
            }
        }
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Created { .. } => {}
            Event::Identified { external } => self.external.clone_from(external),
            Event::CustomerRequested { connection, key } => {
                self.requested.insert(connection.clone(), key.clone());
            }
            Event::CustomerConnected { connection, customer, .. } => {
                self.requested.remove(connection);
                self.customers.insert(connection.clone(), customer.clone());
            }
            Event::CustomerConflict { connection, claimant, .. } => {
                self.conflicts.push((connection.clone(), claimant.clone()));
            }
            Event::CustomerGone { connection, .. } => {
                self.customers_lost = self.customers_lost.saturating_add(1);
                self.customers.remove(connection);
            }
            Event::MethodStored(method) => {
                self.methods.insert(method.id.clone(), method.clone());
            }
            Event::MethodRemoved { method, at } => {
                if let Some(found) = self.methods.get_mut(method) {
                    found.removed_at = Some(*at);
                }
            }
            Event::ConsentGiven(consent) => self.consents.push(consent.clone()),
            Event::ConsentWithdrawn { consent, at } => {
                if let Some(found) = self.consent_mut(*consent) {
                    found.withdrawn_at = Some(*at);
                }
            }
            Event::ConsentUsed { consent, payment, amount } => {
                self.uses.insert(payment.to_string(), (*consent, *amount));
                if let Some(found) = self.consent_mut(*consent) {
                    found.used_minor = found.used_minor.saturating_add(amount.minor);
                }
            }
            Event::ConsentReturned { consent, payment, amount } => {
                self.uses.remove(&payment.to_string());
                if let Some(found) = self.consent_mut(*consent) {
                    found.used_minor = found.used_minor.saturating_sub(amount.minor);
                }
            }
        }
    }

    fn consent_mut(&mut self, id: ConsentId) -> Option<&mut Consent> {
        self.consents.iter_mut().find(|consent| consent.id == id)
    }

    /// The methods that may be charged at a moment, in the order of their ids.
    pub fn usable_methods(&self, now: Timestamp) -> impl Iterator<Item = &Method> {
        self.methods.values().filter(move |method| method.removed_at.is_none() && !method.is_expired(now))
    }
}

/// Decides what follows from a command. Changes nothing.
///
/// # Errors
/// A [`Refusal`] that says what did not happen and what to do.
pub fn decide(state: Option<&Patient>, command: &Command, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    let patient = match (state, command) {
        (None, Command::Create { patient, external }) => {
            return Ok(vec![Event::Created { patient: *patient, external: external.clone() }]);
        }
        (None, _) => {
            return Err(Refusal::state("patient_missing", "There is no such patient; nothing was changed."));
        }
        (Some(_), Command::Create { .. }) => {
            return Err(Refusal::state(
                "patient_exists",
                "This patient exists already; nothing was changed.",
            ));
        }
        (Some(patient), _) => patient,
    };
    Ok(match command {
        Command::Create { .. } => Vec::new(),
        Command::Identify { external } => match patient.external == *external {
            true => Vec::new(),
            false => vec![Event::Identified { external: external.clone() }],
        },
        Command::RequestCustomer { connection } => request_customer(patient, connection),
        Command::ConnectCustomer { connection, customer, adopted } => {
            connect_customer(patient, connection, customer, *adopted)
        }
        Command::LoseCustomer { connection, customer } => match patient.customers.get(connection) {
            Some(known) if known == customer => {
                vec![Event::CustomerGone { connection: connection.clone(), customer: customer.clone() }]
            }
            _ => Vec::new(),
        },
        Command::StoreMethod(method) => store_method(patient, method),
        Command::RemoveMethod { method } => match patient.methods.get(method) {
            Some(known) if known.removed_at.is_none() => {
                vec![Event::MethodRemoved { method: method.clone(), at: now }]
            }
            _ => Vec::new(),
        },
        Command::MarkHealthCard { method, health_card } => mark(patient, method, *health_card)?,
        Command::Consent(consent) => give(patient, consent)?,
        Command::Withdraw { consent } => withdraw(patient, *consent, now)?,
        Command::Charge { payment, charge } => charge_under_consent(patient, *payment, charge, now)?,
        Command::Return { payment } => match patient.uses.get(&payment.to_string()) {
            Some((consent, amount)) => {
                vec![Event::ConsentReturned { consent: *consent, payment: *payment, amount: *amount }]
            }
            None => Vec::new(),
        },
    })
}

fn request_customer(patient: &Patient, connection: &str) -> Vec<Event> {
    if patient.customers.contains_key(connection) || patient.requested.contains_key(connection) {
        return Vec::new();
    }
    // A customer that was deleted at the gateway is made anew, by another key.
    let key = format!("{}:customer:{connection}/{}", patient.id, patient.customers_lost + 1);
    vec![Event::CustomerRequested { connection: connection.to_owned(), key }]
}

fn connect_customer(patient: &Patient, connection: &str, customer: &str, adopted: bool) -> Vec<Event> {
    let conflict = (connection.to_owned(), customer.to_owned());
    match patient.customers.get(connection) {
        Some(known) if known == customer => Vec::new(),
        Some(_) if patient.conflicts.contains(&conflict) => Vec::new(),
        Some(known) => vec![Event::CustomerConflict {
            connection: connection.to_owned(),
            customer: known.clone(),
            claimant: customer.to_owned(),
        }],
        None => vec![Event::CustomerConnected {
            connection: connection.to_owned(),
            customer: customer.to_owned(),
            adopted,
        }],
    }
}

fn store_method(patient: &Patient, method: &Method) -> Vec<Event> {
    let mut method = method.clone();
    if let Some(known) = patient.methods.get(&method.id) {
        // What staff know about a card stays known when the gateway repeats that it does not.
        if method.health_card == HealthCard::Unknown {
            method.health_card = known.health_card;
        }
        // A late word about a card does not put it on file again; only a new attachment has a new id.
        method.removed_at = known.removed_at;
        if *known == method {
            return Vec::new();
        }
    }
    vec![Event::MethodStored(method)]
}

fn mark(patient: &Patient, method: &str, health_card: HealthCard) -> Result<Vec<Event>, Refusal> {
    let known = patient.methods.get(method).ok_or_else(method_missing)?;
    Ok(match known.health_card == health_card {
        true => Vec::new(),
        false => vec![Event::MethodStored(Method { health_card, ..known.clone() })],
    })
}

fn give(patient: &Patient, consent: &Consent) -> Result<Vec<Event>, Refusal> {
    let invalid = |what: &str| {
        Err(Refusal::invalid("consent_invalid", format!("The consent was not recorded. {what}")))
    };
    if consent.cap.minor <= 0 {
        return invalid("Give a cap above zero: the most that may be charged in all.");
    }
    if consent.expires_at <= consent.given_at {
        return invalid("It must end after it was given.");
    }
    let hexadecimal = |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !hexadecimal(&consent.text_hash) || consent.text_version.is_empty() {
        return invalid("Give the version of the text that was shown, and the SHA-256 of its words.");
    }
    if let Some(method) = &consent.method {
        let known = patient.methods.get(method).filter(|known| known.removed_at.is_none());
        let known = known.ok_or_else(method_missing)?;
        if consent.purpose == Purpose::MissedVisitFee && known.health_card == HealthCard::Yes {
            return Err(health_card_refused());
        }
    }
    if patient.consents.iter().any(|known| known.id == consent.id) {
        return Ok(Vec::new());
    }
    Ok(vec![Event::ConsentGiven(Consent { used_minor: 0, withdrawn_at: None, ..consent.clone() })])
}

fn withdraw(patient: &Patient, consent: ConsentId, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    let Some(known) = patient.consents.iter().find(|known| known.id == consent) else {
        return Err(Refusal::invalid("consent_missing", "There is no such consent; nothing was changed."));
    };
    Ok(match known.withdrawn_at {
        Some(_) => Vec::new(),
        None => vec![Event::ConsentWithdrawn { consent, at: now }],
    })
}

fn charge_under_consent(
    patient: &Patient,
    payment: PaymentId,
    charge: &Intended,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    if patient.uses.contains_key(&payment.to_string()) {
        return Ok(Vec::new());
    }
    let known = patient.methods.get(&charge.method).filter(|known| known.removed_at.is_none());
    let known = known.ok_or_else(method_missing)?;
    if known.is_expired(now) {
        return Err(Refusal::state(
            "method_expired",
            "Nothing was charged. The card on file has expired; ask the patient for another method.",
        ));
    }
    if charge.purpose == Purpose::MissedVisitFee && known.health_card == HealthCard::Yes {
        return Err(health_card_refused());
    }
    let consent = consent::allowing(patient.consents.iter(), charge, now)?;
    Ok(vec![Event::ConsentUsed { consent, payment, amount: charge.amount }])
}

fn method_missing() -> Refusal {
    Refusal::state(
        "method_missing",
        "Nothing was charged or changed. This payment method is not on file for the patient, or was removed; ask for \
         another one.",
    )
}

fn health_card_refused() -> Refusal {
    Refusal::invalid(
        "health_card_refused",
        "Nothing was charged. HSA and FSA cards pay for care only, not for missed visits; ask for another method.",
    )
}

#[cfg(test)]
mod tests;
