//! Exports: their columns and rows, quoting, and going on after a broken download.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::sale::refusals::active_buyer;
use crate::support::client::Client;
use crate::support::sale::{self, Sale};
use crate::support::wait::until;
use crate::support::world::{Process, World};

const FILES: [&str; 5] = ["buyers", "reservations", "payments", "points", "admissions"];

/// A buyer of this name, with points and an active slot.
async fn named_buyer(process: &Process, sale: &Sale, name: &str) -> Client {
    let mut buyer = process.anonymous();
    let made = buyer.post("/v1/users", json!({"name": name})).await.ok(201);
    buyer.user = made["id"].as_i64().expect("an id");
    buyer.token = made["access_token"].as_str().map(str::to_owned);
    buyer.keyed().post("/v1/points/charges", json!({"amount": 1_000_000})).await.ok(201);
    buyer.join(sale.schedule).await.ok(201);
    buyer
}

/// Two buyers, one of whom has a refund; a hold that was given back, and one that waits.
async fn sold(world: &World, process: &Process) -> (Client, Sale) {
    let admin = process.admin().await;
    let sale = sale::open(&admin, 2, 10, json!({})).await;
    let one = named_buyer(process, &sale, "\u{ff1d}cmd|'x'!A1, \"Kim\"").await;
    let hold = one.hold(sale.schedule, json!({"quantity": 3})).await.ok(201);
    let paid = one.pay(&hold).await.ok(201);
    let payment = &paid["payments"][1]["id"];
    one.keyed().post(&format!("/v1/payments/{payment}/refund"), json!({})).await.ok(200);
    let two = named_buyer(process, &sale, "김서연").await;
    let hold = two.hold(sale.schedule, json!({"quantity": 2})).await.ok(201);
    two.delete(&format!("/v1/holds/{}", hold["hold_id"].as_str().unwrap())).await.ok(204);
    let hold = two.hold(sale.schedule, json!({"quantity": 1})).await.ok(201);
    two.pay(&hold).await.ok(201);
    let three = active_buyer(process, &sale).await;
    three.hold(sale.schedule, json!({"quantity": 1})).await.ok(201);
    until("the admissions are archived", async || {
        let admitted = "select count(*) from queue where entered_at is not null";
        (world.number(admitted).await == 3).then_some(())
    })
    .await;
    (admin, sale)
}

fn path(sale: &Sale, file: &str) -> String {
    format!("/v1/admin/schedules/{}/exports/{file}", sale.schedule)
}

/// Splits CSV text into rows of cells (RFC 4180).
fn rows(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => cell.push(chars.next().unwrap()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {
                assert_eq!(chars.next(), Some('\n'));
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c => cell.push(c),
        }
    }
    assert!(cell.is_empty() && row.is_empty() && !quoted, "the last line is complete");
    rows
}

