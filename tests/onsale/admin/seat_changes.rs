//! Changes of seats and prices that exist: what they affect, who may still do them, and how they race
//! with holds.

use reqwest::Method;
use serde_json::{Value, json};

use crate::sale::refusals::active_buyer;
use crate::support::client::Client;
use crate::support::faults::{Blocker, assert_consistent, holder};
use crate::support::patch::Patch;
use crate::support::sale::{self, Sale};
use crate::support::state;
use crate::support::wait::until;
use crate::support::world::World;

fn path(sale: &Sale, rest: &str) -> String {
    format!("/v1/admin/schedules/{}/seats{rest}", sale.schedule)
}

async fn put(
    admin: &Client,
    sale: &Sale,
    rest: &str,
    body: &Value,
) -> crate::support::answer::Answer {
    admin.send(admin.request(Method::PUT, &path(sale, rest)).json(body)).await
}

fn section(name: &str, rows: u32, seats_per_row: u32, seat_price: i64) -> Value {
    json!({"name": name, "rows": rows, "seats_per_row": seats_per_row, "seat_price": seat_price})
}

/// The public map of a process: section, price and state of each seat.
async fn shown(anybody: &Client, sale: &Sale) -> Vec<(String, i64, String)> {
    let map = anybody.get(&format!("/v1/schedules/{}/seats", sale.schedule)).await.ok(200);
    let seats = map["seats"].as_array().expect("seats");
    let text = |seat: &Value, name: &str| seat[name].as_str().expect("a text").to_owned();
    seats
        .iter()
        .map(|seat| {
            (
                text(seat, "section"),
                seat["seat_price"].as_i64().expect("a price"),
                text(seat, "status"),
            )
        })
        .collect()
}

#[tokio::test]
async fn seats_are_replaced_everywhere_and_blocks_stay_on_their_seats() {
    let world = World::new().await;
    let (process, second) = (world.start().await, world.start().await);
    let admin = process.admin().await;
    let sale = sale::open(&admin, 2, 2, json!({})).await;
    let anybody = process.anonymous().at(second.addr);
    assert_eq!(shown(&anybody, &sale).await.len(), 4);
    // The last seat of row 2 is blocked.
    let block = json!({"seat_ids": [sale.seats[3]], "blocked": true});
    admin.patch(&path(&sale, ""), block).await.ok(200);

    let new = json!({"sections": [section("Front", 1, 3, 900), section("A", 2, 2, 50)]});
    let before = state::snapshot(&world, &[sale.schedule]).await;
    let tried = put(&admin, &sale, "?dry_run=true", &new).await.ok(200);
    assert_eq!(state::snapshot(&world, &[sale.schedule]).await, before, "a dry run");
    let effect = put(&admin, &sale, "", &new).await.ok(200);
    assert_eq!(effect["seats"], json!({"before": 4, "after": 7}));
    assert_eq!(effect["blocked"], json!({"before": 1, "after": 1}));
    assert_eq!(effect["takings"], json!({"before": 300, "after": 2850}));
    assert_eq!(tried["takings"], effect["takings"], "the dry run said so");
    assert_eq!((&tried["dry_run"], &effect["dry_run"]), (&json!(true), &json!(false)));

    let (free, gone) = ("AVAILABLE", "UNAVAILABLE");
    let expected: Vec<(String, i64, String)> = [("Front", 900, 3), ("A", 50, 4)]
        .iter()
        .flat_map(|(name, price, count)| {
            vec![((*name).to_owned(), *price, free.to_owned()); *count]
        })
        .enumerate()
        .map(|(at, seat)| if at == 6 { (seat.0, seat.1, gone.to_owned()) } else { seat })
        .collect();
    for client in [&process.anonymous(), &anybody] {
        until("the new map", async || (shown(client, &sale).await == expected).then_some(())).await;
        let view = client.get(&format!("/v1/schedules/{}", sale.schedule)).await.ok(200);
        assert_eq!(view["seats"]["total"], 7);
        assert_eq!(view["seats"]["blocked"], 1);
    }
    let ids = sale::seat_ids(&admin, sale.schedule).await;
    assert!(ids.iter().all(|id| !sale.seats.contains(id)), "an old id names no new seat");
    let buyer = active_buyer(&process, &sale).await;
    let old = json!({"seat_ids": [sale.seats[0]]});
    buyer.hold(sale.schedule, old).await.refused(404, "seat_not_found");
    buyer.hold(sale.schedule, json!({"seat_ids": [ids[0]]})).await.ok(201);
    put(&admin, &sale, "", &new).await.refused(409, "seats_reserved");
    admin.delete(&path(&sale, "")).await.refused(409, "seats_reserved");
    assert_consistent(&world).await;
}

