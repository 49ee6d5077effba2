//! Two administrators at once: a change with `If-Match` never overwrites one that its sender has not
//! seen.

use reqwest::Method;
use serde_json::{Value, json};

use crate::sale::refusals::active_buyer;
use crate::support::answer::Answer;
use crate::support::client::Client;
use crate::support::sale::{self, Sale};
use crate::support::state;
use crate::support::wait::until;
use crate::support::world::World;

/// Sends a change for the state with this tag.
pub async fn change(
    admin: &Client,
    method: Method,
    path: &str,
    tag: &str,
    body: Option<&Value>,
) -> Answer {
    let mut request = admin.request(method, path).header("if-match", tag);
    if let Some(body) = body {
        request = request.json(body);
    }
    admin.send(request).await
}

/// The tag of what a path answers.
pub async fn tag_of(admin: &Client, path: &str) -> String {
    let answer = admin.get(path).await;
    let tag = answer.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.len() > 2, "{path}: {tag}");
    answer.ok(200);
    tag
}

/// The resources that are edited, each with a change and another change of it.
fn edited(sale: &Sale) -> Vec<(Method, String, String, Value, Value)> {
    let concert = format!("/v1/admin/concerts/{}", sale.concert);
    let schedule = format!("/v1/admin/schedules/{}", sale.schedule);
    let queue = format!("{schedule}/queue");
    let seats = format!("{schedule}/seats");
    let times = |seconds| json!({"concert_at": sale::in_seconds(seconds)});
    let price = |price| json!({"prices": [{"section": "A", "seat_price": price}]});
    let block = |at: usize| json!({"seat_ids": [sale.seats[at]], "blocked": true});
    let section = |rows| json!({"sections": [{"name": "A", "rows": rows, "seats_per_row": 2, "seat_price": 1}]});
    vec![
        (Method::PATCH, concert.clone(), concert, json!({"title": "A"}), json!({"title": "B"})),
        (Method::PATCH, schedule.clone(), schedule, times(10_000), times(20_000)),
        (Method::PATCH, queue.clone(), queue, json!({"capacity": 1}), json!({"paused": true})),
        (Method::PATCH, seats.clone(), format!("{seats}/prices"), price(5), price(6)),
        (Method::PATCH, seats.clone(), seats.clone(), block(0), block(1)),
        (Method::POST, seats.clone(), seats.clone(), section(1), section(1)),
        (Method::PUT, seats.clone(), seats, section(2), section(3)),
    ]
}

#[tokio::test]
async fn a_change_based_on_an_older_state_is_refused_with_the_current_one() {
    let world = World::new().await;
    let (process, second) = (world.start().await, world.start().await);
    let admin = process.admin().await;
    let other = admin.at(second.addr);
    let sale = sale::open(&admin, 2, 4, json!({})).await;
    for (method, read, path, one, two) in edited(&sale) {
        let seen = until("both processes show the same state", async || {
            let tag = tag_of(&admin, &read).await;
            (tag == tag_of(&other, &read).await).then_some(tag)
        })
        .await;
        let first = change(&admin, method.clone(), &path, &seen, Some(&one)).await;
        assert!(first.status < 300, "{method} {path}: {}", first.text);
        let next = first.header("etag").to_owned();
        assert_ne!(next, seen, "{method} {path}");

        let before = state::snapshot(&world, &[]).await;
        let refused = change(&other, method.clone(), &path, &seen, Some(&two)).await;
        refused.refused(412, "changed_meanwhile");
        assert_eq!(refused.body["etag"], next, "{method} {path}");
        let current = &refused.body["current"];
        let shown = until("the state is read again", async || {
            let shown = admin.get(&read).await;
            (shown.header("etag") == next).then_some(shown.body.clone())
        })
        .await;
        for (name, value) in current.as_object().expect("the state") {
            assert_eq!(&shown[name], value, "{method} {path}: {name}");
        }
        assert_eq!(state::snapshot(&world, &[]).await, before, "{method} {path}");

        // With the tag of the current state it applies, and without a tag as before.
        let again = change(&other, method.clone(), &path, &next, Some(&two)).await;
        assert!(again.status < 300, "{method} {path}: {}", again.text);
        let whatever = other.send(other.request(method.clone(), &path).json(&one)).await;
        assert!([200, 201, 404].contains(&whatever.status), "{method} {path}: {}", whatever.text);
    }
}

#[tokio::test]
async fn a_tag_is_accepted_in_a_list_as_a_star_and_marked_weak_by_a_proxy() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 0, 0, json!({})).await;
    let queue = format!("/v1/admin/schedules/{}/queue", sale.schedule);
    for (n, how) in ["*", "\"x\", {}", "W/{}"].iter().enumerate() {
        let tag = how.replace("{}", &tag_of(&admin, &queue).await);
        let body = json!({"capacity": 10 + n});
        change(&admin, Method::PATCH, &queue, &tag, Some(&body)).await.ok(200);
    }
    let wrong = change(&admin, Method::PATCH, &queue, "abc", Some(&json!({"capacity": 9}))).await;
    wrong.refused(412, "changed_meanwhile");
    assert_eq!(wrong.body["current"]["capacity"], 12);
}

#[tokio::test]
async fn the_queue_the_times_and_the_seats_have_tags_of_their_own() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 4, json!({})).await;
    let schedule = format!("/v1/admin/schedules/{}", sale.schedule);
    let paths = [schedule.clone(), format!("{schedule}/queue"), format!("{schedule}/seats")];
    let tags = async || {
        let mut tags = Vec::new();
        for path in &paths {
            tags.push(tag_of(&admin, path).await);
        }
        tags
    };
    let before = tags().await;
    admin.patch(&paths[1], json!({"paused": true})).await.ok(200);
    let after = tags().await;
    assert_eq!((&after[0], &after[2]), (&before[0], &before[2]));
    assert_ne!(after[1], before[1]);
    admin.patch(&paths[1], json!({"paused": false})).await.ok(200);
    assert_eq!(tags().await, before, "the same state has the same tag");
    // Buyers change no tag.
    let buyer = active_buyer(&process, &sale).await;
    let held = buyer.hold(sale.schedule, json!({"quantity": 1})).await.ok(201);
    buyer.pay(&held).await.ok(201);
    assert_eq!(tags().await, before);
}

#[tokio::test]
async fn of_many_changes_for_one_state_exactly_one_applies() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 0, 0, json!({})).await;
    let queue = format!("/v1/admin/schedules/{}/queue", sale.schedule);
    let tag = tag_of(&admin, &queue).await;
    let race = async |with_tag: bool, base: u32| {
        let one = async |n: u32| {
            let body = json!({"capacity": base + n});
            if with_tag {
                change(&admin, Method::PATCH, &queue, &tag, Some(&body)).await.status
            } else {
                admin.patch(&queue, body).await.status
            }
        };
        let all = futures_util::future::join_all((0..12).map(one)).await;
        all.iter().filter(|status| **status == 200).count()
    };
    assert_eq!(race(true, 100).await, 1);
    // The control: without a tag each of them overwrites the others.
    assert_eq!(race(false, 200).await, 12);
}
