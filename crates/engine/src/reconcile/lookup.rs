//! The entries of the books that explain a gateway's line, found by the ids that both know.

use suture_connect::gateway::Fetch;
use suture_core::day::Day;
use suture_core::ledger::Account;
use suture_core::settlement::{Class, Fact, Line};
use suture_store::{Tx, journal, ledger};

use crate::Error;
use crate::facts::reference;

/// Where to look.
pub(super) struct Place<'a> {
    pub(super) organization: &'a str,
    pub(super) connection: &'a str,
    pub(super) gateway: &'a str,
    /// The payout whose lines are judged: an entry explains lines of one payout only.
    pub(super) settlement: &'a str,
}

/// The key under which an entry is taken by the payout that it explains.
pub(super) fn claim(entry: &str) -> String {
    format!("settled/{entry}")
}

/// Entries for a line that no other payout has taken.
pub(super) fn facts_of(tx: &mut Tx<'_>, place: &Place<'_>, line: &Line) -> Result<Vec<Fact>, Error> {
    let mut facts = Vec::new();
    for (key, is_fee) in keys(tx, place, line)? {
        let Some(entry) = ledger::get(tx, place.organization, &key)? else { continue };
        let taken = journal::referred(tx, place.organization, &claim(&key))?;
        if taken.is_some_and(|owner| owner != place.settlement) {
            continue;
        }
        let account = Account::Gateway(place.gateway.to_owned());
        let on = Day::utc(entry.at);
        let amounts = entry.lines.iter().filter(|line| line.account == account).map(|line| line.amount);
        facts.extend(amounts.map(|amount| Fact {
            key: key.clone(),
            transaction: line.transaction.clone(),
            is_fee,
            amount,
            on,
        }));
    }
    Ok(facts)
}

/// The keys that entries for a line would have, with whether they are of its fee.
fn keys(tx: &mut Tx<'_>, place: &Place<'_>, line: &Line) -> Result<Vec<(String, bool)>, Error> {
    let Some(source) = line.source.as_deref() else { return Ok(Vec::new()) };
    let is_in = line.gross.minor > 0;
    let keys = match (line.class, is_in) {
        (Class::Charge, _) => {
            let mut keys = vec![(format!("fee:{}", line.transaction), true)];
            keys.extend(captures(tx, place, source)?.into_iter().map(|key| (key, false)));
            keys
        }
        (Class::Refund, false) => vec![(format!("refund:{source}"), false)],
        (Class::Refund, true) => vec![(format!("refund_failed:{source}"), false)],
        (Class::Dispute, false) => {
            vec![(format!("dispute:{source}"), false), (format!("dispute_fee:{source}"), true)]
        }
        (Class::Dispute, true) => vec![(format!("dispute_won:{source}"), false)],
        (Class::Transfer, false) => vec![(format!("transfer:{source}"), false)],
        (Class::Transfer, true) => vec![(format!("transfer_reversed:{source}"), false)],
        (Class::Payout, _) => vec![(format!("payout_failed:{source}"), false)],
        (Class::Fee | Class::Other, _) => Vec::new(),
    };
    Ok(keys)
}

/// The keys of a charge's captures: `capture:ch_1`, and `capture:ch_1:60000` for later parts.
fn captures(tx: &mut Tx<'_>, place: &Place<'_>, charge: &str) -> Result<Vec<String>, Error> {
    let first = format!("capture:{charge}");
    let known = journal::referred(tx, place.organization, &reference(place.connection, charge))?;
    let Some(stream) = known else { return Ok(Vec::new()) };
    let mut keys = vec![first];
    let mut total = 0_i64;
    for stored in journal::list_stream(tx, place.organization, &stream)? {
        if stored.entry.kind != "payment.captured" {
            continue;
        }
        let amount = stored.entry.body["amount"]["minor"].as_i64().unwrap_or(0);
        total = total.saturating_add(amount);
        if total != amount {
            keys.push(format!("capture:{charge}:{total}"));
        }
    }
    Ok(keys)
}

/// What to fetch so that the books learn of a line that they do not know (FLOWS 8b).
pub(super) fn missing(line: &Line) -> Option<Fetch> {
    let source = line.source.clone()?;
    match line.class {
        Class::Charge => Some(Fetch::Charge(source)),
        Class::Refund => Some(Fetch::Refund(source)),
        Class::Dispute => Some(Fetch::Dispute(source)),
        Class::Transfer | Class::Payout | Class::Fee | Class::Other => None,
    }
}
