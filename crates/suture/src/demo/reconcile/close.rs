//! Closing of days: journals that balance, a locked period, and a signed proof of balance.

use suture_core::proof::Proof;
use suture_core::settlement::{Settlement, Status};

use super::office::{Office, failed};
use crate::demo::words::short;
use crate::failure::Failure;

/// The journals of the payout and of the day of the visits.
pub(super) async fn journals(office: &Office, paid: &Settlement) -> Result<(), Failure> {
    let narrator = &office.narrator;
    narrator.step("The journals for the general ledger");
    let (engine, organization) = (office.world.engine(0), &office.world.organization);
    let of_payout = engine.payout_journal(organization, paid.heard.settlement).await.map_err(failed)?;
    narrator.saw(format!("The payout {}:", short(&of_payout.of)));
    office.journal(&of_payout);
    let entries: Vec<(&str, i64)> =
        of_payout.entries.iter().map(|entry| (entry.account.as_str(), entry.amount.minor)).collect();
    let wanted = [
        ("bank", 175_110),
        ("dispute hold", 7_500),
        ("fees", 7_390),
        ("receipts", -200_000),
        ("refunds", 10_000),
    ];
    narrator.expect("bank, hold, fees and refunds are the receipts", entries == wanted);
    let of_day = engine.day_journal(organization, office.begins).await.map_err(failed)?;
    narrator
        .saw(format!("The day of the visits, {}, by department (the practitioner's id at Epic):", of_day.of));
    office.journal(&of_day);
    for (journal, name) in [(&of_payout, "the payout's"), (&of_day, "the day's")] {
        let sums = journal.sums();
        narrator.expect(
            &format!("{name} journal sums to zero"),
            !sums.is_empty() && sums.values().all(|sum| *sum == 0),
        );
    }
    let csv = of_day.csv();
    narrator.did("The day's journal is exported as CSV:");
    csv.lines().take(4).for_each(|line| narrator.saw(line));
    narrator.expect("every entry is a line of it", csv.lines().count() == of_day.entries.len() + 1);
    Ok(())
}

/// The days are locked; the bank's line for one of them comes late.
pub(super) async fn locked(office: &Office, odd: &Settlement) -> Result<(), Failure> {
    let narrator = &office.narrator;
    narrator.step("The period is locked, and the bank tells of a locked day");
    let (engine, organization) = (office.world.engine(0), &office.world.organization);
    let (caller, today) = (office.world.caller(), office.today());
    let early = engine.lock_period(&caller, today, "month_end").await;
    narrator.expect("today cannot be locked: it has not ended", early.is_err());
    let yesterday = today.plus(-1);
    let through = engine.lock_period(&caller, yesterday, "month_end").await.map_err(failed)?;
    narrator.did(format!("The books are locked through {through}."));
    let before = engine.balances_through(organization, yesterday).await.map_err(failed)?;
    office.bank_says(&[(odd.day(), "190.78", "STRIPE PAYOUT")]).await?;
    narrator.did(format!("The bank's line of {} for the second payout: +190.78.", odd.day()));
    let after = engine.balances_through(organization, yesterday).await.map_err(failed)?;
    narrator.expect("its day is one of the locked ones", odd.day() < today);
    narrator.expect("no balance of a locked day changed", before == after && !before.is_empty());
    let journal = engine.day_journal(organization, today).await.map_err(failed)?;
    for (key, day) in &journal.moved {
        narrator.saw(format!("Today's journal holds {}, which belongs to {day}.", short(key)));
    }
    narrator.expect(
        "it stands in the next open day, with its own day beside it",
        journal.moved.iter().map(|(_, day)| day.clone()).eq([odd.day().to_string()]),
    );
    let closed = office.known(&odd.heard.payout).await?;
    narrator.expect("and the second payout is closed", closed.status() == Status::Closed);
    Ok(())
}

/// The proof of balance, and what somebody without the database can check.
pub(super) async fn proven(office: &Office) -> Result<(), Failure> {
    let narrator = &office.narrator;
    narrator.step("The proof of balance: signed, and checked with the public key alone");
    let engine = office.world.engine(0);
    let proof = engine.prove_day(&office.world.caller(), office.today()).await.map_err(failed)?;
    let document = &proof.document;
    narrator.did(format!("The proof of {} is made; Stripe is asked for its balance.", document["day"]));
    narrator.saw(format!("Stripe and the books: {}", document["gateways"][0]["rows"]));
    narrator.saw(format!("Bank: {}", document["bank"]));
    narrator.expect("the ledger sums to zero", document["ledgerSumsToZero"] == true);
    let rows = document["gateways"][0]["rows"].as_array().map_or(&[][..], Vec::as_slice);
    let same =
        |row: &serde_json::Value| row["difference"].as_str().is_some_and(|text| text.starts_with("0.00"));
    narrator.expect("what Stripe says is what the books say", !rows.is_empty() && rows.iter().all(same));
    let open = |name: &str| document[name].as_array().map(Vec::len);
    narrator.expect(
        "no exception and no payout is open",
        open("exceptions") == Some(0) && open("payoutsNotClosed") == Some(0),
    );
    narrator.expect("what is not connected is said not to be", document["epicor"] == "not connected");
    let file = serde_json::to_string_pretty(&proof).map_err(failed)?;
    let key = engine.public_key();
    let holds =
        |file: &str, key: &str| serde_json::from_str::<Proof>(file).is_ok_and(|proof| proof.signed_by(key));
    narrator.did(format!("An auditor has the file and the key {}, and no database.", short(&key)));
    narrator.expect("the signature holds", holds(&file, &key));
    let forged = file.replace("1941.88 USD", "1941.89 USD");
    narrator.did("Somebody makes the bank's balance one cent larger.");
    narrator.expect("the forged proof is refused", forged != file && !holds(&forged, &key));
    let stranger = "ab".repeat(32);
    narrator.expect("and so is any other key", !holds(&file, &stranger));
    let verdict = engine.verify_audit(&office.world.organization).await.map_err(failed)?;
    narrator.expect("the audit trail of all of it is whole", verdict.intact);
    Ok(())
}
