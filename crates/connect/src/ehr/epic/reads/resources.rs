//! The resources, as far as billing uses them (FHIR_R4_FIELDS.md). Ids are Epic's opaque ids without the type;
//! codes are kept as text, known or not.

use serde::Deserialize;
use serde_json::Value;
use suture_core::money::Money;
use suture_core::redact::Phi;

use super::request::Search;
use crate::ehr::epic::wire::{FhirMoney, id_in_reference};

/// The identifier system of the US national provider identifier.
pub const NPI: &str = "http://hl7.org/fhir/sid/us-npi";

/// A FHIR resource that we read.
pub trait Resource: Sized {
    /// FHIR's name.
    const TYPE: &'static str;
    /// Reads the resource from its JSON text; `None` when it is another type or has no id.
    fn parse(text: &str) -> Option<Self>;
    /// Whether the resource is what the search asked for, as far as the resource tells.
    fn fits(&self, search: &Search) -> bool;
}

/// An identifier given by a site or an authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalIdentifier {
    /// Who gave it.
    pub system: String,
    /// The identifier.
    pub value: Phi<String>,
}

/// A patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patient {
    /// Epic's FHIR id.
    pub id: String,
    /// Whether the record is in use; absent means that Epic does not say.
    pub active: Option<bool>,
    /// Record numbers.
    pub identifiers: Vec<ExternalIdentifier>,
    /// The name as one text, the official one first.
    pub name: Phi<Option<String>>,
    /// Birth date, `1980-01-31`.
    pub birth_date: Phi<Option<String>>,
    /// The patient that replaced this one.
    pub replaced_by: Option<String>,
}

/// A patient account. R4 has no balance (EPIC.md §4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Epic's FHIR id.
    pub id: String,
    /// Status, for example `active`.
    pub status: String,
    /// Patients whose account it is.
    pub patients: Vec<String>,
    /// Guarantors as references, for example `RelatedPerson/e1`.
    pub guarantors: Vec<String>,
    /// Coverages, in Epic's order.
    pub coverages: Vec<String>,
}

/// A claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Epic's FHIR id.
    pub id: String,
    /// Status, for example `active`.
    pub status: String,
    /// `claim`, `preauthorization` or `predetermination`.
    pub usage: String,
    /// The patient.
    pub patient: Option<String>,
    /// When it was made.
    pub created: Option<String>,
    /// The total, when Epic gives it with a currency.
    pub total: Option<Money>,
    /// Encounters of its items.
    pub encounters: Vec<String>,
}

/// An insurance coverage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// Epic's FHIR id.
    pub id: String,
    /// Status, for example `active`.
    pub status: String,
    /// The insured patient.
    pub patient: Option<String>,
    /// Payors as references.
    pub payors: Vec<String>,
    /// The number of the insured person.
    pub subscriber_id: Phi<Option<String>>,
}

/// An encounter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encounter {
    /// Epic's FHIR id.
    pub id: String,
    /// Status, for example `finished`.
    pub status: String,
    /// The class code, for example `AMB`.
    pub class: Option<String>,
    /// The patient.
    pub patient: Option<String>,
    /// Accounts that are billed: the way to an account's id.
    pub accounts: Vec<String>,
    /// Practitioners who took part.
    pub practitioners: Vec<String>,
    /// Start of the period.
    pub start: Option<String>,
    /// End of the period.
    pub end: Option<String>,
}

/// A practitioner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Practitioner {
    /// Epic's FHIR id.
    pub id: String,
    /// The national provider identifier.
    pub npi: Option<String>,
    /// The name as one text.
    pub name: Phi<Option<String>>,
}

/// An explanation of benefit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplanationOfBenefit {
    /// Epic's FHIR id.
    pub id: String,
    /// Status, for example `active`.
    pub status: String,
    /// `queued`, `complete`, `error` or `partial`.
    pub outcome: String,
    /// The patient.
    pub patient: Option<String>,
    /// The claim that it explains.
    pub claim: Option<String>,
    /// When it was made.
    pub created: Option<String>,
    /// What the payer paid.
    pub payment: Option<Money>,
    /// Totals by category code, for example `submitted`, `deductible`, `copay`.
    pub totals: Vec<(String, Money)>,
}

impl Resource for Patient {
    const TYPE: &'static str = "Patient";

