//! The steps of the story, in order.

use std::cell::Cell;

use serde_json::Value;
use suture_core::order::Order;
use suture_engine::Caller;

use super::{evening, mishaps, page, shop};
use crate::demo::narrator::Narrator;
use crate::demo::stage::Stage;
use crate::demo::story::Story;
use crate::failure::Failure;
use crate::opening;

/// The story as far as it was told.
pub(super) struct Tale<'a> {
    pub(super) story: Story<'a>,
    /// Who places orders and keeps tables.
    pub(super) caller: Caller,
    /// How many orders were placed.
    pub(super) placed: Cell<u32>,
}

/// Tells all of it. True when every expectation held.
///
/// # Errors
/// When Epicor cannot be connected, or the first order cannot be told to its end.
pub(crate) async fn tell(stage: &Stage) -> Result<bool, Failure> {
    let story = Story { stage, narrator: Narrator::default(), first: Value::Null, link: String::new() };
    let tale = Tale { story, caller: opening::operator(&stage.organization), placed: Cell::new(0) };
    Box::pin(tale.connect_epicor()).await?;
    let first = Box::pin(shop::order(&tale)).await?;
    let told = Box::pin(mishaps::unknown_product(&tale)).await;
    tale.story.ended(told);
    let told = Box::pin(mishaps::lost_answer(&tale)).await;
    tale.story.ended(told);
    let told = Box::pin(mishaps::declined_card(&tale)).await;
    tale.story.ended(told);
    let told = Box::pin(end_of_day(&tale, &first)).await;
    tale.story.ended(told);
    Ok(tale.story.narrator.conclude())
}

async fn end_of_day(tale: &Tale<'_>, first: &Order) -> Result<(), Failure> {
    Box::pin(evening::ship(tale, first)).await?;
    Box::pin(evening::post(tale)).await?;
    Box::pin(evening::refund(tale, first)).await?;
    Box::pin(page::give(tale, first)).await
}
