//! The sales report comes from PostgreSQL alone, so that it survives every loss of Redis.

use serde_json::{Value, json};

use crate::sale::refusals::active_buyer;
use crate::support::client::Client;
use crate::support::faults::wipe;
use crate::support::sale::{self, Sale};
use crate::support::shape;
use crate::support::wait::until;
use crate::support::world::{Process, World};

const REPORT: &str = "schedule_id:int concert_id:int title:text queue_opens_at:time \
     reservation_available_at:time deadline_at:time concert_at:time entry_order:text settled:bool \
     line:object waits:object waits_from_opening:object queued:object waits_by_joining:list \
     people:object sales:object sold_out_seconds:number? sections:list rejections:list \
     turned_away:list refused_payments:list prediction:object? no_prediction:text? interval_seconds:int course:list computed_at:time \
     updating:bool server_time:time";
const WAITS: &str = "mean_seconds:number? longest_seconds:number? percentiles:list";

async fn fetch_report(admin: &Client, sale: &Sale) -> Value {
    admin.get(&format!("/v1/admin/schedules/{}/report", sale.schedule)).await.ok(200)
}

/// A sale with one slot. The first buyer buys two seats and gets one refunded. The second is
/// admitted, and a seat is refused as taken. The third leaves the queue; the fourth waits. Then the
/// free seats are blocked, so that the fifth is refused. Returns the fourth.
async fn play(process: &Process, admin: &Client, sale: &Sale) -> Client {
    let first = active_buyer(process, sale).await;
    let mut others = Vec::new();
    for _ in 0..3 {
        let mut other = process.rich_buyer().await;
        assert_eq!(other.join(sale.schedule).await.ok(201)["status"], "WAITING");
        others.push(other);
    }
    let [second, third, fourth] = &mut others[..] else { panic!("three") };
    let hold = first.hold(sale.schedule, json!({"seat_ids": &sale.seats[..2]})).await.ok(201);
    let paid = first.pay(&hold).await.ok(201);
    until("the second is admitted", async || {
        (second.poll().await.ok(200)["status"] == "ACTIVE").then_some(())
    })
    .await;
    let taken = json!({"seat_ids": [sale.seats[1]]});
    second.hold(sale.schedule, taken).await.refused(409, "seat_taken");
    let refund = format!("/v1/payments/{}/refund", paid["payments"][0]["id"]);
    first.keyed().post(&refund, json!({})).await.ok(200);
    third.leave().await;
    let mut block = sale.seats[2..].to_vec();
    block.push(sale.seats[0]);
    let seats = format!("/v1/admin/schedules/{}/seats", sale.schedule);
    admin.patch(&seats, json!({"seat_ids": block, "blocked": true})).await.ok(200);
    let mut fifth = process.buyer().await;
    fifth.join(sale.schedule).await.refused(409, "sold_out");
    fourth.clone()
}

/// The report without the members that change with time.
fn lasting(report: &Value) -> Value {
    let mut report = report.clone();
    for changing in ["computed_at", "updating", "server_time"] {
        report.as_object_mut().expect("a report").remove(changing);
    }
    report["line"].as_object_mut().expect("a line").remove("longest_in_vain_seconds");
    report
}

fn refusals(report: &Value, wanted: &str, reason: &str) -> i64 {
    let all = report["rejections"].as_array().expect("refusals");
    let of = all.iter().find(|one| one["wanted"] == wanted && one["reason"] == reason);
    of.map_or(0, |one| one["times"].as_i64().expect("a count"))
}

#[tokio::test]
async fn the_sales_report_shows_what_happened_and_survives_the_loss_of_redis() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 4, json!({"capacity": 1})).await;
    let mut fourth = play(&process, &admin, &sale).await;
    let report = until("everything is in the report", async || {
        let report = fetch_report(&admin, &sale).await;
        let line = &report["line"];
        let written = line["completed"] == 1 && line["left_waiting"] == 1 && line["inside"] == 1;
        (written && refusals(&report, "join", "sold_out") > 0).then_some(report)
    })
    .await;
    shape::check(&report, REPORT);
    shape::check(&report["waits"], WAITS);
    let line = &report["line"];
    let counts = ["joined", "people", "admitted", "waiting", "expired_inside", "left_inside"];
    assert_eq!(counts.map(|name| line[name].as_i64().unwrap()), [4, 4, 2, 1, 0, 0]);
    let sales = &report["sales"];
    let counts = ["seats", "blocked", "sold", "revenue", "buyers", "refunded", "refunds", "held"];
    let counts = counts.map(|name| sales[name].as_i64().unwrap());
    assert_eq!(counts, [4, 3, 1, 100, 1, 1, 100, 0]);
    assert_eq!(
        report["sections"],
        json!([{"section": "A", "seats": 4, "blocked": 3, "sold": 1, "guests": 0,
                "revenue": 100}])
    );
    assert_eq!(refusals(&report, "hold", "seat_taken"), 1);
    assert_eq!((&report["settled"], &report["interval_seconds"]), (&json!(false), &json!(10)));
    check_sums(&report);
    check_waits(&world, &report).await;

    wipe(&mut world.raw_redis().await).await;
    until("the fourth waits again", async || {
        let ticket = fourth.poll().await;
        assert!(ticket.status == 503 || ticket.body["status"] == "WAITING", "{}", ticket.text);
        (ticket.status == 200 && world.epoch().await == 2).then_some(())
    })
    .await;
    assert_eq!(lasting(&fetch_report(&admin, &sale).await), lasting(&report));
}

