//! The public seat map: as a whole, in bits, as changes, compressed, and with `ETag`s.

use std::io::Read;

use base64::Engine;
use reqwest::Method;
use serde_json::{Value, json};

use crate::sale::refusals::{active_buyer, hold_path};
use crate::support::client::{Answer, Client};
use crate::support::sale::{self, Sale};
use crate::support::shape;
use crate::support::wait::until;
use crate::support::world::{Process, World};

async fn with(client: &Client, path: &str, header: &str, value: &str) -> reqwest::Response {
    client.request(Method::GET, path).header(header, value).send().await.expect("an answer")
}

fn header(answer: &reqwest::Response, name: &str) -> String {
    let value = answer.headers().get(name);
    value.map_or_else(String::new, |value| value.to_str().expect("text").to_owned())
}

/// Waits until the map shows these numbers of held and of unavailable seats; returns it.
async fn map_with(client: &Client, schedule: i64, held: usize, gone: usize) -> Value {
    let path = format!("/v1/schedules/{schedule}/seats");
    until("the map", async || {
        let map = client.get(&path).await.ok(200);
        let count = |status: &str| {
            let seats = map["seats"].as_array().expect("seats");
            seats.iter().filter(|seat| seat["status"] == status).count()
        };
        (count("HELD") == held && count("UNAVAILABLE") == gone).then_some(map.clone())
    })
    .await
}

/// A sale of 7 seats of which 3 is held, 5 blocked, and 1 and 2 are sold.
async fn mixed(process: &Process) -> (Sale, Client, Value) {
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 7, json!({})).await;
    let path = format!("/v1/admin/schedules/{}/seats", sale.schedule);
    admin.patch(&path, json!({"seat_ids": [sale.seats[4]], "blocked": true})).await.ok(200);
    let buyer = active_buyer(process, &sale).await;
    let bought = buyer.hold(sale.schedule, json!({"quantity": 2})).await.ok(201);
    buyer.pay(&bought).await.ok(201);
    let rival = active_buyer(process, &sale).await;
    let held = rival.hold(sale.schedule, json!({"seat_ids": [sale.seats[2]]})).await.ok(201);
    (sale, rival, held)
}

#[tokio::test]
async fn the_map_the_bits_and_the_layout_show_the_same_seats() {
    let world = World::new().await;
    let process = world.start().await;
    let (sale, ..) = mixed(&process).await;
    let anybody = process.anonymous();
    let map = map_with(&anybody, sale.schedule, 1, 3).await;
    shape::check(&map, "version:text seats:list");
    let seats = map["seats"].as_array().unwrap();
    let shaped = "id:int seat_number:int section:text row:text seat_price:int status:text";
    for seat in seats {
        shape::check(seat, shaped);
    }
    let states: Vec<&str> = seats.iter().map(|seat| seat["status"].as_str().unwrap()).collect();
    let (free, held, gone) = ("AVAILABLE", "HELD", "UNAVAILABLE");
    assert_eq!(states, [gone, gone, held, free, gone, free, free]);

    let path = format!("/v1/schedules/{}/seats", sale.schedule);
    let bits = anybody.get(&format!("{path}/status")).await.ok(200);
    shape::check(&bits, "version:text layout_version:int status:text");
    assert_eq!(bits["version"], map["version"]);
    let bytes = base64::engine::general_purpose::STANDARD.decode(bits["status"].as_str().unwrap());
    let bytes = bytes.expect("base64");
    for (index, state) in states.iter().enumerate() {
        let two = bytes[index >> 2] >> ((index & 3) * 2) & 3;
        assert_eq!([free, held, gone][usize::from(two)], *state, "seat {}", index + 1);
    }

    let layout = anybody.get(&format!("{path}/layout")).await.ok(200);
    shape::check(&layout, "schedule_id:int layout_version:int seats:list");
    assert_eq!(layout["layout_version"], bits["layout_version"]);
    for (seat, drawn) in seats.iter().zip(layout["seats"].as_array().unwrap()) {
        shape::check(drawn, "id:int seat_number:int section:text row:text seat_price:int");
        for member in ["id", "seat_number", "section", "row", "seat_price"] {
            assert_eq!(seat[member], drawn[member]);
        }
    }
}

