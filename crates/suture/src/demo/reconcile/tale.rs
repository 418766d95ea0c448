//! The chapters of the story, in order.

use super::office::Office;
use super::{close, exception, payout, statement};
use crate::failure::Failure;

/// Tells all of it. True when every expectation held.
///
/// # Errors
/// When the world of the story cannot be made.
pub(crate) async fn tell() -> Result<bool, Failure> {
    println!(
        "A gateway pays out one sum for hundreds of payments, and the bank shows one line. Here every cent of both is"
    );
    println!(
        "explained by the books, or named as what it is: not explained. Nothing is real but the program."
    );
    let mut office = Box::pin(Office::open()).await?;
    let told = Box::pin(chapters(&mut office)).await;
    if let Err(failure) = told {
        office.narrator.expect(&format!("the story can be told to its end: {failure}"), false);
    }
    Ok(office.narrator.conclude())
}

async fn chapters(office: &mut Office) -> Result<(), Failure> {
    let paid = payout::five_kinds_of_lines(office).await?;
    payout::explained(office, &paid).await?;
    statement::imported_once(office, &paid).await?;
    statement::nobody_s_line(office).await?;
    close::journals(office, &paid).await?;
    let odd = exception::unknown_line(office).await?;
    exception::owned_and_resolved(office, &odd).await?;
    close::locked(office, &odd).await?;
    close::proven(office).await
}
