//! FHIR searches with Epic's traps: page totals, outcome entries, ignored parameters, sessions that expire.
//!
//! Called by `fhir`. Source: EPIC.md §4 (parameters) and §5 (traps). What must stay true: a next link is
//! opaque, and every page is built from the ids that the search found when it ran.

use std::collections::{BTreeMap, VecDeque};

use super::answer::{self, Answer, Issue, Refusal};
use super::records::{Held, patient};
use super::resources::{self, MRN_SYSTEM, NPI_SYSTEM};
use super::world::EpicWorld;

/// How long a next link works.
const SESSION_MS: i64 = 600_000;
const SESSIONS_MAX: usize = 1_000;
const PAGE_DEFAULT: usize = 100;

/// The search parameters of a type that are honoured here; all others are ignored with a warning.
pub(super) fn parameters(kind: &str) -> &'static [&'static str] {
    match kind {
        "Patient" => &["_id", "identifier", "family", "given", "name", "birthdate", "gender"],
        "Account" | "Claim" => &["_id"],
        "Coverage" => &["_id", "patient", "beneficiary", "status"],
        "Encounter" => &["_id", "patient", "account", "status"],
        "ExplanationOfBenefit" => &["_id", "patient", "claim", "coverage", "encounter", "status"],
        "Practitioner" => &["_id", "identifier", "name", "family"],
        "Organization" => &["_id", "name"],
        "Binary" => &[],
        _ => &["_id", "identifier", "patient"],
    }
}

const CONTROLS: [&str; 6] = ["_count", "_format", "_summary", "_include", "_revinclude", "_pretty"];

/// What remains of a search that had more than one page.
struct Session {
    kind: &'static str,
    rest: Vec<String>,
    count: usize,
    expires_ms: i64,
}

/// Open search sessions.
pub(super) struct Sessions {
    open: BTreeMap<String, Session>,
    order: VecDeque<String>,
    /// A Patient search with more hits is refused with 4127.
    pub(super) patients_max: usize,
    /// Pages come one entry short, as when Epic filters after paging.
    pub(super) short_pages: bool,
    /// Warnings that the next bundles carry: Epic's number and how many bundles.
    pub(super) warnings: VecDeque<(u32, u64)>,
}

impl Sessions {
    pub(super) fn new() -> Self {
        Self {
            open: BTreeMap::new(),
            order: VecDeque::new(),
            patients_max: 100,
            short_pages: false,
            warnings: VecDeque::new(),
        }
    }

    fn keep(&mut self, token: String, session: Session) {
        if self.order.len() == SESSIONS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.open.remove(&oldest);
        }
        self.order.push_back(token.clone());
        self.open.insert(token, session);
    }

    fn take_warning(&mut self) -> Option<Issue> {
        let (number, left) = self.warnings.front_mut()?;
        *left = left.saturating_sub(1);
        let issue = Issue::new(*number, "A part of the results is not shown.");
        if *left == 0 {
            self.warnings.pop_front();
        }
        Some(issue)
    }
}

/// One search as it was asked.
pub(super) struct Search<'a> {
    pub(super) kind: &'static str,
    pub(super) pairs: &'a [(String, String)],
    pub(super) base: &'a str,
}

struct Page<'a> {
    kind: &'static str,
    ids: &'a [String],
    total: usize,
    next: Option<String>,
    issues: Vec<Issue>,
    base: &'a str,
}

impl Search<'_> {
    fn value(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn has(&self, names: &[&str]) -> bool {
        self.pairs.iter().any(|(name, _)| names.contains(&name.as_str()))
    }

    fn unknown(&self) -> Vec<&str> {
        let known = parameters(self.kind);
        let names = self.pairs.iter().map(|(name, _)| name.as_str());
        names.filter(|name| !known.contains(name) && !CONTROLS.contains(name)).collect()
    }

    fn count(&self) -> Result<Option<usize>, Refusal> {
        let Some(text) = self.value("_count") else { return Ok(None) };
        let count = text.parse().ok().filter(|count| *count > 0);
        count.map(Some).ok_or_else(|| Refusal::new(4100, "_count must be a positive number."))
    }

    /// Refuses what Epic refuses before it searches.
    fn check(&self) -> Result<(), Refusal> {
        let unknown = self.unknown();
        if self.kind == "Patient" && !unknown.is_empty() {
            let mut issues = vec![Issue::new(59100, "The request holds parameters that are not known.")];
            issues.extend(unknown.iter().map(|name| Issue::new(4122, format!("{name} is not known."))));
            return Err(Refusal::from(issues));
        }
        match self.kind {
            "Patient" if !self.has(parameters("Patient")) => {
                Err(Refusal::new(4110, "At least one search parameter is required."))
            }
            "Practitioner" | "Organization" => Ok(()),
            _ if self.has(&["_id", "patient", "beneficiary", "identifier"]) => {
                let usable = parameters(self.kind).iter().any(|name| self.has(&[name]));
                if usable { Ok(()) } else { Err(requires_patient()) }
            }
            "Patient" => Ok(()),
            _ => Err(requires_patient()),
        }
    }
}