#[tokio::test]
async fn each_encoding_has_its_own_etag_and_is_not_sent_again() {
    let world = World::new().await;
    let process = world.start().await;
    let (sale, ..) = mixed(&process).await;
    let anybody = process.anonymous();
    map_with(&anybody, sale.schedule, 1, 3).await;
    for rest in ["", "/status", "/layout"] {
        let path = format!("/v1/schedules/{}/seats{rest}", sale.schedule);
        let plain = anybody.get(&path).await;
        let zipped = with(&anybody, &path, "accept-encoding", "gzip").await;
        let etags = [plain.header("etag").to_owned(), header(&zipped, "etag")];
        assert_ne!(etags[0], etags[1]);
        assert!(etags.iter().all(|etag| etag.starts_with('"')), "strong: {etags:?}");
        assert_eq!(header(&zipped, "content-encoding"), "gzip");
        assert_eq!(plain.header("content-encoding"), "");
        for vary in [plain.header("vary").to_owned(), header(&zipped, "vary")] {
            assert!(vary.to_ascii_lowercase().contains("accept-encoding"), "{vary}");
        }
        let mut unzipped = String::new();
        let bytes = zipped.bytes().await.expect("a body");
        flate2::read::GzDecoder::new(&*bytes).read_to_string(&mut unzipped).expect("gzip");
        assert_eq!(unzipped, plain.text);
        let small = with(&anybody, &path, "accept-encoding", "gzip, br").await;
        assert_eq!(header(&small, "content-encoding"), "br");
        assert!(![&etags[0], &etags[1]].contains(&&header(&small, "etag")));
        let (mut whole, bytes) = (String::new(), small.bytes().await.expect("a body"));
        brotli::Decompressor::new(&*bytes, 4096).read_to_string(&mut whole).expect("brotli");
        assert_eq!(whole, plain.text);

        let same = with(&anybody, &path, "if-none-match", &etags[0]).await;
        assert_eq!(same.status(), 304, "{path}");
        assert_eq!(header(&same, "etag"), etags[0]);
        assert!(header(&same, "vary").to_ascii_lowercase().contains("accept-encoding"));
        assert!(same.bytes().await.expect("no body").is_empty());
        let other = with(&anybody, &path, "if-none-match", &etags[1]).await;
        assert_eq!(other.status(), 200, "the etag of the other encoding");
        let request = anybody.request(Method::GET, &path).header("accept-encoding", "gzip");
        let same = request.header("if-none-match", &etags[1]).send().await.expect("an answer");
        assert_eq!(same.status(), 304);
    }
}

#[tokio::test]
async fn a_layout_is_cached_for_long_only_under_its_own_version() {
    let world = World::new().await;
    let process = world.start().await;
    let (sale, ..) = mixed(&process).await;
    let (admin, anybody) = (process.admin().await, process.anonymous());
    let path = format!("/v1/schedules/{}/seats", sale.schedule);
    let current = anybody.get(&format!("{path}/layout")).await;
    let first = current.body["layout_version"].as_i64().expect("a version");
    let check = async |current: i64, seats: usize| {
        let of = |version: i64| (format!("?version={version}"), "no-store");
        let own = (format!("?version={current}"), "public, max-age=86400, immutable");
        let none = (String::new(), "public, no-cache");
        for (query, kept) in
            [own, none, of(current - 1), of(current + 1), of(0), of(i64::from(i32::MAX))]
        {
            let answer = anybody.get(&format!("{path}/layout{query}")).await;
            assert_eq!(answer.header("cache-control"), kept, "{query} of {current}");
            let tag = answer.header("etag").to_owned();
            let layout = answer.ok(200);
            assert_eq!(layout["layout_version"], current, "{query}: the current one");
            assert_eq!(layout["seats"].as_array().expect("seats").len(), seats);
            let again =
                with(&anybody, &format!("{path}/layout{query}"), "if-none-match", &tag).await;
            assert_eq!(
                (again.status().as_u16(), header(&again, "cache-control")),
                (304, kept.to_owned())
            );
        }
    };
    check(first, 7).await;
    let more = json!({"name": "B", "rows": 1, "seats_per_row": 1, "seat_price": 5});
    admin
        .post(&format!("/v1/admin/schedules/{}/seats", sale.schedule), json!({"sections": [more]}))
        .await
        .ok(201);
    // Until the process has loaded the new layout, it does not have that version.
    until("the new layout", async || {
        let answer = anybody.get(&format!("{path}/layout?version={}", first + 1)).await;
        let new = answer.body["layout_version"] == first + 1;
        assert!(new || answer.header("cache-control") == "no-store", "{}", answer.text);
        new.then_some(())
    })
    .await;
    check(first + 1, 8).await;
}