/// Checks that the intervals of the course add up to the totals.
#[track_caller]
fn check_sums(report: &Value) {
    let parts = report["course"].as_array().expect("parts");
    let sum = |name: &str| parts.iter().map(|part| part[name].as_i64().unwrap()).sum::<i64>();
    assert_eq!(
        ["joined", "admitted", "sold", "paid", "refunded"].map(sum),
        [4, 2, 2, 200, 1],
        "{parts:?}"
    );
    let refused = report["rejections"].as_array().expect("refusals").iter();
    assert_eq!(sum("turned_away"), sum("rejections"), "the former name");
    assert_eq!(report["turned_away"], report["rejections"], "the former name");
    assert_eq!(sum("rejections"), refused.map(|one| one["times"].as_i64().unwrap()).sum::<i64>());
}

/// Checks that the longest wait is the one in the `queue` table, and that the percentiles rise.
async fn check_waits(world: &World, report: &Value) {
    let longest = "select (1000 * extract(epoch from max(entered_at - created_at)))::bigint \
                   from queue";
    let longest = world.number(longest).await;
    let waits = &report["waits"];
    let ms = |value: &Value| (value.as_f64().expect("seconds") * 1000.0).round();
    #[expect(clippy::cast_possible_truncation, reason = "a time of this test")]
    let reported = ms(&waits["longest_seconds"]) as i64;
    assert_eq!(reported, longest);
    let percentiles = waits["percentiles"].as_array().expect("percentiles");
    let percents: Vec<String> = percentiles.iter().map(|one| one["percent"].to_string()).collect();
    assert_eq!(percents, ["25.0", "50.0", "75.0", "90.0", "95.0", "99.0"]);
    let seconds: Vec<f64> = percentiles.iter().map(|p| ms(&p["seconds"])).collect();
    assert!(seconds.windows(2).all(|two| two[0] <= two[1]), "{seconds:?}");
    assert!(ms(&waits["mean_seconds"]) <= ms(&waits["longest_seconds"]));
}

#[tokio::test]
async fn the_report_measures_waits_from_joining_and_from_the_opening() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::create(&admin, (3, 3600), 1, 4, json!({})).await;
    let mut early = process.buyer().await;
    assert_eq!(early.join(sale.schedule).await.ok(201)["status"], "WAITING");
    until("the sale is open", async || {
        (early.poll().await.ok(200)["status"] == "ACTIVE").then_some(())
    })
    .await;
    let report = until("the admission is in the report", async || {
        let report = fetch_report(&admin, &sale).await;
        (report["line"]["admitted"] == 1).then_some(report)
    })
    .await;
    let longest = |waits: &str| report[waits]["longest_seconds"].as_f64().expect("seconds");
    let before = longest("waits") - longest("waits_from_opening");
    assert!(longest("waits_from_opening") >= 0.0 && before > 0.0, "{report}");
}

#[tokio::test]
async fn the_csv_report_has_the_same_figures_and_no_title_becomes_a_formula() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 3, json!({})).await;
    let title = json!({"title": "=HYPERLINK(\"x\"),\"y\""});
    admin.patch(&format!("/v1/admin/concerts/{}", sale.concert), title).await.ok(200);
    let buyer = active_buyer(&process, &sale).await;
    let hold = buyer.hold(sale.schedule, json!({"quantity": 2})).await.ok(201);
    buyer.pay(&hold).await.ok(201);
    let path = format!("/v1/admin/schedules/{}/report.csv", sale.schedule);
    let answer = admin.get(&path).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(answer.header("content-type").starts_with("text/csv"));
    let name = format!("attachment; filename=\"onsale-schedule-{}.csv\"", sale.schedule);
    assert_eq!(answer.header("content-disposition"), name);
    let lines: Vec<&str> = answer.text.split("\r\n").collect();
    assert_eq!(lines[0], "part,item,since,value,unit");
    for line in [
        "about,title,,\"'=HYPERLINK(\"\"x\"\"),\"\"y\"\"\",text",
        "sales,sold,,2,seats",
        "sales,revenue,,200,points",
        "section,A: sold,,2,seats",
    ] {
        assert!(lines.contains(&line), "{line} is not in\n{}", answer.text);
    }
    let unknown = "/v1/admin/schedules/999999/report";
    admin.get(unknown).await.refused(404, "schedule_not_found");
    admin.get(&format!("{unknown}.csv")).await.refused(404, "schedule_not_found");
}
