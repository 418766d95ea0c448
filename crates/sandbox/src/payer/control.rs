//! The control verbs of the payer: what it answers about members, how it decides claims, when it pays.
//!
//! Called by `server` for `POST /control/payer/<verb>` and by simulators. Errors are sentences for the caller.

use super::adjudicate::{Case, Terms};
use super::ledger::unknown;
use super::member::Coverage;
use super::remittance::Break;
use super::world::{PayerWorld, Turn};
use super::x12::plain;
use serde_json::{Value, json};

type Controlled = Result<Value, String>;

impl PayerWorld {
    /// Carries out a control verb.
    ///
    /// # Errors
    /// A sentence that says what was not done and why.
    pub fn control(&mut self, now_ms: i64, verb: &str, body: &Value) -> Controlled {
        match verb {
            "eligibility" => self.turn_eligibility(body),
            "default_case" => {
                self.usual = Case::parse(body["case"].as_str().unwrap_or_default())?;
                Ok(json!({ "case": self.usual.word() }))
            }
            "decide" => self.decide(body),
            "correct" => self.correct(body),
            "take_back" => self.take_back(body),
            "remit" => self.remit(now_ms, body),
            "mend" => {
                let number = body["number"].as_u64().and_then(|number| usize::try_from(number).ok());
                let mended = number.and_then(|number| self.ledger.mend(number));
                mended.ok_or("There is no such remittance: nothing was changed.")?;
                Ok(json!({ "number": number }))
            }
            "latency" => {
                self.latency_ms = body["milliseconds"].as_u64().unwrap_or(0);
                Ok(json!({ "milliseconds": self.latency_ms }))
            }
            "state" => Ok(json!({
                "now_ms": now_ms, "case": self.usual.word(), "claims": self.ledger.claims(),
                "remittances": self.ledger.files(),
            })),
            "reset" => {
                *self = Self::new();
                Ok(json!({}))
            }
            unknown => Err(format!("There is no control verb {unknown}: nothing was changed.")),
        }
    }

    /// `{answer: active | inactive | unable | slow | unknown | usual, member_id, next}`
    fn turn_eligibility(&mut self, body: &Value) -> Controlled {
        let member_id = body["member_id"].as_str().map(str::to_owned);
        let coverage = match body["answer"].as_str().unwrap_or_default() {
            "active" => Coverage::Active,
            "inactive" => Coverage::Inactive,
            "unable" => Coverage::Unable,
            "slow" => Coverage::Slow,
            "unknown" => Coverage::Unknown,
            "usual" => {
                self.turns.retain(|turn| member_id.is_some() && turn.member_id != member_id);
                return Ok(json!({ "turns": self.turns.len() }));
            }
            word => {
                return Err(format!(
                    "There is no answer {word}: give active, inactive, unable, slow, unknown or usual. Nothing was \
                     changed."
                ));
            }
        };
        self.turns.retain(|turn| turn.left != Some(0));
        self.turns.push(Turn { coverage, member_id, left: body["next"].as_u64() });
        Ok(json!({ "turns": self.turns.len() }))
    }

    /// `{claim, case, patient: [{reason, amount_minor}], contractual_percent, reason}`
    fn decide(&mut self, body: &Value) -> Controlled {
        let number = named(body)?;
        let case = body["case"].as_str().map(Case::parse).transpose()?;
        self.ledger.decide(number, case, terms(body)?)?;
        self.shown(number)
    }

    /// `{claim, case, patient, …}`: the next file reverses the claim and says this instead.
    fn correct(&mut self, body: &Value) -> Controlled {
        let number = named(body)?;
        let case = Case::parse(body["case"].as_str().unwrap_or("2C"))?;
        let mut terms = terms(body)?;
        if body.get("case").is_none() && terms.patient.is_none() {
            terms.patient = Some(super::adjudicate::corrected_shares());
        }
        self.ledger.correct(number, case, &terms)?;
        self.shown(number)
    }

    /// `{claim, amount_minor, code: WO | FB | L6 | …}`: the whole payment of the claim when no amount is given.
    fn take_back(&mut self, body: &Value) -> Controlled {
        let claim = body["claim"].as_str().and_then(|number| self.ledger.claim(number));
        let paid = claim.and_then(|claim| claim.answered.as_ref()).map(|(result, _)| result.paid_minor());
        let reference =
            claim.map_or_else(|| "SANDBOX".to_owned(), |claim| claim.filed.patient_control.clone());
        let amount = body["amount_minor"].as_i64().or(paid);
        let amount = amount.ok_or("Name an answered claim or give an amount_minor: nothing was changed.")?;
        let code = plain(body["code"].as_str().unwrap_or("WO"));
        self.ledger.take_back(&code, &reference, amount)?;
        Ok(json!({ "code": code, "amount_minor": amount }))
    }

    /// `{broken: unbalanced | unbalanced_claim | unbalanced_line | truncated | wrong_trailer}`, whole without it.
    fn remit(&mut self, now_ms: i64, body: &Value) -> Controlled {
        let broken = body["broken"].as_str().map(Break::parse).transpose()?;
        let number = self.ledger.remit(self.usual, broken, now_ms)?;
        Ok(self.ledger.files().into_iter().nth(number - 1).unwrap_or_default())
    }

    fn shown(&self, number: &str) -> Controlled {
        self.ledger.claim(number).map(super::ledger::Claim::render).ok_or_else(|| unknown(number))
    }
}

fn named(body: &Value) -> Result<&str, String> {
    body["claim"]
        .as_str()
        .ok_or_else(|| "Name a claim by either of its numbers: nothing was changed.".to_owned())
}

fn terms(body: &Value) -> Result<Terms, String> {
    let patient = match body["patient"].as_array() {
        None => None,
        Some(shares) => Some(
            shares
                .iter()
                .take(20)
                .map(|share| {
                    let amount = share["amount_minor"].as_i64().filter(|amount| *amount >= 0);
                    let amount = amount
                        .ok_or("A share needs an amount_minor of zero or more: nothing was changed.")?;
                    Ok((plain(share["reason"].as_str().unwrap_or("3")), amount))
                })
                .collect::<Result<Vec<_>, String>>()?,
        ),
    };
    Ok(Terms {
        patient,
        contractual_percent: body["contractual_percent"].as_i64(),
        reason: body["reason"].as_str().map(plain),
    })
}
