//! Importing a bank's statement: read and proven without a transaction, kept and matched in one.

use serde::Serialize;
use suture_connect::bank::{Format, Proof, Statement, read};
use suture_core::audit::chain::Hash;
use suture_core::explain::{Actor, Reason};
use suture_core::money::Money;
use suture_core::refusal::Refusal;
use suture_store::bank::{self, Kept, KeptLine, Words};

use crate::Error;
use crate::change::Change;
use crate::engine::Engine;
use crate::payments::Caller;

use super::matching::match_bank;

/// What an import came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Imported {
    /// The statement.
    pub statement: Kept,
    /// It was imported before; nothing was changed.
    pub known: bool,
}

impl Engine {
    /// Imports a file of one or more statements. A statement that was imported before changes nothing, and a line that
    /// another file showed is kept once.
    ///
    /// # Errors
    /// [`Error::Refused`] `bank_file_refused` with the place; nothing of the file was applied then.
    pub async fn import_bank_file(
        &self,
        caller: &Caller,
        format: &Format,
        bytes: &[u8],
    ) -> Result<Vec<Imported>, Error> {
        let refused =
            |error: suture_connect::bank::Error| Refusal::invalid("bank_file_refused", error.to_string());
        let statements = read(format, bytes).map_err(refused)?;
        let mut imported = Vec::with_capacity(statements.len());
        for statement in statements {
            let order = self.order_of(caller, Reason::of("bank_statement_imported"));
            let name = format.name();
            let one = self.apply("bank", order, move |change| import(change, &statement, name)).await?;
            imported.push(one);
        }
        Ok(imported)
    }
}

fn import(change: &mut Change<'_, '_>, statement: &Statement, format: &str) -> Result<Imported, Error> {
    let organization = change.order.organization.clone();
    let id = statement.fingerprint.to_string();
    if let Some(statement) = bank::get(change.tx, &organization, &id)? {
        return Ok(Imported { statement, known: true });
    }
    let account = masked(statement.account.expose());
    let keyring = change.office.keyring.clone();
    let mut new_lines = 0_i64;
    for line in &statement.lines {
        let kept = KeptLine {
            account: account.clone(),
            id: line.id.clone(),
            statement: id.clone(),
            day: line.booked_on,
            amount: line.amount,
            words: Words { descriptor: line.descriptor.clone(), reference: line.reference.clone() },
            state: "open".to_owned(),
            settlements: Vec::new(),
            owner: None,
            note: None,
        };
        new_lines += i64::from(bank::put_line(change.tx, &keyring, &organization, &kept)?);
    }
    let kept = kept(change, statement, (id, account, format), new_lines);
    bank::put(change.tx, &organization, &kept)?;
    match_bank(change)?;
    Ok(Imported { statement: kept, known: false })
}

fn kept(
    change: &Change<'_, '_>,
    statement: &Statement,
    (id, account, format): (String, String, &str),
    new_lines: i64,
) -> Kept {
    let minor = |money: Option<Money>| money.map(|money| money.minor);
    let lines = i64::try_from(statement.lines.len()).unwrap_or(i64::MAX);
    let proof = match statement.proof {
        Proof::Totals => "totals",
        Proof::ClosingOnly => "closing_only",
        Proof::None => "none",
    };
    Kept {
        id,
        account,
        currency: statement.currency,
        format: format.to_owned(),
        proof: proof.to_owned(),
        opening_minor: minor(statement.opening),
        closing_minor: minor(statement.closing),
        closes_on: statement.closes_on.map(|day| day.to_string()),
        lines,
        repeated: lines.saturating_sub(new_lines),
        imported_by: who(&change.order.actor),
        imported_at: change.order.now,
    }
}

fn who(actor: &Actor) -> String {
    actor.parts().1.to_owned()
}

/// An account by a hash and its last four signs: enough to know it again, too little to pay from it.
fn masked(account: &str) -> String {
    let hash = Hash::of(format!("suture.bank.account.1/{account}").as_bytes()).to_string();
    let ending: String = account.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
    format!("{}-{ending}", hash.get(..12).unwrap_or_default())
}
