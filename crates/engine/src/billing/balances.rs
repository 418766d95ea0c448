//! What a patient's money is: statements, credits that we owe, and the explanation of a bill down to each cent.

use serde::Serialize;
use suture_core::eligibility::Eligibility;
use suture_core::id::{PatientId, ServiceId};
use suture_core::ledger::Account;
use suture_core::money::Money;
use suture_core::patient::Patient;
use suture_core::service::{Allocation, Service, Worksheet};
use suture_core::time::Timestamp;
use suture_store::{journal, ledger, links};

use crate::Error;
use crate::engine::Engine;
use crate::payments::Caller;

/// Links of a patient that are looked at, newest first.
const LINKS_MAX: i64 = 500;

/// A line of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatementLine {
    /// When it was booked.
    pub at: Timestamp,
    /// What was booked: the fact's key, for example `capture:ch_…`.
    pub what: String,
    /// The account.
    pub account: String,
    /// How much; positive, the patient owes more.
    pub amount: Money,
}

/// What a patient owes and is owed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// Whose.
    pub patient: PatientId,
    /// As of when.
    pub at: Timestamp,
    /// Owed by the patient, by currency.
    pub owed: Vec<Money>,
    /// Deposits for care to come, by currency.
    pub deposits: Vec<Money>,
    /// Owed to the patient, by currency.
    pub credits: Vec<Money>,
    /// Every line, oldest first.
    pub lines: Vec<StatementLine>,
}

/// Money that we owe to a patient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CreditLine {
    /// The link token.
    pub link: String,
    /// The patient, by the EHR's opaque id.
    pub patient: Option<String>,
    /// How much we owe.
    pub amount: Money,
    /// When it last changed: its age counts from there.
    pub since: Timestamp,
}

/// One sentence about some cents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// The amount; positive, the patient owes it.
    pub amount: Money,
    /// What it is.
    pub because: String,
    /// What proves it: a note, a remittance line, a payment, a person's word.
    pub proof: String,
}

impl Engine {
    /// A patient's statement. The look is logged.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn statement(
        &self,
        caller: &Caller,
        patient: PatientId,
        purpose: &str,
    ) -> Result<Statement, Error> {
        let state = self.patient(&caller.organization, patient).await?;
        self.log_access(caller, "read", &patient.to_string(), "statement", purpose).await?;
        let (organization, now) = (caller.organization.clone(), self.now());
        let lines = self.0.store.read(move |tx| lines_of(tx, &organization, &state)).await?;
        let sum = |account: &Account, sign: i64| {
            let mut sums = std::collections::BTreeMap::new();
            for line in lines.iter().filter(|line| line.account == account.code()) {
                *sums.entry(line.amount.currency).or_insert(0_i64) += sign * line.amount.minor;
            }
            let shown = sums.into_iter().filter(|(_, minor)| *minor != 0);
            shown.map(|(currency, minor)| Money::new(minor, currency)).collect::<Vec<_>>()
        };
        Ok(Statement {
            patient,
            at: now,
            owed: sum(&Account::ArPatient, 1),
            deposits: sum(&Account::DepositPatient, -1),
            credits: sum(&Account::CreditPatient, -1),
            lines,
        })
    }

    /// Every credit that we owe, oldest first (FEATURES: credit balances with age).
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn credits(&self, organization: &str, limit: i64) -> Result<Vec<CreditLine>, Error> {
        let organization = organization.to_owned();
        self.0
            .store
            .read(move |tx| {
                let open = ledger::open_parties(tx, &organization, &Account::CreditPatient.code(), limit)?;
                open.into_iter()
                    .map(|(link, amount, since)| {
                        let known = links::get(tx, &organization, &link)?;
                        let patient = known.map(|link| link.patient);
                        Ok(CreditLine { link, patient, amount, since })
                    })
                    .collect()
            })
            .await
    }

    /// Why a service costs its patient what it does: every cent with what proves it, and the line that
    /// it belongs to (FEATURES M373).
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn explain_bill(
        &self,
        caller: &Caller,
        service: ServiceId,
        purpose: &str,
    ) -> Result<(Worksheet, Vec<Explained>, Allocation), Error> {
        let state = self.service(&caller.organization, service).await?;
        self.log_access(caller, "read", &state.patient.to_string(), &format!("bill/{service}"), purpose)
            .await?;
        let (organization, check) = (caller.organization.clone(), state.eligibility);
        let check = self
            .0
            .store
            .read(move |tx| match check {
                Some(check) => journal::load::<Eligibility>(tx, &organization, &check.to_string())
                    .map(|found| found.map(|found| found.state))
                    .map_err(Error::from),
                None => Ok(None),
            })
            .await?;
        Ok((state.worksheet(), explain(&state, check.as_ref()), state.allocation()))
    }
}