    fn parse(text: &str) -> Option<Self> {
        let json = resource(text, Self::TYPE)?;
        let replaced = list(&json, "/link").find(|link| text_at(link, "/type") == Some("replaced-by"));
        Some(Self {
            id: id(&json)?,
            active: json.get("active").and_then(Value::as_bool),
            identifiers: identifiers(&json),
            name: Phi::new(name(&json)),
            birth_date: Phi::new(owned(&json, "/birthDate")),
            replaced_by: replaced.and_then(|link| reference(link, "/other/reference", "Patient")),
        })
    }

    fn fits(&self, search: &Search) -> bool {
        match search {
            Search::PatientByIdentifier { system, value } => {
                self.identifiers.iter().any(|known| known.system == *system && known.value == *value)
            }
            Search::PatientByName { birth_date, .. } => {
                self.birth_date.expose().as_ref() == Some(birth_date.expose())
            }
            _ => true,
        }
    }
}

impl Resource for Account {
    const TYPE: &'static str = "Account";

    fn parse(text: &str) -> Option<Self> {
        let json = resource(text, Self::TYPE)?;
        let guarantors = list(&json, "/guarantor").filter_map(|entry| owned(entry, "/party/reference"));
        Some(Self {
            id: id(&json)?,
            status: owned(&json, "/status").unwrap_or_default(),
            patients: references(&json, "/subject", "/reference", "Patient"),
            guarantors: guarantors.collect(),
            coverages: references(&json, "/coverage", "/coverage/reference", "Coverage"),
        })
    }

    fn fits(&self, search: &Search) -> bool {
        !matches!(search, Search::AccountsById(ids) if !ids.contains(&self.id))
    }
}

impl Resource for Claim {
    const TYPE: &'static str = "Claim";

    fn parse(text: &str) -> Option<Self> {
        let json = resource(text, Self::TYPE)?;
        let amounts = serde_json::from_str::<ClaimAmounts>(text).ok();
        let encounters =
            list(&json, "/item").flat_map(|item| references(item, "/encounter", "/reference", "Encounter"));
        Some(Self {
            id: id(&json)?,
            status: owned(&json, "/status").unwrap_or_default(),
            usage: owned(&json, "/use").unwrap_or_default(),
            patient: reference(&json, "/patient/reference", "Patient"),
            created: owned(&json, "/created"),
            total: amounts.and_then(|amounts| amounts.total?.read()),
            encounters: encounters.collect(),
        })
    }

    fn fits(&self, search: &Search) -> bool {
        !matches!(search, Search::ClaimsById(ids) if !ids.contains(&self.id))
    }
}

impl Resource for Coverage {
    const TYPE: &'static str = "Coverage";

    fn parse(text: &str) -> Option<Self> {
        let json = resource(text, Self::TYPE)?;
        Some(Self {
            id: id(&json)?,
            status: owned(&json, "/status").unwrap_or_default(),
            patient: reference(&json, "/beneficiary/reference", "Patient"),
            payors: list(&json, "/payor").filter_map(|entry| owned(entry, "/reference")).collect(),
            subscriber_id: Phi::new(owned(&json, "/subscriberId")),
        })
    }

    fn fits(&self, search: &Search) -> bool {
        !matches!(search, Search::CoveragesOfPatient(patient) if !is(self.patient.as_ref(), patient))
    }
}

impl Resource for Encounter {
    const TYPE: &'static str = "Encounter";

    fn parse(text: &str) -> Option<Self> {
        let json = resource(text, Self::TYPE)?;
        Some(Self {
            id: id(&json)?,
            status: owned(&json, "/status").unwrap_or_default(),
            class: owned(&json, "/class/code"),
            patient: reference(&json, "/subject/reference", "Patient"),
            accounts: references(&json, "/account", "/reference", "Account"),
            practitioners: references(&json, "/participant", "/individual/reference", "Practitioner"),
            start: owned(&json, "/period/start"),
            end: owned(&json, "/period/end"),
        })
    }

    fn fits(&self, search: &Search) -> bool {
        match search {
            Search::EncountersOfPatient { patient, .. } => is(self.patient.as_ref(), patient),
            Search::EncountersOfAccount(account) => self.accounts.contains(account),
            _ => true,
        }
    }
}

impl Resource for Practitioner {
    const TYPE: &'static str = "Practitioner";

