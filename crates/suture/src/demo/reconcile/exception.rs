//! A line of a kind that nobody knows: named, kept in suspense, owned, resolved.

use serde_json::json;
use suture_core::settlement::{Settlement, Status};
use suture_engine::reconcile::Resolve;

use super::office::{Office, failed};
use crate::demo::words::amount;
use crate::failure::Failure;

/// Exceptions that are listed.
const SHOWN: i64 = 100;

/// Stripe keeps 3.12 for something that did not exist when this program was written.
pub(super) async fn unknown_line(office: &mut Office) -> Result<Settlement, Failure> {
    office.narrator.step("The next payout has a line of a kind that nobody knows");
    office.charge(3, 20_000).await?;
    office.stripe("balance_line", &json!({ "type": "capital_repayment", "amount": -312 }))?;
    office.narrator.did("Stripe takes 3.12 USD and calls it capital_repayment.");
    let paid = office.paid_out().await?;
    let narrator = &office.narrator;
    narrator.saw(format!("Remainder: {}.", paid.remainder()));
    narrator.expect(
        "the remainder is named, not forced to zero",
        paid.remainder() == "unexplained -3.12: unknown: capital_repayment -3.12",
    );
    let [suspense] = office.balances([("susp:unknown", "nobody has said yet what this is")]).await?;
    narrator.expect(
        "it stands in suspense, and the payout is an exception",
        suspense == 312 && paid.status() == Status::Exception,
    );
    Ok(paid)
}

/// It gets an owner, then an explanation with a reason.
pub(super) async fn owned_and_resolved(office: &Office, odd: &Settlement) -> Result<(), Failure> {
    let narrator = &office.narrator;
    narrator.step("The exception gets an owner, and the owner says what it is");
    let (engine, organization) = (office.world.engine(0), &office.world.organization);
    let caller = office.world.caller();
    let open = engine.exceptions(organization, SHOWN).await.map_err(failed)?;
    let [one] = open.as_slice() else {
        return Err(Failure::new(format!("there are {} exceptions", open.len())));
    };
    let which = (odd.heard.settlement, one.id.as_str());
    engine.assign_exception(&caller, which, "ann").await.map_err(failed)?;
    narrator.did(format!("\"{}\" of {} is given to ann.", one.label, one.amount));
    let owned = engine.exceptions(organization, SHOWN).await.map_err(failed)?;
    narrator.expect("it is ann's", owned.iter().all(|one| one.owner.as_deref() == Some("ann")));
    let bank = Resolve::Account("bank".to_owned());
    let refused = engine.resolve_exception(&caller, which, &bank, "loan").await;
    narrator.did("Somebody tries to book it against the bank.");
    narrator.expect("refused: the bank explains nothing", refused.is_err());
    let fee = Resolve::Account("exp:fee".to_owned());
    let resolved =
        engine.resolve_exception(&caller, which, &fee, "cost_of_gateway_loan").await.map_err(failed)?;
    narrator.did("Ann says: a cost of the gateway's loan.");
    narrator.saw(format!("Remainder: {}.", resolved.remainder()));
    let suspense = office.world.balance("susp:unknown").await.map_err(failed)?;
    narrator.saw(format!("In suspense: {}.", amount(suspense, "USD")));
    narrator.expect(
        "explained 100 %, and nothing is in suspense",
        resolved.remainder() == "explained 100 %" && suspense == 0,
    );
    narrator.expect("it waits for the bank", resolved.status() == Status::Matched);
    Ok(())
}
