//! What is printed at the end: one page with the whole trail of an order, our balances, and Epicor's trial balance beside
//! them.

use suture_core::order::Order;
use suture_core::time::Timestamp;
use suture_engine::orders::PageEntry;

use super::evening::REFUNDED;
use super::tale::Tale;
use crate::demo::reasons::meaning;
use crate::demo::words::{amount, items, text};
use crate::failure::Failure;
use crate::table;

/// What a page must show.
const TRAIL: [&str; 7] =
    ["payment", "customer", "sales_order", "cash_receipt", "shipment", "invoice", "application"];

/// Step 8.
pub(super) async fn give(tale: &Tale<'_>, order: &Order) -> Result<(), Failure> {
    let narrator = &tale.story.narrator;
    narrator.step("One page says what became of the first order");
    let page = tale.page(order).await?;
    println!();
    println!(
        "   Order {} of {}: {}, {}.",
        page.order.reference,
        page.order.buyer,
        page.order.total,
        page.order.status().name()
    );
    println!();
    let row = |entry: &PageEntry| {
        vec![
            entry.at.map_or_else(String::new, Timestamp::to_rfc3339),
            entry.what.clone(),
            entry.id.clone(),
            entry.system.clone(),
            entry.state.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = page.entries.iter().map(row).collect();
    print!("{}", table::render(&["time", "what", "id", "where", "state"], &rows, &[]));
    println!();
    for what in TRAIL {
        let is_there = |entry: &PageEntry| entry.what == what && entry.at.is_some() && !entry.id.is_empty();
        narrator
            .expect(&format!("the page has the {what}, with id and time"), page.entries.iter().any(is_there));
    }
    narrator.expect("nothing is on its way any more", page.open.is_empty());
    balances(tale).await?;
    compare(tale, REFUNDED).await?;
    let stage = tale.story.stage;
    let verdict = stage.engine.verify_audit(&stage.organization).await;
    let verdict = verdict.map_err(|error| Failure::of("the trail cannot be read", &error))?;
    narrator.expect("the audit trail is intact", verdict.intact);
    Ok(())
}

async fn balances(tale: &Tale<'_>) -> Result<(), Failure> {
    let page = tale.story.stage.api.get("/v1/ledger/balances").await?;
    let mut sum = 0;
    let mut rows = Vec::new();
    for line in items(&page) {
        let (minor, account) = (line["amount"]["minor"].as_i64().unwrap_or(0), text(line, "account"));
        sum += minor;
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
    tale.story.narrator.expect("the books balance: every cent is somewhere", sum == 0);
    Ok(())
}

/// Prints our books beside Epicor's trial balance. What Stripe paid back is money that Epicor's bookkeeper has not seen leave
/// yet: by so much its bank is higher than ours, and by so much it owes its customer.
pub(super) async fn compare(tale: &Tale<'_>, paid_back: i64) -> Result<(), Failure> {
    let theirs = tale.epicor_ledger().await?;
    let customers = tale.balance("ar:customer").await? + tale.balance("deposit:customer").await?;
    let money = tale.balance("gw:stripe").await? + tale.balance("exp:fee").await?;
    // The company keeps tax as a line of the order, part TAX, so its revenue holds both.
    let sales = tale.balance("rev:service").await? + tale.balance("tax:payable").await?;
    let lines = [
        ("customers", "ar:customer and deposit:customer", customers, theirs.receivables, -paid_back),
        ("sales with tax", "rev:service and tax:payable", sales, theirs.revenue + theirs.tax, 0),
        ("money", "gw:stripe and exp:fee", money, theirs.bank, paid_back),
    ];
    let rows: Vec<Vec<String>> = lines
        .iter()
        .map(|(what, accounts, ours, theirs, known)| {
            vec![
                (*what).to_owned(),
                (*accounts).to_owned(),
                amount(*ours, "USD"),
                amount(*theirs, "USD"),
                if *known == 0 { "-".to_owned() } else { amount(*known, "USD") },
            ]
        })
        .collect();
    println!();
    println!("   Our books beside Epicor's trial balance:");
    println!();
    let header = ["what", "our accounts", "ours", "Epicor's", "refund to enter"];
    print!("{}", table::render(&header, &rows, &[2, 3, 4]));
    println!();
    let narrator = &tale.story.narrator;
    if paid_back != 0 {
        narrator
            .saw("The refund left Stripe; in Epicor the credit memo stands until that payment is entered.");
    }
    let agree = lines.iter().all(|(_, _, ours, theirs, known)| ours + known == *theirs);
    let claim = match paid_back {
        0 => "Epicor's trial balance equals ours to the cent",
        _ => "Epicor's trial balance equals ours to the cent, but for the refund to enter",
    };
    narrator.expect(claim, agree);
    narrator
        .expect("Epicor's receivables by customer equal its ledger", theirs.customers == theirs.receivables);
    Ok(())
}