    fn parse(text: &str) -> Option<Self> {
        let json = resource(text, Self::TYPE)?;
        let npi = identifiers(&json).into_iter().find(|identifier| identifier.system == NPI);
        Some(Self {
            id: id(&json)?,
            npi: npi.map(|identifier| identifier.value.into_exposed()),
            name: Phi::new(name(&json)),
        })
    }

    fn fits(&self, search: &Search) -> bool {
        !matches!(search, Search::PractitionerByNpi(npi) if !is(self.npi.as_ref(), npi))
    }
}

impl Resource for ExplanationOfBenefit {
    const TYPE: &'static str = "ExplanationOfBenefit";

    fn parse(text: &str) -> Option<Self> {
        let json = resource(text, Self::TYPE)?;
        let amounts = serde_json::from_str::<BenefitAmounts>(text).ok();
        let (payment, totals) =
            amounts.map_or((None, Vec::new()), |amounts| (amounts.payment, amounts.total));
        let totals = totals.into_iter().filter_map(|total| {
            let coding = total.category?.coding.into_iter().next()?;
            Some((coding.code?, total.amount?.read()?))
        });
        Some(Self {
            id: id(&json)?,
            status: owned(&json, "/status").unwrap_or_default(),
            outcome: owned(&json, "/outcome").unwrap_or_default(),
            patient: reference(&json, "/patient/reference", "Patient"),
            claim: reference(&json, "/claim/reference", "Claim"),
            created: owned(&json, "/created"),
            payment: payment.and_then(|payment| payment.amount?.read()),
            totals: totals.collect(),
        })
    }

    fn fits(&self, search: &Search) -> bool {
        match search {
            Search::ExplanationsOfPatient { patient, .. } => is(self.patient.as_ref(), patient),
            Search::ExplanationsOfClaim(claim) => is(self.claim.as_ref(), claim),
            _ => true,
        }
    }
}

/// Amounts are read from the text a second time, because `Value` would turn them into floats.
#[derive(Deserialize)]
struct ClaimAmounts {
    total: Option<FhirMoney>,
}

#[derive(Deserialize)]
struct BenefitAmounts {
    payment: Option<BenefitPayment>,
    #[serde(default)]
    total: Vec<BenefitTotal>,
}

#[derive(Deserialize)]
struct BenefitPayment {
    amount: Option<FhirMoney>,
}

#[derive(Deserialize)]
struct BenefitTotal {
    category: Option<Concept>,
    amount: Option<FhirMoney>,
}

#[derive(Deserialize)]
struct Concept {
    #[serde(default)]
    coding: Vec<Coding>,
}

#[derive(Deserialize)]
struct Coding {
    code: Option<String>,
}

fn resource(text: &str, kind: &str) -> Option<Value> {
    let json: Value = serde_json::from_str(text).ok()?;
    (text_at(&json, "/resourceType") == Some(kind)).then_some(json)
}

fn text_at<'a>(json: &'a Value, pointer: &str) -> Option<&'a str> {
    json.pointer(pointer)?.as_str()
}

fn owned(json: &Value, pointer: &str) -> Option<String> {
    text_at(json, pointer).map(str::to_owned)
}

fn id(json: &Value) -> Option<String> {
    owned(json, "/id").filter(|id| !id.is_empty())
}

fn list<'a>(json: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    json.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

fn reference(json: &Value, pointer: &str, kind: &str) -> Option<String> {
    id_in_reference(text_at(json, pointer)?, kind).map(str::to_owned)
}

fn references(json: &Value, at: &str, pointer: &str, kind: &str) -> Vec<String> {
    list(json, at).filter_map(|entry| reference(entry, pointer, kind)).collect()
}

fn identifiers(json: &Value) -> Vec<ExternalIdentifier> {
    let identifier = |entry: &Value| {
        let (system, value) = (owned(entry, "/system")?, owned(entry, "/value")?);
        Some(ExternalIdentifier { system, value: Phi::new(value) })
    };
    list(json, "/identifier").filter_map(identifier).collect()
}

fn name(json: &Value) -> Option<String> {
    let official = list(json, "/name").find(|name| text_at(name, "/use") == Some("official"));
    let name = official.or_else(|| list(json, "/name").next())?;
    if let Some(text) = owned(name, "/text") {
        return Some(text);
    }
    let given = list(name, "/given").filter_map(Value::as_str);
    let words: Vec<&str> = given.chain(text_at(name, "/family")).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

fn is(known: Option<&String>, wanted: &str) -> bool {
    known.is_some_and(|known| known == wanted)
}