/// The objects of a JSON Lines file.
async fn objects(admin: &Client, sale: &Sale, name: &str) -> Vec<Value> {
    let answer = admin.get(&path(sale, &format!("{name}.jsonl"))).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/jsonl"));
    answer.text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[tokio::test]
async fn each_file_has_its_rows_as_csv_and_as_json_lines() {
    let world = World::new().await;
    let process = world.start().await;
    let (admin, sale) = sold(&world, &process).await;
    let expected: BTreeMap<&str, usize> = FILES.into_iter().zip([2, 7, 4, 3, 3]).collect();
    for (name, count) in expected {
        let answer = admin.get(&path(&sale, &format!("{name}.csv"))).await;
        assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8; header=present");
        let file = format!("filename=\"onsale-schedule-{}-{name}.csv\"", sale.schedule);
        assert!(answer.header("content-disposition").contains(&file));
        let text = answer.text.strip_prefix('\u{feff}').expect("a byte order mark");
        let rows = rows(text);
        assert_eq!(rows.len(), count + 1, "{name}: {text}");
        let objects = objects(&admin, &sale, name).await;
        assert_eq!(objects.len(), count, "{name}");
        for (row, object) in rows[1..].iter().zip(&objects) {
            assert_eq!(row.len(), rows[0].len());
            for (column, cell) in rows[0].iter().zip(row) {
                let value = &object[column.as_str()];
                let same = match value {
                    Value::Null => cell.is_empty(),
                    Value::Number(number) => *cell == number.to_string(),
                    // Times are in milliseconds in CSV, and names may have an apostrophe in front.
                    value => {
                        let text = value.as_str().expect("a text");
                        let time = column.ends_with("_at") && text[..19] == cell[..19];
                        time || cell == text || *cell == format!("'{text}")
                    }
                };
                assert!(same, "{name}.{column}: {cell} is not {value}");
            }
        }
    }
    let payments = objects(&admin, &sale, "payments").await;
    let statuses: Vec<_> = payments.iter().map(|one| one["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["COMPLETE", "REFUNDED", "COMPLETE", "COMPLETE"]);
    let points = objects(&admin, &sale, "points").await;
    let amounts: Vec<_> = points.iter().map(|one| (one["kind"].as_str(), &one["amount"])).collect();
    let payment = |amount| (Some("PAYMENT"), amount);
    let (three, one) = (json!(-300), json!(-100));
    assert_eq!(amounts, [payment(&three), (Some("REFUND"), &json!(100)), payment(&one)]);
    let buyers = objects(&admin, &sale, "buyers").await;
    assert_eq!((&buyers[0]["seats"], &buyers[0]["amount"]), (&json!(2), &json!(200)));
    assert_eq!((&buyers[0]["refunded_seats"], &buyers[1]["name"]), (&json!(1), &json!("김서연")));
    let csv = admin.get(&path(&sale, "buyers.csv")).await.text;
    assert!(csv.contains("\"'\u{ff1d}cmd|'x'!A1, \"\"Kim\"\"\""), "a formula in full width: {csv}");
}

#[tokio::test]
async fn a_broken_download_goes_on_after_any_complete_line() {
    let world = World::new().await;
    let process = world.start().await;
    let (admin, sale) = sold(&world, &process).await;
    for name in FILES {
        for format in ["csv", "jsonl"] {
            let file = path(&sale, &format!("{name}.{format}"));
            let whole = admin.get(&file).await.text;
            let lines: Vec<&str> = whole.split_inclusive('\n').collect();
            let head = usize::from(format == "csv");
            for broken in head..lines.len() {
                let last = lines[broken];
                let cursor = if format == "csv" {
                    last.split(',').next().unwrap().to_owned()
                } else {
                    serde_json::from_str::<Value>(last).unwrap()["cursor"].to_string()
                };
                let rest = admin.get(&format!("{file}?after={cursor}")).await.text;
                assert_eq!(rest, lines[broken + 1..].concat(), "{file} after {cursor}");
            }
            let all = admin.get(&format!("{file}?after=0")).await.text;
            assert_eq!(all, lines[head..].concat(), "without the first line");
        }
    }
}

#[tokio::test]
async fn files_and_cursors_that_do_not_exist_are_refused() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 2, json!({})).await;
    for file in ["people.csv", "buyers.xls", "buyers", "buyers.csv.csv", ".csv"] {
        admin.get(&path(&sale, file)).await.refused(404, "not_found");
    }
    let nowhere = "/v1/admin/schedules/999999/exports/buyers.csv";
    admin.get(nowhere).await.refused(404, "schedule_not_found");
    for after in ["-1", "x", ""] {
        let asked = format!("{}?after={after}", path(&sale, "buyers.csv"));
        admin.get(&asked).await.refused(422, "invalid_request");
    }
    let buyer = process.buyer().await;
    buyer.get(&path(&sale, "buyers.csv")).await.refused(403, "forbidden");
    let empty = admin.get(&path(&sale, "buyers.csv")).await;
    assert_eq!(empty.text.lines().count(), 1, "{}", empty.text);
}