#[tokio::test]
async fn removed_and_added_seats_start_above_what_redis_has_of_their_numbers() {
    let world = World::new().await;
    let process = world.start_with(&["--reconcile-every=500ms"]).await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 3, json!({})).await;
    for blocked in [true, false, true] {
        let body = json!({"seat_ids": [sale.seats[2]], "blocked": blocked});
        admin.patch(&path(&sale, ""), body).await.ok(200);
    }
    let removed = admin.delete(&path(&sale, "")).await.ok(200);
    assert_eq!(removed["seats"], json!({"before": 3, "after": 0}));
    assert_eq!(removed["blocked"], json!({"before": 1, "after": 0}));
    let view = admin.get(&format!("/v1/admin/schedules/{}", sale.schedule)).await.ok(200);
    assert_eq!((&view["phase"], &view["seats"]["total"]), (&json!("UPCOMING"), &json!(0)));
    let new = json!({"sections": [section("B", 1, 4, 7)]});
    admin.post(&path(&sale, ""), new).await.ok(201);
    world.wait_for_empty_outbox().await;
    let mut redis = world.raw_redis().await;
    let known = holder(&mut redis, sale.schedule, 3).await;
    assert!(known.starts_with("5 FREE"), "three changes, removed, added: {known}");
    let ids = sale::seat_ids(&admin, sale.schedule).await;
    let buyer = active_buyer(&process, &sale).await;
    let held = buyer.hold(sale.schedule, json!({"seat_ids": ids})).await.ok(201);
    buyer.pay(&held).await.ok(201);
    world.wait_for_empty_outbox().await;
    for number in 1..=4 {
        let sold = holder(&mut redis, sale.schedule, number).await;
        assert!(sold.contains(" SELL "), "seat {number}: {sold}");
    }
    // The reconciler finds nothing to repair, in a round that began after all of this.
    let text = async || process.anonymous().get("/metrics").await.text;
    let changed = chrono::Utc::now().timestamp();
    let success = "onsale_loop_last_success_timestamp_seconds{name=\"reconciler\"} ";
    let metrics = until("the reconciler has compared", async || {
        let text = text().await;
        let at: f64 = text.lines().find_map(|line| line.strip_prefix(success)?.parse().ok())?;
        (at > f64::from(i32::try_from(changed).ok()?) + 3.0).then_some(text)
    })
    .await;
    let repairs =
        metrics.lines().filter(|line| line.starts_with("onsale_reconciler_repairs_total"));
    assert!(repairs.clone().count() > 0 && repairs.clone().all(|line| line.ends_with(" 0")));
    assert_consistent(&world).await;
}

#[tokio::test]
async fn prices_change_for_free_seats_while_holds_and_tickets_keep_theirs() {
    let world = World::new().await;
    let (process, second) = (world.start().await, world.start().await);
    let admin = process.admin().await;
    let sale = sale::open(&admin, 2, 3, json!({})).await;
    let buyer = active_buyer(&process, &sale).await;
    let held = buyer.hold(sale.schedule, json!({"seat_ids": [sale.seats[0]]})).await.ok(201);
    let rival = active_buyer(&process, &sale).await;
    let sold = rival.hold(sale.schedule, json!({"seat_ids": [sale.seats[1]]})).await.ok(201);
    rival.pay(&sold).await.ok(201);

    let layout = format!("/v1/schedules/{}/seats/layout", sale.schedule);
    let version = admin.get(&layout).await.ok(200)["layout_version"].as_i64().expect("a version");
    let change = json!({"prices": [
        {"section": "A", "seat_price": 40}, {"section": "A", "row": "2", "seat_price": 30}]});
    let prices = path(&sale, "/prices");
    let before = state::snapshot(&world, &[sale.schedule]).await;
    let dry = admin.patch(&format!("{prices}?dry_run=true"), change.clone()).await.ok(200);
    assert_eq!(state::snapshot(&world, &[sale.schedule]).await, before);
    let effect = admin.patch(&prices, change).await.ok(200);
    // One free seat of row 1 and three of row 2; the two others keep 100.
    assert_eq!((&effect["changed"], &effect["kept"]), (&json!(4), &json!(2)));
    assert_eq!(effect["takings"], json!({"before": 600, "after": 100 + 100 + 40 + 3 * 30}));
    assert_eq!((&dry["changed"], &dry["takings"]), (&effect["changed"], &effect["takings"]));

    let anybody = process.anonymous().at(second.addr);
    until("the new prices in the other process", async || {
        let prices: Vec<i64> = shown(&anybody, &sale).await.iter().map(|seat| seat.1).collect();
        (prices == [100, 100, 40, 30, 30, 30]).then_some(())
    })
    .await;
    let now = anybody.get(&layout).await.ok(200)["layout_version"].as_i64();
    assert_eq!(now, Some(version + 1), "caches load the layout again");
    let paid = buyer.pay(&held).await.ok(201);
    assert_eq!(paid["total_amount"], 100, "a hold keeps its price");
    let cheap = active_buyer(&process, &sale).await;
    let cheap_hold = cheap.hold(sale.schedule, json!({"seat_ids": [sale.seats[5]]})).await.ok(201);
    assert_eq!(cheap_hold["total_amount"], 30);

    let nothing = json!({"prices": [{"section": "A", "seat_price": 1},
        {"section": "Z", "seat_price": 1}, {"section": "A", "seat_price_now": 77, "seat_price": 1}]});
    let refused = admin.patch(&prices, nothing).await;
    refused.refused(422, "invalid_request");
    assert_eq!(refused.body["errors"][0]["pointer"], "/prices/1");
    let audited = "select count(*) from audit where action = 'seats.price'
                     and after -> 'changed' = '4' and before -> 'takings' = '600'";
    assert_eq!(world.number(audited).await, 1);
    assert_consistent(&world).await;
}

