//! Sales with a drawn entry order.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use aws_lc_rs::hmac;
use redis::AsyncCommands;
use serde_json::{Value, json};

use super::client::Client;
use super::crowd::{create_users, join_in_order};
use super::faults::key;
use super::sale::{self, in_seconds};
use super::servers::Raw;
use super::wait::until;
use super::world::World;

/// A sale that opens later and that `count` users have joined: its schedule, the users, and the
/// ticket id of each user.
pub async fn create_sale(
    world: &World,
    admin: &Client,
    at: &[SocketAddr],
    count: u32,
) -> (i64, Vec<Client>, BTreeMap<i64, String>) {
    let queue = json!({"entry_order": "DRAW", "capacity": 0});
    let sale = sale::create(admin, (1000, 3600), 1, 50, queue).await;
    let crowd = join_in_order(create_users(world, at, count, 0).await, sale.schedule).await;
    let mut ids = BTreeMap::new();
    for person in &crowd {
        let ticket = person.clone().poll().await.ok(200);
        ids.insert(person.user, ticket["ticket_id"].as_str().unwrap().to_owned());
    }
    (sale.schedule, crowd, ids)
}

/// The public data of a draw that has taken place.
pub struct PublishedDraw {
    pub proof: Value,
    pub entrants: Vec<String>,
}

impl PublishedDraw {
    /// Opens the sale, and waits until the secret is public.
    pub async fn open_sale(admin: &Client, schedule: i64) -> Self {
        let times = json!({"reservation_available_at": in_seconds(0)});
        admin.patch(&format!("/v1/admin/schedules/{schedule}"), times).await.ok(200);
        Self::wait_for(admin, schedule).await
    }

    /// Waits until the secret is public.
    pub async fn wait_for(anybody: &Client, schedule: i64) -> Self {
        let path = format!("/v1/schedules/{schedule}/queue/draw");
        let proof = until("the secret", async || {
            let answer = anybody.get(&path).await;
            (answer.status == 200 && answer.body["secret"].is_string()).then_some(answer.body)
        })
        .await;
        let list = anybody.get(&format!("{path}/entrants")).await;
        assert_eq!(list.headers["content-type"], "text/plain; charset=utf-8");
        Self { proof, entrants: list.text.lines().map(str::to_owned).collect() }
    }

    /// Waits until the queue has the drawn order.
    pub async fn wait_until_moved(&self, world: &World) {
        until("the draw is over", async || {
            let open = "select count(*) from draw where moved_at is null";
            (world.number(open).await == 0).then_some(())
        })
        .await;
    }
}

/// Waits until the draw is closed, and its log is marked.
pub async fn until_begun(redis: &mut Raw, schedule: i64) {
    until("the draw has begun", async || {
        let mark: Option<String> = redis.hget(key(schedule, "meta"), "draw_mark").await.unwrap();
        mark.map(|_| ())
    })
    .await;
}

/// The drawn order of the ticket ids, calculated from the public data only.
pub fn drawn_order(draw: &PublishedDraw) -> Vec<String> {
    let secret = hex::decode(draw.proof["secret"].as_str().unwrap()).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    let mut drawn: Vec<(Vec<u8>, &String)> = draw
        .entrants
        .iter()
        .map(|id| (hmac::sign(&key, id.as_bytes()).as_ref().to_vec(), id))
        .collect();
    drawn.sort();
    drawn.into_iter().map(|(_, id)| id.clone()).collect()
}
