//! Orders: paid webhook → order → customer, sales order and receipt in Epicor; then shipment → invoice → application.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::end_to_end::{rate, usize_of};
use super::orders_stage::{OrdersStage, PAID};
use super::program::now;
use super::wire::Connection;

/// Connections that webhooks come over, and shipments at once.
const CLIENTS: u64 = 64;

/// Prints orders per second from the first webhook to the last receipt, and with shipping to the last application.
pub(super) async fn measure(url: &str, orders: u64) -> Result<(), String> {
    let stage = Arc::new(OrdersStage::set(url).await?);
    let mut links = Vec::new();
    for number in 0..u32::try_from(orders).map_err(|_| "too many orders")? {
        links.push(stage.place(number).await?);
    }
    let (timers, _) = stage.depth().await?;
    stage.control("calls", &json!({ "forget": true })).await?;
    let requests = Arc::new(stage.requests(&links));
    let begun = now();
    each(stage.clone(), requests).await?;
    let acknowledged = begun.elapsed();
    stage.rest(timers).await?;
    let filed = begun.elapsed();
    let calls = calls(&stage).await?;
    println!(
        "{CLIENTS} connections: {orders} orders; acknowledged {:.0}/s, paid to last receipt in Epicor {:.0}/s with {calls} calls",
        rate(orders, acknowledged),
        rate(orders, filed)
    );
    let numbers = Arc::new(count(&stage, orders).await?);
    let begun = now();
    ship(&stage, numbers).await?;
    until_applied(&stage, orders).await?;
    stage.rest(timers).await?;
    let applied = begun.elapsed();
    println!(
        "shipped to last application {:.0}/s; from webhook to application, without looking in between, {:.0}/s",
        rate(orders, applied),
        rate(orders, filed + applied)
    );
    prove(&stage, orders).await
}

/// How often Epicor was called so far.
async fn calls(stage: &OrdersStage) -> Result<i64, String> {
    let told = stage.control("calls", &json!({})).await?;
    let counts = told.as_object().into_iter().flat_map(|calls| calls.values());
    Ok(counts.filter_map(Value::as_i64).sum())
}

/// Sends the webhooks, over connections that are kept open, as fast as they are acknowledged.
async fn each(stage: Arc<OrdersStage>, requests: Arc<Vec<Vec<u8>>>) -> Result<(), String> {
    let mut tasks = Vec::new();
    for client in 0..CLIENTS {
        let (requests, address) = (requests.clone(), stage.address);
        tasks.push(tokio::spawn(async move {
            let mut connection = Connection::open(address).await.map_err(|error| error.to_string())?;
            for request in requests.iter().skip(usize_of(client)).step_by(usize_of(CLIENTS)) {
                match connection.exchange(request).await {
                    Ok(200) => {}
                    Ok(status) => return Err(format!("a webhook was answered with {status}")),
                    Err(error) => return Err(error.to_string()),
                }
            }
            Ok(())
        }));
    }
    for task in tasks {
        task.await.map_err(|error| error.to_string())??;
    }
    Ok(())
}

/// Checks that Epicor has each document once; gives the numbers of its sales orders.
async fn count(stage: &OrdersStage, orders: u64) -> Result<Vec<i64>, String> {
    for table in ["Customer", "OrderHed", "CashHead"] {
        let found = rows(stage, table).await?.len();
        if u64::try_from(found).ok() != Some(orders) {
            return Err(format!("Epicor has {found} rows in {table}, not {orders}"));
        }
    }
    let heads = rows(stage, "OrderHed").await?;
    Ok(heads.iter().filter_map(|head| head["OrderNum"].as_i64()).collect())
}

async fn rows(stage: &OrdersStage, table: &str) -> Result<Vec<Value>, String> {
    let told = stage.control("documents", &json!({ "table": table })).await?;
    Ok(told["rows"].as_array().cloned().unwrap_or_default())
}

/// Ships every order in Epicor, which invoices it, posts the invoice and calls us.
async fn ship(stage: &Arc<OrdersStage>, numbers: Arc<Vec<i64>>) -> Result<(), String> {
    let mut tasks = Vec::new();
    for client in 0..CLIENTS {
        let (stage, numbers) = (stage.clone(), numbers.clone());
        tasks.push(tokio::spawn(async move {
            for number in numbers.iter().skip(usize_of(client)).step_by(usize_of(CLIENTS)) {
                stage.control("ship", &json!({ "order": number })).await?;
            }
            Ok::<(), String>(())
        }));
    }
    for task in tasks {
        task.await.map_err(|error| error.to_string())??;
    }
    Ok(())
}

/// Waits until every order is invoiced in our books and no deposit is left.
async fn until_applied(stage: &OrdersStage, orders: u64) -> Result<(), String> {
    let all = i64::try_from(orders).map_err(|_| "too many orders")? * PAID;
    // The balances are summed from every line of the ledger: asking often would slow down what is measured.
    for _ in 0..2_400 {
        let (earned, deposit) = (earned(stage).await?, balance(stage, "deposit:customer").await?);
        if earned == -all && deposit == 0 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    Err("the invoices were not paid by their deposits within ten minutes".to_owned())
}

async fn earned(stage: &OrdersStage) -> Result<i64, String> {
    Ok(balance(stage, "rev:service").await? + balance(stage, "tax:payable").await?)
}

async fn balance(stage: &OrdersStage, account: &str) -> Result<i64, String> {
    let balances = stage.engine.balances(&stage.caller.organization, stage.engine.now()).await;
    let balances = balances.map_err(|error| error.to_string())?;
    Ok(balances.iter().find(|(known, _)| known == account).map_or(0, |(_, amount)| amount.minor))
}

/// Checks that the books balance, that Epicor has nothing twice, and that nobody owes anything.
async fn prove(stage: &OrdersStage, orders: u64) -> Result<(), String> {
    count(stage, orders).await?;
    let proof = stage.engine.proof(&stage.caller.organization, stage.engine.now()).await;
    let proof = proof.map_err(|error| error.to_string())?;
    let (owed, deposit) = (balance(stage, "ar:customer").await?, balance(stage, "deposit:customer").await?);
    let invoices = rows(stage, "InvcHead").await?.len();
    println!(
        "Epicor has {orders} customers, orders and receipts, and {invoices} invoices; customers owe {owed}, deposits left \
         {deposit}; difference of the ledger {:?}",
        proof.sums
    );
    match proof.balanced && owed == 0 && deposit == 0 && u64::try_from(invoices).ok() == Some(orders) {
        true => Ok(()),
        false => Err("the books do not say what they should".to_owned()),
    }
}