fn requires_patient() -> Refusal {
    Issue::new(59159, "This resource requires a patient or _id parameter for searching.")
        .at("patient/_id")
        .into()
}

impl EpicWorld {
    /// Runs a search, or continues one.
    pub(super) fn search(&mut self, now_ms: i64, search: &Search<'_>) -> Result<Answer, Refusal> {
        if let Some(token) = search.value("sessionID") {
            return self.next_page(now_ms, token, search);
        }
        search.check()?;
        let count = search.count()?;
        let mut issues: Vec<Issue> = search
            .unknown()
            .iter()
            .map(|name| Issue::new(4122, format!("{name} was ignored; the results are not filtered by it.")))
            .collect();
        issues.extend(self.sessions.take_warning());
        let ids = self.find(search, &mut issues)?;
        if search.kind == "Patient" && ids.len() > self.sessions.patients_max {
            return Err(Refusal::new(4127, "The search finds too many patients."));
        }
        if search.value("_summary") == Some("count") {
            let text =
                format!("{{\"resourceType\":\"Bundle\",\"type\":\"searchset\",\"total\":{}}}", ids.len());
            return Ok(Answer::Stored { kind: "Bundle", id: String::new(), text });
        }
        Ok(self.page(now_ms, search, &ids, count, issues))
    }

    fn next_page(&mut self, now_ms: i64, token: &str, search: &Search<'_>) -> Result<Answer, Refusal> {
        let session = self.sessions.open.get(token);
        let alive = session.filter(|session| session.kind == search.kind && session.expires_ms > now_ms);
        let Some(session) = alive else {
            return Err(Refusal::new(4113, "The search session has expired. Start the search again."));
        };
        let (rest, count) = (session.rest.clone(), session.count);
        Ok(self.page(now_ms, search, &rest, Some(count), Vec::new()))
    }

    fn page(
        &mut self,
        now_ms: i64,
        search: &Search<'_>,
        ids: &[String],
        count: Option<usize>,
        mut issues: Vec<Issue>,
    ) -> Answer {
        let asked = count.unwrap_or(PAGE_DEFAULT);
        let shown = if self.sessions.short_pages && asked > 1 { asked - 1 } else { asked }.min(ids.len());
        let (now_shown, rest) = ids.split_at(shown);
        let next = (!rest.is_empty()).then(|| {
            let token = self.chance.opaque(false);
            let expires_ms = now_ms.saturating_add(SESSION_MS);
            let session = Session { kind: search.kind, rest: rest.to_vec(), count: asked, expires_ms };
            self.sessions.keep(token.clone(), session);
            format!("{}/interconnect/api/FHIR/R4/{}?sessionID={token}", search.base, search.kind)
        });
        if ids.is_empty() {
            issues.push(Issue::new(4101, "Resource request returns no results."));
        }
        // Epic's trap: with _count the total is the size of the page.
        let total = if count.is_some() { now_shown.len() } else { ids.len() };
        self.bundle(Page { kind: search.kind, ids: now_shown, total, next, issues, base: search.base })
    }

    fn bundle(&self, page: Page<'_>) -> Answer {
        let mut entries: Vec<String> = page.ids.iter().filter_map(|id| self.entry(&page, id)).collect();
        if !page.issues.is_empty() {
            let outcome = answer::outcome(&page.issues, &self.site);
            entries.push(format!("{{\"resource\":{outcome},\"search\":{{\"mode\":\"outcome\"}}}}"));
        }
        let mut links = vec![serde_json::json!({
            "relation": "self",
            "url": format!("{}/interconnect/api/FHIR/R4/{}", page.base, page.kind),
        })];
        links.extend(page.next.map(|url| serde_json::json!({ "relation": "next", "url": url })));
        let text = format!(
            "{{\"resourceType\":\"Bundle\",\"type\":\"searchset\",\"total\":{},\"link\":{},\"entry\":[{}]}}",
            page.total,
            serde_json::Value::from(links),
            entries.join(",")
        );
        Answer::Stored { kind: "Bundle", id: String::new(), text }
    }

