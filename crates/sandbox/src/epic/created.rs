//! Resources that clients created: kept as JSON text, found by id and by identifier.
//!
//! Called by `fhir` and `payment_resources`. What must stay true: the text keeps the digits of every decimal.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::answer::Refusal;

/// How many resources are kept; more is refused, so that a runaway client cannot eat the memory.
const KEPT_MAX: usize = 1_000_000;

/// A body, read as far as creation needs it.
pub(super) struct Incoming<'a> {
    elements: BTreeMap<&'a str, &'a RawValue>,
    /// The same body as a tree, for checks; decimals in it are not to be trusted.
    pub(super) tree: serde_json::Value,
}

impl<'a> Incoming<'a> {
    /// Reads a body that must be a JSON object of this type.
    pub(super) fn parse(kind: &str, body: &'a [u8]) -> Result<Self, Refusal> {
        let malformed =
            || Refusal::new(59105, "The body is not a JSON object of the resource type in the path.");
        let elements: BTreeMap<&'a str, &'a RawValue> =
            serde_json::from_slice(body).map_err(|_| malformed())?;
        let tree: serde_json::Value = serde_json::from_slice(body).map_err(|_| malformed())?;
        if tree["resourceType"].as_str() != Some(kind) {
            return Err(malformed());
        }
        Ok(Self { elements, tree })
    }

    /// The decimal text of `<element>.value`, as it stands in the body.
    pub(super) fn money_text(&self, element: &str) -> Option<&'a str> {
        #[derive(Deserialize)]
        struct Money<'m> {
            #[serde(borrow)]
            value: Option<&'m RawValue>,
        }
        let raw = self.elements.get(element)?;
        serde_json::from_str::<Money<'a>>(raw.get()).ok()?.value.map(RawValue::get)
    }

    pub(super) fn element_names(&self) -> impl Iterator<Item = &str> {
        self.elements.keys().copied()
    }

    /// Pairs of system and value of the resource's identifiers.
    pub(super) fn identifiers(&self) -> Vec<(String, String)> {
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let list = self.tree["identifier"].as_array().map_or(&[][..], Vec::as_slice);
        list.iter()
            .map(|one| (text(&one["system"]), text(&one["value"])))
            .filter(|(_, value)| !value.is_empty())
            .collect()
    }

    fn stored_text(&self, id: &str) -> String {
        let mut text = format!("{{\"id\":\"{id}\"");
        for (name, raw) in self.elements.iter().filter(|(name, _)| **name != "id") {
            text.push_str(&format!(",{}:{}", serde_json::Value::from(*name), raw.get()));
        }
        text.push('}');
        text
    }
}

/// All created resources.
#[derive(Default)]
pub(super) struct Created {
    texts: BTreeMap<(&'static str, String), String>,
    by_identifier: BTreeMap<(&'static str, String), Vec<(String, String)>>,
    made: u64,
}

impl Created {
    /// The id that the next resource will get.
    pub(super) fn next_id(&self) -> String {
        format!("eSbxNew{:08}", self.made + 1)
    }

    /// Keeps a new resource and answers its id.
    pub(super) fn add(&mut self, kind: &'static str, incoming: &Incoming<'_>) -> Result<String, Refusal> {
        if self.texts.len() >= KEPT_MAX {
            return Err(Refusal::new(59133, "This sandbox keeps no more created resources."));
        }
        let id = self.next_id();
        self.made += 1;
        self.texts.insert((kind, id.clone()), incoming.stored_text(&id));
        for (system, value) in incoming.identifiers() {
            self.by_identifier.entry((kind, value)).or_default().push((system, id.clone()));
        }
        Ok(id)
    }

    /// Replaces a resource that exists.
    pub(super) fn replace(&mut self, kind: &'static str, id: &str, incoming: &Incoming<'_>) -> bool {
        match self.texts.get_mut(&(kind, id.to_owned())) {
            Some(text) => {
                *text = incoming.stored_text(id);
                true
            }
            None => false,
        }
    }

    pub(super) fn get(&self, kind: &'static str, id: &str) -> Option<&str> {
        self.texts.get(&(kind, id.to_owned())).map(String::as_str)
    }

    /// Ids of the resources with this identifier; without a system every system fits.
    pub(super) fn find(&self, kind: &'static str, system: Option<&str>, value: &str) -> Vec<String> {
        let known = self.by_identifier.get(&(kind, value.to_owned()));
        known
            .into_iter()
            .flatten()
            .filter(|(own, _)| system.is_none_or(|wanted| wanted == own))
            .map(|(_, id)| id.clone())
            .collect()
    }

    /// How many resources of each type there are.
    pub(super) fn counts(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        for (kind, _) in self.texts.keys() {
            *counts.entry(*kind).or_default() += 1;
        }
        counts
    }
}
