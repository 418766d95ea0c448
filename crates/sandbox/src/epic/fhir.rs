//! The FHIR interactions: read, search, create, update.
//!
//! Called by `world` after the token, the scope and the ceiling were checked. Source: EPIC.md §4 to §6.

use super::answer::{Answer, Refusal};
use super::capability::Mode;
use super::created::Incoming;
use super::records::Held;
use super::route::Route;
use super::search::Search;
use super::world::EpicWorld;
use crate::wire::Request;

impl EpicWorld {
    /// Executes one FHIR interaction.
    pub(super) fn interact(
        &mut self,
        now_ms: i64,
        request: &Request,
        route: &Route<'_>,
    ) -> Result<Answer, Refusal> {
        match *route {
            Route::Read { kind, id } => self.read(kind, id),
            Route::Search { kind, by_form } => {
                // With `_search` the query string does not count (EPIC.md §5).
                let form = if by_form { request.form() } else { Vec::new() };
                let base = self.base_of(request);
                let pairs = if by_form { &form } else { &request.query };
                self.search(now_ms, &Search { kind, pairs, base: &base })
            }
            Route::Create { kind } => self.create(now_ms, kind, &request.body),
            Route::Update { kind, id } => self.update(kind, id, &request.body),
            Route::Token
            | Route::SmartConfiguration
            | Route::Metadata
            | Route::SessionData
            | Route::TransactionResult
            | Route::NotAllowed { .. }
            | Route::Nowhere => Err(Refusal::new(59177, "The route is no FHIR interaction.")),
        }
    }

    fn read(&self, kind: &'static str, id: &str) -> Result<Answer, Refusal> {
        let held = Held::parse(kind).and_then(|held| Some((held, self.records.find(held, id)?)));
        if let Some((held, at)) = held {
            if held == Held::Patient {
                self.records.check_patient(at)?;
            } else if held.is_about_a_patient() {
                self.records.check_glass(at)?;
            }
        }
        let text = self.resource_text(kind, id).ok_or_else(|| Refusal::new(4102, "There is no such id."))?;
        Ok(Answer::Stored { kind, id: id.to_owned(), text })
    }

    fn create(&mut self, now_ms: i64, kind: &'static str, body: &[u8]) -> Result<Answer, Refusal> {
        let incoming = Incoming::parse(kind, body)?;
        if self.mode == Mode::Permissive && matches!(kind, "PaymentNotice" | "PaymentReconciliation") {
            return self.create_payment_resource(now_ms, kind, &incoming);
        }
        let id = self.created.add(kind, &incoming)?;
        Ok(Answer::Created { location: format!("{kind}/{id}") })
    }

    fn update(&mut self, kind: &'static str, id: &str, body: &[u8]) -> Result<Answer, Refusal> {
        let incoming = Incoming::parse(kind, body)?;
        if incoming.tree["id"].as_str() != Some(id) {
            return Err(Refusal::new(59111, "The id in the body is not the id in the path."));
        }
        if !self.created.replace(kind, id, &incoming) {
            return Err(Refusal::new(4102, "There is no such id."));
        }
        Ok(Answer::Existing { location: format!("{kind}/{id}") })
    }
}
