//! Seat map of 50,000 seats: `304` for an unchanged map, and changes, against a server with the
//! same bytes.

use serde_json::{Value, json};

use crate::load::{Load, Request};
use crate::polls::pairs;
use crate::stage::Stage;
use crate::table::Row;
use crate::{Args, Outcome, yardstick};

const CONNECTIONS: u32 = 64;
/// Number of seats that change between the two versions.
const CHANGED: usize = 20;
/// Counts answers of the map's route; the status is missing.
const COUNTER: &str = r#"onsale_http_requests_total{route="/v1/schedules/{id}/seats",method="GET""#;

/// Compares requests for a map that the client has, and for the changes since an older version.
pub async fn compare(args: &Args) -> Outcome<Vec<Row>> {
    let stage = Stage::set().await?;
    let schedule = stage.sale(500, json!({})).await?;
    let path = format!("/v1/schedules/{schedule}/seats");
    let first = stage.answer(&path, &[]).await?;
    let map: Value = serde_json::from_str(first["body"].as_str().ok_or("no body")?)?;
    let version = map["version"].as_str().ok_or("no version")?.to_owned();
    let seats = stage.seats(schedule, CHANGED).await?;
    let blocked = json!({"seat_ids": seats, "blocked": true});
    let admin = format!("/v1/admin/schedules/{schedule}/seats");
    stage.admin(reqwest::Method::PATCH, &admin, &blocked).await?;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;

    let changes = format!("{path}?since={version}");
    let now = stage.answer(&path, &[]).await?;
    let headers: Vec<(String, String)> = serde_json::from_value(now["headers"].clone())?;
    let etag = headers.iter().find(|(name, _)| name == "etag").ok_or("no ETag")?.1.clone();
    let mut rows = Vec::new();
    for (what, path, headers, status) in [
        ("seat map of 50,000 seats, 304", &path, vec![("If-None-Match", etag.as_str())], 304),
        ("seat map of 50,000 seats, what changed", &changes, vec![], 200),
    ] {
        let answer = stage.answer(path, &headers).await?;
        assert_answer(&answer, status)?;
        let file = stage.folder.join("bare-seats.json");
        std::fs::write(&file, answer.to_string())?;
        let bare = yardstick::start(&["bare", &file.display().to_string()]).await?;
        let request = Request { method: "GET", path, headers, body: None };
        let counter = format!("{COUNTER},status=\"{status}\"}}");
        let load = Load::new(&stage.folder, ("seats", &counter), [request], CONNECTIONS)?;
        let pairs = pairs(args, &stage, (&load, &stage.onsale), (&load, &bare)).await?;
        let against = "bare axum route, the same bytes";
        rows.push(Row::new(what, against, format!("{} of its rate", pairs.rate()), "≥ 0.80"));
        rows.push(Row::new(what, against, format!("{} of its CPU", pairs.cpu()), ""));
    }
    stage.strike().await?;
    Ok(rows)
}

/// Fails unless the answer has this status, and with `200` all seats that changed and no others.
fn assert_answer(answer: &Value, status: u16) -> Outcome<()> {
    let body = answer["body"].as_str().ok_or("no body")?;
    let seats = match status {
        200 => serde_json::from_str::<Value>(body)?["seats"].as_array().map(Vec::len),
        _ => None,
    };
    let expected = (status == 200).then_some(CHANGED);
    if answer["status"] != status || seats != expected {
        return Err(format!("a map: {} with {seats:?} seats", answer["status"]).into());
    }
    Ok(())
}
