//! The payer's world: state, and the way of a request through it.
//!
//! Synchronous and deterministic: the same calls at the same times give the same answers. Called by `server` behind a
//! lock, or by a simulator directly. What must stay true: time is given with every call.

use super::adjudicate::Case;
use super::ledger::Ledger;
use super::member::Coverage;
use super::{claim, claim_837, eligibility, inquiry};
use crate::wire::{Request, Response};
use serde_json::{Value, json};

/// A knob on eligibility answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) coverage: Coverage,
    /// One card number; everybody when absent.
    pub(super) member_id: Option<String>,
    /// Answers left; without end when absent.
    pub(super) left: Option<u64>,
}

/// All state of the payer.
pub struct PayerWorld {
    pub(super) ledger: Ledger,
    pub(super) usual: Case,
    pub(super) turns: Vec<Turn>,
    pub(super) latency_ms: u64,
    inquiries: u64,
}

/// Claims and members are personal data, so only their number is printed.
impl std::fmt::Debug for PayerWorld {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("PayerWorld")
            .field("inquiries", &self.inquiries)
            .field("claims", &self.ledger.claims().len())
            .finish_non_exhaustive()
    }
}

impl Default for PayerWorld {
    fn default() -> Self {
        Self::new()
    }
}

impl PayerWorld {
    /// A payer without claims, whose usual case is 2A.
    #[must_use]
    pub fn new() -> Self {
        Self {
            ledger: Ledger::default(),
            usual: Case::Underpaid,
            turns: Vec::new(),
            latency_ms: 0,
            inquiries: 0,
        }
    }

    /// How long a shell should wait before it gives an answer, milliseconds.
    #[must_use]
    pub fn latency_ms(&self) -> u64 {
        self.latency_ms
    }

    /// Answers one request. `now_ms` is milliseconds since 1970.
    pub fn handle(&mut self, now_ms: i64, request: &Request) -> Response {
        let steps: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        match (request.method.as_str(), steps.as_slice()) {
            ("POST", ["eligibility"]) => self.ask(now_ms, &request.body),
            ("POST", ["claims"]) => self.take_claim(&request.body),
            ("GET", ["claims", number]) => match self.ledger.claim(number) {
                Some(claim) => Response::json(200, &claim.render()),
                None => sentence(404, "There is no such claim."),
            },
            ("GET", ["remittances"]) => Response::json(200, &json!({ "remittances": self.ledger.files() })),
            ("GET", ["remittances", number]) => {
                match number.parse().ok().and_then(|number| self.ledger.file_text(number)) {
                    Some(text) => x12(text),
                    None => sentence(404, "There is no such remittance."),
                }
            }
            _ => sentence(
                404,
                "The payer serves POST /eligibility, POST /claims, GET /claims/{number}, GET /remittances and \
                 GET /remittances/{n}.",
            ),
        }
    }

    fn ask(&mut self, now_ms: i64, body: &[u8]) -> Response {
        match inquiry::read(body) {
            Ok(inquiry) => {
                self.inquiries += 1;
                let turned = self.turned(eligibility::number_of(&inquiry));
                x12(eligibility::answer(&inquiry, turned, self.inquiries, now_ms))
            }
            Err(reason) => sentence(400, &reason),
        }
    }

    /// The latest knob that fits decides, and is used up by one answer.
    fn turned(&mut self, member_id: Option<&str>) -> Option<Coverage> {
        let at = self.turns.iter().rposition(|turn| {
            turn.left != Some(0) && turn.member_id.as_deref().is_none_or(|wanted| Some(wanted) == member_id)
        })?;
        let turn = self.turns.get_mut(at)?;
        if let Some(left) = &mut turn.left {
            *left -= 1;
        }
        Some(turn.coverage)
    }

    fn take_claim(&mut self, body: &[u8]) -> Response {
        let filed = if body.starts_with(b"ISA") {
            claim_837::read(body)
        } else if body.len() > super::x12::BYTES_MAX {
            Err("The claim is too large: it was not taken.".to_owned())
        } else {
            serde_json::from_slice::<Value>(body)
                .map_err(|_| "The claim is neither JSON nor an 837: it was not taken.".to_owned())
                .and_then(|body| claim::from_json(&body))
        };
        match filed {
            Err(reason) => sentence(400, &reason),
            Ok(filed) => match self.ledger.file(filed) {
                Ok(claim) => Response::json(200, &claim.render()),
                Err(reason) => sentence(409, &reason),
            },
        }
    }
}

fn sentence(status: u16, text: &str) -> Response {
    Response::json(status, &json!({ "error": text }))
}

fn x12(text: String) -> Response {
    Response::empty(200).with_header("content-type", "application/edi-x12").with_body(text)
}
