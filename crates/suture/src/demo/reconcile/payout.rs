//! A payout of five kinds of lines, and its explanation.

use serde_json::json;
use suture_core::settlement::{Class, Settlement, Status};

use super::office::{Office, failed};
use crate::demo::words::{amount, short};
use crate::failure::Failure;

/// Lines that are shown.
const SHOWN: i64 = 100;

/// Charges of 2,000.00, a refund of 100.00, a dispute of 75.00: Stripe pays out 1,751.10.
pub(super) async fn five_kinds_of_lines(office: &mut Office) -> Result<Settlement, Failure> {
    office.narrator.step("Three cards pay, one gets money back, one disputes; Stripe pays out what is left");
    let first = office.charge(0, 100_000).await?;
    office.charge(1, 60_000).await?;
    let third = office.charge(2, 40_000).await?;
    office.stripe("external_refund", &json!({ "charge": first, "amount": 10_000 }))?;
    office.narrator.did("In Stripe's dashboard 100.00 USD of the first are given back.");
    office.stripe("dispute", &json!({ "charge": third, "amount": 7_500 }))?;
    office.narrator.did("The third cardholder disputes 75.00 USD; Stripe takes a fee of 15.00 USD for it.");
    let paid = office.paid_out().await?;
    office.narrator.expect("the payout is 1,751.10 USD", paid.heard.amount.minor == 175_110);
    Ok(paid)
}

/// Every line is matched with the fact of the books that it speaks of.
pub(super) async fn explained(office: &Office, paid: &Settlement) -> Result<(), Failure> {
    let narrator = &office.narrator;
    narrator.step("Every line of the payout is matched with a fact of the books, by the id that both know");
    let engine = office.world.engine(0);
    let payout = engine
        .settlement(&office.world.organization, paid.heard.settlement, ("", SHOWN))
        .await
        .map_err(failed)?;
    let mut rows = Vec::new();
    let (mut charges, mut refunds, mut held, mut fees) = (0_i64, 0_i64, 0_i64, 0_i64);
    for stored in &payout.lines {
        let line = &stored.line;
        let sum = match line.class {
            Class::Charge => &mut charges,
            Class::Refund => &mut refunds,
            Class::Dispute => &mut held,
            Class::Transfer | Class::Payout | Class::Fee | Class::Other => continue,
        };
        *sum = sum.saturating_add(line.gross.minor);
        fees = fees.saturating_add(line.fee.minor);
        rows.push(vec![
            short(&line.transaction),
            line.kind.clone(),
            line.gross.to_string(),
            line.fee.to_string(),
            stored.state.clone(),
            stored.facts.join(", "),
        ]);
    }
    office.table(&["line", "kind", "amount", "fee", "state", "explained by"], &rows, 2);
    let told = |minor| amount(minor, "USD");
    narrator.saw(format!(
        "{} charges, {} refunded, {} disputed, {} of fees (58.90 for the cards and 15.00 for the dispute).",
        told(charges),
        told(refunds),
        told(held),
        told(fees)
    ));
    narrator.expect(
        "2,000.00 - 100.00 - 75.00 - 58.90 - 15.00 is the payout",
        (charges, refunds, held, fees) == (200_000, -10_000, -7_500, 7_390)
            && charges + refunds + held - fees == paid.heard.amount.minor,
    );
    narrator.expect("all five lines are matched", (paid.lines, paid.matched) == (Some(5), 5));
    narrator.saw(format!("Remainder: {} - {}.", paid.unexplained(), paid.remainder()));
    narrator.expect(
        "the remainder is 0.00 USD, explained 100 %",
        paid.unexplained().minor == 0 && paid.remainder() == "explained 100 %",
    );
    narrator.expect("it waits for the bank", paid.status() == Status::Matched);
    let [stripe, transit] = office
        .balances([("gw:stripe", "what lies at Stripe"), ("bank:transit", "on its way to the bank")])
        .await?;
    narrator
        .expect("nothing is left at Stripe, and all of it is on its way", (stripe, transit) == (0, 175_110));
    Ok(())
}
