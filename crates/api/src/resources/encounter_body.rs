//! An encounter as JSON. Its texts are personal and a resource of their own.

use serde::{Deserialize, Serialize};
use suture_core::encounter::{self, Coded, Encounter};
use utoipa::ToSchema;

use super::service_body::LineBody;
use crate::bodies::{Money, time, words};

words! {
    /// Where an encounter stands.
    EncounterStatus = encounter::Status { Open, Documented, Finalized, Addended }
}

/// A procedure code with how often it was done.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ProcedureCode)]
#[serde(deny_unknown_fields)]
pub(super) struct CodeBody {
    #[schema(example = "99214")]
    code: String,
    /// 1 to 999.
    #[serde(default = "one")]
    units: u32,
}

const fn one() -> u32 {
    1
}

/// An encounter as known now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Encounter)]
#[serde(rename_all = "camelCase")]
pub(super) struct EncounterBody {
    id: String,
    appointment: String,
    patient: String,
    provider: String,
    status: EncounterStatus,
    /// 0 before it is signed, then 1, and one more with each addition.
    version: u32,
    codes: Vec<CodeBody>,
    /// What the codes of the latest priced version cost.
    lines: Vec<LineBody>,
    /// The sum of the lines, once every code of this version has a price.
    total: Option<Money>,
    /// Codes without a price on the day of the visit: nothing is charged until the fee schedule has them.
    missing_prices: Vec<String>,
    signed: Vec<SignatureBody>,
    outcome: Option<String>,
}

/// A signature under a text.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EncounterSignature)]
pub(super) struct SignatureBody {
    note: String,
    signer: String,
    /// SHA-256 of the text.
    hash: String,
    at: String,
}

impl CodeBody {
    pub(super) fn understood(self) -> Coded {
        Coded { code: self.code, units: self.units }
    }
}

impl EncounterBody {
    pub(super) fn of(state: &Encounter) -> Self {
        let codes = state.codes.iter();
        let signature = |signed: &encounter::Signed| SignatureBody {
            note: signed.note.to_string(),
            signer: signed.signer.clone(),
            hash: signed.hash.clone(),
            at: time(signed.at),
        };
        Self {
            id: state.id.to_string(),
            appointment: state.appointment.to_string(),
            patient: state.patient.to_string(),
            provider: state.provider.to_string(),
            status: state.status.into(),
            version: state.version,
            codes: codes.map(|coded| CodeBody { code: coded.code.clone(), units: coded.units }).collect(),
            lines: state.lines.iter().map(LineBody::of).collect(),
            total: state.total().map(Into::into),
            missing_prices: state.missing.clone(),
            signed: state.signed.iter().map(signature).collect(),
            outcome: state.outcome.clone(),
        }
    }
}