/// Holds a seat while its balance is locked, and replaces the seats meanwhile. Returns the statuses of
/// the hold and of the replacement.
async fn replace_during_a_hold(world: &World) -> (u16, u16) {
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 2, json!({})).await;
    let buyer = active_buyer(&process, &sale).await;
    let blocker = Blocker::of_balance(&world.pool, buyer.user).await;
    // The hold has locked the schedule and its seat, and waits for the balance.
    let hold = buyer.hold(sale.schedule, json!({"seat_ids": [sale.seats[0]]}));
    let new = json!({"sections": [section("B", 1, 1, 9)]});
    let replace = async {
        blocker.wait_for_waiter(&world.pool).await;
        let replaced = put(&admin, &sale, "", &new);
        let release = async {
            let waits = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'
                           and query like '%concert_schedule%for update%'";
            // Without the guard, the replacement does not wait for the hold's lock on the schedule.
            for _ in 0..20 {
                if world.number(waits).await > 0 {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            blocker.release().await;
        };
        tokio::join!(replaced, release).0
    };
    let (held, replaced) = tokio::join!(hold, replace);
    (held.status, replaced.status)
}

#[tokio::test]
async fn a_hold_in_progress_comes_before_a_replacement_of_its_seats() {
    let world = World::new().await;
    assert_eq!(replace_during_a_hold(&world).await, (201, 409));
    assert_consistent(&world).await;
}

#[tokio::test]
async fn without_the_lock_on_the_schedule_a_replacement_overtakes_a_hold() {
    let world = World::new().await;
    Patch::of("write_hold")
        .replace("lock_schedule", "perform from concert_schedule where id = p_schedule;")
        .replace("lock_seats", "perform from seat where id = any (p_seats);")
        .apply(&world.pool)
        .await;
    let (held, replaced) = replace_during_a_hold(&world).await;
    assert_ne!((held, replaced), (201, 409), "the locks are needed");
}

#[tokio::test]
async fn buyers_hold_seats_while_prices_change_and_each_pays_an_old_or_a_new_price() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 10, 10, json!({"max_seats_per_user": 1})).await;
    let mut buyers = Vec::new();
    for _ in 0..20 {
        buyers.push(active_buyer(&process, &sale).await);
    }
    let prices = path(&sale, "/prices");
    let change = async {
        for price in 1..=10 {
            let body = json!({"prices": [{"section": "A", "seat_price": price}]});
            admin.patch(&prices, body).await.ok(200);
        }
    };
    let hold = |(at, buyer): (usize, &Client)| {
        let (buyer, seat) = (buyer.clone(), sale.seats[at * 3]);
        async move { buyer.hold(sale.schedule, json!({"seat_ids": [seat]})).await }
    };
    let holds = futures_util::future::join_all(buyers.iter().enumerate().map(hold));
    let (held, ()) = tokio::join!(holds, change);
    for answer in held {
        let hold = answer.ok(201);
        let amount = hold["total_amount"].as_i64().expect("an amount");
        assert!(amount == 100 || (1..=10).contains(&amount), "{amount}");
    }
    let kept = "select count(*) from reservation r join seat s on s.id = r.seat_id
                where s.seat_price <> r.amount";
    assert_eq!(world.number(kept).await, 0, "a held seat keeps the price of its hold");
    assert_consistent(&world).await;
}
