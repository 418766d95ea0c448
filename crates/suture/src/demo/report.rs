//! The report at the end: books, audit trail, and what the other side says.

use serde_json::{Value, json};

use super::reasons::meaning;
use super::story::{Story, name, patient};
use super::words::{amount, items, short, text};
use crate::failure::Failure;
use crate::table;

/// Prints everything, and expects that it fits together.
pub(super) async fn give(story: &Story<'_>) -> Result<(), Failure> {
    story.narrator.step("At the end of the day: does it all fit together?");
    books(story).await?;
    trail(story).await?;
    epic(story).await?;
    stripe(story).await
}

async fn books(story: &Story<'_>) -> Result<(), Failure> {
    let page = story.stage.api.get("/v1/ledger/balances").await?;
    let mut sum = 0;
    let mut rows = Vec::new();
    for line in items(&page) {
        let minor = line["amount"]["minor"].as_i64().unwrap_or(0);
        sum += minor;
        let account = text(line, "account");
        rows.push(vec![
            account.to_owned(),
            amount(minor, text(&line["amount"], "currency")),
            meaning(account).to_owned(),
        ]);
    }
    rows.push(vec!["sum".to_owned(), amount(sum, "USD"), "always zero".to_owned()]);
    println!();
    println!("   Our books (what we have is positive, what it came from is negative):");
    println!();
    print!("{}", table::render(&["account", "balance", "in plain words"], &rows, &[1]));
    println!();
    story.narrator.expect("the books balance: every cent is somewhere", sum == 0 && rows.len() > 1);
    Ok(())
}

async fn trail(story: &Story<'_>) -> Result<(), Failure> {
    let id = text(&story.first, "id");
    let sealed = story.stage.engine.seal(&story.stage.organization).await;
    sealed.map_err(|error| Failure::of("the trail was not sealed", &error))?;
    let chain = story
        .stage
        .engine
        .chain_of(&story.stage.organization, id)
        .await
        .map_err(|error| Failure::of("the story of the first payment cannot be read", &error))?;
    println!("   The first payment, link by link (each hash covers the one before it in its stream):");
    println!();
    let row = |stored: &suture_store::journal::Stored| {
        let entry = &stored.entry;
        let (kind, who) = entry.actor.parts();
        let hash: String = stored.hash.to_string().chars().take(10).collect();
        vec![
            entry.kind.clone(),
            short(&entry.stream),
            format!("{kind} {}", short(who)),
            entry.reason.as_str().to_owned(),
            hash,
        ]
    };
    let rows: Vec<Vec<String>> = chain.iter().map(row).collect();
    print!("{}", table::render(&["what happened", "stream", "by", "why", "hash"], &rows, &[]));
    println!();
    let verdict = story
        .stage
        .engine
        .verify_audit(&story.stage.organization)
        .await
        .map_err(|error| Failure::of("the trail cannot be read", &error))?;
    println!(
        "   Verified: {} entries in {} streams, {} seals, {} ledger entries. Public key {}...",
        verdict.entries,
        verdict.streams,
        verdict.seals,
        verdict.ledger_entries,
        &story.stage.engine.public_key()[..16]
    );
    if let Some(broken) = &verdict.broken {
        println!("   Broken: {broken}");
    }
    story.narrator.expect(
        "the audit trail is intact, sealed, and gives the same states and books",
        verdict.intact && verdict.seals > 0,
    );
    Ok(())
}

async fn epic(story: &Story<'_>) -> Result<(), Failure> {
    let state = story.stage.control("epic/state", &json!({})).await?;
    let none = serde_json::Map::new();
    let postings = state["postings"].as_object().unwrap_or(&none);
    let row = |(reference, posting): (&String, &Value)| {
        let minor = posting["amount_minor"].as_i64().unwrap_or(0);
        vec![
            short(reference),
            text(posting, "type").to_owned(),
            amount(minor, text(posting, "currency")),
            text(posting, "account").to_owned(),
            text(posting, "receipt").to_owned(),
            posting["count"].to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = postings.iter().map(row).collect();
    println!();
    println!("   What the pretend Epic itself says:");
    println!();
    print!(
        "{}",
        table::render(&["reference", "type", "amount", "account", "receipt", "times"], &rows, &[2, 5])
    );
    println!();
    let ada = patient(0);
    let left = state["balances"][&ada.account_id]["USD"].as_i64().unwrap_or(0);
    println!("   {}'s account at Epic: {}.", name(ada), amount(left, "USD"));
    let once = postings.values().all(|posting| posting["count"] == 1);
    story.narrator.expect("Epic has every fact exactly once", once && !postings.is_empty());
    Ok(())
}

async fn stripe(story: &Story<'_>) -> Result<(), Failure> {
    let told = story.stage.control("stripe/movements", &json!({})).await?;
    let movements = items(&told["movements"]);
    let row = |movement: &Value| {
        let minor = movement["amount"].as_i64().unwrap_or(0);
        vec![
            text(movement, "motion").to_owned(),
            amount(minor, text(movement, "currency")),
            short(text(movement, "object")),
            short(text(&movement["metadata"], "suture_link")),
        ]
    };
    let rows: Vec<Vec<String>> = movements.iter().map(row).collect();
    println!();
    println!("   What the pretend Stripe itself says about money that really moved:");
    println!();
    print!(
        "{}",
        table::render(&["movement", "amount", "object", "all it knows about the payer"], &rows, &[1])
    );
    println!();
    let of = |motion: &str| -> i64 {
        let ours = movements.iter().filter(|one| text(one, "motion") == motion);
        ours.filter_map(|one| one["amount"].as_i64()).sum()
    };
    let ours = story.books_at_stripe().await?;
    story.narrator.expect("our books and Stripe agree to the cent", ours == of("charge") - of("refund"));
    Ok(())
}

impl Story<'_> {
    /// What our books say that Stripe holds, before its fees.
    async fn books_at_stripe(&self) -> Result<i64, Failure> {
        let page = self.stage.api.get("/v1/ledger/balances").await?;
        let counted =
            items(&page).iter().filter(|line| matches!(text(line, "account"), "gw:stripe" | "exp:fee"));
        Ok(counted.filter_map(|line| line["amount"]["minor"].as_i64()).sum())
    }
}
