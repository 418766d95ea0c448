//! Who a file is about: organizations with their ids, and people, whose names and ids are never printed.

use serde::{Deserialize, Serialize};
use suture_core::redact::Phi;

use crate::x12::error::Error;
use crate::x12::fields::Fields;

/// A payer or provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    /// Its name. A provider may be a person; this is the public name of a business.
    pub name: String,
    /// What kind of id it is, for example `PI` or `XX` (national provider identifier).
    pub id_qualifier: Option<String>,
    /// Its id.
    pub id: Option<String>,
}

/// A patient, subscriber or other insured person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Family name.
    pub last_name: Phi<String>,
    /// Given name.
    pub first_name: Phi<String>,
    /// The id with the payer, usually the member id.
    pub member_id: Phi<String>,
    /// Birth date as in the file, `CCYYMMDD`; empty when it is not told.
    pub birth_date: Phi<String>,
}

impl Organization {
    /// From NM1: name in 03, id in 08 and 09. A provider's tax number can be a person's, so only other ids are kept.
    pub(crate) fn of_nm1(fields: &Fields<'_>) -> Result<Self, Error> {
        let id_qualifier =
            fields.owned(8)?.filter(|qualifier| !matches!(qualifier.as_str(), "FI" | "34" | "24"));
        let id = if id_qualifier.is_some() { fields.owned(9)? } else { None };
        Ok(Self { name: fields.optional(3)?.unwrap_or_default().to_owned(), id_qualifier, id })
    }

    /// From N1: name in 02, id in 03 and 04, with the same care.
    pub(crate) fn of_n1(fields: &Fields<'_>) -> Result<Self, Error> {
        let id_qualifier = fields.owned(3)?.filter(|qualifier| qualifier != "FI");
        let id = if id_qualifier.is_some() { fields.owned(4)? } else { None };
        Ok(Self { name: fields.optional(2)?.unwrap_or_default().to_owned(), id_qualifier, id })
    }

    /// The national provider identifier, when the id is one.
    #[must_use]
    pub fn npi(&self) -> Option<&str> {
        self.id.as_deref().filter(|_| self.id_qualifier.as_deref() == Some("XX"))
    }
}

impl Person {
    pub(crate) fn of_nm1(fields: &Fields<'_>) -> Result<Self, Error> {
        let phi = |element| -> Result<Phi<String>, Error> {
            Ok(Phi::new(fields.optional(element)?.unwrap_or_default().to_owned()))
        };
        let birth_date = Phi::new(String::new());
        Ok(Self { last_name: phi(3)?, first_name: phi(4)?, member_id: phi(9)?, birth_date })
    }
}
