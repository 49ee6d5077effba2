//! Reads the books of the service: what each buyer owns, and the totals that the service states.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::try_join_all;
use serde_json::Value;

use super::client::Client;
use super::error::DrillError;
use super::observations::{Account, Books};
use super::sale::{Operator, Sale};

/// Buyers whose books are read at a time.
const AT_ONCE: usize = 10;
/// Tries to get a new report, and the pause between two.
const REPORTS: u32 = 60;
const PAUSE: Duration = Duration::from_millis(500);

/// Reads the books. Nobody may buy meanwhile.
pub async fn read(
    operator: &Operator,
    buyers: &[Client],
    sale: &Sale,
) -> Result<Books, DrillError> {
    let mut accounts = BTreeMap::new();
    for some in buyers.chunks(AT_ONCE) {
        let read = try_join_all(some.iter().map(|buyer| account(buyer, sale))).await?;
        accounts.extend(some.iter().map(|buyer| buyer.number).zip(read));
    }
    let path = format!("/v1/admin/schedules/{}", sale.schedule);
    let stats = operator.get(&format!("{path}/stats")).await?;
    let report = current_report(operator, &format!("{path}/report")).await?;
    let total = |source, figures: &Value| {
        let number = |name: &str| figures[name].as_i64().unwrap_or(-1);
        (source, number("sold"), number("revenue"))
    };
    let totals = vec![total("statistics", &stats), total("report", &report["sales"])];
    Ok(Books { accounts, totals })
}

/// Asks for the sales report until its figures are newer than the first time it was asked for: a
/// service may answer with stored figures.
async fn current_report(operator: &Operator, path: &str) -> Result<Value, DrillError> {
    let time = |text: &Value| text.as_str()?.parse::<DateTime<Utc>>().ok();
    let mut wanted = None;
    for _ in 0..REPORTS {
        let report = operator.get(path).await?;
        let wanted = *wanted.get_or_insert(time(&report["server_time"]));
        let computed = time(&report["computed_at"]).or_else(|| time(&report["server_time"]));
        if computed >= wanted {
            return Ok(report);
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(DrillError::Unexpected("the sales report stays old".to_owned()))
}

async fn account(buyer: &Client, sale: &Sale) -> Result<Account, DrillError> {
    let buyer = Operator(buyer.clone());
    let reservations = buyer.list("/v1/reservations?status=COMPLETE").await?;
    let of_sale = reservations.iter().filter(|item| item["schedule_id"] == sale.schedule);
    let seats = of_sale.filter_map(|item| item["seat_id"].as_i64().zip(item["amount"].as_i64()));
    let seats = seats.collect();
    let points = buyer.get("/v1/points").await?["amount"].as_i64().unwrap_or(-1);
    Ok(Account { seats, points })
}