    fn entry(&self, page: &Page<'_>, id: &str) -> Option<String> {
        let resource = self.resource_text(page.kind, id)?;
        Some(format!(
            "{{\"fullUrl\":\"{}/interconnect/api/FHIR/R4/{}/{id}\",\
             \"resource\":{resource},\"search\":{{\"mode\":\"match\"}}}}",
            page.base, page.kind
        ))
    }

    /// JSON text of a resource, created or held.
    pub(super) fn resource_text(&self, kind: &'static str, id: &str) -> Option<String> {
        if let Some(text) = self.created.get(kind, id) {
            return Some(text.to_owned());
        }
        let held = Held::parse(kind)?;
        let at = self.records.find(held, id)?;
        Some(resources::build(&self.records, held, at).to_string())
    }

    fn find(&self, search: &Search<'_>, issues: &mut Vec<Issue>) -> Result<Vec<String>, Refusal> {
        let Some(held) = Held::parse(search.kind) else { return Ok(self.find_created(search)) };
        if let Some(id) = search.value("patient").or(search.value("beneficiary"))
            && let Some(at) = self.records.find(Held::Patient, bare(id))
        {
            self.records.check_patient(at)?;
        }
        // `birthdate` alone finds nothing at Epic.
        let own: Vec<&str> =
            parameters(search.kind).iter().copied().filter(|name| search.has(&[name])).collect();
        if held == Held::Patient && own == ["birthdate"] {
            return Ok(Vec::new());
        }
        let mut ids = Vec::new();
        let mut hidden = false;
        for at in 0..self.records.count(held) {
            let is_hit = own.iter().all(|name| self.matches(held, at, name, search));
            if !is_hit || (held == Held::Patient && self.records.is_merged(at)) {
                continue;
            }
            if held.is_about_a_patient() && self.records.check_glass(at).is_err() {
                hidden = true;
                continue;
            }
            ids.push(self.records.id(held, at).to_owned());
        }
        if hidden {
            issues.push(Issue::new(59204, "Results behind break-the-glass security are not shown."));
        }
        ids.extend(self.find_created(search));
        Ok(ids)
    }

    fn find_created(&self, search: &Search<'_>) -> Vec<String> {
        if let Some(identifier) = search.value("identifier") {
            let (system, value) = split_token(identifier);
            return self.created.find(search.kind, system, value);
        }
        let wanted = search.value("_id").unwrap_or_default().split(',');
        wanted.filter(|id| self.created.get(search.kind, id).is_some()).map(str::to_owned).collect()
    }

    fn matches(&self, held: Held, at: usize, name: &str, search: &Search<'_>) -> bool {
        let Some(wanted) = search.value(name) else { return true };
        let who = patient(at);
        let begins = |own: &str| own.to_lowercase().starts_with(&wanted.to_lowercase());
        match (held, name) {
            (_, "_id") => wanted.split(',').any(|id| id == self.records.id(held, at)),
            (_, "patient" | "beneficiary") => {
                bare(wanted) == self.records.id(Held::Patient, self.records.owner(at))
            }
            (_, "account") => bare(wanted) == who.account_id,
            (_, "claim") => bare(wanted) == who.claim_id,
            (_, "coverage") => bare(wanted) == who.coverage_id,
            (_, "encounter") => bare(wanted) == who.encounter_id,
            (Held::Encounter, "status") => wanted == "finished",
            (_, "status") => wanted == "active",
            (Held::Patient, "identifier") => is_identifier(wanted, MRN_SYSTEM, &who.mrn),
            (Held::Practitioner, "identifier") => is_identifier(wanted, NPI_SYSTEM, &resources::npi(at)),
            (Held::Patient, "family") => begins(&who.family),
            (Held::Patient, "given") => begins(&who.given),
            (Held::Patient, "name") => begins(&who.family) || begins(&who.given),
            (Held::Patient, "birthdate") => wanted == who.birth_date,
            (Held::Patient, "gender") => wanted == who.gender,
            (Held::Practitioner, "name" | "family") => begins(&format!("Doctor{:02}", at + 1)),
            (Held::Organization, "name") => begins("Sandbox"),
            _ => false,
        }
    }
}

/// The id of `Patient/x` or `x`.
fn bare(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

fn split_token(text: &str) -> (Option<&str>, &str) {
    match text.split_once('|') {
        Some((system, value)) => (Some(system), value),
        None => (None, text),
    }
}

fn is_identifier(wanted: &str, own_system: &str, own: &str) -> bool {
    let (system, value) = split_token(wanted);
    system.is_none_or(|system| system == own_system) && value == own
}