#[tokio::test]
async fn a_refused_layout_is_not_cached() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 1, json!({})).await;
    let anybody = process.anonymous();
    let path = format!("/v1/schedules/{}/seats", sale.schedule);
    for wrong in ["", "x", "-1", "1.5", "1x", "2147483648", "1&version=2"] {
        let answer = anybody.get(&format!("{path}/layout?version={wrong}")).await;
        answer.refused(422, "invalid_request");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    let nobody = anybody.get("/v1/schedules/999999/seats/layout?version=1").await;
    nobody.refused(404, "schedule_not_found");
    assert_eq!(nobody.header("cache-control"), "no-store");
}

fn changed(answer: &Answer) -> Vec<(i64, &str)> {
    let seats = answer.body["seats"].as_array().expect("seats");
    seats.iter().map(|one| (one["id"].as_i64().unwrap(), one["status"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn only_changes_since_a_known_version_are_sent() {
    let world = World::new().await;
    let (process, second) = (world.start().await, world.start().await);
    let (sale, rival, held) = mixed(&process).await;
    let anybody = process.anonymous();
    let path = format!("/v1/schedules/{}/seats", sale.schedule);
    // Both processes have the map before the change, so both can say what changed.
    map_with(&second.anonymous(), sale.schedule, 1, 3).await;
    let old = map_with(&anybody, sale.schedule, 1, 3).await;
    let since = format!("{path}?since={}", old["version"].as_str().unwrap());

    let none = anybody.get(&since).await;
    assert_eq!(changed(&none), []);
    rival.delete(&hold_path(&held)).await.ok(204);
    rival.hold(sale.schedule, json!({"seat_ids": &sale.seats[5..]})).await.ok(201);
    for process in [&process, &second] {
        map_with(&process.anonymous(), sale.schedule, 2, 3).await;
        for rest in ["", "/status"] {
            let asked = since.replace("/seats", &format!("/seats{rest}"));
            let changes = process.anonymous().get(&asked).await;
            shape::check(&changes.body, "version:text since:text seats:list");
            assert_eq!(changes.body["since"], old["version"]);
            changes.body["seats"]
                .as_array()
                .unwrap()
                .iter()
                .for_each(|s| shape::check(s, "id:int status:text"));
            let expected =
                [(sale.seats[2], "AVAILABLE"), (sale.seats[5], "HELD"), (sale.seats[6], "HELD")];
            assert_eq!(changed(&changes), expected);
        }
    }
    for unknown in ["", "0", "nonsense", "999999.999999-1", "%00", "1.1-1-1"] {
        let map = anybody.get(&format!("{path}?since={unknown}")).await.ok(200);
        shape::check(&map, "version:text seats:list");
        assert_eq!(map["seats"].as_array().unwrap().len(), 7, "the whole map");
    }
    // Added seats make a new layout: a client with the old one gets the whole map.
    let admin = process.admin().await;
    let more = json!({"name": "B", "rows": 1, "seats_per_row": 1, "seat_price": 5});
    let seats = format!("/v1/admin/schedules/{}/seats", sale.schedule);
    admin.post(&seats, json!({"sections": [more]})).await.ok(201);
    let map = until("the new seat is in the map", async || {
        let map = anybody.get(&since).await.ok(200);
        (map["seats"].as_array().unwrap().len() == 8).then_some(map)
    })
    .await;
    shape::check(&map, "version:text seats:list");
}

#[tokio::test]
async fn a_map_says_how_old_it_is_while_redis_is_silent() {
    let world = World::new().await;
    let process = world.start().await;
    let (sale, ..) = mixed(&process).await;
    let anybody = process.anonymous();
    let map = map_with(&anybody, sale.schedule, 1, 3).await;
    let path = format!("/v1/schedules/{}/seats", sale.schedule);
    // On the fast path, and through the router (a request with an origin).
    let ages = async || {
        let (fast, routed) = (
            with(&anybody, &path, "accept", "*/*").await,
            with(&anybody, &path, "origin", "https://elsewhere.example").await,
        );
        [header(&fast, "age"), header(&routed, "age")]
    };
    assert_eq!(ages().await, ["", ""]);
    world.redis.pause();
    until("the map is old", async || {
        let old = |age: &String| age.parse::<u64>().is_ok_and(|age| age >= 2);
        ages().await.iter().all(old).then_some(())
    })
    .await;
    assert_eq!(anybody.get(&path).await.ok(200), map);
    world.redis.resume();
    until("the map is not old", async || (ages().await == ["", ""]).then_some(())).await;
}
