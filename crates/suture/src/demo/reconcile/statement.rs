//! The bank's file: imported twice, counted once; its line closes the payout; a line that is no payout waits for a person.

use suture_core::settlement::{Settlement, Status};

use super::office::{Office, failed};
use crate::failure::Failure;

/// Lines that are listed.
const SHOWN: i64 = 100;

/// The bank's line closes the payout, however often its file comes.
pub(super) async fn imported_once(office: &Office, paid: &Settlement) -> Result<(), Failure> {
    let narrator = &office.narrator;
    narrator.step("The bank's file comes in, and comes in again");
    let line = (paid.day(), "1751.10", "STRIPE PAYOUT");
    let first = office.bank_says(&[line]).await?;
    narrator.did("The bank's CSV of one line is imported: +1751.10 STRIPE PAYOUT.");
    narrator.expect("it is new", first.iter().all(|one| !one.known && one.statement.repeated == 0));
    let again = office.bank_says(&[line]).await?;
    narrator.did("The same file again.");
    narrator.expect("it is known and changes nothing", again.iter().all(|one| one.known));
    let longer = office.bank_says(&[line, (paid.day(), "-850.00", "OFFICE RENT")]).await?;
    narrator.did("A longer file of the same days: that line again, and -850.00 OFFICE RENT.");
    narrator.expect(
        "the line that another file had shown is counted once",
        longer.iter().map(|one| (one.statement.lines, one.statement.repeated)).eq([(2, 1)]),
    );
    let [bank, transit] = office
        .balances([("bank", "arrived at our bank"), ("bank:transit", "on its way to the bank")])
        .await?;
    narrator.expect("1,751.10 USD arrived once, and nothing is on its way", (bank, transit) == (175_110, 0));
    let closed = office.known(&paid.heard.payout).await?;
    narrator.expect("the payout is closed", closed.status() == Status::Closed);
    Ok(())
}

/// What is no payout is not guessed to be one.
pub(super) async fn nobody_s_line(office: &Office) -> Result<(), Failure> {
    let narrator = &office.narrator;
    narrator.step("The rent is no payout: its line waits until a person says what it is");
    let (engine, organization) = (office.world.engine(0), &office.world.organization);
    let open = engine.bank_lines(organization, "open", SHOWN).await.map_err(failed)?;
    narrator.expect("one line of the bank is open", open.iter().map(|line| line.amount.minor).eq([-85_000]));
    for line in &open {
        let which = (line.account.as_str(), line.id.as_str());
        engine.resolve_bank_line(&office.world.caller(), which, "rent").await.map_err(failed)?;
        narrator.did(format!("The office says of {}: rent.", line.amount));
    }
    let open = engine.bank_lines(organization, "open", SHOWN).await.map_err(failed)?;
    narrator.expect("no line of the bank is open", open.is_empty());
    Ok(())
}