fn lines_of(
    tx: &mut suture_store::Tx<'_>,
    organization: &str,
    patient: &Patient,
) -> Result<Vec<StatementLine>, Error> {
    let own = patient.id.to_string();
    let mut names: Vec<&String> = patient.external.values().collect();
    names.push(&own);
    let shown = [Account::ArPatient, Account::DepositPatient, Account::CreditPatient];
    let mut lines = Vec::new();
    for name in names {
        for link in links::list_patient(tx, organization, name, LINKS_MAX)? {
            for line in ledger::list_party(tx, organization, &link.id)? {
                if shown.iter().any(|account| account.code() == line.account) {
                    let (at, what, account, amount) = (line.at, line.key, line.account, line.amount);
                    lines.push(StatementLine { at, what, account, amount });
                }
            }
        }
    }
    lines.sort_by(|a, b| (a.at, &a.what, &a.account).cmp(&(b.at, &b.what, &b.account)));
    Ok(lines)
}

/// The sentences of a bill. Their amounts add up to the worksheet's difference.
fn explain(service: &Service, check: Option<&Eligibility>) -> Vec<Explained> {
    let mut told = Vec::new();
    let money = |minor: i64| Money::new(minor, service.currency);
    if let Some(set) = service.set_by_person {
        let because = "what you owe, as entered by staff".to_owned();
        told.push(Explained { amount: set, because, proof: "a person's word, in the journal".to_owned() });
    } else {
        for (decision, split) in service.decisions.iter().filter(|(_, split)| split.patient != 0) {
            let reasons: Vec<String> = decision
                .adjustments
                .iter()
                .filter(|adjustment| adjustment.group == suture_core::adjudication::Group::Patient)
                .map(|adjustment| {
                    let code = adjustment.line.and_then(|line| usize::try_from(line).ok()?.checked_sub(1));
                    let code = code.and_then(|line| service.lines.get(line)).map(|line| line.code.as_str());
                    let meaning = suture_connect::x12::remittance::reason_meaning(&adjustment.reason);
                    let on = code.map(|code| format!(" on {code}")).unwrap_or_default();
                    format!("{} ({meaning}){on}: {}", adjustment.reason, adjustment.amount)
                })
                .collect();
            told.push(Explained {
                amount: money(split.patient),
                because: format!("your part as the payer decided: {}", reasons.join("; ")),
                proof: format!("remittance line {}", decision.source),
            });
        }
    }
    if let Some(share) = check.and_then(|check| check.responsibility.as_ref())
        && told.is_empty()
    {
        let because = format!("nothing is decided yet; the estimate was {}", share.total);
        told.push(Explained { amount: money(0), because, proof: "the eligibility check".to_owned() });
    }
    for (payment, held) in service.payments.iter().filter(|(_, held)| held.net_minor != 0) {
        let because = match held.kind {
            suture_core::service::Kind::Estimate => "paid by you as an estimate, net of refunds",
            suture_core::service::Kind::Balance => "paid by you on the balance, net of refunds",
        };
        told.push(Explained {
            amount: money(held.net_minor.saturating_neg()),
            because: because.to_owned(),
            proof: format!("payment {payment}"),
        });
    }
    for (reference, minor) in &service.elsewhere {
        told.push(Explained {
            amount: money(minor.saturating_neg()),
            because: "paid by you elsewhere".to_owned(),
            proof: format!("recorded as {reference}"),
        });
    }
    for (reference, minor) in &service.given_back {
        told.push(Explained {
            amount: money(*minor),
            because: "given back to you in cash or by cheque".to_owned(),
            proof: format!("recorded as {reference}, in the journal with its approver"),
        });
    }
    for (number, minor) in &service.write_offs {
        told.push(Explained {
            amount: money(minor.saturating_neg()),
            because: "given up by us".to_owned(),
            proof: format!("write-off {number}, in the journal with its approver"),
        });
    }
    told
}
